//! Admits alerts: the matrix matches them, and one transaction stores what follows. Only then may the caller be told
//! that they are safe.

use crate::{
    core::{
        Alert, AlertStatus, Ask, DrillTerms, EscalationPlan, IncidentId, IncidentInput, IncidentKey, IncidentNonce,
        IncidentOpening, RequestOutcome, SourceEvent, Timestamp, TriggerName,
        drill::DRILL_LIFE,
        judgement::{LayerHold, LayerVerdict, pass},
    },
    engine::{
        admission::{
            Admission, IncomingAlert,
            admission_result::{AdmissionResult, AdmittedAlert, AlertRequest, OPEN},
            failed::FailureKeys,
            judge::{MatchedAlert, RequestCost, Unjudged},
            live_beside,
            may_open::MayOpen,
            parts::{PART_MAX, needs, parts, unmatched_key},
        },
        runtime_config::RuntimeConfig,
    },
    matrix::{Matrix, TriggerMatch},
    store::{RequestClass, StoreError, Transaction, transact},
};
use std::sync::Arc;

impl Admission {
    /// Admits alerts of one source. When this returns, they are durable: each opened or joined an incident, was
    /// counted, or was noted. One that can not be stored is refused alone. Where the source is over its quota, alerts that
    /// open nothing are admitted, and each that would open an incident is refused.
    ///
    /// # Errors
    /// Those of the store. Of many alerts, the first may have been admitted: they join their incidents when they come
    /// again.
    pub async fn admit(
        &self,
        alerts: Vec<impl Into<IncomingAlert>>,
        received_at: Timestamp,
    ) -> Result<Vec<AdmittedAlert>, StoreError> {
        let terms = DrillTerms::until(received_at + DRILL_LIFE);
        self.admit_all(alerts, received_at, OpeningTerms { drill: &terms, has_quota: true }).await
    }

    /// Admits alerts on the terms of a drill: incidents that open as drills get these terms. Stentor's own drills are not
    /// refused for the quota of a source.
    pub async fn admit_on(
        &self,
        alerts: Vec<impl Into<IncomingAlert>>,
        received_at: Timestamp,
        terms: &DrillTerms,
    ) -> Result<Vec<AdmittedAlert>, StoreError> {
        self.admit_all(alerts, received_at, OpeningTerms { drill: terms, has_quota: false }).await
    }

    /// How many incidents the alerts of one part may open, as many as their source may now. What they open counts within
    /// their request, too.
    pub(super) fn may_open(&self, part: &[MatchedAlert]) -> MayOpen {
        let left = |drill| part.first().map_or(u32::MAX, |judged| self.quota_left(&judged.alert.source, drill));
        MayOpen { live: left(false), drill: left(true) }
    }

    async fn admit_all(
        &self,
        alerts: Vec<impl Into<IncomingAlert>>,
        received_at: Timestamp,
        terms: OpeningTerms<'_>,
    ) -> Result<Vec<AdmittedAlert>, StoreError> {
        let basis = self.basis();
        let config = &basis.config;
        let mut admitted = Vec::with_capacity(alerts.len());
        let (mut alerts, mut cost) = (alerts.into_iter(), RequestCost::default());
        loop {
            let turns = alerts.by_ref().take(PART_MAX / 2).map(Into::into).collect();
            let judged = self.judge_turns(turns, config, &mut cost).await;
            for part in parts(judged) {
                let part = self.admit_part(part, config, received_at, terms).await?;
                self.check_held(&basis, part.iter().flat_map(|admitted| &admitted.results)).await;
                admitted.extend(part);
            }
            // Only now: a store that takes nothing refuses a request without alerts too.
            if alerts.len() == 0 {
                return Ok(admitted);
            }
        }
    }

