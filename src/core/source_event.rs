//! Events in the chain of a source, and in Stentor's own chain.

use super::{
    actor::Actor,
    alert::Alert,
    identity::RunId,
    incident::IncidentId,
    key::IncidentKey,
    names::{ChannelName, PersonName, TriggerName},
    run::RunState,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Events in a source's own chain: every alert that did not open an incident, and what happened to it. In Stentor's own
/// chain: what it has learned about the people of the matrix, and what happened to the daemon itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum SourceEvent {
    /// No trigger matched it.
    Unmatched {
        /// The alert.
        alert: Arc<Alert>,
    },
    /// A trigger counted it; the threshold is not reached yet.
    Held {
        /// The trigger.
        trigger: TriggerName,
        /// The key.
        key: IncidentKey,
        /// How many alerts have counted.
        count: usize,
        /// The alert.
        alert: Arc<Alert>,
    },
    /// An all-clear for which no incident was open.
    NothingOpen {
        /// The alert.
        alert: Arc<Alert>,
    },
    /// An alert of an episode whose incident is already over: the monitor repeats something that began before the end.
    Over {
        /// The trigger.
        trigger: TriggerName,
        /// The key.
        key: IncidentKey,
        /// When its incident was resolved.
        ended_at: Timestamp,
        /// The alert.
        alert: Arc<Alert>,
    },
    /// A drill alert that would have opened an incident while a live one was open: nobody was paged.
    DrillRefused {
        /// The trigger.
        trigger: TriggerName,
        /// The live incident.
        live: IncidentId,
        /// The alert.
        alert: Arc<Alert>,
    },
    /// A person has told a channel's provider to stop: their pages use other channels.
    OptedOut {
        /// The channel.
        channel: ChannelName,
        /// The person.
        person: PersonName,
        /// How it was detected.
        how: String,
        /// A mark of their phone number that does not reveal it.
        number: String,
    },
    /// The person has told the provider to resume.
    OptedIn {
        /// The channel.
        channel: ChannelName,
        /// The person.
        person: PersonName,
        /// How it was detected.
        how: String,
    },
    /// A trigger's condition could not be evaluated.
    ConditionFailed {
        /// The trigger.
        trigger: TriggerName,
        /// The reason.
        why: String,
        /// The alert.
        alert: Arc<Alert>,
    },
    /// A row in the store cannot be read any more. It is set aside, and does not stop other work.
    Quarantined {
        /// The row's name on the command line.
        row: String,
        /// What is wrong with it.
        why: String,
    },
    /// A person has looked at a row that was set aside. The row stays as it was.
    QuarantineCleared {
        /// The row.
        row: String,
        /// The person.
        by: Actor,
    },
    /// A row that was set aside can be read again and is used again.
    QuarantineRestored {
        /// The row.
        row: String,
    },
}
