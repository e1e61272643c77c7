//! What a message says must be the same to every reader: an action that people approve may be in it.

use crate::core::canonical::{CanonicalError, read_exact};
use rmcp::model::ClientJsonRpcMessage;
use serde::Deserialize;
use serde_json::{Value, json};

/// The error of JSON-RPC for what is no JSON.
const NO_JSON: i32 = -32700;

/// The error of JSON-RPC for JSON that is no request.
const NO_REQUEST: i32 = -32600;

/// The error of JSON-RPC for parameters that can not be taken.
const WRONG_PARAMETERS: i32 = -32602;

/// The answer to a message that is refused.
#[derive(Debug)]
pub struct Refusal(pub Value);

/// Whether a message is JSON that every reader reads alike.
///
/// # Errors
/// The answer to it.
fn check(message: &[u8]) -> Result<(), Refusal> {
    let Ok(text) = std::str::from_utf8(message) else { return Err(refusal(NO_JSON, Value::Null, "it is not UTF-8")) };
    let Err(error) = read_exact(text) else { return Ok(()) };
    let code = if matches!(error, CanonicalError::NotJson(_)) { NO_JSON } else { WRONG_PARAMETERS };
    Err(refusal(code, id(text), &error.to_string()))
}

/// The message, if every reader reads it alike; `None` for one that is not understood and wants no answer.
///
/// # Errors
/// The answer to it.
pub fn message(message: &[u8]) -> Result<Option<ClientJsonRpcMessage>, Refusal> {
    check(message)?;
    match serde_json::from_slice(message) {
        Ok(message) => Ok(Some(message)),
        Err(_) if is_notification(message) => Ok(None),
        Err(_) => Err(no_request()),
    }
}

/// The answer to a message of JSON that is no request.
fn no_request() -> Refusal {
    refusal(NO_REQUEST, Value::Null, "it is no request of the protocol")
}

/// The answer to a message that is too long.
pub fn too_long(most: usize) -> Refusal {
    refusal(WRONG_PARAMETERS, Value::Null, &format!("the message is larger than {most} bytes"))
}

fn refusal(code: i32, id: Value, why: &str) -> Refusal {
    Refusal(json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": why } }))
}

/// Which message it is; `null` if that can not be known.
fn id(text: &str) -> Value {
    serde_json::from_str::<MessageHead>(text).ok().and_then(|message| message.id).unwrap_or_default()
}

/// Whether a message wants no answer.
fn is_notification(message: &[u8]) -> bool {
    serde_json::from_slice::<MessageHead>(message).is_ok_and(|message| message.id.is_none() && message.method.is_some())
}

#[derive(Deserialize)]
struct MessageHead {
    id: Option<Value>,
    method: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_readers_could_read_differently_is_refused_with_its_id() {
        assert!(check(br#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#).is_ok());
        for (message, code, id) in [
            (r#"{"id":7,"params":{"n":9007199254740993}}"#, WRONG_PARAMETERS, json!(7)),
            (r#"{"id":"a","params":{"n":1,"n":2}}"#, WRONG_PARAMETERS, json!("a")),
            ("{\"id\":7,", NO_JSON, Value::Null),
        ] {
            let Err(Refusal(refusal)) = check(message.as_bytes()) else { panic!("{message} is taken") };
            assert_eq!((&refusal["error"]["code"], &refusal["id"]), (&json!(code), &id), "{message}");
        }
    }

    #[test]
    fn what_is_no_request_is_refused_and_what_wants_no_answer_gets_none() {
        let ping = |id: &str| format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"ping\"}}");
        for message in ["{}", "null", "[]", "7", &format!("[{}]", ping("1")), &ping("1.5"), &ping("[1]"), "{\"id\":1}"]
        {
            let Err(Refusal(refusal)) = super::message(message.as_bytes()) else { panic!("{message} is taken") };
            assert_eq!(refusal["error"]["code"], NO_REQUEST, "{message}");
        }
        assert!(super::message(ping("1").as_bytes()).is_ok_and(|message| message.is_some()));
        assert!(super::message(ping("\"a\"").as_bytes()).is_ok_and(|message| message.is_some()));
        assert!(super::message(br#"{"method":"notifications/of_no_version"}"#).is_ok_and(|message| message.is_none()));
    }
}
