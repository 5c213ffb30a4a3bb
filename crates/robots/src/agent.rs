//! Product tokens: the names by which groups are chosen (RFC 9309 2.2.1).

/// Whether a user-agent line with this value is meant for the crawler that goes by `name`.
///
/// By RFC 9309 it is if its product token equals the name, in any case. Beside that, a name that no
/// product token can equal (`008`, `MJ12bot`) is found when the line has it in full, so that
/// sites can still refuse it. A version in the name (`ExampleBot/1.0`) is ignored.
pub(crate) fn names(value: &[u8], name: &str) -> bool {
    let name = without_version(name.trim().as_bytes());
    !name.is_empty()
        && (product_token(value).eq_ignore_ascii_case(name)
            || without_version(first_word(value)).eq_ignore_ascii_case(name))
}

/// The product token that a value starts with: everything before the first octet outside `A-Z`, `a-z`,
/// `_` and `-` (RFC 9309 2.2.1). Empty when it starts with another octet.
fn product_token(value: &[u8]) -> &[u8] {
    until(value, |octet| {
        !(octet.is_ascii_alphabetic() || octet == b'_' || octet == b'-')
    })
}

/// The part of a user-agent line's value that can tell whom it is meant for.
pub(crate) fn first_word(value: &[u8]) -> &[u8] {
    until(value, |octet| octet.is_ascii_whitespace())
}

fn without_version(name: &[u8]) -> &[u8] {
    until(name, |octet| octet == b'/')
}

fn until(value: &[u8], ends: impl Fn(u8) -> bool) -> &[u8] {
    let end = value
        .iter()
        .position(|octet| ends(*octet))
        .unwrap_or(value.len());
    value.get(..end).unwrap_or_default()
}

/// Whether the value of a user-agent line stands for every crawler: `*`, also with a remark behind it
/// as in `* (all robots)`.
pub(crate) fn is_wildcard(value: &[u8]) -> bool {
    match value {
        [b'*'] => true,
        [b'*', next, ..] => next.is_ascii_whitespace(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_ends_at_the_first_other_octet() {
        assert_eq!(product_token(b"ExampleBot"), b"ExampleBot");
        assert_eq!(product_token(b"Example-Bot_news/2.1"), b"Example-Bot_news");
        assert_eq!(product_token(b"MJ12bot"), b"MJ");
        assert_eq!(product_token(b"008"), b"");
        assert_eq!(product_token("\u{e9}bot".as_bytes()), b"");
    }

    #[test]
    fn a_line_names_by_token_or_in_full() {
        assert!(names(b"examplebot/2.1 (beta)", "ExampleBot"));
        assert!(names(b"ExampleBot", "ExampleBot/1.0"));
        assert!(names(b"008", "008"));
        assert!(names(b"MJ12bot", "mj12bot"));
        assert!(names(b"MJ12bot", "MJ"));
    }

    #[test]
    fn a_line_does_not_name_others() {
        assert!(!names(b"Example", "ExampleBot"));
        assert!(!names(b"ExampleBot", "Example"));
        assert!(!names(b"Bot1", "Bot2"));
        assert!(!names(b"Foo Bar", "Foo Bar"));
        assert!(!names(b"", ""));
        assert!(!names(b"008", ""));
        assert!(!names(b"/1.0", "/2.0"));
    }

    #[test]
    fn a_star_may_carry_a_remark_and_nothing_else() {
        assert!(is_wildcard(b"*"));
        assert!(is_wildcard(b"* all"));
        assert!(is_wildcard(b"*\tall"));
        assert!(!is_wildcard(b"*bot"));
        assert!(!is_wildcard(b""));
    }
}
