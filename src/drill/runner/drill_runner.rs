//! The drills of one daemon: the run in progress, and what all parts of the runner need from it.

use crate::{
    core::{Actor, DrillRun, IncidentId, IncidentInput, RunId},
    drill::{Scenario, scenario::definition::ReadScenario},
    engine::Engine,
    matrix::{self, SourceText},
    store::StoreError,
};
use std::sync::{Arc, Mutex as Latch, MutexGuard, PoisonError};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

/// The drills of one daemon.
pub struct DrillRunner {
    pub(crate) engine: Arc<Engine>,
    pub(crate) current: Mutex<Option<Arc<UnderWay>>>,
}

/// A run that is in progress.
pub(crate) struct UnderWay {
    pub(crate) id: RunId,
    pub(crate) scenario: Scenario,
    pub(crate) stop: CancellationToken,
    /// Whether it is still in progress.
    pub(crate) phase: Latch<RunPhase>,
    /// Its incidents are over, and the people who were paged are being told.
    pub(crate) ended: CancellationToken,
}

/// The progress of a run.
#[derive(Default)]
pub(crate) enum RunPhase {
    /// It is in progress.
    #[default]
    GoesOn,
    /// Somebody has stopped it early.
    Stopped(Actor),
    /// It was played to its end, or ended for another reason: it cannot be stopped any more.
    Over,
}

impl UnderWay {
    pub(crate) fn phase(&self) -> MutexGuard<'_, RunPhase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DrillRunner {
    /// The drills of this node.
    pub fn new(engine: Arc<Engine>) -> Arc<Self> {
        Arc::new(Self { engine, current: Mutex::new(None) })
    }

    /// The engine of the node that they run on.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// One run; `None` if there is no run with this number.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn run(&self, id: RunId) -> Result<Option<DrillRun>, StoreError> {
        self.engine.reads().drill_run(id).await
    }

    /// Reads a scenario with the current matrix.
    ///
    /// # Errors
    /// Its faults, as text.
    pub fn read(&self, file: &SourceText) -> Result<Scenario, String> {
        let live = self.engine.config();
        let ReadScenario { scenario, diagnostics } = Scenario::read(file, &live.matrix);
        let faults = || matrix::render_of("scenario", &diagnostics, std::slice::from_ref(file), false);
        scenario.ok_or_else(faults)
    }

    /// Resolves every open incident of a run and returns their numbers. `why` gives the reason if it was stopped early.
    pub(crate) async fn end_incidents(
        &self,
        id: RunId,
        by: &Actor,
        why: Option<String>,
    ) -> Result<Vec<IncidentId>, StoreError> {
        let mut ended = Vec::new();
        for drill in self.engine.reads().open_now().await?.drills {
            let incident = self.engine.reads().view(drill).await?;
            if incident.is_some_and(|incident| incident.terms.as_ref().is_some_and(|terms| terms.run == Some(id))) {
                self.engine.step(drill, IncidentInput::Resolve { by: by.clone(), why: why.clone() }).await?;
                ended.push(drill);
            }
        }
        Ok(ended)
    }
}
