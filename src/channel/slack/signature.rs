//! Verifies that a request comes from Slack: the signature (v0) over the raw body, and its age.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// The largest difference between a request's timestamp and our clock, in seconds: older requests may be replays.
pub const WINDOW_S: u64 = 300;

/// Why a request is not accepted as Slack's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is no signing secret to check with.
    #[error("no Slack signing secret is set")]
    NoSecret,
    /// A header is missing or not text.
    #[error("the request is not signed")]
    Unsigned,
    /// A header is not in Slack's format.
    #[error("the signature is malformed")]
    Malformed,
    /// Signed too long ago, or in the future.
    #[error("the signature is more than five minutes off: a replay, or a wrong clock")]
    Stale,
    /// Not signed with our secret.
    #[error("the signature does not match")]
    Wrong,
}

/// Checks Slack's signature (v0) over the raw body. Pass the headers `X-Slack-Request-Timestamp` and
/// `X-Slack-Signature` unchanged, `None` if one is missing, not text or repeated.
///
/// # Errors
///
/// [`SignatureError`]; then the body must not be used.
pub fn verify(
    secret: &SecretString,
    timestamp_header: Option<&str>,
    signature_header: Option<&str>,
    body: &[u8],
    now_unix: i64,
) -> Result<(), SignatureError> {
    let secret = secret.expose_secret();
    if secret.is_empty() {
        return Err(SignatureError::NoSecret);
    }
    let (timestamp, signature) = claimed(timestamp_header, signature_header, now_unix)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(|_| SignatureError::NoSecret)?;
    for part in [b"v0:", timestamp.as_bytes(), b":", body] {
        mac.update(part);
    }
    mac.verify_slice(&signature).map_err(|_| SignatureError::Wrong)
}

/// What the head alone says: the time, as it was written, and the signature that the body is to have.
///
/// # Errors
///
/// [`SignatureError`], when no body at all can make it Slack's.
pub(super) fn claimed<'h>(
    timestamp_header: Option<&'h str>,
    signature_header: Option<&str>,
    now_unix: i64,
) -> Result<(&'h str, [u8; 32]), SignatureError> {
    let (Some(timestamp), Some(signature)) = (timestamp_header, signature_header) else {
        return Err(SignatureError::Unsigned);
    };
    let signed_at: i64 = timestamp.parse().map_err(|_| SignatureError::Malformed)?;
    if WINDOW_S < now_unix.abs_diff(signed_at) {
        return Err(SignatureError::Stale);
    }
    let signature = signature.strip_prefix("v0=").and_then(from_hex).ok_or(SignatureError::Malformed)?;
    Ok((timestamp, signature))
}

/// Like [`verify`], with any of several secrets: two are valid during a rotation of the signing secret.
///
/// # Errors
///
/// [`SignatureError`] of the last secret; for different secrets only `NoSecret` and `Wrong` differ.
pub fn verify_any<'a>(
    secrets: impl IntoIterator<Item = &'a SecretString>,
    timestamp_header: Option<&str>,
    signature_header: Option<&str>,
    body: &[u8],
    now_unix: i64,
) -> Result<(), SignatureError> {
    let mut verdict = Err(SignatureError::NoSecret);
    for secret in secrets {
        verdict = verify(secret, timestamp_header, signature_header, body, now_unix);
        if verdict.is_ok() {
            break;
        }
    }
    verdict
}

/// Parses exactly 32 bytes in lower-case hex; Slack sends nothing else.
fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != 32 || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}
