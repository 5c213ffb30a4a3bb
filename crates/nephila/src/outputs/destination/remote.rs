//! An object store as a destination.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path;
use object_store::{BackoffConfig, ObjectStore, ObjectStoreExt, RetryConfig, WriteMultipart};
use tokio::runtime::Runtime;

use super::address::{Bucket, Service};
use super::store_error::StoreErrors;
use super::{LISTED_MAX, too_many};
use crate::error::{Error, ErrorKind};

/// The smallest part of an upload. A file that fits one is stored in one request.
const PART_BYTES: u64 = 8 << 20;

/// Parts of an upload at most: S3 takes 10,000.
const PARTS_MAX: u64 = 9_000;

/// Parts that are on their way at once.
const PARTS_AT_ONCE: usize = 2;

/// What [`Remote::check`] and [`Remote::list`] may take.
const CHECK_TIME: Duration = Duration::from_secs(30);

/// What one request may take, as the store's client reads it: a part over a slow line.
const REQUEST_TIME: &str = "180s";

/// What storing a file may take whatever its size, and the bytes for which it may take one second
/// more.
const PUT_TIME: Duration = Duration::from_secs(120);
const PUT_BYTES_PER_SECOND: u64 = 128 << 10;

/// A bucket, and the runtime that speaks to it.
#[derive(Debug)]
pub(super) struct Remote {
    bucket: Bucket,
    /// The bucket's prefix.
    root: Path,
    /// Tries again with growing waits.
    store: Arc<dyn ObjectStore>,
    /// Gives up soon: whoever starts a crawl waits for the answer.
    hasty: Arc<dyn ObjectStore>,
    errors: StoreErrors,
    runtime: Runtime,
}

impl Remote {
    pub(super) fn open(bucket: &Bucket, settings: &[(&str, &str)]) -> Result<Remote, Error> {
        let errors = StoreErrors::new(bucket, settings);
        let failed = |error| errors.unusable(&error);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::new(ErrorKind::Io, format!("cannot start: {error}")))?;
        Ok(Remote {
            store: open(bucket, settings, patient()).map_err(failed)?,
            hasty: open(bucket, settings, hasty()).map_err(failed)?,
            root: path(&bucket.prefix)?,
            bucket: bucket.clone(),
            errors,
            runtime,
        })
    }

    /// As [`super::Destination::check`].
    pub(super) fn check(&self, probe: &str) -> Result<(), Error> {
        let path = self.path(probe)?;
        let work = async {
            self.hasty.put(&path, Vec::new().into()).await?;
            // Writing is proven. Whoever may write may not be allowed to remove.
            let _ = self.hasty.delete(&path).await;
            Ok(())
        };
        self.within(CHECK_TIME, "write to", probe, work)
    }

    /// As [`super::Destination::put`].
    pub(super) fn put(&self, name: &str, file: &FilePath) -> Result<(), Error> {
        let unreadable = |error| Error::io(file, "read", error);
        let mut source = File::open(file).map_err(unreadable)?;
        let size = source.metadata().map_err(unreadable)?.len();
        let time = PUT_TIME + Duration::from_secs(size / PUT_BYTES_PER_SECOND);
        let path = self.path(name)?;
        if size > PART_BYTES {
            let upload = self.put_parts(&path, &mut source, size);
            return self
                .within(time, "store", name, upload)?
                .map_err(unreadable);
        }
        let mut bytes = Vec::new();
        source
            .take(PART_BYTES)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        let put = self.store.put(&path, bytes.into());
        self.within(time, "store", name, put).map(|_| ())
    }

    /// Stores a file in parts. The inner result is that of reading it.
    async fn put_parts(
        &self,
        path: &Path,
        source: &mut File,
        size: u64,
    ) -> Result<std::io::Result<()>, object_store::Error> {
        let part_bytes = PART_BYTES.max(size.div_ceil(PARTS_MAX));
        let upload = self.store.put_multipart(path).await?;
        let part_size = usize::try_from(part_bytes).unwrap_or(usize::MAX);
        let mut upload = WriteMultipart::new_with_chunk_size(upload, part_size);
        loop {
            let mut part = Vec::new();
            match (&mut *source).take(part_bytes).read_to_end(&mut part) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => {
                    upload.abort().await?;
                    return Ok(Err(error));
                }
            }
            if let Err(error) = upload.wait_for_capacity(PARTS_AT_ONCE).await {
                // The first failure says more than one of clearing up after it.
                let _ = upload.abort().await;
                return Err(error);
            }
            upload.put(part.into());
        }
        upload.finish().await.map(|_| Ok(()))
    }

    /// As [`super::Destination::list`].
    pub(super) fn list(&self) -> Result<Vec<String>, Error> {
        let work = async {
            let mut names = Vec::new();
            let mut open = vec![self.root.clone()];
            while let Some(prefix) = open.pop() {
                let found = self.hasty.list_with_delimiter(Some(&prefix)).await?;
                open.extend(found.common_prefixes);
                names.extend(
                    found
                        .objects
                        .iter()
                        .map(|object| self.name(&object.location)),
                );
                if names.len() + open.len() > LISTED_MAX {
                    return Ok(None);
                }
            }
            Ok(Some(names))
        };
        let names = self.within(CHECK_TIME, "list", "", work)?;
        names.ok_or_else(|| too_many(&self.bucket))
    }

    /// As [`super::Destination::get`].
    pub(super) fn get(&self, name: &str, out: &mut dyn Write) -> Result<u64, Error> {
        let path = self.path(name)?;
        let size = self
            .within(CHECK_TIME, "read", name, self.store.head(&path))?
            .size;
        let mut start = 0;
        while start < size {
            let end = size.min(start + PART_BYTES);
            let part = self.store.get_range(&path, start..end);
            let part = self.within(PUT_TIME, "read", name, part)?;
            out.write_all(&part)
                .map_err(|error| Error::io(FilePath::new("the output"), "write to", error))?;
            start = end;
        }
        Ok(size)
    }

    /// The name below the prefix, as it is: the store's client escapes it where it has to.
    fn path(&self, name: &str) -> Result<Path, Error> {
        path(&format!("{}/{name}", self.bucket.prefix))
    }

    fn name(&self, path: &Path) -> String {
        let name: Vec<_> = path
            .prefix_match(&self.root)
            .into_iter()
            .flatten()
            .map(|part| part.as_ref().to_owned())
            .collect();
        name.join("/")
    }

    /// Runs `work` to its end on this thread, for so long at most.
    fn within<T>(
        &self,
        time: Duration,
        doing: &str,
        name: &str,
        work: impl Future<Output = Result<T, object_store::Error>>,
    ) -> Result<T, Error> {
        let done = self
            .runtime
            .block_on(async { tokio::time::timeout(time, work).await });
        match done {
            Ok(done) => done.map_err(|error| self.errors.explain(doing, name, &error)),
            Err(_) => Err(self.errors.late(doing, name, time)),
        }
    }
}

