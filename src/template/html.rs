//! The frame of an HTML mail: the most important text first, one button, no external content. Templates fill it.

use crate::{
    core::answer::{HAND_BACK, HAND_EXERCISE_BACK},
    template::{
        brief::{AlarmText, LINK},
        words::BriefWords,
    },
};

const FRAME: &str = include_str!("mail-frame.html");

/// The purpose of a mail's single button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Button {
    /// Answer the question.
    Answer,
    /// Hand back the role.
    HandBack,
}

/// What happened, what is asked and what happens otherwise: below the band, which says which incident it is.
pub(super) fn question(alarm: &AlarmText) -> String {
    let line = |style: &str, text: &str| format!("<p style=\"margin:0 0 8px;{style}\">{}</p>", escape(text));
    let action = alarm.action.as_ref().map(|text| action(text)).unwrap_or_default();
    let otherwise = alarm.otherwise.as_ref().map(|text| line("font-size:16px", text)).unwrap_or_default();
    format!(
        "<h1 style=\"margin:0 0 8px;font-size:24px;line-height:1.2\">{}</h1>{action}{}{otherwise}",
        escape(&alarm.what),
        line("font-size:18px;font-weight:600", &alarm.ask)
    )
}

/// The line of what will be done if people agree.
pub(super) fn action(text: &str) -> String {
    format!("<p style=\"margin:0 0 8px;font-size:18px;overflow-wrap:anywhere\">{}</p>", escape(text))
}

/// The first line of a text that asks for nothing.
pub(super) fn first_line(text: &str) -> String {
    format!("<p style=\"margin:0 0 8px;font-size:18px;font-weight:600\">{}</p>", escape(text))
}

/// The whole mail: `first` and `inside` are HTML, `notes` are plain text.
pub(super) fn frame(
    words: &BriefWords<'_>,
    first: String,
    notes: &[String],
    inside: &str,
    with: Option<Button>,
) -> String {
    let (colour, mark) = if words.is_drill() { ("#0b57d0", "DRILL") } else { ("#b3001b", "LIVE") };
    let notes: String = notes.iter().map(|note| paragraph(note)).collect();
    let button = match (with, words.is_drill()) {
        (None, _) => String::new(),
        (Some(Button::Answer), false) => button("Answer this page", colour),
        (Some(Button::Answer), true) => button("Answer this exercise", colour),
        (Some(Button::HandBack), false) => button(HAND_BACK, "#555555"),
        (Some(Button::HandBack), true) => button(HAND_EXERCISE_BACK, "#555555"),
    };
    let id = words.incident().id.to_string();
    let text = |from: &str| escape(from);
    let parts = [
        ("{mark}", mark.to_owned()),
        ("{colour}", colour.to_owned()),
        ("{border}", if words.is_drill() { "6px dashed" } else { "6px solid" }.to_owned()),
        ("{id}", text(&id)),
        ("{first}", first),
        ("{button}", button),
        ("{notes}", notes),
        ("{inside}", inside.to_owned()),
    ];
    fill(FRAME, &parts)
}

/// A table row: a label and its text.
pub(super) fn row(label: &str, text: &str) -> String {
    format!(
        "<tr><th align=\"left\" valign=\"top\" style=\"padding:4px 12px 4px 0;font-weight:600;color:#555;width:6em\">{}</th>\
         <td valign=\"top\" style=\"padding:4px 0\">{}</td></tr>",
        escape(label),
        escape(text)
    )
}

/// Plain text with its line breaks preserved.
pub(super) fn preformatted(text: &str) -> String {
    format!("<p style=\"white-space:pre-line;overflow-wrap:anywhere\">{}</p>", escape(text))
}

/// Escapes text for HTML, inside or outside of attributes.
pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

fn paragraph(text: &str) -> String {
    format!("<p style=\"margin:0 0 8px\">{}</p>", escape(text))
}

fn button(label: &str, colour: &str) -> String {
    format!(
        "<p style=\"margin:16px 0\"><a href=\"{LINK}\" style=\"display:block;background:{colour};color:#ffffff;\
         text-align:center;padding:18px 12px;font-size:20px;font-weight:700;text-decoration:none;border-radius:8px\">\
         {label}</a></p>"
    )
}

/// Fills each placeholder once, from left to right, so that a placeholder inside a part stays text.
fn fill(frame: &str, parts: &[(&str, String)]) -> String {
    let mut filled = String::with_capacity(frame.len() * 2);
    let mut left = frame;
    while let Some(at) = left.find('{') {
        filled.push_str(&left[..at]);
        left = &left[at..];
        match parts.iter().find(|(place, _)| left.starts_with(place)) {
            Some((place, text)) => {
                filled.push_str(text);
                left = &left[place.len()..];
            }
            None => {
                filled.push('{');
                left = &left[1..];
            }
        }
    }
    filled + left
}
