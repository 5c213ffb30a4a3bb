//! Pages that lead on without end.

use super::behaviour::{Behaviour, Family};
use super::reply::{Asked, Reply, html};

pub(super) const FAMILY: Family = Family {
    name: "Traps",
    behaviours: &[
        Behaviour::answer(
            "/trap-session",
            "links with a new session id each time",
            "fetched",
            200,
            session,
        )
        .note("--strip-sessions makes all of them one URL"),
        trap("/trap-cal", "every page links to two new ones", calendar)
            .note("bounded by --max-query-variants, --max-pages and --max-hops"),
        trap(
            "/trap-path",
            "a relative link makes the path longer and longer",
            |_| html("<a href='trap-path/x'>deeper</a>"),
        )
        .note("bounded by --max-repeated-segments"),
        trap("/dup", "the same body under queries without end", |_| {
            html("<a href='/dup?n=1'>1</a><a href='/dup?n=2'>2</a><a href='?n=11'>11</a>")
        })
        .note("all rows have the same digest"),
    ],
};

const fn trap(path: &'static str, what: &'static str, reply: fn(&Asked<'_>) -> Reply) -> Behaviour {
    Behaviour::answer(path, what, "fetched", 200, reply).endless()
}

fn session(asked: &Asked<'_>) -> Reply {
    // New with each request and reproducible: a count, scrambled.
    let count = u64::from(asked.asked_before) + 1;
    let id = count.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    html(format!(
        "<a href='/trap-session?sid={id:016x}'>again</a><a href='/trap-session?sid={:016x}'>and again</a>",
        !id
    ))
}

fn calendar(asked: &Asked<'_>) -> Reply {
    let day = asked.number("d");
    let first = day.saturating_mul(2).saturating_add(1);
    let (next, after) = (first, first.saturating_add(1));
    html(format!(
        "<a href='/trap-cal?d={next}'>next</a><a href='/trap-cal?d={after}'>after</a>"
    ))
}
