//! The loops of the running daemon: each calls its tick for ever and decides nothing.

use crate::{
    core::{PageId, Timestamp},
    engine::{
        anchor_copies::AGAIN,
        caught::caught_in,
        delivery::queues::ReadyPages,
        health::{EngineLoop, REST, REST_WHOLE},
        node::Engine,
    },
    store::StoreError,
};
use std::{sync::Arc, time::Duration};
use tokio::time::{sleep, timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How often the lease is renewed and dead nodes are looked for.
const LEASE_EVERY: Duration = Duration::from_secs(3);

/// How often queues are compared with what is owed. A lost page is found the second time it is missing.
const OWED_EVERY: Duration = Duration::from_secs(30);

/// How often the journal is anchored.
const ANCHOR_EVERY: Duration = Duration::from_secs(60);

/// How long the last anchor may take at the end.
const LAST_ANCHOR: Duration = Duration::from_secs(3);

/// The longest sleep of a loop that waits to be woken, as a safety net.
const NET: Duration = Duration::from_secs(1);

/// How long a loop pauses after the store failed.
const AFTER_FAILURE: Duration = Duration::from_millis(500);

/// How long the store may take to record that nothing is in progress any more.
const LEAVING: Duration = Duration::from_secs(3);

/// How long the end waits for sends in progress.
const DRAIN: Duration = Duration::from_secs(12);

/// Runs a node until `shutdown`, then waits for sends in progress.
pub async fn run(engine: Arc<Engine>, shutdown: CancellationToken) {
    let sends = TaskTracker::new();
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = deliver(&engine, &sends) => {}
        () = move_ladders(&engine) => {}
        () = open_waited(&engine) => {}
        () = hold_lease(&engine) => {}
        () = adopt_orphans(&engine) => {}
        () = find_owed(&engine) => {}
        () = anchor(&engine) => {}
        () = hand_over_anchors(&engine) => {}
        () = stop_drills(&engine) => {}
        () = bring_late(&engine, &sends) => {}
        () = look_people_up(&engine) => {}
        () = mend_channels(&engine) => {}
        () = tell_of_damage(&engine) => {}
    }
    sends.close();
    if timeout(DRAIN, sends.wait()).await.is_err() {
        tracing::warn!("some sends did not end in time; they are sent at the next start, marked as possible repeats");
        return;
    }
    // Nothing is under way: what waits was not begun, and the next start need not say that it may be a repeat.
    match timeout(LEAVING, engine.store().leave()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(%error, "waiting pages are sent at the next start, marked as possible repeats")
        }
        Err(_) => tracing::warn!("waiting pages are sent at the next start, marked as possible repeats"),
    }
}

async fn deliver(engine: &Arc<Engine>, sends: &TaskTracker) {
    loop {
        engine.health().heartbeat().turned(EngineLoop::Delivery);
        let woken = engine.delivery().woken();
        let ReadyPages { start, unsent, held } = engine.delivery().tick_delivery();
        for page in start {
            deal(
                engine,
                sends,
                page,
                "this page could not be prepared or settled",
                async move |engine| match caught_in(engine.delivery().send(page)).await {
                    Ok(sent) => sent,
                    Err(why) => {
                        tracing::error!(page.id = %page, why, "sending this page panicked, which is a bug; it counts as a refusal");
                        engine.delivery().refuse_for_panic(page).await
                    }
                },
            );
        }
        for page in unsent {
            let what = "a withdrawn page could not be recorded as unsent";
            deal(engine, sends, page, what, async move |engine| engine.delivery().drop_unsent(page).await);
        }
        for (page, until, why) in held {
            let what = "the wait of a page for its channel could not be recorded";
            deal(engine, sends, page, what, async move |engine| engine.delivery().hold(page, until, why).await);
        }
        let _ = timeout(until(engine.delivery().next_send(), engine.store().now()), woken).await;
    }
}

