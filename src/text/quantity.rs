//! Numbers as people and templates write them: `6.1%`, `6.2k`, `1.5GiB`, `1m 30s`.

/// The number that a text says, in its base unit: `6.2k` is 6200, `1.5Ki` 1536, `250ms` 0.25, `1m 30s` 90. A percentage
/// is the number before its sign: `6.1%` is 6.1. `None` if it says anything else, or no finite number.
///
/// The prefixes are those of the SI and of IEC 80000-13, alone (as Prometheus' `humanize` and `humanize1024` write them)
/// or before `B`, `b`, `s`, `Hz`, `W`, `V` or `A`. A lone `m` is a thousandth, as there; minutes are read only in a
/// duration that ends in seconds, as `humanizeDuration` writes them.
pub fn read(text: &str) -> Option<f64> {
    let text = text.trim();
    let negative = text.strip_prefix('\u{2212}').map(|rest| format!("-{rest}"));
    let text = negative.as_deref().unwrap_or(text);
    plain(text).or_else(|| scaled(text)).or_else(|| duration(text)).filter(|number| number.is_finite())
}

fn plain(text: &str) -> Option<f64> {
    text.parse().ok()
}

fn scaled(text: &str) -> Option<f64> {
    let digits = text.trim_end_matches(|letter: char| letter.is_alphabetic() || letter == '%');
    let unit = &text[digits.len()..];
    let number = plain(digits.trim_end())?;
    match power(unit)? {
        // A division where it is exact: 123 thousandths are 0.123, and not one bit more.
        (base, exponent) if exponent < 0 => Some(number / base.powi(-exponent)),
        (base, exponent) => Some(number * base.powi(exponent)),
    }
}

/// What a unit multiplies by: a base and its exponent.
fn power(unit: &str) -> Option<(f64, i32)> {
    const UNITS: [&str; 7] = ["B", "b", "s", "Hz", "W", "V", "A"];
    if unit == "%" {
        return Some((10.0, 0));
    }
    let prefix = |prefix: &str| match prefix {
        "" => Some((10.0, 0)),
        "µ" | "μ" => Some((10.0, -6)),
        _ => binary(prefix).or_else(|| decimal(prefix)),
    };
    let before_unit = || UNITS.iter().find_map(|known| prefix(unit.strip_suffix(known)?));
    prefix(unit).or_else(before_unit)
}

fn decimal(prefix: &str) -> Option<(f64, i32)> {
    let exponent = match prefix {
        "k" | "K" => 3,
        "M" => 6,
        "G" => 9,
        "T" => 12,
        "P" => 15,
        "E" => 18,
        "Z" => 21,
        "Y" => 24,
        "m" => -3,
        "u" => -6,
        "n" => -9,
        "p" => -12,
        "f" => -15,
        "a" => -18,
        "z" => -21,
        "y" => -24,
        _ => return None,
    };
    Some((10.0, exponent))
}

fn binary(prefix: &str) -> Option<(f64, i32)> {
    let (_, exponent) = decimal(prefix.strip_suffix('i')?).filter(|(_, exponent)| 0 < *exponent)?;
    Some((1024.0, exponent / 3))
}

/// `2d 3h 4m 5s`: falling units, seconds last.
fn duration(text: &str) -> Option<f64> {
    const UNITS: [(char, f64); 4] = [('d', 86_400.0), ('h', 3_600.0), ('m', 60.0), ('s', 1.0)];
    let (sign, text) = text.strip_prefix('-').map_or((1.0, text), |text| (-1.0, text));
    let mut left = &UNITS[..];
    let mut seconds = 0.0;
    for part in text.split_ascii_whitespace() {
        let at = left.iter().position(|(unit, _)| part.ends_with(*unit))?;
        let number = part.strip_suffix(left[at].0)?;
        if !number.starts_with(|letter: char| letter.is_ascii_digit()) {
            return None;
        }
        seconds += plain(number)? * left[at].1;
        left = &left[at + 1..];
    }
    left.is_empty().then_some(sign * seconds)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn numbers_are_read_with_their_units() {
        for (text, number) in [
            ("6.1", 6.1),
            (" -1e3\n", -1000.0),
            ("+7", 7.0),
            ("\u{2212}2.5 %", -2.5),
            ("6.1%", 6.1),
            ("7 %", 7.0),
            ("6.2k", 6200.0),
            ("6.2K", 6200.0),
            ("123m", 0.123),
            ("-4.5M", -4_500_000.0),
            ("1.5 G", 1.5e9),
            ("2E", 2e18),
            ("3u", 3e-6),
            ("3µs", 3e-6),
            ("1.5Ki", 1536.0),
            ("2 MiB", 2_097_152.0),
            ("4kB", 4000.0),
            ("10 Hz", 10.0),
            ("250ms", 0.25),
            ("12s", 12.0),
            ("1m 30s", 90.0),
            ("-1d 2h 3m 4s", -93_784.0),
        ] {
            assert_eq!(read(text), Some(number), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        let table = [
            "",
            "%",
            "k",
            "6.1%%",
            "6.1 of 7",
            "6.1 percent",
            "NaN",
            "inf",
            "-Infinity",
            "1e999",
            "6.2kk",
            "6mi",
            "1m 2h 3s",
            "1h",
            "6,1%",
            "0x10",
            "1 2",
            "5 x",
        ];
        for text in table {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read("1m"), Some(0.001), "as `humanize` writes it");
    }
}
