//! A form that is filled in on the command line, as JSON or as `field=value`, and an action that is approved with changes.

use crate::{
    core::{
        AnswerVia, Ask, ChoiceVerdict, Form, FormAnswer, GivenChoice, GivenForm, Incident, IncidentId, NamedOption,
        PersonName, canonical::read_exact, form_answer::FieldFault, request::APPROVE,
    },
    http::{
        filled_form::{given, present},
        problem::{ProblemDetails, answer_problem},
        state::AppState,
    },
    text::reply::{ChoiceReading, choice, typed},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What was filled in, if anything was.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct CliForm {
    /// The JSON of one object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
    /// What stands before the fields: with what they are sent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub before: String,
    /// Field by field, where everything behind that was written `field=value`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<BTreeMap<String, String>>,
}

/// Takes what was filled in or changed; `None` if it is an answer of another kind.
///
/// # Errors
/// `400` with every field that does not fit, and where the incident asks for a form and got something else.
pub(super) async fn fill_in(
    app: &AppState,
    id: IncidentId,
    person: &PersonName,
    (spoken, filled): (&str, &CliForm),
) -> Result<Option<ChoiceVerdict>, ProblemDetails> {
    let incident = app.engine.reads().view(id).await?;
    let asked = incident.as_deref().and_then(|incident| Some((incident, &incident.request.as_ref()?.ask)));
    let read = match asked {
        Some((incident, ask)) if ask.edit.is_some() => changed((incident, ask), filled)?,
        Some((incident, ask)) if ask.form.is_some() => filled_in((incident, ask), spoken, filled)?,
        _ if filled.form.is_some() => return Err(ProblemDetails::bad(format!("{id} has no form to fill in"))),
        _ => None,
    };
    let Some((answer, repeated)) = read else { return Ok(None) };
    let by = GivenChoice { repeated, ..given(person, AnswerVia::Cli, None) };
    let said = GivenForm { by, answer };
    app.engine.inbound().fill_in(id, said).await.map(Some).map_err(answer_problem)
}

/// What somebody filled in, and what they repeated of the facts.
type Filled = (FormAnswer, Option<String>);

/// The answer to a form, if it is one. Where one choice is all, it may be chosen in other words.
fn filled_in(
    (incident, ask): (&Incident, &Ask),
    spoken: &str,
    filled: &CliForm,
) -> Result<Option<Filled>, ProblemDetails> {
    let Some(form) = &ask.form else { return Ok(None) };
    let read = match (&filled.form, &filled.fields) {
        (Some(json), _) => read(form, json),
        (None, Some(fields)) if filled.before.is_empty() => by_fields(form, fields, &present(incident)),
        _ if form.one_choice().is_some() || typed(spoken).is_ok() => return Ok(None),
        _ => Err(ProblemDetails::bad(format!(
            "fill in the form: stentor answer {} {}",
            incident.id,
            fields_of(form).join(" ")
        ))),
    };
    or_late(incident, read).map(|answer| Some((answer, None)))
}

/// An approval with changes, if it is one: what is not named stays as it is.
fn changed((incident, ask): (&Incident, &Ask), filled: &CliForm) -> Result<Option<Filled>, ProblemDetails> {
    let Some(form) = ask.edit.as_ref().map(|edit| edit.form()) else { return Ok(None) };
    let fact = if ask.read_back.is_some() { "FACT " } else { "" };
    let how = || {
        let fields = fields_of(form).join(" ");
        format!("to approve with changes: stentor answer {} {APPROVE} {fact}{fields}", incident.id)
    };
    let (named, fields) = match (&filled.form, &filled.fields, choice(ask, &filled.before)) {
        (None, None, _) => return Ok(None),
        (None, Some(fields), ChoiceReading::Option(named)) if named.option == APPROVE => (named, fields),
        (None, Some(_), ChoiceReading::Option(NamedOption { option, .. })) => {
            return Err(ProblemDetails::bad(format!("nothing was sent: {option} changes nothing; {}", how())));
        }
        _ => return Err(ProblemDetails::bad(format!("nothing was sent; {}", how()))),
    };
    let answer = or_late(incident, by_fields(form, fields, &present(incident)))?;
    Ok(Some((answer, named.repeated)))
}

/// Whoever is late is told so, whatever they typed.
fn or_late(incident: &Incident, read: Result<FormAnswer, ProblemDetails>) -> Result<FormAnswer, ProblemDetails> {
    read.or_else(|wrong| if incident.is_open() { Err(wrong) } else { Ok(FormAnswer::default()) })
}

fn fields_of(form: &Form) -> Vec<String> {
    form.fields().iter().map(|field| format!("{}=..", field.name)).collect()
}

fn read(form: &Form, json: &str) -> Result<FormAnswer, ProblemDetails> {
    let given = read_exact(json).map_err(|error| ProblemDetails::bad(format!("--form: {error}")))?;
    form.answer(&given).map_err(|faults| unfit(&faults))
}

/// What was typed field by field, over what stands in the fields before.
fn by_fields(
    form: &Form,
    fields: &BTreeMap<String, String>,
    before: &BTreeMap<String, String>,
) -> Result<FormAnswer, ProblemDetails> {
    let is_known = |name: &str| form.fields().iter().any(|field| field.name == name);
    let others = fields.keys().filter(|name| !is_known(name));
    let others: Vec<FieldFault> = others.map(|name| FieldFault::unknown(form, name)).collect();
    match form.typed(|name| fields.get(name).or_else(|| before.get(name)).cloned().unwrap_or_default()) {
        Ok(answer) if others.is_empty() => Ok(answer),
        read => Err(unfit(&[read.err().unwrap_or_default(), others].concat())),
    }
}

fn unfit(faults: &[FieldFault]) -> ProblemDetails {
    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
    ProblemDetails::bad(format!("nothing was sent: {}", told.join("; ")))
}
