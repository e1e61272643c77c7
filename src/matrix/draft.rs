//! The matrix as it was written: each value with its place in the text, not yet checked against other values.

use crate::{
    channel::{contact::ContactField, settings::ChannelSettings},
    core::{
        AnswerLevel, AskRules, EngagementTarget, Priority, Timestamp, Zone,
        judgement::JudgementLayers,
        opening_hours::OpeningSpan,
        plan::{OnResolved, SuggestedAction},
        schedule::CronSchedule,
        trigger::TriggerThreshold,
    },
    matrix::{
        ask::AskCheck,
        assessment::AssessmentSettings,
        decision::{DecisionMatrix, TierDraft},
        expression::CelExpression,
        maintenance::MaintenanceDraft,
        settings::{DaemonSettings, Person, SourceSettings},
        summary::SummaryTemplate,
    },
    toml_kit::faults::{LocatedValue, SourceSpan},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Things of one kind by name. A thing that could not be read is still in the map, without a value or in part. So its
/// name is known and causes no further faults; the reported fault prevents a matrix.
pub(super) type NamedItems<T> = BTreeMap<String, LocatedValue<Option<T>>>;

#[derive(Default)]
pub(super) struct MatrixDraft {
    pub daemon: Option<LocatedValue<DaemonSettings>>,
    pub sources: NamedItems<SourceSettings>,
    pub channels: NamedItems<ChannelSettings>,
    pub people: NamedItems<PersonDraft>,
    pub rotations: NamedItems<RotationDraft>,
    pub maintenance: NamedItems<MaintenanceDraft>,
    pub assessments: NamedItems<AssessmentSettings>,
    pub decision: Option<LocatedValue<Option<DecisionMatrix>>>,
    pub roles: NamedItems<RoleDraft>,
    pub triggers: NamedItems<TriggerDraft>,
    pub catch_all: Option<LocatedValue<Option<StepDraft>>>,
}

pub(super) struct PersonDraft {
    pub person: Person,
    /// Their time zone, if it is given.
    pub zone: Option<Zone>,
    /// The contact fields that are given, valid or not.
    pub known: BTreeSet<ContactField>,
    /// Values that must be unique, by their keys.
    pub unique: Vec<(&'static str, LocatedValue<String>)>,
}

pub(super) struct RotationDraft {
    pub people: Vec<LocatedValue<String>>,
    pub handoff: Option<LocatedValue<CronSchedule>>,
    pub zone: Zone,
    pub overrides: Vec<OverrideDraft>,
    /// How many hand-overs one turn lasts.
    pub turn: usize,
}

pub(super) struct OverrideDraft {
    pub person: LocatedValue<String>,
    pub from: Timestamp,
    pub until: Timestamp,
}

pub(super) struct RoleDraft {
    pub name: Option<String>,
    pub engaged_by: AnswerLevel,
    pub target: Option<LocatedValue<EngagementTarget>>,
    pub template: Option<LocatedValue<String>>,
    pub steps: Vec<StepDraft>,
    pub next: Option<LocatedValue<String>>,
}

pub(super) struct StepDraft {
    pub page: Vec<LocatedValue<String>>,
    pub by: Vec<LocatedValue<String>>,
    /// `None` if it could not be read.
    pub wait: Option<Duration>,
    pub repeat: u32,
}

pub(super) struct TriggerDraft {
    pub on: Vec<String>,
    /// The sources that it listens to; all, if it names none.
    pub sources: Option<Vec<LocatedValue<String>>>,
    pub when: Option<LocatedValue<CelExpression>>,
    pub threshold: Option<TriggerThreshold>,
    pub layers: LayersDraft,
    /// The assessments that are made for the people who are asked, whatever conditions name.
    pub assess: Vec<LocatedValue<String>>,
    pub can_be_silenced: bool,
    pub key: Option<CelExpression>,
    pub openings_per_minute: u32,
    pub priority: Priority,
    pub tier: Option<TierDraft>,
    pub summary: Option<SummaryTemplate>,
    pub roles: Vec<LocatedValue<String>>,
    pub rooms: Vec<LocatedValue<String>>,
    pub runbook: Option<String>,
    pub webhooks: Vec<LocatedValue<String>>,
    pub actions: Vec<SuggestedAction>,
    pub ask: Option<AskRules>,
    pub handoff: Option<HandoffDraft>,
    pub check: Option<AskCheck>,
    pub resolved: LocatedValue<OnResolved>,
}

/// The layers of a trigger as they are written.
#[derive(Debug, Default)]
pub(super) struct LayersDraft {
    pub layers: JudgementLayers,
    /// The value whose change counts.
    pub value: Option<CelExpression>,
    /// Who counts as one witness; without it, each source.
    pub witness: Option<CelExpression>,
    /// When an alert is an all-clear, though its monitor does not say so.
    pub clear_when: Option<CelExpression>,
    /// The keys that are there, with their places.
    pub at: BTreeMap<String, SourceSpan>,
}

/// What a trigger says of handoffs.
pub(super) struct HandoffDraft {
    pub rules: AskRules,
    /// When somebody is there; always, if nothing is said.
    pub hours: Option<Vec<OpeningSpan>>,
    pub at: SourceSpan,
}

impl MatrixDraft {
    /// Whether the files contained nothing at all.
    pub(super) fn is_empty(&self) -> bool {
        let named = self.maintenance.len()
            + self.assessments.len()
            + self.sources.len()
            + self.channels.len()
            + self.people.len()
            + self.rotations.len();
        named + self.roles.len() + self.triggers.len() == 0 && self.daemon.is_none() && self.catch_all.is_none()
    }

    /// A channel, if it could be read.
    pub(super) fn channel(&self, name: &str) -> Option<&ChannelSettings> {
        self.channels.get(name)?.value.as_ref()
    }
}

/// The prefix of a `page` entry that names a rotation.
pub(super) const ROTATION: &str = "rotation.";
