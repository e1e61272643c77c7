//! How sockets are opened, and who listens at them.

use crate::channel::{inbound::SlackInbound, slack::inbound::InboundResult};
use futures_util::future::BoxFuture;
use std::time::Duration;

/// The waits of Socket Mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketTiming {
    /// How long opening a link may take, from the call to Slack's hello.
    pub open: Duration,
    /// A link from which nothing came for so long is dead: Slack answers our pings, and what is pressed meanwhile goes into
    /// it and nowhere else.
    pub silence: Duration,
    /// How often we ping.
    pub ping: Duration,
    /// How long a link that has been replaced is still listened to: what Slack had sent by it is on its way.
    pub linger: Duration,
    /// How long Slack may take to close; it is known not to.
    pub close: Duration,
    /// A link that lasted so long was a good one: the next is opened at once.
    pub steady: Duration,
    /// The wait after a refusal that only people can mend.
    pub refused: Duration,
}

/// As they are in production.
pub const TIMING: SocketTiming = SocketTiming {
    open: Duration::from_secs(15),
    silence: Duration::from_secs(12),
    ping: Duration::from_secs(5),
    linger: Duration::from_secs(3),
    close: Duration::from_secs(1),
    steady: Duration::from_secs(10),
    refused: Duration::from_secs(60),
};

/// Who listens at the links.
pub trait SocketListener: Send + Sync + 'static {
    /// Judges what a user did. It is acknowledged when this returns, if it was kept.
    fn hear(&self, heard: SlackInbound) -> BoxFuture<'_, InboundResult>;
    /// Sends a private word afterwards.
    fn tell<'a>(&'a self, response_url: &'a str, text: &'a str) -> BoxFuture<'a, ()>;
    /// So many links are up now.
    fn linked(&self, links: usize) -> BoxFuture<'_, ()>;
    /// A link could not be opened.
    fn failed<'a>(&'a self, failure: &'a ConnectFailure) -> BoxFuture<'a, ()>;
}

/// Why a link could not be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectFailure {
    /// The trouble, without secrets.
    pub why: String,
    /// Whether only people can mend it: a revoked token, Socket Mode switched off.
    pub is_lasting: bool,
}
