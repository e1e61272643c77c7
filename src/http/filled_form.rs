//! A form that a person sent, however it was drawn: whether it fits, what became of it, and what it says.

use crate::{
    core::{
        AnswerVia, ChoiceVerdict, Form, FormAnswer, GivenChoice, GivenForm, Incident, NamedOption, PersonName,
        RequestOutcome,
        form::FormField,
        form_answer::{FORM_ANSWER, FieldFault, FieldValue},
    },
    engine::AnswerError,
    http::state::AppState,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// What is recorded as said by who filled a form in. The answer is in the journal, with the request.
pub const SAID: &str = "filled in the form";

/// What became of a form that somebody sent.
pub enum FormVerdict {
    /// These fields do not fit: nothing was taken.
    Faults(Vec<FieldFault>),
    /// It was judged.
    Judged(ChoiceVerdict),
}

/// One field as it was filled in.
#[derive(Debug, Serialize)]
pub struct FilledField {
    label: String,
    value: String,
}

/// Who sends a form, and by what.
pub fn given(person: &PersonName, via: AnswerVia, page: Option<u32>) -> GivenChoice {
    let said = NamedOption { option: FORM_ANSWER.to_owned(), repeated: None };
    GivenChoice { page, ..GivenChoice::new(person.clone(), said, via) }
}

/// Takes what a person typed, if it fits.
///
/// # Errors
/// The store failed, or the incident is not there any more.
pub async fn send(
    app: &AppState,
    (incident, form): (&Incident, &Form),
    by: GivenChoice,
    typed: impl Fn(&str) -> String,
) -> Result<FormVerdict, AnswerError> {
    let answer = match form.typed(typed) {
        Ok(answer) => answer,
        Err(faults) if incident.is_open() => return Ok(FormVerdict::Faults(faults)),
        // Whoever is late is told so, whatever they typed.
        Err(_) => FormAnswer::default(),
    };
    app.engine.inbound().fill_in(incident.id, GivenForm { by, answer }).await.map(FormVerdict::Judged)
}

/// What was filled in or changed, as people read it; empty while nobody has.
pub fn filled(incident: &Incident) -> Vec<FilledField> {
    let outcome = incident.request.as_deref().and_then(|request| request.outcome());
    let answer = outcome.and_then(RequestOutcome::answer);
    let changes = outcome.and_then(RequestOutcome::edited).map_or(&[][..], |edited| &edited.changes);
    let value = |field: &FormField| {
        let change = changes.iter().find(|change| change.field == field.name);
        let changed = change.map(|change| format!("{} -> {}", read(&change.from), read(&change.to)));
        changed.or_else(|| answer?.get(&field.name).map(read))
    };
    let field = |field: &FormField| Some(FilledField { label: field.label().to_owned(), value: value(field)? });
    incident.fields().map(Form::fields).into_iter().flatten().filter_map(field).collect()
}

/// What stands in the fields before anybody types: of an action, what it has.
pub fn present(incident: &Incident) -> BTreeMap<String, String> {
    let ask = incident.request.as_deref().map(|request| &request.ask);
    let Some((ask, edit)) = ask.and_then(|ask| Some((ask, ask.edit.as_ref()?))) else { return BTreeMap::new() };
    let names = edit.form().fields().iter().map(|field| &field.name);
    names.map(|name| (name.clone(), edit.present(&ask.action, name))).collect()
}

/// A value as people read it.
fn read(value: &FieldValue) -> String {
    match value {
        FieldValue::Boolean(true) => "Yes".to_owned(),
        FieldValue::Boolean(false) => "No".to_owned(),
        other => other.typed(),
    }
}

impl FilledField {
    /// On one line.
    pub fn line(&self) -> String {
        format!("{}: {}", self.label, self.value)
    }
}
