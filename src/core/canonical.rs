//! JSON in its one canonical form (RFC 8785), and the digest that names it: what is approved and what is done have the
//! same digest only if they say the same.
//!
//! The form is written by our own code over `serde_json`. The crates for it round an integer beyond 2^53 without a word
//! (9007199254740993 and 9007199254740992 get one digest) or panic at it, and a `serde_json::Value` keeps the last of two
//! equal names. What is left of the RFC is short: names in the order of their UTF-16 units, and numbers as ECMAScript
//! writes them, of which Rust's own formatting has the digits. A referee (`tests/real/canonical.rs`) compares them with
//! those of a JavaScript engine.

use super::{hex::hex, printable::excerpt};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};
use sha2::{Digest, Sha256};
use std::fmt;

/// The largest integer that every reader of JSON keeps exactly: 2^53 - 1 (RFC 7493, 2.2).
pub const INTEGER_MAX: u64 = (1 << 53) - 1;

/// How deep values may be nested: as deep as `serde_json` reads.
pub const DEPTH_MAX: usize = 127;

/// The most characters of a name or a number that an error repeats.
const QUOTE_MAX: usize = 80;

/// JSON in its canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanonicalJson(String);

/// Why JSON has no canonical form that says the same to every reader.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalError {
    /// It is no JSON.
    #[error("it is not JSON: {0}")]
    NotJson(String),
    /// A name is twice in one object: readers differ in which one they take.
    #[error("{0}: nobody can know which one is meant")]
    Twice(String),
    /// A number that a reader may round.
    #[error(
        "the number {0} can not be kept exactly by every reader of JSON: send it as text, in quotes (integers end at 2^53 \
         - 1, others at about 16 digits)"
    )]
    Inexact(String),
    /// It is nested too deep.
    #[error("it is nested more than {DEPTH_MAX} levels deep")]
    Deep,
}

impl CanonicalJson {
    /// The canonical form of a text.
    ///
    /// # Errors
    /// What [`read_exact`] refuses.
    pub fn read(text: &str) -> Result<Self, CanonicalError> {
        Self::of(&read_exact(text)?)
    }

    /// The canonical form of a value. What its text said can not be seen any more: for what others send use
    /// [`CanonicalJson::read`].
    ///
    /// # Errors
    /// [`CanonicalError::Inexact`] for numbers beyond [`INTEGER_MAX`], [`CanonicalError::Deep`].
    pub fn of(value: &Value) -> Result<Self, CanonicalError> {
        check(value, 0)?;
        let mut text = String::new();
        write(value, &mut text);
        Ok(Self(text))
    }

    /// The canonical form of anything that serializes to JSON. A number that is not finite becomes `null`.
    ///
    /// # Errors
    /// As [`CanonicalJson::of`]; [`CanonicalError::NotJson`] where it can not be serialized.
    pub fn of_serialized(value: &impl Serialize) -> Result<Self, CanonicalError> {
        Self::of(&serde_json::to_value(value).map_err(|error| CanonicalError::NotJson(error.to_string()))?)
    }

    /// The canonical text.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Its digest: `sha256:` and 64 hexadecimal digits.
    pub fn digest(&self) -> String {
        sha256(self.0.as_bytes())
    }
}

/// The SHA-256 of bytes, in the form of [`CanonicalJson::digest`].
pub fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

/// Reads JSON that means the same to every reader.
///
/// # Errors
/// Text that is no JSON, an object with a name twice, a number beyond [`INTEGER_MAX`] or one that is changed when it is
/// read and written again (`0.10000000000000000001`).
pub fn read_exact(text: &str) -> Result<Value, CanonicalError> {
    let ExactValue(value) = serde_json::from_str(text).map_err(|error| match error.is_data() {
        // Only names that are there twice: the reader takes every type.
        true => CanonicalError::Twice(error.to_string()),
        false => CanonicalError::NotJson(error.to_string()),
    })?;
    match numbers(text).find(|literal| !is_exact(literal)) {
        Some(literal) => Err(CanonicalError::Inexact(excerpt(literal, QUOTE_MAX).into_owned())),
        None => Ok(value),
    }
}

/// A finite number as ECMAScript writes it (ECMA-262, `Number::toString`).
pub fn number(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let sign = if value < 0.0 { "-" } else { "" };
    let shortest = shortest(value.abs());
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let (digits, exponent) = (mantissa.replace('.', ""), exponent.parse::<i32>().unwrap_or(0));
    match (exponent, usize::try_from(exponent + 1)) {
        // 1200 or 12.5
        (0..21, Ok(point)) if digits.len() <= point => format!("{sign}{digits:0<point$}"),
        (0..21, Ok(point)) => format!("{sign}{}.{}", &digits[..point], &digits[point..]),
        // 0.00125
        (-6..0, _) => format!("{sign}0.{:0<zeros$}{digits}", "", zeros = exponent.unsigned_abs() as usize - 1),
        // 1.25e-7
        _ => {
            let (first, rest) = digits.split_at(1);
            let point = if rest.is_empty() { "" } else { "." };
            format!("{sign}{first}{point}{rest}e{exponent:+}")
        }
    }
}

/// The fewest digits that read back as this positive number, as `1.25e-7`. Where two are equally near to it, ECMAScript
/// takes the even one, which rounding to so many digits gives; Rust's shortest form takes either.
fn shortest(value: f64) -> String {
    let shortest = format!("{value:e}");
    let digits = shortest.bytes().take_while(|byte| *byte != b'e').filter(u8::is_ascii_digit).count();
    let even = format!("{value:.*e}", digits.saturating_sub(1));
    if even.parse() == Ok(value) { even } else { shortest }
}

