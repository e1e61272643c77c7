//! Opsgenie's routing rules as conditions.

use super::{
    cel,
    foreign::{list, text},
};
use serde_json::Value;

/// The condition of a rule; `None` if it takes every alert. The error says what can not be carried over.
pub fn condition(rule: &Value) -> Result<Option<String>, String> {
    if !rule["timeRestriction"].is_null() {
        return Err("its time restriction".into());
    }
    let criteria = &rule["criteria"];
    let between = match text(criteria, "type") {
        "" | "match-all" => return Ok(None),
        "match-all-conditions" => " && ",
        "match-any-condition" => " || ",
        kind => return Err(format!("criteria of the type {kind:?}")),
    };
    let parts = list(criteria, "conditions").iter().map(one).collect::<Result<Vec<_>, _>>()?;
    Ok((!parts.is_empty()).then(|| format!("({})", parts.join(between))))
}

fn one(condition: &Value) -> Result<String, String> {
    let (field, operation, value) =
        (text(condition, "field"), text(condition, "operation"), text(condition, "expectedValue"));
    let wanted = cel::quoted(value);
    let is_it = if field == "tags" {
        match operation {
            "contains" | "equals" => format!("{wanted} in alert.evidence.tags"),
            _ => return Err(format!("{operation:?} of tags")),
        }
    } else {
        let own = field_of(field, text(condition, "key"))?;
        match operation {
            "equals" => format!("{own} == {wanted}"),
            "contains" => format!("{own}.contains({wanted})"),
            "starts-with" => format!("{own}.startsWith({wanted})"),
            "ends-with" => format!("{own}.endsWith({wanted})"),
            "matches" => format!("{own}.matches({})", cel::quoted(&format!("^(?:{value})$"))),
            "is-empty" => format!("{own} == \"\""),
            _ => return Err(format!("the operation {operation:?}")),
        }
    };
    Ok(if condition["not"].as_bool().unwrap_or_default() { format!("!({is_it})") } else { is_it })
}

/// A field of an alert, as Stentor keeps what comes by Opsgenie's API.
fn field_of(field: &str, key: &str) -> Result<String, String> {
    let annotation = |name: &str| {
        let name = cel::quoted(name);
        format!("({name} in alert.annotations ? alert.annotations[{name}] : \"\")")
    };
    match field {
        "message" => Ok("alert.summary".into()),
        "alias" | "priority" | "entity" | "source" => Ok(cel::label(field)),
        "description" => Ok(annotation("description")),
        "extra-properties" | "details" if !key.is_empty() => Ok(annotation(key)),
        _ => Err(format!("a condition on {field:?}")),
    }
}
