//! The loops of the running daemon: each calls its tick for ever. Nothing is decided here.

use super::{Engine, delivery::Ready, people};
use crate::core::Timestamp;
use futures_util::FutureExt;
use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::{sleep, timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How often the lease is renewed and dead nodes are looked for.
const LEASE_EVERY: Duration = Duration::from_secs(3);

/// How often the journal is anchored.
const ANCHOR_EVERY: Duration = Duration::from_secs(60);

/// The longest sleep of a loop that waits to be woken: a net below the wakings, never the way they come.
const NET: Duration = Duration::from_secs(1);

/// How long a loop rests after its store failed.
const AFTER_FAILURE: Duration = Duration::from_millis(500);

/// How long sends under way are waited for at the end.
const DRAIN: Duration = Duration::from_secs(12);

/// Proof that the loops turn; the watchdog is fed only while they do.
#[derive(Debug, Default)]
pub struct Pulse([AtomicU64; 3]);

/// A loop that must turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loop {
    /// Sends what is to be sent.
    Delivery,
    /// Moves ladders that are due.
    Timers,
    /// Renews this node's lease.
    Lease,
}

impl Loop {
    /// Every one, in the order of [`Pulse::beats`].
    pub const ALL: [Self; 3] = [Self::Delivery, Self::Timers, Self::Lease];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivery => "delivery",
            Self::Timers => "timers",
            Self::Lease => "lease",
        }
    }
}

impl Pulse {
    /// This loop has turned once more.
    pub fn turned(&self, which: Loop) {
        self.0[which as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How often each loop has turned.
    pub fn beats(&self) -> [u64; 3] {
        [&self.0[0], &self.0[1], &self.0[2]].map(|beat| beat.load(Ordering::Relaxed))
    }
}

/// Runs a node until `shutdown`, then lets sends under way end.
pub async fn run(engine: Arc<Engine>, shutdown: CancellationToken) {
    let sends = TaskTracker::new();
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = deliver(&engine, &sends) => {}
        () = move_ladders(&engine) => {}
        () = hold_lease(&engine) => {}
        () = adopt_orphans(&engine) => {}
        () = anchor(&engine) => {}
        () = stop_drills(&engine) => {}
        () = bring_late(&engine, &sends) => {}
        () = look_people_up(&engine) => {}
        () = mend_channels(&engine) => {}
    }
    sends.close();
    if timeout(DRAIN, sends.wait()).await.is_err() {
        tracing::warn!(
            "some sends did not end in time; they are taken up at the next start, marked as perhaps repeated"
        );
    }
}

async fn deliver(engine: &Arc<Engine>, sends: &TaskTracker) {
    loop {
        engine.pulse.turned(Loop::Delivery);
        let woken = engine.wake.notified();
        let Ready { start, unsent, held } = engine.tick_delivery();
        for page in start {
            let engine = engine.clone();
            spawn(sends, async move {
                match AssertUnwindSafe(engine.send(page)).catch_unwind().await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => {
                        tracing::error!(page.id = %page, %error, "this page could not be prepared or settled; trying again");
                        engine.postpone(page);
                    }
                    Err(_) => {
                        tracing::error!(page.id = %page, "sending this page panicked, which is a bug; trying again");
                        engine.postpone(page);
                    }
                }
                engine.wake.notify_one();
            });
        }
        for page in unsent {
            let engine = engine.clone();
            spawn(sends, async move {
                if let Err(error) = engine.drop_unsent(page).await {
                    tracing::error!(page.id = %page, %error, "a withdrawn page could not be noted as unsent");
                    engine.postpone(page);
                }
            });
        }
        for (page, until, why) in held {
            let engine = engine.clone();
            spawn(sends, async move {
                if let Err(error) = engine.hold(page, until, why).await {
                    tracing::error!(page.id = %page, %error, "a page whose channel must wait could not be noted");
                    engine.postpone(page);
                }
            });
        }
        let _ = timeout(until(engine.next_send(), engine.store.now()), woken).await;
    }
}

