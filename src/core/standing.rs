//! The state of a page as it is shown: whether it left this machine, what stood in for its channel, and the word for it
//! in tables and JSON.

use crate::core::{
    drill::INJECTED,
    page::{Page, PageState},
    send_outcome::{StandIn, tells_desk_closed},
    time::Timestamp,
};

/// The word for a page for a desk that nobody had open.
pub const NOT_OPEN: &str = "not open";

impl Page {
    /// Reads a page as a store has written it. Older versions wrote pages that a stand-in accepted as sent and
    /// accepted.
    ///
    /// # Errors
    ///
    /// The JSON is not a page.
    pub fn read(json: &str) -> serde_json::Result<Self> {
        let mut page: Self = serde_json::from_str(json)?;
        if page.stand_in().is_some() {
            page.stages.sent = None;
            page.stages.kept = page.stages.kept.or(page.stages.accepted.take());
        }
        Ok(page)
    }

    /// The stand-in that accepted it; `None` if the channel itself did, or nothing has yet.
    pub fn stand_in(&self) -> Option<StandIn> {
        self.receipt.as_ref()?.stand_in
    }

    /// Whether it stayed in the sandbox and never left this machine.
    pub fn is_sandboxed(&self) -> bool {
        self.stand_in() == Some(StandIn::Sandbox)
    }

    /// Whether its channel has taken it, or may have, so that its reader may have it: what was refused has not left. A page
    /// that a drill holds back is delivered later: then it counts as delivered, not only as seen on a desk.
    pub fn has_left(&self) -> bool {
        let brought = || self.stages.delivered.is_some() && self.stages.delivered != self.stages.seen;
        match self.stand_in() {
            None => self.stages.accepted.is_some() || self.reach().may_be_read(),
            Some(StandIn::Drill) => brought(),
            Some(StandIn::Sandbox | StandIn::Unneeded) => false,
        }
    }

    /// When the first attempt began, of a page that has left: what was only tried was not sent.
    pub fn sent_at(&self) -> Option<Timestamp> {
        self.stages.sent.filter(|_| self.has_left())
    }

    /// Whether its last error was injected by its drill.
    pub fn was_stopped(&self) -> bool {
        self.last_error.as_deref().is_some_and(|last_error| last_error.starts_with(INJECTED))
    }

    /// One word for its state, as in JSON and in tables. A page that its channel never had is not "accepted".
    pub fn standing(&self) -> &'static str {
        match (self.state, self.stand_in()) {
            (PageState::Accepted, Some(stand_in)) => stand_in.as_str(),
            (PageState::Unreachable, _) if self.was_stopped() => StandIn::Drill.as_str(),
            (PageState::Unreachable, _) if self.last_error.as_deref().is_some_and(tells_desk_closed) => NOT_OPEN,
            (state, _) => state.as_str(),
        }
    }

    /// The last error, or why it was held, in words.
    pub fn remark(&self) -> Option<String> {
        self.held.map(|why| why.to_string()).or_else(|| self.last_error.clone())
    }
}
