//! Alerts of a run, admitted as in the daemon.

use super::{VirtualEvent, VirtualWorld};
use crate::{
    core::{
        self, Alert, AlertStatus, IncidentId, IncidentInput, IncidentKey, IncidentOpening, TriggerName,
        judgement::{
            self, JudgementState, LayerVerdict, RipeJudgement, of_row,
            pass::{self, JudgementRows},
        },
        overflow::opening_words,
        tier::TierDecision,
    },
    drill::simulator::setting::PlayedIncident,
    engine::{OPENINGS_WITHIN, openings_window, source_openings_window},
    matrix::TriggerMatch,
};
use std::sync::Arc;

impl VirtualWorld<'_> {
    pub(super) fn report(&mut self, n: usize) {
        let (_, alert, judgements) = &self.setting.reports[n];
        self.judged.now = self.now;
        for judgement in judgements.iter() {
            match judgement {
                TriggerMatch::Holds { trigger, key, summary, threshold, window, layers, tier } => {
                    let decision = self.setting.matrix.tier(trigger, tier.as_ref(), self.now);
                    if let Some(case) = self.keys.get(key).copied() {
                        self.step(case, IncidentInput::Alert(alert.clone()));
                        if let Some(decision) = decision {
                            self.step(case, IncidentInput::Raise(decision));
                        }
                        if let Some(input) = layers {
                            let now = self.now;
                            self.judged.state(window, |state| state.joined(&input.layers, &input.evidence, alert, now));
                        }
                    } else if !self.counted(alert, trigger, key) {
                        let waiting = judgement::pending(alert, summary, self.now, None);
                        let verdict = pass::holds(&mut self.judged, window, *threshold, layers.as_ref(), None, waiting);
                        match verdict {
                            LayerVerdict::Opens { flaps } => {
                                self.open_or_count(alert, (trigger, decision), key, summary, flaps)
                            }
                            LayerVerdict::Held(_) => self.look_again(window),
                        }
                    }
                }
                TriggerMatch::Speaks { trigger, key, summary, window, layers } => {
                    self.all_clear(alert, trigger, key);
                    let Some(limit) = layers.absent else { continue };
                    let waiting = judgement::pending(alert, summary, self.now, None);
                    let now = self.now;
                    self.judged.state(window, |state| state.spoke(&limit, waiting, now));
                    self.look_again(window);
                }
                TriggerMatch::Breaks { key, threshold, window, layers, goes_on, .. } => {
                    match self.keys.get(key).copied().filter(|_| *goes_on) {
                        Some(case) => self.step(case, IncidentInput::Alert(alert.clone())),
                        None => drop(pass::breaks(&mut self.judged, window, *threshold, layers.as_ref())),
                    }
                }
                TriggerMatch::Clears { trigger, key, threshold, window, layers } => {
                    self.all_clear(alert, trigger, key);
                    pass::clears(&mut self.judged, window, *threshold, layers.as_ref());
                }
                // A scenario with an alert like this is refused when it is read.
                TriggerMatch::Failed { .. } => {}
            }
        }
    }

    fn all_clear(&mut self, alert: &Arc<Alert>, trigger: &TriggerName, key: &IncidentKey) {
        let over = Arc::new(Alert { status: AlertStatus::Resolved, ..Alert::clone(alert) });
        if let Some(case) = self.keys.get(key).copied() {
            self.step(case, IncidentInput::Alert(over));
        } else {
            self.counted(&over, trigger, key);
        }
    }

    /// Looks at a row again when it is due.
    fn look_again(&mut self, row: &str) {
        if let Some(due) = self.judged.states.get(row).and_then(JudgementState::deadline) {
            self.at(due, VirtualEvent::Judged(row.to_owned()));
        }
    }

    /// Opens what has waited long enough.
    pub(super) fn judged(&mut self, row: &str) {
        let Some((trigger, key)) = of_row(row) else { return };
        let Some(layers) = self.setting.matrix.triggers.get(&trigger).map(|trigger| trigger.layers.clone()) else {
            return;
        };
        let now = self.now;
        match self.judged.state(row, |state| state.ripen(&layers, None, now)) {
            Some(RipeJudgement::Opens { pending }) if !self.keys.contains_key(&key) => {
                let flaps = self.judged.state(row, |state| state.opened(&layers, now));
                let tier = self.setting.matrix.tier_facts(&trigger, &pending.alert);
                let decision = self.setting.matrix.tier(&trigger, tier.as_ref(), now);
                self.open_or_count(&pending.alert, (&trigger, decision), &key, &pending.summary, flaps);
            }
            Some(_) => self.look_again(row),
            None => {}
        }
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

    fn open_or_count(
        &mut self,
        alert: &Arc<Alert>,
        (trigger, decision): (&TriggerName, Option<TierDecision>),
        key: &IncidentKey,
        summary: &str,
        flaps: Option<u32>,
    ) {
        let overflow = IncidentKey::of_overflow(trigger, alert.drill);
        let most = self.setting.matrix.triggers.get(trigger).map_or(u32::MAX, |trigger| trigger.openings_per_minute);
        let now = self.now;
        let own = source_openings_window(&overflow, &alert.source);
        let is_first = self.judged.window(&own, |window| window.allows(1, OPENINGS_WITHIN, now));
        let is_allowed =
            self.judged.window(&openings_window(&overflow), |window| window.allows(most, OPENINGS_WITHIN, now));
        if is_allowed || is_first {
            return self.open(alert, (trigger, decision), key, summary, flaps.is_some());
        }
        if !self.keys.contains_key(&overflow) {
            self.open(alert, (trigger, decision), &overflow, &opening_words(trigger, most), false);
        }
        if let Some(case) = self.keys.get(&overflow).copied() {
            self.step(case, IncidentInput::Overflow { key: key.clone(), alert: alert.clone() });
        }
    }

    fn open(
        &mut self,
        alert: &Arc<Alert>,
        (trigger, decision): (&TriggerName, Option<TierDecision>),
        key: &IncidentKey,
        summary: &str,
        is_flapping: bool,
    ) {
        let Some(mut plan) = self.setting.plan(trigger, decision) else { return };
        if is_flapping {
            plan = Arc::new(plan.ended_by_people());
        }
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
