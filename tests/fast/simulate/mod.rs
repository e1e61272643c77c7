//! The same engine in virtual time: what it shows, that chance repeats, and that it is the real core that is played.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

use crate::fixture;
use std::{path::Path, sync::atomic::AtomicU64, time::Duration};
use stentor::{
    core::Timestamp,
    drill::{
        HypothesisVerdict, Scenario,
        analysis::run_analysis::AnalysisStage,
        simulator::{
            sequence::{scripted, sequence},
            setting::{SimulationSetting, WhatIf},
            simulate::{RoleOutlook, SimulationSummary, outlook, play},
        },
    },
    matrix::{Matrix, SourceText, read_folder, render_of},
};

const START: &str = "2026-03-04T10:00:00Z";

fn start() -> Timestamp {
    Timestamp::parse(START).unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn shipped(as_of: Timestamp) -> Matrix {
    fixture::parsed_files(&read_folder(&root().join("matrix")).unwrap(), as_of)
}

fn scenario_of(text: &str, matrix: &Matrix) -> Scenario {
    let file = SourceText { path: "test.toml".into(), text: text.into() };
    let read = Scenario::read(&file, matrix);
    read.scenario.unwrap_or_else(|| panic!("{}", render_of("the scenario", &read.diagnostics, &[file], false)))
}

/// Two people in two steps; ana is reached by SMS, bo by SMS and at his desk.
const STEPS: &str = r#"
[role.trader]
step = [
  { page = ["ana"], by = ["sms"], wait = "45s" },
  { page = ["bo"], by = ["sms", "desk"], wait = "60s" },
]
[trigger.crash]
on = ["boom"]
roles = ["trader"]
[catch-all]
page = ["bo"]
by = ["sms"]
"#;

const BOOM: &str = r#"
name = "boom"
summary = "it goes boom"
ends = "10m"
[[inject]]
at = "10s"
kind = "boom"
[hypothesis.trader]
percent = 90
within = "60s"
[everyone]
ignores = 0
unable = 0
at_desk = 1
[channels.sms]
accepts = { median = "1s", p90 = "1s" }
delivers = { median = "2s", p90 = "2s" }
lost = 0
"#;

fn small_text() -> String {
    fixture::TWO_PEOPLE.to_owned() + STEPS
}

fn small() -> Matrix {
    fixture::parsed(&small_text(), start())
}

fn play_all(scenario: &Scenario, matrix: &Matrix, conditions: &WhatIf, runs: u64) -> SimulationSummary {
    let setting = SimulationSetting::new(scenario, matrix, conditions, scenario.plays_at.unwrap_or_else(start));
    let played = play(&setting, 1, runs, 2, &AtomicU64::new(0));
    outlook("as it is", "test", &setting, &played)
}

fn role<'a>(outlook: &'a SimulationSummary, name: &str) -> &'a RoleOutlook {
    outlook.roles.iter().find(|role| role.role.as_str() == name).unwrap_or_else(|| panic!("{name} was not called"))
}

#[test]
fn a_run_without_chance_takes_exactly_what_its_parts_take() {
    let matrix = small();
    let text = format!("{BOOM}[people.ana]\nanswers = {{ times = [\"30s\"] }}\n");
    let outlook = play_all(&scenario_of(&text, &matrix), &matrix, &WhatIf::default(), 50);
    let trader = role(&outlook, "trader");
    // One second to accept, two to deliver, thirty to answer.
    assert_eq!((trader.engaged, trader.quantiles[0].seconds), (50, Some(33.0)));
    assert_eq!((trader.quantiles[2].seconds, outlook.verdict()), (Some(33.0), HypothesisVerdict::Held));
}

/// In virtual time as in the daemon: an incident opens by time alone, unless something comes in between.
#[test]
fn what_waits_for_a_layer_opens_by_time_alone() {
    for (layer, over, called) in [
        ("for = \"60s\"", "", true),
        ("for = \"60s\"", "[[inject]]\nat = \"40s\"\nkind = \"boom\"\nstatus = \"resolved\"\n", false),
        ("absent = { every = \"60s\" }", "", true),
        ("absent = { every = \"60s\" }", "[[inject]]\nat = \"40s\"\nkind = \"boom\"\nstatus = \"resolved\"\n", false),
    ] {
        let text = small_text().replace("on = [\"boom\"]", &format!("on = [\"boom\"]\n{layer}"));
        let matrix = fixture::parsed(&text, start());
        let boom = BOOM.replace("[hypothesis.trader]", &format!("{over}[hypothesis.trader]"));
        let text = format!("{boom}[people.ana]\nanswers = {{ times = [\"30s\"] }}\n");
        let outlook = play_all(&scenario_of(&text, &matrix), &matrix, &WhatIf::default(), 10);
        let engaged: Vec<_> = outlook.roles.iter().map(|role| (role.engaged, role.quantiles[0].seconds)).collect();
        assert_eq!(engaged, if called { vec![(10, Some(33.0))] } else { Vec::new() }, "{layer} {over}");
    }
}

