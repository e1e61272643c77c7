//! Circuit breakers of channels. When a channel is broken for everybody (its login is refused, its token revoked), its
//! pages use other channels at once, so that no attempt is wasted for each person. A broken channel is probed without
//! paging anybody, and from time to time one page is let through to test it.

use crate::core::{
    ChannelName, Timestamp,
    retry::{FIRST, LONGEST, backoff},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// The longest time between two probes of a broken channel.
pub const LOOK_LONGEST: Duration = Duration::from_secs(30);

/// The open breakers.
#[derive(Debug, Default)]
pub struct ChannelBreakers {
    broken: BTreeMap<ChannelName, BrokenChannel>,
    /// Channels whose breaker closed after a good probe, while no page has gone through since.
    on_trust: BTreeSet<ChannelName>,
    /// Broken channels of which the operators could not be told yet.
    untold: BTreeSet<ChannelName>,
}

/// One broken channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenChannel {
    /// When it broke.
    pub since: Timestamp,
    /// What the provider said.
    pub why: String,
    /// When the next page is let through as a test.
    pub probe_at: Timestamp,
    probes: u32,
    /// When it is probed next, without a page.
    pub look_at: Timestamp,
    looks: u32,
    /// A probe was good before and the next page failed all the same: only a page can close the breaker.
    misleads: bool,
}

impl BrokenChannel {
    fn new(since: Timestamp, why: &str, next: Timestamp) -> Self {
        Self { since, why: why.to_owned(), probe_at: next, probes: 0, look_at: next, looks: 0, misleads: false }
    }
}

impl ChannelBreakers {
    /// Why a page must not use this channel now; `None` if it may try.
    pub fn closed_to(&mut self, channel: &ChannelName, now: Timestamp) -> Option<String> {
        let broken = self.broken.get_mut(channel)?;
        if now < broken.probe_at {
            return Some(format!("the channel is broken since {}: {}", broken.since, broken.why));
        }
        broken.probes += 1;
        broken.probe_at = now + FIRST.saturating_mul(1 << broken.probes.min(10)).min(LONGEST);
        None
    }

    /// A page found that the channel is broken. Returns whether that is news.
    pub fn broke(&mut self, channel: &ChannelName, why: &str, now: Timestamp) -> bool {
        if let Some(broken) = self.broken.get_mut(channel) {
            why.clone_into(&mut broken.why);
            return false;
        }
        let misleads = self.on_trust.remove(channel);
        self.broken.insert(channel.clone(), BrokenChannel { misleads, ..BrokenChannel::new(now, why, now + FIRST) });
        true
    }

    /// The channel was broken before this node started. It is probed, and the next page may try, at once.
    pub fn was_broken(&mut self, channel: &ChannelName, since: Timestamp, why: &str, now: Timestamp) {
        self.broken.entry(channel.clone()).or_insert_with(|| BrokenChannel::new(since, why, now));
    }

    /// The broken channels that are due for a probe. Each is then due again later, with growing waits.
    pub fn to_look_at(&mut self, now: Timestamp) -> Vec<ChannelName> {
        let due = self.broken.iter_mut().filter(|(_, broken)| broken.look_at <= now);
        due.map(|(name, broken)| {
            broken.looks += 1;
            broken.look_at = now + backoff(broken.looks + 1).min(LOOK_LONGEST);
            name.clone()
        })
        .collect()
    }

    /// A probe was good. Returns whether the breaker closes: not if a good probe has misled before.
    pub fn looks_mended(&mut self, channel: &ChannelName) -> bool {
        if self.broken.get(channel).is_none_or(|broken| broken.misleads) {
            return false;
        }
        self.on_trust.insert(channel.clone());
        self.broken.remove(channel).is_some()
    }

    /// A page went through. Returns whether that closed the breaker.
    pub fn works(&mut self, channel: &ChannelName) -> bool {
        self.on_trust.remove(channel);
        self.broken.remove(channel).is_some()
    }

    /// Notes whether the operators could be told that a channel is broken.
    pub(super) fn told(&mut self, channel: &ChannelName, is_told: bool) {
        if is_told {
            self.untold.remove(channel);
        } else {
            self.untold.insert(channel.clone());
        }
    }

