//! One message for one responder (or one room) by one channel: a row of the outbox.

mod progress;
mod stages;

pub use crate::core::page::stages::{PageReach, PageStage, PageStages, PageState};

use crate::core::{
    identity::PageNonce,
    names::{ChannelName, PersonName, RoleName},
    send_outcome::{HeldWhy, SendReceipt},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// A page or a post, and its state. Created by [`super::Event::Paged`], changed by the events that name it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// Its number in the incident, from 1.
    pub n: u32,
    /// The role that it is about; `None` for a post about the whole incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleName>,
    /// The person it is for; `None` for a post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonName>,
    /// By which channel.
    pub channel: ChannelName,
    /// What it is for.
    pub purpose: PagePurpose,
    /// The role's count of entered steps when it was created. A fallback keeps the number of its original.
    #[serde(rename = "rung", default)]
    pub step_entry: u32,
    /// The page that this one replaces, because that page's channel did not accept it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<u32>,
    /// Tells it from a page that had its number before a backup was restored; drawn by the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<PageNonce>,
    /// When it was created.
    pub born_at: Timestamp,
    /// From this time on another channel is tried as well. Only briefs have one.
    #[serde(default, rename = "patience_until", skip_serializing_if = "Option::is_none")]
    pub accept_until: Option<Timestamp>,
    /// Its delivery report has not come in time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unreported: bool,
    /// Its current state.
    #[serde(default)]
    pub state: PageState,
    /// How often it was refused so far; a crash does not count.
    #[serde(default)]
    pub refusals: u32,
    /// It must not be tried before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
    /// Why it was not given to its channel when it was last checked; `None` once it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<HeldWhy>,
    /// It was taken over from a node that died: it may have been sent before, and its text says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub maybe_repeated: bool,
    /// The stages that it has reached.
    #[serde(default)]
    pub stages: PageStages,
    /// What the provider returned when it accepted the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<SendReceipt>,
    /// The last error.
    #[serde(rename = "trouble", default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// The text that was shown, by content hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// The purpose of a page. Only briefs keep a ladder going; the others only inform.
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
        /// The person.
        by: PersonName,
        /// The role that they answered for, if it is another one that covers this role.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        covering_as: Option<RoleName>,
    },
    /// Somebody had the role and handed it back. Sent to everyone who was told that they have it, unless they are asked
    /// again.
    HandedBack {
        /// The person.
        by: PersonName,
        /// The role that they handed back: the page's own, or one that covered it or made it unnecessary.
        of: RoleName,
    },
    /// The role is not needed any more: the roles that it stood in for have their answers.
    StoodDown,
    /// The incident is resolved.
    Resolved,
    /// A drill will begin soon; nothing is asked yet.
    Announced,
    /// The war room is created, with its card.
    RoomCard,
    /// One line in the war room that people must notice.
    RoomLine {
        /// What happened.
        line: String,
    },
    /// One line in the war room's timeline, for people who look there. Only living rooms have one.
    RoomNote {
        /// What happened.
        line: String,
    },
    /// The card of a living room must show the current state. It is rendered when it is sent.
    RoomUpdate {
        /// Counted from 2 in each room: the card itself is revision 1.
        revision: u32,
        /// A digest of what the card showed when this update was created ([`super::Incident::card_digest`]).
        shows: String,
    },
    /// A living room gets its topic, purpose, bookmark and pin.
    RoomFurnish,
    /// People are invited to a living room.
    RoomInvite {
        /// The people.
        people: Vec<PersonName>,
    },
    /// The incident is over: what happened, in a few lines, for a living room.
    RoomSummary,
    /// A living room that is not needed any more is archived.
    RoomArchive,
    /// Another system is told what happened.
    Notice {
        /// What happened.
        about: SystemNotice,
    },
}

/// The notices that other systems get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SystemNotice {
    /// An incident was opened.
    Opened,
    /// A role's ladder begins.
    RoleEntered,
    /// A role has its required answer.
    RoleEngaged,
    /// A role's `next` is engaged in its place.
    RoleCovered,
    /// The person who had a role handed it back: it is open again.
    RoleHandedBack,
    /// The role that covered this one was handed back: it is open again.
    RoleReopened,
    /// A role's steps are used up and its `next` takes over.
    RoleHandedOver,
    /// A role's steps are used up and there is no `next`.
    RoleExhausted,
    /// A role is not needed any more.
    RoleStoodDown,
    /// The monitor reports that the condition is over.
    AllClear,
    /// A request was accepted, and people are asked.
    RequestOpened,
    /// Somebody chose an option of a request, and it counts.
    RequestChosen,
    /// A person has a conversation and is reading it.
    HandoffAssigned,
    /// A person speaks to the user.
    HandoffConnected,
    /// The person who had a conversation passed it on: it waits again.
    HandoffPassedOn,
    /// A request has its outcome.
    RequestEnded,
    /// The incident is over.
    Resolved,
}

impl SystemNotice {
    /// Whether it is about a request.
    pub fn is_of_request(self) -> bool {
        match self {
            Self::RequestOpened
            | Self::RequestChosen
            | Self::HandoffAssigned
            | Self::HandoffConnected
            | Self::HandoffPassedOn
            | Self::RequestEnded => true,
            Self::Opened
            | Self::RoleEntered
            | Self::RoleEngaged
            | Self::RoleCovered
            | Self::RoleHandedBack
            | Self::RoleReopened
            | Self::RoleHandedOver
            | Self::RoleExhausted
            | Self::RoleStoodDown
            | Self::AllClear
            | Self::Resolved => false,
        }
    }

    /// Its name for other systems: words separated by dots. The meaning of a name never changes.
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
            Self::RequestOpened => "request.opened",
            Self::RequestChosen => "request.chosen",
            Self::HandoffAssigned => "handoff.assigned",
            Self::HandoffConnected => "handoff.connected",
            Self::HandoffPassedOn => "handoff.passed_on",
            Self::RequestEnded => "request.ended",
            Self::Resolved => "incident.resolved",
        }
    }
}

impl PagePurpose {
    /// Whether it asks for an answer.
    pub fn is_brief(&self) -> bool {
        matches!(self, Self::Brief { .. })
    }

    /// Whether it waits for a desk that is not open. Messages about an ending do not: any desk page that is opened
    /// later shows it without a message.
    pub fn waits_for_desk(&self) -> bool {
        self.is_brief()
    }

    /// Whether its reader must be told when the incident is over.
    pub fn needs_an_end(&self) -> bool {
        matches!(self, Self::Brief { .. } | Self::Announced)
    }

    /// Whether it says who has its role, or that nobody is needed. It is out of date once that changes.
    pub fn tells_who_has_it(&self) -> bool {
        matches!(self, Self::Taken { .. } | Self::StoodDown)
    }

    /// Whether it tells another system what happened. That stays true, whatever happens next.
    pub fn is_notice(&self) -> bool {
        matches!(self, Self::Notice { .. })
    }

    /// Whether it is still correct when the incident is over: messages about the past to rooms and other systems, and a
    /// room's card, which is rendered when it is sent.
    pub fn outlives_incident(&self) -> bool {
        matches!(self, Self::RoomLine { .. } | Self::RoomNote { .. } | Self::RoomUpdate { .. } | Self::Notice { .. })
    }
}
