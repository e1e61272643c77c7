//! What must be true besides a trigger's condition before an incident is opened: layers, each of which lets an alert
//! through or holds it. Like an incident, the state of a trigger and key is pure, has its own row and its own deadline.
//!
//! The order is that of [`JudgementLayer`]. The count (`threshold`) stands between [`JudgementState::weigh`] and
//! [`JudgementState::admit`] and has a window of its own ([`super::trigger`]).

mod layers;
pub mod pass;
mod pending;
mod samples;
mod witnesses;

pub use layers::{AbsenceLimit, Corroboration, FlapLimit, JudgementLayer, JudgementLayers};
pub use pending::PendingAlert;
pub use samples::{ChangeDirection, SAMPLES_MAX, ValueChange};
pub use witnesses::WITNESSES_MAX;

use super::{
    alert::Alert, drill::DrillTerms, key::IncidentKey, names::TriggerName, silence::SilenceId, time::Timestamp,
};
use samples::ValueSeries;
use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, sync::Arc, time::Duration};
use witnesses::Witnesses;

/// How long it is remembered that an incident is open, and for a monitor that fell silent that it was expected.
const OPEN_KEPT: Duration = Duration::from_secs(31 * 24 * 3600);

/// The most openings that are counted for flapping.
pub const OPENINGS_MAX: u32 = 100;

/// The state of one trigger and key.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct JudgementState {
    #[serde(default, skip_serializing_if = "Witnesses::is_empty")]
    witnesses: Witnesses,
    #[serde(default, skip_serializing_if = "ValueSeries::is_empty")]
    series: ValueSeries,
    /// When incidents were opened, as far as flapping counts them.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    openings: VecDeque<Timestamp>,
    /// The incident that is open, where a cool-down follows its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    open: Option<OpenEpisode>,
    /// Until when nothing opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cool_until: Option<Timestamp>,
    /// The alert that waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pending: Option<PendingAlert>,
    /// When nothing in it counts any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
}

/// An incident that is open.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct OpenEpisode {
    since: Timestamp,
    /// How long nothing opens after its end.
    cooldown: Duration,
}

/// What an alert says, as far as layers look at it.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerEvidence {
    /// The value whose change counts.
    pub value: Option<f64>,
    /// Who says it, where independent witnesses count.
    pub witness: String,
}

/// What the layers say.
#[derive(Debug, Clone, PartialEq)]
pub enum LayerVerdict {
    /// An incident is opened.
    Opens {
        /// How many were opened within the time of the flap limit, this one among them, if that is as many as it says.
        flaps: Option<u32>,
    },
    /// It is held.
    Held(LayerHold),
}

/// A silence that is about an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SilencedUntil {
    /// Which.
    pub silence: SilenceId,
    /// When it ends.
    pub until: Timestamp,
}

/// Why an alert is held.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayerHold {
    /// By which layer.
    pub layer: JudgementLayer,
    /// How many count so far: witnesses, or openings.
    pub count: usize,
    /// When an incident is opened if nothing changes; `None` where time alone opens none.
    pub until: Option<Timestamp>,
    /// The silence that holds it, if one does.
    pub silence: Option<SilenceId>,
}

/// A wait that has ended by itself: what is to be opened now.
#[derive(Debug, Clone, PartialEq)]
pub enum RipeJudgement {
    /// An incident is opened for this alert.
    Opens {
        /// The alert that waited.
        pending: PendingAlert,
    },
    /// It waits for another layer.
    Waits,
}

/// The name of the row of a trigger and key, and of the window in which it counts.
pub fn row_name(trigger: &TriggerName, key: &IncidentKey) -> String {
    format!("{trigger}\u{1f}{key}")
}

/// The trigger and key of a row.
pub fn of_row(name: &str) -> Option<(TriggerName, IncidentKey)> {
    let (trigger, key) = name.split_once('\u{1f}')?;
    Some((TriggerName::from(trigger), IncidentKey::stored(key)))
}

impl JudgementState {
    /// The layers before the count: whether the value has changed enough, and enough witnesses say so.
    pub fn weigh(
        &mut self,
        layers: &JudgementLayers,
        evidence: &LayerEvidence,
        alert: &Alert,
        now: Timestamp,
    ) -> Option<LayerHold> {
        if let Some(change) = &layers.change
            && let Some(value) = evidence.value
            && !self.sample(change, value, evidence, alert, now)
        {
            return Some(LayerHold { layer: JudgementLayer::Change, count: 0, until: None, silence: None });
        }
        if let Some(corroboration) = &layers.corroborate {
            // Whoever said what waits can take it back, however long ago that was.
            let is_kept = self.waits();
            let count = self.witnesses.observe(corroboration, &evidence.witness, is_kept, now);
            self.keep(now, corroboration.within);
            if count < corroboration.count as usize {
                return Some(LayerHold { layer: JudgementLayer::Corroborate, count, until: None, silence: None });
            }
        }
        None
    }

