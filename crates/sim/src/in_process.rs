//! A web without sockets: what it would answer, for simulations on a time of their own.

use std::borrow::Cow;

use crate::plan::{PageKind, Plan};
use crate::reply::{Ask, Fate, Resource};
use crate::web::Web;

/// A web that is asked in process. It waits for nothing and notes nothing: that is its caller's.
#[derive(Debug)]
pub struct Answers {
    plan: Plan,
}

/// How an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It comes whole.
    Whole,
    /// The connection is closed without an answer.
    Closed,
    /// The connection is closed in the midst of the body.
    Cut,
}

/// What the web answers to a request.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status; of no meaning where nothing comes.
    pub status: u16,
    /// Headers, those of length and coding apart.
    pub headers: Vec<(&'static str, String)>,
    /// The body, not compressed.
    pub body: Vec<u8>,
    /// How long the server takes, in microseconds.
    pub latency_micros: u64,
    /// How it ends.
    pub end: End,
}

impl Answers {
    /// Lays out a web.
    pub fn new(web: Web) -> Answers {
        Answers {
            plan: Plan::new(web),
        }
    }

    /// The web.
    pub fn web(&self) -> &Web {
        &self.plan.web
    }

    /// The answer to a GET of `target` (path and query) on a host, which was asked for it
    /// `asked_before` times.
    pub fn answer(&self, host: &str, target: &str, asked_before: u32) -> Answer {
        let ask = Ask::new(&self.plan, host, target.as_bytes());
        let mut reply = self.plan.reply(&ask);
        if let Resource::Page(id) = reply.resource
            && self.plan.kind(id) == PageKind::Flaky
            && asked_before == 0
        {
            reply = reply.refused(503, false);
        }
        let mut body = Vec::new();
        reply.push_body(&self.plan, &mut body);
        let headers = reply.headers(&self.plan).into_iter().flatten();
        let headers = headers.map(|(name, value)| (name, Cow::into_owned(value)));
        Answer {
            status: reply.status,
            headers: headers.collect(),
            body,
            latency_micros: reply.latency_micros,
            end: match reply.fate {
                Fate::Sent => End::Whole,
                Fate::Closed => End::Closed,
                Fate::Cut => End::Cut,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_answers_as_the_served_web_does() {
        let answers = Answers::new(Web::plain(3, 2, 40));
        let root = answers.answer("h0.sim.test", "/", 0);
        assert_eq!((root.status, root.end), (200, End::Whole));
        assert!(root.body.starts_with(b"<!DOCTYPE html>"));
        assert_eq!(answers.answer("h0.sim.test", "/none", 0).status, 404);
    }
}
