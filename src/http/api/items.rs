//! The items of a body, each read by itself: what is wrong with one never costs its siblings. JSON as programs really
//! send it: bytes that are not UTF-8, halves of emoji, line breaks in a text and a bare `NaN` are read; the rest is JSON.

use crate::{channel::charset, text::quantity};
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::{borrow::Cow, collections::BTreeMap, fmt};

/// The most bytes of one alert. It is in its incident, which is read and written whole: a larger one would delay the
/// alerts of others.
pub const ALERT_MAX: usize = 1 << 20;

/// Refuses an item that is too large for one alert.
pub fn within(item: &[u8]) -> Result<(), String> {
    let large = || format!("the alert has {} bytes, more than the {ALERT_MAX} that one may have", item.len());
    if item.len() <= ALERT_MAX { Ok(()) } else { Err(large()) }
}

/// Why nothing of a body was read from the item at `index` on, whose fault is `why`: it has no end, so nobody can tell what
/// follows from what is in it.
pub fn unread(why: &str, index: usize, bytes: usize) -> String {
    format!(
        "from item {index} (the first is 0) to the end nothing was read, {bytes} bytes: a quote or bracket is not closed, or \
         the body was cut off; correct it and send all of this again: {why}"
    )
}

/// A body, cut at the borders of its items. Nothing in them is looked at yet.
#[derive(Debug, PartialEq, Eq)]
pub struct BodyItems<'b> {
    /// Whether they were in an array.
    pub in_array: bool,
    /// One for each item, as it was sent; what is between two commas is one, even if it is not JSON.
    pub items: Vec<&'b [u8]>,
    /// Whether the last bracket is there.
    pub closed: bool,
    /// What follows the first value.
    pub rest: &'b [u8],
}

impl<'b> BodyItems<'b> {
    /// The items of the first value of a body: those of an array, or the one object. `None` where it begins as neither.
    pub fn of(body: &'b [u8]) -> Option<Self> {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii();
        match body.first()? {
            b'[' => Some(Self::of_array(&body[1..])),
            b'{' => {
                let end = end(body, |byte, depth| matches!(byte, b'}' | b']') && depth == 1);
                let closed = end < body.len();
                let (item, rest) = body.split_at(if closed { end + 1 } else { end });
                Some(Self { in_array: false, items: vec![item], closed, rest: rest.trim_ascii() })
            }
            _ => None,
        }
    }

    fn of_array(mut rest: &'b [u8]) -> Self {
        let mut items = Vec::new();
        loop {
            let end = end(rest, |byte, depth| matches!(byte, b',' | b']') && depth == 0);
            let item = rest[..end].trim_ascii();
            if !item.is_empty() {
                items.push(item);
            }
            let border = rest.get(end).copied();
            rest = rest.get(end + 1..).unwrap_or_default();
            if border != Some(b',') {
                return Self { in_array: true, items, closed: border.is_some(), rest: rest.trim_ascii() };
            }
        }
    }
}

/// What follows `"name":` of an object where that is an array, from its bracket on. Nothing else is looked at: what is wrong
/// with an item of the array, or with another field, does not hide it.
pub fn array_of<'b>(object: &'b [u8], name: &str) -> Option<&'b [u8]> {
    value_of(object, name, b'[')
}

/// The same of a value that begins with this bracket.
pub fn value_of<'b>(object: &'b [u8], name: &str, bracket: u8) -> Option<&'b [u8]> {
    let (mut depth, mut opened, mut escaped) = (0_usize, None, false);
    for (at, byte) in object.iter().enumerate() {
        match (byte, opened) {
            _ if escaped => escaped = false,
            (b'\\', Some(_)) => escaped = true,
            (b'"', None) => opened = Some(at),
            (b'"', Some(from)) => {
                opened = None;
                let rest = object[at + 1..].trim_ascii_start();
                let value = rest.strip_prefix(b":").map(<[u8]>::trim_ascii_start);
                if depth == 1
                    && &object[from + 1..at] == name.as_bytes()
                    && value.is_some_and(|v| v.first() == Some(&bracket))
                {
                    return value;
                }
            }
            (_, Some(_)) => {}
            (b'{' | b'[', None) => depth += 1,
            (b'}' | b']', None) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// The first place outside of strings where `is_end` says so of the byte and of how many brackets are open there; the
/// length where there is none. What has a meaning in JSON is ASCII, which is in no letter of UTF-8.
fn end(text: &[u8], is_end: impl Fn(u8, usize) -> bool) -> usize {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            byte if is_end(*byte, depth) => return at,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    text.len()
}

/// The text of an item as JSON that a strict parser takes, and whether letters of it were damaged.
pub fn mended(item: &[u8]) -> (String, bool) {
    mend(item, false)
}

/// The same where a number that is too large for any reader becomes a text, too: it costs nothing around it.
pub fn tamed(item: &[u8]) -> String {
    mend(item, true).0
}

fn mend(item: &[u8], tames: bool) -> (String, bool) {
    let letters = String::from_utf8_lossy(item);
    let whole = charset::without_half_letters(&letters);
    let damaged = matches!(letters, Cow::Owned(_)) || whole != *letters;
    let mut json = String::with_capacity(whole.len());
    let mut rest = &*whole;
    while let Some((outside, behind)) = rest.split_once('"') {
        number_names(outside, tames, &mut json);
        let end = string_end(behind);
        json.push('"');
        behind[..end].chars().for_each(|letter| in_string(letter, &mut json));
        json.push_str(behind.get(end..=end).unwrap_or_default());
        rest = behind.get(end + 1..).unwrap_or_default();
    }
    number_names(rest, tames, &mut json);
    (json, damaged)
}

/// Where the string ends that has begun before this text.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    let is_end = |byte: u8| {
        let end = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        end
    };
    text.bytes().position(is_end).unwrap_or(text.len())
}

