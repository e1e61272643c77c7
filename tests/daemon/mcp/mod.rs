//! Agents as they come by the Model Context Protocol: over HTTP and over standard input and output, of both eras.

mod client;
mod demo;
mod form;
mod handoff;
mod recorded;
mod refused;
mod tasks;

use super::{
    answers::sms::{ANA, text},
    common::Daemon,
    house::{DESK, eventually, sandboxed_on, secret, setup},
    wire::{Call, Reply},
};
use client::{Era, Stdio, call, outcome, post, tool};
use serde_json::{Value, json};

/// The desk, with a trigger that takes requests.
fn matrix(ask: &str) -> String {
    format!("{DESK}\n[trigger.kill-switch]\non = [\"order_kill\"]\nroles = [\"trader\"]\nask = {{ {ask} }}\n")
}

/// The arguments of a question that waits so long.
fn question(wait: &str) -> Value {
    json!({
        "kind": "order_kill", "question": "Cancel all 1,204 open orders of desk EQ-2?",
        "action": { "cancel": "all", "desk": "EQ-2" }, "labels": { "desk": "EQ-2" }, "values": { "orders": 1204 },
        "wait": wait,
    })
}

fn held(daemon: &Daemon, result: &Value) -> String {
    daemon.held(result["incident"].as_str().unwrap(), "ana", "sms").code
}

#[test]
fn an_agent_asks_goes_away_and_gets_the_outcome_by_its_id() {
    let daemon = sandboxed_on(&matrix("after = \"5m\""));
    for (era, letter, option) in [(Era::Modern, "A", "approve"), (Era::Legacy, "B", "deny")] {
        let asked = outcome(&call(&daemon, era, "ask_human", &question("0s")));
        assert_eq!((&asked["state"], &asked["asked"]), (&json!("open"), &json!(["trader"])), "{asked}");
        assert!(asked["next"].as_str().unwrap().contains("get_outcome"), "{asked}");
        let look = json!({ "id": asked["id"], "wait": "0s" });
        assert_eq!(outcome(&call(&daemon, era, "get_outcome", &look))["state"], "open");
        text(&daemon, ANA, &format!("{} {letter}", held(&daemon, &asked)));
        // Denied is a result like every other.
        let ended = outcome(&call(&daemon, era, "get_outcome", &json!({ "id": asked["id"] })));
        assert_eq!(
            (&ended["state"], &ended["option"], &ended["by"]),
            (&json!("decided"), &json!(option), &json!(["ana"]))
        );
        assert_eq!(ended["action_digest"], asked["action_digest"]);
    }
}

#[test]
fn a_call_that_waits_tells_of_it_at_once_and_brings_the_outcome() {
    let daemon = sandboxed_on(&matrix("after = \"5m\""));
    let mut asking = tool("ask_human", &question("60s"));
    asking["params"]["_meta"]["progressToken"] = json!("p1");
    let replied = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| post(Era::Modern, &asking).send(daemon.address));
        let incident = eventually("the incident", || daemon.incidents().first().cloned());
        let code = daemon.held(incident["id"].as_str().unwrap(), "ana", "sms").code;
        text(&daemon, ANA, &format!("{code} A"));
        waiting.join().unwrap()
    });
    assert_eq!(replied.header("content-type"), Some("text/event-stream"), "{replied:?}");
    assert_eq!(replied.header("x-accel-buffering"), Some("no"), "{replied:?}");
    let messages = client::events(&replied);
    assert_eq!(messages[0]["method"], "notifications/progress", "{messages:?}");
    assert_eq!(messages[0]["params"]["progressToken"], "p1");
    assert!(messages[0]["params"]["message"].as_str().unwrap().contains("asked trader"), "{messages:?}");
    let progress: Vec<f64> = messages.iter().filter_map(|message| message["params"]["progress"].as_f64()).collect();
    assert!(progress.is_sorted_by(|a, b| a < b), "{progress:?}");
    assert_eq!(outcome(messages.last().unwrap())["option"], "approve", "{messages:?}");
}

