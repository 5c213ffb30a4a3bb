//! Header lines that are wrong, strange, too many or too long.

use super::behaviour::{Behaviour, Family, OK};
use super::reply::{Asked, Reply, html_until_close, raw};

const NOT_HTTP: &str = "not valid HTTP";
const LINK: &str = "Content-Length: 17\r\n\r\n<a href=/ok>x</a>";

pub(super) const FAMILY: Family = Family {
    name: "Headers",
    behaviours: &[
        Behaviour::answer("/lf-only", "bare LF as the end of lines", "fetched", 200, |_| {
            raw("HTTP/1.1 200 OK\nContent-Type: text/html\nContent-Length: 17\n\n<a href=/ok>x</a>")
        })
        .leads(OK)
        .note("RFC 9112 section 2.2 lets a reader take it"),
        Behaviour::fault("/hdr-nul", "NUL in a header", "bad_response", NOT_HTTP, |_| with("X-Nul: a\0b\r\n")),
        Behaviour::fault("/hdr-nocolon", "header line without a colon", "bad_response", NOT_HTTP, |_| {
            with("this is no header\r\n")
        }),
        Behaviour::answer("/hdr-fold", "header folded over two lines", "fetched", 200, |_| {
            with("X-Folded: one\r\n two\r\n")
        })
        .leads(OK)
        .note("RFC 9112 section 5.2: a fold in an answer is read as a space"),
        Behaviour::answer("/hdr-latin1", "Location with raw latin-1 bytes", "redirected", 302, |_| {
            raw(&b"HTTP/1.1 302 Found\r\nLocation: /ok?q=\xe9\r\nContent-Length: 0\r\n\r\n"[..])
        })
        .leads(&["/ok?q=%E9", "/ok2"])
        .note("bytes that are no UTF-8 go back as they came, percent-encoded"),
        Behaviour::fault("/hdr-many", "20,000 headers", "too_large", "headers are larger", |_| {
            with(&"X-A: b\r\n".repeat(20_000))
        }),
        Behaviour::fault("/hdr-big", "one header of 4 MiB", "too_large", "headers are larger", |_| {
            with(&format!("X-Big: {}\r\n", "a".repeat(4 << 20)))
        }),
        Behaviour::answer("/refresh-hdr", "Refresh header", "fetched", 200, |_| {
            html_until_close("Refresh: 0; url=/evil\r\nContent-Length: 2\r\n\r\nok")
        })
        .note("not read: it is in no standard; the element meta refresh is"),
        Behaviour::answer("/ct-none", "HTML without a Content-Type", "fetched", 200, |_| {
            raw("HTTP/1.1 200 OK\r\nContent-Length: 33\r\n\r\n<!doctype html><a href=/ok>x</a>\n")
        })
        .leads(OK)
        .note("looked at as browsers do"),
        Behaviour::answer("/ct-two", "two Content-Type headers", "fetched", 200, |_| {
            with("Content-Type: image/png\r\n")
        })
        .leads(OK)
        .note("the first one counts"),
        Behaviour::answer("/ct-lie-png", "says HTML, is PNG", "fetched", 200, |_| {
            html_until_close(b"Content-Length: 24\r\n\r\n\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\x00\x01\x00\x00\x00\x01")
        }),
        Behaviour::fault("/ct-lie-html", "says PNG, is HTML", "wrong_type", "", |_| {
            raw("HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 19\r\n\r\n<a href=/evil>x</a>")
        })
        .status(200)
        .note("its body is not read"),
        Behaviour::answer("/cookie", "sets a cookie and redirects to itself until it comes back", "redirected", 302, cookie)
            .note("without --cookies one redirect to itself, which is not followed; with it, 200"),
    ],
};

/// 200 with HTML, these header lines, and a link to /ok.
fn with(lines: &str) -> Reply {
    html_until_close(format!("{lines}{LINK}"))
}

fn cookie(asked: &Asked<'_>) -> Reply {
    let came_back = asked
        .headers
        .get("cookie")
        .is_some_and(|cookie| cookie.contains("seen=1"));
    if came_back || asked.asked_before >= 3 {
        return super::reply::html("<a href=/ok>x</a>");
    }
    super::reply::framed(
        "302 Found\nLocation: /cookie\nSet-Cookie: seen=1; Path=/",
        "",
    )
}
