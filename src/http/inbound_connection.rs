//! Reports the state of a connection that we open to a provider to the node's health checks.

use crate::{core::ChannelName, engine::Engine};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Reports for one channel until its connection ends.
#[derive(Clone)]
pub(super) struct ConnectionReporter {
    pub engine: Arc<Engine>,
    pub channel: ChannelName,
    /// Ends the connection. After it is cancelled, reports are ignored, because they say nothing about a successor.
    pub stop: CancellationToken,
}

impl ConnectionReporter {
    /// Reports how many links are up now.
    pub async fn linked(&self, links: usize) {
        if !self.stop.is_cancelled() {
            self.engine.health().connections_changed(&self.channel, links).await;
        }
    }

    /// Reports that a link could not be opened; `is_lasting` if a person must repair it.
    pub async fn failed(&self, why: &str, is_lasting: bool) {
        if !self.stop.is_cancelled() {
            self.engine.health().connection_failed(&self.channel, why, is_lasting).await;
        }
    }
}
