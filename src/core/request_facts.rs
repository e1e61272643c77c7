//! The facts of a request: what its digest covers, and what changed from one question to the next.

use super::{
    action_edit::{ActionEdit, EditedAction, changed},
    alert::Alert,
    canonical::{CanonicalError, CanonicalJson},
    form::Form,
    form_answer::FormAnswer,
    hidden::{plain_line, short_line},
    names::PersonName,
    request::{Ask, AskKind, AskRules, QUESTION_MAX, Request, RequestId},
    time::Timestamp,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The most questions that one request can have, one after the other: each gives people the whole time again.
pub const QUESTIONS_MAX: u32 = 20;

/// How many changes are named; the others are counted.
const CHANGES_NAMED: usize = 3;

/// The longest value that is shown of a change, in characters.
const VALUE_MAX: usize = 24;

/// An open request is replaced by another one, which is asked in the same commit.
#[derive(Debug, Clone)]
pub struct Replacement {
    /// The other one.
    pub by: RequestId,
    /// What changed.
    pub changed: String,
    /// Who is asked anew at once: they read there what changed.
    pub asked: BTreeSet<PersonName>,
}

/// The digest of an action and the facts of its alert.
///
/// # Errors
/// [`CanonicalError`] for numbers that not every reader keeps.
pub fn action_digest(action: &Value, alert: &Alert) -> Result<String, CanonicalError> {
    asked_digest(action, None, alert)
}

/// The same, and of the form that is to be filled in.
///
/// # Errors
/// As [`action_digest`].
pub fn asked_digest(action: &Value, form: Option<&Form>, alert: &Alert) -> Result<String, CanonicalError> {
    let mut digested = json!({ "action": action, "kind": alert.kind, "labels": alert.labels, "values": alert.values });
    if let Some(form) = form {
        digested["form"] = form.schema().clone();
    }
    CanonicalJson::of(&digested).map(|canonical| canonical.digest())
}

/// The action as this answer changes it; `None` if it changes nothing.
///
/// # Errors
/// As [`action_digest`].
pub fn edited(
    ask: &Ask,
    edit: &ActionEdit,
    answer: &FormAnswer,
    alert: &Alert,
) -> Result<Option<EditedAction>, CanonicalError> {
    let changes = edit.changes(&ask.action, answer);
    if changes.is_empty() {
        return Ok(None);
    }
    let action_digest = action_digest(&changed(&ask.action, &changes), alert)?;
    Ok(Some(EditedAction { changes, action_digest }))
}

/// What an alert asks by itself, where its trigger says so: an approval with this question. `None` if its facts have no
/// digest, or not the fact that people must repeat: then it pages people without asking.
pub fn ask_of_alert(rules: &AskRules, alert: &Alert, question: &str, received_at: Timestamp) -> Option<Ask> {
    if !rules.from_alerts || rules.handoff.is_some() {
        return None;
    }
    let options = Ask::approval_options();
    let is_option = |name: &&String| options.iter().any(|option| option.name == **name);
    let default = rules.defaults.iter().find(is_option).cloned();
    Some(Ask {
        kind: AskKind::Approval,
        question: question_of(question),
        action: Value::Null,
        action_digest: action_digest(&Value::Null, alert).ok()?,
        on_behalf_of: None,
        approvals: rules.approvals,
        default,
        deadline: received_at + rules.after,
        supersedes: None,
        read_back: rules.read_back.as_ref().map(|fact| fact.of(alert)).transpose().ok()?,
        asker: Some(alert.source.clone()),
        handoff: None,
        form: None,
        edit: None,
        options,
    })
}

/// A trigger's summary as a question.
pub fn question_of(summary: &str) -> String {
    plain_line(summary).chars().take(QUESTION_MAX).collect()
}

/// What differs between the facts that were asked about and these, in one line for people; the question and its action
/// count as facts.
pub fn what_changed(before: (&Alert, &Request), after: (&Alert, &str, &Value)) -> String {
    let (alert, Request { ask, .. }) = before;
    let (old, new) = (facts(alert, &ask.action), facts(after.0, after.2));
    let names: BTreeSet<&FactName> = old.keys().chain(new.keys()).collect();
    let change = |name: &FactName| {
        let none = || "none".to_owned();
        let [old, new] = [&old, &new].map(|facts| facts.get(name).cloned().unwrap_or_else(none));
        format!("{} {old} -> {new}", shown(&name.0))
    };
    let changed = names.into_iter().filter(|name| old.get(*name) != new.get(*name));
    let question = (ask.question != after.1).then(|| "the question".to_owned());
    let mut told: Vec<String> = question.into_iter().chain(changed.map(change)).collect();
    if let more @ 1.. = told.len().saturating_sub(CHANGES_NAMED) {
        told.truncate(CHANGES_NAMED);
        told.push(format!("{more} more"));
    }
    told.join(", ")
}

/// The name of a fact, and of what it is one: a label, a value and a field of the action may have the same.
type FactName = (String, FactKind);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum FactKind {
    Label,
    Value,
    Action,
}

/// Each fact by its name, as people read it.
fn facts(alert: &Alert, action: &Value) -> BTreeMap<FactName, String> {
    let labels = alert.labels.iter().map(|(name, value)| ((name.clone(), FactKind::Label), shown(value)));
    let values = alert.values.iter().map(|(name, value)| ((name.clone(), FactKind::Value), value.to_string()));
    let mut facts = labels.chain(values).collect();
    leaves("action", action, &mut facts);
    facts
}

/// Each value within a value, by its path.
fn leaves(path: &str, value: &Value, into: &mut BTreeMap<FactName, String>) {
    let mut leaf = |text: &str| drop(into.insert((path.to_owned(), FactKind::Action), shown(text)));
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| leaves(&format!("{path}.{name}"), value, into)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, value)| leaves(&format!("{path}.{}", n + 1), value, into));
        }
        Value::Null => {}
        Value::String(text) => leaf(text),
        other => leaf(&other.to_string()),
    }
}

