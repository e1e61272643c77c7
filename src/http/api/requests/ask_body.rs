//! Reads the body of a request: an alert, and what is asked. What can not be asked is refused whole: half a question is
//! another question.

use super::{form_body, packet_body};
use crate::{
    core::{
        Alert, AskKind, AskOption, Form, Packet,
        canonical::read_exact,
        form_schema::FormSchema,
        hidden::{described, hidden},
        plan::reads_like_answer,
        printable::excerpt,
        request::{APPROVE, DENY, OPTION_LETTERS, OPTIONS_MAX, OPTIONS_MIN, QUESTION_MAX},
        request_facts::asked_digest,
    },
    engine::AskWish,
    http::{api::alerts, problem::ProblemDetails},
    text::reply::{self, Reply},
};
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::{collections::BTreeSet, time::Duration};

/// The longest name and label of an option, in characters.
pub const LABEL_MAX: usize = 32;

/// The longest text of what an option does, in characters.
pub const DOES_MAX: usize = 100;

/// The shortest time that people can be given.
const DEADLINE_MIN: Duration = Duration::from_secs(5);

const QUOTE_MAX: usize = 80;

/// A request: an alert, and what is asked.
#[derive(JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
#[expect(dead_code, reason = "it is a schema alone: the alert and the question are read apart")]
pub struct RequestBody {
    #[schemars(flatten)]
    alert: Alert,
    /// What is asked.
    ask: AskBody,
}

/// What is asked.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AskBody {
    /// What kind of answer it needs.
    #[serde(rename = "type")]
    kind: AskKind,
    /// The question: one line, of 200 characters at most. Only a handoff may leave it out.
    #[schemars(length(min = 1, max = QUESTION_MAX))]
    question: Option<String>,
    /// The options of a decision, 2 to 9. Others have none of their own.
    #[serde(default)]
    #[schemars(length(max = OPTIONS_MAX))]
    options: Vec<OptionBody>,
    /// What is to be filled in, of a form: a small JSON Schema.
    #[schemars(with = "Option<FormSchema>")]
    form: Option<Value>,
    /// The action, as any JSON; its digest is in the answer.
    #[serde(default)]
    action: Value,
    /// What the one who approves may change of the action: a small JSON Schema whose fields are members of `action` with their
    /// bounds. Of an approval, and where the matrix allows it.
    #[schemars(with = "Option<FormSchema>")]
    edit: Option<Value>,
    /// How long people have, such as 90s or 5m: 5s at least, and at most what the matrix allows.
    deadline: Option<String>,
    /// The option that takes effect if nobody decides in time; the matrix must allow it.
    default: Option<String>,
    /// The person on whose behalf it is asked, who can not be the one who decides.
    on_behalf_of: Option<String>,
    /// What a person needs who takes the conversation over: of a handoff.
    packet: Option<Packet>,
}

/// One option of a decision.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OptionBody {
    /// Its name for the system that asks: 32 characters at most.
    #[schemars(length(min = 1, max = LABEL_MAX))]
    name: String,
    /// Its label for people, of 32 characters at most; without one, its name.
    #[schemars(length(min = 1, max = LABEL_MAX))]
    label: Option<String>,
    /// What it does, in one line of 100 characters at most.
    #[schemars(length(min = 1, max = DOES_MAX))]
    does: Option<String>,
}

/// The alert, without what the API gives it (id and source), and the question.
///
/// # Errors
/// `400` if the body is not JSON that every reader reads alike, `422` if it is no request.
pub fn read(bytes: &[u8]) -> Result<(Alert, AskWish), ProblemDetails> {
    let text = std::str::from_utf8(bytes).map_err(|_| ProblemDetails::bad("the body is not UTF-8"))?;
    let body = read_exact(text).map_err(|error| ProblemDetails::bad(error.to_string()))?;
    let Value::Object(mut body) = body else { return Err(unusable("the body must be one object")) };
    let ask = body.remove("ask").ok_or_else(|| {
        unusable("the body has no `ask`: {\"kind\": .., \"ask\": {\"type\": \"approval\", \"question\": .., \"action\": ..}}")
    })?;
    for own in ["id", "source", "lease_until", "assessed", "status"] {
        body.remove(own);
    }
    let alert = alerts::read_exactly(Value::Object(body).to_string().as_bytes()).map_err(unusable)?;
    let ask: AskBody = serde_json::from_value(ask).map_err(|error| unusable(format!("ask: {}", said(&error))))?;
    let form = form_body::read(ask.kind, ask.form.as_ref())?;
    let digest = asked_digest(&ask.action, form.as_ref(), &alert).map_err(|error| unusable(error.to_string()))?;
    let edit = form_body::edit(ask.kind, ask.edit.as_ref(), &ask.action)?;
    Ok((alert, AskWish { edit, ..wish(ask, form, digest)? }))
}

