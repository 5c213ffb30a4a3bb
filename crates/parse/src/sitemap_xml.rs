//! Sitemaps and feeds in XML, read as a stream of events.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::references::{Place, decode_attribute, read_reference};
use crate::sitemap::{Sitemap, SitemapEntry, SitemapKind, SitemapLimits, SitemapWarning};

/// Bytes kept of a field that is no URL.
const FIELD_BYTES_MAX: usize = 128;

/// What an element inside an entry tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Loc,
    /// A URL that counts when there is no other: the `guid` of RSS.
    Identifier,
    Lastmod,
    Changefreq,
    Priority,
}

struct XmlSitemap<'a> {
    limits: &'a SitemapLimits,
    sitemap: &'a mut Sitemap,
    /// Open elements.
    depth: usize,
    /// The entry being read and its depth.
    entry: Option<(SitemapEntry, usize)>,
    /// The field being read, its depth and its text so far.
    field: Option<(Field, usize, String)>,
}

/// Reads the XML document `text` into `sitemap`. Ends at the first thing that is not well-formed.
pub(crate) fn read_xml(text: &str, limits: &SitemapLimits, sitemap: &mut Sitemap) {
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.allow_dangling_amp = true;
    config.allow_unmatched_ends = true;
    config.check_end_names = false;
    let mut state = XmlSitemap {
        limits,
        sitemap,
        depth: 0,
        entry: None,
        field: None,
    };
    loop {
        let goes_on = match reader.read_event() {
            Ok(Event::Eof) => false,
            Ok(event) => state.take(event),
            Err(_) => {
                state.sitemap.warn(SitemapWarning::Malformed);
                false
            }
        };
        if !goes_on {
            break;
        }
    }
}

impl XmlSitemap<'_> {
    /// Takes an event; whether reading goes on.
    fn take(&mut self, event: Event) -> bool {
        match event {
            Event::Start(tag) => {
                self.open(&tag);
                if self.depth > self.limits.max_depth {
                    self.sitemap.warn(SitemapWarning::TooDeep);
                    return false;
                }
            }
            Event::Empty(tag) => {
                self.open(&tag);
                return self.close();
            }
            Event::End(_) => return self.close(),
            Event::Text(text) => self.push_text(&text),
            Event::CData(text) => self.push_text(&text),
            Event::GeneralRef(reference) => {
                let written = format!("&{};", &*reference);
                if let Some((_, characters)) = read_reference(&written, Place::Text) {
                    let mut decoded = String::new();
                    characters.push_to(&mut decoded);
                    self.push_text(&decoded);
                }
            }
            _ => {}
        }
        true
    }

    fn open(&mut self, tag: &BytesStart) {
        self.depth += 1;
        let local = tag.local_name();
        let name = local.as_ref();
        // Where ends are missing or too many, a second root may come: what the first was, holds.
        if self.depth == 1 && self.sitemap.kind == SitemapKind::Unknown {
            self.sitemap.kind = kind_of_root(name);
        }
        let kind = self.sitemap.kind;
        match &mut self.entry {
            None if is_entry(kind, name, self.depth) => {
                self.entry = Some((SitemapEntry::default(), self.depth));
            }
            Some((entry, depth)) if self.depth == *depth + 1 => {
                if name == "link" && kind != SitemapKind::Rss {
                    take_link(entry, tag, kind, self.limits);
                } else if let Some(field) = field_of(kind, name, tag) {
                    self.field = Some((field, self.depth, String::new()));
                }
            }
            _ => {}
        }
    }

    fn close(&mut self) -> bool {
        let closed = self.depth;
        self.depth = closed.saturating_sub(1);
        if let Some((field, _, text)) = self.field.take_if(|(_, depth, _)| *depth >= closed)
            && let Some((entry, _)) = &mut self.entry
        {
            set_field(entry, field, text.trim());
        }
        match self.entry.take_if(|(_, depth)| *depth >= closed) {
            Some((entry, _)) => self.sitemap.push(entry, self.limits),
            None => true,
        }
    }

    /// Adds text to the open field. A URL may become one byte longer than its limit, and is dropped then.
    fn push_text(&mut self, text: &str) {
        let Some((field, _, out)) = &mut self.field else {
            return;
        };
        let text = if out.is_empty() {
            text.trim_ascii_start()
        } else {
            text
        };
        let bound = match field {
            Field::Loc | Field::Identifier => self.limits.max_url_bytes + 1,
            _ => FIELD_BYTES_MAX,
        };
        for character in text.chars() {
            if out.len() >= bound {
                break;
            }
            out.push(character);
        }
    }
}