fn path(name: &str) -> Result<Path, Error> {
    let wrong = |error| {
        Error::new(
            ErrorKind::Usage,
            format!("no object can be named so: {error}"),
        )
    };
    Path::parse(name).map_err(wrong)
}

fn patient() -> RetryConfig {
    RetryConfig::default()
}

fn hasty() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            max_backoff: Duration::from_secs(1),
            ..BackoffConfig::default()
        },
        max_retries: 2,
        retry_timeout: CHECK_TIME / 2,
    }
}

/// Opens a service's store with the settings of its own prefix, as its `from_env` does it.
macro_rules! built {
    ($builder:expr, $prefix:literal, $settings:expr, $retry:expr) => {{
        let mut builder = $builder.with_retry($retry);
        for (key, value) in with_prefix($settings, $prefix) {
            // What is no setting of the store is for another program.
            if let Ok(key) = key.parse() {
                builder = builder.with_config(key, value);
            }
        }
        Arc::new(builder.build()?)
    }};
}

fn open(
    bucket: &Bucket,
    settings: &[(&str, &str)],
    retry: RetryConfig,
) -> Result<Arc<dyn ObjectStore>, object_store::Error> {
    // A bucket of the environment does not win over the address.
    let name = bucket.name.as_str();
    let settings: Vec<(&str, &str)> = settings
        .iter()
        .filter(|(key, _)| !key.contains("_BUCKET") && !key.contains("_CONTAINER_NAME"))
        .copied()
        .collect();
    Ok(match bucket.service {
        Service::S3 => {
            let builder = AmazonS3Builder::new().with_bucket_name(name);
            built!(builder, "AWS_", &settings, retry)
        }
        Service::Google => {
            let builder = GoogleCloudStorageBuilder::new().with_bucket_name(name);
            built!(builder, "GOOGLE_", &settings, retry)
        }
        Service::Azure => {
            let builder = MicrosoftAzureBuilder::new().with_container_name(name);
            built!(builder, "AZURE_", &settings, retry)
        }
    })
}

/// The settings of a service, in lower case, after those that hold unless they say otherwise.
fn with_prefix<'s>(
    settings: &'s [(&'s str, &'s str)],
    prefix: &'s str,
) -> impl Iterator<Item = (String, &'s str)> {
    let named = settings
        .iter()
        .filter(move |(key, _)| key.starts_with(prefix))
        .map(|(key, value)| (key.to_ascii_lowercase(), *value));
    std::iter::once(("timeout".to_owned(), REQUEST_TIME)).chain(named)
}
