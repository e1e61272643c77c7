//! What a listener allows: how many connections, and how long each may take.

use std::time::Duration;

/// The limits of one listener.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    /// The largest number of connections of one peer (an address or Unix user). Trusted peers have no share.
    pub share: usize,
    /// The number of connections that are reserved for trusted peers, so that operators can always connect.
    pub kept: usize,
    /// How long a new connection may take until the whole head of its first request is received.
    pub first: Duration,
    /// How long a connection may be idle, from the last response to the next whole head.
    pub idle: Duration,
    /// How long a request may take, including its body, until the response begins; also the longest time between parts
    /// of a response.
    pub answer: Duration,
    /// How long a peer may leave a response unread.
    pub unread: Duration,
    /// How often an HTTP/2 peer is pinged, and how long it may take to respond.
    pub ping: Duration,
}

/// How long a request may take until its response begins.
pub const ANSWER_MAX: Duration = Duration::from_secs(60);

impl ConnectionLimits {
    /// The limits on TCP. Idle connections stay open longer than monitors wait between two posts, because a sender may
    /// lose an alert if its connection is closed.
    pub fn of_tcp(connections: usize) -> Self {
        Self {
            share: (connections / 8).max(64).min(connections),
            kept: 0,
            first: Duration::from_secs(30),
            idle: Duration::from_secs(180),
            answer: ANSWER_MAX,
            unread: Duration::from_secs(30),
            ping: Duration::from_secs(20),
        }
    }

    /// The limits of the control socket, where everybody on this machine may connect and commands send a request at
    /// once.
    pub fn of_unix(connections: usize) -> Self {
        let (first, idle) = (Duration::from_secs(5), Duration::from_secs(30));
        Self { share: (connections / 4).max(1), kept: connections / 4, first, idle, ..Self::of_tcp(connections) }
    }
}
