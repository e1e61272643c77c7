//! Opsgenie, GoAlert and Grafana OnCall.

use super::{checked, has_none_of, holding, imported, refuses_what_is_none, takes_strange_values};
use serde_json::{Value, json};
use stentor::{
    core::{Alert, Timestamp},
    import::{ComparedWith, ImportReport, Tool},
    matrix::Matrix,
};

const OPSGENIE: &[u8] = include_bytes!("opsgenie.json");
const GOALERT: &[u8] = include_bytes!("goalert.json");
const ONCALL: &[u8] = include_bytes!("grafana-oncall.json");

/// The matrix and the report, which are in a snapshot.
fn snapshot(tool: Tool, name: &str, bytes: &[u8], secrets: &[&str]) -> (Matrix, ImportReport) {
    let imported = imported(tool, bytes, &[]).unwrap();
    let matrix = checked(&imported.matrix);
    has_none_of(&imported, secrets);
    insta::assert_snapshot!(format!("{name}-matrix"), imported.matrix);
    insta::assert_snapshot!(format!("{name}-report"), imported.report.text());
    refuses_what_is_none(tool, bytes);
    takes_strange_values(tool, &serde_json::from_slice(bytes).unwrap());
    (matrix, imported.report)
}

/// Which schedules were compared with what, and how many differences there are.
fn compared(report: &ImportReport) -> Vec<(&str, ComparedWith, usize)> {
    let all = report.compared.iter();
    all.map(|own| (own.schedule.split(' ').nth(1).unwrap(), own.with, own.differences.len())).collect()
}

#[test]
fn a_set_up_of_opsgenie_becomes_a_matrix() {
    let (matrix, report) = snapshot(Tool::Opsgenie, "opsgenie", OPSGENIE, &["0psG3n1e", "d3v1c3"]);
    assert_eq!(compared(&report), [("s1", ComparedWith::Rules, 0)]);
    let holds = |message: &str, priority: &str, tags: Value, details: &[(&str, &str)]| {
        let mut alert = Alert::new("risk-monitor", "opsgenie");
        alert.summary = message.into();
        alert.labels = [("alias".into(), "a".into()), ("priority".into(), priority.into())].into();
        alert.annotations = details.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        alert.evidence = json!({ "tags": tags });
        holding(&matrix, &alert).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(holds("x", "P1", json!(["db"]), &[]), "trading-databases");
    assert_eq!(holds("DB \"main\" is down", "P5", json!([]), &[]), "trading-databases");
    assert_eq!(holds("x", "P5", json!([]), &[("tier", "1")]), "trading-databases");
    assert_eq!(holds("x", "P4", json!([]), &[]), "", "nobody is told of noise");
    assert_eq!(holds("x", "P1", json!(["web"]), &[("tier", "2")]), "trading-default");
}

#[test]
fn a_set_up_of_goalert_becomes_a_matrix() {
    let (matrix, report) = snapshot(Tool::GoAlert, "goalert", GOALERT, &["t0k3n", "s3cr3t"]);
    let rules = ComparedWith::Rules;
    let expected = [("gr3", rules, 0), ("gs1", ComparedWith::ListedShifts, 0), ("gs1", rules, 0)];
    assert_eq!(compared(&report), expected, "{}", report.text());
    // As its generic integration is called, and as an Alertmanager calls it.
    let map = |source: &str, body: Value| {
        let source = matrix.sources[source].map.as_ref().unwrap();
        let mapped = matrix.map_body(source, &body, 1_000_000);
        format!("{mapped:?}")
    };
    let mapped = map("gateway-scripts", json!({ "summary": "it is down", "dedup": "db-7", "action": "close" }));
    assert!(mapped.contains("\"db-7\"") && mapped.contains("Resolved"), "{mapped}");
    let body = json!({ "alerts": [{ "status": "firing", "labels": { "alertname": "A" }, "annotations": {}, "fingerprint": "f1" }] });
    let mapped = map("gateway-prometheus", body);
    assert!(mapped.contains("\"f1\"") && mapped.contains("Firing") && mapped.contains("goalert"), "{mapped}");
    let mut alert = Alert::new("gateway-prometheus", "goalert");
    assert_eq!(holding(&matrix, &alert), ["gateway".into()]);
    alert.kind = "other".into();
    assert_eq!(holding(&matrix, &alert), []);
}

#[test]
fn a_set_up_of_grafana_oncall_becomes_a_matrix() {
    let (matrix, report) = snapshot(Tool::GrafanaOnCall, "grafana-oncall", ONCALL, &["s3cr3t"]);
    assert_eq!(compared(&report), [("S1", ComparedWith::ListedShifts, 0), ("S1", ComparedWith::Rules, 0)]);
    let on_call = |at: &str| {
        let rotation = &matrix.roster.rotations["primary"];
        rotation.on_call(Timestamp::parse(at).unwrap()).unwrap().to_string()
    };
    // The first turn is that of the second, and weekends are on a higher level.
    assert_eq!(on_call("2026-10-05T09:00:00Z"), "bo");
    assert_eq!(on_call("2026-10-12T09:00:00Z"), "ana");
    assert_eq!(on_call("2026-10-17T09:00:00Z"), "cy");
    assert_eq!(on_call("2026-10-14T07:30:00Z"), "cy", "an override");
    assert_eq!(on_call("2026-10-14T08:00:00Z"), "ana");
}
