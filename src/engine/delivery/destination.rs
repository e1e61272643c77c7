//! Where pages go, for the real thing and for drills apart.

use crate::core::{ChannelName, IncidentId, PersonName};

/// Where a page goes: the unit of pace. A person by a channel, or an incident's room. Edits of cards have paces of
/// their own: each card's, and that of all cards of a channel. A drill has a pace of its own, so that what it sent never
/// holds up the real thing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Destination {
    /// A person by a channel.
    Person(PageReality, ChannelName, PersonName),
    /// An incident's room.
    Room(ChannelName, IncidentId),
    /// The card of an incident's room.
    Card(ChannelName, IncidentId),
    /// All cards of a channel.
    Cards(PageReality, ChannelName),
}

/// What a page is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PageReality {
    /// Something real. It goes first.
    Live,
    /// An exercise.
    Drill,
}

/// Each once, the real thing first.
pub const BOTH: [PageReality; 2] = [PageReality::Live, PageReality::Drill];

/// A channel has two lines: pages of drills queue and are counted apart, the real thing first.
pub type LineName = (PageReality, ChannelName);

impl Destination {
    /// The same, and for drills where the real thing met it: what a drill met must not hold up the real thing.
    pub fn and_for_drills(&self) -> Vec<Self> {
        match self {
            Self::Person(PageReality::Live, ..) | Self::Cards(PageReality::Live, _) => self.everywhere(),
            Self::Person(PageReality::Drill, ..)
            | Self::Cards(PageReality::Drill, _)
            | Self::Room(..)
            | Self::Card(..) => {
                vec![self.clone()]
            }
        }
    }

    /// The same in the other reality too: a desk that is closed is closed for both.
    pub fn everywhere(&self) -> Vec<Self> {
        match self {
            Self::Person(_, channel, person) => BOTH.map(|r| Self::Person(r, channel.clone(), person.clone())).into(),
            Self::Cards(_, channel) => BOTH.map(|r| Self::Cards(r, channel.clone())).into(),
            Self::Room(..) | Self::Card(..) => vec![self.clone()],
        }
    }
}
