//! Forms: a typed answer of one person. What a form may ask is a small part of JSON Schema, which is read here once into
//! types of our own; everything else in a schema is refused with the place where it stands.

use super::{
    canonical::{CanonicalJson, INTEGER_MAX},
    printable::{excerpt, is_unprintable},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// The most fields of a form. It has one at least.
pub const FIELDS_MAX: usize = 9;

/// The longest name of a field, in characters: letters, digits, `_` and `-`.
pub const FIELD_NAME_MAX: usize = 32;

/// The longest title of a form or a field, in characters.
pub const FIELD_TITLE_MAX: usize = 60;

/// The longest description of a field, in characters.
pub const FIELD_DESCRIPTION_MAX: usize = 200;

/// The fewest and the most choices of a field.
pub const CHOICES_MIN: usize = 2;
/// See [`CHOICES_MIN`].
pub const CHOICES_MAX: usize = 9;

/// The longest choice, in characters: it can be an option of a text message.
pub const CHOICE_MAX: usize = 32;

/// The longest text that a field can take, in characters.
pub const FIELD_TEXT_MAX: usize = 200;

/// Where a form is filled in, for people who read that where none can be drawn.
pub const FILL_IN: &str = "fill in the form on your desk or by the link in your mail";

/// The most characters of the schema that a fault repeats.
const QUOTE_MAX: usize = 40;

const FORM_KEYS: [&str; 5] = ["type", "title", "properties", "required", "additionalProperties"];

/// What a form asks. As JSON it is its schema, as it was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Form {
    schema: Value,
    title: Option<String>,
    fields: Vec<FormField>,
}

/// One field.
#[derive(Debug, Clone, PartialEq)]
pub struct FormField {
    /// Its name for the system that asks.
    pub name: String,
    /// What people read, if it is not the name.
    pub title: Option<String>,
    /// What they read beside it.
    pub description: Option<String>,
    /// Whether every answer has it.
    pub required: bool,
    /// What it takes.
    pub kind: FieldKind,
}

/// What a field takes.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldKind {
    /// One of these texts.
    Choice {
        /// The texts, in their order.
        choices: Vec<String>,
    },
    /// One line of text.
    Text {
        /// Its most characters.
        max: usize,
    },
    /// A whole number.
    Integer {
        /// The smallest.
        min: i64,
        /// The largest.
        max: i64,
    },
    /// A number.
    Number {
        /// The smallest.
        min: f64,
        /// The largest.
        max: f64,
    },
    /// Yes or no.
    Boolean,
}

/// What a form can not ask.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {why}")]
pub struct FormFault {
    /// Where it stands in the schema: a JSON pointer (RFC 6901), empty for the whole.
    pub at: String,
    /// What is wrong there, and what a form takes.
    pub why: String,
}

impl FormField {
    /// What people read.
    pub fn label(&self) -> &str {
        self.title.as_deref().unwrap_or(&self.name)
    }
}

impl Form {
    /// Reads a schema. Its fields are in the order of `required`, and the others behind them by their names: the names of
    /// an object of JSON have no order.
    ///
    /// # Errors
    /// The first thing that a form can not ask.
    pub fn read(schema: &Value) -> Result<Self, FormFault> {
        // People are asked about exactly this schema: their digest covers it.
        CanonicalJson::of(schema).map_err(|error| fault("", error.to_string()))?;
        let map = object(schema, "")?;
        only(map, &FORM_KEYS, "")?;
        if map.get("type").and_then(Value::as_str) != Some("object") {
            return Err(fault("/type", "must be \"object\": a form is an object with `properties`"));
        }
        if map.get("additionalProperties").is_some_and(|more| *more != Value::Bool(false)) {
            return Err(fault(
                "/additionalProperties",
                "must be false: an answer has the fields of the form and no others",
            ));
        }
        let title = text_of(map, "title", FIELD_TITLE_MAX, "")?;
        let none = Map::new();
        let properties = map.get("properties").map_or(Ok(&none), |fields| object(fields, "/properties"))?;
        if !(1..=FIELDS_MAX).contains(&properties.len()) {
            return Err(fault("/properties", format!("has {} fields: a form has 1 to {FIELDS_MAX}", properties.len())));
        }
        let required = required(map, properties)?;
        let place = |name: &str| required.iter().position(|own| own == name).unwrap_or(required.len());
        let mut sorted: Vec<(&String, &Value)> = properties.iter().collect();
        sorted.sort_by_key(|(name, _)| (place(name), *name));
        let read = |(name, of): (&String, &Value)| FormField::read(name, of, required.contains(name));
        let fields = sorted.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let labels: BTreeSet<String> = fields.iter().map(|field| field.label().to_lowercase()).collect();
        if labels.len() != fields.len() {
            return Err(fault("/properties", "two fields have the same title: people could not tell them apart"));
        }
        Ok(Self { schema: schema.clone(), title, fields })
    }

