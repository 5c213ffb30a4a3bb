//! A crawl as a page that updates itself, with what pauses, stops and changes it, and its figures for
//! Prometheus.
//!
//! [`Server::start`] listens on a thread of its own; nothing of the crawl waits for it. What it shows is read
//! from a crawl that this process runs, or from the directory of any other. Who may ask is in `guard.rs`, what
//! is answered in `routes.rs`, what is shown in `view.rs`, and the page itself is `assets/live.js`.

mod guard;
mod metrics;
mod page;
mod routes;
mod server;
mod state;
mod stored;
mod view;

pub use server::{Bound, ServeError, ServeOptions, Server, Watched};
