//! Assessments in the program: an alert is assessed, people can see why, and past cases show how often that is right.

use super::common::{Daemon, Setup};
use serde_json::Value;
use std::{io::Write, process::Stdio};

const MATRIX: &str = r#"
[channel.desk]
kind = "screen"

[person.ana]
name = "Ana Ruiz"

[role.nurse]
step = [{ page = ["ana"], by = ["desk"], wait = "45s" }]

[trigger.nurse]
on    = ["chat"]
when  = 'risk.symptoms.level == "high"'
roles = ["nurse"]

[assessment.symptoms]
levels = { medium = 2, high = 5 }

[assessment.symptoms.words.en]
"chest pain" = 5
vomiting     = 2

[assessment.symptoms.classifier]
exec     = ["/bin/sh", "-c", "grep -q unwell && echo '{\"level\": \"medium\", \"confidence\": 0.75}' || echo '{\"score\": 0, \"confidence\": 0.95}'"]
deadline = "10s"
absent   = "ignore"
"#;

const CASES: &str = r#"{"kind": "chat", "summary": "I have chest pain", "label": "high"}
{"kind": "chat", "summary": "no chest pain", "label": "low"}

{"kind": "chat", "summary": "I am vomiting", "label": "high"}
{"kind": "chat", "summary": "I feel unwell", "label": "medium"}
"#;

fn assess(daemon: &Daemon, arguments: &[&str], cases: &str) -> (Option<i32>, String) {
    let arguments: Vec<&str> = ["assess", "-"].iter().chain(arguments).copied().collect();
    let mut command = daemon.command(&arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(cases.as_bytes()).unwrap();
    let told = child.wait_with_output().unwrap();
    let said = String::from_utf8(told.stdout).unwrap();
    // What is printed as JSON is read as it is.
    let beside = if arguments.contains(&"--json") { "".into() } else { String::from_utf8_lossy(&told.stderr) };
    (told.status.code(), format!("{said}{beside}"))
}

#[test]
fn an_alert_is_assessed_and_its_incident_and_why_say_how() {
    let daemon = Setup::new(MATRIX).start();
    let fired = daemon.json(&["fire", "chat", "--summary", "no vomiting but chest pain"]);
    assert_eq!(fired["alerts"][0]["incidents"][0], "INC-1", "{fired}");
    let id = fired["alerts"][0]["id"].as_str().unwrap();
    let why = daemon.json(&["why", id]);
    let own = &why["alert"]["assessed"]["symptoms"];
    assert_eq!(
        (&own["level"], &own["score"], &own["confidence"]),
        (&"high".into(), &5.0.into(), &0.95.into()),
        "{why}"
    );
    let told = daemon.command(&["why", id]).output().unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    for line in ["assessed symptoms: high, score 5, confidence 0.95", "chest pain +5 (en)", "vomiting: denied (en)"] {
        assert!(told.contains(line), "{told}");
    }
    assert!(daemon.cli(&["journal", "verify"]).status.success());
}

#[test]
fn past_cases_show_how_often_an_assessment_is_right() {
    let daemon = Setup::new(MATRIX).start();
    let (code, told) = assess(&daemon, &[], CASES);
    assert_eq!(code, Some(0), "{told}");
    for words in ["symptoms, 4 cases", "the very level: 0.500 (2 of 4", "no confidences", "--ask-classifier"] {
        assert!(told.contains(words), "{told}");
    }
    let (code, told) = assess(&daemon, &["--ask-classifier", "--json"], CASES);
    assert_eq!(code, Some(0), "{told}");
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&told["right"]["hits"], &told["right"]["of"]), (&3.into(), &4.into()), "{told}");
    assert_eq!(told["confusion"], serde_json::json!([[1, 0, 0], [0, 1, 0], [0, 1, 1]]));
    assert_eq!((&told["reliability"]["cases"], &told["classifier_asked"]), (&4.into(), &true.into()));
    let serious = CASES.replace("\"high\"", "true").replace("\"low\"", "false").replace("\"medium\"", "false");
    let (code, told) = assess(&daemon, &["--at", "medium", "--assessment", "symptoms"], &serious);
    assert!(code == Some(0) && told.contains("medium or above, as labelled: 1.000 (4 of 4"), "{told}");
}

#[test]
fn what_is_no_case_is_told_by_its_line() {
    let daemon = Setup::new(MATRIX).start();
    let case = |label: &str| format!("{{\"kind\": \"chat\", \"label\": {label}}}\n");
    let rows = [
        (String::new(), "there are no cases"),
        (case("\"huge\""), "line 1 is no case: the assessment has no level \"huge\""),
        (case("3"), "line 1 is no case: it needs a \"label\""),
        (case("\"low\"") + &case("true"), "line 2: its label is of another kind than that of line 1"),
        (case("true") + "\n{\"label\": true}", "line 3 is no case"),
        ("nonsense".into(), "line 1 is no case"),
    ];
    for (cases, why) in rows {
        let (code, told) = assess(&daemon, &[], &cases);
        assert_eq!(code, Some(2), "{told}");
        assert!(told.contains(why), "{cases}: {told}");
    }
    let (code, told) = assess(&daemon, &["--assessment", "x"], CASES);
    assert!(code == Some(2) && told.contains("it has: symptoms"), "{told}");
    let (code, told) = assess(&daemon, &["--at", "x"], CASES);
    assert!(code == Some(2) && told.contains("it has: low, medium, high"), "{told}");
}
