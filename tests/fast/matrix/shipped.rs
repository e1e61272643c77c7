//! The triggers of the shipped matrix: which alerts are a crisis, and which of them are one.

use super::{folder, sound};
use stentor::{
    core::Alert,
    matrix::{Matrix, TriggerMatch},
};

fn move_of(labels: &[(&str, &str)], values: &[(&str, f64)]) -> Alert {
    let mut alert = Alert::new("risk-monitor", "price_velocity");
    alert.labels = labels.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    alert.values = values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    alert
}

/// The key and the summary if the trigger holds.
fn judged(matrix: &Matrix, alert: &Alert) -> Option<(String, String)> {
    match matrix.judge(alert).as_slice() {
        [] => None,
        [TriggerMatch::Holds { key, summary, .. }] => Some((key.as_str().to_owned(), summary.clone())),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_move_is_a_crash_by_its_class_in_both_directions_and_within_five_minutes() {
    let matrix = sound(&folder("matrix"));
    let es = [("symbol", "ES")];
    let class = |class| [("symbol", "ES"), ("class", class)];
    for (labels, values, holds) in [
        (&es[..], &[("drop_pct", 6.2)][..], true),
        (&es, &[("drop_pct", 4.9)], false),
        (&es, &[("move_pct", 5.1)], true),
        (&es, &[("move_pct", -5.1)], true),
        (&es, &[("move_pct", -4.9), ("drop_pct", 4.9)], false),
        (&class("index"), &[("move_pct", 2.0)], true),
        (&class("index"), &[("move_pct", -1.9)], false),
        (&class("large-cap"), &[("move_pct", -4.9)], false),
        (&class("small-cap"), &[("move_pct", 9.9)], false),
        (&class("small-cap"), &[("move_pct", -10.0)], true),
        (&class("Index"), &[("move_pct", -2.1)], true),
        (&class(" INDEX "), &[("drop_pct", 2.1)], true),
        (&class("reindex"), &[("move_pct", -2.1)], false),
        (&class("Small Cap"), &[("move_pct", 9.9)], false),
        (&class("SMALLCAP"), &[("move_pct", 10.0)], true),
        (&es, &[("drop_pct", -5.1)], true),
        (&es, &[("drop_pct", -4.9)], false),
        (&es, &[("move_pct", -6.0), ("window_s", 300.0)], true),
        (&es, &[("move_pct", -6.0), ("window_s", 3600.0)], false),
    ] {
        let told = judged(&matrix, &move_of(labels, values));
        assert_eq!(told.is_some(), holds, "{labels:?} {values:?}: {told:?}");
    }
    // A monitor that says neither is not silently ignored.
    let failed = matrix.judge(&move_of(&es, &[]));
    assert!(matches!(failed.as_slice(), [TriggerMatch::Failed { .. }]), "{failed:?}");
}

#[test]
fn all_that_moves_in_one_market_is_one_incident() {
    let matrix = sound(&folder("matrix"));
    let of = |symbol, percent| {
        let labels = [("symbol", symbol), ("market", "US index futures"), ("class", "index")];
        judged(&matrix, &move_of(&labels, &[("move_pct", percent)])).expect("it holds")
    };
    let (fall, rally) = (of("ES", -3.0), of("NQ", 4.5));
    assert_eq!(fall.0, rally.0);
    assert!(fall.1.starts_with("ES fell 3"), "{}", fall.1);
    assert!(rally.1.starts_with("NQ rose 4.5"), "{}", rally.1);
    let alone = judged(&matrix, &move_of(&[("symbol", "ES")], &[("drop_pct", 6.0)])).expect("it holds");
    assert_eq!(alone.0, "flash-crash/ES");
    for (name, value, says) in [
        ("drop_pct", 6.1, "ES fell 6.1 %"),
        ("drop_pct", -6.1, "ES rose 6.1 %"),
        ("move_pct", 6.1, "ES rose 6.1 %"),
        ("move_pct", -6.1, "ES fell 6.1 %"),
    ] {
        let told = judged(&matrix, &move_of(&[("symbol", "ES")], &[(name, value)])).expect("it holds");
        assert_eq!(told.1, says, "{name} = {value}");
    }
}

#[test]
fn a_call_from_outside_is_an_incident_of_whoever_calls() {
    let matrix = sound(&folder("matrix"));
    let mut call = Alert::new("user:ana", "call_in");
    call.labels.insert("from".into(), "venue".into());
    call.summary = "stop your orders".into();
    let told = judged(&matrix, &call).expect("it holds");
    assert_eq!(told, ("call-in/venue".to_owned(), "venue calls: stop your orders".to_owned()));
}
