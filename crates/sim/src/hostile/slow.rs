//! Servers that take their time.

use bytes::Bytes;

use super::behaviour::{Behaviour, Family};
use super::reply::{Asked, End, Reply, Step, head_bytes};

/// Header bytes that drip, and body bytes.
const HEAD_DRIPS: u32 = 60;
const BODY_DRIPS: u32 = 120;

pub(super) const FAMILY: Family = Family {
    name: "Slow",
    behaviours: &[
        slow(
            "/slow-hdr",
            "header bytes one a second for 60 s",
            "while waiting for the response",
            head,
        )
        .note("--first-byte-timeout runs to the end of the headers"),
        slow(
            "/slow-body",
            "body bytes one a second for 120 s",
            "limit for the whole exchange",
            body,
        )
        .status(200)
        .note("--idle-timeout is never reached; --total-timeout is"),
        slow(
            "/hang",
            "accepts and never answers (120 s)",
            "while waiting for the response",
            |asked| Reply {
                steps: vec![Step::Wait(asked.options.hang)],
                end: End::Close,
            },
        )
        .note("--first-byte-timeout"),
    ],
};

const fn slow(
    path: &'static str,
    what: &'static str,
    says: &'static str,
    reply: fn(&Asked<'_>) -> Reply,
) -> Behaviour {
    Behaviour::fault(path, what, "timed_out", says, reply).requests(3)
}

fn head(asked: &Asked<'_>) -> Reply {
    let every = asked.options.drip;
    Reply {
        steps: vec![
            Step::Send(head_bytes("200 OK").into()),
            Step::Drip {
                bytes: Bytes::from_static(b"X-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"),
                every,
                most: every * HEAD_DRIPS,
            },
        ],
        end: End::Close,
    }
}

fn body(asked: &Asked<'_>) -> Reply {
    let every = asked.options.drip;
    let mut head = head_bytes("200 OK\nContent-Type: text/html");
    head.extend_from_slice(b"Content-Length: 1000000\r\n\r\n<a href=/evil>x</a>");
    Reply {
        steps: vec![
            Step::Send(head.into()),
            Step::Drip {
                bytes: Bytes::from_static(b"a"),
                every,
                most: every * BODY_DRIPS,
            },
        ],
        end: End::Close,
    }
}
