//! Positions, profits and losses, for readers and channels that must not have the figures: as bands, or left out.

mod words;

use crate::text::{field_name::name_words, number::number};
use words::{NO_AMOUNTS, OF_MARKETS, RESULTS, WORDS, WORDS_OF_FIELDS};

/// What stands in the place of an amount that is left out.
pub const LEFT_OUT: &str = "(not shown)";

/// Currencies, as they are written beside an amount and at the end of a field's name.
pub(crate) const CURRENCIES: [&str; 12] =
    ["usd", "eur", "gbp", "chf", "jpy", "cny", "hkd", "sgd", "aud", "cad", "sek", "nok"];

/// What follows a number and multiplies it.
const MAGNITUDES: [(&str, f64); 21] = [
    ("k", 1e3),
    ("thousand", 1e3),
    ("m", 1e6),
    ("mn", 1e6),
    ("mm", 1e6),
    ("mio", 1e6),
    ("million", 1e6),
    ("bn", 1e9),
    ("b", 1e9),
    ("billion", 1e9),
    ("tn", 1e12),
    ("t", 1e12),
    ("trillion", 1e12),
    ("tsd", 1e3),
    ("lakh", 1e5),
    ("mln", 1e6),
    ("millionen", 1e6),
    ("crore", 1e7),
    ("bln", 1e9),
    ("mrd", 1e9),
    ("mld", 1e9),
];

/// The band of an amount, without its sign: `25-50 million`. Three bands a power of ten: from 1, 2.5 and 5 on.
pub fn band(amount: f64) -> String {
    let size = amount.abs();
    if !size.is_finite() {
        return number(amount);
    }
    if size < 1.0 {
        return if size == 0.0 { "0".to_owned() } else { "under 1".to_owned() };
    }
    let power = 10_f64.powi(size.log10().floor() as i32);
    let edges = [1.0, 2.5, 5.0, 10.0, 25.0].map(|edge| edge * power);
    // A logarithm is not exact: at the edge it may be one power too low.
    let at = edges[1..4].iter().take_while(|edge| **edge <= size).count();
    let (from, to) = (edges[at], edges[at + 1]);
    let (unit, name) = [(1e12, " trillion"), (1e9, " billion"), (1e6, " million"), (1e3, " thousand")]
        .into_iter()
        .find(|(unit, _)| *unit < to)
        .unwrap_or((1.0, ""));
    format!("{}-{}{name}", number(from / unit), number(to / unit))
}

/// A text with bands as they are read aloud: `25 to 50 million`.
pub fn spoken(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let is_digit = |at: usize| letters.get(at).is_some_and(char::is_ascii_digit);
    let is_band = |at: usize| letters[at] == '-' && 0 < at && is_digit(at - 1) && is_digit(at + 1);
    (0..letters.len()).map(|at| if is_band(at) { " to ".to_owned() } else { letters[at].to_string() }).collect()
}

/// The same with its sign as a word: `minus 25-50 million`.
fn signed_band(amount: f64) -> String {
    if amount < 0.0 { format!("minus {}", band(amount)) } else { band(amount) }
}

/// A text of a monitor with bands in place of the figures of positions, profits and losses.
pub fn banded(text: &str) -> String {
    each_amount(text, signed_band)
}

/// A text of a monitor without these figures.
pub fn without_amounts(text: &str) -> String {
    each_amount(text, |_| LEFT_OUT.to_owned())
}

/// Whether a field of an alert is a position, a profit or a loss, or an amount of money, by its name: `net_exposure`,
/// `unrealisedPnl`.
pub fn is_amount(field: &str) -> bool {
    let lower = field.to_lowercase();
    let mut words: Vec<String> =
        lower.split(|letter: char| !letter.is_alphanumeric() && letter != '&').map(str::to_owned).collect();
    words.extend(name_words(field));
    let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    let joined = name_words(field).join("_");
    let joined = format!("_{joined}_");
    let is_joined = ["_book_value_", "_value_at_risk_", "_mark_to_market_", "_buying_power_"];
    let is_joined = is_joined.iter().any(|words| joined.contains(words));
    let is_ours = has(&WORDS) || has(&WORDS_OF_FIELDS) || is_joined;
    has(&CURRENCIES) || has(&RESULTS) || is_ours && !has(&NO_AMOUNTS) && !has(&OF_MARKETS)
}

