//! A caller without a credential is refused before the body is read: it may be large, and may never end.

use super::{
    house::{DESK, eventually, sandboxed, sandboxed_on, secret},
    wire::{Call, Reply},
};
use serde_json::json;
use std::{io::Write, net::TcpStream, time::Duration};

/// The announced length; only the first bytes are ever sent.
const ANNOUNCED: usize = 100_000;

/// Sources that sign.
const SIGNING: &str = r#"
[source.signer]
signature = { keys = [{ env = "SLACK_SIGNING_SECRET" }], header = "X-Sig" }

[source.stamper]
signature = { keys = [{ env = "SLACK_SIGNING_SECRET" }], header = "X-Sig", timestamp = "X-Time" }
"#;

#[test]
fn a_body_that_nobody_vouches_for_is_not_waited_for() {
    let daemon = sandboxed_on(&format!("{DESK}{SIGNING}"));
    let form = |path: &str| Call::post(path).header("Content-Type", "application/x-www-form-urlencoded");
    let json = |path: &str| Call::post(path).header("Content-Type", "application/json");
    let stale = form("/hooks/slack/room").header("X-Slack-Request-Timestamp", "1000000000");
    for (call, status) in [
        (json("/v1/alerts"), 401),
        (json("/api/v2/alerts"), 401),
        (json("/desk/answer"), 401),
        (json("/desk/seen"), 401),
        (form("/a/INC-1.1.0123456789abcdef"), 404),
        (form("/hooks/slack/room"), 401),
        (stale.header("X-Slack-Signature", &format!("v0={}", "0".repeat(64))), 401),
        (form("/hooks/kannel/sms?from=%2B34600000001&text=2"), 401),
        (form("/hooks/kannel/none"), 401),
        (form("/hooks/self"), 401),
        (json("/monitors/json/signer"), 401),
        (json("/monitors/json/signer").header("X-Sig", ""), 401),
        (json("/monitors/json/stamper").header("X-Sig", "00"), 401),
        (json("/monitors/json/stamper").header("X-Sig", "00").header("X-Time", "1000000000"), 401),
    ] {
        let mut stream = TcpStream::connect(daemon.address).unwrap();
        // Far less than the time that a body may take.
        stream.set_read_timeout(Some(Duration::from_secs(8))).unwrap();
        let head = call.head(ANNOUNCED);
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(b"{\"half\":").unwrap();
        let reply = Reply::read(&mut stream);
        assert_eq!(reply.status, status, "{head}: {reply:?}");
    }
}

/// What strangers hold is nothing of what is for people, and for sources that show their tokens.
#[test]
fn strangers_with_large_bodies_delay_nobody_who_is_known() {
    let daemon = sandboxed_on(&format!("{DESK}{SIGNING}"));
    let incident = daemon.crash("ES");
    let held = daemon.held(&incident, "ana", "mail");
    let length = 4 << 20;
    let half_sent = |call: &Call, length: usize| {
        let mut stream = TcpStream::connect(daemon.address).unwrap();
        stream.write_all(call.head(length).as_bytes()).unwrap();
        stream.write_all(&vec![b' '; length - 1]).unwrap();
        stream
    };
    let forged = Call::post("/monitors/json/signer").header("X-Sig", "00");
    let streams: Vec<TcpStream> = (0..16).map(|_| half_sent(&forged, length)).collect();
    let late = eventually("the share of that source to be full", || {
        let reply = forged.clone().body(" ".repeat(1000)).send(daemon.address);
        (reply.status == 503).then_some(reply)
    });
    assert!(late.header("retry-after").is_some(), "{late:?}");
    let event = json!({ "routing_key": secret("MONITOR_TOKEN"), "event_action": "acknowledge", "dedup_key": "k" });
    assert_eq!(Call::post("/v2/enqueue").json(&event).send(daemon.address).status, 202);
    let alert = Call::post("/v1/alerts").bearer(secret("MONITOR_TOKEN")).json(&json!({ "kind": "x" }));
    assert_eq!(alert.send(daemon.address).status, 202);
    let taken = Call::post(held.path()).form(&[("answer", "wilco")]).send(daemon.address);
    assert_eq!(taken.status, 200, "{taken:?}");
    drop(streams);
}

