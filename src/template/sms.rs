//! SMS texts: first the code and the request, then what happens otherwise, then as much of the rest as fits into two
//! segments.

use crate::{
    core::AnswerLevel,
    template::{
        brief::CODE,
        fit, headline,
        words::{BriefWords, role_name},
    },
    text::gsm7,
};

/// The code and the request must fit into this many characters: a lock screen shows no more.
const ASK_WITHIN: usize = 60;

/// The longest text about what happens otherwise, in characters.
const OTHERWISE_MAX: usize = 44;

/// The longest note about who did not answer, in characters.
const NOTE_MAX: usize = 72;

/// The longest note about who had it and handed it back, in characters.
const HANDED_BACK_MAX: usize = 100;

/// A brief, with `middle` (the template's text) cut to what fits. The first element is its first line.
pub(super) fn brief(words: &BriefWords<'_>, middle: &str) -> (String, String) {
    let head = fit::cut(&gsm7::to_gsm7(&head(words)), 240);
    let mut tail: Vec<String> = notes(words);
    if words.is_drill() {
        tail.push("Exercise: answer as if it were real.".to_owned());
    }
    let tail: String = tail.into_iter().map(|line| format!("\n{line}")).collect();
    let body = around(&head, &plain(words, middle), &tail);
    (head, body)
}

/// A text that asks for nothing, cut to two segments. Its last line, which may contain the code's placeholder, is never
/// cut.
pub(super) fn notice(words: &BriefWords<'_>, text: &str, last: Option<&str>) -> String {
    let last = last.map_or_else(String::new, |last| format!("\n{last}"));
    around("", &plain(words, text), &last)
}

/// Who did not answer, and which reminder this is. It is short, because it is never cut.
fn notes(words: &BriefWords<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(round @ 1..) = headline::round(words) {
        notes.push(match words.incident().alerts {
            0 | 1 => format!("Reminder {round}."),
            alerts => format!("Reminder {round}, {alerts} alerts."),
        });
    }
    notes.extend(headline::handed_back(words).first().map(|note| plain(words, &fit::cut(note, HANDED_BACK_MAX))));
    let unanswered = headline::unanswered(words);
    let first = unanswered.first().and_then(|note| note.split(": you stand in").next());
    notes.extend(first.map(|note| plain(words, &fit::cut(note, NOTE_MAX))));
    notes
}

fn head(words: &BriefWords<'_>) -> String {
    let (level, drill) = (headline::level(words), words.is_drill());
    let ask = match level {
        AnswerLevel::Wilco => format!("reply {CODE} to take it"),
        AnswerLevel::Roger => format!("reply {CODE} to confirm"),
    };
    let exercise = if drill { " in this exercise" } else { "" };
    let start = format!("{} {CODE} {}", words.word(), words.incident().id);
    let room = ASK_WITHIN.saturating_sub(start.len() + ": ".len() + ask.len() + 1);
    let role: String = words.role().map_or_else(String::new, role_name);
    let role: String = gsm7::to_gsm7(&role).to_uppercase().chars().take(room).collect();
    let gap = if role.is_empty() { "" } else { " " };
    let repeated = if words.brief.page.maybe_repeated { " (may be a repeat)" } else { "" };
    format!("{start}{gap}{role}: {ask}{exercise}, {CODE} 4 to pass.{repeated}{}", by_when(words))
}

fn by_when(words: &BriefWords<'_>) -> String {
    let due = words.engagement().filter(|e| e.is_open()).and_then(|e| e.deadline);
    let otherwise = headline::otherwise(words).map(|text| fit::cut(&text, OTHERWISE_MAX));
    match (due, otherwise) {
        (Some(due), Some(otherwise)) => format!(" By {}, else {otherwise}.", words.time(due)),
        (Some(due), None) => format!(" By {}.", words.time(due)),
        (None, Some(otherwise)) => format!(" Now; {otherwise}."),
        (None, None) => String::new(),
    }
}

/// Lines in the SMS alphabet, without anything that looks like the code's placeholder.
fn plain(words: &BriefWords<'_>, text: &str) -> String {
    let text = gsm7::to_gsm7(text);
    let line = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.lines().map(line).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
    gsm7::to_gsm7(&fit::disarm(&fit::guard(&text, words.is_drill())))
}

/// `head`, as much of `middle` as fits into two segments, and `tail`.
fn around(head: &str, middle: &str, tail: &str) -> String {
    let gap = if head.is_empty() || middle.is_empty() { "" } else { "\n" };
    let whole = format!("{head}{gap}{middle}{tail}");
    if fit::fits_sms(&whole) {
        return whole;
    }
    let ends: Vec<usize> = middle.char_indices().map(|(at, _)| at).collect();
    let cut = |end: usize| format!("{head}{gap}{}...{tail}", middle[..end].trim_end());
    // The longest prefix that fits; whether a prefix fits is monotonic in its length.
    let fitting = ends.partition_point(|end| fit::fits_sms(&cut(*end)));
    let end = fitting.checked_sub(1).and_then(|at| ends.get(at)).copied().unwrap_or(0);
    cut(end)
}
