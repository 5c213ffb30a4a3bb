//! A web crawler that says what limits it: the library.
//!
//! The way of the data: seed, frontier, fetch, parse, sink. [`Crawl`] is all of it; the life of
//! one URL is `visit.rs`, the loop is `shard.rs`, and what is durable when is `committer.rs`.

mod analysis;
mod analyst;
mod answer_headers;
mod archive;
mod asking_again;
mod checkpoint;
mod classify;
mod clock;
mod committed_rows;
mod committer;
mod control;
mod counts;
mod crawl;
mod directory;
mod distribution;
mod duplicates;
mod error;
mod export;
mod follow;
mod ground;
mod handler;
mod journal;
mod json_line;
mod known_links;
mod launch;
mod ledger;
mod live;
mod mending;
mod opening;
pub mod options;
mod outputs;
mod pace;
mod products;
mod progress;
mod publish;
mod publisher;
mod pulse;
mod repairs;
mod report;
mod robots_visit;
mod row;
mod row_parts;
mod seeds;
mod setup;
mod shard;
#[cfg(test)]
mod simulation;
pub mod single;
mod sinks;
mod sockets;
mod state;
mod status;
mod stored;
mod summary;
mod tally;
mod visit;
mod visit_row;
mod why;

pub use clock::{Clock, rfc3339};
pub use committed_rows::{CommittedRows, RowPlace};
pub use control::Control;
pub use counts::{Counts, HostLine, HostRankings};
pub use crawl::{Crawl, LiveLedger};
pub use directory::CrawlDirectory;
pub use distribution::Step;
pub use error::{Error, ErrorKind};
pub use export::{Export, ExportFormat};
pub use handler::{Handler, HandlerError, Page};
pub use journal::StopReason;
pub use ledger::{
    Advice, Bound, Busy, Concurrency, Explanation, InState, LedgerFile, LimitShare, Line, Problem,
    Quantiles, RunLedger, StateQuantiles, VisitExample, verdict_words,
};
pub use live::LiveCrawl;
pub use mending::mend;
pub use nephila_frontier::{CanonicalPolicy, CanonicalUrl, Moment, Outcome, UrlKind};
pub use nephila_ledger::{
    Change, Decision, Limit, Model, Prediction, Reason, Series, Spent, State, Stretch, Verdict,
    Window,
};
pub use nephila_parse::{Document, Outlink};
pub use nephila_store::faults::{kill_at, slow_disk};
pub use options::{CrawlConfig, Settings};
pub use outputs::{ConvertError, Destination, RowForm, convert_rows};
pub use progress::{Progress, Snapshot};
pub use repairs::Repairs;
pub use report::figures;
pub use report::{BrokenPage, DuplicateGroup, Findings, Report};
pub use row::{ROW_FIELDS, ROW_VERSION, Row, RowField, rows_page};
pub use setup::raise_file_limit;
pub use status::{HostStatus, QueueStatus, RunState, Status};
pub use stored::StoredCrawl;
pub use summary::{HostSummary, Summary};
pub use tally::{HostTally, Tally};
pub use why::{DoneVisit, HostFacts, LinkTo, RobotsFacts, Standing, VisitFacts, Why};
