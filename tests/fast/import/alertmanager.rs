//! Alertmanager's configuration.

use super::{checked, has_none_of, holding, imported, refuses_what_is_none, takes_strange_values};
use stentor::{core::Alert, import::Tool};

const CONFIG: &[u8] = include_bytes!("alertmanager.yml");
const RULES: &[u8] = include_bytes!("rules.yml");

#[test]
fn a_route_tree_becomes_triggers() {
    let imported = imported(Tool::Alertmanager, CONFIG, &[RULES.to_vec()]).unwrap();
    checked(&imported.matrix);
    has_none_of(&imported, &["hunter2", "sEcReT", "rOuTiNgKeY"]);
    insta::assert_snapshot!("alertmanager-matrix", imported.matrix);
    insta::assert_snapshot!("alertmanager-report", imported.report.text());
}

#[test]
fn each_alert_comes_to_the_roles_of_the_receivers_that_alertmanager_would_have_told() {
    let imported = imported(Tool::Alertmanager, CONFIG, &[RULES.to_vec()]).unwrap();
    let matrix = checked(&imported.matrix);
    // What `amtool config routes test` 0.25 said of each, with `team_name`: it knows no name with a hyphen.
    for (labels, receivers) in [
        ("alertname=HostDown", "default"),
        ("alertname=HostDown severity=critical", "default"),
        ("alertname=HostDown severity=critical service=cache", "database"),
        ("alertname=HostDown severity=critical service=dbx", "default"),
        ("alertname=HostDown severity=critical service=db team-name=core", "database database-night"),
        ("alertname=DiskFull severity=critical service=db", "database pager"),
        ("alertname=DiskSlow service=db", "pager"),
        ("alertname=HostDown service=db", "database-night"),
        ("alertname=HostDown service=db note=say_\"hi\",_a", "database"),
        ("alertname=HostDown service=db note=say_\"hi\",_a team-name=core", "database-night"),
        ("alertname=HostDown severity=none", "nobody"),
    ] {
        let mut alert = Alert::new("prometheus", "");
        for label in labels.split(' ') {
            let (name, value) = label.split_once('=').unwrap();
            alert.labels.insert(name.into(), value.replace('_', " "));
        }
        alert.kind = alert.labels["alertname"].clone();
        let plans = holding(&matrix, &alert).into_iter().map(|trigger| matrix.plan(&trigger).unwrap());
        let mut roles: Vec<String> =
            plans.flat_map(|plan| plan.required.clone()).map(|role| role.to_string()).collect();
        roles.sort();
        assert_eq!(roles.join(" "), receivers, "{labels}");
    }
}

#[test]
fn what_is_no_configuration_is_refused() {
    refuses_what_is_none(Tool::Alertmanager, CONFIG);
    let route =
        |matchers: &[&str]| serde_json::json!({ "receiver": "x", "matchers": matchers, "group_by": ["a b", "in"] });
    // JSON is YAML.
    let small = serde_json::json!({
        "route": { "receiver": "x", "routes": [route(&["a=~\"b.*\"", "alertname=X"]), route(&["c!=d"])] },
        "receivers": [{ "name": "x", "email_configs": [{ "to": "ana@example.com" }] }],
    });
    takes_strange_values(Tool::Alertmanager, &small);
    let why = |text: &str| imported(Tool::Alertmanager, text.as_bytes(), &[]).unwrap_err().to_string();
    assert_eq!(why("users: []"), "this is no export of Alertmanager: it has no `route` and `receivers`");
    assert!(why("route: {receiver: x}\nreceivers: []").contains("there is no receiver \"x\""));
    assert!(why("route: {receiver: x, routes: [{matchers: ['a']}]}\nreceivers: [{name: x}]").contains("is no matcher"));
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned()
        + &('b'..='j')
            .map(|c| format!("{c}: &{c} [{}]\n", vec![format!("*{}", (c as u8 - 1) as char); 9].join(",")))
            .collect::<String>();
    assert!(why(&bomb).contains("no export"));
}