    /// The layers behind the count: whether it has held for long enough, and whether the last incident is long enough ago.
    /// Without `wait` there is no room for what would wait, and an incident is opened rather than an alert lost.
    pub fn admit(
        &mut self,
        layers: &JudgementLayers,
        silenced: Option<SilencedUntil>,
        wait: Option<PendingAlert>,
        now: Timestamp,
    ) -> LayerVerdict {
        let silenced = silenced.filter(|silenced| now < silenced.until);
        if let Some(before) = self.pending.take_if(|pending| pending.layer != JudgementLayer::Absent) {
            return self.take_in(layers, before, (silenced, wait), now);
        }
        let delay = layers.delay.map(|delay| (JudgementLayer::Delay, now + delay, None));
        match delay.or_else(|| self.rests(silenced, now)).zip(wait) {
            Some(((layer, due, silence), new)) => {
                let is_silenced = silenced.is_some();
                self.wait(PendingAlert { layer, due, silence, is_silenced, ..new })
            }
            None => LayerVerdict::Opens { flaps: self.opened(layers, now) },
        }
    }

    /// What waits already has the newest facts and goes on waiting, unless there is nothing to wait for any more. An alert
    /// that a silence is about takes the place of none that it is not about.
    fn take_in(
        &mut self,
        layers: &JudgementLayers,
        mut pending: PendingAlert,
        (silenced, new): (Option<SilencedUntil>, Option<PendingAlert>),
        now: Timestamp,
    ) -> LayerVerdict {
        if let Some(new) = new.filter(|_| silenced.is_none() || pending.is_silenced) {
            pending =
                PendingAlert { alert: new.alert, summary: new.summary, is_silenced: silenced.is_some(), ..pending };
        }
        if pending.layer == JudgementLayer::Delay && now < pending.due {
            return self.wait(pending);
        }
        match self.rests(silenced.filter(|_| pending.is_silenced), now) {
            Some((layer, due, silence)) => {
                self.wait(PendingAlert { layer, due, silence, look_again: false, ..pending })
            }
            None => LayerVerdict::Opens { flaps: self.opened(layers, now) },
        }
    }

    /// What is open takes in the alerts that follow: nothing waits, and the value and its witnesses go on being known.
    pub fn joined(&mut self, layers: &JudgementLayers, evidence: &LayerEvidence, alert: &Alert, now: Timestamp) {
        if let Some((change, value)) = layers.change.as_ref().zip(evidence.value) {
            self.sample(change, value, evidence, alert, now);
        }
        self.pending = None;
    }

    /// The condition does not hold any more, as this witness says: what waited for it waits no longer, unless enough others
    /// still say so, or this one never did. Returns which layer had held something back.
    pub fn broken(&mut self, layers: &JudgementLayers, witness: &str) -> Option<JudgementLayer> {
        let was_known = self.witnesses.remove(witness);
        if let Some(corroboration) = layers.corroborate
            && self.waits()
            && (!was_known || corroboration.count as usize <= self.witnesses.len())
        {
            return None;
        }
        match self.pending.take_if(|pending| pending.layer != JudgementLayer::Absent) {
            Some(pending) => Some(pending.layer),
            None => was_known.then_some(JudgementLayer::Corroborate),
        }
    }

    /// The monitor says that it is over: nothing waits, nobody is a witness of it any more, and nothing is expected of a
    /// monitor that takes its leave. Returns which layer had held something back.
    pub fn cleared(&mut self) -> Option<JudgementLayer> {
        let had_witnesses = !self.witnesses.is_empty();
        self.witnesses = Witnesses::default();
        let pending = self.pending.take().map(|pending| pending.layer);
        pending.or(had_witnesses.then_some(JudgementLayer::Corroborate))
    }

    /// A monitor that must go on speaking has spoken. An alert that has waited since the trigger was another one waits on.
    pub fn spoke(&mut self, limit: &AbsenceLimit, wait: PendingAlert, now: Timestamp) {
        if self.waits() {
            return;
        }
        let due = now + limit.every + limit.grace;
        self.pending = Some(PendingAlert { layer: JudgementLayer::Absent, due, silence: None, ..wait });
    }

    /// Puts off the time at which it counts as absent: nobody was there to hear it.
    pub fn not_heard(&mut self, until: Timestamp) {
        if let Some(pending) = self.pending.as_mut().filter(|pending| pending.layer == JudgementLayer::Absent) {
            pending.due = pending.due.max(until);
        }
    }

