//! What the gateways of phones hand over: queries, forms and bodies in many charsets.

use super::first_line;
use reqwest::{
    Method,
    header::{HeaderMap, HeaderValue},
};
use secrecy::SecretString;
use std::{collections::BTreeMap, sync::LazyLock};
use stentor::{
    channel::{
        charset,
        inbound::{DeliveryOutcome, HookAddress, InboundRefusal, InboundRequest, RequestHead},
        twilio::signature,
    },
    core::Timestamp,
    matrix::{KnownNames, Matrix, SourceText},
    text::reply::{Reply, read},
};

/// One channel of each kind that a gateway calls.
static MATRIX: LazyLock<Matrix> = LazyLock::new(|| {
    let text = include_str!("gateways.toml");
    let files = [SourceText { path: "gateways.toml".into(), text: text.into() }];
    let parsed = Matrix::parse(&files, &KnownNames { templates: &BTreeMap::new() }, Timestamp::default());
    parsed.matrix.unwrap_or_else(|| panic!("{:#?}", parsed.diagnostics))
});

/// What a body may say that it is.
const TYPES: [&str; 8] = [
    "text/plain",
    "text/plain; charset=\"UTF-8\"",
    "text/plain; charset=UTF-16BE",
    "text/plain; charset=gsm-7",
    "text/plain; charset=shift_jis",
    "application/json",
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=ISO-8859-1",
];

/// The first line is the query, behind a letter for the channel and its address and one for the type of the body, which
/// is the rest. Without its secret nothing is believed; a text is no longer than what was sent, and one that was damaged on the
/// way engages nobody.
pub fn callbacks(bytes: &[u8]) {
    let (head, body) = first_line(bytes);
    let ([which, kind, query @ ..], Some(channels)) = (head, MATRIX.channels.len().checked_sub(1)) else { return };
    // What the server lets pass in an address.
    if !query.iter().all(|byte| (b'!'..=b'~').contains(byte)) {
        return;
    }
    let query = String::from_utf8_lossy(query);
    fields(query.as_bytes());
    fields(body);
    let (name, settings) = &MATRIX.channels[usize::from(which >> 1) % (channels + 1)];
    let at = if which & 1 == 0 { HookAddress::Inbox } else { HookAddress::Report };
    let url = format!("https://stentor.example.com/hooks/x/{name}?{query}");
    let (secret, mut headers) = (SecretString::from("a-token"), HeaderMap::new());
    headers.insert("content-type", HeaderValue::from_static(TYPES[usize::from(*kind) % TYPES.len()]));
    let form = signature::fields(body);
    let signed = signature::sign(&secret, &url, &form);
    headers.insert("x-twilio-signature", HeaderValue::from_str(&signed).expect("it is base64"));
    let given = format!("{query}&token=a-token");
    for (secret, query, is_right) in [("a-token", given.as_str(), true), ("another", &*query, false)] {
        let secrets = [SecretString::from(secret)];
        for method in [Method::POST, Method::GET] {
            let head = RequestHead {
                at,
                method: &method,
                query,
                headers: &headers,
                url: &url,
                channel: name.as_str(),
                secrets: &secrets,
                now_unix: 1_795_424_400,
            };
            let received = settings.config.admit(&head).and_then(|named| settings.config.receive(&head, named, body));
            judge(received, is_right, query.len() + body.len());
        }
    }
}

fn judge(received: Result<InboundRequest, InboundRefusal>, is_right: bool, sent: usize) {
    match received {
        Ok(InboundRequest::Text(text)) => {
            assert!(is_right, "a text without the secret is believed");
            assert!(text.text.len() + text.from.len() <= 64 + 3 * sent, "{} of {sent}", text.text.len());
            let engages = matches!(read(&text.text), Reply::Answer { .. } | Reply::AsAsked { .. });
            assert!(!engages || !text.text.contains('\u{fffd}'), "{:?}", text.text);
        }
        Ok(InboundRequest::Report(report)) => {
            if let DeliveryOutcome::Undelivered(failure) = report.outcome {
                assert!(failure.why.chars().count() < 200 && !failure.why.contains(char::is_control), "{failure:?}");
            }
        }
        Ok(InboundRequest::CallTurn(turn)) => assert!(is_right, "{turn:?}"),
        Ok(InboundRequest::Chat(_) | InboundRequest::Nothing) => {}
        Err(refusal) => {
            let said = refusal.to_string();
            assert!(said.chars().count() < 200 && !said.contains(char::is_control), "{said:?}");
        }
    }
}

/// Fields that are written again are the same fields.
fn fields(form: &[u8]) {
    let read: Vec<(Vec<u8>, Vec<u8>)> = charset::fields(form).collect();
    let escaped = |part: &[u8]| part.iter().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let written: Vec<String> =
        read.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
    let again: Vec<(Vec<u8>, Vec<u8>)> = charset::fields(written.join("&").as_bytes()).collect();
    assert_eq!(again, read);
}
