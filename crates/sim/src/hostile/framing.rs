//! Where a body ends: chunks, lengths, and connections that break off.

use super::behaviour::{Behaviour, Family, OK};
use super::reply::{Asked, End, Reply, framed, head_bytes, html_until_close, raw};

const LOST: &str = "connection lost";
const NOT_WHOLE: &str = "did not come whole";
const NOT_FRAMED: &str = "not framed as HTTP says";
const NOT_HTTP: &str = "not valid HTTP";

pub(super) const FAMILY: Family = Family {
    name: "Framing",
    behaviours: &[
        truncated(
            "/chunk-trunc",
            "chunked body cut inside a chunk, then close",
            chunk_trunc,
        ),
        truncated(
            "/chunk-nolast",
            "chunked without the last chunk, then close",
            chunk_nolast,
        ),
        Behaviour::fault(
            "/chunk-badsize",
            "chunk size is not hex",
            "bad_response",
            NOT_FRAMED,
            |_| chunked("zz\r\nhello\r\n0\r\n\r\n"),
        )
        .status(200),
        Behaviour::fault(
            "/chunk-hugesize",
            "chunk size overflows 64 bits",
            "bad_response",
            NOT_FRAMED,
            |_| chunked("fffffffffffffffffff\r\nhello\r\n0\r\n\r\n"),
        )
        .status(200)
        .note("no room is made for what a size promises"),
        Behaviour::answer(
            "/chunk-ext-trailer",
            "chunk extensions and trailers",
            "fetched",
            200,
            |_| {
                let reply = chunked("5;name=value\r\nhello\r\n0\r\nX-Trailer: yes\r\n\r\n");
                Reply {
                    end: End::KeepAlive,
                    ..reply
                }
            },
        ),
        Behaviour::answer(
            "/chunk-and-cl",
            "both chunked and Content-Length (smuggling)",
            "fetched",
            200,
            chunk_and_cl,
        )
        .note("the chunks count (RFC 9112 section 6.3), and the connection is not used again"),
        truncated(
            "/cl-short",
            "Content-Length larger than the body, then close",
            |_| html_until_close("Content-Length: 1000\r\n\r\n<a href=/evil>x</a>"),
        ),
        Behaviour::answer(
            "/cl-long",
            "Content-Length smaller than what is sent",
            "fetched",
            200,
            cl_long,
        )
        .leads(OK)
        .note("what follows is never read as the next answer"),
        Behaviour::fault(
            "/cl-neg",
            "negative Content-Length",
            "bad_response",
            NOT_HTTP,
            |_| length("-5"),
        ),
        Behaviour::fault(
            "/cl-two",
            "two different lengths",
            "bad_response",
            NOT_HTTP,
            |_| length("5\r\nContent-Length: 6"),
        ),
        Behaviour::fault(
            "/cl-nan",
            "Content-Length: abc",
            "bad_response",
            NOT_HTTP,
            |_| length("abc"),
        ),
        Behaviour::fault(
            "/cl-huge",
            "Content-Length of 10^15, ten bytes, close",
            "too_large",
            "larger than the limit",
            |_| length("1000000000000000"),
        )
        .status(200)
        .note("refused by its length, before any of it is read"),
        Behaviour::answer("/no-cl", "no length, ends at close", "fetched", 200, |_| {
            html_until_close("\r\n<p><a href=/ok>x</a>")
        })
        .leads(OK)
        .note(
            "a close is the only end that such a body has: one that came too early cannot be told",
        ),
        Behaviour::fault(
            "/empty",
            "close without a byte",
            "connection_lost",
            LOST,
            |_| raw(""),
        )
        .requests(3),
        Behaviour::fault(
            "/http09",
            "HTTP/0.9: a body only",
            "bad_response",
            NOT_HTTP,
            |_| raw("<html><a href=/evil>x</a></html>"),
        ),
        Behaviour::fault(
            "/http2preface",
            "an HTTP/2 frame in clear",
            "bad_response",
            NOT_HTTP,
            |_| raw(&b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"[..]),
        ),
        Behaviour::fault(
            "/garbage",
            "4 KiB of binary",
            "bad_response",
            NOT_HTTP,
            garbage,
        ),
        truncated("/rst", "reset after the headers", rst),
        Behaviour::answer(
            "/ka-race",
            "keep-alive, closed right after the answer",
            "fetched",
            200,
            ka_race,
        )
        .leads(OK)
        .note("the next request is sent once more on a new connection"),
    ],
};

type ReplyOf = fn(&Asked<'_>) -> Reply;

/// A body that stops halfway, and is therefore asked for again.
const fn truncated(path: &'static str, what: &'static str, reply: ReplyOf) -> Behaviour {
    Behaviour::fault(path, what, "truncated", NOT_WHOLE, reply)
        .status(200)
        .requests(3)
        .note("links of the part are not followed")
}

fn chunked(body: &str) -> Reply {
    html_until_close(format!("Transfer-Encoding: chunked\r\n\r\n{body}"))
}

fn chunk_trunc(_: &Asked<'_>) -> Reply {
    chunked("40\r\n<a href=/evil>x</a>")
}

fn chunk_nolast(_: &Asked<'_>) -> Reply {
    chunked("13\r\n<a href=/evil>x</a>\r\n")
}

fn chunk_and_cl(_: &Asked<'_>) -> Reply {
    let poison = "HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n<a href=/evil>x</a>";
    let framing = "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let reply = html_until_close(format!("{framing}{poison}"));
    Reply {
        end: End::KeepAlive,
        ..reply
    }
}

fn length(value: &str) -> Reply {
    html_until_close(format!("Content-Length: {value}\r\n\r\n0123456789"))
}

fn cl_long(_: &Asked<'_>) -> Reply {
    let body = "<a href=/ok>x</a>";
    let poison = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 19\r\n\r\n\
                  <a href=/evil>x</a>";
    let reply = html_until_close(format!(
        "Content-Length: {}\r\n\r\n{body}{poison}",
        body.len()
    ));
    Reply {
        end: End::KeepAlive,
        ..reply
    }
}

fn garbage(_: &Asked<'_>) -> Reply {
    let mut state: u32 = 0x9e37_79b9;
    let bytes: Vec<u8> = (0..4096)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect();
    raw(bytes)
}

fn rst(_: &Asked<'_>) -> Reply {
    let mut bytes = head_bytes("200 OK\nContent-Type: text/html");
    bytes.extend_from_slice(b"Content-Length: 1000\r\n\r\n");
    Reply {
        end: End::Reset,
        ..raw(bytes)
    }
}

fn ka_race(_: &Asked<'_>) -> Reply {
    framed(
        "200 OK\nContent-Type: text/html\nConnection: keep-alive",
        "<a href=/ok>x</a>",
    )
    .closing()
}
