//! Recognises a company's entry in a register below a mail: `Acme GmbH, HRB 12345`, `VAT No. GB 123 4567 89`.
//!
//! Some abbreviations of registers are usual words too (`btw`, `lei`, `nip`), so a line is an entry only if one of them stands
//! directly beside a number of a register, and if nothing else in the line could be a sentence.

use super::{phrases, signs::has_plain_signs, taken_back::takes_back};
use crate::text::reply::{Reply, folded, read};

/// The least number of digits of a number in a commercial register.
const DIGITS_OF_COURTS: usize = 4;

/// The least number of digits of any other number of a company.
const DIGITS: usize = 6;

/// The length of a legal entity identifier (ISO 17442), which has letters too.
const LEI: usize = 20;

/// The largest number of letters before the digits of a number: `OC123456`, `ATU12345678`.
const PREFIX_MAX: usize = 4;

/// What a word is in an entry of a register.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// An abbreviation of a register, and the least number of digits of its numbers.
    Register(usize),
    /// A number, and its digits.
    Number(usize),
    /// Stands between a register and its number.
    Link,
    /// A form of companies.
    Form,
    /// Another word of such entries.
    Known,
    /// A name of a company or place.
    Name,
}

/// Whether the line is a company's entry in a register.
pub(super) fn is_register_line(line: &str) -> bool {
    let line = folded(&line.replace(['€', '£', '$'], " "));
    if !has_plain_signs(&line) || takes_back(&line) {
        return false;
    }
    let is_gap = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|' | '/' | '(' | ')');
    let words = line.split(is_gap).map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    let Some(parts) = words.filter(|word| !word.is_empty()).map(part).collect::<Option<Vec<Part>>>() else {
        return false;
    };
    let is_entry = |at: usize, least: usize| least <= digits_beside(&parts, at);
    let found = |of_court: bool| {
        parts.iter().enumerate().any(|(at, part)| match part {
            Part::Register(least) => (!of_court || *least < DIGITS) && is_entry(at, *least),
            _ => false,
        })
    };
    // Beside a name it may be a word of a sentence, unless a company is named.
    let is_company = !parts.contains(&Part::Name) || parts.contains(&Part::Form) || found(true);
    is_company && found(false)
}

/// The digits of the numbers directly behind a register, or directly before it: `RCS Paris 123 456 789`.
fn digits_beside(parts: &[Part], at: usize) -> usize {
    let digits = |part: &Part| if let Part::Number(digits) = part { Some(*digits) } else { None };
    let behind = parts[at + 1..].iter().skip_while(|part| **part == Part::Link);
    let behind_place = parts[at + 1..].iter().skip(1);
    let before = parts[..at].iter().rev();
    let is_place = parts.get(at + 1) == Some(&Part::Name);
    let sums = [
        behind.map_while(digits).sum::<usize>(),
        if is_place { behind_place.map_while(digits).sum() } else { 0 },
        before.map_while(digits).sum(),
    ];
    sums.into_iter().max().unwrap_or_default()
}

fn part(word: &str) -> Option<Part> {
    let lower = word.to_lowercase();
    if phrases::COURT_REGISTERS.has(&lower) {
        return Some(Part::Register(DIGITS_OF_COURTS));
    }
    // The number of a Swiss company names its register itself.
    if phrases::REGISTERS.has(&lower) || lower == "che" {
        return Some(Part::Register(DIGITS));
    }
    if let Some(digits) = number(word) {
        let is_swiss = word.starts_with("CHE") && DIGITS <= digits;
        return Some(if is_swiss { Part::Register(0) } else { Part::Number(digits) });
    }
    if phrases::COMPANY_FORMS.has(&lower) {
        return Some(Part::Form);
    }
    if phrases::REGISTER_LINKS.has(&lower) || word.len() == 2 && word.chars().all(|c| c.is_ascii_uppercase()) {
        return Some(Part::Link);
    }
    if phrases::REGISTER_WORDS.has(&lower) {
        return Some(Part::Known);
    }
    let says = || phrases::AGAINST.has(&lower) || !matches!(read(word), Reply::Unclear { .. });
    (word.starts_with(char::is_uppercase)
        && word.chars().all(|c| c.is_alphabetic() || matches!(c, '-' | '\'' | '.'))
        && !says())
    .then_some(Part::Name)
}

/// The digits of a number of a company; `None` for a time, a date, and the number of an incident.
fn number(word: &str) -> Option<usize> {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    let is_upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    if word.len() == LEI && word.chars().all(is_upper) && 0 < digits {
        return Some(digits);
    }
    let bare = word.strip_prefix("CHE-").unwrap_or(word);
    let rest = bare.trim_start_matches(|c: char| c.is_ascii_uppercase());
    let lengths: Vec<usize> = rest.split(['.', '-']).map(str::len).collect();
    let is_date = matches!(lengths[..], [1 | 2, 1 | 2, 2 | 4] | [4, 1 | 2, 1 | 2]);
    let is_number = bare.len() - rest.len() <= PREFIX_MAX
        && rest.starts_with(|c: char| c.is_ascii_digit())
        && rest.chars().all(|c| is_upper(c) || matches!(c, '.' | '-'));
    (is_number && !is_date).then_some(digits)
}
