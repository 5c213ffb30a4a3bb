//! Pages that behave, which the others lead to, and what must never be asked for.

use super::behaviour::{Behaviour, Family};
use super::reply::{Asked, Reply, html};

pub(super) const FAMILY: Family = Family {
    name: "Pages that behave",
    behaviours: &[
        Behaviour::answer("/ok", "plain page with one link", "fetched", 200, ok).leads(&["/ok2"]),
        Behaviour::answer("/ok2", "leaf", "fetched", 200, leaf),
        Behaviour::answer("/sub/x", "leaf, target of /html-base", "fetched", 200, leaf),
        Behaviour::answer(
            "/next",
            "leaf, to be asked for after another",
            "fetched",
            200,
            leaf,
        ),
        Behaviour::answer("/evil", "must never be asked for", "", 200, leaf)
            .requests(0)
            .note("no behaviour leads here but by a fault of the crawler"),
    ],
};

pub(super) fn ok(_: &Asked<'_>) -> Reply {
    html("<!doctype html><title>ok</title><p><a href=/ok2>next</a>")
}

fn leaf(_: &Asked<'_>) -> Reply {
    html("<!doctype html><title>leaf</title><p>A page without links.")
}
