//! Reads what a form asks, and what people may change of an action.

use crate::{
    core::{AskKind, Form, action_edit::ActionEdit},
    http::problem::ProblemDetails,
};
use axum::http::StatusCode;
use serde_json::Value;

/// The form.
///
/// # Errors
/// `422` for a form without a schema, for another request that has one, and, with its place, for what a form can not ask.
pub(super) fn read(kind: AskKind, schema: Option<&Value>) -> Result<Option<Form>, ProblemDetails> {
    let schema = match (kind, schema) {
        (AskKind::Form, Some(schema)) => schema,
        (AskKind::Form, None) => {
            let detail = "a form has a `form`, the JSON Schema of its answer: {\"type\": \"object\", \"properties\": {\"limit\": \
                          {\"type\": \"integer\", \"minimum\": 0, \"maximum\": 10}}, \"required\": [\"limit\"]}";
            return Err(unusable(detail));
        }
        (AskKind::Approval | AskKind::Decision | AskKind::Handoff, Some(_)) => {
            return Err(unusable("only a request of type \"form\" has a `form`"));
        }
        (AskKind::Approval | AskKind::Decision | AskKind::Handoff, None) => return Ok(None),
    };
    Form::read(schema).map(Some).map_err(|fault| unusable(format!("/ask/form{fault}")))
}

/// What people may change of the action.
///
/// # Errors
/// `422` for another request than an approval, and, with its place, for what can not be asked of this action.
pub(super) fn edit(
    kind: AskKind,
    schema: Option<&Value>,
    action: &Value,
) -> Result<Option<ActionEdit>, ProblemDetails> {
    let Some(schema) = schema else { return Ok(None) };
    if kind != AskKind::Approval {
        return Err(unusable("only a request of type \"approval\" has an `edit`"));
    }
    ActionEdit::read(schema, action).map(Some).map_err(|fault| unusable(format!("/ask/edit{fault}")))
}

fn unusable(detail: impl Into<String>) -> ProblemDetails {
    ProblemDetails::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
}
