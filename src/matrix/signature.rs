//! How a monitor signs its requests: HMAC with SHA-256 over the body, as most services do, each in its own form.

use crate::toml_kit::{
    document::TomlItem,
    faults::MatrixFaults,
    secret::{SecretRef, secrets},
};

/// How a monitor signs its requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureSettings {
    /// The keys: one, or two while they are being changed.
    pub keys: Vec<SecretRef>,
    /// The header with the signature, or with several, between commas or spaces.
    pub header: String,
    /// How it is written.
    pub encoding: SignatureEncoding,
    /// What stands before it: `sha256=`, `v1=`.
    pub prefix: String,
    /// The header with the time of the request in Unix seconds.
    pub timestamp: Option<String>,
    /// What is signed.
    pub signed: Vec<SignedPart>,
}

/// How a signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureEncoding {
    /// In hexadecimal digits.
    Hex,
    /// In base64.
    Base64,
}

/// A part of what is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignedPart {
    /// These letters.
    Text(String),
    /// The time of the request, as its header has it.
    Timestamp,
    /// The body.
    Body,
}

const BODY: &str = "{body}";
const TIMESTAMP: &str = "{timestamp}";

/// What the headers of a CloudEvent begin with.
const EVENT_HEADERS: &str = "ce-";

/// `{ keys = [{ env = ".." }], header = "X-Signature", .. }`.
pub(super) fn read(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<SignatureSettings> {
    let example = |header: Option<&str>| {
        let header = header.unwrap_or("X-Signature");
        format!("signature = {{ keys = [{{ env = \"SIGNING_KEY\" }}], header = {header:?} }}")
    };
    let mut table = item.table_like("`signature`".into(), example, faults)?;
    let keys = table.demand("keys", item.at, "keys = [{ env = \"SIGNING_KEY\" }]", faults);
    let keys = keys.map(|item| secrets(&item, faults)).unwrap_or_default();
    let name = table.demand("header", item.at, "header = \"X-Signature\"", faults);
    let name = name.and_then(|item| header(&item, faults));
    let encoding = table.take("encoding").map_or(Some(SignatureEncoding::Hex), |item| encoding(&item, faults));
    let prefix = table.take("prefix").and_then(|item| item.text(faults)).map_or("", |text| text.value).to_owned();
    let timestamp = table.take("timestamp").and_then(|item| header(&item, faults));
    let signed = match table.take("signed") {
        Some(item) => signed(&item, timestamp.is_some(), faults),
        None => {
            let stamped = [SignedPart::Timestamp, SignedPart::Text(":".into())];
            Some(timestamp.iter().flat_map(|_| stamped.clone()).chain([SignedPart::Body]).collect())
        }
    };
    table.finish(&[], &[], faults);
    Some(SignatureSettings { keys, header: name?, encoding: encoding?, prefix, timestamp, signed: signed? })
}

/// The name of a header.
pub(super) fn header(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<String> {
    let text = item.text(faults)?;
    if text.value.to_ascii_lowercase().starts_with(EVENT_HEADERS) {
        let message =
            format!("{:?} is an attribute of a CloudEvent, which becomes a label that everybody can read", text.value);
        return faults.refuse("bad-header", text.at, message, "another name, such as \"X-Signature\"");
    }
    let good = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&c);
    if !text.value.is_empty() && text.value.bytes().all(good) {
        return Some(text.value.to_owned());
    }
    let message = format!("{:?} is not the name of a header", text.value);
    faults.refuse("bad-header", text.at, message, "such as \"X-Signature\"")
}

fn encoding(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<SignatureEncoding> {
    let text = item.text(faults)?;
    match text.value {
        "hex" => Some(SignatureEncoding::Hex),
        "base64" => Some(SignatureEncoding::Base64),
        other => {
            let message = format!("`encoding` can not be {other:?}");
            faults.refuse("unknown-word", text.at, message, "\"hex\" or \"base64\"")
        }
    }
}

/// `"{timestamp}.{body}"`.
fn signed(item: &TomlItem<'_>, has_timestamp: bool, faults: &mut MatrixFaults) -> Option<Vec<SignedPart>> {
    let text = item.text(faults)?;
    let (bodies, stamps) = (text.value.matches(BODY).count(), text.value.matches(TIMESTAMP).count());
    let wrong = match (bodies, stamps, has_timestamp) {
        (1, 1, true) | (1, 0, false) => None,
        (1, 0, true) => Some("the time of `timestamp` is not signed, so anybody could write another"),
        (1, _, false) => Some("no `timestamp` says which header has the time"),
        (1, _, _) => Some("`signed` has the time more than once"),
        _ => Some("`signed` must have the body once"),
    };
    if let Some(wrong) = wrong {
        let help = "write {body} for the body and {timestamp} for the time: \"{timestamp}:{body}\"";
        return faults.refuse("bad-signature", text.at, wrong, help);
    }
    let mut parts = Vec::new();
    let mut rest = text.value;
    while !rest.is_empty() {
        let next = [(BODY, SignedPart::Body), (TIMESTAMP, SignedPart::Timestamp)];
        if let Some((mark, part)) = next.into_iter().find(|(mark, _)| rest.starts_with(mark)) {
            parts.push(part);
            rest = &rest[mark.len()..];
            continue;
        }
        let marks = [rest.find(BODY), rest.find(TIMESTAMP)];
        let end = marks.into_iter().flatten().min().unwrap_or(rest.len());
        parts.push(SignedPart::Text(rest[..end].to_owned()));
        rest = &rest[end..];
    }
    Some(parts)
}
