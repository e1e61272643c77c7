//! Lets the matrix judge alerts, so that alerts whose conditions cost much delay nobody else.
//!
//! Nearly all conditions take microseconds: they are evaluated at once. Where that does not do, the evaluation moves to a
//! thread of its own, one request at a time and under a deadline; the async runtime goes on.

use crate::{
    core::{Alert, TriggerName, judgement::SilencedUntil, time::StepTime},
    engine::{
        admission::{
            Admission,
            conversation::{self, HandoffOffer, IncomingAlert},
        },
        runtime_config::RuntimeConfig,
    },
    matrix::{CostMeter, TriggerMatch},
};
use std::{sync::Arc, time::Duration};
use tokio::{runtime::Handle, task::spawn_blocking, time::timeout};

/// What the conditions for one alert may cost on the runtime's own threads, in units of [`CostMeter`]: less than a
/// millisecond.
pub(super) const QUICK_COST_MAX: u64 = 10_000;

/// How long the alerts of one transaction may take on a thread of their own, and how long they wait for it. A condition
/// that is not evaluated by then has failed.
pub(super) const JUDGE_MAX: Duration = Duration::from_secs(2);

/// What the costly conditions for the alerts of one request may cost together, in units of [`CostMeter`]: about a second.
/// The alerts that are not judged by then are refused and must be sent again: they would keep others waiting, whose
/// conditions are costly too.
pub const REQUEST_COST_MAX: u64 = 20_000_000;

/// One alert, judged.
pub(super) struct MatchedAlert {
    /// The alert.
    pub alert: Arc<Alert>,
    /// What each trigger says about it, or why nobody judged it.
    pub said: Result<Vec<TriggerMatch>, Unjudged>,
    /// What those that hand conversations over would offer.
    pub offers: Vec<HandoffOffer>,
    /// The silences that are about it, by trigger.
    pub silences: Vec<(TriggerName, SilencedUntil)>,
}

impl MatchedAlert {
    /// The silence that is about it as an alert of this trigger.
    pub fn silenced(&self, trigger: &TriggerName) -> Option<SilencedUntil> {
        self.silences.iter().find(|(other, _)| other == trigger).map(|(_, silenced)| *silenced)
    }

    /// What this trigger offers, if it hands the alert's conversation over.
    pub fn offer(&self, trigger: &TriggerName) -> Option<&HandoffOffer> {
        self.offers.iter().find(|offer| offer.trigger == *trigger)
    }
}

/// Why the conditions for an alert were not evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unjudged {
    /// It can not be stored.
    Flaw(String),
    /// Its request has used up what it may cost.
    OverCost,
}

/// What the costly conditions of one request may still cost.
#[derive(Debug)]
pub(super) struct RequestCost {
    left: u64,
}

impl Default for RequestCost {
    fn default() -> Self {
        Self { left: REQUEST_COST_MAX }
    }
}

impl RequestCost {
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// What ran out of time has had its share, too.
    pub(super) fn spend_to(&mut self, meter: &CostMeter) {
        self.left = if meter.is_given_up() { 0 } else { meter.left() };
    }
}

impl Admission {
    /// Assesses and judges the alerts of one transaction, in their order. `cost` is that of their request.
    pub(super) async fn judge(
        &self,
        alerts: Vec<Alert>,
        config: &Arc<RuntimeConfig>,
        cost: &mut RequestCost,
    ) -> Vec<MatchedAlert> {
        let may_be_silenced =
            !config.matrix.maintenance.is_empty() || self.context.silences.may_hold(self.context.store.now());
        let alerts = self.assessed(alerts, config, cost).await;
        let mut costly = Vec::new();
        let mut judged = Vec::with_capacity(alerts.len());
        for (alert, is_over_cost) in alerts {
            let alert = Arc::new(alert);
            let meter = Arc::new(CostMeter::new(QUICK_COST_MAX));
            let flaw = alert.flaw().map(Unjudged::Flaw).or(is_over_cost.then_some(Unjudged::OverCost));
            let said = flaw.map_or_else(|| Ok(config.matrix.judge_within(&alert, &meter, may_be_silenced)), Err);
            if meter.is_overrun() {
                costly.push(judged.len());
            }
            judged.push(MatchedAlert { alert, said, offers: Vec::new(), silences: Vec::new() });
        }
        if !costly.is_empty() {
            let alerts = costly.iter().map(|at| judged[*at].alert.clone()).collect();
            for (at, said) in
                costly.into_iter().zip(self.judge_apart((alerts, may_be_silenced), config.clone(), cost).await)
            {
                judged[at].said = said;
            }
        }
        judged
    }

