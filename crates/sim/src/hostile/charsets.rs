//! Encodings that are wrong, unknown or dangerous. A link's query shows how the page was read.

use super::behaviour::{Behaviour, Family, OK};
use super::reply::{Asked, Reply, framed};

pub(super) const FAMILY: Family = Family {
    name: "Charsets",
    behaviours: &[
        page(
            "/charset-wrong",
            "header says latin-1, meta and bytes say UTF-8",
            |_| {
                let body = "<meta charset=utf-8><a href='/ok?q=\u{e9}'>x</a>";
                framed("200 OK\nContent-Type: text/html; charset=iso-8859-1", body)
            },
        )
        .leads(&["/ok?q=%C3%A9", "/ok2"])
        .note("the header wins: the page is read as latin-1, and the query goes back in it"),
        page("/charset-unknown", "charset=foo-bar", |_| {
            framed(
                "200 OK\nContent-Type: text/html; charset=foo-bar",
                "<a href=/ok>x</a>",
            )
        })
        .leads(OK)
        .note("read as if nothing had been said"),
        page("/charset-utf16", "UTF-16LE with BOM, no charset", |_| {
            let text = "\u{feff}<!doctype html><a href=/ok>x</a>";
            let body: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            framed("200 OK\nContent-Type: text/html", body)
        })
        .leads(OK),
        page("/charset-sjis", "meta Shift_JIS", |_| {
            let mut body = b"<meta charset=shift_jis><a href='/ok?q=".to_vec();
            body.extend_from_slice(b"\x93\xfa\x96\x7b'>x</a>");
            framed("200 OK\nContent-Type: text/html", body)
        })
        .leads(&["/ok?q=%93%FA%96%7B", "/ok2"])
        .note("a query goes back in the encoding of its page (URL Standard)"),
        page("/charset-utf7", "charset=utf-7", |_| {
            let body = "+ADw-a href=/evil+AD4-x+ADw-/a+AD4- <a href=/ok>x</a>";
            framed("200 OK\nContent-Type: text/html; charset=utf-7", body)
        })
        .leads(OK)
        .note("never read as UTF-7"),
    ],
};

const fn page(path: &'static str, what: &'static str, reply: fn(&Asked<'_>) -> Reply) -> Behaviour {
    Behaviour::answer(path, what, "fetched", 200, reply)
}
