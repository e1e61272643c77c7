//! What Twilio says of a call that it makes for us: that it goes on, and what a key means is for others to say; or what
//! became of it. A call that was picked up by a machine reached nobody.

use super::settings::VoiceConfig;
use crate::channel::{
    inbound::{
        CallTurnRequest, DeliveryFailure, DeliveryOutcome, DeliveryReport, Inbound, InboundRefusal, NamedPage,
        ReportedPage, RequestHead,
    },
    twilio::{
        code,
        inbound::{field, page, signed},
        signature::{self, FormFields},
    },
};

/// Reads it: with `turn` in the address, a call asks what to say next; without, what became of it.
pub(super) fn receive(config: &VoiceConfig, head: &RequestHead<'_>, body: &[u8]) -> Result<Inbound, InboundRefusal> {
    let (page, token) = page(head.query)?;
    let turn = turn(head.query)?;
    let fields = signed(head, body)?;
    let page = NamedPage::of(&page, &token)?;
    let Some(turn) = turn else {
        let outcome = outcome(&fields, config.machines);
        let page = ReportedPage::Named(page);
        return Ok(Inbound::Report(DeliveryReport { page, outcome }));
    };
    let (key, call) = (field(&fields, "Digits").to_owned(), field(&fields, "CallSid").to_owned());
    Ok(Inbound::CallTurn(CallTurnRequest { page, turn, key, call }))
}

fn turn(query: &str) -> Result<Option<u32>, InboundRefusal> {
    let fields = signature::fields(query.as_bytes()).unwrap_or_default();
    let turn = fields.iter().find(|(name, _)| name == "turn");
    turn.map(|(_, turn)| turn.parse().map_err(|_| InboundRefusal::Bad("`turn` is no number".to_owned()))).transpose()
}

/// A call's end, or the word that it was picked up. In whatever order and however often these come: a failure counts only
/// for a page that no device had.
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
        // Queued, ringing, over: nothing that was not known.
        _ => DeliveryOutcome::UnderWay,
    }
}
