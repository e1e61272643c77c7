//! Numbers as people read them: one format for summaries, briefs and calls.

/// From here on a number is written in billions: nobody counts twelve digits in a crisis.
const BILLION: f64 = 1e9;

/// From here on a number is written in trillions.
const TRILLION: f64 = 1e12;

/// From here on a number is written as a power of ten.
const POWER: f64 = 1e15;

/// A number in a readable form: `6.2`, `-84,000,000`, `444.0bn`, `1.3tn`. At most three decimals; one in billions and
/// trillions.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return "not a number".to_owned();
    }
    // A value just below a limit is written with its unit if rounding would carry it over.
    let size = value.abs();
    if POWER <= size {
        format!("{value:e}")
    } else if TRILLION - BILLION / 20.0 <= size {
        format!("{}tn", grouped(value / TRILLION, 1, false))
    } else if BILLION - 0.0005 <= size {
        format!("{}bn", grouped(value / BILLION, 1, false))
    } else {
        grouped(value, 3, true)
    }
}

/// How many times the second number the first is: `7,655 x`, `2.6 x`. None where it is not more than once, or where one of
/// them is zero or no number.
pub fn factor(of: f64, base: f64) -> Option<String> {
    let times = of / base;
    let times = if times < 10.0 { (times * 10.0).round() / 10.0 } else { times.round() };
    (times.is_finite() && 1.0 < times).then(|| format!("{} x", number(times)))
}

/// With a comma before each three digits. `short` leaves out zeros at the end of the decimals.
fn grouped(value: f64, decimals: usize, short: bool) -> String {
    let text = format!("{value:.decimals$}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
    let fraction = if short { fraction.trim_end_matches('0') } else { fraction };
    let point = if fraction.is_empty() { "" } else { "." };
    let number = format!("{sign}{}{point}{fraction}", groups.join(","));
    if number == "-0" { "0".to_owned() } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_is_rounded_once_and_is_more_than_one() {
        for (of, base, text) in [
            (444e9, 58e6, Some("7,655 x")),
            (2.6, 1.0, Some("2.6 x")),
            (9.96, 1.0, Some("10 x")),
            (10.4, 1.0, Some("10 x")),
            (1.44, 1.0, Some("1.4 x")),
            (1.04, 1.0, None),
            (1.0, 2.0, None),
            (-3.0, 1.0, None),
            (3.0, 0.0, None),
            (f64::NAN, 1.0, None),
            (f64::INFINITY, 1.0, None),
        ] {
            assert_eq!(factor(of, base).as_deref(), text, "{of} / {base}");
        }
    }

    #[test]
    fn a_number_is_read_at_a_glance() {
        for (value, text) in [
            (6.2, "6.2"),
            (6.0, "6"),
            (-0.0001, "0"),
            (1234.5678, "1,234.568"),
            (-84_000_000.0, "-84,000,000"),
            (999_999_999.0, "999,999,999"),
            (999_999_999.999_9, "1.0bn"),
            (444_000_000_000.0, "444.0bn"),
            (-1_250_000_000.0, "-1.2bn"),
            (999_949_000_000.0, "999.9bn"),
            (999_999_999_999.0, "1.0tn"),
            (1_300_000_000_000.0, "1.3tn"),
            (2e15, "2e15"),
            (f64::NAN, "not a number"),
        ] {
            assert_eq!(number(value), text, "{value}");
        }
    }
}
