//! More than a limit allows.

use std::time::Duration;

use bytes::Bytes;

use super::behaviour::{Behaviour, Family};
use super::reply::{Asked, End, Reply, Step, head_bytes, html};

/// Links of the page that has too many.
const LINKS: u32 = 200_000;
/// How long a body without end is sent at most.
const ENDLESS: Duration = Duration::from_secs(120);

pub(super) const FAMILY: Family = Family {
    name: "Limits",
    behaviours: &[
        Behaviour::answer(
            "/html-links",
            "200,000 links on one page",
            "fetched",
            200,
            links,
        )
        .endless()
        .note("the first 100,000 are read (--max-links); the row says links_cut"),
        Behaviour::fault(
            "/endless",
            "chunks without end",
            "too_large",
            "larger than the limit",
            endless,
        )
        .status(200)
        .note("cut off at --max-wire-size"),
    ],
};

fn links(_: &Asked<'_>) -> Reply {
    use std::fmt::Write as _;
    let mut page = String::with_capacity(8 << 20);
    for number in 0..LINKS {
        // Writing to memory cannot fail.
        let _ = writeln!(page, "<a href=/html-links/{number}>{number}</a>");
    }
    html(page)
}

fn endless(asked: &Asked<'_>) -> Reply {
    let mut head = head_bytes("200 OK\nContent-Type: text/html");
    head.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
    const CHUNK_BYTES: usize = 16 * 1024;
    let piece = format!("{CHUNK_BYTES:x}\r\n{}\r\n", "a".repeat(CHUNK_BYTES));
    Reply {
        steps: vec![
            Step::Send(head.into()),
            Step::Repeat {
                piece: Bytes::from(piece),
                most_bytes: asked.options.endless_bytes,
                most: ENDLESS,
            },
        ],
        end: End::Close,
    }
}
