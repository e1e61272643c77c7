//! `Idempotency-Key`: a request that its sender repeats, because its response was lost, does nothing again and gets the
//! response that the first one got (draft-ietf-httpapi-idempotency-key-header). What is done and what is told are kept in
//! one transaction of the store ([`Transaction::keep_response`](crate::store::Transaction::keep_response)), so there is no
//! moment at which a crash loses one of them. Two at once meet there too: the second waits for the first, and is told
//! the same.

use crate::{
    core::canonical::{CanonicalJson, sha256},
    http::problem::ProblemDetails,
};
use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

/// The request's header.
pub const HEADER: HeaderName = HeaderName::from_static("idempotency-key");

/// The header of a response that was given before.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The most characters of a key.
pub const KEY_MAX: usize = 255;

/// The largest body that is compared by its canonical JSON, in bytes; a larger one is compared byte by byte.
const CANONICAL_MAX: usize = 256 * 1024;

/// The key of a request, if it has one: in double quotes, as the draft has it (a string of RFC 8941), or without them, as
/// most programs send it. Both are the same key.
///
/// # Errors
/// `400` for a key that is empty, too long, not of visible ASCII, or there twice.
pub fn key(headers: &HeaderMap) -> Result<Option<String>, ProblemDetails> {
    let mut values = headers.get_all(HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let key = if values.next().is_none() { value.to_str().ok().and_then(read) } else { None };
    let wrong = || {
        ProblemDetails::bad(format!(
            "Idempotency-Key must be one text of 1 to {KEY_MAX} visible ASCII characters, in double quotes or without, \
             such as \"8e03978e-40d5-43dd-bc93-6894a57f9324\": nothing was kept"
        ))
    };
    key.map(Some).ok_or_else(wrong)
}

fn read(value: &str) -> Option<String> {
    let value = value.trim();
    let key = match value.strip_prefix('"') {
        Some(rest) => unquoted(rest.strip_suffix('"')?)?,
        None => value.to_owned(),
    };
    let fits = (1..=KEY_MAX).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then_some(key)
}

/// The inside of a string of RFC 8941: a backslash stands before a quote or another backslash, and nowhere else.
fn unquoted(inside: &str) -> Option<String> {
    let (mut key, mut letters) = (String::new(), inside.chars());
    while let Some(letter) = letters.next() {
        match letter {
            '"' => return None,
            '\\' => key.push(letters.next().filter(|next| matches!(next, '"' | '\\'))?),
            letter => key.push(letter),
        }
    }
    Some(key)
}

/// The digest by which a body is compared with the one that its key came with before. JSON that was only written
/// otherwise (spaces, order of names) is the same.
pub fn digest(body: &[u8]) -> String {
    let text = std::str::from_utf8(body).ok().filter(|_| body.len() <= CANONICAL_MAX);
    let canonical = text.and_then(|text| CanonicalJson::read(text).ok());
    canonical.map_or_else(|| sha256(body), |json| json.digest())
}

/// The response that was given before.
pub fn replayed(status: u16, body: String) -> Response {
    // Only such statuses are kept.
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = if status.is_success() { "application/json" } else { "application/problem+json" };
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

/// The key was used for another body: `422`.
pub fn other_body() -> ProblemDetails {
    let detail = "this Idempotency-Key was used with another body within the last 24 h: nothing was kept. Send what is \
                  new with a new key, and what is repeated as it was";
    ProblemDetails::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_same_with_quotes_and_without() {
        let long = "k".repeat(KEY_MAX);
        for (value, wanted) in [
            ("8e03", Some("8e03")),
            (" \"8e03\" ", Some("8e03")),
            (r#""a\"b\\c""#, Some(r#"a"b\c"#)),
            (long.as_str(), Some(long.as_str())),
            (&format!("\"{long}\""), Some(long.as_str())),
            (&format!("{long}k"), None),
            ("", None),
            ("\"\"", None),
            ("\"", None),
            ("a b", None),
            ("\"a\"b\"", None),
            (r#""a\n""#, None),
            (r#""a";p=1"#, None),
        ] {
            assert_eq!(read(value).as_deref(), wanted, "{value}");
        }
        let mut headers = HeaderMap::new();
        assert!(key(&headers).is_ok_and(|key| key.is_none()));
        headers.append(HEADER, HeaderValue::from_static("a"));
        assert!(key(&headers).is_ok_and(|key| key.as_deref() == Some("a")));
        headers.append(HEADER, HeaderValue::from_static("a"));
        assert!(key(&headers).is_err(), "nobody can know which of two is meant");
    }

    #[test]
    fn a_body_that_is_only_written_otherwise_is_the_same() {
        assert_eq!(digest(br#"{"a":1,"b":[2.50]}"#), digest(b"{ \"b\": [2.5],\n\"a\": 1 }"));
        assert_ne!(digest(br#"{"a":1}"#), digest(br#"{"a":2}"#));
        for odd in ["{\"a\":NaN}", "{} {}", "{\"a\":9007199254740993}"] {
            assert_eq!(digest(odd.as_bytes()), sha256(odd.as_bytes()), "{odd}");
            assert_ne!(digest(odd.as_bytes()), digest(format!("{odd} ").as_bytes()), "{odd}");
        }
    }
}
