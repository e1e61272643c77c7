//! Connections to the door: bounded in number, and in how long one may be open without a whole request's head.

use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::sleep,
};
use tokio_util::sync::CancellationToken;

/// What a door allows.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// How long a connection may be open, or idle, before the whole head of a request has come.
    pub head: Duration,
}

impl Default for Limits {
    /// Far fewer connections than files that the unit may open, for what goes out needs some too; and longer than
    /// monitors wait between two posts, for a connection that is closed under a sender may cost it an alert.
    fn default() -> Self {
        Self { connections: 10_000, head: Duration::from_secs(180) }
    }
}

/// How long a peer may leave what we sent unacknowledged, in milliseconds. A desk gets a beat every five seconds.
const PEER_SILENCE_MAX_MS: u32 = 15_000;

/// The rest after a connection could not be taken, e.g. for want of files.
const AFTER_FAILURE: Duration = Duration::from_millis(50);

/// Serves until `shutdown`, then lets requests under way end; the caller bounds how long.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, shutdown: CancellationToken) {
    let (places, graceful) = (Arc::new(Semaphore::new(limits.connections)), GracefulShutdown::new());
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.head);
    loop {
        let taken = async {
            // Nobody closes the semaphore.
            let place = places.clone().acquire_owned().await.ok();
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            taken = taken => taken,
        };
        match accepted {
            Ok((stream, _)) => {
                tune(&stream);
                let service = TowerToHyperService::new(router.clone());
                let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
                spawn(graceful.watch(connection), place);
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                sleep(AFTER_FAILURE).await;
            }
        }
    }
    drop(listener);
    graceful.shutdown().await;
}

#[expect(clippy::disallowed_methods, reason = "a connection is a task, as it is in every server")]
fn spawn<E>(connection: impl Future<Output = Result<(), E>> + Send + 'static, place: impl Send + 'static) {
    tokio::spawn(async move {
        // How a peer leaves is no news.
        let _ = connection.await;
        drop(place);
    });
}

fn tune(stream: &TcpStream) {
    // Small answers must not wait for more.
    let _ = stream.set_nodelay(true);
    // A desk whose machine sleeps must not count as open until the kernel gives up by itself, a quarter of an hour.
    let _ = rustix::net::sockopt::set_tcp_user_timeout(stream, PEER_SILENCE_MAX_MS);
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;
    use axum::routing::get;
    use std::net::SocketAddr;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const ASK: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";

    async fn door(limits: Limits) -> (SocketAddr, CancellationToken) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, shutdown) = (listener.local_addr().unwrap(), CancellationToken::new());
        let router = Router::new().route("/", get(|| async { "here" }));
        let served = serve(listener, router, limits, shutdown.clone());
        std::thread::spawn(move || tokio::runtime::Runtime::new().unwrap().block_on(served));
        (address, shutdown)
    }

    #[tokio::test]
    async fn a_head_that_does_not_come_whole_ends_its_connection() {
        let (address, shutdown) = door(Limits { head: Duration::from_millis(100), ..Limits::default() }).await;
        let mut slow = TcpStream::connect(address).await.unwrap();
        slow.write_all(b"GET / HTTP/1.1\r\nhost:").await.unwrap();
        let mut rest = Vec::new();
        // It ends, with or without a word about it.
        let _ = slow.read_to_end(&mut rest).await;
        assert!(!rest.windows(4).any(|word| word == b"here"));
        shutdown.cancel();
    }

    #[tokio::test]
    async fn one_connection_too_many_waits_for_a_place() {
        let (address, shutdown) = door(Limits { connections: 1, ..Limits::default() }).await;
        let mut buffer = [0; 512];
        let mut first = TcpStream::connect(address).await.unwrap();
        first.write_all(ASK).await.unwrap();
        assert!(0 < first.read(&mut buffer).await.unwrap());
        let mut second = TcpStream::connect(address).await.unwrap();
        second.write_all(ASK).await.unwrap();
        let early = tokio::time::timeout(Duration::from_millis(200), second.read(&mut buffer)).await;
        assert!(early.is_err(), "answered though the only place was taken");
        drop(first);
        assert!(0 < second.read(&mut buffer).await.unwrap());
        shutdown.cancel();
    }
}
