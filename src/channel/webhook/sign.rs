//! Signatures of webhooks: Standard Webhooks 1.0.0, the symmetric scheme `v1`.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;
use subtle::ConstantTimeEq;

/// The prefix of a key.
const PREFIX: &str = "whsec_";

/// The allowed length of a key in bytes: shorter keys could be guessed, and HMAC would hash longer ones.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// The block size of SHA-256 in bytes, to which HMAC pads a key with zeros (RFC 2104).
const BLOCK: usize = 64;

/// The largest difference between a timestamp and now, in seconds.
pub const TOLERANCE_S: i64 = 300;

/// One signing key. It has no `Debug` output of its content.
#[derive(Clone)]
pub struct SigningKey([u8; BLOCK]);

/// Why a key is not valid. The error never contains the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The format is wrong.
    #[error("a key is `whsec_` and base64")]
    Form,
    /// Too short or too long.
    #[error("a key has 24 to 64 bytes")]
    Length,
}

/// Why a signed message is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookSignatureError {
    /// The timestamp is not valid, or too far from now.
    #[error("the timestamp is not within five minutes of now")]
    Stale,
    /// No signature is by any of the keys.
    #[error("no signature matches")]
    Forged,
}

impl SigningKey {
    /// Parses `whsec_..`.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the format is wrong, or the length is not allowed by the standard.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let text = text.trim().strip_prefix(PREFIX).ok_or(KeyError::Form)?;
        let bytes = STANDARD.decode(text).map_err(|_| KeyError::Form)?;
        if !KEY_BYTES.contains(&bytes.len()) {
            return Err(KeyError::Length);
        }
        let mut block = [0; BLOCK];
        block[..bytes.len()].copy_from_slice(&bytes);
        Ok(Self(block))
    }

    fn mac(&self, id: &str, timestamp: i64, body: &[u8]) -> [u8; 32] {
        let mut mac = <Hmac<Sha256> as KeyInit>::new(&self.0.into());
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

/// The `webhook-signature` header: one signature for each key, so that a receiver can rotate keys without missing
/// anything.
pub fn sign(keys: &[SigningKey], id: &str, timestamp: i64, body: &[u8]) -> String {
    let signature = |key: &SigningKey| format!("v1,{}", STANDARD.encode(key.mac(id, timestamp, body)));
    keys.iter().map(signature).collect::<Vec<_>>().join(" ")
}

/// Whether a message is valid at `now` (Unix seconds). Receivers do the same check; `doctor` uses it to test our keys.
///
/// # Errors
///
/// [`WebhookSignatureError`] if it is too old, too new, or not signed by any of the keys.
pub fn verify(
    keys: &[SigningKey],
    id: &str,
    timestamp: &str,
    signatures: &str,
    body: &[u8],
    now: i64,
) -> Result<(), WebhookSignatureError> {
    let stamped: i64 = timestamp.parse().map_err(|_| WebhookSignatureError::Stale)?;
    if TOLERANCE_S < now.saturating_sub(stamped).saturating_abs() {
        return Err(WebhookSignatureError::Stale);
    }
    let given = signatures.split(' ').filter_map(|one| one.strip_prefix("v1,"));
    let mut believed = false;
    for signature in given.filter_map(|text| STANDARD.decode(text).ok()) {
        for key in keys {
            believed |= bool::from(key.mac(id, stamped, body).as_slice().ct_eq(&signature));
        }
    }
    if believed { Ok(()) } else { Err(WebhookSignatureError::Forged) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const OTHER: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    fn key(text: &str) -> SigningKey {
        SigningKey::parse(text).expect("a key")
    }

    #[test]
    fn signatures_are_those_of_the_standards_own_examples() {
        let signed = sign(&[key(KEY)], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b"{\"test\": 2432232314}");
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        let body = b"{\"type\":\"incident.opened\",\"data\":{\"id\":\"inc-1\"}}";
        let signed = sign(&[key(OTHER)], "msg_test1", 1_700_000_000, body);
        assert_eq!(signed, "v1,85qmNxaSmcpc5OJVr7SD7ym2tU5uwhGLgqS+9QDKFOs=");
    }

    #[test]
    fn what_was_changed_is_old_or_is_another_keys_is_not_believed() {
        let (id, at, body) = ("msg_1", 1_700_000_000, b"{}".as_slice());
        let both = sign(&[key(KEY), key(OTHER)], id, at, body);
        let one = sign(&[key(KEY)], id, at, body);
        let other = [key(OTHER)];
        for (keys, id, stamp, signatures, body, now, believed) in [
            (&[key(KEY)][..], id, "1700000000", both.as_str(), body, at, Ok(())),
            (&other[..], id, "1700000000", &both, body, at, Ok(())),
            (&other[..], id, "1700000000", &one, body, at, Err(WebhookSignatureError::Forged)),
            (&other[..], "msg_2", "1700000000", &both, body, at, Err(WebhookSignatureError::Forged)),
            (&other[..], id, "1700000001", &both, body, at, Err(WebhookSignatureError::Forged)),
            (&other[..], id, "1700000000", &both, b"{ }", at, Err(WebhookSignatureError::Forged)),
            (&other[..], id, "1700000000", "", body, at, Err(WebhookSignatureError::Forged)),
            (&other[..], id, "1700000000", "v1,", body, at, Err(WebhookSignatureError::Forged)),
            (&other[..], id, "1700000000", "v1a,AAAA v2,AAAA nonsense", body, at, Err(WebhookSignatureError::Forged)),
            (&other[..], id, "1700000000", &both, body, at + 300, Ok(())),
            (&other[..], id, "1700000000", &both, body, at + 301, Err(WebhookSignatureError::Stale)),
            (&other[..], id, "1700000000", &both, body, at - 301, Err(WebhookSignatureError::Stale)),
            (&other[..], id, "soon", &both, body, at, Err(WebhookSignatureError::Stale)),
            (&[][..], id, "1700000000", &both, body, at, Err(WebhookSignatureError::Forged)),
        ] {
            assert_eq!(verify(keys, id, stamp, signatures, body, now), believed, "{id} {stamp} {signatures} {now}");
        }
    }

    #[test]
    fn a_key_that_is_none_is_refused_without_being_shown() {
        for (text, error) in [
            ("", KeyError::Form),
            ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", KeyError::Form),
            ("whsec_not base64!", KeyError::Form),
            ("whsec_", KeyError::Length),
            ("whsec_c2hvcnQ=", KeyError::Length),
        ] {
            assert_eq!(SigningKey::parse(text).err(), Some(error), "{text:?}");
        }
        assert_eq!(format!("{:?}", key(KEY)), "Key");
    }
}
