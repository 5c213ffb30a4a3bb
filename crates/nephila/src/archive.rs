//! The archive: exchanges as WARC 1.1, byte for byte as they went over the wire.
//!
//! An exchange is three records: response (or revisit, where the same payload came before), request,
//! and metadata with the outlinks. They are made and compressed where the page is analysed
//! ([`Exchange`]); whether the payload is new is decided where all of them come together, by the
//! committer's [`ArchiveWriter`], so that a revisit never points to a record that is not there.
//!
//! Archived is every answer that came whole, whatever its status; what was cut, skipped or refused is
//! in the rows only.

mod exchange;
mod index;
mod writer;

pub(crate) use exchange::{Exchange, Material};
pub(crate) use index::index_archive;
pub(crate) use writer::ArchiveWriter;

use std::path::{Path, PathBuf};

use nephila_warc::Compression;

use crate::options::{CrawlConfig, Format};

/// How the records of a crawl are compressed; none where it writes no archive.
pub(crate) fn compression(config: &CrawlConfig) -> Option<Compression> {
    if config.format.has(Format::WarcGzip) {
        Some(Compression::Gzip)
    } else if config.format.has(Format::WarcZstd) {
        Some(Compression::Zstd)
    } else {
        None
    }
}

/// The index of a WARC file, beside it.
pub(crate) fn index_path(archive: &Path) -> PathBuf {
    let name = archive.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.split('.').next().unwrap_or_default();
    archive.with_file_name(format!("{stem}.cdxj"))
}
