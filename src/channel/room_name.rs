//! The names of war rooms: a pattern from the matrix, filled in for one incident. The result always follows Slack's
//! rules: lower-case letters, digits, hyphens and underscores, at most 80 characters.

use crate::{core::Incident, toml_kit::nearest::nearest};

/// The longest name in characters; it leaves room for a suffix if the name is taken.
const NAME_MAX: usize = 70;

/// The longest fixed text of a pattern in characters; it leaves room for the placeholders.
const PATTERN_TEXT_MAX: usize = 40;

/// The largest number of characters of a trigger's name.
const TRIGGER_MAX: usize = 40;

/// A pattern that gives a valid name for every incident.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RoomName(Vec<NamePart>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum NamePart {
    Text(String),
    /// `drill-`, or nothing.
    Drill,
    /// The incident's number.
    Id,
    /// The trigger's name.
    Trigger,
    /// The day of the opening in UTC: `2026-11-23`.
    Date,
}

/// The placeholders, as they are written between braces.
const PLACEHOLDERS: [&str; 4] = ["drill", "id", "trigger", "date"];

impl RoomName {
    /// Parses a pattern; an error says what is wrong and what to write instead.
    pub(crate) fn parse(pattern: &str) -> Result<Self, (String, String)> {
        let mut parts = Vec::new();
        let mut rest = pattern;
        while let Some((text, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or_else(|| {
                let help = format!("placeholders are {}", shown());
                ("a brace is not closed".to_owned(), help)
            })?;
            push_text(&mut parts, text)?;
            let part = placeholder(name)?;
            if part == NamePart::Drill && !parts.is_empty() {
                let help = "a drill's room begins with `drill-`: write {drill} first".to_owned();
                return Err(("{drill} has no effect here".to_owned(), help));
            }
            parts.push(part);
            rest = after;
        }
        push_text(&mut parts, rest)?;
        if !parts.contains(&NamePart::Id) {
            let help =
                "two incidents could have the same room name: write for example \"{drill}inc-{id}-{trigger}-{date}\"";
            return Err(("the name of rooms has no {id}".to_owned(), help.to_owned()));
        }
        let text: usize = parts.iter().map(|part| if let NamePart::Text(text) = part { text.len() } else { 0 }).sum();
        if PATTERN_TEXT_MAX < text {
            let message = format!("the name of rooms has more than {PATTERN_TEXT_MAX} characters of fixed text");
            return Err((message, "a name has at most 80 in all: leave space for the placeholders".to_owned()));
        }
        Ok(Self(parts))
    }

    /// The name of an incident's room. The name of a drill's room always begins with `drill-`; that of a live incident
    /// never does.
    pub fn fill(&self, incident: &Incident) -> String {
        let mut name = String::new();
        for part in &self.0 {
            match part {
                NamePart::Text(text) => name.push_str(text),
                NamePart::Drill => {}
                NamePart::Id => name.push_str(&incident.id.0.to_string()),
                NamePart::Trigger => name.extend(incident.trigger.as_str().chars().take(TRIGGER_MAX)),
                NamePart::Date => name.push_str(&incident.opened_at.to_utc().format("%Y-%m-%d").to_string()),
            }
        }
        let good = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' { c } else { '-' };
        let mut name: String = name.to_lowercase().chars().map(good).collect();
        while name.starts_with(DRILL) || name.starts_with('-') {
            name = name.trim_start_matches(DRILL).trim_start_matches('-').to_owned();
        }
        if incident.drill {
            name.insert_str(0, DRILL);
        }
        let name: String = name.chars().take(NAME_MAX).collect();
        name.trim_end_matches('-').to_owned()
    }
}

/// The prefix of a drill's room. It comes first, with or without a placeholder in the pattern.
const DRILL: &str = "drill-";

fn push_text(parts: &mut Vec<NamePart>, text: &str) -> Result<(), (String, String)> {
    let bad = text.chars().find(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_')));
    if let Some(bad) = bad {
        let help = "lower-case letters, digits, hyphens and underscores".to_owned();
        return Err((format!("the name of a room can not contain {bad:?}"), help));
    }
    if !text.is_empty() {
        parts.push(NamePart::Text(text.to_owned()));
    }
    Ok(())
}

fn placeholder(name: &str) -> Result<NamePart, (String, String)> {
    match name {
        "drill" => Ok(NamePart::Drill),
        "id" => Ok(NamePart::Id),
        "trigger" => Ok(NamePart::Trigger),
        "date" => Ok(NamePart::Date),
        other => {
            let help = match nearest(other, PLACEHOLDERS.into_iter()) {
                Some(near) => format!("did you mean {{{near}}}?"),
                None => format!("placeholders are {}", shown()),
            };
            Err((format!("there is no placeholder {{{other}}}"), help))
        }
    }
}

fn shown() -> String {
    PLACEHOLDERS.map(|name| format!("{{{name}}}")).join(", ")
}
