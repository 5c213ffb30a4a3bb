//! A seeded web to test crawlers against, in process and on loopback.
//!
//! Page, host, latency and outcome follow from the URL and the seed alone: there is no table of
//! pages, so a web of two thousand million pages costs no more memory than a small one (8 bytes a
//! host). Thousands of virtual hosts live on one port, told apart by the Host header. Afterwards the
//! server tells what was asked, when, and by how many connections at once; the web tells what a right
//! crawler finds, and [`judge()`] compares the two.
//!
//! ```
//! use nephila_sim::{ServeOptions, Server, TruthScope, Web};
//!
//! let server = Server::start_in_thread(Web::plain(7, 10, 200), ServeOptions::default())?;
//! let seeds = server.web().seeds(); // http://h0.sim.test:PORT/
//! // ... crawl from the seeds, with every host name resolved to server.addr() ...
//! assert_eq!(server.web().truth(TruthScope::Any).pages.len(), 200);
//! assert!(server.log().entries.is_empty());
//! # assert_eq!(seeds.len(), 1);
//! # Ok::<(), nephila_sim::Error>(())
//! ```
//!
//! [`HostileServer`] is the web's other side: every path misbehaves in a way of its own.

mod address;
mod charset;
mod clock;
mod conditions;
mod connection;
mod control;
mod draw;
mod error;
mod exchange;
mod hostile;
mod href;
mod http1;
mod http2;
mod in_process;
mod judge;
mod limit;
mod link;
mod log;
mod mix;
mod page;
mod plan;
mod prepared;
mod recorder;
mod reply;
mod robots;
mod server;
mod tls;
mod trap;
mod truth;
mod web;

pub use conditions::Conditions;
pub use error::{Error, ErrorKind};
pub use hostile::{
    Behaviour, Ended, FAMILIES, Family, HostileEntry, HostileOptions, HostileServer, TLS_FAULTS,
    TlsFault, behaviours, hostile_page,
};
pub use in_process::{Answer, Answers, End};
pub use judge::{Judgement, Rules, judge};
pub use limit::raise_file_limit;
pub use log::{Log, LogEntry, LogMode};
pub use mix::{CharsetMix, Outcomes, RobotsMix, Spread};
pub use plan::PageKind;
pub use recorder::Stats;
pub use server::{ServeOptions, Server};
pub use trap::{REAL_PAGES, TrapCount, TrapServer, TrapSite};
pub use truth::{Truth, TruthPage, TruthScope};
pub use web::{MAX_HOSTS, MAX_PAGES, Web};
