//! What the tools are given. What is asked is checked by the daemon, as for every other way to ask: here it gets its form.

use super::service::AvailabilityQuery;
use crate::core::{Packet, form_schema::FormSchema};
use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, time::Duration};

/// The most characters of a key.
pub const KEY_MAX: usize = 255;

/// The most characters of what an error repeats.
const ERROR_MAX: usize = 300;

/// The arguments of `ask_human`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskHuman {
    /// What kind of request it is. It chooses who is asked, by the rules of the people who run Stentor: use a kind that they
    /// told you.
    kind: String,
    /// The question, in one line of plain text, at most 200 characters. People read it on a phone, perhaps at night: say what
    /// exactly will be done, with its numbers.
    question: String,
    /// 2 to 9 options to choose from. Leave it out to ask for an approval, whose options are `approve` and `deny`.
    #[serde(default)]
    options: Vec<AskedOption>,
    /// What a person fills in, in place of options: a small JSON Schema. The result has their values as `answer`.
    #[serde(default)]
    #[schemars(with = "Option<FormSchema>")]
    form: Option<Value>,
    /// Exactly what you will do: any JSON. What people approve is bound to it by `action_digest`. Integers beyond 2^53 and
    /// names that are there twice are refused.
    #[serde(default)]
    action: Value,
    /// What the one who approves may change of `action`: a small JSON Schema whose properties are members of it, with bounds.
    /// Only for approvals, and where the rules allow it. If they change it, the result has the `action` to do.
    #[serde(default)]
    #[schemars(with = "Option<FormSchema>")]
    edit: Option<Value>,
    /// How long people have, such as `90s` or `5m`: at least `5s`, at most what the rules allow, which is the default.
    #[serde(default)]
    deadline: Option<String>,
    /// The option that takes effect at the deadline if nobody decides. Only one that the rules allow.
    #[serde(default)]
    default: Option<String>,
    /// The name of the person on whose behalf you act, if they are one of the people who may be asked: they cannot decide it.
    #[serde(default)]
    on_behalf_of: Option<String>,
    /// One sentence about the situation.
    #[serde(default)]
    summary: Option<String>,
    /// What identifies it: names and texts, such as `{"desk": "EQ-2"}`.
    #[serde(default)]
    labels: BTreeMap<String, String>,
    /// Measurements: names and numbers.
    #[serde(default)]
    values: BTreeMap<String, f64>,
    /// Facts for people who look into it: any JSON object.
    #[serde(default)]
    facts: Map<String, Value>,
    /// How sure you are, from 0 to 1.
    #[serde(default)]
    confidence: Option<f64>,
    /// A name of your own for this request: 1 to 255 visible ASCII characters, without quotes and backslashes. If you lose
    /// the answer, call again with the same arguments and the same key within 24 hours: you get the same request, and nobody
    /// is asked twice.
    #[serde(default)]
    pub request_key: Option<String>,
    /// How long this call waits for the outcome, such as `20s`; `0s` returns at once. See the description of the tool.
    #[serde(default)]
    pub wait: Option<String>,
    /// A drill: people are told so. Only for sources that may send drills.
    #[serde(default)]
    drill: bool,
}

/// One option.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AskedOption {
    /// Its name for you, at most 32 characters.
    name: String,
    /// What people read, at most 32 characters; else the name.
    #[serde(default)]
    label: Option<String>,
    /// What it leads to, in one line of at most 100 characters.
    #[serde(default)]
    does: Option<String>,
}

/// The arguments of `hand_over`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HandOver {
    /// What kind of conversation it is. It chooses who is asked, by the rules of the people who run Stentor: use a kind that
    /// they told you.
    kind: String,
    /// What the person needs who takes the conversation: `conversation.id`, `reason.code` and `reason.text` at least. Put the
    /// user's names and numbers nowhere but into `user` and `transcript`, which are encrypted.
    #[schemars(with = "Packet")]
    packet: Value,
    /// What identifies it: names and texts, such as `{"topic": "loan"}`.
    #[serde(default)]
    labels: BTreeMap<String, String>,
    /// Measurements: names and numbers.
    #[serde(default)]
    values: BTreeMap<String, f64>,
    /// How long the user waits for a person, such as `5m`; at most what the rules allow, which is the default.
    #[serde(default)]
    deadline: Option<String>,
    /// A name of your own for this handoff, as in `ask_human`.
    #[serde(default)]
    pub request_key: Option<String>,
    /// How long this call waits for a change, such as `20s`; without it, it returns at once, so that you can tell the user.
    #[serde(default)]
    pub wait: Option<String>,
    /// A drill: people are told so. Only for sources that may send drills.
    #[serde(default)]
    drill: bool,
}

