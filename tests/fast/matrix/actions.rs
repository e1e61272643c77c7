//! What a trigger suggests to those who are asked: in its plan, in the pages, and refused where it can not be.

use super::*;
use std::sync::Arc;
use stentor::{
    core::{
        Alert, EscalationPlan, Incident, IncidentId, IncidentKey, IncidentOpening, RoleName, TriggerName, open,
        plan::SuggestedAction,
    },
    engine::render,
    matrix::ChannelKind,
    template::PageTemplates,
};

const ON: &str = "on = [\"x\"]\n";

fn matrix(actions: &str) -> String {
    let head = "[channel.desk]\nkind = \"screen\"\n[person.ana]\nname = \"Ana\"\n[person.bo]\nname = \"Bo\"\n\
                [role.trader]\nstep = [{ page = [\"ana\"], by = [\"desk\"], wait = \"45s\" }]\n\
                [catch-all]\npage = [\"bo\"]\nby = [\"desk\"]\n[trigger.t]\nroles = [\"trader\"]\n";
    format!("{head}{ON}{actions}\n")
}

fn good(actions: &str) -> Matrix {
    sound(&[file("m.toml", &matrix(actions))])
}

fn said(text: &str, then: Option<&str>) -> SuggestedAction {
    SuggestedAction { text: text.into(), then: then.map(str::to_owned) }
}

const TWO: &str = "actions = [{ text = \"STOP the algo\", then = \"no new orders\" }, { text = \" CALL the venue \" }]";

#[test]
fn what_a_trigger_suggests_is_in_its_plan_and_in_no_other() {
    let matrix = good(TWO);
    let (name, role) = (TriggerName::from("t"), RoleName::from("trader"));
    let plan = matrix.plan(&name).expect("a plan");
    assert_eq!(plan.actions, [said("STOP the algo", Some("no new orders")), said("CALL the venue", None)]);
    // Nobody knows that these fit.
    assert_eq!(matrix.failure_plan(&name).expect("a plan").actions, []);
    assert_eq!(matrix.operators_plan().expect("a plan").actions, []);
    assert_eq!(matrix.plan_by_hand(&role).expect("a plan").actions, []);
    assert_eq!(good("").plan(&name).expect("a plan").actions, []);
    assert_eq!(plan.compressed(10).actions, plan.actions);
}

#[test]
fn plans_of_journals_from_before_have_none_and_plans_without_any_are_written_as_before() {
    let plan = good("").plan(&"t".into()).expect("a plan");
    let written = serde_json::to_value(&*plan).expect("JSON");
    assert_eq!(written.get("actions"), None);
    assert_eq!(serde_json::from_value::<EscalationPlan>(written).expect("JSON"), *plan);
    let plan = good(TWO).plan(&"t".into()).expect("a plan");
    let written = serde_json::to_value(&*plan).expect("JSON");
    let expected =
        serde_json::json!([{ "text": "STOP the algo", "then": "no new orders" }, { "text": "CALL the venue" }]);
    assert_eq!(written["actions"], expected);
    assert_eq!(serde_json::from_value::<EscalationPlan>(written).expect("JSON"), *plan);
}

/// The faults of one `actions`, and what is underlined.
fn refused(actions: &str) -> Vec<String> {
    let files = [file("m.toml", &matrix(&format!("actions = {actions}")))];
    let parsed = parse(&files);
    assert!(parsed.matrix.is_none(), "{actions} was taken");
    assert!(parsed.diagnostics.iter().all(|d| d.help.is_some()), "{:?}", parsed.diagnostics);
    let underlined = |d: &Diagnostic| files[0].text[d.span.clone()].to_owned();
    parsed.diagnostics.iter().map(|d| format!("{} {}", d.code, underlined(d))).collect()
}

