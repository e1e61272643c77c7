//! Who said the same lately.

use super::Corroboration;
use crate::core::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most witnesses that are remembered: the ones heard longest ago go first.
pub const WITNESSES_MAX: u32 = 100;

/// When each witness said so last.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Witnesses(BTreeMap<String, Timestamp>);

impl Witnesses {
    /// Hears one; returns how many said so within the time. Those who said so before that are forgotten, unless they are
    /// `kept`.
    pub fn observe(&mut self, corroboration: &Corroboration, witness: &str, kept: bool, now: Timestamp) -> usize {
        let counts = |at: Timestamp| now < at + corroboration.within;
        self.0.retain(|_, at| kept || counts(*at));
        self.0.insert(witness.to_owned(), now);
        while (WITNESSES_MAX as usize) < self.0.len() {
            let oldest = self.0.iter().min_by_key(|(_, at)| **at).map(|(name, _)| name.clone());
            oldest.map(|name| self.0.remove(&name));
        }
        self.0.values().filter(|at| counts(**at)).count()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether this one had said so; it does not any more.
    pub fn remove(&mut self, witness: &str) -> bool {
        self.0.remove(witness).is_some()
    }

    /// Whether nobody said so.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
