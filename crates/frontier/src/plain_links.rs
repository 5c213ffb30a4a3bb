//! Links that are written plainly, joined without the URL parser.
//!
//! Nine of ten links are a path, a name beside the page, or a whole URL on a host that was linked to
//! before, in letters that the URL Standard leaves as they are. For those its answer is a concatenation.
//! Everything else is the parser's: what is not surely plain is not answered here.

use std::cell::OnceCell;

use url::{Position, Url};

use crate::canonical::{
    CanonicalPolicy, CanonicalUrl, NotCanonical, QueryPolicy, SCHEMES, is_dropped,
};

/// What links of one page are resolved against.
#[derive(Clone, Debug)]
pub struct LinkBase<'a> {
    url: &'a Url,
    /// `http` or `https`; empty where none is joined here.
    scheme: &'a str,
    /// Scheme and authority: `http://a.test:8080`.
    origin: &'a str,
    /// The path up to its last slash.
    directory: &'a str,
    policy: &'a CanonicalPolicy,
    /// What a link to a place in the page itself leads to, once there was one; pages of documentation
    /// have hundreds.
    own: OnceCell<Option<CanonicalUrl>>,
}

impl<'a> LinkBase<'a> {
    /// Links are resolved against this URL, and made canonical so.
    pub fn new(url: &'a Url, policy: &'a CanonicalPolicy) -> LinkBase<'a> {
        let has_credentials = !url.username().is_empty() || url.password().is_some();
        let is_crawled = SCHEMES.contains(&url.scheme()) && !has_credentials;
        let path = url.path();
        let slash = path.rfind('/').unwrap_or(0);
        LinkBase {
            url,
            scheme: if is_crawled { url.scheme() } else { "" },
            origin: &url[..Position::BeforePath],
            directory: path.get(..=slash).unwrap_or_default(),
            policy,
            own: OnceCell::new(),
        }
    }

    /// The canonical URL of the base itself.
    fn own(&self) -> Option<&CanonicalUrl> {
        let join = || CanonicalUrl::join(self.url, "", self.policy).ok();
        self.own.get_or_init(join).as_ref()
    }
}

/// Origins that were linked to lately, in their canonical spelling: a link that spells one so needs no
/// parser to be split.
#[derive(Debug)]
pub struct KnownOrigins {
    /// Each at the place that its hash gives; a newer one takes the place of an older one.
    slots: Vec<Box<str>>,
}

impl Default for KnownOrigins {
    fn default() -> KnownOrigins {
        KnownOrigins {
            slots: vec![Box::default(); KnownOrigins::SLOTS],
        }
    }
}

impl KnownOrigins {
    const SLOTS: usize = 1024;
    /// With the number of slots that bounds the memory.
    const BYTES_MAX: usize = 128;

    fn place(origin: &str) -> usize {
        // Whoever makes two of them collide makes himself a little slower.
        let add = |sum: u32, byte: u8| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        let hash = origin.bytes().rev().take(24).fold(0x811C_9DC5, add);
        (hash ^ hash >> 16) as usize % KnownOrigins::SLOTS
    }

    fn knows(&self, origin: &str) -> bool {
        let slot = self.slots.get(KnownOrigins::place(origin));
        slot.is_some_and(|known| **known == *origin)
    }

    /// Learns the origin of a link that the parser gave `url` for, if the link spells it so.
    fn learn(&mut self, href: &str, origin: &str) {
        let bare = origin.split_once(':').map_or(origin, |(_, bare)| bare);
        if origin.len() <= KnownOrigins::BYTES_MAX
            && (href.starts_with(origin) || href.starts_with(bare))
            && let Some(slot) = self.slots.get_mut(KnownOrigins::place(origin))
        {
            *slot = origin.into();
        }
    }
}

/// Resolves a link as [`CanonicalUrl::join`] does, and writes the canonical URL behind what is in `out`.
/// Made for many links: most are joined without a parser, and those take no allocation.
///
/// # Errors
/// [`NotCanonical`] when the result is no http or https URL; `out` is then as it was.
pub fn join_onto(
    out: &mut String,
    base: &LinkBase<'_>,
    href: &str,
    origins: &mut KnownOrigins,
) -> Result<(), NotCanonical> {
    if href.starts_with('#')
        && let Some(own) = base.own()
    {
        out.push_str(own.as_str());
        return Ok(());
    }
    let Some(joined) = join_plain(base, href, origins) else {
        let url = CanonicalUrl::join(base.url, href, base.policy)?;
        origins.learn(href, url.origin());
        out.push_str(url.as_str());
        return Ok(());
    };
    if let Some(scheme) = joined.scheme {
        out.push_str(scheme);
        out.push(':');
    }
    out.push_str(joined.origin);
    out.push_str(joined.directory);
    out.push_str(joined.rest);
    Ok(())
}

