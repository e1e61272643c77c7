//! The limit on what one trigger opens. A trigger opens so many incidents within a minute; alerts with further keys are
//! counted in one incident, which pages by the same ladder. The limit is each trigger's own: the flood of one never
//! refuses an incident to another, and a source's first alert in a minute opens its own.

use super::{admission_result::AdmissionResult, admit::AlertAdmission, judge::MatchedAlert};
use crate::{
    core::{
        Alert, EscalationPlan, IncidentId, IncidentInput, IncidentKey, TriggerName, overflow::opening_words,
        request_facts::ask_of_alert,
    },
    engine::admission::opening_window::{OPENINGS_WITHIN, openings_window, source_openings_window},
};
use std::sync::Arc;

impl AlertAdmission<'_, '_> {
    /// Steps the open overflow incident of a trigger, if it counts this key.
    pub(super) fn counted(
        &mut self,
        alert: &Arc<Alert>,
        trigger: &TriggerName,
        key: &IncidentKey,
    ) -> Option<IncidentId> {
        let incident = self.tx.open_with_key(&IncidentKey::of_overflow(trigger, alert.drill))?;
        self.tx.incident(incident).filter(|incident| incident.counts(key))?;
        self.step_overflow(incident, alert, key).then_some(incident)
    }

    /// Opens an incident, or counts it where the trigger has opened as many as it may.
    pub(super) fn open_or_count(
        &mut self,
        judged: &MatchedAlert,
        plan: Arc<EscalationPlan>,
        key: &IncidentKey,
        summary: &str,
    ) -> AdmissionResult {
        let alert = &judged.alert;
        let trigger = plan.trigger.clone();
        let overflow = IncidentKey::of_overflow(&trigger, alert.drill);
        let most = self.matrix.triggers.get(&trigger).map_or(u32::MAX, |trigger| trigger.openings_per_minute);
        let is_first = self.tx.allows(&source_openings_window(&overflow, &alert.source), 1, OPENINGS_WITHIN);
        let offer = judged.offer(&trigger);
        // What is opened for a source's first alert counts, too. A user waits behind each conversation: it is never one of
        // many, and its source has a limit of its own.
        if self.tx.allows(&openings_window(&overflow), most, OPENINGS_WITHIN) || is_first || offer.is_some() {
            let ask = plan.ask.as_ref().and_then(|rules| match offer {
                Some(offer) => Some(offer.ask(rules, alert, self.received_at)),
                None => ask_of_alert(rules, alert, summary, self.received_at),
            });
            let nonce = offer.map(|offer| offer.nonce);
            let incident = self.open_asking(alert, plan, key.clone(), summary.to_owned(), ask.map(Box::new), nonce);
            offer.into_iter().for_each(|offer| offer.keep(self.tx, incident));
            return AdmissionResult::Opened { incident };
        }
        if let Some(incident) = self.tx.open_with_key(&overflow)
            && self.step_overflow(incident, alert, key)
        {
            return AdmissionResult::Overflowed { incident };
        }
        let incident = self.open(alert, plan, overflow, opening_words(&trigger, most));
        self.step_overflow(incident, alert, key);
        AdmissionResult::Overflowed { incident }
    }

    /// Whether it was taken: a drill that is past its end takes no more alerts.
    fn step_overflow(&mut self, incident: IncidentId, alert: &Arc<Alert>, key: &IncidentKey) -> bool {
        if self.has_ended(incident) {
            return false;
        }
        let input = IncidentInput::Overflow { key: key.clone(), alert: alert.clone() };
        self.tx.step(incident, input, &self.matrix.roster);
        true
    }
}
