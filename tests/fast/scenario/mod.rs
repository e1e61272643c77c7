//! Scenario files: what they may say, and every fault with its place and its remedy.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

use std::{path::Path, time::Duration};
use stentor::{
    core::Timestamp,
    drill::{
        HypothesisVerdict, ReadScenario, Scenario,
        analysis::{
            observation::{AllClear, RoleAnalysis, TimeSlice},
            run_analysis::{AnalysisStage, RunObservation, TimeCause},
            score::{score, score_all},
        },
        scenario::hypothesis::{HypothesisSubject, RunHypothesis},
    },
    matrix::{KnownNames, Matrix, SourceText, read_folder, render_of},
    report::{
        ended::Ended,
        target::{TargetVerdict, shown_in_words},
    },
    template::PageTemplates,
};

/// Without fault; each row below changes one thing.
const SOUND: &str = r#"
name = "crash"
summary = "the price falls"
sources = ["somebody's report"]
ends = "20m"
plays_at = 2026-11-23T09:00:00Z
participants = ["ana", "bo", "dora", "eve"]
announced = false
hours = { from = "08:00", until = "17:00", days = ["Mon", "Tue"], timezone = "Europe/London" }
compress = 5
abort = { unanswered = "10m", people = ["ana"] }

[[inject]]
at = "0s"
kind = "price_velocity"
labels = { symbol = "ES" }
values = { drop_pct = 5.5 }
evidence = { book = [1, 2.5, "x"] }

[[inject]]
at = "1m"
kind = "price_velocity"
labels = { symbol = "ES" }
values = { drop_pct = 6 }
every = "30s"
count = 3

[[moment]]
at = "5m"
what = "the market opens"

[hypothesis.trader]
percent = 90
within = "60s"

[all_roles]
percent = 80
within = "5m"
covered = true

[all_clear]
percent = 95
within = "30s"

[[fault]]
channel = "room"
kind = "down"
until = "2m"

[[fault]]
channel = "sms"
delay = "90s"
from = "1m"

[[fault]]
absent = "bo"

[[answer]]
at = "45s"
person = "ana"
says = "wilco"

[everyone]
ignores = 0.2

[people.ana]
answers = { median = "40s", p90 = "2m" }
by = ["sms"]
unable = 0.05

[people.eve]
answers = { times = ["20s", "800ms", "1m"] }

[channels.sms]
accepts = { median = "300ms", p90 = "1s" }
lost = 0.02
"#;

fn matrix() -> Matrix {
    let files = read_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("matrix")).unwrap();
    let revisions = PageTemplates::shipped().revisions();
    let as_of = Timestamp::parse("2026-11-23T09:00:00Z").unwrap();
    Matrix::parse(&files, &KnownNames { templates: &revisions }, as_of).matrix.unwrap()
}

fn read(text: &str) -> (ReadScenario, SourceText) {
    let file = SourceText { path: "crash.toml".into(), text: text.into() };
    (Scenario::read(&file, &matrix()), file)
}

#[test]
fn a_sound_scenario_is_read_whole() {
    let (read, file) = read(SOUND);
    assert!(read.diagnostics.is_empty(), "{}", render_of("the scenario", &read.diagnostics, &[file], false));
    let scenario = read.scenario.unwrap();
    let offsets: Vec<u64> = scenario.reports().iter().map(|(at, _)| at.as_secs()).collect();
    assert_eq!(offsets, [0, 60, 90, 120]);
    let (_, last) = &scenario.reports()[3];
    assert!(last.drill && last.id == "drill-4" && last.values["drop_pct"] == 6.0, "{last:?}");
    assert_eq!(scenario.hypotheses.len(), 3);
    assert_eq!(
        scenario.response_model_of(&"ana".into()).ignores,
        Some(0.2),
        "what is not said of one is that of everyone"
    );
    let hours = scenario.hours.unwrap();
    let covers = |at: &str| hours.cover(Timestamp::parse(at).unwrap());
    assert!(covers("2026-11-23T09:00:00Z") && !covers("2026-11-23T17:00:00Z") && !covers("2026-11-25T09:00:00Z"));
}

#[test]
fn hours_over_midnight_belong_to_the_day_on_which_they_begin() {
    let night = SOUND.replace("from = \"08:00\", until = \"17:00\"", "from = \"22:00\", until = \"06:00\"");
    let hours = read(&night).0.scenario.unwrap().hours.unwrap();
    let covers = |at: &str| hours.cover(Timestamp::parse(at).unwrap());
    assert!(covers("2026-11-25T03:00:00Z"), "the night of Tuesday");
    assert!(!covers("2026-11-25T23:00:00Z") && !covers("2026-11-24T12:00:00Z"));
}

