//! Markup that is deep, wide, broken or lying.

use super::behaviour::{Behaviour, Family, OK};
use super::reply::{Asked, Reply, html};

pub(super) const FAMILY: Family = Family {
    name: "Markup",
    behaviours: &[
        page("/html-deep", "100,000 nested div", |_| {
            html(format!("{}<a href=/ok>x</a>", "<div>".repeat(100_000)))
        })
        .leads(OK)
        .note("parsing never recurses: depth costs nothing"),
        page("/html-attr", "a tag with 50,000 attributes", attributes).leads(OK),
        page("/html-unclosed", "comment and script that are never closed", |_| {
            html("<a href=/ok>x</a><script>var a = '<a href=/evil>'; <!-- <a href=/evil>")
        })
        .leads(OK),
        page("/html-nul", "NUL inside tags", |_| html("<\0a href=/evil>n</a><a\0b href=/evil2></a\0b><a href=/ok\0>y</a><a href=/ok>x</a>"))
            .leads(&["/ok", "/ok%EF%BF%BD", "/ok2"])
            .note("read as the HTML Standard says: U+FFFD in its place"),
        page("/html-base", "base that points elsewhere", |asked| {
            html(format!("<base href='http://127.0.0.1:{}/sub/'><a href=x>x</a>", asked.port))
        })
        .leads(&["/sub/x"]),
        page("/html-longurl", "link of 1 MiB", |_| {
            html(format!("<a href='/evil?{}'>l</a><a href=/ok>x</a>", "a".repeat(1 << 20)))
        })
        .leads(OK)
        .note("refused: longer than --max-url-length"),
        page("/schemes", "links that are not http", schemes).leads(OK).note("none is asked for"),
    ],
};

const fn page(path: &'static str, what: &'static str, reply: fn(&Asked<'_>) -> Reply) -> Behaviour {
    Behaviour::answer(path, what, "fetched", 200, reply)
}

fn attributes(_: &Asked<'_>) -> Reply {
    use std::fmt::Write as _;
    let mut page = String::with_capacity(1 << 20);
    page.push_str("<div");
    for number in 0..50_000 {
        // Writing to memory cannot fail.
        let _ = write!(page, " a{number}=b");
    }
    page.push_str("><a href=/ok>x</a>");
    html(page)
}

fn schemes(asked: &Asked<'_>) -> Reply {
    let port = asked.port;
    html(format!(
        "<a href='mailto:a@127.0.0.1'>m</a><a href='tel:+1'>t</a>\
         <a href='data:text/html,<a href=/evil>'>d</a>\
         <a href='javascript:location=\"/evil\"'>j</a><a href='ftp://127.0.0.1:{port}/evil'>f</a>\
         <a href='blob:http://127.0.0.1:{port}/evil'>b</a><a href='view-source:/evil'>v</a>\
         <a href='gopher://127.0.0.1:{port}/evil'>g</a><a href='file:///evil'>l</a>\
         <a href='ws://127.0.0.1:{port}/evil'>w</a><a href='java\nscript:/evil'>n</a>\
         <a href=/ok>x</a>"
    ))
}
