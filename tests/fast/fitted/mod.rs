//! People and channels fitted to history: near the truth where much was seen, near the assumption where little was, and
//! who never answered is not left out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

use crate::fixture;

#[allow(dead_code, reason = "reports use the rest of it")]
use crate::past;

use past::{Dice, Past};
use std::{path::Path, process::Command, sync::Arc, time::Duration};
use stentor::{
    core::{
        Answer, AnswerVia, EscalationPlan, FaultKind, GivenAnswer, IncidentId, IncidentInput, Page, SendOutcome,
        SendReceipt, StandIn, StepTarget, page::PageStage,
    },
    drill::{
        Scenario,
        analysis::{
            mixture::{CompetingTimes, LogNormal, MixtureBelief, TimeObservation, fit},
            response_history::{EstimateBasis, FittedModel, PersonFit, ResponseHistory},
        },
        scenario::distribution::DelayDistribution,
    },
    engine::history::each_incident,
    matrix::{Matrix, SourceText},
    report::gather,
    store::Store,
};

const ROLES: &str = r#"
[role.trader]
step = [{ page = ["ana"], by = ["sms"], wait = "60m" }]
[role.it]
step = [{ page = ["bo"], by = ["sms"], wait = "60m" }]
[trigger.crash]
on = ["boom"]
roles = ["trader"]
[trigger.outage]
on = ["bang"]
roles = ["it"]
[person.cy]
name = "Cy"
phone = "+447700900013"
[catch-all]
page = ["bo", "cy"]
by = ["sms", "desk"]
"#;

const SCENARIO: &str = r#"
name = "boom"
summary = "it goes boom"
ends = "10m"
[[inject]]
at = "0s"
kind = "boom"
[hypothesis.trader]
percent = 50
within = "60s"
"#;

/// What ana really does.
const TRUE_MEDIAN: f64 = 80.0;
const TRUE_P90: f64 = 200.0;

/// What is assumed of an SMS under way, where its provider reports nothing.
const UNDER_WAY: f64 = 4.0;

fn matrix_text() -> String {
    fixture::TWO_PEOPLE.to_owned() + ROLES
}

fn matrix() -> Matrix {
    fixture::parsed(&matrix_text(), fixture::START)
}

fn scenario(text: &str, matrix: &Matrix) -> Scenario {
    let read = Scenario::read(&SourceText { path: "boom.toml".into(), text: text.into() }, matrix);
    read.scenario.unwrap_or_else(|| panic!("{:#?}", read.diagnostics))
}

/// One incident: its person answers this long after the page is theirs, unless it is over before.
struct Crisis {
    trigger: &'static str,
    answers: Option<f64>,
    says: Answer,
    over: f64,
    drill: bool,
}

impl Crisis {
    fn answered(after: f64) -> Self {
        Self { trigger: "crash", answers: Some(after), says: Answer::Wilco, over: 3000.0, drill: false }
    }
}

fn plan(trigger: &str) -> EscalationPlan {
    EscalationPlan::clone(&matrix().plan(&trigger.into()).unwrap())
}

async fn first_page(past: &Past, id: IncidentId) -> u32 {
    past.pages(id).await.iter().find(|page| page.purpose.is_brief()).unwrap().n
}

/// A page that its provider took after half a second.
async fn taken(past: &Past, crisis: &Crisis) -> (IncidentId, u32) {
    let id = past.open(plan(crisis.trigger), crisis.drill).await;
    let (page, sent_at) = (first_page(past, id).await, Some(past.now()));
    past.hands.pass(Duration::from_millis(500));
    let settlement = SendOutcome::Accepted { receipt: SendReceipt::default() };
    past.step(id, vec![IncidentInput::Settled { page, settlement, sent_at, text: None }]).await;
    (id, page)
}

