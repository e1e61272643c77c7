//! Why an alert became what it became, and what would have to be different: the record, and the matrix of today.

use crate::{
    core::{Alert, TriggerName, judgement::JudgementLayer},
    engine::alert_trace::{AlertFate, AlertTrace},
    matrix::{LayerWords, Matrix, Trigger, TriggerMatch},
};
use humantime::format_duration;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What is known of one alert, and what the matrix of today makes of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertWhy {
    /// The record.
    #[serde(flatten)]
    pub trace: AlertTrace,
    /// What the matrix of today says to this alert; missing where the alert is not known, or no matrix can be read.
    pub today: Option<AlertToday>,
}

/// What the matrix of today says to an alert, whatever it said when the alert came.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AlertToday {
    /// That no trigger has its kind, with what is near.
    pub unknown_kind: Option<String>,
    /// What each trigger that has its kind in `on` says.
    pub triggers: Vec<TriggerToday>,
    /// What the layers that held it were short of, by the numbers of today.
    pub lacks: Vec<String>,
}

/// What one trigger says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TriggerToday {
    /// Which.
    pub trigger: TriggerName,
    /// What it says.
    pub says: String,
    /// What stands between its condition and an incident, if the condition holds.
    pub layers: Vec<String>,
}

impl AlertWhy {
    /// With what this matrix says, if there is one.
    pub fn new(trace: AlertTrace, matrix: Option<&Matrix>) -> Self {
        let today = trace.alert.as_ref().zip(matrix).map(|(alert, matrix)| AlertToday::of(alert, &trace, matrix));
        Self { trace, today }
    }
}

impl AlertToday {
    fn of(alert: &Alert, trace: &AlertTrace, matrix: &Matrix) -> Self {
        let (judged, looking) = (matrix.judge(alert), matrix.looking(&alert.kind, &alert.source));
        let named = matrix.triggers.iter().filter(|(_, trigger)| trigger.on.contains(&alert.kind));
        let triggers = named.map(|(name, trigger)| {
            let judgement = judged.iter().find(|judgement| *name_of(judgement) == *name);
            let listens = looking.contains(name);
            let says = match listens {
                true => said(trigger, judgement),
                false => format!("it does not look at alerts of source {}: its `sources` are others", alert.source),
            };
            let holds = matches!(judgement, Some(TriggerMatch::Holds { .. } | TriggerMatch::Speaks { .. }));
            let layers = if holds { trigger.layer_words() } else { Vec::new() };
            let layers = layers
                .into_iter()
                .map(|LayerWords { key, says, costs, .. }| format!("{key}: {says}. It costs {costs}."));
            TriggerToday { trigger: name.clone(), says, layers: layers.collect() }
        });
        let lacks = trace.results.iter().filter_map(|traced| lack(&traced.result, matrix)).collect::<BTreeSet<_>>();
        Self {
            unknown_kind: matrix.unknown_kind(&alert.kind),
            triggers: triggers.collect(),
            lacks: lacks.into_iter().collect(),
        }
    }
}

fn name_of(judgement: &TriggerMatch) -> &TriggerName {
    match judgement {
        TriggerMatch::Holds { trigger, .. }
        | TriggerMatch::Speaks { trigger, .. }
        | TriggerMatch::Breaks { trigger, .. }
        | TriggerMatch::Clears { trigger, .. }
        | TriggerMatch::Failed { trigger, .. } => trigger,
    }
}

fn said(trigger: &Trigger, judgement: Option<&TriggerMatch>) -> String {
    match judgement {
        Some(TriggerMatch::Holds { key, .. }) => match &trigger.when {
            Some(when) => format!("its condition holds, key {key}: {}", when.text()),
            None => format!("it takes every alert of this kind, key {key}"),
        },
        Some(TriggerMatch::Speaks { key, .. }) => format!("it hears by it that {key} is alive"),
        Some(TriggerMatch::Clears { key, .. }) => format!("it is an all-clear for {key}"),
        Some(TriggerMatch::Failed { why, .. }) => format!("it can not be evaluated: {why}"),
        None | Some(TriggerMatch::Breaks { .. }) => {
            let when = trigger.when.as_ref().map_or("", |when| when.text());
            format!("its condition does not hold: {when}")
        }
    }
}

/// What the layer that held an alert was short of.
fn lack(fate: &AlertFate, matrix: &Matrix) -> Option<String> {
    let AlertFate::Held { trigger: name, layer, count, .. } = fate else { return None };
    let trigger = matrix.triggers.get(name)?;
    let short = |most: u32| (most as usize).checked_sub(*count).filter(|short| 0 < *short && 0 < *count);
    match layer {
        JudgementLayer::Corroborate => {
            let corroborate = trigger.layers.corroborate?;
            let (short, within) = (short(corroborate.count)?, format_duration(corroborate.within));
            Some(format!("trigger {name}: {short} more of {} witnesses within {within}", corroborate.count))
        }
        JudgementLayer::Threshold => {
            let threshold = trigger.threshold?;
            let (short, within) = (short(threshold.count)?, format_duration(threshold.within));
            Some(format!("trigger {name}: {short} more of {} alerts within {within}", threshold.count))
        }
        JudgementLayer::Change => {
            let words = trigger.layer_words().into_iter().find(|words| words.key == layer.key())?;
            Some(format!("trigger {name}: {}", words.says))
        }
        // What only waits says until when.
        _ => None,
    }
}
