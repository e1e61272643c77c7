//! Channels that reach nobody: a refused login or a revoked token must not burn an attempt for every person. Pages go
//! round such a channel at once. Every now and then it is looked at without paging anybody, and a page is let through to
//! see whether it works again.

use super::Engine;
use crate::{
    channel::{CheckOutcome, SendError},
    core::{
        Actor, Alert, ChannelName, Incident, IncidentId, IncidentInput, IncidentKey, IncidentOpening, SendReceipt,
        Timestamp,
        names::SELF,
        retry::{FIRST, LONGEST, backoff},
    },
    store::{LockSet, RequestClass, StoreError, Transaction, transact},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// The longest time between two looks at a broken channel.
pub const LOOK_LONGEST: Duration = Duration::from_secs(30);

/// The kind of alert that tells of a broken channel.
const BROKEN: &str = "channel_broken";

/// The channels that are broken.
#[derive(Debug, Default)]
pub struct ChannelBreakers {
    broken: BTreeMap<ChannelName, BrokenChannel>,
    /// Taken for mended because they looked so; no page has gone through since.
    on_trust: BTreeSet<ChannelName>,
    /// Broken ones of which the operators could not be told: it is tried again.
    untold: BTreeSet<ChannelName>,
}

/// One that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenChannel {
    /// Since when.
    pub since: Timestamp,
    /// What it said.
    pub why: String,
    /// When the next page is let through as a probe.
    pub probe_at: Timestamp,
    probes: u32,
    /// When it is looked at next, without a page.
    pub look_at: Timestamp,
    looks: u32,
    /// It looked mended before and was not: only a page can tell.
    misleads: bool,
}

impl BrokenChannel {
    fn new(since: Timestamp, why: &str, next: Timestamp) -> Self {
        Self { since, why: why.to_owned(), probe_at: next, probes: 0, look_at: next, looks: 0, misleads: false }
    }
}

impl ChannelBreakers {
    /// Why a page must go round this channel; none when it may try.
    pub fn closed_to(&mut self, channel: &ChannelName, now: Timestamp) -> Option<String> {
        let broken = self.broken.get_mut(channel)?;
        if now < broken.probe_at {
            return Some(format!("the channel is broken since {}: {}", broken.since, broken.why));
        }
        broken.probes += 1;
        broken.probe_at = now + FIRST.saturating_mul(1 << broken.probes.min(10)).min(LONGEST);
        None
    }

    /// A page found the channel broken; whether that is news.
    pub fn broke(&mut self, channel: &ChannelName, why: &str, now: Timestamp) -> bool {
        if let Some(broken) = self.broken.get_mut(channel) {
            why.clone_into(&mut broken.why);
            return false;
        }
        let misleads = self.on_trust.remove(channel);
        self.broken.insert(channel.clone(), BrokenChannel { misleads, ..BrokenChannel::new(now, why, now + FIRST) });
        true
    }

    /// It was broken before this node started, which does not know whether it still is: it is looked at, and the next
    /// page may try, at once.
    pub fn was_broken(&mut self, channel: &ChannelName, since: Timestamp, why: &str, now: Timestamp) {
        self.broken.entry(channel.clone()).or_insert_with(|| BrokenChannel::new(since, why, now));
    }

    /// Those whose time to be looked at has come; each has its next time then, later and later.
    pub fn to_look_at(&mut self, now: Timestamp) -> Vec<ChannelName> {
        let due = self.broken.iter_mut().filter(|(_, broken)| broken.look_at <= now);
        due.map(|(name, broken)| {
            broken.looks += 1;
            broken.look_at = now + backoff(broken.looks + 1).min(LOOK_LONGEST);
            name.clone()
        })
        .collect()
    }

    /// It looks as if it worked; whether that is believed, and news.
    pub fn looks_mended(&mut self, channel: &ChannelName) -> bool {
        if self.broken.get(channel).is_none_or(|broken| broken.misleads) {
            return false;
        }
        self.on_trust.insert(channel.clone());
        self.broken.remove(channel).is_some()
    }

    /// A page went through; whether that is news.
    pub fn works(&mut self, channel: &ChannelName) -> bool {
        self.on_trust.remove(channel);
        self.broken.remove(channel).is_some()
    }

    /// Whether the operators could be told of it.
    fn told(&mut self, channel: &ChannelName, is_told: bool) {
        if is_told {
            self.untold.remove(channel);
        } else {
            self.untold.insert(channel.clone());
        }
    }

    /// Those that are broken and of which the operators still have to hear, each with what it said.
    fn untold(&mut self) -> Vec<(ChannelName, String)> {
        self.untold.retain(|channel| self.broken.contains_key(channel));
        self.untold.iter().filter_map(|name| Some((name.clone(), self.broken.get(name)?.why.clone()))).collect()
    }

    /// Those that are broken now.
    pub fn broken(&self) -> BTreeMap<ChannelName, BrokenChannel> {
        self.broken.clone()
    }

    /// Whatever a reload has mended is seen at once.
    pub fn look_again(&mut self, now: Timestamp) {
        self.on_trust.clear();
        for broken in self.broken.values_mut() {
            *broken = BrokenChannel::new(broken.since, &broken.why, now);
        }
    }
}