/// Handles a page in a task of its own. Afterwards the page has ended or is queued again, whatever happened.
fn deal<F>(
    engine: &Arc<Engine>,
    sends: &TaskTracker,
    page: PageId,
    what: &'static str,
    work: impl FnOnce(Arc<Engine>) -> F + Send + 'static,
) where
    F: Future<Output = Result<(), StoreError>> + Send,
{
    let (engine, under_way) = (engine.clone(), engine.delivery().queues().under_way(page));
    spawn(sends, async move {
        let again_later = match caught_in(work(engine.clone())).await {
            // The task ended without telling the queue how.
            Ok(Ok(())) => under_way.is_some() && engine.delivery().queues().under_way(page) == under_way,
            Ok(Err(error)) => {
                let again = engine.delivery().postpone(page);
                tracing::error!(page.id = %page, %error, again, "{what}");
                false
            }
            Err(why) => {
                tracing::error!(page.id = %page, why, "{what}: that panicked, which is a bug; trying again later");
                true
            }
        };
        if again_later {
            engine.delivery().queues().panicked(page, engine.store().now());
        }
        engine.delivery().wake();
    });
}

// The one place where sends are spawned: a slow channel must delay nobody else.
#[expect(clippy::disallowed_methods, reason = "a send is a task: a slow channel must delay nobody else")]
fn spawn(sends: &TaskTracker, send: impl Future<Output = ()> + Send + 'static) {
    sends.spawn(send);
}

