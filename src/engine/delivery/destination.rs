//! Destinations of pages, separate for live incidents and drills.

use crate::core::{ChannelName, IncidentId, PersonName};

/// Where a page goes, which is what a pace applies to: a person by a channel, or an incident's room. Edits of cards
/// have paces of their own: one for each card, and one for all cards of a channel. Drills have their own paces too, so
/// they never slow down a live incident.
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

/// Whether a page belongs to a live incident or to a drill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PageReality {
    /// A live incident. It goes first.
    Live,
    /// A drill.
    Drill,
}

/// Both, live first.
pub const BOTH: [PageReality; 2] = [PageReality::Live, PageReality::Drill];

/// The name of a queue. A channel has two: pages of drills queue and are counted separately, after the live ones.
pub type LineName = (PageReality, ChannelName);

impl Destination {
    /// This destination, and the same one for drills if it is live: a limit that a live page met holds for drills too,
    /// never the other way round.
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

    /// The same destination for live incidents and for drills: a desk that is closed is closed for both.
    pub fn everywhere(&self) -> Vec<Self> {
        match self {
            Self::Person(_, channel, person) => BOTH.map(|r| Self::Person(r, channel.clone(), person.clone())).into(),
            Self::Cards(_, channel) => BOTH.map(|r| Self::Cards(r, channel.clone())).into(),
            Self::Room(..) | Self::Card(..) => vec![self.clone()],
        }
    }
}
