//! Numbers as people and templates write them: `6.1%`, `6.2k`, `1.5Ki`, and `250ms` where the field's name says the unit.

mod field_unit;

use super::field_name::name_words;
use field_unit::{FieldUnit, bytes, seconds};

/// The number that the text of a field says: `6.2k` is 6200, `1.5Ki` 1536. `None` if it says anything else, or no finite
/// number.
///
/// A text with a unit is a number only where a word of the field's name is a unit of the same kind: `latency_ms` of
/// `250ms` is 250, of `0.25s` too. Elsewhere nobody knows which unit a condition compares with, and a number in the wrong
/// one would silently not page. A lone `m` is a thousandth to some and a minute to others: it is no number either.
///
/// A percent sign and a magnitude are read in the unit of the name as well: `free_gb` of `5G` is 5, `free_ratio` of
/// `6.1%` 0.061, `spread_bps` of `6.1%` 610. They are no number where the name has a unit that they do not go with
/// (`loss_usd` of `6.1%`), or a word that some measure in percent and others from 0 to 1 (`error_rate`).
pub fn read(field: &str, text: &str) -> Option<f64> {
    let text = text.trim();
    let negative = text.strip_prefix('\u{2212}').map(|rest| format!("-{rest}"));
    let text = negative.as_deref().unwrap_or(text);
    plain(text).or_else(|| with_unit(field, text)).filter(|number| number.is_finite())
}

/// Whether a text is a number with a unit, or would be one if its field said the unit.
pub fn has_unit(text: &str) -> bool {
    let (number, unit) = parted(text.trim());
    !unit.is_empty() && number.is_some() || duration(text.trim()).is_some()
}

/// Whether a word of a field's name says that it counts something: `msgs`, `rejects`.
pub(crate) fn is_counted(word: &str) -> bool {
    field_unit::COUNTS.contains(&word)
}

fn plain(text: &str) -> Option<f64> {
    text.parse().ok()
}

/// The number at the start, and the letters behind it.
fn parted(text: &str) -> (Option<f64>, &str) {
    let digits = text.trim_end_matches(|letter: char| letter.is_alphabetic() || letter == '%');
    (plain(digits.trim_end()), &text[digits.len()..])
}

fn with_unit(field: &str, text: &str) -> Option<f64> {
    let words = name_words(field);
    // What stands behind is what a rate is measured against, and no unit of its numbers: `orders_per_min`.
    let own = words.iter().position(|word| word == "per").map_or(&words[..], |per| &words[..per]);
    if let Some(number) = own.iter().find_map(|word| in_unit(word, text)) {
        return Some(number);
    }
    let unit = FieldUnit::of(own);
    let (number, suffix) = parted(text);
    let times = match suffix {
        "%" => unit.of_percent(),
        "bps" | "bp" => unit.of_basis_points(),
        prefix => unit.of_magnitude(prefix, magnitude(prefix)?),
    };
    Some(number? * times?)
}

/// The number of a text in the unit that this word names.
fn in_unit(word: &str, text: &str) -> Option<f64> {
    let (number, suffix) = parted(text);
    // A capital M is a million, a small one a thousandth: their case counts.
    let is_same = suffix == word || !suffix.starts_with('M') && suffix.to_lowercase() == word;
    if !word.is_empty() && is_same {
        return number;
    }
    if let (Some(of), Some(number)) = (bytes(word), number) {
        return Some(number * bytes(&suffix.to_lowercase())? / of).filter(|_| suffix.ends_with('B'));
    }
    let own = seconds(word)?;
    let per = |unit: &str| Some(seconds(unit)? / own);
    number.and_then(|number| Some(number * per(suffix)?)).or_else(|| Some(duration(text)? / own))
}

/// What a prefix of the SI or of IEC 80000-13 multiplies by, as Prometheus' `humanize` and `humanize1024` write them.
fn magnitude(prefix: &str) -> Option<f64> {
    let (letter, base) = match prefix.strip_suffix('i') {
        Some(letter) => (letter, 1024.0_f64),
        None => (prefix, 1000.0),
    };
    let exponent = match letter {
        "k" | "K" => 1,
        "M" => 2,
        "G" => 3,
        "T" => 4,
        "P" => 5,
        "E" => 6,
        "Z" => 7,
        "Y" => 8,
        _ => return None,
    };
    Some(base.powi(exponent))
}

