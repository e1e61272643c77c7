//! What an incident asks, if it is a request: a part of its view.

use crate::{
    core::{
        Ask, AskKind, AskOption, Incident, PersonName, Timestamp, display_names::IncidentNames, request::Choice,
        sentence::ended_request,
    },
    engine::RuntimeConfig,
    template::action_of,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is asked, who has chosen what, and how it ended.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct AskedView {
    /// What kind of answer it needs.
    #[serde(rename = "type")]
    pub kind: AskKind,
    /// What will be done if people agree, in one line; `None` if the request has no action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// The options; nothing for a handoff.
    pub options: Vec<AskedOption>,
    /// When it ends without a decision; `None` once it has ended, and while a person has the conversation.
    pub deadline: Option<Timestamp>,
    /// How many different people must agree.
    pub approvals: u32,
    /// Who has chosen what, in the order of their answers.
    pub choices: Vec<AskedChoice>,
    /// How it ended, in words; `None` while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
}

/// One option.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct AskedOption {
    /// Its letter.
    pub letter: char,
    /// Its label for people.
    pub label: String,
    /// What it leads to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub does: Option<String>,
    /// Whether it takes effect at the deadline unless somebody decides.
    pub default: bool,
}

/// A choice of one person.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct AskedChoice {
    /// The person, by display name.
    pub person: String,
    /// The label of the option.
    pub option: String,
    /// By what.
    pub via: String,
    /// When.
    pub at: Timestamp,
}

impl AskedView {
    /// What this incident asks; `None` if it is no request.
    pub fn of(live: &RuntimeConfig, incident: &Incident) -> Option<Self> {
        let request = incident.request.as_deref()?;
        let names = IncidentNames { plan: &incident.plan, people: &live.names };
        let mut choices: Vec<AskedChoice> =
            request.choices.iter().map(|chosen| choice(live, &request.ask, chosen)).collect();
        choices.sort_by_key(|choice| choice.at);
        let option = |(letter, option): (char, &AskOption)| AskedOption {
            letter,
            label: option.label.clone(),
            does: option.does.clone(),
            default: request.ask.default.as_ref() == Some(&option.name),
        };
        Some(Self {
            kind: request.ask.kind,
            action: action_of(incident).map(|action| action.line),
            options: request.ask.lettered().map(option).collect(),
            deadline: request.deadline(),
            approvals: request.ask.approvals,
            choices,
            ended: request.outcome().map(|outcome| ended_request(outcome, &names)),
        })
    }
}

fn choice(live: &RuntimeConfig, ask: &Ask, (person, choice): (&PersonName, &Choice)) -> AskedChoice {
    AskedChoice {
        person: live.name_of(person).to_owned(),
        option: ask.option(&choice.option).map_or(&choice.option, |option| &option.label).clone(),
        via: choice.via.to_string(),
        at: choice.at,
    }
}
