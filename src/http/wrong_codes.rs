//! Limits how many wrong codes one number may send by SMS.

use crate::core::Timestamp;
use std::{collections::HashMap, sync::Arc, time::Duration};

/// The largest number of wrong codes from one number in [`GUESS_WINDOW`].
pub const GUESSES_MAX: u32 = 10;

/// How long wrong codes are counted.
pub const GUESS_WINDOW: Duration = Duration::from_secs(10 * 60);

/// The largest number of phone numbers for which wrong codes are counted.
pub(super) const GUESSERS_MAX: usize = 10_000;

/// Wrong codes, by number. A number's replies with codes are handled one after the other, so that sending many at once
/// does not bypass the limit; correct ones never count.
pub type WrongCodes = HashMap<String, Arc<tokio::sync::Mutex<NumberGuesses>>>;

/// The wrong codes of one number.
#[derive(Debug)]
pub struct NumberGuesses {
    /// When the first of them was received.
    pub(super) since: Timestamp,
    /// How many were received since.
    pub(super) wrong: u32,
}

impl NumberGuesses {
    /// Whether another code may be tried at `now`. After [`GUESS_WINDOW`] the count starts again.
    pub(super) fn may_try(&mut self, now: Timestamp) -> bool {
        if self.since + GUESS_WINDOW <= now {
            *self = Self { since: now, wrong: 0 };
        }
        self.wrong < GUESSES_MAX
    }
}
