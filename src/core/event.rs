//! What happened. One type is the journal line, the audit record, the log line and the drill's timeline.
//!
//! The format is versioned ([`VERSION`]). Fields may be added with defaults, so that old journals can be folded for
//! years.

pub use super::{
    actor::Actor,
    hash_chain::{ANCHORS, AnchorEvent, genesis, link, text_hash},
    hex::{hex, unhex},
    source_event::SourceEvent,
    stored_line::{ShownText, StoredLine},
};
use crate::core::{
    action_edit::ActionChange,
    alert::Alert,
    answer::{Answer, AnswerVerdict},
    answer_via::AnswerVia,
    choice_verdict::ChoiceVerdict,
    drill::{DrillTerms, FaultKind},
    finding::ClassificationKind,
    form_answer::FormAnswer,
    handoff::HandoffMove,
    identity::{IncidentId, IncidentNonce},
    key::IncidentKey,
    names::{ChannelName, PersonName, RoleName, SourceName},
    page::{Page, PageStage},
    plan::{AcceptTimeout, EscalationPlan},
    repeats::CountedChanges,
    request::{Ask, RequestOutcome},
    send_outcome::SendOutcome,
    tier::TierDecision,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The version of new journal lines.
pub const VERSION: u32 = 1;

/// One event of one incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum Event {
    /// A trigger's condition held, and no incident was open for its key.
    Opened(Box<IncidentOpening>),
    /// Another alert about the same condition.
    Joined {
        /// The alert.
        alert: Arc<Alert>,
    },
    /// An alert with a key of its own, beyond what its trigger may open within a minute: this incident counts it.
    Overflowed {
        /// The key of the incident that it would have opened.
        key: IncidentKey,
        /// The alert.
        alert: Arc<Alert>,
    },
    /// A monitor reports that one of the keys that this incident counts is over.
    OverflowCleared {
        /// The key.
        key: IncidentKey,
        /// Which monitor.
        source: SourceName,
    },
    /// Alerts that joined and said nothing new, and changes between firing and all clear beyond the first few of an hour.
    /// They were counted as they came; this tells of all since the last such event.
    Repeated {
        /// How many alerts, without all-clears.
        count: u64,
        /// When the first of them came.
        first_at: Timestamp,
        /// When the last of them came.
        last_at: Timestamp,
        /// The last of them.
        alert: Arc<Alert>,
        /// What they changed, if there were all-clears among them, or alerts after an all-clear.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        changes: Option<Arc<CountedChanges>>,
    },
    /// The monitor reports that the condition is over.
    AllClear {
        /// Which monitor.
        source: SourceName,
    },
    /// The monitor's lease expired: it no longer reports. The incident stays open.
    SourceSilent {
        /// When the lease ended.
        lease: Timestamp,
    },
    /// It is more urgent than it was: more people are engaged.
    Raised {
        /// Its tier now, and why.
        decision: TierDecision,
    },
    /// A role's ladder begins.
    RoleEntered {
        /// The role.
        role: RoleName,
        /// The role whose `next` it is; `None` for a role that the trigger requires.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instead_of: Option<RoleName>,
    },
    /// Enters a step: these people are paged now. Their pages follow as events of their own.
    StepEntered {
        /// The role.
        role: RoleName,
        /// The step, counted from 0.
        step: usize,
        /// How often the step was done before.
        round: u32,
        /// Who was on call.
        on_call: Vec<PersonName>,
        /// When the next step is due.
        until: Timestamp,
        /// Why the ladder moved here.
        why: StepReason,
        /// The civil time by which it was decided who was on call, if it is not the event's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        civil: Option<Timestamp>,
    },
    /// A step waits longer, because no channel was given its pages yet, or because its first page went out late.
    StepProlonged {
        /// The role.
        role: RoleName,
        /// When the next step is due now.
        until: Timestamp,
    },
    /// A page or post is created.
    Paged {
        /// The page.
        page: Arc<Page>,
    },
    /// An attempt to send ended.
    Settled {
        /// The page's number.
        page: u32,
        /// How it ended.
        settlement: SendOutcome,
        /// When the attempt began; `None` if there was none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sent_at: Option<Timestamp>,
        /// The text that was shown, by content hash.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
    /// The page's channel did not accept it within the accept timeout.
    Overdue {
        /// The page's number.
        page: u32,
        /// The timeout has not passed: its next attempt would be later than that. Older journals do not tell.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        early: bool,
        /// It waits for its person to open a desk: nothing is wrong with its channel. Older journals do not tell.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        desk_closed: bool,
    },
    /// The provider has accepted the page, and has not reported in time whether it arrived.
    Unreported {
        /// The page's number.
        page: u32,
        /// How long the report was waited for.
        within: AcceptTimeout,
    },
    /// The node that had these pages died and may have begun to send them. Another node took them over, so they may be
    /// sent twice.
    TakenOver {
        /// Their numbers.
        pages: Vec<u32>,
    },
    /// A device or a screen reported.
    Reported {
        /// The page's number.
        page: u32,
        /// The stage that was reached.
        stage: PageStage,
        /// Whether the person's desk page showed it although it was sent by another channel.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        at_desk: bool,
    },
    /// The provider had accepted it and now reports that it did not arrive.
    Undelivered {
        /// The page's number.
        page: u32,
        /// What the provider says.
        why: String,
    },
    /// These pages are withdrawn: they are out of date.
    Withdrawn {
        /// Their numbers.
        pages: Vec<u32>,
    },
    /// A person answered, or a mailbox replied automatically ([`Event::said_by`] tells which).
    Answered {
        /// The role.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<RoleName>,
        /// The person.
        person: PersonName,
        /// The answer.
        answer: Answer,
        /// The way it arrived.
        via: AnswerVia,
        /// The page that it answers, if known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        page: Option<u32>,
        /// The one channel that the answer proves to reach its person; `None` if it proves that of no channel.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channel: Option<ChannelName>,
        /// What its provider calls the message that says it, where it may hand that over twice.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        origin: Option<String>,
        /// The effect of the answer.
        verdict: AnswerVerdict,
    },
    /// A person chose an option of the request.
    Chosen {
        /// The person.
        person: PersonName,
        /// The option's name.
        option: String,
        /// What they filled in, if the request is a form.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<FormAnswer>,
        /// What they changed of the action that they approve.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        changes: Vec<ActionChange>,
        /// The way it arrived.
        via: AnswerVia,
        /// The page that it answers, if known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        page: Option<u32>,
        /// The one channel that the choice proves to reach its person; `None` if it proves that of no channel.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channel: Option<ChannelName>,
        /// What its provider calls the message that says it, where it may hand that over twice.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        origin: Option<String>,
        /// The effect of the choice.
        verdict: ChoiceVerdict,
    },
    /// A person connected to a conversation, finished it, gave it back to the machine, or passed it on with a reason.
    HandoffMoved(HandoffMove),
    /// The key of the request's packet was destroyed: nobody can read the conversation any more.
    Erased {
        /// Who did it.
        by: Actor,
    },
    /// The request has its outcome. The end of the incident follows.
    RequestEnded {
        /// The outcome.
        outcome: RequestOutcome,
    },
    /// The role has its required answer.
    Engaged {
        /// The role.
        role: RoleName,
        /// Who has it.
        person: PersonName,
    },
    /// The role's `next` is engaged in its place.
    Covered {
        /// The role.
        role: RoleName,
        /// The role that covers it.
        by: RoleName,
        /// The person who has that role.
        person: PersonName,
    },
    /// The person who had the role cannot do it after all: it is open again, and its ladder continues without them.
    HandedBack {
        /// The role.
        role: RoleName,
        /// The person who had it.
        person: PersonName,
    },
    /// The role that covered this one was handed back: this one needs an answer again.
    Reopened {
        /// The role.
        role: RoleName,
        /// The role that was handed back.
        of: RoleName,
        /// The person who had that role.
        person: PersonName,
    },
    /// The role was entered in place of others, and they have their outcome.
    StoodDown {
        /// The role.
        role: RoleName,
    },
    /// The role's steps are used up; its `next` takes over.
    HandedOver {
        /// The role.
        role: RoleName,
        /// Its `next`.
        next: RoleName,
    },
    /// The role's steps are used up and there is no `next`: its last step repeats until somebody answers.
    Exhausted {
        /// The role.
        role: RoleName,
    },
    /// A drill injected a fault into one of its pages.
    Injected {
        /// The page's number.
        page: u32,
        /// The fault.
        #[serde(rename = "trouble")]
        fault: FaultKind,
    },
    /// A drill is stopped because a live incident began. Its end follows.
    Preempted {
        /// The live incident.
        by: IncidentId,
    },
    /// The incident is over.
    Resolved {
        /// Who resolved it.
        by: Actor,
        /// Why, in their words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// Somebody classified the incident. The last classification counts.
    Judged {
        /// Who classified it.
        by: Actor,
        /// The classification.
        finding: ClassificationKind,
        /// A note in their own words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
}

impl Event {
    /// The person who spoke in this event; `None` for an automatic reply, which is nobody's answer.
    pub fn said_by(&self) -> Option<&PersonName> {
        match self {
            Self::Answered { via: AnswerVia::AutoReply, .. } => None,
            Self::Answered { person, .. } | Self::Chosen { person, .. } => Some(person),
            Self::HandoffMoved(moved) => Some(&moved.person),
            _ => None,
        }
    }
}

/// What opens an incident. It is frozen into the incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IncidentOpening {
    /// The key; each key has at most one open incident.
    pub key: IncidentKey,
    /// One line for people.
    pub summary: String,
    /// The frozen plan.
    pub plan: Arc<EscalationPlan>,
    /// The alert that opened it.
    pub alert: Arc<Alert>,
    /// When Stentor had received the whole alert: the stage `accepted`.
    pub received_at: Timestamp,
    /// The terms of the drill; `None` for a live incident, and for drills from before drills had an end time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<DrillTerms>,
    /// What a machine asks, if it is a request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<Box<Ask>>,
    /// Tells this incident from another one with the same number. If it is left out, the store draws it; journals of
    /// older versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<IncidentNonce>,
}

/// Why a ladder moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepReason {
    /// The role was entered.
    Entered,
    /// Nobody answered in time.
    TimedOut,
    /// None of the people whom the last step paged can answer any more.
    NobodyLeft,
    /// The person who had the role handed it back: the others are asked again.
    HandedBack,
}

/// A journal line as it is written: the event, its place in its chain, and its time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JournalRecord<E = Event> {
    /// The version of the format.
    pub v: u32,
    /// The chain: an incident (`INC-7`), a source (`source:prom`), the anchors.
    pub chain: String,
    /// The place in the chain, counted from 1.
    pub seq: u64,
    /// When it happened.
    pub at: Timestamp,
    /// The event.
    #[serde(flatten)]
    pub event: E,
}
