//! Which incidents stay in memory: as many as fit into a bound of bytes, those of the queue first.

use crate::{
    core::{IncidentId, page::Page},
    store::StoredIncident,
};
use std::{
    collections::HashMap,
    mem::{size_of, size_of_val},
};

/// How many bytes the incidents in memory may have, as [`bytes`] estimates them: about 40,000 that page four people each.
pub const CACHE_BYTES_MAX: usize = 256 << 20;

/// What is left after some were forgotten, so that it is not done for each commit.
const KEPT_PERCENT: usize = 90;

/// What one entry of a map costs beside its content.
const ENTRY: usize = 64;

/// The incidents in memory.
#[derive(Debug, Default)]
pub struct CachedIncidents {
    known: HashMap<IncidentId, CachedIncident>,
    bytes: usize,
}

#[derive(Debug, Clone, Copy)]
struct CachedIncident {
    /// The turn of the writer in which it was used last.
    used: u64,
    bytes: usize,
    /// Whether a page of it waits to be sent.
    queued: bool,
}

impl CachedIncidents {
    /// An incident was loaded or changed.
    pub fn used(&mut self, id: IncidentId, kept: &StoredIncident, turn: u64) {
        let entry = CachedIncident { used: turn, bytes: bytes(kept), queued: !kept.claims.is_empty() };
        self.forget(id);
        self.bytes += entry.bytes;
        self.known.insert(id, entry);
    }

    /// An incident is not in memory any more.
    pub fn forget(&mut self, id: IncidentId) {
        let before = self.known.remove(&id).map_or(0, |entry| entry.bytes);
        self.bytes -= before;
    }

    /// What must leave so that the rest fits into `most` bytes; nothing as long as it fits. First those that wait for
    /// people, the longest unused first. Of those whose pages wait in the queue, the newest: the queue reaches them last.
    pub fn surplus(&self, most: usize) -> Vec<IncidentId> {
        if self.bytes <= most {
            return Vec::new();
        }
        let mut all: Vec<(&IncidentId, &CachedIncident)> = self.known.iter().collect();
        all.sort_unstable_by_key(|(id, entry)| match entry.queued {
            false => (false, entry.used, id.0),
            true => (true, 0, -id.0),
        });
        let mut left = self.bytes;
        let surplus = all.into_iter().take_while(|(_, entry)| {
            let too_much = most / 100 * KEPT_PERCENT < left;
            left -= entry.bytes;
            too_much
        });
        surplus.map(|(id, _)| *id).collect()
    }
}

/// About how many bytes an incident takes in memory. Its plan is shared with others and not counted.
fn bytes(kept: &StoredIncident) -> usize {
    let incident = &*kept.incident;
    let alert = &*incident.alert;
    let texts = alert.labels.iter().chain(&alert.annotations).map(|(name, text)| ENTRY + name.len() + text.len());
    let values = alert.unknown.values().chain([&alert.evidence]).map(json_bytes);
    let alert_bytes = texts.chain(values).sum::<usize>() + alert.summary.len() + alert.values.len() * ENTRY;
    let pages = incident.pages.len() * (3 * ENTRY + size_of::<Page>());
    let roles = incident.engagements.len() * 8 * ENTRY;
    let keys = incident.overflow.as_ref().map_or(0, |overflow| overflow.counted() * 3 * ENTRY);
    let own = size_of::<StoredIncident>() + size_of_val(incident) + size_of_val(alert) + incident.summary.len();
    own + alert_bytes + pages + roles + keys + kept.claims.size() * ENTRY
}

fn json_bytes(value: &serde_json::Value) -> usize {
    let content = match value {
        serde_json::Value::String(text) => text.len(),
        serde_json::Value::Array(items) => items.iter().map(json_bytes).sum(),
        serde_json::Value::Object(fields) => fields.iter().map(|(name, value)| name.len() + json_bytes(value)).sum(),
        _ => 0,
    };
    ENTRY + content
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cached(entries: &[(i64, u64, bool)]) -> CachedIncidents {
        let mut cached = CachedIncidents::default();
        for (id, used, queued) in entries {
            cached.known.insert(IncidentId(*id), CachedIncident { used: *used, bytes: 100, queued: *queued });
            cached.bytes += 100;
        }
        cached
    }

    #[test]
    fn what_the_queue_reaches_next_stays() {
        let all = [(1, 9, true), (2, 8, true), (3, 7, true), (4, 6, false), (5, 1, false)];
        let ids = |most: usize| cached(&all).surplus(most).into_iter().map(|id| id.0).collect::<Vec<_>>();
        assert_eq!(ids(500), [0_i64; 0]);
        assert_eq!(ids(499), [5, 4], "those that wait for people, the longest unused first");
        assert_eq!(ids(300), [5, 4, 3], "then the newest of the queue");
        assert_eq!(ids(0), [5, 4, 3, 2, 1]);
    }

    #[test]
    fn what_is_forgotten_or_changed_is_counted_once() {
        let mut cached = cached(&[(1, 1, false), (2, 2, false)]);
        cached.forget(IncidentId(1));
        cached.forget(IncidentId(1));
        assert_eq!(cached.bytes, 100);
        cached.forget(IncidentId(2));
        assert_eq!((cached.bytes, cached.known.len()), (0, 0));
    }
}