fn kind_of_root(name: &str) -> SitemapKind {
    match name {
        "urlset" => SitemapKind::UrlSet,
        "sitemapindex" => SitemapKind::Index,
        "rss" | "RDF" => SitemapKind::Rss,
        "feed" => SitemapKind::Atom,
        _ => SitemapKind::Unknown,
    }
}

fn is_entry(kind: SitemapKind, name: &str, depth: usize) -> bool {
    match kind {
        SitemapKind::UrlSet | SitemapKind::Index => depth == 2 && matches!(name, "url" | "sitemap"),
        SitemapKind::Rss => name == "item",
        SitemapKind::Atom => depth == 2 && name == "entry",
        SitemapKind::Text | SitemapKind::Unknown => false,
    }
}

fn field_of(kind: SitemapKind, name: &str, tag: &BytesStart) -> Option<Field> {
    match (kind, name) {
        (SitemapKind::Rss, "link") => Some(Field::Loc),
        (SitemapKind::Rss, "guid") => {
            let is_url = attribute(tag, "isPermaLink").is_none_or(|value| value != "false");
            is_url.then_some(Field::Identifier)
        }
        (SitemapKind::Rss, "pubDate" | "date") => Some(Field::Lastmod),
        (SitemapKind::Atom, "updated") => Some(Field::Lastmod),
        (SitemapKind::UrlSet | SitemapKind::Index, "loc") => Some(Field::Loc),
        (SitemapKind::UrlSet | SitemapKind::Index, "lastmod") => Some(Field::Lastmod),
        (SitemapKind::UrlSet, "changefreq") => Some(Field::Changefreq),
        (SitemapKind::UrlSet, "priority") => Some(Field::Priority),
        _ => None,
    }
}

/// Sets a field that is not set yet.
fn set_field(entry: &mut SitemapEntry, field: Field, text: &str) {
    let slot = match field {
        Field::Loc | Field::Identifier => {
            let is_url = field == Field::Loc || text.contains("://");
            if entry.loc.is_empty() && is_url {
                entry.loc = text.to_owned();
            }
            return;
        }
        Field::Priority => {
            let priority = text
                .parse()
                .ok()
                .filter(|priority| (0.0..=1.0).contains(priority));
            entry.priority = entry.priority.or(priority);
            return;
        }
        Field::Lastmod => &mut entry.lastmod,
        Field::Changefreq => &mut entry.changefreq,
    };
    if slot.is_none() && !text.is_empty() {
        *slot = Some(text.to_owned());
    }
}

/// Takes a `link`: the URL of an Atom entry, or an alternate of a page.
fn take_link(
    entry: &mut SitemapEntry,
    tag: &BytesStart,
    kind: SitemapKind,
    limits: &SitemapLimits,
) {
    let rel = attribute(tag, "rel");
    let is_alternate = rel.as_deref().is_none_or(|rel| rel == "alternate");
    let Some(href) = attribute(tag, "href").filter(|_| is_alternate) else {
        return;
    };
    let href = href.trim();
    if kind == SitemapKind::Atom {
        if entry.loc.is_empty() {
            entry.loc = href.to_owned();
        }
    } else if entry.alternates.len() < limits.max_alternates && href.len() <= limits.max_url_bytes {
        entry.alternates.push(href.to_owned());
    }
}

