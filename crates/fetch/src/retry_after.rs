//! The Retry-After header (RFC 9110 section 10.2.3).

use std::time::{Duration, UNIX_EPOCH};

use http::HeaderMap;
use http::header::RETRY_AFTER;

/// How long the server asks to wait: seconds, or a date held against `now_unix_seconds`.
///
/// A date in the past is zero. `None` without the header or with one that is neither form. The
/// value is the server's word and may be absurd: the caller caps it.
pub fn retry_after(headers: &HeaderMap, now_unix_seconds: u64) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit still mean "very long".
        return Some(Duration::from_secs(
            value.parse().unwrap_or(u64::from(u32::MAX)),
        ));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    let then = date.duration_since(UNIX_EPOCH).ok()?;
    Some(then.saturating_sub(Duration::from_secs(now_unix_seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(value: &str, now: u64) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, value.parse().unwrap());
        retry_after(&headers, now)
    }

    #[test]
    fn seconds_and_dates() {
        let seconds = |n| Some(Duration::from_secs(n));
        assert_eq!(parse("120", 0), seconds(120));
        assert_eq!(parse(" 0 ", 0), seconds(0));
        assert_eq!(
            parse("99999999999999999999999999", 0),
            seconds(u64::from(u32::MAX))
        );
        assert_eq!(
            parse("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_770),
            seconds(7)
        );
        assert_eq!(
            parse("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_770),
            seconds(7)
        );
        assert_eq!(
            parse("Sun, 06 Nov 1994 08:49:37 GMT", 999_999_999),
            seconds(0)
        );
        assert_eq!(parse("-5", 0), None);
        assert_eq!(parse("1.5", 0), None);
        assert_eq!(parse("soon", 0), None);
        assert_eq!(parse("", 0), None);
        assert_eq!(retry_after(&HeaderMap::new(), 0), None);
    }
}
