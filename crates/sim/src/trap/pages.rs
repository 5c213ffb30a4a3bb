//! What each address of the trap web answers: pure functions of the URL.

use std::fmt::Write as _;

use super::words::{draw, draw_of, push_words};
use super::{MIRRORS, REAL_PAGES, TrapSite, mirror_number};

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
    /// The number of the real page that this is.
    pub(super) real: Option<u32>,
}

/// Who asks for what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) site: TrapSite,
    /// The first label of the host's name.
    pub(super) label: &'a str,
    /// The port in links to other hosts.
    pub(super) port: u16,
    /// Path and query.
    pub(super) target: &'a str,
}

impl Asked<'_> {
    pub(super) fn answer(self) -> Answer {
        let (path, query) = self.target.split_once('?').unwrap_or((self.target, ""));
        let path = self.without_session(path);
        if path == "/robots.txt" {
            return not_found();
        }
        if let Some(page) = real_page(&path) {
            return self.real(page);
        }
        match self.site {
            TrapSite::CalendarQuery => match (number(query, "y"), number(query, "m")) {
                (Some(year), Some(month)) if path == "/cal" => {
                    calendar(year, month, |year, month| {
                        format!("/cal?y={year}&m={month}")
                    })
                }
                _ => not_found(),
            },
            TrapSite::CalendarPath => {
                let mut parts = path
                    .trim_matches('/')
                    .split('/')
                    .map(|part| part.parse().ok());
                match (parts.next().flatten(), parts.next().flatten(), parts.next()) {
                    (Some(year), Some(month), None) => events(year, month),
                    _ => not_found(),
                }
            }
            TrapSite::Deep if path.starts_with("/deep/") => deep(&path),
            TrapSite::Wide if path == "/all" => wide(),
            TrapSite::Wide if path.starts_with("/item/") => trap(
                "<p>There is no such item in \
                our shop. Look for another one, or ask us by mail or by telephone.</p>",
            ),
            TrapSite::Soft404 => trap(SOFT_404),
            TrapSite::Facets if path == "/list" => facets(query),
            _ => not_found(),
        }
    }

    /// A real page: its words, its children in the tree, and the way into the trap.
    fn real(self, page: u32) -> Answer {
        let mut body = format!("<!doctype html><title>Page {page}</title>\n");
        push_words(draw(u64::from(page), 7), 150, &mut body);
        for child in [2 * page + 1, 2 * page + 2] {
            if child < REAL_PAGES {
                let href = self.with_session(&format!("/page/{child}"), child);
                let _ = writeln!(body, "<a href=\"{href}\">Page {child}</a>");
            }
        }
        let home = self.with_session("/", REAL_PAGES);
        let _ = writeln!(body, "<a href=\"{home}\">Home</a>");
        let lures: &[&str] = match self.site {
            TrapSite::CalendarQuery => &["/cal?y=2026&m=11"],
            TrapSite::CalendarPath => &["/2026/11/"],
            TrapSite::Deep => &["/deep/"],
            TrapSite::Wide => &["/all"],
            TrapSite::Soft404 => &["contact/", "help/"],
            TrapSite::Facets => &["/list"],
            _ => &[],
        };
        for lure in lures {
            let _ = writeln!(body, "<a href=\"{lure}\">More</a>");
        }
        if self.site == TrapSite::Mirror {
            for mirror in 1..MIRRORS {
                let port = self.port;
                let _ = writeln!(
                    body,
                    "<a href=\"http://mirror-{mirror}.trap.test:{port}/\">Mirror</a>"
                );
            }
        }
        Answer {
            status: 200,
            body,
            real: mirror_number(self.label).is_none().then_some(page),
        }
    }

    /// The link with a session of its own, where the site has sessions.
    fn with_session(self, href: &str, link: u32) -> String {
        let one = draw(draw_of(self.target), u64::from(link));
        let session = format!("{one:016x}{:016x}", draw(one, 1));
        let directory = session.get(..24).unwrap_or(&session);
        match self.site {
            TrapSite::SessionPath => format!("{href};jsessionid={session}"),
            TrapSite::SessionDirectory => format!("/(S({directory})){href}"),
            TrapSite::SessionQuery if link.is_multiple_of(2) => format!("{href}?sid={session}"),
            TrapSite::SessionQuery => format!("{href}?PHPSESSID={session}"),
            _ => href.to_owned(),
        }
    }

    fn without_session(self, path: &str) -> String {
        match self.site {
            TrapSite::SessionPath => path.split(';').next().unwrap_or(path).to_owned(),
            TrapSite::SessionDirectory if path.starts_with("/(S(") => path
                .split_once("))")
                .map_or(path, |(_, rest)| rest)
                .to_owned(),
            _ => path.to_owned(),
        }
    }
}

const SOFT_404: &str = "<h1>We are sorry</h1><p>The page that you are looking for may have been \
    moved, or its name has changed. Try one of these instead.</p><a href=\"about/\">About</a> \
    <a href=\"help/\">Help</a> <a href=\"search/\">Search</a>";

fn real_page(path: &str) -> Option<u32> {
    let page = match path {
        "/" => 0,
        path => path.strip_prefix("/page/")?.parse().ok()?,
    };
    (page < REAL_PAGES).then_some(page)
}

fn not_found() -> Answer {
    Answer {
        status: 404,
        body: "<p>Not found".to_owned(),
        real: None,
    }
}

