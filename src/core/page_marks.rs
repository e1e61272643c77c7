//! What the indexes of an incident's pages keep of each: what may change of it, and when its person was asked.

use crate::core::{
    page::{Page, PageState},
    time::Timestamp,
};
use std::cmp::Ordering;

/// When somebody was last asked for a role.
#[derive(Debug, Clone, Copy)]
pub(super) struct LastAsked {
    pub step_entry: u32,
    pub at: Timestamp,
    /// The last time in a step entry before that.
    pub before: Option<Timestamp>,
}

/// What the indexes say of a page that may change.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct LiveMarks {
    pub queued: bool,
    pub patience: Option<Timestamp>,
    pub sandboxed: bool,
    pub reached: bool,
}

impl LiveMarks {
    pub const NONE: Self = Self { queued: false, patience: None, sandboxed: false, reached: false };

    pub fn of(page: &Page) -> Self {
        let queued = page.state == PageState::Queued;
        Self {
            queued,
            patience: page.accept_until.filter(|_| queued),
            sandboxed: page.is_sandboxed(),
            reached: page.purpose.is_brief() && page.may_be_read(),
        }
    }
}

impl LastAsked {
    pub fn of(page: &Page) -> Self {
        Self { step_entry: page.step_entry, at: page.born_at, before: None }
    }

    /// When it was before this step entry, which is not before the last one.
    pub fn before(&self, step_entry: u32) -> Option<Timestamp> {
        if self.step_entry < step_entry { Some(self.at) } else { self.before }
    }

    pub fn again(self, page: &Page) -> Self {
        match page.step_entry.cmp(&self.step_entry) {
            Ordering::Greater => Self { before: self.before.max(Some(self.at)), ..Self::of(page) },
            Ordering::Equal => Self { at: self.at.max(page.born_at), ..self },
            Ordering::Less => Self { before: self.before.max(Some(page.born_at)), ..self },
        }
    }
}
