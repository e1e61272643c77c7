//! Requests as the system that asks meets them, and the people who are asked.

mod bank;
mod buttons;
mod edit;
mod form;
mod from_alerts;
mod handoff;
mod journey;
mod kept;
mod new_facts;
mod python;
mod read_back;
mod refused;
mod replies;
mod shown;
mod taker;
mod turns;
mod way_back;

use super::{
    answers::{
        desk::{Line as DeskStream, answer, cookie},
        sms::{ANA, text},
    },
    common::Daemon,
    house::{DESK, eventually, sandboxed_on, secret, setup},
    wire::{Call, Reply},
};
use serde_json::{Value, json};

const BO: &str = "+447700900002";
const GITA: &str = "+447700900007";

/// The desk, with a trigger that takes requests.
fn matrix(ask: &str) -> String {
    format!("{DESK}\n[trigger.kill-switch]\non = [\"order_kill\"]\nroles = [\"trader\"]\nask = {{ {ask} }}\n")
}

fn asking(daemon: &Daemon, ask: &Value) -> Reply {
    let body = json!({
        "kind": "order_kill", "labels": { "desk": "EQ-2" }, "values": { "orders": 1204.0 },
        "summary": "1,204 orders of EQ-2 rest in a market that is down", "ask": ask,
    });
    Call::post("/v1/requests").bearer(secret("MONITOR_TOKEN")).json(&body).send(daemon.address)
}

fn kill() -> Value {
    json!({
        "type": "approval", "question": "Cancel all 1,204 open orders of desk EQ-2?",
        "action": { "cancel": "all", "desk": "EQ-2" },
    })
}

fn accepted(daemon: &Daemon, ask: &Value) -> Value {
    let reply = asking(daemon, ask);
    assert_eq!(reply.status, 202, "{reply:?}");
    assert_eq!(
        reply.header("location"),
        Some(format!("/v1/requests/{}", reply.json()["id"].as_str().unwrap()).as_str())
    );
    reply.json()
}

fn look(daemon: &Daemon, id: &Value, wait: &str) -> Value {
    let path = format!("/v1/requests/{}{wait}", id.as_str().unwrap());
    let reply = Call::get(&path).bearer(secret("MONITOR_TOKEN")).send(daemon.address);
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()
}

fn incident(request: &Value) -> &str {
    request["incident"].as_str().unwrap()
}

#[test]
fn two_people_approve_by_text_and_the_machine_that_waits_gets_it_back() {
    let daemon = sandboxed_on(&matrix("approvals = 2, after = \"5m\""));
    let request = accepted(&daemon, &kill());
    assert_eq!((&request["state"], &request["approvals"]), (&json!("open"), &json!(2)));
    assert_eq!(request["options"][1], json!({ "letter": "B", "name": "deny", "label": "Deny" }));
    assert!(request["action_digest"].as_str().unwrap().starts_with("sha256:"), "{request}");
    let (ana, bo) = (daemon.held(incident(&request), "ana", "sms"), daemon.held(incident(&request), "bo", "sms"));
    // Received, and yes, decide nothing.
    for (said, word) in [("CODE 1", "received"), ("CODE yes", "you have it"), ("CODE X", "not understood")] {
        let reply = text(&daemon, ANA, &said.replace("CODE", &ana.code));
        let _ = word;
        assert_eq!(look(&daemon, &request["id"], "")["state"], "open", "{said}: {reply:?}");
    }
    // A word more may be a "not", and "I have it" takes nothing from those who must agree, too.
    for said in ["can't approve CODE", "CODE no approve", "CODE 4 A", "A please no CODE", "CODE do not A", "CODE 2"] {
        let reply = text(&daemon, ANA, &said.replace("CODE", &ana.code));
        let now = look(&daemon, &request["id"], "");
        assert_eq!((&now["state"], &now["choices"]), (&json!("open"), &json!([])), "{said}: {reply:?}");
    }
    let reply = text(&daemon, ANA, &format!("{} yes", ana.code));
    let how = format!("nothing is decided yet: reply {0} A = Approve, {0} B = Deny", ana.code);
    assert!(reply.body.contains(&how), "{reply:?}");
    let reply = text(&daemon, ANA, &format!("{} A", ana.code));
    assert!(reply.body.ends_with("it counts; one more person must agree"), "{reply:?}");
    // The one who waits hears of it as soon as it is decided.
    let decided = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| look(&daemon, &request["id"], "?wait=30s"));
        let reply = text(&daemon, BO, &format!("approve {}", bo.code));
        assert!(reply.body.ends_with("it is decided"), "{reply:?}");
        waiting.join().unwrap()
    });
    assert_eq!(decided["state"], "decided", "{decided}");
    assert_eq!((&decided["outcome"]["option"], &decided["outcome"]["by"]), (&json!("approve"), &json!(["ana", "bo"])));
    let late = text(&daemon, ANA, &format!("{} B", ana.code));
    assert!(late.body.contains("too late: decided: approve, by ana and bo"), "{late:?}");
    let said = daemon.cli(&["show", incident(&request)]);
    assert!(String::from_utf8_lossy(&said.stdout).contains("approve"), "{said:?}");
    let verified = daemon.cli(&["journal", "verify"]);
    assert!(verified.status.success(), "a choice proves a contact, too: {verified:?}");
}

