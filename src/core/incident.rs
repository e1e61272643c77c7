//! One incident, as the fold of its events. [`Incident::apply`] records and decides nothing.

pub use super::identity::IncidentId;
use crate::core::{
    alert::Alert,
    drill::DrillTerms,
    engagement::Engagement,
    event::{Actor, Event, IncidentOpening, hex},
    finding::Classification,
    form::Form,
    identity::{IncidentIdentity, IncidentNonce, PageIdentity},
    incident_pages::IncidentPages,
    key::IncidentKey,
    names::{ChannelName, RoleName, SourceName, TriggerName},
    overflow::OverflowKeys,
    page::Page,
    plan::{EscalationPlan, LivingRoom},
    repeats::{AlertChanges, AlertRepeats, AllClearLines, KnownAlerts},
    request::{AskKind, Request, RequestId},
    room::WarRoom,
    tier::{EscalationTier, WATCHED_FOR},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// How many messages that answered an incident are known again: more than any provider hands over a second time at once.
pub const ORIGINS_MAX: usize = 100;

/// Whether an incident is open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "status")]
pub enum IncidentStatus {
    /// Somebody works on it, or must be found.
    Open,
    /// It is over.
    Resolved {
        /// Who resolved it.
        by: Actor,
        /// Why, in their words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
        /// When it was resolved.
        at: Timestamp,
    },
}

/// One crisis, from when it was opened until it is resolved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// Its number.
    pub id: IncidentId,
    /// Tells it from another incident with the same number; `None` if an older version opened it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<IncidentNonce>,
    /// The trigger that opened it.
    pub trigger: TriggerName,
    /// The key; each key has at most one open incident.
    pub key: IncidentKey,
    /// Whether it is an exercise.
    pub drill: bool,
    /// The terms, if it is a drill with an end time.
    pub terms: Option<DrillTerms>,
    /// One line for people.
    pub summary: String,
    /// The frozen plan.
    pub plan: Arc<EscalationPlan>,
    /// The last alert that belongs to it.
    pub alert: Arc<Alert>,
    /// How many alerts belong to it, the first included.
    pub alerts: u64,
    /// Those of them that are counted here and that no event tells of yet. They are kept beside the journal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<AlertRepeats>,
    /// The different alerts among them; `None` if an older version opened it: then no repeats are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<KnownAlerts>,
    /// How often its monitor changed between firing and all clear; `None` if an older version opened it: then no changes
    /// are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<AlertChanges>,
    /// When the monitor saw it begin, if it said so.
    pub detected_at: Option<Timestamp>,
    /// When Stentor had received the whole first alert.
    pub received_at: Timestamp,
    /// When it was committed. Time to engagement counts from here.
    pub opened_at: Timestamp,
    /// The time of the last event; time never runs backwards for an incident.
    pub last_at: Timestamp,
    /// Whether it is open.
    pub status: IncidentStatus,
    /// Since when its monitor has not reported.
    pub silent_since: Option<Timestamp>,
    /// When its monitor reported that the condition is over.
    pub all_clear_at: Option<Timestamp>,
    /// What the rooms were told of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all_clear_lines: Option<AllClearLines>,
    /// The engagement of each role that was entered.
    pub engagements: Arc<BTreeMap<RoleName, Engagement>>,
    /// The rooms that exist, by channel.
    pub rooms: BTreeMap<ChannelName, WarRoom>,
    /// What providers call the messages that answered it last, in their order; at most [`ORIGINS_MAX`].
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    pub origins: VecDeque<String>,
    /// Its classification, once somebody has given one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judgement: Option<Classification>,
    /// The keys that it counts, if it is the overflow of its trigger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overflow: Option<Arc<OverflowKeys>>,
    /// What a machine asks, and how it stands, if it is a request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Arc<Request>>,
    /// The pages, by number. They are stored as rows of their own, not in the incident's body.
    #[serde(skip)]
    pub pages: IncidentPages,
}

