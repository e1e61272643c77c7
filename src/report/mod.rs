//! Time to engagement, reviews, pictures: what the journal says about how fast people were found, and what held them
//! up. Everything here is computed from journals, so that a figure can be traced to the lines it was made from.

pub mod after_action;
pub mod binomial;
pub mod bottleneck;
pub mod contacts;
pub mod ended;
pub mod facts;
pub mod findings;
pub mod group;
pub mod incidence;
pub mod picture;
pub mod postmortem;
pub mod sheet;
pub mod stages;
pub mod story;
pub mod survival;
pub mod target;
pub mod triggers;
pub mod tte;
pub mod words;

pub use after_action::{Action, Proposal, Written};
pub use facts::Beside;
pub use story::Story;
pub use tte::{By, Question, Tally, TteReport};

use crate::{
    core::{IncidentId, StoredLine, Timestamp},
    engine::history::Next,
    journal::JournalError,
    template::TemplateError,
};

/// Why a report can not be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The incident's journal can not be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A document's template fails.
    #[error("a template of a document is broken")]
    Template(#[from] TemplateError),
}

/// What is counted over many incidents, newest first.
pub trait Gather {
    /// Whether an incident opened at that time is older than what is asked for.
    fn is_too_old(&self, opened_at: Timestamp) -> bool;

    /// Counts an incident as it stands at `now`.
    fn add(&mut self, story: &Story, now: Timestamp);

    /// Counts one that could not be read.
    fn skip_unreadable(&mut self);
}

/// Counts the chain of one incident; for [`crate::engine::history::each_incident`].
pub fn gather(into: &mut impl Gather, id: IncidentId, lines: &[StoredLine], now: Timestamp) -> Next {
    match Story::read(id, lines) {
        Ok(story) if into.is_too_old(story.incident.opened_at) => return Next::Enough,
        Ok(story) => into.add(&story, now),
        Err(error) => {
            tracing::warn!(incident.id = %id, %error, "an incident is left out of a report");
            into.skip_unreadable();
        }
    }
    Next::Older
}
