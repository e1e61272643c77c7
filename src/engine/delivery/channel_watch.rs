//! Opens and closes the breakers of channels by the outcome of their pages, and tells the operators.

use super::Delivery;
use crate::{
    channel::{CheckOutcome, SendError},
    core::{ChannelName, Incident, IncidentKey, SendReceipt, names::SELF},
    store::StoreError,
};

/// The kind of the alert about a broken channel.
const BROKEN: &str = "channel_broken";

impl Delivery {
    /// Learns from the outcome of an attempt. When a channel breaks or recovers, the operators (the catch-all) are told
    /// by channels that still work.
    pub(super) async fn watch_channel(&self, channel: &ChannelName, result: &Result<SendReceipt, SendError>) {
        let told = match result {
            Err(SendError::Broken { why }) if self.breakers().broke(channel, why, self.context.store.now()) => {
                tracing::error!(channel = %channel, why, "this channel reaches nobody: its pages fail over");
                self.context.metrics.channel_broken(channel, true);
                self.tell_operators(channel, why).await
            }
            // A stand-in for the channel says nothing about the channel.
            Ok(receipt) if receipt.stand_in.is_none() && self.breakers().works(channel) => {
                self.mended(channel, "a page went through").await
            }
            _ => Ok(()),
        };
        if let Err(error) = told {
            tracing::error!(%error, channel = %channel, "the operators could not be told about this channel");
        }
    }

    /// Probes the broken channels that are due, without paging anybody. Returns how many work again.
    pub async fn tick_breakers(&self) -> Result<usize, StoreError> {
        let untold = self.breakers().untold();
        for (channel, why) in untold {
            self.tell_operators(&channel, &why).await?;
        }
        let due = self.breakers().to_look_at(self.context.store.now());
        let looked = futures_util::future::join_all(due.iter().map(|channel| self.look_at(channel))).await;
        let mended: Vec<bool> = looked.into_iter().collect::<Result<_, StoreError>>()?;
        Ok(mended.into_iter().filter(|mended| *mended).count())
    }

    /// Opens the breakers of channels that were broken before this node started. Their incidents are still open, and
    /// nobody else would notice that the channels work again.
    pub async fn recall_breakers(&self) -> Result<(), StoreError> {
        let now = self.context.store.now();
        let is_ours = |incident: &Incident| incident.alert.source.as_str() == SELF && incident.alert.kind == BROKEN;
        for id in self.context.store.open_under(IncidentKey::CHANNELS.to_owned()).await? {
            // The store itself reports incidents that can not be read.
            let incident = match self.context.store.view(id).await {
                Err(StoreError::Corrupt { .. }) => continue,
                incident => incident?,
            };
            let Some(incident) = incident.filter(|incident| is_ours(incident)) else { continue };
            let Some(channel) = incident.key.broken_channel() else { continue };
            self.breakers().was_broken(&channel, incident.opened_at, &incident.summary, now);
            self.context.metrics.channel_broken(&channel, true);
        }
        Ok(())
    }

    async fn look_at(&self, channel: &ChannelName) -> Result<bool, StoreError> {
        if !self.context.config.load().channels.contains_key(channel) {
            self.breakers().works(channel);
            self.mended(channel, "the matrix does not name it any more").await?;
            return Ok(true);
        }
        let config = self.context.config.load_full();
        let checks = match config.channels.get(channel) {
            Some(active) => active.look().await,
            None => Vec::new(),
        };
        // A channel that has no probe is no better for it.
        let fine = checks.iter().any(|check| check.outcome == CheckOutcome::Fine);
        let failed = checks.iter().any(|check| check.outcome == CheckOutcome::Failed);
        if !fine || failed || !self.breakers().looks_mended(channel) {
            return Ok(false);
        }
        self.mended(channel, "its probe succeeds again").await?;
        Ok(true)
    }

    async fn mended(&self, channel: &ChannelName, how: &str) -> Result<(), StoreError> {
        tracing::info!(channel = %channel, "this channel works again: {how}");
        self.context.metrics.channel_broken(channel, false);
        self.tell_mended(channel).await
    }

    async fn tell_operators(&self, channel: &ChannelName, why: &str) -> Result<(), StoreError> {
        let summary = format!("channel {channel} reaches nobody: {why}");
        let told = self.context.report_self(IncidentKey::of_channel(channel), BROKEN, channel, summary).await;
        self.breakers().told(channel, told.is_ok());
        told
    }

    async fn tell_mended(&self, channel: &ChannelName) -> Result<(), StoreError> {
        self.context.report_self_mended(IncidentKey::of_channel(channel)).await
    }
}
