//! Replies and delivery reports as Kannel's smsbox sends them. A text with a character outside the GSM alphabet comes
//! in UTF-16BE.

use crate::channel::{
    charset::{Charset, field},
    inbound::{
        DeliveryFailure, DeliveryOutcome, DeliveryReport, HookAddress, InboundRefusal, InboundRequest, InboundText,
        NamedPage, ReportedPage, RequestHead, is_one_of,
    },
};
use reqwest::{Method, header::HeaderMap};

/// Authenticates the request: `?token=` is the channel's, or the report names its page.
pub(super) fn admit(head: &RequestHead<'_>) -> Result<Option<NamedPage>, InboundRefusal> {
    match head.at {
        HookAddress::Inbox => {
            if is_one_of(head.secrets, &word(head.query, "token").unwrap_or_default()) {
                return Ok(None);
            }
            let why =
                if head.secrets.is_empty() { "the channel has no `token`" } else { "the token is not this channel's" };
            Err(InboundRefusal::Unauthorized(why.to_owned()))
        }
        HookAddress::Report if !matches!(*head.method, Method::GET | Method::HEAD) => Err(InboundRefusal::Method),
        HookAddress::Report => {
            let (page, token) = (demand(head.query, "page")?, demand(head.query, "token")?);
            NamedPage::of(&page, &token).map(Some)
        }
    }
}

/// Reads the request. For a report, `named` is the page that it is about.
pub(super) fn receive(
    head: &RequestHead<'_>,
    named: Option<NamedPage>,
    body: &[u8],
) -> Result<InboundRequest, InboundRefusal> {
    let Some(page) = named else { return Ok(InboundRequest::Text(text(head, body)?)) };
    let failed =
        |why: &str| DeliveryOutcome::Undelivered(DeliveryFailure { why: why.to_owned(), ..DeliveryFailure::default() });
    let outcome = match status(head.query)? {
        1 => DeliveryOutcome::Delivered,
        // Newer gateways add the reason to the 2: 34 expired, 66 unknown.
        2 | 34 | 66 => failed("the phone could not be reached"),
        16 => failed("the carrier rejected it"),
        // Queued, or accepted by the carrier.
        _ => DeliveryOutcome::UnderWay,
    };
    Ok(InboundRequest::Report(DeliveryReport { page: ReportedPage::Named(page), outcome }))
}

fn text(head: &RequestHead<'_>, body: &[u8]) -> Result<InboundText, InboundRefusal> {
    let text = match field(head.query.as_bytes(), "text") {
        Some(text) => charset(head.query, None).decode(&text),
        None => charset(head.query, Some(head.headers)).decode(body),
    };
    let from = demand(head.query, "from")?.trim().to_owned();
    Ok(InboundText { from, text, wish: None, id: None })
}

/// The charset of the text: a named one (`charset`, Kannel's `%C`) takes precedence over the coding (`%c`: 2 for
/// UCS-2).
fn charset(query: &str, headers: Option<&HeaderMap>) -> Charset {
    let coding = headers.and_then(|headers| headers.get("x-kannel-coding")?.to_str().ok().map(str::to_owned));
    let is_ucs2 = coding.or_else(|| word(query, "coding")).is_some_and(|coding| coding.trim() == "2");
    let named = headers.and_then(Charset::of).or_else(|| Charset::named(&word(query, "charset")?));
    named.unwrap_or_else(|| if is_ucs2 { Charset::UCS2 } else { Charset::default() })
}

fn status(query: &str) -> Result<u32, InboundRefusal> {
    let status = demand(query, "status")?;
    status.parse().map_err(|_| InboundRefusal::Bad("`status` is not a number".to_owned()))
}

fn demand(query: &str, name: &str) -> Result<String, InboundRefusal> {
    word(query, name).ok_or_else(|| InboundRefusal::Bad(format!("the query has no field `{name}`")))
}

fn word(query: &str, name: &str) -> Option<String> {
    field(query.as_bytes(), name).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}