/// Replaces every number in the parts of a text that are about money or positions. A part ends at a comma, a semicolon, a
/// full stop or a bracket.
fn each_amount(text: &str, told: impl Fn(f64) -> String) -> String {
    let mut opened = false;
    let of_part = |part: &str| {
        // In the books a loss stands in brackets: `PnL: (1,250,000)`.
        let is_money = is_about_money(part) || opened && is_figure(part);
        opened = is_money && part.ends_with('(');
        if is_money { replaced(part, &told) } else { part.to_owned() }
    };
    parts(text).map(of_part).collect()
}

/// The parts of a text, each with the sign that ends it. Between two digits a sign belongs to a number.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let digit = |at: Option<char>| at.is_some_and(|letter| letter.is_ascii_digit());
        let ends = |(at, sign): &(usize, char)| match sign {
            ';' | '(' | ')' | '\n' => true,
            ',' => !digit(rest[at + 1..].chars().next()),
            '.' => !digit(rest[at + 1..].chars().next()) && !is_abbreviated(&rest[..*at]),
            _ => false,
        };
        let end = rest.char_indices().find(ends).map_or(rest.len(), |(at, _)| at + 1);
        let (part, after) = rest.split_at(end);
        rest = after;
        (!part.is_empty()).then_some(part)
    })
}

/// Whether a full stop behind it ends no sentence: `48.2 Mio. EUR`.
fn is_abbreviated(before: &str) -> bool {
    let word = before.rsplit(|letter: char| !letter.is_alphabetic()).next().unwrap_or_default().to_lowercase();
    matches!(&*word, "mio" | "mrd" | "mld" | "tsd" | "mln" | "bln")
}

/// Whether a part in brackets is a figure alone.
fn is_figure(part: &str) -> bool {
    let is_unit = |word: &str| {
        let word = word.to_lowercase();
        word.is_empty() || CURRENCIES.contains(&&*word) || MAGNITUDES.iter().any(|(name, _)| *name == word)
    };
    part.ends_with(')') && part.split(|letter: char| !letter.is_alphabetic()).all(is_unit)
}

fn is_about_money(part: &str) -> bool {
    let lower = part.to_lowercase().replace("lots of ", " ").replace("p/l", "pnl");
    let mut words = lower.split(|letter: char| !letter.is_alphabetic() && letter != '&');
    // Some have digits: DV01.
    let mut with_digits = lower.split(|letter: char| !letter.is_alphanumeric());
    part.contains(['$', '€', '£', '¥'])
        || words.any(|word| CURRENCIES.contains(&word) || WORDS.contains(&word))
        || with_digits.any(|word| WORDS.contains(&word))
}

fn replaced(part: &str, told: &impl Fn(f64) -> String) -> String {
    let (mut text, mut rest) = (String::new(), part);
    while let Some(start) = rest.find(|letter: char| letter.is_ascii_digit()) {
        let (before, from) = rest.split_at(start);
        let digits = from.find(|c: char| !c.is_ascii_digit() && !",._'".contains(c)).unwrap_or(from.len());
        let figure = from[..digits].trim_end_matches([',', '.']);
        let figure = &from[..figure.len() + exponent(&from[figure.len()..])];
        let after = &from[figure.len()..];
        // Ids and times are no amounts: G7, 14:45:28.
        let (last, next) = (before.chars().next_back(), after.chars().next());
        let is_part = last.is_some_and(|c| c.is_alphabetic() && !is_currency_end(before) || c == ':' || c == '#');
        let is_joined = before.trim_end_matches(['-', '_']).len() < before.len() && joins(before);
        if is_part || is_joined || next == Some(':') || is_word(after) {
            text.push_str(before);
            text.push_str(figure);
            rest = after;
            continue;
        }
        let (before, negative) = sign(before);
        let runs_on = negative && ends_with_word_of_money(before);
        let (times, after) = magnitude(after);
        let value: Option<f64> = figure.replace([',', '_', '\''], "").parse().ok();
        let value = value.map(|value| if negative { -value * times } else { value * times });
        text.push_str(before);
        text.push_str(if runs_on { " " } else { "" });
        text.push_str(&value.map_or_else(|| LEFT_OUT.to_owned(), told));
        rest = after;
    }
    text.push_str(rest);
    text
}

