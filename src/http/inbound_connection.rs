//! What one connection that we open to a provider reports to the node's health.

use crate::{core::ChannelName, engine::Engine};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Reports for one channel, until its connection is to end.
#[derive(Clone)]
pub(super) struct ConnectionReporter {
    pub engine: Arc<Engine>,
    pub channel: ChannelName,
    /// Ends the connection. One that a reload has replaced says nothing about its successor.
    pub stop: CancellationToken,
}

impl ConnectionReporter {
    /// So many links are up now.
    pub async fn linked(&self, links: usize) {
        if !self.stop.is_cancelled() {
            self.engine.health().connections_changed(&self.channel, links).await;
        }
    }

    /// A link could not be opened; `is_lasting` where only people can mend it.
    pub async fn failed(&self, why: &str, is_lasting: bool) {
        if !self.stop.is_cancelled() {
            self.engine.health().connection_failed(&self.channel, why, is_lasting).await;
        }
    }
}
