//! What a flood of one trigger may cost the others.

use super::Laws;
use std::{collections::BTreeMap, time::Duration};
use stentor::core::{Event, IncidentId, PageId, Timestamp, TriggerName};

/// How long the first page to a person by a channel may wait behind another trigger's flood: the slowest pace of the shapes is
/// one a second, and each of an incident's pages to one person waits for one page of the flood at most.
pub const FIRST_MAX: Duration = Duration::from_secs(4);

/// Whose pages have waited for how long.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FirstPages {
    /// First pages of triggers that were not flooded.
    pub others: usize,
    /// How long the one of them waited that waited longest.
    pub others_waited: Duration,
    /// The same of the flood.
    pub flood_waited: Duration,
}

/// First pages that were born, and have not started.
pub(super) struct Fairness {
    flood: TriggerName,
    born: BTreeMap<PageId, (Timestamp, bool)>,
    seen: FirstPages,
}

impl Laws {
    /// From here on pages of other triggers may not wait behind those of this one.
    pub fn is_flooded_by(&mut self, flood: TriggerName) {
        self.fairness = Some(Fairness { flood, born: BTreeMap::new(), seen: FirstPages::default() });
    }

    /// What was seen of first pages.
    pub fn first_pages(&self) -> FirstPages {
        self.fairness.as_ref().map(|fairness| fairness.seen.clone()).unwrap_or_default()
    }

    pub(super) fn law_fair_first_pages_wait(&mut self, id: IncidentId, at: Timestamp, event: &Event) {
        let (Some(fairness), Some(shadow)) = (&mut self.fairness, self.shadows.get(&id)) else { return };
        match event {
            Event::Paged { page } if page.person.is_some() && page.purpose.is_brief() => {
                let same = |known: &stentor::core::Page| known.person == page.person && known.channel == page.channel;
                if !shadow.incident.pages.values().any(|known| same(known)) {
                    let is_flood = shadow.incident.trigger == fairness.flood;
                    fairness.born.insert(PageId { incident: id, n: page.n }, (at, is_flood));
                }
            }
            Event::Withdrawn { pages } => {
                fairness.born.retain(|page, _| page.incident != id || !pages.contains(&page.n));
            }
            _ => {}
        }
    }

    pub(super) fn first_page_starts(&mut self, at: Timestamp, page: PageId) {
        let Some(fairness) = &mut self.fairness else { return };
        let Some((born, is_flood)) = fairness.born.remove(&page) else { return };
        let (waited, seen) = (at.since(born), &mut fairness.seen);
        if is_flood {
            seen.flood_waited = seen.flood_waited.max(waited);
        } else {
            seen.others += 1;
            seen.others_waited = seen.others_waited.max(waited);
        }
    }

    pub(super) fn law_fair_nobody_waits_behind_a_flood(&mut self, at: Timestamp) {
        let Some(fairness) = &self.fairness else { return };
        let late = fairness.born.iter().find(|(_, (born, is_flood))| !is_flood && FIRST_MAX < at.since(*born));
        if let Some((page, (born, _))) = late {
            let what = format!("{page} was born at {born} and has not started at {at}");
            self.fail("fair", what);
        }
    }
}
