//! Receipts: what is signed is found to be so, and nothing else is.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use proptest::prelude::*;
use ring::signature::Ed25519KeyPair;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use stentor::{
    engine::keys::DerivedKeys,
    receipt::{KEYS_MAX, RECEIPT_MAX, ReceiptFault, ReceiptKey, ReceiptKeys, SignError, VerifiedReceipt, sign, verify},
};

/// As a receipt's claims may be.
#[derive(Serialize)]
struct Sample {
    request: &'static str,
    outcome: &'static str,
    action_digest: &'static str,
    who: Vec<&'static str>,
    seconds: f64,
    note: String,
}

fn sample() -> Sample {
    Sample {
        request: "req_7",
        outcome: "decided",
        action_digest: "sha256:00",
        who: vec!["ana", "bo"],
        seconds: 41.5,
        note: "€ \"yes\"\n".into(),
    }
}

fn daemon() -> DerivedKeys {
    DerivedKeys::new([7; 32])
}

fn receipt() -> String {
    daemon().sign_receipt(1, &sample()).expect("signed")
}

fn checked(receipt: &str) -> Result<VerifiedReceipt, ReceiptFault> {
    verify(receipt, &daemon().receipt_keys(1))
}

/// Signs a header and claims as they are, with the daemon's own key of another making.
fn forged(header: &str, claims: &str) -> (String, ReceiptKeys) {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).expect("a pair");
    let key = ReceiptKey::new(ring::signature::KeyPair::public_key(&pair).as_ref().try_into().expect("32 bytes"));
    let signed =
        [header.replace("KID", &key.kid()).as_str(), claims].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
    let signature = URL_SAFE_NO_PAD.encode(pair.sign(signed.as_bytes()));
    (format!("{signed}.{signature}"), ReceiptKeys::new(vec![key]))
}

#[test]
fn what_was_signed_is_read_back_and_its_form_is_canonical() {
    let receipt = receipt();
    let read = checked(&receipt).expect("valid");
    assert_eq!(read.claims, serde_json::to_value(sample()).expect("JSON"));
    let kid = daemon().receipt_keys(1).jwks()["keys"][0]["kid"].as_str().expect("a name").to_owned();
    assert_eq!(read.kid, kid);
    let parts: Vec<String> = receipt
        .split('.')
        .take(2)
        .map(|part| String::from_utf8(URL_SAFE_NO_PAD.decode(part).expect("base64")).expect("text"))
        .collect();
    let header = format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"stentor-receipt+jws"}}"#);
    let claims = r#"{"action_digest":"sha256:00","note":"€ \"yes\"\n","outcome":"decided","request":"req_7","seconds":41.5,"who":["ana","bo"]}"#;
    assert_eq!(parts, [header.as_str(), claims]);
    assert_eq!(daemon().sign_receipt(1, &sample()).expect("signed"), receipt, "the same words have the same receipt");
}

