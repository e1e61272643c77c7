//! Forms that are filled in in Slack itself, by both ways.

use super::{
    double::{fault::Fault, slack::views::check_reply},
    house::secret,
    rig::{ANA, BO, Rig, STRANGER, WAYS, Way, ZOE, now, press, sent, signed},
    wire::{Call, form},
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration, time::Instant};
use tokio::sync::Notify;

fn ask(rig: &Rig, orders: f64) -> Value {
    let body = json!({
        "kind": "limit", "values": { "orders": orders },
        "ask": {
            "type": "form", "question": "Which limit may <EQ-2> trade with?", "action": { "desk": "EQ-2" },
            "form": {
                "type": "object", "title": "New limit", "required": ["limit", "side"],
                "properties": {
                    "limit": { "type": "integer", "minimum": 0, "maximum": 10, "title": "Limit" },
                    "side": { "type": "string", "enum": ["buy", "sell"] },
                    "hedged": { "type": "boolean" },
                    "note": { "type": "string", "maxLength": 20 },
                },
            },
        },
    });
    let reply = Call::post("/v1/requests").bearer(secret("MONITOR_TOKEN")).json(&body).send(rig.daemon.address);
    assert_eq!(reply.status, 202, "{reply:?}");
    reply.json()
}

fn look(rig: &Rig, request: &Value) -> Value {
    let path = format!("/v1/requests/{}", request["id"].as_str().unwrap());
    Call::get(&path).bearer(secret("MONITOR_TOKEN")).send(rig.daemon.address).json()
}

fn button(rig: &Rig, request: &Value, user: &str) -> String {
    rig.button(request["incident"].as_str().unwrap(), user)
}

/// A press of the button that opens the form, with what lets us show one.
fn opening(rig: &Rig, user: &str, value: &str) -> Value {
    let mut payload = press(user, "form", value, &rig.slack.hooks());
    payload["trigger_id"] = rig.slack.world().triggers.give().into();
    payload
}

/// The form that this person sees after the press.
fn opened(rig: &Rig, way: Way, user: &str, value: &str) -> Value {
    let before = rig.slack.world().triggers.views.len();
    assert!(rig.hand_in(way, &opening(rig, user, value)), "{way:?} {user}");
    rig.slack.until("the modal", |world| world.triggers.views.get(before).cloned())
}

/// The private word that comes of a press that shows no form.
fn refused(rig: &Rig, way: Way, user: &str, value: &str) -> String {
    let views = rig.slack.world().triggers.views.len();
    let words = rig.slack.world().words.len();
    assert!(rig.hand_in(way, &opening(rig, user, value)), "{way:?} {user}");
    let word = rig.slack.until("the private word", |world| world.words.get(words).cloned());
    assert_eq!(rig.slack.world().triggers.views.len(), views, "{word}");
    word["text"].as_str().unwrap().to_owned()
}

/// What Slack is answered to a form that was sent.
fn answered(rig: &Rig, way: Way, view: &Value, user: &str, typed: &[(&str, Value)]) -> Value {
    answered_to(rig, way, view, &sent(user, view, typed))
}

fn answered_to(rig: &Rig, way: Way, view: &Value, payload: &Value) -> Value {
    let reply = match way {
        Way::Http => {
            let reply = signed(&form(&[("payload", &payload.to_string())]), now()).send(rig.daemon.address);
            assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")), "{reply:?}");
            reply.json()
        }
        Way::Socket => {
            let id = rig.slack.send("interactive", payload, true);
            rig.slack.ack(&id).frame["payload"].clone()
        }
    };
    assert_eq!(check_reply(view, &reply), Ok(()), "{reply}");
    reply
}

/// What the modal says in the place of the form.
fn said(reply: &Value) -> String {
    assert_eq!((&reply["response_action"], &reply["view"]["submit"]), (&json!("update"), &Value::Null), "{reply}");
    reply["view"]["blocks"][0]["text"]["text"].as_str().unwrap().to_owned()
}

fn text(text: &str) -> Value {
    json!({ "type": "plain_text_input", "value": text })
}

fn marked(value: &str) -> Value {
    json!({ "type": "radio_buttons", "selected_option": { "value": value } })
}

