//! The frames of Socket Mode. Our own, permissive types: a missing or `null` field loses nothing, and a payload that
//! can not be parsed is still acknowledged.

use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

/// A text frame.
#[derive(Debug, Deserialize)]
pub struct SocketFrame {
    #[serde(default)]
    r#type: Value,
    #[serde(default)]
    envelope_id: Value,
    #[serde(default)]
    accepts_response_payload: Value,
    #[serde(default)]
    reason: Value,
    payload: Option<Box<RawValue>>,
}

/// The meaning of a frame.
#[derive(Debug)]
pub enum FrameKind {
    /// The link is ready.
    Hello,
    /// Slack wants to close the link.
    Disconnect(String),
    /// Something to be acknowledged.
    Envelope(SocketEnvelope),
    /// An unknown frame.
    Nothing,
}

/// An action of a user, to be acknowledged by its id.
#[derive(Debug)]
pub struct SocketEnvelope {
    /// The id for the acknowledgement.
    pub id: String,
    /// `interactive`, `slash_commands`, `events_api`.
    pub kind: String,
    /// Whether the acknowledgement may contain a response.
    pub takes_reply: bool,
    /// The payload, unparsed.
    pub payload: Option<Box<RawValue>>,
}

impl SocketFrame {
    /// The meaning of the frame.
    pub fn word(self) -> FrameKind {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match (self.r#type.as_str(), self.envelope_id.as_str()) {
            (Some("hello"), _) => FrameKind::Hello,
            (Some("disconnect"), _) => FrameKind::Disconnect(text(&self.reason)),
            (kind, Some(id)) => FrameKind::Envelope(SocketEnvelope {
                id: id.to_owned(),
                kind: kind.unwrap_or_default().to_owned(),
                takes_reply: self.accepts_response_payload == true,
                payload: self.payload,
            }),
            (_, None) => FrameKind::Nothing,
        }
    }
}

/// An acknowledgement, with a response if there is one.
pub fn acknowledgement(id: &str, reply: Option<&Value>) -> String {
    let frame = match reply {
        Some(reply) => json!({ "envelope_id": id, "payload": reply }),
        None => json!({ "envelope_id": id }),
    };
    frame.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> String {
        match serde_json::from_str::<SocketFrame>(text).map(SocketFrame::word) {
            Ok(FrameKind::Hello) => "hello".into(),
            Ok(FrameKind::Disconnect(reason)) => format!("disconnect {reason}"),
            Ok(FrameKind::Envelope(it)) => {
                format!(
                    "{} {} {} {}",
                    it.id,
                    it.kind,
                    it.takes_reply,
                    it.payload.map_or_else(String::new, |p| p.to_string())
                )
            }
            Ok(FrameKind::Nothing) => "nothing".into(),
            Err(_) => "unreadable".into(),
        }
    }

    #[test]
    fn a_null_or_a_missing_field_loses_no_envelope() {
        for (text, expected) in [
            (r#"{"type":"hello","num_connections":2}"#, "hello"),
            (r#"{"type":"disconnect","reason":"warning"}"#, "disconnect warning"),
            (r#"{"type":"disconnect","reason":null}"#, "disconnect "),
            (
                r#"{"type":"interactive","envelope_id":"e1","payload":{"team":null},"accepts_response_payload":false}"#,
                r#"e1 interactive false {"team":null}"#,
            ),
            (
                r#"{"type":"slash_commands","envelope_id":"e1","accepts_response_payload":true,"retry_attempt":null,"payload":[1]}"#,
                "e1 slash_commands true [1]",
            ),
            (
                r#"{"type":"events_api","envelope_id":"e1","payload":null,"accepts_response_payload":"yes"}"#,
                "e1 events_api false ",
            ),
            (r#"{"envelope_id":"e1"}"#, "e1  false "),
            (r#"{"type":7,"envelope_id":"e1","payload":"x"}"#, r#"e1  false "x""#),
            (r#"{"type":"interactive","envelope_id":null,"payload":{}}"#, "nothing"),
            (r#"{}"#, "nothing"),
            (r#"[]"#, "unreadable"),
            ("pong", "unreadable"),
            ("", "unreadable"),
        ] {
            assert_eq!(word(text), expected, "{text}");
        }
        // A payload that is nested too deeply for our parser is still acknowledged.
        let deep =
            format!(r#"{{"type":"interactive","envelope_id":"e1","payload":{}{}}}"#, "[".repeat(500), "]".repeat(500));
        assert!(word(&deep).starts_with("e1 interactive"), "{}", word(&deep));
    }
}