/// What is changed in the sound one, and the fault: its code, the text underlined, and what must be in the help.
const FAULTS: [(&str, &str, &str, &str, &str); 26] = [
    ("[hypothesis.trader]", "[hypothesis.treader]", "unknown-role", "treader", "trader"),
    ("percent = 90\n", "", "missing-key", "trader", "percent = 90"),
    ("within = \"60s\"", "within = 60", "wrong-type", "60", "\"45s\""),
    ("within = \"60s\"", "within = \"21m\"", "after-the-end", "trader", "end later"),
    ("percent = 90\n", "percent = 190\n", "percent-out-of-range", "190", "90"),
    ("person = \"ana\"", "person = \"anna\"", "unknown-person", "\"anna\"", "ana"),
    ("channel = \"sms\"", "channel = \"smss\"", "unknown-channel", "\"smss\"", "sms"),
    ("at = \"5m\"", "at = \"25m\"", "after-the-end", "\"25m\"", "earlier"),
    ("count = 3", "count = 300", "after-the-end", "300", "end later"),
    ("count = 3", "", "missing-key", "\"30s\"", "count = 3"),
    ("until = \"2m\"", "from = \"3m\"\nuntil = \"2m\"", "ends-before-it-begins", "\"2m\"", "later"),
    (
        "absent = \"bo\"",
        "channel = \"room\"\nkind = \"broken\"\nfrom = \"1m\"",
        "overlapping-faults",
        "[[fault]]",
        "until",
    ),
    ("absent = \"bo\"", "absent = \"bo\"\nkind = \"down\"", "unclear-fault", "[[fault]]", "absent"),
    ("kind = \"down\"", "kind = \"dead\"", "unknown-word", "\"dead\"", "broken"),
    ("says = \"wilco\"", "says = \"ok\"", "unknown-answer", "\"ok\"", ""),
    ("person = \"ana\"", "person = \"cem\"", "not-taking-part", "[[answer]]", "participants"),
    ("p90 = \"2m\"", "p90 = \"2s\"", "p90-below-median", "\"2s\"", "larger"),
    ("unable = 0.05", "unable = 5", "probability-out-of-range", "5", "0.1"),
    ("compress = 5", "compress = 0", "count-out-of-range", "0", ""),
    ("timezone = \"Europe/London\"", "timezone = \"Europe/Londn\"", "bad-time-zone", "\"Europe/Londn\"", "London"),
    ("announced = false", "anounced = false", "unknown-key", "anounced", "announced"),
    ("ends = \"20m\"", "", "missing-key", "", "ends"),
    ("name = \"crash\"", "name = \"The Crash\"", "bad-name", "\"The Crash\"", "lower-case"),
    ("plays_at = 2026-11-23T09:00:00Z", "plays_at = 2026-11-23", "bad-time", "2026-11-23", "-04:00"),
    (
        "kind = \"price_velocity\"\nlabels = { symbol = \"ES\" }\nvalues = { drop_pct = 5.5 }",
        "kind = \"price_velocity\"",
        "not-judged",
        "",
        "condition",
    ),
    ("announced = false", "announced = false\nname2 = = 3", "toml-syntax", "", "quotes"),
];

#[test]
fn each_fault_is_told_where_it_is_with_what_to_write_instead() {
    for (from, to, code, underlined, help) in FAULTS {
        assert!(SOUND.contains(from), "{from:?} is not in the sound one");
        let text = SOUND.replacen(from, to, 1);
        let (read, file) = read(&text);
        let shown = render_of("the scenario", &read.diagnostics, &[file], false);
        let found = read.diagnostics.iter().find(|diagnostic| diagnostic.code == code);
        let found = found.unwrap_or_else(|| panic!("{to:?} must be told as {code}:\n{shown}"));
        assert!(text[found.span.clone()].contains(underlined), "{code} underlines {:?}", &text[found.span.clone()]);
        assert!(found.help.clone().unwrap_or_default().contains(help), "{code}: {:?}", found.help);
        assert!(read.scenario.is_none(), "{to:?} is no scenario");
    }
}

