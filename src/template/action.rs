//! The action that a request asks about, as people read it: a decision counts only for what its page showed.

use super::fit;
use crate::core::{Incident, invisible::is_joining, printable::is_unprintable};
use serde_json::Value;

/// The longest action in the line of a text, in characters; the rest is counted.
pub const ACTION_MAX: usize = 300;

/// The longest action in full, on pages that scroll, in characters; the rest is counted.
pub const ACTION_WHOLE_MAX: usize = 20_000;

/// What will be done if people agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionText {
    /// One line: `Action: cancel all, desk EQ-2`.
    pub line: String,
    /// The whole as indented JSON, where the line does not show it well: it was cut, or has lists or maps within.
    pub whole: Option<String>,
}

/// The action of an incident's request; `None` if it has none.
pub fn action_of(incident: &Incident) -> Option<ActionText> {
    let action = &incident.request.as_deref()?.ask.action;
    if action.is_null() {
        return None;
    }
    let said = in_line(action);
    let left = left_out(&said, ACTION_MAX);
    let line = match left {
        0 => format!("Action: {said}"),
        left => format!("Action: {} ({left} more characters: the desk has the whole)", fit::cut(&said, ACTION_MAX)),
    };
    let whole = (0 < left || is_nested(action)).then(|| whole(action));
    let safe = |text: String| fit::disarm(&fit::guard(&text, incident.drill));
    Some(ActionText { line: safe(line), whole: whole.map(safe) })
}

fn whole(action: &Value) -> String {
    let text = visible(&format!("{action:#}"));
    match left_out(&text, ACTION_WHOLE_MAX) {
        0 => text,
        left => format!("{}\n({left} more characters are not shown)", fit::cut(&text, ACTION_WHOLE_MAX)),
    }
}

/// How many characters [`fit::cut`] leaves out.
fn left_out(text: &str, max: usize) -> usize {
    let count = text.chars().count();
    if count <= max { 0 } else { count + 1 - max }
}

fn in_line(action: &Value) -> String {
    match action {
        Value::Object(entries) if !entries.is_empty() => {
            let entry = |(name, value): (&String, &Value)| format!("{} {}", name_in_line(name), value_in_line(value));
            entries.iter().map(entry).collect::<Vec<_>>().join(", ")
        }
        other => value_in_line(other),
    }
}

fn name_in_line(name: &str) -> String {
    if name.contains(' ') { quoted(name) } else { text_in_line(name) }
}

fn value_in_line(value: &Value) -> String {
    match value {
        Value::String(text) => text_in_line(text),
        other => visible(&other.to_string()),
    }
}

/// In quotes, unless it is plain: no text may pass for a number, for nothing, or for one more entry.
fn text_in_line(text: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "-_.:/@+%#".contains(letter);
    let words = !text.is_empty() && text.split(' ').all(|word| !word.is_empty() && word.chars().all(plain));
    let is_else = matches!(text, "true" | "false" | "null") || text.parse::<f64>().is_ok();
    if words && !is_else { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    visible(&Value::from(text).to_string())
}

/// Characters that hide or turn text are shown as their numbers: what is approved must not look like something else.
fn visible(text: &str) -> String {
    let shown = |letter: char| match letter {
        '\n' => letter.to_string(),
        letter if is_unprintable(letter) || is_joining(letter) => format!("\\u{:04x}", u32::from(letter)),
        letter => letter.to_string(),
    };
    text.chars().map(shown).collect()
}

/// Whether it has lists or maps within.
fn is_nested(action: &Value) -> bool {
    let deep = |value: &Value| value.is_object() || value.is_array();
    match action {
        Value::Object(entries) => entries.values().any(deep),
        Value::Array(_) => true,
        _ => false,
    }
}
