//! The keys of channels of kind `http` and of its presets. A preset is a set of the same keys in its own file.

use super::{
    body::{self, fields},
    order::{BodyTemplate, FieldTemplate},
    send::NumberForm,
    verdict::ResponseRules,
};
use crate::{
    channel::{
        contact::ContactField,
        keys::{ProviderAccount, account, contact, one_of, personal},
        kind::ChannelKind,
    },
    toml_kit::{
        document::{TomlItem, TomlTable},
        faults::{MatrixFaults, SourceSpan},
        network::{Networks, networks},
        secret::{SecretAddress, SecretRef, address, secret, secrets},
    },
};
use reqwest::Method;
use std::collections::BTreeMap;
use toml::de::DeValue;

pub(crate) const KEYS: &[&str] = &[
    "url",
    "method",
    "headers",
    "username",
    "password",
    "bearer",
    "body",
    "form",
    "query",
    "needs",
    "number",
    "personal",
    "accepted",
    "id",
    "error",
    "unreachable",
    "retry",
    "broken",
    "report",
    "replies",
    "token",
    "allow",
    "probe",
];

/// Any service that accepts messages over HTTP.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// `http`, or the preset that supplies the other keys.
    pub kind: ChannelKind,
    /// The address to which messages are sent.
    pub url: SecretAddress,
    /// `POST`, `PUT` or `GET`.
    pub method: Method,
    /// Additional headers.
    pub headers: BTreeMap<String, FieldTemplate<SecretRef>>,
    /// For basic authentication.
    pub account: ProviderAccount,
    /// For bearer authentication.
    pub bearer: Option<SecretRef>,
    /// The body.
    pub body: BodyTemplate<SecretRef>,
    /// Parameters to add to the URL: templates and secrets.
    pub query: BTreeMap<String, FieldTemplate<SecretRef>>,
    /// The contact data that a person must have.
    pub needs: Option<ContactField>,
    /// The format in which it expects phone numbers.
    pub number: NumberForm,
    /// Whether only the paged person reads it, so that their own code and link may be sent there.
    pub personal: bool,
    /// How its responses are interpreted.
    pub rules: ResponseRules,
    /// The format of its delivery reports, if it sends any.
    pub report: Option<ReportRules>,
    /// The format in which it passes people's replies to us, if it does.
    pub replies: Option<ReplyRules>,
    /// The tokens that authenticate its requests to us: one, or two during a rotation.
    pub tokens: Vec<SecretRef>,
    /// The networks where it may be, beside the public internet; `None` allows any address.
    pub allow: Option<Networks>,
    /// The URL that a probe requests; `None` means the address itself.
    pub probe: Option<SecretAddress>,
}

/// Where the fields of a report are: each a JSON pointer, or the name of a field of the query or form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRules {
    /// The status of the message.
    pub status: String,
    /// The service's id of the message, for services that can not use a report address for each page.
    pub id: Option<String>,
    /// Statuses that mean: delivered to the device.
    pub delivered: Vec<String>,
    /// Statuses that mean: it will not be delivered.
    pub undelivered: Vec<String>,
}

/// Where the fields of a reply are: each a JSON pointer, or the name of a field of the query or form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyRules {
    /// The sender's phone number.
    pub from: String,
    /// The text.
    pub text: String,
}

pub(crate) fn read(
    kind: ChannelKind,
    table: &mut TomlTable<'_>,
    at: SourceSpan,
    faults: &mut MatrixFaults,
) -> HttpConfig {
    let url = table.demand("url", at, "url = { env = \"SMS_GATEWAY_URL\" }", faults);
    // Everybody who knows a chat's address may post there, so it is a secret.
    let is_chat = kind.spec().preset.is_some();
    let url = url
        .and_then(|item| if is_chat { secret(&item, faults).map(SecretAddress::Kept) } else { address(&item, faults) });
    let needs = contact(table, faults);
    let number = table.take("number").and_then(|item| one_of(&item, &["e164", "digits", "00"], faults));
    let method = table.take("method").and_then(|item| one_of(&item, &["POST", "PUT", "GET"], faults));
    let (body, query) = (body::read(table, faults), fields("query", table, faults));
    body::check(&body, &query, needs, table, at, faults);
    HttpConfig {
        kind,
        url: url.unwrap_or_default(),
        method: match method {
            Some("PUT") => Method::PUT,
            Some("GET") => Method::GET,
            _ => Method::POST,
        },
        headers: fields("headers", table, faults),
        account: account(table, faults),
        bearer: table.take("bearer").and_then(|item| secret(&item, faults)),
        body,
        query,
        needs,
        number: match number {
            Some("digits") => NumberForm::Digits,
            Some("00") => NumberForm::Zeros,
            _ => NumberForm::E164,
        },
        personal: personal(needs, table, faults),
        rules: rules(table, faults),
        report: table.take("report").and_then(|item| report(&item, faults)),
        replies: table.take("replies").and_then(|item| replies(&item, faults)),
        tokens: table.take("token").map(|item| secrets(&item, faults)).unwrap_or_default(),
        allow: table.take("allow").map(|item| networks(&item, faults)),
        probe: table.take("probe").and_then(|item| address(&item, faults)),
    }
}