async fn live(past: &Past, crisis: &Crisis) {
    let (id, page) = taken(past, crisis).await;
    let pass = |seconds: f64| past.hands.pass(Duration::from_secs_f64(seconds));
    match crisis.answers.filter(|after| *after < crisis.over) {
        Some(after) => {
            pass(UNDER_WAY + after);
            let person = if crisis.trigger == "crash" { "ana" } else { "bo" };
            let said = GivenAnswer {
                person: person.into(),
                answer: crisis.says,
                via: AnswerVia::Sms,
                page: Some(page),
                role: None,
                origin: None,
            };
            past.step(id, vec![IncidentInput::Answer(said)]).await;
        }
        None => pass(UNDER_WAY + crisis.over),
    }
    past.resolve(id, None).await;
    pass(3600.0);
}

async fn history(past: &Past) -> ResponseHistory {
    let (mut history, now) = (ResponseHistory::default(), past.now());
    each_incident(&*past.store, gather(&mut history, now)).await.unwrap();
    history
}

async fn history_of(crises: &[Crisis]) -> ResponseHistory {
    let past = Past::in_memory();
    for crisis in crises {
        live(&past, crisis).await;
    }
    history(&past).await
}

fn fitted(history: &ResponseHistory, text: &str) -> (Scenario, FittedModel) {
    let matrix = matrix();
    history.fit(&scenario(text, &matrix), &matrix)
}

fn person<'a>(fitted: &'a FittedModel, name: &str) -> &'a PersonFit {
    fitted.people.iter().find(|fit| fit.person.as_str() == name).unwrap()
}

/// Two hundred times ana, who answers as she truly does, or never in one of five; often it is over before.
fn two_hundred() -> Vec<Crisis> {
    let (mut dice, times) = (
        Dice(2010),
        DelayDistribution::log_normal(Duration::from_secs_f64(TRUE_MEDIAN), Duration::from_secs_f64(TRUE_P90)),
    );
    let mut crisis = |n: u32| {
        let (time, comes, over) =
            (times.quantile(dice.share()).as_secs_f64(), dice.share(), 20.0 + 340.0 * dice.share());
        let says = if dice.share() < 0.25 { Answer::Unable } else { Answer::Wilco };
        let answers = (0.2 <= comes).then_some(time);
        Crisis { trigger: "crash", answers, says, over, drill: n.is_multiple_of(4) }
    };
    (0..200).map(&mut crisis).collect()
}

#[tokio::test]
async fn two_hundred_crises_show_how_somebody_answers_and_the_unanswered_are_not_left_out() {
    let crises = two_hundred();
    let history = history_of(&crises).await;
    let (_, fitted) = fitted(&history, SCENARIO);
    let ana = person(&fitted, "ana");
    let sms = ana.answers["sms"];
    assert_eq!((fitted.incidents, fitted.drills, ana.asked, ana.ignores.of), (200, 50, 200, 200));
    assert_eq!((sms.seen + sms.censored, sms.basis), (200, EstimateBasis::Fitted));
    let near = |is: f64, truth: f64, by: f64| (is / truth - 1.0).abs() < by;
    assert!(near(sms.median_s, TRUE_MEDIAN, 0.15) && near(sms.p90_s, TRUE_P90, 0.3), "{sms:?}");
    assert!((0.12..0.28).contains(&ana.ignores.share), "{:?}", ana.ignores);
    assert!((0.17..0.33).contains(&ana.unable.share), "{:?}", ana.unable);
    // Those who answered alone would look much quicker, and everybody who was cut short would look silent.
    let mut answered: Vec<f64> =
        crises.iter().filter_map(|crisis| crisis.answers.filter(|after| *after < crisis.over)).collect();
    answered.sort_by(f64::total_cmp);
    let (naive, silent) = (answered[answered.len() / 2], 200 - answered.len());
    assert_eq!((answered.len(), silent), (sms.seen, ana.ignores.hits));
    assert!(naive < 0.88 * sms.median_s, "{naive} of {sms:?}");
    assert!(1.4 * ana.ignores.share < silent as f64 / 200.0, "{silent}: {:?}", ana.ignores);
}