/// The arguments of `check_availability`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckAvailability {
    /// The kind that you would give to `hand_over`.
    kind: String,
    /// The labels that you would give.
    #[serde(default)]
    labels: BTreeMap<String, String>,
    /// The values that you would give.
    #[serde(default)]
    values: BTreeMap<String, f64>,
    /// The language of the user, such as `de`; English without it.
    #[serde(default)]
    locale: Option<String>,
}

/// The arguments of `get_outcome`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetOutcome {
    /// The `id` that `ask_human` returned.
    pub id: String,
    /// How long this call waits for the outcome, such as `20s`; `0s` returns at once.
    #[serde(default)]
    pub wait: Option<String>,
    /// Of a handoff, the `handoff.state` that you know: if it is another one now, this call returns at once.
    #[serde(default)]
    pub known: Option<String>,
}

/// The arguments of `cancel`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cancel {
    /// The `id` that `ask_human` returned.
    pub id: String,
    /// Why, for everybody who was asked; at most 200 characters.
    #[serde(default)]
    pub reason: Option<String>,
}

impl AskHuman {
    /// The body of `POST /v1/requests`.
    pub fn body(self) -> Value {
        let options: Vec<Value> = self.options.into_iter().map(AskedOption::body).collect();
        let kind = match &self.form {
            Some(_) => "form",
            None if options.is_empty() => "approval",
            None => "decision",
        };
        let ask = json!({
            "type": kind, "question": self.question, "options": options, "form": self.form, "action": self.action,
            "edit": self.edit, "deadline": self.deadline, "default": self.default, "on_behalf_of": self.on_behalf_of,
        });
        let given = [
            ("summary", self.summary.map(Value::from)),
            ("confidence", self.confidence.map(Value::from)),
            ("evidence", (!self.facts.is_empty()).then_some(Value::Object(self.facts))),
            ("drill", self.drill.then_some(Value::Bool(true))),
        ];
        body(&self.kind, json!(self.labels), json!(self.values), ask, given)
    }
}

impl AskedOption {
    fn body(self) -> Value {
        json!({ "name": self.name, "label": self.label, "does": self.does })
    }
}

/// The body of `POST /v1/requests`, with what was given of the rest.
fn body<const N: usize>(
    kind: &str,
    labels: Value,
    values: Value,
    ask: Value,
    rest: [(&str, Option<Value>); N],
) -> Value {
    let mut body = json!({ "kind": kind, "labels": labels, "values": values, "ask": ask });
    for (name, value) in rest {
        if let Some(value) = value {
            body[name] = value;
        }
    }
    body
}

/// The key for a request, if it is one.
///
/// # Errors
/// What a key is.
pub fn key(key: Option<&str>) -> Result<Option<String>, String> {
    let Some(key) = key else { return Ok(None) };
    let is_plain = key.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\');
    if is_plain && (1..=KEY_MAX).contains(&key.len()) {
        return Ok(Some(key.to_owned()));
    }
    Err(format!("`request_key` has 1 to {KEY_MAX} visible ASCII characters, without quotes and backslashes"))
}

impl HandOver {
    /// The body of `POST /v1/requests`.
    pub fn body(self) -> Value {
        let ask = json!({ "type": "handoff", "packet": self.packet, "deadline": self.deadline });
        body(
            &self.kind,
            json!(self.labels),
            json!(self.values),
            ask,
            [("drill", self.drill.then_some(Value::Bool(true)))],
        )
    }
}

impl CheckAvailability {
    /// The query of `GET /v1/availability`.
    pub fn query(self) -> AvailabilityQuery {
        let (labels, values) = (json!(self.labels).to_string(), json!(self.values).to_string());
        AvailabilityQuery { kind: self.kind, labels, values, locale: self.locale }
    }
}

/// The arguments of a tool.
///
/// # Errors
/// What is wrong with them, for the agent.
pub fn read<T: DeserializeOwned>(arguments: Option<Map<String, Value>>) -> Result<T, String> {
    serde_json::from_value(Value::Object(arguments.unwrap_or_default())).map_err(|error| {
        let error: String = error.to_string().chars().take(ERROR_MAX).collect();
        format!("the arguments are not what this tool takes: {error}")
    })
}

/// A time as agents write it: `30s`, `1m 30s`, or a number of seconds.
///
/// # Errors
/// What a time is.
pub fn span(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<u32>().ok().map(|seconds| Duration::from_secs(seconds.into()));
    seconds.or_else(|| humantime::parse_duration(text).ok()).ok_or_else(|| "`wait` is a time like 20s".to_owned())
}
