//! What the web answers to a request: from the URL alone, no sockets.

use std::borrow::Cow;

use crate::address::PageId;
use crate::page::Declared;
use crate::plan::{PageKind, Plan, RobotsKind};

/// A request as the protocols read it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub(crate) host_name: &'a str,
    /// The host's number where the web has one of this name.
    pub(crate) host_number: Option<u32>,
    /// Path and query.
    pub(crate) target: &'a [u8],
}

impl<'a> Ask<'a> {
    pub(crate) fn new(plan: &Plan, host_name: &'a str, target: &'a [u8]) -> Self {
        Self {
            host_name,
            host_number: plan.web.host_number(host_name),
            target,
        }
    }
}

/// What lies at a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resource {
    Page(PageId),
    Robots(u32),
    Sitemap(u32, Option<u32>),
    Nothing,
}

impl Resource {
    /// The host that it lies on.
    pub(crate) fn host(self) -> Option<u32> {
        match self {
            Resource::Page(id) => Some(id.host),
            Resource::Robots(host) | Resource::Sitemap(host, _) => Some(host),
            Resource::Nothing => None,
        }
    }
}

/// How an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is sent whole.
    Sent,
    /// The connection is closed without an answer.
    Closed,
    /// The connection is closed in the midst of the body.
    Cut,
}

/// The answer to a request, its body not made yet.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) resource: Resource,
    pub(crate) status: u16,
    pub(crate) fate: Fate,
    pub(crate) latency_micros: u64,
    pub(crate) location: Option<String>,
    pub(crate) retry_after: bool,
}

/// Headers of an answer, those of its length and coding apart.
pub(crate) type Headers<'a> = [Option<(&'static str, Cow<'a, str>)>; 3];

impl Reply {
    fn plain(resource: Resource, status: u16, latency_micros: u64) -> Self {
        let (location, retry_after) = (None, false);
        Self {
            resource,
            status,
            fate: Fate::Sent,
            latency_micros,
            location,
            retry_after,
        }
    }

    /// The same place on a host that has no patience: 429 or 503 at once.
    pub(crate) fn refused(&self, status: u16, retry_after: bool) -> Self {
        Self {
            retry_after,
            ..Self::plain(self.resource, status, self.latency_micros)
        }
    }

    pub(crate) fn headers(&self, plan: &Plan) -> Headers<'_> {
        let content_type = match self.resource {
            Resource::Page(id) if self.status == 200 => match plan.kind(id) {
                PageKind::OtherType => "application/pdf",
                _ => match plan.declared(id) {
                    Declared::Header | Declared::HeaderAndMeta => {
                        plan.charset(id.host).content_type()
                    }
                    _ => "text/html",
                },
            },
            Resource::Robots(_) if self.status == 200 => "text/plain",
            Resource::Sitemap(..) => "application/xml",
            _ => "text/html; charset=utf-8",
        };
        [
            Some(("content-type", Cow::Borrowed(content_type))),
            self.location
                .as_deref()
                .map(|url| ("location", Cow::Borrowed(url))),
            self.retry_after
                .then_some(("retry-after", Cow::Borrowed("1"))),
        ]
    }

    /// Appends the body.
    pub(crate) fn push_body(&self, plan: &Plan, out: &mut Vec<u8>) {
        match (self.resource, self.status) {
            (Resource::Page(id), 200) => match plan.kind(id) {
                PageKind::OtherType => {
                    out.extend_from_slice(b"%PDF-1.4\n% <a href=/ghost/3>\n%%EOF\n")
                }
                _ => plan.push_page(id, out),
            },
            (Resource::Robots(host), 200) => {
                if plan.robots(host) == RobotsKind::Rules {
                    plan.push_robots(host, out);
                }
            }
            (Resource::Sitemap(host, part), 200) => plan.push_sitemap(host, part, out),
            // Error pages have a link that no crawler may follow.
            _ => out.extend_from_slice(
                b"<!DOCTYPE html><title>Sorry</title><p><a href=\"/ghost/4.html\">home</a></p>\n",
            ),
        }
    }
}

