//! The statistics against a referee: lifelines, statsmodels, scikit-learn and SciPy on the same data, to a billionth. Their verdicts
//! on one set of data are checked in; with `STENTOR_REAL=1` they are asked again, on data that nobody has seen.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![allow(clippy::disallowed_methods, reason = "the referee is found by the environment")]

mod accuracy;
mod incidence;

use serde_json::Value;
use std::{env, io::Write, path::Path, process::Command, time::Duration};
use stentor::{
    drill::scenario::distribution::{DelayDistribution, normal_tail},
    report::{
        binomial::clopper_pearson,
        incidence::{Ending, EndingKind, Incidence},
        survival::{ConfidenceInterval, CurveQuantile, SurvivalCurve, SurvivalObservation},
        target::ReachedShare,
    },
};

/// How far two programs may be apart, of the larger of 1 and the value.
const APART: f64 = 1e-9;

const TABLE: &str = include_str!("referee.json");

const SHARES: &str = include_str!("shares.json");

fn observations(rows: &Value) -> Vec<SurvivalObservation> {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| SurvivalObservation { time: row[0].as_f64().unwrap(), happened: row[1].as_bool().unwrap() })
        .collect()
}

fn same(ours: Option<f64>, theirs: &Value, what: &str) {
    let alike = match (ours, theirs.as_f64()) {
        (Some(ours), Some(theirs)) => (ours - theirs).abs() <= APART * theirs.abs().max(1.0),
        (ours, theirs) => ours.is_none() && theirs.is_none(),
    };
    assert!(alike, "{what}: {ours:?}, and the referee says {theirs}");
}

/// Holds everything that the referee says of one set of data against what we say of it; how many figures that were.
fn check(case: &Value) -> usize {
    let name = case["name"].as_str().unwrap();
    let curve = SurvivalCurve::of(observations(&case["rows"]));
    let mut figures = 0;
    let mut figure = |ours: Option<f64>, theirs: &Value, what: &str| {
        same(ours, theirs, &format!("{name}: {what}"));
        figures += 1;
    };
    let points = case["points"].as_array().unwrap();
    assert_eq!(curve.points.len(), points.len(), "{name}");
    for (ours, theirs) in curve.points.iter().zip(points) {
        let at = ours.time;
        figure(Some(at), &theirs["time"], "time");
        figure(Some(ours.at_risk as f64), &theirs["at_risk"], &format!("at risk at {at}"));
        figure(Some(ours.survival), &theirs["survival"], &format!("S({at})"));
        figure(ours.log_log().map(|band| band.low), &theirs["low"], &format!("lower end at {at}"));
        figure(ours.log_log().map(|band| band.high), &theirs["high"], &format!("upper end at {at}"));
        if theirs["error"].is_f64() {
            figure(ours.variance().map(f64::sqrt), &theirs["error"], &format!("Greenwood's error at {at}"));
        }
    }
    for theirs in case["quantiles"].as_array().unwrap() {
        let p = theirs["p"].as_f64().unwrap();
        let ours = curve.quantile(p);
        figure(ours.time, &theirs["time"], &format!("quantile {p}"));
        figure(ours.low, &theirs["low"], &format!("lower end of quantile {p}"));
        figure(ours.high, &theirs["high"], &format!("upper end of quantile {p}"));
    }
    if let Some(by) = case["share"]["by"].as_f64() {
        let ours = ReachedShare::by(&one_cause(&case["rows"]), by).unwrap();
        figure(Some(ours.share), &case["share"]["share"], "share");
        figure(Some(ours.interval.low), &case["share"]["low"], "lower end of the share");
        figure(Some(ours.interval.high), &case["share"]["high"], "upper end of the share");
    }
    figures
}

fn check_all(table: &str, check: fn(&Value) -> usize) -> usize {
    let cases: Vec<Value> = serde_json::from_str(table).unwrap();
    assert!(50 < cases.len(), "only {} sets of data", cases.len());
    cases.iter().map(check).sum()
}

/// The same data where nothing but the event can end the wait.
fn one_cause(rows: &Value) -> Incidence {
    let how = |happened| if happened { EndingKind::Happened } else { EndingKind::Waiting };
    Incidence::of(observations(rows).into_iter().map(|seen| Ending { time: seen.time, how: how(seen.happened) }))
}

