//! PagerDuty's objects.

use super::{checked, has_none_of, holding, imported, refuses_what_is_none, takes_strange_values};
use serde_json::Value;
use stentor::{
    core::Alert,
    import::{ComparedWith, Tool},
};

const EXPORT: &[u8] = include_bytes!("pagerduty.json");

#[test]
fn services_policies_and_schedules_become_triggers_roles_and_rotations() {
    let imported = imported(Tool::PagerDuty, EXPORT, &[]).unwrap();
    checked(&imported.matrix);
    has_none_of(&imported, &["k3yPrometheus", "k3yRisk", "d3v1c3"]);
    insta::assert_snapshot!("pagerduty-matrix", imported.matrix);
    insta::assert_snapshot!("pagerduty-report", imported.report.text());
}

#[test]
fn the_same_person_is_on_call_across_the_change_of_the_clocks() {
    let report = imported(Tool::PagerDuty, EXPORT, &[]).unwrap().report;
    let same = |of: &str| {
        let own = report.compared.iter().filter(|compared| compared.schedule.contains(of));
        own.map(|compared| (compared.with, compared.differences.len())).collect::<Vec<_>>()
    };
    assert_eq!(same("PSCHED1"), [(ComparedWith::ListedShifts, 0), (ComparedWith::Rules, 0)]);
    assert_eq!(same("PSCHED3"), [(ComparedWith::Rules, 0)]);
    // Nobody is on call there at night, and a rotation always has somebody.
    assert!(report.differs() && 0 < same("PSCHED4")[0].1, "{}", report.text());
}

#[test]
fn a_shift_that_is_listed_otherwise_is_found() {
    let mut export: Value = serde_json::from_slice(EXPORT).unwrap();
    export["schedules"].as_array_mut().unwrap().truncate(2);
    let differs =
        |export: &Value| imported(Tool::PagerDuty, export.to_string().as_bytes(), &[]).unwrap().report.differs();
    assert!(!differs(&export));
    let listed = export["schedules"][0]["final_schedule"]["rendered_schedule_entries"].as_array_mut().unwrap();
    listed[30]["user"]["id"] = if listed[30]["user"]["id"] == "PUSER01" { "PUSER02".into() } else { "PUSER01".into() };
    assert!(differs(&export));
}

#[test]
fn an_event_of_a_service_opens_its_incident() {
    let matrix = checked(&imported(Tool::PagerDuty, EXPORT, &[]).unwrap().matrix);
    let mut alert = Alert::new("order-gateway-risk", "pagerduty");
    alert.labels = [("severity".into(), "critical".into()), ("dedup_key".into(), "db-7".into())].into();
    assert_eq!(holding(&matrix, &alert), ["order-gateway".into()]);
}

#[test]
fn what_is_no_export_is_refused() {
    refuses_what_is_none(Tool::PagerDuty, EXPORT);
    takes_strange_values(Tool::PagerDuty, &serde_json::from_slice(EXPORT).unwrap());
    let why = |text: &str| imported(Tool::PagerDuty, text.as_bytes(), &[]).unwrap_err().to_string();
    assert!(why("{\"teams\": []}").contains("none of the lists users, schedules"));
    assert!(why("{\"users\": [").contains("cut off"));
}