/// A canonical URL in its parts, which make it when they are written one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Joined<'a> {
    /// Scheme and colon, where the link begins with two slashes.
    scheme: Option<&'a str>,
    /// Scheme and authority; of the base, or empty.
    origin: &'a str,
    /// Of the base: empty, or from its first slash to a last one.
    directory: &'a str,
    /// Of the link.
    rest: &'a str,
}

/// What is to be known of a byte: whether the parser leaves it as it is, in a path and in a query, and
/// whether it may mean something beside itself.
mod class {
    pub(super) const FOREIGN: u8 = 1;
    pub(super) const DOT: u8 = 2;
    pub(super) const QUESTION: u8 = 4;
    pub(super) const PERCENT: u8 = 8;
    /// Sessions are written with them.
    pub(super) const SESSION: u8 = 16;

    const fn of(byte: u8) -> u8 {
        match byte {
            b'.' => DOT,
            b'?' => QUESTION,
            b'%' => PERCENT,
            b';' | b'(' => SESSION,
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b'/'
            | b'-'
            | b'_'
            | b'~'
            | b'!'
            | b'$'
            | b'&'
            | b')'
            | b'*'
            | b'+'
            | b','
            | b'='
            | b':'
            | b'@' => 0,
            _ => FOREIGN,
        }
    }

    pub(super) const OF: [u8; 256] = {
        let mut table = [0; 256];
        let mut byte = 0;
        while byte < table.len() {
            #[expect(
                clippy::indexing_slicing,
                reason = "in a constant, and bounded by the loop"
            )]
            {
                table[byte] = of(byte as u8);
            }
            byte += 1;
        }
        table
    };
}

/// Joins a link to its base; `None` where the parser has to be asked.
fn join_plain<'a>(
    base: &LinkBase<'a>,
    href: &'a str,
    origins: &KnownOrigins,
) -> Option<Joined<'a>> {
    let policy = base.policy;
    let href = match memchr::memchr(b'#', href.as_bytes()) {
        Some(end) => href.get(..end)?,
        None => href,
    };
    let class = |byte: u8| class::OF.get(usize::from(byte)).copied().unwrap_or(0);
    let classes = href.bytes().fold(0, |all, byte| all | class(byte));
    if classes & class::FOREIGN != 0 || base.scheme.is_empty() {
        return None;
    }
    let mut joined = Joined {
        scheme: None,
        origin: base.origin,
        directory: "",
        rest: href,
    };
    let tail = match href.as_bytes() {
        [] | [b'?', ..] => return None,
        [b'/', b'/', ..] => {
            joined = Joined {
                scheme: Some(base.scheme),
                origin: "",
                ..joined
            };
            let after = after_authority(href, "//".len())?;
            let origin = [base.scheme, ":", href.get(..after)?].concat();
            origins.knows(&origin).then(|| href.get(after..))??
        }
        [b'/', ..] => href,
        _ if let Some(after) = after_scheme(href) => {
            joined.origin = "";
            let after = after_authority(href, after)?;
            let origin = href.get(..after)?;
            let is_known = origin == base.origin || origins.knows(origin);
            is_known.then(|| href.get(after..))??
        }
        _ => {
            (joined.directory, joined.rest) = beside(base.directory, href)?;
            if joined.rest.starts_with('.') {
                return None;
            }
            joined.rest
        }
    };
    let (path, query) = match tail.split_once('?') {
        Some((path, query)) if classes & class::QUESTION != 0 => (path, Some(query)),
        _ => (tail, None),
    };
    let is_session = classes & class::SESSION != 0 && policy.strip_sessions;
    if is_session && path.contains([';', '(']) || has_dots(path, classes) {
        return None;
    }
    if let Some(query) = query
        && (policy.query != QueryPolicy::Keep
            || query
                .split('&')
                .any(|parameter| is_dropped(parameter, policy)))
    {
        return None;
    }
    Some(joined)
}

/// Where a link's authority begins, if it begins with a scheme; past its end where the parser has to say
/// what it is.
fn after_scheme(href: &str) -> Option<usize> {
    let end = href
        .bytes()
        .position(|byte| matches!(byte, b':' | b'/' | b'?'))?;
    let (scheme, rest) = href.split_at_checked(end)?;
    let is_plain = SCHEMES.contains(&scheme) && rest.starts_with("://");
    let after = if is_plain {
        end + "://".len()
    } else {
        href.len() + 1
    };
    rest.starts_with(':').then_some(after)
}

/// The place of the slash behind the authority that begins at `from`.
fn after_authority(href: &str, from: usize) -> Option<usize> {
    let rest = href.get(from..)?.as_bytes();
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?'))?;
    (rest.get(end) == Some(&b'/')).then_some(from + end)
}

