//! Connections to a listener, with limits for their number, their number from one peer, and the time in each state.
//!
//! The limits are independent of HTTP's version: a connection may only for some time have no request, have a request
//! without a response, or leave a response unread. So there is no need to list all ways in which a peer can be slow.

pub mod limits;
mod peer;
mod place;
mod watch;

pub use peer::{ListenSocket, ShareOwner, Tcp, Unix, network};

use crate::{engine::listeners::ListenerGauge, http::connection::limits::ConnectionLimits};
use axum::{Router, extract::connect_info::ConnectInfo};
use hyper::{body::Incoming, service::Service};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use place::{ConnectionLimit, ConnectionPermit};
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::time::{sleep, timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use watch::{ConnectionWatch, StreamProgress};

/// The largest number of concurrent requests on one HTTP/2 connection: a proxy may send the requests of all desks on
/// one.
const STREAMS_MAX: u32 = 256;

/// The buffer of one HTTP/1 connection, in bytes, for an incomplete head or unsent output.
const BUFFER_MAX: usize = 64 << 10;

/// How long a peer may take to close an idle connection that we end.
const FAREWELL: Duration = Duration::from_secs(1);

/// The pause after accepting a connection failed, e.g. because there are too many open files.
const AFTER_FAILURE: Duration = Duration::from_millis(50);

/// A listener and how to serve it.
pub struct OpenListener<L> {
    /// The source of connections.
    pub listener: L,
    /// The routes.
    pub router: Router,
    /// The limits for connections.
    pub limits: ConnectionLimits,
    /// The limit for all connections, and their current number for metrics and logs.
    pub entrance: Arc<ListenerGauge>,
}

/// Serves until `shutdown`, then lets current requests finish; the caller sets the timeout.
pub async fn serve<L: ListenSocket>(open: OpenListener<L>, shutdown: CancellationToken) {
    let OpenListener { listener, router, limits, entrance } = open;
    let (places, tasks) = (ConnectionLimit::new(entrance.clone(), limits), TaskTracker::new());
    loop {
        let taken = async {
            let room = places.room().await;
            (room, listener.accept().await)
        };
        let (room, accepted) = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            taken = taken => taken,
        };
        match accepted {
            Ok((stream, origin, peer)) => {
                // If the peer has used its share, the connection is closed by dropping it.
                if let Some(place) = places.take(room, origin) {
                    let router = TowerToHyperService::new(router.clone());
                    spawn(&tasks, talk(TokioIo::new(stream), router, peer, limits, shutdown.clone()), place);
                }
            }
            // That peer is gone already, which is not a fault of the listener.
            Err(error) if peer::is_their_own(&error) => {}
            Err(error) => {
                entrance.stuck(&error);
                sleep(AFTER_FAILURE).await;
            }
        }
    }
    drop(listener);
    tasks.close();
    tasks.wait().await;
}

#[expect(clippy::disallowed_methods, reason = "a connection is a task, as it is in every server")]
fn spawn(tasks: &TaskTracker, connection: impl Future<Output = ()> + Send + 'static, place: ConnectionPermit) {
    tasks.spawn(async move {
        connection.await;
        drop(place);
    });
}

/// Serves one connection until its end. How a peer disconnects is not logged.
async fn talk<I, P>(
    io: I,
    router: TowerToHyperService<Router>,
    peer: P,
    limits: ConnectionLimits,
    shutdown: CancellationToken,
) where
    I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    P: Clone + Send + Sync + 'static,
{
    let watch = ConnectionWatch::begin(limits);
    let answering = watch.clone();
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer.clone()));
        answering.answer(router.call(request))
    });
    let mut builder = Builder::new(StreamProgress(limits));
    // Our own timeouts replace those of the library.
    builder.http1().header_read_timeout(None).max_buf_size(BUFFER_MAX);
    let http2 = &mut builder.http2();
    http2.timer(TokioTimer::new()).keep_alive_interval(limits.ping).keep_alive_timeout(limits.ping);
    http2.max_concurrent_streams(STREAMS_MAX);
    // No upgrades: all routes use HTTP only, and an upgraded connection would have no timeouts.
    let mut connection = pin!(builder.serve_connection(io, service));
    let is_at_rest = tokio::select! {
        _ = &mut connection => return,
        () = shutdown.cancelled() => None,
        is_at_rest = watch.overdue() => Some(is_at_rest),
    };
    connection.as_mut().graceful_shutdown();
    match is_at_rest {
        None => drop(connection.await),
        // An HTTP/2 peer gets a GOAWAY, so that a request on its way is not lost.
        Some(true) => drop(timeout(FAREWELL, connection).await),
        Some(false) => {}
    }
}