#[test]
fn who_answers_late_is_engaged_by_the_page_that_reached_them_and_the_next_step_was_called_for_nothing() {
    let matrix = small();
    let text = format!("{BOOM}[people.ana]\nanswers = {{ times = [\"70s\"] }}\n[people.bo]\nignores = 1\n");
    let outlook = play_all(&scenario_of(&text, &matrix), &matrix, &WhatIf::default(), 20);
    assert_eq!(role(&outlook, "trader").quantiles[0].seconds, Some(73.0));
    let bottleneck = outlook.score.findings[0].bottleneck.clone().unwrap();
    assert_eq!((bottleneck.cause.stage, bottleneck.cause.to_string()), {
        (AnalysisStage::Answering, "trader step 1: ana took that long to answer by sms".into())
    });
}

#[test]
fn a_channel_that_is_down_is_gone_round_after_its_accept_timeout_and_named() {
    let matrix = small();
    let scenario = scenario_of(&BOOM.replace("within = \"60s\"", "within = \"15s\""), &matrix);
    let down = WhatIf { without: vec!["sms".into()], ..WhatIf::default() };
    let outlook = play_all(&scenario, &matrix, &down, 20);
    let bottleneck = outlook.score.findings[0].bottleneck.clone().unwrap();
    assert_eq!(bottleneck.cause.to_string(), "trader step 1: channel sms accepted nothing (injected)");
    // Ana's SMS is given up after 20 s for her desk, where she is: she answers there.
    let trader = role(&outlook, "trader");
    assert!(trader.engaged == 20 && trader.quantiles[0].seconds > Some(20.0), "{trader:?}");
}

#[test]
fn somebody_who_is_absent_answers_nothing_and_the_next_step_does() {
    let matrix = small();
    let text = format!("{BOOM}[people.bo]\nanswers = {{ times = [\"10s\"] }}\n");
    let absent = WhatIf { absent: vec!["ana".into()], ..WhatIf::default() };
    let outlook = play_all(&scenario_of(&text, &matrix), &matrix, &absent, 20);
    // The second step is entered after 45 s; its page is on bo's desk at once.
    let median = role(&outlook, "trader").quantiles[0].seconds.unwrap();
    assert!((55.0..56.0).contains(&median), "{median}");
    let bottleneck = outlook.score.findings[0].bottleneck.clone();
    assert!(bottleneck.is_none(), "it was in time: {bottleneck:?}");
}

#[test]
fn nobody_answering_is_late_and_not_forgotten() {
    let matrix = small();
    let text = BOOM.replace("ignores = 0", "ignores = 1");
    let outlook = play_all(&scenario_of(&text, &matrix), &matrix, &WhatIf::default(), 20);
    let trader = role(&outlook, "trader");
    assert_eq!((trader.called, trader.engaged, trader.quantiles[0].seconds), (20, 0, None));
    assert_eq!(outlook.verdict(), HypothesisVerdict::NotHeld);
    let cause = outlook.score.findings[0].bottleneck.clone().unwrap().cause;
    assert_eq!(cause.to_string(), "trader step 1: ana did not answer in its time");
}

#[test]
fn the_same_seed_gives_the_same_result_on_any_number_of_threads() {
    let matrix = shipped(start());
    let scenario = scenario_of(&shipped_text("flash-crash-2010"), &matrix);
    let setting = SimulationSetting::new(&scenario, &matrix, &WhatIf::default(), start());
    let runs = |seed, threads| play(&setting, seed, 60, threads, &AtomicU64::new(0));
    let one = runs(7, 1);
    assert!(one == runs(7, 3), "threads change nothing");
    assert!(one != runs(8, 1), "another seed is another chance");
    assert!(one.windows(2).any(|two| two[0] != two[1]), "runs differ from each other");
}

