//! The progress of a run: its incidents, its journal, its score.

use crate::{
    core::{
        ChannelName, DrillRun, Event, Incident, IncidentId, JournalRecord, RunId, Timestamp,
        display_names::IncidentNames, sentence,
    },
    drill::{
        DrillScore, IncidentTrace, RunObservation, Scenario, analysis::score::score, runner::drill_runner::DrillRunner,
    },
    matrix::ChannelKind,
    store::StoreError,
};
use serde::Serialize;
use std::{collections::BTreeSet, sync::Arc};

/// One line of a run's timeline.
#[derive(Debug, Clone, Serialize)]
pub struct TimelineLine {
    /// When it happened.
    pub at: Timestamp,
    /// The incident.
    pub incident: IncidentId,
    /// What happened, in one sentence.
    pub text: String,
    /// Whether a role or the incident changed by it. Single pages and their fates are not of that kind.
    pub changes: bool,
}

/// An incident of a run and its journal.
pub struct RunIncident {
    /// Its current state.
    pub incident: Arc<Incident>,
    /// Its events, in order.
    pub events: Vec<(Timestamp, Event)>,
}

/// What moves an incident or one of its roles on.
fn changes(event: &Event) -> bool {
    matches!(
        event,
        Event::Opened(_)
            | Event::StepEntered { .. }
            | Event::Engaged { .. }
            | Event::Covered { .. }
            | Event::HandedBack { .. }
            | Event::Reopened { .. }
            | Event::StoodDown { .. }
            | Event::HandedOver { .. }
            | Event::Exhausted { .. }
            | Event::Preempted { .. }
            | Event::Resolved { .. }
    )
}

impl DrillRunner {
    /// Everything that happened in a run so far, in order, from line number `after` on.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn timeline(&self, run: &DrillRun, after: usize) -> Result<Vec<TimelineLine>, StoreError> {
        let mut told = Vec::new();
        let live = self.engine.config();
        for chapter in self.chapters(run).await? {
            let id = chapter.incident.id;
            let names = IncidentNames { plan: &chapter.incident.plan, people: &live.names };
            told.extend(chapter.events.iter().map(|(at, event)| TimelineLine {
                at: *at,
                incident: id,
                text: sentence::told(event, chapter.incident.asks(), &names),
                changes: changes(event),
            }));
        }
        told.sort_by_key(|line| line.at);
        Ok(told.split_off(after.min(told.len())))
    }

    /// The incidents of a run with their journals, in the order in which they were opened.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn chapters(&self, run: &DrillRun) -> Result<Vec<RunIncident>, StoreError> {
        let mut chapters = Vec::new();
        for id in &run.incidents {
            let lines = self.engine.reads().lines(Some(id.to_string()), 0, usize::MAX).await?;
            let records = lines.iter().filter_map(|line| serde_json::from_str::<JournalRecord>(&line.body).ok());
            let events = records.map(|record| (record.at, record.event)).collect();
            if let Some(incident) = self.engine.reads().view(*id).await? {
                chapters.push(RunIncident { incident, events });
            }
        }
        Ok(chapters)
    }

    /// The results of a scenario's hypotheses in a run, as far as it was watched until `until`.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn score(&self, run: &DrillRun, scenario: &Scenario, until: Timestamp) -> Result<DrillScore, StoreError> {
        let screens = self.screens();
        let chapters = self.chapters(run).await?;
        let traces: Vec<IncidentTrace<'_>> = chapters
            .iter()
            .map(|chapter| IncidentTrace {
                incident: &chapter.incident,
                events: &chapter.events,
                until,
                screens: &screens,
            })
            .collect();
        Ok(score(&scenario.hypotheses, &RunObservation::of(&traces)))
    }

    /// The open incidents of a run.
    pub(crate) async fn open_of(&self, id: RunId) -> Result<Vec<Arc<Incident>>, StoreError> {
        let mut open = Vec::new();
        for drill in self.engine.reads().open_now().await?.drills {
            let incident = self.engine.reads().view(drill).await?;
            open.extend(incident.filter(|found| found.terms.as_ref().is_some_and(|terms| terms.run == Some(id))));
        }
        Ok(open)
    }

    fn screens(&self) -> BTreeSet<ChannelName> {
        let live = self.engine.config();
        let screens = live.channels.iter().filter(|(_, wired)| wired.kind == ChannelKind::SCREEN);
        screens.map(|(name, _)| name.clone()).collect()
    }
}