/// A letter of a string; line breaks and the like must be written as escapes.
fn in_string(letter: char, json: &mut String) {
    match letter {
        '\0'..='\x1f' => json.push_str(&format!("\\u{:04x}", u32::from(letter))),
        _ => json.push(letter),
    }
}

/// What stands outside of strings, with those numbers in quotes that JSON does not have: `NaN`, `+6.1`, `.5`, `007`; with
/// `tames` also `1e400`.
fn number_names(outside: &str, tames: bool, json: &mut String) {
    const BETWEEN: [char; 10] = [',', ':', '[', ']', '{', '}', ' ', '\n', '\r', '\t'];
    for piece in outside.split_inclusive(BETWEEN) {
        let word = piece.trim_end_matches(BETWEEN);
        // Else one that is too large stays as it is: where it stands decides what it costs.
        let reads = |number: f64| tames || number.is_finite() || !word.contains(|letter: char| letter.is_ascii_digit());
        let is_number = word.parse().is_ok_and(reads) && serde_json::from_str::<f64>(word).is_err();
        let quote = if is_number { "\"" } else { "" };
        json.extend([quote, word, quote, &piece[word.len()..]]);
    }
}

/// The fields of an object in their order, each as it was written.
///
/// # Errors
/// If it is no object, or no JSON.
pub fn fields(json: &str) -> Result<Vec<(String, &RawValue)>, serde_json::Error> {
    struct Fields;
    impl<'de> Visitor<'de> for Fields {
        type Value = Vec<(String, &'de RawValue)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut fields = Vec::new();
            while let Some(field) = map.next_entry()? {
                fields.push(field);
            }
            Ok(fields)
        }
    }
    let mut reader = serde_json::Deserializer::from_str(json);
    let fields = reader.deserialize_map(Fields)?;
    reader.end()?;
    Ok(fields)
}

/// A value where text is expected: `null` is no text, and what is no text is kept as it was written.
pub fn text(value: &RawValue) -> String {
    match value.get() {
        "null" => String::new(),
        json => serde_json::from_str(json).unwrap_or_else(|_| json.to_owned()),
    }
}

/// A map of texts; `null` is none.
///
/// # Errors
/// If it is no map.
pub fn texts(value: &RawValue) -> Result<Option<BTreeMap<String, String>>, serde_json::Error> {
    if value.get() == "null" {
        return Ok(None);
    }
    Ok(Some(fields(value.get())?.into_iter().map(|(name, value)| (name, text(value))).collect()))
}

/// The value of a field where a number is expected, in quotes or not.
///
/// # Errors
/// As the value was written, if it is no finite number.
pub fn number(field: &str, value: &RawValue) -> Result<f64, String> {
    let written = text(value);
    quantity::read(field, &written).ok_or(if written.is_empty() { value.get().to_owned() } else { written })
}

