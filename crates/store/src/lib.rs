//! What a crawl keeps on disk: bytes and 64-bit fingerprints, made durable, bounded and checked.
//!
//! | module | file | durable | guarantee |
//! |---|---|---|---|
//! | [`DirectoryLock`] | `lock` | no | one process a directory, released when the process dies |
//! | [`CommitLog`] | `commit-000000.log` | yes | a commit is there whole or not at all, in order |
//! | [`PartWriter`] | `PREFIX-00000.EXT` | yes, when synced | exactly the committed prefix after a crash |
//! | [`NewFile`] | any | yes, when published | a file is there whole or not at all |
//! | [`SeenSet`] | `seen-000000.run` | no | a set within a bound of memory, rebuilt from the log |
//! | [`BlockFile`] | `blocks-000000.dat` | no | blocks of bytes written once and taken once |
//! | [`ChainFile`] | `chains-000000.dat` | no | chains of small records, each taken whole |
//! | [`PieceWriter`] | any | yes, when published | pieces of bytes, each checked |
//!
//! The commit log is the only truth. Seen set, block file and chain file are derived from it: their files
//! are removed when they are made, and are rebuilt by replaying the log. A snapshot spares the replay: what
//! they `save` stays as it is, is synced by [`sync_files`], and is there again after `restore`. The output
//! parts are bytes beside the log, and a commit holds the [`PartPosition`] up to which they count. The
//! order that keeps the promise (a URL is done if and only if its output row is durable) is the
//! caller's, in four steps:
//!
//! 1. append the rows of the pages to the [`PartWriter`];
//! 2. [`PartWriter::sync`], which returns the position that is durable;
//! 3. [`CommitLog::append`] outcomes, admitted outlinks and that position in one payload;
//! 4. only now count those pages as done, and [`PartWriter::publish_ended`] the parts that were ended.
//!
//! After a crash, [`CommitLog::open`] replays every whole commit, and [`PartWriter::open_at`] cuts the
//! parts back to the position in the last of them.
//!
//! What it is not: it knows no URL, no row and no format of a payload. It starts no thread, reads no
//! clock and every call blocks until the file system has answered. Every file operation goes through the
//! module `file`, so that faults can be put in at one place.

mod blocks;
mod chains;
mod error;
pub mod faults;
mod file;
mod lock;
mod log;
mod part;
mod pieces;
mod pins;
mod seen;
mod whole;

pub use blocks::{BlockFile, BlockId, MAX_BLOCK_BYTES};
pub use chains::{ChainFile, MAX_RECORD_BYTES};
pub use error::{Error, ErrorKind};
pub use lock::{DirectoryLock, Holder};
pub use log::{
    CommitLog, DEFAULT_SEGMENT_BYTES, LogPosition, MAX_PAYLOAD_BYTES, Replayed, Visit, replay,
    replay_at, replay_on,
};
pub use part::{PartNames, PartPosition, PartWriter, Repaired};
pub use pieces::{MAX_PIECE_BYTES, PieceWriter, read_pieces};
pub use pins::sync_files;
pub use seen::{MINIMUM_MEMORY_BYTES, SeenSet};
pub use whole::{
    NewFile, io_error, make_dir, remove_file, remove_unfinished, store_error, write_whole,
};