fn fits() -> [(&'static str, Value); 4] {
    [("limit", text("5")), ("side", marked("=sell")), ("hedged", marked("none")), ("note", text("until <noon>"))]
}

#[test]
fn it_is_filled_in_in_slack_and_what_does_not_fit_is_said_at_its_field() {
    for way in WAYS {
        let rig = Rig::start();
        let request = ask(&rig, 1.0);
        let view = opened(&rig, way, ANA, &button(&rig, &request, ANA));
        let shown = view.to_string();
        for said in
            ["Which limit may <EQ-2> trade with?", "New limit", "Write a whole number from 0 to 10.", "No answer"]
        {
            assert!(shown.contains(said), "{way:?} {said}: {shown}");
        }
        let typed = [("limit", text("50")), ("side", marked("=both")), ("note", text(&"x".repeat(21)))];
        let faults = answered(&rig, way, &view, ANA, &typed);
        let expected = json!({
            "field:limit": "Takes a whole number from 0 to 10.", "field:side": "Takes one of buy, sell.",
            "field:note": "Takes one line of at most 20 characters.",
        });
        assert_eq!((&faults["response_action"], &faults["errors"]), (&json!("errors"), &expected), "{way:?}");
        let missing = answered(&rig, way, &view, ANA, &[("limit", text(" ")), ("side", marked("=buy"))]);
        assert_eq!(missing["errors"], json!({ "field:limit": "Is missing: it takes a whole number from 0 to 10." }));
        assert_eq!(look(&rig, &request)["state"], "open");

        let id = request["incident"].as_str().unwrap();
        let decided = said(&answered(&rig, way, &view, ANA, &fits()));
        assert_eq!(decided, format!("{id}: it is decided.\nLimit: 5\nside: sell\nnote: until <noon>"), "{way:?}");
        let outcome = look(&rig, &request);
        assert_eq!((&outcome["state"], &outcome["outcome"]["by"]), (&json!("decided"), &json!(["ana"])), "{outcome}");
        assert_eq!(outcome["outcome"]["answer"], json!({ "limit": 5, "side": "sell", "note": "until <noon>" }));
        assert_eq!(outcome["choices"][0]["via"], "slack", "{outcome}");
        // Who sends it once more, or opens it now, is told what counted.
        let late = format!("{id}: too late: ana filled in the form.");
        for typed in [&fits()[..], &[("limit", text("50"))]] {
            assert_eq!(said(&answered(&rig, way, &view, ANA, typed)), late, "{way:?}");
        }
        assert_eq!(refused(&rig, way, BO, &button(&rig, &request, BO)), late, "{way:?}");
        assert_eq!(rig.journaled(id, "\\\"verdict\\\":\\\"decides\\\""), 1);
        assert!(rig.slack.world().faults.is_empty());
    }
}

#[test]
fn nobody_else_fills_it_in_and_only_the_question_that_it_showed() {
    for way in WAYS {
        let rig = Rig::start();
        let request = ask(&rig, 1.0);
        let (ana, bo) = (button(&rig, &request, ANA), button(&rig, &request, BO));
        let id = request["incident"].as_str().unwrap();
        for (user, value, told) in [
            (STRANGER, ana.as_str(), "knows nobody"),
            ("USLACKBOT", &ana, "Only humans"),
            (ZOE, &ana, "you were not asked"),
            (BO, &ana, "you were not asked"),
            (ANA, &format!("{id}.1:00000"), "not one of ours"),
            (ANA, &format!("{id}:room-{}", "0".repeat(16)), "not one of ours"),
            (ANA, "INC-99.1:10000", "not one of ours"),
            (ANA, "", "not one of ours"),
        ] {
            let word = refused(&rig, way, user, value);
            assert!(word.contains(told), "{way:?} {user} {value}: {word}");
        }
        let view = opened(&rig, way, ANA, &ana);
        let digest = request["action_digest"].as_str().unwrap();
        let with = |metadata: &str| {
            let mut view = view.clone();
            view["private_metadata"] = metadata.into();
            view
        };
        let other = format!("sha256:{}", "0".repeat(64));
        for (user, view, told) in [
            (STRANGER, view.clone(), "knows nobody"),
            ("USLACKBOT", view.clone(), "Only humans"),
            // The form says for which page it is, and never who sends it.
            (ZOE, view.clone(), "you were not asked"),
            (BO, view.clone(), "you were not asked"),
            (ANA, with(&format!("{bo} {digest}")), "you were not asked"),
            (ANA, with(&format!("{ana} {other}")), "the question has changed since this page: nothing was counted"),
            (ANA, with(&ana), "the question has changed since this page"),
            (ANA, with(&format!("{id}.1:00000 {digest}")), "not one of ours"),
            (ANA, with(&format!("{id}:room {digest}")), "not one of ours"),
            (ANA, with(""), "not one of ours"),
        ] {
            for typed in [&fits()[..], &[("limit", text("50"))]] {
                let reply = answered(&rig, way, &view, user, typed);
                // Whoever may fill it in reads of the faults first.
                if reply["response_action"] == "errors" {
                    assert!(user == ANA && typed.len() == 1, "{way:?} {user} {view}: {reply}");
                    continue;
                }
                assert!(said(&reply).contains(told), "{way:?} {user} {view}: {reply}");
            }
        }
        let mut payload = sent(ANA, &view, &fits());
        payload["user"]["is_bot"] = json!(true);
        assert!(said(&answered_to(&rig, way, &view, &payload)).contains("Only humans"));
        let now = look(&rig, &request);
        assert_eq!((&now["state"], &now["choices"]), (&json!("open"), &json!([])), "{way:?} {now}");
        // The form of another app, or of one that we do not know any more, is nothing of ours.
        let mut foreign = sent(ANA, &view, &fits());
        foreign["view"]["callback_id"] = json!("another");
        assert!(rig.hand_in(way, &foreign));
        // New facts make another question: the old form says so.
        let path = format!("/v1/requests/{}/facts", request["id"].as_str().unwrap());
        let facts = Call::new("PUT", &path).bearer(secret("MONITOR_TOKEN"));
        let anew = facts.json(&json!({ "action": { "desk": "EQ-3" } })).send(rig.daemon.address);
        assert_eq!(anew.status, 202, "{anew:?}");
        let told = said(&answered(&rig, way, &view, ANA, &fits()));
        assert!(
            told.contains("the facts have changed since this page") && told.contains("answer the new page"),
            "{told}"
        );
        assert_eq!(look(&rig, &anew.json())["choices"], json!([]));
    }
}

#[test]
fn what_contradicts_the_facts_is_asked_once_more_and_nothing_is_typed_again() {
    let rig = Rig::start();
    let request = ask(&rig, 5000.0);
    let view = opened(&rig, Way::Http, ANA, &button(&rig, &request, ANA));
    let doubted = answered(&rig, Way::Http, &view, ANA, &fits());
    let again = &doubted["view"];
    assert_eq!((&doubted["response_action"], &again["callback_id"]), (&json!("update"), &json!("form")), "{doubted}");
    assert_eq!(again["private_metadata"], view["private_metadata"]);
    let about = again["blocks"][0]["text"]["text"].as_str().unwrap();
    assert!(about.contains("because it contradicts the facts: more than 1,000 orders"), "{about}");
    let shown = again.to_string();
    assert!(
        shown.contains("\"initial_value\":\"5\"") && shown.contains("\"initial_value\":\"until <noon>\""),
        "{shown}"
    );
    assert_eq!(look(&rig, &request)["state"], "open");
}

#[test]
fn a_form_that_slack_does_not_show_is_behind_its_link_and_slack_is_answered_in_time() {
    let rig = Rig::start();
    let request = ask(&rig, 1.0);
    let value = button(&rig, &request, ANA);
    let link = rig.slack.until("the link", |world| {
        let blocks = world.posts.iter().flat_map(|post| post["blocks"].as_array().into_iter().flatten());
        let mut buttons = blocks.flat_map(|block| block["elements"].as_array().into_iter().flatten());
        buttons.find_map(|button| button["url"].as_str().map(str::to_owned))
    });
    assert!(link.contains("/a/"), "{link}");
    let expired = r#"{"ok":false,"error":"expired_trigger_id"}"#;
    for fault in [
        Fault::Status(200, vec![("content-type", "application/json")], expired),
        Fault::Status(500, vec![], "no"),
        Fault::Html,
        Fault::Cut,
        Fault::Hang(Arc::new(Notify::new())),
    ] {
        rig.slack.world().view_fault = Some(fault.clone());
        for way in WAYS {
            let begun = Instant::now();
            let word = refused(&rig, way, ANA, &value);
            assert!(begun.elapsed() < Duration::from_secs(3), "{way:?} {fault:?}: {:?}", begun.elapsed());
            assert!(
                word.contains("open it by the link beside the button, or on your desk"),
                "{way:?} {fault:?}: {word}"
            );
        }
    }
    rig.slack.world().view_fault = None;
    let mut payload = press(ANA, "form", &value, &rig.slack.hooks());
    payload["trigger_id"] = Value::Null;
    let before = rig.slack.world().words.len();
    assert!(rig.hand_in(Way::Http, &payload));
    rig.slack.until("the word", |world| world.words.get(before).cloned());
    let log = rig.daemon.log();
    assert!(log.contains("a form could not be shown in a chat") && !log.contains(value.rsplit(':').next().unwrap()));
    opened(&rig, Way::Socket, ANA, &value);
}