    /// Takes what has waited long enough at `now`; `None` if nothing has. If an incident is opened, that is told by
    /// [`Self::opened`].
    pub fn ripen(
        &mut self,
        layers: &JudgementLayers,
        silenced: Option<SilencedUntil>,
        now: Timestamp,
    ) -> Option<RipeJudgement> {
        let pending = self.pending.take_if(|pending| pending.deadline() <= now)?;
        if pending.layer == JudgementLayer::Delay && now < pending.due && layers.delay.is_some() {
            self.pending = Some(PendingAlert { look_again: false, ..pending });
            return Some(RipeJudgement::Waits);
        }
        let silenced = silenced.filter(|silenced| now < silenced.until);
        if let Some((layer, due, silence)) = self.rests(silenced, now) {
            let is_silenced = silenced.is_some();
            self.pending = Some(PendingAlert { layer, due, silence, is_silenced, look_again: false, ..pending });
            return Some(RipeJudgement::Waits);
        }
        Some(RipeJudgement::Opens { pending })
    }

    /// Makes what waits due at once: what holds it may have changed.
    pub fn look_again(&mut self) {
        if let Some(pending) = &mut self.pending {
            pending.look_again = true;
        }
    }

    /// The incident of this key has ended.
    pub fn ended(&mut self, at: Timestamp) {
        if let Some(open) = self.open.take() {
            self.cool_until = Some(at + open.cooldown);
            self.keep(at, open.cooldown);
        }
    }

    /// When something is to be done though no alert comes.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.pending.as_ref().map(PendingAlert::deadline)
    }

    /// Whether an alert waits. That a monitor is expected to speak is no alert.
    pub fn waits(&self) -> bool {
        self.pending.as_ref().is_some_and(|pending| pending.layer != JudgementLayer::Absent)
    }

    /// What waits.
    pub fn pending(&self) -> Option<&PendingAlert> {
        self.pending.as_ref()
    }

    /// When nothing in it counts any more; `None` if nothing does. What waits is never over by itself.
    pub fn ends_at(&self) -> Option<Timestamp> {
        let open_until = self.open.map(|open| open.since + OPEN_KEPT);
        if self.pending.is_some() { Some(Timestamp::MAX) } else { self.until.max(open_until) }
    }

    fn sample(
        &mut self,
        change: &ValueChange,
        value: f64,
        evidence: &LayerEvidence,
        alert: &Alert,
        now: Timestamp,
    ) -> bool {
        self.keep(now, change.within);
        self.series.observe(change, (&evidence.witness, value), alert.starts_at, now)
    }

    fn keep(&mut self, now: Timestamp, span: Duration) {
        self.until = self.until.max(Some(now + span));
    }

    /// Why nothing opens now though it holds: the last incident ended lately, or a silence is about it.
    fn rests(
        &self,
        silenced: Option<SilencedUntil>,
        now: Timestamp,
    ) -> Option<(JudgementLayer, Timestamp, Option<SilenceId>)> {
        let cooling = self.cool_until.filter(|until| now < *until);
        let cooling = cooling.map(|until| (JudgementLayer::Cooldown, until, None));
        cooling.or(silenced.map(|silenced| (JudgementLayer::Silence, silenced.until, Some(silenced.silence))))
    }

    fn wait(&mut self, pending: PendingAlert) -> LayerVerdict {
        let hold = LayerHold { layer: pending.layer, count: 1, until: Some(pending.due), silence: pending.silence };
        self.pending = Some(pending);
        LayerVerdict::Held(hold)
    }

    /// An incident is opened: nothing waits, and what follows its end begins. Returns how many were opened within the time
    /// of the flap limit, this one among them, if that is as many as it says.
    pub fn opened(&mut self, layers: &JudgementLayers, now: Timestamp) -> Option<u32> {
        self.pending = None;
        self.witnesses = Witnesses::default();
        self.cool_until = None;
        self.open = layers.cooldown.map(|cooldown| OpenEpisode { since: now, cooldown });
        layers.flapping.as_ref().and_then(|limit| {
            self.openings.retain(|at| now < *at + limit.within);
            self.openings.push_back(now);
            while (OPENINGS_MAX as usize) < self.openings.len() {
                self.openings.pop_front();
            }
            self.keep(now, limit.within);
            u32::try_from(self.openings.len()).ok().filter(|count| limit.openings <= *count)
        })
    }
}

/// What waits, as it is made when an alert is held.
pub fn pending(alert: &Arc<Alert>, summary: &str, received_at: Timestamp, terms: Option<DrillTerms>) -> PendingAlert {
    PendingAlert {
        layer: JudgementLayer::Delay,
        silence: None,
        look_again: false,
        is_silenced: false,
        due: received_at,
        received_at,
        summary: summary.to_owned(),
        alert: alert.clone(),
        terms,
    }
}
