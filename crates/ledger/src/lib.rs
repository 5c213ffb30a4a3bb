//! The ledger: stage times in, verdict and what-if out.
//!
//! Pure: no clock, no files, no threads. Whoever crawls notes in a [`Window`] how long visits were in each
//! [`State`] and how busy each resource was; from that follow, by operational analysis, the [`Verdict`] (what
//! limits the crawl now), the [`Model`]'s predictions of what a [`Change`] would bring, and the crossover: the
//! fetches in flight at which the processors become the limit.

mod controller;
mod link;
mod model;
mod network;
mod series;
mod state;
mod verdict;
mod window;

pub use controller::{Controller, Decision, Reason};
pub use link::LinkSamples;
pub use model::{Change, Model, Prediction};
pub use network::{Network, Station};
pub use series::{Series, Stretch};
pub use state::{State, VisitClock, VisitTimes};
pub use verdict::{Limit, Verdict};
pub use window::{Spent, Window};
