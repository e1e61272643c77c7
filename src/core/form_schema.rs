//! The schema of the schemas of forms, for the documents of the API and of the tools: what [`Form`](super::form::Form) reads.

use super::form::{
    CHOICE_MAX, CHOICES_MAX, CHOICES_MIN, FIELD_DESCRIPTION_MAX, FIELD_TEXT_MAX, FIELD_TITLE_MAX, FIELDS_MAX,
};
use schemars::{JsonSchema, Schema};
use serde_json::Value;
use std::collections::BTreeMap;

/// A JSON Schema of what a person fills in: an object with 1 to 9 fields. Nothing else of JSON Schema is taken.
#[derive(JsonSchema)]
#[schemars(extend("additionalProperties" = false), transform = never_null)]
#[expect(dead_code, reason = "it is a schema alone")]
pub struct FormSchema {
    /// Always `object`.
    #[serde(rename = "type")]
    kind: ObjectType,
    /// What stands over the fields: one line.
    #[schemars(length(min = 1, max = FIELD_TITLE_MAX))]
    title: Option<String>,
    /// The fields by their names: letters, digits, `_` and `-`, 32 characters at most.
    #[schemars(extend("minProperties" = 1, "maxProperties" = FIELDS_MAX))]
    properties: BTreeMap<String, FieldSchema>,
    /// The fields that every answer has, in the order in which people read them.
    #[schemars(extend("uniqueItems" = true))]
    required: Option<Vec<String>>,
    /// An answer never has other fields.
    #[serde(rename = "additionalProperties")]
    #[schemars(extend("const" = false))]
    additional_properties: Option<bool>,
}

#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "it is a schema alone")]
enum ObjectType {
    Object,
}

/// One field: a text with `enum` (choices) or with `maxLength`, a number with its bounds, or yes and no.
#[derive(JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
#[schemars(transform = never_null)]
#[expect(dead_code, reason = "it is a schema alone")]
enum FieldSchema {
    /// One of the choices of `enum`, or one line of at most `maxLength` characters.
    String {
        /// What people read; else the name.
        #[schemars(length(min = 1, max = FIELD_TITLE_MAX))]
        title: Option<String>,
        /// What they read beside it.
        #[schemars(length(min = 1, max = FIELD_DESCRIPTION_MAX))]
        description: Option<String>,
        /// The choices.
        #[serde(rename = "enum")]
        #[schemars(length(min = CHOICES_MIN, max = CHOICES_MAX), inner(length(min = 1, max = CHOICE_MAX)))]
        choices: Option<Vec<String>>,
        /// The most characters.
        #[serde(rename = "maxLength")]
        #[schemars(range(min = 1, max = FIELD_TEXT_MAX))]
        max_length: Option<u32>,
    },
    /// A whole number.
    Integer {
        /// What people read; else the name.
        #[schemars(length(min = 1, max = FIELD_TITLE_MAX))]
        title: Option<String>,
        /// What they read beside it.
        #[schemars(length(min = 1, max = FIELD_DESCRIPTION_MAX))]
        description: Option<String>,
        /// The smallest.
        minimum: i64,
        /// The largest.
        maximum: i64,
    },
    /// A number.
    Number {
        /// What people read; else the name.
        #[schemars(length(min = 1, max = FIELD_TITLE_MAX))]
        title: Option<String>,
        /// What they read beside it.
        #[schemars(length(min = 1, max = FIELD_DESCRIPTION_MAX))]
        description: Option<String>,
        /// The smallest.
        minimum: f64,
        /// The largest.
        maximum: f64,
    },
    /// Yes or no.
    Boolean {
        /// What people read; else the name.
        #[schemars(length(min = 1, max = FIELD_TITLE_MAX))]
        title: Option<String>,
        /// What they read beside it.
        #[schemars(length(min = 1, max = FIELD_DESCRIPTION_MAX))]
        description: Option<String>,
    },
}

/// What can be left out is left out, and not `null`.
fn never_null(schema: &mut Schema) {
    let mut value = std::mem::take(schema).to_value();
    strip(&mut value);
    if let Ok(stripped) = Schema::try_from(value) {
        *schema = stripped;
    }
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let types = fields.get("type").and_then(Value::as_array).map(Vec::as_slice);
            if let Some([only, Value::String(null)]) = types
                && null == "null"
            {
                let only = only.clone();
                fields.insert("type".to_owned(), only);
            }
            fields.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}
