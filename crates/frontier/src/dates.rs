//! Dates in URLs: calendars lead to the next month for ever.

use crate::canonical::CanonicalUrl;
use crate::moment::Moment;

/// A month, counted from January of the year 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Month(u32);

impl Month {
    pub(crate) fn new(year: u32, month: u32) -> Option<Month> {
        let is_date = (1_000..=9_999).contains(&year) && (1..=12).contains(&month);
        is_date.then_some(Month(year * 12 + month - 1))
    }

    /// The month of a moment, by the proleptic Gregorian calendar (Hinnant, "chrono-Compatible
    /// Low-Level Date Algorithms", `civil_from_days`).
    pub(crate) fn of(moment: Moment) -> Month {
        const MICROS_A_DAY: u64 = 86_400_000_000;
        const DAYS_TO_1970: u64 = 719_468;
        let days = moment.as_micros() / MICROS_A_DAY + DAYS_TO_1970;
        let (era, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let of_year = day - (365 * year + year / 4 - year / 100);
        // Years of this calendar begin in March.
        let since_march = (5 * of_year + 2) / 153;
        Month(((year + 400 * era) * 12 + since_march + 2) as u32)
    }
}

/// The month that a URL names: `/2026/11/` or `/2026-11` in its path, a year and a month or a date
/// among its parameters. A lone number is no date.
pub(crate) fn month_of(url: &CanonicalUrl) -> Option<Month> {
    if !has_year(url.path_and_query()) {
        return None;
    }
    of_path(url.path()).or_else(|| of_query(url.query()?))
}

/// Whether four digits stand in a row: most URLs have none, and are then done with.
fn has_year(text: &str) -> bool {
    const YEAR_DIGITS: u32 = 4;
    let mut digits = 0;
    text.bytes().any(|byte| {
        digits = if byte.is_ascii_digit() { digits + 1 } else { 0 };
        digits == YEAR_DIGITS
    })
}

fn of_path(path: &str) -> Option<Month> {
    let mut before = "";
    for segment in path.split('/') {
        if is_digits(before, 4) && is_digits(segment, 2) {
            return Month::new(before.parse().ok()?, segment.parse().ok()?);
        }
        if let Some(month) = of_date(segment) {
            return Some(month);
        }
        before = segment;
    }
    None
}

fn of_query(query: &str) -> Option<Month> {
    let (mut year, mut month) = (None, None);
    for parameter in query.split('&') {
        let Some((name, value)) = parameter.split_once('=') else {
            continue;
        };
        if let Some(date) = of_date(value) {
            return Some(date);
        }
        let is_named =
            |names: [&str; 2]| names.iter().any(|known| name.eq_ignore_ascii_case(known));
        if is_named(["y", "year"]) && is_digits(value, 4) {
            year = value.parse().ok();
        }
        if is_named(["m", "month"]) && (is_digits(value, 1) || is_digits(value, 2)) {
            month = value.parse().ok();
        }
    }
    Month::new(year?, month?)
}

/// `2026-11`, and `2026-11-30` and the like.
fn of_date(text: &str) -> Option<Month> {
    let (year, rest) = text.split_once('-')?;
    let month = rest.get(..2)?;
    let is_whole = rest.len() == 2 || rest.as_bytes().get(2) == Some(&b'-');
    if !is_whole || !is_digits(year, 4) || !is_digits(month, 2) {
        return None;
    }
    Month::new(year.parse().ok()?, month.parse().ok()?)
}

fn is_digits(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The months by which the URL's date lies after `now`, when that is more than `days_max` days, a
/// month counted as 30 of them.
pub(crate) fn months_ahead(url: &CanonicalUrl, now: Moment, days_max: u64) -> Option<u32> {
    let ahead = month_of(url)?.0.saturating_sub(Month::of(now).0);
    (u64::from(ahead) * 30 > days_max).then_some(ahead)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(text: &str) -> Option<Month> {
        month_of(&CanonicalUrl::from_serialized(text).unwrap())
    }

    #[test]
    fn dates_are_found_where_they_are_dates() {
        let november = Month::new(2026, 11);
        for text in [
            "http://a.test/2026/11/",
            "http://a.test/blog/2026/11/30/title",
            "http://a.test/2026-11",
            "http://a.test/2026-11-title.html?x",
            "http://a.test/cal?y=2026&m=11",
            "http://a.test/cal?Month=11&view=1&Year=2026",
            "http://a.test/cal?date=2026-11-01",
        ] {
            assert_eq!(month(text), november, "{text}");
        }
        for text in [
            "http://a.test/item/5000",
            "http://a.test/5000/12345",
            "http://a.test/2026/13/",
            "http://a.test/2026-1x",
            "http://a.test/?y=2026",
            "http://a.test/?m=11&y=26",
            "http://a.test/2026-113",
        ] {
            assert_eq!(month(text), None, "{text}");
        }
    }

    #[test]
    fn moments_have_their_month() {
        let of = |seconds: u64| Month::of(Moment::from_micros(seconds * 1_000_000));
        assert_eq!(Some(of(0)), Month::new(1970, 1));
        assert_eq!(
            Some(of(951_782_400)),
            Month::new(2000, 2),
            "29 February 2000"
        );
        assert_eq!(
            Some(of(1_795_391_999)),
            Month::new(2026, 11),
            "22 November 2026"
        );
        assert_eq!(
            Some(of(1_798_761_600)),
            Month::new(2027, 1),
            "1 January 2027"
        );
    }

    #[test]
    fn what_lies_beyond_the_horizon_is_told() {
        let now = Moment::from_micros(1_795_391_999_000_000);
        let ahead =
            |text: &str| months_ahead(&CanonicalUrl::from_serialized(text).unwrap(), now, 730);
        assert_eq!(ahead("http://a.test/2028/11/"), None);
        assert_eq!(ahead("http://a.test/2028/12/"), Some(25));
        assert_eq!(ahead("http://a.test/1850/01/"), None);
    }
}
