//! Twilio's requests about our calls: the next turn of a call (the engine interprets the key), or the outcome. A call
//! that was answered by a machine reached nobody.

use super::settings::VoiceConfig;
use crate::channel::{
    inbound::{
        CallTurnRequest, DeliveryFailure, DeliveryOutcome, DeliveryReport, InboundRefusal, InboundRequest, NamedPage,
        ReportedPage, RequestHead,
    },
    twilio::{
        code,
        inbound::{field, page, signed},
        signature::{self, FormFields},
    },
};

/// Reads the request: with `turn` in the query, a call asks what to say next; without, it is the outcome of a call.
pub(super) fn receive(
    config: &VoiceConfig,
    head: &RequestHead<'_>,
    body: &[u8],
) -> Result<InboundRequest, InboundRefusal> {
    let fields = signed(head, body)?;
    let (page, token) = page(head.query)?;
    let turn = turn(head.query)?;
    let page = NamedPage::of(&page, &token)?;
    let Some(turn) = turn else {
        let outcome = outcome(&fields, config.machines);
        let page = ReportedPage::Named(page);
        return Ok(InboundRequest::Report(DeliveryReport { page, outcome }));
    };
    let (key, call) = (field(&fields, "Digits").to_owned(), field(&fields, "CallSid").to_owned());
    Ok(InboundRequest::CallTurn(CallTurnRequest { page, turn, key, call }))
}

fn turn(query: &str) -> Result<Option<u32>, InboundRefusal> {
    let fields = signature::fields(query.as_bytes());
    let turn = fields.iter().find(|(name, _)| name == "turn");
    turn.map(|(_, turn)| turn.parse().map_err(|_| InboundRefusal::Bad("`turn` is not a number".to_owned()))).transpose()
}

/// The outcome of a call, or the report that it was picked up. These may come in any order and repeatedly: a failure
/// counts only for a page that was not delivered.
fn outcome(fields: &FormFields, listens_for_machines: bool) -> DeliveryOutcome {
    let missed = |why: &str| {
        let message = Some(field(fields, "CallSid").to_owned());
        DeliveryOutcome::Undelivered(DeliveryFailure { why: why.to_owned(), message, ..DeliveryFailure::default() })
    };
    match (field(fields, "CallStatus"), field(fields, "AnsweredBy")) {
        (_, by) if by.starts_with("machine") => missed("a voicemail picked up"),
        (_, "fax") => missed("a fax picked up"),
        (_, "human" | "unknown") => DeliveryOutcome::Delivered,
        ("in-progress", _) if !listens_for_machines => DeliveryOutcome::Delivered,
        ("no-answer", _) => missed("nobody picked up"),
        ("busy", _) => missed("the line was busy"),
        ("canceled", _) => missed("the call was cancelled"),
        ("failed", _) => missed(&code::why(field(fields, "ErrorCode").parse().ok())),
        // Queued, ringing, completed: no news.
        _ => DeliveryOutcome::UnderWay,
    }
}
