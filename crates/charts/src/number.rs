//! Numbers for people.

/// A number with three or four digits that count, and thousands set apart: `1,234`, `0.0512`, `12.3`.
/// A number that is none is shown as nothing.
pub fn shown(value: f64) -> String {
    if !value.is_finite() {
        return String::new();
    }
    let magnitude = value.abs();
    let decimals = match magnitude {
        m if m == 0.0 || m >= 1_000.0 => 0,
        m if m >= 100.0 => 1,
        m if m >= 10.0 => 2,
        m if m >= 1.0 => 3,
        m if m >= 1e-9 => (3 - m.log10().floor() as i32).clamp(0, 12) as usize,
        _ => return format!("{value:.3e}"),
    };
    let text = format!("{value:.decimals$}");
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let part = part.trim_end_matches('0');
    let whole = with_thousands(whole);
    match part {
        "" => whole,
        part => format!("{whole}.{part}"),
    }
}

fn with_thousands(whole: &str) -> String {
    let (sign, digits) = match whole.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", whole),
    };
    let mut out = sign.to_owned();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_keep_their_size() {
        for (value, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (1.2345, "1.234"),
            (12.345, "12.35"),
            (1_234_567.8, "1,234,568"),
            (-1_500.0, "-1,500"),
            (0.05123, "0.05123"),
            (0.000_012_345, "0.00001234"),
            (f64::NAN, ""),
        ] {
            assert_eq!(shown(value), text);
        }
    }
}