    async fn admit_part(
        &self,
        judged: Vec<MatchedAlert>,
        config: &Arc<RuntimeConfig>,
        received_at: Timestamp,
        OpeningTerms { drill, has_quota }: OpeningTerms<'_>,
    ) -> Result<Vec<AdmittedAlert>, StoreError> {
        let (config, terms) = (config.clone(), drill.clone());
        let may_open = if has_quota { self.may_open(&judged) } else { MayOpen::any() };
        let needs = needs(&judged, &config.matrix);
        self.open_overdue(&needs.judged).await?;
        let alerts: Vec<Arc<Alert>> = judged.iter().map(|judged| judged.alert.clone()).collect();
        let run = move |tx: &mut Transaction<'_>| {
            let mut admission = AlertAdmission { tx, matrix: &config.matrix, received_at, terms: &terms, may_open };
            judged.iter().map(|judged| admission.admit(judged)).collect::<Vec<_>>()
        };
        let (admitted, _) = transact(&*self.context.store, RequestClass::Admission, needs, run).await?;
        self.count(&alerts, &admitted);
        Ok(admitted)
    }

    /// Counts what became of alerts of one source.
    pub(super) fn count(&self, alerts: &[Arc<Alert>], admitted: &[AdmittedAlert]) {
        alerts.iter().zip(admitted).for_each(|(alert, admitted)| self.tally(alert, admitted));
        self.count_openings(alerts, admitted);
    }

    /// All alerts of a part are of one source.
    fn count_openings(&self, alerts: &[Arc<Alert>], admitted: &[AdmittedAlert]) {
        let Some(source) = alerts.first().map(|alert| &alert.source) else { return };
        let Some(quota) = self.quota(source) else { return };
        let now = self.context.store.now();
        for drill in [false, true] {
            let own = || alerts.iter().zip(admitted).filter(|(alert, _)| alert.drill == drill).map(|(_, own)| own);
            let results = own().flat_map(|admitted| &admitted.results);
            let openings = results.filter(|result| matches!(result, AdmissionResult::Opened { .. })).count();
            self.context.openings.count((source, drill), openings, quota, now);
            let refused = own().filter(|admitted| admitted.is_over_quota()).count();
            if let Some(refused) = self.context.openings.refuse((source, drill), refused, now) {
                tracing::warn!(%source, drill, quota, refused, "a source opens more incidents than its openings_per_minute: alerts that would open more are refused");
            }
        }
    }

    fn tally(&self, alert: &Alert, admitted: &AdmittedAlert) {
        for result in &admitted.results {
            self.count_result(alert, result);
        }
        let led_nowhere = admitted.results == [AdmissionResult::Unmatched];
        if let Some(news) = self.context.alerts.came(alert, led_nowhere, self.context.store.now()) {
            tracing::warn!(source = %alert.source, "{news}");
        }
    }
}

/// On what terms alerts may open incidents.
#[derive(Clone, Copy)]
struct OpeningTerms<'t> {
    /// The terms of incidents that open as drills.
    drill: &'t DrillTerms,
    /// Whether the quota of the source counts.
    has_quota: bool,
}

/// Applies matched alerts in one transaction.
pub(super) struct AlertAdmission<'a, 'u> {
    pub(super) tx: &'a mut Transaction<'u>,
    pub(super) matrix: &'a Matrix,
    pub(super) received_at: Timestamp,
    pub(super) terms: &'a DrillTerms,
    pub(super) may_open: MayOpen,
}

impl AlertAdmission<'_, '_> {
    pub(super) fn admit(&mut self, judged: &MatchedAlert) -> AdmittedAlert {
        let alert = &judged.alert;
        let judgements = match &judged.said {
            Ok(judgements) => judgements,
            Err(Unjudged::Flaw(why)) => return AdmittedAlert::refused_for(why),
            Err(Unjudged::OverCost) => {
                return AdmittedAlert { results: vec![AdmissionResult::OverCost], request: None };
            }
        };
        let mut results = Vec::new();
        for judgement in judgements {
            let Some(result) = self.result(judged, judgement) else { continue };
            if matches!(result, AdmissionResult::Opened { .. }) {
                self.may_open.take(alert);
            }
            results.push(result);
        }
        if results.is_empty() {
            let event = match alert.status {
                AlertStatus::Firing => SourceEvent::Unmatched { alert: alert.clone() },
                AlertStatus::Resolved => SourceEvent::NothingOpen { alert: alert.clone() },
            };
            self.tx.record_alert(&alert.source, event);
            let key = unmatched_key(alert, judgements, self.matrix);
            let paged = key.and_then(|key| self.page_unmatched(alert, key));
            results.push(paged.unwrap_or(AdmissionResult::Unmatched));
        }
        let request = AlertRequest::to_follow(results.iter().filter_map(|result| self.request(alert, result)));
        AdmittedAlert { results, request }
    }

