//! Alerts of a run, admitted as in the daemon.

use super::VirtualWorld;
use crate::{
    core::{
        self, Alert, IncidentId, IncidentInput, IncidentKey, IncidentOpening, TriggerName, overflow::opening_words,
        trigger::TriggerThreshold,
    },
    drill::simulator::setting::PlayedIncident,
    engine::{OPENINGS_WITHIN, openings_window, source_openings_window},
    matrix::TriggerMatch,
};
use std::sync::Arc;

impl VirtualWorld<'_> {
    pub(super) fn report(&mut self, n: usize) {
        let (_, alert, judgements) = &self.setting.reports[n];
        for judgement in judgements.iter() {
            match judgement {
                TriggerMatch::Holds { trigger, key, summary, threshold, window } => {
                    if let Some(case) = self.keys.get(key).copied() {
                        self.step(case, IncidentInput::Alert(alert.clone()));
                    } else if !self.counted(alert, trigger, key)
                        && threshold.is_none_or(|threshold| self.holds(window, threshold))
                    {
                        self.open_or_count(alert, trigger, key, summary);
                    }
                }
                TriggerMatch::Breaks { threshold, window, .. } => {
                    self.windows.entry(window.to_owned()).or_default().restart(*threshold, self.now);
                }
                TriggerMatch::Clears { trigger, key } => {
                    if let Some(case) = self.keys.get(key).copied() {
                        self.step(case, IncidentInput::Alert(alert.clone()));
                    } else {
                        self.counted(alert, trigger, key);
                    }
                }
                // A scenario with an alert like this is refused when it is read.
                TriggerMatch::Failed { .. } => {}
            }
        }
    }

    fn holds(&mut self, window: &str, threshold: TriggerThreshold) -> bool {
        self.windows.entry(window.to_owned()).or_default().observe(threshold, self.now)
    }

    /// Steps the trigger's overflow incident, if it counts this key.
    fn counted(&mut self, alert: &Arc<Alert>, trigger: &TriggerName, key: &IncidentKey) -> bool {
        let overflow = self.keys.get(&IncidentKey::of_overflow(trigger, alert.drill)).copied();
        let case = overflow.filter(|case| self.cases.get(*case).is_some_and(|case| case.incident.counts(key)));
        if let Some(case) = case {
            self.step(case, IncidentInput::Overflow { key: key.clone(), alert: alert.clone() });
        }
        case.is_some()
    }

    fn open_or_count(&mut self, alert: &Arc<Alert>, trigger: &TriggerName, key: &IncidentKey, summary: &str) {
        let overflow = IncidentKey::of_overflow(trigger, alert.drill);
        let most = self.setting.matrix.triggers.get(trigger).map_or(u32::MAX, |trigger| trigger.openings_per_minute);
        let own = self.windows.entry(source_openings_window(&overflow, &alert.source)).or_default();
        let is_first = own.allows(1, OPENINGS_WITHIN, self.now);
        let window = self.windows.entry(openings_window(&overflow)).or_default();
        if window.allows(most, OPENINGS_WITHIN, self.now) || is_first {
            return self.open(alert, trigger.as_str(), key, summary);
        }
        if !self.keys.contains_key(&overflow) {
            self.open(alert, trigger.as_str(), &overflow, &opening_words(trigger, most));
        }
        if let Some(case) = self.keys.get(&overflow).copied() {
            self.step(case, IncidentInput::Overflow { key: key.clone(), alert: alert.clone() });
        }
    }

    fn open(&mut self, alert: &Arc<Alert>, trigger: &str, key: &IncidentKey, summary: &str) {
        let Some(plan) = self.setting.plans.get(trigger).cloned() else { return };
        let n = self.cases.len();
        let id = IncidentId(i64::try_from(n + 1).unwrap_or(i64::MAX));
        let (key, summary, alert) = (key.clone(), summary.to_owned(), alert.clone());
        let opening = IncidentOpening {
            key: key.clone(),
            summary,
            plan,
            alert,
            received_at: self.now,
            terms: None,
            ask: None,
            nonce: None,
        };
        let (incident, events) = core::open(id, opening, &self.setting.matrix.roster, self.now);
        self.cases.push(PlayedIncident { incident, events: Vec::new() });
        self.ticks.push(None);
        self.keys.insert(key, n);
        self.on_commit(n, events);
    }
}
