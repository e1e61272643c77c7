//! Who waits for a change of one incident: systems that wait for the outcome of their request. A commit wakes those of
//! its own incident alone, so ten thousand that wait cost nothing when something else happens.

use crate::core::{IncidentId, SourceName};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

/// The most that wait at once, over all sources.
pub const WATCHES_MAX: usize = 20_000;

/// The most of one source, so that one that forgets to hang up leaves room for the others.
pub const WATCHES_OF_SOURCE_MAX: usize = 12_000;

/// All who wait.
#[derive(Debug, Default)]
pub struct IncidentWatches(Arc<Mutex<Watched>>);

#[derive(Debug, Default)]
struct Watched {
    incidents: HashMap<IncidentId, watch::Sender<()>>,
    sources: BTreeMap<SourceName, usize>,
    all: usize,
}

/// One that waits. It ends when it is dropped.
#[derive(Debug)]
pub struct IncidentWatch {
    of: Arc<Mutex<Watched>>,
    incident: IncidentId,
    source: SourceName,
    changes: watch::Receiver<()>,
}

/// Too many wait: [`WATCHES_MAX`] or [`WATCHES_OF_SOURCE_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many requests are waited for")]
pub struct WatchesFull;

impl IncidentWatches {
    /// Watches an incident for a source. A change after this call is not missed.
    ///
    /// # Errors
    /// [`WatchesFull`].
    pub fn watch(&self, incident: IncidentId, source: &SourceName) -> Result<IncidentWatch, WatchesFull> {
        let mut watched = lock(&self.0);
        let of_source = watched.sources.get(source).copied().unwrap_or(0);
        if WATCHES_MAX <= watched.all || WATCHES_OF_SOURCE_MAX <= of_source {
            return Err(WatchesFull);
        }
        watched.all += 1;
        watched.sources.insert(source.clone(), of_source + 1);
        let changes = watched.incidents.entry(incident).or_default().subscribe();
        Ok(IncidentWatch { of: self.0.clone(), incident, source: source.clone(), changes })
    }

    /// Wakes those who watch this incident.
    pub fn changed(&self, incident: IncidentId) {
        if let Some(changes) = lock(&self.0).incidents.get(&incident) {
            changes.send_replace(());
        }
    }

    /// How many wait now.
    pub fn count(&self) -> usize {
        lock(&self.0).all
    }
}

impl IncidentWatch {
    /// Returns once the incident has changed since the last call, or since the watch began.
    pub async fn changed(&mut self) {
        // The sender is dropped only after the last receiver.
        let _ = self.changes.changed().await;
    }
}

impl Drop for IncidentWatch {
    fn drop(&mut self) {
        let mut watched = lock(&self.of);
        watched.all -= 1;
        if let Some(of_source) = watched.sources.get_mut(&self.source) {
            *of_source -= 1;
            if *of_source == 0 {
                watched.sources.remove(&self.source);
            }
        }
        // This one is still counted.
        if watched.incidents.get(&self.incident).is_some_and(|changes| changes.receiver_count() <= 1) {
            watched.incidents.remove(&self.incident);
        }
    }
}

fn lock(watched: &Mutex<Watched>) -> MutexGuard<'_, Watched> {
    watched.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn a_change_wakes_those_of_its_incident_and_nobody_else() {
        let watches = IncidentWatches::default();
        let source = SourceName::from("bot");
        let watch = |n| watches.watch(IncidentId(n), &source).expect("room");
        let (mut one, mut again, mut other) = (watch(1), watch(1), watch(2));
        assert!(one.changed().now_or_never().is_none());
        watches.changed(IncidentId(1));
        assert!(one.changed().now_or_never().is_some() && again.changed().now_or_never().is_some());
        assert!(one.changed().now_or_never().is_none() && other.changed().now_or_never().is_none());
    }

    #[test]
    fn what_nobody_watches_any_more_is_forgotten() {
        let watches = IncidentWatches::default();
        let all: Vec<_> = (0..100).map(|n| watches.watch(IncidentId(n / 2), &"bot".into())).collect();
        assert_eq!((watches.count(), lock(&watches.0).incidents.len()), (100, 50));
        drop(all);
        let watched = lock(&watches.0);
        assert!(watched.incidents.is_empty() && watched.sources.is_empty() && watched.all == 0);
    }

    #[test]
    fn a_source_that_has_its_share_leaves_room_for_others() {
        let watches = IncidentWatches::default();
        let watch = |source: &str| watches.watch(IncidentId(1), &source.into());
        let mut kept: Vec<_> = (0..WATCHES_OF_SOURCE_MAX).filter_map(|_| watch("bot").ok()).collect();
        assert_eq!((kept.len(), watch("bot").err()), (WATCHES_OF_SOURCE_MAX, Some(WatchesFull)));
        kept.extend((WATCHES_OF_SOURCE_MAX..WATCHES_MAX).filter_map(|_| watch("risk").ok()));
        assert_eq!((watches.count(), watch("third").err()), (WATCHES_MAX, Some(WatchesFull)));
        kept.pop();
        assert!(watch("third").is_ok());
    }
}
