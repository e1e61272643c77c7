//! What people repeat before their choice counts, so that a reflex decides nothing.

use super::{alert::Alert, folded::folded, hidden::plain_line};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The longest fact that people are asked to repeat, in characters: they type it on a phone.
pub const READ_BACK_MAX: usize = 32;

/// Which fact of a request people repeat: `labels.desk`, `values.orders`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ReadBackField {
    /// A label with this name.
    Label(String),
    /// A value with this name.
    Value(String),
}

/// A text names no fact that people can repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it names no label and no value")]
pub struct NoFact;

/// The fact that people repeat. It is frozen when the request is accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadBack {
    /// Which one.
    pub field: ReadBackField,
    /// What it is, as people read it.
    pub value: String,
}

impl ReadBackField {
    /// Its name for people.
    pub fn name(&self) -> &str {
        let (Self::Label(name) | Self::Value(name)) = self;
        name
    }

    /// The fact of this alert.
    ///
    /// # Errors
    /// Why people can not repeat it, for the system that asks.
    pub fn of(&self, alert: &Alert) -> Result<ReadBack, String> {
        let value = match self {
            Self::Label(name) => alert.labels.get(name).map(|label| plain_line(label)),
            Self::Value(name) => alert.values.get(name).map(ToString::to_string),
        };
        let value = value.ok_or_else(|| format!("people are asked to repeat `{self}`: the request must have it"))?;
        if !value.chars().any(char::is_alphanumeric) {
            return Err(format!("people are asked to repeat `{self}`: it needs a letter or a digit"));
        }
        if READ_BACK_MAX < value.chars().count() {
            return Err(format!(
                "people are asked to repeat `{self}`: it must have at most {READ_BACK_MAX} characters"
            ));
        }
        Ok(ReadBack { field: self.clone(), value })
    }
}

impl ReadBack {
    /// Whether this text is the fact, on whichever keyboard it was typed. A label may be written in any case, with other
    /// blanks and dashes or none; a value is a number, whose thousands may be separated. It may be copied with its name, as
    /// people read it.
    pub fn is_repeated(&self, said: &str) -> bool {
        if plain(said) == plain(&self.shown()) {
            return true;
        }
        match self.field {
            ReadBackField::Label(_) => plain(said) == plain(&self.value),
            ReadBackField::Value(_) => {
                let said = number(said);
                said.is_some() && said == number(&self.value)
            }
        }
    }

    /// As people read it: `EQ-2 (desk)`.
    pub fn shown(&self) -> String {
        format!("{} ({})", self.value, plain_line(self.field.name()))
    }
}

/// A label without what people leave out or write in other ways on a phone.
fn plain(text: &str) -> String {
    let text = folded(&plain_line(text)).to_lowercase();
    let kept = text.trim_end_matches(['.', '!']).chars().filter(|c| !c.is_whitespace() && !is_dash(*c) && *c != '_');
    kept.collect()
}

fn number(text: &str) -> Option<f64> {
    // What separates and divides numbers with Arabic digits has signs of its own.
    let text = folded(text).replace('\u{66b}', ".");
    let is_separator = |c: char| c.is_whitespace() || matches!(c, ',' | '\'' | '\u{66c}');
    let text = text.trim().trim_end_matches(['.', '!']);
    let (whole, part) = text.split_at(text.find('.').unwrap_or(text.len()));
    // Groups of three: a single comma may be the decimal one of another language.
    let groups: Vec<&str> = whole.split(is_separator).collect();
    let is_grouped = groups.iter().skip(1).all(|group| group.len() == 3 && group.bytes().all(|b| b.is_ascii_digit()));
    let first = groups.first().map_or(0, |first| first.trim_start_matches(is_dash).len());
    if part.contains(is_separator) || !is_grouped || 1 < groups.len() && !(1..=3).contains(&first) {
        return None;
    }
    let digits: String =
        groups.concat().chars().chain(part.chars()).map(|c| if is_dash(c) { '-' } else { c }).collect();
    digits.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Phones make other dashes of a hyphen.
fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

impl fmt::Display for ReadBackField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label(name) => write!(f, "labels.{name}"),
            Self::Value(name) => write!(f, "values.{name}"),
        }
    }
}

impl FromStr for ReadBackField {
    type Err = NoFact;

    fn from_str(text: &str) -> Result<Self, NoFact> {
        match text.split_once('.') {
            Some(("labels", name)) if !name.is_empty() => Ok(Self::Label(name.to_owned())),
            Some(("values", name)) if !name.is_empty() => Ok(Self::Value(name.to_owned())),
            _ => Err(NoFact),
        }
    }
}