    /// The request that this result opened or joined, if it is the alert's own source that asks.
    fn request(&self, alert: &Alert, result: &AdmissionResult) -> Option<AlertRequest> {
        let (AdmissionResult::Opened { incident } | AdmissionResult::Joined { incident }) = result else { return None };
        let incident = self.tx.incident(*incident).filter(|incident| *incident.asker() == alert.source)?;
        let outcome = incident.request.as_ref()?.outcome();
        let state = outcome.map_or(OPEN, RequestOutcome::state).to_owned();
        Some(AlertRequest { id: incident.request_id()?, state })
    }

    fn result(&mut self, judged: &MatchedAlert, judgement: &TriggerMatch) -> Option<AdmissionResult> {
        let alert = &judged.alert;
        match judgement {
            TriggerMatch::Holds { trigger, key, summary, window, layers, tier, .. } => {
                let joined = self.join(alert, key).or_else(|| self.counted(alert, trigger, key));
                let decision = self.matrix.tier(trigger, tier.as_ref(), self.tx.civil());
                if let Some((incident, decision)) = joined.zip(decision.clone()) {
                    self.tx.step(incident, IncidentInput::Raise(decision), &self.matrix.roster);
                }
                if let Some(input) = layers.as_ref().filter(|_| joined.is_some()) {
                    let now = self.tx.now();
                    self.tx.judge(window, |state| state.joined(&input.layers, &input.evidence, alert, now));
                }
                let joined = joined.map(|incident| AdmissionResult::Joined { incident });
                // Each turn of a conversation is news, whatever ended the one before.
                let is_turn = judged.offer(trigger).is_some();
                let known = joined.or_else(|| if is_turn { None } else { self.over(alert, trigger, key) });
                known.or_else(|| {
                    let live = live_beside(self.tx, alert.drill);
                    let is_refused = live.is_some() || !self.may_open.allows(alert);
                    let before = is_refused.then(|| self.tx.judged_row(window));
                    let flaps = match self.pass(judged, judgement) {
                        LayerVerdict::Opens { flaps } => flaps,
                        LayerVerdict::Held(hold) => return Some(self.held(alert, trigger, key, hold)),
                    };
                    if let Some(before) = before {
                        // It comes again, and must find what has counted before it.
                        self.tx.put_back(window, before);
                        return Some(match live {
                            Some(live) => self.refused(alert, trigger, live),
                            None => AdmissionResult::over_quota(trigger),
                        });
                    }
                    let (plan, summary) = self.plan(trigger, decision, (summary, flaps))?;
                    Some(self.open_or_count(judged, plan, key, &summary))
                })
            }
            TriggerMatch::Speaks { trigger, key, summary, window, layers } => {
                self.spoken(alert, (trigger, key, summary), window, layers)
            }
            TriggerMatch::Breaks { trigger, key, threshold, window, layers, goes_on } => {
                let joined = if *goes_on { self.join(alert, key) } else { None };
                if let Some(incident) = joined {
                    return Some(AdmissionResult::Joined { incident });
                }
                let layer = pass::breaks(self.tx, window, *threshold, layers.as_ref())?;
                Some(self.held(alert, trigger, key, LayerHold { layer, count: 0, until: None, silence: None }))
            }
            TriggerMatch::Clears { trigger, key, threshold, window, layers } => {
                self.cleared(alert, (trigger, key), |tx| pass::clears(tx, window, *threshold, layers.as_ref()))
            }
            TriggerMatch::Failed { trigger, why, entity } => Some(self.failed(alert, trigger, why, entity.as_deref())),
        }
    }

    /// Pages the catch-all because no trigger takes alerts like this one.
    fn page_unmatched(&mut self, alert: &Arc<Alert>, key: IncidentKey) -> Option<AdmissionResult> {
        if let Some(incident) = self.join(alert, &key) {
            return Some(AdmissionResult::Joined { incident });
        }
        let plan = self.matrix.unmatched_plan()?;
        let trigger = plan.trigger.clone();
        if let Some(over) = self.over(alert, &trigger, &key) {
            return Some(over);
        }
        if let Some(live) = live_beside(self.tx, alert.drill) {
            return Some(self.refused(alert, &trigger, live));
        }
        if !self.may_open.allows(alert) {
            return Some(AdmissionResult::over_quota(&trigger));
        }
        let summary = format!("no trigger takes {} alerts of {}: {}", alert.kind, alert.source, alert.headline());
        self.may_open.take(alert);
        Some(AdmissionResult::Opened { incident: self.open(alert, plan, key, summary) })
    }

