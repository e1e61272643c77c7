//! Reads the packet of a handoff: whatever is too long is cut, because a user waits.

use crate::{
    core::{AskKind, Packet},
    http::problem::ProblemDetails,
};
use axum::http::StatusCode;

/// The packet of a handoff, within its limits.
///
/// # Errors
/// `422` for a handoff without one, for another request that has one, and for one without a conversation or reason.
pub fn read(kind: AskKind, packet: Option<Packet>) -> Result<Option<Packet>, ProblemDetails> {
    let packet = match (kind, packet) {
        (AskKind::Handoff, Some(packet)) => packet.fitted(),
        (AskKind::Handoff, None) => {
            let detail = "a handoff has a `packet`: {\"conversation\": {\"id\": ..}, \"reason\": {\"code\": .., \"text\": ..}, ..}";
            return Err(unusable(detail));
        }
        (AskKind::Approval | AskKind::Decision | AskKind::Form, Some(_)) => {
            return Err(unusable("only a handoff has a `packet`"));
        }
        (AskKind::Approval | AskKind::Decision | AskKind::Form, None) => return Ok(None),
    };
    let needed = [&packet.conversation.id, &packet.reason.code, &packet.reason.text];
    if needed.iter().any(|text| text.trim().is_empty()) {
        return Err(unusable("a packet needs `conversation.id`, `reason.code` and `reason.text`"));
    }
    Ok(Some(packet))
}

fn unusable(detail: impl Into<String>) -> ProblemDetails {
    ProblemDetails::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
}
