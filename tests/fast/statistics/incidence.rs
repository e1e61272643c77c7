//! Shares with competing ends: against their referees, and what must hold of any data.

use super::{check_all, same};
use proptest::prelude::*;
use serde_json::Value;
use std::time::Duration;
use stentor::{
    core::EngagementTarget,
    report::{
        binomial::clopper_pearson,
        ended::Ended,
        group::TteGroup,
        incidence::{Ending, EndingKind, Incidence},
        target::{ReachedShare, TargetVerdict, all_of, enough, judge},
    },
};

const TABLE: &str = include_str!("incidence.json");

fn ended(time: f64, how: EndingKind) -> Ending {
    Ending { time, how }
}

fn incidence(rows: &Value) -> Incidence {
    let how = |row: &Value| match row[1].as_u64().unwrap() {
        0 => EndingKind::Waiting,
        1 => EndingKind::Happened,
        _ => EndingKind::Otherwise,
    };
    Incidence::of(rows.as_array().unwrap().iter().map(|row| ended(row[0].as_f64().unwrap(), how(row))))
}

/// Holds everything that the referees say of one set of data against what we say of it; how many figures that were.
pub fn check(case: &Value) -> usize {
    let name = case["name"].as_str().unwrap();
    let curve = incidence(&case["rows"]);
    let mut figures = 0;
    let mut figure = |ours: Option<f64>, theirs: &Value, what: &str| {
        same(ours, theirs, &format!("{name}: {what}"));
        figures += 1;
    };
    for theirs in case["points"].as_array().unwrap() {
        let at = theirs["time"].as_f64().unwrap();
        let step = curve.at(at).unwrap();
        figure(Some(step.time), &theirs["time"], "time");
        figure(Some(step.incidence), &theirs["incidence"], &format!("F({at}) by statsmodels"));
        if theirs["error"].is_f64() {
            figure(Some(step.variance.sqrt()), &theirs["error"], &format!("standard error at {at}"));
        }
        if theirs["second"].is_f64() {
            figure(Some(step.incidence), &theirs["second"], &format!("F({at}) by lifelines"));
        }
        if theirs["low"].is_f64() {
            figure(step.log_log().map(|band| band.low), &theirs["low"], &format!("lower end at {at}"));
            figure(step.log_log().map(|band| band.high), &theirs["high"], &format!("upper end at {at}"));
        }
    }
    for theirs in case["quantiles"].as_array().unwrap() {
        let p = theirs["p"].as_f64().unwrap();
        let ours = curve.quantile(p);
        figure(ours.time, &theirs["time"], &format!("quantile {p}"));
        // Where all that are left end at once, lifelines' variance is no number; ours there is in the laws below.
        if curve.steps.last().is_some_and(|last| 0.0 < last.waiting) {
            figure(ours.low, &theirs["low"], &format!("lower end of quantile {p}"));
            figure(ours.high, &theirs["high"], &format!("upper end of quantile {p}"));
        }
    }
    if let Some(by) = case["share"]["by"].as_f64() {
        let ours = ReachedShare::by(&curve, by).unwrap();
        figure(Some(ours.share), &case["share"]["share"], "share");
        figure(Some(ours.interval.low), &case["share"]["low"], "lower end of the share");
        figure(Some(ours.interval.high), &case["share"]["high"], "upper end of the share");
    }
    figures
}

#[test]
fn the_referees_checked_in_verdicts_agree_to_a_billionth() {
    assert!(5_000 < check_all(TABLE, check));
    let mut cases: Vec<Value> = serde_json::from_str(TABLE).unwrap();
    let case = cases.iter_mut().find(|case| case["points"][0]["error"].is_f64()).unwrap();
    case["points"][0]["error"] = (case["points"][0]["error"].as_f64().unwrap() + 2e-9).into();
    assert!(std::panic::catch_unwind(|| check(case)).is_err(), "a figure that is too large is found");
}

fn target(within: u64, percent: f64) -> EngagementTarget {
    EngagementTarget { within: Duration::from_secs(within), percent }
}

