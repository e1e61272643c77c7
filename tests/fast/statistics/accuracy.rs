//! How often an assessment was right: against its referees, and what must hold of any cases.

use super::{check_all, same};
use proptest::prelude::*;
use serde_json::Value;
use stentor::report::accuracy::{Accuracy, CaseTruth, ClassScore, CountedShare, KnownCase, reliability, wilson};

const TABLE: &str = include_str!("accuracy.json");

fn names(levels: usize) -> Vec<String> {
    (0..levels).map(|level| format!("level {level}")).collect()
}

fn share(ours: &CountedShare, theirs: (&Value, &Value), what: &str) -> usize {
    same(ours.share, theirs.0, what);
    same(ours.interval.map(|interval| interval.low), &theirs.1[0], what);
    same(ours.interval.map(|interval| interval.high), &theirs.1[1], what);
    3
}

fn scores(ours: &[ClassScore], theirs: &Value, what: &str) -> usize {
    let theirs = theirs.as_array().unwrap();
    assert_eq!(ours.len(), theirs.len(), "{what}");
    let figures = ours.iter().zip(theirs).map(|(ours, theirs)| {
        let what = format!("{what}, {}", ours.level);
        same(ours.f1, &theirs["f1"], &what);
        1 + share(&ours.precision, (&theirs["precision"], &theirs["precision_interval"]), &what)
            + share(&ours.recall, (&theirs["recall"], &theirs["recall_interval"]), &what)
    });
    figures.sum()
}

pub fn check(case: &Value) -> usize {
    let name = case["name"].as_str().unwrap();
    let rows = case["rows"].as_array().unwrap().iter().map(|row| KnownCase {
        truth: CaseTruth::Level(row[0].as_u64().unwrap() as usize),
        found: row[1].as_u64().unwrap() as usize,
        confidence: row[2].as_f64(),
    });
    let levels = names(case["levels"].as_u64().unwrap() as usize);
    let ours = Accuracy::of(&levels, &rows.collect::<Vec<_>>(), levels.len() - 1);
    assert_eq!(serde_json::to_value(&ours.confusion).unwrap(), case["confusion"], "{name}");
    let mut figures = share(&ours.right, (&case["right"], &case["right_interval"]), name);
    figures += scores(&ours.each, &case["each"], name);
    figures += scores(&ours.at_or_above, &case["at_or_above"], &format!("{name}, at or above"));
    assert_eq!(ours.reliability.is_none(), case["reliability"].is_null(), "{name}");
    if let Some(own) = ours.reliability {
        let theirs = &case["reliability"];
        same(Some(own.brier), &theirs["brier"], name);
        same(Some(own.ece), &theirs["ece"], name);
        let bins = theirs["bins"].as_array().unwrap();
        assert_eq!(own.bins.len(), bins.len(), "{name}");
        for (bin, theirs) in own.bins.iter().zip(bins) {
            same(Some(bin.confidence), &theirs[0], name);
            same(bin.right.share, &theirs[1], name);
            assert_eq!(bin.right.of, theirs[2].as_u64().unwrap(), "{name}");
            figures += 3;
        }
    }
    figures
}

#[test]
fn the_referees_checked_in_verdicts_on_cases_agree_to_a_billionth() {
    assert!(1_500 < check_all(TABLE, check));
    let mut cases: Vec<Value> = serde_json::from_str(TABLE).unwrap();
    let case = &mut cases[1];
    let brier = case["reliability"]["brier"].as_f64().unwrap();
    case["reliability"]["brier"] = (brier + 2e-9).into();
    assert!(std::panic::catch_unwind(|| check(case)).is_err());
}

#[test]
fn nothing_is_claimed_of_no_cases() {
    let none = Accuracy::of(&names(3), &[], 2);
    assert_eq!((none.cases, none.right.share, none.right.interval), (0, None, None));
    assert!(none.each.iter().all(|score| score.f1.is_none() && score.precision.share.is_none()));
    assert!(none.reliability.is_none() && wilson(0, 0).is_none());
}

#[test]
fn cases_that_are_only_serious_or_not_are_compared_with_each_level() {
    let case = |is_serious, found| KnownCase { truth: CaseTruth::Serious(is_serious), found, confidence: Some(0.5) };
    let own = Accuracy::of(&names(3), &[case(true, 2), case(true, 1), case(false, 1), case(false, 0)], 2);
    assert_eq!(own.truths, ["false", "true"]);
    assert_eq!(own.confusion, [[1, 1, 0], [0, 1, 1]]);
    assert_eq!((own.right.hits, own.right.of), (3, 4));
    assert!(own.each.is_empty());
    let [medium, high] = &own.at_or_above[..] else { panic!("{own:?}") };
    assert_eq!((medium.precision.hits, medium.precision.of, medium.recall.share), (2, 3, Some(1.0)));
    assert_eq!((high.precision.share, high.recall.share), (Some(1.0), Some(0.5)));
}

proptest! {
    #[test]
    fn confidences_that_are_always_right_about_themselves_are_not_off(n in 1_u64..50, hits in 0_u64..50) {
        let hits = hits.min(n);
        let sure = hits as f64 / n as f64;
        let own = reliability((0..n).map(|at| (sure, at < hits))).unwrap();
        prop_assert!(own.ece < 1e-12, "{own:?}");
        prop_assert!((own.brier - sure * (1.0 - sure)).abs() < 1e-12);
        let interval = wilson(hits, n).unwrap();
        prop_assert!(0.0 <= interval.low && interval.low <= sure && sure <= interval.high && interval.high <= 1.0);
    }
}
