//! An alert in a body of `POST /v1/alerts` as a schema: with all that is read in place of its fields.

use crate::core::Alert;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};
use std::borrow::Cow;

/// An alert as it may be sent.
pub struct AlertInBody;

impl JsonSchema for AlertInBody {
    fn schema_name() -> Cow<'static, str> {
        "Alert".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Alert::json_schema(generator);
        let fields = schema.get_mut("properties").and_then(Value::as_object_mut);
        if let Some(fields) = fields {
            for (name, field) in fields.iter_mut() {
                let details = field.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
                *field = read(name, details, field.take());
            }
            fields.insert("packet".to_owned(), packet());
        }
        schema
    }
}

/// What is read in place of a field: more than its type, so that one wrong field costs no page.
fn read(name: &str, details: String, field: Value) -> Value {
    match name {
        "kind" => json!({ "description": details, "type": "string", "pattern": "\\S" }),
        "labels" | "annotations" => json!({
            "description": format!("{details} Texts; other values are kept as they are written."),
            "type": ["object", "null"],
            "additionalProperties": true,
        }),
        "values" => json!({
            "description": format!("{details} Numbers, in quotes or not; others are left out with a warning."),
            "type": ["object", "null"],
            "additionalProperties": true,
        }),
        "summary" => json!({ "description": format!("{details} What is not text is kept as it is written.") }),
        "confidence" => json!({
            "description": format!("{details} What is not a number is left out with a warning."),
            "default": 1.0,
        }),
        "evidence" => {
            json!({ "description": format!("{details} At most {} levels.", crate::core::alert::NESTING_MAX) })
        }
        "starts_at" => json!({
            "description": format!("{details} RFC 3339; without a zone it is UTC."),
            "anyOf": [
                { "type": "string", "format": "date-time" },
                { "type": "string", "format": "date" },
                { "type": "null" },
            ],
        }),
        // Null counts as not given.
        _ => json!({ "description": details, "anyOf": [field, { "type": "null" }] }),
    }
}

fn packet() -> Value {
    json!({
        "description": "The conversation that the alert is a turn of, as in a handoff, with `conversation`; `reason` may be \
                        left out. It is kept only where a trigger hands it over. One that can not be read is left out with a \
                        warning.",
    })
}