/// A value as one short line. Two that differ behind its end are told apart by their hashes elsewhere: here people only
/// read where to look.
fn shown(text: &str) -> String {
    short_line(text, VALUE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(orders: f64, desk: &str) -> Alert {
        let mut alert = Alert::new("bot", "order_kill");
        alert.values.insert("orders".into(), orders);
        alert.labels.insert("desk".into(), desk.into());
        alert
    }

    fn request(action: Value) -> Request {
        Request::opened(
            Ask {
                kind: AskKind::Approval,
                question: "Cancel?".into(),
                options: Ask::approval_options(),
                form: None,
                edit: None,
                action,
                action_digest: String::new(),
                on_behalf_of: None,
                approvals: 1,
                default: None,
                deadline: Timestamp::from_micros(0),
                supersedes: None,
                read_back: None,
                asker: None,
                handoff: None,
            },
            Timestamp::from_micros(0),
        )
    }

    #[test]
    fn each_change_is_named_and_many_are_counted() {
        let asked = request(json!({ "cancel": "all", "at": [1, 2] }));
        let before = (&alert(1204.0, "EQ-2"), &asked);
        let told = |alert: &Alert, question: &str, action: &Value| what_changed(before, (alert, question, action));
        let same = json!({ "at": [1, 2], "cancel": "all" });
        assert_eq!(told(&alert(1204.0, "EQ-2"), "Cancel?", &same), "");
        assert_eq!(told(&alert(15.0, "EQ-2"), "Cancel?", &same), "orders 1204 -> 15");
        let other = json!({ "cancel": "none", "at": [1] });
        assert_eq!(
            told(&alert(15.0, "EQ-3"), "All?", &other),
            "the question, action.at.2 2 -> none, action.cancel all -> none, 2 more"
        );
    }

    #[test]
    fn a_long_value_is_cut_and_control_characters_do_not_come_through() {
        let asked = request(Value::Null);
        let told = what_changed((&alert(1.0, "EQ"), &asked), (&alert(1.0, &"x\n".repeat(30)), "Cancel?", &Value::Null));
        assert_eq!(told, format!("desk EQ -> {}..", "x ".repeat(12)));
    }

    #[test]
    fn no_name_of_a_fact_hides_another_one_or_looks_like_more_than_a_name() {
        let asked = request(json!({ "desk": "EQ" }));
        let mut alert = alert(1.0, "EQ");
        let named = |name: &str, alert: &mut Alert| alert.labels.insert(name.into(), "x".into());
        named("\0question", &mut alert);
        named("action.desk", &mut alert);
        named("orders", &mut alert);
        named("a\nLIVE\u{202e}\u{1b}[2J", &mut alert);
        let mut after = alert.clone();
        after.labels.insert("a\nLIVE\u{202e}\u{1b}[2J".into(), "y".into());
        after.values.insert("orders".into(), 2.0);
        let told = what_changed((&alert, &asked), (&after, "All?", &json!({ "desk": "FX" })));
        assert_eq!(told, "the question, a LIVE [2J x -> y, action.desk EQ -> FX, 1 more");
    }
}
