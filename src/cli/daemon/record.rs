//! What the journal says of the daemon itself: its starts and stops, its reloads, and steps of the wall clock.

use crate::{
    core::{SourceEvent, event::hex},
    engine::{Engine, RuntimeConfig},
};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// How often the wall clock is looked at.
const CLOCK_EVERY: Duration = Duration::from_secs(10);

/// How many mended rows of the store are named in the line of a start.
const MENDED_NAMED: usize = 20;

/// Journals that the daemon begins.
pub async fn started(engine: &Engine) {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let clock_ahead_us = engine.clock_ahead_us();
    let matrix = revision(&engine.config());
    let mended = at_most(engine.mended());
    note(engine, SourceEvent::Started { version, matrix, clock_ahead_us, mended }).await;
}

/// The first ones, and how many more there are.
fn at_most(mut mended: Vec<String>) -> Vec<String> {
    let more = mended.len().saturating_sub(MENDED_NAMED);
    mended.truncate(MENDED_NAMED);
    mended.extend((0 < more).then(|| format!("and {more} more")));
    mended
}

/// Journals that it ends in order.
pub async fn stopped(engine: &Engine) {
    engine.inbound().tick_words(true).await;
    note(engine, SourceEvent::Stopped {}).await;
}

/// Journals each matrix, and each set of templates, that is taken into use.
pub async fn reloads(engine: &Engine) {
    let mut reloads = engine.reloads();
    while reloads.changed().await.is_ok() {
        note(engine, SourceEvent::Reloaded { matrix: revision(&engine.config()) }).await;
    }
}

/// Journals and logs each step of the wall clock. It moves no ladder.
pub async fn clock(engine: &Engine) {
    let mut last = engine.clock_ahead_us();
    loop {
        tokio::time::sleep(CLOCK_EVERY).await;
        let ahead_us = engine.clock_ahead_us();
        let by_us = ahead_us.saturating_sub(last);
        if 1_000_000 < by_us.saturating_abs() {
            let by = by_us as f64 / 1e6;
            tracing::warn!(clock.step_seconds = by, "the wall clock was stepped; ladders keep their own time");
            note(engine, SourceEvent::ClockStepped { by_us, ahead_us }).await;
        }
        last = ahead_us;
    }
}

/// A daemon that can not journal this goes on: it pages people.
async fn note(engine: &Engine, event: SourceEvent) {
    if let Err(error) = engine.note(event).await {
        tracing::warn!(%error, "what happened to the daemon itself could not be journaled");
    }
}

/// The content hash of the matrix and of its templates.
fn revision(live: &RuntimeConfig) -> String {
    let templates = serde_json::to_vec(&live.templates.revisions()).unwrap_or_default();
    hex(&Sha256::new().chain_update(&live.matrix.revision).chain_update(templates).finalize())
}
