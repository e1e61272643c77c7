//! When to try again, and how fast messages may be sent to one destination.

use crate::core::{send_outcome::HeldWhy, time::Timestamp};
use std::time::Duration;

/// The first wait after a refusal.
pub const FIRST: Duration = Duration::from_millis(500);

/// The longest wait between two attempts.
pub const LONGEST: Duration = Duration::from_secs(30);

/// The wait after refusal number `refusals`: it doubles from [`FIRST`] to [`LONGEST`].
pub fn backoff(refusals: u32) -> Duration {
    backoff_to(refusals, LONGEST)
}

/// The same with another upper limit, for work that nobody waits for.
pub fn backoff_to(refusals: u32, longest: Duration) -> Duration {
    FIRST.saturating_mul(1 << refusals.saturating_sub(1).min(10)).min(longest)
}

/// A token bucket in its timestamp form (GCRA): `burst` immediately, then one every `every`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendPace {
    /// The steady interval between two messages.
    pub every: Duration,
    /// How many may be sent at once after a pause; at least 1.
    pub burst: u32,
}

/// The rate limit state of one destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PaceState {
    full_at: Timestamp,
    held_until: Timestamp,
    held_why: HeldWhy,
}

impl PaceState {
    /// When the next message may start; never before `now`.
    pub fn ready_at(&self, pace: SendPace, now: Timestamp) -> Timestamp {
        self.turn_at(pace, now).max(self.held_until)
    }

    /// The same, but it ignores a hold ([`PaceState::held`]).
    pub fn turn_at(&self, pace: SendPace, now: Timestamp) -> Timestamp {
        let allowance = pace.every.saturating_mul(pace.burst.saturating_sub(1));
        let ready = i64::try_from(allowance.as_micros()).unwrap_or(i64::MAX);
        now.max(Timestamp::from_micros(self.full_at.as_micros().saturating_sub(ready)))
    }

    /// Until when nothing may be sent, and why; `now` if nothing holds it.
    pub fn held(&self, now: Timestamp) -> (Timestamp, HeldWhy) {
        (now.max(self.held_until), self.held_why)
    }

    /// Counts one message that starts at `now`.
    pub fn start(&mut self, pace: SendPace, now: Timestamp) {
        self.full_at = self.full_at.max(now) + pace.every;
    }

    /// Whether it still delays messages at `now`.
    pub fn is_held(&self, now: Timestamp) -> bool {
        now < self.full_at.max(self.held_until)
    }

    /// Nothing may start before `until`, even if there is burst left.
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
