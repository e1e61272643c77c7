//! One message for one responder (or one room) by one channel: a row of the outbox.

use super::{
    incident::IncidentId,
    names::{ChannelName, PersonName, RoleName},
    settlement::{HeldWhy, Receipt, Settlement},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Which page: the incident and its number in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PageId {
    /// Its incident.
    pub incident: IncidentId,
    /// Counted from 1 in each incident.
    pub n: u32,
}

impl fmt::Display for PageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.incident, self.n)
    }
}

impl FromStr for PageId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (incident, n) = text.rsplit_once('.').ok_or(())?;
        Ok(Self { incident: incident.parse().map_err(drop)?, n: n.parse().map_err(drop)? })
    }
}

/// A page or a post, and what became of it. Born by [`super::Event::Paged`], changed by the events that name it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// Its number in the incident, from 1.
    pub n: u32,
    /// The role it is about; none for a post about the whole incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleName>,
    /// Who shall read it; none for a post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonName>,
    /// By which channel.
    pub channel: ChannelName,
    /// What it is for.
    pub purpose: Purpose,
    /// Which entering of which step bore it: the role's count of entered steps. A fallback keeps its original's.
    #[serde(default)]
    pub rung: u32,
    /// The page that its channel did not take, which this one stands in for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<u32>,
    /// When it was born.
    pub born_at: Timestamp,
    /// From then on another channel is tried beside it. Only briefs have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience_until: Option<Timestamp>,
    /// Where it is.
    #[serde(default)]
    pub state: PageState,
    /// Refusals so far; a crash is none.
    #[serde(default)]
    pub refusals: u32,
    /// Not to be tried before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
    /// Why it was not given to its channel when it was looked at last; none once it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<HeldWhy>,
    /// Taken over from a node that died: it may have been sent before, and says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub maybe_repeated: bool,
    /// The stages, as far as it got.
    #[serde(default)]
    pub stages: Stages,
    /// What the provider said when it took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
    /// The last trouble.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// The text that was shown, by its content hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// What a page is for. Only briefs keep a ladder alive; the others tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "purpose")]
pub enum Purpose {
    /// The role's brief.
    Brief {
        /// How often this step was paged before.
        round: u32,
    },
    /// Somebody has the role.
    Taken {
        /// Who.
        by: PersonName,
        /// For which role they answered, where that is another one that covers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        covering_as: Option<RoleName>,
    },
    /// The role is not needed any more: those for whom it stood in have answered.
    StoodDown,
    /// The incident is resolved.
    Resolved,
    /// A drill is about to begin; nothing is asked yet.
    Announced,
    /// The war room is made, with its card.
    RoomCard,
    /// One line of the war room that people must notice.
    RoomLine {
        /// What happened.
        line: String,
    },
    /// One line of the war room for those who look: its timeline. Living rooms alone have it.
    RoomNote {
        /// What happened.
        line: String,
    },
    /// The card of a living room shall show what is now. It is rendered when it is sent.
    RoomUpdate {
        /// Counted from 2 in each room: the card itself is the first.
        revision: u32,
        /// A digest of what the card showed when this was born ([`super::Incident::card_digest`]).
        shows: String,
    },
    /// A living room gets its topic, purpose, bookmark and pin.
    RoomFurnish,
    /// People are asked into a living room.
    RoomInvite {
        /// Who.
        people: Vec<PersonName>,
    },
    /// The incident is over: what happened, in a few lines, for a living room.
    RoomSummary,
    /// A living room that is not needed any more.
    RoomArchive,
    /// Another system is told what happened.
    Notice {
        /// What.
        about: Notice,
    },
}

/// What other systems are told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Notice {
    /// An incident was opened.
    Opened,
    /// A role's ladder begins.
    RoleEntered,
    /// A role's required answer is there.
    RoleEngaged,
    /// A role's `next` is engaged in its place.
    RoleCovered,
    /// A role's steps are spent and its `next` takes over.
    RoleHandedOver,
    /// A role's steps are spent and nobody is next.
    RoleExhausted,
    /// A role is not needed any more.
    RoleStoodDown,
    /// The monitor says that it is over.
    AllClear,
    /// It is over.
    Resolved,
}

impl Notice {
    /// Its name for other systems: words with a dot between, which never change their meaning.
    pub fn name(self) -> &'static str {
        match self {
            Self::Opened => "incident.opened",
            Self::RoleEntered => "role.entered",
            Self::RoleEngaged => "role.engaged",
            Self::RoleCovered => "role.covered",
            Self::RoleHandedOver => "role.handed_over",
            Self::RoleExhausted => "role.exhausted",
            Self::RoleStoodDown => "role.stood_down",
            Self::AllClear => "incident.all_clear",
            Self::Resolved => "incident.resolved",
        }
    }
}

