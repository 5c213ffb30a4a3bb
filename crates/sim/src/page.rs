//! The bytes of pages.

use crate::address::{PageId, push_number};
use crate::charset::{Charset, Text};
use crate::draw::{Draw, Topic};
use crate::href::{Base, push_href};
use crate::link::Link;
use crate::plan::{PageKind, Plan};

/// Where a page says which charset it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Declared {
    Header,
    Meta,
    HttpEquiv,
    HeaderAndMeta,
    Nowhere,
}

impl Plan {
    /// Where the pages of a host say which charset they are in.
    pub(crate) fn declared(&self, id: PageId) -> Declared {
        if self.charset(id.host) == Charset::Undeclared {
            return Declared::Nowhere;
        }
        match Draw::new(self.web.seed, Topic::Charset, id.host, id.page.max(1)).below(8) {
            0 => Declared::Meta,
            1 => Declared::HttpEquiv,
            2..=4 => Declared::Header,
            _ => Declared::HeaderAndMeta,
        }
    }

    /// Appends the HTML of a page to `out`.
    pub(crate) fn push_page(&self, id: PageId, out: &mut Vec<u8>) {
        let mut draw = Draw::new(self.web.seed, Topic::Bytes, id.host, id.page);
        let size = self.web.page_bytes.draw(&mut draw) as usize;
        out.reserve(size + 1_024);
        let start = out.len();
        let mut writer = PageWriter::new(self, id);
        writer.push_head(out);
        if self.kind(id) != PageKind::Truncated {
            writer.push_links(start, size, out);
        }
        writer.push_end(start, size, out);
    }
}

struct PageWriter<'a> {
    plan: &'a Plan,
    id: PageId,
    charset: Charset,
    text: &'a Text,
    path: Vec<u8>,
    draw: Draw,
    /// Whether a base element makes the root the place that relative links start from.
    rooted: bool,
}

const TAIL: &[u8] = b"</body></html>\n";
/// Links inside these are none: they point to pages that no host has.
const DECOYS: &[u8] = b"<!-- <a href=\"/ghost/1.html\">old</a> -->\n\
    <script>var t = '<a href=\"/ghost/2.html\">x</a>';</script>\n\
    <p><a name=\"top\">top</a> <a href=\"mailto:a@sim.test\">mail</a> \
    <a href=\"javascript:void(0)\">menu</a> <a>none</a></p>\n";

impl<'a> PageWriter<'a> {
    fn new(plan: &'a Plan, id: PageId) -> Self {
        let mut path = Vec::with_capacity(64);
        plan.web.push_path(id, &mut path);
        let charset = plan.charset(id.host);
        let mut draw = Draw::new(plan.web.seed, Topic::Body, id.host, id.page);
        let rooted = draw.below(50) == 0;
        Self {
            plan,
            id,
            charset,
            text: charset.text(),
            path,
            draw,
            rooted,
        }
    }

    fn push_head(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"<!DOCTYPE html>\n<html lang=\"");
        out.extend_from_slice(self.charset.language().as_bytes());
        out.extend_from_slice(b"\">\n<head>\n");
        self.push_charset(out);
        if self.rooted {
            out.extend_from_slice(b"<base href=\"/\">\n");
        }
        out.extend_from_slice(b"<title>Page ");
        push_number(u64::from(self.id.page), out);
        out.extend_from_slice(b" of h");
        push_number(u64::from(self.id.host), out);
        out.extend_from_slice(b" &ndash; ");
        out.extend_from_slice(&self.text.heading);
        out.extend_from_slice(b"</title>\n<meta name=\"description\" content=\"");
        out.extend_from_slice(&self.text.heading);
        out.extend_from_slice(b", ");
        push_number(self.draw.bits() >> 40, out);
        out.extend_from_slice(b"\">\n<link rel=\"canonical\" href=\"");
        let start = out.len();
        self.plan.web.push_url(self.id, out);
        if let Some(at) = out.iter().skip(start).position(|byte| *byte == b'&') {
            out.splice(start + at..=start + at, b"&amp;".iter().copied());
        }
        out.extend_from_slice(
            b"\">\n<link rel=\"stylesheet\" href=\"/style.css\">\n</head>\n<body>\n",
        );
        out.extend_from_slice(DECOYS);
        if !self.rooted {
            // Where a base element is, this would be a link to the root.
            out.extend_from_slice(b"<a href=\"#top\">up</a>\n");
        }
    }

    fn push_charset(&self, out: &mut Vec<u8>) {
        let Some(label) = self.charset.label() else {
            return;
        };
        match self.plan.declared(self.id) {
            Declared::Meta | Declared::HeaderAndMeta => {
                out.extend_from_slice(b"<meta charset=\"");
                out.extend_from_slice(label.as_bytes());
            }
            Declared::HttpEquiv => {
                out.extend_from_slice(
                    b"<meta http-equiv=\"Content-Type\" content=\"text/html; charset=",
                );
                out.extend_from_slice(label.as_bytes());
            }
            Declared::Header | Declared::Nowhere => return,
        }
        out.extend_from_slice(b"\">\n");
    }

    /// Writes the links, spread evenly over the paragraphs of the page.
    fn push_links(&mut self, start: usize, size: usize, out: &mut Vec<u8>) {
        let plan = self.plan;
        let path = std::mem::take(&mut self.path);
        let name = path.split(|byte| *byte == b'?').next().unwrap_or_default();
        let slash = name
            .iter()
            .rposition(|byte| *byte == b'/')
            .unwrap_or_default();
        let directory = if self.rooted {
            b"/"
        } else {
            name.get(..=slash).unwrap_or(b"/")
        };
        let base = Base {
            web: &plan.web,
            host: self.id.host,
            directory,
            raw_utf8: self.charset == Charset::Utf8,
        };
        let twin = self.draw.unit() < plan.web.nofollow;
        let mut filler = self.draw.bits();
        let count = std::cell::Cell::new(1);
        let mut written = 0;
        let mut scratch = Vec::with_capacity(64);
        let text = self.text;
        plan.each_link(
            self.id,
            |counts| count.set(counts.all().max(1) as usize),
            |link| {
                let due = start + size * written / count.get();
                push_filler(text, &mut filler, due, out);
                push_link(base, link, text, "", &mut scratch, out);
                if written == 0 && twin {
                    push_link(base, link, text, " rel=\"nofollow\"", &mut scratch, out);
                }
                written += 1;
            },
        );
        self.path = path;
    }

    /// Fills the page up to its size and ends it.
    fn push_end(&mut self, start: usize, size: usize, out: &mut Vec<u8>) {
        let end = (start + size).saturating_sub(TAIL.len());
        let mut filler = self.draw.bits();
        push_filler(self.text, &mut filler, end, out);
        if out.len() < end {
            out.resize(end, b'\n');
        }
        out.extend_from_slice(TAIL);
    }
}

