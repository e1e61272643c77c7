//! Looking at a channel without paging anybody, bounded in time.

use super::Engine;
use crate::{
    channel::{CheckOutcome, ProbeCheck},
    core::ChannelName,
};
use std::time::Duration;
use tokio::time::timeout;

/// How long a look at one channel may take.
pub const PROBE_TIME_MAX: Duration = Duration::from_secs(10);

impl Engine {
    /// What a look at this channel shows; nothing where the matrix does not name it.
    pub async fn probe(&self, channel: &ChannelName) -> Vec<ProbeCheck> {
        let live = self.live.load_full();
        let Some(wired) = live.channels.get(channel) else { return Vec::new() };
        wired.look().await
    }
}

impl super::ActiveChannel {
    /// What a look at it shows. One that stands in the sandbox reaches nobody, whatever it says itself.
    pub async fn look(&self) -> Vec<ProbeCheck> {
        if let Some(why) = &self.sandboxed {
            let detail = format!("it writes to the outbox only: {why}");
            return vec![ProbeCheck { what: "credentials", outcome: CheckOutcome::Failed, detail }];
        }
        timeout(PROBE_TIME_MAX, self.channel.probe()).await.unwrap_or_else(|_| {
            let detail = format!("no answer within {}", humantime::format_duration(PROBE_TIME_MAX));
            vec![ProbeCheck { what: "connection", outcome: CheckOutcome::Failed, detail }]
        })
    }
}