impl Purpose {
    /// Whether it asks for an answer.
    pub fn is_brief(&self) -> bool {
        matches!(self, Self::Brief { .. })
    }

    /// Whether its reader must hear when the incident is over.
    pub fn needs_an_end(&self) -> bool {
        matches!(self, Self::Brief { .. } | Self::Announced)
    }

    /// Whether it tells another system what happened: that stays true, whatever happens next.
    pub fn is_notice(&self) -> bool {
        matches!(self, Self::Notice { .. })
    }

    /// Whether it keeps its meaning when the incident is over: what a room or another system is told of the past, and a
    /// room's card, which is rendered when it is sent.
    pub fn outlives_incident(&self) -> bool {
        matches!(self, Self::RoomLine { .. } | Self::RoomNote { .. } | Self::RoomUpdate { .. } | Self::Notice { .. })
    }
}

/// Where a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PageState {
    /// To be sent, or being sent.
    #[default]
    Queued,
    /// Its channel has accepted it, or what stands in for its channel: see [`Page::stand_in`].
    Accepted,
    /// This person can not be reached by this way.
    Unreachable,
    /// Not wanted any more; whether it was sent before that is not known yet.
    Withdrawn,
    /// Withdrawn, and never sent.
    Unsent,
}

/// When a page passed which stage. What a stand-in took in its channel's place was neither sent nor accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Stages {
    /// The first attempt began by which it may have left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Timestamp>,
    /// Something else took it in its channel's place: the receipt says what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Timestamp>,
    /// The provider took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Timestamp>,
    /// The device has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered: Option<Timestamp>,
    /// A human's screen showed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Timestamp>,
}

/// How far a page got with its human.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// The device has it.
    Delivered,
    /// A human's screen showed it.
    Seen,
}

impl PageState {
    /// Its name, as it is written in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Accepted => "accepted",
            Self::Unreachable => "unreachable",
            Self::Withdrawn => "withdrawn",
            Self::Unsent => "unsent",
        }
    }
}

impl Page {
    /// Records how an attempt ended.
    pub fn settle(
        &mut self,
        settlement: &Settlement,
        sent_at: Option<Timestamp>,
        text: Option<&String>,
        at: Timestamp,
    ) {
        let stand_in = settlement.stand_in();
        self.stages.sent = self.stages.sent.or(sent_at.filter(|_| stand_in.is_none()));
        if let Some(text) = text {
            self.text = Some(text.clone());
        }
        match settlement {
            Settlement::Accepted { receipt } => {
                self.state = PageState::Accepted;
                match stand_in {
                    None => self.stages.accepted.get_or_insert(at),
                    Some(_) => self.stages.kept.get_or_insert(at),
                };
                self.receipt = Some(receipt.clone());
                (self.trouble, self.retry_at, self.held) = (None, None, None);
            }
            Settlement::Retry { at, why, unknown } => {
                // Perhaps it was sent all the same: the next attempt says so.
                self.maybe_repeated |= unknown;
                self.refusals += 1;
                self.retry_at = Some(*at);
                (self.trouble, self.held) = (Some(why.clone()), None);
            }
            Settlement::Held { until, why } => {
                self.retry_at = Some(*until);
                self.held = Some(*why).filter(|why| *why != HeldWhy::NotKnown);
            }
            Settlement::Unreachable { why } => {
                self.state = PageState::Unreachable;
                self.refusals += 1;
                (self.trouble, self.held) = (Some(why.clone()), None);
            }
            Settlement::Unsent => self.state = PageState::Unsent,
        }
    }

    /// Records what a device or a screen reported. A desk that shows what went by another channel says nothing of that
    /// channel.
    pub fn report(&mut self, stage: Stage, at_desk: bool, at: Timestamp) {
        if !at_desk {
            self.stages.delivered.get_or_insert(at);
        }
        if stage == Stage::Seen {
            self.stages.seen.get_or_insert(at);
        }
    }

    /// Whether the provider took it or may have: an attempt was settled, or its node died and perhaps had begun one.
    pub fn was_attempted(&self) -> bool {
        self.stages.sent.is_some() || self.state == PageState::Accepted || self.maybe_repeated
    }

    /// Whether its person can still answer it: it is out, or on its way.
    pub fn is_live(&self) -> bool {
        matches!(self.state, PageState::Queued | PageState::Accepted)
    }

    /// Whether the outbox still owes work for it.
    pub fn is_owed(&self) -> bool {
        matches!(self.state, PageState::Queued | PageState::Withdrawn)
    }
}
