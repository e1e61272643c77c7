//! Recognises words that may take an answer back. What looks like a machine's words (a banner, a disclaimer, a signature,
//! a quote) is left out only without such words: anybody can write them between rules.

use super::phrases;
use crate::text::reply::{asks_or_denies, folded};

/// Whether a text denies, asks, says that somebody is away, or speaks of its writer, outside the known words of machines.
pub(super) fn takes_back(text: &str) -> bool {
    let mut own = folded(text).split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    for known in phrases::MACHINE_DENIALS.iter() {
        if own.contains(known) {
            own = own.replace(known, " ");
        }
    }
    let is_word = |c: char| c.is_alphanumeric() || c == '\'';
    asks_or_denies(&own)
        || own.split(|c: char| !is_word(c)).any(|word| phrases::ABSENCES.has(word) || phrases::ONESELF.has(word))
}
