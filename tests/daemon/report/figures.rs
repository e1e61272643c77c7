//! Figures over pasts whose right answer is known.

use super::past::{Dice, Past, measured_plan, received};
use std::{collections::BTreeSet, time::Duration};
use stentor::{
    core::{Actor, Answer, ClassificationKind, DrillTerms, IncidentInput, RoleName, Timestamp, Zones},
    drill::{IncidentTrace, RunObservation, analysis::run_analysis::AnalysisStage},
    engine::history::{ChainPortion, HistoryControl, chain, each_incident},
    report::{
        IncidentTexts, IncidentTimeline, TteGrouping, TteQuestion, TteReport, TteTally,
        ended::Endings,
        facts::facts,
        gather,
        group::GroupReport,
        target::{TargetVerdict, role_in_time},
        triggers::{TriggerTally, TriggersReport},
    },
    store::Store,
};

async fn tte(past: &Past, question: TteQuestion) -> TteReport {
    let (mut tally, now) = (TteTally::new(question), past.now());
    each_incident(&*past.store, gather(&mut tally, now)).await.unwrap();
    tally.report(now)
}

fn by(by: TteGrouping) -> TteQuestion {
    TteQuestion { by, ..TteQuestion::default() }
}

fn group<'a>(report: &'a TteReport, name: &str) -> &'a GroupReport {
    let groups = &report.figures.groups;
    let names: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
    groups.iter().find(|group| group.name == name).unwrap_or_else(|| panic!("no {name} among {names:?}"))
}

/// Three incidents: the trader is engaged on the first step after 20 s, on the second after 70 s, and covered by the
/// head of desk; compliance is engaged after 20 s, after 70 s, and never.
async fn three(past: &Past) {
    let first = past.open(measured_plan(), false).await;
    past.accept(first, None).await;
    past.pass(first, 20.0).await;
    past.answer(first, "trader", Answer::Wilco).await;
    past.answer(first, "compliance", Answer::Roger).await;
    past.answer(first, "it", Answer::Wilco).await;
    past.resolve(first, Some(ClassificationKind::True)).await;
    let second = past.open(measured_plan(), false).await;
    past.accept(second, None).await;
    past.pass(second, 70.0).await;
    past.answer(second, "trader", Answer::Wilco).await;
    past.answer(second, "compliance", Answer::Roger).await;
    past.answer(second, "it", Answer::Wilco).await;
    past.resolve(second, Some(ClassificationKind::Benign)).await;
    let third = past.open(measured_plan(), false).await;
    past.accept(third, None).await;
    past.pass(third, 150.0).await;
    past.answer(third, "head-of-desk", Answer::Wilco).await;
    past.pass(third, 50.0).await;
}

#[tokio::test]
async fn the_unanswered_count_and_a_covered_role_is_never_engaged() {
    let past = Past::in_memory();
    three(&past).await;
    let report = tte(&past, by(TteGrouping::Role)).await;
    assert_eq!((report.figures.incidents, report.unreadable, report.duplicates_left_out), (3, 0, 0));
    let trader = group(&report, "trader");
    assert_eq!((trader.n, trader.engaged), (3, 2));
    assert_eq!(trader.p50.time, Some(70.0), "the covered one counts as not engaged");
    assert_eq!(trader.p90.time, None, "not reached");
    assert_eq!(trader.ended, Endings { engaged: 2, covered: 1, ..Endings::default() });
    let head = group(&report, "head-of-desk");
    assert_eq!((head.n, head.engaged, head.p50.time), (1, 1, Some(40.0)), "its clock began when it was entered");
    let (open, it) = (group(&report, "compliance"), group(&report, "it"));
    assert_eq!((open.n, open.engaged), (3, 2));
    assert_eq!((it.n, it.engaged, it.ended.open), (3, 2, 1));
    assert_eq!(open.ended, Endings { engaged: 2, open: 1, ..Endings::default() });
    assert_eq!(
        (report.figures.whole.n, report.figures.whole.engaged),
        (3, 2),
        "whole only when the last required role is engaged"
    );
    assert_eq!(report.figures.whole.p50.time, Some(70.0));
}