#[test]
fn any_changed_byte_is_refused() {
    let receipt = receipt();
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ ";
    for at in 0..receipt.len() {
        for letter in LETTERS.iter().copied().filter(|letter| *letter != receipt.as_bytes()[at]) {
            let mut changed = receipt.clone().into_bytes();
            changed[at] = letter;
            let changed = String::from_utf8(changed).expect("ASCII");
            assert!(checked(&changed).is_err(), "letter {letter} at {at}");
        }
        assert!(checked(&receipt[..at]).is_err(), "cut at {at}");
        assert!(checked(&format!("{}{}", &receipt[..at], &receipt[at + 1..])).is_err(), "without {at}");
    }
    for wrong in [format!("{receipt}A"), format!("{receipt}="), format!("{receipt}."), format!(" {receipt}")] {
        assert!(checked(&wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_header_that_is_not_a_receipts_is_refused_though_its_signature_is_right() {
    let typ = "stentor-receipt+jws";
    let of = |header: &str| {
        let (receipt, keys) = forged(header, "{}");
        verify(&receipt, &keys).map(|read| read.claims)
    };
    assert_eq!(of(&format!(r#"{{"alg":"EdDSA","kid":"KID","typ":"{typ}"}}"#)), Ok(json!({})));
    for alg in ["none", "HS256", "Ed25519", "eddsa", ""] {
        let wrong = of(&format!(r#"{{"alg":"{alg}","kid":"KID","typ":"{typ}"}}"#));
        assert_eq!(wrong, Err(ReceiptFault::Algorithm(alg.into())));
    }
    assert_eq!(of(&format!(r#"{{"kid":"KID","typ":"{typ}"}}"#)), Err(ReceiptFault::Algorithm(String::new())));
    for name in ["crit", "b64", "jwk", "jku", "x5c", "zip", "cty"] {
        let wrong = of(&format!(r#"{{"alg":"EdDSA","{name}":["exp"],"kid":"KID","typ":"{typ}"}}"#));
        assert_eq!(wrong, Err(ReceiptFault::Header(name.into())));
    }
    assert_eq!(of(r#"{"alg":"EdDSA","kid":"KID","typ":"JWT"}"#), Err(ReceiptFault::Type("JWT".into())));
    assert_eq!(of(r#"{"alg":"EdDSA","kid":"KID"}"#), Err(ReceiptFault::Type(String::new())));
    let unknown = of(&format!(r#"{{"alg":"EdDSA","kid":"another","typ":"{typ}"}}"#));
    assert_eq!(unknown, Err(ReceiptFault::UnknownKey("another".into())));
    for header in ["[]", "", "{", "\u{fffd}", &format!(r#"{{"alg":"none","alg":"EdDSA","kid":"KID","typ":"{typ}"}}"#)] {
        assert!(matches!(of(header), Err(ReceiptFault::Form(_))), "{header}");
    }
    // Its own key signed it, and two readers would read two things.
    let (twice, keys) = forged(&format!(r#"{{"alg":"EdDSA","kid":"KID","typ":"{typ}"}}"#), r#"{"a":1,"a":2}"#);
    assert!(matches!(verify(&twice, &keys), Err(ReceiptFault::Form(_))));
}

#[test]
fn a_key_signs_for_itself_alone_and_two_are_published() {
    let keys = daemon();
    assert_eq!(keys.receipt_keys(1).jwks()["keys"].as_array().map(Vec::len), Some(1), "there is none before the first");
    let kids = |current: u32| -> Vec<String> {
        let jwks = keys.receipt_keys(current).jwks();
        jwks["keys"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|key| key["kid"].as_str().expect("a name").to_owned())
            .collect()
    };
    assert_eq!((kids(2).len(), &kids(2)[1]), (2, &kids(1)[0]), "the current one first");
    let first = keys.sign_receipt(1, &sample()).expect("signed");
    assert!(verify(&first, &keys.receipt_keys(2)).is_ok());
    assert_eq!(verify(&first, &keys.receipt_keys(3)), Err(ReceiptFault::UnknownKey(kids(1).remove(0))));
    // Who kept the keys of before goes on.
    let mut kept = keys.receipt_keys(3);
    kept.extend(ReceiptKeys::read(&keys.receipt_keys(1).jwks().to_string()).expect("keys"));
    assert!(verify(&first, &kept).is_ok());
    let another = DerivedKeys::new([8; 32]);
    assert!(matches!(verify(&first, &another.receipt_keys(1)), Err(ReceiptFault::UnknownKey(_))));
    let anchors = keys.anchor_key().expect("a key").pem();
    let x = keys.receipt_keys(1).jwks()["keys"][0]["x"].as_str().map(|x| URL_SAFE_NO_PAD.decode(x).expect("base64"));
    assert!(
        !anchors.contains(&base64::engine::general_purpose::STANDARD.encode(x.expect("a key"))),
        "anchors have another"
    );
}

/// RFC 8037, appendix A.2 and A.3.
#[test]
fn keys_are_named_and_read_as_the_rfcs_say() {
    let rfc = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
    let keys = ReceiptKeys::read(&rfc.to_string()).expect("a key");
    let kid = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
    assert!(keys.get(kid).is_some());
    let set = keys.jwks();
    assert_eq!(set["keys"][0], json!({ "kty": "OKP", "crv": "Ed25519", "x": rfc["x"], "kid": kid, "use": "sig" }));
    let others = json!({ "keys": [{ "kty": "RSA", "n": "AQAB", "e": "AQAB" }, { "kty": "OKP", "crv": "X25519", "x": "" }, rfc] });
    assert_eq!(ReceiptKeys::read(&others.to_string()), Ok(keys));
    let with = |name: &str, value: Value| {
        let mut key = rfc.clone();
        key[name] = value;
        json!({ "keys": [key] }).to_string()
    };
    for (text, why) in [
        ("", "not JSON"),
        ("{}", "no Ed25519 key"),
        ("{\"keys\":7}", "no list"),
        ("{\"keys\":[]}", "no Ed25519 key"),
        (&with("kid", json!("mine")), "not its thumbprint"),
        (&with("x", json!("AAAA")), "32 bytes"),
        (&with("x", json!(7)), "32 bytes"),
        (&with("d", json!("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")), "private"),
        (&json!({ "keys": vec![rfc.clone(); KEYS_MAX + 1] }).to_string(), "at most"),
    ] {
        let refused = ReceiptKeys::read(text).expect_err(text);
        assert!(refused.contains(why), "{text}: {refused}");
    }
}

#[test]
fn what_can_not_be_read_by_everybody_is_not_signed() {
    let refused = |claims: Value| daemon().sign_receipt(1, &claims).expect_err("refused");
    assert!(matches!(refused(json!({ "n": u64::MAX })), SignError::Claims(_)));
    assert!(matches!(refused(json!({ "text": "x".repeat(RECEIPT_MAX) })), SignError::TooLarge(_)));
    let unsigned = sign(&sample(), "nobody", |_| vec![0; 64]).expect("written");
    assert!(matches!(checked(&unsigned), Err(ReceiptFault::UnknownKey(_))));
    assert!(matches!(checked(&"a".repeat(RECEIPT_MAX + 1)), Err(ReceiptFault::Form(_))));
}

proptest! {
    #[test]
    fn any_claims_are_signed_and_read_back(claims in proptest::collection::btree_map(any::<String>(), any::<Option<u32>>(), 0..8)) {
        let claims: BTreeMap<String, Option<u32>> = claims;
        let receipt = daemon().sign_receipt(4, &claims).expect("signed");
        let read = verify(&receipt, &daemon().receipt_keys(5)).expect("valid");
        prop_assert_eq!(read.claims, serde_json::to_value(&claims).expect("JSON"));
    }

    #[test]
    fn nothing_else_is_valid(text in "[A-Za-z0-9_.-]{0,80}") {
        prop_assert!(checked(&text).is_err());
    }
}
