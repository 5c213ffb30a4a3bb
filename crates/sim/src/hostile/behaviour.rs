//! One misbehaviour as data: where it is, what it is, and what a crawl makes of it.

use super::reply::{Asked, Reply};
use super::{
    charsets, encodings, framing, headers, html, limits, pages, redirects, slow, statuses, traps,
};

/// What one path does, and what a crawl with two retries records of it.
#[derive(Debug)]
pub struct Behaviour {
    /// The path, without a query.
    pub path: &'static str,
    /// What the server does there.
    pub what: &'static str,
    /// The outcome's name; empty for what must never be asked for.
    pub outcome: &'static str,
    /// The status in the row; none where no head came that can be read.
    pub status: Option<u16>,
    /// Requests for this very path, retries included.
    pub requests: u32,
    /// Whether the body is recorded as whole, with a digest.
    pub is_whole: bool,
    /// Targets (path and query) that a crawl asks for because of it, and what those lead to.
    pub leads_to: &'static [&'static str],
    /// Whether it leads on without end, so that only a limit of the crawl stops it.
    pub is_endless: bool,
    /// A part of the error text; empty where there is no error.
    pub says: &'static str,
    /// What else is worth knowing, for the page.
    pub note: &'static str,
    pub(crate) reply: fn(&Asked<'_>) -> Reply,
}

/// Behaviours of one kind.
#[derive(Debug)]
pub struct Family {
    /// Its name, as a heading.
    pub name: &'static str,
    /// Its behaviours.
    pub behaviours: &'static [Behaviour],
}

/// Every behaviour, by its kind.
pub static FAMILIES: &[Family] = &[
    pages::FAMILY,
    framing::FAMILY,
    statuses::FAMILY,
    headers::FAMILY,
    redirects::FAMILY,
    encodings::FAMILY,
    charsets::FAMILY,
    html::FAMILY,
    limits::FAMILY,
    slow::FAMILY,
    traps::FAMILY,
];

/// Every behaviour, in the order of [`FAMILIES`].
pub fn behaviours() -> impl Iterator<Item = &'static Behaviour> {
    FAMILIES.iter().flat_map(|family| family.behaviours)
}

/// What most pages lead to: a page with one link, and the leaf that it links to.
pub(super) const OK: &[&str] = &["/ok", "/ok2"];

type ReplyOf = fn(&Asked<'_>) -> Reply;

impl Behaviour {
    /// A body that comes whole, with this outcome and status.
    pub(super) const fn answer(
        path: &'static str,
        what: &'static str,
        outcome: &'static str,
        status: u16,
        reply: ReplyOf,
    ) -> Behaviour {
        Behaviour {
            path,
            what,
            outcome,
            status: Some(status),
            requests: 1,
            is_whole: true,
            leads_to: &[],
            is_endless: false,
            says: "",
            note: "",
            reply,
        }
    }

    /// An answer whose body is not recorded as whole, if one comes at all.
    pub(super) const fn fault(
        path: &'static str,
        what: &'static str,
        outcome: &'static str,
        says: &'static str,
        reply: ReplyOf,
    ) -> Behaviour {
        Behaviour {
            status: None,
            is_whole: false,
            says,
            ..Behaviour::answer(path, what, outcome, 0, reply)
        }
    }

    pub(super) const fn status(self, status: u16) -> Behaviour {
        Behaviour {
            status: Some(status),
            ..self
        }
    }

    pub(super) const fn requests(self, requests: u32) -> Behaviour {
        Behaviour { requests, ..self }
    }

    pub(super) const fn leads(self, leads_to: &'static [&'static str]) -> Behaviour {
        Behaviour { leads_to, ..self }
    }

    pub(super) const fn endless(self) -> Behaviour {
        Behaviour {
            is_endless: true,
            ..self
        }
    }

    pub(super) const fn says(self, says: &'static str) -> Behaviour {
        Behaviour { says, ..self }
    }

    pub(super) const fn note(self, note: &'static str) -> Behaviour {
        Behaviour { note, ..self }
    }
}