    /// Broken channels of which the operators must still be told, each with what its provider said.
    pub(super) fn untold(&mut self) -> Vec<(ChannelName, String)> {
        self.untold.retain(|channel| self.broken.contains_key(channel));
        self.untold.iter().filter_map(|name| Some((name.clone(), self.broken.get(name)?.why.clone()))).collect()
    }

    /// The channels that are broken now.
    pub fn broken(&self) -> BTreeMap<ChannelName, BrokenChannel> {
        self.broken.clone()
    }

    /// After a reload every broken channel is probed at once, and the next page may try it.
    pub fn look_again(&mut self, now: Timestamp) {
        self.on_trust.clear();
        for broken in self.broken.values_mut() {
            *broken = BrokenChannel::new(broken.since, &broken.why, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_broken_channel_the_operators_hear_in_the_end() {
        let (mut breakers, sms) = (ChannelBreakers::default(), ChannelName::from("sms"));
        breakers.broke(&sms, "login refused", Timestamp::default());
        breakers.told(&sms, false);
        assert_eq!(breakers.untold(), [(sms.clone(), "login refused".to_owned())]);
        breakers.told(&sms, true);
        assert_eq!(breakers.untold(), []);
        breakers.told(&sms, false);
        breakers.works(&sms);
        assert_eq!(breakers.untold(), [], "it works again: there is nothing to hear");
    }

    #[test]
    fn a_broken_channel_is_gone_round_and_probed_more_and_more_rarely_until_it_works() {
        let (mut breakers, sms) = (ChannelBreakers::default(), ChannelName::from("sms"));
        let mut now = Timestamp::from_micros(1_000_000_000);
        assert_eq!(breakers.closed_to(&sms, now), None);
        assert!(breakers.broke(&sms, "login refused", now));
        assert!(!breakers.broke(&sms, "login refused", now), "told once");
        let mut probes = 0;
        for _ in 0..600 {
            now = now + Duration::from_millis(500);
            probes += u32::from(breakers.closed_to(&sms, now).is_none());
        }
        assert!((10..=20).contains(&probes), "{probes} probes in five minutes");
        assert!(breakers.works(&sms) && !breakers.works(&sms));
        assert_eq!(breakers.closed_to(&sms, now), None);
    }

    #[test]
    fn a_broken_channel_is_looked_at_at_once_and_then_more_and_more_rarely() {
        let (mut breakers, sms) = (ChannelBreakers::default(), ChannelName::from("sms"));
        let mut now = Timestamp::from_micros(1_000_000_000);
        breakers.broke(&sms, "login refused", now);
        let mut looks = 0;
        for _ in 0..600 {
            now = now + Duration::from_millis(500);
            looks += breakers.to_look_at(now).len();
        }
        assert!((10..=20).contains(&looks), "{looks} looks in five minutes");
        assert!(breakers.looks_mended(&sms) && !breakers.looks_mended(&sms));
        assert_eq!(breakers.to_look_at(now + LOOK_LONGEST), []);
    }

    #[test]
    fn a_channel_that_only_looks_mended_is_believed_once() {
        let (mut breakers, sms, now) =
            (ChannelBreakers::default(), ChannelName::from("sms"), Timestamp::from_micros(1));
        breakers.broke(&sms, "no credit", now);
        assert!(breakers.looks_mended(&sms));
        assert!(breakers.broke(&sms, "no credit", now), "told again");
        assert!(!breakers.looks_mended(&sms), "it looked so before");
        assert!(breakers.works(&sms), "a page went through");
        breakers.broke(&sms, "login refused", now);
        assert!(breakers.looks_mended(&sms));
    }

    #[test]
    fn after_a_reload_the_next_look_and_the_next_page_may_try_at_once() {
        let (mut breakers, sms, now) =
            (ChannelBreakers::default(), ChannelName::from("sms"), Timestamp::from_micros(1));
        breakers.broke(&sms, "login refused", now);
        assert!(breakers.closed_to(&sms, now).is_some() && breakers.to_look_at(now).is_empty());
        breakers.look_again(now);
        assert!(breakers.closed_to(&sms, now).is_none() && !breakers.to_look_at(now).is_empty());
    }
}