#[test]
fn who_is_known_may_still_not_send_more_than_anybody_needs() {
    let daemon = sandboxed();
    let incident = daemon.crash("ES");
    let held = daemon.held(&incident, "ana", "mail");
    let long = "x".repeat(17 * 1024);
    let pressed = Call::post(held.path()).form(&[("answer", &long)]).send(daemon.address);
    assert_eq!(pressed.status, 413, "{pressed:?}");
    let path = format!("/hooks/kannel/sms?from=%2B34600000001&token={}", secret("KANNEL_REPLY_TOKEN"));
    assert_eq!(Call::post(&path).body("x".repeat(65 * 1024)).send(daemon.address).status, 413);
    let unread = Call::post(held.path()).header("Content-Type", "text/plain").body("answer=wilco").send(daemon.address);
    assert_eq!(unread.status, 415, "{unread:?}");
    let other = Call::post(held.path()).form(&[("word", "wilco")]).send(daemon.address);
    assert_eq!(other.status, 422, "{other:?}");
    let taken = Call::post(held.path()).form(&[("answer", "wilco")]).send(daemon.address);
    assert_eq!(taken.status, 200, "{taken:?}");
    eventually("the answer", || (daemon.role(&incident, "trader")["state"] == "engaged").then_some(()));
}

/// Who has the right token is told what is missing; who has a wrong one is told nothing of it.
#[test]
fn a_provider_that_leaves_out_a_field_is_told_which_one() {
    let daemon = sandboxed_on(CALLED);
    let (kannel, http) = (secret("KANNEL_REPLY_TOKEN"), secret("PLAIN_TOKEN"));
    for (path, right, missing) in [
        ("/hooks/kannel/text?text=2&", kannel, "`from`"),
        ("/hooks/kannel/text?", kannel, "`from`"),
        ("/hooks/http/gateway?text=2&", http, "who sent it"),
        ("/hooks/http/gateway?", http, "who sent it"),
        ("/hooks/http/gateway/report?status=DELIVRD&", http, "the page"),
    ] {
        let told = Call::post(&format!("{path}token={right}")).send(daemon.address);
        assert!(matches!(told.status, 400 | 422) && told.body.contains(missing), "{path}: {told:?}");
        let refused = Call::post(&format!("{path}token=x")).send(daemon.address);
        assert!(refused.status == 401 && !refused.body.contains(missing), "{path}: {refused:?}");
        let refused = Call::post(path).send(daemon.address);
        assert!(refused.status == 401 && !refused.body.contains(missing), "{path}: {refused:?}");
    }
}

/// What is larger than what is taken is read on, so that its sender can read why it is refused.
#[test]
fn a_body_that_is_too_large_is_answered_with_how_much_is_taken() {
    let daemon = sandboxed();
    for path in ["/v1/alerts", "/api/v2/alerts"] {
        let mut stream = TcpStream::connect(daemon.address).unwrap();
        let call = Call::post(path).bearer(secret("MONITOR_TOKEN")).header("Content-Type", "application/json");
        let body = vec![b' '; 18 << 20];
        stream.write_all(call.head(body.len()).as_bytes()).unwrap();
        stream.write_all(&body).expect("all of it is read");
        let told = Reply::read(&mut stream);
        assert!(told.status == 413 && told.body.contains("the 16777216 bytes"), "{path}: {told:?}");
    }
    // What announces several times as much is answered at once.
    let mut stream = TcpStream::connect(daemon.address).unwrap();
    let call = Call::post("/v1/alerts").bearer(secret("MONITOR_TOKEN"));
    stream.write_all(call.head(1 << 30).as_bytes()).unwrap();
    assert_eq!(Reply::read(&mut stream).status, 413);
}

/// A channel of each kind that providers call, and one that nobody calls.
const CALLED: &str = r#"
[channel.text]
kind     = "kannel"
url      = "http://127.0.0.1:9"
username = "tester"
password = { env = "PLAIN_TOKEN" }
token    = { env = "KANNEL_REPLY_TOKEN" }