    /// The schema, as it was sent.
    pub fn schema(&self) -> &Value {
        &self.schema
    }

    /// What stands over the fields.
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// The fields, in the order in which people read them.
    pub fn fields(&self) -> &[FormField] {
        &self.fields
    }

    /// The choices, if one choice is the whole answer: such a form can be answered by a letter.
    pub fn one_choice(&self) -> Option<(&FormField, &[String])> {
        match self.fields.as_slice() {
            [field @ FormField { required: true, kind: FieldKind::Choice { choices }, .. }] => Some((field, choices)),
            _ => None,
        }
    }
}

impl Form {
    /// The same, with a value for every field in each answer.
    pub(super) fn with_every_field(mut self) -> Self {
        self.fields.iter_mut().for_each(|field| field.required = true);
        self
    }
}

impl TryFrom<Value> for Form {
    type Error = FormFault;

    fn try_from(schema: Value) -> Result<Self, FormFault> {
        Self::read(&schema)
    }
}

impl From<Form> for Value {
    fn from(form: Form) -> Self {
        form.schema
    }
}

impl FormField {
    fn read(name: &str, schema: &Value, required: bool) -> Result<Self, FormFault> {
        let at = under("/properties", name);
        let is_sign = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || FIELD_NAME_MAX < name.chars().count() || !name.chars().all(is_sign) {
            let why = format!("a field's name has 1 to {FIELD_NAME_MAX} letters, digits, \"_\" and \"-\"");
            return Err(fault(&at, why));
        }
        let map = object(schema, &at)?;
        let kind = kind(map, &at)?;
        let title = text_of(map, "title", FIELD_TITLE_MAX, &at)?;
        let description = text_of(map, "description", FIELD_DESCRIPTION_MAX, &at)?;
        Ok(Self { name: name.to_owned(), title, description, required, kind })
    }
}

fn kind(map: &Map<String, Value>, at: &str) -> Result<FieldKind, FormFault> {
    let known = |own: &[&str]| only(map, &[&["type", "title", "description"], own].concat(), at);
    match map.get("type").and_then(Value::as_str) {
        Some("string") if map.contains_key("enum") => {
            known(&["enum"])?;
            choices(&map["enum"], &under(at, "enum")).map(|choices| FieldKind::Choice { choices })
        }
        Some("string") => {
            known(&["enum", "maxLength"])?;
            let max = map.get("maxLength").and_then(Value::as_u64).and_then(|max| usize::try_from(max).ok());
            let max = max.filter(|max| (1..=FIELD_TEXT_MAX).contains(max));
            let why =
                || format!("a text needs `maxLength`, 1 to {FIELD_TEXT_MAX} characters, or `enum` with its choices");
            max.map(|max| FieldKind::Text { max }).ok_or_else(|| fault(&under(at, "maxLength"), why()))
        }
        Some("integer") => {
            known(&["minimum", "maximum"])?;
            let (min, max) = bounds(map, at, whole, "a whole number")?;
            Ok(FieldKind::Integer { min, max })
        }
        Some("number") => {
            known(&["minimum", "maximum"])?;
            let (min, max) = bounds(map, at, Value::as_f64, "a number")?;
            Ok(FieldKind::Number { min, max })
        }
        Some("boolean") => known(&[]).map(|()| FieldKind::Boolean),
        _ => Err(fault(&under(at, "type"), "must be \"string\", \"integer\", \"number\" or \"boolean\"")),
    }
}

/// A whole number, also where it is written `5.0`, that every reader of JSON keeps.
pub(super) fn whole(value: &Value) -> Option<i64> {
    let within = |n: &i64| n.unsigned_abs() <= INTEGER_MAX;
    let written = || value.as_f64().filter(|n| n.fract() == 0.0 && n.abs() <= INTEGER_MAX as f64).map(|n| n as i64);
    value.as_i64().or_else(written).filter(within)
}

