//! The timeouts of sockets, and the trait that handles their events.

use crate::channel::slack::{event::SlackInbound, inbound::InboundResult};
use futures_util::future::BoxFuture;
use std::time::Duration;

/// The timeouts and waits of Socket Mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketTiming {
    /// The timeout for opening a link, from the call to Slack's hello.
    pub open: Duration,
    /// A link that received nothing for this long is dead: Slack answers our pings, and what is pressed meanwhile goes into
    /// it and nowhere else.
    pub silence: Duration,
    /// How often we ping.
    pub ping: Duration,
    /// How long a replaced link still receives events that Slack had already sent over it.
    pub linger: Duration,
    /// How long we wait for Slack to close; sometimes it does not.
    pub close: Duration,
    /// If a link lasted this long, the next one is opened immediately.
    pub steady: Duration,
    /// The wait after a refusal that a person must repair.
    pub refused: Duration,
}

/// The values in production.
pub const TIMING: SocketTiming = SocketTiming {
    open: Duration::from_secs(15),
    silence: Duration::from_secs(12),
    ping: Duration::from_secs(5),
    linger: Duration::from_secs(3),
    close: Duration::from_secs(1),
    steady: Duration::from_secs(10),
    refused: Duration::from_secs(60),
};

/// Handles the events of the links.
pub trait SocketListener: Send + Sync + 'static {
    /// Handles an action of a user. When this returns, the action is acknowledged if it was kept.
    fn hear(&self, heard: SlackInbound) -> BoxFuture<'_, InboundResult>;
    /// Sends a private response later.
    fn tell<'a>(&'a self, response_url: &'a str, text: &'a str) -> BoxFuture<'a, ()>;
    /// Reports how many links are up now.
    fn linked(&self, links: usize) -> BoxFuture<'_, ()>;
    /// Reports that a link could not be opened.
    fn failed<'a>(&'a self, failure: &'a ConnectFailure) -> BoxFuture<'a, ()>;
}

/// Why a link could not be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectFailure {
    /// The reason, without secrets.
    pub why: String,
    /// Whether a person must repair it: a revoked token, Socket Mode disabled.
    pub is_lasting: bool,
}
