use super::*;
use stentor::core::{Alert, AlertStatus, IncidentKey};
use stentor::matrix::TriggerMatch;

/// A trigger `t` on alerts of kind `k`, with more keys.
fn trigger(keys: &str) -> Matrix {
    let text = format!(
        "[channel.desk]\nkind = \"screen\"\n[person.ana]\nname = \"Ana\"\n\
         [role.trader]\nstep = [{{ page = [\"ana\"], by = [\"desk\"], wait = \"45s\" }}]\n\
         [catch-all]\npage = [\"ana\"]\nby = [\"desk\"]\n\
         [trigger.t]\non = [\"k\"]\nroles = [\"trader\"]\n{keys}\n"
    );
    sound(&[file("m.toml", &text)])
}

fn alert() -> Alert {
    let mut alert = Alert::new("risk-monitor", "k");
    alert.labels.insert("symbol".into(), "ACME".into());
    alert.values.insert("drop_pct".into(), 7.25);
    alert.confidence = 0.5;
    alert.evidence = serde_json::json!({ "layers": ["feed", "model"], "n": 5, "deep": { "x": true } });
    alert
}

fn shown(matrix: &Matrix, alert: &Alert) -> Vec<String> {
    let show = |judgement| match judgement {
        TriggerMatch::Holds { key, summary, .. } => format!("holds {key} {summary:?}"),
        TriggerMatch::Clears { key, .. } => format!("clears {key}"),
        TriggerMatch::Failed { trigger, why } => format!("failed {trigger}: {why}"),
    };
    matrix.judge(alert).into_iter().map(show).collect()
}

#[track_caller]
fn check(keys: &str, expected: &[&str]) {
    assert_eq!(shown(&trigger(keys), &alert()), expected, "{keys}");
}

#[test]
fn a_condition_that_holds_gives_a_key_and_a_summary() {
    check("", &["holds t/ \"k\""]);
    check("when = 'alert.values.drop_pct >= 5'", &["holds t/ \"k\""]);
    check("when = 'alert.values.drop_pct >= 8.0'", &[]);
    check("key = 'alert.labels.symbol'", &["holds t/ACME \"k\""]);
    check("key = 'alert.values.drop_pct'", &["holds t/7.25 \"k\""]);
    check("key = 'alert.confidence < 0.7'", &["holds t/true \"k\""]);
    check(
        "summary = '{alert.labels.symbol} fell {{{ alert.values.drop_pct }}} %'",
        &["holds t/ \"ACME fell {7.25} %\""],
    );
    check("summary = \"{alert.labels['symbol'] + '}'}\"", &["holds t/ \"ACME}\""]);
}

#[test]
fn every_field_of_an_alert_can_be_asked_for() {
    for when in [
        "alert.source == 'risk-monitor'",
        "alert.kind == 'k'",
        "alert.status == 'firing'",
        "alert.summary == ''",
        "'symbol' in alert.labels && size(alert.labels) == 1",
        "alert.labels.all(name, alert.labels[name] == 'ACME')",
        "alert.annotations == {}",
        "alert.confidence < 0.7",
        "alert.evidence.layers.exists(layer, layer == 'model')",
        "alert.evidence.n * 2.0 == 10.0",
        "alert.evidence.deep.x",
        "!has(alert.starts_at)",
        "!has(alert.values.missing)",
        "!alert.drill",
        "alert['kind'].matches('^k$')",
    ] {
        check(&format!("when = \"{when}\""), &["holds t/ \"k\""]);
    }
}

#[test]
fn what_can_not_be_evaluated_fails_and_is_never_silent() {
    check(
        "when = 'alert.values.drop >= 5.0'",
        &["failed t: `alert.values.drop >= 5.0` can not be evaluated: the alert has no `drop`"],
    );
    check(
        "when = 'alert.evidence.n'",
        &["failed t: `alert.evidence.n` can not be evaluated: it gives double, not true or false"],
    );
    check(
        "key = 'alert.labels.host'",
        &["failed t: `alert.labels.host` can not be evaluated: the alert has no `host`"],
    );
    check(
        "summary = '{alert.evidence.layers}'",
        &["failed t: `alert.evidence.layers` can not be evaluated: it gives list, not text, a number, true or false"],
    );
    check(
        "when = 'alert.starts_at > timestamp(\"2026-01-01T00:00:00Z\")'",
        &[
            "failed t: `alert.starts_at > timestamp(\"2026-01-01T00:00:00Z\")` can not be evaluated: the alert has no `starts_at`",
        ],
    );
}