[channel.room]
kind           = "slack"
token          = { env = "SLACK_BOT_TOKEN" }
signing_secret = { env = "SLACK_SIGNING_SECRET" }

[channel.sms]
kind    = "twilio"
account = "AC00000000000000000000000000000000"
token   = { env = "PLAIN_TOKEN" }
from    = "+15005550006"

[channel.call]
kind    = "voice"
account = "AC00000000000000000000000000000000"
token   = { env = "PLAIN_TOKEN" }
from    = "+15005550006"

[channel.gateway]
kind    = "http"
url     = "http://127.0.0.1:9"
needs   = "phone"
body    = '{ "to": {{ to }}, "text": {{ text }} }'
token   = { env = "PLAIN_TOKEN" }
report  = { status = "/status", delivered = ["DELIVRD"], undelivered = ["UNDELIV"] }
replies = { from = "/from", text = "/text" }

[channel.desk]
kind = "screen"

[person.ana]
name  = "Ana"
phone = "+447700900001"

[role.trader]
step = [{ page = ["ana"], by = ["text"], wait = "60s" }]

[trigger.crash]
on    = ["crash"]
roles = ["trader"]
"#;

/// What nobody's provider sends.
fn forged(path: &str) -> Vec<Call> {
    let form =
        |path: &str| Call::post(path).header("Content-Type", "application/x-www-form-urlencoded").body("From=1&Body=2");
    let stamp = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs().to_string();
    let by_slack = |length| {
        let call = form(path).header("X-Slack-Request-Timestamp", &stamp);
        call.header("X-Slack-Signature", &format!("v0={}", "0".repeat(64))).body("x".repeat(length))
    };
    let page = "page=INC-1.1&token=00000000000000000000000000000000";
    vec![
        Call::get(path),
        Call::new("HEAD", path),
        Call::new("PUT", path),
        Call::new("DELETE", path),
        form(path),
        form(path).body("ssl_check=1&token=x"),
        Call::get(&format!("{path}?ssl_check=1")),
        Call::post(path).json(&serde_json::json!({ "from": "1", "text": "2", "status": "DELIVRD" })),
        form(&format!("{path}?from=1&text=2&token=x")),
        form(path).header("Authorization", "Bearer x"),
        form(path).header("X-Twilio-Signature", "x"),
        form(path).header("X-Twilio-Signature", "x").body("x".repeat(100 * 1024)),
        form(path).header("X-Twilio-Signature", "x").body(vec![0xff, 0xfe]),
        by_slack(10),
        by_slack(10 * 1024),
        Call::get(&format!("{path}?{page}&status=1")),
        form(&format!("{path}?{page}&status=1&turn=0")).header("X-Twilio-Signature", "x"),
        form(&format!("{path}?{page}&status=nonsense&turn=nonsense")),
        form(&format!("{path}?page=nonsense&token=1&status=1")),
    ]
}

#[test]
fn nobody_learns_by_a_forged_request_which_channels_there_are() {
    let daemon = sandboxed_on(CALLED);
    let mut told = Vec::new();
    for (kind, channel) in [
        ("kannel", "text"),
        ("slack", "room"),
        ("twilio", "sms"),
        ("voice", "call"),
        ("http", "gateway"),
        ("screen", "desk"),
    ] {
        for end in ["", "/report"] {
            let calls = |channel: &str| forged(&format!("/hooks/{kind}/{channel}{end}"));
            for (there, absent) in calls(channel).into_iter().zip(calls("none")) {
                let (there, absent) = (there.send(daemon.address), absent.send(daemon.address));
                let (there, absent) = ((there.status, there.body), (absent.status, absent.body));
                if there != absent || ![200, 401, 413].contains(&there.0) {
                    told.push(format!("{kind}{end}: {there:?} {absent:?}"));
                }
            }
        }
    }
    assert!(told.is_empty(), "{}", told.join("\n"));
    // The operator is told, in a few lines: four for each channel at most, and for all names that are none.
    let log = daemon.log();
    let lines = log.matches("a request to the address of a channel was refused").count();
    assert!((1..=7 * 4).contains(&lines), "{lines}: {log}");
    assert!(log.contains("channel=sms why=\"the request is not signed\""), "{log}");
}
