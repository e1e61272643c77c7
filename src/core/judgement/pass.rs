//! How an alert passes the layers, whatever keeps their states.

use super::{
    JudgementLayer, JudgementLayers, JudgementState, LayerEvidence, LayerHold, LayerVerdict, PendingAlert,
    SilencedUntil,
};
use crate::core::{
    time::Timestamp,
    trigger::{ThresholdWindow, TriggerThreshold},
};
use std::{collections::BTreeMap, sync::Arc};

/// Where the states of triggers and keys are.
pub trait JudgementRows {
    /// The time.
    fn now(&self) -> Timestamp;

    /// Whether one more alert may wait in this row. There is more room for what a silence holds than for what waits because
    /// of its trigger.
    fn may_wait(&self, _row: &str, _is_silenced: bool) -> bool {
        true
    }

    /// The count of a trigger and key.
    fn window<R>(&mut self, row: &str, change: impl FnOnce(&mut ThresholdWindow) -> R) -> R;

    /// The state of a trigger and key.
    fn state<R>(&mut self, row: &str, change: impl FnOnce(&mut JudgementState) -> R) -> R;
}

/// What a trigger's layers look at of one alert.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerInput {
    /// The layers.
    pub layers: Arc<JudgementLayers>,
    /// What the alert says.
    pub evidence: LayerEvidence,
}

/// An alert for which the condition of its trigger holds, while no incident of its key is open. `silenced` is the silence
/// that is about it.
pub fn holds(
    rows: &mut impl JudgementRows,
    row: &str,
    threshold: Option<TriggerThreshold>,
    input: Option<&LayerInput>,
    silenced: Option<SilencedUntil>,
    waiting: PendingAlert,
) -> LayerVerdict {
    let now = rows.now();
    // What waits has passed these layers already, and takes in what is new.
    let waits = (input.is_some() || silenced.is_some()) && rows.state(row, |state| state.waits());
    if let Some(LayerInput { layers, evidence }) = input
        && let Some(hold) = rows.state(row, |state| state.weigh(layers, evidence, &waiting.alert, now))
        && !waits
    {
        return LayerVerdict::Held(hold);
    }
    if let Some(threshold) = threshold {
        let (is_reached, count) = rows.window(row, |window| (window.observe(threshold, now), window.count()));
        if !is_reached && !waits {
            return LayerVerdict::Held(LayerHold {
                layer: JudgementLayer::Threshold,
                count,
                until: None,
                silence: None,
            });
        }
    }
    let none = JudgementLayers::default();
    let layers = match input {
        Some(input) => &*input.layers,
        None if silenced.is_some() => &none,
        None => return LayerVerdict::Opens { flaps: None },
    };
    let may_wait = rows.may_wait(row, silenced.is_some());
    rows.state(row, |state| {
        let waiting = Some(waiting).filter(|_| may_wait || state.pending().is_some());
        state.admit(layers, silenced, waiting, now)
    })
}

/// An alert for which the condition does not hold. Returns the layer that had held something back and starts anew.
pub fn breaks(
    rows: &mut impl JudgementRows,
    row: &str,
    threshold: Option<TriggerThreshold>,
    input: Option<&LayerInput>,
) -> Option<JudgementLayer> {
    let now = rows.now();
    let consecutive = threshold.filter(|threshold| threshold.consecutive);
    let counted = consecutive.is_some_and(|threshold| rows.window(row, |window| window.restart(threshold, now)));
    let held = input.and_then(|input| rows.state(row, |state| state.broken(&input.layers, &input.evidence.witness)));
    held.or(counted.then_some(JudgementLayer::Threshold))
}

/// An all-clear. Where several witnesses must say that something is so, it is the word of one that it is not. Returns the
/// layer that had held something back.
pub fn clears(
    rows: &mut impl JudgementRows,
    row: &str,
    threshold: Option<TriggerThreshold>,
    input: Option<&LayerInput>,
) -> Option<JudgementLayer> {
    let counted = breaks(rows, row, threshold, None);
    let held = rows.state(row, |state| match input {
        Some(LayerInput { layers, evidence }) => state.broken(layers, &evidence.witness),
        None => state.cleared(),
    });
    held.or(counted)
}

/// States in memory, for what plays a scenario.
#[derive(Debug, Default)]
pub struct PlayedJudgements {
    /// The time.
    pub now: Timestamp,
    /// Counts.
    pub windows: BTreeMap<String, ThresholdWindow>,
    /// States.
    pub states: BTreeMap<String, JudgementState>,
}

impl JudgementRows for PlayedJudgements {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn window<R>(&mut self, row: &str, change: impl FnOnce(&mut ThresholdWindow) -> R) -> R {
        change(self.windows.entry(row.to_owned()).or_default())
    }

    fn state<R>(&mut self, row: &str, change: impl FnOnce(&mut JudgementState) -> R) -> R {
        change(self.states.entry(row.to_owned()).or_default())
    }
}
