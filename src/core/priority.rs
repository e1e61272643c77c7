//! How urgent the incidents of one trigger are next to those of others.

use serde::{Deserialize, Serialize};
use std::fmt;

/// From 1, the most urgent, to 5; 3 if the matrix does not say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "u8", into = "u8")]
pub struct Priority(u8);

impl Priority {
    /// The most urgent.
    pub const HIGHEST: u8 = 1;
    /// The least urgent.
    pub const LOWEST: u8 = 5;

    /// Whether it is the one that a trigger has if the matrix does not say it.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// How far a page of this priority takes its trigger back in the turns of a queue: of two triggers that both have
    /// pages waiting, the one whose pages cost half as much has two turns for each turn of the other.
    pub fn turn_cost(self) -> u64 {
        match self.0 {
            ..=1 => 1,
            2 => 2,
            3 => 4,
            4.. => 8,
        }
    }
}

impl Default for Priority {
    fn default() -> Self {
        Self(3)
    }
}

impl From<u8> for Priority {
    fn from(number: u8) -> Self {
        Self(number.clamp(Self::HIGHEST, Self::LOWEST))
    }
}

impl From<Priority> for u8 {
    fn from(priority: Priority) -> Self {
        priority.0
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "P{}", self.0)
    }
}