#[test]
fn faults_are_told_all_at_once_and_the_last_line_speaks_of_the_scenario() {
    let text = SOUND.replace("percent = 90\n", "").replace("person = \"ana\"", "person = \"zoe\"");
    let (read, file) = read(&text);
    assert_eq!(read.diagnostics.len(), 2);
    let shown = render_of("the scenario", &read.diagnostics, &[file], false);
    assert!(shown.ends_with("2 errors; the scenario is refused\n"), "{shown}");
}

#[test]
fn what_opens_nothing_and_what_is_never_called_is_refused() {
    let nothing = SOUND.replace("drop_pct = 5.5", "drop_pct = 1").replace("drop_pct = 6", "drop_pct = 1");
    assert!(read(&nothing).0.diagnostics.iter().any(|fault| fault.code == "no-incident"));
    let never = SOUND.replace("[hypothesis.trader]", "[hypothesis.commander]");
    assert!(read(&never).0.diagnostics.iter().any(|fault| fault.code == "role-not-called"));
    let absent = SOUND.replace("[hypothesis.trader]", "[hypothesis.head-of-desk]");
    assert!(read(&absent).0.diagnostics.iter().any(|fault| fault.code == "not-taking-part"));
}

fn trader(percent: f64) -> RunHypothesis {
    let within = Duration::from_secs(60);
    RunHypothesis { about: HypothesisSubject::Role("trader".into()), percent, within, covered: false }
}

/// People are not divided: a compressed run goes on until what is expected of them could have happened.
#[test]
fn a_compressed_run_is_watched_as_long_as_its_own_targets_say() {
    let whole = read(SOUND).0.scenario.unwrap();
    // The last of its alerts comes after two minutes, the slowest role has five, and it ends after twenty.
    let seconds = |by| whole.watched(by).as_secs();
    assert_eq!((seconds(1), seconds(2), seconds(60)), (1200, 600, 302));
    assert_eq!(seconds(5), 24 + 300);
}

/// A run in which the trader was engaged after so many seconds, or was watched for that long in vain.
fn run(engaged: Option<u64>, watched: u64) -> RunObservation {
    let end = Duration::from_secs(engaged.unwrap_or(watched));
    let cause = |stage, step| {
        let (role, channel) = ("trader".into(), Some("sms".into()));
        TimeCause { stage, role, step, channel, person: None, stand_in: None }
    };
    let part = |from, until, cause| TimeSlice { from, until, cause, said: None };
    let middle = end.min(Duration::from_secs(45));
    let parts = vec![
        part(Duration::ZERO, middle, cause(AnalysisStage::Channel, 0)),
        part(middle, end, cause(AnalysisStage::Answering, 1)),
    ];
    let engaged = engaged.map(Duration::from_secs);
    let ended = if engaged.is_some() { Ended::Engaged } else { Ended::DrillOver };
    let course = RoleAnalysis { required: true, engaged, covered: None, ended, sandboxed: false, watched: end, parts };
    RunObservation { roles: [("trader".into(), course)].into(), ..RunObservation::default() }
}

#[test]
fn one_run_is_judged_by_itself_and_says_what_that_shows() {
    let one = |run: &RunObservation| score(&[trader(90.0)], run).findings.remove(0);
    let held = one(&run(Some(50), 0));
    assert_eq!(
        (held.verdict, held.shown.verdict),
        (HypothesisVerdict::Held, TargetVerdict::TooFew),
        "one run shows little"
    );
    let words = "too few to say of 90 %, 36 in time and none late would";
    assert_eq!(shown_in_words(&held.shown), words);
    assert_eq!(one(&run(Some(70), 0)).verdict, HypothesisVerdict::NotHeld);
    assert_eq!(one(&run(None, 60)).verdict, HypothesisVerdict::NotHeld, "watched for as long as it had");
    assert_eq!(one(&run(None, 20)).verdict, HypothesisVerdict::TooFew, "not watched for long enough");
    assert_eq!(score(&[trader(90.0)], &RunObservation::default()).verdict(), HypothesisVerdict::TooFew);
    let bottleneck = one(&run(Some(70), 0)).bottleneck.unwrap();
    assert_eq!((bottleneck.cause.stage, bottleneck.share), (AnalysisStage::Channel, 0.75), "45 of the 60 seconds");
    assert_eq!(bottleneck.cause.to_string(), "trader step 1: channel sms accepted nothing");
}

