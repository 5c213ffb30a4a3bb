//! Redirects: loops, chains, and targets that must not be asked for.

use super::behaviour::{Behaviour, Family, OK};
use super::reply::{Asked, Reply, found, framed, html, raw};

pub(super) const FAMILY: Family = Family {
    name: "Redirects",
    behaviours: &[
        redirect("/redir-self", "to itself", |_| found("/redir-self"))
            .note("a URL is fetched once"),
        redirect("/redir-a", "to /redir-b, which leads back", |_| {
            found("/redir-b")
        })
        .leads(&["/redir-b"]),
        redirect("/redir-b", "to /redir-a, which leads back", |_| {
            found("/redir-a")
        })
        .leads(&["/redir-a"]),
        Behaviour::answer(
            "/redir-nohdr",
            "302 without Location",
            "http_error",
            302,
            |_| framed("302 Found", ""),
        )
        .says("without a Location"),
        redirect("/redir-empty", "empty Location", |_| found(""))
            .note("means itself, which is fetched once"),
        redirect("/redir-rel", "relative Location", |_| found("ok")).leads(OK),
        redirect("/redir-proto", "Location without a scheme", |asked| {
            found(&format!("//127.0.0.1:{}/ok", asked.port))
        })
        .leads(OK),
        redirect("/redir-two", "two Location headers", |_| {
            found("/ok\nLocation: /evil")
        })
        .leads(OK)
        .note("the first one counts"),
        Behaviour::answer(
            "/redir-file",
            "to file:///etc/passwd",
            "http_error",
            302,
            |_| found("file:///etc/passwd"),
        )
        .says("file:///etc/passwd"),
        Behaviour::answer(
            "/redir-js",
            "to javascript:alert(1)",
            "http_error",
            302,
            |_| found("javascript:alert(1)"),
        )
        .says("javascript:alert(1)"),
        redirect("/redir-private", "to 169.254.169.254", |_| {
            found("http://169.254.169.254/latest/meta-data/")
        })
        .note("the target has a row with blocked_address and is never connected to"),
        redirect("/redir-frag", "Location with a fragment", |_| {
            found("/ok#part")
        })
        .leads(OK),
        redirect("/redir-space", "Location with spaces and UTF-8", |_| {
            found("/ok?q=a \u{e9}")
        })
        .leads(&["/ok?q=a%20%C3%A9", "/ok2"]),
        Behaviour::fault(
            "/redir-long",
            "Location of 100 kB",
            "too_large",
            "headers are larger",
            |_| found(&format!("/ok?{}", "a".repeat(100_000))),
        ),
        Behaviour::answer("/redir-200", "200 with a Location", "fetched", 200, |_| {
            framed("200 OK\nContent-Type: text/html\nLocation: /evil", "ok")
        })
        .note("not followed"),
        Behaviour::answer("/redir-307", "307", "redirected", 307, |_| {
            framed("307 Temporary Redirect\nLocation: /ok", "")
        })
        .leads(OK),
        Behaviour::answer("/redir-308", "308", "redirected", 308, |_| {
            framed("308 Permanent Redirect\nLocation: /ok", "")
        })
        .leads(OK),
        redirect("/redir-inf", "a chain without end", chain)
            .endless()
            .note("ends with too_many_redirects after --max-redirects"),
        Behaviour::answer("/meta-refresh", "meta refresh", "fetched", 200, |_| {
            html("<meta http-equiv=refresh content='0; url=/ok'>")
        })
        .note("the link stands in the row, and --follow refresh takes it"),
        Behaviour::answer(
            "/meta-refresh-self",
            "meta refresh to itself",
            "fetched",
            200,
            |_| html("<meta http-equiv=refresh content='0; url=/meta-refresh-self'>"),
        ),
    ],
};

const fn redirect(
    path: &'static str,
    what: &'static str,
    reply: fn(&Asked<'_>) -> Reply,
) -> Behaviour {
    Behaviour::answer(path, what, "redirected", 302, reply)
}

fn chain(asked: &Asked<'_>) -> Reply {
    let next = asked.number("n") + 1;
    let head =
        format!("HTTP/1.1 302 Found\r\nLocation: /redir-inf?n={next}\r\nContent-Length: 0\r\n\r\n");
    Reply {
        end: super::reply::End::KeepAlive,
        ..raw(head)
    }
}
