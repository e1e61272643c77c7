//! Keeps track of inbound connections, and tells the operators when a channel has none.

use super::{Health, inbound_connection::InboundConnection};
use crate::core::{ChannelName, IncidentKey};
use std::collections::BTreeMap;

impl Health {
    /// The inbound connections of each channel that uses them.
    pub fn inbound_connections(&self) -> BTreeMap<ChannelName, InboundConnection> {
        self.connections().clone()
    }

    /// Records how many connections of a channel are up now.
    pub async fn connections_changed(&self, channel: &ChannelName, open: usize) {
        let now = self.context.store.now();
        let is_mended = self
            .connections()
            .entry(channel.clone())
            .or_insert_with(|| InboundConnection::closed_at(now))
            .count(open, now);
        self.count_connections(channel);
        if is_mended && let Err(error) = self.context.report_self_mended(IncidentKey::of_hearing(channel)).await {
            tracing::error!(%error, channel = %channel, "the operators could not be told that this channel receives again");
        }
    }

    /// Records that a connection of a channel could not be opened. If `is_lasting`, only people can repair it.
    pub async fn connection_failed(&self, channel: &ChannelName, why: &str, is_lasting: bool) {
        let now = self.context.store.now();
        let is_news = self
            .connections()
            .entry(channel.clone())
            .or_insert_with(|| InboundConnection::closed_at(now))
            .failed(why, is_lasting, now);
        self.count_connections(channel);
        if !is_news {
            return;
        }
        tracing::error!(channel = %channel, why, "this channel receives nothing: its buttons do nothing");
        let summary = format!("channel {channel} receives nothing, its buttons do nothing: {why}");
        if let Err(error) =
            self.context.report_self(IncidentKey::of_hearing(channel), "channel_deaf", channel, summary).await
        {
            tracing::error!(%error, channel = %channel, "the operators could not be told that this channel receives nothing");
            if let Some(connection) = self.connections().get_mut(channel) {
                connection.is_told = false;
            }
        }
    }

    /// Forgets a channel that uses no inbound connections any more, because the matrix changed.
    pub fn forget_connection(&self, channel: &ChannelName) {
        self.connections().remove(channel);
        self.context.metrics.links(channel, 0, None);
    }

    fn count_connections(&self, channel: &ChannelName) {
        if let Some(connection) = self.connections().get(channel) {
            self.context.metrics.links(channel, connection.open, (0 < connection.open).then_some(connection.since));
        }
    }
}
