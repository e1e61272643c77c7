//! Slack's signatures.

use secrecy::SecretString;
use stentor::channel::slack::signature::{SignatureError, verify, verify_any};

const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
const BODY: &[u8] = b"payload=%7B%22type%22%3A%22block_actions%22%7D";
const SIGNATURE: &str = "v0=8db5c6935539bab0224a57d21ee2f82f5789a9624fd2b92aa4529412fe007e74";
const AT: i64 = 1_700_000_000;

#[test]
fn slacks_own_vector_verifies() {
    let secret = SecretString::from("fa2c05deeef5a4077494e89f54394de0");
    let signature = "v0=baa91ef62d346e56607bbdd278a8acd570b91226854f15a382f43d33be42f666";
    assert_eq!(verify(&secret, Some("1531420618"), Some(signature), b"test-body", 1_531_420_618), Ok(()));
}

#[test]
fn only_a_fresh_whole_exact_signature_verifies() {
    use SignatureError::{Malformed, NoSecret, Stale, Unsigned, Wrong};
    let upper = SIGNATURE.to_uppercase().replace("V0=", "v0=");
    let twice = format!("{SIGNATURE},{SIGNATURE}");
    let changed = SIGNATURE.replace("74", "75");
    let short = &SIGNATURE[..SIGNATURE.len() - 2];
    let odd = &SIGNATURE[..SIGNATURE.len() - 1];
    let mut other_body = BODY.to_vec();
    other_body[9] ^= 1;
    let (ts, sig) = (Some("1700000000"), Some(SIGNATURE));
    for (secret, ts, sig, body, now, expected) in [
        (SECRET, ts, sig, BODY, AT, Ok(())),
        (SECRET, ts, sig, BODY, AT + 300, Ok(())),
        (SECRET, ts, sig, BODY, AT - 300, Ok(())),
        (SECRET, ts, sig, BODY, AT + 301, Err(Stale)),
        (SECRET, ts, sig, BODY, AT - 301, Err(Stale)),
        (SECRET, ts, sig, BODY, i64::MIN, Err(Stale)),
        (SECRET, ts, sig, &other_body[..], AT, Err(Wrong)),
        (SECRET, ts, sig, &b"\xff\xfe"[..], AT, Err(Wrong)),
        (SECRET, Some("1700000001"), sig, BODY, AT, Err(Wrong)),
        (SECRET, ts, Some(&*changed), BODY, AT, Err(Wrong)),
        (SECRET, None, sig, BODY, AT, Err(Unsigned)),
        (SECRET, ts, None, BODY, AT, Err(Unsigned)),
        (SECRET, Some("soon"), sig, BODY, AT, Err(Malformed)),
        (SECRET, ts, Some(&*upper), BODY, AT, Err(Malformed)),
        (SECRET, ts, Some(&*twice), BODY, AT, Err(Malformed)),
        (SECRET, ts, Some(short), BODY, AT, Err(Malformed)),
        (SECRET, ts, Some(odd), BODY, AT, Err(Malformed)),
        (SECRET, ts, Some(""), BODY, AT, Err(Malformed)),
        (SECRET, ts, Some(&SIGNATURE[3..]), BODY, AT, Err(Malformed)),
        ("another", ts, sig, BODY, AT, Err(Wrong)),
        ("", ts, sig, BODY, AT, Err(NoSecret)),
    ] {
        assert_eq!(verify(&SecretString::from(secret), ts, sig, body, now), expected, "{secret} {ts:?} {sig:?} {now}");
    }
}

#[test]
fn while_the_secret_is_changed_both_are_good_and_no_third() {
    use SignatureError::{NoSecret, Stale, Wrong};
    let [new, old, third] = ["new", SECRET, "third"].map(SecretString::from);
    let (ts, sig) = (Some("1700000000"), Some(SIGNATURE));
    for (secrets, now, expected) in [
        (vec![&new, &old], AT, Ok(())),
        (vec![&old, &new], AT, Ok(())),
        (vec![&new, &old], AT + 301, Err(Stale)),
        (vec![&new, &third], AT, Err(Wrong)),
        (vec![], AT, Err(NoSecret)),
    ] {
        assert_eq!(verify_any(secrets.clone(), ts, sig, BODY, now), expected, "{} secrets at {now}", secrets.len());
    }
}
