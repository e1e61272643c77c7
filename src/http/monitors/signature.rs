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

/// Whether a request says to be signed, at a time that is near to ours: what is known before its body is read.
pub fn is_claimed(settings: &SignatureSettings, headers: &HeaderMap, now: Timestamp) -> bool {
    let is_timely = match &settings.timestamp {
        None => true,
        Some(name) => text(headers, name).is_some_and(|stamp| is_near(stamp, now)),
    };
    is_timely && !given(settings, headers).is_empty()
}

/// Whether one of the keys signed this body, and the time of the request, where there is one.
pub fn is_signed<'k>(
    settings: &SignatureSettings,
    keys: impl Iterator<Item = &'k SecretString>,
    headers: &HeaderMap,
    body: &[u8],
) -> bool {
    let stamp = settings.timestamp.as_ref().and_then(|name| text(headers, name)).unwrap_or_default();
    let given: Vec<String> = given(settings, headers).into_iter().map(|one| plain(settings.encoding, one)).collect();
    let mut believed = false;
    for key in keys {
        let expected = plain(settings.encoding, &written(settings, key, stamp, body));
        // All are compared, so that the time reveals nothing.
        for one in &given {
            believed |= same(one, &expected);
        }
    }
    believed
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

/// The signatures that a request has, without their prefix. The prefix may have a comma or space itself, so it is looked for
/// at each border.
fn given<'h>(settings: &SignatureSettings, headers: &'h HeaderMap) -> Vec<&'h str> {
    const BETWEEN: [char; 2] = [',', ' '];
    let all = text(headers, &settings.header).unwrap_or_default();
    let borders = all.match_indices(BETWEEN).map(|(at, _)| at + 1);
    std::iter::once(0)
        .chain(borders)
        .filter_map(|at| all[at..].strip_prefix(settings.prefix.as_str())?.split(BETWEEN).next())
        .filter(|one| !one.is_empty())
        .take(GIVEN_MAX)
        .collect()
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

    fn is_believed(settings: &SignatureSettings, given: &str, stamp: Option<&str>, keys: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert("x-sig", given.parse().expect("a header"));
        stamp.map(|stamp| headers.insert("x-time", stamp.parse().expect("a header")));
        let keys: Vec<SecretString> = keys.iter().map(|key| SecretString::from(*key)).collect();
        is_claimed(settings, &headers, NOW) && is_signed(settings, keys.iter(), &headers, BODY)
    }

    /// Made with `openssl dgst -sha256 -hmac secret`.
    const HEX: &str = "aa9e2e3575f5d7098b6caccd790888c36d5fdb63342a73bada2d6a51747a8494";

    #[test]
    fn only_what_one_of_the_keys_signed_is_believed() {
        use SignatureEncoding::{Base64, Hex};
        let plain = settings(Hex, "", None);
        let of_github = settings(Hex, "sha256=", None);
        let standard = settings(Base64, "v1,", None);
        let named = settings(Hex, "Signature ", None);
        let hex = written(&plain, &"secret".into(), "", BODY);
        assert_eq!(hex, HEX);
        let base64 = written(&settings(Base64, "", None), &"secret".into(), "", BODY);
        for (settings, given, keys, wanted) in [
            (&plain, hex.clone(), &["secret"][..], true),
            (&plain, hex.to_uppercase(), &["old", "secret"], true),
            (&plain, hex.clone(), &["other"], false),
            (&plain, hex.clone(), &[], false),
            (&plain, hex[..60].to_owned(), &["secret"], false),
            (&plain, String::new(), &["secret"], false),
            (&of_github, format!("sha256={hex}"), &["secret"], true),
            (&of_github, format!("sha256=00,sha256={hex}"), &["secret"], true),
            (&of_github, format!("sha256=00, sha256={hex}"), &["secret"], true),
            (&of_github, format!("t=1,sha256={hex}"), &["secret"], true),
            (&of_github, hex.clone(), &["secret"], false),
            (&standard, format!("v1,{base64}"), &["secret"], true),
            (&standard, format!("v1,AAAA v1,{base64}"), &["secret"], true),
            (&standard, format!("v2,{base64}"), &["secret"], false),
            (&standard, base64.clone(), &["secret"], false),
            (&named, format!("Signature {hex}"), &["secret"], true),
            (&settings(Base64, "", None), base64.clone(), &["secret"], true),
            (&settings(Base64, "", None), base64.trim_end_matches('=').replace('+', "-"), &["secret"], true),
            (&settings(Base64, "", None), hex.clone(), &["secret"], false),
        ] {
            assert_eq!(is_believed(settings, &given, None, keys), wanted, "{given}");
        }
    }

    #[test]
    fn the_time_is_signed_and_may_be_five_minutes_off() {
        let stamped = settings(SignatureEncoding::Hex, "", Some("X-Time"));
        let signed = |stamp: &str| written(&stamped, &"secret".into(), stamp, BODY);
        for (stamp, wanted) in [
            ("1700000000", true),
            ("1700000300", true),
            ("1699999700000", true),
            ("1699999699", false),
            ("soon", false),
        ] {
            assert_eq!(is_believed(&stamped, &signed(stamp), Some(stamp), &["secret"]), wanted, "{stamp}");
        }
        let signature = signed("1700000000");
        assert!(!is_believed(&stamped, &signature, Some("1700000001"), &["secret"]));
        assert!(!is_believed(&stamped, &signature, None, &["secret"]));
    }
}
