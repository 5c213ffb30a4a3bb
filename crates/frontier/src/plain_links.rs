//! Links that are written plainly, joined without the URL parser.
//!
//! Nine of ten links are a path, a name beside the page, or a whole URL on the page's own host, in letters
//! that the URL Standard leaves as they are. For those its answer is a concatenation. Everything else is
//! the parser's: what is not surely plain is not answered here.

use url::{Position, Url};

use crate::canonical::{CanonicalPolicy, QueryPolicy, SCHEMES, is_dropped};

/// A canonical URL in its parts, of which the text is made by writing them one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Joined<'a> {
    /// Scheme and authority: `http://a.test:8080`.
    pub(crate) origin: &'a str,
    /// Of the base: empty, or from its first slash to a last one.
    pub(crate) directory: &'a str,
    /// Of the link.
    pub(crate) rest: &'a str,
}

/// Whether the URL Standard's parser leaves a byte as it is, in a path and in a query.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' | b'!'
        | b'$' | b'&' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' | b':' | b'@' | b'%' | b'?')
}

const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0;
    while byte < plain.len() {
        #[expect(
            clippy::indexing_slicing,
            reason = "in a constant, and bounded by the loop"
        )]
        {
            plain[byte] = is_plain(byte as u8);
        }
        byte += 1;
    }
    plain
};

/// Joins a link to its base; `None` where the parser has to be asked.
pub(crate) fn join_plain<'a>(
    base: &'a Url,
    href: &'a str,
    policy: &CanonicalPolicy,
) -> Option<Joined<'a>> {
    let href = href.split('#').next().filter(|href| !href.is_empty())?;
    let plain = |byte: u8| PLAIN.get(usize::from(byte)).copied().unwrap_or(false);
    if !href.bytes().fold(true, |all, byte| all & plain(byte)) {
        return None;
    }
    let has_credentials = !base.username().is_empty() || base.password().is_some();
    if has_credentials || !SCHEMES.contains(&base.scheme()) {
        return None;
    }
    let origin = &base[..Position::BeforePath];
    let (directory, rest) = match href.as_bytes() {
        [b'/', b'/', ..] | [b'?', ..] => return None,
        [b'/', ..] => ("", href),
        _ if has_scheme(href) => ("", href.strip_prefix(origin)?),
        _ => beside(base.path(), href)?,
    };
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (rest, None),
    };
    let begins = if directory.is_empty() {
        path.starts_with('/')
    } else {
        !path.starts_with('.')
    };
    if !begins || has_dots(path) || policy.strip_sessions && path.contains([';', '(']) {
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
    Some(Joined {
        origin,
        directory,
        rest,
    })
}

/// Whether a link begins with what may be a scheme.
fn has_scheme(href: &str) -> bool {
    let end = href.bytes().find(|byte| matches!(byte, b':' | b'/' | b'?'));
    end == Some(b':')
}

/// The directory that a relative link leads to, and the rest of the link.
fn beside<'a>(path: &'a str, href: &'a str) -> Option<(&'a str, &'a str)> {
    let mut directory = path.get(..=path.rfind('/')?)?;
    let mut rest = href;
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
fn has_dots(path: &str) -> bool {
    let bytes = path.as_bytes();
    bytes.windows(2).any(|pair| pair == b"/.")
        || bytes
            .windows(3)
            .any(|three| matches!(three, [b'%', b'2', b'e' | b'E']))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::canonical::CanonicalUrl;

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
        let Some(joined) = join_plain(&base, href, policy) else {
            return false;
        };
        let text = format!("{}{}{}", joined.origin, joined.directory, joined.rest);
        let parsed = CanonicalUrl::from_url(base.join(href).unwrap(), policy).unwrap();
        assert_eq!(text, parsed.as_str(), "{href:?} on {base}");
        let made = CanonicalUrl::join(&base, href, policy).unwrap();
        assert_eq!(made, parsed, "{href:?} on {base}");
        true
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
            "x%20y/%C3%A9",
        ];
        for href in plain {
            let answered = BASES
                .iter()
                .filter(|base| agrees(base, href, &CanonicalPolicy::default()));
            let absolute = href.starts_with("http:");
            let count = answered.count();
            assert!(count >= if absolute { 2 } else { 4 }, "{href} {count}");
        }
        let not_plain = [
            "",
            "#x",
            "?x",
            "//b.test/",
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
            href in "(\\.{0,2}/){0,3}([a-c.:%2eE;(?&=/#@_é ]|jsessionid=|utm_x=1|http://a\\.test|PHPSESSID=){0,8}",
            base in 0..BASES.len(),
            policy in 0..5usize,
        ) {
            agrees(BASES[base], &href, &policies()[policy]);
        }
    }
}