/// Ana takes it after ten seconds and hands it back after five minutes; Bo, who was told that she has it, takes it then.
#[tokio::test]
async fn whoever_was_released_is_not_slow_because_it_was_handed_back() {
    let past = Past::in_memory();
    for _ in 0..20 {
        let mut plan = plan("crash");
        plan.roles.get_mut("trader").unwrap().steps[0].page.push(StepTarget::Person("bo".into()));
        let id = past.open(plan, false).await;
        past.accept(id, None).await;
        let says = async |person: &str, answer, after: u64| {
            past.hands.pass(Duration::from_secs(after));
            let pages = past.pages(id).await;
            let theirs =
                |page: &&Arc<Page>| page.purpose.is_brief() && page.person.as_ref().unwrap().as_str() == person;
            let page = Some(pages.iter().rev().find(theirs).unwrap().n);
            let said =
                GivenAnswer { person: person.into(), answer, via: AnswerVia::Sms, page, role: None, origin: None };
            past.step(id, vec![IncidentInput::Answer(said)]).await;
            past.accept(id, None).await;
        };
        says("ana", Answer::Wilco, 10).await;
        says("ana", Answer::Unable, 290).await;
        says("bo", Answer::Wilco, 15).await;
        past.resolve(id, None).await;
        past.hands.pass(Duration::from_secs(3600));
    }
    let (_, fitted) = fitted(&history(&past).await, SCENARIO);
    let (ana, bo) = (person(&fitted, "ana"), person(&fitted, "bo"));
    assert_eq!((ana.asked, ana.answered, ana.unable.hits), (20, 20, 0), "she took it, whatever came of it");
    // He was released after ten seconds: that he had not answered by then is all that is known of him.
    assert_eq!((bo.asked, bo.answered), (20, 0));
    assert_eq!((bo.answers["sms"].seen, bo.answers["sms"].censored), (0, 20));
    assert!(bo.answers["sms"].median_s < 305.0, "{:?}", bo.answers["sms"]);
}

#[test]
fn the_estimate_is_right_on_average_where_half_of_all_is_cut_short() {
    let truth = LogNormal { mean: 4.0, spread: 0.8 };
    let times = truth.distribution();
    let assumed = MixtureBelief { never: 0.2, times: vec![truth] };
    let (mut mean, mut spread, mut never) = (0.0, 0.0, 0.0);
    for seed in 0..20 {
        let mut dice = Dice(seed);
        let mut trial = || {
            let (time, over) = (times.quantile(dice.share()).as_secs_f64(), 10.0 + 150.0 * dice.share());
            let came = 0.2 <= dice.share() && time < over;
            let log = if came { time.ln() } else { over.ln() };
            CompetingTimes { came, waits: vec![TimeObservation { of: 0, log, happened: came }] }
        };
        let belief = fit(&(0..200).map(|_| trial()).collect::<Vec<_>>(), &assumed);
        (mean, spread) = (mean + belief.times[0].mean / 20.0, spread + belief.times[0].spread / 20.0);
        never += belief.never / 20.0;
    }
    assert!((mean - truth.mean).abs() < 0.05 && (spread - truth.spread).abs() < 0.05, "{mean} {spread}");
    assert!((never - 0.2).abs() < 0.03, "{never}");
}

#[tokio::test]
async fn a_single_answer_leaves_the_assumption_nearly_as_it_was() {
    let mut late = Crisis::answered(600.0);
    late.trigger = "outage";
    let history = history_of(&[late]).await;
    let assumed = format!("{SCENARIO}[people.bo]\nanswers = {{ median = \"10s\", p90 = \"20s\" }}\nignores = 0.5\n");
    for (text, low, high, never) in [(SCENARIO, 35.0, 50.0, 0.1), (assumed.as_str(), 10.0, 16.0, 0.5)] {
        let (played, fitted) = fitted(&history, text);
        let (ana, bo) = (person(&fitted, "ana"), person(&fitted, "bo"));
        let sms = bo.answers["sms"];
        assert!(low < sms.median_s && sms.median_s < high && sms.basis == EstimateBasis::MostlyAssumed, "{sms:?}");
        assert!(bo.ignores.share < never && 0.8 * never < bo.ignores.share, "{:?}", bo.ignores);
        assert_eq!((ana.asked, ana.answers.len(), ana.ignores.basis), (0, 0, EstimateBasis::Assumed));
        // The simulation draws from that, and from the assumption where there is nothing.
        let habits = played.response_model_of(&"bo".into());
        assert!((habits.by_channel["sms"].quantile(0.5).as_secs_f64() - sms.median_s).abs() < 1e-3);
        assert_eq!(habits.ignores, Some(bo.ignores.share));
        assert_eq!(played.response_model_of(&"ana".into()), scenario(text, &matrix()).response_model_of(&"ana".into()));
    }
}

