//! One message for one responder (or one room) by one channel: a row of the outbox.

mod progress;
mod stages;

pub use crate::core::page::stages::{PageStage, PageStages, PageState};

use crate::core::{
    identity::PageNonce,
    names::{ChannelName, PersonName, RoleName},
    send_outcome::{HeldWhy, SendReceipt},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// A page or a post, and what became of it. Born by [`super::Event::Paged`], changed by the events that name it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// Its number in the incident, from 1.
    pub n: u32,
    /// The role it is about; `None` for a post about the whole incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleName>,
    /// Who shall read it; `None` for a post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonName>,
    /// By which channel.
    pub channel: ChannelName,
    /// What it is for.
    pub purpose: PagePurpose,
    /// Which entering of which step bore it: the role's count of entered steps. A fallback keeps its original's.
    #[serde(default)]
    pub rung: u32,
    /// The page that its channel did not take, which this one stands in for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<u32>,
    /// What tells it from a page that had its number before a backup was restored; drawn by the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<PageNonce>,
    /// When it was born.
    pub born_at: Timestamp,
    /// From then on another channel is tried beside it. Only briefs have one.
    #[serde(default, rename = "patience_until", skip_serializing_if = "Option::is_none")]
    pub accept_until: Option<Timestamp>,
    /// If it is.
    #[serde(default)]
    pub state: PageState,
    /// Refusals so far; a crash is none.
    #[serde(default)]
    pub refusals: u32,
    /// Not to be tried before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
    /// Why it was not given to its channel when it was looked at last; `None` once it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<HeldWhy>,
    /// Taken over from a node that died: it may have been sent before, and says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub maybe_repeated: bool,
    /// The stages, as far as it got.
    #[serde(default)]
    pub stages: PageStages,
    /// What the provider said when it took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<SendReceipt>,
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
pub enum PagePurpose {
    /// The role's brief.
    Brief {
        /// How often this step was paged before.
        round: u32,
    },
    /// Somebody has the role.
    Taken {
        /// Who.
        by: PersonName,
        /// For which role they answered, if that is another one that covers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        covering_as: Option<RoleName>,
    },
    /// Somebody had the role and handed it back: whoever heard that they have it hears this, unless they are asked again.
    HandedBack {
        /// Who.
        by: PersonName,
        /// The role that they handed back: the page's own, or one that covered it or made it unneeded.
        of: RoleName,
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
        about: SystemNotice,
    },
}

/// What other systems are told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SystemNotice {
    /// An incident was opened.
    Opened,
    /// A role's ladder begins.
    RoleEntered,
    /// A role's required answer is there.
    RoleEngaged,
    /// A role's `next` is engaged in its place.
    RoleCovered,
    /// Who had a role handed it back: it is open again.
    RoleHandedBack,
    /// The role that covered this one was handed back: it is open again.
    RoleReopened,
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

impl SystemNotice {
    /// Its name for other systems: words with a dot between, which never change their meaning.
    pub fn name(self) -> &'static str {
        match self {
            Self::Opened => "incident.opened",
            Self::RoleEntered => "role.entered",
            Self::RoleEngaged => "role.engaged",
            Self::RoleCovered => "role.covered",
            Self::RoleHandedBack => "role.handed_back",
            Self::RoleReopened => "role.reopened",
            Self::RoleHandedOver => "role.handed_over",
            Self::RoleExhausted => "role.exhausted",
            Self::RoleStoodDown => "role.stood_down",
            Self::AllClear => "incident.all_clear",
            Self::Resolved => "incident.resolved",
        }
    }
}

impl PagePurpose {
    /// Whether it asks for an answer.
    pub fn is_brief(&self) -> bool {
        matches!(self, Self::Brief { .. })
    }

    /// Whether it waits for a desk that is not open. How something ended is shown by whatever desk is opened later, without
    /// being sent.
    pub fn waits_for_desk(&self) -> bool {
        self.is_brief()
    }

    /// Whether its reader must hear when the incident is over.
    pub fn needs_an_end(&self) -> bool {
        matches!(self, Self::Brief { .. } | Self::Announced)
    }

    /// Whether it tells who has its role, or that nobody is needed: stale once that is not so any more.
    pub fn tells_who_has_it(&self) -> bool {
        matches!(self, Self::Taken { .. } | Self::StoodDown)
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
