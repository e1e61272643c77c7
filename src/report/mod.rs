//! Time to engagement, reviews, pictures: what the journal says about how fast people were found, and what held them
//! up. Everything here is computed from journals, so that a figure can be traced to the lines it was made from.

mod actions;
pub mod after_action;
pub mod binomial;
pub mod bottleneck;
pub mod contacts;
pub mod ended;
pub mod facts;
pub mod findings;
pub mod group;
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

pub use crate::report::incident_timeline::{IncidentTimeline, StoryReader};
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

/// What is counted over many incidents, newest first.
pub trait StoryTally: Send {
    /// Whether an incident opened at that time is older than what is asked for.
    fn is_too_old(&self, opened_at: Timestamp) -> bool;

    /// Whether a story must have the record of this event: what is not wanted is folded into its incident and forgotten, so
    /// that a ladder which has repeated for months needs little memory.
    fn wants(&self, event: &Event) -> bool;

    /// Counts an incident as it stands at `now`.
    fn add(&mut self, story: &IncidentTimeline, now: Timestamp);

    /// Counts one that could not be read.
    fn skip_unreadable(&mut self);
}

/// Counts incidents, each from its whole chain; for [`crate::engine::history::each_incident`].
pub fn gather(
    into: &mut impl StoryTally,
    now: Timestamp,
) -> impl FnMut(IncidentId, ChainPortion<'_>) -> HistoryControl + Send {
    let mut reading: Option<StoryReader> = None;
    move |id, portion| {
        let read = match portion {
            ChainPortion::Lines(lines) => {
                let reader = reading.get_or_insert_with(|| StoryReader::new(id));
                reader.read(lines, |event| into.wants(event)).map(|()| reader.opened_at())
            }
            ChainPortion::End => {
                let story = reading.take().map(StoryReader::finish).transpose();
                story.map(|story| {
                    story.iter().for_each(|story| into.add(story, now));
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
