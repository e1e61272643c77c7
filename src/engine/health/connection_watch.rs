//! Watches the connections by which providers hand in what people say.

use super::{Health, inbound_connection::InboundConnection};
use crate::core::{ChannelName, IncidentKey};
use std::collections::BTreeMap;

impl Health {
    /// What is heard by each channel that has links.
    pub fn hearing(&self) -> BTreeMap<ChannelName, InboundConnection> {
        self.connections().clone()
    }

    /// So many links of a channel are up now.
    pub async fn linked(&self, channel: &ChannelName, links: usize) {
        let now = self.context.store.now();
        let hears_again = self
            .connections()
            .entry(channel.clone())
            .or_insert_with(|| InboundConnection::deaf_at(now))
            .linked(links, now);
        self.count_links(channel);
        if hears_again && let Err(error) = self.context.report_self_mended(IncidentKey::of_hearing(channel)).await {
            tracing::error!(%error, channel = %channel, "the operators could not be told that this channel hears again");
        }
    }

    /// A link of a channel could not be opened. Where `is_lasting`, only people can mend it.
    pub async fn unheard(&self, channel: &ChannelName, why: &str, is_lasting: bool) {
        let now = self.context.store.now();
        let is_news = self
            .connections()
            .entry(channel.clone())
            .or_insert_with(|| InboundConnection::deaf_at(now))
            .failed(why, is_lasting, now);
        self.count_links(channel);
        if !is_news {
            return;
        }
        tracing::error!(channel = %channel, why, "nothing is heard by this channel: its buttons do nothing");
        let summary = format!("nothing is heard by channel {channel}, its buttons do nothing: {why}");
        if let Err(error) =
            self.context.report_self(IncidentKey::of_hearing(channel), "channel_deaf", channel, summary).await
        {
            tracing::error!(%error, channel = %channel, "the operators could not be told that this channel is deaf");
            if let Some(hearing) = self.connections().get_mut(channel) {
                hearing.is_told = false;
            }
        }
    }

    /// A channel that has no links any more, because the matrix says so.
    pub fn stop_hearing(&self, channel: &ChannelName) {
        self.connections().remove(channel);
        self.context.metrics.links(channel, 0, None);
    }

    fn count_links(&self, channel: &ChannelName) {
        if let Some(hearing) = self.connections().get(channel) {
            self.context.metrics.links(channel, hearing.links, (0 < hearing.links).then_some(hearing.since));
        }
    }
}
