//! Where connections come from: over TCP, or from users of this machine over the Unix socket.

use crate::http::caller::SocketPeer;
use std::{
    fmt, io,
    net::{IpAddr, Ipv6Addr, SocketAddr},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
};

/// How long a peer may leave what we sent unacknowledged, in milliseconds. A desk gets a beat every five seconds.
const PEER_SILENCE_MAX_MS: u32 = 15_000;

/// Whose share of the connections one counts in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ShareOwner {
    /// Somebody for whom the whole door is: this machine, a proxy that brings everybody, an operator.
    Trusted,
    /// An address; a whole /64 of IPv6, which one machine has to itself.
    Address(IpAddr),
    /// A Unix user; none when the kernel would not say.
    User(Option<u32>),
}

/// What connections are accepted from.
pub trait ListenSocket: Send + 'static {
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// What requests on it may ask about their peer.
    type Peer: Clone + Send + Sync + 'static;

    /// The next connection.
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Stream, ShareOwner, Self::Peer)>> + Send;
}

/// The door on TCP.
pub struct Tcp<F> {
    /// Where it listens.
    pub listener: TcpListener,
    /// Whether an address is that of a proxy, which brings everybody's requests.
    pub is_proxy: F,
}

/// The control socket.
pub struct Unix(pub UnixListener);

impl<F: Fn(IpAddr) -> bool + Send + Sync + 'static> ListenSocket for Tcp<F> {
    type Stream = TcpStream;
    type Peer = SocketAddr;

    async fn accept(&self) -> io::Result<(TcpStream, ShareOwner, SocketAddr)> {
        let (stream, peer) = self.listener.accept().await?;
        tune(&stream);
        let address = peer.ip().to_canonical();
        let is_trusted = address.is_loopback() || (self.is_proxy)(address);
        Ok((stream, if is_trusted { ShareOwner::Trusted } else { ShareOwner::Address(network(address)) }, peer))
    }
}

impl ListenSocket for Unix {
    type Stream = UnixStream;
    type Peer = SocketPeer;

    async fn accept(&self) -> io::Result<(UnixStream, ShareOwner, SocketPeer)> {
        let (stream, _) = self.0.accept().await?;
        let peer = SocketPeer { uid: stream.peer_cred().ok().map(|cred| cred.uid()) };
        Ok((stream, if peer.is_operator() { ShareOwner::Trusted } else { ShareOwner::User(peer.uid) }, peer))
    }
}

impl fmt::Display for ShareOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trusted => f.write_str("trusted"),
            Self::Address(address) => address.fmt(f),
            Self::User(Some(uid)) => write!(f, "Unix user {uid}"),
            Self::User(None) => f.write_str("Unix users whom the kernel does not name"),
        }
    }
}

/// Whether an error of accepting is that one peer's alone (`accept(2)` names these).
pub fn is_their_own(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

fn tune(stream: &TcpStream) {
    // Small answers must not wait for more.
    let _ = stream.set_nodelay(true);
    // A desk whose machine sleeps must not count as open until the kernel gives up by itself, a quarter of an hour.
    let _ = rustix::net::sockopt::set_tcp_user_timeout(stream, PEER_SILENCE_MAX_MS);
}
