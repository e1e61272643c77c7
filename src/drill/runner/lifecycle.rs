//! Drills on the live daemon. A scenario's alerts go through the daemon's own API and take the same path as a real
//! crisis. The run is watched to its end, scored and stored. One drill runs at a time, and never during a live
//! incident.

use crate::{
    core::{Actor, DrillRun, IncidentId, RunId, RunState, Timestamp, event::hex},
    drill::{
        Scenario,
        runner::{
            conduct::broken_off,
            drill_runner::{DrillRunner, RunPhase, UnderWay},
        },
        scenario::definition::COMPRESS_MAX,
    },
    matrix::SourceText,
    store::StoreError,
};
use futures_util::FutureExt;
use sha2::Digest;
use sha2::Sha256;
use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex as Latch},
    time::Duration,
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How many stored runs are searched for one that an earlier daemon left unfinished: it is the newest.
const RUNS_MAX: usize = 1000;

/// A request to run a drill.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// The scenario.
    pub file: SourceText,
    /// The number by which waits and offsets are divided; `None` uses the scenario's value.
    pub compress: Option<u32>,
    /// Who asks for it.
    pub by: Actor,
}

/// Why no drill was started. Nobody was paged.
#[derive(Debug, thiserror::Error)]
pub enum NotRun {
    /// The scenario has faults, or does not fit the matrix.
    #[error("{0}")]
    Scenario(String),
    /// The factor is out of range.
    #[error("a drill's ladders can be compressed by 1 to {COMPRESS_MAX}, not by {0}")]
    Compress(u32),
    /// It must not run at this time of day.
    #[error("the scenario's `hours` do not allow it now: nobody was paged")]
    Hours,
    /// A live incident is open.
    #[error("{0} is open, which is real: no drill can start before it is resolved; nobody was paged")]
    Live(IncidentId),
    /// Another drill's incident is open.
    #[error("{0} is open, which is a drill: `stentor resolve {0}` ends it; nobody was paged")]
    Drill(IncidentId),
    /// Another run is in progress.
    #[error("{0} is still running: `stentor drill abort {0}` ends it; nobody was paged")]
    UnderWay(RunId),
    /// The store cannot keep it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a run was not stopped.
#[derive(Debug, thiserror::Error)]
pub enum NotStopped {
    /// It is not in progress.
    #[error("{0} is not running")]
    NotRunning(RunId),
    /// The scenario lists who may stop it, and this person is not on the list.
    #[error("the scenario's `abort.people` does not name {0}")]
    NotTheirs(Actor),
    /// It was told to end, but its incidents are still open.
    #[error("{0} was aborted, but its incidents are still open: see the log")]
    NotYet(RunId),
}

/// How long the caller waits until the incidents of the stopped run are over.
const ABORT_WAIT: Duration = Duration::from_secs(10);

impl DrillRunner {
    /// Starts a run. When this returns the run is stored, and continues in the background.
    ///
    /// # Errors
    /// Every reason why it must not run; then nobody was paged.
    #[expect(clippy::disallowed_methods, reason = "a run continues even if its caller disconnects")]
    pub async fn start(self: &Arc<Self>, order: RunRequest) -> Result<RunId, NotRun> {
        let mut current = self.current.lock().await;
        if let Some(under_way) = &*current {
            return Err(NotRun::UnderWay(under_way.id));
        }
        let (run, scenario) = self.admit(&order).await?;
        self.engine.keep_run(run.clone()).await?;
        tracing::info!(drill.run = %run.id, drill.scenario = run.scenario, by = run.by, "a drill begins");
        let id = run.id;
        let (stop, ended) = (CancellationToken::new(), CancellationToken::new());
        let under_way = Arc::new(UnderWay { id, scenario, stop, phase: Latch::default(), ended });
        *current = Some(under_way.clone());
        let runs = self.clone();
        tokio::spawn(async move {
            if AssertUnwindSafe(runs.conduct(run, &under_way)).catch_unwind().await.is_err() {
                tracing::error!(drill.run = %id, "conducting this drill panicked, which is a bug; it ends by its clock");
            }
            *runs.current.lock().await = None;
        });
        Ok(id)
    }