impl TryFrom<String> for ReadBackField {
    type Error = NoFact;

    fn try_from(text: String) -> Result<Self, NoFact> {
        text.parse()
    }
}

impl From<ReadBackField> for String {
    fn from(field: ReadBackField) -> Self {
        field.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(field: &str, label: &str, value: f64) -> Result<ReadBack, String> {
        let mut alert = Alert::new("bot", "order_kill");
        alert.labels.insert("desk".into(), label.into());
        alert.values.insert("orders".into(), value);
        field.parse::<ReadBackField>().map_err(|error| error.to_string())?.of(&alert)
    }

    fn repeated(field: &str, label: &str, value: f64) -> ReadBack {
        fact(field, label, value).unwrap_or_else(|why| panic!("{field}: {why}"))
    }

    #[test]
    fn a_label_is_repeated_as_people_write_it_and_no_other_one_is_it() {
        let desk = repeated("labels.desk", "EQ-2", 1.0);
        for said in ["EQ-2", "eq-2", " EQ\u{2013}2.", "eq 2", "EQ2!", "EQ-2 (desk)"] {
            assert!(desk.is_repeated(said), "{said}");
        }
        for said in ["", "EQ-3", "EQ", "not EQ-2", "EQ-2 EQ-2", "2"] {
            assert!(!desk.is_repeated(said), "{said}");
        }
    }

    #[test]
    fn a_value_is_repeated_as_a_number_and_a_digit_or_a_point_more_is_another_one() {
        let orders = repeated("values.orders", "", 1204.0);
        assert_eq!(orders.shown(), "1204 (orders)");
        for said in ["1204", "1,204", "1 204", "1'204.", "1204.0"] {
            assert!(orders.is_repeated(said), "{said}");
        }
        // A comma is the decimal one in many languages: only between groups of three it is none.
        for said in
            ["", "12040", "1204.5", "-1204", "1.204", "nan", "many", "12,04", "1,2,0,4", "1,204,", ",1204", "12 04"]
        {
            assert!(!orders.is_repeated(said), "{said}");
        }
        assert!(repeated("values.orders", "", -0.25).is_repeated("\u{2212}0.25"));
        assert!(!repeated("values.orders", "", 1.5).is_repeated("15"));
        assert!(!repeated("values.orders", "", 15.0).is_repeated("1,5"));
        assert!(repeated("values.orders", "", -1_204_000.0).is_repeated("-1,204,000"));
    }

    #[test]
    fn a_fact_is_the_same_on_each_keyboard() {
        let desk = repeated("labels.desk", "EQ-2", 1.0);
        for said in ["\u{ff25}\u{ff31}\u{ff0d}\u{ff12}", "\u{200e}eq-\u{662}", "EQ \u{968}", "eq-\u{ff12} (desk)"] {
            assert!(desk.is_repeated(said), "{said}");
        }
        assert!(!desk.is_repeated("EQ-\u{663}") && !desk.is_repeated("EQ-\u{662}2"));
        assert!(repeated("labels.desk", "\u{ff25}\u{ff31}\u{ff12}", 1.0).is_repeated("eq2"), "so may the label be");
        let orders = repeated("values.orders", "", 1204.5);
        for said in [
            "\u{661}\u{662}\u{660}\u{664}\u{66b}\u{665}",
            "\u{661}\u{66c}\u{662}\u{660}\u{664}\u{66b}\u{665}",
            "\u{ff11},\u{ff12}\u{ff10}\u{ff14}\u{ff0e}\u{ff15}",
        ] {
            assert!(orders.is_repeated(said), "{said}");
        }
        // Digits of two scripts are no number.
        assert!(!orders.is_repeated("\u{661}204.5"));
    }

    #[test]
    fn what_nobody_can_repeat_is_refused() {
        let refused = |field: &str, label: &str| fact(field, label, 1.0).err().unwrap_or_default();
        assert!(refused("labels.book", "EQ").contains("`labels.book`: the request must have it"));
        assert!(refused("labels.desk", "--").contains("a letter or a digit"));
        assert!(refused("labels.desk", &"x".repeat(READ_BACK_MAX + 1)).contains("at most 32 characters"));
        for field in ["desk", "labels", "labels.", "evidence.x", ""] {
            assert_eq!(refused(field, "EQ"), NoFact.to_string(), "{field}");
        }
        assert_eq!(repeated("labels.desk", "EQ\n\u{202e}2", 1.0).value, "EQ 2");
    }
}