async fn move_ladders(engine: &Engine) {
    let mut changed = engine.store().changed();
    loop {
        engine.health().heartbeat().turned(EngineLoop::Timers);
        changed.mark_unchanged();
        let deadline = engine.store().next_deadline().await;
        let now = engine.store().now();
        match deadline {
            Ok(Some(deadline)) if deadline <= now => {
                engine.metrics().late(now.since(deadline));
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

/// A loop of its own: new incidents may be refused on a full disk, and ladders go on.
async fn open_waited(engine: &Engine) {
    let (mut changed, mut reloads) = (engine.store().changed(), engine.reloads());
    loop {
        changed.mark_unchanged();
        reloads.mark_unchanged();
        let (next, now) = (engine.admission().next_judgement().await, engine.store().now());
        let is_due = |due: Option<Timestamp>| due.is_some_and(|due| due <= now);
        let failed = match next {
            Ok(next) if is_due(next) || engine.admission().has_changed_silences() => {
                engine.admission().tick_judgements().await.err()
            }
            Ok(next) => {
                let news = async {
                    tokio::select! {
                        _ = changed.changed() => {}
                        _ = reloads.changed() => {}
                    }
                };
                let _ = timeout(until(next, now), news).await;
                None
            }
            Err(error) => Some(error),
        };
        if let Some(error) = failed {
            tracing::error!(%error, "incidents for alerts that have waited long enough could not be opened; trying again");
            sleep(AFTER_FAILURE).await;
        }
    }
}

async fn hold_lease(engine: &Engine) {
    loop {
        engine.health().heartbeat().turned(EngineLoop::Lease);
        match engine.delivery().tick_lease().await {
            Ok(()) => sleep(LEASE_EVERY).await,
            Err(error) => {
                tracing::error!(%error, "the lease could not be renewed; nothing is sent after it expires");
                sleep(AFTER_FAILURE).await;
            }
        }
    }
}

/// Apart from the lease: looking for pages of dead nodes may take long, and the lease must not wait.
async fn adopt_orphans(engine: &Engine) {
    loop {
        match engine.delivery().tick_orphans().await {
            Ok(0) => {}
            Ok(_) => engine.delivery().wake(),
            Err(error) => tracing::error!(%error, "the search for pages of dead nodes failed; trying again"),
        }
        sleep(LEASE_EVERY).await;
    }
}

/// A safety net: finds what the queues have lost.
async fn find_owed(engine: &Engine) {
    loop {
        sleep(OWED_EVERY).await;
        if let Err(error) = engine.delivery().tick_owed().await {
            tracing::error!(%error, "the queue could not be compared with the pages that are due; trying again");
        }
    }
}

/// A loop of its own: live ladders and pages must not wait until drills are stopped.
async fn stop_drills(engine: &Engine) {
    let mut changed = engine.store().changed();
    loop {
        changed.mark_unchanged();
        if let Err(error) = engine.delivery().tick_drills().await {
            tracing::error!(%error, "drills could not be aborted; trying again");
            sleep(AFTER_FAILURE).await;
            continue;
        }
        let _ = timeout(NET, changed.changed()).await;
    }
}

/// Sends pages that a drill delayed.
async fn bring_late(engine: &Arc<Engine>, sends: &TaskTracker) {
    let mut changed = engine.store().changed();
    loop {
        changed.mark_unchanged();
        for page in engine.delivery().take_late() {
            let engine = engine.clone();
            spawn(sends, async move {
                let brought = caught_in(engine.delivery().bring_late(page)).await;
                let why = match brought {
                    Ok(brought) => brought.err().map(|error| error.to_string()),
                    Err(why) => Some(why),
                };
                if let Some(why) = why {
                    tracing::error!(page.id = %page, why, "a page that a drill delayed could not be delivered");
                }
            });
        }
        // A page that is delayed is recorded at once, which wakes this loop.
        let _ = timeout(until(engine.delivery().next_late(), engine.store().now()), changed.changed()).await;
    }
}

/// A loop of its own: a provider that does not answer must delay nothing.
async fn look_people_up(engine: &Engine) {
    loop {
        engine.inbound().drop_unwanted_links().await;
        let whole = engine.health().tick_people().await;
        sleep(if whole { REST_WHOLE } else { REST }).await;
    }
}

/// Also at the start: after a crash the last lines are in no anchor yet.
async fn anchor(engine: &Engine) {
    loop {
        engine.inbound().tick_words(false).await;
        if let Err(error) = engine.tick_anchor().await {
            tracing::error!(%error, "the journal could not be anchored; trying again in a minute");
        }
        sleep(ANCHOR_EVERY).await;
    }
}

/// A loop of its own: somebody else who does not answer must delay nothing.
async fn hand_over_anchors(engine: &Engine) {
    loop {
        let most = if engine.tick_anchor_copies().await { ANCHOR_EVERY } else { AGAIN };
        engine.anchor_copied(most).await;
    }
}

/// Writes the last anchor, after everything else: without it nothing covers the end of the journal. Waits no longer
/// than `LAST_ANCHOR` for it, and no longer than that for those who get copies.
pub async fn anchor_last(engine: &Engine) {
    match timeout(LAST_ANCHOR, engine.tick_anchor()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "the end of the journal could not be anchored"),
        Err(_) => tracing::error!("the end of the journal was not anchored in time"),
    }
    if !timeout(LAST_ANCHOR, engine.tick_anchor_copies()).await.unwrap_or_default() {
        tracing::warn!("the copy of the last anchor was not taken by everybody who gets one");
    }
}

/// Probes broken channels until they work again, whether or not there are pages.
async fn mend_channels(engine: &Engine) {
    while let Err(error) = engine.delivery().recall_breakers().await {
        tracing::error!(%error, "the search for channels that were broken before failed; trying again");
        sleep(AFTER_FAILURE).await;
    }
    loop {
        if let Err(error) = engine.delivery().tick_breakers().await {
            tracing::error!(%error, "it could not be reported that a channel works again; its incident stays open");
        }
        sleep(NET).await;
    }
}

/// A loop of its own: unreadable rows must delay nothing.
async fn tell_of_damage(engine: &Engine) {
    loop {
        if let Err(error) = engine.health().tick_quarantine().await {
            tracing::error!(%error, "it could not be reported that incidents can not be read; trying again");
        }
        sleep(NET).await;
    }
}

fn until(next: Option<Timestamp>, now: Timestamp) -> Duration {
    next.map_or(NET, |next| next.since(now).min(NET))
}
