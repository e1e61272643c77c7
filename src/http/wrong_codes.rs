//! Wrong codes by SMS: how many one number may send before its replies wait.

use crate::core::Timestamp;
use std::{collections::HashMap, sync::Arc, time::Duration};

/// Wrong codes that one number may send in [`GUESS_WINDOW`].
pub const GUESSES_MAX: u32 = 10;

/// How long wrong codes are remembered.
pub const GUESS_WINDOW: Duration = Duration::from_secs(10 * 60);

/// Numbers whose wrong codes are remembered.
pub(super) const GUESSERS_MAX: usize = 10_000;

/// Wrong codes, by number. A number's replies with codes are judged one after the other, so that many at once are no way to
/// guess, and right ones never count.
pub type WrongCodes = HashMap<String, Arc<tokio::sync::Mutex<NumberGuesses>>>;

/// The wrong codes of one number.
#[derive(Debug)]
pub struct NumberGuesses {
    /// When the first of them came.
    pub(super) since: Timestamp,
    /// How many came since.
    pub(super) wrong: u32,
}

impl NumberGuesses {
    /// Whether another code may be tried at `now`. After [`GUESS_WINDOW`] the count begins anew.
    pub(super) fn may_try(&mut self, now: Timestamp) -> bool {
        if self.since + GUESS_WINDOW <= now {
            *self = Self { since: now, wrong: 0 };
        }
        self.wrong < GUESSES_MAX
    }
}