/// The length of an exponent that follows a figure: that of `e9` in `4.4e9`.
fn exponent(after: &str) -> usize {
    let Some(rest) = after.strip_prefix(['e', 'E']) else { return 0 };
    let digits = rest.strip_prefix(['+', '-']).unwrap_or(rest);
    let count = digits.bytes().take_while(u8::is_ascii_digit).count();
    let is_whole = 0 < count && !digits[count..].starts_with(char::is_alphanumeric);
    if is_whole { after.len() - digits.len() + count } else { 0 }
}

/// Whether a hyphen at the end joins a number to a word: `ES-2`.
fn joins(before: &str) -> bool {
    let word = before.trim_end_matches(['-', '_']);
    word.chars().next_back().is_some_and(char::is_alphanumeric)
        && !is_currency_end(word)
        && !ends_with_word_of_money(word)
}

/// `net-12000` is an amount, `ES-2` is not.
fn ends_with_word_of_money(before: &str) -> bool {
    before
        .rsplit(|letter: char| !letter.is_alphanumeric() && letter != '&')
        .next()
        .is_some_and(|word| WORDS.contains(&&*word.to_lowercase()))
}

/// Whether letters that follow a number at once make it part of a word: `20Y`, but not `48m` or `48USD`.
fn is_word(after: &str) -> bool {
    let end = after.find(|letter: char| !letter.is_alphanumeric()).unwrap_or(after.len());
    let word = after[..end].to_lowercase();
    let is_known = MAGNITUDES.iter().any(|(name, _)| *name == word) || CURRENCIES.contains(&word.as_str());
    !word.is_empty() && !is_known
}

/// `USD48m` is an amount, `G7` is not.
fn is_currency_end(before: &str) -> bool {
    let start = before.rfind(|letter: char| !letter.is_alphabetic()).map_or(0, |at| at + 1);
    before.get(start..).is_some_and(|word| CURRENCIES.contains(&word.to_lowercase().as_str()))
}

/// Takes the sign from the end of what stands before a number.
fn sign(before: &str) -> (&str, bool) {
    match before.char_indices().next_back() {
        Some((at, '-' | '\u{2212}' | '\u{2013}')) => (&before[..at], true),
        Some((at, '+')) => (&before[..at], false),
        _ => (before, false),
    }
}

