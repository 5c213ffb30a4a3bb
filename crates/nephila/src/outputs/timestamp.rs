//! Moments from their text.

/// Milliseconds since 1970 of a moment as rows have it, `2026-11-23T04:26:57.123Z` (RFC 3339 in UTC,
/// years 1970 to 9999; digits of the second after the third are cut). `None` for anything else.
pub(crate) fn millis_of(text: &str) -> Option<i64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.split('-').map(digits);
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut time = time.split(':').map(digits);
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    let is_in_range = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !is_in_range || date.next().is_some() || time.next().is_some() {
        return None;
    }
    digits(fraction.get(..fraction.len().min(9))?)?;
    let millis = digits(&format!("{fraction:0<3}")[..3])?;
    let seconds = (days_from_civil(year, month, day) * 24 + hour) * 3_600 + minute * 60 + second;
    Some(seconds * 1_000 + millis)
}

fn digits(text: &str) -> Option<i64> {
    let is_number = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

/// Days since 1970-01-01 (Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil,
/// for years that are not negative).
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year / 400;
    let year_of_era = year - era * 400;
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::rfc3339;
    use nephila_frontier::Moment;

    #[test]
    fn a_moment_comes_back_from_its_text() {
        // A step that meets every hour, month and leap year up to 2100.
        let last = 4_102_444_800_000_i64;
        let step = 86_399_977_i64 * 3;
        let mut millis = 0;
        while millis < last {
            let text = rfc3339(Moment::from_micros(u64::try_from(millis).unwrap() * 1_000));
            assert_eq!(millis_of(&text), Some(millis), "{text}");
            millis += step;
        }
    }

    #[test]
    fn what_is_no_moment_is_none() {
        let wrong = [
            "",
            "2026-11-23",
            "2026-11-23T04:26:57.123",
            "2026-11-23T04:26:57.123+01:00",
            "2026-13-23T04:26:57Z",
            "2026-11-00T04:26:57Z",
            "2026-11-23T24:26:57Z",
            "2026-11-23T04:26Z",
            "2026-11-23T04:26:57:01Z",
            "2026-11-23T04:26:57.Z",
            "2026-11-23T04:26:57.1x3Z",
            "+026-11-23T04:26:57Z",
            "2026-11-23T04:26:57.äöüZ",
        ];
        for text in wrong {
            assert_eq!(millis_of(text), None, "{text}");
        }
        assert_eq!(millis_of("1970-01-01T00:00:01Z"), Some(1_000));
        assert_eq!(millis_of("1970-01-01T00:00:00.5Z"), Some(500));
        assert_eq!(millis_of("1970-01-01T00:00:00.123999Z"), Some(123));
    }
}
