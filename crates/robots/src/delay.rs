//! Crawl-delay and Request-rate: what sites ask for beside RFC 9309.

use std::time::Duration;

use crate::record::trim;

/// The longest pause that is believed: one day, the time that a robots.txt is kept at most (RFC 9309
/// 2.4). Longer ones are cut to it.
pub const MAXIMUM_CRAWL_DELAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Milliseconds of a `Crawl-delay` value: decimal seconds, rounded up. `None` for anything that is not
/// digits with at most one point among them (signs, exponents, infinities, words).
pub(crate) fn crawl_delay(value: &[u8]) -> Option<u32> {
    Some(milliseconds(seconds(value)?))
}

/// Milliseconds between two fetches for a `Request-rate` value: `requests/time`, the time in seconds
/// or with the unit `s`, `m`, `h` or `d`. Hours of the day behind it (`1/10s 0600-0845`) are not heeded,
/// since there is no clock here: the rate holds all day.
pub(crate) fn request_rate(value: &[u8]) -> Option<u32> {
    let rate = value
        .split(|octet| *octet == b' ' || *octet == b'\t')
        .next()?;
    let slash = memchr::memchr(b'/', rate)?;
    let requests = seconds(rate.get(..slash)?)?;
    if requests == 0.0 {
        return None;
    }
    let (time, unit_seconds) = match rate.get(slash + 1..)? {
        [time @ .., b's' | b'S'] => (time, 1.0),
        [time @ .., b'm' | b'M'] => (time, 60.0),
        [time @ .., b'h' | b'H'] => (time, 3_600.0),
        [time @ .., b'd' | b'D'] => (time, 86_400.0),
        time => (time, 1.0),
    };
    Some(milliseconds(seconds(time)? * unit_seconds / requests))
}

fn seconds(value: &[u8]) -> Option<f64> {
    let value = trim(value);
    let decimal = value
        .iter()
        .all(|octet| octet.is_ascii_digit() || *octet == b'.');
    if !decimal {
        return None;
    }
    // Refuses what has no digit or two points.
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// A whole number between 0 and 86,400,000.
fn milliseconds(seconds: f64) -> u32 {
    (seconds.min(MAXIMUM_CRAWL_DELAY.as_secs_f64()) * 1_000.0).ceil() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_decimal_seconds() {
        assert_eq!(crawl_delay(b"10"), Some(10_000));
        assert_eq!(crawl_delay(b"5.2"), Some(5_200));
        assert_eq!(crawl_delay(b".5"), Some(500));
        assert_eq!(crawl_delay(b"0"), Some(0));
        assert_eq!(crawl_delay(b"0.0001"), Some(1));
    }

    #[test]
    fn absurd_delays_are_ignored_or_cut() {
        for value in ["-1", "NaN", "inf", "1e3", "ten", "", ".", "1.2.3", "+1"] {
            assert_eq!(crawl_delay(value.as_bytes()), None, "{value}");
        }
        assert_eq!(crawl_delay(&b"9".repeat(400)), Some(86_400_000));
    }

    #[test]
    fn rates_are_requests_in_a_time() {
        assert_eq!(request_rate(b"1/10s"), Some(10_000));
        assert_eq!(request_rate(b"100/15m"), Some(9_000));
        assert_eq!(request_rate(b"9000/1d"), Some(9_600));
        assert_eq!(request_rate(b"1/5 0600-0845"), Some(5_000));
        assert_eq!(request_rate(b"0/10s"), None);
        assert_eq!(request_rate(b"1"), None);
        assert_eq!(request_rate(b"/1s"), None);
    }
}
