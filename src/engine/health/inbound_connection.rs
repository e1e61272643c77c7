//! Inbound connections: those that Stentor opens to a provider to receive what people answer. Without
//! one a channel still sends pages, but its buttons do nothing, so the operators must know.

use crate::core::{ChannelName, Timestamp};
use std::{collections::BTreeMap, time::Duration};

/// How long a channel may have no connection before the operators are told; they are told at once if only people can
/// repair it.
pub const CLOSED_MAX: Duration = Duration::from_secs(2 * 60);

/// The inbound connections of one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundConnection {
    /// How many connections are up.
    pub open: usize,
    /// When the first one opened, or the last one closed.
    pub since: Timestamp,
    /// Why the last one could not be opened; `None` once one could.
    pub last_error: Option<String>,
    was_told: bool,
    pub(super) is_told: bool,
}

/// The inbound connections of all channels.
pub(super) type InboundConnections = BTreeMap<ChannelName, InboundConnection>;

impl InboundConnection {
    pub(super) fn closed_at(now: Timestamp) -> Self {
        // It starts as if the operators had been told: an earlier run of the daemon may have told them, and the first
        // connection ends their incident.
        Self { open: 0, since: now, last_error: None, was_told: true, is_told: false }
    }

    /// Sets how many connections are up. Returns whether to tell the operators that answers arrive again.
    pub(super) fn count(&mut self, open: usize, now: Timestamp) -> bool {
        let opened = self.open < open;
        if (self.open == 0) != (open == 0) {
            self.since = now;
        }
        self.open = open;
        if !opened {
            return false;
        }
        self.last_error = None;
        std::mem::take(&mut self.was_told) | std::mem::take(&mut self.is_told)
    }

    /// A connection could not be opened. Returns whether to tell the operators.
    pub(super) fn failed(&mut self, why: &str, is_lasting: bool, now: Timestamp) -> bool {
        self.last_error = Some(why.to_owned());
        let is_lost = is_lasting || self.open == 0 && self.since + CLOSED_MAX <= now;
        is_lost && !std::mem::replace(&mut self.is_told, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operators_are_told_once_when_it_lasts_and_once_when_it_is_over() {
        let start = Timestamp::from_micros(1_000_000_000);
        let mut connection = InboundConnection::closed_at(start);
        assert!(connection.count(1, start), "what a daemon before this one has told is taken back");
        assert!(!connection.count(2, start));
        let lost = start + Duration::from_secs(60);
        assert!(!connection.count(1, lost) && !connection.count(0, lost));
        assert_eq!((connection.since, connection.open), (lost, 0));
        let mut told = Vec::new();
        for s in (0..600).step_by(10) {
            if connection.failed("no route", false, lost + Duration::from_secs(s)) {
                told.push(s);
            }
        }
        assert_eq!(told, [CLOSED_MAX.as_secs()], "once, and not for a moment's last_error");
        let found = lost + Duration::from_secs(700);
        assert!(connection.count(1, found) && !connection.count(2, found));
        assert_eq!((connection.since, connection.last_error.as_deref()), (found, None));
        // With one link up a moment's last_error is none, a revoked token is.
        assert!(!connection.count(1, found) && !connection.failed("no route", false, found + CLOSED_MAX * 2));
        assert!(connection.failed("invalid_auth", true, found) && !connection.failed("invalid_auth", true, found));
        assert!(connection.count(2, found));
    }
}