/// The seconds of `2d 3h 4m 5s`: falling units, seconds last, as `humanizeDuration` writes them.
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
    use super::{has_unit, read};

    #[test]
    fn numbers_are_read_with_their_magnitude() {
        for (text, number) in [
            ("6.1", 6.1),
            (" -1e3\n", -1000.0),
            ("+7", 7.0),
            ("+6.1", 6.1),
            (".5", 0.5),
            ("-.5%", -0.5),
            ("+.5k", 500.0),
            ("6.", 6.0),
            ("\u{2212}2.5 %", -2.5),
            ("6.1%", 6.1),
            ("7 %", 7.0),
            ("6.2k", 6200.0),
            ("6.2K", 6200.0),
            ("-4.5M", -4_500_000.0),
            ("1.5 G", 1.5e9),
            ("2E", 2e18),
            ("1.5Ki", 1536.0),
        ] {
            assert_eq!(read("value", text), Some(number), "{text}");
        }
    }

    #[test]
    fn a_unit_is_read_where_the_field_says_one() {
        for (field, text, number) in [
            ("latency_ms", "250ms", 250.0),
            ("latency_ms", "0.25s", 250.0),
            ("p99LatencyMs", "250 ms", 250.0),
            ("age_seconds", "5min", 300.0),
            ("age_s", "12s", 12.0),
            ("age_seconds", "1m 30s", 90.0),
            ("age_minutes", "-1m 30s", -1.5),
            ("free_mb", "12MB", 12.0),
            ("free_bytes", "2 MiB", 2_097_152.0),
            ("free_bytes", "4kB", 4000.0),
            ("loss_usd", "12 USD", 12.0),
            ("loss_usd", "6.2k", 6200.0),
            ("length_m", "5m", 5.0),
        ] {
            assert_eq!(read(field, text), Some(number), "{field} {text}");
        }
        for (field, text) in [
            ("latency", "250ms"),
            ("latency", "12s"),
            ("latency", "1m 30s"),
            ("latency_ms", "5m"),
            ("latency_ms", "5MB"),
            ("power_mw", "5MW"),
            ("free_bytes", "5ms"),
            ("value", "5m"),
            ("value", "3u"),
            ("value", "2 MiB"),
        ] {
            assert_eq!(read(field, text), None, "{field} {text}");
            assert!(has_unit(text), "{text}");
        }
        assert!(!has_unit("12") && !has_unit("all is well"));
    }

    #[test]
    fn a_percent_sign_and_a_magnitude_are_read_in_the_unit_of_the_name() {
        for (field, text, number) in [
            ("free_gb", "5G", 5.0),
            ("free_gigs", "5G", 5.0),
            ("freeMegs", "5G", 5000.0),
            ("cash_mln", "4M", 4.0),
            ("cash_bln", "400M", 0.4),
            ("cash_000s", "400k", 400.0),
            ("cash_mrd", "1.5G", 1.5),
            ("premium_lakh", "2M", 20.0),
            ("premium_crores", "20M", 2.0),
            ("free_permille", "6.1%", 61.0),
            ("hitratio", "85%", 0.85),
            ("corporate_bonds", "85%", 85.0),
            ("pet_food", "5M", 5e6),
            ("memorypercent", "85%", 85.0),
            ("free_gb", "5.0G", 5.0),
            ("free_gb", "5Gi", 5.368_709_12),
            ("freeGB", "900M", 0.9),
            ("free_gb", "900MB", 0.9),
            ("FreeGiB", "5Gi", 5.0),
            ("free_gib", "5.0G", 5.0),
            ("free_mib", "1.5G", 1536.0),
            ("size_kib", "12K", 12.0),
            ("fill_ratio_pct", "6.1%", 6.1),
            ("hit_rate_pct", "6.1%", 6.1),
            ("confidence_pct", "61%", 61.0),
            ("free_gigabytes", "2T", 2000.0),
            ("free_bytes", "5k", 5000.0),
            ("memory_free_mib", "512Mi", 512.0),
            ("memory_free_mib", "1Gi", 1024.0),
            ("free_kb", "5k", 5.0),
            ("link_mbps", "5G", 5000.0),
            ("free_ratio", "6.1%", 0.061),
            ("free_ratio", "25bps", 0.0025),
            ("confidence", "61%", 0.61),
            ("spread_bps", "6.1%", 610.0),
            ("drop_pct", "6.1%", 6.1),
            ("drop_pct", "12 bps", 0.12),
            ("pctOfLimitUsd", "6.1%", 6.1),
            ("drop_pct_per_min", "6.1%", 6.1),
            ("liquidity_musd", "5M", 5.0),
            ("liquidity_usd_m", "5M", 5.0),
            ("liquidity_usd_mn", "1.2G", 1200.0),
            ("liquidity_kusd", "5M", 5000.0),
            ("notional_mm_usd", "5M", 5.0),
            ("volume_bn", "2G", 2.0),
            ("volume_millions", "5M", 5.0),
            ("loss_usd", "5M", 5e6),
            ("min_notional", "5M", 5e6),
            ("age_seconds", "6.2k", 6200.0),
            ("orders_per_min", "1.2k", 1200.0),
            ("latency_ms_per_hop", "0.25s", 250.0),
        ] {
            let read = read(field, text).unwrap_or(f64::NAN);
            assert!((read - number).abs() <= 1e-9 * number.abs(), "{field} {text}: {read}");
        }
        for (field, text) in [
            // A unit that has no share of a hundred.
            ("loss_usd", "6.1%"),
            ("free_gb", "6.1%"),
            ("latency_ms", "6.1%"),
            ("open_orders", "6.1%"),
            ("orders_per_min", "6.1%"),
            ("rx_bps", "6.1%"),
            // In percent to some, from 0 to 1 to others.
            ("error_rate", "6.1%"),
            ("fillrate", "85%"),
            ("utilization", "6.1%"),
            ("uptime", "99.5%"),
            // Thousands of gigabytes, or kilobytes.
            ("free_gb", "5k"),
            ("liquidity_musd", "500k"),
            // Milli or mega; months or minutes or millions.
            ("power_mw", "5M"),
            ("length_mm", "5M"),
            ("length_m", "5M"),
            ("latency_ms", "5M"),
            ("age_seconds", "5G"),
            ("orders_per_s", "5s"),
            ("orders_per_min", "5min"),
        ] {
            assert_eq!(read(field, text), None, "{field} {text}");
            assert!(has_unit(text), "{text}");
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
            assert_eq!(read("value", text), None, "{text}");
        }
    }
}
