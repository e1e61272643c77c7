//! Alertmanager's matchers as conditions.

use super::cel;
use crate::core::silence::{SilenceMatcher, matcher_texts};
use serde_json::Value;

/// The matchers of a node: the new form (`matchers`) and the old ones (`match`, `match_re`).
pub fn of(node: &Value, new: &str, [equal, pattern]: [&str; 2]) -> Result<Vec<SilenceMatcher>, String> {
    let mut all = Vec::new();
    for (field, is_regex) in [(equal, false), (pattern, true)] {
        for (name, value) in node[field].as_object().into_iter().flatten() {
            let value = scalar(value).ok_or_else(|| format!("{field}.{name} is no text"))?;
            all.push(SilenceMatcher { name: name.clone(), value, is_regex, is_equal: true });
        }
    }
    let texts: Vec<&str> = match &node[new] {
        Value::String(text) => vec![text],
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    for text in texts {
        for part in matcher_texts(text) {
            all.push(one(&part)?);
        }
    }
    let bad = all.iter().find(|own: &&SilenceMatcher| own.is_regex && regex::Regex::new(&own.value).is_err());
    if let Some(bad) = bad {
        return Err(format!("{:?} is no pattern", bad.value));
    }
    Ok(all)
}

/// A number or a yes in YAML is a text to Alertmanager.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null => Some(String::new()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// One matcher. Alertmanager takes more escapes than people write in silences here.
fn one(text: &str) -> Result<SilenceMatcher, String> {
    let bad = || format!("{text:?} is no matcher");
    let at = text.find(['=', '!']).ok_or_else(bad)?;
    let (name, rest) = text.split_at(at);
    let signs = [("=~", true, true), ("!~", false, true), ("!=", false, false), ("=", true, false)];
    let (value, is_equal, is_regex) = signs
        .into_iter()
        .find_map(|(sign, is_equal, is_regex)| rest.strip_prefix(sign).map(|value| (value.trim(), is_equal, is_regex)))
        .ok_or_else(bad)?;
    let value = match value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) {
        Some(inner) => unescaped(inner),
        None => value.to_owned(),
    };
    let name = name.trim().trim_matches('"').to_owned();
    if name.is_empty() { Err(bad()) } else { Ok(SilenceMatcher { name, value, is_regex, is_equal }) }
}

/// Alertmanager knows `\"`, `\\` and `\n`; another backslash is one, as patterns have them.
fn unescaped(text: &str) -> String {
    let (mut plain, mut letters) = (String::new(), text.chars());
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            plain.push(letter);
            continue;
        }
        match letters.next() {
            Some('n') => plain.push('\n'),
            Some(next @ ('"' | '\\')) => plain.push(next),
            Some(next) => plain.extend(['\\', next]),
            None => plain.push('\\'),
        }
    }
    plain
}

/// A matcher as a condition on an alert.
pub fn condition(matcher: &SilenceMatcher) -> String {
    let SilenceMatcher { name, value, is_regex, is_equal } = matcher;
    let is_it = if *is_regex { cel::fits(name, value) } else { cel::is(name, value) };
    if *is_equal { is_it } else { format!("!({is_it})") }
}

/// The values that a matcher lets through, if they are a list.
pub fn values(matcher: &SilenceMatcher) -> Option<Vec<String>> {
    if !matcher.is_equal {
        return None;
    }
    if !matcher.is_regex {
        return Some(vec![matcher.value.clone()]);
    }
    let plain = |text: &&str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "_-: ".contains(c));
    let inner = matcher.value.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')).unwrap_or(&matcher.value);
    let values: Vec<&str> = inner.split('|').collect();
    values.iter().all(plain).then(|| values.into_iter().map(str::to_owned).collect())
}
