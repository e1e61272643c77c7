//! The loops of the running daemon: each calls its tick for ever. Nothing is decided here.

use super::{Engine, caught::caught_in, delivery::ReadyPages, people};
use crate::{
    core::{PageId, Timestamp},
    store::StoreError,
};
use std::{
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

/// How often the queue is compared with what is owed. A page that was lost is missing at two looks.
const OWED_EVERY: Duration = Duration::from_secs(30);

/// How often the journal is anchored.
const ANCHOR_EVERY: Duration = Duration::from_secs(60);

/// How long the last anchor may take at the end.
const LAST_ANCHOR: Duration = Duration::from_secs(3);

/// The longest sleep of a loop that waits to be woken: a net below the wakings, never the way they come.
const NET: Duration = Duration::from_secs(1);

/// How long a loop rests after its store failed.
const AFTER_FAILURE: Duration = Duration::from_millis(500);

/// How long the store may take to note that nothing is under way any more.
const LEAVING: Duration = Duration::from_secs(3);

/// How long sends under way are waited for at the end.
const DRAIN: Duration = Duration::from_secs(12);

/// Proof that the loops turn; the watchdog is fed only while they do.
#[derive(Debug, Default)]
pub struct LoopHeartbeat([AtomicU64; 3]);

/// A loop that must turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineLoop {
    /// Sends what is to be sent.
    Delivery,
    /// Moves ladders that are due.
    Timers,
    /// Renews this node's lease.
    Lease,
}

impl EngineLoop {
    /// Every one, in the order of [`LoopHeartbeat::beats`].
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

impl LoopHeartbeat {
    /// This loop has turned once more.
    pub fn turned(&self, which: EngineLoop) {
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
        () = find_owed(&engine) => {}
        () = anchor(&engine) => {}
        () = stop_drills(&engine) => {}
        () = bring_late(&engine, &sends) => {}
        () = look_people_up(&engine) => {}
        () = mend_channels(&engine) => {}
        () = tell_of_damage(&engine) => {}
    }
    sends.close();
    if timeout(DRAIN, sends.wait()).await.is_err() {
        tracing::warn!(
            "some sends did not end in time; they are taken up at the next start, marked as perhaps repeated"
        );
        return;
    }
    // Nothing is under way: what waits was not begun, and the next start need not say that it may be a repeat.
    match timeout(LEAVING, engine.store.leave()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(%error, "what waits is taken up at the next start, marked as perhaps repeated")
        }
        Err(_) => tracing::warn!("what waits is taken up at the next start, marked as perhaps repeated"),
    }
}

async fn deliver(engine: &Arc<Engine>, sends: &TaskTracker) {
    loop {
        engine.pulse.turned(EngineLoop::Delivery);
        let woken = engine.wake.notified();
        let ReadyPages { start, unsent, held } = engine.tick_delivery();
        for page in start {
            deal(
                engine,
                sends,
                page,
                "this page could not be prepared or settled",
                async move |engine| match caught_in(engine.send(page)).await {
                    Ok(sent) => sent,
                    Err(why) => {
                        tracing::error!(page.id = %page, why, "sending this page panicked, which is a bug; it counts as a refusal");
                        engine.refuse_for_panic(page).await
                    }
                },
            );
        }
        for page in unsent {
            let what = "a withdrawn page could not be noted as unsent";
            deal(engine, sends, page, what, async move |engine| engine.drop_unsent(page).await);
        }
        for (page, until, why) in held {
            let what = "a page whose channel must wait could not be noted";
            deal(engine, sends, page, what, async move |engine| engine.hold(page, until, why).await);
        }
        let _ = timeout(until(engine.next_send(), engine.store.now()), woken).await;
    }
}

/// Deals with a page in a task of its own. Whatever comes of it, afterwards the page has ended or has its turn again.
fn deal<F>(
    engine: &Arc<Engine>,
    sends: &TaskTracker,
    page: PageId,
    what: &'static str,
    work: impl FnOnce(Arc<Engine>) -> F + Send + 'static,
) where
    F: Future<Output = Result<(), StoreError>> + Send,
{
    let (engine, under_way) = (engine.clone(), engine.delivery().under_way(page));
    spawn(sends, async move {
        let again_later = match caught_in(work(engine.clone())).await {
            // It was dealt with, and the queue has not heard what came of that.
            Ok(Ok(())) => under_way.is_some() && engine.delivery().under_way(page) == under_way,
            Ok(Err(error)) => {
                let again = engine.postpone(page);
                tracing::error!(page.id = %page, %error, again, "{what}");
                false
            }
            Err(why) => {
                tracing::error!(page.id = %page, why, "{what}: that panicked, which is a bug; trying again later");
                true
            }
        };
        if again_later {
            engine.delivery().panicked(page, engine.store.now());
        }
        engine.wake.notify_one();
    });
}

// The one place where sends are spawned: a slow channel must delay nobody else.
#[expect(clippy::disallowed_methods, reason = "a send is a task: a slow channel must delay nobody else")]
fn spawn(sends: &TaskTracker, send: impl Future<Output = ()> + Send + 'static) {
    sends.spawn(send);
}

async fn move_ladders(engine: &Engine) {
    let mut changed = engine.store.changed();
    loop {
        engine.pulse.turned(EngineLoop::Timers);
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
        engine.pulse.turned(EngineLoop::Lease);
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

/// A net below the queue: what it has lost is found.
async fn find_owed(engine: &Engine) {
    loop {
        sleep(OWED_EVERY).await;
        if let Err(error) = engine.tick_owed().await {
            tracing::error!(%error, "the queue could not be compared with what is owed; trying again");
        }
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
                let brought = caught_in(engine.bring_late(page)).await;
                let why = match brought {
                    Ok(brought) => brought.err().map(|error| error.to_string()),
                    Err(why) => Some(why),
                };
                if let Some(why) = why {
                    tracing::error!(page.id = %page, why, "a page that a drill held back could not be brought");
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

/// At once too: after a crash the last lines are in no anchor yet.
async fn anchor(engine: &Engine) {
    loop {
        if let Err(error) = engine.tick_anchor().await {
            tracing::error!(%error, "the journal could not be anchored; trying again in a minute");
        }
        sleep(ANCHOR_EVERY).await;
    }
}

/// The last anchor, when nothing is written any more: without it the end of the journal is covered by none. It is waited
/// for no longer than [`LAST_ANCHOR`].
pub async fn anchor_last(engine: &Engine) {
    match timeout(LAST_ANCHOR, engine.tick_anchor()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "the end of the journal could not be anchored"),
        Err(_) => tracing::error!("the end of the journal was not anchored in time"),
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

/// On its own: what can not be read holds up nothing else.
async fn tell_of_damage(engine: &Engine) {
    loop {
        if let Err(error) = engine.tick_quarantine().await {
            tracing::error!(%error, "that incidents can not be read could not be told; trying again");
        }
        sleep(NET).await;
    }
}

fn until(next: Option<Timestamp>, now: Timestamp) -> Duration {
    next.map_or(NET, |next| next.since(now).min(NET))
}
