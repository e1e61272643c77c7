//! Interprets a gateway's response by the matrix's rules. Bodies are compared, never quoted: an error page could repeat
//! the URL and its password. Only an id and a code are shown, and only if they look like one.

use crate::{
    channel::{SendError, client::ClientResponse},
    core::SendReceipt,
};
use serde_json::Value;

/// The longest id or code that is shown, in characters.
const WORD_MAX: usize = 128;

/// The shortest part of a secret, in characters, that must not be shown.
const PART_MIN: usize = 8;

/// The rules that interpret a gateway's responses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResponseRules {
    /// The statuses that may mean success; every 2xx if empty.
    pub statuses: Vec<u16>,
    /// The beginning of a successful body, compared without case.
    pub begins: Option<String>,
    /// The place in a successful JSON body, and the values of which one must be there.
    pub says: Option<(String, Vec<String>)>,
    /// The place of the gateway's message id in the JSON body.
    pub id: Option<String>,
    /// The place of the error code in the JSON body of a refusal.
    pub error: Option<String>,
    /// Codes (or HTTP statuses) that mean: this person can not be reached by this channel.
    pub unreachable: Vec<String>,
    /// Codes (or HTTP statuses) that mean: try again later.
    pub retry: Vec<String>,
    /// Codes (or HTTP statuses) that mean: this channel reaches nobody.
    pub broken: Vec<String>,
}

/// Interprets a response. `host` is the gateway's, for messages; nothing that is in `secrets` is shown.
///
/// # Errors
///
/// [`SendError`] for every response that is not a success.
pub fn judge(
    rules: &ResponseRules,
    host: &str,
    answer: &ClientResponse,
    secrets: &[&str],
) -> Result<SendReceipt, SendError> {
    let json: Option<Value> = serde_json::from_str(&answer.body).ok();
    let at = |pointer: &Option<String>| json.as_ref()?.pointer(pointer.as_deref()?).and_then(word_of);
    let status = answer.status.as_u16().to_string();
    let told = at(&rules.error);
    let code = told.clone().unwrap_or_else(|| status.clone());
    let shown = shown(&code, secrets).unwrap_or("a code that is not shown");
    let listed = |codes: &[String]| codes.contains(&code) || codes.contains(&status);
    if listed(&rules.broken) {
        return Err(SendError::broken(format!("{host} serves nobody: {shown}")));
    }
    if listed(&rules.unreachable) {
        return Err(SendError::unreachable(format!("{host} can not reach this person: {shown}")));
    }
    if listed(&rules.retry) {
        return Err(SendError::throttled(answer.after, format!("{host} does not accept it now: {shown}")));
    }
    if !is_status_good(rules, answer) {
        return Err(by_status(host, answer, told.as_deref().and_then(|_| self::shown(&code, secrets))));
    }
    if is_success(rules, answer, json.as_ref(), told.as_deref()) {
        let id = at(&rules.id).and_then(|id| self::shown(&id, secrets).map(str::to_owned));
        return Ok(SendReceipt::of(id.unwrap_or_else(|| format!("HTTP {status}"))));
    }
    // The gateway's own format without a success: it has refused. Anything else may come from a proxy in between.
    if json.is_some() {
        return Err(SendError::unreachable(format!("{host} refuses the message: {shown}")));
    }
    Err(SendError::unknown(format!("{host} says {status}, but its answer is not a success by the channel's rules")))
}

fn is_status_good(rules: &ResponseRules, answer: &ClientResponse) -> bool {
    let status = answer.status;
    if rules.statuses.is_empty() { status.is_success() } else { rules.statuses.contains(&status.as_u16()) }
}

fn is_success(rules: &ResponseRules, answer: &ClientResponse, json: Option<&Value>, error: Option<&str>) -> bool {
    let body = answer.body.trim_start();
    if let Some(begins) = &rules.begins {
        let begun = body.get(..begins.len()).is_some_and(|start| start.eq_ignore_ascii_case(begins));
        return begun;
    }
    if let Some((pointer, values)) = &rules.says {
        let said = json.and_then(|json| json.pointer(pointer)).and_then(word_of);
        return said.is_some_and(|said| values.contains(&said));
    }
    // An HTML page comes from a captive portal or a proxy, whatever its status.
    let is_page = answer.is_html || body.starts_with('<');
    let is_error = error.is_some_and(|code| !matches!(code, "" | "0" | "false"));
    !is_page && !is_error
}

fn by_status(host: &str, answer: &ClientResponse, code: Option<&str>) -> SendError {
    let status = answer.status;
    let code = code.map(|code| format!(", code {code}")).unwrap_or_default();
    let why = |what: &str| format!("{host} {what} ({}{code})", status.as_u16());
    match status.as_u16() {
        200..=299 => SendError::unknown(why("gives an answer that is not a success by the channel's rules")),
        300..=399 => SendError::retry(why("redirects; that is not followed")),
        401 | 403 | 407 => SendError::broken(why("refuses our credentials")),
        404 | 405 | 410 => SendError::broken(why("has nothing at this address: check the url")),
        408 | 425 | 429 | 503 => SendError::throttled(answer.after, why("asks to try later")),
        400..=499 => SendError::unreachable(why("refuses the message")),
        _ => SendError::Retry { after: answer.after, why: why("failed"), unknown: true },
    }
}

