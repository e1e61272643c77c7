//! The state that every request handler can use.

use crate::{
    channel::{desk_hub::DeskHub, outbox::SandboxOutbox},
    core::Timestamp,
    drill::runner::drill_runner::DrillRunner,
    engine::Engine,
    http::{
        board::SharedBoard, explanations::AnsweredTexts, handled_requests, handoff_estimate::KeptEstimates,
        reloader::ReloaderCell, unfinished::UnfinishedBodies, wrong_codes::WrongCodes,
    },
    store::clock::{ClockSources, SystemClock},
};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};
use tokio_util::sync::CancellationToken;

/// The state that every request handler can use.
pub struct AppState {
    /// The node.
    pub engine: Arc<Engine>,
    /// The desks that are open.
    pub hub: DeskHub,
    /// The sandbox.
    pub outbox: SandboxOutbox,
    /// Whether the outbox is shown over TCP: only on loopback, and only if there is no public address.
    pub shows_outbox: bool,
    /// When the process started.
    pub started_at: Timestamp,
    /// Ends every stream.
    pub shutdown: CancellationToken,
    /// The client for texts that a provider takes for one user at an address of its own.
    pub client: reqwest::Client,
    /// What addresses begin with that stand for a provider's in tests.
    pub test_replies: Option<String>,
    /// The runner of drills on this daemon.
    pub drills: Arc<DrillRunner>,
    /// The matrix's folder, with the scenarios of scheduled drills.
    pub scenarios: PathBuf,
    /// Reads the matrix again.
    pub reloader: ReloaderCell,
    /// Twilio's requests that were already handled.
    pub answered: handled_requests::HandledRequests,
    /// Bodies of monitors of which a part must come again.
    pub unfinished: UnfinishedBodies,
    /// The board of all desks.
    pub board: SharedBoard,
    /// How long people usually take until somebody has a conversation.
    pub estimates: KeptEstimates,
    /// Texts that were answered lately.
    pub texts: AnsweredTexts,
    /// The wrong codes of each SMS number.
    pub guesses: Mutex<WrongCodes>,
}

impl AppState {
    /// The wall clock, to compare with times from other systems. Ladders do not use it.
    pub fn wall(&self) -> Timestamp {
        SystemClock.wall()
    }
}
