//! Channels whose provider hands in over links that we open: whether anything is heard there, and since when. One that
//! is deaf still reaches people, so that its pages go on; but their buttons do nothing, which the operators must know.

use crate::core::{ChannelName, Timestamp};
use std::{collections::BTreeMap, time::Duration};

/// How long a channel may be deaf before the operators are told; at once where only people can mend it.
pub const DEAF_MAX: Duration = Duration::from_secs(2 * 60);

/// What is heard by one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundConnection {
    /// The links that are up.
    pub links: usize,
    /// Since when there is one, or none.
    pub since: Timestamp,
    /// Why the last one could not be opened; none once one could.
    pub trouble: Option<String>,
    was_told: bool,
    pub(super) is_told: bool,
}

/// By channel.
pub(crate) type InboundConnections = BTreeMap<ChannelName, InboundConnection>;

impl InboundConnection {
    pub(super) fn deaf_at(now: Timestamp) -> Self {
        // As if the operators had been told: a daemon before this one may have done so, and its word is taken back by
        // the first link.
        Self { links: 0, since: now, trouble: None, was_told: true, is_told: false }
    }

    /// So many links are up; whether the operators are to hear that it hears again.
    pub(super) fn linked(&mut self, links: usize, now: Timestamp) -> bool {
        let opened = self.links < links;
        if (self.links == 0) != (links == 0) {
            self.since = now;
        }
        self.links = links;
        if !opened {
            return false;
        }
        self.trouble = None;
        std::mem::take(&mut self.was_told) | std::mem::take(&mut self.is_told)
    }

    /// One could not be opened; whether that is news for the operators.
    pub(super) fn failed(&mut self, why: &str, is_lasting: bool, now: Timestamp) -> bool {
        self.trouble = Some(why.to_owned());
        let is_deaf = is_lasting || self.links == 0 && self.since + DEAF_MAX <= now;
        is_deaf && !std::mem::replace(&mut self.is_told, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operators_are_told_once_when_it_lasts_and_once_when_it_is_over() {
        let start = Timestamp::from_micros(1_000_000_000);
        let mut hearing = InboundConnection::deaf_at(start);
        assert!(hearing.linked(1, start), "what a daemon before this one has told is taken back");
        assert!(!hearing.linked(2, start));
        let lost = start + Duration::from_secs(60);
        assert!(!hearing.linked(1, lost) && !hearing.linked(0, lost));
        assert_eq!((hearing.since, hearing.links), (lost, 0));
        let mut told = Vec::new();
        for s in (0..600).step_by(10) {
            if hearing.failed("no route", false, lost + Duration::from_secs(s)) {
                told.push(s);
            }
        }
        assert_eq!(told, [DEAF_MAX.as_secs()], "once, and not for a moment's trouble");
        let found = lost + Duration::from_secs(700);
        assert!(hearing.linked(1, found) && !hearing.linked(2, found));
        assert_eq!((hearing.since, hearing.trouble.as_deref()), (found, None));
        // With one link up a moment's trouble is none, a revoked token is.
        assert!(!hearing.linked(1, found) && !hearing.failed("no route", false, found + DEAF_MAX * 2));
        assert!(hearing.failed("invalid_auth", true, found) && !hearing.failed("invalid_auth", true, found));
        assert!(hearing.linked(2, found));
    }
}
