//! The raw facts: the text of a page if its template cannot be used. They are composed here, so that nothing can
//! prevent them.

use super::{fit, words::BriefWords};
use crate::text::{
    money::{is_amount, without_amounts},
    number::number,
};
use std::collections::BTreeMap;

/// Tells the reader why the text looks like this.
const INSTEAD: &str = "Raw facts (the text made for this role could not be used):";

/// The alert with its labels, values and annotations, one kind per line, up to `room` characters. Without positions,
/// profits and losses: who may have them is said by the template that could not be used.
pub(super) fn raw(words: &BriefWords<'_>, room: usize) -> String {
    let alert = &words.incident().alert;
    let head = format!(
        "{INSTEAD}\n{} from {}, confidence {}%.",
        fit::clean(&alert.kind, 80),
        fit::clean(alert.source.as_str(), 80),
        (alert.confidence.clamp(0.0, 1.0) * 100.0).round(),
    );
    let told = listed(
        "values",
        alert.values.iter().filter(|(name, _)| !is_amount(name)).map(|(name, value)| (name, number(*value))),
    );
    let text = |map: &BTreeMap<String, String>, label| {
        let told = map.iter().filter(|(name, _)| !is_amount(name));
        listed(label, told.map(|(name, text)| (name, without_amounts(&fit::clean(text, 300)))))
    };
    let lines = [told, text(&alert.labels, "labels"), text(&alert.annotations, "annotations")];
    let share = room.saturating_sub(head.chars().count() + 8) / lines.len();
    let lines = lines.into_iter().filter(|line| !line.is_empty()).map(|line| fit::cut(&line, share.max(20)));
    let all: Vec<String> = std::iter::once(head).chain(lines).collect();
    fit::disarm(&fit::guard(&all.join("\n"), words.is_drill()))
}

/// The same in one line, most important facts first, without the summary: for an SMS and a call.
pub(super) fn short(words: &BriefWords<'_>) -> String {
    let alert = &words.incident().alert;
    let values = alert
        .values
        .iter()
        .filter(|(name, _)| !is_amount(name))
        .map(|(name, value)| format!("{}={}", fit::clean(name, 40), number(*value)));
    let labels = alert.labels.iter().filter(|(name, _)| !is_amount(name));
    let labels =
        labels.map(|(name, text)| format!("{}={}", fit::clean(name, 40), without_amounts(&fit::clean(text, 60))));
    let facts: Vec<String> = values.chain(labels).take(12).collect();
    facts.join(" ")
}

fn listed<'a>(label: &str, entries: impl Iterator<Item = (&'a String, String)>) -> String {
    let entries: Vec<String> = entries.map(|(name, text)| format!("{}={text}", fit::clean(name, 80))).collect();
    if entries.is_empty() { String::new() } else { format!("{label}: {}", entries.join(", ")) }
}
