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
        TriggerMatch::Speaks { key, summary, .. } => format!("hears {key} {summary:?}"),
        TriggerMatch::Breaks { key, .. } => format!("breaks {key}"),
        TriggerMatch::Failed { trigger, why, .. } => format!("failed {trigger}: {why}"),
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
fn a_long_label_is_a_key_of_its_own_and_is_cut_in_a_summary() {
    let key = |symbol: String| {
        let mut alert = alert();
        alert.labels.insert("symbol".into(), symbol);
        match trigger("key = 'alert.labels.symbol'\nsummary = '{alert.labels.symbol}'").judge(&alert).remove(0) {
            TriggerMatch::Holds { key, summary, .. } => (key.to_string(), summary),
            other => panic!("{other:?}"),
        }
    };
    let (long, other) = ("ж".repeat(300), "ж".repeat(299) + "!");
    let ((first, summary), (second, _)) = (key(long.clone()), key(other));
    assert_ne!(first, second, "two long labels are two incidents");
    assert_eq!(key(long).0, first);
    assert!(first.starts_with("t/жжж") && first.len() < 256, "{first}");
    assert_eq!(summary, "ж".repeat(256) + "…");
    assert_eq!(key("x".repeat(256)).0, format!("t/{}", "x".repeat(256)), "as before");
}

#[test]
fn a_summary_has_numbers_as_people_read_them_and_a_key_has_them_as_they_are() {
    let mut alert = alert();
    for (name, value) in [("notional_usd", 444_000_000_000.0), ("orders", 12_300.0), ("net", -84_000_000.0)] {
        alert.values.insert(name.into(), value);
    }
    let said = |text: &str| match trigger(&format!("key = 'alert.values.notional_usd'\nsummary = '{text}'"))
        .judge(&alert)
        .remove(0)
    {
        TriggerMatch::Holds { key, summary, .. } => (key.to_string(), summary),
        other => panic!("{other:?}"),
    };
    let (key, summary) = said("order: {alert.values.notional_usd} USD, {int(alert.values.orders)} orders");
    assert_eq!((key.as_str(), summary.as_str()), ("t/444000000000", "order: USD 444.0bn, 12,300 orders"));
    assert_eq!(said("net {alert.values.net} EUR.").1, "net EUR -84,000,000.");
    assert_eq!(said("{alert.values.orders} USDX {alert.values.drop_pct} %").1.split(' ').next_back(), Some("%"));
    assert!(said("{alert.values.orders} USDX").1.starts_with("12,300 USDX"));
}

#[test]
fn a_fat_finger_says_in_its_summary_how_many_times_what_was_intended_it_is() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/matrix/40-triggers.toml")).unwrap();
    let document: toml::Table = text.parse().unwrap();
    let of_shipped = document["trigger"]["fat-finger"]["summary"].as_str().unwrap();
    let matrix = trigger(&format!("summary = {}", toml::Value::from(of_shipped)));
    let said = |intended: Option<f64>| {
        let mut alert = alert();
        alert.labels.extend([("order".into(), "basket".into()), ("desk".into(), "delta-one".into())]);
        alert.values.insert("notional_usd".into(), 444e9);
        alert.values.extend(intended.map(|intended| ("intended_usd".to_owned(), intended)));
        shown(&matrix, &alert)
    };
    let of = |behind: &str| [format!("holds t/ \"order basket of delta-one: USD 444.0bn{behind}\"")];
    assert_eq!(said(Some(58e6)), of(" (7,655 x intended)"));
    // Rounded as in the brief, and never "1 x".
    assert_eq!(said(Some(444e9 / 2.6)), of(" (2.6 x intended)"));
    assert_eq!(said(Some(444e9 / 1.44)), of(" (1.4 x intended)"));
    for unsaid in [None, Some(0.0), Some(444e9), Some(440e9), Some(500e9), Some(-1.0)] {
        assert_eq!(said(unsaid), of(""), "{unsaid:?}");
    }
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

/// A trigger on two sources, with more keys.
fn of_sources(keys: &str) -> Vec<SourceText> {
    let text = format!(
        "[source.prom]\ntoken = {{ env = \"PROM\" }}\n[source.other]\ntoken = {{ env = \"OTHER\" }}\n\
         [channel.desk]\nkind = \"screen\"\n[person.ana]\nname = \"Ana\"\n\
         [role.trader]\nstep = [{{ page = [\"ana\"], by = [\"desk\"], wait = \"45s\" }}]\n\
         [catch-all]\npage = [\"ana\"]\nby = [\"desk\"]\n\
         [trigger.t]\non = [\"k\"]\nroles = [\"trader\"]\nresolved = \"resolve\"\n{keys}\n"
    );
    vec![file("m.toml", &text)]
}

