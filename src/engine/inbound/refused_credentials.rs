//! Refused credentials of programs, counted for the journal: by what was asked for, whose credential it was and from
//! where. However many requests a stranger sends, an hour has a bounded number of lines.

use crate::core::{SourceEvent, Timestamp};
use std::{collections::BTreeMap, time::Duration};

/// The time in which refusals of one kind are counted together.
pub const CREDENTIALS_WINDOW: Duration = Duration::from_secs(3600);

/// How many kinds of refusals have a count of their own within one window. Of others the address is not kept, nor whose
/// credential it was.
pub const CREDENTIALS_MAX: usize = 50;

/// What an address is called where there were too many.
pub const OTHERS: &str = "others";

/// Refusals that are counted together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RefusedCredential {
    /// What it was used for: a scope of a source, or `hooks` for the address of a channel.
    pub asked: String,
    /// The source or channel of the matrix that it was about.
    pub owner: Option<String>,
    /// The address that the connection came from.
    pub address: String,
}

/// The counts of this window.
#[derive(Debug, Default)]
pub struct RefusedCredentials {
    counts: BTreeMap<RefusedCredential, RefusalCount>,
}

#[derive(Debug)]
struct RefusalCount {
    since: Timestamp,
    count: u64,
}

impl RefusedCredentials {
    /// Counts one. The first of its kind in a window is a line at once.
    pub fn count(&mut self, mut refused: RefusedCredential, now: Timestamp) -> Option<SourceEvent> {
        if CREDENTIALS_MAX <= self.counts.len() && !self.counts.contains_key(&refused) {
            (refused.owner, refused.address) = (None, OTHERS.to_owned());
        }
        let count = self.counts.entry(refused.clone()).or_insert(RefusalCount { since: now, count: 0 });
        count.count += 1;
        (count.count == 1).then(|| count.event(refused))
    }

    /// The lines of the windows that are over, with how many there were; of those with one, that was said before.
    pub fn over(&mut self, now: Timestamp, is_stop: bool) -> Vec<SourceEvent> {
        let ended = self.counts.extract_if(.., |_, count| is_stop || count.since + CREDENTIALS_WINDOW <= now);
        ended.filter(|(_, count)| 1 < count.count).map(|(refused, count)| count.event(refused)).collect()
    }
}

impl RefusalCount {
    fn event(&self, refused: RefusedCredential) -> SourceEvent {
        let RefusedCredential { asked, owner, address } = refused;
        SourceEvent::CredentialRefused { asked, owner, address, count: self.count, since: self.since }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn from(address: &str) -> RefusedCredential {
        RefusedCredential { asked: "alerts".into(), owner: None, address: address.into() }
    }

    #[test]
    fn a_scraper_with_a_wrong_token_is_two_lines_an_hour() {
        let mut refused = RefusedCredentials::default();
        let lines: Vec<_> = (0..3_600).filter_map(|second| refused.count(from("10.0.0.7"), at(second))).collect();
        assert!(matches!(&lines[..], [SourceEvent::CredentialRefused { count: 1, .. }]), "{lines:?}");
        assert_eq!(refused.over(at(3_599), false), Vec::new());
        let lines = refused.over(at(3_600), false);
        assert!(
            matches!(&lines[..], [SourceEvent::CredentialRefused { count: 3_600, since, .. }] if *since == at(0)),
            "{lines:?}"
        );
        assert!(refused.count(from("10.0.0.7"), at(3_601)).is_some(), "the next hour has its own");
    }

    #[test]
    fn a_flood_from_everywhere_grows_the_journal_no_further() {
        let mut refused = RefusedCredentials::default();
        let lines = (0..100_000).filter(|n| refused.count(from(&n.to_string()), at(1)).is_some()).count();
        assert_eq!(lines, CREDENTIALS_MAX + 1);
        let counted: Vec<_> = refused.over(at(2), true);
        assert!(
            matches!(&counted[..], [SourceEvent::CredentialRefused { address, count: 99_950, .. }] if address == OTHERS),
            "{counted:?}"
        );
    }
}
