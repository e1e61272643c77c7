//! What services of kind `http` send to us: delivery reports and replies. The matrix says where each field is; a token
//! authenticates the request: the page's own, or the channel's.

use super::settings::HttpConfig;
use crate::channel::{
    charset::{self, Charset},
    inbound::{
        DeliveryFailure, DeliveryOutcome, DeliveryReport, HookAddress, InboundRefusal, InboundRequest, InboundText,
        NamedPage, ReportedPage, RequestHead, is_one_of,
    },
};
use reqwest::header;
use serde_json::Value;
use std::collections::BTreeMap;

/// Fields of a query or a form.
type GatewayFields = BTreeMap<String, String>;

/// Authenticates the request before its body is read: by the channel's token (`?token=` or bearer), or by the page that
/// a report names with its own token.
pub(super) fn admit(config: &HttpConfig, head: &RequestHead<'_>) -> Result<Option<NamedPage>, InboundRefusal> {
    let channel = head.channel;
    let lacks = |key: &str| InboundRefusal::NotFound(format!("channel {channel:?} has no `{key}`"));
    let query = query(head.query);
    match head.at {
        HookAddress::Inbox => {
            config.replies.as_ref().ok_or_else(|| lacks("replies"))?;
            authorize(head, &query).map(|()| None)
        }
        HookAddress::Report => {
            config.report.as_ref().ok_or_else(|| lacks("report"))?;
            match query.get("page") {
                Some(page) => NamedPage::of(page, query.get("token").map(String::as_str).unwrap_or_default()).map(Some),
                None => authorize(head, &query).map(|()| None),
            }
        }
    }
}

/// Reads the request. For a report, `named` is the page that it names, if it names one.
pub(super) fn receive(
    config: &HttpConfig,
    head: &RequestHead<'_>,
    named: Option<NamedPage>,
    body: &[u8],
) -> Result<InboundRequest, InboundRefusal> {
    let said = GatewayCall::read(head, body);
    match (head.at, &config.replies, &config.report) {
        (HookAddress::Inbox, Some(replies), _) => {
            let from = said.at(&replies.from).ok_or_else(|| bad("the reply does not say who sent it"))?;
            let text = said.at(&replies.text).unwrap_or_default();
            Ok(InboundRequest::Text(InboundText { from: from.trim().to_owned(), text, wish: None, id: None }))
        }
        (HookAddress::Report, _, Some(report)) => {
            let page = match (named, &report.id) {
                (Some(page), _) => ReportedPage::Named(page),
                (None, Some(at)) => {
                    ReportedPage::Receipt(said.at(at).ok_or_else(|| bad("the report names no message"))?)
                }
                (None, None) => return Err(bad("the report must contain the page and its token")),
            };
            let status = said.at(&report.status).ok_or_else(|| bad("the report has no status"))?;
            let outcome = if report.delivered.contains(&status) {
                DeliveryOutcome::Delivered
            } else if report.undelivered.contains(&status) {
                let why = "the service reports that it did not arrive".to_owned();
                DeliveryOutcome::Undelivered(DeliveryFailure { why, ..DeliveryFailure::default() })
            } else {
                DeliveryOutcome::UnderWay
            };
            Ok(InboundRequest::Report(DeliveryReport { page, outcome }))
        }
        _ => Ok(InboundRequest::Nothing),
    }
}

/// The fields of a request.
struct GatewayCall {
    query: GatewayFields,
    form: GatewayFields,
    json: Value,
}

impl GatewayCall {
    fn read(head: &RequestHead<'_>, body: &[u8]) -> Self {
        let charset = Charset::of(head.headers).unwrap_or_default();
        let kind = head.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let is_form = kind.starts_with("application/x-www-form-urlencoded");
        let form = if is_form { fields(body, charset) } else { GatewayFields::new() };
        let json = if is_form { Value::Null } else { json(&charset.decode(body)) };
        Self { query: query(head.query), form, json }
    }

    /// The value at a JSON pointer, or of the field with this name.
    fn at(&self, place: &str) -> Option<String> {
        if !place.starts_with('/') {
            return self.form.get(place).or_else(|| self.query.get(place)).cloned();
        }
        match self.json.pointer(place)? {
            Value::String(text) => Some(text.clone()),
            value @ (Value::Number(_) | Value::Bool(_)) => Some(value.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

fn fields(bytes: &[u8], charset: Charset) -> GatewayFields {
    charset::fields(bytes).map(|(name, value)| (charset.decode(&name), charset.decode(&value))).collect()
}

/// Decodes the query in the charset that it names.
fn query(query: &str) -> GatewayFields {
    let query = query.as_bytes();
    let named = charset::field(query, "charset").and_then(|name| Charset::named(std::str::from_utf8(&name).ok()?));
    let Some(named) = named else { return fields(query, Charset::default()) };
    // Only names and ASCII values are read here, not the text of a person.
    let plain = Charset::default();
    let value =
        |value: &[u8]| if value.is_ascii() && !value.contains(&0) { plain.decode(value) } else { named.decode(value) };
    charset::fields(query).map(|(name, bytes)| (plain.decode(&name), value(&bytes))).collect()
}

/// Parses a document whose strings may have been cut in the middle of a character: that character becomes U+FFFD, and
/// the rest is read.
fn json(text: &str) -> Value {
    serde_json::from_str(text)
        .or_else(|_| serde_json::from_str(&charset::without_half_letters(text)))
        .unwrap_or_default()
}

fn authorize(head: &RequestHead<'_>, query: &GatewayFields) -> Result<(), InboundRefusal> {
    let authorization = head.headers.get(header::AUTHORIZATION);
    let bearer = authorization.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let given = query.get("token").map(String::as_str).or(bearer).unwrap_or_default();
    if is_one_of(head.secrets, given) {
        return Ok(());
    }
    Err(InboundRefusal::Unauthorized("the token is not this channel's".to_owned()))
}

fn bad(why: &str) -> InboundRefusal {
    InboundRefusal::Bad(why.to_owned())
}
