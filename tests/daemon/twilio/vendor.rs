//! Twilio's own library as referee of what we take for signed and of the documents that we answer with. Without it the
//! tests say SKIPPED; with `STENTOR_REAL=1` that is a failure.

use super::double::twilio::TOKEN;
use super::{
    calls::{action, picked_up, press, said},
    line::{ANA, BO, line},
};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::{
    env,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};
use stentor::channel::twilio::{signature, twiml};

/// What the referee answers to these questions; none where it is not here.
fn asked(questions: &[Value]) -> Option<Vec<Value>> {
    let python = env::var("STENTOR_PYTHON").unwrap_or_else(|_| "python3".into());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/daemon/twilio/referee.py");
    let mut command = Command::new(python);
    command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let told = command.spawn().ok().and_then(|mut child| {
        let questions = serde_json::to_vec(questions).unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A referee that is not here ends before it has read anything.
        let _ = stdin.write_all(&questions);
        drop(stdin);
        child.wait_with_output().ok()
    });
    let Some(told) = told.filter(|told| told.status.success()) else {
        let line = "SKIPPED: pip install twilio, and name that python in STENTOR_PYTHON";
        assert!(env::var("STENTOR_REAL").unwrap_or_default() != "1", "{line}");
        let _ = writeln!(std::io::stderr(), "{line}");
        return None;
    };
    Some(serde_json::from_slice(&told.stdout).unwrap())
}

#[test]
fn what_twilios_library_signs_is_signed_and_nothing_else_is() {
    let forms: [&[(&str, &str)]; 6] = [
        &[],
        &[("Body", "2"), ("From", "+447700900001"), ("MessageSid", "SM1")],
        &[("b", "2"), ("B", "1"), ("a", ""), ("Z", "x y"), ("é", "ü 🔥"), ("_", "&=+%20")],
        &[("x", "2"), ("x", "1"), ("y", "0"), ("x", "2")],
        &[("Digits", "#"), ("CallSid", "CA1"), ("SpeechResult", "a\nb\t\"c\"")],
        &[("ab", "c"), ("a", "bc")],
    ];
    let urls = [
        "https://crisis.example.test/hooks/twilio/sms",
        "https://crisis.example.test:8443/stentor/hooks/twilio/sms/report?page=INC-1.2&token=a%20b",
        "http://127.0.0.1:7373/hooks/voice/call/report?page=INC-1.2&token=t&turn=3",
    ];
    let questions: Vec<Value> =
        urls.iter().flat_map(|url| forms.map(|form| json!({ "token": TOKEN, "url": url, "fields": form }))).collect();
    let Some(answers) = asked(&questions) else { return };
    let tokens = [SecretString::from("another"), SecretString::from(TOKEN)];
    for ((question, answer), n) in questions.iter().zip(&answers).zip(0..) {
        let (url, signed) = (question["url"].as_str().unwrap(), answer.as_str().unwrap());
        let fields: signature::FormFields = serde_json::from_value(question["fields"].clone()).unwrap();
        assert_eq!(signature::sign(&tokens[1], url, &fields), signed, "{question}");
        assert!(signature::is_signed(&tokens, url, &fields, signed), "{question}");
        assert!(!signature::is_signed(&tokens, url, &fields, answers[(n + 1) % answers.len()].as_str().unwrap()));
    }
}

#[test]
fn what_twilios_library_signs_the_running_daemon_takes() {
    let line = line("sms");
    let fields = [("MessageSid", "SM1"), ("From", ANA), ("Body", "who + what? é"), ("Media", "b"), ("Media", "a")];
    let url = line.public("/hooks/twilio/sms?x=a%2Bb");
    let Some(answers) = asked(&[json!({ "token": TOKEN, "url": url, "fields": fields })]) else { return };
    let signature = answers[0].as_str().unwrap();
    let reply = super::line::forged(&line, "/hooks/twilio/sms?x=a%2Bb", &fields, Some(signature));
    assert_eq!(reply.status, 200, "{reply:?}");
}

#[test]
fn our_documents_are_those_that_twilios_library_writes() {
    let line = line("call");
    let incident = line.crash("ES");
    let (ana, bo) = (line.brief(&incident, ANA), line.brief(&incident, BO));
    let documents =
        [picked_up(&line, &ana), press(&line, &ana, &["7"]), press(&line, &ana, &["2"]), picked_up(&line, &bo)];
    let mut questions: Vec<Value> =
        documents.iter().map(|xml| json!({ "xml": xml, "lines": said(xml), "action": action(xml) })).collect();
    for text in ["", "Which one? INC-1 <b> & \"INC-2\" 'x' é 🔥"] {
        questions.push(json!({ "xml": twiml::reply(text), "reply": text }));
    }
    let Some(answers) = asked(&questions) else { return };
    for (question, answer) in questions.iter().zip(answers) {
        assert_eq!(answer, Value::Bool(true), "{question}");
    }
}
