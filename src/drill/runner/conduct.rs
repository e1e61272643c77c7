//! One run from its first alert to its score.

use crate::{
    core::{
        Actor, Alert, DrillRun, DrillTerms, Incident, IncidentId, IncidentStatus, InjectedFault, RunState, Timestamp,
        drill::BROKEN_OFF,
    },
    drill::{
        DrillScore, HypothesisVerdict, Scenario,
        runner::{
            announce::ANNOUNCE_WAIT,
            drill_runner::{DrillRunner, RunPhase, UnderWay},
        },
        scenario::definition,
    },
    engine::AdmissionResult,
    store::StoreError,
};
use std::{collections::VecDeque, sync::Arc, time::Duration};
use tokio::time::{sleep, timeout};

/// How long to wait for the all-clear before the run is scored.
const ALL_CLEAR_WAIT: Duration = Duration::from_secs(30);

/// How long to wait for the messages about who has which role, before the all-clear.
const WORDS_WAIT: Duration = Duration::from_secs(10);

/// The longest interval between two checks of the run's state.
const LOOK: Duration = Duration::from_millis(500);

/// How long a run pauses after its store failed.
const AFTER_FAILURE: Duration = Duration::from_millis(500);

/// How often a step of a run is tried again while the store fails.
const TRIES: u32 = 20;

/// Why a run is over.
enum RunEnd {
    /// Every alert is sent, and every role has its outcome or the time is up.
    Whole,
    /// A live incident began.
    Preempted(Option<IncidentId>),
    /// A person, or the scenario's own rule, stopped it early.
    Aborted(Actor, String),
}

impl DrillRunner {
    /// Conducts a run to its end and stores the result.
    pub(crate) async fn conduct(&self, mut run: DrillRun, under_way: &UnderWay) {
        let ended = match self.play(&mut run, under_way).await {
            Ok(ended) => ended,
            Err(error) => RunEnd::Aborted(Actor::Clock, format!("the store failed: {error}")),
        };
        let ended = over(under_way, ended);
        let by = match &ended {
            RunEnd::Aborted(by, _) => by.clone(),
            RunEnd::Whole | RunEnd::Preempted(_) => Actor::Clock,
        };
        for _ in 0..TRIES {
            match self.close(&mut run, under_way, &ended, &by).await {
                Ok(()) => return,
                Err(error) => {
                    tracing::error!(drill.run = %run.id, %error, "the end of a drill could not be stored; trying again");
                    sleep(AFTER_FAILURE).await;
                }
            }
        }
        // The run does not continue, even if its state cannot be read; its incidents end at their own end time.
        (run.state, run.why) = (RunState::Aborted, "its end could not be scored: see the log".to_owned());
        run.ended_at = Some(self.engine.now());
        if let Err(error) = self.engine.keep_run(run).await {
            tracing::error!(%error, "the store shows a drill as running that is not");
        }
    }

    async fn play(&self, run: &mut DrillRun, under_way: &UnderWay) -> Result<RunEnd, StoreError> {
        let scenario = &under_way.scenario;
        if scenario.announced {
            let terms = terms(run, scenario, self.engine.now() + ANNOUNCE_WAIT);
            let Some(told) = self.announce(run, scenario, &terms).await? else { return Ok(RunEnd::Preempted(None)) };
            run.incidents.push(told);
            self.engine.keep_run(run.clone()).await?;
            self.until_settled(run, ANNOUNCE_WAIT, Some(under_way)).await?;
        }
        let zero = self.engine.now();
        let terms = terms(run, scenario, zero);
        let mut reports: VecDeque<(Timestamp, Arc<Alert>)> =
            scenario.reports().into_iter().map(|(at, alert)| (zero + at / run.compress, alert)).collect();
        let mut changed = self.engine.reads().changed();
        loop {
            changed.mark_unchanged();
            let now = self.engine.now();
            if let Some(ended) = stopped(&under_way.phase()) {
                return Ok(ended);
            }
            if let Some(by) = self.broken_off_for(run).await? {
                return Ok(RunEnd::Preempted(Some(by)));
            }
            while let Some((_, alert)) = reports.pop_front_if(|(at, _)| *at <= now) {
                if let Some(ended) = self.inject(run, &alert, &terms).await? {
                    return Ok(ended);
                }
            }
            if let Some(ended) = self.look(run, scenario, reports.is_empty(), terms.until).await? {
                // People who were paged are told who has the role before they are told that the incident is over.
                if matches!(ended, RunEnd::Whole) {
                    let left = terms.until.since(self.engine.now());
                    self.until_settled(run, left.min(WORDS_WAIT), Some(under_way)).await?;
                }
                return Ok(ended);
            }
            let next = reports.front().map_or(terms.until, |(at, _)| *at);
            let rest = next.since(self.engine.now()).min(LOOK);
            tokio::select! {
                () = under_way.stop.cancelled() => {}
                _ = timeout(rest, changed.changed()) => {}
            }
        }
    }