#[tokio::test]
async fn steps_and_channels_have_clocks_of_their_own() {
    let past = Past::in_memory();
    three(&past).await;
    let steps = tte(&past, TteQuestion { role: Some(RoleName::from("trader")), ..by(TteGrouping::Step) }).await;
    let (one, two) = (group(&steps, "trader step 1"), group(&steps, "trader step 2"));
    assert_eq!((one.n, one.engaged, one.p50.time), (3, 1, None));
    assert_eq!((one.ended.elsewhere, one.ended.covered), (1, 1), "another step's answer is none of this one's");
    // Entered at the first stride after 45 s, answered 20 s later.
    assert_eq!((two.n, two.engaged, two.p50.time), (2, 1, Some(20.0)));
    let channels = tte(&past, by(TteGrouping::Channel)).await;
    let mail = group(&channels, "mail");
    assert_eq!((mail.n, mail.engaged), (3, 2), "compliance alone has had mail");
    let hours = tte(&past, TteQuestion { zone: Zones::bundled().get("Europe/London"), ..by(TteGrouping::Hour) }).await;
    assert_eq!(hours.zone, "Europe/London");
    assert_eq!(group(&hours, "09:00").n, 11);
    let tokyo = tte(&past, TteQuestion { zone: Zones::bundled().get("Asia/Tokyo"), ..by(TteGrouping::Hour) }).await;
    assert_eq!(group(&tokyo, "18:00").n, 11);
}

#[tokio::test]
async fn drills_duplicates_and_the_past_are_kept_apart() {
    let past = Past::in_memory();
    let mut dice = Dice(1);
    for n in 0..6 {
        past.crisis(&mut dice, n % 3 == 0).await;
    }
    let duplicate = past.open(measured_plan(), false).await;
    past.resolve(duplicate, Some(ClassificationKind::Duplicate)).await;
    let known = |report: &TteReport| (report.figures.incidents, report.duplicates_left_out);
    let live = tte(&past, by(TteGrouping::Role)).await;
    let drills = tte(&past, TteQuestion { drills: true, ..by(TteGrouping::Role) }).await;
    let all = tte(&past, TteQuestion { duplicates: true, ..by(TteGrouping::Role) }).await;
    assert_eq!(known(&live).0 + known(&live).1 + known(&drills).0 + known(&drills).1, 7);
    assert_eq!(known(&drills).0 + known(&drills).1, 2, "two of the six were drills");
    assert_eq!(known(&all), (known(&live).0 + known(&live).1, 0));
    let since = Some(Timestamp::from_micros(past.now().as_micros() - 60_000_000));
    let recent = tte(&past, TteQuestion { since, duplicates: true, ..by(TteGrouping::Role) }).await;
    assert_eq!(recent.figures.incidents, 1);
}

#[tokio::test]
async fn a_target_is_met_not_met_or_there_are_too_few_to_say() {
    let past = Past::in_memory();
    for n in 0..40 {
        let id = past.open(measured_plan(), false).await;
        past.accept(id, None).await;
        past.pass(id, 10.0).await;
        past.answer(id, "compliance", Answer::Roger).await;
        if n < 10 {
            past.answer(id, "it", Answer::Wilco).await;
        }
        past.pass(id, 65.0).await;
        past.answer(id, "trader", Answer::Wilco).await;
        past.resolve(id, None).await;
        past.hands.pass(Duration::from_secs(60));
    }
    let report = tte(&past, by(TteGrouping::Role)).await;
    let verdict = |role: &str| group(&report, role).target.unwrap();
    // Thirty-six of thirty-six are the first that show 90 %; these are forty.
    assert_eq!((verdict("compliance").verdict, group(&report, "compliance").engaged), (TargetVerdict::Met, 40));
    assert_eq!(verdict("trader").verdict, TargetVerdict::NotMet);
    assert_eq!(verdict("trader").share.unwrap().share, 0.0);
    // Thirty were closed after 75 s without an answer: nobody will be engaged in those within its 120 s.
    assert_eq!((verdict("it").verdict, verdict("it").share.unwrap().share), (TargetVerdict::NotMet, 0.25));
    assert_eq!(group(&report, "it").ended.closed_by_human, 30);
}

