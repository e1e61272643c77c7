//! What only a drill has: an end time, a set of participants, and injected faults.

use super::{
    names::{ChannelName, PersonName},
    time::Timestamp,
};
use crate::core::identity::RunId;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt, time::Duration};

/// The longest time that a drill without its own end time may last. After that the core ends it.
pub const DRILL_LIFE: Duration = Duration::from_secs(60 * 60);

/// The largest number by which a drill may divide the waits of its ladders.
pub const COMPRESS_MAX: u32 = 100;

/// How many faults one drill may inject.
pub const FAULTS_MAX: usize = 32;

/// The prefix of every description of an injected fault.
pub const INJECTED: &str = "injected: ";

/// The prefix of the closing reason of incidents whose run was stopped early.
pub const BROKEN_OFF: &str = "the drill was broken off";

/// The terms of a drill. They are frozen when its incident opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillTerms {
    /// The run that it belongs to; `None` for a drill that a person or a monitor started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// The core ends it after this time, no matter who has answered by then.
    pub until: Timestamp,
    /// Who takes part; nobody else is paged. Empty means everybody.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub participants: BTreeSet<PersonName>,
    /// The number by which the waits of its ladders were divided.
    #[serde(default = "one")]
    pub compress: u32,
    /// The faults to inject. They affect only pages of this incident.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<InjectedFault>,
}

/// A fault that a drill injects, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InjectedFault {
    /// The fault.
    #[serde(flatten)]
    pub what: FaultKind,
    /// When it begins.
    pub from: Timestamp,
    /// When it ends (exclusive); `None` means that it lasts to the end of the drill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// A fault that a drill can inject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "fault")]
pub enum FaultKind {
    /// The channel accepts nothing.
    Down {
        /// The channel.
        channel: ChannelName,
    },
    /// The channel refuses everybody immediately, as with a revoked token.
    Broken {
        /// The channel.
        channel: ChannelName,
    },
    /// The channel accepts a page immediately and delivers it late.
    Delayed {
        /// The channel.
        channel: ChannelName,
        /// The delay.
        #[serde(with = "super::time::duration_text")]
        by: Duration,
    },
    /// The person is absent: pages to them are accepted, and nobody reads them.
    Absent {
        /// The person.
        person: PersonName,
    },
}

impl DrillTerms {
    /// Terms with an end time and nothing else.
    pub fn until(until: Timestamp) -> Self {
        Self { run: None, until, participants: BTreeSet::new(), compress: 1, faults: Vec::new() }
    }

    /// Whether this person may be paged.
    pub fn includes(&self, person: &PersonName) -> bool {
        self.participants.is_empty() || self.participants.contains(person)
    }

    /// The fault for a page to this person (`None` for a room) by this channel at `now`. An absent person takes
    /// precedence over a channel that is down: the person would not notice the difference.
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
    /// Whether a page with this fault is refused, so that nothing is sent, now or later.
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