#[test]
fn two_conditions_with_one_seed_meet_the_same_people() {
    let matrix = small();
    let scenario = scenario_of(BOOM, &matrix);
    let times = |conditions: &WhatIf| -> Vec<Option<Duration>> {
        let setting = SimulationSetting::new(&scenario, &matrix, conditions, start());
        let played = play(&setting, 3, 200, 1, &AtomicU64::new(0));
        played.iter().map(|run| run.observed.roles["trader"].engaged).collect()
    };
    let (as_it_is, absent) =
        (times(&WhatIf::default()), times(&WhatIf { absent: vec!["ana".into()], ..WhatIf::default() }));
    // Bo behaves alike in both: so a run can not get better because ana is missing, as it could with other dice.
    let worse = as_it_is.iter().zip(&absent).filter(|(with, without)| without < with).count();
    assert_eq!(worse, 0);
    assert!(as_it_is.iter().zip(&absent).any(|(with, without)| with < without));
}

fn shipped_text(name: &str) -> String {
    std::fs::read_to_string(root().join("matrix/drills").join(name).with_extension("toml")).unwrap()
}

#[test]
fn scenarios_in_the_matrix_folder_are_not_read_as_matrix() {
    let files = read_folder(&root().join("matrix")).unwrap();
    assert!(files.iter().all(|file| !file.path.to_string_lossy().contains("drills")));
}

#[test]
fn the_shipped_scenarios_are_sound_and_show_what_they_are_for() {
    let names = ["flash-crash-2010", "knight-2012", "citi-2022", "slack-outage", "nobody-awake", "call-in"];
    assert_eq!(std::fs::read_dir(root().join("matrix/drills")).unwrap().count(), names.len());
    let mut shown = String::new();
    for name in names {
        let text = shipped_text(name);
        let file = SourceText { path: name.into(), text };
        let read = Scenario::read(&file, &shipped(start()));
        assert!(read.diagnostics.is_empty(), "{}", render_of("the scenario", &read.diagnostics, &[file], false));
        let scenario = read.scenario.unwrap();
        let matrix = shipped(scenario.plays_at.unwrap());
        let outlook = play_all(&scenario, &matrix, &WhatIf::default(), 200);
        shown.push_str(&format!("{name}\n"));
        for role in &outlook.roles {
            let p = role.quantiles.map(|quantile| quantile.seconds.map_or("-".into(), |s| format!("{s:.0}s")));
            let (role_name, called, engaged, covered) = (&role.role, role.called, role.engaged, role.covered);
            let alerts = role.alerts.map_or(String::new(), |alerts| format!(", after alert {alerts}"));
            let before: Vec<String> = role
                .before
                .iter()
                .filter_map(|before| Some(format!(", {:.0} min before {}", before.seconds? / 60.0, before.what)))
                .collect();
            let (p, before) = (p.join(" "), before.concat());
            shown.push_str(&format!(
                "  {role_name}: called {called}, engaged {engaged}, covered {covered}; {p}{alerts}{before}\n"
            ));
        }
        for finding in &outlook.score.findings {
            // So few runs leave some of them open; none may be known not to hold.
            assert_ne!(finding.verdict, HypothesisVerdict::NotHeld, "{name}: {}", finding.hypothesis);
            let hangs = finding.bottleneck.as_ref().map_or(String::new(), |found| format!(" ({})", found.cause));
            shown.push_str(&format!("  {}: {}{hangs}\n", finding.hypothesis, finding.verdict));
        }
    }
    insta::assert_snapshot!("shipped_scenarios", shown);
}

/// One event a line, told without clocks.
#[test]
fn a_scripted_run_is_told_in_order_without_clocks() {
    let matrix = small();
    let script = "[[answer]]\nat = \"20s\"\nperson = \"ana\"\nsays = \"standby 2\"\n\
                  [[answer]]\nat = \"25s\"\nperson = \"ana\"\nsays = \"unable\"\n\
                  [[answer]]\nat = \"28s\"\nperson = \"bo\"\nsays = \"wilco\"\n";
    let scenario = scenario_of(&format!("compress = 5\n{BOOM}{script}"), &matrix);
    let told = scripted(&scenario, &matrix, start());
    assert_eq!(told.len(), 1);
    insta::assert_snapshot!("scripted_run", told[0].join("\n"));
    // The events of any incident can be told in this way.
    let setting = SimulationSetting::scripted(&scenario, &matrix, start());
    let cases = setting.cases(0, 0);
    let again = sequence(cases[0].events.iter().map(|(at, event)| (*at, event)));
    assert_eq!(told[0], again);
}

