//! One HTTP exchange under limits of time and size: [`Request`] in, [`Response`] or [`FetchError`]
//! out.
//!
//! A [`Fetcher`] belongs to one thread and runs inside a tokio `LocalSet` on the current-thread
//! runtime; what the threads have in common (names looked up, sessions of TLS, cookies, the count of
//! exchanges with each address) is in [`Shared`]. Redirects are reported, never followed. The crate
//! asks nobody for the time of day: a [`Clock`] is handed in, and limits of time are tokio's timers.
//!
//! Every address is held against the rules of [`is_public`] after the name was resolved, and the
//! connection goes to the very address that was checked: an answer that changes afterwards ("DNS
//! rebinding") changes nothing.

mod address;
mod auth;
mod authority;
mod body_room;
mod collected;
mod config;
mod connect;
mod connection;
mod cookies;
mod deadline;
mod decode;
mod dns;
mod error;
mod failure;
mod fetch;
mod head_checks;
mod heads;
mod limits;
mod pool;
mod progress;
mod proxy;
mod raw;
mod request;
mod resolve;
mod response;
mod retry_after;
mod shared;
mod stream;
mod target;
mod tls;
mod traffic;
mod verify;

pub use address::is_public;
pub use auth::BasicAuth;
pub use config::FetchConfig;
pub use decode::{DecodeError, DecodeErrorKind, decode_body};
pub use error::{Error, ErrorKind, FetchError, FetchErrorKind, Stage};
pub use fetch::{Fetch, Fetcher};
pub use proxy::{NoProxy, ProxyConfig, ProxyServer};
pub use raw::RawExchange;
pub use request::{BodyFilter, Request};
pub use resolve::ResolveRule;
pub use response::{Response, ResponseHead, Times};
pub use retry_after::retry_after;
pub use shared::{Clock, Shared};
pub use traffic::Traffic;