#[test]
fn with_one_cause_the_incidence_is_what_kaplan_and_meier_leave_and_its_variance_is_greenwoods() {
    for case in serde_json::from_str::<Vec<Value>>(TABLE).unwrap() {
        let (curve, incidence) = (SurvivalCurve::of(observations(&case["rows"])), one_cause(&case["rows"]));
        for (point, step) in curve.points.iter().zip(&incidence.steps) {
            assert!((1.0 - point.survival - step.incidence).abs() < 1e-12, "{point:?} {step:?}");
            let variance = point.variance().unwrap_or(0.0);
            assert!(point.survival == 0.0 || (variance - step.variance).abs() < 1e-12, "{point:?} {step:?}");
        }
    }
}

#[test]
fn the_referees_checked_in_verdicts_agree_to_a_billionth() {
    assert!(10_000 < check_all(TABLE, check));
}

#[test]
fn a_figure_that_is_a_billionth_too_large_is_found() {
    let mut cases: Vec<Value> = serde_json::from_str(TABLE).unwrap();
    let case = cases.last_mut().unwrap();
    let survival = case["points"][0]["survival"].as_f64().unwrap();
    case["points"][0]["survival"] = (survival + 2e-9).into();
    assert!(std::panic::catch_unwind(|| check(case)).is_err());
}

/// Clopper and Pearson's intervals, log-normal quantiles and the normal distribution's tail; how many figures that were.
fn check_shares(table: &str) -> usize {
    let table: Value = serde_json::from_str(table).unwrap();
    let number = |row: &Value, key: &str| row[key].as_f64().unwrap();
    let of = |key: &str| table[key].as_array().unwrap().clone();
    for row in of("exact") {
        let [hits, of] = ["hits", "of"].map(|key| number(&row, key));
        let ours = clopper_pearson(hits, of).unwrap();
        same(Some(ours.low), &row["low"], &format!("lower end of {hits} of {of}"));
        same(Some(ours.high), &row["high"], &format!("upper end of {hits} of {of}"));
    }
    for row in of("quantiles") {
        let [median, p90] = ["median", "p90"].map(|key| Duration::from_secs_f64(number(&row, key)));
        let time = DelayDistribution::log_normal(median, p90).quantile(number(&row, "u")).as_secs_f64();
        // A duration has nanoseconds.
        same(Some(time), &row["time"], &format!("{row}"));
    }
    for row in of("tails") {
        let (above, hazard) = normal_tail(number(&row, "z"));
        same(Some(above / number(&row, "above")), &1.0.into(), &format!("tail of {row}"));
        same(Some(hazard / number(&row, "hazard")), &1.0.into(), &format!("hazard of {row}"));
    }
    2 * (of("exact").len() + of("tails").len()) + of("quantiles").len()
}

#[test]
fn intervals_of_shares_and_times_of_people_agree_to_a_billionth() {
    assert!(500 < check_shares(SHARES));
    let mut table: Value = serde_json::from_str(SHARES).unwrap();
    table["exact"][9]["high"] = (table["exact"][9]["high"].as_f64().unwrap() + 2e-9).into();
    assert!(std::panic::catch_unwind(|| check_shares(&table.to_string())).is_err());
}

/// What a referee says of data of this seed; none, and why, where there is no such referee here.
fn asked_again(script: &str, seed: &str) -> Option<String> {
    let python = env::var("STENTOR_PYTHON").unwrap_or_else(|_| "python3".into());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fast/statistics").join(script);
    let told = Command::new(&python).arg(&script).arg(seed).output();
    let Some(told) = told.ok().filter(|told| told.status.success()) else {
        let line = "SKIPPED: pip install lifelines statsmodels scikit-learn, and name that python in STENTOR_PYTHON";
        assert!(env::var("STENTOR_REAL").unwrap_or_default() != "1", "{line}");
        let _ = writeln!(std::io::stderr(), "{line}");
        return None;
    };
    Some(String::from_utf8(told.stdout).unwrap())
}

