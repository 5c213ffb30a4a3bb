//! Writing the WARC files, and telling which payloads came before.

use std::collections::HashMap;
use std::fs;

use nephila_frontier::Moment;
use nephila_store::{PartNames, PartPosition, PartWriter, Repaired};
use nephila_warc::records::{self, Capture, Original};
use nephila_warc::{CdxjLine, Compression, Digest, WarcFields};

use super::exchange::{Exchange, record_id, warc_date};
use crate::error::{Error, ErrorKind};
use crate::options::CrawlConfig;
use crate::setup::user_agent;
use crate::state::History;

/// Memory for the payloads that came before; when it is taken, no more are remembered and what
/// repeats them is written whole.
const MOST_ORIGINAL_BYTES: usize = 32 << 20;

/// What an entry of the map takes beside its URL.
const ENTRY_BYTES: usize = 80;

/// Writes WARC files: parts that are appended to, each begun with a warcinfo record.
#[derive(Debug)]
pub(crate) struct ArchiveWriter {
    parts: PartWriter,
    compression: Compression,
    key: [u64; 2],
    about: WarcFields,
    originals: Originals,
}

/// The first response of each payload.
#[derive(Debug, Default)]
struct Originals {
    /// URL and date by digest.
    by_digest: HashMap<[u8; 20], (Box<str>, Box<str>)>,
    bytes: usize,
}

impl Originals {
    fn get(&self, digest: Digest) -> Option<Original<'_>> {
        let (url, date) = self.by_digest.get(digest.as_bytes())?;
        Some(Original {
            id: None,
            target_uri: url,
            date,
        })
    }

    fn note(&mut self, digest: Digest, url: &str, date: &str) {
        let bytes = ENTRY_BYTES + url.len() + date.len();
        if self.bytes + bytes <= MOST_ORIGINAL_BYTES {
            self.bytes += bytes;
            let original = (url.into(), date.into());
            self.by_digest.entry(*digest.as_bytes()).or_insert(original);
        }
    }
}

impl ArchiveWriter {
    /// Goes on at a position that was committed. What is published already is remembered from its
    /// index, so that a payload is not kept again after a restart.
    pub(crate) fn open(
        names: &PartNames,
        config: &CrawlConfig,
        (position, published): (PartPosition, u32),
        history: &History,
    ) -> Result<(ArchiveWriter, Repaired), Error> {
        let (parts, repaired) =
            PartWriter::open_at(names.clone(), config.warc_size.0, position, published)?;
        let writer = ArchiveWriter {
            originals: originals(names)?,
            parts,
            compression: super::compression(config).unwrap_or(Compression::Gzip),
            key: history.key.unwrap_or_default(),
            about: about(config)?,
        };
        Ok((writer, repaired))
    }

    /// Appends the records of an exchange.
    pub(crate) fn append(&mut self, exchange: Exchange, now: Moment) -> Result<(), Error> {
        let mut records = match self.parts.begins_part() {
            true => self.warcinfo(now)?,
            false => Vec::new(),
        };
        match self
            .originals
            .get(exchange.digest)
            .filter(|_| exchange.has_payload)
        {
            Some(original) => records.extend(self.revisit(&exchange, &original)?),
            None => {
                records.extend(&exchange.response);
                self.originals
                    .note(exchange.digest, &exchange.url, &exchange.date);
            }
        }
        records.extend(&exchange.rest);
        Ok(self.parts.append(&records, 1)?)
    }

    /// Makes what was appended durable; returns the position behind it.
    pub(crate) fn sync(&mut self) -> Result<PartPosition, Error> {
        Ok(self.parts.sync()?)
    }

    pub(crate) fn position(&self) -> PartPosition {
        self.parts.position()
    }

    /// Files that have their names.
    pub(crate) fn published(&self) -> u32 {
        self.parts.published()
    }

    pub(crate) fn publish_ended(&mut self) -> Result<u32, Error> {
        Ok(self.parts.publish_ended()?)
    }

    pub(crate) fn end(self) -> Result<u32, Error> {
        Ok(self.parts.end()?)
    }

    fn warcinfo(&self, now: Moment) -> Result<Vec<u8>, Error> {
        let position = self.parts.position();
        let number = position.part + u32::from(position.bytes > 0);
        let name = self.parts.names().name(number);
        let date = warc_date(now);
        let id = record_id(self.key, &name, &date, 3);
        self.pack(records::warcinfo(id, &date, Some(&name), &self.about))
    }

    fn revisit(&self, exchange: &Exchange, original: &Original<'_>) -> Result<Vec<u8>, Error> {
        let capture = Capture {
            target_uri: &exchange.url,
            date: &exchange.date,
            ip: exchange.ip,
            warcinfo_id: None,
        };
        let (id, digest) = (exchange.id, exchange.digest);
        self.pack(records::revisit(
            id,
            &capture,
            original,
            digest,
            &exchange.head,
        ))
    }

    fn pack(&self, record: Result<Vec<u8>, nephila_warc::BuildError>) -> Result<Vec<u8>, Error> {
        let bug = |what: String| Error::new(ErrorKind::Bug, format!("a WARC record: {what}"));
        let record = record.map_err(|error| bug(error.to_string()))?;
        let packed = self.compression.compress(&record);
        packed.map_err(|error| bug(error.to_string()))
    }
}

/// Who wrote the file, and how.
fn about(config: &CrawlConfig) -> Result<WarcFields, Error> {
    let robots = if config.ignore_robots {
        "ignore"
    } else {
        "obey"
    };
    let mut about = WarcFields::new();
    let fields = [
        ("software", concat!("Nephila/", env!("CARGO_PKG_VERSION"))),
        ("format", "WARC File Format 1.1"),
        (
            "conformsTo",
            "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
        ),
        ("robots", robots),
        ("http-header-user-agent", &user_agent(config)),
    ];
    for (name, value) in fields {
        let usage = |error| Error::new(ErrorKind::Usage, format!("{name} {value:?}: {error}"));
        about.add(name, value).map_err(usage)?;
    }
    Ok(about)
}

/// The payloads of the files that have an index.
fn originals(names: &PartNames) -> Result<Originals, Error> {
    let mut originals = Originals::default();
    for number in names.whole_parts()? {
        let path = super::index_path(&names.path(number));
        // Without its index a file is not known yet: it gets one when it is published.
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        for line in CdxjLine::parse_all(&text) {
            let line = line.map_err(|error| {
                Error::new(ErrorKind::Corrupt, format!("{}: {error}", path.display()))
            })?;
            let is_first = line.capture.mime.as_deref() != Some("warc/revisit");
            let digest = line.capture.digest.as_deref();
            let digest = digest.and_then(|digest| Digest::parse(&format!("sha1:{digest}")));
            if let (Some(digest), Some(date), true) = (digest, date_of(&line.timestamp), is_first) {
                originals.note(digest, &line.capture.url, &date);
            }
        }
    }
    Ok(originals)
}

/// `20260102030405` as `2026-01-02T03:04:05Z`.
fn date_of(timestamp: &str) -> Option<String> {
    let part = |range| timestamp.get(range);
    Some(format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0..4)?,
        part(4..6)?,
        part(6..8)?,
        part(8..10)?,
        part(10..12)?,
        part(12..14)?
    ))
}
