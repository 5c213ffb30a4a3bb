//! Counts the steps of parsing in the tests that hold it linear; elsewhere it is nothing.

#[cfg(test)]
use std::cell::Cell;

#[cfg(test)]
thread_local! {
    static STEPS: Cell<u64> = const { Cell::new(0) };
}

/// Notes so many steps: bytes looked at, or entries of a stack.
#[inline(always)]
pub(crate) fn note(steps: usize) {
    #[cfg(test)]
    STEPS.with(|counter| counter.set(counter.get() + steps as u64));
    let _ = steps;
}

/// The steps that a task takes.
#[cfg(test)]
pub(crate) fn steps_of(task: impl FnOnce()) -> u64 {
    let before = STEPS.get();
    task();
    STEPS.get() - before
}

/// The index of the first `needle` in `bytes` from `from` on.
#[inline]
pub(crate) fn find(bytes: &[u8], from: usize, needle: u8) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let found = find_near(rest, needle).or_else(|| memchr::memchr(needle, rest));
    note(found.unwrap_or(bytes.len() - from) + 1);
    found.map(|length| from + length)
}

/// The index of the first of two needles in `bytes` from `from` on.
#[inline]
pub(crate) fn find_either(bytes: &[u8], from: usize, one: u8, other: u8) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let near = rest.first_chunk::<16>().and_then(|head| {
        let (words, _) = head.as_chunks::<8>();
        words.iter().enumerate().find_map(|(index, word)| {
            let word = u64::from_le_bytes(*word);
            let found = any_of(word, [one, other]);
            (found != 0).then(|| index * 8 + found.trailing_zeros() as usize / 8)
        })
    });
    let found = near.or_else(|| memchr::memchr2(one, other, rest));
    note(found.unwrap_or(bytes.len() - from) + 1);
    found.map(|length| from + length)
}

/// The index of `needle` if it is among the first 16 bytes, where a call of memchr costs more than it
/// saves: half of all values and texts end there.
#[inline]
fn find_near(bytes: &[u8], needle: u8) -> Option<usize> {
    let (words, _) = bytes.first_chunk::<16>()?.as_chunks::<8>();
    words.iter().enumerate().find_map(|(index, word)| {
        let found = zeros(u64::from_le_bytes(*word) ^ repeat(needle));
        (found != 0).then(|| index * 8 + found.trailing_zeros() as usize / 8)
    })
}

/// Marks the bytes of a word that are one of these; only the lowest mark is sure.
#[inline]
pub(crate) fn any_of<const N: usize>(word: u64, needles: [u8; N]) -> u64 {
    let mark = |found: u64, needle: u8| found | zeros(word ^ repeat(needle));
    needles.into_iter().fold(0, mark)
}

/// Marks the bytes of a word that are below this one, which is one of ASCII.
#[inline]
pub(crate) fn below(word: u64, byte: u8) -> u64 {
    let high_bits = ONES << 7;
    let others = ((word & !high_bits) + repeat(0x80 - byte)) | word;
    !others & high_bits
}

const ONES: u64 = u64::MAX / 255;

#[inline]
fn repeat(byte: u8) -> u64 {
    u64::from(byte) * ONES
}

/// Marks the bytes that are zero, the lowest of them surely: a borrow marks it, and may mark more above.
#[inline]
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & (ONES << 7)
}

#[cfg(test)]
mod tests {
    use super::steps_of;
    use crate::document::ParseOptions;
    use crate::html::parse_html;
    use crate::sitemap::{SitemapLimits, parse_sitemap};

    /// Steps a byte that no input may exceed: an end tag of four bytes may look at a whole stack of 256
    /// entries, twice; everything else takes a few.
    const STEPS_A_BYTE_MAX: u64 = 132;
    const BYTES: usize = 1 << 16;

