//! Outcomes: the closed list of everything that can happen to a URL.

/// What happened to a URL. Failure is data here, not an error: an error means that the crawl
/// itself cannot go on. The names are stable; new ones may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Outcome {
    /// Answered with 2xx, and the body came whole.
    Fetched = 0,
    /// Answered with 304.
    NotModified = 1,
    /// Answered with 3xx and a target; the target went through admission.
    Redirected = 2,
    /// Answered with another status (4xx, 5xx, 1xx, 3xx without a target).
    HttpError = 3,
    /// A rule of the host's robots.txt forbids it; it was not asked for.
    RobotsDenied = 4,
    /// The host's robots.txt answered with 5xx or not at all, which forbids everything
    /// (RFC 9309 2.3.1.4); it was not asked for.
    RobotsUnavailable = 5,
    /// A seed that the scope refuses; it was not asked for.
    OutOfScope = 6,
    /// The host's name does not resolve.
    DnsFailed = 7,
    /// No connection could be made.
    ConnectFailed = 8,
    /// The TLS handshake failed, or the certificate does not verify.
    TlsFailed = 9,
    /// A time limit ran out.
    TimedOut = 10,
    /// The connection broke before the answer's headers were whole.
    ConnectionLost = 11,
    /// The body did not come whole.
    Truncated = 12,
    /// Headers or body are over their limit.
    TooLarge = 13,
    /// The answer is not HTTP.
    BadResponse = 14,
    /// The body's content coding is broken or unknown.
    BadEncoding = 15,
    /// The content type is not wanted; the body was not read.
    WrongType = 16,
    /// The host's address is private, loopback or otherwise not public.
    BlockedAddress = 17,
    /// More redirects in a row than allowed.
    TooManyRedirects = 18,
    /// The host failed too often in a row; it was not asked for.
    GaveUp = 19,
    /// A rule against traps refuses it since it was queued; it was not asked for.
    Trapped = 20,
    /// Fetched, and the user's handler failed on it.
    HandlerError = 21,
}

impl Outcome {
    /// Every outcome, in the order of their codes.
    pub const ALL: [Outcome; 22] = [
        Outcome::Fetched,
        Outcome::NotModified,
        Outcome::Redirected,
        Outcome::HttpError,
        Outcome::RobotsDenied,
        Outcome::RobotsUnavailable,
        Outcome::OutOfScope,
        Outcome::DnsFailed,
        Outcome::ConnectFailed,
        Outcome::TlsFailed,
        Outcome::TimedOut,
        Outcome::ConnectionLost,
        Outcome::Truncated,
        Outcome::TooLarge,
        Outcome::BadResponse,
        Outcome::BadEncoding,
        Outcome::WrongType,
        Outcome::BlockedAddress,
        Outcome::TooManyRedirects,
        Outcome::GaveUp,
        Outcome::Trapped,
        Outcome::HandlerError,
    ];

    /// The stable name, as it stands in rows.
    pub fn as_str(self) -> &'static str {
        self.described().0
    }

    /// What it means, in one sentence, for the reference page.
    pub fn meaning(self) -> &'static str {
        self.described().1
    }

    /// The outcome with this code, as stored in the commit log.
    pub fn from_code(code: u8) -> Option<Outcome> {
        Outcome::ALL.get(code as usize).copied()
    }

    /// The outcome with this stable name.
    pub fn from_name(name: &str) -> Option<Outcome> {
        Outcome::ALL
            .into_iter()
            .find(|outcome| outcome.as_str() == name)
    }

    /// Whether the URL was answered by a server, whatever it said.
    pub fn is_answer(self) -> bool {
        matches!(
            self,
            Outcome::Fetched
                | Outcome::NotModified
                | Outcome::Redirected
                | Outcome::HttpError
                | Outcome::WrongType
                | Outcome::TooManyRedirects
                | Outcome::HandlerError
        )
    }

    fn described(self) -> (&'static str, &'static str) {
        match self {
            Outcome::Fetched => ("fetched", "answered with 2xx; the body came whole"),
            Outcome::NotModified => ("not_modified", "answered with 304"),
            Outcome::Redirected => (
                "redirected",
                "answered with 3xx and a target, which went through admission",
            ),
            Outcome::HttpError => ("http_error", "answered with another status"),
            Outcome::RobotsDenied => (
                "robots_denied",
                "a rule of robots.txt forbids it; not asked for",
            ),
            Outcome::RobotsUnavailable => (
                "robots_unavailable",
                "robots.txt answered 5xx or not at all, which forbids everything; not asked for",
            ),
            Outcome::OutOfScope => (
                "out_of_scope",
                "a seed that the scope refuses; not asked for",
            ),
            Outcome::DnsFailed => ("dns_failed", "the host's name does not resolve"),
            Outcome::ConnectFailed => ("connect_failed", "no connection could be made"),
            Outcome::TlsFailed => (
                "tls_failed",
                "the TLS handshake failed or the certificate does not verify",
            ),
            Outcome::TimedOut => (
                "timed_out",
                "a time limit ran out; the error text says which",
            ),
            Outcome::ConnectionLost => (
                "connection_lost",
                "the connection broke before the headers were whole",
            ),
            Outcome::Truncated => ("truncated", "the body did not come whole"),
            Outcome::TooLarge => ("too_large", "headers or body are over their limit"),
            Outcome::BadResponse => ("bad_response", "the answer is not HTTP"),
            Outcome::BadEncoding => ("bad_encoding", "the content coding is broken or unknown"),
            Outcome::WrongType => (
                "wrong_type",
                "the content type is not wanted; the body was not read",
            ),
            Outcome::BlockedAddress => (
                "blocked_address",
                "the address is private, loopback or otherwise not public; not connected to",
            ),
            Outcome::TooManyRedirects => {
                ("too_many_redirects", "more redirects in a row than allowed")
            }
            Outcome::GaveUp => (
                "gave_up",
                "the host failed too often in a row; not asked for",
            ),
            Outcome::Trapped => (
                "trapped",
                "since it was queued, URLs like it said nothing new (`--max-shape-repeats`); not asked for",
            ),
            Outcome::HandlerError => (
                "handler_error",
                "fetched, and the program's handler failed on it; the error text says how",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_read_back() {
        for (code, outcome) in Outcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome as usize, code);
            assert_eq!(Outcome::from_code(code as u8), Some(outcome));
            assert_eq!(Outcome::from_name(outcome.as_str()), Some(outcome));
        }
        assert_eq!(Outcome::from_code(Outcome::ALL.len() as u8), None);
    }
}
