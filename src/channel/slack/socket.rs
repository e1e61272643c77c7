//! Socket Mode: Slack sends events over WebSockets that we open, for networks that do not accept connections from
//! outside.
//!
//! Two links are kept open, each by its own lane, and Slack sends each envelope over one of them. A link that Slack
//! wants to end is replaced before it is closed. A silent link counts as dead, whatever TCP says.

mod dial;
mod envelope;
mod link;
mod listener;

pub use envelope::{FrameKind, SocketEnvelope, SocketFrame, acknowledgement};
pub use listener::{ConnectFailure, SocketListener, SocketTiming, TIMING};

use crate::{
    channel::{ProbeCheck, SettingError, provider_connection::ConnectionSettings},
    core::retry::backoff,
};
use dial::{SocketDialer, SocketStream};
use futures_util::{
    StreamExt,
    future::{BoxFuture, join},
    stream::FuturesUnordered,
};
use link::CloseReason;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

/// The longest wait that we accept from Slack before we try to open a link again.
const THROTTLE_MAX: Duration = Duration::from_secs(5 * 60);

/// The timeout of a probe; shorter than that of its callers.
const PROBE: Duration = Duration::from_secs(8);

/// Keeps links open until `stop`, or until Slack says that Socket Mode is disabled for this app. `seed` is for the
/// jitter of waits. Returns when all received events have been handled and the links are closed.
///
/// # Errors
///
/// [`SettingError`] if the URL is not valid.
pub async fn run(
    settings: &ConnectionSettings,
    timing: SocketTiming,
    listener: Arc<dyn SocketListener>,
    stop: CancellationToken,
    seed: u64,
) -> Result<(), SettingError> {
    let dialer = SocketDialer::new(settings, timing)?;
    let (leaving, left) = unbounded_channel();
    let (up, dice) = (AtomicUsize::new(0), AtomicU64::new(seed));
    let ear = SharedSocketState { dialer, timing, listener, stop: stop.child_token(), up, dice };
    let lanes = async {
        let (one, other) = (SocketLane { ear: &ear, leaving: leaving.clone() }, SocketLane { ear: &ear, leaving });
        join(one.keep(), other.keep()).await;
    };
    join(lanes, let_go(left)).await;
    Ok(())
}

/// Checks whether Slack would give us a link, without opening one.
pub async fn probe(settings: &ConnectionSettings) -> ProbeCheck {
    let what = "socket mode";
    let asked = match SocketDialer::new(settings, SocketTiming { open: PROBE, ..TIMING }) {
        Ok(dialer) => dialer.ask().await,
        Err(error) => return ProbeCheck::failed(what, error.to_string()),
    };
    match asked {
        Ok(()) => ProbeCheck::fine(what, "Slack gives us an address for Socket Mode"),
        Err(failed) if failed.is_lasting => ProbeCheck::failed(what, failed.why),
        Err(failed) => ProbeCheck::doubtful(what, failed.why),
    }
}

type Leaving<'a> = BoxFuture<'a, ()>;

/// Closes links that were replaced or died, while the lanes continue: the events that they received are still handled.
async fn let_go(mut left: UnboundedReceiver<Leaving<'_>>) {
    let mut ending = FuturesUnordered::new();
    loop {
        tokio::select! {
            link = left.recv() => match link {
                Some(link) => ending.push(link),
                None => break,
            },
            Some(()) = ending.next() => {}
        }
    }
    while ending.next().await.is_some() {}
}

/// The state that both lanes share.
struct SharedSocketState {
    dialer: SocketDialer,
    timing: SocketTiming,
    listener: Arc<dyn SocketListener>,
    stop: CancellationToken,
    up: AtomicUsize,
    dice: AtomicU64,
}

impl SharedSocketState {
    async fn linked(&self, change: impl FnOnce(&AtomicUsize) -> usize) {
        let links = change(&self.up);
        self.listener.linked(links).await;
    }

    /// A wait between 0.5 and 1.5 times `around`, so that many daemons do not reconnect at the same moment.
    fn jittered(&self, around: Duration) -> Duration {
        let mut x = self.dice.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        around.mul_f64(0.5 + ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64)
    }
}

/// One of the two links and its successors.
struct SocketLane<'a> {
    ear: &'a SharedSocketState,
    leaving: UnboundedSender<Leaving<'a>>,
}

