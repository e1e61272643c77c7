//! What Prometheus and its kin say in annotations: the sentence for people, and numbers.

use crate::{
    core::{SourceName, printable::excerpt},
    text::quantity,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

/// The most characters of an annotation that the log shows.
const SHOWN_MAX: usize = 300;

/// The annotation that is the sentence for people.
pub fn summary(annotations: &BTreeMap<String, String>) -> String {
    let names = ["summary", "description", "message"];
    names.iter().find_map(|name| annotations.get(*name).cloned()).unwrap_or_default()
}

/// The annotations that are numbers.
pub fn values(source: &SourceName, annotations: &BTreeMap<String, String>) -> BTreeMap<String, f64> {
    let number = |(name, text): (&String, &String)| match quantity::read(name, text) {
        Some(number) => Some((name.clone(), number)),
        None => {
            warn_of_unit(source, name, text);
            None
        }
    };
    annotations.iter().filter_map(number).collect()
}

/// The most annotations whose unit nobody knows that the log names.
const UNITS_LOGGED_MAX: usize = 100;

/// The annotations that the log has named.
static UNITS_LOGGED: Mutex<BTreeSet<(SourceName, String)>> = Mutex::new(BTreeSet::new());

/// Logs once that an annotation is no value because its name does not say the unit: Alertmanager's answer has no room
/// for warnings.
fn warn_of_unit(source: &SourceName, name: &str, text: &str) {
    if !quantity::has_unit(text) {
        return;
    }
    let (name, text) = (excerpt(name, SHOWN_MAX), excerpt(text, SHOWN_MAX));
    let mut logged = UNITS_LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
    if logged.len() < UNITS_LOGGED_MAX && logged.insert((source.clone(), name.to_string())) {
        tracing::warn!(%source, annotation = %name, text = %text, "an annotation is a number with a unit that its name does not say (as `latency_ms` says the one of `250ms`): it is no value, and a condition that asks for it fails");
    }
}