#[test]
fn sixty_closed_by_their_monitor_and_forty_answered_in_time_are_forty_percent_and_missed() {
    let mut group = TteGroup::default();
    for n in 0..100 {
        let (how, after) = if n < 40 { (Ended::Engaged, 2.0) } else { (Ended::ClosedByMonitor, 1.0) };
        group.add(how, after, true, Some(target(5, 90.0)));
    }
    let report = group.report("trader".into(), false);
    let told = report.target.unwrap();
    let share = told.share.unwrap();
    assert!((share.share - 0.4).abs() < 1e-12 && share.most == share.share, "{share:?}");
    assert_eq!(told.verdict, TargetVerdict::NotMet);
    assert!(share.interval.high < 0.51, "{share:?}");
    assert_eq!((report.ended.engaged, report.ended.closed_by_monitor, report.ended.open), (40, 60, 0));
    assert_eq!((report.p50.time, report.p90.time), (None, None), "half of them never were");
    // What Kaplan and Meier say beside it: all of those who were waited for. It is no verdict on anything.
    assert_eq!((report.kaplan_meier.share, report.kaplan_meier.p50.time), (Some(1.0), Some(2.0)));
}

#[test]
fn each_end_but_an_open_one_and_a_drills_own_is_known_not_to_be_an_answer() {
    for (how, known) in [
        (Ended::Covered, true),
        (Ended::StoodDown, true),
        (Ended::ClosedByMonitor, true),
        (Ended::ClosedByHuman, true),
        (Ended::Elsewhere, true),
        (Ended::Open, false),
        (Ended::DrillOver, false),
    ] {
        let curve = Incidence::of((0..40).map(|n| if n < 4 { Ended::Engaged } else { how }.after(1.0)));
        let told = judge(&curve, target(60, 90.0));
        let verdict = if known { TargetVerdict::NotMet } else { TargetVerdict::TooFew };
        assert_eq!((told.verdict, told.share.is_some()), (verdict, true), "{how:?}: {told:?}");
        let share = told.share.unwrap();
        let most = if known { share.share } else { 1.0 };
        assert!((share.most - most).abs() < 1e-12, "{how:?}: {share:?}");
    }
}

#[test]
fn few_are_too_few_to_say_and_enough_are_just_enough() {
    let all = |n: u32| Incidence::of((0..n).map(|_| ended(1.0, EndingKind::Happened)));
    let none = |n: u32| Incidence::of((0..n).map(|_| ended(1.0, EndingKind::Otherwise)));
    let verdict = |curve: &Incidence, percent| judge(curve, target(60, percent)).verdict;
    assert_eq!(verdict(&all(0), 90.0), TargetVerdict::TooFew);
    assert_eq!(verdict(&all(1), 90.0), TargetVerdict::TooFew, "one of one");
    assert_eq!(verdict(&none(1), 90.0), TargetVerdict::TooFew, "none of one");
    assert_eq!(verdict(&none(2), 90.0), TargetVerdict::NotMet, "the interval ends at 84 %");
    for percent in [50.0, 80.0, 90.0, 95.0, 99.0] {
        let n = enough(percent).unwrap();
        assert_eq!(verdict(&all(n), percent), TargetVerdict::Met, "{n} of {n} show {percent} %");
        assert_eq!(verdict(&all(n - 1), percent), TargetVerdict::TooFew, "{n} are the first");
    }
    assert_eq!((enough(90.0), enough(100.0)), (Some(36), None));
    assert_eq!(verdict(&all(10_000), 100.0), TargetVerdict::TooFew, "nobody can be sure of 100 %");
}

#[test]
fn one_that_has_just_begun_leaves_open_no_more_than_itself() {
    // All have answered within twenty seconds; the newest has been open for twenty-five, and the bound is a minute.
    let mut seen: Vec<Ending> = (0..100).map(|n| ended(f64::from(n % 20), EndingKind::Happened)).collect();
    seen.push(ended(25.0, EndingKind::Waiting));
    let told = judge(&Incidence::of(seen.iter().copied()), target(60, 90.0));
    let share = told.share.unwrap();
    assert_eq!((told.verdict, share.most), (TargetVerdict::Met, 1.0));
    assert!((share.share - 100.0 / 101.0).abs() < 1e-12, "{share:?}");
    // Nobody has been watched for a minute but one, and that one in vain: no curve makes a hundred of it.
    let mut seen: Vec<Ending> = (0..100).map(|_| ended(5.0, EndingKind::Waiting)).collect();
    seen.extend([ended(3.0, EndingKind::Happened), ended(70.0, EndingKind::Waiting)]);
    let share = judge(&Incidence::of(seen), target(60, 80.0)).share.unwrap();
    assert_eq!(share.effective_n, 2.0);
    assert!(0.8 < share.interval.high, "{share:?}");
    assert_eq!(judge(&Incidence::of([ended(5.0, EndingKind::Waiting)]), target(60, 90.0)).share, None);
}

