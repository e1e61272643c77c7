//! Handoffs as the program meets them that hands a conversation over, and the people who take it.

use super::{
    super::{
        answers::sms::{ANA, text},
        house::{sandboxed_on, secret, setup},
        wire::{Call, Reply},
    },
    Daemon, incident, look,
};
use crate::house::DESK;
use serde_json::{Value, json};

/// What nobody may find in the journal, the texts or a page.
const PRIVATE: [&str; 5] = ["Sam Vance", "447700900123", "repay my loan", "early repayment fee", "c-4711"];

pub fn matrix(handoff: &str) -> String {
    format!(
        "{DESK}\n[trigger.loan-handoff]\non = [\"loan_handoff\"]\nroles = [\"trader\"]\nhandoff = {{ {handoff} }}\n"
    )
}

pub fn packet() -> Value {
    json!({
        "conversation": { "id": "c-4711", "channel": "web", "locale": "de" },
        "user": { "name": "Sam Vance", "contact": "+447700900123" },
        "reason": { "code": "asked", "text": "the user asked for a person" },
        "tried": ["explained the early repayment fee"], "proposed": "You can repay 5% each year.",
        "transcript": [{ "who": "user", "text": "Can I repay my loan early?", "at": "2026-11-30T09:40:11Z" }],
    })
}

pub fn handing(daemon: &Daemon, packet: &Value) -> Reply {
    let body = json!({ "kind": "loan_handoff", "ask": { "type": "handoff", "packet": packet } });
    Call::post("/v1/requests").bearer(secret("MONITOR_TOKEN")).json(&body).send(daemon.address)
}

pub fn handed(daemon: &Daemon) -> Value {
    let reply = handing(daemon, &packet());
    assert_eq!(reply.status, 202, "{reply:?}");
    reply.json()
}

fn availability(daemon: &Daemon, kind: &str) -> Reply {
    Call::get(&format!("/v1/availability?kind={kind}")).bearer(secret("MONITOR_TOKEN")).send(daemon.address)
}

#[test]
fn a_user_is_told_what_is_so_and_a_person_takes_the_conversation() {
    let daemon = sandboxed_on(&matrix("after = \"10m\", capacity = 1"));
    let before = availability(&daemon, "loan_handoff").json();
    assert_eq!((&before["available"], &before["position"], &before["waiting"]), (&json!(true), &json!(1), &json!(0)));
    let request = handed(&daemon);
    let handoff = &request["handoff"];
    assert_eq!((&handoff["state"], &handoff["owner"]), (&json!("offered"), &json!("machine")));
    assert!(handoff["person"].is_null() && handoff["estimate"].is_null(), "{handoff}");
    assert!(handoff["message"].as_str().unwrap().starts_with("Ich suche jemanden"), "{handoff}");
    assert_eq!(availability(&daemon, "loan_handoff").json()["position"], 2);
    let ana = daemon.held(incident(&request), "ana", "sms");
    let taken = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| look(&daemon, &request["id"], "?wait=30s"));
        let reply = text(&daemon, ANA, &format!("{} 2", ana.code));
        assert_eq!(reply.status, 200, "{reply:?}");
        waiting.join().unwrap()
    });
    let handoff = &taken["handoff"];
    assert_eq!((&handoff["state"], &handoff["owner"]), (&json!("assigned"), &json!("machine")));
    let name = handoff["person"]["name"].as_str().unwrap();
    assert!(handoff["message"].as_str().unwrap().starts_with(name), "{handoff}");
    assert_eq!((&taken["state"], &taken["outcome"]), (&json!("open"), &Value::Null));
    let after = availability(&daemon, "loan_handoff").json();
    let people = after["people"].as_array().unwrap();
    let ana = people.iter().find(|person| person["person"] == "ana").unwrap();
    assert_eq!((&ana["conversations"], &ana["capacity"]), (&json!(1), &json!(1)), "{after}");
}

#[test]
fn what_the_user_said_is_in_no_line_text_or_page() {
    let daemon = sandboxed_on(&matrix("after = \"10m\""));
    let request = handed(&daemon);
    daemon.held(incident(&request), "ana", "sms");
    let sent = json!(daemon.outbox()).to_string();
    assert!(sent.contains("the user asked for a person"), "{sent}");
    let journal = daemon.cli(&["journal", "export", "--texts"]);
    let journal = String::from_utf8_lossy(&journal.stdout).into_owned();
    assert!(journal.contains("the user asked for a person"), "{journal}");
    for private in PRIVATE {
        assert!(!journal.contains(private) && !sent.contains(private), "{private}");
        assert!(!request.to_string().contains(private), "{private}");
    }
}

