//! Calls: drill or live, which incident, what is asked of whom by when; then as much of the rest as a person who was
//! just woken can follow. Everything in words that can be spoken.

use super::{
    fit,
    headline::{self, EXERCISE},
    words::{BriefWords, role_name},
};
use crate::{core::AnswerLevel, template::fit::SPOKEN_MAX, text::speech::spoken};

/// The longest first sentence, in characters.
const HEAD_MAX: usize = 360;

/// The longest notes, in characters: who did not answer, which reminder this is, whether the monitor still reports.
const NOTES_MAX: usize = 200;

/// A brief, with `middle` (the template's text) cut to what fits. The first element is its first sentence.
pub(super) fn brief(words: &BriefWords<'_>, middle: &str) -> (String, String) {
    let head = whole_words(&spoken(&head(words)), HEAD_MAX);
    let notes = whole_words(&spoken(&headline::notes(words).join("\n")), NOTES_MAX);
    let exercise = if words.is_drill() { spoken(EXERCISE) } else { String::new() };
    let around: usize = [&head, &notes, &exercise].iter().map(|part| part.chars().count() + 1).sum();
    let middle = whole_words(&said(words, middle), SPOKEN_MAX.saturating_sub(around));
    let parts = [head.as_str(), &middle, &notes, &exercise];
    let body = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    (head, body)
}

/// A text that asks for nothing.
pub(super) fn notice(words: &BriefWords<'_>, text: &str) -> String {
    whole_words(&said(words, text), SPOKEN_MAX)
}

fn head(words: &BriefWords<'_>) -> String {
    let repeated = if words.brief.page.maybe_repeated { ", which may be a repeat" } else { "" };
    let role = words.role().map_or_else(|| "on call".to_owned(), role_name);
    // The role `it` must not be read as the word "it".
    let role = if role.len() <= 2 { role.to_uppercase() } else { role };
    let wanted = match headline::level(words) {
        AnswerLevel::Wilco => "to take it",
        AnswerLevel::Roger => "to confirm it",
    };
    let exercise = if words.is_drill() { " in this exercise" } else { "" };
    let due = words.engagement().filter(|e| e.is_open()).and_then(|e| e.deadline);
    let due = due.map_or(String::new(), |at| format!(" by {}", words.time(at)));
    let otherwise = headline::otherwise(words).map_or(String::new(), |text| format!(", else {text}"));
    let id = words.incident().id;
    format!("{} {id}{repeated}. You are asked as {role} {wanted}{exercise}{due}{otherwise}.", words.word())
}

fn said(words: &BriefWords<'_>, text: &str) -> String {
    // Runs the guard again: a character without sound may have separated words that must not stand together.
    fit::guard(&spoken(&fit::disarm(&fit::guard(text, words.is_drill()))), words.is_drill())
}

/// As many whole words as fit into `max` characters.
fn whole_words(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let kept: String = text.chars().take(max.saturating_sub(1)).collect();
    let end = kept.rfind(' ').unwrap_or(kept.len());
    let kept = kept[..end].trim_end_matches(|c: char| !c.is_alphanumeric());
    if kept.is_empty() { String::new() } else { format!("{kept}.") }
}
