//! The timing of one exchange as bars, each where its state began.

use std::fmt::Write as _;
use std::time::Duration;

use nephila::single::PageTimes;

/// Columns of all bars together.
const WIDTH: usize = 40;

/// One line a state, and their sum. The state in which the exchange failed is marked.
pub(super) fn waterfall(times: &PageTimes, failed_in: Option<&str>) -> String {
    let total = times.total();
    let mut text = String::new();
    let mut before = Duration::ZERO;
    for (name, spent) in times.states() {
        let name = name.replace('_', " ");
        let is_failed = failed_in.is_some_and(|state| state.replace('_', " ") == name);
        let start = columns(before, total).min(WIDTH - 1);
        // What took any time at all is seen.
        let length = match spent.is_zero() {
            true => 0,
            false => columns(before + spent, total).saturating_sub(start).max(1),
        };
        let bar = format!("{}{}", " ".repeat(start), "▇".repeat(length));
        let mark = if is_failed { "  failed here" } else { "" };
        let spent_shown = match spent.is_zero() && !is_failed {
            true => format!("{:>10}", "-"),
            false => millis(spent),
        };
        let _ = writeln!(text, "{name:<12} {bar:<WIDTH$} {spent_shown}{mark}");
        before += spent;
    }
    let _ = writeln!(text, "{:<12} {:<WIDTH$} {}", "total", "", millis(total));
    text
}

fn columns(part: Duration, total: Duration) -> usize {
    if total.is_zero() {
        return 0;
    }
    let share = part.as_secs_f64() / total.as_secs_f64();
    (share * WIDTH as f64).round() as usize
}

fn millis(spent: Duration) -> String {
    format!("{:>7.1} ms", spent.as_secs_f64() * 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_begin_where_the_one_before_ended() {
        let times = PageTimes {
            dns: Duration::from_millis(10),
            connect: Duration::from_millis(10),
            first_byte: Duration::from_millis(20),
            parse: Duration::from_micros(1),
            ..PageTimes::default()
        };
        let text = waterfall(&times, None);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 7);
        assert_eq!(
            lines[0],
            format!("{:<12} {:<40} {:>7} ms", "dns", "▇".repeat(10), "10.0")
        );
        let second = format!("{}{}", " ".repeat(10), "▇".repeat(10));
        assert_eq!(
            lines[1],
            format!("{:<12} {second:<40} {:>7} ms", "connect", "10.0")
        );
        assert!(
            lines[2].starts_with("tls ") && lines[2].ends_with(" -"),
            "{}",
            lines[2]
        );
        assert_eq!(lines[3].matches('▇').count(), 20);
        assert_eq!(lines[5].matches('▇').count(), 1, "a moment is seen");
        assert!(lines[6].ends_with(" 40.0 ms"));
        let widths: Vec<_> = lines.iter().map(|line| line.chars().count()).collect();
        assert!(widths.iter().all(|width| *width == widths[0]), "{widths:?}");
    }

    #[test]
    fn the_state_that_failed_is_marked() {
        let times = PageTimes {
            dns: Duration::from_millis(3),
            ..PageTimes::default()
        };
        let text = waterfall(&times, Some("first_byte"));
        let failed: Vec<_> = text
            .lines()
            .filter(|line| line.ends_with("failed here"))
            .collect();
        assert_eq!(failed.len(), 1);
        assert!(failed[0].starts_with("first byte"));
        let nothing = waterfall(&PageTimes::default(), Some("connect"));
        assert!(nothing.contains("0.0 ms  failed here"));
    }
}
