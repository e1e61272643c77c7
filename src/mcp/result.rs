//! What the tools return: a request as agents need it. That it was denied, expired or decided by default are results, not
//! errors.

use super::service::ServiceFault;
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
    /// withdrawn.
    pub state: String,
    /// The option that holds, such as `approve` or `deny`; only if `decided` or `defaulted`.
    #[serde(skip_serializing_if = "Option::is_none")]
    option: Option<String>,
    /// Who decided.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    by: Vec<String>,
    /// Why it was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
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
    /// The digest of the action, kind, labels and values that people were asked about.
    action_digest: String,
    /// The incident that people see.
    pub incident: String,
    /// Whether it was a drill: then nothing is to be done, whatever the outcome.
    drill: bool,
    /// What to do now.
    next: String,
}

/// What one person has chosen.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct ChoiceResult {
    person: String,
    option: String,
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
    default: Option<String>,
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
    #[serde(default)]
    by: Vec<String>,
    at: Option<String>,
    reason: Option<String>,
}

impl RequestResult {
    /// What the API says of a request.
    ///
    /// # Errors
    /// An answer of another form: the daemon is of another version.
    pub fn of(view: Value) -> Result<Self, ServiceFault> {
        let state: RequestState = serde_json::from_value(view).map_err(|error| ServiceFault {
            detail: format!("the daemon's answer can not be read, perhaps it is of another version: {error}"),
            retry_after: None,
        })?;
        let RequestState { id, incident, action_digest, approvals, default, deadline, choices, outcome, drill, .. } =
            state;
        let next = next(&state.state, outcome.option.as_deref(), drill);
        Ok(Self {
            id,
            state: state.state,
            option: outcome.option,
            by: outcome.by,
            reason: outcome.reason,
            ended_at: outcome.at,
            deadline,
            default,
            approvals,
            asked: state.roles.into_iter().map(|role| role.name).collect(),
            choices,
            action_digest,
            incident,
            drill,
            next,
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

fn next(state: &str, option: Option<&str>, drill: bool) -> String {
    let next = match (state, option) {
        ("open", _) => {
            "Nobody has decided yet. Do not act. Call get_outcome with this id to wait on; people go on being asked."
        }
        (_, _) if drill => "This was a drill: do nothing.",
        ("decided", Some("approve")) => "People approved it. Do exactly what was asked about, and nothing else.",
        ("decided", Some("deny")) => "People denied it. Do not act.",
        ("decided", Some(option)) => {
            return format!("People chose {option}. Do what that option says, and nothing else.");
        }
        ("defaulted", Some("deny")) => "Nobody decided in time, and by the rules that is a denial. Do not act.",
        ("defaulted", Some(option)) => return format!("Nobody decided in time. By the rules {option} holds."),
        ("expired", _) => "Nobody decided in time. This is no approval: do not act.",
        ("cancelled", _) => "It was withdrawn. Do not act.",
        _ => "Do not act.",
    };
    next.to_owned()
}