    /// Stops a run early. When this returns its incidents are over, and everybody who was paged is being told.
    ///
    /// # Errors
    /// The run is not in progress any more, the scenario does not list this person, or its incidents do not end within
    /// 10 seconds.
    pub async fn abort(&self, id: RunId, by: Actor) -> Result<(), NotStopped> {
        let current = self.current.lock().await.clone();
        let under_way = current.filter(|run| run.id == id).ok_or(NotStopped::NotRunning(id))?;
        let people = &under_way.scenario.abort.people;
        if matches!(&by, Actor::Person(person) if !people.is_empty() && !people.contains(person)) {
            return Err(NotStopped::NotTheirs(by));
        }
        match &mut *under_way.phase() {
            RunPhase::Over => return Err(NotStopped::NotRunning(id)),
            phase => *phase = RunPhase::Stopped(by),
        }
        under_way.stop.cancel();
        timeout(ABORT_WAIT, under_way.ended.cancelled()).await.map_err(|_| NotStopped::NotYet(id))
    }

    /// Ends what an earlier daemon left unfinished. Call this before anything is sent: then none of its pages are sent
    /// late, and everybody who was paged is told that it is over.
    ///
    /// # Errors
    /// The store cannot save this.
    pub async fn close_interrupted(&self) -> Result<(), StoreError> {
        let runs = self.engine.reads().runs(RUNS_MAX).await?;
        for mut run in runs.into_iter().filter(|run| run.state == RunState::Running) {
            let why = "the daemon ended during the drill".to_owned();
            let ended = self.end_incidents(run.id, &Actor::Clock, Some(broken_off(&why))).await?;
            // An incident may have been opened without being recorded in the run.
            run.incidents.extend(ended.into_iter().filter(|id| !run.incidents.contains(id)).collect::<Vec<_>>());
            tracing::warn!(drill.run = %run.id, "the daemon had ended in the middle of this drill: it is closed");
            let ended_at = Some(self.engine.now());
            self.engine.keep_run(DrillRun { state: RunState::Interrupted, ended_at, why, ..run }).await?;
        }
        Ok(())
    }

    /// Checks everything that must hold before anybody is paged.
    async fn admit(&self, order: &RunRequest) -> Result<(DrillRun, Scenario), NotRun> {
        let scenario = self.read(&order.file).map_err(NotRun::Scenario)?;
        let compress = order.compress.unwrap_or(scenario.compress);
        if !(1..=COMPRESS_MAX).contains(&compress) {
            return Err(NotRun::Compress(compress));
        }
        let now = self.engine.now();
        if scenario.hours.as_ref().is_some_and(|hours| !hours.cover(now)) {
            return Err(NotRun::Hours);
        }
        let open = self.engine.reads().open_now().await?;
        if let Some(live) = open.live {
            return Err(NotRun::Live(live));
        }
        if let Some(drill) = open.drills.first() {
            return Err(NotRun::Drill(*drill));
        }
        let id = self.engine.next_run().await?;
        Ok((self.begun(id, order, &scenario, compress, now), scenario))
    }

    fn begun(
        &self,
        id: RunId,
        order: &RunRequest,
        scenario: &Scenario,
        compress: u32,
        started_at: Timestamp,
    ) -> DrillRun {
        DrillRun {
            id,
            scenario: scenario.name.clone(),
            revision: hex(&Sha256::digest(order.file.text.as_bytes())),
            text: order.file.text.clone(),
            by: order.by.to_string(),
            started_at,
            ended_at: None,
            state: RunState::Running,
            why: String::new(),
            compress,
            matrix: self.engine.config().matrix.revision.clone(),
            incidents: Vec::new(),
            score: serde_json::Value::Null,
        }
    }
}
