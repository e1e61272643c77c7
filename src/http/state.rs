//! What every request may need.

use crate::{
    channel::{desk_hub::DeskHub, outbox::SandboxOutbox},
    core::Timestamp,
    drill::runner::drill_runner::DrillRunner,
    engine::Engine,
    http::{explanations::AnsweredTexts, handled_requests, wrong_codes::WrongCodes},
    store::clock::{ClockSources, SystemClock},
};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};
use tokio_util::sync::CancellationToken;

/// What every request may need.
pub struct AppState {
    /// The node.
    pub engine: Arc<Engine>,
    /// The desks that are open.
    pub hub: DeskHub,
    /// The sandbox.
    pub outbox: SandboxOutbox,
    /// Whether the outbox may be looked at over TCP: only on loopback, and only where nothing is public.
    pub shows_outbox: bool,
    /// When the process started.
    pub started_at: Timestamp,
    /// Ends every stream.
    pub shutdown: CancellationToken,
    /// For private words to Slack users.
    pub client: reqwest::Client,
    /// Where else than at Slack private words may go: doubles on loopback.
    pub slack_hooks: Option<String>,
    /// Drills on this daemon.
    pub drills: Arc<DrillRunner>,
    /// The matrix's folder, whose drills are scheduled.
    pub scenarios: PathBuf,
    /// Twilio's requests that were answered already.
    pub answered: handled_requests::HandledRequests,
    /// Texts that were answered of late.
    pub texts: AnsweredTexts,
    /// Wrong SMS codes.
    pub guesses: Mutex<WrongCodes>,
}

impl AppState {
    /// What the clocks of others show: for times that come from elsewhere. Ladders never see it.
    pub fn wall(&self) -> Timestamp {
        SystemClock.wall()
    }
}