/// An incident in which nobody but `answers` does anything, closed after `seconds`.
async fn closed(past: &Past, answers: bool, seconds: f64, by: Actor) {
    let id = past.open(measured_plan(), false).await;
    past.accept(id, None).await;
    if answers {
        past.pass(id, 2.0).await;
        past.answer(id, "trader", Answer::Wilco).await;
    }
    past.pass(id, seconds).await;
    past.step(id, vec![IncidentInput::Resolve { by, why: None }]).await;
    past.hands.pass(Duration::from_secs(60));
}

#[tokio::test]
async fn sixty_that_the_monitor_closed_and_forty_that_were_answered_are_forty_percent_and_a_missed_target() {
    let past = Past::in_memory();
    for n in 0..100 {
        closed(&past, n % 5 < 2, 1.0, Actor::Source("prom".into())).await;
    }
    let report = tte(&past, by(TteGrouping::Role)).await;
    let trader = group(&report, "trader");
    let target = trader.target.unwrap();
    let share = target.share.unwrap();
    assert!((share.share - 0.4).abs() < 1e-12, "{share:?}");
    assert_eq!((target.verdict, share.effective_n), (TargetVerdict::NotMet, 100.0));
    assert_eq!(trader.ended, Endings { engaged: 40, closed_by_monitor: 60, ..Endings::default() });
    assert_eq!((trader.p50.time, trader.kaplan_meier.share), (None, Some(1.0)), "what would have made it met");
    let whole = &report.figures.whole;
    assert_eq!((whole.engaged, whole.ended.closed_by_monitor), (0, 100), "compliance never answered");
    let trader = report.figures.stages.iter().find(|stages| stages.role.as_str() == "trader").unwrap();
    let engaged = trader.stages.last().unwrap();
    assert_eq!((engaged.reached, engaged.median), (40, None), "half of them never got so far");
}

#[tokio::test]
async fn each_end_is_counted_apart_and_so_is_who_was_never_reached() {
    let past = Past::in_memory();
    closed(&past, true, 5.0, Actor::Person("gus".into())).await;
    closed(&past, false, 5.0, Actor::Operator("root".into())).await;
    closed(&past, false, 5.0, Actor::Source("prom".into())).await;
    // No channel takes a single page.
    let id = past.open(measured_plan(), false).await;
    past.step(id, vec![IncidentInput::Resolve { by: Actor::Person("gus".into()), why: None }]).await;
    past.hands.pass(Duration::from_secs(60));
    // The head of desk is called in the trader's place, and let go when the trader answers after all.
    let id = past.open(measured_plan(), false).await;
    past.accept(id, None).await;
    past.pass(id, 120.0).await;
    past.answer(id, "trader", Answer::Wilco).await;
    let report = tte(&past, by(TteGrouping::Role)).await;
    let trader = group(&report, "trader").ended;
    let expected =
        Endings { engaged: 2, closed_by_human: 2, closed_by_monitor: 1, never_reached: 1, ..Endings::default() };
    assert_eq!(trader, expected);
    assert_eq!(trader.to_string(), "2 engaged, 1 closed by the monitor, 2 closed by a human (1 never reached)");
    assert_eq!(group(&report, "head-of-desk").ended, Endings { stood_down: 1, ..Endings::default() });
    assert_eq!(group(&report, "compliance").ended.open, 1);
    let channels = tte(&past, by(TteGrouping::Channel)).await;
    let sms = group(&channels, "sms").ended;
    assert_eq!(sms.engaged + sms.elsewhere, 2, "the trader's answers, each to one of two channels: {sms:?}");
}

