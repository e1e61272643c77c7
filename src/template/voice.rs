//! Calls: drill or live, what happened, what is asked of whom by when, and what happens otherwise; then as much of the
//! rest as a person who was just woken can follow. Everything in words that can be spoken.

use super::{
    ask, fit, headline,
    words::{BriefWords, EXERCISE},
};
use crate::{core::action_edit::CHANGE_IT, template::fit::SPOKEN_MAX, text::speech::spoken};

/// The longest start, what happened and what is asked, in characters.
const HEAD_MAX: usize = 400;

/// The longest question in it, in characters.
const ASK_MAX: usize = 240;

/// The longest notes, in characters: who did not answer, which reminder this is, whether the monitor still reports.
const NOTES_MAX: usize = 200;

/// A brief, with `middle` (the template's text) cut to what fits. The first element is its start.
pub(super) fn brief(words: &BriefWords<'_>, middle: &str) -> (String, String) {
    let head = head(words);
    let middle = words.unsaid(middle);
    let notes = whole_words(&spoken(&headline::notes(words).join("\n")), NOTES_MAX);
    let exercise = if words.is_drill() { spoken(EXERCISE) } else { String::new() };
    let change = if words.takes_changes() { spoken(CHANGE_IT) } else { String::new() };
    let around: usize = [&head, &notes, &change, &exercise].iter().map(|part| part.chars().count() + 1).sum();
    let middle = whole_words(&said(words, middle), SPOKEN_MAX.saturating_sub(around));
    let parts = [head.as_str(), &middle, &notes, &change, &exercise];
    let body = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    (head, body)
}

/// A text that asks for nothing.
pub(super) fn notice(words: &BriefWords<'_>, text: &str) -> String {
    whole_words(&said(words, text), SPOKEN_MAX)
}

/// What happened, and what is asked: the question is never cut.
fn head(words: &BriefWords<'_>) -> String {
    let repeated = if words.brief.page.maybe_repeated { ", which may be a repeat" } else { "" };
    let what = format!("{} {}{repeated}: {}", words.word(), words.incident().id, fit::ended(&words.summary()));
    let asked = whole_words(&spoken(&ask::spoken(words)), ASK_MAX);
    let room = HEAD_MAX.saturating_sub(asked.chars().count() + 1);
    format!("{} {asked}", whole_words(&said(words, &what), room))
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