    /// Sends one alert through the daemon's own API.
    async fn inject(
        &self,
        run: &mut DrillRun,
        alert: &Alert,
        terms: &DrillTerms,
    ) -> Result<Option<RunEnd>, StoreError> {
        let now = self.engine.now();
        let alert = Alert {
            id: format!("{}-{}", run.id, alert.id),
            source: definition::source(),
            drill: true,
            starts_at: Some(now),
            ..alert.clone()
        };
        let mut refused = None;
        for result in
            self.engine.admission().admit_on(vec![alert], now, terms).await?.into_iter().flat_map(|told| told.results)
        {
            match result {
                AdmissionResult::Opened { incident }
                | AdmissionResult::Overflowed { incident }
                | AdmissionResult::ConditionFailed { incident: Some(incident), .. }
                    if !run.incidents.contains(&incident) =>
                {
                    run.incidents.push(incident);
                    self.engine.keep_run(run.clone()).await?;
                }
                AdmissionResult::DrillRefused { live, .. } => refused = Some(RunEnd::Preempted(Some(live))),
                AdmissionResult::Refused { why } => {
                    refused = Some(RunEnd::Aborted(Actor::Clock, format!("an alert can not be stored: {why}")));
                }
                _ => {}
            }
        }
        Ok(refused)
    }

    /// Checks whether it is over.
    async fn look(
        &self,
        run: &DrillRun,
        scenario: &Scenario,
        all_sent: bool,
        until: Timestamp,
    ) -> Result<Option<RunEnd>, StoreError> {
        let (now, open) = (self.engine.now(), self.open_of(run.id).await?);
        if let Some(by) = self.broken_off_for(run).await? {
            return Ok(Some(RunEnd::Preempted(Some(by))));
        }
        if let Some(why) = open.iter().find_map(|incident| unanswered(incident, scenario, run.compress, now)) {
            return Ok(Some(RunEnd::Aborted(Actor::Clock, why)));
        }
        let asks = open.iter().any(|incident| incident.open_roles().next().is_some());
        Ok(((all_sent && !asks) || until <= now).then_some(RunEnd::Whole))
    }

    /// The live incident for which one of the run's incidents was stopped.
    async fn broken_off_for(&self, run: &DrillRun) -> Result<Option<IncidentId>, StoreError> {
        for id in &run.incidents {
            let incident = self.engine.reads().view(*id).await?;
            if let Some(IncidentStatus::Resolved { by: Actor::Crisis(by), .. }) =
                incident.map(|found| found.status.clone())
            {
                return Ok(Some(by));
            }
        }
        Ok(None)
    }

    /// Sends the all-clear, waits for it, scores the run and stores the result.
    async fn close(
        &self,
        run: &mut DrillRun,
        under_way: &UnderWay,
        ended: &RunEnd,
        by: &Actor,
    ) -> Result<(), StoreError> {
        match ended {
            RunEnd::Preempted(_) => {
                self.engine.delivery().tick_drills().await?;
                // The live incident may already be over: then nobody else ends the incidents that this run opened.
                self.end_incidents(run.id, &Actor::Clock, Some(BROKEN_OFF.into())).await?;
            }
            RunEnd::Whole => drop(self.end_incidents(run.id, by, None).await?),
            RunEnd::Aborted(..) if *by != Actor::Clock => {
                drop(self.end_incidents(run.id, by, Some(BROKEN_OFF.into())).await?)
            }
            RunEnd::Aborted(_, why) => drop(self.end_incidents(run.id, by, Some(broken_off(why))).await?),
        }
        if let RunEnd::Aborted(..) | RunEnd::Preempted(_) = ended {
            // The run is over, even if the all-clear is still waiting for something.
            run.why = why(ended);
            self.engine.keep_run(run.clone()).await?;
        }
        under_way.ended.cancel();
        self.until_settled(run, ALL_CLEAR_WAIT, None).await?;
        let now = self.engine.now();
        let score = self.score(run, &under_way.scenario, now).await?;
        let score = if matches!(ended, RunEnd::Whole) { score } else { score.not_judged() };
        (run.state, run.why) = stands(ended, &score);
        run.score = serde_json::to_value(&score).unwrap_or_default();
        run.ended_at = Some(now);
        self.engine.keep_run(run.clone()).await?;
        tracing::info!(drill.run = %run.id, drill.state = %run.state, why = run.why, "a drill is over");
        Ok(())
    }