#[test]
fn many_runs_hold_fail_or_are_too_few_by_what_they_show() {
    let runs = |in_time, late, unknown| {
        let all = [vec![run(Some(50), 0); in_time], vec![run(Some(70), 0); late], vec![run(None, 20); unknown]];
        score_all(&[trader(90.0)], all.concat().iter())
    };
    for ((in_time, late, unknown), expected) in [
        ((0, 0, 0), HypothesisVerdict::TooFew),
        ((1, 0, 0), HypothesisVerdict::TooFew),
        ((9, 1, 0), HypothesisVerdict::TooFew),
        ((35, 0, 0), HypothesisVerdict::TooFew),
        ((36, 0, 0), HypothesisVerdict::Held),
        ((99, 1, 0), HypothesisVerdict::Held),
        ((0, 2, 0), HypothesisVerdict::NotHeld),
        ((70, 30, 0), HypothesisVerdict::NotHeld),
        ((910, 90, 0), HypothesisVerdict::TooFew),
        ((9_200, 800, 0), HypothesisVerdict::Held),
        ((0, 0, 100), HypothesisVerdict::TooFew),
    ] {
        let told = runs(in_time, late, unknown);
        assert_eq!(told.verdict(), expected, "{in_time} in time, {late} late, {unknown} unknown");
        let finding = &told.findings[0];
        assert_eq!((finding.in_time, finding.late, finding.unknown), (in_time, late, unknown));
    }
}

#[test]
fn one_that_ended_without_an_answer_is_late_however_short_it_was_watched() {
    for ended in [Ended::Covered, Ended::ClosedByMonitor, Ended::ClosedByHuman, Ended::StoodDown] {
        let mut short = run(None, 30);
        let course = short.roles.get_mut("trader").unwrap();
        course.ended = ended;
        course.covered = (ended == Ended::Covered).then_some(Duration::from_secs(30));
        let finding = &score(&[trader(90.0)], &short).findings[0];
        assert_eq!((finding.verdict, finding.late), (HypothesisVerdict::NotHeld, 1), "{ended:?}");
        let covered = &score(&[RunHypothesis { covered: true, ..trader(90.0) }], &short).findings[0];
        let expected = if ended == Ended::Covered { HypothesisVerdict::Held } else { HypothesisVerdict::NotHeld };
        assert_eq!(covered.verdict, expected, "{ended:?}, where being covered counts");
        let all = &score(&[RunHypothesis { about: HypothesisSubject::AllRoles, ..trader(90.0) }], &short).findings[0];
        assert_eq!((all.verdict, all.late), (HypothesisVerdict::NotHeld, 1), "{ended:?}");
    }
}

#[test]
fn a_role_whose_pages_were_kept_in_the_sandbox_is_not_late_and_the_others_are() {
    let mut mixed = run(None, 60);
    let real = mixed.roles["trader"].clone();
    mixed.roles.get_mut("trader").unwrap().sandboxed = true;
    let compliance = RunHypothesis { about: HypothesisSubject::Role("compliance".into()), ..trader(90.0) };
    mixed.roles.insert("compliance".into(), real);
    mixed.sandboxed = true;
    let told = score(&[trader(90.0), compliance], &mixed);
    let [kept, sent] = &told.findings[..] else { panic!("two findings") };
    assert_eq!((kept.verdict, kept.late, kept.unknown, kept.sandboxed), (HypothesisVerdict::TooFew, 0, 1, true));
    assert_eq!(kept.bottleneck, None);
    assert_eq!((sent.verdict, sent.late, sent.sandboxed), (HypothesisVerdict::NotHeld, 1, false));
    // In time it is a rehearsal on this machine, and says so.
    let mut rehearsed = run(Some(50), 0);
    rehearsed.roles.get_mut("trader").unwrap().sandboxed = true;
    let told = score(&[trader(90.0)], &rehearsed);
    assert_eq!((told.findings[0].verdict, told.findings[0].sandboxed), (HypothesisVerdict::Held, true));
}

#[test]
fn the_all_clear_is_judged_by_person() {
    let clear = |person: &str, after: Option<u64>| AllClear {
        person: person.into(),
        after: after.map(Duration::from_secs),
        watched: Duration::from_secs(300),
    };
    let all_clears = vec![clear("ana", Some(2)), clear("bo", Some(70)), clear("cem", None)];
    let run = RunObservation { all_clears, ..RunObservation::default() };
    let finding = &score(&[RunHypothesis { about: HypothesisSubject::AllClear, ..trader(50.0) }], &run).findings[0];
    assert_eq!((finding.in_time, finding.late, finding.verdict), (1, 2, HypothesisVerdict::NotHeld));
}
