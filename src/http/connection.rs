//! Connections to a door: bounded in number, in their number for one peer, and in how long each may be in any state.
//!
//! What a connection may not do for long is said once, above HTTP's versions: to be without a request under way, to have
//! one that is not answered, to leave an answer unread. So it needs no list of the ways in which a peer can be slow.

pub mod limits;
mod peer;
mod place;
mod watch;

pub use peer::{ListenSocket, ShareOwner, Tcp, Unix};

use crate::{engine::entrance::ListenerGauge, http::connection::limits::ConnectionLimits};
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

/// Requests that one HTTP/2 connection may have under way: a proxy may bring all desks on one.
const STREAMS_MAX: u32 = 256;

/// Bytes of a head that is not whole, or of what was not sent yet, that one HTTP/1 connection holds.
const BUFFER_MAX: usize = 64 << 10;

/// How long a peer whose connection is ended for want of requests may take to let go of it.
const FAREWELL: Duration = Duration::from_secs(1);

/// The rest after a connection could not be taken, e.g. for want of files.
const AFTER_FAILURE: Duration = Duration::from_millis(50);

/// A door that is open.
pub struct OpenListener<L> {
    /// Where peers come from.
    pub listener: L,
    /// What they find.
    pub router: Router,
    /// How long they may take.
    pub limits: ConnectionLimits,
    /// How many there may be, and who is told.
    pub entrance: Arc<ListenerGauge>,
}

/// Serves until `shutdown`, then lets requests under way end; the caller bounds how long.
pub async fn serve<L: ListenSocket>(door: OpenListener<L>, shutdown: CancellationToken) {
    let OpenListener { listener, router, limits, entrance } = door;
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
                // One that has its share is closed by being dropped.
                if let Some(place) = places.take(room, origin) {
                    let router = TowerToHyperService::new(router.clone());
                    spawn(&tasks, talk(TokioIo::new(stream), router, peer, limits, shutdown.clone()), place);
                }
            }
            // That peer is gone already, which says nothing about the door.
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

/// One connection, from its first byte to its end. How a peer leaves is no news.
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
    // What is watched here is watched once.
    builder.http1().header_read_timeout(None).max_buf_size(BUFFER_MAX);
    let http2 = &mut builder.http2();
    http2.timer(TokioTimer::new()).keep_alive_interval(limits.ping).keep_alive_timeout(limits.ping);
    http2.max_concurrent_streams(STREAMS_MAX);
    // No upgrades: nothing here speaks anything but HTTP, and an upgraded connection would be out of sight.
    let mut connection = pin!(builder.serve_connection(io, service));
    let is_at_rest = tokio::select! {
        _ = &mut connection => return,
        () = shutdown.cancelled() => None,
        is_at_rest = watch.overdue() => Some(is_at_rest),
    };
    connection.as_mut().graceful_shutdown();
    match is_at_rest {
        None => drop(connection.await),
        // An HTTP/2 peer hears that this is the end, so that a request on its way is not lost.
        Some(true) => drop(timeout(FAREWELL, connection).await),
        Some(false) => {}
    }
}
