//! What is journaled in the chain of a source, and in Stentor's own.

use super::{
    actor::Actor,
    alert::Alert,
    incident::IncidentId,
    key::IncidentKey,
    names::{ChannelName, PersonName, TriggerName},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What is journaled in a source's own chain: every alert that opened nothing, whatever became of it; and in Stentor's
/// own, what it has learned about the people of the matrix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum SourceEvent {
    /// No trigger wanted it.
    Unmatched {
        /// The alert.
        alert: Arc<Alert>,
    },
    /// A trigger counted it; not enough yet.
    Held {
        /// The trigger.
        trigger: TriggerName,
        /// The key.
        key: IncidentKey,
        /// How many have counted.
        count: usize,
        /// The alert.
        alert: Arc<Alert>,
    },
    /// An all-clear for which nothing was open.
    NothingOpen {
        /// The alert.
        alert: Arc<Alert>,
    },
    /// The same episode, of which the incident is over: the monitor goes on repeating what began before the end.
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
    /// A drill that would have opened an incident while a live one was open: nobody was paged.
    DrillRefused {
        /// The trigger.
        trigger: TriggerName,
        /// The live incident.
        live: IncidentId,
        /// The alert.
        alert: Arc<Alert>,
    },
    /// Somebody has told a channel's provider to stop: their pages go round it.
    OptedOut {
        /// The channel.
        channel: ChannelName,
        /// Who.
        person: PersonName,
        /// How it was seen.
        how: String,
        /// A mark of their number, which tells nothing of it.
        number: String,
    },
    /// They have told it to write again.
    OptedIn {
        /// The channel.
        channel: ChannelName,
        /// Who.
        person: PersonName,
        /// How it was seen.
        how: String,
    },
    /// A trigger's condition could not be evaluated.
    ConditionFailed {
        /// The trigger.
        trigger: TriggerName,
        /// Why.
        why: String,
        /// The alert.
        alert: Arc<Alert>,
    },
    /// A row of the store cannot be read any more: it is set aside, and stops nothing else.
    Quarantined {
        /// Which, as the command line names it.
        row: String,
        /// What is wrong with it.
        why: String,
    },
    /// Somebody has looked at a row that had been set aside. It stays as it was.
    QuarantineCleared {
        /// Which.
        row: String,
        /// Who.
        by: Actor,
    },
    /// A row that had been set aside can be read again, and goes on.
    QuarantineRestored {
        /// Which.
        row: String,
    },
}
