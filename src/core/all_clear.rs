//! How the all-clear reached people: who was told, and why the others were not.

use crate::core::{
    incident::{Incident, IncidentStatus},
    names::PersonName,
    page::{Page, PagePurpose},
    send_outcome::StandIn,
    time::Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The all-clear of a resolved incident.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AllClear {
    /// People who had been paged: through a channel, in the sandbox, or only on paper by their drill.
    pub people: usize,
    /// Of these, people whose all-clear a channel accepted.
    pub told: usize,
    /// Of the others, people whose all-clear stayed in the sandbox and was sent to nobody.
    #[serde(default)]
    pub sandbox: usize,
    /// Of the others, people who were absent from the drill on purpose.
    #[serde(default)]
    pub injected: usize,
    /// When the last of them was told, in milliseconds after the incident ended.
    pub last_ms: Option<f64>,
}

impl Incident {
    /// Who has received the all-clear; `None` if the incident is still open.
    pub fn all_clear(&self) -> Option<AllClear> {
        let IncidentStatus::Resolved { at: ended_at, .. } = self.status else { return None };
        let mut words: BTreeMap<&PersonName, Vec<&Page>> = BTreeMap::new();
        for page in self.pages.values().filter(|page| page.purpose == PagePurpose::Resolved) {
            if let Some(person) = &page.person {
                words.entry(person).or_default().push(page);
            }
        }
        let unheard = || words.values().filter(|pages| heard(pages).is_none());
        let sandbox = unheard().filter(|pages| took(pages, StandIn::Sandbox)).count();
        let absent = unheard().filter(|pages| took(pages, StandIn::Drill) && !took(pages, StandIn::Sandbox)).count();
        Some(AllClear {
            people: words.len(),
            told: words.values().filter_map(|pages| heard(pages)).count(),
            sandbox,
            injected: absent,
            last_ms: words.values().filter_map(|pages| heard(pages)).max().map(|at| ms(ended_at, at)),
        })
    }
}

impl AllClear {
    /// Why some people were not told, as far as that was intended. Shown after the number of people who were told.
    pub fn untold(&self) -> String {
        let mut text = String::new();
        if 0 < self.sandbox {
            text.push_str(&format!("; for {} of them {}", self.sandbox, StandIn::Sandbox));
        }
        if 0 < self.injected {
            text.push_str(&format!("; {} of them absent on purpose (injected by the drill)", self.injected));
        }
        text
    }
}

fn heard(pages: &[&Page]) -> Option<Timestamp> {
    pages.iter().filter_map(|page| page.stages.accepted).min()
}

fn took(pages: &[&Page], stand_in: StandIn) -> bool {
    pages.iter().any(|page| page.stand_in() == Some(stand_in))
}

fn ms(from: Timestamp, to: Timestamp) -> f64 {
    to.micros_since(from) as f64 / 1e3
}
