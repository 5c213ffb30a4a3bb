//! What failed inside an exchange, before URL, times and head are added to make a
//! [`crate::FetchError`] of it; and how the libraries' errors become plain words.

use std::error::Error as StdError;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::error::{FetchErrorKind, Stage};

/// The longest message, in bytes: part of it may come from the server.
const MESSAGE_BYTES_MAX: usize = 400;

/// Kind, words and cause of what failed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: FetchErrorKind,
    pub(crate) message: String,
    pub(crate) transient: bool,
    pub(crate) source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Failure {
    pub(crate) fn new(kind: FetchErrorKind, message: &str) -> Failure {
        Failure {
            kind,
            message: printable(message),
            transient: is_transient(kind),
            source: None,
        }
    }

    pub(crate) fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Failure {
        self.source = Some(source.into());
        self
    }

    pub(crate) fn lasting(mut self) -> Failure {
        self.transient = false;
        self
    }

    pub(crate) fn timed_out(stage: Stage, limit: Duration) -> Failure {
        let message = format!("timed out after {limit:?} while {}", stage.words());
        Failure::new(FetchErrorKind::TimedOut(stage), &message)
    }

    pub(crate) fn blocked(address: IpAddr) -> Failure {
        let message = format!("address {address} is not public; such addresses are not fetched");
        Failure::new(FetchErrorKind::BlockedAddress(address), &message)
    }

    /// This machine has no socket to spare, which says nothing of the site; none where `error` is
    /// something else.
    pub(crate) fn no_socket(error: &io::Error) -> Option<Failure> {
        let message = format!("no socket to spare on this machine: {error}");
        is_scarce(error).then(|| Failure::new(FetchErrorKind::AddressBusy, &message))
    }

    pub(crate) fn connect(error: io::Error, address: SocketAddr) -> Failure {
        if let Some(failure) = Failure::no_socket(&error) {
            return failure.because(error);
        }
        let message = match error.kind() {
            io::ErrorKind::ConnectionRefused => format!("connection refused by {address}"),
            io::ErrorKind::ConnectionReset => format!("connection reset by {address}"),
            io::ErrorKind::NetworkUnreachable => format!("no route to the network of {address}"),
            io::ErrorKind::HostUnreachable => format!("no route to {address}"),
            _ => format!("cannot connect to {address}: {error}"),
        };
        Failure::new(FetchErrorKind::ConnectFailed, &message).because(error)
    }

    /// A hyper error before the headers of the response were whole.
    pub(crate) fn before_headers(error: hyper::Error) -> Failure {
        let h2 = find_source::<h2::Error>(&error);
        let (kind, message) = if error.is_parse_too_large() {
            (
                FetchErrorKind::HeadersTooLarge,
                "response headers are larger than the limit".into(),
            )
        } else if error.is_parse() || h2.is_some_and(|h2| h2.is_library() && !h2.is_io()) {
            (
                FetchErrorKind::BadResponse,
                format!("response is not valid HTTP: {}", chain(&error)),
            )
        } else {
            let message = format!("connection lost before the response: {}", chain(&error));
            (FetchErrorKind::ConnectionLost, message)
        };
        Failure::new(kind, &message).because(error)
    }

    /// A hyper error while the body was read.
    pub(crate) fn in_body(error: hyper::Error) -> Failure {
        // A body that cannot be parsed is not one that ended early: asking again will not help.
        let malformed = find_source::<io::Error>(&error).is_some_and(|io| {
            matches!(
                io.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData
            )
        });
        let (kind, words) = if malformed || error.is_parse() {
            (
                FetchErrorKind::BadResponse,
                "body is not framed as HTTP says",
            )
        } else {
            (FetchErrorKind::Truncated, "body did not come whole")
        };
        Failure::new(kind, &format!("{words}: {}", chain(&error))).because(error)
    }
}

/// Whether the kernel refused a socket because it, or this process, has too many.
fn is_scarce(error: &io::Error) -> bool {
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    const ENOBUFS: i32 = 105;
    error.kind() == io::ErrorKind::OutOfMemory
        || matches!(error.raw_os_error(), Some(ENFILE | EMFILE | ENOBUFS))
}

fn is_transient(kind: FetchErrorKind) -> bool {
    match kind {
        FetchErrorKind::DnsFailed
        | FetchErrorKind::ConnectFailed
        | FetchErrorKind::TlsFailed
        | FetchErrorKind::TimedOut(_)
        | FetchErrorKind::ConnectionLost
        | FetchErrorKind::Truncated
        | FetchErrorKind::AddressBusy
        | FetchErrorKind::ProxyFailed => true,
        FetchErrorKind::BadResponse
        | FetchErrorKind::HeadersTooLarge
        | FetchErrorKind::BodyTooLarge
        | FetchErrorKind::BlockedAddress(_)
        | FetchErrorKind::UnsupportedScheme
        | FetchErrorKind::BadRequest => false,
    }
}

/// The first cause of type `E`, if there is one.
pub(crate) fn find_source<'a, E: StdError + 'static>(
    error: &'a (dyn StdError + 'static),
) -> Option<&'a E> {
    let mut cause = error.source();
    while let Some(current) = cause {
        if let Some(found) = current.downcast_ref() {
            return Some(found);
        }
        cause = current.source();
    }
    None
}

/// An error and its causes in one line, without saying anything twice.
fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(current) = cause {
        let words = current.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = current.source();
    }
    text
}

/// `text` without control characters and not longer than [`MESSAGE_BYTES_MAX`].
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(MESSAGE_BYTES_MAX));
    for character in text.chars() {
        if out.len() >= MESSAGE_BYTES_MAX {
            out.push('…');
            break;
        }
        if character.is_control() {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_no_control_characters_and_a_bound() {
        assert_eq!(printable("a\u{1b}[31mb\n"), "a\\u{1b}[31mb\\n");
        assert!(printable(&"x".repeat(10_000)).len() < MESSAGE_BYTES_MAX + 10);
    }

    #[test]
    fn a_socket_that_cannot_be_had_is_no_fault_of_the_site() {
        let address = SocketAddr::from(([127, 0, 0, 1], 80));
        for number in [23, 24, 105, 12] {
            let failure = Failure::connect(io::Error::from_raw_os_error(number), address);
            assert_eq!(failure.kind, FetchErrorKind::AddressBusy, "{number}");
        }
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let failure = Failure::connect(refused, address);
        assert_eq!(failure.kind, FetchErrorKind::ConnectFailed);
    }

    #[test]
    fn a_chain_says_nothing_twice() {
        let inner = io::Error::other("broken pipe");
        let outer = io::Error::other(inner);
        assert_eq!(chain(&outer), "broken pipe");
    }
}