fn bounds<N: PartialOrd>(
    map: &Map<String, Value>,
    at: &str,
    read: fn(&Value) -> Option<N>,
    what: &str,
) -> Result<(N, N), FormFault> {
    let bound = |key: &str| {
        let found = map.get(key).filter(|bound| bound.as_f64().is_some_and(|n| n.abs() <= INTEGER_MAX as f64));
        let why = || format!("{what} needs `minimum` and `maximum`, from -(2^53 - 1) to 2^53 - 1");
        found.and_then(read).ok_or_else(|| fault(&under(at, key), why()))
    };
    let (min, max) = (bound("minimum")?, bound("maximum")?);
    if min <= max { Ok((min, max)) } else { Err(fault(&under(at, "maximum"), "is less than `minimum`")) }
}

fn choices(given: &Value, at: &str) -> Result<Vec<String>, FormFault> {
    let given = given.as_array().ok_or_else(|| fault(at, "must be a list of texts"))?;
    if !(CHOICES_MIN..=CHOICES_MAX).contains(&given.len()) {
        let why = format!("has {} choices: a field has {CHOICES_MIN} to {CHOICES_MAX}", given.len());
        return Err(fault(at, why));
    }
    let mut known = BTreeSet::new();
    let mut choices = Vec::with_capacity(given.len());
    for (n, choice) in given.iter().enumerate() {
        let at = format!("{at}/{n}");
        let text = choice.as_str().ok_or_else(|| fault(&at, "must be a text"))?;
        if line(text, CHOICE_MAX, &at)? != text {
            return Err(fault(&at, "has a space at an end, or two beside each other"));
        }
        if !known.insert(text.to_lowercase()) {
            return Err(fault(&at, "is there twice"));
        }
        choices.push(text.to_owned());
    }
    Ok(choices)
}

fn required(map: &Map<String, Value>, properties: &Map<String, Value>) -> Result<Vec<String>, FormFault> {
    let Some(given) = map.get("required") else { return Ok(Vec::new()) };
    let given = given.as_array().ok_or_else(|| fault("/required", "must be a list of names of fields"))?;
    let mut names: Vec<String> = Vec::new();
    for (n, name) in given.iter().enumerate() {
        let known = name.as_str().filter(|name| properties.contains_key(*name) && !names.iter().any(|own| own == name));
        let why = "must be the name of one of the `properties`, and be there once";
        names.push(known.ok_or_else(|| fault(&format!("/required/{n}"), why))?.to_owned());
    }
    Ok(names)
}

fn text_of(map: &Map<String, Value>, key: &str, most: usize, at: &str) -> Result<Option<String>, FormFault> {
    let Some(text) = map.get(key) else { return Ok(None) };
    let at = under(at, key);
    let text = text.as_str().ok_or_else(|| fault(&at, "must be a text"))?;
    line(text, most, &at).map(Some)
}

/// One line of text, without signs that control how others are shown.
fn line(text: &str, most: usize, at: &str) -> Result<String, FormFault> {
    if text.contains(is_unprintable) {
        return Err(fault(at, "has a control character: send one line of plain text"));
    }
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.chars().count() {
        0 => Err(fault(at, "is empty")),
        length if most < length => Err(fault(at, format!("has {length} characters: {most} at most"))),
        _ => Ok(text),
    }
}

fn object<'a>(value: &'a Value, at: &str) -> Result<&'a Map<String, Value>, FormFault> {
    value.as_object().ok_or_else(|| fault(at, "must be an object"))
}

fn only(map: &Map<String, Value>, known: &[&str], at: &str) -> Result<(), FormFault> {
    let other = map.keys().find(|key| !known.contains(&key.as_str()));
    let known = || known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    other.map_or(Ok(()), |key| Err(fault(&under(at, key), format!("is not taken in a form, only {}", known()))))
}

/// The pointer to what has this name there.
fn under(at: &str, name: &str) -> String {
    format!("{at}/{}", excerpt(&name.replace('~', "~0").replace('/', "~1"), QUOTE_MAX).escape_debug())
}

fn fault(at: &str, why: impl Into<String>) -> FormFault {
    FormFault { at: at.to_owned(), why: why.into() }
}
