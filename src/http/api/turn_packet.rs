//! The conversation that an alert is a turn of. It is no part of the alert: what an alert has is in the journal, and people
//! talk in it.

use crate::core::Packet;
use serde_json::{Map, Value};

/// Takes the packet out of an alert's fields, whatever it is: what is called so may have what people said.
pub fn take(alert: &mut Map<String, Value>, warnings: &mut Vec<String>) -> Option<Box<Packet>> {
    let mut packet = alert.remove("packet")?;
    let mut left_out = |why: &str| {
        warnings.push(format!("`packet` can not be read, so it is left out: {why}"));
        None
    };
    without_nulls(&mut packet);
    let Value::Object(fields) = &mut packet else { return left_out("it must be an object with a `conversation`") };
    // Whoever sends turns need not know why a person is due: the trigger says it.
    let reason = fields.entry("reason").or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(reason) = reason {
        for half in ["code", "text"] {
            reason.entry(half).or_insert_with(|| "".into());
        }
    }
    match serde_json::from_value::<Packet>(packet) {
        Ok(packet) if packet.conversation.id.trim().is_empty() => left_out("its `conversation.id` is empty"),
        Ok(packet) => Some(Box::new(packet.fitted())),
        Err(error) => left_out(&fault(&error.to_string())),
    }
}

/// As in the other fields of an alert, `null` is not given.
fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What is wrong, without a word of what was sent: responses to requests with a key are kept in clear.
fn fault(error: &str) -> String {
    // What the reader of JSON says of types ends in its own words; a missing field is one of ours.
    let of_types = ["invalid type: ", "invalid value: ", "invalid length ", "unknown field ", "unknown variant "];
    let expected = error.rsplit_once(", expected ").filter(|_| of_types.iter().any(|start| error.starts_with(start)));
    match expected {
        Some((_, expected)) => format!("a field is none that is known or has another type; expected {expected}"),
        None if error.starts_with("missing field ") => error.to_owned(),
        None => "a field has a value that can not be read, such as a time that is not RFC 3339".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_called_a_packet_is_never_left_in_the_alert_and_never_told_back() {
        let mine = json!({ "id": "c-1" });
        for (packet, why) in [
            (json!("SECRET"), "must be an object"),
            (json!(["SECRET"]), "must be an object"),
            (json!({ "transcript": [{ "who": "user", "text": "SECRET" }] }), "missing field `conversation`"),
            (json!({ "conversation": { "id": " " } }), "is empty"),
            (json!({ "conversation": mine, "SECRET": 1 }), "expected one of"),
            (json!({ "conversation": mine, "transcript": "SECRET" }), "expected a sequence"),
            (json!({ "conversation": mine, "risk": { "score": "low, expected SECRET" } }), "expected f64"),
            (
                json!({ "conversation": mine, "transcript": [{ "who": "u", "text": "t", "at": "x, expected SECRET" }] }),
                "RFC 3339",
            ),
        ] {
            let mut alert: Map<String, Value> = [("packet".to_owned(), packet.clone())].into_iter().collect();
            let mut warnings = Vec::new();
            assert_eq!(take(&mut alert, &mut warnings), None, "{packet}");
            assert!(alert.is_empty() && warnings.len() == 1, "{packet}: {warnings:?}");
            assert!(warnings[0].contains(why) && !warnings[0].contains("SECRET"), "{packet}: {warnings:?}");
        }
    }

    #[test]
    fn what_is_not_given_is_not_needed() {
        for packet in [
            json!({ "conversation": { "id": "c-1" } }),
            json!({ "conversation": { "id": "c-1", "locale": null }, "reason": null, "user": null, "transcript": null }),
            json!({ "conversation": { "id": "c-1" }, "reason": { "code": "asked", "text": null } }),
        ] {
            let mut alert: Map<String, Value> = [("packet".to_owned(), packet.clone())].into_iter().collect();
            let mut warnings = Vec::new();
            let read = take(&mut alert, &mut warnings);
            assert_eq!(
                (read.map(|packet| packet.conversation.id.clone()), warnings.len()),
                (Some("c-1".into()), 0),
                "{packet}"
            );
        }
    }
}
