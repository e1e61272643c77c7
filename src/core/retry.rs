//! When to try again, and how fast one destination may be written to.

use crate::core::{send_outcome::HeldWhy, time::Timestamp};
use std::time::Duration;

/// The first wait after a refusal.
pub const FIRST: Duration = Duration::from_millis(500);

/// The longest wait between two attempts.
pub const LONGEST: Duration = Duration::from_secs(30);

/// The wait after the `refusals`th refusal: doubling from [`FIRST`] to [`LONGEST`].
pub fn backoff(refusals: u32) -> Duration {
    backoff_to(refusals, LONGEST)
}

/// The same up to another longest wait: for what nobody waits for.
pub fn backoff_to(refusals: u32, longest: Duration) -> Duration {
    FIRST.saturating_mul(1 << refusals.saturating_sub(1).min(10)).min(longest)
}

/// A token bucket in its timestamp form (GCRA): `burst` at once, then one every `every`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendPace {
    /// The steady distance between two.
    pub every: Duration,
    /// How many may go at once after a pause; at least 1.
    pub burst: u32,
}

/// The state of one destination's pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PaceState {
    full_at: Timestamp,
    held_until: Timestamp,
    held_why: HeldWhy,
}

impl PaceState {
    /// When the next may start, not before `now`.
    pub fn ready_at(&self, pace: SendPace, now: Timestamp) -> Timestamp {
        self.turn_at(pace, now).max(self.held_until)
    }

    /// The same for what need not leave it alone ([`PaceState::held`]).
    pub fn turn_at(&self, pace: SendPace, now: Timestamp) -> Timestamp {
        let allowance = pace.every.saturating_mul(pace.burst.saturating_sub(1));
        let ready = i64::try_from(allowance.as_micros()).unwrap_or(i64::MAX);
        now.max(Timestamp::from_micros(self.full_at.as_micros().saturating_sub(ready)))
    }

    /// Until when it must be left alone, and why; `now` where it need not.
    pub fn held(&self, now: Timestamp) -> (Timestamp, HeldWhy) {
        (now.max(self.held_until), self.held_why)
    }

    /// Counts one that starts at `now`.
    pub fn start(&mut self, pace: SendPace, now: Timestamp) {
        self.full_at = self.full_at.max(now) + pace.every;
    }

    /// Whether it still holds anybody back at `now`.
    pub fn is_held(&self, now: Timestamp) -> bool {
        now < self.full_at.max(self.held_until)
    }

    /// Nobody may start before `until`, whatever is left of the burst.
    pub fn hold_until(&mut self, until: Timestamp, why: HeldWhy) {
        if self.held_until <= until {
            (self.held_until, self.held_why) = (until, why);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_end() {
        let waits: Vec<u128> = (1..9).map(|n| backoff(n).as_millis()).collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
    }

    #[test]
    fn a_burst_goes_at_once_and_then_the_pace_holds() {
        let pace = SendPace { every: Duration::from_secs(1), burst: 3 };
        let (mut paced, now) = (PaceState::default(), Timestamp::from_micros(10_000_000));
        let mut starts = Vec::new();
        for _ in 0..5 {
            let at = paced.ready_at(pace, now);
            paced.start(pace, at);
            starts.push(at.micros_since(now) / 1_000_000);
        }
        assert_eq!(starts, [0, 0, 0, 1, 2]);
    }

    #[test]
    fn a_provider_that_asks_for_a_pause_gets_all_of_it() {
        let pace = SendPace { every: Duration::from_secs(1), burst: 5 };
        let (mut paced, now) = (PaceState::default(), Timestamp::from_micros(10_000_000));
        let until = now + Duration::from_secs(3);
        paced.hold_until(until, HeldWhy::Provider);
        assert_eq!(paced.ready_at(pace, now), until);
    }
}
