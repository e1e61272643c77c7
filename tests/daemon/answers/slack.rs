//! Buttons pressed in Slack.

use super::{common::Daemon, house::DESK};
use super::{
    house::{Held, sandboxed, secret, setup},
    wire::{Call, Reply, form},
};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::{
    io::Read,
    net::TcpListener,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

pub const ANA: &str = "U0000000ANA";
pub const BO: &str = "U00000000BO";
const DORA: &str = "U000000DORA";

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

fn signature(body: &str, at: i64) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret("SLACK_SIGNING_SECRET").as_bytes()).unwrap();
    mac.update(format!("v0:{at}:{body}").as_bytes());
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("v0={hex}")
}

fn signed(body: &str, at: i64) -> Call {
    let call = Call::post("/hooks/slack/room").header("Content-Type", "application/x-www-form-urlencoded");
    let call = call.header("X-Slack-Request-Timestamp", &at.to_string());
    call.header("X-Slack-Signature", &signature(body, at)).body(body)
}

/// A form that this person sends, opened by the button that they hold; what becomes of its modal.
pub fn fill_in(daemon: &Daemon, user: &str, held: &Held, digest: &Value, fields: &Value) -> Value {
    let typed = |(field, value): (&String, &Value)| (format!("field:{field}"), json!({ "value": value }));
    let values: serde_json::Map<String, Value> = fields.as_object().unwrap().iter().map(typed).collect();
    let metadata = format!("{} {}", button(held), digest.as_str().unwrap());
    let view = json!({ "callback_id": "form", "private_metadata": metadata, "state": { "values": values } });
    let payload = json!({ "type": "view_submission", "team": null, "user": { "id": user }, "view": view });
    let reply = signed(&form(&[("payload", &payload.to_string())]), now()).send(daemon.address);
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()
}

/// What Slack sends when a button is pressed, nulls included.
fn press(user: &str, action: &str, value: &str, response_url: Option<&str>) -> String {
    let payload = json!({
        "type": "block_actions", "team": null, "enterprise": { "id": "E1" }, "is_enterprise_install": true,
        "user": { "id": user, "username": "x" }, "trigger_id": "1.2.3", "response_url": response_url,
        "container": { "type": "message", "message_ts": "1700000000.1", "channel_id": "D1" },
        "actions": [{ "type": "button", "action_id": format!("answer:{action}"), "value": value }],
    });
    form(&[("payload", &payload.to_string())])
}

pub fn send(daemon: &Daemon, user: &str, action: &str, value: &str) -> Reply {
    signed(&press(user, action, value, None), now()).send(daemon.address)
}

/// A command that was typed; what its user sees.
pub fn typed(daemon: &Daemon, user: &str, text: &str) -> String {
    let fields = [("user_id", user), ("command", "/stentor"), ("text", text), ("trigger_id", text)];
    let reply = signed(&form(&fields), now()).send(daemon.address);
    reply.json()["text"].as_str().unwrap().to_owned()
}

pub fn button(held: &Held) -> String {
    format!("{}:{}", held.page, held.code)
}

/// Who has the trader's role.
fn holder(daemon: &Daemon, incident: &str) -> Value {
    daemon.role(incident, "trader")["holder"].clone()
}

#[test]
fn a_signed_press_of_ones_own_button_answers() {
    let daemon = sandboxed();
    for (n, (user, person, action, name)) in [
        (ANA, "ana", "wilco", json!("Ana Ruiz")),
        (BO, "bo", "wilco", json!("Bo Lind")),
        (ANA, "ana", "roger", Value::Null),
    ]
    .into_iter()
    .enumerate()
    {
        let incident = daemon.crash(&format!("S{n}"));
        let reply = send(&daemon, user, action, &button(&daemon.held(&incident, person, "room")));
        assert_eq!((reply.status, reply.body.as_str()), (200, ""), "{reply:?}");
        assert_eq!(holder(&daemon, &incident), name);
    }
}

#[test]
fn only_a_fresh_whole_signature_of_one_sender_is_believed() {
    let daemon = sandboxed();
    let incident = daemon.crash("ES");
    let body = press(ANA, "wilco", &button(&daemon.held(&incident, "ana", "room")), None);
    let good = signature(&body, now());
    let at = |at: &str, signature: &str| {
        let call = Call::post("/hooks/slack/room").header("X-Slack-Request-Timestamp", at);
        call.header("X-Slack-Signature", signature).body(body.as_str())
    };
    let stamp = now().to_string();
    let bare = Call::post("/hooks/slack/room").body(body.as_str());
    let changed = signed(&body, now()).body(body.replace("wilco", "roger"));
    for (what, call) in [
        ("too old", signed(&body, now() - 302)),
        ("from the future", signed(&body, now() + 302)),
        ("a changed byte", changed),
        ("no header", bare.clone()),
        ("no signature", bare.clone().header("X-Slack-Request-Timestamp", &stamp)),
        ("no time", bare.header("X-Slack-Signature", &good)),
        ("another time", at(&(now() - 1).to_string(), &good)),
        ("twice signed", signed(&body, now()).header("X-Slack-Signature", &good)),
        ("two times", signed(&body, now()).header("X-Slack-Request-Timestamp", &stamp)),
        ("another version", at(&stamp, &good.replace("v0=", "v1="))),
        ("empty", at(&stamp, "")),
        ("a time that is none", at("soon", &good)),
    ] {
        let reply = call.send(daemon.address);
        assert_eq!(reply.status, 401, "{what}: {reply:?}");
        assert!(!reply.body.contains(&good[3..]), "{what}: {reply:?}");
    }
    assert_eq!(holder(&daemon, &incident), Value::Null);
    let nowhere = Call::post("/hooks/slack/sms").body(body.as_str()).send(daemon.address);
    assert_eq!(nowhere.status, 401);
    // At the edges it is still good.
    assert_eq!(signed(&body, now() - 295).send(daemon.address).status, 200);
    assert_eq!(holder(&daemon, &incident), "Ana Ruiz");
}

