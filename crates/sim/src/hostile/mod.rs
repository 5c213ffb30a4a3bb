//! A server that misbehaves, one way a path, to hold a crawler against.
//!
//! What it does is data: [`FAMILIES`] lists every behaviour with its path, what it is, and what a
//! crawl by Nephila makes of it. The server speaks raw TCP, so that it can send what no library would,
//! and notes every request with how its answer ended. [`TLS_FAULTS`] are handshakes that fail, each on
//! a port of its own.

mod behaviour;
mod charsets;
mod connection;
mod description;
mod encodings;
mod framing;
mod headers;
mod html;
mod journal;
mod limits;
mod pages;
mod redirects;
mod reply;
mod server;
mod slow;
mod statuses;
mod tls_faults;
mod traps;

pub use behaviour::{Behaviour, FAMILIES, Family, behaviours};
pub use description::hostile_page;
pub use journal::{Ended, HostileEntry};
pub use server::{HostileOptions, HostileServer};
pub use tls_faults::{TLS_FAULTS, TlsFault};