/// A kill switch with a long label pages its own roles, by a key that tells it from others and is the same for its
/// all-clear.
#[test]
fn a_key_that_is_too_long_ends_in_a_hash_and_a_summary_is_cut() {
    let matrix = trigger("key = 'alert.labels.symbol'\nsummary = '{alert.labels.symbol}'");
    let judged = |symbol: &str, status| {
        let mut alert = alert();
        alert.status = status;
        alert.labels.insert("symbol".into(), symbol.into());
        matrix.judge(&alert).remove(0)
    };
    let key = |symbol: &str| match judged(symbol, AlertStatus::Firing) {
        TriggerMatch::Holds { key, summary, .. } => {
            assert!(summary.len() <= 256 && key.as_str().len() <= 2 + 256, "{key:?} {summary:?}");
            assert_eq!(summary.ends_with('…'), 256 < symbol.len());
            key
        }
        other => panic!("{other:?}"),
    };
    let (long, accented) = ("x".repeat(300), "é".repeat(300));
    assert_ne!(key(&long), key(&format!("{long}y")));
    assert_ne!(key(&accented), key(&format!("{accented}y")));
    assert_eq!(key(&"x".repeat(256)).as_str(), format!("t/{}", "x".repeat(256)));
    let cleared = TriggerMatch::Clears { trigger: "t".into(), key: key(&long) };
    assert_eq!(judged(&long, AlertStatus::Resolved), cleared);
}

#[test]
fn an_all_clear_clears_although_the_condition_no_longer_holds() {
    let mut alert = alert();
    alert.status = AlertStatus::Resolved;
    alert.values.clear();
    let matrix = trigger("when = 'alert.values.drop_pct >= 5.0'\nkey = 'alert.labels.symbol'");
    assert_eq!(shown(&matrix, &alert), ["clears t/ACME"]);
}

#[test]
fn a_drill_never_shares_a_key_or_a_window_with_a_live_alert() {
    let matrix = trigger("key = 'alert.labels.symbol'\nthreshold = { count = 2, within = \"10s\" }");
    let windows = |alert: &Alert| match matrix.judge(alert).remove(0) {
        TriggerMatch::Holds { key, window, .. } => (key, window),
        other => panic!("{other:?}"),
    };
    let mut drill = alert();
    drill.drill = true;
    assert_eq!(windows(&alert()), (IncidentKey::stored("t/ACME"), "t\u{1f}t/ACME".into()));
    assert_eq!(windows(&drill), (IncidentKey::stored("drill:t/ACME"), "t\u{1f}drill:t/ACME".into()));
}

#[test]
fn triggers_look_only_at_the_kinds_that_they_name() {
    let matrix = trigger("when = 'alert.values.missing > 1.0'");
    let mut other = alert();
    other.kind = "another".into();
    assert!(matrix.judge(&other).is_empty());
}

#[test]
fn one_trigger_that_fails_does_not_silence_another() {
    let files = [file(
        "m.toml",
        "[channel.desk]\nkind = \"screen\"\n[person.ana]\nname = \"Ana\"\n\
         [role.trader]\nstep = [{ page = [\"ana\"], by = [\"desk\"], wait = \"45s\" }]\n\
         [catch-all]\npage = [\"ana\"]\nby = [\"desk\"]\n\
         [trigger.a]\non = [\"k\"]\nwhen = 'alert.values.gone > 1.0'\nroles = [\"trader\"]\n\
         [trigger.b]\non = [\"other\", \"k\"]\nroles = [\"trader\"]\n",
    )];
    let told = shown(&sound(&files), &alert());
    assert_eq!(told.len(), 2);
    assert!(told[0].starts_with("failed a:") && told[1].starts_with("holds b/"), "{told:?}");
}

#[test]
fn the_shipped_triggers_hold_for_the_alerts_they_are_written_for() {
    let matrix = sound(&folder("matrix"));
    let mut alert = alert();
    alert.kind = "price_velocity".into();
    assert_eq!(shown(&matrix, &alert), ["holds flash-crash/ACME \"ACME fell 7.25 %\""]);
    let mut reject = Alert::new("risk-monitor", "bnet_reject");
    reject.labels.insert("system".into(), "SMARS".into());
    let [TriggerMatch::Holds { threshold: Some(threshold), .. }] = &matrix.judge(&reject)[..] else {
        panic!("it counts")
    };
    assert_eq!((threshold.count, threshold.within.as_secs()), (10, 600));
}

#[test]
fn the_deepest_expression_that_is_accepted_is_evaluated_on_an_ordinary_stack() {
    let nested = |depth: usize| format!("when = '{}1.0{} > 0.0'", "1.0 + (".repeat(depth), ")".repeat(depth));
    let accepts = |depth: usize| {
        let text = format!("[trigger.t]\non = [\"k\"]\nroles = [\"r\"]\n{}\n", nested(depth));
        !parse(&[file("m.toml", &text)]).diagnostics.iter().any(|d| d.code.contains("expression"))
    };
    let deepest = (1..100).rev().find(|depth| accepts(*depth)).expect("some depth is accepted");
    assert!((10..99).contains(&deepest), "{deepest}");
    let mut alert = alert();
    for _ in 0..120 {
        alert.evidence = serde_json::json!([alert.evidence]);
    }
    let keys = format!("{}\nkey = 'size(alert.evidence)'", nested(deepest));
    assert_eq!(shown(&trigger(&keys), &alert), ["holds t/1 \"k\""]);
}

#[test]
fn a_matrix_can_be_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Matrix>();
}