    /// What stands once before, and what is repeated.
    const PATTERNS: &[(&str, &str)] = &[
        ("", "<"),
        ("", "<a "),
        ("", "<a <a"),
        ("", "<a href=x>"),
        ("", "<a href=\""),
        ("", "<a href='x\""),
        ("", "<!--"),
        ("<!--", "-"),
        ("<!--", "->"),
        ("<!--", "--!"),
        ("", "<!"),
        ("", "<?"),
        ("", "</"),
        ("", "<script>"),
        ("<script>", "<!--"),
        ("<script><!--", "<script>"),
        ("<script><!--", "-"),
        ("<script>", "</script"),
        ("", "<title>"),
        ("<title>", "</titl"),
        ("<textarea>", "<"),
        ("", "&"),
        ("", "&a"),
        ("", "&#"),
        ("&#", "0"),
        ("&#x", "f"),
        ("&", "a"),
        ("<a href='", "&amp"),
        ("", "&CounterClockwiseContourIntegra"),
        ("", "<b>"),
        ("", "<svg>"),
        ("", "<svg><g>"),
        ("<svg>", "<![CDATA["),
        ("<svg><![CDATA[", "]]"),
        ("<svg>", "<g></h>"),
        ("<svg>", "<p><svg>"),
        ("", "<template>"),
        ("", "<template></template>"),
        ("", "<svg><desc>"),
        ("<svg><desc>", "<i></p>"),
        ("", "<math><mi>"),
        ("", "<frameset>"),
        ("<frameset>", "<frameset></frameset>"),
        ("<a ", "="),
        ("<a ", "/"),
        ("<a ", "href=x "),
        ("<a href=x>", " a"),
        ("<a href=x>", "<br>"),
        ("<", "a"),
        ("<p ", "\""),
        ("<meta content='0;url=", " "),
        ("<a rel='", "a "),
        ("<plaintext>", "<"),
    ];

    fn stacked() -> String {
        format!("<svg>{}", "<g>".repeat(300))
    }

    #[test]
    fn work_is_linear() {
        let options = ParseOptions {
            want_text: true,
            ..ParseOptions::default()
        };
        let stacked = stacked();
        let deep = [
            (stacked.as_str(), "</x>"),
            (stacked.as_str(), "<g></b>"),
            (stacked.as_str(), "</p>"),
        ];
        for (head, repeated) in PATTERNS.iter().copied().chain(deep) {
            let body = format!("{head}{}", repeated.repeat(BYTES / repeated.len()));
            for content_type in [
                "text/html; charset=utf-8",
                "application/xhtml+xml; charset=utf-8",
            ] {
                let steps = steps_of(|| {
                    parse_html(body.as_bytes(), Some(content_type), &options);
                });
                let a_byte = steps / body.len() as u64;
                assert!(
                    steps >= body.len() as u64 / 2,
                    "{head:.20} {repeated}: {steps} counted"
                );
                assert!(
                    a_byte <= STEPS_A_BYTE_MAX,
                    "{head:.20} {repeated}: {a_byte} steps a byte"
                );
            }
        }
    }

    #[test]
    fn needles_near_and_far_are_found() {
        for distance in 0..40 {
            for filler in [0, b'=', b'?', 0x80, 0xff] {
                let mut bytes = vec![filler; 40];
                assert_eq!(super::find(&bytes, 0, b'>'), None);
                bytes[distance..].fill(b'>');
                assert_eq!(super::find(&bytes, 0, b'>'), Some(distance));
                assert_eq!(super::find(&bytes, 40, b'>'), None);
                assert_eq!(super::find(&bytes, 41, b'>'), None);
            }
        }
    }

    #[test]
    fn a_stack_of_real_depth_takes_few_steps() {
        let page = "<div><p title='x'>a &amp; b<svg><g><path/></g></svg><a href=x>y</a></div>"
            .repeat(1_000);
        let options = ParseOptions {
            want_text: true,
            ..ParseOptions::default()
        };
        let steps = steps_of(|| {
            parse_html(page.as_bytes(), Some("text/html; charset=utf-8"), &options);
        });
        assert!(
            steps <= 4 * page.len() as u64,
            "{steps} steps for {} bytes",
            page.len()
        );
    }

    #[test]
    fn a_million_nested_elements_are_read() {
        let inside = [
            ("", "<div>", "</div>"),
            ("<svg>", "<g>", "</g>"),
            ("", "<template>", "</template>"),
        ];
        for ((head, open, close), depth) in inside.into_iter().zip([1_000_000, 100_000, 100_000]) {
            let nested = format!("{head}{}{}", open.repeat(depth), close.repeat(depth));
            let page = format!("{nested}</svg><a href=x>");
            let document = parse_html(page.as_bytes(), None, &ParseOptions::default());
            assert_eq!(document.outlinks.len(), 1, "{open}");
            parse_sitemap(page.as_bytes(), &SitemapLimits::default());
        }
    }
}
