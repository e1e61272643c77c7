//! A form that is filled in on the command line: as JSON, or as `field=value`.

use crate::{
    core::{
        AnswerVia, ChoiceVerdict, Form, FormAnswer, GivenForm, IncidentId, PersonName, canonical::read_exact,
        form_answer::FieldFault,
    },
    http::{
        filled_form::given,
        problem::{ProblemDetails, answer_problem},
        state::AppState,
    },
    text::reply::typed,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What was filled in, if anything was.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct CliForm {
    /// The JSON of one object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
    /// Field by field, where everything was written `field=value`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<BTreeMap<String, String>>,
}

/// Takes what was filled in; `None` if it is an answer of another kind.
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
    let Some(form) = incident.as_ref().and_then(|incident| incident.form()) else {
        let why = || ProblemDetails::bad(format!("{id} has no form to fill in"));
        return if filled.form.is_some() { Err(why()) } else { Ok(None) };
    };
    let answer = match (&filled.form, &filled.fields) {
        (Some(json), _) => read(form, json)?,
        (None, Some(fields)) => by_fields(form, fields)?,
        (None, None) if form.one_choice().is_some() || typed(spoken).is_ok() => return Ok(None),
        (None, None) => {
            let fields: Vec<String> = form.fields().iter().map(|field| format!("{}=..", field.name)).collect();
            return Err(ProblemDetails::bad(format!("fill in the form: stentor answer {id} {}", fields.join(" "))));
        }
    };
    let said = GivenForm { by: given(person, AnswerVia::Cli, None), answer };
    app.engine.inbound().fill_in(id, said).await.map(Some).map_err(answer_problem)
}

fn read(form: &Form, json: &str) -> Result<FormAnswer, ProblemDetails> {
    let given = read_exact(json).map_err(|error| ProblemDetails::bad(format!("--form: {error}")))?;
    form.answer(&given).map_err(|faults| unfit(&faults))
}

fn by_fields(form: &Form, fields: &BTreeMap<String, String>) -> Result<FormAnswer, ProblemDetails> {
    let is_known = |name: &str| form.fields().iter().any(|field| field.name == name);
    let others = fields.keys().filter(|name| !is_known(name));
    let others: Vec<FieldFault> = others.map(|name| FieldFault::unknown(name)).collect();
    match form.typed(|name| fields.get(name).cloned().unwrap_or_default()) {
        Ok(answer) if others.is_empty() => Ok(answer),
        read => Err(unfit(&[read.err().unwrap_or_default(), others].concat())),
    }
}

fn unfit(faults: &[FieldFault]) -> ProblemDetails {
    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
    ProblemDetails::bad(format!("nothing was sent: {}", told.join("; ")))
}