/// A drill whose waits are divided by `compress`, answered after `seconds` or ended by its own clock.
async fn drill(past: &Past, compress: u32, answered: Option<f64>) {
    let until = past.now() + Duration::from_secs(100);
    let terms = DrillTerms { compress, ..DrillTerms::until(until) };
    let id = past.open_on(measured_plan(), true, Some(terms)).await;
    past.accept(id, None).await;
    if let Some(seconds) = answered {
        past.pass(id, seconds).await;
        past.answer(id, "trader", Answer::Wilco).await;
    }
    past.pass(id, 120.0).await;
}

#[tokio::test]
async fn drills_whose_waits_were_divided_are_in_figures_of_their_own() {
    let past = Past::in_memory();
    for (compress, answered) in [(1, Some(30.0)), (1, None), (10, Some(3.0)), (10, Some(4.0)), (100, Some(1.0))] {
        drill(&past, compress, answered).await;
    }
    let report = tte(&past, TteQuestion { drills: true, ..by(TteGrouping::Role) }).await;
    let trader = group(&report, "trader");
    assert_eq!((report.figures.incidents, trader.n, trader.engaged, trader.p50.time), (2, 2, 1, Some(30.0)));
    assert_eq!(trader.ended, Endings { engaged: 1, drill_over: 1, ..Endings::default() });
    let apart: Vec<(u32, usize, Option<f64>)> = report
        .compressed
        .iter()
        .map(|of| (of.compress, of.figures.incidents, of.figures.groups.last().unwrap().p50.time))
        .collect();
    assert_eq!(apart, [(10, 2, Some(3.0)), (100, 1, Some(1.0))]);
    let told = serde_json::to_value(&report).unwrap();
    assert_eq!((&told["incidents"], &told["compressed"][0]["compress"]), (&2.into(), &10.into()));
    assert_eq!(serde_json::from_value::<TteReport>(told).unwrap(), report);
}

#[tokio::test]
async fn a_triggers_precision_is_true_ones_among_those_with_an_outcome() {
    let past = Past::in_memory();
    for finding in [
        Some(ClassificationKind::True),
        Some(ClassificationKind::True),
        Some(ClassificationKind::False),
        Some(ClassificationKind::Duplicate),
        None,
    ] {
        let id = past.open(measured_plan(), false).await;
        past.resolve(id, finding).await;
        past.hands.pass(Duration::from_secs(60));
    }
    let drill = past.open(measured_plan(), true).await;
    past.resolve(drill, Some(ClassificationKind::False)).await;
    let (mut tally, now) = (TriggerTally::new(None), past.now());
    each_incident(&*past.store, gather(&mut tally, now)).await.unwrap();
    let TriggersReport { triggers, .. } = tally.report(now);
    assert_eq!(triggers.len(), 1);
    let crash = &triggers[0];
    let figures = (crash.incidents, crash.unsaid, crash.precision);
    assert_eq!(figures, (5, 1, Some(2.0 / 3.0)), "a duplicate is neither right nor wrong");
    assert_eq!(crash.outcomes[&ClassificationKind::True], 2);
}

#[tokio::test]
async fn an_outcome_may_be_mended_and_survives_the_fold() {
    let dir = tempfile::tempdir().unwrap();
    let past = Past::at(dir.path()).await;
    let id = past.open(measured_plan(), false).await;
    let judge = |finding| stentor::core::IncidentInput::Judge {
        by: stentor::core::Actor::Person("gus".into()),
        finding,
        note: Some("in two minds".into()),
    };
    past.step(id, vec![judge(ClassificationKind::True)]).await;
    let view = past.store.view(id).await.unwrap().unwrap();
    assert_eq!(view.judgement, None, "nobody knows what it is while it is open");
    past.resolve(id, Some(ClassificationKind::False)).await;
    past.step(id, vec![judge(ClassificationKind::Benign), judge(ClassificationKind::Benign)]).await;
    let lines = stentor::engine::history::chain(&*past.store, id).await.unwrap();
    let told = lines.iter().filter(|line| line.body.contains("\"judged\"")).count();
    assert_eq!(told, 2, "the same words again are no news");
    let folded = stentor::journal::fold_check(id, &lines).unwrap();
    assert_eq!(folded.judgement.unwrap().finding, ClassificationKind::Benign);
    past.disk.unwrap().close().await;
    let again = Past::at(dir.path()).await;
    let view = again.store.view(id).await.unwrap().unwrap();
    assert_eq!(view.judgement.as_ref().unwrap().note.as_deref(), Some("in two minds"));
}

