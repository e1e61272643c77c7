//! What people read of a request: the whole question, what will be done, and by when, whatever the length of the rest.

use super::{
    FORMS,
    crisis::{after, asking, brief_of},
    render,
};
use serde_json::{Value, json};
use stentor::{
    core::{Ask, AskKind, AskOption, Incident, action_edit::ActionEdit},
    template::{ACTION_WHOLE_MAX, PageTemplates, RenderedText, TextForm, action_of, summary_of},
};

const LONG: [TextForm; 4] = [TextForm::Screen, TextForm::Slack, TextForm::Mail, TextForm::Board];

fn approval(question: &str, action: Value) -> Ask {
    Ask {
        kind: AskKind::Approval,
        question: question.into(),
        options: Ask::approval_options(),
        action,
        action_digest: "sha256:1".into(),
        on_behalf_of: None,
        approvals: 1,
        default: None,
        deadline: after(90),
        read_back: None,
        form: None,
        edit: None,
        asker: None,
        supersedes: None,
        handoff: None,
    }
}

fn nine(label: &str) -> Ask {
    let option = |n: u32| AskOption { name: format!("o{n}"), label: format!("{label} {n}"), does: None };
    let options = (1..=9).map(option).collect();
    let default = Some("o3".to_owned());
    Ask { kind: AskKind::Decision, options, default, ..approval("Which way out?", Value::Null) }
}

fn read(incident: &Incident, form: TextForm) -> RenderedText {
    render(&PageTemplates::shipped(), incident, brief_of(incident, "trader"), form)
}

fn line(action: Value) -> String {
    action_of(&asking(approval("Now?", action), false)).map(|action| action.line).unwrap_or_default()
}

#[test]
fn the_action_is_in_every_long_text() {
    let incident =
        asking(approval("Cancel them all?", json!({ "cancel": "all", "desk": "EQ-2", "orders": 1204 })), false);
    for form in LONG {
        let text = read(&incident, form);
        let action = "Action: cancel all, desk EQ-2, orders 1204";
        assert!(text.body.lines().any(|line| line == action), "{form:?}: {}", text.body);
        assert!(text.html.is_none_or(|html| html.contains(action)), "{form:?}");
        assert_eq!(text.alarm.and_then(|alarm| alarm.action).as_deref(), Some(action), "{form:?}");
    }
    assert_eq!(action_of(&asking(approval("Now?", Value::Null), false)), None);
}

/// Nothing passes for another entry, for a number, or for what it is not.
#[test]
fn an_action_is_read_in_one_way() {
    for (action, said) in [
        (json!({ "cancel": "all, desk EQ-9", "desk": "EQ-2" }), "cancel \"all, desk EQ-9\", desk EQ-2"),
        (json!({ "orders": "1204", "really": "true", "why": "" }), "orders \"1204\", really \"true\", why \"\""),
        (json!({ "a b": "c", "a": "b c" }), "a b c, \"a b\" c"),
        (json!({ "pay": { "to": ["x", 1] } }), "pay {\"to\":[\"x\",1]}"),
        (json!({ "to": "safe\u{202e}evil\n" }), "to \"safe\\u202eevil\\n\""),
        (json!("restart"), "restart"),
        (json!([1, "two"]), "[1,\"two\"]"),
        (json!({}), "{}"),
        (json!({ "code": "%CODE%" }), "code (CODE)"),
    ] {
        assert_eq!(line(action), format!("Action: {said}"));
    }
}

#[test]
fn a_long_action_says_how_much_is_cut_and_where_the_whole_is() {
    let cut = asking(approval("Now?", json!({ "orders": "x".repeat(400) })), false);
    let action = action_of(&cut).unwrap();
    assert!(action.line.ends_with("x… (108 more characters: the desk has the whole)"), "{}", action.line);
    assert!(action.whole.unwrap().contains(&"x".repeat(400)));
    let plain = action_of(&asking(approval("Now?", json!({ "a": 1 })), false)).unwrap();
    assert_eq!(plain.whole, None, "the line shows all of it");
    let nested = action_of(&asking(approval("Now?", json!({ "a": { "b": 1 } })), false)).unwrap();
    assert_eq!(nested.whole.as_deref(), Some("{\n  \"a\": {\n    \"b\": 1\n  }\n}"));
    let vast = action_of(&asking(approval("Now?", json!({ "a": "y".repeat(ACTION_WHOLE_MAX) })), false)).unwrap();
    assert!(vast.whole.unwrap().ends_with("…\n(14 more characters are not shown)"));
}

#[test]
fn where_an_action_can_be_changed_each_text_says_where() {
    let schema =
        json!({ "type": "object", "properties": { "qty": { "type": "integer", "minimum": 1, "maximum": 9 } } });
    let action = json!({ "qty": 9 });
    let edit = ActionEdit::read(&schema, &action).ok();
    let asked = asking(Ask { edit, ..approval("Sell 9?", action.clone()) }, false);
    let plain = asking(approval("Sell 9?", action), false);
    for (form, says) in [
        (TextForm::Mail, ", or change it there"),
        (TextForm::Board, ", or change it there"),
        (TextForm::Sms, "See the desk for the action, or to change it."),
        (TextForm::Voice, "To change it, use your desk or the link in your mail."),
    ] {
        let (with, without) = (read(&asked, form).body, read(&plain, form).body);
        assert!(with.contains(says) && !without.contains("change it"), "{form:?}: {with} / {without}");
    }
}

#[test]
fn a_question_is_never_cut_in_a_long_text() {
    let question = format!("{} or not?", "Cancel all orders of the desk ".repeat(7).get(..190).unwrap());
    let incident = asking(approval(&question, Value::Null), false);
    assert_eq!(summary_of(&incident), question);
    for form in LONG {
        let text = read(&incident, form);
        assert!(text.body.contains("or not?"), "{form:?}: {}", text.body);
        assert!(text.alarm.is_some_and(|alarm| alarm.what == question), "{form:?}");
    }
}

/// By when, and what happens otherwise, are in every text, however many and however long the options are.
#[test]
fn the_deadline_and_what_happens_otherwise_are_never_cut() {
    for (label, drill) in [("Cancel", false), ("Cancel every order of desk", true), ("Отменить все приказы", true)]
    {
        let incident = asking(nine(label), drill);
        for form in FORMS {
            let text = read(&incident, form);
            assert_eq!(text.fallback, None, "{form:?}");
            let first = if form == TextForm::Sms { &text.body } else { &text.headline };
            let (by, otherwise) = ("14:46:58 EDT", format!("{label} 3"));
            if form != TextForm::Voice {
                assert!(first.contains(by) && first.contains(&otherwise), "{form:?}: {first}");
                assert!(!first.ends_with('…'), "{form:?}: {first}");
            }
        }
    }
    assert!(!read(&asking(nine("Отменить все приказы"), true), TextForm::Sms).body.contains("A ="));
    insta::assert_snapshot!(read(&asking(nine("Cancel"), false), TextForm::Sms).body);
}
