//! The sources of connections: TCP, or users of this machine over the Unix socket.

use crate::http::caller::SocketPeer;
use std::{
    fmt, io,
    net::{IpAddr, Ipv6Addr, SocketAddr},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
};

/// How long a peer may leave sent data unacknowledged, in milliseconds. A desk gets a heartbeat every five seconds.
const PEER_SILENCE_MAX_MS: u32 = 15_000;

/// The owner of the share of connections in which one counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ShareOwner {
    /// A peer without a share of its own: this machine, a proxy for everybody, an operator.
    Trusted,
    /// An address; for IPv6 a whole /64, because one machine may have all of it.
    Address(IpAddr),
    /// A Unix user; `None` if the kernel does not tell.
    User(Option<u32>),
}

/// A socket that accepts connections.
pub trait ListenSocket: Send + 'static {
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// What requests can know about their peer.
    type Peer: Clone + Send + Sync + 'static;

    /// Accepts the next connection.
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Stream, ShareOwner, Self::Peer)>> + Send;
}

/// A TCP listener.
pub struct Tcp<F> {
    /// The listening socket.
    pub listener: TcpListener,
    /// Whether an address is that of a proxy, which forwards everybody's requests.
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

/// Whether an error of `accept(2)` is only about that one peer (see its man page).
pub fn is_their_own(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// What stands for an address where addresses are counted: for IPv6 its /64.
pub fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

fn tune(stream: &TcpStream) {
    // Small answers must not wait for more.
    let _ = stream.set_nodelay(true);
    // Otherwise a desk whose machine sleeps would count as open until the kernel gives up, after about 15 minutes.
    let _ = rustix::net::sockopt::set_tcp_user_timeout(stream, PEER_SILENCE_MAX_MS);
}
