//! Requests: a machine asks people for an approval, a decision or the answers of a form, and gets exactly one outcome.
//!
//! A request is part of an incident of its own: what it asks is frozen when the incident opens, and its outcome ends the
//! incident. Nothing is decided by silence except a default that the matrix allows.

pub use super::{
    request_id::{RequestId, UnknownRequest},
    request_supersedes::Supersedes,
};

use super::{
    action_edit::{ActionEdit, EditedAction},
    answer_via::AnswerVia,
    form::Form,
    form_answer::FormAnswer,
    handoff::{HandoffProgress, HandoffResult, HandoffRules, HandoffState, HandoffTerms},
    names::{PersonName, SourceName},
    read_back::{ReadBack, ReadBackField},
    time::Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};

/// The fewest and the most options of a decision: the most is how many letters there are.
pub const OPTIONS_MIN: usize = 2;
/// See [`OPTIONS_MIN`].
pub const OPTIONS_MAX: usize = OPTION_LETTERS.len();

/// By what people name an option. Letters, because digits are answers to the page.
pub const OPTION_LETTERS: [char; 9] = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I'];

/// The longest question, in characters: people read it at a glance.
pub const QUESTION_MAX: usize = 200;

/// The most people that an approval can need.
pub const APPROVALS_MAX: u32 = 9;

/// The name of an approval's option that allows the action.
pub const APPROVE: &str = "approve";

/// The name of an approval's option that refuses it.
pub const DENY: &str = "deny";

/// What kind of answer a request needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AskKind {
    /// May this exact action be done? Its options are [`APPROVE`] and [`DENY`].
    Approval,
    /// Which of these options?
    Decision,
    /// What does one person fill in? It has options only if one choice is all.
    Form,
    /// Who takes over this conversation? It has no options.
    Handoff,
}

/// One option.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskOption {
    /// Its name for the system that asks.
    pub name: String,
    /// Its label for people.
    pub label: String,
    /// What it does, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub does: Option<String>,
}

/// What is asked. It is frozen when the request is accepted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ask {
    /// What kind of answer it needs.
    #[serde(rename = "type")]
    pub kind: AskKind,
    /// The question, in one line.
    pub question: String,
    /// The options, in the order of [`OPTION_LETTERS`].
    pub options: Vec<AskOption>,
    /// What is to be filled in, if it is a form. The digest covers it, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Form>,
    /// The action, as the system that asks describes it; `null` if there is none.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub action: Value,
    /// What people may change of the action, if the matrix lets them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edit: Option<ActionEdit>,
    /// The digest of the action and the facts that it is asked about: `sha256:` and 64 hexadecimal digits.
    pub action_digest: String,
    /// The person on whose behalf it is asked, who can not be the one who decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<PersonName>,
    /// How many different people must agree on an option.
    pub approvals: u32,
    /// The option that takes effect at the deadline unless somebody decided; the matrix must allow it. `None`: then it
    /// expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// When it ends without a decision.
    pub deadline: Timestamp,
    /// The question in whose place it is asked, because the facts changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<Supersedes>,
    /// What the journal has of the conversation, if it is a handoff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handoff: Option<HandoffTerms>,
    /// What people repeat with an option, so that it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_back: Option<ReadBack>,
    /// The source that asked; `None` for the source of the incident's alert, which no other can join.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asker: Option<SourceName>,
}

impl Ask {
    /// The two options of an approval.
    pub fn approval_options() -> Vec<AskOption> {
        let option = |name: &str, label: &str| AskOption { name: name.into(), label: label.into(), does: None };
        vec![option(APPROVE, "Approve"), option(DENY, "Deny")]
    }

    /// The options with their letters.
    pub fn lettered(&self) -> impl Iterator<Item = (char, &AskOption)> {
        OPTION_LETTERS.into_iter().zip(&self.options)
    }

    /// The option with this letter, in either case.
    pub fn with_letter(&self, letter: char) -> Option<&AskOption> {
        self.lettered().find(|(own, _)| own.eq_ignore_ascii_case(&letter)).map(|(_, option)| option)
    }