impl Engine {
    /// Learns from how an attempt ended. What breaks and what is mended is told to the operators: the catch-all, by
    /// whatever still works.
    pub(super) async fn watch_channel(&self, channel: &ChannelName, result: &Result<SendReceipt, SendError>) {
        let told = match result {
            Err(SendError::Broken { why }) if self.breakers().broke(channel, why, self.store.now()) => {
                tracing::error!(channel = %channel, why, "this channel reaches nobody: its pages go round it");
                self.metrics.channel_broken(channel, true);
                self.tell_operators(channel, why).await
            }
            // What stood in for the channel says nothing about it.
            Ok(receipt) if receipt.stand_in.is_none() && self.breakers().works(channel) => {
                self.mended(channel, "a page went through").await
            }
            _ => Ok(()),
        };
        if let Err(error) = told {
            tracing::error!(%error, channel = %channel, "the operators could not be told about this channel");
        }
    }

    /// Looks at the broken channels whose time has come, without paging anybody; returns how many work again.
    pub async fn tick_breakers(&self) -> Result<usize, StoreError> {
        let untold = self.breakers().untold();
        for (channel, why) in untold {
            self.tell_operators(&channel, &why).await?;
        }
        let due = self.breakers().to_look_at(self.store.now());
        let looked = futures_util::future::join_all(due.iter().map(|channel| self.look_at(channel))).await;
        let mended: Vec<bool> = looked.into_iter().collect::<Result<_, StoreError>>()?;
        Ok(mended.into_iter().filter(|mended| *mended).count())
    }

    /// Takes up the channels that were broken before this node started: their incidents are still open, and nobody
    /// else would notice that they work again.
    pub async fn recall_breakers(&self) -> Result<(), StoreError> {
        let now = self.store.now();
        let is_ours = |incident: &Incident| incident.alert.source.as_str() == SELF && incident.alert.kind == BROKEN;
        for id in self.store.open_under(IncidentKey::CHANNELS.to_owned()).await? {
            // One that can not be read is told by the store itself.
            let incident = match self.store.view(id).await {
                Err(StoreError::Corrupt { .. }) => continue,
                incident => incident?,
            };
            let Some(incident) = incident.filter(|incident| is_ours(incident)) else { continue };
            let Some(channel) = incident.key.broken_channel() else { continue };
            self.breakers().was_broken(&channel, incident.opened_at, &incident.summary, now);
            self.metrics.channel_broken(&channel, true);
        }
        Ok(())
    }

    async fn look_at(&self, channel: &ChannelName) -> Result<bool, StoreError> {
        if !self.live.load().channels.contains_key(channel) {
            self.breakers().works(channel);
            self.mended(channel, "the matrix does not name it any more").await?;
            return Ok(true);
        }
        let checks = self.probe(channel).await;
        // A channel that has nothing to look at is no better for it.
        let fine = checks.iter().any(|check| check.outcome == CheckOutcome::Fine);
        let failed = checks.iter().any(|check| check.outcome == CheckOutcome::Failed);
        if !fine || failed || !self.breakers().looks_mended(channel) {
            return Ok(false);
        }
        self.mended(channel, "it lets us in again").await?;
        Ok(true)
    }

    async fn mended(&self, channel: &ChannelName, how: &str) -> Result<(), StoreError> {
        tracing::info!(channel = %channel, "this channel works again: {how}");
        self.metrics.channel_broken(channel, false);
        self.tell_mended(channel).await
    }

    async fn tell_operators(&self, channel: &ChannelName, why: &str) -> Result<(), StoreError> {
        let summary = format!("channel {channel} reaches nobody: {why}");
        let told = self.report_self(IncidentKey::of_channel(channel), BROKEN, channel, summary).await;
        self.breakers().told(channel, told.is_ok());
        told
    }

    async fn tell_mended(&self, channel: &ChannelName) -> Result<(), StoreError> {
        self.report_self_mended(IncidentKey::of_channel(channel)).await
    }

    /// Opens an incident about a channel of Stentor's own, for the catch-all.
    pub(super) async fn report_self(
        &self,
        key: IncidentKey,
        kind: &str,
        channel: &ChannelName,
        summary: String,
    ) -> Result<(), StoreError> {
        let live = self.live.load_full();
        let Some(plan) = live.matrix.operators_plan() else { return Ok(()) };
        let mut alert = Alert::new(SELF, kind);
        alert.labels.insert("channel".into(), channel.to_string());
        alert.summary.clone_from(&summary);
        let (received_at, alert) = (self.store.now(), Arc::new(alert));
        let needs = LockSet { keys: vec![key.clone()], ..LockSet::default() };
        let run = move |unit: &mut Transaction<'_>| {
            let (key, summary, plan, alert) = (key.clone(), summary.clone(), plan.clone(), alert.clone());
            unit.open(
                IncidentOpening { key, summary, plan, alert, received_at, terms: None, nonce: None },
                &live.matrix.roster,
            );
        };
        transact(&*self.store, RequestClass::Ladder, needs, run).await.map(drop)
    }

    /// The incident about it is over by itself.
    pub(super) async fn report_self_mended(&self, key: IncidentKey) -> Result<(), StoreError> {
        let live = self.live.load_full();
        let needs = LockSet { keys: vec![key.clone()], ..LockSet::default() };
        let run = move |unit: &mut Transaction<'_>| {
            let open: Option<IncidentId> = unit.open_with_key(&key);
            if let Some(id) = open {
                let ended = IncidentInput::Resolve { by: Actor::Source(SELF.into()), why: None };
                unit.step(id, ended, &live.matrix.roster);
            }
        };
        transact(&*self.store, RequestClass::Ladder, needs, run).await.map(drop)
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
