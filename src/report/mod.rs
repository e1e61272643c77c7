//! Time to engagement, reviews, pictures: what the journal says about how fast people were found, and what held them
//! up. Everything here is computed from journals, so that a figure can be traced to the lines it was made from.

pub mod after_action;
pub mod binomial;
pub mod bottleneck;
pub mod facts;
pub mod findings;
pub mod picture;
pub mod postmortem;
pub mod sheet;
pub mod story;
pub mod survival;
pub mod words;

pub use after_action::{Action, Proposal, Written};
pub use facts::Beside;
pub use story::Story;

use crate::{journal::JournalError, template::TemplateError};

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