#[tokio::test]
async fn what_a_person_says_after_the_end_does_not_count_and_silence_alone_is_believed_slowly() {
    let silent = || Crisis { answers: None, over: 300.0, ..Crisis::answered(0.0) };
    let few: Vec<Crisis> = (0..5).map(|_| silent()).collect();
    let many: Vec<Crisis> = (0..100).map(|_| silent()).collect();
    let never = async |crises: &[Crisis]| person(&fitted(&history_of(crises).await, SCENARIO).1, "ana").ignores.share;
    let (few, many) = (never(&few).await, never(&many).await);
    assert!((0.2..0.5).contains(&few) && 0.85 < many, "{few} {many}");
    let past = Past::in_memory();
    let (id, page) = taken(&past, &silent()).await;
    past.hands.pass(Duration::from_secs(60));
    past.resolve(id, None).await;
    past.hands.pass(Duration::from_secs(60));
    let said = GivenAnswer {
        person: "ana".into(),
        answer: Answer::Wilco,
        via: AnswerVia::Sms,
        page: Some(page),
        role: None,
        origin: None,
    };
    past.step(id, vec![IncidentInput::Answer(said)]).await;
    let late = fitted(&history(&past).await, SCENARIO).1;
    let ana = person(&late, "ana");
    assert_eq!((ana.asked, ana.answered, ana.answers["sms"].censored), (1, 0, 1));
}

#[tokio::test]
async fn channels_are_fitted_to_what_their_providers_reported() {
    let past = Past::in_memory();
    for n in 0..60 {
        let (id, page) = taken(&past, &Crisis::answered(0.0)).await;
        past.hands.pass(Duration::from_secs(9));
        let report = match n % 3 {
            0 => IncidentInput::Undelivered { page, why: "absent subscriber".into() },
            _ => IncidentInput::Reported { page, stage: PageStage::Delivered },
        };
        past.step(id, vec![report]).await;
        past.resolve(id, None).await;
        past.hands.pass(Duration::from_secs(3600));
    }
    let (played, fitted) = fitted(&history(&past).await, SCENARIO);
    let channel = |name: &str| fitted.channels.iter().find(|fit| fit.channel.as_str() == name).unwrap();
    let (sms, desk) = (channel("sms"), channel("desk"));
    // Forty times 9 s, and what is assumed ten times.
    let median = ((40.0 * 9_f64.ln() + 10.0 * UNDER_WAY.ln()) / 50.0).exp();
    assert!((sms.delivers.median_s - median).abs() < 1e-6 && sms.delivers.basis == EstimateBasis::Fitted, "{sms:?}");
    assert!((0.4..0.5).contains(&sms.accepts.median_s) && sms.accepts.seen == 60, "{sms:?}");
    assert!((0.25..0.33).contains(&sms.lost.share) && sms.lost.hits == 20, "{sms:?}");
    assert_eq!((desk.accepts.basis, desk.lost.basis), (EstimateBasis::Assumed, EstimateBasis::Assumed));
    assert_eq!(played.carriage["sms"].lost, Some(sms.lost.share));
    assert_eq!(played.carriage["desk"].lost, None);
}

