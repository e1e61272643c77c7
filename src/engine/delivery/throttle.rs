//! How much one channel bears at the moment, learnt from how its provider answers. No clock: `now` is an argument.
//!
//! A throttle that meets one destination is that destination's own affair. A second destination that is throttled while
//! the first still waits says that the provider slows everybody down: then the whole channel waits as long as it was
//! asked to, and goes on with fewer sends at once, which grow again with each page that is taken (additive increase,
//! multiplicative decrease from what was under way, as TCP does it: RFC 5681 section 3.1).

use crate::core::Timestamp;

/// How many sends one channel may have under way; a channel that hangs delays only itself.
pub const IN_FLIGHT_MAX: usize = 64;

/// However hard its provider throttles, so many are tried at once.
const IN_FLIGHT_MIN: usize = 4;

/// What is known of one channel's provider. `D` names a destination.
#[derive(Debug)]
pub struct ChannelThrottle<D> {
    at_once: usize,
    taken: usize,
    held_until: Timestamp,
    last: Option<(D, Timestamp)>,
}

impl<D> Default for ChannelThrottle<D> {
    fn default() -> Self {
        Self { at_once: IN_FLIGHT_MAX, taken: 0, held_until: Timestamp::default(), last: None }
    }
}

impl<D: PartialEq> ChannelThrottle<D> {
    /// How many sends may be under way.
    pub fn at_once(&self) -> usize {
        self.at_once
    }

    /// Until when nobody may be written to.
    pub fn held_until(&self) -> Timestamp {
        self.held_until
    }

    /// A page was taken.
    pub fn took(&mut self) {
        self.taken += 1;
        if self.at_once <= self.taken && self.at_once < IN_FLIGHT_MAX {
            self.taken = 0;
            self.at_once += 1;
        }
    }

    /// A page to `destination` was told to come back at `until`, while so many were under way.
    pub fn throttled(&mut self, destination: D, in_flight: usize, until: Timestamp, now: Timestamp) {
        let everybody = self.last.as_ref().is_some_and(|(other, wait)| *other != destination && now < *wait);
        if everybody {
            // One burst that is refused is one piece of news, however many pages were in it.
            if self.held_until <= now {
                // What was under way was too much. More was allowed, but nobody knows whether that would have worked.
                self.at_once = (self.at_once.min(in_flight) / 2).max(IN_FLIGHT_MIN);
                self.taken = 0;
            }
            self.held_until = self.held_until.max(until);
        }
        self.last = Some((destination, until));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const START: Timestamp = Timestamp::from_micros(1_000_000_000);

    #[test]
    fn one_destination_that_is_throttled_holds_nobody_else() {
        let mut throttle = ChannelThrottle::default();
        for _ in 0..10 {
            throttle.throttled("ana", IN_FLIGHT_MAX, START + Duration::from_secs(1), START);
        }
        assert!(throttle.held_until() <= START);
        assert_eq!(throttle.at_once(), IN_FLIGHT_MAX);
    }

    #[test]
    fn two_that_are_throttled_together_hold_the_channel_and_halve_it_once_a_burst() {
        let mut throttle = ChannelThrottle::default();
        let until = START + Duration::from_secs(1);
        for destination in ["ana", "bo", "cy", "di"] {
            throttle.throttled(destination, IN_FLIGHT_MAX, until, START);
        }
        assert_eq!((throttle.held_until(), throttle.at_once()), (until, IN_FLIGHT_MAX / 2));
        for round in 1..20 {
            let now = until + Duration::from_secs(round);
            for destination in ["ana", "bo"] {
                throttle.throttled(destination, IN_FLIGHT_MAX, now + Duration::from_secs(1), now);
            }
        }
        assert_eq!(throttle.at_once(), IN_FLIGHT_MIN, "it never stops trying");
    }

    #[test]
    fn a_throttle_of_long_ago_says_nothing_about_the_channel() {
        let mut throttle = ChannelThrottle::default();
        throttle.throttled("ana", IN_FLIGHT_MAX, START + Duration::from_secs(1), START);
        let later = START + Duration::from_secs(5);
        throttle.throttled("bo", IN_FLIGHT_MAX, later + Duration::from_secs(1), later);
        assert!(throttle.held_until() <= later);
    }

    /// A server that takes six sessions at once refuses the rest of 22 mails: 64 were allowed, and that says nothing.
    #[test]
    fn it_is_halved_from_what_was_under_way_not_from_what_was_allowed() {
        let mut throttle = ChannelThrottle::default();
        for destination in ["ana", "bo", "cy"] {
            throttle.throttled(destination, 22, START + Duration::from_secs(1), START);
        }
        assert_eq!(throttle.at_once(), 11);
        let later = START + Duration::from_secs(1);
        for destination in ["ana", "bo"] {
            throttle.throttled(destination, 11, later + Duration::from_secs(1), later);
        }
        assert_eq!(throttle.at_once(), 5);
    }

    #[test]
    fn what_is_taken_opens_the_channel_again() {
        let mut throttle = ChannelThrottle::default();
        throttle.throttled("ana", IN_FLIGHT_MAX, START + Duration::from_secs(1), START);
        throttle.throttled("bo", IN_FLIGHT_MAX, START + Duration::from_secs(1), START);
        (0..10_000).for_each(|_| throttle.took());
        assert_eq!(throttle.at_once(), IN_FLIGHT_MAX);
    }
}
