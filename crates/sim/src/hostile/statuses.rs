//! Status lines, interim answers, and statuses that say something about when to come back.

use std::time::{Duration, UNIX_EPOCH};

use super::behaviour::{Behaviour, Family, OK};
use super::reply::{Asked, Reply, framed, html, raw};

const NOT_HTTP: &str = "not valid HTTP";
const AFTER_INTERIM: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

pub(super) const FAMILY: Family = Family {
    name: "Statuses",
    behaviours: &[
        Behaviour::answer("/status-999", "status 999", "http_error", 999, |_| framed("999 No", "no")),
        Behaviour::fault("/status-neg", "status -200", "bad_response", NOT_HTTP, |_| {
            raw("HTTP/1.1 -200 OK\r\nContent-Length: 0\r\n\r\n")
        }),
        Behaviour::answer("/noreason", "no reason phrase", "fetched", 200, |_| {
            raw("HTTP/1.1 200\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nok")
        }),
        Behaviour::answer("/100", "100 Continue, then 200", "fetched", 200, |_| {
            raw(format!("HTTP/1.1 100 Continue\r\n\r\n{AFTER_INTERIM}"))
        }),
        Behaviour::answer("/103", "103 Early Hints, then 200", "fetched", 200, |_| {
            let hints = "HTTP/1.1 103 Early Hints\r\nLink: </evil>; rel=preload\r\n\r\n";
            raw(format!("{hints}{AFTER_INTERIM}"))
        })
        .note("nothing is fetched for a hint"),
        Behaviour::fault("/1xx-many", "1,000 times 100 Continue, then close", "connection_lost", "connection lost", |_| {
            raw("HTTP/1.1 100 Continue\r\n\r\n".repeat(1_000))
        })
        .requests(3),
        Behaviour::fault("/101", "101 Switching Protocols that nobody asked for", "bad_response", "switches protocols", |_| {
            raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: evil\r\nConnection: upgrade\r\n\r\n")
        }),
        Behaviour::answer("/204-body", "204 with bytes after it", "fetched", 204, no_content)
            .note("empty; the bytes are never read as the next answer"),
        Behaviour::fault("/206", "206 that nobody asked for", "truncated", "206", |_| {
            let head = "206 Partial Content\nContent-Type: text/html\nContent-Range: bytes 0-18/1000";
            framed(head, "<a href=/evil>x</a>")
        })
        .status(206)
        .note("a part is no page: no digest, its links are not followed"),
        Behaviour::answer("/304", "304 without a copy to compare with", "not_modified", 304, |_| {
            raw("HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n")
        })
        .note("no loop: it is not asked for again"),
        Behaviour::answer("/401", "401 with a Basic challenge", "http_error", 401, |_| {
            framed("401 Unauthorized\nWWW-Authenticate: Basic realm=\"x\"", "no")
        }),
        Behaviour::answer("/404-soft", "404 with links", "http_error", 404, |_| {
            framed("404 Not Found\nContent-Type: text/html", "<a href=/evil>x</a>")
        })
        .note("links of an error page are not followed"),
        Behaviour::answer("/410", "gone", "http_error", 410, |_| framed("410 Gone", "gone")),
        Behaviour::answer("/500", "always 500", "http_error", 500, |_| framed("500 Broken", "broken")).requests(3),
        Behaviour::answer("/429", "429 with Retry-After for two requests, then 200", "fetched", 200, too_many)
            .requests(3)
            .leads(OK)
            .note("each retry waits for as long as it was asked to"),
        Behaviour::answer("/503", "503 with Retry-After as a date, then 200", "fetched", 200, unavailable)
            .requests(2)
            .leads(OK)
            .note("the retry waits until that moment"),
        Behaviour::answer("/429-huge", "429 with Retry-After: 999999999", "http_error", 429, |_| {
            framed("429 Too Many Requests\nRetry-After: 999999999", "no")
        })
        .says("longer than any wait")
        .note("no setting could wait for so long: not asked for again; the host rests as after any failure"),
        Behaviour::answer("/429-bad", "429 with Retry-After: soon", "http_error", 429, |_| {
            framed("429 Too Many Requests\nRetry-After: soon", "no")
        })
        .requests(3)
        .note("waits as after any failure (--backoff, --retry-wait)"),
        Behaviour::answer("/cond", "ETag and Last-Modified; 304 when asked by them", "fetched", 200, conditional)
            .leads(OK)
            .note("each crawl asks anew, without conditions"),
    ],
};

fn no_content(_: &Asked<'_>) -> Reply {
    let mut reply = raw("HTTP/1.1 204 No Content\r\n\r\n\
         HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 19\r\n\r\n<a href=/evil>x</a>");
    reply.end = super::reply::End::KeepAlive;
    reply
}

fn too_many(asked: &Asked<'_>) -> Reply {
    if asked.asked_before >= 2 {
        return html("<a href=/ok>x</a>");
    }
    let seconds = asked.options.retry_after.as_secs();
    framed(
        &format!("429 Too Many Requests\nRetry-After: {seconds}"),
        "later",
    )
}

fn unavailable(asked: &Asked<'_>) -> Reply {
    if asked.asked_before >= 1 {
        return html("<a href=/ok>x</a>");
    }
    let then = UNIX_EPOCH + Duration::from_secs(asked.unix_seconds) + asked.options.retry_after;
    let date = httpdate::fmt_http_date(then);
    framed(
        &format!("503 Service Unavailable\nRetry-After: {date}"),
        "later",
    )
}

fn conditional(asked: &Asked<'_>) -> Reply {
    let validators = "ETag: \"v1\"\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT";
    let has = |name: &str| asked.headers.contains_key(name);
    if has("if-none-match") || has("if-modified-since") {
        return raw(format!(
            "HTTP/1.1 304 Not Modified\r\n{}\r\n\r\n",
            validators.replace('\n', "\r\n")
        ));
    }
    framed(
        &format!("200 OK\nContent-Type: text/html\n{validators}"),
        "<a href=/ok>x</a>",
    )
}
