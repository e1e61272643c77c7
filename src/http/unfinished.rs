//! Bodies of which a part must come again: what was kept of them, so that the same body goes on with the rest. Without this its
//! first alerts would be admitted anew each time, and use up the quota of the source before the rest has its turn.

use crate::core::{Alert, AlertStatus, SourceName, canonical::sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// How long a body may take to come again. Most senders try for minutes; after that the same words are new.
const UNFINISHED_KEPT: Duration = Duration::from_secs(600);

/// The most bodies that are remembered; beyond it the oldest are forgotten, and what comes again joins its incidents.
const UNFINISHED_MAX: usize = 1_000;

/// The most places that are remembered of all bodies together: a body may have very many alerts.
const PLACES_MAX: usize = 1_000_000;

/// Which body it is: its source, and what it says in which format by which matrix.
pub type BodyName = (SourceName, String);

/// The name of a body.
pub fn name(source: &SourceName, format: &str, revision: &str, body: &[u8]) -> BodyName {
    (source.clone(), format!("{format} {revision} {}", sha256(body)))
}

/// Such bodies, in memory: a restart forgets them, as it does the quotas.
#[derive(Debug, Default)]
pub struct UnfinishedBodies(Mutex<BTreeMap<BodyName, UnfinishedBody>>);

#[derive(Debug)]
struct UnfinishedBody {
    at: Instant,
    /// The places of the alerts that need not be admitted again.
    done: BTreeSet<usize>,
}

impl UnfinishedBodies {
    /// The places that are done of this body.
    pub fn done(&self, name: &BodyName) -> BTreeSet<usize> {
        let bodies = self.bodies();
        let kept = bodies.get(name).filter(|body| body.at.elapsed() < UNFINISHED_KEPT);
        kept.map(|body| body.done.clone()).unwrap_or_default()
    }

    /// Remembers what is done of a body; nothing of one that need not come again.
    pub fn keep(&self, name: BodyName, done: Option<BTreeSet<usize>>) {
        let mut bodies = self.bodies();
        bodies.remove(&name);
        let Some(done) = done else { return };
        bodies.retain(|_, body| body.at.elapsed() < UNFINISHED_KEPT);
        let mut places: usize = done.len() + bodies.values().map(|body| body.done.len()).sum::<usize>();
        while UNFINISHED_MAX <= bodies.len() || PLACES_MAX < places {
            let oldest = bodies.iter().min_by_key(|(_, body)| body.at).map(|(name, _)| name.clone());
            let Some(forgotten) = oldest.and_then(|oldest| bodies.remove(&oldest)) else { break };
            places -= forgotten.done.len();
        }
        bodies.insert(name, UnfinishedBody { at: Instant::now(), done });
    }

    fn bodies(&self) -> MutexGuard<'_, BTreeMap<BodyName, UnfinishedBody>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which alerts of a body are done, of all with their places in its order and whether each must come again. An all-clear
/// comes again with the alert before it that it ends: else that one would open after it.
pub fn finished<'a>(alerts: impl Iterator<Item = (usize, &'a Alert, bool)>) -> BTreeSet<usize> {
    let mut refused: BTreeSet<(&str, &BTreeMap<String, String>)> = BTreeSet::new();
    let mut done = BTreeSet::new();
    for (place, alert, must_come_again) in alerts {
        let about = (alert.kind.as_str(), &alert.labels);
        if must_come_again {
            refused.insert(about);
        } else if alert.status == AlertStatus::Firing || !refused.contains(&about) {
            done.insert(place);
        }
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_is_known_until_the_rest_has_come_and_an_all_clear_comes_with_its_alert() {
        let alert = |kind: &str, status| Alert { status, ..Alert::new("", kind) };
        let (a, b, over) =
            (alert("a", AlertStatus::Firing), alert("b", AlertStatus::Firing), alert("b", AlertStatus::Resolved));
        let all = [(0, &a, false), (1, &over, false), (2, &b, true), (3, &over, false), (4, &a, false)];
        let done = finished(all.into_iter());
        assert_eq!(done, BTreeSet::from([0, 1, 4]));
        let bodies = UnfinishedBodies::default();
        let named = |text: &str| name(&"s".into(), "json", "1", text.as_bytes());
        bodies.keep(named("x"), Some(done.clone()));
        assert_eq!((bodies.done(&named("x")), bodies.done(&named("y"))), (done, BTreeSet::new()));
        bodies.keep(named("x"), None);
        assert!(bodies.done(&named("x")).is_empty());
        (0..=UNFINISHED_MAX).for_each(|n| bodies.keep(named(&n.to_string()), Some(BTreeSet::from([n]))));
        assert!(bodies.done(&named("0")).is_empty() && !bodies.done(&named("1")).is_empty());
        let many: BTreeSet<usize> = (0..PLACES_MAX / 2).collect();
        ["u", "v", "w"].into_iter().for_each(|text| bodies.keep(named(text), Some(many.clone())));
        assert!(bodies.done(&named("u")).is_empty() && bodies.done(&named("1000")).is_empty());
        assert!(!bodies.done(&named("v")).is_empty() && !bodies.done(&named("w")).is_empty());
    }
}