/// The form of RFC 8785 itself, which rounds what [`check`] refuses.
fn write(value: &Value, text: &mut String) {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => text.push_str(&value.to_string()),
        Value::Number(found) => text.push_str(&number(found.as_f64().unwrap_or(0.0))),
        Value::Array(items) => {
            text.push('[');
            for (n, item) in items.iter().enumerate() {
                text.push_str(if n == 0 { "" } else { "," });
                write(item, text);
            }
            text.push(']');
        }
        Value::Object(fields) => {
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            fields.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            text.push('{');
            for (n, (name, field)) in fields.into_iter().enumerate() {
                text.push_str(if n == 0 { "" } else { "," });
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                write(field, text);
            }
            text.push('}');
        }
    }
}

fn check(value: &Value, depth: usize) -> Result<(), CanonicalError> {
    let mut inner: Box<dyn Iterator<Item = &Value>> = match value {
        Value::Number(found) if !is_small(found) => {
            return Err(CanonicalError::Inexact(excerpt(&found.to_string(), QUOTE_MAX).into_owned()));
        }
        Value::Array(_) | Value::Object(_) if DEPTH_MAX <= depth => return Err(CanonicalError::Deep),
        Value::Array(items) => Box::new(items.iter()),
        Value::Object(fields) => Box::new(fields.values()),
        _ => return Ok(()),
    };
    inner.try_for_each(|value| check(value, depth + 1))
}

/// Whether a number is within [`INTEGER_MAX`]: beyond it doubles skip integers.
fn is_small(number: &Number) -> bool {
    match (number.as_i64(), number.as_u64(), number.as_f64()) {
        (Some(integer), ..) => integer.unsigned_abs() <= INTEGER_MAX,
        (_, Some(_), _) => false,
        (.., Some(double)) => double.abs() <= INTEGER_MAX as f64,
        _ => false,
    }
}

/// The numbers of a JSON text as they are written.
fn numbers(text: &str) -> impl Iterator<Item = &str> {
    let (mut at, mut quoted) = (0, false);
    std::iter::from_fn(move || {
        while let Some(byte) = text.as_bytes().get(at) {
            match byte {
                b'\\' if quoted => at += 1,
                b'"' => quoted = !quoted,
                b'-' | b'0'..=b'9' if !quoted => {
                    let rest = &text[at..];
                    let is_end = |c: char| !matches!(c, '+' | '-' | '.' | '0'..='9' | 'e' | 'E');
                    let literal = &rest[..rest.find(is_end).unwrap_or(rest.len())];
                    at += literal.len();
                    return Some(literal);
                }
                _ => {}
            }
            at += 1;
        }
        None
    })
}

/// Whether a number is not changed when it is read as a double and written again.
fn is_exact(literal: &str) -> bool {
    let read = literal.parse::<f64>().ok().filter(|read| read.abs() <= INTEGER_MAX as f64);
    read.is_some_and(|read| decimal(literal).is_some_and(|sent| decimal(&number(read)) == Some(sent)))
}

/// A number's sign, its digits without zeros at either end, and the power of ten of the last one; `None` for an exponent
/// without bounds.
fn decimal(literal: &str) -> Option<(bool, String, i64)> {
    let (mantissa, exponent) = literal.split_once(['e', 'E']).unwrap_or((literal, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let (negative, whole) = whole.strip_prefix('-').map_or((false, whole), |whole| (true, whole));
    let digits = format!("{whole}{fraction}");
    let kept = digits.trim_end_matches('0');
    if kept.is_empty() {
        return Some((false, String::new(), 0));
    }
    let cut = i64::try_from(digits.len() - kept.len()).ok()? - i64::try_from(fraction.len()).ok()?;
    Some((negative, kept.trim_start_matches('0').to_owned(), exponent.parse::<i64>().ok()?.checked_add(cut)?))
}

/// A value whose objects have each name once.
struct ExactValue(Value);

impl<'de> Deserialize<'de> for ExactValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ExactVisitor).map(Self)
    }
}

struct ExactVisitor;

impl<'de> Visitor<'de> for ExactVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut read = Vec::new();
        while let Some(ExactValue(item)) = items.next_element()? {
            read.push(item);
        }
        Ok(Value::Array(read))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut read = Map::new();
        while let Some((name, ExactValue(field))) = fields.next_entry::<String, _>()? {
            if read.contains_key(&name) {
                let name = excerpt(&name, QUOTE_MAX);
                return Err(A::Error::custom(format!("the name {name:?} is there twice in one object")));
            }
            read.insert(name, field);
        }
        Ok(Value::Object(read))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_rfc(text: &str) -> String {
        let mut written = String::new();
        write(&serde_json::from_str(text).expect("JSON"), &mut written);
        written
    }

    /// RFC 8785, 3.2.2 and 3.2.3, whose numbers are refused at the door: they are rounded.
    #[test]
    fn the_examples_of_the_rfc_are_written_as_it_says() {
        let sent = r#"{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
            "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}"#;
        let kept = r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"#;
        assert_eq!(of_rfc(sent), kept);
        assert_eq!(CanonicalJson::read(sent), Err(CanonicalError::Inexact("333333333.33333329".into())));

        let sent = r#"{"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
            "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"}"#;
        let sorted = [
            "Carriage Return",
            "One",
            "Control",
            "Latin Small Letter O With Diaeresis",
            "Euro Sign",
            "Emoji: Grinning Face",
            "Hebrew Letter Dalet With Dagesh",
        ];
        let written = of_rfc(sent);
        let places: Vec<Option<usize>> = sorted.iter().map(|name| written.find(name)).collect();
        assert!(places.is_sorted() && places.iter().all(Option::is_some), "{written}");
        assert_eq!(CanonicalJson::read(sent).map(|json| json.0), Ok(written));
    }
}
