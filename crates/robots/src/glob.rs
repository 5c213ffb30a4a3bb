//! Whether one pattern matches one path, in time proportional to their lengths.

use memchr::memmem;

/// How much work matching took: octets looked at and rules tried. Counted so that tests can hold the
/// bound without a clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Steps(pub(crate) usize);

impl Steps {
    pub(crate) fn add(&mut self, count: usize) {
        self.0 = self.0.saturating_add(count);
    }
}

/// Length of the literal beginning of a pattern in normal form: up to its first `*`, or up to the `$`
/// at its end.
pub(crate) fn literal_length(pattern: &[u8]) -> usize {
    memchr::memchr2(b'*', b'$', pattern).unwrap_or(pattern.len())
}

/// Whether `tail`, what follows the literal beginning of a pattern, matches `path`, what follows that
/// beginning in the path. Patterns need not reach the end of the path unless they end in `$`.
///
/// The pieces between stars are looked for from left to right, each as early as possible. No choice
/// ever has to be undone, because an earlier place leaves every later one open; so each octet of the
/// path is passed once, whatever the pattern.
pub(crate) fn tail_matches(tail: &[u8], path: &[u8], steps: &mut Steps) -> bool {
    let (tail, anchored) = match tail {
        [body @ .., b'$'] => (body, true),
        _ => (tail, false),
    };
    let mut rest = path;
    let Some((b'*', mut pieces)) = tail.split_first() else {
        // The literal beginning was the whole pattern.
        return !anchored || path.is_empty();
    };
    while let Some(star) = memchr::memchr(b'*', pieces) {
        let (piece, others) = pieces.split_at_checked(star).unwrap_or((pieces, &[]));
        match after_first(rest, piece, steps) {
            Some(after) => rest = after,
            None => return false,
        }
        pieces = others.get(1..).unwrap_or_default();
    }
    if anchored {
        steps.add(pieces.len());
        rest.ends_with(pieces)
    } else {
        after_first(rest, pieces, steps).is_some()
    }
}

/// What follows the first place of `piece` in `path`.
fn after_first<'a>(path: &'a [u8], piece: &[u8], steps: &mut Steps) -> Option<&'a [u8]> {
    steps.add(1);
    if piece.len() > path.len() {
        return None;
    }
    // memmem is linear in both lengths in the worst case.
    match memmem::find(path, piece) {
        Some(at) => {
            steps.add(at + piece.len());
            path.get(at + piece.len()..)
        }
        None => {
            steps.add(path.len() + piece.len());
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(pattern: &[u8], path: &[u8]) -> (bool, usize) {
        let mut steps = Steps::default();
        let literal = literal_length(pattern);
        let matched = path.starts_with(&pattern[..literal])
            && tail_matches(&pattern[literal..], &path[literal..], &mut steps);
        (matched, steps.0)
    }

    /// The definition, by sets of positions as in Google's matcher: quadratic and plainly right.
    fn matches_by_definition(pattern: &[u8], path: &[u8]) -> bool {
        let mut reached = vec![0];
        for (index, octet) in pattern.iter().enumerate() {
            if *octet == b'$' && index + 1 == pattern.len() {
                return reached.last() == Some(&path.len());
            }
            reached = if *octet == b'*' {
                (reached[0]..=path.len()).collect()
            } else {
                let next = |at: &usize| (path.get(*at) == Some(octet)).then_some(at + 1);
                reached.iter().filter_map(next).collect()
            };
            if reached.is_empty() {
                return false;
            }
        }
        true
    }

    #[test]
    fn the_examples_of_the_standard() {
        for (pattern, path, expected) in [
            ("/path/foo-%24", "/path/foo-%24", true),
            ("/this/*/exactly", "/this/path/exactly", true),
            ("/this/*/exactly", "/this/exactly", false),
            ("/end$", "/end", true),
            ("/end$", "/ending", false),
            ("/*.gif$", "/a/b.gif", true),
            ("/*.gif$", "/a/b.gif?c", false),
            ("*$", "/any", true),
            ("/**$", "/any", true),
            ("/a*a$", "/a", false),
        ] {
            assert_eq!(
                matches(pattern.as_bytes(), path.as_bytes()).0,
                expected,
                "{pattern} {path}"
            );
        }
    }

    proptest! {
        #[test]
        fn matching_is_as_defined(pattern in "[ab*]{0,10}[$]?", path in "[ab]{0,16}") {
            let expected = matches_by_definition(pattern.as_bytes(), path.as_bytes());
            prop_assert_eq!(matches(pattern.as_bytes(), path.as_bytes()).0, expected);
        }

        #[test]
        fn steps_are_linear_in_pattern_and_path(
            pattern in "/([ab]{0,3}[*]){0,400}[abc$]?",
            path in "/[ab]{0,4000}",
        ) {
            let (_, steps) = matches(pattern.as_bytes(), path.as_bytes());
            prop_assert!(steps <= 2 * (pattern.len() + path.len()), "{} steps", steps);
        }
    }

    #[test]
    fn a_hostile_pattern_takes_linear_steps() {
        let pattern = format!("/{}b", "a*".repeat(5_000));
        let path = format!("/{}", "a".repeat(100_000));
        let (matched, steps) = matches(pattern.as_bytes(), path.as_bytes());
        assert!(!matched);
        assert!(steps <= 2 * (pattern.len() + path.len()), "{steps} steps");
    }
}