    pub(super) fn join(&mut self, alert: &Arc<Alert>, key: &IncidentKey) -> Option<IncidentId> {
        let incident = self.tx.open_with_key(key)?;
        if self.has_ended(incident) {
            return None;
        }
        self.tx.step(incident, IncidentInput::Alert(alert.clone()), &self.matrix.roster);
        Some(incident)
    }

    /// Whether it is past its end, as a drill or as a request: it takes no more alerts, and the next one opens another.
    pub(super) fn has_ended(&mut self, incident: IncidentId) -> bool {
        let now = self.tx.now();
        let ended = self.tx.incident(incident).is_some_and(|incident| incident.is_overdue(now));
        if ended {
            self.tx.step(incident, IncidentInput::Tick, &self.matrix.roster);
        }
        ended
    }

    pub(super) fn open(
        &mut self,
        alert: &Arc<Alert>,
        plan: Arc<EscalationPlan>,
        key: IncidentKey,
        summary: String,
    ) -> IncidentId {
        self.open_asking(alert, plan, key, summary, None, None)
    }

    /// The same with a question, and the identity that it was made for.
    pub(super) fn open_asking(
        &mut self,
        alert: &Arc<Alert>,
        plan: Arc<EscalationPlan>,
        key: IncidentKey,
        summary: String,
        ask: Option<Box<Ask>>,
        nonce: Option<IncidentNonce>,
    ) -> IncidentId {
        let terms = alert.drill.then(|| self.terms.clone());
        let plan = match &terms {
            Some(terms) if 1 < terms.compress => Arc::new(plan.compressed(terms.compress)),
            _ => plan,
        };
        let opening = IncidentOpening {
            key,
            summary,
            plan,
            alert: alert.clone(),
            received_at: self.received_at,
            terms,
            ask,
            nonce,
        };
        self.tx.open(opening, &self.matrix.roster)
    }

    /// Refuses a drill because a live incident is open.
    pub(super) fn refused(&mut self, alert: &Arc<Alert>, trigger: &TriggerName, live: IncidentId) -> AdmissionResult {
        let source = alert.source.clone();
        let event = SourceEvent::DrillRefused { trigger: trigger.clone(), live, alert: alert.clone() };
        self.tx.record_alert(&source, event);
        AdmissionResult::DrillRefused { trigger: trigger.to_string(), live }
    }

    /// The result for a repetition whose incident a human has resolved.
    pub(super) fn over(
        &mut self,
        alert: &Arc<Alert>,
        trigger: &TriggerName,
        key: &IncidentKey,
    ) -> Option<AdmissionResult> {
        let ended_at = self.tx.ended(key, alert)?;
        let (name, key, alert) = (trigger.clone(), key.clone(), alert.clone());
        let source = alert.source.clone();
        self.tx.record_alert(&source, SourceEvent::Over { trigger: name, key, ended_at, alert });
        Some(AdmissionResult::Over { trigger: trigger.to_string(), ended_at })
    }

    /// A condition failed: journaled, and reported to the catch-all.
    fn failed(
        &mut self,
        alert: &Arc<Alert>,
        trigger: &TriggerName,
        why: &str,
        entity: Option<&str>,
    ) -> AdmissionResult {
        let (name, said) = (trigger.clone(), why.to_owned());
        let event = SourceEvent::ConditionFailed { trigger: name, why: said.clone(), alert: alert.clone() };
        self.tx.record_alert(&alert.source, event);
        let keys = FailureKeys::of(trigger, alert, entity);
        let is_refused = live_beside(self.tx, alert.drill).is_some();
        let joined = keys.open_now(self.tx).filter(|incident| !self.has_ended(*incident));
        if let Some(incident) = joined {
            self.tx.step(incident, IncidentInput::Alert(alert.clone()), &self.matrix.roster);
        }
        let plan = self.matrix.failure_plan(trigger).filter(|_| !is_refused && joined.is_none());
        if plan.is_some() && !self.may_open.allows(alert) {
            return AdmissionResult::over_quota(trigger);
        }
        let incident = joined.or_else(|| {
            let plan = plan?;
            let (key, summary) = keys.news(self.tx, alert, trigger, why, entity);
            Some(self.open(alert, plan, key, summary))
        });
        AdmissionResult::ConditionFailed { trigger: trigger.to_string(), why: said, incident }
    }
}
