//! What Slack sends over HTTP: a button or a command, signed and fresh.

use super::{inbound, signature};
use crate::channel::inbound::{HookAddress, Inbound, InboundRefusal, RequestHead, single_header};
use reqwest::Method;

/// The largest unsigned probe that is looked at, in bytes.
const PROBE_MAX: usize = 1024;

/// Whether the request may be read.
pub(super) fn admit(head: &RequestHead<'_>) -> Result<(), InboundRefusal> {
    match (head.at, head.method) {
        (HookAddress::Report, _) => Err(InboundRefusal::NotFound("Slack reports nothing".to_owned())),
        (HookAddress::Inbox, &Method::GET | &Method::HEAD) => Ok(()),
        (HookAddress::Inbox, &Method::POST) if head.secrets.is_empty() => {
            let channel = head.channel;
            let why = format!("no slack channel {channel:?} with a signing_secret is in the matrix");
            Err(InboundRefusal::NotFound(why))
        }
        (HookAddress::Inbox, &Method::POST) => Ok(()),
        (HookAddress::Inbox, _) => Err(InboundRefusal::Method),
    }
}

/// Reads it. By GET Slack only looks whether there is anything, with a certificate that it trusts.
pub(super) fn receive(head: &RequestHead<'_>, body: &[u8]) -> Result<Inbound, InboundRefusal> {
    if *head.method != Method::POST {
        return Ok(Inbound::Nothing);
    }
    let stamp = single_header(head.headers, "x-slack-request-timestamp");
    let signature = single_header(head.headers, "x-slack-signature");
    if let Err(error) = signature::verify_any(head.secrets, stamp, signature, body, head.now_unix) {
        tracing::warn!(%error, channel = head.channel, "a Slack request was refused");
        // A probe carries nothing and may be answered to anybody.
        let is_probe = body.len() <= PROBE_MAX && inbound::is_probe(body);
        return if is_probe { Ok(Inbound::Nothing) } else { Err(InboundRefusal::Unauthorized(error.to_string())) };
    }
    inbound::of_form(body).map(Inbound::Slack).map_err(|error| InboundRefusal::Bad(error.to_string()))
}