    /// The option with this name.
    pub fn option(&self, name: &str) -> Option<&AskOption> {
        self.options.iter().find(|option| option.name == name)
    }

    /// What can be filled in: the form, or what may be changed of the action.
    pub fn fields(&self) -> Option<&Form> {
        self.form.as_ref().or_else(|| self.edit.as_ref().map(ActionEdit::form))
    }

    /// Whether it is a form that takes more than a letter: it is answered where a form can be drawn.
    pub fn needs_a_form(&self) -> bool {
        self.form.is_some() && self.options.is_empty()
    }

    /// How many people must choose this option before it is decided: one denial denies.
    pub fn needed(&self, option: &str) -> u32 {
        if self.kind == AskKind::Approval && option == DENY { 1 } else { self.approvals }
    }
}

/// What a trigger of the matrix allows requests to ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskRules {
    /// How many different people must agree.
    pub approvals: u32,
    /// The options that may take effect at the deadline; the first is taken if the system that asks names none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub defaults: Vec<String>,
    /// The longest time until the deadline, and the time if the system that asks names none.
    #[serde(with = "super::time::duration_text")]
    pub after: Duration,
    /// Which fact people repeat with an option, so that it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_back: Option<ReadBackField>,
    /// It takes handoffs and nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handoff: Option<HandoffRules>,
    /// Whether an alert that opens an incident asks, too: the incident's summary is the question. Where it takes handoffs,
    /// the alert hands the conversation over that it has.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub from_alerts: bool,
    /// Whether the one who approves may change the action, within what the system that asks lets them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub edits: bool,
}

impl AskRules {
    /// Whether requests of this kind may be asked.
    pub fn takes(&self, kind: AskKind) -> bool {
        self.handoff.is_some() == (kind == AskKind::Handoff)
    }

    /// Whether alerts hand conversations over.
    pub fn hands_over(&self) -> bool {
        self.from_alerts && self.handoff.is_some()
    }
}

/// What somebody has chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The option's name.
    pub option: String,
    /// When.
    pub at: Timestamp,
    /// By what.
    pub via: AnswerVia,
}

/// How a request ended. No two of these are ever confused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "state")]
pub enum RequestOutcome {
    /// People chose.
    Decided {
        /// The option's name.
        option: String,
        /// Who chose it, in the order of their answers.
        by: Vec<PersonName>,
        /// What was filled in, if it is a form; then the option says nothing more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<FormAnswer>,
        /// The action that was approved, if it is not the one that was asked about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        edited: Option<Box<EditedAction>>,
    },
    /// Nobody decided in time, and the default that the matrix allows took effect.
    Defaulted {
        /// The option's name.
        option: String,
    },
    /// Nobody decided in time, and there is no default. It is never the same as a denial.
    Expired,
    /// The system that asked, or an operator, has withdrawn it.
    Cancelled {
        /// Why, in their words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// The facts changed, and it is asked anew: nobody decided this question, and nobody can any more.
    Superseded {
        /// The request that is asked in its place.
        by: RequestId,
        /// What changed.
        changed: String,
    },
    /// A person took the conversation and finished it.
    Completed {
        /// Who.
        by: PersonName,
        /// How.
        #[serde(flatten)]
        result: HandoffResult,
    },
    /// A person took the conversation and gave it back to the machine.
    Returned {
        /// Who.
        by: PersonName,
        /// What the machine should know.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// Nobody took the conversation in time.
    Unanswered {
        /// It came out of hours, so that nobody was asked.
        #[serde(default)]
        out_of_hours: bool,
    },
}

impl RequestOutcome {
    /// The option that is to be done, if there is one. A form has an answer in its place.
    pub fn option(&self) -> Option<&str> {
        match self {
            Self::Decided { answer: Some(_), .. } => None,
            Self::Decided { option, .. } | Self::Defaulted { option } => Some(option),
            _ => None,
        }
    }

    /// What was filled in, if it is a form.
    pub fn answer(&self) -> Option<&FormAnswer> {
        let Self::Decided { answer, .. } = self else { return None };
        answer.as_ref()
    }

    /// The action that was approved, if it is not the one that was asked about.
    pub fn edited(&self) -> Option<&EditedAction> {
        let Self::Decided { edited, .. } = self else { return None };
        edited.as_deref()
    }

    /// Its word in JSON.
    pub fn state(&self) -> &'static str {
        match self {
            Self::Decided { .. } => "decided",
            Self::Defaulted { .. } => "defaulted",
            Self::Expired => "expired",
            Self::Cancelled { .. } => "cancelled",
            Self::Superseded { .. } => "superseded",
            Self::Completed { .. } => "completed",
            Self::Returned { .. } => "returned",
            Self::Unanswered { .. } => "unanswered",
        }
    }
}

/// A request as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// What is asked.
    pub ask: Ask,
    /// What each person has chosen last, if it counts.
    #[serde(default)]
    pub choices: BTreeMap<PersonName, Choice>,
    /// How it ended, and when; `None` while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<(RequestOutcome, Timestamp)>,
    /// How far it has got, if it is a handoff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handoff: Option<HandoffProgress>,
    /// Which option of each person was doubted last: who chooses it again means it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub doubted: BTreeMap<PersonName, String>,
    /// When it was doubted first.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub doubted_at: BTreeMap<PersonName, Timestamp>,
}

