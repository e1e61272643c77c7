//! The same scenario with the same words of the same people gives the same sequence of events in virtual time and on the
//! live daemon. How times are normalised is said in [`stentor::drill::sequence`].

use super::{
    common::Daemon,
    ground::{ANA, BO, Ground, code, matrix},
    house::eventually,
    wire::Call,
};
use std::path::PathBuf;
use stentor::{
    core::{Event, JournalRecord, Timestamp},
    drill::{Scenario, simulator::sequence},
    matrix::{KnownNames, Matrix, SourceText},
    template::PageTemplates,
};

/// Ana passes on, Bo takes it; the all-clear is told.
const SCRIPT: &str = r#"
name      = "crash"
summary   = "ES falls by 7.5 %"
ends      = "20s"
announced = false

[[inject]]
at     = "0s"
kind   = "price_velocity"
labels = { symbol = "ES" }
values = { drop_pct = 7.5 }

[hypothesis.trader]
percent = 90
within  = "10s"
covered = true

[all_clear]
percent = 90
within  = "5s"

[[answer]]
at     = "1s"
person = "ana"
says   = "unable"

[[answer]]
at     = "2s"
person = "bo"
says   = "roger"

[[answer]]
at     = "3s"
person = "bo"
says   = "wilco"
"#;

/// The journal of an incident.
fn events(daemon: &Daemon, incident: &str) -> Vec<(Timestamp, Event)> {
    let lines = daemon.control(&Call::get(&format!("/v1/journal?chain={incident}"))).json();
    let bodies = lines.as_array().unwrap().iter().map(|line| line["body"].as_str().unwrap().to_owned());
    bodies
        .map(|body| serde_json::from_str::<JournalRecord>(&body).unwrap())
        .map(|record| (record.at, record.event))
        .collect()
}

/// Says something to the newest brief of a phone once everything that was sent so far is settled.
fn say(ground: &Ground, phone: &str, word: &str, verdicts: usize) {
    let text = ground.text_to(phone, |text| code(text).is_some());
    eventually("everything is settled", || {
        let incident = ground.daemon.incident("INC-1");
        let pages = incident["pages"].as_array().cloned().unwrap_or_default();
        let told = events(&ground.daemon, "INC-1");
        let count = |is: fn(&Event) -> bool| told.iter().filter(|(_, event)| is(event)).count();
        let paged = count(|event| matches!(event, Event::Paged { .. }));
        let settled = count(|event| matches!(event, Event::Settled { .. }));
        (paged == settled && pages.len() <= paged).then_some(())
    });
    ground.answer(phone, &format!("{} {word}", code(&text).unwrap()));
    eventually("the answer's verdict", || {
        let told = events(&ground.daemon, "INC-1");
        (verdicts <= told.iter().filter(|(_, event)| matches!(event, Event::Answered { .. })).count()).then_some(())
    });
}

#[test]
fn a_scripted_drill_goes_the_same_way_in_virtual_time_and_live() {
    let templates = PageTemplates::shipped();
    let revisions = templates.revisions();
    let text = matrix("\"sms\"").replace("SLACK_URL", "http://127.0.0.1:9").replace("SMS_URL", "http://127.0.0.1:9");
    let files = [SourceText { path: "matrix.toml".into(), text }];
    let start = Timestamp::parse("2026-11-23T09:00:00Z").unwrap();
    let matrix = Matrix::parse(&files, &KnownNames { templates: &revisions }, start).matrix.unwrap();
    let file = SourceText { path: PathBuf::from("crash.toml"), text: SCRIPT.to_owned() };
    let scenario = Scenario::read(&file, &matrix).scenario.unwrap();
    let played = sequence::scripted(&scenario, &matrix, start);

    let mut ground = Ground::new("\"sms\"");
    ground.silence();
    let child = ground.begin(SCRIPT);
    say(&ground, ANA, "4", 1);
    say(&ground, BO, "1", 2);
    say(&ground, BO, "2", 3);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let live = events(&ground.daemon, "INC-1");
    let live = sequence::sequence(live.iter().map(|(at, event)| (*at, event)));
    assert_eq!(played, [live]);
}