fn rules(table: &mut TomlTable<'_>, faults: &mut MatrixFaults) -> ResponseRules {
    let accepted = table.take("accepted").and_then(|item| accepted(&item, faults)).unwrap_or_default();
    ResponseRules {
        id: table.take("id").and_then(|item| pointer(&item, faults)),
        error: table.take("error").and_then(|item| pointer(&item, faults)),
        unreachable: codes("unreachable", table, faults),
        retry: codes("retry", table, faults),
        broken: codes("broken", table, faults),
        ..accepted
    }
}

/// `{ status = [200], begins = "OK" }` or `{ at = "/status", is = ["queued"] }`.
fn accepted(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<ResponseRules> {
    let mut table = item.table("`accepted`".to_owned(), faults)?;
    let statuses = codes("status", &mut table, faults).iter().filter_map(|code| code.parse().ok()).collect();
    let begins = table.take("begins").and_then(|item| item.text(faults)).map(|text| text.value.to_owned());
    let at = table.take("at").and_then(|item| pointer(&item, faults));
    let is = codes("is", &mut table, faults);
    if at.is_some() == is.is_empty() {
        let help = "write both: { at = \"/status\", is = [\"queued\"] }";
        faults.error("missing-key", item.at, "`accepted` has one of `at` and `is` without the other", help);
    }
    table.finish(&[], &[], faults);
    Some(ResponseRules { statuses, begins, says: at.map(|at| (at, is)), ..ResponseRules::default() })
}

/// A JSON pointer (RFC 6901) that does not name the whole document.
fn pointer(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<String> {
    let text = item.text(faults)?;
    if text.value.starts_with('/') {
        return Some(text.value.to_owned());
    }
    let message = format!("{:?} is not a place in JSON", text.value);
    faults.refuse("bad-pointer", text.at, message, "write a JSON pointer: \"/error/code\", \"/messages/0/id\"")
}

/// Reads strings and numbers, all as strings.
fn codes(key: &'static str, table: &mut TomlTable<'_>, faults: &mut MatrixFaults) -> Vec<String> {
    let Some(items) = table.take(key).and_then(|item| item.list(faults)) else { return Vec::new() };
    let code = |item: &TomlItem<'_>, faults: &mut MatrixFaults| match item.value {
        DeValue::Integer(number) => Some(number.as_str().replace('_', "")),
        _ => item.text(faults).map(|text| text.value.to_owned()),
    };
    items.iter().filter_map(|item| code(item, faults)).collect()
}

fn report(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<ReportRules> {
    let mut table = item.table("`report`".to_owned(), faults)?;
    let status = table.demand("status", item.at, "status = \"/status\"", faults).and_then(|item| item.text(faults));
    let id = table.take("id").and_then(|item| item.text(faults)).map(|text| text.value.to_owned());
    let delivered = codes("delivered", &mut table, faults);
    let undelivered = codes("undelivered", &mut table, faults);
    if delivered.is_empty() && undelivered.is_empty() {
        let help = "write { status = \"/status\", delivered = [\"DELIVRD\"], undelivered = [\"UNDELIV\"] }";
        faults.error("missing-key", item.at, "`report` does not say what any status means", help);
    }
    table.finish(&[], &[], faults);
    Some(ReportRules { status: status?.value.to_owned(), id, delivered, undelivered })
}

fn replies(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<ReplyRules> {
    let mut table = item.table("`replies`".to_owned(), faults)?;
    let from = table.demand("from", item.at, "from = \"/from\"", faults).and_then(|item| item.text(faults));
    let text = table.demand("text", item.at, "text = \"/text\"", faults).and_then(|item| item.text(faults));
    table.finish(&[], &[], faults);
    Some(ReplyRules { from: from?.value.to_owned(), text: text?.value.to_owned() })
}