/// Neither an alert nor an all-clear of another source does anything; people and drills may fire every trigger.
#[test]
fn a_trigger_listens_to_the_sources_that_it_names() {
    for (keys, heard) in [
        ("sources = [\"prom\"]", vec!["prom", "user:root", "drill"]),
        ("sources = \"other\"", vec!["other", "user:root", "drill"]),
        ("sources = [\"prom\", \"other\"]", vec!["prom", "other", "user:root", "drill"]),
        ("", vec!["prom", "other", "user:root", "drill"]),
    ] {
        // Without `sources` it is warned of, and works.
        let matrix = parse(&of_sources(keys)).matrix.unwrap();
        for source in ["prom", "other", "user:root", "drill"] {
            for status in [AlertStatus::Firing, AlertStatus::Resolved] {
                let mut alert = Alert::new(source, "k");
                alert.status = status;
                assert_eq!(!matrix.judge(&alert).is_empty(), heard.contains(&source), "{keys}: {source}, {status:?}");
            }
        }
    }
}

#[test]
fn an_incident_that_any_source_can_resolve_is_warned_of() {
    let said = |files: &[SourceText]| {
        let parsed = parse(files);
        parsed.diagnostics.iter().map(|fault| (fault.code, fault.help.clone())).collect::<Vec<_>>()
    };
    let warned = |keys: &str| said(&of_sources(keys)).into_iter().map(|(code, _)| code).collect::<Vec<_>>();
    assert_eq!(warned("when = 'alert.source == \"prom\"'"), ["all-clear-by-anybody"]);
    assert!(warned("when = 'alert.source == \"prom\"'\nsources = [\"prom\"]").is_empty());
    let any = said(&of_sources("when = 'alert.confidence > 0.5'"));
    assert_eq!(any.iter().map(|(code, _)| *code).collect::<Vec<_>>(), ["all-clear-by-anybody"]);
    assert!(format!("{any:?}").contains("sources = [\\\"other\\\", \\\"prom\\\"]"), "it says what to write: {any:?}");
    assert!(warned("when = 'alert.confidence > 0.5'\nsources = [\"prom\", \"other\"]").is_empty(), "it was thought of");
    let of_sources = |from: &str, to: &str| vec![file("m.toml", &of_sources("")[0].text.replace(from, to))];
    assert!(said(&of_sources("\"resolve\"", "\"note\"")).is_empty(), "an all-clear resolves nothing");
    let reads = "[source.other]\nscopes = [\"read\"]";
    assert!(said(&of_sources("[source.other]", reads)).is_empty(), "there is no other sender");
    assert_eq!(warned("sources = [\"nobody\"]"), ["unknown-source"]);
}

/// What two nested loops cost depends on the alert: they are bounded by what they do, not by how they look.
#[test]
fn an_evaluation_that_costs_too_much_fails() {
    let twins = "alert.annotations.exists(a, alert.annotations.exists(b, a != b && alert.annotations[a] == alert.annotations[b]))";
    let large = |n: usize| {
        let mut alert = alert();
        alert.annotations = (0..n).map(|n| (format!("a{n}"), format!("{n}"))).collect();
        alert.evidence = serde_json::json!({ "list": (0..n).collect::<Vec<_>>(), "text": "x".repeat(n * 16) });
        alert
    };
    let too_many = |when: &str| {
        format!("failed t: `{when}` can not be evaluated: the alert is too large for it: it would take too many steps")
    };
    for when in [
        twins,
        "alert.evidence.list.exists(a, alert.evidence.list.exists(b, a + b < 0.0))",
        // The error must not be lost in what stands beside it.
        "alert.evidence.list.all(a, alert.evidence.list.exists_one(b, a == b)) || true",
        "alert.evidence.list.map(a, alert.evidence.list.filter(b, a < b)).size() == 1",
        "alert.evidence.list.map(a, alert.evidence.text).size() == 1",
        "alert.evidence.list.exists(a, alert.evidence.text.contains(\"y\"))",
        "alert.evidence.list.exists(a, alert.summary.matches(\"^x{10}$\"))",
        "alert.evidence.list.exists(a, (alert.evidence.text + alert.evidence.text) == \"\")",
        "alert.evidence.list.exists(a, alert.annotations == {\"a\": \"b\"})",
        "alert.evidence.list.exists(a, a in [1.0, 2.0].map(b, alert.evidence.list)[0] && false)",
    ] {
        let matrix = trigger(&format!("when = '{when}'"));
        assert_eq!(shown(&matrix, &large(2_000)), [too_many(when)], "{when}");
    }
    // What people write costs little, whatever else the alert carries.
    for when in [
        "alert.labels.symbol == \"ACME\" && alert.values.drop_pct > 5.0",
        "alert.evidence.list.exists(a, a > 19998.0)",
        "\"a5\" in alert.annotations && alert.evidence.text.startsWith(\"x\") && alert.evidence.list.size() == 20000",
        "alert.annotations.all(a, alert.annotations[a].matches(\"^[0-9]+$\")) || alert.labels.symbol.matches(\"^A\")",
    ] {
        let matrix = trigger(&format!("when = '{when}'"));
        let n = if when.contains("all(") { 1_000 } else { 20_000 };
        assert_eq!(shown(&matrix, &large(n)), ["holds t/ \"k\""], "{when}");
    }
    let matrix = trigger(&format!("when = '{twins}'"));
    assert!(shown(&matrix, &large(100)).is_empty());
}
