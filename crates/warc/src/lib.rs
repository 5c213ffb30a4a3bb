//! WARC 1.1 records over [`std::io::Read`] and [`std::io::Write`], and their CDXJ index.
//!
//! Reads and writes the files in which web archives keep what a crawler sent and got: WARC 1.0 and 1.1
//! (ISO 28500:2017), plain or with one gzip member or zstd frame a record; and reads ARC, the format
//! before it. There is no file, clock or random number in here: sources, dates and names are passed in.
//!
//! - Writing: [`records`] has the records of a crawl, [`RecordBuilder`] makes any other, and
//!   [`Compression::compress`] makes each a member of its own. A file is their concatenation.
//! - Reading: [`Reader`] gives one record after the other, with the place of each in its file, and
//!   streams the content. With [`ReadOptions::strict`] it is a validator.
//! - Indexing: [`index`] gives the [`CdxjLine`]s of a file, by which a replay tool finds its records.
//!
//! What it holds to:
//!
//! - No value can add a field to a header or end it; such a value is refused ([`BuildError`]).
//! - What was read can be written again byte for byte: [`Head::as_bytes`], the content, and
//!   [`Finished::ending`].
//! - Input of any kind gives records or an [`Error`] that says where; memory does not grow with it
//!   beyond the bounds of [`ReadOptions`], but for content that the caller asks for, and for what a
//!   frame of zstd needs, at most 128 MiB.
//!
//! A record without a digest that could be checked, and content whose HTTP is broken, are not errors:
//! an archive holds what came.
//!
//! ```
//! use nephila_warc::records::{self, Capture};
//! use nephila_warc::{Compression, Reader, RecordId, WarcFields, http, index, to_cdxj};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut about = WarcFields::new();
//! about.add("software", "example/1.0")?;
//! about.add("format", "WARC File Format 1.1")?;
//! let warcinfo_id = RecordId::from_bytes([1; 16]);
//! let date = "2026-01-02T03:04:05Z";
//! let warcinfo = records::warcinfo(warcinfo_id, date, Some("a.warc.gz"), &about)?;
//!
//! let capture = Capture {
//!     target_uri: "http://example.com/",
//!     date,
//!     ip: Some("192.0.2.1".parse()?),
//!     warcinfo_id: Some(warcinfo_id),
//! };
//! let message = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>Hello";
//! let digest = http::payload_digest(message);
//! let response_id = RecordId::from_bytes([2; 16]);
//! let response = records::response(response_id, &capture, digest, None, message)?;
//!
//! let mut file = Compression::Gzip.compress(&warcinfo)?;
//! let offset = file.len() as u64;
//! file.extend(Compression::Gzip.compress(&response)?);
//!
//! let lines = index(&mut Reader::new(file.as_slice()), "a.warc.gz")?;
//! assert_eq!(lines[0].key, "com,example)/");
//! assert_eq!(lines[0].capture.offset, offset);
//! assert_eq!(lines[0].capture.mime.as_deref(), Some("text/html"));
//! assert!(to_cdxj(&lines).starts_with("com,example)/ 20260102030405 {\"url\":"));
//!
//! let mut reader = Reader::new(file.as_slice());
//! while let Some(mut record) = reader.next_record()? {
//!     let kind = record.head().kind().to_string();
//!     let content = record.content(1024 * 1024)?;
//!     let finished = record.finish()?;
//!     assert!(finished.length.is_some() && !kind.is_empty() && !content.is_empty());
//! }
//! # Ok(())
//! # }
//! ```

mod arc;
mod builder;
mod cdxj;
mod digest;
mod error;
mod head;
pub mod http;
mod index;
mod input;
mod kind;
mod member;
mod members;
mod options;
mod parse;
mod reader;
pub mod records;
mod surt;
mod verify;
mod warc_fields;

pub use builder::{RecordBuilder, RecordId};
pub use cdxj::{CdxjCapture, CdxjError, CdxjLine, to_cdxj};
pub use digest::Digest;
pub use error::{BuildError, Error, Problem, Shown};
pub use head::{Field, Head};
pub use index::index;
pub use kind::RecordKind;
pub use member::Compression;
pub use options::ReadOptions;
pub use reader::{Finished, Reader, Record, WholeRecord};
pub use surt::surt;
pub use verify::Check;
pub use warc_fields::WarcFields;
