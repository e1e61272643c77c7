//! What a listener allows: how many connections, and how long each may take.

use std::time::Duration;

/// What a door allows.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    /// Connections of one peer at once: of an address, or of a Unix user. Trusted ones may have them all.
    pub share: usize,
    /// Connections that are kept for trusted ones: those who look after this daemon get in, whoever else is there.
    pub kept: usize,
    /// How long a new connection may take until the whole head of its first request has come.
    pub first: Duration,
    /// How long a connection may be without a request under way, from the last answer to the next whole head.
    pub idle: Duration,
    /// How long a request may take until its answer begins, its body included; and an answer from part to part.
    pub answer: Duration,
    /// How long a peer may leave what was answered unread.
    pub unread: Duration,
    /// How often an HTTP/2 peer is pinged, and how long it may take to say that it lives.
    pub ping: Duration,
}

impl ConnectionLimits {
    /// Of the door on TCP. Idle ones stay longer than monitors wait between two posts: a connection that is closed under
    /// a sender may cost it an alert.
    pub fn of_tcp(connections: usize) -> Self {
        Self {
            share: (connections / 8).max(64).min(connections),
            kept: 0,
            first: Duration::from_secs(30),
            idle: Duration::from_secs(180),
            answer: Duration::from_secs(60),
            unread: Duration::from_secs(30),
            ping: Duration::from_secs(20),
        }
    }

    /// Of the control socket, where everybody on this machine may knock and commands ask at once.
    pub fn of_unix(connections: usize) -> Self {
        let (first, idle) = (Duration::from_secs(5), Duration::from_secs(30));
        Self { share: (connections / 4).max(1), kept: connections / 4, first, idle, ..Self::of_tcp(connections) }
    }
}
