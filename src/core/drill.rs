//! What a drill has that the real thing has not: an end, a circle of people who take part, faults on purpose.

use super::{
    names::{ChannelName, PersonName},
    time::Timestamp,
};
use crate::core::identity::RunId;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt, time::Duration};

/// How long a drill may last that was started without an end of its own: past that the core ends it.
pub const DRILL_LIFE: Duration = Duration::from_secs(60 * 60);

/// The most by which the waits of a drill's ladders may be divided.
pub const COMPRESS_MAX: u32 = 100;

/// Faults that one drill may inject.
pub const FAULTS_MAX: usize = 32;

/// What the words for every fault on purpose begin with.
pub const INJECTED: &str = "injected: ";

/// What the reason begins with for which an incident of a run ends that was not played to its end.
pub const BROKEN_OFF: &str = "the drill was broken off";

/// The terms on which an incident is a drill. Frozen when it opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillTerms {
    /// The run that it belongs to; none for a drill that was fired by hand or by a monitor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// Past then the core ends it, whoever is or is not there by then.
    pub until: Timestamp,
    /// Who takes part; nobody else is paged. Empty means everybody.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub participants: BTreeSet<PersonName>,
    /// By how much the waits of its ladders were divided.
    #[serde(default = "one")]
    pub compress: u32,
    /// What goes wrong on purpose. It concerns pages of this incident and no others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<InjectedFault>,
}

/// A fault that a drill injects, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InjectedFault {
    /// What.
    #[serde(flatten)]
    pub what: FaultKind,
    /// From then on.
    pub from: Timestamp,
    /// Up to, not including, then; none to the very end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// What may go wrong on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "fault")]
pub enum FaultKind {
    /// The channel takes nothing.
    Down {
        /// Which.
        channel: ChannelName,
    },
    /// The channel refuses everybody at once, as with a revoked token.
    Broken {
        /// Which.
        channel: ChannelName,
    },
    /// The channel takes a page at once and brings it late.
    Delayed {
        /// Which.
        channel: ChannelName,
        /// How late.
        #[serde(with = "super::time::duration_text")]
        by: Duration,
    },
    /// The person is not there: what is sent to them is taken, and nobody reads it.
    Absent {
        /// Who.
        person: PersonName,
    },
}

impl DrillTerms {
    /// A drill that nothing is known about but when it ends.
    pub fn until(until: Timestamp) -> Self {
        Self { run: None, until, participants: BTreeSet::new(), compress: 1, faults: Vec::new() }
    }

    /// Whether this person may be paged.
    pub fn includes(&self, person: &PersonName) -> bool {
        self.participants.is_empty() || self.participants.contains(person)
    }

    /// What goes wrong with a page to this person (none for a room) by this channel at `now`. A person who is not
    /// there goes before a channel that is down: nobody would hear of either.
    pub fn fault(&self, person: Option<&PersonName>, channel: &ChannelName, now: Timestamp) -> Option<&FaultKind> {
        let is_current = |fault: &&InjectedFault| fault.from <= now && fault.until.is_none_or(|until| now < until);
        let current = || self.faults.iter().filter(is_current).map(|fault| &fault.what);
        let absent = current().find(|what| matches!(what, FaultKind::Absent { person: who } if Some(who) == person));
        absent.or_else(|| {
            current().find(|what| match what {
                FaultKind::Down { channel: which }
                | FaultKind::Broken { channel: which }
                | FaultKind::Delayed { channel: which, .. } => which == channel,
                FaultKind::Absent { .. } => false,
            })
        })
    }
}

impl FaultKind {
    /// Whether a page that meets it is refused without anything being sent, now or late.
    pub fn asks_no_channel(&self) -> bool {
        matches!(self, Self::Down { .. } | Self::Broken { .. })
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(INJECTED)?;
        match self {
            Self::Down { channel } => write!(f, "{channel} is down in this drill"),
            Self::Broken { channel } => write!(f, "{channel} refuses everybody in this drill"),
            Self::Delayed { channel, by } => {
                write!(f, "{channel} is {} late in this drill", humantime::format_duration(*by))
            }
            Self::Absent { person } => write!(f, "{person} is absent from this drill"),
        }
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.to_string()
    }
}

fn one() -> u32 {
    1
}