/// The directory that a relative link leads to, and the rest of the link.
fn beside<'a>(directory: &'a str, href: &'a str) -> Option<(&'a str, &'a str)> {
    let (mut directory, mut rest) = (directory, href);
    loop {
        if let Some(after) = rest.strip_prefix("../") {
            // Above the root is the root.
            let parent = directory
                .strip_suffix('/')
                .and_then(|inner| inner.rfind('/'));
            directory = directory.get(..=parent.unwrap_or(0))?;
            rest = after;
        } else if let Some(after) = rest.strip_prefix("./") {
            rest = after;
        } else {
            return Some((directory, rest));
        }
    }
}

/// Whether a path has a segment that may be `.` or `..`, be it percent-encoded.
fn has_dots(path: &str, classes: u8) -> bool {
    let bytes = path.as_bytes();
    let is_dot = |at: usize| {
        at.checked_sub(1)
            .is_some_and(|before| bytes.get(before) == Some(&b'/'))
    };
    let is_encoded = |at: usize| matches!(bytes.get(at..at + 3), Some([b'%', b'2', b'e' | b'E']));
    (classes & class::DOT != 0 && memchr::memchr_iter(b'.', bytes).any(is_dot))
        || (classes & class::PERCENT != 0 && memchr::memchr_iter(b'%', bytes).any(is_encoded))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn policies() -> Vec<CanonicalPolicy> {
        let plain = CanonicalPolicy::default();
        vec![
            CanonicalPolicy {
                strip_sessions: true,
                ..plain.clone()
            },
            CanonicalPolicy {
                query: QueryPolicy::Sort,
                ..plain.clone()
            },
            CanonicalPolicy {
                query: QueryPolicy::Drop,
                ..plain.clone()
            },
            CanonicalPolicy {
                drop_parameters: vec!["utm_*".to_owned()],
                ..plain.clone()
            },
            plain,
        ]
    }

    /// Holds what is answered here against the parser; returns whether it was.
    fn agrees(base: &str, href: &str, policy: &CanonicalPolicy) -> bool {
        let base = Url::parse(base).unwrap();
        let mut origins = KnownOrigins::default();
        let parsed = base
            .join(href)
            .ok()
            .and_then(|url| CanonicalUrl::from_url(url, policy).ok());
        let base = LinkBase::new(&base, policy);
        // Once with no origin known, and once with the link's own.
        let mut answered = false;
        for _ in 0..2 {
            answered = join_plain(&base, href, &origins).is_some();
            let mut text = String::from("before");
            let joined = join_onto(&mut text, &base, href, &mut origins);
            let expected = parsed.as_ref().map(CanonicalUrl::as_str);
            let found = joined
                .is_ok()
                .then(|| text.strip_prefix("before"))
                .flatten();
            assert_eq!(found, expected, "{href:?} on {}", base.url);
            assert!(found.is_some() || text == "before");
        }
        answered
    }

    const BASES: [&str; 5] = [
        "http://a.test/",
        "http://a.test/b/c/d.html?e=/f",
        "https://a.test:8443/b//c/",
        "http://a.test/b;c/(d)/%2e%2E/%20",
        "http://[::1]:80/x/y",
    ];

    #[test]
    fn plain_links_are_answered_as_the_parser_does() {
        let plain = [
            "/",
            "/x/y.html?z=1&utm_a=2#part",
            "x",
            "x/y/?",
            "./x",
            "../x",
            "../../../../x",
            "../",
            "./../x/",
            "http://a.test/x:y",
            "//b.test:81/",
            "x%20y/%C3%A9",
        ];
        for href in plain {
            let answered = BASES
                .iter()
                .filter(|base| agrees(base, href, &CanonicalPolicy::default()));
            assert!(answered.count() >= 4, "{href}");
        }
        let not_plain = [
            "",
            "#x",
            "?x",
            "//B.test/",
            "//b.test",
            "/x/../y",
            "x/.",
            "/%2E./",
            "mailto:x",
            "HTTP://a.test/",
            "http:x",
            " x",
            "/é",
            "/a b",
            "\\x",
            "/a\"",
            "/..",
            ".x",
            "..",
            "http://a.test",
            "http://a.test:80/",
        ];
        for href in not_plain {
            for base in BASES {
                assert!(
                    !agrees(base, href, &CanonicalPolicy::default()),
                    "{href} on {base}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_is_answered_is_the_parser_s_answer(
            href in "(\\.{0,2}/){0,3}([a-c.:%2eE;(?&=/#@_é ]|jsessionid=|utm_x=1|http://[aA]\\.test|PHPSESSID=){0,8}",
            base in 0..BASES.len(),
            policy in 0..5usize,
        ) {
            agrees(BASES[base], &href, &policies()[policy]);
        }
    }
}