#[test]
fn who_is_told_because_nobody_answers_is_offered_no_option_and_decides_nothing() {
    let matrix = matrix("after = \"5m\"").replacen("wait = \"10m\"", "wait = \"1s\"", 1);
    let daemon = sandboxed_on(&matrix);
    let request = accepted(&daemon, &kill());
    let gita = daemon.held(incident(&request), "gita", "sms");
    let shown = daemon.outbox().into_iter().find(|entry| entry["person"] == "gita" && entry["channel"] == "sms");
    let shown = shown.unwrap()["body"].as_str().unwrap().to_owned();
    assert!(shown.contains("can decide, find them") && !shown.contains("A = Approve"), "{shown}");
    let refused = text(&daemon, GITA, &format!("{} A", gita.code));
    assert!(refused.body.contains("nothing was counted: only"), "{refused:?}");
    let received = text(&daemon, GITA, &format!("{} 1", gita.code));
    assert!(received.body.contains("can decide this: find them"), "{received:?}");
    assert_eq!(look(&daemon, &request["id"], "")["choices"], json!([]));
}

#[test]
fn an_option_is_chosen_on_the_command_line() {
    let me = uzers::get_current_username().unwrap().to_string_lossy().into_owned();
    let person = format!("name  = \"Ana Ruiz\"\nunix = \"{me}\"");
    let daemon = sandboxed_on(&matrix("after = \"5m\"").replace("name  = \"Ana Ruiz\"", &person));
    let request = accepted(&daemon, &kill());
    let answered = daemon.cli(&["answer", incident(&request), "approve"]);
    assert!(answered.status.success(), "{answered:?}");
    assert_eq!(look(&daemon, &request["id"], "?wait=30s")["outcome"]["option"], "approve");
}

#[test]
fn one_denies_on_the_desk() {
    let daemon = sandboxed_on(&matrix("approvals = 2, after = \"5m\""));
    let request = accepted(&daemon, &kill());
    let cookie = cookie(&daemon, "ana");
    let mut stream = DeskStream::open(&daemon, &cookie);
    let state = stream.state(|state| !state["pages"].as_array().unwrap().is_empty());
    let card = state["pages"][0].clone();
    let offers: Vec<&str> = card["offers"].as_array().unwrap().iter().filter_map(|o| o["answer"].as_str()).collect();
    assert_eq!(offers, ["option approve", "option deny", "unable"]);
    assert_eq!(card["what"], "Cancel all 1,204 open orders of desk EQ-2?");
    let csrf = state["csrf"].as_str();
    let reply = answer(&daemon, &cookie, csrf, card["page"].as_str().unwrap(), "option deny").json();
    assert_eq!(reply["verdict"], "decides", "{reply}");
    let denied = look(&daemon, &request["id"], "?wait=30s");
    assert_eq!((&denied["state"], &denied["outcome"]["option"]), (&json!("decided"), &json!("deny")));
}

