//! Alerts in: judged by the matrix, then kept in one transaction. Only then may the caller be told that they are safe.

use super::{Engine, Live};
use crate::{
    core::{Alert, IncidentId, Input, Opening, Roster, SourceEvent, Timestamp},
    matrix::Judgement,
    store::{Class, Needs, StoreError, Unit, ended_window, transact},
};
use serde::Serialize;
use std::sync::Arc;

/// What became of one alert.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Admitted {
    /// Once for each trigger that had something to say; never empty.
    pub fates: Vec<Fate>,
}

/// What one trigger made of an alert.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "fate")]
pub enum Fate {
    /// An incident was opened.
    Opened {
        /// Which.
        incident: IncidentId,
    },
    /// It belongs to an incident that is open already.
    Joined {
        /// Which.
        incident: IncidentId,
    },
    /// Counted; not enough yet.
    Held {
        /// The trigger.
        trigger: String,
        /// How many have counted.
        count: usize,
    },
    /// The same alert again, with the same beginning, after a human has closed its incident. Nobody is called again.
    Over {
        /// The trigger.
        trigger: String,
        /// When a human resolved the incident.
        ended_at: Timestamp,
    },
    /// An all-clear for an open incident.
    Cleared {
        /// Which.
        incident: IncidentId,
    },
    /// A trigger could not judge it; the catch-all is told where the matrix has one.
    ConditionFailed {
        /// The trigger.
        trigger: String,
        /// Why.
        why: String,
        /// The incident about that.
        incident: Option<IncidentId>,
    },
    /// No trigger wanted it. It is in the journal.
    Unmatched,
}

struct Judged {
    alert: Arc<Alert>,
    judgements: Vec<Judgement>,
}

impl Engine {
    /// Takes alerts of one source in. When this returns, they are durable: each opened, joined, counted or noted.
    pub async fn admit(&self, alerts: Vec<Alert>, received_at: Timestamp) -> Result<Vec<Admitted>, StoreError> {
        let live = self.live.load_full();
        let judged: Vec<Judged> = alerts
            .into_iter()
            .map(|alert| Judged { judgements: live.matrix.judge(&alert), alert: Arc::new(alert) })
            .collect();
        let needs = needs(&judged);
        let run = move |unit: &mut Unit<'_>| {
            judged.iter().map(|judged| admit_one(unit, judged, &live, received_at)).collect::<Vec<_>>()
        };
        let (admitted, _) = transact(&*self.store, Class::Admission, needs, run).await?;
        Ok(admitted)
    }
}

fn needs(judged: &[Judged]) -> Needs {
    let mut needs = Needs::default();
    for Judged { alert, judgements } in judged {
        if !needs.sources.contains(&alert.source) {
            needs.sources.push(alert.source.clone());
        }
        for judgement in judgements {
            match judgement {
                Judgement::Holds { key, hold, window, .. } => {
                    needs.keys.push(key.clone());
                    needs.observed.extend(ended_window(key, alert));
                    needs.observed.extend(hold.is_some().then(|| window.clone()));
                }
                Judgement::Clears { key, .. } => needs.keys.push(key.clone()),
                Judgement::Failed { trigger, .. } => needs.keys.push(failure_key(trigger.as_str(), alert)),
            }
        }
    }
    needs
}

fn admit_one(unit: &mut Unit<'_>, judged: &Judged, live: &Live, received_at: Timestamp) -> Admitted {
    let roster = &live.matrix.roster;
    let mut fates: Vec<Fate> = judged
        .judgements
        .iter()
        .filter_map(|judgement| fate(unit, &judged.alert, judgement, live, roster, received_at))
        .collect();
    if fates.is_empty() {
        let event = match judged.alert.status {
            crate::core::AlertStatus::Firing => SourceEvent::Unmatched { alert: judged.alert.clone() },
            crate::core::AlertStatus::Resolved => SourceEvent::NothingOpen { alert: judged.alert.clone() },
        };
        unit.record_source(&judged.alert.source, event);
        fates.push(Fate::Unmatched);
    }
    Admitted { fates }
}

fn fate(
    unit: &mut Unit<'_>,
    alert: &Arc<Alert>,
    judgement: &Judgement,
    live: &Live,
    roster: &Roster,
    received_at: Timestamp,
) -> Option<Fate> {
    match judgement {
        Judgement::Holds { trigger, key, summary, hold, window } => {
            if let Some(incident) = unit.open_with_key(key) {
                unit.step(incident, Input::Alert(alert.clone()), roster);
                return Some(Fate::Joined { incident });
            }
            if let Some(ended_at) = unit.ended(key, alert) {
                let (trigger, key, alert) = (trigger.clone(), key.clone(), alert.clone());
                let (source, over) = (alert.source.clone(), Fate::Over { trigger: trigger.to_string(), ended_at });
                unit.record_source(&source, SourceEvent::Over { trigger, key, ended_at, alert });
                return Some(over);
            }
            if let Some(hold) = hold {
                let (holds, count) = unit.observe(window, *hold);
                if !holds {
                    let (trigger, key, alert) = (trigger.clone(), key.clone(), alert.clone());
                    let source = alert.source.clone();
                    let held = Fate::Held { trigger: trigger.to_string(), count };
                    unit.record_source(&source, SourceEvent::Held { trigger, key, count, alert });
                    return Some(held);
                }
            }
            let plan = live.matrix.plan(trigger)?;
            let (key, summary, alert) = (key.clone(), summary.clone(), alert.clone());
            let incident = unit.open(Opening { key, summary, plan, alert, received_at }, roster);
            Some(Fate::Opened { incident })
        }
        Judgement::Clears { key, .. } => {
            let incident = unit.open_with_key(key)?;
            unit.step(incident, Input::Alert(alert.clone()), roster);
            Some(Fate::Cleared { incident })
        }
        Judgement::Failed { trigger, why } => {
            let event =
                SourceEvent::ConditionFailed { trigger: trigger.clone(), why: why.clone(), alert: alert.clone() };
            unit.record_source(&alert.source, event);
            let key = failure_key(trigger.as_str(), alert);
            let incident = unit.open_with_key(&key).or_else(|| {
                let plan = live.matrix.failure_plan(trigger)?;
                let summary =
                    format!("trigger {trigger} can not judge {} alerts of {}: {why}", alert.kind, alert.source);
                Some(unit.open(Opening { key, summary, plan, alert: alert.clone(), received_at }, roster))
            });
            Some(Fate::ConditionFailed { trigger: trigger.to_string(), why: why.clone(), incident })
        }
    }
}

/// One open incident for each trigger and source: a monitor that changed its fields pages once, not at each alert.
fn failure_key(trigger: &str, alert: &Alert) -> String {
    let drill = if alert.drill { "drill:" } else { "" };
    format!("{drill}condition/{trigger}/{}", alert.source)
}
