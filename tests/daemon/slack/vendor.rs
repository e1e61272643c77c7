//! Slack's own library as referee of what we take for signed, and of our double. Without it the tests say SKIPPED; with
//! `STENTOR_REAL=1` that is a failure.

use super::{
    double::socket_mode::{APP_TOKEN, SocketMode},
    house::secret,
    rig::{Rig, ZOE, bare, now, signature},
    wire::form,
};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
};
use stentor::channel::slack::signature::verify;

/// The referee, doing this; none where it is not here.
fn referee(doing: &[&str]) -> Option<Child> {
    let python = env::var("STENTOR_PYTHON").unwrap_or_else(|_| "python3".into());
    let knows = Command::new(&python).args(["-c", "import slack_sdk"]).stderr(Stdio::null()).status();
    if !knows.is_ok_and(|status| status.success()) {
        let line = "SKIPPED: pip install slack_sdk, and name that python in STENTOR_PYTHON";
        assert!(env::var("STENTOR_REAL").unwrap_or_default() != "1", "{line}");
        let _ = writeln!(std::io::stderr(), "{line}");
        return None;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/daemon/slack/referee.py");
    let mut command = Command::new(python);
    command.arg(script).args(doing).stdin(Stdio::piped()).stdout(Stdio::piped());
    Some(command.spawn().unwrap())
}

/// What it answers to these questions.
fn asked(what: &str, questions: &[Value]) -> Option<Vec<Value>> {
    let mut child = referee(&[what])?;
    child.stdin.take().unwrap().write_all(&serde_json::to_vec(questions).unwrap()).unwrap();
    let told = child.wait_with_output().unwrap();
    assert!(told.status.success(), "the referee fell over");
    Some(serde_json::from_slice(&told.stdout).unwrap())
}

const AT: i64 = 1_700_000_000;

/// Bodies as Slack sends them, and others.
const BODIES: [&str; 6] = [
    "",
    "payload=%7B%22type%22%3A%22block_actions%22%7D",
    "command=%2Fstentor&text=page+trader+%F0%9F%94%A5",
    "token=x&text=é ü 🔥",
    "a\nb\r\nc\u{0}d",
    "v0:1700000000:nested",
];

#[test]
fn what_slacks_library_signs_is_signed_and_what_we_sign_it_signs_the_same() {
    let questions: Vec<Value> = BODIES
        .iter()
        .flat_map(|body| ["s", "8f742231b10e8888abcd99yyyzzz85a5", "é🔥"].map(|key| (key, body)))
        .map(|(key, body)| json!({ "secret": key, "at": AT.to_string(), "body": body }))
        .collect();
    let Some(answers) = asked("sign", &questions) else { return };
    for (question, answer) in questions.iter().zip(&answers) {
        let text = |name: &str| question[name].as_str().unwrap();
        let (secret, signed) = (SecretString::from(text("secret")), answer.as_str().unwrap());
        assert_eq!(signature(text("secret"), text("at"), text("body").as_bytes()), signed, "{question}");
        let verified = verify(&secret, Some(text("at")), Some(signed), text("body").as_bytes(), AT);
        assert_eq!(verified, Ok(()), "{question}");
    }
}

#[test]
fn slacks_library_and_we_take_and_refuse_the_same() {
    let (at, key, body) = (AT.to_string(), "8f742231b10e8888abcd99yyyzzz85a5", BODIES[1]);
    let good = signature(key, &at, body.as_bytes());
    let cases: Vec<(Option<&str>, Option<String>, &str, i64)> = vec![
        (Some(&at), Some(good.clone()), body, AT),
        (Some(&at), Some(good.clone()), body, AT + 300),
        (Some(&at), Some(good.clone()), body, AT - 300),
        (Some(&at), Some(good.clone()), body, AT + 301),
        (Some(&at), Some(good.clone()), body, AT - 301),
        (Some(&at), Some(good.clone()), BODIES[2], AT),
        (Some(&at), Some(good.to_uppercase().replace("V0", "v0")), body, AT),
        (Some(&at), Some(good[3..].to_owned()), body, AT),
        (Some(&at), Some(format!("{good} ")), body, AT),
        (Some(&at), Some(String::new()), body, AT),
        (Some(&at), None, body, AT),
        (None, Some(good.clone()), body, AT),
        (Some("soon"), Some(good.clone()), body, AT),
        (Some(""), Some(good.clone()), body, AT),
        (Some("1700000001"), Some(good.clone()), body, AT),
        (Some(&at), Some(signature("another", &at, body.as_bytes())), body, AT),
    ];
    let question = |(at, signed, body, now): &(Option<&str>, Option<String>, &str, i64)| {
        let mut question = json!({ "secret": key, "body": body, "now": now });
        let headers = [("X-Slack-Request-Timestamp", at.map(str::to_owned)), ("X-Slack-Signature", signed.clone())];
        for (name, value) in headers {
            if let Some(value) = value {
                question[name] = value.into();
            }
        }
        question
    };
    let questions: Vec<Value> = cases.iter().map(question).collect();
    let Some(answers) = asked("is_valid", &questions) else { return };
    let secret = SecretString::from(key);
    for ((at, signed, body, now), answer) in cases.iter().zip(&answers) {
        let ours = verify(&secret, *at, signed.as_deref(), body.as_bytes(), *now);
        assert_eq!(ours.is_ok(), answer.as_bool().unwrap(), "{at:?} {signed:?} at {now}: {ours:?}");
    }
    assert_eq!(answers.iter().filter(|answer| **answer == true).count(), 3);
}

#[test]
fn what_slacks_library_signs_the_running_daemon_takes() {
    let body = form(&[("command", "/stentor"), ("user_id", ZOE), ("text", "list + é 🔥")]);
    let at = now().to_string();
    let question = json!({ "secret": secret("SLACK_SIGNING_SECRET"), "at": at, "body": body });
    let Some(answers) = asked("sign", &[question]) else { return };
    let rig = Rig::start();
    let call = bare(body.as_bytes()).header("X-Slack-Request-Timestamp", &at);
    let reply = call.header("X-Slack-Signature", answers[0].as_str().unwrap()).send(rig.daemon.address);
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.json()["text"], "No incident is open.");
}

#[test]
fn slacks_own_socket_mode_client_takes_our_double_for_slack() {
    let slack = SocketMode::start();
    let Some(mut child) = referee(&["listen", &slack.api_url(), APP_TOKEN]) else { return };
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut line = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(line()["kind"], "connected");
    slack.until_links(1);
    for (kind, payload, takes_reply) in [
        ("interactive", json!({ "type": "block_actions", "team": null, "user": { "id": ZOE } }), false),
        ("slash_commands", json!({ "command": "/stentor", "text": "list" }), true),
    ] {
        let id = slack.send_on(0, kind, &payload, takes_reply);
        assert_eq!(line(), json!({ "kind": kind, "id": id, "takes_reply": takes_reply }));
        assert_eq!(slack.acked(&id).frame, json!({ "envelope_id": id, "payload": payload }));
    }
    // Asked to, it comes back by a new link, as ours does.
    slack.disconnect(0, "refresh_requested");
    slack.until("the client's next link", |world| world.links.get(1).filter(|link| link.is_open).map(drop));
    let id = slack.send_on(1, "interactive", &json!({ "type": "block_actions" }), false);
    assert_eq!(slack.acked(&id).link, 1);
    assert!(slack.world().faults.is_empty());
    drop(child.stdin.take());
    // Its threads may not all end by themselves.
    let _ = child.kill();
    child.wait().unwrap();
}