#[tokio::test]
async fn many_incidents_are_read_one_at_a_time_and_agree_with_a_second_way_of_counting() {
    let past = Past::in_memory();
    let mut dice = Dice(2010);
    for _ in 0..40 {
        past.crisis(&mut dice, false).await;
    }
    let mut at_once = 0;
    each_incident(&*past.store, |_, portion| {
        if let ChainPortion::Lines(lines) = portion {
            at_once = at_once.max(lines.len());
        }
        HistoryControl::Rest
    })
    .await
    .unwrap();
    assert!(0 < at_once && at_once < 200, "one incident's lines, not all: {at_once}");
    let report = tte(&past, TteQuestion { duplicates: true, curves: true, ..by(TteGrouping::Role) }).await;
    // The other way: what the incidents' own states say.
    let filter = stentor::store::IncidentFilter { open_only: false, limit: 100 };
    let mut engaged = Vec::new();
    for incident in past.store.list(filter).await.unwrap() {
        let outcome = incident.engagements[&RoleName::from("trader")].outcome.clone();
        if let Some(stentor::core::EngagementOutcome::Engaged { at, .. }) = outcome {
            engaged.push(at.since(incident.opened_at).as_secs_f64());
        }
    }
    let trader = group(&report, "trader");
    assert_eq!((trader.n, trader.engaged), (40, engaged.len()));
    let events: Vec<f64> = trader.curve.windows(2).filter(|w| w[0].share < w[1].share).map(|w| w[1].time).collect();
    assert!(events.iter().all(|at| engaged.iter().any(|own| (own - at).abs() < 1e-9)));
}

/// The same incident twice: Ana takes the trader's role after 20 s and hands it back after 50 s. Once Bo takes it after
/// 80 s; once nobody does.
async fn handed_back(past: &Past) {
    for again in [true, false] {
        let id = past.open(measured_plan(), false).await;
        past.accept(id, None).await;
        past.pass(id, 20.0).await;
        past.answer(id, "trader", Answer::Wilco).await;
        past.answer(id, "compliance", Answer::Roger).await;
        past.answer(id, "it", Answer::Wilco).await;
        past.pass(id, 30.0).await;
        past.answer(id, "trader", Answer::Unable).await;
        past.accept(id, None).await;
        past.pass(id, 30.0).await;
        if again {
            past.answer(id, "trader", Answer::Wilco).await;
        }
        past.resolve(id, Some(ClassificationKind::True)).await;
        past.hands.pass(Duration::from_secs(3600));
    }
}

async fn stories(past: &Past) -> Vec<IncidentTimeline> {
    let mut ids = Vec::new();
    let note = |id, _: ChainPortion<'_>| {
        ids.push(id);
        HistoryControl::Older
    };
    each_incident(&*past.store, note).await.unwrap();
    let mut stories = Vec::new();
    for id in ids.into_iter().rev() {
        stories.push(IncidentTimeline::read(id, &chain(&*past.store, id).await.unwrap()).unwrap());
    }
    stories
}

