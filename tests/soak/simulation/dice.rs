//! Chance, from a seed: the same seed throws the same dice.

use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::time::Duration;

pub struct Dice(StdRng);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    /// From 0 up to, not including, `n`.
    pub fn below(&mut self, n: usize) -> usize {
        self.0.random_range(0..n)
    }

    /// From `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        self.0.random_range(low..=high)
    }

    /// True so many times in a hundred.
    pub fn chance(&mut self, percent: u32) -> bool {
        self.0.random_range(0..100) < percent
    }

    pub fn millis(&mut self, low: u64, high: u64) -> Duration {
        Duration::from_millis(self.between(low, high))
    }

    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    /// Some of these, at least one, in their order.
    pub fn some_of<T: Clone>(&mut self, from: &[T], most: usize) -> Vec<T> {
        let mut left = 1 + self.below(most.min(from.len()));
        let mut rest = from.len();
        let mut chosen = Vec::new();
        for item in from {
            if self.below(rest) < left {
                chosen.push(item.clone());
                left -= 1;
            }
            rest -= 1;
        }
        chosen
    }
}