/// Takes the magnitude from the start of what follows a number.
fn magnitude(after: &str) -> (f64, &str) {
    let word = after.trim_start_matches(' ');
    let end = word.find(|letter: char| !letter.is_alphabetic()).unwrap_or(word.len());
    let (name, rest) = word.split_at(end);
    let known = MAGNITUDES.iter().find(|(known, _)| *known == name.to_lowercase());
    known.map_or((1.0, after), |(_, times)| (*times, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_has_one_of_three_bands_a_power_of_ten() {
        for (amount, told) in [
            (0.0, "0"),
            (0.4, "under 1"),
            (3.0, "2.5-5"),
            (999.0, "500-1,000"),
            (1000.0, "1-2.5 thousand"),
            (480_000.0, "250-500 thousand"),
            (999_999.0, "500-1,000 thousand"),
            (1_000_000.0, "1-2.5 million"),
            (-48_250_000.0, "25-50 million"),
            (25_000_000.0, "25-50 million"),
            (24_999_999.0, "10-25 million"),
            (444e9, "250-500 billion"),
            (2e15, "1,000-2,500 trillion"),
            (f64::NAN, "not a number"),
        ] {
            assert_eq!(band(amount), told, "{amount}");
        }
    }

    #[test]
    fn figures_of_positions_and_money_are_replaced_and_others_are_left() {
        let text = "stopped at net USD -48,250,000, P&L USD -1.2m";
        assert_eq!(without_amounts(text), "stopped at net USD (not shown), P&L USD (not shown)");
        assert_eq!(banded(text), "stopped at net USD minus 25-50 million, P&L USD minus 1-2.5 million");
        for (text, told) in [
            (
                "12 sessions of G7 down since 14:45:28; lost $4.5 million.",
                "12 sessions of G7 down since 14:45:28; lost $(not shown).",
            ),
            ("EUR48m short on G7 since 14:45", "EUR(not shown) short on G7 since 14:45"),
            ("we are long 300 contracts, 3 fills", "we are long (not shown) contracts, 3 fills"),
            ("queue 48,250, latency 12.5 ms", "queue 48,250, latency 12.5 ms"),
            ("network down, netting of 3 books late", "network down, netting of 3 books late"),
            ("loss: +1 200 000 (gross)", "loss: (not shown) (not shown) (not shown) (gross)"),
            ("P&L −€1.250.000,50", "P&L −€(not shown)"),
            ("SHORT-20Y and ES-2 net 48USD", "SHORT-20Y and ES-2 net (not shown)USD"),
            ("we hold 15000 contracts", "we hold (not shown) contracts"),
            ("notional 4.4e9 of it, 3 fills", "notional (not shown) of it, 3 fills"),
            ("Drawdown 3.4 percent of NAV", "Drawdown (not shown) percent of NAV"),
            ("cash 1.2E+6 EUR, 7e2x", "cash (not shown) EUR, 7e2x"),
            ("lots of errors: 300 in the queue", "lots of errors: 300 in the queue"),
            ("P/L -5 so far", "P/L (not shown) so far"),
            ("unrealised 3mio, pos -500", "unrealised (not shown), pos (not shown)"),
            ("DV01 45k, pv01 3", "DV01 (not shown), pv01 (not shown)"),
            ("PnL: (1,250,000), 3 fills", "PnL: ((not shown)), 3 fills"),
            ("PnL (3 books), queue (5)", "PnL (3 books), queue (5)"),
            ("net-12000 and ES-2", "net (not shown) and ES-2"),
            ("Verlust 48.2 Mio. EUR. 3 fills", "Verlust (not shown). EUR. 3 fills"),
            ("longs 1.2m, shorts 300k", "longs (not shown), shorts (not shown)"),
            ("NOP 48.2 mln", "NOP (not shown)"),
            ("", ""),
        ] {
            assert_eq!(without_amounts(text), told, "{text}");
        }
    }

    #[test]
    fn a_band_is_read_aloud() {
        assert_eq!(spoken("USD minus 1-2.5 million by 14:45 - ES"), "USD minus 1 to 2.5 million by 14:45 - ES");
    }

    #[test]
    fn a_field_says_by_its_name_that_it_is_an_amount() {
        for field in [
            "exposure_usd",
            "pnl_per_min",
            "net_exposure",
            "position",
            "loss_per_min_usd",
            "limit_eur",
            "P&L",
            "upnl",
            "unrealised",
            "unrealizedPnl",
            "pos",
            "net_pos",
            "qty",
            "open_qty",
            "shares",
            "lots",
            "contracts",
            "holdings",
            "delta",
            "portfolioDelta",
            "nav",
            "cash",
            "book_value",
            "bookValue",
            "drawdown_pct",
            "pnl_pct",
            "nop",
            "value_at_risk",
            "valueAtRisk",
            "var_99",
            "longs",
            "net_mtm",
        ] {
            assert!(is_amount(field), "{field}");
        }
        for field in [
            "drop_pct",
            "limit_used_pct",
            "packet_loss",
            "loss_pct",
            "latency_ms",
            "network",
            "symbol",
            "depth_lots",
            "market_shares",
            "clock_delta_ms",
            "margin_pct",
            "book",
            "orders_per_min",
        ] {
            assert!(!is_amount(field), "{field}");
        }
    }
}
