//! What the tools return: a request as agents need it. That it was denied, expired or decided by default are results, not
//! errors.

use super::service::ServiceFault;
use crate::core::{FormAnswer, Timestamp, action_edit::ActionChange};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A request, as it is now.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RequestResult {
    /// The id of the request, for `get_outcome` and `cancel`.
    pub id: String,
    /// `open`: nobody has decided yet. `decided`: people chose `option`. `defaulted`: nobody decided in time, and the rules
    /// let `option` take effect. `expired`: nobody decided in time; this is neither yes nor no. `cancelled`: it was
    /// withdrawn. `superseded`: the facts changed, and it is asked anew as `superseded_by`. Of a handoff also `completed`
    /// (a person finished it), `returned` (it is yours again) and `unanswered` (nobody took it).
    pub state: String,
    /// The option that holds, such as `approve` or `deny`; only if `decided` or `defaulted`.
    #[serde(skip_serializing_if = "Option::is_none")]
    option: Option<String>,
    /// What was filled in, if you asked for a form: values by the names of its fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<FormAnswer>,
    /// The action that they approved, if they changed yours: do this one, and not the one that you asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<Value>,
    /// What they changed of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    changes: Vec<ActionChange>,
    /// The `action_digest` of that action.
    #[serde(skip_serializing_if = "Option::is_none")]
    changed_digest: Option<String>,
    /// Who decided.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    by: Vec<String>,
    /// Why it was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The id of the request that is asked in its place; only if `superseded`.
    #[serde(skip_serializing_if = "Option::is_none")]
    superseded_by: Option<String>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<String>,
    /// When it ends if nobody decides.
    deadline: String,
    /// The option that takes effect then; without it the request expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<String>,
    /// How many different people must agree.
    approvals: u32,
    /// The roles whose people are asked.
    asked: Vec<String>,
    /// What people have chosen so far.
    choices: Vec<ChoiceResult>,
    /// The digest of the action, form, kind, labels and values that people were asked about.
    action_digest: String,
    /// The incident that people see.
    pub incident: String,
    /// How it stands with the conversation, if it is a handoff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handoff: Option<HandoffResult>,
    /// Whether it was a drill: then nothing is to be done, whatever the outcome.
    drill: bool,
    /// What to do now.
    next: String,
    #[serde(skip)]
    pub asked_at: Timestamp,
    /// When something of it changed last.
    #[serde(skip)]
    pub changed_at: Timestamp,
}

/// What one person has chosen.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct ChoiceResult {
    person: String,
    option: String,
    #[serde(default, skip_serializing)]
    #[schemars(skip)]
    at: Option<Timestamp>,
}

/// How it stands with a conversation.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct HandoffResult {
    /// `offered`: it waits for a person. `assigned`: a person has it and is reading. `connected`: a person speaks to the
    /// user. Then `completed`, `returned`, `unanswered` or `cancelled`.
    pub state: String,
    /// Who speaks to the user now, `machine` or `person`. While it is a person, you are silent.
    owner: String,
    /// What you may tell the user now, in their language. Tell them nothing else about who comes and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Who has it; absent before a person has taken it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    person: Option<HandoffPerson>,
    /// When it ends unanswered, while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    /// When somebody is there again, if it came out of hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    opens_at: Option<String>,
    #[serde(default, skip_serializing)]
    #[schemars(skip)]
    since: Option<Timestamp>,
}

/// Who has a conversation.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct HandoffPerson {
    name: String,
    role: String,
}

/// Who would take a conversation.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct AvailabilityResult {
    /// Whether you may offer a person.
    available: bool,
    /// Why not: `out-of-hours`, `nobody-on-call` or `everybody-full`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// What people call the role that would be asked.
    role_name: String,
    /// Whether somebody is there by the rules' hours.
    within_hours: bool,
    /// When somebody is there again, out of hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    opens_at: Option<String>,
    /// How many conversations wait for this role.
    waiting: u32,
    /// Which one this would be.
    position: u32,
    /// What you may tell the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

impl AvailabilityResult {
    /// What the API says.
    ///
    /// # Errors
    /// An answer of another form: the daemon is of another version.
    pub fn of(view: Value) -> Result<Self, ServiceFault> {
        serde_json::from_value(view).map_err(|error| other_form(&error))
    }
}

fn other_form(error: &serde_json::Error) -> ServiceFault {
    ServiceFault::new(format!("the daemon's answer can not be read, perhaps it is of another version: {error}"))
}

/// What the API says of a request.
#[derive(Deserialize)]
struct RequestState {
    id: String,
    state: String,
    incident: String,
    action_digest: String,
    approvals: u32,
    #[serde(default)]
    drill: bool,
    handoff: Option<HandoffResult>,
    default: Option<String>,
    asked_at: Timestamp,
    deadline: String,
    roles: Vec<RoleState>,
    choices: Vec<ChoiceResult>,
    #[serde(default)]
    outcome: OutcomeState,
}