/// What a drill did on purpose and what was kept in the sandbox say nothing about people and channels.
#[tokio::test]
async fn the_absent_on_purpose_and_the_sandbox_are_left_out() {
    let past = Past::in_memory();
    for stand_in in [StandIn::Drill, StandIn::Sandbox] {
        let id = past.open(plan("crash"), stand_in == StandIn::Drill).await;
        let page = first_page(&past, id).await;
        let fault = FaultKind::Absent { person: "ana".into() };
        let receipt = SendReceipt::of_stand_in(stand_in, fault.to_string());
        let settlement = SendOutcome::Accepted { receipt };
        let settled = IncidentInput::Settled { page, settlement, sent_at: Some(past.now()), text: None };
        past.step(id, vec![IncidentInput::Injected { page, fault }, settled]).await;
        past.hands.pass(Duration::from_secs(300));
        past.resolve(id, None).await;
    }
    // Nor does a channel that a drill has down.
    let id = past.open(plan("outage"), true).await;
    let (page, fault) = (first_page(&past, id).await, FaultKind::Broken { channel: "sms".into() });
    let settlement = SendOutcome::Unreachable { why: fault.to_string() };
    let settled = IncidentInput::Settled { page, settlement, sent_at: None, text: None };
    past.step(id, vec![IncidentInput::Injected { page, fault }, settled]).await;
    past.resolve(id, None).await;
    let (_, fitted) = fitted(&history(&past).await, SCENARIO);
    assert_eq!((fitted.incidents, fitted.drills, fitted.sandboxed), (3, 2, 1));
    for name in ["ana", "bo"] {
        let fit = person(&fitted, name);
        assert_eq!((fit.asked, fit.ignores.hits, fit.ignores.basis), (0, 0, EstimateBasis::Assumed), "{name}");
    }
    assert!(
        fitted.channels.iter().all(|channel| channel.accepts.basis == EstimateBasis::Assumed),
        "{:?}",
        fitted.channels
    );
}

fn stentor(arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_stentor")).args(arguments).output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code().unwrap(), text)
}

fn a_state_folder(dir: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let past = Past::at(dir).await;
        for n in 0..14 {
            live(&past, &Crisis::answered(200.0 + f64::from(n))).await;
        }
        live(&past, &Crisis { trigger: "outage", ..Crisis::answered(20.0) }).await;
        past.disk.unwrap().close().await;
    });
}

#[test]
fn the_command_reads_a_state_folder_says_what_is_measured_and_says_the_same_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    std::fs::create_dir(path("matrix")).unwrap();
    std::fs::write(path("matrix/matrix.toml"), matrix_text()).unwrap();
    std::fs::write(path("boom.toml"), SCENARIO).unwrap();
    a_state_folder(&dir.path().join("state"));
    let (matrix, file, state) = (path("matrix"), path("boom.toml"), path("state"));
    let base =
        ["--matrix", matrix.as_str(), "simulate", file.as_str(), "--runs", "300", "--at", "2026-11-23T10:00:00Z"];
    let with = |more: &[&str]| stentor(&[&base[..], more].concat());
    let (held, table) = with(&["--history", &state]);
    for line in ["ana by sms: 14 answers in history, fitted", "bo by sms: 1 answer in history, mostly assumed"] {
        assert!(table.contains(line), "{line}:\n{table}");
    }
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
    // She is slower than what is assumed of anybody: what holds by the assumption does not by what was measured.
    assert_eq!((with(&[]).0, held), (0, 1), "{table}");
    let json = |state: &str| with(&["--json", "--history", state]).1;
    let (first, second) = (json(&state), json(&state));
    assert_eq!(first, second);
    let told: serde_json::Value = serde_json::from_str(&first).unwrap();
    assert_eq!(told["history"]["people"][0]["answers"]["sms"]["basis"], "fitted");
    assert_eq!(told["history"]["people"][1]["answers"]["sms"]["basis"], "mostly-assumed");
    assert_eq!(told["history"]["channels"][0]["accepts"]["basis"], "assumed");
    let (code, words) = with(&["--history", &path("nowhere")]);
    assert!(code == 2 && words.contains("there is no journal"), "{code} {words}");
}
