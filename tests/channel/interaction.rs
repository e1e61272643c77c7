//! Signatures and payloads of Slack's buttons.

use secrecy::SecretString;
use stentor::channel::slack::interaction::{Press, PressError, SignatureError, parse, verify};

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

fn form(payload: &serde_json::Value) -> Vec<u8> {
    let mut url = reqwest::Url::parse("form:").unwrap();
    url.query_pairs_mut().append_pair("payload", &payload.to_string());
    url.query().unwrap().as_bytes().to_vec()
}

#[test]
fn a_press_is_read_past_everything_that_is_not_needed() {
    let payload = serde_json::json!({
        "type": "block_actions",
        "team": null,
        "enterprise": { "id": "E1" },
        "is_enterprise_install": true,
        "user": { "id": "UANA", "username": "ana + co", "team_id": "T1" },
        "container": { "type": "message", "message_ts": "1700000000.000001", "channel_id": "DANA" },
        "message": { "ts": "1700000000.000001", "blocks": [{ "type": "hologram", "depth": 3 }] },
        "response_url": "https://hooks.slack.example/actions/1",
        "actions": [
            { "type": "static_select", "action_id": "other", "selected_option": { "value": "x" } },
            { "type": "button", "action_id": "answer:wilco", "value": "INC-12.3:48213", "action_ts": "1700000001.1" }
        ]
    });
    let press = Press {
        user: "UANA".to_owned(),
        action: "wilco".to_owned(),
        value: "INC-12.3:48213".to_owned(),
        response_url: Some("https://hooks.slack.example/actions/1".to_owned()),
        message_ts: Some("1700000000.000001".to_owned()),
        channel: Some("DANA".to_owned()),
    };
    assert_eq!(parse(&form(&payload)).unwrap(), press);
}

#[test]
fn what_is_no_press_of_ours_is_told_apart() {
    let user = serde_json::json!({ "id": "UANA" });
    let foreign = serde_json::json!({ "type": "block_actions", "user": user, "actions": [{ "action_id": "x" }] });
    let view = serde_json::json!({ "type": "view_submission", "user": user, "actions": null });
    assert!(matches!(parse(&form(&foreign)), Err(PressError::NotOurs)));
    assert!(matches!(parse(&form(&view)), Err(PressError::NotOurs)));
    assert!(matches!(parse(b"payload=%7B"), Err(PressError::Payload(_))));
    assert!(matches!(parse(b"other=1"), Err(PressError::NoPayload)));
    assert!(matches!(parse(b"payload=\xff"), Err(PressError::NoPayload)));
    assert!(matches!(parse(b""), Err(PressError::NoPayload)));
}