#[test]
fn what_can_not_be_shown_or_would_mislead_is_refused() {
    let long = |n: usize| format!("\"{}\"", "x".repeat(n));
    for (actions, faults) in [
        ("[]".to_owned(), vec!["empty-list []".to_owned()]),
        ("\"STOP\"".into(), vec!["wrong-type \"STOP\"".into()]),
        ("[\"STOP\"]".into(), vec!["wrong-type \"STOP\"".into()]),
        ("[{ then = \"x\" }]".into(), vec!["missing-key { then = \"x\" }".into()]),
        ("[{ text = \"\" }]".into(), vec!["empty-text \"\"".into()]),
        ("[{ text = 3 }]".into(), vec!["wrong-type 3".into()]),
        ("[{ text = \"STOP\", does = \"x\" }]".into(), vec!["unknown-key does".into()]),
        ("[{ text = \"STOP\", letter = \"A\" }]".into(), vec!["unknown-key letter".into()]),
        (format!("[{{ text = {} }}]", long(61)), vec![format!("text-too-long {}", long(61))]),
        (format!("[{{ text = \"STOP\", then = {} }}]", long(101)), vec![format!("text-too-long {}", long(101))]),
        ("[{ text = \"STOP\\nLIVE\" }]".into(), vec!["control-character \"STOP\\nLIVE\"".into()]),
        ("[{ text = \"STOP\", then = \"a\\tb\" }]".into(), vec!["control-character \"a\\tb\"".into()]),
        ("[{ text = \"1 STOP\" }]".into(), vec!["action-like-answer \"1 STOP\"".into()]),
        ("[{ text = \"wilco: STOP\" }]".into(), vec!["action-like-answer \"wilco: STOP\"".into()]),
        ("[{ text = \"UNABLE\" }]".into(), vec!["action-like-answer \"UNABLE\"".into()]),
        ("[{ text = \"STOP\" }, { text = \"STOP\" }]".into(), vec!["twice-in-list { text = \"STOP\" }".into()]),
        (
            "[{ text = \"1\" }, { tex = \"STOP\" }]".into(),
            ["action-like-answer \"1\"", "missing-key { tex = \"STOP\" }", "unknown-key tex"].map(str::to_owned).into(),
        ),
    ] {
        assert_eq!(refused(&actions), faults, "{actions}");
    }
    let many = |n: usize| (0..n).map(|n| format!("{{ text = \"do {n}\" }}")).collect::<Vec<_>>().join(", ");
    assert_eq!(refused(&format!("[{}]", many(10))), ["too-many-actions { text = \"do 9\" }"]);
    assert_eq!(good(&format!("actions = [{}]", many(9))).plan(&"t".into()).expect("a plan").actions.len(), 9);
    let widest = format!("actions = [{{ text = {}, then = {} }}]", long(60), long(100));
    assert_eq!(good(&widest).plan(&"t".into()).expect("a plan").actions.len(), 1);
}

fn opened(matrix: &Matrix, alert: Alert) -> Incident {
    let plan = matrix.plan(&"t".into()).expect("a plan");
    let opening = IncidentOpening {
        key: IncidentKey::stored("t/"),
        summary: "x".into(),
        plan,
        alert: Arc::new(alert),
        received_at: as_of(),
        terms: None,
        ask: None,
        nonce: None,
    };
    open(IncidentId(1), opening, &matrix.roster, as_of()).0
}

fn page(matrix: &Matrix, incident: &Incident) -> String {
    let page = incident.pages.values().next().expect("a page");
    let templates = PageTemplates::shipped();
    let rendered = render(matrix, &templates, &Default::default(), incident, page, ChannelKind::SCREEN);
    assert_eq!(rendered.fallback, None);
    rendered.body
}

#[test]
fn a_crisis_under_way_keeps_what_was_suggested_when_it_began() {
    let (before, after) = (good(TWO), good("actions = [{ text = \"SELL everything\" }]"));
    let incident = opened(&before, Alert::new("m", "x"));
    let shown = page(&after, &incident);
    assert!(shown.contains("\nA  STOP the algo: no new orders\nB  CALL the venue"), "{shown}");
    assert!(!shown.contains("SELL"), "{shown}");
    assert!(page(&after, &opened(&after, Alert::new("m", "x"))).contains("\nA  SELL everything"));
}

#[test]
fn what_an_alert_suggests_itself_stands_in_place_of_what_the_trigger_does() {
    let matrix = good(TWO);
    let mut alert = Alert::new("m", "x");
    alert.annotations.insert("action_c".into(), "FLATTEN 12 lots in the close".into());
    alert.annotations.insert("action_c_then".into(), "within the depth that is left".into());
    alert.annotations.insert("action_i".into(), "CALL the desk".into());
    let shown = page(&matrix, &opened(&matrix, alert.clone()));
    let own = "\nC  FLATTEN 12 lots in the close: within the depth that is left\nI  CALL the desk";
    assert!(shown.contains(own) && !shown.contains("STOP the algo"), "{shown}");
    // Annotations that say nothing suggest nothing.
    alert.annotations = [("action_a".to_owned(), "  ".to_owned()), ("action_a_then".to_owned(), "x".to_owned())].into();
    assert!(page(&matrix, &opened(&matrix, alert)).contains("\nA  STOP the algo"));
    let without = page(&good(""), &opened(&good(""), Alert::new("m", "x")));
    assert!(!without.to_lowercase().contains("suggest"), "{without}");
}

#[test]
fn what_ships_suggests_nothing_that_takes_liquidity_and_nothing_where_nothing_is_safe() {
    let matrix = sound(&folder("matrix"));
    let mut counted = Vec::new();
    for name in matrix.triggers.keys() {
        let actions = &matrix.plan(name).expect("a plan").actions;
        counted.push((name.as_str(), actions.len()));
        for SuggestedAction { text, then } in actions {
            let words = text.to_lowercase();
            for word in ["hedge ", "flatten", "unwind", "sell", "buy", "pull", "hold", "roll back"] {
                assert!(!words.contains(word), "{name}: {text}");
            }
            assert!(then.is_some(), "{name}: {text} leads to what?");
        }
    }
    let expected = [
        ("call-in", 2),
        ("fat-finger", 3),
        ("flash-crash", 2),
        ("kill-switch", 3),
        ("liquidity-gone", 2),
        ("model-uncertain", 0),
        ("runaway-orders", 3),
        ("trading-host-down", 1),
    ];
    assert_eq!(counted, expected);
}
