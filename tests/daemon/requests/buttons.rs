//! Options that are taken by a button in Slack, where a reader of the room presses the same one as everybody.

use super::{Daemon, accepted, incident, kill, look, matrix, sandboxed_on};
use crate::answers::slack::{ANA, BO, button, send, typed};
use serde_json::{Value, json};

fn open() -> (Daemon, Value) {
    let daemon = sandboxed_on(&matrix("approvals = 2, after = \"5m\""));
    let request = accepted(&daemon, &kill());
    (daemon, request)
}

#[test]
fn two_people_approve_by_their_buttons_and_nobody_by_anothers() {
    let (daemon, request) = open();
    let (ana, bo) = (daemon.held(incident(&request), "ana", "room"), daemon.held(incident(&request), "bo", "room"));
    for (user, held, option, state) in [
        (BO, &ana, "A", "open"),
        (ANA, &ana, "C", "open"),
        (ANA, &ana, "A", "open"),
        (ANA, &ana, "A", "open"),
        (BO, &bo, "A", "decided"),
    ] {
        assert_eq!(send(&daemon, user, option, &button(held)).status, 200);
        assert_eq!(look(&daemon, &request["id"], "")["state"], state, "{user} {option}");
    }
    let decided = look(&daemon, &request["id"], "");
    assert_eq!((&decided["outcome"]["option"], &decided["outcome"]["by"]), (&json!("approve"), &json!(["ana", "bo"])));
}

#[test]
fn a_cards_button_is_for_the_question_that_it_showed() {
    let (daemon, request) = open();
    let card = daemon.room_button(incident(&request));
    let digest = request["action_digest"].as_str().unwrap();
    let other = format!("B sha256:{}", "0".repeat(64));
    assert_eq!(send(&daemon, ANA, &other, &card).status, 200);
    assert_eq!(look(&daemon, &request["id"], "")["state"], "open");
    assert_eq!(send(&daemon, ANA, &format!("B {digest}"), &card).status, 200);
    let denied = look(&daemon, &request["id"], "");
    assert_eq!((&denied["state"], &denied["outcome"]["option"]), (&json!("decided"), &json!("deny")));
}

#[test]
fn a_no_that_is_typed_decides_nothing_and_passes_nothing_on() {
    let (daemon, request) = open();
    let id = incident(&request);
    for no in ["no", "can't", "no trader"] {
        let told = typed(&daemon, ANA, &format!("answer {id} {no}"));
        assert!(told.contains("nothing was decided and nothing passed on: choose on its page"), "{no}: {told}");
        assert!(told.ends_with(&format!("/stentor answer {id} unable")), "{told}");
    }
    assert_eq!(look(&daemon, &request["id"], "")["state"], "open");
    let told = typed(&daemon, ANA, &format!("answer {id} unable"));
    assert!(told.contains("passed on"), "{told}");
    // To a page that asks nothing a no is one.
    let crash = daemon.crash("ES");
    daemon.held(&crash, "ana", "room");
    assert!(typed(&daemon, ANA, &format!("answer {crash} no")).contains("passed on"));
}

/// What people read of the options is not what they read of suggestions, which nobody does for them.
#[test]
fn every_text_says_that_the_options_are_acted_on() {
    let (daemon, request) = open();
    daemon.held(incident(&request), "ana", "mail");
    let texts: Vec<String> = daemon.outbox().iter().map(|entry| entry["body"].as_str().unwrap().to_owned()).collect();
    let mail = texts.iter().find(|text| text.contains("A  Approve")).unwrap();
    assert!(mail.contains("Options (the system that asked acts on the answer):"), "{mail}");
    assert!(texts.iter().all(|text| !text.contains("Suggested") && !text.contains("nothing here")), "{texts:?}");
}