#[test]
fn all_of_several_happen_with_the_last_and_end_with_the_first_that_ends_otherwise() {
    use EndingKind::{Happened, Otherwise, Waiting};
    let all = |endings: &[(f64, EndingKind)]| {
        let whole = all_of(endings.iter().map(|(time, how)| ended(*time, *how)).collect::<Vec<_>>());
        whole.map(|whole| (whole.time, whole.how))
    };
    assert_eq!(all(&[]), None);
    assert_eq!(all(&[(10.0, Happened), (30.0, Happened)]), Some((30.0, Happened)));
    assert_eq!(all(&[(10.0, Happened), (30.0, Waiting)]), Some((30.0, Waiting)));
    assert_eq!(
        all(&[(90.0, Happened), (30.0, Otherwise), (20.0, Otherwise), (99.0, Waiting)]),
        Some((20.0, Otherwise))
    );
}

fn any_endings() -> impl Strategy<Value = Vec<Ending>> {
    let how = prop_oneof![Just(EndingKind::Happened), Just(EndingKind::Otherwise), Just(EndingKind::Waiting)];
    // Few distinct times, so that there are ties.
    prop::collection::vec((0_u32..15, how).prop_map(|(time, how)| ended(f64::from(time), how)), 0..60)
}

proptest! {
    #[test]
    fn a_curve_is_a_share_and_every_interval_holds_it(endings in any_endings(), within in 0_u64..16) {
        let curve = Incidence::of(endings.iter().copied());
        let mut before = 0.0;
        for step in &curve.steps {
            prop_assert!(before <= step.incidence && step.incidence <= 1.0 + 1e-12, "{step:?}");
            prop_assert!(step.incidence + step.waiting <= 1.0 + 1e-12, "{step:?}");
            if let Some(band) = step.log_log() {
                prop_assert!(0.0 <= band.low && band.low <= step.incidence && step.incidence <= band.high && band.high <= 1.0);
            }
            before = step.incidence;
        }
        let Some(share) = judge(&curve, target(within, 90.0)).share else { return Ok(()) };
        let within = within as f64;
        let certain = endings.iter().filter(|e| e.how == EndingKind::Happened && e.time <= within).count() as f64;
        let lost = endings.iter().filter(|e| e.how == EndingKind::Waiting && e.time < within).count() as f64;
        let n = endings.len() as f64;
        // However those are taken that nobody watched to the end: neither below what is certain nor above what is possible.
        prop_assert!(certain / n - 1e-9 <= share.share && share.most <= (certain + lost) / n + 1e-9, "{share:?}");
        prop_assert!(share.interval.low <= share.share + 1e-9 && share.most <= share.interval.high + 1e-9, "{share:?}");
        prop_assert!(0.0 <= share.interval.low && share.interval.high <= 1.0);
        prop_assert!(share.effective_n <= n - lost + 1e-9);
        if lost == 0.0 {
            let exact = clopper_pearson(certain, n).unwrap();
            prop_assert!((share.share - certain / n).abs() < 1e-9 && share.most == share.share);
            prop_assert!((share.interval.low - exact.low).abs() < 1e-6 && (share.interval.high - exact.high).abs() < 1e-6);
        }
    }

    #[test]
    fn with_nobody_censored_the_variance_is_the_binomials(endings in any_endings()) {
        let closed: Vec<Ending> = endings.into_iter().filter(|ending| ending.how != EndingKind::Waiting).collect();
        let curve = Incidence::of(closed);
        for step in &curve.steps {
            let binomial = step.incidence * (1.0 - step.incidence) / curve.n as f64;
            prop_assert!((step.variance - binomial).abs() < 1e-9, "{step:?}: {binomial}");
        }
    }

    /// Who is covered or closed instead of answering never makes a role look better.
    #[test]
    fn an_end_without_an_answer_makes_no_share_better(endings in any_endings(), which in any::<prop::sample::Index>(), within in 0_u64..16) {
        prop_assume!(!endings.is_empty());
        let mut worse = endings.clone();
        let at = which.index(worse.len());
        worse[at].how = EndingKind::Otherwise;
        let share = |endings: &[Ending]| judge(&Incidence::of(endings.iter().copied()), target(within, 90.0)).share;
        if let (Some(better), Some(worse)) = (share(&endings), share(&worse)) {
            prop_assert!(worse.most <= better.most + 1e-9, "{worse:?} {better:?}");
        }
    }
}
