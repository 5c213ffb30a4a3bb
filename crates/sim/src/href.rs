//! The many ways in which one link is written.

use crate::address::PageId;
use crate::web::Web;

/// The place that relative links of a page are relative to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Base<'a> {
    pub(crate) web: &'a Web,
    pub(crate) host: u32,
    /// The path up to and with its last slash.
    pub(crate) directory: &'a [u8],
    /// Whether bytes beyond ASCII may stand in the page as UTF-8.
    pub(crate) raw_utf8: bool,
}

/// How an attribute value is quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quote {
    Double,
    Single,
    None,
}

/// Writes ` href=...`, such that the WHATWG URL and HTML rules give exactly the page `to`
/// (a fragment apart). Form and quoting follow from `style`.
///
/// `path` is a buffer to write in.
pub(crate) fn push_href(
    base: Base<'_>,
    to: PageId,
    style: u64,
    path: &mut Vec<u8>,
    out: &mut Vec<u8>,
) {
    let quote = match style >> 8 & 15 {
        0..=9 => Quote::Double,
        10..=12 => Quote::Single,
        _ => Quote::None,
    };
    let upper = style >> 12 & 63 == 0;
    out.extend_from_slice(if upper { b" HREF=" } else { b" href=" });
    let spaced = quote != Quote::None && style >> 18 & 63 == 0;
    let mark = match quote {
        Quote::Double => Some(b'"'),
        Quote::Single => Some(b'\''),
        Quote::None => None,
    };
    out.extend(mark);
    if spaced {
        out.extend_from_slice(b" \n");
    }
    push_form(base, to, style, path, out);
    if style >> 24 & 15 == 0 {
        out.extend_from_slice(b"#part-");
        out.push(b'a' + (style >> 28 & 15) as u8);
    }
    if spaced {
        out.push(b' ');
    }
    out.extend(mark);
}

fn push_form(base: Base<'_>, to: PageId, style: u64, path: &mut Vec<u8>, out: &mut Vec<u8>) {
    let form = style & 0xFF;
    path.clear();
    base.web.push_path(to, path);
    let start = out.len();
    match form {
        0..=109 if to.host == base.host => out.extend_from_slice(path),
        110..=179 if to.host == base.host => push_relative(base.directory, path, out),
        180..=187 if to.host == base.host => {
            out.extend_from_slice(b"/x/../.");
            out.extend_from_slice(path);
        }
        _ => {
            push_origin(base.web, to.host, form, out);
            out.extend_from_slice(path);
        }
    }
    escape(start, base.raw_utf8, style, out);
}

/// Writes scheme and authority: mostly plain, sometimes without the scheme or in capitals.
fn push_origin(web: &Web, host: u32, form: u64, out: &mut Vec<u8>) {
    let start = out.len();
    match form % 16 {
        0 => out.extend_from_slice(b"//"),
        1 if web.tls => out.extend_from_slice(b"HTTPS://"),
        1 => out.extend_from_slice(b"HTTP://"),
        _ if web.tls => out.extend_from_slice(b"https://"),
        _ => out.extend_from_slice(b"http://"),
    }
    web.push_authority(host, out);
    if form % 16 == 1 {
        out.iter_mut()
            .skip(start)
            .for_each(u8::make_ascii_uppercase);
    }
}

/// Writes the bare rest of the path where it lies below the page's own directory, otherwise a `../`
/// for each directory above (`./` where there is none).
fn push_relative(directory: &[u8], path: &[u8], out: &mut Vec<u8>) {
    if let Some(rest) = path.strip_prefix(directory).filter(|rest| !rest.is_empty()) {
        out.extend_from_slice(rest);
        return;
    }
    let depth = directory
        .iter()
        .filter(|byte| **byte == b'/')
        .count()
        .saturating_sub(1);
    if depth == 0 {
        out.extend_from_slice(b"./");
    }
    for _ in 0..depth {
        out.extend_from_slice(b"../");
    }
    out.extend_from_slice(path.get(1..).unwrap_or_default());
}

/// Writes `&` as a character reference (three times of four) and, where the page may, the
/// percent-encoded letter as it is. No path has more than one `&`, and the only percent-encoded bytes
/// are those of one letter.
fn escape(start: usize, raw_utf8: bool, style: u64, out: &mut Vec<u8>) {
    let reference: &[u8] = match style >> 32 & 3 {
        0 => b"&",
        1 => b"&#38;",
        _ => b"&amp;",
    };
    let written = out.get(start..).unwrap_or_default();
    if let Some(at) = written.iter().position(|byte| *byte == b'&') {
        out.splice(start + at..=start + at, reference.iter().copied());
    } else if raw_utf8
        && style >> 34 & 1 == 0
        && let Some(at) = written.iter().position(|byte| *byte == b'%')
    {
        out.splice(start + at..start + at + 6, [0xC3, 0xA9]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::{Draw, Topic};

    fn decode(attribute: &[u8]) -> String {
        let text = String::from_utf8(attribute.to_vec()).unwrap();
        let value = text.trim_start().split_once('=').unwrap().1;
        let value = value.trim_matches(['"', '\'']);
        value.replace("&amp;", "&").replace("&#38;", "&")
    }

    #[test]
    fn every_way_of_writing_leads_to_the_page() {
        let web = Web {
            public_port: Some(8080),
            ..Web::realistic(2, 3, 600)
        };
        let mut draw = Draw::new(1, Topic::Body, 0, 0);
        let mut bare = 0;
        for _ in 0..40_000 {
            let from = PageId {
                host: draw.below(3),
                page: draw.below(200),
            };
            let to = PageId {
                host: draw.below(3),
                page: draw.below(200),
            };
            let path = web.path(from);
            let slash = path.split('?').next().unwrap().rfind('/').unwrap();
            let base = Base {
                web: &web,
                host: from.host,
                directory: &path.as_bytes()[..=slash],
                raw_utf8: true,
            };
            let mut out = Vec::new();
            push_href(base, to, draw.bits(), &mut Vec::new(), &mut out);
            let href = decode(&out);
            bare += usize::from(!href.contains('/'));
            let page = url::Url::parse(&web.url(&web.host_name(from.host), &path)).unwrap();
            let mut joined = page.join(&href).unwrap();
            joined.set_fragment(None);
            let wanted = web.url(&web.host_name(to.host), &web.path(to));
            assert_eq!(joined.as_str(), wanted, "{href:?} on {page}");
        }
        assert!(bare > 10, "{bare} bare names");
    }

    #[test]
    fn a_secure_web_links_with_its_own_scheme() {
        let web = Web {
            tls: true,
            public_port: Some(8443),
            ..Web::plain(2, 3, 600)
        };
        let base = Base {
            web: &web,
            host: 0,
            directory: b"/",
            raw_utf8: false,
        };
        for style in 0..=255 {
            let mut out = Vec::new();
            push_href(
                base,
                PageId { host: 1, page: 0 },
                style,
                &mut Vec::new(),
                &mut out,
            );
            let href = decode(&out);
            let page = url::Url::parse("https://h0.sim.test:8443/").unwrap();
            let mut joined = page.join(&href).unwrap();
            joined.set_fragment(None);
            assert_eq!(joined.as_str(), "https://h1.sim.test:8443/");
        }
    }
}