fn trap(body: &str) -> Answer {
    Answer {
        status: 200,
        body: format!("<!doctype html><title>A site</title>{body}"),
        real: None,
    }
}

fn number(query: &str, name: &str) -> Option<u32> {
    let of_name = |parameter: &str| {
        let (found, value) = parameter.split_once('=')?;
        (found == name).then(|| value.parse().ok())?
    };
    query.split('&').find_map(of_name)
}

fn calendar(year: u32, month: u32, href: impl Fn(u32, u32) -> String) -> Answer {
    if !(1..=12).contains(&month) || !(1_000..=9_999).contains(&year) {
        return not_found();
    }
    let mut body = format!("<h1>Calendar {year}-{month:02}</h1><table>");
    for day in 1..=30 {
        let _ = write!(body, "<td>{day} <i>no events on this day</i>");
    }
    let next = if month == 12 {
        (year + 1, 1)
    } else {
        (year, month + 1)
    };
    let before = if month == 1 {
        (year - 1, 12)
    } else {
        (year, month - 1)
    };
    for (year, month) in [next, before] {
        let _ = write!(body, "</table><a href=\"{}\">Month</a>", href(year, month));
    }
    trap(&body)
}

fn events(year: u32, month: u32) -> Answer {
    if !(1..=12).contains(&month) || !(1_000..=9_999).contains(&year) {
        return not_found();
    }
    let mut body = format!("<h1>Events of {year:04}-{month:02}</h1>");
    push_words(u64::from(year * 12 + month), 100, &mut body);
    let (year, month) = if month == 12 {
        (year + 1, 1)
    } else {
        (year, month + 1)
    };
    let _ = write!(body, "<a href=\"/{year:04}/{month:02}/\">Next month</a>");
    trap(&body)
}

fn deep(path: &str) -> Answer {
    let seed = draw_of(path);
    let mut body = String::new();
    push_words(seed, 120, &mut body);
    let name = letters(draw(seed, 1));
    let _ = write!(body, "<a href=\"part-{name}/\">Further</a>");
    trap(&body)
}

/// A number in letters, so that no rule on numbers meets it.
fn letters(mut number: u64) -> String {
    let mut text = String::new();
    for _ in 0..3 {
        text.push(char::from(b'a' + (number % 26) as u8));
        number /= 26;
    }
    text
}

fn wide() -> Answer {
    const LINKS: u32 = 10_000;
    let mut body = String::new();
    for item in 0..LINKS {
        let _ = writeln!(body, "<a href=\"/item/{item}\">Item {item}</a>");
    }
    trap(&body)
}

/// A list that is narrowed by one more filter, in the order in which they were clicked.
fn facets(query: &str) -> Answer {
    const FILTERS: [&str; 4] = ["brand", "color", "price", "size"];
    let mut chosen: Vec<&str> = query.split('&').filter(|part| !part.is_empty()).collect();
    let mut body = String::new();
    let written = if query.is_empty() {
        String::new()
    } else {
        format!("{query}&amp;")
    };
    for filter in FILTERS {
        let is_chosen = |part: &&str| part.split('=').next() == Some(filter);
        for value in 0..4 {
            if !chosen.iter().any(is_chosen) {
                let _ = writeln!(
                    body,
                    "<a href=\"/list?{written}{filter}={value}\">{filter}</a>"
                );
            }
        }
    }
    chosen.sort_unstable();
    push_words(draw_of(&chosen.join("&")), 100, &mut body);
    trap(&body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(site: TrapSite, target: &str) -> Answer {
        let asked = Asked {
            site,
            label: site.name(),
            port: 80,
            target,
        };
        asked.answer()
    }

    #[test]
    fn real_pages_are_known_under_every_session() {
        let session = "0123456789abcdef01234567";
        for (site, target) in [
            (TrapSite::Plain, "/page/5".to_owned()),
            (
                TrapSite::SessionPath,
                format!("/page/5;jsessionid={session}"),
            ),
            (
                TrapSite::SessionDirectory,
                format!("/(S({session}))/page/5"),
            ),
            (TrapSite::SessionQuery, format!("/page/5?sid={session}")),
        ] {
            let answer = ask(site, &target);
            assert_eq!((answer.status, answer.real), (200, Some(5)), "{target}");
            assert!(answer.body.contains("page/11"), "{target}");
            assert_eq!(answer, ask(site, &target), "the same again");
        }
        assert_eq!(ask(TrapSite::Plain, "/page/60").status, 404);
        let mirrored = Asked {
            site: TrapSite::Mirror,
            label: "mirror-3",
            port: 80,
            target: "/",
        };
        assert_eq!(mirrored.answer().real, None);
    }

    #[test]
    fn traps_lead_on() {
        for (site, target, link) in [
            (
                TrapSite::CalendarQuery,
                "/cal?y=2026&m=12",
                "/cal?y=2027&m=1",
            ),
            (TrapSite::CalendarPath, "/2026/12/", "/2027/01/"),
            (TrapSite::Soft404, "/any/thing", "about/"),
            (TrapSite::Facets, "/list?size=1", "/list?size=1&amp;brand=0"),
            (TrapSite::Wide, "/all", "/item/9999"),
            (TrapSite::Deep, "/deep/x/", "part-"),
        ] {
            let answer = ask(site, target);
            assert_eq!((answer.status, answer.real), (200, None), "{target}");
            assert!(answer.body.contains(link), "{target}");
        }
    }
}
