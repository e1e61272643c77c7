//! A chatbot that sends each turn of a conversation as an alert: the matrix says when a person is due.

use super::{
    super::{
        house::{sandboxed_on, secret},
        wire::{Call, Reply},
    },
    Daemon, handoff, incident, look,
};
use crate::house::DESK;
use serde_json::{Value, json};

/// The user asks in words; two unsure turns, one after the other; what the machine may not do.
fn matrix() -> String {
    let trigger = |name: &str, when: &str, more: &str| {
        format!(
            "[trigger.{name}]\non = [\"turn\"]\nkey = 'alert.labels.conversation'\nwhen = '{when}'\nroles = [\"trader\"]\n\
             summary = \"a person is due: {name}\"\nresolved = \"resolve\"\n\
             handoff = {{ after = \"10m\", from_alerts = true }}\n{more}"
        )
    };
    let unsure = "threshold = { count = 2, within = \"10m\", consecutive = true }\n";
    [
        DESK.to_owned(),
        trigger("asked", "has(alert.labels.asked)", ""),
        trigger("refinancing", "has(alert.labels.intent) && alert.labels.intent == \"refinancing\"", ""),
        trigger("unsure", "alert.confidence < 0.7", unsure),
    ]
    .join("\n")
}

/// A turn of a conversation.
fn turn(conversation: &str, confidence: f64, more: &Value) -> Value {
    let mut packet = handoff::packet();
    packet.as_object_mut().unwrap().remove("reason");
    packet["conversation"]["id"] = conversation.into();
    let mut alert = json!({ "kind": "turn", "labels": { "conversation": conversation }, "confidence": confidence, "packet": packet });
    for (name, value) in more.as_object().unwrap() {
        alert["labels"][name] = value.clone();
    }
    alert
}

fn send(daemon: &Daemon, alert: &Value) -> Reply {
    Call::post("/v1/alerts").bearer(secret("MONITOR_TOKEN")).json(alert).send(daemon.address)
}

/// The result of one turn.
fn sent(daemon: &Daemon, alert: &Value) -> Value {
    let reply = send(daemon, alert);
    assert_eq!(reply.status, 202, "{reply:?}");
    reply.json()["alerts"][0].clone()
}

#[test]
fn two_unsure_turns_in_a_row_hand_the_conversation_over_and_a_sure_one_between_them_starts_anew() {
    let daemon = sandboxed_on(&matrix());
    for confidence in [0.9, 0.4, 0.8, 0.5] {
        let result = sent(&daemon, &turn("c-1", confidence, &json!({})));
        assert!(result["request"].is_null() && result["incidents"] == json!([]), "{result}");
    }
    // Another conversation counts for itself.
    assert!(sent(&daemon, &turn("c-2", 0.1, &json!({})))["request"].is_null());
    let due = sent(&daemon, &turn("c-1", 0.31, &json!({})));
    assert_eq!(due["request"]["state"], "open", "{due}");
    let request = look(&daemon, &due["request"]["id"], "");
    assert_eq!((&request["handoff"]["state"], &request["type"]), (&json!("offered"), &json!("handoff")), "{request}");
    assert!(request["handoff"]["message"].as_str().unwrap().starts_with("Ich suche jemanden"), "{request}");
    let page = daemon.held(incident(&request), "ana", "sms");
    assert!(!page.code.is_empty());
    // Whatever else holds meanwhile: a conversation has one person.
    for (confidence, more) in [(0.2, json!({ "asked": "yes" })), (0.9, json!({ "intent": "refinancing" }))] {
        let again = sent(&daemon, &turn("c-1", confidence, &more));
        assert_eq!(again["request"]["id"], due["request"]["id"], "{again}");
    }
    let journal = daemon.cli(&["journal", "export", "--texts"]);
    let journal = String::from_utf8_lossy(&journal.stdout).into_owned();
    assert!(journal.contains("a person is due: unsure"), "{journal}");
    for private in ["Sam Vance", "447700900123", "repay my loan", "early repayment fee"] {
        assert!(!journal.contains(private), "{private}");
    }
}

#[test]
fn a_turn_for_which_two_triggers_hold_hands_over_once_and_the_users_leaving_withdraws_it() {
    let daemon = sandboxed_on(&matrix());
    let turn = turn("c-7", 0.9, &json!({ "asked": "yes", "intent": "refinancing" }));
    let call =
        || Call::post("/v1/alerts").bearer(secret("MONITOR_TOKEN")).header("Idempotency-Key", "c-7/1").json(&turn);
    let first = call().send(daemon.address).json();
    let result = &first["alerts"][0];
    assert_eq!(result["incidents"].as_array().map(Vec::len), Some(1), "{result}");
    assert_eq!(call().send(daemon.address).json()["alerts"][0]["request"], result["request"]);
    let mut left = turn.clone();
    left["status"] = json!("resolved");
    left.as_object_mut().unwrap().remove("packet");
    send(&daemon, &left);
    let request = look(&daemon, &result["request"]["id"], "");
    assert_eq!(
        (&request["state"], &request["handoff"]["state"]),
        (&json!("cancelled"), &json!("cancelled")),
        "{request}"
    );
    // The next time it is another request.
    let next = sent(&daemon, &turn);
    assert!(next["request"]["id"].is_string() && next["request"]["id"] != result["request"]["id"], "{next}");
}

