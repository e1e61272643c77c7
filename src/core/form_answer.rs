//! The answer to a form: what people send, as JSON or as they typed it, read into types of our own. Every fault is found
//! at once and stands at its field.

use super::{
    form::{FieldKind, Form, FormField, whole},
    printable::{excerpt, is_unprintable},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};
use std::collections::BTreeMap;

/// What stands for the option of a form that has more than one choice: the answer is elsewhere.
pub const FORM_ANSWER: &str = "answer";

/// The most characters of an unknown field's name that are told back.
const QUOTE_MAX: usize = 40;

/// The value of a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum FieldValue {
    /// A choice, or a line of text.
    Text(String),
    /// Yes or no.
    Boolean(bool),
    /// A number.
    Number(Number),
}

/// An answer that fits its form: the values by the names of their fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct FormAnswer(BTreeMap<String, FieldValue>);

/// A field whose value does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {why}")]
pub struct FieldFault {
    /// The field's name.
    pub field: String,
    /// What is wrong, and what it takes.
    pub why: String,
}

impl FieldFault {
    /// A field that the form does not have.
    pub fn unknown(form: &Form, name: &str) -> Self {
        let field = excerpt(name, QUOTE_MAX).escape_debug().to_string();
        let known: Vec<&str> = form.fields().iter().map(|field| field.name.as_str()).collect();
        Self { field, why: format!("is not a field: there are {}", known.join(", ")) }
    }
}

impl FormAnswer {
    /// The value of a field.
    pub fn get(&self, field: &str) -> Option<&FieldValue> {
        self.0.get(field)
    }

    /// As JSON.
    pub fn to_json(&self) -> Value {
        let value = |(name, value): (&String, &FieldValue)| (name.clone(), value.to_json());
        Value::Object(self.0.iter().map(value).collect())
    }
}

impl FieldValue {
    /// As JSON.
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Text(text) => Value::String(text.clone()),
            Self::Boolean(is) => Value::Bool(*is),
            Self::Number(number) => Value::Number(number.clone()),
        }
    }

    /// As a person would type it.
    pub fn typed(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Boolean(is) => is.to_string(),
            // Without an exponent, which people and their keyboards do not know.
            Self::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
                Some(number) => number.to_string(),
                None => number.to_string(),
            },
        }
    }
}

impl Form {
    /// Reads an answer in JSON.
    ///
    /// # Errors
    /// Every field that does not fit, in the order of the fields; then those that the form does not have.
    pub fn answer(&self, given: &Value) -> Result<FormAnswer, Vec<FieldFault>> {
        let Value::Object(given) = given else {
            return Err(vec![FieldFault {
                field: "the answer".to_owned(),
                why: "must be one object of JSON".to_owned(),
            }]);
        };
        self.read_with(|field| given.get(&field.name).map(|value| field.value(value)), unknown(self, given))
    }

    /// Reads what people typed; a field that has only spaces is left out.
    ///
    /// # Errors
    /// As [`Form::answer`].
    pub fn typed(&self, text: impl Fn(&str) -> String) -> Result<FormAnswer, Vec<FieldFault>> {
        let value = |field: &FormField| {
            let text = text(&field.name).trim().to_owned();
            (!text.is_empty()).then(|| field.typed(&text))
        };
        self.read_with(value, Vec::new())
    }

    fn read_with(
        &self,
        value: impl Fn(&FormField) -> Option<Result<FieldValue, String>>,
        mut faults: Vec<FieldFault>,
    ) -> Result<FormAnswer, Vec<FieldFault>> {
        let mut answer = BTreeMap::new();
        let mut wrong = Vec::new();
        for field in self.fields() {
            let fault = |why: String| FieldFault { field: field.name.clone(), why };
            match value(field) {
                Some(Ok(value)) => drop(answer.insert(field.name.clone(), value)),
                Some(Err(why)) => wrong.push(fault(why)),
                None if field.required => wrong.push(fault(format!("is missing: it takes {}", field.takes()))),
                None => {}
            }
        }
        wrong.append(&mut faults);
        if wrong.is_empty() { Ok(FormAnswer(answer)) } else { Err(wrong) }
    }

