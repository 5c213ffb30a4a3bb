//! The address of a destination, as the user writes it.

use std::fmt;
use std::path::PathBuf;

use crate::error::{Error, ErrorKind};

/// Where outputs go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// `file://` and an absolute path.
    Directory(PathBuf),
    /// A bucket of an object store.
    Bucket(Bucket),
}

/// A bucket and the prefix of all names in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bucket {
    pub(super) service: Service,
    pub(super) name: String,
    /// Without `/` at its ends; may be empty.
    pub(super) prefix: String,
}

/// Who keeps the objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    /// Amazon S3 and what speaks like it.
    S3,
    /// Google Cloud Storage.
    Google,
    /// Azure Blob Storage.
    Azure,
}

impl Service {
    const ALL: [Service; 3] = [Service::S3, Service::Google, Service::Azure];

    /// The scheme of its addresses.
    pub(super) fn scheme(self) -> &'static str {
        match self {
            Service::S3 => "s3",
            Service::Google => "gs",
            Service::Azure => "az",
        }
    }
}

impl Address {
    /// Reads an address. It is not repeated in an error: it may hold a secret.
    pub(super) fn parse(text: &str) -> Result<Address, Error> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(wrong("has no scheme"));
        };
        if rest.contains(['?', '#']) {
            return Err(wrong("has a `?` or `#` in it"));
        }
        if rest.chars().any(char::is_control) {
            return Err(wrong("has a control character in it"));
        }
        if scheme == "file" {
            return directory(rest);
        }
        let service = Service::ALL
            .into_iter()
            .find(|service| service.scheme() == scheme);
        let service = service.ok_or_else(|| wrong("has another scheme"))?;
        let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if name.contains(['@', ':']) {
            return Err(wrong(
                "has `@` or `:` in its bucket: credentials and endpoints come from the environment",
            ));
        }
        if name.is_empty() {
            return Err(wrong("names no bucket"));
        }
        let prefix = prefix.trim_matches('/');
        let is_plain = |part: &str| !matches!(part, "" | "." | "..");
        if !prefix.is_empty() && !prefix.split('/').all(is_plain) {
            return Err(wrong("has an empty part, `.` or `..` in its prefix"));
        }
        Ok(Address::Bucket(Bucket {
            service,
            name: name.to_owned(),
            prefix: prefix.to_owned(),
        }))
    }
}

fn directory(rest: &str) -> Result<Address, Error> {
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    if !path.starts_with('/') {
        return Err(wrong("is no absolute path: file:///absolute/path"));
    }
    Ok(Address::Directory(PathBuf::from(path)))
}

fn wrong(what: &str) -> Error {
    Error::new(
        ErrorKind::Usage,
        format!(
            "this destination {what}: write s3://bucket/prefix, gs://bucket/prefix, \
             az://container/prefix or file:///absolute/path"
        ),
    )
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Directory(path) => write!(formatter, "file://{}", path.display()),
            Address::Bucket(bucket) => bucket.fmt(formatter),
        }
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}", self.service.scheme(), self.name)?;
        if !self.prefix.is_empty() {
            write!(formatter, "/{}", self.prefix)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let cases = [
            ("s3://bucket", "s3://bucket"),
            ("s3://bucket/", "s3://bucket"),
            ("gs://bucket/a/b/", "gs://bucket/a/b"),
            ("az://container/a", "az://container/a"),
            ("file:///a/b", "file:///a/b"),
            ("file://localhost/a/b", "file:///a/b"),
        ];
        for (text, shown) in cases {
            assert_eq!(Address::parse(text).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn wrong_addresses_are_refused_and_not_repeated() {
        let wrong = [
            "hunter2",
            "http://hunter2/",
            "s3://",
            "s3:///hunter2",
            "s3://key:hunter2@bucket/a",
            "s3://bucket/a?hunter2",
            "s3://bucket/../hunter2",
            "s3://bucket/a//hunter2",
            "file://hunter2/a",
            "file://hunter2",
            "s3://bucket/\u{1b}hunter2",
        ];
        for text in wrong {
            let error = Address::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage, "{text}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
