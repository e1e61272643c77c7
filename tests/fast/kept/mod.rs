//! What earlier programs have kept. The journal of `tests/fixture/requests.jsonl` was exported on 2026-11-30 from a daemon that
//! had seen every kind of request, by `cargo test --test daemon -- --ignored requests::kept`. It is not made anew when the
//! program changes: whatever changes, it must verify, and fold to these states.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{collections::BTreeMap, fmt::Write as _};
use stentor::{
    core::{
        Incident, IncidentId, JournalRecord, SourceEvent, StoredLine,
        display_names::Ids,
        event::{ANCHORS, AnchorEvent},
        sentence::{ended_request, told},
    },
    journal::{ExportedItem, KeptAnchors, fold, read_export, records, verify},
};

const REQUESTS: &str = include_str!("../../fixture/requests.jsonl");

fn lines() -> Vec<StoredLine> {
    let line = |item| match item {
        Ok(ExportedItem::Line(line)) => line,
        other => panic!("{other:?}"),
    };
    read_export(REQUESTS.as_bytes()).map(line).collect()
}

/// The journal of each incident, in the order of their numbers.
fn incidents() -> BTreeMap<IncidentId, Vec<StoredLine>> {
    let mut incidents: BTreeMap<IncidentId, Vec<StoredLine>> = BTreeMap::new();
    for line in lines() {
        if let Ok(id) = line.chain.parse() {
            incidents.entry(id).or_default().push(line);
        }
    }
    incidents
}

/// What a request came to.
fn state(incident: &Incident) -> String {
    let request = incident.request.as_ref().unwrap();
    let outcome = request.outcome();
    let drill = if incident.drill { "DRILL " } else { "" };
    let how = outcome.map_or_else(String::new, |outcome| format!(" ({})", ended_request(outcome, &Ids)));
    let mut text = format!(
        "{drill}{} {:?} {:?}: {}{how}\n  {}\n",
        incident.id,
        request.ask.kind,
        request.ask.question,
        outcome.map_or("open", |outcome| outcome.state()),
        request.ask.action_digest,
    );
    if let Some(handoff) = request.handoff_state() {
        writeln!(text, "  conversation {handoff:?}").unwrap();
    }
    for (role, engagement) in &*incident.engagements {
        writeln!(text, "  {role} is had by {:?}", engagement.holder().map(|person| person.as_str())).unwrap();
    }
    let rest = serde_json::json!({ "choices": request.choices, "ended": request.ended, "handoff": request.handoff });
    writeln!(text, "  {} pages, {rest}", incident.pages.len()).unwrap();
    text
}

#[test]
fn a_journal_of_every_kind_of_request_verifies() {
    let report = verify(lines(), KeptAnchors::default());
    assert!(report.is_sound() && 300 < report.lines && report.anchors == 2, "{report:?}");
    // Of each line a byte counts.
    for n in 0..lines().len() {
        let mut altered = lines();
        altered[n].body = altered[n].body.replacen(":", " :", 1);
        assert!(!verify(altered, KeptAnchors::default()).is_sound(), "line {n}");
    }
    // The chains of no incident are read, too.
    for line in lines().iter().filter(|line| !line.chain.starts_with("INC-")) {
        let read = if line.chain == ANCHORS {
            serde_json::from_str::<JournalRecord<AnchorEvent>>(&line.body).map(drop)
        } else {
            serde_json::from_str::<JournalRecord<SourceEvent>>(&line.body).map(drop)
        };
        assert!(read.is_ok(), "{read:?}: {}", line.body);
    }
}

#[test]
fn it_folds_to_the_states_that_it_had_and_its_lines_can_be_told() {
    let mut states = String::new();
    for (id, lines) in incidents() {
        let records = records(id, &lines).unwrap();
        let incident = fold(id, &records).unwrap();
        assert!(records.iter().all(|record| !told(&record.event, incident.asks(), &Ids).is_empty()));
        states += &state(&incident);
    }
    insta::assert_snapshot!("requests", states);
}
