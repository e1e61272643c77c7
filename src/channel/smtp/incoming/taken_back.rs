//! Recognises words that may take an answer back. What looks like a machine's words (a banner, a disclaimer, a signature,
//! a quote) is left out only without such words: anybody can write them between rules.

use super::phrases;
use crate::text::reply::{asks_or_denies, folded};

/// Whether a text denies, asks, says that somebody is away, or speaks of its writer, outside the known words of machines.
pub(super) fn takes_back(text: &str) -> bool {
    let mut own = folded(text).split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    own = without_misdirected(&without_numbers(&own));
    for known in phrases::MACHINE_DENIALS.iter() {
        if own.contains(known) {
            own = own.replace(known, " ");
        }
    }
    let is_word = |c: char| c.is_alphanumeric() || c == '\'';
    asks_or_denies(&own)
        || own.split(|c: char| !is_word(c)).any(|word| phrases::ABSENCES.has(word) || phrases::ONESELF.has(word))
}

/// Without what disclaimers say to whoever got a mail that was not meant for them, up to the end of each such sentence.
fn without_misdirected(text: &str) -> String {
    let sentences = text.split_inclusive(". ").map(|sentence| {
        let begins = phrases::MISDIRECTED.iter().filter_map(|words| sentence.find(words)).min();
        let is_meant = |from: usize| phrases::MEANT_FOR.iter().any(|words| sentence[from..].contains(words));
        &sentence[..begins.filter(|from| is_meant(*from)).unwrap_or(sentence.len())]
    });
    sentences.collect::<Vec<_>>().join(" ")
}

/// Without the `no.` before a number: `Registered in England No. OC123456`.
fn without_numbers(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let has_digit = |at: usize| words.get(at).is_some_and(|word| word.contains(|c: char| c.is_ascii_digit()));
    let is_number = |at: usize| {
        let is_mark = matches!(words[at], "no." | "no:" | "no.:" | "nos.");
        is_mark && (has_digit(at + 1) || has_digit(at + 2))
    };
    (0..words.len()).filter(|at| !is_number(*at)).map(|at| words[at]).collect::<Vec<_>>().join(" ")
}