#[test]
fn the_referee_itself_agrees_on_data_of_other_seeds() {
    for seed in ["2012", "2022"] {
        let Some(told) = asked_again("referee.py", seed) else { return };
        assert!(10_000 < check_all(&told, check));
        let Some(told) = asked_again("incidence.py", seed) else { return };
        assert!(5_000 < check_all(&told, incidence::check));
        let Some(told) = asked_again("accuracy.py", seed) else { return };
        assert!(1_500 < check_all(&told, accuracy::check));
        let Some(told) = asked_again("shares.py", seed) else { return };
        assert!(500 < check_shares(&told));
    }
}

fn curve(rows: &[(f64, bool)]) -> SurvivalCurve {
    SurvivalCurve::of(rows.iter().map(|(time, happened)| SurvivalObservation { time: *time, happened: *happened }))
}

#[test]
fn nothing_is_claimed_of_nothing() {
    let empty = curve(&[]);
    assert_eq!((empty.n, empty.events, empty.points.len()), (0, 0, 0));
    assert_eq!(empty.quantile(0.5), CurveQuantile::default());
    assert_eq!(empty.reached_by(60.0), None);
    assert_eq!(empty.survival(60.0), 1.0);
    assert_eq!(curve(&[(f64::NAN, true), (f64::INFINITY, false)]), empty);
}

#[test]
fn an_upper_quantile_that_was_not_reached_stays_undefined() {
    let four = curve(&[(10.0, true), (20.0, true), (30.0, false), (40.0, false)]);
    assert_eq!(four.quantile(0.5).time, Some(20.0));
    assert_eq!(four.quantile(0.9), CurveQuantile { time: None, low: four.quantile(0.9).low, high: None });
    // Ten who all came say nothing about the hundredth: no upper end.
    let ten: Vec<(f64, bool)> = (1..=10).map(|t| (f64::from(t), true)).collect();
    assert_eq!(curve(&ten).quantile(0.99).high, None);
}

#[test]
fn the_unanswered_make_the_figures_worse_and_not_better() {
    let answered = [(10.0, true), (20.0, true), (30.0, true), (40.0, true)];
    let mut all = answered.to_vec();
    all.extend([(120.0, false), (120.0, false), (120.0, false)]);
    assert_eq!(curve(&answered).quantile(0.5).time, Some(20.0));
    assert_eq!(curve(&all).quantile(0.5).time, Some(40.0));
    assert_eq!(curve(&all).quantile(0.9).time, None);
    assert!(curve(&all).reached_by(60.0) < curve(&answered).reached_by(60.0));
}

#[test]
fn few_subjects_give_wide_intervals() {
    for n in 1..=35 {
        let all = clopper_pearson(f64::from(n), f64::from(n)).unwrap();
        assert!(all.low < 0.9 && all.high == 1.0, "{n} of {n} do not show 90 %: {all:?}");
    }
    assert!(0.9 <= clopper_pearson(36.0, 36.0).unwrap().low);
    assert_eq!(clopper_pearson(0.0, 0.0), None);
    assert_eq!(clopper_pearson(0.0, 3.0).map(|all| all.low), Some(0.0));
    let large = clopper_pearson(90_000.0, 100_000.0).unwrap();
    assert!((large.low - 0.8981).abs() < 1e-3 && (large.high - 0.9019).abs() < 1e-3, "{large:?}");
}

#[test]
fn an_interval_holds_its_estimate() {
    for case in serde_json::from_str::<Vec<Value>>(TABLE).unwrap() {
        let curve = SurvivalCurve::of(observations(&case["rows"]));
        for point in &curve.points {
            for ConfidenceInterval { low, high } in [point.plain(), point.log_log()].into_iter().flatten() {
                assert!(0.0 <= low && low <= point.survival && point.survival <= high && high <= 1.0, "{point:?}");
            }
        }
        for p in [0.1, 0.5, 0.9, 0.99] {
            let quantile = curve.quantile(p);
            let time = quantile.time.unwrap_or(f64::INFINITY);
            assert!(quantile.low.is_none_or(|low| low <= time), "{p}: {quantile:?}");
            assert!(quantile.high.is_none_or(|high| time <= high), "{p}: {quantile:?}");
        }
    }
}
