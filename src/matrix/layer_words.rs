//! The layers of a trigger in words, with what each costs in time.

use super::trigger::Trigger;
use crate::{
    core::judgement::{ChangeDirection, JudgementLayer},
    text::number::number,
};
use humantime::format_duration;
use serde::Serialize;
use std::time::Duration;

/// One layer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerWords {
    /// The key of the trigger that sets it.
    pub key: &'static str,
    /// What it asks for.
    pub says: String,
    /// What it costs in time.
    pub costs: String,
    /// The most that it costs, in seconds; `None` where it costs nothing.
    pub at_most_s: Option<f64>,
}

impl LayerWords {
    fn new(key: &'static str, says: String, costs: impl Into<String>, at_most: Option<Duration>) -> Self {
        Self { key, says, costs: costs.into(), at_most_s: at_most.map(|span| span.as_secs_f64()) }
    }
}

impl Trigger {
    /// Its layers besides the condition, in the order in which alerts pass them.
    pub fn layer_words(&self) -> Vec<LayerWords> {
        let layers = &self.layers;
        let text =
            |expression: &Option<_>| expression.as_ref().map_or("", |own: &super::CelExpression| own.text()).to_owned();
        let mut all = Vec::new();
        if let Some(change) = &layers.change {
            let way = match change.direction {
                ChangeDirection::Up => "rise by",
                ChangeDirection::Down => "fall by",
                ChangeDirection::Either => "change by",
            };
            let unit = if change.percent { " %" } else { "" };
            let (of, within) = (text(&self.value), format_duration(change.within));
            let says = format!("`{of}` must {way} {}{unit} within {within}", number(change.by));
            all.push(LayerWords::new(
                JudgementLayer::Change.key(),
                says,
                "no time: the alert that shows it passes",
                None,
            ));
        }
        if let Some(corroborate) = &layers.corroborate {
            let by = self.witness.as_ref().map_or("sources".to_owned(), |by| format!("values of `{}`", by.text()));
            let within = format_duration(corroborate.within);
            let says = format!("{} different {by} must say it within {within}", corroborate.count);
            let costs = format!("the time until the last of them says so, at most {within}");
            all.push(LayerWords::new(JudgementLayer::Corroborate.key(), says, costs, Some(corroborate.within)));
        }
        if let Some(threshold) = &self.threshold {
            let (within, row) =
                (format_duration(threshold.within), if threshold.consecutive { " in a row" } else { "" });
            let says = format!("it must hold {} times{row} within {within}", threshold.count);
            let costs = format!("the time from the first to the last of them, at most {within}");
            all.push(LayerWords::new(JudgementLayer::Threshold.key(), says, costs, Some(threshold.within)));
        }
        if let Some(delay) = layers.delay {
            let says = format!("it must go on for {}", format_duration(delay));
            all.push(LayerWords::new(
                JudgementLayer::Delay.key(),
                says,
                format_duration(delay).to_string(),
                Some(delay),
            ));
        }
        if let Some(cooldown) = layers.cooldown {
            let says = format!("nothing opens for {} after the end of the last incident", format_duration(cooldown));
            let costs = format!("nothing, unless one ended lately: then at most {}", format_duration(cooldown));
            all.push(LayerWords::new(JudgementLayer::Cooldown.key(), says, costs, Some(cooldown)));
        }
        if let Some(absent) = layers.absent {
            let span = absent.every + absent.grace;
            let (every, grace) = (format_duration(absent.every), format_duration(absent.grace));
            let says = format!("it must be silent for {} ({every} and {grace} of grace)", format_duration(span));
            all.push(LayerWords::new(
                JudgementLayer::Absent.key(),
                says,
                format_duration(span).to_string(),
                Some(span),
            ));
        }
        if let Some(flapping) = layers.flapping {
            let within = format_duration(flapping.within);
            let says = format!(
                "the opening that is number {} within {within} stays open: an all-clear does not end it",
                flapping.openings
            );
            all.push(LayerWords::new("flapping", says, "no time", None));
        }
        if let Some(clear_when) = &self.clear_when {
            let says = format!("an alert with `{}` is an all-clear", clear_when.text());
            all.push(LayerWords::new("clear_when", says, "no time", None));
        }
        all
    }
}
