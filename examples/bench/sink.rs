//! The receiver of all pages: one server that is an SMS gateway to Stentor and a webhook to Alertmanager. It records
//! when the first byte of each request arrived.

use super::{Outcome, alert, client};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

/// Kannel's word for "I have it".
const ACCEPTED: &[u8] =
    b"HTTP/1.1 202 Accepted\r\nContent-Type: text/html\r\nContent-Length: 25\r\n\r\n0: Accepted for delivery\n";

/// What a webhook answers.
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// The sink. Clones are the same one.
#[derive(Clone)]
pub struct Sink {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    tally: Mutex<Tally>,
    complete: Notify,
}

#[derive(Default)]
struct Tally {
    /// The ids to wait for, and how many pages all of them make.
    ids: Range<u32>,
    wanted: usize,
    arrivals: Vec<(u32, Instant)>,
    /// Pages that nobody waits for: of other ids, or after all had arrived.
    strays: usize,
}

impl Sink {
    /// Listens on a port of loopback, in a thread of its own.
    pub fn start() -> Outcome<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let sink = Self { address: listener.local_addr()?, shared: Arc::default() };
        let shared = sink.shared.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::spawn(move || runtime.block_on(accept(listener, shared)));
        Ok(sink)
    }

    /// From now on counts pages about these ids, `each` for every one.
    pub fn expect(&self, ids: Range<u32>, each: usize) {
        let wanted = ids.len() * each;
        let mut tally = self.shared.lock();
        *tally = Tally { arrivals: Vec::with_capacity(wanted), ids, wanted, strays: tally.strays };
    }

    /// Waits until all are there. The error says how many are missing.
    pub async fn all(&self, patience: Duration) -> Outcome<BTreeMap<u32, Instant>> {
        let waiting = async {
            loop {
                let complete = self.shared.complete.notified();
                if self.shared.lock().missing() == 0 {
                    return;
                }
                complete.await;
            }
        };
        if tokio::time::timeout(patience, waiting).await.is_err() {
            return Err(format!("{} pages did not arrive within {patience:?}", self.shared.lock().missing()).into());
        }
        // Of several pages about one id the last one counts.
        Ok(self.shared.lock().arrivals.iter().copied().collect())
    }

    /// Pages that came twice, or that nobody had asked for.
    pub fn strays(&self) -> usize {
        self.shared.lock().strays
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn arrived(&self, message: &[u8], at: Instant) {
        let id = alert::id_in(message);
        let mut tally = self.lock();
        match id.filter(|id| tally.ids.contains(id) && 0 < tally.missing()) {
            Some(id) => tally.arrivals.push((id, at)),
            None => tally.strays += 1,
        }
        if tally.missing() == 0 {
            drop(tally);
            self.complete.notify_waiters();
        }
    }
}

impl Tally {
    fn missing(&self) -> usize {
        self.wanted - self.arrivals.len()
    }
}

async fn accept(listener: std::net::TcpListener, shared: Arc<Shared>) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    while let Ok((stream, _)) = listener.accept().await {
        let shared = shared.clone();
        // A sender may hang up at any time.
        tokio::spawn(async move { serve(stream, &shared).await.ok() });
    }
}

async fn serve(mut stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(4096);
    loop {
        if buffer.is_empty() && stream.read_buf(&mut buffer).await? == 0 {
            return Ok(());
        }
        let at = Instant::now();
        let whole = loop {
            if let Some(head) = client::head(&buffer) {
                let whole = head + client::content_length(&buffer[..head]);
                if whole <= buffer.len() {
                    break whole;
                }
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        shared.arrived(&buffer[..whole], at);
        let answer = if buffer.starts_with(b"GET ") { ACCEPTED } else { OK };
        buffer.drain(..whole);
        stream.write_all(answer).await?;
    }
}