#[test]
fn nobody_decides_and_the_default_takes_effect_once_over_a_restart() {
    let mut daemon = setup(&matrix("default = \"deny\", after = \"6s\"")).arg("--sandbox").start();
    let request = accepted(&daemon, &kill());
    daemon.kill();
    daemon.restart();
    let defaulted = eventually("the default", || {
        Some(look(&daemon, &request["id"], "?wait=10s")).filter(|request| request["state"] != "open")
    });
    assert_eq!((&defaulted["state"], &defaulted["outcome"]["option"]), (&json!("defaulted"), &json!("deny")));
    let lines = daemon.cli(&["journal", "export"]);
    let text = String::from_utf8_lossy(&lines.stdout);
    assert_eq!(text.matches("request-ended").count(), 1, "{text}");
}

#[test]
fn what_is_withdrawn_is_told_and_stays_so() {
    let daemon = sandboxed_on(&matrix("after = \"5m\""));
    let request = accepted(&daemon, &kill());
    let ana = daemon.held(incident(&request), "ana", "sms");
    let path = format!("/v1/requests/{}/cancel", request["id"].as_str().unwrap());
    let cancel = || {
        let body = json!({ "reason": "the market\r\nhas\u{202e} closed\0" });
        Call::post(&path).bearer(secret("MONITOR_TOKEN")).json(&body).send(daemon.address).json()
    };
    let cancelled = cancel();
    assert_eq!(
        (&cancelled["state"], &cancelled["outcome"]["reason"]),
        (&json!("cancelled"), &json!("the market has closed"))
    );
    assert_eq!(cancel(), cancelled, "it is withdrawn once");
    let late = text(&daemon, ANA, &format!("{} A", ana.code));
    assert!(late.body.contains("too late: it was withdrawn: the market has closed"), "{late:?}");
}

#[test]
fn another_sources_request_is_like_none() {
    let daemon = sandboxed_on(&matrix("after = \"5m\""));
    let request = accepted(&daemon, &kill());
    let id = request["id"].as_str().unwrap();
    let other = id.replace(&id[id.len() - 4..], "0000");
    for (path, token) in [(id, "PLAIN_TOKEN"), (other.as_str(), "MONITOR_TOKEN"), ("req_1_", "MONITOR_TOKEN")] {
        let reply = Call::get(&format!("/v1/requests/{path}")).bearer(secret(token)).send(daemon.address);
        assert!(matches!(reply.status, 403 | 404), "{path} {reply:?}");
    }
    assert_eq!(Call::get(&format!("/v1/requests/{id}")).send(daemon.address).status, 401);
}

#[test]
fn a_request_that_comes_again_with_its_key_is_the_same_one_with_its_outcome() {
    let daemon = sandboxed_on(&matrix("after = \"5m\""));
    let ask = |key: &str, ask: &Value| {
        let body = json!({ "kind": "order_kill", "ask": ask });
        let call = Call::post("/v1/requests").bearer(secret("MONITOR_TOKEN")).header("Idempotency-Key", key);
        call.json(&body).send(daemon.address)
    };
    let first = ask("k1", &kill());
    let id = first.json()["id"].clone();
    assert_eq!((first.status, first.header("idempotent-replayed")), (202, None));
    let ana = daemon.held(incident(&first.json()), "ana", "sms");
    text(&daemon, ANA, &format!("{} B", ana.code));
    let again = ask("k1", &kill());
    assert_eq!((again.status, again.header("idempotent-replayed")), (202, Some("true")), "{again:?}");
    assert_eq!((&again.json()["id"], &again.json()["outcome"]["option"]), (&id, &json!("deny")));
    assert_eq!(ask("k1", &json!({ "type": "approval", "question": "Another?" })).status, 422);
    assert_ne!(ask("k2", &kill()).json()["id"], id);
    assert_eq!(daemon.incidents().len(), 2);
}
