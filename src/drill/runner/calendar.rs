//! Scheduled drills: which scenario runs next and when. The times are stored, so that a restart does not draw them
//! again.

use crate::{
    core::{Actor, ScheduledRun, Timestamp},
    drill::{
        Scenario,
        runner::{drill_runner::DrillRunner, lifecycle::RunRequest},
    },
    store::StoreError,
    toml_kit::source::{SourceText, read_each},
};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// How often the calendar is checked.
const LOOK: Duration = Duration::from_secs(5);

/// A drill that is late by more than this is skipped, because the daemon was not running at its time. It is never held
/// late.
pub const LATE_MAX: Duration = Duration::from_secs(120);

/// The directory of the scenarios inside the matrix's directory.
pub const FOLDER: &str = "drills";

/// One scheduled scenario.
#[derive(Debug, Clone, Serialize)]
pub struct ScheduledScenario {
    /// Its name.
    pub scenario: String,
    /// Its rule.
    pub rule: String,
    /// When it runs next; `None` if that is not drawn yet, or its rule never matches again.
    pub next: Option<Timestamp>,
    /// What happened to the last one.
    pub last: String,
}

/// The scenarios in a matrix's directory, by file. Those that cannot be read are returned with their faults.
pub fn scenarios(runs: &DrillRunner, matrix: &Path) -> BTreeMap<PathBuf, Result<(SourceText, Scenario), String>> {
    let folder = matrix.join(FOLDER);
    let files = match read_each(&folder) {
        Ok(files) => files,
        // Not every matrix has drills.
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => vec![(folder, Err(error))],
    };
    let read = |file: io::Result<SourceText>| {
        let file = file.map_err(|error| error.to_string())?;
        runs.read(&file).map(|scenario| (file, scenario))
    };
    files.into_iter().map(|(path, file)| (path, read(file))).collect()
}

/// Checks the calendar in an endless loop.
pub async fn keep(runs: Arc<DrillRunner>, matrix: PathBuf, shutdown: CancellationToken) {
    loop {
        match tick(&runs, &matrix, rand::random::<f64>()).await {
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "the calendar of drills could not be stored; trying again"),
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// The scheduled scenarios, by name.
///
/// # Errors
/// The store cannot be read.
pub async fn scheduled(runs: &DrillRunner, matrix: &Path) -> Result<Vec<ScheduledScenario>, StoreError> {
    let mut turns = turns(runs).await?;
    let read = scenarios(runs, matrix).into_values().flatten();
    let ruled = read.filter_map(|(_, scenario)| Some((scenario.schedule?.to_string(), scenario.name)));
    let scheduled = ruled.map(|(rule, scenario)| {
        let known = turns.remove(&scenario).filter(|turn| turn.rule == rule);
        let (next, last) = known.map_or((None, String::new()), |turn| (Some(turn.next), turn.last));
        ScheduledScenario { scenario, rule, next, last }
    });
    Ok(scheduled.collect())
}

/// Starts what is due and draws the next times; returns how many were due. `chance` supplies the random numbers.
///
/// # Errors
/// The store fails.
pub async fn tick(runs: &Arc<DrillRunner>, matrix: &Path, chance: f64) -> Result<usize, StoreError> {
    let (mut turns, mut held) = (turns(runs).await?, 0);
    for (file, scenario) in scenarios(runs, matrix).into_values().flatten() {
        let Some(table) = &scenario.schedule else { continue };
        let (now, rule) = (runs.engine().now(), table.to_string());
        let known = turns.remove(&scenario.name).filter(|turn| turn.rule == rule);
        if known.as_ref().is_some_and(|turn| now < turn.next) {
            continue;
        }
        let Some(next) = table.next_after(now, chance) else { continue };
        let next = |last| ScheduledRun { scenario: scenario.name.clone(), rule: rule.clone(), next, last };
        // The turn is used up before the drill begins: a crash must not run it twice.
        let begun = known.as_ref().map_or_else(String::new, |turn| format!("{}: begun", turn.next));
        runs.engine().keep_turn(next(begun)).await?;
        if let Some(turn) = &known {
            held += 1;
            let last = hold(runs, file, turn, now).await;
            runs.engine().keep_turn(next(last)).await?;
        }
    }
    Ok(held)
}

async fn turns(runs: &DrillRunner) -> Result<BTreeMap<String, ScheduledRun>, StoreError> {
    let turns = runs.engine().reads().turns().await?;
    Ok(turns.into_iter().map(|turn| (turn.scenario.clone(), turn)).collect())
}

/// Runs a drill that is due; returns what happened.
async fn hold(runs: &Arc<DrillRunner>, file: SourceText, turn: &ScheduledRun, now: Timestamp) -> String {
    if turn.next + LATE_MAX < now {
        tracing::warn!(drill.scenario = turn.scenario, at = %turn.next, "the daemon was not running when this drill was due: it is skipped");
        return format!("{}: skipped, the daemon was not running", turn.next);
    }
    let by = Actor::Operator("schedule".into());
    match runs.start(RunRequest { file, compress: None, by }).await {
        Ok(run) => format!("{}: {run}", turn.next),
        Err(why) => {
            tracing::warn!(drill.scenario = turn.scenario, %why, "this scheduled drill was not held");
            format!("{}: not held: {why}", turn.next)
        }
    }
}
