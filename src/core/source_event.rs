//! Events in the chain of a source, and in Stentor's own chain.

use super::{
    actor::Actor,
    alert::Alert,
    answer_via::AnswerVia,
    identity::RunId,
    incident::IncidentId,
    judgement::JudgementLayer,
    key::IncidentKey,
    names::{ChannelName, PersonName, TriggerName},
    result_count::{CountedAlerts, KIND_MAX, ResultName},
    run::RunState,
    silence::{Silence, SilenceId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusedInput {
    /// A code that no page of this person has.
    WrongCode,
    /// It came from a number or an account that the matrix does not know.
    UnknownSender,
}

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
    /// A layer of a trigger holds it.
    Held {
        /// The trigger.
        trigger: TriggerName,
        /// The key.
        key: IncidentKey,
        /// How many alerts, or witnesses, have counted; 0 if this one starts the count anew, or ends a wait.
        count: usize,
        /// The layer; in lines of earlier versions it is the count.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        layer: Option<JudgementLayer>,
        /// When an incident is opened unless something comes in between.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
        /// The silence that holds it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        silence: Option<SilenceId>,
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
    /// Alerts of the source that opened nothing and were counted as they came, since the last such event.
    Counted(CountedAlerts),
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
    /// A code was handed out by which a person can link their account at a channel.
    LinkOffered {
        /// The channel.
        channel: ChannelName,
        /// The person.
        person: PersonName,
        /// The hash of the code.
        code: String,
        /// Until when it can be used.
        until: Timestamp,
        /// Who asked for it.
        by: Actor,
    },
    /// A person linked their account at a channel.
    Linked {
        /// The channel.
        channel: ChannelName,
        /// The person.
        person: PersonName,
        /// The hash of the code by which they did.
        code: String,
        /// The account, sealed under the server key.
        account: String,
    },
    /// The account that a person linked is used no more, nor a code that was handed out to them.
    Unlinked {
        /// The channel.
        channel: ChannelName,
        /// The person.
        person: PersonName,
        /// Who ended it.
        by: Actor,
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
    /// A daemon opened the store.
    Started {
        /// The version of the program.
        version: String,
        /// The content hash of the matrix and its templates.
        matrix: String,
        /// How far the wall clock was ahead of the store's time, in microseconds.
        clock_ahead_us: i64,
        /// Rows of the store that were not as the journal says, and were mended; the first of them, and how many more.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        mended: Vec<String>,
    },
    /// The daemon stopped in order.
    Stopped {},
    /// Another matrix, or other templates, were taken into use.
    Reloaded {
        /// The content hash of the matrix and its templates.
        matrix: String,
    },
    /// The wall clock was set while the daemon ran.
    ClockStepped {
        /// By how much, in microseconds; less than 0 for backwards.
        by_us: i64,
        /// How far it is ahead of the store's time now, in microseconds.
        ahead_us: i64,
    },
    /// A link to a person's desk page was handed out.
    DeskLinkIssued {
        /// The person.
        person: PersonName,
        /// Who asked for it.
        by: Actor,
        /// When it ends.
        until: Timestamp,
    },
    /// Every session and desk link of a person that was made so far was ended.
    DesksSignedOut {
        /// The person.
        person: PersonName,
        /// Who ended them.
        by: Actor,
    },
    /// A desk showed a text to its person, for the first time since the daemon started.
    DeskShowed {
        /// The person.
        person: PersonName,
        /// The incident.
        incident: IncidentId,
        /// The page about which it is.
        page: u32,
        /// The hash of the text.
        text: String,
        /// Whether no more of this incident are kept for this person, however many there are.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        last: bool,
    },
    /// The page behind a mail's link was opened and showed a text, for the first time since the daemon started. A mail
    /// scanner opens it, too.
    LinkShowed {
        /// The person to whom the mail was.
        person: PersonName,
        /// The incident.
        incident: IncidentId,
        /// The page whose link it is.
        page: u32,
        /// The hash of the text.
        text: String,
        /// Whether no more of this incident are kept for this person, however many there are.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        last: bool,
    },
    /// A person said something, and was told something.
    Exchanged {
        /// The person.
        person: PersonName,
        /// The way by which they said it.
        via: AnswerVia,
        /// The hash of what they said: a text, or the key or button that they pressed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        said: Option<String>,
        /// The hash of what they were told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        told: Option<String>,
        /// How many exchanges before this one were not kept, because there were too many in a short time.
        #[serde(default)]
        left_out: u32,
    },
    /// What came in was refused.
    Refused {
        /// What it was.
        what: RefusedInput,
        /// The way by which it came.
        via: AnswerVia,
        /// A mark of its sender that does not reveal them; `others` where there were too many senders.
        sender: String,
        /// How often since then.
        count: u32,
        /// When the first of them came.
        since: Timestamp,
    },
    /// A credential of a program was refused: a wrong token, or one that does not allow what was asked for. The first of
    /// a kind within an hour, and then how many there were.
    CredentialRefused {
        /// What it was used for: a scope of a source, or `hooks` for the address of a channel.
        asked: String,
        /// The source or channel of the matrix that it was about, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        owner: Option<String>,
        /// The address that the connection came from; `others` where there were too many.
        address: String,
        /// How often since then.
        count: u64,
        /// When the first of them came.
        since: Timestamp,
    },
    /// A silence was made, or changed.
    SilenceKept {
        /// The silence as it is now.
        silence: Silence,
        /// Who made or changed it.
        by: Actor,
    },
    /// A silence was ended before its time.
    SilenceEnded {
        /// Which.
        silence: SilenceId,
        /// Who ended it.
        by: Actor,
    },
    /// A run of a drill, new or changed. Kept together with the run itself; earlier versions wrote it just before.
    DrillRunKept {
        /// The run.
        run: RunId,
        /// Its state.
        state: RunState,
        /// [`super::run::DrillRun::digest`].
        digest: String,
    },
}

impl SourceEvent {
    /// What it is counted as when it comes often; `None` for what is journaled each time.
    pub fn counted_as(&self) -> Option<ResultName> {
        let (result, trigger, alert) = match self {
            Self::Unmatched { alert } => ("unmatched", None, alert),
            Self::NothingOpen { alert } => ("nothing-open", None, alert),
            Self::Held { trigger, alert, .. } => ("held", Some(trigger), alert),
            Self::Over { trigger, alert, .. } => ("over", Some(trigger), alert),
            Self::DrillRefused { trigger, alert, .. } => ("drill-refused", Some(trigger), alert),
            Self::ConditionFailed { trigger, alert, .. } => ("condition-failed", Some(trigger), alert),
            _ => return None,
        };
        let kind = Some(&alert.kind).filter(|kind| kind.len() <= KIND_MAX).cloned();
        Some(ResultName { result: result.into(), trigger: trigger.cloned(), kind })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::result_count::RESULTS;

    #[test]
    fn the_results_that_are_counted_are_the_known_ones() {
        let alert = Arc::new(Alert::new("monitor", "disk"));
        let (trigger, key) = (TriggerName::from("crash"), IncidentKey::stored("crash/disk"));
        let counted = [
            SourceEvent::Unmatched { alert: alert.clone() },
            SourceEvent::NothingOpen { alert: alert.clone() },
            SourceEvent::Held {
                trigger: trigger.clone(),
                key: key.clone(),
                count: 1,
                layer: None,
                until: None,
                silence: None,
                alert: alert.clone(),
            },
            SourceEvent::Over { trigger: trigger.clone(), key, ended_at: Timestamp::default(), alert: alert.clone() },
            SourceEvent::DrillRefused { trigger: trigger.clone(), live: IncidentId(1), alert: alert.clone() },
            SourceEvent::ConditionFailed { trigger, why: String::new(), alert },
        ];
        assert_eq!(counted.map(|event| event.counted_as().map_or_else(String::new, |name| name.result)), RESULTS);
    }
}
