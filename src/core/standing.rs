//! What became of a page, as it is told: whether it left this machine at all, what stood in for its channel, and the word
//! for it in tables and JSON.

use crate::core::{
    drill::INJECTED,
    page::{Page, PageState},
    send_outcome::{StandIn, tells_desk_closed},
};

/// How a page stands that a desk should have shown, and nobody had it open.
pub const NOT_OPEN: &str = "not open";

impl Page {
    /// Reads a page as a store has written it. Before stand-ins were told apart from channels, their pages were written
    /// as sent and accepted.
    ///
    /// # Errors
    ///
    /// If it is no page.
    pub fn read(json: &str) -> serde_json::Result<Self> {
        let mut page: Self = serde_json::from_str(json)?;
        if page.stand_in().is_some() {
            page.stages.sent = None;
            page.stages.kept = page.stages.kept.or(page.stages.accepted.take());
        }
        Ok(page)
    }

    /// What took it in its channel's place; `None` if the channel itself did, or nothing has yet.
    pub fn stand_in(&self) -> Option<StandIn> {
        self.receipt.as_ref()?.stand_in
    }

    /// Whether it was kept in the sandbox: it has left nobody's machine.
    pub fn is_sandboxed(&self) -> bool {
        self.stand_in() == Some(StandIn::Sandbox)
    }

    /// Whether its channel was given it, so that its reader may have it. What a drill holds back is brought later: then
    /// it is delivered, and not merely seen on a desk.
    pub fn has_left(&self) -> bool {
        let brought = || self.stages.delivered.is_some() && self.stages.delivered != self.stages.seen;
        match self.stand_in() {
            None => self.stages.sent.is_some(),
            Some(StandIn::Drill) => brought(),
            Some(StandIn::Sandbox | StandIn::Unneeded) => false,
        }
    }

    /// Whether its last trouble was its drill's, on purpose.
    pub fn was_stopped(&self) -> bool {
        self.trouble.as_deref().is_some_and(|trouble| trouble.starts_with(INJECTED))
    }

    /// One word for if it is, as it is written in JSON and in tables: what its channel never had is not "accepted".
    pub fn standing(&self) -> &'static str {
        match (self.state, self.stand_in()) {
            (PageState::Accepted, Some(stand_in)) => stand_in.as_str(),
            (PageState::Unreachable, _) if self.was_stopped() => StandIn::Drill.as_str(),
            (PageState::Unreachable, _) if self.trouble.as_deref().is_some_and(tells_desk_closed) => NOT_OPEN,
            (state, _) => state.as_str(),
        }
    }

    /// The last trouble, or why it was held, in words.
    pub fn remark(&self) -> Option<String> {
        self.held.map(|why| why.to_string()).or_else(|| self.trouble.clone())
    }
}