// The one place where sends are spawned: a slow channel must delay nobody else.
#[expect(clippy::disallowed_methods, reason = "a send is a task: a slow channel must delay nobody else")]
fn spawn(sends: &TaskTracker, send: impl Future<Output = ()> + Send + 'static) {
    sends.spawn(send);
}

async fn move_ladders(engine: &Engine) {
    let mut changed = engine.store.changed();
    loop {
        engine.pulse.turned(Loop::Timers);
        changed.mark_unchanged();
        let deadline = engine.store.next_deadline().await;
        let now = engine.store.now();
        match deadline {
            Ok(Some(deadline)) if deadline <= now => {
                engine.metrics.late(now.since(deadline));
                if let Err(error) = engine.tick_timers().await {
                    tracing::error!(%error, "ladders that are due could not be moved; trying again");
                    sleep(AFTER_FAILURE).await;
                }
            }
            Ok(next) => {
                let _ = timeout(until(next, now), changed.changed()).await;
            }
            Err(error) => {
                tracing::error!(%error, "deadlines could not be read; trying again");
                sleep(AFTER_FAILURE).await;
            }
        }
    }
}

async fn hold_lease(engine: &Engine) {
    loop {
        engine.pulse.turned(Loop::Lease);
        match engine.tick_lease().await {
            Ok(()) => sleep(LEASE_EVERY).await,
            Err(error) => {
                tracing::error!(%error, "the lease could not be renewed; nothing is sent once it has lapsed");
                sleep(AFTER_FAILURE).await;
            }
        }
    }
}

/// Not with the lease: looking for what dead nodes left may take long, and the lease must not wait for it.
async fn adopt_orphans(engine: &Engine) {
    loop {
        match engine.tick_orphans().await {
            Ok(0) => {}
            Ok(_) => engine.wake.notify_one(),
            Err(error) => tracing::error!(%error, "pages of dead nodes could not be looked for; trying again"),
        }
        sleep(LEASE_EVERY).await;
    }
}

/// On its own: neither ladders nor pages of the real thing wait until drills are broken off for it.
async fn stop_drills(engine: &Engine) {
    let mut changed = engine.store.changed();
    loop {
        changed.mark_unchanged();
        if let Err(error) = engine.tick_drills().await {
            tracing::error!(%error, "drills could not be broken off; trying again");
            sleep(AFTER_FAILURE).await;
            continue;
        }
        let _ = timeout(NET, changed.changed()).await;
    }
}

/// Pages that a drill holds back on purpose.
async fn bring_late(engine: &Arc<Engine>, sends: &TaskTracker) {
    let mut changed = engine.store.changed();
    loop {
        changed.mark_unchanged();
        for page in engine.take_late() {
            let engine = engine.clone();
            spawn(sends, async move {
                if let Err(error) = engine.bring_late(page).await {
                    tracing::error!(page.id = %page, %error, "a page that a drill held back could not be brought");
                }
            });
        }
        // A page that is held back is settled at once, which wakes this.
        let _ = timeout(until(engine.next_late(), engine.store.now()), changed.changed()).await;
    }
}

/// Its own loop: a provider that does not answer must hold up nothing.
async fn look_people_up(engine: &Engine) {
    loop {
        let whole = engine.tick_people().await;
        sleep(if whole { people::REST_WHOLE } else { people::REST }).await;
    }
}

async fn anchor(engine: &Engine) {
    loop {
        sleep(ANCHOR_EVERY).await;
        if let Err(error) = engine.tick_anchor().await {
            tracing::error!(%error, "the journal could not be anchored; trying again in a minute");
        }
    }
}

/// Broken channels are looked at until they work again, page or no page.
async fn mend_channels(engine: &Engine) {
    while let Err(error) = engine.recall_breakers().await {
        tracing::error!(%error, "channels that were broken before could not be looked for; trying again");
        sleep(AFTER_FAILURE).await;
    }
    loop {
        if let Err(error) = engine.tick_breakers().await {
            tracing::error!(%error, "that a channel works again could not be told; its incident stays open");
        }
        sleep(NET).await;
    }
}

fn until(next: Option<Timestamp>, now: Timestamp) -> Duration {
    next.map_or(NET, |next| next.since(now).min(NET))
}
