//! Channels that reach nobody: a refused login or a revoked token must not burn an attempt for every person. Pages go
//! round such a channel at once; every now and then one is let through to see whether it works again.

use super::Engine;
use crate::{
    channel::SendError,
    core::{
        Actor, Alert, ChannelName, IncidentId, Input, Opening, Receipt, Timestamp,
        retry::{FIRST, LONGEST},
    },
    store::{Class, Needs, StoreError, Unit, transact},
};
use std::{collections::BTreeMap, sync::Arc};

/// The source under which Stentor reports about itself.
pub const SELF: &str = "stentor";

/// The channels that are broken.
#[derive(Debug, Default)]
pub struct Breakers(BTreeMap<ChannelName, Broken>);

/// One that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Since when.
    pub since: Timestamp,
    /// What it said.
    pub why: String,
    /// When the next page is let through as a probe.
    pub probe_at: Timestamp,
    probes: u32,
}

impl Breakers {
    /// Why a page must go round this channel; none when it may try.
    pub fn closed_to(&mut self, channel: &ChannelName, now: Timestamp) -> Option<String> {
        let broken = self.0.get_mut(channel)?;
        if now < broken.probe_at {
            return Some(format!("the channel is broken since {}: {}", broken.since, broken.why));
        }
        broken.probes += 1;
        broken.probe_at = now + FIRST.saturating_mul(1 << broken.probes.min(10)).min(LONGEST);
        None
    }

    /// A page found the channel broken; whether that is news.
    pub fn broke(&mut self, channel: &ChannelName, why: &str, now: Timestamp) -> bool {
        if let Some(broken) = self.0.get_mut(channel) {
            why.clone_into(&mut broken.why);
            return false;
        }
        let broken = Broken { since: now, why: why.to_owned(), probe_at: now + FIRST, probes: 0 };
        self.0.insert(channel.clone(), broken);
        true
    }

    /// A page went through; whether that is news.
    pub fn works(&mut self, channel: &ChannelName) -> bool {
        self.0.remove(channel).is_some()
    }

    /// Those that are broken now.
    pub fn broken(&self) -> BTreeMap<ChannelName, Broken> {
        self.0.clone()
    }

    /// Forgets all: what a reload has mended is seen at the next page.
    pub fn reset(&mut self) {
        self.0.clear();
    }
}

impl Engine {
    /// Learns from how an attempt ended. What breaks and what is mended is told to the operators: the catch-all, by
    /// whatever still works.
    pub(super) async fn watch_channel(&self, channel: &ChannelName, result: &Result<Receipt, SendError>) {
        let told = match result {
            Err(SendError::Broken { why }) if self.breakers().broke(channel, why, self.store.now()) => {
                tracing::error!(channel = %channel, why, "this channel reaches nobody: its pages go round it");
                self.metrics.channel_broken(channel, true);
                self.tell_operators(channel, why).await
            }
            Ok(_) if self.breakers().works(channel) => {
                tracing::info!(channel = %channel, "this channel works again");
                self.metrics.channel_broken(channel, false);
                self.tell_mended(channel).await
            }
            _ => Ok(()),
        };
        if let Err(error) = told {
            tracing::error!(%error, channel = %channel, "the operators could not be told about this channel");
        }
    }

    async fn tell_operators(&self, channel: &ChannelName, why: &str) -> Result<(), StoreError> {
        let live = self.live.load_full();
        let Some(plan) = live.matrix.operators_plan() else { return Ok(()) };
        let mut alert = Alert::new(SELF, "channel_broken");
        alert.labels.insert("channel".into(), channel.to_string());
        alert.summary = format!("channel {channel} reaches nobody: {why}");
        let received_at = self.store.now();
        let (key, summary, alert) = (broken_key(channel), alert.summary.clone(), Arc::new(alert));
        let needs = Needs { keys: vec![key.clone()], ..Needs::default() };
        let run = move |unit: &mut Unit<'_>| {
            let (key, summary, plan, alert) = (key.clone(), summary.clone(), plan.clone(), alert.clone());
            unit.open(Opening { key, summary, plan, alert, received_at, terms: None }, &live.matrix.roster);
        };
        transact(&*self.store, Class::Ladder, needs, run).await.map(drop)
    }

    /// The incident about it is over by itself.
    async fn tell_mended(&self, channel: &ChannelName) -> Result<(), StoreError> {
        let live = self.live.load_full();
        let key = broken_key(channel);
        let needs = Needs { keys: vec![key.clone()], ..Needs::default() };
        let run = move |unit: &mut Unit<'_>| {
            let open: Option<IncidentId> = unit.open_with_key(&key);
            if let Some(id) = open {
                unit.step(id, Input::Resolve(Actor::Source(SELF.into())), &live.matrix.roster);
            }
        };
        transact(&*self.store, Class::Ladder, needs, run).await.map(drop)
    }
}

fn broken_key(channel: &ChannelName) -> String {
    format!("channel/{channel}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_broken_channel_is_gone_round_and_probed_more_and_more_rarely_until_it_works() {
        let (mut breakers, sms) = (Breakers::default(), ChannelName::from("sms"));
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
}