impl Plan {
    /// What lies at the URL and what is answered there.
    pub(crate) fn reply(&self, ask: &Ask<'_>) -> Reply {
        let Some(host) = ask.host_number else {
            return Reply::plain(Resource::Nothing, 404, 0);
        };
        let robots_latency = || {
            self.latency_micros(PageId {
                host,
                page: u32::MAX,
            })
        };
        if let Some(id) = self.web.page_at(host, self.host_pages(host), ask.target) {
            return self.page_reply(id);
        }
        match ask.target {
            b"/robots.txt" => return self.robots_reply(host, robots_latency()),
            b"/robots-moved.txt" if self.is_robots_moved(host) => {
                return Reply::plain(Resource::Robots(host), 200, robots_latency());
            }
            b"/sitemap.xml" => {
                return Reply::plain(Resource::Sitemap(host, None), 200, robots_latency());
            }
            _ => {}
        }
        let part = ask
            .target
            .strip_prefix(b"/sitemap-")
            .and_then(|rest| rest.strip_suffix(b".xml"));
        let part = part.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        match part.filter(|part| *part < self.sitemaps(host)) {
            Some(part) => Reply::plain(Resource::Sitemap(host, Some(part)), 200, robots_latency()),
            None => Reply::plain(Resource::Nothing, 404, robots_latency()),
        }
    }

    fn page_reply(&self, id: PageId) -> Reply {
        let kind = self.kind(id);
        let mut reply = Reply::plain(Resource::Page(id), kind.status(), self.latency_micros(id));
        match kind {
            PageKind::Moved | PageKind::Found => {
                let target = self.redirect_target(id);
                let mut url = Vec::with_capacity(64);
                // Every second Location is a path, as RFC 9110 section 10.2.2 allows.
                if target.host == id.host && id.page.is_multiple_of(2) {
                    self.web.push_path(target, &mut url);
                } else {
                    self.web.push_url(target, &mut url);
                }
                reply.location = String::from_utf8(url).ok();
            }
            PageKind::Reset => reply.fate = Fate::Closed,
            PageKind::Hang => {
                reply.fate = Fate::Closed;
                reply.latency_micros = self.web.hang_ms.saturating_mul(1_000);
            }
            PageKind::Truncated => reply.fate = Fate::Cut,
            _ => {}
        }
        reply
    }

    fn robots_reply(&self, host: u32, latency_micros: u64) -> Reply {
        let (status, fate, latency_micros) = match self.robots(host) {
            RobotsKind::Rules | RobotsKind::Empty => (200, Fate::Sent, latency_micros),
            RobotsKind::NotFound => (404, Fate::Sent, latency_micros),
            RobotsKind::Forbidden => (403, Fate::Sent, latency_micros),
            RobotsKind::ServerError => (503, Fate::Sent, latency_micros),
            RobotsKind::Hang => (0, Fate::Closed, self.web.hang_ms.saturating_mul(1_000)),
        };
        let mut reply = Reply {
            fate,
            ..Reply::plain(Resource::Robots(host), status, latency_micros)
        };
        if self.is_robots_moved(host) {
            reply.status = 301;
            reply.location = Some("/robots-moved.txt".to_owned());
        }
        reply
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mix::Outcomes;
    use crate::web::Web;

    fn reply(plan: &Plan, host: &str, target: &str) -> Reply {
        plan.reply(&Ask::new(plan, host, target.as_bytes()))
    }

    #[test]
    fn unknown_hosts_and_paths_are_404() {
        let plan = Plan::new(Web::default());
        assert_eq!(reply(&plan, "h0.sim.test:80", "/").status, 200);
        assert_eq!(reply(&plan, "h99.sim.test", "/").status, 404);
        assert_eq!(reply(&plan, "h0.sim.test", "/ghost/1.html").status, 404);
        assert_eq!(reply(&plan, "h0.sim.test", "/sitemap-9.xml").status, 404);
        assert_eq!(reply(&plan, "h0.sim.test", "/sitemap.xml").status, 200);
    }

    #[test]
    fn redirects_say_where_to() {
        let outcomes = Outcomes {
            moved: 1.0,
            ..Outcomes::default()
        };
        let plan = Plan::new(Web {
            outcomes,
            ..Web::plain(1, 2, 40)
        });
        for page in 1..20 {
            let path = plan.web.path(PageId { host: 1, page });
            let reply = reply(&plan, "h1.sim.test", &path);
            assert_eq!(reply.status, 301);
            assert!(reply.location.is_some());
        }
    }
}
