//! Where raw text ends: RCDATA, RAWTEXT and script data (WHATWG HTML 13.2.5.2 to 13.2.5.31).

use memchr::memchr2;

use crate::work::{self, find};

/// Where the content of a raw text element ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RawEnd {
    /// The byte after the content.
    pub(crate) text_end: usize,
    /// The byte after the name of the end tag, where its attributes begin; the end of the input when
    /// there is no end tag.
    pub(crate) after_name: usize,
}

/// The end of RCDATA or RAWTEXT from `from`, closed by `</name` (lower case).
pub(crate) fn raw_text_end(bytes: &[u8], from: usize, name: &[u8]) -> RawEnd {
    let mut at = from;
    while let Some(less_than) = find(bytes, at, b'<') {
        if let Some(after_name) = end_tag(bytes, less_than, name) {
            return RawEnd {
                text_end: less_than,
                after_name,
            };
        }
        at = less_than + 1;
    }
    RawEnd {
        text_end: bytes.len(),
        after_name: bytes.len(),
    }
}

/// Whether script data stands in a comment, and in a script inside that comment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escape {
    No,
    Once,
    Twice,
}

/// The end of script data from `from`: `</script` ends it, but not inside `<!-- <script> -->`.
pub(crate) fn script_end(bytes: &[u8], from: usize) -> RawEnd {
    let mut escape = Escape::No;
    let mut at = from;
    while let Some(here) = next_event(bytes, at, escape) {
        at = here + 1;
        let rest = bytes.get(here..).unwrap_or_default();
        if rest.first() == Some(&b'-') {
            if rest.starts_with(b"-->") {
                escape = Escape::No;
            }
            continue;
        }
        match escape {
            Escape::No if rest.starts_with(b"<!--") => {
                escape = Escape::Once;
                at = here + 2; // the dashes may be those of an end: `<!-->`, `<!--->`
            }
            Escape::Once if starts_name(rest.get(1..), b"script").is_some() => {
                escape = Escape::Twice
            }
            Escape::Twice if end_tag(bytes, here, b"script").is_some() => escape = Escape::Once,
            Escape::Twice => {}
            Escape::No | Escape::Once => {
                if let Some(after_name) = end_tag(bytes, here, b"script") {
                    return RawEnd {
                        text_end: here,
                        after_name,
                    };
                }
            }
        }
    }
    RawEnd {
        text_end: bytes.len(),
        after_name: bytes.len(),
    }
}

fn next_event(bytes: &[u8], at: usize, escape: Escape) -> Option<usize> {
    if escape == Escape::No {
        return find(bytes, at, b'<');
    }
    let rest = bytes.get(at..)?;
    let found = memchr2(b'<', b'-', rest);
    work::note(found.unwrap_or(rest.len()) + 1);
    found.map(|length| at + length)
}

/// The byte after the name if `</name` and a byte that ends a name stand at `at`.
fn end_tag(bytes: &[u8], at: usize, name: &[u8]) -> Option<usize> {
    let rest = bytes.get(at..)?.strip_prefix(b"</")?;
    starts_name(Some(rest), name).map(|length| at + 2 + length)
}

/// The length of `name` if `rest` begins with it, in any case, and with a byte that ends a name.
fn starts_name(rest: Option<&[u8]>, name: &[u8]) -> Option<usize> {
    let (head, tail) = rest?.split_at_checked(name.len())?;
    let ends = matches!(
        tail.first()?,
        b'\t' | b'\n' | b'\x0c' | b'\r' | b' ' | b'/' | b'>'
    );
    (ends && head.eq_ignore_ascii_case(name)).then_some(name.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script_text(html: &str) -> &str {
        &html[..script_end(html.as_bytes(), 0).text_end]
    }

    #[test]
    fn raw_text_ends_at_its_own_end_tag() {
        let html = b"a</b></titleX></TITLE >x";
        assert_eq!(
            raw_text_end(html, 0, b"title"),
            RawEnd {
                text_end: 14,
                after_name: 21
            }
        );
        assert_eq!(raw_text_end(b"a</title", 0, b"title").text_end, 8);
    }

    #[test]
    fn scripts_escape_in_comments() {
        assert_eq!(script_text("a<b</script>"), "a<b");
        assert_eq!(script_text("<!--</script>-->"), "<!--");
        assert_eq!(
            script_text("<!--<script>x</script>y</script>"),
            "<!--<script>x</script>y"
        );
        assert_eq!(script_text("<!--<script>--></script>"), "<!--<script>-->");
        assert_eq!(script_text("<!--><script></script>"), "<!--><script>");
        assert_eq!(script_text("<!---><script></script>"), "<!---><script>");
        assert_eq!(
            script_text("<!--<script </script/ </script>"),
            "<!--<script </script/ "
        );
        assert_eq!(script_text("<!--<scripts></script>"), "<!--<scripts>");
        assert_eq!(
            script_text("<!-- <script> <!-- </script> </script>"),
            "<!-- <script> <!-- </script> "
        );
    }
}
