//! Silences: for a while, alerts that match open no incidents. Each has an owner, a reason and an end.

use super::{alert::Alert, hidden::hidden, names::TriggerName, time::Timestamp};
use regex::{Regex, RegexBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, time::Duration};

/// The longest silence.
pub const SILENCE_MAX: Duration = Duration::from_secs(31 * 24 * 3600);

/// The most silences that are in force or will be.
pub const SILENCES_MAX: usize = 1000;

/// The most matchers of one.
pub const MATCHERS_MAX: usize = 20;

/// The longest name or value of a matcher, in bytes.
const MATCHER_TEXT_MAX: usize = 1024;

/// The longest reason, and the longest name of who made it, in characters.
const REASON_MAX: usize = 1000;

/// What the compiled patterns of one silence may take together, in bytes.
const PATTERNS_MAX: usize = 256 << 10;

/// What no source, kind or trigger is called: a matcher that fits it fits all of them, or nearly.
const NOBODY: &str = "\u{1}";

/// The identity of a silence: a UUID, for clients of Alertmanager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct SilenceId([u8; 16]);

impl SilenceId {
    /// One from these random bytes (UUID version 4, RFC 9562).
    pub fn random(mut bytes: [u8; 16]) -> Self {
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        Self(bytes)
    }
}

impl fmt::Display for SilenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = super::event::hex(&self.0);
        write!(f, "{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }
}

impl FromStr for SilenceId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || "this is not the id of a silence: they look like 5b1e7a66-0d4c-4c43-9d51-7f7f6d1c2a10".to_owned();
        let parts: Vec<&str> = text.split('-').collect();
        if parts.iter().map(|part| part.len()).ne([8, 4, 4, 4, 12]) {
            return Err(bad());
        }
        let digits: Option<Vec<u8>> =
            parts.concat().chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
        let mut bytes = [0; 16];
        for (byte, two) in bytes.iter_mut().zip(digits.ok_or_else(bad)?.chunks(2)) {
            *byte = two.iter().fold(0, |byte, digit| byte << 4 | digit);
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for SilenceId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<SilenceId> for String {
    fn from(id: SilenceId) -> Self {
        id.to_string()
    }
}

/// A condition on one label of an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SilenceMatcher {
    /// The label. `alertname` or `kind`, `source` and `trigger` are what Stentor knows of each alert, whatever labels it
    /// has. One that is missing is empty.
    pub name: String,
    /// The value, or the pattern for all of it.
    pub value: String,
    /// Whether the value is a pattern.
    #[serde(default)]
    pub is_regex: bool,
    /// Whether it must match, or must not.
    #[serde(default = "yes")]
    pub is_equal: bool,
}

fn yes() -> bool {
    true
}

impl fmt::Display for SilenceMatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match (self.is_equal, self.is_regex) {
            (true, false) => "=",
            (false, false) => "!=",
            (true, true) => "=~",
            (false, true) => "!~",
        };
        write!(f, "{}{sign}{:?}", self.name, self.value)
    }
}

/// `name=value`, `name!=value`, `name=~pattern` or `name!~pattern`; the value may be in quotes.
impl FromStr for SilenceMatcher {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let at = text.find(['=', '!']).ok_or("a matcher looks like symbol=ACME or host=~\"db.*\"")?;
        let (name, rest) = text.split_at(at);
        let signs = [("=~", true, true), ("!~", false, true), ("!=", false, false), ("=", true, false)];
        let found = signs.into_iter().find_map(|(sign, is_equal, is_regex)| {
            rest.strip_prefix(sign).map(|value| (value.trim(), is_equal, is_regex))
        });
        let (value, is_equal, is_regex) = found.ok_or("between name and value is one of = != =~ !~")?;
        let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        let value = match quoted {
            Some(_) => serde_json::from_str(value).map_err(|_| format!("{value} has quotes that do not fit"))?,
            None => value.to_owned(),
        };
        Ok(Self { name: name.trim().to_owned(), value, is_regex, is_equal })
    }
}

/// The matchers of a filter: one, or several between braces or with commas between them, as `{symbol="ACME",host=~"db.*"}`.
///
/// # Errors
/// What is wrong with it.
pub fn matchers(text: &str) -> Result<Vec<SilenceMatcher>, String> {
    matcher_texts(text).iter().map(|part| part.parse()).collect()
}

/// The text of each matcher of a filter.
pub fn matcher_texts(text: &str) -> Vec<String> {
    let text = text.trim();
    let text = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    let (mut parts, mut quoted, mut escaped) = (vec![String::new()], false, false);
    for c in text.chars() {
        if c == ',' && !quoted {
            parts.push(String::new());
            continue;
        }
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        parts.last_mut().into_iter().for_each(|part| part.push(c));
    }
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// A silence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Silence {
    /// Its identity.
    pub id: SilenceId,
    /// All of them must match.
    pub matchers: Vec<SilenceMatcher>,
    /// When it begins.
    #[schemars(with = "String")]
    pub starts_at: Timestamp,
    /// When it ends.
    #[schemars(with = "String")]
    pub ends_at: Timestamp,
    /// When it was made, or changed last.
    #[schemars(with = "String")]
    pub updated_at: Timestamp,
    /// Whose it is.
    pub created_by: String,
    /// Why.
    pub reason: String,
}

