//! The vendors' own libraries as referees of what we sign and of the cards that we send. Without them the tests say
//! SKIPPED; with `STENTOR_REAL=1` that is a failure.

use super::{
    double::service::Received,
    house::eventually,
    town::{ANA, AUDIT_KEY, AUDIT_KEY_NEXT, SMS_TOKEN, Town},
};
use serde_json::{Value, json};
use std::{
    env,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

/// What a referee answers; none where it is not here.
fn asked(mut referee: Command, questions: &[Value], remedy: &str) -> Option<Vec<Value>> {
    referee.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let told = referee.spawn().ok().and_then(|mut child| {
        let mut stdin = child.stdin.take().unwrap();
        // A referee that is not here ends before it has read anything.
        let _ = stdin.write_all(&serde_json::to_vec(questions).unwrap());
        drop(stdin);
        child.wait_with_output().ok()
    });
    let Some(told) = told.filter(|told| told.status.success()) else {
        let line = format!("SKIPPED: {remedy}");
        assert!(env::var("STENTOR_REAL").unwrap_or_default() != "1", "{line}");
        let _ = writeln!(std::io::stderr(), "{line}");
        return None;
    };
    Some(serde_json::from_slice(&told.stdout).unwrap())
}

fn script(program: &str, name: &str) -> Command {
    let mut command = Command::new(program);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/daemon/gateways").join(name));
    command
}

/// A crisis from its opening to its end.
fn lived(town: &Town, drill: bool) {
    let incident = town.alert("price_velocity", if drill { "D" } else { "L" }, drill);
    assert_eq!(town.reply(SMS_TOKEN, ANA, &town.held(&incident, ANA).code).status, 200);
    town.alert("chat", "ES", drill);
    assert!(town.daemon.cli(&["resolve", &incident]).status.success());
    eventually("the end is told", || {
        town.told(&incident).iter().any(|event| event.json()["type"] == "incident.resolved").then_some(())
    });
}

#[test]
fn the_standards_own_library_believes_what_we_sign_and_nothing_that_was_changed() {
    let town = Town::start();
    lived(&town, false);
    let headers = |event: &Received| {
        let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
        json!(names.map(|name| (name, event.header(name))).into_iter().collect::<std::collections::BTreeMap<_, _>>())
    };
    let (mut questions, mut expected) = (Vec::new(), Vec::new());
    for event in town.audit.accepted() {
        for key in [AUDIT_KEY, AUDIT_KEY_NEXT] {
            questions.push(json!({ "key": key, "headers": headers(&event), "body": event.body }));
            questions.push(json!({ "key": key, "headers": headers(&event), "body": format!("{} ", event.body) }));
            expected.extend([true, false]);
        }
        let other = "whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB";
        questions.push(json!({ "key": other, "headers": headers(&event), "body": event.body }));
        expected.push(false);
    }
    let python = env::var("STENTOR_PYTHON").unwrap_or_else(|_| "python3".into());
    let remedy = "pip install standardwebhooks, and name that python in STENTOR_PYTHON";
    let Some(believed) = asked(script(&python, "referee.py"), &questions, remedy) else { return };
    assert_eq!(believed, expected.into_iter().map(Value::Bool).collect::<Vec<_>>());
}

#[test]
fn microsofts_own_reader_has_nothing_to_say_against_our_cards() {
    let town = Town::start();
    // The drill first: none begins beside the real thing.
    lived(&town, true);
    lived(&town, false);
    let mut cards: Vec<Value> =
        town.teams.accepted().iter().map(|sent| sent.json()["attachments"][0]["content"].clone()).collect();
    assert!(cards.iter().any(|card| card["actions"].is_array()), "a card that asks is among them");
    // So that a referee that sleeps is seen.
    cards.push(json!({ "type": "AdaptiveCard", "version": "1.4", "body": [{ "type": "Nonsense" }] }));
    let mut referee = script("node", "referee.js");
    referee.arg(env::var("STENTOR_NODE_MODULES").unwrap_or_default());
    let remedy = "npm install adaptivecards, and name its node_modules folder in STENTOR_NODE_MODULES";
    let Some(judged) = asked(referee, &cards, remedy) else { return };
    let (last, ours) = judged.split_last().unwrap();
    assert_ne!(last, &json!([]));
    for (card, said) in cards.iter().zip(ours) {
        assert_eq!(said, &json!([]), "{card}");
    }
}
