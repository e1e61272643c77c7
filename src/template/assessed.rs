//! What the assessments made of the alert, for templates.

use super::fit;
use crate::core::{Alert, assessment::Assessment};
use serde::Serialize;

/// How many parts a line names.
const PARTS_SHOWN: usize = 6;

/// The longest line, in characters.
const LINE_MAX: usize = 200;

#[derive(Serialize)]
pub(super) struct AssessedContext {
    name: String,
    level: String,
    score: f64,
    confidence: Option<f64>,
    parts: Vec<String>,
    line: String,
}

/// One for each assessment, with a line that says all of it in short.
pub(super) fn of(alert: &Alert) -> Vec<AssessedContext> {
    let context = |(name, own): (&String, &Assessment)| {
        let (name, level) = (fit::clean(name, 60), fit::clean(own.shown(), 60));
        let parts: Vec<String> = own.parts.iter().map(|part| fit::clean(&part.to_string(), 100)).collect();
        let line = fit::clean(&line(&name, &level, own, &parts), LINE_MAX);
        AssessedContext { name, level, score: own.score, confidence: own.confidence, parts, line }
    };
    alert.assessed.iter().map(context).collect()
}

fn line(name: &str, level: &str, own: &Assessment, parts: &[String]) -> String {
    if own.failed.is_some() {
        return format!("{name} could not be assessed");
    }
    let more = own.more + parts.len().saturating_sub(PARTS_SHOWN);
    let mut shown: Vec<String> = parts.iter().take(PARTS_SHOWN).cloned().collect();
    shown.extend((0 < more).then(|| format!("{more} more")));
    let because = if shown.is_empty() { String::new() } else { format!(": {}", shown.join(", ")) };
    format!("{name} {level} (score {}{because})", own.score)
}