    /// Whether an answer fits: one that was read for this form does.
    pub fn fits(&self, answer: &FormAnswer) -> bool {
        self.answer(&answer.to_json()).is_ok_and(|same| same == *answer)
    }

    /// The answer that this choice is, if one choice is the whole answer.
    pub fn chosen(&self, choice: &str) -> Option<FormAnswer> {
        let (field, choices) = self.one_choice()?;
        let known = choices.iter().find(|own| *own == choice)?;
        Some(FormAnswer(BTreeMap::from([(field.name.clone(), FieldValue::Text(known.clone()))])))
    }

    /// What is said to be the option of an answer: the choice, if that is the whole answer.
    pub fn option_of(&self, answer: &FormAnswer) -> String {
        let choice = self.one_choice().and_then(|(field, _)| answer.get(&field.name));
        choice.map_or_else(|| FORM_ANSWER.to_owned(), FieldValue::typed)
    }
}

fn unknown(form: &Form, given: &Map<String, Value>) -> Vec<FieldFault> {
    let others = given.keys().filter(|name| form.fields().iter().all(|field| field.name != **name));
    others.map(|name| FieldFault::unknown(form, name)).collect()
}

impl FormField {
    /// What the field takes, in words.
    pub fn takes(&self) -> String {
        match &self.kind {
            FieldKind::Choice { choices } => format!("one of {}", choices.join(", ")),
            FieldKind::Text { max } => format!("one line of at most {max} characters"),
            FieldKind::Integer { min, max } => format!("a whole number from {min} to {max}"),
            FieldKind::Number { min, max } => format!("a number from {min} to {max}"),
            FieldKind::Boolean => "yes or no".to_owned(),
        }
    }

    fn refusal(&self) -> String {
        format!("takes {}", self.takes())
    }

    /// Reads a value in JSON.
    pub(super) fn value(&self, given: &Value) -> Result<FieldValue, String> {
        let value = match (&self.kind, given) {
            (FieldKind::Choice { .. } | FieldKind::Text { .. }, Value::String(text)) => return self.text(text),
            (FieldKind::Integer { min, max }, Value::Number(_)) => {
                whole(given).filter(|n| (min..=max).contains(&n)).map(|n| FieldValue::Number(n.into()))
            }
            (FieldKind::Number { min, max }, Value::Number(_)) => {
                given.as_f64().filter(|n| (min..=max).contains(&n)).and_then(number)
            }
            (FieldKind::Boolean, Value::Bool(is)) => Some(FieldValue::Boolean(*is)),
            _ => None,
        };
        value.ok_or_else(|| self.refusal())
    }

    fn text(&self, text: &str) -> Result<FieldValue, String> {
        let fits = match &self.kind {
            FieldKind::Choice { choices } => choices.iter().any(|choice| choice == text),
            FieldKind::Text { max } => text.chars().count() <= *max && !text.contains(is_unprintable),
            _ => false,
        };
        if fits { Ok(FieldValue::Text(text.to_owned())) } else { Err(self.refusal()) }
    }

    /// Reads what somebody typed.
    pub(super) fn typed(&self, text: &str) -> Result<FieldValue, String> {
        match &self.kind {
            FieldKind::Choice { .. } | FieldKind::Text { .. } => self.text(text),
            FieldKind::Integer { .. } => {
                text.parse::<i64>().map_or_else(|_| Err(self.refusal()), |n| self.value(&n.into()))
            }
            // `inf` and `nan` are no numbers of JSON.
            FieldKind::Number { .. } => {
                let read = text.parse::<f64>().ok().and_then(Number::from_f64);
                read.map_or_else(|| Err(format!("{}, such as 0.5", self.refusal())), |n| self.value(&Value::Number(n)))
            }
            FieldKind::Boolean => match text.to_lowercase().as_str() {
                "true" | "yes" => Ok(FieldValue::Boolean(true)),
                "false" | "no" => Ok(FieldValue::Boolean(false)),
                _ => Err(self.refusal()),
            },
        }
    }
}

/// A whole number is written without a fraction: both say the same.
fn number(value: f64) -> Option<FieldValue> {
    let whole = whole(&value.into()).map(Number::from);
    whole.or_else(|| Number::from_f64(value)).map(FieldValue::Number)
}
