//! One channel of the matrix, ready to send.

use crate::{
    channel::{
        Channel, CheckOutcome, ProbeCheck, desk_hub::DeskHub, outbox::SandboxOutbox,
        provider_connection::ProviderConnection,
    },
    core::retry::SendPace,
    matrix::ChannelKind,
};
use secrecy::SecretString;
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

/// The longest time that one attempt on any channel may take.
pub const SEND_TIMEOUT_MAX: Duration = Duration::from_secs(10);

/// How long a probe of one channel may take.
pub const PROBE_TIME_MAX: Duration = Duration::from_secs(10);

/// One channel, ready to send.
pub struct ActiveChannel {
    /// What sends.
    pub channel: Arc<dyn Channel>,
    /// Its kind in the matrix.
    pub kind: ChannelKind,
    /// Why it writes to the sandbox's outbox instead, if it does.
    pub sandboxed: Option<String>,
    /// How long one attempt may take; the node's lease must outlast it.
    pub timeout: Duration,
    /// How fast one destination may be written to.
    pub pace: SendPace,
    /// The secrets that authenticate its callbacks (Slack's signing secret, the gateway's token): one, or two while it
    /// is changed.
    pub inbound: Vec<SecretString>,
    /// The connection that we keep open to receive what people do, if it works that way.
    pub connection: Option<Arc<dyn ProviderConnection>>,
}

/// What channels share across reloads.
#[derive(Clone)]
pub struct SharedChannelParts {
    /// The open desks.
    pub hub: DeskHub,
    /// The outbox of the sandbox.
    pub outbox: SandboxOutbox,
    /// Tells the mails of this installation from those of others, or from those before its state was lost.
    pub site: String,
    /// Whether every channel but the screen is in the sandbox.
    pub sandbox: bool,
}

impl ActiveChannel {
    /// Probes the channel without paging anybody. One in the sandbox reaches nobody, so its probe fails.
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