fn wish(ask: AskBody, form: Option<Form>, action_digest: String) -> Result<AskWish, ProblemDetails> {
    let packet = packet_body::read(ask.kind, ask.packet)?;
    let question = match (&ask.question, &packet) {
        (None, Some(packet)) => packet.question(),
        (asked, _) => question(asked.as_deref().unwrap_or_default())?,
    };
    let options = match ask.kind {
        AskKind::Approval if !ask.options.is_empty() => {
            return Err(unusable(format!("an approval has no `options` of its own: they are {APPROVE} and {DENY}")));
        }
        AskKind::Handoff if !ask.options.is_empty() => return Err(unusable("a handoff has no `options`")),
        AskKind::Form if !ask.options.is_empty() => {
            return Err(unusable("a form has no `options`: its choices are in `form`"));
        }
        AskKind::Approval | AskKind::Handoff => Vec::new(),
        AskKind::Form => {
            // By a text message one choice is answered like the options of a decision.
            let choices = form.as_ref().and_then(|form| form.one_choice()).map(|(_, choices)| choices.to_vec());
            let option = |name: String| OptionBody { name, label: None, does: None };
            choices.map(|choices| options(choices.into_iter().map(option).collect())).transpose()?;
            Vec::new()
        }
        AskKind::Decision => options(ask.options)?,
    };
    let deadline = ask.deadline.as_deref().map(deadline).transpose()?;
    Ok(AskWish {
        kind: ask.kind,
        question,
        options,
        form,
        action: ask.action,
        edit: None,
        action_digest,
        deadline,
        default: ask.default,
        on_behalf_of: ask.on_behalf_of.map(|person| person.as_str().into()),
        supersedes: None,
        packet: packet.map(Box::new),
    })
}

fn options(options: Vec<OptionBody>) -> Result<Vec<AskOption>, ProblemDetails> {
    if !(OPTIONS_MIN..=OPTIONS_MAX).contains(&options.len()) {
        let count = options.len();
        return Err(unusable(format!("a decision has {OPTIONS_MIN} to {OPTIONS_MAX} options, not {count}")));
    }
    let mut names = BTreeSet::new();
    let mut read = Vec::with_capacity(options.len());
    for OptionBody { name, label, does } in options {
        let name = line("name of an option", &name, LABEL_MAX)?;
        let label = line("label of an option", label.as_deref().unwrap_or(&name), LABEL_MAX)?;
        let does = does.map(|does| line("`does` of an option", &does, DOES_MAX)).transpose()?;
        let letter = OPTION_LETTERS[read.len()];
        for text in [&name, &label] {
            let is_answer = reads_like_answer(text) || !matches!(reply::read(text), Reply::Unclear { .. });
            let is_other = text.chars().count() == 1 && !text.chars().all(|c| c.eq_ignore_ascii_case(&letter));
            if is_answer || is_other {
                let detail = format!(
                    "the option {text:?} reads like an answer to the page (yes, no, digits, wilco, ..) or another letter"
                );
                return Err(unusable(detail));
            }
        }
        // By both, people name it in a text.
        if [&name, &label].iter().any(|text| names.contains(&text.to_lowercase())) {
            return Err(unusable(format!("the option {name:?} is there twice")));
        }
        names.extend([name.to_lowercase(), label.to_lowercase()]);
        read.push(AskOption { name, label, does });
    }
    Ok(read)
}

/// The question, in one line.
pub(super) fn question(text: &str) -> Result<String, ProblemDetails> {
    line("question", text, QUESTION_MAX)
}

/// One line of text for people, without characters that nobody sees or that change how others are read.
fn line(what: &str, text: &str, most: usize) -> Result<String, ProblemDetails> {
    if let Some(c) = hidden(text, false) {
        return Err(unusable(format!("the {what} has {}: send one line of plain text", described(c))));
    }
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.chars().count() {
        0 => Err(unusable(format!("the {what} is empty"))),
        length if most < length => {
            Err(unusable(format!("the {what} has {length} characters, and at most {most} are read at a glance")))
        }
        _ => Ok(text),
    }
}

fn deadline(text: &str) -> Result<Duration, ProblemDetails> {
    let deadline = humantime::parse_duration(text).map_err(|_| {
        let text = excerpt(text, QUOTE_MAX);
        unusable(format!("`deadline` is how long people have, like \"90s\" or \"5m\", not {text:?}"))
    })?;
    if deadline < DEADLINE_MIN {
        return Err(unusable("`deadline` must be 5s or more: nobody reads and decides in less"));
    }
    Ok(deadline)
}

pub(super) fn unusable(detail: impl Into<String>) -> ProblemDetails {
    ProblemDetails::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
}

pub(super) fn said(error: &serde_json::Error) -> String {
    excerpt(&error.to_string(), 300).into_owned()
}