#[tokio::test]
async fn each_time_that_a_role_is_entered_is_a_sample_of_its_own() {
    let past = Past::in_memory();
    handed_back(&past).await;
    let report = tte(&past, TteQuestion { curves: true, ..by(TteGrouping::Role) }).await;
    let trader = group(&report, "trader");
    assert_eq!((trader.n, trader.engaged, trader.ended.handed_back), (4, 1, 2));
    let engaged = trader.curve.windows(2).filter(|pair| pair[0].share < pair[1].share).map(|pair| pair[1].time);
    let engaged: Vec<f64> = engaged.map(f64::round).collect();
    let first = trader.curve.first().filter(|point| 0.0 < point.share).map(|point| point.time.round());
    let engaged: Vec<f64> = first.into_iter().chain(engaged).collect();
    assert_eq!(engaged, [30.0], "only Bo, 30 s after the hand-back: what Ana handed back did not stand");
    assert_eq!((report.figures.whole.n, report.figures.whole.engaged), (2, 1));
    assert_eq!((report.figures.hand_backs, report.figures.handed_back.len()), (2, 2));
    for back in &report.figures.handed_back {
        assert_eq!((back.role.as_str(), back.person.as_str()), ("trader", "ana"));
        assert_eq!(back.at.since(back.taken_at).as_secs(), 30);
    }
    let engaged_stage = |stage: &stentor::report::stages::StageMedian| stage.stage.as_str() == "engaged";
    let stages = report.figures.stages.iter().find(|stages| stages.role.as_str() == "trader").unwrap();
    assert_eq!(stages.stages.iter().find(|stage| engaged_stage(stage)).unwrap().reached, 1);
    assert_eq!(stages.n, 4, "the same samples as those of the quantiles");
    let median = stages.stages.iter().find(|stage| engaged_stage(stage)).unwrap().median;
    assert_eq!(median, trader.p50.time, "the median of a stage and the quantile are one figure");
    let answered = stages.stages.iter().find(|stage| stage.stage.as_str() == "answered").unwrap();
    assert_eq!(answered.reached, 1, "an answer that was taken back is not counted");
    let steps = tte(&past, by(TteGrouping::Step)).await;
    assert_eq!(group(&steps, "trader step 1").engaged, 0, "both times by Ana, who did not stay");
    assert_eq!(group(&steps, "trader step 2").engaged, 1);
}

#[tokio::test]
async fn a_review_shows_each_hand_back_with_its_times_and_asks_about_it() {
    let past = Past::in_memory();
    handed_back(&past).await;
    for (story, (took, met)) in stories(&past).await.iter().zip([("30.0 s", true), ("null", false)]) {
        let facts = serde_json::to_value(facts(story, &IncidentTexts::default(), false, past.now())).unwrap();
        let roles = facts["roles"].as_array().unwrap();
        let trader = roles.iter().find(|role| role["role"] == "trader").unwrap();
        assert_eq!(trader["took"].to_string().trim_matches('"'), took, "{trader}");
        assert_eq!(trader["met"], met, "{trader}");
        // What `show` says of the same role is the same.
        let engagement = &story.incident.engagements[&RoleName::from("trader")];
        assert_eq!(role_in_time(&story.incident, &"trader".into(), past.now()), Some(met));
        let shown = engagement.holder().and(stentor::report::target::took(engagement));
        assert_eq!(shown.map(f64::round), (took != "null").then_some(30.0), "{trader}");
        let back = &trader["handed_back"][0];
        assert_eq!((&back["who"], &back["held"]), (&"ana".into(), &"30.0 s".into()), "{trader}");
        let text = facts.to_string();
        assert!(text.contains("What made ana hand trader back after 30.0 s?"), "{text}");
        assert!(text.contains("ana handed trader back: it is open again"), "the timeline: {text}");
        assert_eq!(text.contains("Why did nobody take trader again"), took == "null", "{text}");
        let bottleneck = facts["bottleneck"]["sentence"].as_str().unwrap();
        assert!(bottleneck.starts_with("trader: ") && !bottleneck.contains("answered to engaged"), "{bottleneck}");
    }
}