#[test]
fn strangers_and_foreign_buttons_come_to_nothing_and_slack_hears_that_it_came() {
    let daemon = sandboxed();
    let incident = daemon.crash("ES");
    let ana = daemon.held(&incident, "ana", "room");
    let (own, room) = (button(&ana), daemon.room_button(&incident));
    let other = format!("{incident}:room-{}", "0".repeat(16));
    let wrong = if ana.code == "10000" { "10001" } else { "10000" };
    for (what, user, action, value) in [
        ("a stranger", "U0STRANGER", "wilco", own.as_str()),
        ("no user", "", "wilco", &own),
        ("another's button", BO, "wilco", &own),
        ("another role's button", DORA, "wilco", &own),
        ("a wrong code", ANA, "wilco", &format!("{}:{wrong}", ana.page)),
        ("no code", ANA, "wilco", &ana.page),
        ("a page that is none", ANA, "wilco", "x:y"),
        ("a page beyond the last", ANA, "wilco", "INC-99.1:10000"),
        ("the room's button by a stranger", "U0STRANGER", "wilco", &room),
        ("the room of an incident that is none", ANA, "wilco", "INC-99:room"),
        ("the room of nothing", ANA, "wilco", ":room"),
        ("the room of an incident of this number before a restored backup", ANA, "wilco", &other),
        ("the room of one of before there were marks", ANA, "wilco", &format!("{incident}:room")),
        ("an answer that is none", ANA, "maybe", &own),
        ("nothing", ANA, "", ""),
    ] {
        let reply = send(&daemon, user, action, value);
        assert_eq!(reply.status, 200, "{what}: {reply:?}");
        assert_eq!(holder(&daemon, &incident), Value::Null, "{what}");
    }
    for payload in [
        json!({ "type": "view_submission", "user": { "id": ANA }, "actions": null }),
        json!({ "type": "block_actions", "user": { "id": ANA }, "actions": [{ "action_id": "other" }] }),
        json!({ "type": "block_actions", "user": { "id": ANA }, "actions": [] }),
    ] {
        let reply = signed(&form(&[("payload", &payload.to_string())]), now()).send(daemon.address);
        assert_eq!(reply.status, 200, "{payload}");
    }
    for body in ["", "payload=%7B", "payload=null", "other=1", "payload=%ff"] {
        let reply = signed(body, now()).send(daemon.address);
        assert_eq!(reply.status, 400, "{body}: {reply:?}");
    }
    assert_eq!(daemon.role(&incident, "compliance")["state"], "paging");
}

#[test]
fn the_rooms_button_answers_for_the_one_role_of_who_pressed_it() {
    let daemon = sandboxed();
    let incident = daemon.crash("ES");
    let room = daemon.room_button(&incident);
    assert_eq!(send(&daemon, DORA, "roger", &room).status, 200);
    assert_eq!(daemon.role(&incident, "compliance")["holder"], "Dora Weiss");
    assert_eq!(holder(&daemon, &incident), Value::Null);
    assert_eq!(send(&daemon, BO, "wilco", &room).status, 200);
    assert_eq!(holder(&daemon, &incident), "Bo Lind");
}

/// Reads one request whole.
fn request(listener: &TcpListener) -> String {
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let mut bytes = Vec::new();
    // It never answers: the caller waits, and gives up.
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn slack_is_answered_in_time_though_the_private_word_hangs() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let hooks = format!("http://{}/", listener.local_addr().unwrap());
    let daemon = setup(DESK).env("STENTOR_SLACK_HOOKS", &hooks).arg("--sandbox").start();
    let incident = daemon.crash("ES");
    let (ana, bo) = (daemon.held(&incident, "ana", "room"), daemon.held(&incident, "bo", "room"));
    let words = std::thread::spawn(move || [request(&listener), request(&listener)]);
    for (user, held) in [(ANA, &ana), (BO, &bo)] {
        let begun = Instant::now();
        let body = press(user, "wilco", &button(held), Some(&format!("{hooks}actions/1")));
        assert_eq!(signed(&body, now()).send(daemon.address).status, 200);
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    }
    let [first, second] = words.join().unwrap();
    assert!(
        first.contains(&format!("\"text\":\"{incident}: you have it. About: ")) && first.contains("\"ephemeral\""),
        "{first}"
    );
    assert!(second.contains("too late: Ana Ruiz has it"), "{second}");
    // An address that is not Slack's is not called, signed or not.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let elsewhere = format!("http://{}/x", listener.local_addr().unwrap());
    let body = press(BO, "wilco", &button(&bo), Some(&elsewhere));
    assert_eq!(signed(&body, now()).send(daemon.address).status, 200);
    assert!(listener.accept().is_err(), "it was called");
}
