//! `stentor import`, as a program: what it writes, and its exit status.

use super::SMALLEST;
use super::common::Setup;
use std::path::PathBuf;

fn sample(name: &str) -> PathBuf {
    super::common::root().join("tests/fast/import").join(name)
}

#[test]
fn it_writes_what_was_asked_for_and_nothing_over_what_is_there() {
    let daemon = Setup::new(SMALLEST).start();
    let dir = daemon.dir.path().join("imported");
    let (out, report) = (dir.display().to_string(), daemon.dir.path().join("report.json").display().to_string());
    let (config, rules) = (sample("alertmanager.yml").display().to_string(), sample("rules.yml").display().to_string());
    let plain = daemon.cli(&["import", "alertmanager", &config, "--rules", &rules]);
    assert!(plain.status.success(), "{plain:?}");
    let (matrix, told) = (String::from_utf8_lossy(&plain.stdout), String::from_utf8_lossy(&plain.stderr));
    assert!(matrix.contains("[trigger.others]") && told.contains("inhibit_rules[0]"), "{matrix}\n{told}");
    assert!(!dir.exists(), "it writes nothing that was not asked for");
    let into = ["import", "alertmanager", &config, "--rules", &rules, "--out", &out, "--report", &report, "--json"];
    let written = daemon.cli(&into);
    assert!(written.status.success() && written.stderr.is_empty(), "{written:?}");
    assert_eq!(std::fs::read_to_string(dir.join("matrix.toml")).unwrap(), matrix);
    let report: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&report).unwrap()).unwrap();
    assert_eq!(report["carried"]["triggers"], 6);
    let again = daemon.cli(&into);
    assert_eq!(again.status.code(), Some(2), "{again:?}");
    let checked = daemon.cli(&["--matrix", &out, "check"]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}

#[test]
fn another_person_on_call_and_no_export_have_exit_statuses_of_their_own() {
    let daemon = Setup::new(SMALLEST).start();
    let code =
        |tool: &str, name: &str| daemon.cli(&["import", tool, &sample(name).display().to_string()]).status.code();
    assert_eq!(code("pagerduty", "pagerduty.json"), Some(1), "nobody is on call there at night");
    for (tool, name) in
        [("opsgenie", "opsgenie.json"), ("goalert", "goalert.json"), ("grafana-oncall", "grafana-oncall.json")]
    {
        let other = if tool == "opsgenie" { "alertmanager.yml" } else { "rules.yml" };
        assert!(code(tool, name).is_some_and(|code| code < 2), "{tool}");
        assert_eq!(code(tool, other), Some(2), "{tool}");
    }
}