#[test]
fn hanging_up_ends_the_waiting_and_only_cancel_withdraws() {
    let daemon = sandboxed_on(&matrix("after = \"5m\""));
    let mut asking = tool("ask_human", &question("60s"));
    asking["params"]["_meta"]["progressToken"] = json!(1);
    let mut stream = client::open(&daemon, &post(Era::Modern, &asking), &asking);
    assert!(client::first_line(&mut stream).starts_with("HTTP/1.1 200"));
    let incident = eventually("the incident", || daemon.incidents().first().cloned());
    drop(stream);
    let id = incident["id"].as_str().unwrap();
    let ana = daemon.held(id, "ana", "sms");
    let mut keyed = question("0s");
    keyed["request_key"] = json!("kill-17");
    let asked = outcome(&call(&daemon, Era::Modern, "ask_human", &keyed));
    let again = outcome(&call(&daemon, Era::Legacy, "ask_human", &keyed));
    assert_eq!(asked["id"], again["id"], "the same key is the same request");
    assert_ne!(asked["incident"], id);
    let why = json!({ "id": asked["id"], "reason": "the market has closed" });
    let withdrawn = outcome(&call(&daemon, Era::Modern, "cancel", &why));
    assert_eq!((&withdrawn["state"], &withdrawn["reason"]), (&json!("cancelled"), &json!("the market has closed")));
    let reply = text(&daemon, ANA, &format!("{} A", ana.code));
    assert!(reply.body.contains("it is decided"), "the one that was hung up on goes on: {reply:?}");
}

#[test]
fn what_nobody_decides_expires_or_takes_the_default_and_both_are_results() {
    let cases = [
        ("after = \"5s\"", "expired", Value::Null),
        ("default = \"deny\", after = \"5s\"", "defaulted", json!("deny")),
    ];
    for (ask, state, option) in cases {
        let daemon = sandboxed_on(&matrix(ask));
        let ended = outcome(&call(&daemon, Era::Modern, "ask_human", &question("20s")));
        assert_eq!((&ended["state"], &ended["option"]), (&json!(state), &option), "{ended}");
    }
}

#[test]
fn a_daemon_that_stops_answers_those_who_wait_with_the_id() {
    let mut daemon = setup(&matrix("after = \"5m\"")).arg("--sandbox").start();
    let asking = tool("ask_human", &question("25s"));
    let mut stream = client::open(&daemon, &post(Era::Modern, &asking), &asking);
    eventually("the incident", || daemon.incidents().first().cloned());
    assert!(daemon.stop());
    let asked = outcome(&Reply::read(&mut stream).json());
    assert_eq!(asked["state"], "open", "{asked}");
}

#[test]
fn a_drill_says_that_nothing_is_to_be_done() {
    let daemon = sandboxed_on(&matrix("after = \"5m\""));
    let mut drill = question("0s");
    drill["drill"] = json!(true);
    let asked = outcome(&call(&daemon, Era::Modern, "ask_human", &drill));
    text(&daemon, ANA, &format!("{} A", held(&daemon, &asked)));
    let ended = outcome(&call(&daemon, Era::Modern, "get_outcome", &json!({ "id": asked["id"] })));
    assert_eq!((&ended["option"], &ended["drill"]), (&json!("approve"), &json!(true)), "{ended}");
    assert_eq!(ended["next"], "This was a drill: do nothing.");
}

#[test]
fn over_standard_input_and_output_an_agent_outlives_the_daemon() {
    let mut daemon = setup(&matrix("after = \"5m\"")).arg("--sandbox").start();
    let mut agent = Stdio::start(daemon.command(&["mcp"]).env("STENTOR_TOKEN", secret("MONITOR_TOKEN")));
    let asked = outcome(&agent.ask(&tool("ask_human", &question("0s"))));
    assert_eq!(asked["state"], "open", "{asked}");
    let code = held(&daemon, &asked);
    daemon.kill();
    agent.send(&tool("get_outcome", &json!({ "id": asked["id"], "wait": "25s" })));
    daemon.restart();
    text(&daemon, ANA, &format!("{code} B"));
    let ended = outcome(&agent.answer());
    assert_eq!((&ended["state"], &ended["option"]), (&json!("decided"), &json!("deny")), "{ended}");
    assert!(agent.end(), "a client that has gone is no failure");
}

#[test]
fn a_decision_between_options_is_asked_by_address_and_file() {
    let daemon = sandboxed_on(&matrix("after = \"5m\""));
    let file = daemon.dir.path().join("token");
    std::fs::write(&file, format!("{}\n", secret("MONITOR_TOKEN"))).unwrap();
    let arguments = ["mcp", "--url", &daemon.url(""), "--token-file", file.to_str().unwrap()];
    let mut agent = Stdio::start(&mut daemon.command(&arguments));
    let options = json!([{ "name": "halt", "label": "Halt", "does": "stops the desk" }, { "name": "go" }]);
    let mut asked = question("0s");
    asked["options"] = options;
    let asked = outcome(&agent.ask(&tool("ask_human", &asked)));
    text(&daemon, ANA, &format!("{} A", held(&daemon, &asked)));
    let ended = outcome(&agent.ask(&tool("get_outcome", &json!({ "id": asked["id"] }))));
    assert_eq!(ended["option"], "halt", "{ended}");
}