#[test]
fn the_taker_reads_the_turns_so_far_and_why_a_person_is_due() {
    let daemon = sandboxed_on(&matrix());
    let result = sent(&daemon, &turn("c-9", 0.9, &json!({ "intent": "refinancing" })));
    let request = look(&daemon, &result["request"]["id"], "");
    let page = super::taker::Desk::of(&daemon, "ana", incident(&request)).shown();
    for part in ["Can I repay my loan early?", "Sam Vance", "a person is due: refinancing", "refinancing", "0.9"] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[test]
fn a_turn_without_its_conversation_is_a_fault_that_people_hear_of() {
    let daemon = sandboxed_on(&matrix());
    let mut without = turn("c-3", 0.9, &json!({ "asked": "yes" }));
    without.as_object_mut().unwrap().remove("packet");
    let mut broken = turn("c-4", 0.9, &json!({ "asked": "yes" }));
    broken["packet"]["transcript"] = json!("the user said that their PIN is 1234");
    for (alert, warned) in [(without, false), (broken, true)] {
        let result = sent(&daemon, &alert);
        assert!(result["request"].is_null(), "{result}");
        assert!(result.to_string().contains("no `packet` that can be read"), "{result}");
        let warnings = result["warnings"].to_string();
        assert!(warnings.contains("`packet` can not be read") == warned && !warnings.contains("1234"), "{warnings}");
    }
    // The catch-all is paged about it.
    let open = daemon.json(&["incidents"]).to_string();
    assert!(open.contains("asked"), "{open}");
}

#[test]
fn a_link_that_the_matrix_does_not_allow_is_left_out_with_a_warning() {
    let daemon = sandboxed_on(&matrix());
    let mut alert = turn("c-5", 0.9, &json!({ "asked": "yes" }));
    alert["packet"]["reply_url"] = json!("https://elsewhere.example/c-5");
    let result = sent(&daemon, &alert);
    assert_eq!(result["request"]["state"], "open", "{result}");
    assert!(result["warnings"].to_string().contains("allows this source no links"), "{result}");
}

#[test]
fn a_flood_of_conversations_hides_none_of_them() {
    let matrix = matrix().replace("[trigger.asked]\n", "[trigger.asked]\nopenings_per_minute = 2\n");
    let daemon = sandboxed_on(&matrix);
    let asked: Vec<Value> = (0..6)
        .map(|n| sent(&daemon, &turn(&format!("c-{n}"), 0.9, &json!({ "asked": "yes" })))["request"].clone())
        .collect();
    let ids: std::collections::BTreeSet<String> = asked.iter().map(|request| request["id"].to_string()).collect();
    assert!(asked.iter().all(|request| request["state"] == "open") && ids.len() == 6, "{asked:?}");
}

#[test]
fn a_conversation_whose_start_does_not_change_is_handed_over_again_once_its_request_is_over() {
    let daemon = sandboxed_on(&matrix());
    let mut alert = turn("c-1", 0.9, &json!({ "asked": "yes" }));
    alert["starts_at"] = json!("2026-11-30T09:00:00Z");
    let first = sent(&daemon, &alert)["request"].clone();
    let page = daemon.held(incident(&look(&daemon, &first["id"], "")), "ana", "sms");
    assert!(!page.code.is_empty());
    let ana = super::taker::Desk::of(&daemon, "ana", incident(&look(&daemon, &first["id"], "")));
    ana.press("take", "");
    ana.press("solved", "");
    assert_eq!(look(&daemon, &first["id"], "")["handoff"]["state"], "completed");
    let again = sent(&daemon, &alert);
    assert!(again["request"]["id"].is_string() && again["request"]["id"] != first["id"], "{again}");
}

#[test]
fn where_one_trigger_has_somebody_there_the_one_that_is_closed_says_nothing() {
    // No day has this minute for long.
    let day = (chrono::Utc::now() + chrono::Duration::days(3)).format("%a").to_string();
    let closed = format!("from_alerts = true, hours = \"{day} 09:00-09:01\"");
    let matrix = matrix().replacen("from_alerts = true", &closed, 1);
    let daemon = sandboxed_on(&matrix);
    let both = sent(&daemon, &turn("c-1", 0.9, &json!({ "asked": "yes", "intent": "refinancing" })));
    assert_eq!(
        (&both["request"]["state"], both["incidents"].as_array().map(Vec::len)),
        (&json!("open"), Some(1)),
        "{both}"
    );
    let alone = sent(&daemon, &turn("c-2", 0.9, &json!({ "asked": "yes" })));
    assert_eq!(alone["request"]["state"], "unanswered", "{alone}");
}

#[test]
fn another_conversation_under_the_same_key_is_a_fault_and_not_that_one() {
    let daemon = sandboxed_on(&matrix());
    let first = sent(&daemon, &turn("c-1", 0.9, &json!({ "asked": "yes" })));
    assert_eq!(first["request"]["state"], "open");
    for key in ["c-1", ""] {
        let mut other = turn("c-2", 0.9, &json!({ "asked": "yes" }));
        other["labels"]["conversation"] = key.into();
        let result = sent(&daemon, &other);
        assert!(result["request"].is_null() && result.to_string().contains("`conversation.id`"), "{key}: {result}");
    }
}