    /// The same, of alerts that may be turns of conversations.
    pub(super) async fn judge_turns(
        &self,
        alerts: Vec<IncomingAlert>,
        config: &Arc<RuntimeConfig>,
        cost: &mut RequestCost,
    ) -> Vec<MatchedAlert> {
        let (alerts, packets): (Vec<_>, Vec<_>) = alerts.into_iter().map(|own| (own.alert, own.packet)).unzip();
        let mut judged = self.judge(alerts, config, cost).await;
        for (judged, packet) in judged.iter_mut().zip(&packets) {
            let Ok(said) = &mut judged.said else { continue };
            judged.silences = self.silences_of(said, &judged.alert, config);
            let closed = |trigger: &_| self.closed(config, trigger);
            judged.offers = conversation::offers(said, (&judged.alert, packet.as_deref()), config, closed);
        }
        judged
    }

    /// The silences that are about an alert, for each trigger that holds and can be silenced.
    fn silences_of(
        &self,
        said: &[TriggerMatch],
        alert: &Alert,
        config: &RuntimeConfig,
    ) -> Vec<(TriggerName, SilencedUntil)> {
        let holding = said.iter().filter_map(|judgement| match judgement {
            TriggerMatch::Holds { trigger, .. } => Some(trigger),
            _ => None,
        });
        let silenced = |trigger: &TriggerName| Some((trigger.clone(), self.silenced(alert, trigger, config)?));
        holding.filter_map(silenced).collect()
    }

    /// The silence that is about an alert of this trigger, if one is, and if the trigger can be silenced. A drill is never
    /// silent: whoever makes one wants to hear it. Nor is a question: whoever asks is answered.
    pub(super) fn silenced(
        &self,
        alert: &Alert,
        trigger: &TriggerName,
        config: &RuntimeConfig,
    ) -> Option<SilencedUntil> {
        let can_be = config.matrix.triggers.get(trigger).is_some_and(|trigger| trigger.can_be_silenced);
        let asks = config.matrix.plan(trigger).is_some_and(|plan| plan.ask.is_some());
        if !can_be || asks || alert.drill {
            return None;
        }
        let time = StepTime { now: self.context.store.now(), civil: self.context.store.civil_now() };
        let windows = config.matrix.maintenance.iter();
        let windows = windows.filter_map(|window| window.holding(alert, trigger, time));
        let made = self.context.silences.holding(alert, trigger, time.now);
        windows.chain(made).max_by_key(|silenced| silenced.until)
    }

    async fn judge_apart(
        &self,
        (alerts, may_be_silenced): (Vec<Arc<Alert>>, bool),
        config: Arc<RuntimeConfig>,
        cost: &mut RequestCost,
    ) -> Vec<Result<Vec<TriggerMatch>, Unjudged>> {
        if cost.left == 0 {
            return alerts.iter().map(|_| Err(Unjudged::OverCost)).collect();
        }
        let meter = Arc::new(CostMeter::new(cost.left));
        let judged = self.on_a_thread((alerts, may_be_silenced), config, meter.clone()).await;
        cost.spend_to(&meter);
        judged
    }

    async fn on_a_thread(
        &self,
        (alerts, may_be_silenced): (Vec<Arc<Alert>>, bool),
        config: Arc<RuntimeConfig>,
        meter: Arc<CostMeter>,
    ) -> Vec<Result<Vec<TriggerMatch>, Unjudged>> {
        let of_work = meter.clone();
        let fallback = (alerts.clone(), config.clone());
        let work = move || judge_all((&alerts, may_be_silenced), &config, &of_work);
        if Handle::try_current().is_err() {
            // In virtual time there are no threads, and nobody who waits for one.
            return work();
        }
        let turn = timeout(JUDGE_MAX, self.costly.acquire()).await;
        if turn.is_err() {
            // What still costs next to nothing is judged; the rest has failed.
            meter.give_up();
        }
        let mut working = spawn_blocking(work);
        let judged = match timeout(JUDGE_MAX, &mut working).await {
            Ok(judged) => judged,
            Err(_) => {
                meter.give_up();
                working.await
            }
        };
        drop(turn);
        judged.unwrap_or_else(|_| {
            // The thread panicked, which the language is guarded against, or the daemon is shutting down.
            meter.give_up();
            judge_all((&fallback.0, may_be_silenced), &fallback.1, &meter)
        })
    }
}

/// An alert in whose evaluation the request has used up what it may cost is not judged: nobody knows what it says.
fn judge_all(
    (alerts, may_be_silenced): (&[Arc<Alert>], bool),
    config: &RuntimeConfig,
    meter: &Arc<CostMeter>,
) -> Vec<Result<Vec<TriggerMatch>, Unjudged>> {
    let judge = |alert: &Arc<Alert>| {
        let said = config.matrix.judge_within(alert, meter, may_be_silenced);
        if meter.left() == 0 { Err(Unjudged::OverCost) } else { Ok(said) }
    };
    alerts.iter().map(judge).collect()
}