    /// Waits until no messages of a run are left to send; at most for a fixed time, and not if the run is stopped
    /// meanwhile.
    async fn until_settled(
        &self,
        run: &DrillRun,
        most: Duration,
        under_way: Option<&UnderWay>,
    ) -> Result<(), StoreError> {
        let stopped = under_way.map(|under_way| under_way.stop.clone()).unwrap_or_default();
        let mut changed = self.engine.reads().changed();
        let give_up = self.engine.now() + most;
        loop {
            changed.mark_unchanged();
            let mut owed = false;
            for id in &run.incidents {
                let incident = self.engine.reads().view(*id).await?;
                owed |= incident.is_some_and(|incident| incident.pages.values().any(|page| page.is_owed()));
            }
            let left = give_up.since(self.engine.now());
            if !owed || left.is_zero() || stopped.is_cancelled() {
                return Ok(());
            }
            tokio::select! {
                () = stopped.cancelled() => {}
                _ = timeout(left.min(LOOK), changed.changed()) => {}
            }
        }
    }
}

/// The terms for the incidents of a run whose offsets count from `zero`.
fn terms(run: &DrillRun, scenario: &Scenario, zero: Timestamp) -> DrillTerms {
    let at = |offset: Duration| zero + offset / run.compress;
    let faults = scenario.faults.iter().map(|fault| InjectedFault {
        what: fault.kind.injected(run.compress),
        from: at(fault.from),
        until: (fault.until < scenario.ends).then(|| at(fault.until)),
    });
    DrillTerms {
        run: Some(run.id),
        until: zero + scenario.watched(run.compress),
        participants: scenario.participants.clone().unwrap_or_default(),
        compress: run.compress,
        faults: faults.collect(),
    }
}

/// The scenario's own rule: a role has waited too long.
fn unanswered(incident: &Incident, scenario: &Scenario, compress: u32, now: Timestamp) -> Option<String> {
    let most = scenario.abort.unanswered?;
    let mut open = incident.engagements.iter().filter(|(_, engagement)| engagement.is_open());
    let (role, _) = open.find(|(_, engagement)| engagement.entered_at + most / compress <= now)?;
    Some(format!("{role} had no answer for {}", humantime::format_duration(most / compress)))
}

/// The closing reason of incidents whose run was stopped early.
pub(crate) fn broken_off(why: &str) -> String {
    format!("{BROKEN_OFF}: {why}")
}

fn stands(ended: &RunEnd, score: &DrillScore) -> (RunState, String) {
    match ended {
        RunEnd::Whole => {
            let state = match score.verdict() {
                HypothesisVerdict::Held => RunState::Held,
                HypothesisVerdict::NotHeld => RunState::NotHeld,
                HypothesisVerdict::TooFew | HypothesisVerdict::NotJudged => RunState::TooFew,
            };
            let nothing = "the scenario has no hypothesis: nothing was expected";
            (state, if score.findings.is_empty() { nothing.to_owned() } else { String::new() })
        }
        RunEnd::Preempted(_) => (RunState::Preempted, why(ended)),
        RunEnd::Aborted(..) => (RunState::Aborted, why(ended)),
    }
}

/// Why a run was not played to its end.
fn why(ended: &RunEnd) -> String {
    match ended {
        RunEnd::Whole => String::new(),
        RunEnd::Preempted(Some(by)) => format!("{by} is real"),
        RunEnd::Preempted(None) => "a live incident was open".to_owned(),
        RunEnd::Aborted(_, why) => why.clone(),
    }
}

/// A request to stop it early, if there is one.
fn stopped(phase: &RunPhase) -> Option<RunEnd> {
    let RunPhase::Stopped(by) = phase else { return None };
    Some(RunEnd::Aborted(by.clone(), format!("{by} aborted it")))
}

/// Marks the run as over, so that it cannot be stopped any more. If somebody stopped it while its last messages were
/// sent, it counts as stopped.
fn over(under_way: &UnderWay, ended: RunEnd) -> RunEnd {
    let phase = std::mem::replace(&mut *under_way.phase(), RunPhase::Over);
    match ended {
        RunEnd::Whole => stopped(&phase).unwrap_or(RunEnd::Whole),
        other => other,
    }
}
