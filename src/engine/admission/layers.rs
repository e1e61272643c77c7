//! The layers between a condition that holds and an incident: what they hold, and what they let through.

use crate::{
    core::{
        Alert, AlertStatus, EscalationPlan, IncidentKey, SourceEvent, TriggerName,
        judgement::{self, JudgementLayer, JudgementLayers, LayerHold, LayerVerdict, PendingAlert, pass},
        tier::TierDecision,
    },
    engine::admission::{admission_result::AdmissionResult, admit::AlertAdmission, judge::MatchedAlert},
    matrix::TriggerMatch,
    store::Transaction,
};
use humantime::format_duration;
use std::sync::Arc;

impl AlertAdmission<'_, '_> {
    /// What the layers of a trigger say to an alert for which its condition holds.
    pub(super) fn pass(&mut self, judged: &MatchedAlert, judgement: &TriggerMatch) -> LayerVerdict {
        let TriggerMatch::Holds { trigger, summary, threshold, window, layers, .. } = judgement else {
            return LayerVerdict::Opens { flaps: None };
        };
        let (alert, silenced) = (&judged.alert, judged.silenced(trigger));
        let waiting = self.waiting(alert, summary);
        pass::holds(self.tx, window, *threshold, layers.as_ref(), silenced, waiting)
    }

    /// An alert as it waits. A drill keeps its terms.
    fn waiting(&self, alert: &Arc<Alert>, summary: &str) -> PendingAlert {
        judgement::pending(alert, summary, self.received_at, alert.drill.then(|| self.terms.clone()))
    }

    /// Journals that a layer holds it.
    pub(super) fn held(
        &mut self,
        alert: &Arc<Alert>,
        trigger: &TriggerName,
        key: &IncidentKey,
        hold: LayerHold,
    ) -> AdmissionResult {
        let LayerHold { layer, count, until, silence } = hold;
        let (name, key, alert) = (trigger.clone(), key.clone(), alert.clone());
        let source = alert.source.clone();
        let event = SourceEvent::Held { trigger: name, key, count, layer: Some(layer), until, silence, alert };
        self.tx.record_alert(&source, event);
        AdmissionResult::Held { trigger: trigger.to_string(), count, layer: Some(layer), until, silence }
    }

    /// The plan of what is opened, and its summary. What goes on and off is one incident, which only a person ends.
    pub(super) fn plan(
        &self,
        trigger: &TriggerName,
        decision: Option<TierDecision>,
        (summary, flaps): (&str, Option<u32>),
    ) -> Option<(Arc<EscalationPlan>, String)> {
        let plan = self.matrix.plan_of_tier(trigger, decision)?;
        let limit = self.matrix.triggers.get(trigger).and_then(|trigger| trigger.layers.flapping);
        let Some((count, limit)) = flaps.zip(limit) else { return Some((plan, summary.to_owned())) };
        let within = format_duration(limit.within);
        let summary =
            format!("{summary} (on and off: {count} times within {within}, so an all-clear does not end this)");
        Some((Arc::new(plan.ended_by_people()), summary))
    }

    /// An all-clear: for an open incident, or for what waits for a layer.
    pub(super) fn cleared(
        &mut self,
        alert: &Arc<Alert>,
        (trigger, key): (&TriggerName, &IncidentKey),
        clears: impl FnOnce(&mut Transaction<'_>) -> Option<JudgementLayer>,
    ) -> Option<AdmissionResult> {
        let over = as_all_clear(alert);
        let joined = self.join(&over, key).or_else(|| self.counted(&over, trigger, key));
        let held = clears(self.tx);
        let joined = joined.map(|incident| AdmissionResult::Cleared { incident });
        joined.or_else(|| {
            held.map(|layer| self.held(alert, trigger, key, LayerHold { layer, count: 0, until: None, silence: None }))
        })
    }

    /// A monitor whose silence counts has spoken: that is the all-clear of its silence, and its time begins anew.
    pub(super) fn spoken(
        &mut self,
        alert: &Arc<Alert>,
        (trigger, key, summary): (&TriggerName, &IncidentKey, &str),
        window: &str,
        layers: &JudgementLayers,
    ) -> Option<AdmissionResult> {
        let limit = layers.absent?;
        let over = as_all_clear(alert);
        let joined = self.join(&over, key).or_else(|| self.counted(&over, trigger, key));
        let (waiting, now) = (self.waiting(alert, summary), self.tx.now());
        let has_room = pass::JudgementRows::may_wait(self.tx, window, false);
        let until = self.tx.judge(window, |state| {
            if has_room || state.pending().is_some() {
                state.spoke(&limit, waiting, now);
            }
            state.deadline()
        });
        let count = usize::from(until.is_some());
        let hold = LayerHold { layer: JudgementLayer::Absent, count, until, silence: None };
        Some(match joined {
            Some(incident) => AdmissionResult::Cleared { incident },
            None => self.held(alert, trigger, key, hold),
        })
    }
}

/// The same alert as the word that something is over, though its monitor did not mean it so.
fn as_all_clear(alert: &Arc<Alert>) -> Arc<Alert> {
    match alert.status {
        AlertStatus::Resolved => alert.clone(),
        AlertStatus::Firing => Arc::new(Alert { status: AlertStatus::Resolved, ..Alert::clone(alert) }),
    }
}