/// Writes paragraphs as long as they end before `due`.
fn push_filler(text: &Text, filler: &mut u64, due: usize, out: &mut Vec<u8>) {
    loop {
        let paragraph = text.paragraph(*filler);
        if paragraph.is_empty() || out.len() + paragraph.len() > due {
            return;
        }
        out.extend_from_slice(paragraph);
        *filler = filler.wrapping_add(1);
    }
}

fn push_link(
    base: Base<'_>,
    link: Link,
    text: &Text,
    attributes: &str,
    path: &mut Vec<u8>,
    out: &mut Vec<u8>,
) {
    let style = link.style;
    let anchor = text.anchor(style >> 36 & 0xFFFF);
    if style >> 52 & 63 == 0 {
        out.extend_from_slice(b"<map name=m><area alt=\"");
        out.extend_from_slice(anchor);
        out.push(b'"');
        push_href(base, link.to, style, path, out);
        out.extend_from_slice(attributes.as_bytes());
        out.extend_from_slice(b"></map>\n");
        return;
    }
    out.extend_from_slice(match style >> 58 & 15 {
        0 => b"<A CLASS=link",
        1 => b"<a\n data-n='>'",
        2 => b"<a title=\"a\" ",
        _ => b"<a",
    });
    push_href(base, link.to, style, path, out);
    out.extend_from_slice(attributes.as_bytes());
    if style >> 62 == 0 {
        out.extend_from_slice(b"><b>");
        out.extend_from_slice(anchor);
        out.extend_from_slice(b"</b></a>\n");
    } else {
        out.push(b'>');
        out.extend_from_slice(anchor);
        out.extend_from_slice(b"</a>\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::Web;

    fn page(web: &Web, host: u32, page: u32) -> Vec<u8> {
        let mut out = Vec::new();
        Plan::new(web.clone()).push_page(PageId { host, page }, &mut out);
        out
    }

    #[test]
    fn light_pages_have_their_size() {
        let web = Web::light(3, 100, 20_000);
        for number in 0..100 {
            assert_eq!(page(&web, 7, number).len(), 22_000);
        }
    }

    #[test]
    fn a_page_follows_from_the_seed() {
        for web in [Web::plain(3, 10, 100), Web::realistic(3, 10, 500)] {
            let other = Web {
                seed: 4,
                ..web.clone()
            };
            for number in 0..10 {
                assert_eq!(page(&web, 2, number), page(&web, 2, number));
                assert_ne!(page(&web, 2, number), page(&other, 2, number));
            }
            assert_ne!(page(&web, 2, 1), page(&web, 2, 2));
        }
    }

    #[test]
    fn every_link_is_written_and_the_nofollow_twin_too() {
        let web = Web {
            nofollow: 1.0,
            ..Web::plain(3, 10, 1_000)
        };
        let text = String::from_utf8(page(&web, 2, 5)).unwrap().to_lowercase();
        // The decoys have five more, and the canonical link and the stylesheet one each.
        assert_eq!(text.matches("href=").count(), 35 + 1 + 5 + 2);
        assert_eq!(text.matches("rel=\"nofollow\"").count(), 1);
        assert!(text.ends_with("</body></html>\n"));
    }
}