impl Incident {
    /// The incident that this opening starts.
    pub fn opened(id: IncidentId, opening: &IncidentOpening, at: Timestamp) -> Self {
        Self {
            id,
            nonce: opening.nonce,
            trigger: opening.plan.trigger.clone(),
            key: opening.key.of_plan(&opening.plan.trigger),
            drill: opening.alert.drill,
            terms: opening.terms.clone().filter(|_| opening.alert.drill),
            summary: opening.summary.clone(),
            plan: opening.plan.clone(),
            alert: opening.alert.clone(),
            alerts: 1,
            repeats: None,
            known: Some(KnownAlerts::of(&opening.alert)),
            changes: Some(AlertChanges::default()),
            detected_at: opening.alert.starts_at,
            received_at: opening.received_at,
            opened_at: at,
            last_at: at,
            status: IncidentStatus::Open,
            silent_since: None,
            all_clear_at: None,
            all_clear_lines: None,
            engagements: Arc::default(),
            rooms: BTreeMap::new(),
            origins: VecDeque::new(),
            judgement: None,
            overflow: None,
            request: opening.ask.as_deref().map(|ask| Arc::new(Request::opened(ask.clone(), at))),
            pages: IncidentPages::default(),
        }
    }

    /// Folds a whole journal chain; `None` if it does not begin with an opening.
    pub fn fold<'a>(id: IncidentId, events: impl IntoIterator<Item = (Timestamp, &'a Event)>) -> Option<Self> {
        let mut events = events.into_iter();
        let Some((at, Event::Opened(opening))) = events.next() else {
            return None;
        };
        let mut incident = Self::opened(id, opening, at);
        for (at, event) in events {
            incident.apply(event, at);
        }
        Some(incident)
    }

    /// Its identity for the outside.
    pub fn identity(&self) -> IncidentIdentity {
        IncidentIdentity { id: self.id, nonce: self.nonce }
    }

    /// The identity of its request for the system that asked; `None` if it is no request.
    pub fn request_id(&self) -> Option<RequestId> {
        self.request.as_ref().and_then(|_| RequestId::of(self.identity()))
    }

    /// What it asks, if it is a request.
    pub fn asks(&self) -> Option<AskKind> {
        self.request.as_ref().map(|request| request.ask.kind)
    }

    /// What is to be filled in, if its request is a form.
    pub fn form(&self) -> Option<&Form> {
        self.request.as_deref()?.ask.form.as_ref()
    }

    /// What can be filled in: the form, or what may be changed of the action.
    pub fn fields(&self) -> Option<&Form> {
        self.request.as_deref()?.ask.fields()
    }

    /// Whether its request is open, and the one who approves may change the action.
    pub fn takes_changes(&self) -> bool {
        self.request.as_ref().is_some_and(|request| request.outcome().is_none() && request.ask.edit.is_some())
    }

    /// Whether its request waits for a form that takes more than a letter.
    pub fn asks_for_a_form(&self) -> bool {
        self.request.as_ref().is_some_and(|request| request.outcome().is_none() && request.ask.needs_a_form())
    }

    /// The source that asked its request.
    pub fn asker(&self) -> &SourceName {
        let asker = self.request.as_ref().and_then(|request| request.ask.asker.as_ref());
        asker.unwrap_or(&self.alert.source)
    }

    /// The identity of one of its pages for the outside.
    pub fn page_identity(&self, n: u32) -> PageIdentity {
        self.identity().page(n, self.pages.get(&n).and_then(|page| page.nonce))
    }

    /// Whether this message of a provider has answered it before.
    pub fn has_heard(&self, origin: &str) -> bool {
        self.origins.iter().any(|known| known == origin)
    }

    /// Whether it is the overflow of its trigger and counts this key, which is not over.
    pub fn counts(&self, key: &IncidentKey) -> bool {
        self.overflow.as_ref().is_some_and(|overflow| overflow.has(key))
    }

    /// Whether a further alert with this key would say nothing new to its overflow, which has no room for the key.
    pub fn overflow_is_full_for(&self, key: &IncidentKey) -> bool {
        self.overflow.as_ref().is_some_and(|overflow| overflow.is_full_for(key))
    }

    /// What it is about, in one line: the question, where a program asks one.
    pub fn about(&self) -> &str {
        let question = self.request.as_ref().map_or("", |request| request.ask.question.as_str());
        if question.is_empty() { &self.summary } else { question }
    }

    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        self.status == IncidentStatus::Open
    }

    /// When [`super::step`] must be called with a tick. It is computed from the state, so there are no timers to lose.
    pub fn deadline(&self) -> Option<Timestamp> {
        if !self.is_open() {
            return self.archives().map(|(_, due)| due).min();
        }
        let ladders = self.engagements.values().filter(|e| e.is_open()).filter_map(|e| e.deadline);
        let accepted = self.pages.accept_deadline();
        let reports = self.awaiting_report().map(|(_, until, _)| until);
        let asked = self.request.as_ref().and_then(|request| request.deadline());
        let others = self.silence_due().into_iter().chain(self.drill_ends_at()).chain(self.repeats_due()).chain(asked);
        let others = others.chain(self.overflow_end().map(|(at, _)| at)).chain(self.watch_ends_at());
        ladders.chain(reports).chain(accepted).chain(others).min()
    }

    /// When it ends by itself because it is only watched and nothing more has come.
    pub fn watch_ends_at(&self) -> Option<Timestamp> {
        let is_watched = self.plan.is_of(EscalationTier::Watch) && self.is_open();
        is_watched.then(|| self.last_at + WATCHED_FOR)
    }

    /// Rooms that must still be archived, and when. One for which something is still queued waits for that: the last word
    /// belongs into the room.
    pub fn archives(&self) -> impl Iterator<Item = (&ChannelName, Timestamp)> {
        let ended = match self.status {
            IncidentStatus::Open => None,
            IncidentStatus::Resolved { at, .. } => Some(at),
        };
        let due = move |living: &LivingRoom| Some(ended? + living.archive_after?.0);
        let made = self.plan.living.iter().filter(|(channel, _)| self.rooms.contains_key(*channel));
        let due = made.filter_map(move |(channel, living)| Some((channel, due(living)?)));
        due.filter(|(room, _)| {
            let mut queued = self.pages.queued_for(None);
            !self.is_archived(room) && !queued.any(|post| post.channel == **room)
        })
    }

    /// Whether a room has been archived, or is about to be.
    pub fn is_archived(&self, room: &ChannelName) -> bool {
        self.pages.is_archived(room)
    }

    /// The posts to a room, newest first.
    pub fn posts_to<'a>(&'a self, room: &'a ChannelName) -> impl Iterator<Item = &'a Page> {
        let posts = self.pages.values().rev().map(|page| &**page);
        posts.filter(move |page| page.person.is_none() && page.channel == *room)
    }

    /// A digest of everything that a card shows: if it has not changed, the card needs no edit.
    pub fn card_digest(&self) -> String {
        let shown = (&self.status, &self.engagements, self.all_clear_at, self.silent_since);
        // These are our own types, and all their keys are strings: this cannot fail.
        let mut text = serde_json::to_vec(&shown).unwrap_or_default();
        if self.is_sandboxed() {
            text.extend_from_slice(b"sandboxed");
        }
        if self.overflow.is_some() {
            text.extend_from_slice(self.summary.as_bytes());
        }
        hex(&Sha256::digest(text)[..8])
    }

    /// When the monitor's lease ends.
    pub fn lease(&self) -> Option<Timestamp> {
        self.alert.lease_until.filter(|_| self.silent_since.is_none() && self.all_clear_at.is_none())
    }

    /// When it is said that the monitor is silent: at the end of its lease, or later if it was silent too often lately.
    pub fn silence_due(&self) -> Option<Timestamp> {
        let again = self.changes.as_ref().and_then(|changes| changes.own.spent_until());
        self.lease().map(|lease| again.map_or(lease, |again| again.max(lease)))
    }

    /// Roles without an outcome.
    pub fn open_roles(&self) -> impl Iterator<Item = &RoleName> {
        self.engagements.iter().filter(|(_, e)| e.is_open()).map(|(role, _)| role)
    }

    /// The briefs of the role's current step.
    pub fn step_pages<'a>(&'a self, role: &'a RoleName) -> impl Iterator<Item = &'a Page> {
        let step_entry = self.engagements.get(role).map(|e| e.step_entry);
        step_entry.into_iter().flat_map(move |step_entry| self.pages.of_step(role, step_entry))
    }

    /// Every brief about a role, by number. It looks at every page: a step must not.
    pub fn briefs_of<'a>(&'a self, role: &'a RoleName) -> impl Iterator<Item = &'a Page> {
        self.pages
            .values()
            .map(|page| &**page)
            .filter(move |page| page.role.as_ref() == Some(role) && page.purpose.is_brief())
    }
}