impl SocketLane<'_> {
    async fn keep(self) {
        let mut failures = 0;
        let Some(mut link) = self.open(&mut failures).await else { return };
        loop {
            let since = Instant::now();
            let parting = tokio::select! {
                () = self.ear.stop.cancelled() => CloseReason::Over,
                parting = link.serve() => parting,
            };
            // A link that dies early counts as a failure, because otherwise we would reconnect without pause to a
            // server that ends every link.
            failures = if self.ear.timing.steady <= since.elapsed() { 0 } else { failures + 1 };
            let fresh = match &parting {
                CloseReason::Over => None,
                CloseReason::Disabled => {
                    self.switched_off().await;
                    None
                }
                CloseReason::Asked(_) => self.replace(&mut link, &mut failures).await,
                CloseReason::Crowded | CloseReason::Gone(_) => {
                    tracing::warn!(why = %parting, "a link to Slack has ended");
                    self.ear.linked(one_less).await;
                    self.let_go(link);
                    match self.open(&mut failures).await {
                        Some(fresh) => link = fresh,
                        None => return,
                    }
                    continue;
                }
            };
            self.ear.linked(one_less).await;
            match fresh {
                Some(fresh) => self.let_go(std::mem::replace(&mut link, fresh)),
                None => return self.let_go(link),
            }
        }
    }

    /// Opens the next link while the old one is still served. `None` when we stop.
    async fn replace(&self, old: &mut SocketStream, failures: &mut u32) -> Option<SocketStream> {
        tracing::debug!("Slack wants to end a link: its successor is opened first");
        let opening = self.open(failures);
        tokio::pin!(opening);
        tokio::select! {
            fresh = &mut opening => return fresh,
            parting = old.serve_on() => match parting {
                CloseReason::Disabled => {
                    self.switched_off().await;
                    return None;
                }
                parting => tracing::debug!(why = %parting, "the old link has ended before its successor was there"),
            },
        }
        opening.await
    }

    /// Tries until there is a link that has received hello. `None` when we stop.
    async fn open(&self, failures: &mut u32) -> Option<SocketStream> {
        loop {
            if 0 < *failures {
                self.pause(self.ear.jittered(backoff(*failures))).await?;
            }
            let dialed = tokio::select! {
                () = self.ear.stop.cancelled() => return None,
                dialed = self.ear.dialer.dial(self.ear.listener.clone()) => dialed,
            };
            let failed = match dialed {
                Ok(link) => {
                    self.ear.linked(|up| up.fetch_add(1, Ordering::AcqRel) + 1).await;
                    return Some(link);
                }
                Err(failed) => failed,
            };
            if failed.is_switched_off {
                self.switched_off().await;
                return None;
            }
            *failures += 1;
            tracing::warn!(why = failed.why, "a link to Slack could not be opened");
            let wait = self.ear.timing.refused;
            let wait = if failed.is_lasting { Some(wait) } else { failed.after.map(|after| after.min(THROTTLE_MAX)) };
            let failure = ConnectFailure { why: failed.why, is_lasting: failed.is_lasting };
            self.ear.listener.failed(&failure).await;
            if let Some(wait) = wait {
                self.pause(self.ear.jittered(wait)).await?;
            }
        }
    }

    async fn pause(&self, wait: Duration) -> Option<()> {
        tokio::select! {
            () = self.ear.stop.cancelled() => None,
            () = sleep(wait) => Some(()),
        }
    }

    /// Reports it and stops all lanes: Slack would refuse every link, so we do not try again before a reload or
    /// restart.
    async fn switched_off(&self) {
        let why = "Socket Mode is disabled for this app: enable it in the app's settings, then reload".to_owned();
        self.ear.listener.failed(&ConnectFailure { why, is_lasting: true }).await;
        self.ear.stop.cancel();
    }

    fn let_go(&self, link: SocketStream) {
        let linger = if self.ear.stop.is_cancelled() { Duration::ZERO } else { self.ear.timing.linger };
        // The task that closes links ends after the lanes.
        let _ = self.leaving.send(Box::pin(link.leave(linger)));
    }
}

fn one_less(up: &AtomicUsize) -> usize {
    up.fetch_sub(1, Ordering::AcqRel).saturating_sub(1)
}
