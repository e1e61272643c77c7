//! Whether a monitor signed a request, as its source says that it signs.

use crate::{
    core::Timestamp,
    engine::keys::same,
    matrix::{SignatureEncoding, SignatureSettings, SignedPart},
};
use axum::http::HeaderMap;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use std::time::Duration;

/// How far the time of a request may be from ours. An older request may be somebody's who heard it.
pub const TOLERANCE: Duration = Duration::from_secs(300);

/// The most signatures of one request that are looked at: a sender that changes its key sends two.
const GIVEN_MAX: usize = 8;

/// Why a request is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureFault {
    /// No signature is by one of the keys.
    Forged,
    /// It is signed, and its time is too far from ours.
    Stale,
}

/// Whether one of the keys signed this body.
///
/// # Errors
/// Why it is not believed.
pub fn verify<'k>(
    settings: &SignatureSettings,
    keys: impl Iterator<Item = &'k SecretString>,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<(), SignatureFault> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let stamp = match &settings.timestamp {
        None => "",
        Some(name) => text(name).ok_or(SignatureFault::Forged)?,
    };
    let given: Vec<String> = text(&settings.header)
        .unwrap_or_default()
        .split([',', ' '])
        .filter_map(|one| one.trim().strip_prefix(settings.prefix.as_str()))
        .filter(|one| !one.is_empty())
        .take(GIVEN_MAX)
        .map(|one| plain(settings.encoding, one))
        .collect();
    let mut believed = false;
    for key in keys {
        let expected = plain(settings.encoding, &written(settings, key, stamp, body));
        // All are compared, so that the time reveals nothing.
        for one in &given {
            believed |= same(one, &expected);
        }
    }
    match believed {
        false => Err(SignatureFault::Forged),
        true if settings.timestamp.is_some() && !is_near(stamp, now) => Err(SignatureFault::Stale),
        true => Ok(()),
    }
}

/// The signature of this body by this key, as the source writes it, without its prefix.
fn written(settings: &SignatureSettings, key: &SecretString, stamp: &str, body: &[u8]) -> String {
    // A key of any length is right for HMAC.
    let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(key.expose_secret().as_bytes()) else {
        return String::new();
    };
    for part in &settings.signed {
        match part {
            SignedPart::Text(text) => mac.update(text.as_bytes()),
            SignedPart::Timestamp => mac.update(stamp.as_bytes()),
            SignedPart::Body => mac.update(body),
        }
    }
    let signature = mac.finalize().into_bytes();
    match settings.encoding {
        SignatureEncoding::Hex => signature.iter().map(|byte| format!("{byte:02x}")).collect(),
        SignatureEncoding::Base64 => STANDARD.encode(signature),
    }
}

/// One form of the ways to write the same: capital digits, base64 for addresses or without its end.
fn plain(encoding: SignatureEncoding, text: &str) -> String {
    match encoding {
        SignatureEncoding::Hex => text.to_ascii_lowercase(),
        SignatureEncoding::Base64 => text.trim_end_matches('=').replace('-', "+").replace('_', "/"),
    }
}

/// Unix seconds, or milliseconds as some write them.
fn is_near(stamp: &str, now: Timestamp) -> bool {
    let Ok(given) = stamp.parse::<i64>() else { return false };
    let seconds = if given.unsigned_abs() < 100_000_000_000 { given } else { given / 1000 };
    let apart = seconds.saturating_sub(now.as_micros() / 1_000_000).unsigned_abs();
    apart <= TOLERANCE.as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);
    const BODY: &[u8] = b"{\"a\":1}";

    fn settings(encoding: SignatureEncoding, prefix: &str, timestamp: Option<&str>) -> SignatureSettings {
        let stamped = [SignedPart::Timestamp, SignedPart::Text(":".into())];
        let signed = timestamp.iter().flat_map(|_| stamped.clone()).chain([SignedPart::Body]).collect();
        let timestamp = timestamp.map(str::to_owned);
        SignatureSettings {
            keys: Vec::new(),
            header: "X-Sig".into(),
            encoding,
            prefix: prefix.into(),
            timestamp,
            signed,
        }
    }

    fn verdict(
        settings: &SignatureSettings,
        given: &str,
        stamp: Option<&str>,
        keys: &[&str],
    ) -> Result<(), SignatureFault> {
        let mut headers = HeaderMap::new();
        headers.insert("x-sig", given.parse().expect("a header"));
        stamp.map(|stamp| headers.insert("x-time", stamp.parse().expect("a header")));
        let keys: Vec<SecretString> = keys.iter().map(|key| SecretString::from(*key)).collect();
        verify(settings, keys.iter(), &headers, BODY, NOW)
    }

    /// Made with `openssl dgst -sha256 -hmac secret`.
    const HEX: &str = "aa9e2e3575f5d7098b6caccd790888c36d5fdb63342a73bada2d6a51747a8494";

    #[test]
    fn only_what_one_of_the_keys_signed_is_believed() {
        use SignatureEncoding::{Base64, Hex};
        let plain = settings(Hex, "", None);
        let of_github = settings(Hex, "sha256=", None);
        let hex = written(&plain, &"secret".into(), "", BODY);
        assert_eq!(hex, HEX);
        let base64 = written(&settings(Base64, "", None), &"secret".into(), "", BODY);
        for (settings, given, keys, wanted) in [
            (&plain, hex.clone(), &["secret"][..], Ok(())),
            (&plain, hex.to_uppercase(), &["old", "secret"], Ok(())),
            (&plain, hex.clone(), &["other"], Err(SignatureFault::Forged)),
            (&plain, hex.clone(), &[], Err(SignatureFault::Forged)),
            (&plain, hex[..60].to_owned(), &["secret"], Err(SignatureFault::Forged)),
            (&plain, String::new(), &["secret"], Err(SignatureFault::Forged)),
            (&of_github, format!("sha256={hex}"), &["secret"], Ok(())),
            (&of_github, format!("sha256=00,sha256={hex}"), &["secret"], Ok(())),
            (&of_github, hex.clone(), &["secret"], Err(SignatureFault::Forged)),
            (&settings(Base64, "", None), base64.clone(), &["secret"], Ok(())),
            (&settings(Base64, "", None), base64.trim_end_matches('=').replace('+', "-"), &["secret"], Ok(())),
            (&settings(Base64, "", None), hex.clone(), &["secret"], Err(SignatureFault::Forged)),
        ] {
            assert_eq!(verdict(settings, &given, None, keys), wanted, "{given}");
        }
    }

    #[test]
    fn the_time_is_signed_and_may_be_five_minutes_off() {
        let stamped = settings(SignatureEncoding::Hex, "", Some("X-Time"));
        let signed = |stamp: &str| written(&stamped, &"secret".into(), stamp, BODY);
        for (stamp, wanted) in [
            ("1700000000", Ok(())),
            ("1700000300", Ok(())),
            ("1699999700000", Ok(())),
            ("1699999699", Err(SignatureFault::Stale)),
            ("soon", Err(SignatureFault::Stale)),
        ] {
            assert_eq!(verdict(&stamped, &signed(stamp), Some(stamp), &["secret"]), wanted, "{stamp}");
        }
        let signature = signed("1700000000");
        assert_eq!(verdict(&stamped, &signature, Some("1700000001"), &["secret"]), Err(SignatureFault::Forged));
        assert_eq!(verdict(&stamped, &signature, None, &["secret"]), Err(SignatureFault::Forged));
    }
}
