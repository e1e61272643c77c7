//! A change of the matrix that would have helped: searched, shown to hold, and printed as a diff of the author's own text.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

use std::sync::Arc;
use stentor::{
    core::{Timestamp, Zones},
    drill::{
        Scenario,
        proposal::{MatrixProposal, NoProposal, ProposalRequest, propose},
    },
    matrix::{KnownNames, Matrix, SourceText},
    template::PageTemplates,
};

/// Ana is called by SMS alone; what is written here must stay as it is written.
const MATRIX: &str = r#"# The desk's own matrix.

[channel.desk]
kind = "screen"

[channel.sms]
kind = "kannel"
url = "http://127.0.0.1:13013/cgi-bin/sendsms"

[person.ana]
name  = "Ana"
phone = "+447700900001"

[person.bo]
name  = "Bo"
phone = "+447700900012"

# Who trades.
[role.trader]
step = [
  { page = [ "ana" ], by = [ "sms" ], wait = "45s" },   # first Ana, and not at night
  { page = ["bo"], by = ["sms"], wait = "60s" },
]

[trigger.crash]
on    = ["boom"]
roles = ["trader"]

[catch-all]
page = ["bo"]
by   = ["sms"]
"#;

const SCENARIO: &str = r#"
name = "boom"
summary = "it goes boom"
ends = "10m"
[[inject]]
at = "0s"
kind = "boom"
[hypothesis.trader]
percent = 90
within = "BOUND"
[everyone]
ignores = IGNORES
unable = 0
at_desk = 1
answers = { times = ["10s"] }
[channels.sms]
accepts = { median = "1s", p90 = "1s" }
delivers = { median = "2s", p90 = "2s" }
lost = 0
"#;

fn search(matrix: &str, scenario: &str) -> Result<MatrixProposal, NoProposal> {
    let start = Timestamp::parse("2026-03-04T10:00:00Z").unwrap();
    let revisions = PageTemplates::shipped().revisions();
    let known = KnownNames { templates: &revisions };
    let files = [SourceText { path: "matrix/matrix.toml".into(), text: matrix.into() }];
    let parsed = Matrix::parse(&files, &known, start).matrix.unwrap();
    let file = SourceText { path: "boom.toml".into(), text: scenario.into() };
    let read = Scenario::read(&file, &parsed);
    let scenario = read.scenario.unwrap_or_else(|| panic!("{:#?}", read.diagnostics));
    let (failed, zones) = (scenario.hypotheses.clone(), Arc::new(Zones::bundled()));
    let question = ProposalRequest {
        files: &files,
        known: &known,
        zones: &zones,
        scenario: &scenario,
        start,
        failed: &failed,
        runs: 60,
        threads: 2,
    };
    let found = propose(&question);
    if let Ok(found) = &found {
        // What is proposed is a matrix without faults, and playing it again shows the same.
        assert!(Matrix::parse(&found.files, &known, start).matrix.is_some());
        let question = ProposalRequest { files: &found.files, ..question };
        assert_eq!(propose(&question).unwrap_err(), NoProposal::Holds);
    }
    found
}

fn scenario(bound: &str, ignores: &str, more: &str) -> String {
    SCENARIO.replace("BOUND", bound).replace("IGNORES", ignores) + more
}

const SMS_IS_DOWN: &str = "[[fault]]\nchannel = \"sms\"\nkind = \"down\"\n";

#[test]
fn a_channel_that_is_missing_in_a_step_is_put_in_and_the_text_stays_as_it_was() {
    let found = search(MATRIX, &scenario("15s", "0", SMS_IS_DOWN)).unwrap();
    assert_eq!(found.edits, ["trader step 1: also by desk"]);
    insta::assert_snapshot!("another_channel", format!("{}\n\n{}", found.why, found.diff));
}

#[test]
fn a_wait_that_is_too_long_is_shortened_no_more_than_is_needed() {
    let absent = "[[fault]]\nabsent = \"ana\"\n";
    let found = search(MATRIX, &scenario("52s", "0", absent)).unwrap();
    // 36 of 45 seconds, in steps of five; then three until it is there, and ten to answer.
    assert_eq!(found.edits, ["trader step 1: wait 35s instead of 45s"]);
}

#[test]
fn a_person_is_added_where_no_channel_and_no_wait_helps() {
    let absent = "[[fault]]\nabsent = \"ana\"\n";
    let found = search(MATRIX, &scenario("14s", "0", absent)).unwrap();
    assert_eq!(found.edits, ["trader step 1: also bo"]);
}

#[test]
fn two_edits_are_tried_together_where_one_is_not_enough() {
    let both = format!("{SMS_IS_DOWN}[[fault]]\nabsent = \"ana\"\n");
    let found = search(MATRIX, &scenario("14s", "0", &both)).unwrap();
    assert_eq!(found.edits.len(), 2, "{:?}", found.edits);
}

#[test]
fn nothing_is_proposed_when_nothing_helps_or_nothing_failed() {
    let asleep = search(MATRIX, &scenario("60s", "1", "")).unwrap_err();
    assert!(matches!(asleep, NoProposal::NoneHelps { tried } if 5 < tried), "{asleep:?}");
    assert_eq!(search(MATRIX, &scenario("60s", "0", "")).unwrap_err(), NoProposal::Holds);
}
