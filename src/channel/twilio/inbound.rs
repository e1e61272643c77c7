//! Twilio's requests: texts from phones and delivery reports. They are signed, and get a response in TwiML.

use super::{
    code::{self, CodeClass},
    signature::{self, FormFields},
    twiml,
};
use crate::channel::inbound::{
    Acknowledgement, DeliveryFailure, DeliveryOutcome, DeliveryReport, HookAddress, InboundRefusal, InboundRequest,
    InboundText, NamedPage, OptOutWish, ReportedPage, RequestHead, single_header,
};
use reqwest::Method;

/// Checks the head of the request. The body is read only if there is a signature.
pub(in crate::channel) fn admit(head: &RequestHead<'_>) -> Result<(), InboundRefusal> {
    if *head.method != Method::POST {
        return Err(InboundRefusal::Method);
    }
    let signature = single_header(head.headers, "x-twilio-signature");
    signature.map(drop).ok_or_else(|| InboundRefusal::Unauthorized("the request is not signed".to_owned()))
}

/// The form of a request that Twilio has signed for this channel. The signature is over our public address, so that it
/// does not matter how a proxy changes host and port.
pub(in crate::channel) fn signed(head: &RequestHead<'_>, body: &[u8]) -> Result<FormFields, InboundRefusal> {
    std::str::from_utf8(body).map_err(|_| InboundRefusal::Unauthorized("the body is not a form".to_owned()))?;
    let fields = signature::fields(body);
    let given = single_header(head.headers, "x-twilio-signature").unwrap_or_default();
    if signature::is_signed(head.secrets, head.url, &fields, given) {
        return Ok(fields);
    }
    let why = match head.secrets {
        [] => "the channel has no token",
        _ => {
            "it has no valid signature of Twilio for this address: check that daemon.public_url is the address that Twilio \
             calls"
        }
    };
    Err(InboundRefusal::Unauthorized(why.to_owned()))
}

/// Reads a text or a delivery report. Reports may be duplicated, late and out of order.
pub(super) fn receive(head: &RequestHead<'_>, body: &[u8]) -> Result<InboundRequest, InboundRefusal> {
    let fields = signed(head, body)?;
    let page = match head.at {
        HookAddress::Inbox => None,
        HookAddress::Report => Some(page(head.query)?),
    };
    let field = |name: &str| field(&fields, name).to_owned();
    let Some(page) = page else {
        let wish = wish(&field("OptOutType"));
        let text = InboundText { from: field("From"), text: field("Body"), wish, id: Some(field("MessageSid")) };
        return Ok(InboundRequest::Text(text));
    };
    let outcome = match field("MessageStatus").as_str() {
        "delivered" => DeliveryOutcome::Delivered,
        "read" => DeliveryOutcome::Seen,
        "undelivered" | "failed" | "canceled" => DeliveryOutcome::Undelivered(failure(&fields)),
        // Queued, sending, sent.
        _ => DeliveryOutcome::UnderWay,
    };
    let page = ReportedPage::Named(NamedPage::of(&page.0, &page.1)?);
    Ok(InboundRequest::Report(DeliveryReport { page, outcome }))
}

/// The page and its token in the query of an address.
pub(in crate::channel) fn page(query: &str) -> Result<(String, String), InboundRefusal> {
    let fields = signature::fields(query.as_bytes());
    let one = |name: &str| {
        let found = fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        found.ok_or_else(|| InboundRefusal::Bad(format!("the query has no field `{name}`")))
    };
    Ok((one("page")?, one("token")?))
}

/// A field's first value; empty if it is missing.
pub(in crate::channel) fn field<'a>(fields: &'a FormFields, name: &str) -> &'a str {
    fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}

/// A response of the only content type that Twilio does not send to the person as a text.
pub(in crate::channel) fn acknowledge(document: String) -> Acknowledgement {
    Acknowledgement { status: 200, content_type: Some(twiml::CONTENT_TYPE), body: document }
}

fn failure(fields: &FormFields) -> DeliveryFailure {
    let code = field(fields, "ErrorCode").parse().ok();
    let (opted_out, everybody) = match code.and_then(code::known) {
        Some((CodeClass::OptedOut, why)) => (Some(why), None),
        Some((CodeClass::Everybody, why)) => (None, Some(why)),
        _ => (None, None),
    };
    let message = Some(field(fields, "MessageSid").to_owned());
    DeliveryFailure { why: code::why(code), message, opted_out, everybody }
}

fn wish(kind: &str) -> Option<OptOutWish> {
    match kind {
        "STOP" => Some(OptOutWish::Stop),
        "START" => Some(OptOutWish::Start),
        "HELP" => Some(OptOutWish::Help),
        _ => None,
    }
}
