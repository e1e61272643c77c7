//! A form as it is drawn, on the desk and behind the link of a mail: each field with its label, what it takes, what was
//! typed and what does not fit.

use crate::{
    core::{
        Incident,
        form::{FieldKind, FormField},
        form_answer::FieldFault,
    },
    http::filled_form::present,
};
use serde::Serialize;

/// What stands before a field's name, so that it is none of ours.
pub const FIELD: &str = "field.";

/// A form as it is drawn.
#[derive(Debug, Default, Serialize)]
pub struct DrawnForm {
    title: Option<String>,
    /// Which question it shows.
    digest: String,
    request: String,
    fields: Vec<DrawnField>,
    /// How many fields have a fault.
    faults: usize,
    /// Whether it approves an action, as far as the fields change it.
    edits: bool,
    /// What must be repeated with it.
    repeat: Option<String>,
}

#[derive(Debug, Serialize)]
struct DrawnField {
    /// Its name in the form that is sent.
    name: String,
    label: String,
    description: Option<String>,
    takes: String,
    required: bool,
    /// The choices; empty if it is typed.
    choices: Vec<DrawnChoice>,
    /// What was typed.
    value: String,
    /// The most characters, of a text.
    max: Option<usize>,
    /// The keyboard of a phone: `text`, `numeric` or `decimal`.
    keyboard: &'static str,
    fault: Option<String>,
}

#[derive(Debug, Serialize)]
struct DrawnChoice {
    value: String,
    label: String,
    checked: bool,
}

impl DrawnForm {
    /// The form of an open incident, with nothing but what its action has; `None` where there is nothing to fill in.
    pub fn of(incident: &Incident) -> Option<Self> {
        let present = present(incident);
        Self::with_faults(incident, |name| present.get(name).cloned().unwrap_or_default(), &[])
    }

    /// The same with what was typed, and what does not fit.
    pub fn with_faults(incident: &Incident, typed: impl Fn(&str) -> String, faults: &[FieldFault]) -> Option<Self> {
        let request = incident.request.as_deref().filter(|request| request.outcome().is_none())?;
        let form = request.ask.fields()?;
        let draw = |field: &FormField| {
            let fault = faults.iter().find(|fault| fault.field == field.name);
            DrawnField::of(field, typed(&field.name), fault.map(|fault| format!("{} {}.", field.label(), fault.why)))
        };
        Some(Self {
            title: form.title().map(ToOwned::to_owned),
            digest: request.ask.action_digest.clone(),
            request: incident.request_id().map(|id| id.to_string()).unwrap_or_default(),
            fields: form.fields().iter().map(draw).collect(),
            faults: faults.len(),
            edits: incident.takes_changes(),
            repeat: incident.repeats(),
        })
    }

    /// All its words, in their order, for the record of what a person was shown.
    pub fn words(&self) -> String {
        let field = |field: &DrawnField| {
            let about = field.description.iter().map(|about| format!(" ({about})")).collect::<String>();
            format!("{}{about}: {}", field.label, field.takes)
        };
        self.title.iter().cloned().chain(self.fields.iter().map(field)).collect::<Vec<_>>().join("\n")
    }
}

impl DrawnField {
    fn of(field: &FormField, value: String, fault: Option<String>) -> Self {
        let choice = |text: &str, label: &str| DrawnChoice {
            value: text.to_owned(),
            label: label.to_owned(),
            checked: value == text,
        };
        let mut choices = match &field.kind {
            FieldKind::Choice { choices } => choices.iter().map(|text| choice(text, text)).collect(),
            FieldKind::Boolean => vec![choice("true", "Yes"), choice("false", "No")],
            FieldKind::Text { .. } | FieldKind::Integer { .. } | FieldKind::Number { .. } => Vec::new(),
        };
        // A choice that was made can be taken back.
        if !choices.is_empty() && !field.required {
            choices.push(choice("", "No answer"));
        }
        Self {
            name: format!("{FIELD}{}", field.name),
            label: field.label().to_owned(),
            description: field.description.clone(),
            takes: field.takes(),
            required: field.required,
            choices,
            max: match field.kind {
                FieldKind::Text { max } => Some(max),
                _ => None,
            },
            keyboard: match field.kind {
                // A keyboard of digits has no minus on some phones.
                FieldKind::Integer { min: 0.., .. } => "numeric",
                FieldKind::Number { min, .. } if 0.0 <= min => "decimal",
                _ => "text",
            },
            value,
            fault,
        }
    }
}
