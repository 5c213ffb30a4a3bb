//! What the committer writes to: the log, the rows, the archive, and the publisher behind them.

use std::sync::Arc;

use nephila_frontier::Moment;
use nephila_store::{CommitLog, LogPosition, PartPosition, PartWriter};

use crate::archive::ArchiveWriter;
use crate::error::Error;
use crate::journal::{Entry, PartCounts};
use crate::options::CrawlConfig;
use crate::publish::Outputs;
use crate::publisher::Publisher;
use crate::repairs::Repairs;
use crate::state::History;
use crate::tally::Tally;
use crate::visit::Record;

/// The sinks of a crawl, open for writing.
///
/// Order, which keeps the promise: [`Sinks::take`] pages, [`Sinks::commit`] them, and only then do
/// they count. A crash before the log has the commit takes all of it back at the next
/// [`Sinks::open`].
#[derive(Debug)]
pub(crate) struct Sinks {
    log: CommitLog,
    rows: PartWriter,
    archive: Option<ArchiveWriter>,
    outputs: Arc<Outputs>,
    /// None until the run begins.
    publisher: Option<Publisher>,
    /// What the log tells up to the last commit, but for the set of URLs that are done.
    pub(crate) history: History,
}

impl Sinks {
    /// Opens the sinks of a crawl at its last commit, and tells what had to be repaired. Of a new
    /// crawl the history is empty.
    pub(crate) fn open(
        log: CommitLog,
        outputs: Arc<Outputs>,
        config: &CrawlConfig,
        history: &History,
    ) -> Result<(Sinks, Repairs), Error> {
        let mut repairs = Repairs {
            unfinished_files: outputs.remove_unfinished()?,
            ..Repairs::default()
        };
        let published = history.published;
        let (rows, of_rows) = PartWriter::open_at(
            outputs.row_names().clone(),
            config.part_size.0,
            history.rows,
            published.rows,
        )?;
        repairs.add(of_rows);
        let archive = match outputs.archive_names() {
            None => None,
            Some(names) => {
                let at = (history.archive, published.archive);
                let (archive, of_archive) = ArchiveWriter::open(names, config, at, history)?;
                repairs.add(of_archive);
                Some(archive)
            }
        };
        outputs.clear_published(published)?;
        let sinks = Sinks {
            log,
            rows,
            archive,
            outputs,
            publisher: None,
            history: history.without_done(),
        };
        Ok((sinks, repairs))
    }

    /// Notes that a run begins, before its first fetch: one that dies before its first commit has
    /// then not stopped in good order. Starts publishing: beside, on a thread, or at once; what an
    /// earlier run left is done first.
    pub(crate) fn begin_run(&mut self, is_beside: bool, now: Moment) -> Result<(), Error> {
        let mut payload = Vec::new();
        Entry::Run(now).encode(&mut payload);
        self.log.append(&payload)?;
        self.history.stopped = None;
        let (outputs, published) = (self.outputs.clone(), self.history.published);
        self.publisher = Some(match is_beside && outputs.has_work() {
            true => Publisher::start(outputs, published)?,
            false => Publisher::at_once(outputs, published),
        });
        Ok(())
    }

    /// Where the log begins and where it ends.
    pub(crate) fn log_span(&self) -> (LogPosition, LogPosition) {
        (self.log.beginning(), self.log.position())
    }

    /// Bytes that the log has behind a position, about.
    pub(crate) fn log_bytes_since(&self, from: LogPosition) -> u64 {
        self.log.bytes_since(from)
    }

    /// Takes the row and the exchange of a URL that is done.
    pub(crate) fn take(&mut self, record: &mut Record, now: Moment) -> Result<(), Error> {
        self.rows.append(&record.row, 1)?;
        if let (Some(archive), Some(exchange)) = (&mut self.archive, record.exchange.take()) {
            archive.append(*exchange, now)?;
        }
        Ok(())
    }

    /// Makes all that was taken durable, and then `payload` with the positions behind it in one
    /// commit. The payload is left as it was committed.
    pub(crate) fn commit(&mut self, payload: &mut Vec<u8>) -> Result<(), Error> {
        // The parts that this commit may note are those of the last one: they are ended for good.
        self.note_published(payload)?;
        let rows = self.rows.sync()?;
        if let Some(archive) = &mut self.archive {
            self.history.archive = archive.sync()?;
            Entry::Archive(self.history.archive).encode(payload);
        }
        Entry::Rows(rows).encode(payload);
        self.log.append(payload)?;
        self.history.rows = rows;
        self.history.commits += 1;
        self.rows.publish_ended()?;
        if let Some(archive) = &mut self.archive {
            archive.publish_ended()?;
        }
        Ok(())
    }

    /// Ends the parts after the last commit, publishes everything, and notes it.
    pub(crate) fn end(self) -> Result<Ended, Error> {
        let Sinks {
            mut log,
            rows,
            archive,
            outputs,
            publisher,
            history,
        } = self;
        let published = history.published;
        let position = rows.position();
        let archive_position = archive.as_ref().map(ArchiveWriter::position);
        let named_before = rows.published() + archive.as_ref().map_or(0, ArchiveWriter::published);
        let ended = PartCounts {
            rows: rows.end()?,
            archive: archive.map_or(Ok(0), ArchiveWriter::end)?,
        };
        let publisher = match publisher {
            Some(publisher) => publisher,
            None => Publisher::at_once(outputs.clone(), published),
        };
        let now_published = publisher.finish(ended)?;
        if now_published != published {
            let mut payload = Vec::new();
            Entry::Published(now_published).encode(&mut payload);
            if let Some(position) = archive_position {
                Entry::Archive(position).encode(&mut payload);
            }
            Entry::Rows(position).encode(&mut payload);
            log.append(&payload)?;
        }
        outputs.clear_published(now_published)?;
        Ok(Ended {
            tally: history.tally,
            rows: position,
            parts: ended,
            named: ended.rows + ended.archive - named_before,
        })
    }

    /// Gives up; returns what the publisher has failed of, if it has.
    pub(crate) fn abandon(&mut self) -> Option<Error> {
        let publisher = self.publisher.take()?;
        publisher.finish(self.history.published).err()
    }

    fn note_published(&mut self, payload: &mut Vec<u8>) -> Result<(), Error> {
        let Some(publisher) = &mut self.publisher else {
            return Ok(());
        };
        let ended = PartCounts {
            rows: self.rows.published(),
            archive: self.archive.as_ref().map_or(0, ArchiveWriter::published),
        };
        let published = publisher.note_ended(ended)?;
        if published != self.history.published {
            Entry::Published(published).encode(payload);
            // What the last commit noted may go now.
            self.outputs.clear_published(self.history.published)?;
            self.history.published = published;
        }
        Ok(())
    }
}

/// What there is when the sinks have ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) tally: Tally,
    /// The position behind the last row.
    pub(crate) rows: PartPosition,
    /// All parts there are.
    pub(crate) parts: PartCounts,
    /// Those that got their names at the end.
    pub(crate) named: u32,
}
