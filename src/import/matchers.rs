//! Alertmanager's matchers as conditions.

use super::cel;
use serde_json::Value;

/// A condition on one label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matcher {
    pub name: String,
    pub value: String,
    pub is_regex: bool,
    pub is_equal: bool,
}

/// The matchers of a node: the new form (`matchers`) and the old ones (`match`, `match_re`).
pub fn of(node: &Value, new: &str, [equal, pattern]: [&str; 2]) -> Result<Vec<Matcher>, String> {
    let mut all = Vec::new();
    for (field, is_regex) in [(equal, false), (pattern, true)] {
        for (name, value) in node[field].as_object().into_iter().flatten() {
            let value = scalar(value).ok_or_else(|| format!("{field}.{name} is no text"))?;
            all.push(Matcher { name: name.clone(), value, is_regex, is_equal: true });
        }
    }
    let texts: Vec<&str> = match &node[new] {
        Value::String(text) => vec![text],
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    for text in texts {
        all.extend(read(text)?);
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

/// One line: `name = "value"`, several between commas, with braces around them or without.
fn read(text: &str) -> Result<Vec<Matcher>, String> {
    let inner = text.trim();
    let inner = inner.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')).unwrap_or(inner);
    let (mut parts, mut quoted, mut escaped) = (vec![String::new()], false, false);
    for c in inner.chars() {
        if c == ',' && !quoted {
            parts.push(String::new());
            continue;
        }
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        parts.last_mut().into_iter().for_each(|part| part.push(c));
    }
    parts.iter().filter(|part| !part.trim().is_empty()).map(|part| one(part)).collect()
}

fn one(text: &str) -> Result<Matcher, String> {
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
    if name.is_empty() { Err(bad()) } else { Ok(Matcher { name, value, is_regex, is_equal }) }
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

impl Matcher {
    /// As a condition on an alert.
    pub fn condition(&self) -> String {
        let is = if self.is_regex { cel::fits(&self.name, &self.value) } else { cel::is(&self.name, &self.value) };
        if self.is_equal { is } else { format!("!({is})") }
    }

    /// The values that it lets through, if they are a list.
    pub fn values(&self) -> Option<Vec<String>> {
        if !self.is_equal {
            return None;
        }
        let plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "_-: ".contains(c));
        if !self.is_regex {
            return Some(vec![self.value.clone()]);
        }
        let inner = self.value.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')).unwrap_or(&self.value);
        let values: Vec<&str> = inner.split('|').collect();
        values.iter().all(|value| plain(value)).then(|| values.iter().map(|value| (*value).to_owned()).collect())
    }

    /// Whether a value fits.
    pub fn fits(&self, value: &str) -> bool {
        let is_it = match self.is_regex {
            true => regex::Regex::new(&format!("^(?:{})$", self.value)).is_ok_and(|pattern| pattern.is_match(value)),
            false => self.value == value,
        };
        is_it == self.is_equal
    }
}