#[test]
fn a_user_who_leaves_is_told_to_the_people_who_were_asked() {
    let daemon = sandboxed_on(&matrix("after = \"10m\""));
    let request = handed(&daemon);
    daemon.held(incident(&request), "ana", "sms");
    let path = format!("/v1/requests/{}/cancel", request["id"].as_str().unwrap());
    let left = Call::post(&path).bearer(secret("MONITOR_TOKEN")).json(&json!({})).send(daemon.address).json();
    assert_eq!((&left["state"], &left["handoff"]["state"]), (&json!("cancelled"), &json!("cancelled")), "{left}");
    assert!(left["handoff"]["message"].is_null(), "{left}");
    crate::house::eventually("the word that the user left", || {
        let told = daemon.outbox();
        told.iter().any(|entry| entry.to_string().contains("the user left")).then_some(())
    });
}

#[test]
fn out_of_hours_nobody_is_asked_and_the_answer_is_no() {
    // No day has this minute for long: it is out of hours but for one minute of the week.
    let now = chrono::Utc::now();
    let day = (now + chrono::Duration::days(3)).format("%a").to_string();
    let daemon = sandboxed_on(&matrix(&format!("after = \"10m\", hours = \"{day} 09:00-09:01\"")));
    let before = availability(&daemon, "loan_handoff").json();
    assert_eq!((&before["available"], &before["why"]), (&json!(false), &json!("out-of-hours")), "{before}");
    assert!(before["opens_at"].is_string() && before["message"].as_str().unwrap().contains("09:00"), "{before}");
    let request = handed(&daemon);
    assert_eq!((&request["state"], &request["handoff"]["state"]), (&json!("unanswered"), &json!("unanswered")));
    assert_eq!(request["outcome"]["reason"], "out of hours");
    assert!(request["handoff"]["message"].as_str().unwrap().starts_with("Vor 09:00 Uhr"), "{request}");
    assert_eq!(request["roles"], json!([]));
}

#[test]
fn what_is_no_handoff_is_refused_and_what_is_long_is_cut() {
    let daemon = sandboxed_on(&matrix("after = \"10m\""));
    let with = |change: &dyn Fn(&mut Value)| {
        let mut packet = packet();
        change(&mut packet);
        packet
    };
    for (packet, says) in [
        (Value::Null, "a handoff has a `packet`"),
        (with(&|packet| packet["reason"]["text"] = json!(" ")), "needs"),
        (with(&|packet| packet["colour"] = json!("red")), "colour"),
        (with(&|packet| packet["reply_url"] = json!("https://chat.example.com/1")), "allows this source no links"),
    ] {
        let reply = handing(&daemon, &packet);
        assert_eq!(reply.status, 422, "{reply:?}");
        assert!(reply.body.contains(says), "{reply:?}");
    }
    assert_eq!(availability(&daemon, "order_kill").status, 422);
    let long = with(&|packet| {
        packet["reason"]["text"] = json!("why ".repeat(100));
        packet["tried"] = json!(vec!["x"; 500]);
    });
    assert_eq!(handing(&daemon, &long).status, 202);
}

#[test]
fn a_link_leads_only_where_the_matrix_allows() {
    let allowed = matrix("after = \"10m\"");
    let allowed =
        allowed.replacen("[source.monitor]", "[source.monitor]\nreply_url = \"https://chat.example.com/c/\"", 1);
    let daemon = setup(&allowed).arg("--sandbox").start();
    for (link, status) in [
        ("https://chat.example.com/c/4711", 202),
        ("https://chat.example.com/other", 422),
        ("https://chat.example.com/c/../other", 422),
        ("https://chat.example.com@evil.example/c/", 422),
        ("javascript:alert(1)", 422),
    ] {
        let mut packet = packet();
        packet["reply_url"] = json!(link);
        let reply = handing(&daemon, &packet);
        assert_eq!(reply.status, status, "{link}: {reply:?}");
    }
}