/// What the script says after somebody has the role is played too: they may hand it back.
#[test]
fn a_script_may_hand_back() {
    let matrix = small();
    let script = "[[answer]]\nat = \"20s\"\nperson = \"ana\"\nsays = \"wilco\"\n\
                  [[answer]]\nat = \"30s\"\nperson = \"ana\"\nsays = \"unable\"\n\
                  [[answer]]\nat = \"45s\"\nperson = \"bo\"\nsays = \"wilco\"\n";
    let scenario = scenario_of(&format!("{BOOM}{script}"), &matrix);
    let told = scripted(&scenario, &matrix, start());
    let has = |line: &str| told[0].iter().position(|told| told == line).unwrap_or_else(|| panic!("{line}: {told:#?}"));
    let order = ["trader engaged: ana", "trader handed back: ana", "trader engaged: bo"].map(has);
    assert!(order.is_sorted(), "{told:#?}");
}

/// The limit on what a trigger opens holds in virtual time as on the daemon.
#[test]
fn what_a_trigger_would_open_beyond_its_limit_is_counted_in_one_incident() {
    let matrix =
        small_text().replace("on = [\"boom\"]", "on = [\"boom\"]\nkey = 'alert.labels.n'\nopenings_per_minute = 2");
    let matrix = fixture::parsed(&matrix, start());
    let inject = |at: u64, n: u64| format!("[[inject]]\nat = \"{at}s\"\nkind = \"boom\"\nlabels = {{ n = \"{n}\" }}\n");
    // Of the last two the first is known, and the second comes when the minute is over.
    let injects: String = [(10, 1), (11, 2), (12, 3), (13, 4), (14, 3), (80, 5)].map(|(at, n)| inject(at, n)).concat();
    let text = BOOM.replace("[[inject]]\nat = \"10s\"\nkind = \"boom\"\n", &injects);
    let told = scripted(&scenario_of(&text, &matrix), &matrix, start());
    let opened: Vec<&str> = told.iter().map(|lines| &*lines[0]).collect();
    let keys = ["crash/1", "crash/2", "stentor:overflow/crash", "crash/5"];
    assert_eq!(opened, keys.map(|key| format!("opened drill:{key} by boom")));
    let counted: Vec<&String> =
        told[2].iter().filter(|line| line.contains("counted") || line.contains("joined")).collect();
    assert_eq!(counted, ["counted drill:crash/3 of boom", "counted drill:crash/4 of boom", "joined boom again"]);
    assert!(told[2].iter().any(|line| line.starts_with("page to ana by sms for trader: brief")), "{:?}", told[2]);
}

fn stentor(arguments: &[&str]) -> std::process::Output {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_stentor"));
    command.current_dir(root()).env_remove("STENTOR_MATRIX").args(arguments).output().unwrap()
}

#[test]
fn the_command_says_by_its_exit_whether_it_holds_and_says_the_same_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("too-fast.toml");
    std::fs::write(&path, shipped_text("slack-outage").replace("within  = \"60s\"", "within  = \"5s\"")).unwrap();
    let path = path.to_str().unwrap();
    let arguments = ["simulate", path, "--runs", "60", "--seed", "5", "--absent", "ana", "--json"];
    let (first, second) = (stentor(&arguments), stentor(&arguments));
    assert_eq!(first.status.code(), Some(1), "{}", String::from_utf8_lossy(&first.stderr));
    assert_eq!(first.stdout, second.stdout);
    let told: serde_json::Value = serde_json::from_slice(&first.stdout).unwrap();
    assert_eq!(told["what_ifs"][1]["what_if"], "ana absent");
    assert_eq!(told["what_ifs"][0]["score"]["findings"][0]["verdict"], "not-held");
    let table = stentor(&["simulate", path, "--runs", "60", "--without", "sms"]);
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.contains("without sms") && table.contains("held up by trader step 1"), "{table}");
    let rows = table.lines().filter(|line| line.contains("as it is") || line.contains("without sms"));
    assert!(
        rows.clone().count() > 2 && rows.filter(|row| row.ends_with(' ')).all(|row| row.chars().count() <= 80),
        "{table}"
    );
}

#[test]
fn a_bad_scenario_is_refused_and_nothing_is_played() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bad.toml");
    std::fs::write(&path, BOOM.replace("[hypothesis.trader]", "[hypothesis.treader]")).unwrap();
    let path = path.to_str().unwrap();
    let checked = stentor(&["scenario", "check", path]);
    assert_eq!(checked.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&checked.stdout).contains("did you mean `trader`?"));
    let played = stentor(&["simulate", path]);
    assert_eq!((played.status.code(), played.stdout.len()), (Some(2), 0));
}
