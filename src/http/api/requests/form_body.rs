//! Reads what a form asks.

use crate::{
    core::{AskKind, Form},
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

fn unusable(detail: impl Into<String>) -> ProblemDetails {
    ProblemDetails::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
}