#[tokio::test]
async fn a_drills_time_goes_to_whoever_had_it_and_gave_it_back() {
    let past = Past::in_memory();
    handed_back(&past).await;
    let screens = BTreeSet::from(["desk".into()]);
    for (story, engaged) in stories(&past).await.iter().zip([Some(80), None]) {
        let events: Vec<_> = story.records.iter().map(|record| (record.at, record.event.clone())).collect();
        let until = story.incident.last_at;
        let trace = IncidentTrace { incident: &story.incident, events: &events, until, screens: &screens };
        let observed = RunObservation::of(&[trace]);
        let course = &observed.roles[&RoleName::from("trader")];
        assert_eq!(course.engaged.map(|after| after.as_secs()), engaged);
        let end = Duration::from_secs(80);
        assert!(course.parts.windows(2).all(|pair| pair[0].until == pair[1].from), "no gaps: {:#?}", course.parts);
        assert_eq!(course.parts[0].from, Duration::ZERO);
        assert!(course.parts.last().unwrap().until.abs_diff(end) < Duration::from_secs(1), "{:#?}", course.parts);
        let held: Vec<_> = course.parts.iter().filter(|part| part.cause.stage == AnalysisStage::HandedBack).collect();
        let [part] = held[..] else { panic!("{:#?}", course.parts) };
        assert_eq!(part.cause.person.as_ref().unwrap().as_str(), "ana");
        assert_eq!((part.until - part.from).as_secs(), 30);
        assert_eq!(part.cause.to_string(), "trader step 1: ana had it and handed it back");
    }
}

/// Thousands of lines before it, and a ladder, do not hide how it ended.
#[tokio::test]
async fn a_chain_of_any_length_is_counted_to_its_end() {
    let past = Past::in_memory();
    let id = past.open(measured_plan(), false).await;
    past.accept(id, None).await;
    for _ in 0..11 {
        past.step(id, (0..5_000).map(|_| received()).collect()).await;
    }
    past.pass(id, 20.0).await;
    for role in ["trader", "compliance", "it"] {
        past.answer(id, role, Answer::Wilco).await;
    }
    past.resolve(id, Some(ClassificationKind::True)).await;
    let (mut lines, mut at_once) = (0, 0);
    each_incident(&*past.store, |_, portion| {
        if let ChainPortion::Lines(some) = portion {
            (lines, at_once) = (lines + some.len(), at_once.max(some.len()));
        }
        HistoryControl::Rest
    })
    .await
    .unwrap();
    assert!(55_000 < lines && at_once <= 1_000, "{lines} lines, {at_once} of them at once");
    let report = tte(&past, by(TteGrouping::Step)).await;
    assert_eq!((report.figures.incidents, report.figures.whole.n, report.figures.whole.engaged), (1, 1, 1));
    let trader = group(&report, "trader step 1");
    assert_eq!((trader.n, trader.engaged, trader.p50.time), (1, 1, Some(20.0)));
    let (mut tally, now) = (TriggerTally::new(None), past.now());
    each_incident(&*past.store, gather(&mut tally, now)).await.unwrap();
    let crash = &tally.report(now).triggers[0];
    assert_eq!((crash.unsaid, crash.outcomes.get(&ClassificationKind::True)), (0, Some(&1)));
}

/// The newest incident is where a report begins: that its row can not be read must not make it empty.
#[tokio::test]
async fn a_report_does_not_begin_at_what_can_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let past = Past::at(dir.path()).await;
    three(&past).await;
    past.disk.as_ref().unwrap().close().await;
    drop(past);
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(dir.path().join("stentor.db"));
    let mut conn = sqlx::ConnectOptions::connect(&options).await.unwrap();
    let damage =
        "UPDATE body SET body = 'gone' WHERE incident = 3; UPDATE journal SET body = 'gone' WHERE chain = 'INC-3'";
    sqlx::raw_sql(damage).execute(&mut conn).await.unwrap();
    sqlx::Connection::close(conn).await.unwrap();
    let past = Past::at(dir.path()).await;
    let report = tte(&past, by(TteGrouping::Role)).await;
    assert_eq!((report.figures.incidents, report.unreadable), (2, 1));
}
