//! The conversation that an alert is a turn of. It is no part of the alert: what an alert has is in the journal, and people
//! talk in it.

use crate::core::{Packet, printable::excerpt};
use serde_json::{Map, Value, json};

/// The most characters of a fault that are told back.
const FAULT_MAX: usize = 200;

/// Takes the packet out of an alert's fields. What has no `conversation` is no packet, and stays a field that Stentor does not
/// know.
pub fn take(alert: &mut Map<String, Value>, warnings: &mut Vec<String>) -> Option<Box<Packet>> {
    alert.get("packet")?.get("conversation")?;
    let mut packet = alert.remove("packet")?;
    if let Value::Object(fields) = &mut packet {
        // Whoever sends turns need not know why a person is due: the trigger says it.
        fields.entry("reason").or_insert_with(|| json!({ "code": "", "text": "" }));
    }
    let read = serde_json::from_value::<Packet>(packet).map_err(|error| fault(&error.to_string()));
    match read {
        Ok(packet) if packet.conversation.id.trim().is_empty() => {
            warnings.push("`packet` has an empty `conversation.id`: it is left out".to_owned());
            None
        }
        Ok(packet) => Some(Box::new(packet.fitted())),
        Err(why) => {
            warnings.push(format!("`packet` can not be read, so it is left out: {why}"));
            None
        }
    }
}

/// What is wrong, without what people said: responses to requests with a key are kept in clear.
fn fault(error: &str) -> String {
    let told = match error.split_once(", expected ") {
        Some((_, expected)) => format!("expected {expected}"),
        None => error.to_owned(),
    };
    excerpt(&told, FAULT_MAX).to_string()
}
