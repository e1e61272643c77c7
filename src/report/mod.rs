//! Time to engagement, reviews, pictures: how fast people were found, and what delayed them. Everything here is
//! computed from journals, so that each figure can be traced to its journal lines.

pub mod accuracy;
mod actions;
pub mod after_action;
pub mod binomial;
pub mod bottleneck;
pub mod contacts;
mod cut_short;
pub mod ended;
pub mod entries;
pub mod facts;
pub mod findings;
pub mod group;
pub mod handoffs;
pub mod incidence;
pub mod incident_timeline;
pub mod picture;
pub mod postmortem;
pub mod sheet;
pub mod stages;
pub mod survival;
pub mod target;
mod texts;
pub mod triggers;
pub mod tte;
pub mod words;

pub use crate::report::incident_timeline::{IncidentTimeline, TimelineReader};
pub use crate::report::texts::IncidentTexts;
pub use crate::report::{
    actions::ReviewAction,
    after_action::{ReviewProposal, WrittenReview},
};
pub use tte::{TteGrouping, TteQuestion, TteReport, TteTally};

use crate::{
    core::{Event, IncidentId, Timestamp},
    engine::history::{ChainPortion, HistoryControl},
    journal::JournalError,
    template::TemplateError,
};

/// Why a report cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The incident's journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A document's template fails.
    #[error("a template of a document is broken")]
    Template(#[from] TemplateError),
}

/// Counts over many incidents, newest first.
pub trait StoryTally: Send {
    /// Whether an incident that was opened at this time is too old for the report.
    fn is_too_old(&self, opened_at: Timestamp) -> bool;

    /// Whether the report needs the record of this event. Other records are folded into their incident and dropped, so
    /// that a ladder that has repeated for months needs little memory.
    fn wants(&self, event: &Event) -> bool;

    /// Counts an incident with its state at `now`.
    fn add(&mut self, timeline: &IncidentTimeline, now: Timestamp);

    /// Counts one that could not be read.
    fn skip_unreadable(&mut self);
}

/// Counts incidents, each from its whole chain; for [`crate::engine::history::each_incident`].
pub fn gather(
    into: &mut impl StoryTally,
    now: Timestamp,
) -> impl FnMut(IncidentId, ChainPortion<'_>) -> HistoryControl + Send {
    let mut reading: Option<TimelineReader> = None;
    move |id, portion| {
        let read = match portion {
            ChainPortion::Lines(lines) => {
                let reader = reading.get_or_insert_with(|| TimelineReader::new(id));
                reader.read(lines, |event| into.wants(event)).map(|()| reader.opened_at())
            }
            ChainPortion::End => {
                let timeline = reading.take().map(TimelineReader::finish).transpose();
                timeline.map(|timeline| {
                    timeline.iter().for_each(|timeline| into.add(timeline, now));
                    None
                })
            }
        };
        match read {
            Ok(Some(opened_at)) if into.is_too_old(opened_at) => HistoryControl::Enough,
            Ok(Some(_)) => HistoryControl::Rest,
            Ok(None) => HistoryControl::Older,
            Err(error) => {
                tracing::warn!(incident.id = %id, %error, "an incident is left out of a report");
                reading = None;
                into.skip_unreadable();
                HistoryControl::Older
            }
        }
    }
}