fn attribute(tag: &BytesStart, name: &str) -> Option<String> {
    let mut attributes = tag.attributes();
    let found = attributes
        .with_checks(false)
        .flatten()
        .find(|found| found.key.0 == name)?;
    Some(decode_attribute(&found.value).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sitemap::parse_sitemap;

    fn parse(body: &str) -> Sitemap {
        parse_sitemap(body.as_bytes(), &SitemapLimits::default())
    }

    fn locs(body: &str) -> Vec<String> {
        parse(body)
            .entries
            .into_iter()
            .map(|entry| entry.loc)
            .collect()
    }

    #[test]
    fn a_second_root_does_not_change_what_the_sitemap_is() {
        let entry = "<url><loc>http://a/</loc></url>";
        let sitemap = parse(&format!("<urlset>{entry}</urlset><p></p>{entry}"));
        assert_eq!(sitemap.kind, SitemapKind::UrlSet);
        assert_eq!(sitemap.entries.len(), 1);
        let sitemap = parse(&format!("<p></p><urlset>{entry}</urlset>"));
        assert_eq!(sitemap.kind, SitemapKind::UrlSet);
        assert_eq!(sitemap.entries.len(), 1);
    }

    #[test]
    fn entries_have_their_fields() {
        let sitemap = parse(
            "<urlset><url><loc> http://a/?b=1&amp;c=2 </loc><lastmod>2026-01-02</lastmod>\
             <changefreq>daily</changefreq><priority>0.8</priority>\
             <image:image><image:loc>http://a/i.png</image:loc></image:image>\
             <xhtml:link rel='alternate' hreflang='de' href='http://a/de?x=1&amp;y'/></url>\
             <url><loc><![CDATA[http://a/<2>]]></loc><priority>7</priority></url><url/></urlset>",
        );
        let first = SitemapEntry {
            loc: "http://a/?b=1&c=2".to_owned(),
            lastmod: Some("2026-01-02".to_owned()),
            changefreq: Some("daily".to_owned()),
            priority: Some(0.8),
            alternates: vec!["http://a/de?x=1&y".to_owned()],
        };
        let second = SitemapEntry {
            loc: "http://a/<2>".to_owned(),
            ..SitemapEntry::default()
        };
        assert_eq!(sitemap.kind, SitemapKind::UrlSet);
        assert_eq!(sitemap.entries, [first, second]);
        assert_eq!(sitemap.warnings, []);
    }

    #[test]
    fn feeds_give_the_links_of_their_entries() {
        let rss = "<rss><channel><link>http://a/</link><item><link>http://a/1</link>\
                   <pubDate>Sat, 07 Sep 2002 09:42:31 GMT</pubDate></item>\
                   <item><guid isPermaLink='false'>x://3</guid><guid>http://a/2</guid></item></channel></rss>";
        assert_eq!(locs(rss), ["http://a/1", "http://a/2"]);
        assert_eq!(
            locs("<rdf:RDF><item><link>http://a/1</link></item></rdf:RDF>"),
            ["http://a/1"]
        );
        let atom = "<feed><link href='http://a/'/><entry><link rel='self' href='http://a/x'/>\
                    <link href='http://a/1'/><updated>2003-12-13T18:30:02Z</updated></entry></feed>";
        let sitemap = parse(atom);
        assert_eq!(sitemap.kind, SitemapKind::Atom);
        assert_eq!(sitemap.entries[0].loc, "http://a/1");
        assert_eq!(
            sitemap.entries[0].lastmod.as_deref(),
            Some("2003-12-13T18:30:02Z")
        );
    }

    #[test]
    fn broken_files_give_what_stands_before() {
        let sitemap = parse("<urlset><url><loc>http://a/?x=1&y=2</loc></url><url><loc>http://a/2");
        assert_eq!(sitemap.entries[0].loc, "http://a/?x=1&y=2");
        assert_eq!(sitemap.entries.len(), 1);
        let torn = parse("<urlset><url><loc>http://a/1</loc></url><url ");
        assert_eq!(
            (torn.entries.len(), torn.warnings.as_slice()),
            (1, &[SitemapWarning::Malformed][..])
        );
    }

    #[test]
    fn entities_are_not_expanded_and_depth_is_bounded() {
        let bomb = "<!DOCTYPE x [<!ENTITY a 'http://b/'><!ENTITY b '&a;&a;'>]>\
                    <urlset><url><loc>&b;http://a/1</loc></url></urlset>";
        assert_eq!(locs(bomb), ["http://a/1"]);
        let deep = parse(&"<urlset>".repeat(100_000));
        assert_eq!(deep.warnings, [SitemapWarning::TooDeep]);
    }

    #[test]
    fn other_documents_have_no_entries() {
        let page = parse("<html><body><url><loc>http://a/</loc></url></body></html>");
        assert_eq!((page.kind, page.entries.len()), (SitemapKind::Unknown, 0));
    }
}