/// A string, number or boolean, as it is written in the matrix.
fn word_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The word if it may be shown: if it is short, consists of characters of ids, and contains no secret.
pub(crate) fn shown<'a>(word: &'a str, secrets: &[&str]) -> Option<&'a str> {
    let harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':' | '@' | '/' | '+' | '=');
    let is_word = !word.is_empty() && word.len() <= WORD_MAX && word.chars().all(harmless);
    // Many secrets contain a short word by chance.
    let part = |secret: &str| PART_MIN <= word.len() && secret.contains(word);
    let leaks = secrets.iter().any(|secret| !secret.is_empty() && (word.contains(secret) || part(secret)));
    (is_word && !leaks).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::StatusCode;
    use std::time::Duration;

    fn answer(status: u16, body: &str) -> ClientResponse {
        let is_html = body.contains("<body>");
        let after = body.is_empty().then_some(Duration::from_secs(7));
        let status = StatusCode::from_u16(status).unwrap_or_default();
        ClientResponse { status, body: body.to_owned(), is_html, after, date: None }
    }

    fn meaning(rules: &ResponseRules, status: u16, body: &str) -> String {
        match judge(rules, "gw.example", &answer(status, body), &["s3cret"]) {
            Ok(receipt) => format!("accepted {}", receipt.id),
            Err(SendError::Retry { unknown: true, .. }) => "unknown".to_owned(),
            Err(SendError::Retry { after: Some(_), .. }) => "later".to_owned(),
            Err(SendError::Retry { .. }) => "retry".to_owned(),
            Err(SendError::Unreachable { .. }) => "unreachable".to_owned(),
            Err(SendError::Broken { .. }) => "broken".to_owned(),
            Err(SendError::DeskClosed { .. }) => "desk closed".to_owned(),
        }
    }

    #[test]
    fn without_rules_the_status_counts_and_a_page_for_humans_does_not() {
        for (status, body, expected) in [
            (200, "{}", "accepted HTTP 200"),
            (202, "", "accepted HTTP 202"),
            (204, "", "accepted HTTP 204"),
            (200, "queued", "accepted HTTP 200"),
            (200, "<html><body>Please sign in</body></html>", "unknown"),
            (200, "  <!doctype html>", "unknown"),
            (301, "moved", "retry"),
            (400, "{}", "unreachable"),
            (422, "{}", "unreachable"),
            (401, "{}", "broken"),
            (403, "{}", "broken"),
            (404, "{}", "broken"),
            (410, "{}", "broken"),
            (429, "", "later"),
            (503, "", "later"),
            (500, "oops", "unknown"),
            (504, "<html>", "unknown"),
        ] {
            assert_eq!(meaning(&ResponseRules::default(), status, body), expected, "{status} {body:?}");
        }
    }

    #[test]
    fn a_gateways_own_codes_say_what_they_mean() {
        let list = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect::<Vec<_>>();
        let rules = ResponseRules {
            statuses: vec![200],
            says: Some(("/status".into(), list(&["queued", "0"]))),
            id: Some("/id".into()),
            error: Some("/error/code".into()),
            unreachable: list(&["21211"]),
            retry: list(&["busy", "409"]),
            broken: list(&["no_credit"]),
            ..ResponseRules::default()
        };
        for (status, body, expected) in [
            (200, r#"{"status":"queued","id":"m-1"}"#, "accepted m-1"),
            (200, r#"{"status":0,"id":17}"#, "accepted 17"),
            (200, r#"{"status":"queued"}"#, "accepted HTTP 200"),
            (200, r#"{"status":"failed"}"#, "unreachable"),
            (200, r#"{"status":"failed","error":{"code":21211}}"#, "unreachable"),
            (200, r#"{"error":{"code":"no_credit"}}"#, "broken"),
            (400, r#"{"error":{"code":"busy"}}"#, "retry"),
            (409, "", "later"),
            (201, r#"{"status":"queued"}"#, "unknown"),
            (200, "queued", "unknown"),
            (200, "<html><body>queued</body></html>", "unknown"),
            (500, r#"{"error":{"code":21211}}"#, "unreachable"),
            (200, r#"{"status":"queued","id":"token=s3cret"}"#, "accepted HTTP 200"),
            (200, r#"{"status":"queued","id":"two words"}"#, "accepted HTTP 200"),
        ] {
            assert_eq!(meaning(&rules, status, body), expected, "{status} {body:?}");
        }
    }

    #[test]
    fn a_plain_answer_is_known_by_how_it_begins() {
        let rules = ResponseRules { begins: Some("OK".into()), ..ResponseRules::default() };
        for (body, expected) in [
            ("ok", "accepted HTTP 200"),
            ("OK: 17", "accepted HTTP 200"),
            ("ERR: 17", "unknown"),
            ("", "unknown"),
            ("ö", "unknown"),
        ] {
            assert_eq!(meaning(&rules, 200, body), expected, "{body:?}");
        }
        let refused = ResponseRules { error: Some("/code".into()), ..ResponseRules::default() };
        assert_eq!(meaning(&refused, 200, r#"{"code":"E7"}"#), "unreachable");
        assert_eq!(meaning(&refused, 200, r#"{"code":0}"#), "accepted HTTP 200");
    }

    #[test]
    fn no_error_shows_a_secret_or_a_sentence_of_the_gateways() {
        let rules = ResponseRules { error: Some("/code".into()), ..ResponseRules::default() };
        for code in ["s3cret", "x-s3cret-y", "the password s3cret is wrong", "<b>no</b>"] {
            let body = serde_json::json!({ "code": code }).to_string();
            let error = judge(&rules, "gw.example", &answer(400, &body), &["s3cret"]).expect_err("a refusal");
            assert!(!error.to_string().contains(code), "{error}");
        }
    }
}