/// That a field is there twice: nobody can know which is meant.
pub fn twice(fields: &[(String, &RawValue)]) -> Result<(), serde_json::Error> {
    let mut names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(serde_json::Error::custom(format!("duplicate field `{}`", pair[0]))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn cut(body: &str) -> Option<(Vec<&str>, bool, &str)> {
        let of = BodyItems::of(body.as_bytes())?;
        let text = |bytes| std::str::from_utf8(bytes).unwrap_or("?");
        Some((of.items.into_iter().map(text).collect(), of.closed, text(of.rest)))
    }

    #[test]
    fn a_body_is_cut_at_the_borders_of_its_items() {
        for (body, items) in [
            ("[]", Some((vec![], true, ""))),
            ("\u{feff} [ 1 , {\"a\":[1,2]} ]\n[]", Some((vec!["1", "{\"a\":[1,2]}"], true, "[]"))),
            ("[\"a,]\\\"\",{\"}\":1}] x", Some((vec!["\"a,]\\\"\"", "{\"}\":1}"], true, "x"))),
            ("[{}},{},]", Some((vec!["{}}", "{}"], true, ""))),
            ("[{},{\"a", Some((vec!["{}", "{\"a"], false, ""))),
            ("[", Some((vec![], false, ""))),
            ("{\"a\":{}} {}", Some((vec!["{\"a\":{}}"], true, "{}"))),
            ("{\"a\":{}", Some((vec!["{\"a\":{}"], false, ""))),
            ("7", None),
            (" ", None),
        ] {
            assert_eq!(cut(body), items, "{body}");
        }
    }

    #[test]
    fn an_array_is_found_in_its_object_whatever_else_is_wrong() {
        for (object, found) in [
            (r#"{"alerts":[1],"x":2}"#, Some(r#"[1],"x":2}"#)),
            (r#"{"a":{"alerts":[0]},"b":"alerts\":[","alerts" : [{"x" 7}]}"#, Some(r#"[{"x" 7}]}"#)),
            (r#"{"x":nonsense,"alerts":["#, Some("[")),
            (r#"{"alerts":{}}"#, None),
            (r#"["alerts",[1]]"#, None),
            (r#"{"x":"alerts"}"#, None),
            ("", None),
        ] {
            assert_eq!(array_of(object.as_bytes(), "alerts"), found.map(str::as_bytes), "{object}");
        }
    }

    #[test]
    fn what_programs_really_send_is_read() {
        for (sent, read) in [
            (&b"{\"a\":\"caf\xe9\"}"[..], r#"{"a":"caf\ufffd"}"#),
            (br#"{"a":"x\ud83d"}"#, r#"{"a":"x\ufffd"}"#),
            (b"{\"a\":\"x\n\ty\"}", r#"{"a":"x\n\ty"}"#),
            (
                br#"{"NaN":NaN,"b":[-Infinity, nan ],"c":"a \"NaN"}"#,
                r#"{"NaN":"NaN","b":["-Infinity","nan"],"c":"a \"NaN"}"#,
            ),
            (
                br#"{"a":+6.1,"b":.5,"c":[-.5,6.,007,-0],"d":"+1"}"#,
                r#"{"a":"+6.1","b":".5","c":["-.5","6.","007",-0],"d":"+1"}"#,
            ),
            (br#"{"a":+}"#, "none"),
            (br#"{"a":Nanny}"#, "none"),
            (br#"{"a":"x}"#, "none"),
        ] {
            let found: Option<Value> = serde_json::from_str(&mended(sent).0).ok();
            assert_eq!(found, serde_json::from_str(read).ok(), "{}", String::from_utf8_lossy(sent));
        }
        let huge = br#"{"a":1e400,"b":[-1e999,"1e400"],"c":1e4}"#;
        assert_eq!(tamed(huge), r#"{"a":"1e400","b":["-1e999","1e400"],"c":1e4}"#);
        assert_eq!(mended(huge).0.as_bytes(), huge);
        assert!(mended(b"\"\xe9\"").1 && mended(br#""\udc00""#).1 && !mended("\"é\n\"".as_bytes()).1);
    }

    proptest! {
        /// Whatever stands in one place of an array: the items before it are there, and so are those behind it if its
        /// brackets and quotes are even.
        #[test]
        fn no_item_costs_another(bad in proptest::collection::vec(any::<u8>(), 0..40), even in "[a-z0-9:+. -]{1,20}") {
            let of = |bad: &[u8]| [&b"[{\"a\":1},"[..], bad, b",{\"b\":\"}\"}]"].concat();
            let body = of(&bad);
            prop_assert_eq!(BodyItems::of(&body).map(|of| of.items[0]), Some(&b"{\"a\":1}"[..]));
            let _ = mended(&bad);
            let body = of(even.as_bytes());
            prop_assert_eq!(BodyItems::of(&body).and_then(|of| of.items.last().copied()), Some(&b"{\"b\":\"}\"}"[..]));
        }

        /// JSON stays what it is.
        #[test]
        fn what_is_right_is_not_changed(text in ".{0,30}", number: f64) {
            let json = serde_json::json!({ &text: [text, number, Value::Null, { "a": true }] }).to_string();
            let (mended, damaged) = mended(json.as_bytes());
            prop_assert_eq!((mended, damaged), (json, false));
        }
    }
}
