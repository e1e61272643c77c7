//! One channel of the matrix, ready to send.

use crate::{
    channel::{
        Channel, CheckOutcome, ProbeCheck, outbox::SandboxOutbox, screen::DeskHub, slack::socket::SocketSettings,
    },
    core::retry::SendPace,
    matrix::ChannelKind,
};
use secrecy::SecretString;
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

/// The longest time that one attempt may take on any channel.
pub const SEND_TIMEOUT_MAX: Duration = Duration::from_secs(10);

/// How long a look at one channel may take.
pub const PROBE_TIME_MAX: Duration = Duration::from_secs(10);

/// One channel, ready to send.
pub struct ActiveChannel {
    /// It.
    pub channel: Arc<dyn Channel>,
    /// What kind the matrix says it is.
    pub kind: ChannelKind,
    /// Why it writes to the outbox of the sandbox instead, where it does.
    pub sandboxed: Option<String>,
    /// How long one attempt may take; the node's lease must outlast it.
    pub timeout: Duration,
    /// How fast one destination may be written to.
    pub pace: SendPace,
    /// What authenticates its callbacks (Slack's signing secret, the gateway's token): one, or two while it is changed.
    pub inbound: Vec<SecretString>,
    /// The sockets by which its provider hands in, where there are any.
    pub socket: Option<SocketSettings>,
}

/// What channels share over reloads.
#[derive(Clone)]
pub struct SharedChannelParts {
    /// The desks that are open.
    pub hub: DeskHub,
    /// Where the sandbox writes.
    pub outbox: SandboxOutbox,
    /// Tells this installation's mails from those of another, or of one before its state was lost.
    pub site: String,
    /// Whether every channel but the screen is in the sandbox.
    pub sandbox: bool,
}

impl ActiveChannel {
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
