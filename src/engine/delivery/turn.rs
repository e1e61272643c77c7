//! The place of a page in a queue.

use crate::core::{PageId, Priority, Timestamp};

/// How urgent a page is, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum UrgencyLane {
    /// Withdrawn: it is only reported as such, before anything else.
    Gone,
    /// A brief, or news that spares its reader work.
    Crisis,
    /// A brief that was sent before.
    Reminder,
    /// The first card of a room, or an invitation: what brings people into it.
    Room,
    /// A message that asks for nothing.
    Status,
}

/// The place of a page in a queue. Before it is due, its time is what counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct QueueTurn {
    /// When it may go.
    pub at: Timestamp,
    /// How urgent it is.
    pub lane: UrgencyLane,
    /// When it was created.
    pub born_at: Timestamp,
    /// The page.
    pub id: PageId,
    /// Whose share it takes.
    pub share: ShareId,
    /// Where it goes, as a number.
    pub to: u64,
    /// The priority of its trigger.
    pub priority: Priority,
    /// When the step that it belongs to ends; the end of time if it belongs to none.
    pub ends_at: Timestamp,
}

/// Whose share a page takes. What a trigger asks and what it has to tell are two shares: news does not wait behind the
/// briefs of a flood, nor briefs behind news.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ShareId {
    /// The number of its trigger.
    pub trigger: u32,
    /// Whether it is news that spares its reader work.
    pub news: bool,
}
