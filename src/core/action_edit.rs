//! An approval of a changed action: which members of the action people may change and within which bounds, and what was
//! changed. The schema is a form's; what it allows is frozen with the question.

use super::{
    form::{Form, FormFault},
    form_answer::{FieldValue, FormAnswer},
    hidden::short_line,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where an action is changed, for people who hear that where it can not be.
pub const CHANGE_IT: &str = "To change it, use your desk or the link in your mail.";

/// How many changes are named in a text; the others are counted.
const CHANGES_NAMED: usize = 3;

/// The longest value that is shown of a change, in characters.
const VALUE_MAX: usize = 24;

/// What people may change of the action that they are asked about. As JSON it is its schema, as it was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct ActionEdit(Form);

/// One member of the action that somebody changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ActionChange {
    /// Its name in the action.
    pub field: String,
    /// What the action had.
    pub from: FieldValue,
    /// What it has now.
    pub to: FieldValue,
}

/// The action with which somebody approved, where it is not the one that was asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditedAction {
    /// What was changed, in the order of the fields: one at least.
    pub changes: Vec<ActionChange>,
    /// The digest of the changed action and the facts.
    pub action_digest: String,
}

impl ActionEdit {
    /// Reads a schema for this action: each field is a member of it whose value fits. A field always has a value, whatever
    /// the schema says is `required`: nothing is taken out of an action.
    ///
    /// # Errors
    /// The first thing that can not be asked.
    pub fn read(schema: &Value, action: &Value) -> Result<Self, FormFault> {
        let edit = Self::try_from(schema.clone())?;
        for field in edit.0.fields() {
            let fault = |why: String| FormFault { at: format!("/properties/{}", field.name), why };
            let present = action.get(&field.name);
            let present =
                present.ok_or_else(|| fault("is not a member of `action`: only what it has can be changed".into()))?;
            let value = field.value(present);
            let value = value.map_err(|why| {
                let present = short_line(&present.to_string(), VALUE_MAX);
                fault(format!("the action has {present}, which does not fit: the field {why}"))
            })?;
            // What is drawn and sent unchanged is no change.
            let typed = value.typed().trim().to_owned();
            if typed.is_empty() || field.typed(&typed) != Ok(value) {
                let why = "the action has a text there that is empty, or has a blank at an end: nobody could leave it as it is";
                return Err(fault(why.into()));
            }
        }
        Ok(edit)
    }

    /// The fields.
    pub fn form(&self) -> &Form {
        &self.0
    }

    /// What the action has in a field, as a person would type it.
    pub fn present(&self, action: &Value, field: &str) -> String {
        let field = self.0.fields().iter().find(|own| own.name == field);
        let value = field.and_then(|field| field.value(action.get(&field.name)?).ok());
        value.map_or_else(String::new, |value| value.typed())
    }

    /// What this answer changes of the action, in the order of the fields.
    pub fn changes(&self, action: &Value, answer: &FormAnswer) -> Vec<ActionChange> {
        let changes = self.0.fields().iter().filter_map(|field| {
            let from = field.value(action.get(&field.name)?).ok()?;
            let to = answer.get(&field.name)?.clone();
            (from != to).then(|| ActionChange { field: field.name.clone(), from, to })
        });
        changes.collect()
    }
}

impl TryFrom<Value> for ActionEdit {
    type Error = FormFault;

    fn try_from(schema: Value) -> Result<Self, FormFault> {
        Form::read(&schema).map(|form| Self(form.with_every_field()))
    }
}

impl From<ActionEdit> for Value {
    fn from(edit: ActionEdit) -> Self {
        edit.0.into()
    }
}

/// The action with these changes.
pub fn changed(action: &Value, changes: &[ActionChange]) -> Value {
    let mut action = action.clone();
    for change in changes {
        if let Some(member) = action.get_mut(&change.field) {
            *member = change.to.to_json();
        }
    }
    action
}

/// What was changed, in one line: `qty 100 -> 60`.
pub fn change_words(changes: &[ActionChange]) -> String {
    let shown = |value: &FieldValue| match value {
        FieldValue::Text(text) => short_line(text, VALUE_MAX),
        other => other.typed(),
    };
    let told = changes.iter().take(CHANGES_NAMED);
    let mut told: Vec<String> =
        told.map(|change| format!("{} {} -> {}", change.field, shown(&change.from), shown(&change.to))).collect();
    if let more @ 1.. = changes.len().saturating_sub(CHANGES_NAMED) {
        told.push(format!("{more} more"));
    }
    told.join(", ")
}
