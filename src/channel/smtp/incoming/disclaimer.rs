//! Recognises the disclaimers of companies below a mail.

use super::{
    phrases::{self, is_blank},
    signature::is_signature_line,
    taken_back::takes_back,
};
use crate::text::reply::folded;

/// The largest number of letters of a disclaimer's paragraph.
const LETTERS_MAX: usize = 3_000;

/// The number of lines that are examined in a paragraph of a disclaimer.
const LINES_MAX: usize = 20;

/// The largest number of letters of an abbreviation, behind which a full stop ends no sentence.
const ABBREVIATION_MAX: usize = 4;

/// The largest number of words of a part between commas that may be a sentence of its own.
const PART_WORDS: usize = 5;

/// Whether the lines are a company's disclaimer. A text in which writers speak of themselves is not, nor one with a
/// sentence that is not about mails and companies.
pub(super) fn is_disclaimer(lines: &[&str]) -> bool {
    let Some(line) = lines.first() else { return false };
    let line = beginning(line).to_lowercase();
    let line = line.trim_start_matches(|c: char| !c.is_alphanumeric());
    let begins = phrases::DISCLAIMER_OPENERS.iter().any(|words| line.starts_with(words));
    let outright = phrases::DISCLAIMERS.iter().any(|words| line.contains(words));
    if !begins && !outright {
        return false;
    }
    let paragraph: Vec<&str> = lines.iter().copied().take(LINES_MAX).take_while(|line| !is_blank(line)).collect();
    let paragraph = paragraph.join(" ");
    let written = beginning(&paragraph);
    let lower = written.to_lowercase();
    let says = phrases::DISCLAIMER_STEMS.iter().any(|stem| lower.contains(stem));
    let of_oneself = || folded(&lower).split_whitespace().any(|word| phrases::ONESELF.has(word));
    (outright || says)
        && !of_oneself()
        && !takes_back(&lower)
        && sentences(written).iter().all(|part| is_about_mail(part))
}

/// Whether a sentence, and each part of it that could be one of its own, has a word of disclaimers.
fn is_about_mail(sentence: &str) -> bool {
    let is_known = |text: &str| {
        let lower = text.to_lowercase();
        let has = |words: &phrases::Phrases| words.iter().any(|words| lower.contains(words));
        has(&phrases::DISCLAIMER_STEMS) || has(&phrases::DISCLAIMERS) || has(&phrases::DISCLAIMER_TOPICS)
    };
    let is_named = |part: &str| {
        let words: Vec<&str> = part.split_whitespace().collect();
        let first = words.first().copied().unwrap_or_default();
        let is_name = first.starts_with(char::is_uppercase) && first.chars().any(char::is_lowercase);
        is_name && (2..=PART_WORDS).contains(&words.len())
    };
    let mut parts = sentence.split([',', '(', ')']).skip(1).map(str::trim);
    let has_words = sentence.chars().any(char::is_alphabetic);
    // An address, or a number in a register.
    let is_entry = || {
        sentence.contains(|c: char| c.is_ascii_digit())
            && is_signature_line(sentence.trim_end_matches(['.', ' ']), false)
    };
    !has_words || is_entry() || is_known(sentence) && !parts.any(|part| is_named(part) && !is_known(part))
}

/// The sentences of a paragraph, also those that a colon or a dash divides.
fn sentences(text: &str) -> Vec<String> {
    let text = text.replace(" - ", "; ").replace(" – ", "; ").replace(" — ", "; ");
    let mut sentences = vec![String::new()];
    for word in text.split_whitespace() {
        let Some(last) = sentences.last_mut() else { break };
        last.push_str(word);
        last.push(' ');
        let stops = word.ends_with(['!', ';', ':', '?', '。']);
        let is_short = word.trim_end_matches('.').chars().count() <= ABBREVIATION_MAX && !is_end_of_sentence(word);
        if stops || word.ends_with('.') && !is_short {
            sentences.push(String::new());
        }
    }
    sentences
}

/// Whether a short word is none of an abbreviation: it is in small letters, as `you.`
fn is_end_of_sentence(word: &str) -> bool {
    word.starts_with(char::is_lowercase)
        && word.matches('.').count() == 1
        && !phrases::ABBREVIATIONS.has(word.trim_end_matches('.'))
}

/// The part of a paragraph that is examined.
fn beginning(text: &str) -> &str {
    text.char_indices().nth(LETTERS_MAX).map_or(text, |(end, _)| &text[..end])
}