impl Silence {
    /// What is wrong with it, at `now`; `None` if nothing is.
    pub fn flaw(&self, now: Timestamp) -> Option<String> {
        let long = |text: &str| REASON_MAX < text.chars().count();
        if let Some(flaw) = flaw_of(&self.matchers) {
            return Some(flaw);
        }
        if self.reason.trim().is_empty() || self.created_by.trim().is_empty() {
            return Some("a silence has a reason, and somebody whose it is".into());
        }
        if long(&self.reason) || long(&self.created_by) {
            return Some(format!("the reason has at most {REASON_MAX} characters"));
        }
        if hidden(&self.reason, true).or(hidden(&self.created_by, false)).is_some() {
            return Some("the reason has characters that nobody sees".into());
        }
        if self.ends_at <= now {
            return Some("its end is over".into());
        }
        if self.ends_at <= self.starts_at {
            return Some("it ends before it begins".into());
        }
        if SILENCE_MAX < self.ends_at.since(self.starts_at.max(now)) {
            return Some("a silence lasts at most 31 days: people forget what is silent for longer".into());
        }
        None
    }

    /// Whether it is about what these ask for: its own matchers, taken as labels, fit.
    pub fn is_about(&self, asked: &MatcherSet) -> bool {
        let own = |name: &str| self.matchers.iter().find(|matcher| matcher.name == name);
        asked.fits(|name| own(name).map_or("", |matcher| &matcher.value))
    }

    /// How it stands at `now`.
    pub fn state(&self, now: Timestamp) -> SilenceState {
        if self.ends_at <= now {
            SilenceState::Expired
        } else if now < self.starts_at {
            SilenceState::Pending
        } else {
            SilenceState::Active
        }
    }
}

/// What is wrong with the matchers of a silence; `None` if nothing is.
pub fn flaw_of(matchers: &[SilenceMatcher]) -> Option<String> {
    if matchers.is_empty() || MATCHERS_MAX < matchers.len() {
        return Some(format!("a silence has 1 to {MATCHERS_MAX} matchers"));
    }
    let everything = "at least one matcher must not match an empty value: this would silence everything";
    let most = PATTERNS_MAX / matchers.len();
    let flaw = matchers.iter().find_map(|matcher| matcher.flaw(most));
    let is_open = || MatcherSet::new(matchers).fits(|name| if is_known_of_all(name) { NOBODY } else { "" });
    flaw.or_else(|| is_open().then(|| everything.to_owned()))
}

/// What is wrong with what a list of silences is asked for; `None` if nothing is.
pub fn flaw_of_filters(filters: &[SilenceMatcher]) -> Option<String> {
    if MATCHERS_MAX < filters.len() {
        return Some(format!("at most {MATCHERS_MAX} filters can be asked for"));
    }
    filters.iter().find_map(|filter| filter.flaw(PATTERNS_MAX / filters.len().max(1)))
}

/// Whether each alert has it.
fn is_known_of_all(name: &str) -> bool {
    matches!(name, "alertname" | "kind" | "source" | "trigger")
}

/// How a silence stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SilenceState {
    /// It has not begun.
    Pending,
    /// It is in force.
    Active,
    /// It is over.
    Expired,
}

impl SilenceMatcher {
    /// What is wrong with it, if its pattern may take `most` bytes.
    fn flaw(&self, most: usize) -> Option<String> {
        if self.name.is_empty() {
            return Some("a matcher has the name of a label".into());
        }
        if MATCHER_TEXT_MAX < self.name.len() || MATCHER_TEXT_MAX < self.value.len() {
            return Some(format!("a matcher's name and value have at most {MATCHER_TEXT_MAX} bytes"));
        }
        self.pattern(most).and_then(Result::err).map(|error| format!("{self} is no pattern: {error}"))
    }

    fn pattern(&self, most: usize) -> Option<Result<Regex, regex::Error>> {
        let whole = || {
            let text = format!("^(?:{})$", self.value);
            RegexBuilder::new(&text).size_limit(most).dfa_size_limit(most).build()
        };
        self.is_regex.then(whole)
    }

    /// Whether a value fits. A pattern that can not be compiled fits nothing.
    pub fn fits(&self, value: &str) -> bool {
        MatcherSet::new(std::slice::from_ref(self)).fits(|_| value)
    }
}

/// Matchers whose patterns are compiled.
#[derive(Debug, Clone)]
pub struct MatcherSet(Vec<(SilenceMatcher, Option<Regex>)>);

impl MatcherSet {
    /// Compiles matchers without a flaw; a pattern that can not be compiled matches nothing.
    pub fn new(matchers: &[SilenceMatcher]) -> Self {
        let most = PATTERNS_MAX / matchers.len().max(1);
        Self(matchers.iter().map(|matcher| (matcher.clone(), matcher.pattern(most).and_then(Result::ok))).collect())
    }

    /// Whether all of them match this alert of a trigger.
    pub fn matches(&self, alert: &Alert, trigger: &TriggerName) -> bool {
        self.fits(|name| label(alert, trigger, name))
    }

    /// Whether all of them match these values of labels.
    fn fits<'a>(&self, label: impl Fn(&str) -> &'a str) -> bool {
        self.0.iter().all(|(matcher, pattern)| {
            let value = label(&matcher.name);
            let is_it = match pattern {
                Some(pattern) => pattern.is_match(value),
                None if matcher.is_regex => return false,
                None => matcher.value == value,
            };
            is_it == matcher.is_equal
        })
    }
}

/// The value of a label as matchers see it.
fn label<'a>(alert: &'a Alert, trigger: &'a TriggerName, name: &str) -> &'a str {
    match name {
        "alertname" | "kind" => &alert.kind,
        "source" => alert.source.as_str(),
        "trigger" => trigger.as_str(),
        _ => alert.labels.get(name).map_or("", String::as_str),
    }
}