/// The same choice within this time is a double press, or a message that was handed over twice: nobody has read so soon why
/// the first one was handed back.
pub const SECOND_LOOK: Duration = Duration::from_secs(3);

impl Request {
    /// A request that nobody has answered.
    pub fn opened(ask: Ask, at: Timestamp) -> Self {
        let handoff = ask.handoff.as_ref().map(|_| HandoffProgress::opened(at, ask.deadline));
        Self {
            ask,
            choices: BTreeMap::new(),
            ended: None,
            handoff,
            doubted: BTreeMap::new(),
            doubted_at: BTreeMap::new(),
        }
    }

    /// This option of this person was handed back to them.
    pub fn doubt(&mut self, person: &PersonName, option: &str, at: Timestamp) {
        if self.doubted.get(person).is_none_or(|doubted| doubted != option) {
            self.doubted.insert(person.clone(), option.to_owned());
            self.doubted_at.insert(person.clone(), at);
        }
    }

    /// Whether this person can have read why this option was handed back to them.
    pub fn has_read_doubt(&self, person: &PersonName, option: &str, now: Timestamp) -> bool {
        let since = self.doubted_at.get(person);
        self.doubted.get(person).is_some_and(|doubted| doubted == option)
            && since.is_none_or(|at| *at + SECOND_LOOK <= now)
    }

    /// Its outcome.
    pub fn outcome(&self) -> Option<&RequestOutcome> {
        self.ended.as_ref().map(|(outcome, _)| outcome)
    }

    /// When it ends without a decision; `None` once it has ended, and while a person has the conversation.
    pub fn deadline(&self) -> Option<Timestamp> {
        let deadline = match &self.handoff {
            Some(handoff) => handoff.taken.is_none().then_some(handoff.until),
            None => Some(self.ask.deadline),
        };
        deadline.filter(|_| self.ended.is_none())
    }

    /// Where it stands, if it is a handoff.
    pub fn handoff_state(&self) -> Option<HandoffState> {
        let progress = self.handoff.as_ref()?;
        Some(match self.outcome() {
            None => progress.open_state(),
            Some(RequestOutcome::Completed { .. }) => HandoffState::Completed,
            Some(RequestOutcome::Returned { .. }) => HandoffState::Returned,
            Some(RequestOutcome::Unanswered { .. } | RequestOutcome::Expired) => HandoffState::Unanswered,
            Some(_) => HandoffState::Cancelled,
        })
    }

    /// Who has chosen this option, in the order of their answers.
    pub fn chosen_by(&self, option: &str) -> Vec<PersonName> {
        let mut by: Vec<(&PersonName, &Choice)> =
            self.choices.iter().filter(|(_, choice)| choice.option == option).collect();
        by.sort_by_key(|(_, choice)| choice.at);
        by.into_iter().map(|(person, _)| person.clone()).collect()
    }
}
