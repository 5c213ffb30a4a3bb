//! Session identifiers in URLs: what a server writes into every link for one visitor, so that each
//! answer names all its pages anew.
//!
//! Only forms that mean nothing else are known. Names that also have other uses (`sid` is a story on
//! some sites) count when their value looks drawn: 16 letters and digits or more, of both.

/// Parameters that are a session whatever their value; in lower case. A trailing `*` matches any
/// ending.
const CERTAIN: [&str; 8] = [
    "jsessionid",
    "phpsessid",
    "aspsessionid*",
    "asp.net_sessionid",
    "oscsid",
    "zenid",
    "cfid",
    "cftoken",
];

/// Parameters that are a session when their value looks drawn.
const LIKELY: [&str; 5] = ["sid", "sessid", "sessionid", "session_id", "session"];

const DRAWN_BYTES_MIN: usize = 16;

/// Whether a query parameter, `name` or `name=value`, is a session identifier.
pub(crate) fn is_session(parameter: &str) -> bool {
    let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
    let is_certain = CERTAIN.iter().any(|known| match known.strip_suffix('*') {
        Some(start) => starts_with(name, start),
        None => name.eq_ignore_ascii_case(known),
    });
    is_certain
        || (looks_drawn(value) && LIKELY.iter().any(|known| name.eq_ignore_ascii_case(known)))
}

/// The path without `;jsessionid=...` and without segments like `(S(...))`; `None` when it has none.
pub(crate) fn without_session(path: &str) -> Option<String> {
    if !path.contains([';', '(']) {
        return None;
    }
    let mut kept = String::with_capacity(path.len());
    for (place, segment) in path.split('/').enumerate() {
        if place > 0 && is_session_segment(segment) {
            continue;
        }
        if place > 0 {
            kept.push('/');
        }
        for (place, part) in segment.split(';').enumerate() {
            if place == 0 {
                kept.push_str(part);
            } else if !starts_with(part, "jsessionid=") {
                kept.push(';');
                kept.push_str(part);
            }
        }
    }
    if kept.is_empty() {
        kept.push('/');
    }
    (kept != path).then_some(kept)
}

/// `(S(...))`, and with other letters beside the S, as ASP.NET writes sessions without cookies.
fn is_session_segment(segment: &str) -> bool {
    let Some(inner) = segment
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
    else {
        return false;
    };
    let mut has_session = false;
    let mut rest = inner;
    while !rest.is_empty() {
        let Some((letter, after)) = rest.split_once('(') else {
            return false;
        };
        let Some((value, after)) = after.split_once(')') else {
            return false;
        };
        if letter.len() != 1 || value.is_empty() {
            return false;
        }
        has_session |= letter == "S" && looks_drawn(value);
        rest = after;
    }
    has_session
}

fn looks_drawn(value: &str) -> bool {
    value.len() >= DRAWN_BYTES_MIN
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && value.bytes().any(|byte| byte.is_ascii_digit())
        && value.bytes().any(|byte| byte.is_ascii_alphabetic())
}

fn starts_with(text: &str, start: &str) -> bool {
    text.get(..start.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_known_by_name_or_by_their_value() {
        for session in [
            "PHPSESSID=1",
            "jsessionid=x",
            "ASPSESSIONIDQQGGQ=a",
            "sid=0123456789abcdef0123456789abcdef",
            "SessionID=abcdefgh12345678",
            "CFID=12",
        ] {
            assert!(is_session(session), "{session}");
        }
        for other in [
            "sid=12345",
            "sid=a-story-with-a-title-2",
            "session=spring-2026",
            "s=0123456789abcdef",
            "page=0123456789abcdef",
            "sid",
            "",
            "é=1",
        ] {
            assert!(!is_session(other), "{other}");
        }
    }

    #[test]
    fn paths_lose_their_session_and_nothing_else() {
        let cases = [
            ("/a.do;jsessionid=1F2A", Some("/a.do")),
            ("/a;x=1;JSESSIONID=1!2;y=2/b", Some("/a;x=1;y=2/b")),
            ("/(S(lit3py55t21z5v55vlm25s55))/a.aspx", Some("/a.aspx")),
            ("/x/(X(1)S(lit3py55t21z5v55vlm25s55))/", Some("/x/")),
            ("/(S(lit3py55t21z5v55vlm25s55))", Some("/")),
            ("/(S(short))/a", None),
            ("/wiki/Rust_(language)", None),
            ("/a;b/c", None),
            ("/jsessionid=1/a", None),
        ];
        for (path, expected) in cases {
            assert_eq!(without_session(path).as_deref(), expected, "{path}");
            if let Some(kept) = expected {
                assert_eq!(without_session(kept), None, "{kept} again");
            }
        }
    }
}