#[derive(Deserialize)]
struct RoleState {
    name: String,
}

#[derive(Default, Deserialize)]
struct OutcomeState {
    option: Option<String>,
    answer: Option<FormAnswer>,
    action: Option<Value>,
    #[serde(default)]
    changes: Vec<ActionChange>,
    action_digest: Option<String>,
    #[serde(default)]
    by: Vec<String>,
    at: Option<Timestamp>,
    reason: Option<String>,
    superseded_by: Option<String>,
}

impl RequestResult {
    /// What the API says of a request.
    ///
    /// # Errors
    /// An answer of another form: the daemon is of another version.
    pub fn of(view: Value) -> Result<Self, ServiceFault> {
        let state: RequestState = serde_json::from_value(view).map_err(|error| other_form(&error))?;
        let RequestState {
            id,
            incident,
            action_digest,
            approvals,
            default,
            deadline,
            choices,
            outcome,
            drill,
            handoff,
            asked_at,
            ..
        } = state;
        let chosen_at = choices.iter().filter_map(|choice| choice.at);
        let moved_at = handoff.as_ref().and_then(|handoff| handoff.since);
        let changed_at = chosen_at.chain(moved_at).chain(outcome.at).fold(asked_at, Timestamp::max);
        let next = next(handoff.as_ref(), &state.state, &outcome, drill);
        Ok(Self {
            id,
            state: state.state,
            option: outcome.option,
            answer: outcome.answer,
            action: outcome.action,
            changes: outcome.changes,
            changed_digest: outcome.action_digest,
            by: outcome.by,
            reason: outcome.reason,
            superseded_by: outcome.superseded_by,
            ended_at: outcome.at.map(|at| at.to_string()),
            deadline,
            default,
            approvals,
            asked: state.roles.into_iter().map(|role| role.name).collect(),
            choices,
            action_digest,
            incident,
            handoff,
            drill,
            next,
            asked_at,
            changed_at,
        })
    }

    /// Whether it has no outcome yet.
    pub fn is_open(&self) -> bool {
        self.state == "open"
    }

    /// Who is asked and what they have said, in one line.
    pub fn progress(&self) -> String {
        let asked = self.asked.join(", ");
        match self.choices.len() {
            0 => format!("{}: asked {asked}; nobody has chosen yet", self.incident),
            1 => format!("{}: asked {asked}; one person has chosen", self.incident),
            n => format!("{}: asked {asked}; {n} people have chosen", self.incident),
        }
    }
}

fn next(handoff: Option<&HandoffResult>, state: &str, outcome: &OutcomeState, drill: bool) -> String {
    if let Some(handoff) = handoff {
        return next_of(&handoff.state).to_owned();
    }
    let next = match (state, outcome.option.as_deref()) {
        ("open", _) => {
            "Nobody has decided yet. Do not act. Call get_outcome with this id to wait on; people go on being asked."
        }
        (_, _) if drill => "This was a drill: do nothing.",
        ("decided", None) => "A person filled in the form. Use exactly the values of `answer`, and nothing else.",
        ("decided", Some("approve")) if outcome.action.is_some() => {
            "A person approved it with changes. Do exactly the `action` of this result, in place of the one that you asked \
             about, and nothing else."
        }
        ("decided", Some("approve")) => "People approved it. Do exactly what was asked about, and nothing else.",
        ("decided", Some("deny")) => "People denied it. Do not act.",
        ("decided", Some(option)) => {
            return format!("People chose {option}. Do what that option says, and nothing else.");
        }
        ("defaulted", Some("deny")) => "Nobody decided in time, and by the rules that is a denial. Do not act.",
        ("defaulted", Some(option)) => return format!("Nobody decided in time. By the rules {option} holds."),
        ("expired", _) => "Nobody decided in time. This is no approval and no answer: do not act.",
        ("cancelled", _) => "It was withdrawn. Do not act.",
        ("superseded", _) => {
            "The facts changed, and it is asked anew. Do not act on this one: call get_outcome with the id in superseded_by."
        }
        _ => "Do not act.",
    };
    next.to_owned()
}

fn next_of(handoff: &str) -> &'static str {
    match handoff {
        "offered" | "assigned" => {
            "Tell the user the message. The conversation is still yours: call get_outcome with this id and `known` to follow it."
        }
        "connected" => "A person speaks to the user. Be silent, and follow it by get_outcome.",
        "completed" => {
            "A person finished it. Tell the user the message; if they go on writing, the conversation is yours again."
        }
        "returned" => "A person gave it back. Tell the user the message; the conversation is yours again.",
        "unanswered" => "Nobody took it. Tell the user the message; the conversation is yours.",
        _ => "The user left, or it was withdrawn. Say nothing more in this conversation of your own accord.",
    }
}
