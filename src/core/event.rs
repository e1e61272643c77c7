//! What happened: the journal line, the audit record, the log line and the drill's timeline in one.
//!
//! The form is versioned ([`VERSION`]); fields may be added with defaults, so that old journals fold for years.

pub use super::{
    actor::Actor,
    hex::{hex, unhex},
    source_event::SourceEvent,
};
use crate::core::{
    alert::Alert,
    answer::{Answer, AnswerVerdict, AnswerVia},
    drill::{DrillTerms, FaultKind},
    finding::ClassificationKind,
    identity::{IncidentId, IncidentNonce},
    key::IncidentKey,
    names::{ChannelName, PersonName, RoleName, SourceName},
    page::{Page, PageStage},
    plan::EscalationPlan,
    send_outcome::SendOutcome,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// The version that new journal lines carry.
pub const VERSION: u32 = 1;

/// One thing that happened to one incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum Event {
    /// A trigger held and nobody was working on its key yet.
    Opened(Box<IncidentOpening>),
    /// The same condition again.
    Joined {
        /// The alert.
        alert: Arc<Alert>,
    },
    /// The monitor says that it is over.
    AllClear {
        /// Which monitor.
        source: SourceName,
    },
    /// The monitor's lease lapsed: it has stopped saying anything. The incident stays open.
    SourceSilent {
        /// Until when it had vouched.
        lease: Timestamp,
    },
    /// A role's ladder begins.
    RoleEntered {
        /// The role.
        role: RoleName,
        /// The role whose `next` it is; `None` for a role that the trigger demands.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instead_of: Option<RoleName>,
    },
    /// A rung: these people are paged now. Its pages follow.
    StepEntered {
        /// The role.
        role: RoleName,
        /// Which step, from 0.
        step: usize,
        /// How often it was done before.
        round: u32,
        /// Who was on call.
        on_call: Vec<PersonName>,
        /// When the next rung is due.
        until: Timestamp,
        /// Why the ladder moved here.
        why: StepReason,
    },
    /// A page or post is born.
    Paged {
        /// It.
        page: Arc<Page>,
    },
    /// An attempt to send ended.
    Settled {
        /// The page's number.
        page: u32,
        /// How.
        settlement: SendOutcome,
        /// When the attempt began; `None` if none did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sent_at: Option<Timestamp>,
        /// What was shown, by content hash.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
    /// Its channel did not take the page within its accept timeout.
    Overdue {
        /// The page's number.
        page: u32,
    },
    /// The node that had these pages died, and may have begun to send them; another took them over. They may be repeated.
    TakenOver {
        /// Their numbers.
        pages: Vec<u32>,
    },
    /// A device or a screen reported.
    Reported {
        /// The page's number.
        page: u32,
        /// What.
        stage: PageStage,
        /// Its person's desk showed it, though it went by another channel.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        at_desk: bool,
    },
    /// The provider had taken it, and says now that it did not arrive.
    Undelivered {
        /// The page's number.
        page: u32,
        /// What the provider says.
        why: String,
    },
    /// Pages that are not wanted any more.
    Withdrawn {
        /// Their numbers.
        pages: Vec<u32>,
    },
    /// A human spoke, or a mailbox by itself ([`Event::said_by`] tells which).
    Answered {
        /// For which role.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<RoleName>,
        /// Who.
        person: PersonName,
        /// What.
        answer: Answer,
        /// How it came.
        via: AnswerVia,
        /// To which page, if that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        page: Option<u32>,
        /// The one channel that it shows to reach its person; `None` if it shows that of no channel.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channel: Option<ChannelName>,
        /// What became of it.
        verdict: AnswerVerdict,
    },
    /// The role's required answer is there.
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
        /// By which.
        by: RoleName,
        /// Who has it.
        person: PersonName,
    },
    /// Who had the role cannot do it after all: it is open again, and its ladder goes on without them.
    HandedBack {
        /// The role.
        role: RoleName,
        /// Who had it.
        person: PersonName,
    },
    /// The role that covered this one was handed back: it waits for an answer again.
    Reopened {
        /// The role.
        role: RoleName,
        /// The role that was handed back.
        of: RoleName,
        /// Who had that.
        person: PersonName,
    },
    /// The role had been entered in place of others, and those have their outcome.
    StoodDown {
        /// The role.
        role: RoleName,
    },
    /// The role's steps are spent; its `next` has it now.
    HandedOver {
        /// The role.
        role: RoleName,
        /// Its `next`.
        next: RoleName,
    },
    /// The role's steps are spent and nobody is next: its last step repeats until somebody answers.
    Exhausted {
        /// The role.
        role: RoleName,
    },
    /// A drill made something go wrong with one of its pages, on purpose.
    Injected {
        /// The page's number.
        page: u32,
        /// What.
        trouble: FaultKind,
    },
    /// A drill is broken off: something real began. Its end follows.
    Preempted {
        /// The live incident.
        by: IncidentId,
    },
    /// It is over.
    Resolved {
        /// Who said so.
        by: Actor,
        /// Why, in their words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// Somebody says what it was. The last one counts.
    Judged {
        /// Who.
        by: Actor,
        /// What it was.
        finding: ClassificationKind,
        /// In their words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
}

impl Event {
    /// The human who said something by it; `None` if a mailbox replied by itself, which is nobody's word.
    pub fn said_by(&self) -> Option<&PersonName> {
        match self {
            Self::Answered { via: AnswerVia::AutoReply, .. } => None,
            Self::Answered { person, .. } => Some(person),
            _ => None,
        }
    }
}

/// What opens an incident, and is frozen into it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IncidentOpening {
    /// One open incident per key.
    pub key: IncidentKey,
    /// One line for humans.
    pub summary: String,
    /// The frozen plan.
    pub plan: Arc<EscalationPlan>,
    /// The alert that did it.
    pub alert: Arc<Alert>,
    /// When the door had it whole: the stage `accepted`.
    pub received_at: Timestamp,
    /// On which terms it is a drill; `None` for the real thing, and for drills from before they had an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<DrillTerms>,
    /// What tells the incident from another one of the same number. Left out, the store draws it; journals of older versions
    /// there were any have none.
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
    /// Nobody whom the last step paged can answer any more.
    NobodyLeft,
    /// Who had the role handed it back: the others are asked again.
    HandedBack,
}

/// A journal line as it is written: the event, its place in its chain, its time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JournalRecord<E = Event> {
    /// The version of the form.
    pub v: u32,
    /// The chain: an incident (`INC-7`), a source (`source:prom`), the anchors.
    pub chain: String,
    /// Counted from 1 in each chain.
    pub seq: u64,
    /// When it happened.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub event: E,
}

/// A journal line as it lies in a store or in an export of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLine {
    /// Its place in the order of commits; grows, with gaps.
    pub pos: i64,
    /// Its chain.
    pub chain: String,
    /// Its place in the chain, from 1.
    pub seq: u64,
    /// The exact bytes that were hashed: a [`JournalRecord`] in JSON.
    pub body: String,
    /// The hash of this link.
    pub hash: [u8; 32],
}

/// The chain of anchors.
pub const ANCHORS: &str = "anchors";

/// An anchor: the heads of all chains that grew since the last one. A copy of the anchors' chain that is kept
/// elsewhere proves the history up to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum AnchorEvent {
    /// Chain, sequence and hash (hex) of each, in the order of the chains' names.
    Anchored {
        /// The heads.
        heads: Vec<(String, u64, String)>,
    },
}

/// Hashes one link: SHA-256 over the last link's hash and this line's bytes.
pub fn link(previous: &[u8; 32], line: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(previous);
    hash.update(line);
    hash.finalize().into()
}

/// The hash before the first link of a chain: SHA-256 of its name, so that chains cannot be swapped.
pub fn genesis(chain: &str) -> [u8; 32] {
    Sha256::digest(chain.as_bytes()).into()
}
