//! How far a page got: its state changes, its stages, and what accepted it.

use super::Page;
use crate::core::{
    page::stages::{PageReach, PageStage, PageState},
    plan::AcceptTimeout,
    send_outcome::{HeldWhy, MAYBE_READ, NODE_DIED, SendOutcome, tells_desk_closed},
    time::Timestamp,
};

impl Page {
    /// Whether its channel has accepted it, immediately or when its drill delivered it late.
    pub fn is_taken(&self) -> bool {
        self.stages.accepted.is_some() || (self.stand_in().is_some() && self.has_left())
    }

    /// Records how an attempt ended.
    pub fn settle(
        &mut self,
        settlement: &SendOutcome,
        sent_at: Option<Timestamp>,
        text: Option<&String>,
        at: Timestamp,
    ) {
        let stand_in = settlement.stand_in();
        self.stages.sent = self.stages.sent.or(sent_at.filter(|_| stand_in.is_none()));
        if let Some(text) = text {
            self.text = Some(text.clone());
        }
        match settlement {
            SendOutcome::Accepted { receipt } => {
                self.state = PageState::Accepted;
                match stand_in {
                    None => self.stages.accepted.get_or_insert(at),
                    Some(_) => self.stages.kept.get_or_insert(at),
                };
                self.receipt = Some(receipt.clone());
                (self.last_error, self.retry_at, self.held) = (None, None, None);
            }
            SendOutcome::Retry { at, why, unknown } => {
                // It may have been sent anyway: the next attempt says so.
                self.maybe_repeated |= unknown;
                self.refusals += 1;
                self.retry_at = Some(*at);
                (self.last_error, self.held) = (Some(why.clone()), None);
            }
            SendOutcome::Held { until, why } => {
                self.retry_at = Some(*until);
                self.held = Some(*why).filter(|why| *why != HeldWhy::NotKnown);
            }
            SendOutcome::Unreachable { why } => {
                self.state = PageState::Unreachable;
                self.refusals += 1;
                (self.last_error, self.held) = (Some(why.clone()), None);
            }
            SendOutcome::Unsent => self.state = PageState::Unsent,
        }
    }

    /// Its delivery report has not come in time.
    pub fn was_unreported(&mut self, within: AcceptTimeout) {
        self.unreported = true;
        self.last_error = Some(format!("no delivery report in {}", humantime::format_duration(within.0)));
    }

    /// Records what a device or a screen reported. A desk page that shows a page from another channel proves nothing
    /// about that channel.
    pub fn report(&mut self, stage: PageStage, at_desk: bool, at: Timestamp) {
        if !at_desk {
            self.stages.delivered.get_or_insert(at);
        }
        if stage == PageStage::Seen {
            self.stages.seen.get_or_insert(at);
        }
    }

    /// Whether an attempt ended, however it did, or its node died and may have begun one. Whether its person may have it
    /// is asked of [`Page::may_be_read`].
    pub fn was_attempted(&self) -> bool {
        self.stages.sent.is_some() || self.state == PageState::Accepted || self.maybe_repeated
    }

    /// Whether it reached its person. What was only tried never counts as sent.
    pub fn reach(&self) -> PageReach {
        let error = self.last_error.as_deref();
        let in_doubt = self.maybe_repeated || error.is_some_and(|why| why == MAYBE_READ || why == NODE_DIED);
        let desk_closed = self.held == Some(HeldWhy::DeskClosed) || error.is_some_and(tells_desk_closed);
        match self.state {
            PageState::Accepted => PageReach::Accepted,
            PageState::Unreachable if self.stages.accepted.is_some() => PageReach::NotArrived,
            _ if in_doubt => PageReach::Unknown,
            PageState::Unreachable | PageState::Queued if desk_closed => PageReach::DeskClosed,
            PageState::Unreachable => PageReach::Refused,
            _ if self.stages.sent.is_some() || 0 < self.refusals => PageReach::Refused,
            PageState::Queued => PageReach::Waiting,
            PageState::Withdrawn | PageState::Unsent => PageReach::Unsent,
        }
    }

    /// Whether its person has it, or may have it. One that its drill held back was read once it was delivered after all.
    pub fn may_be_read(&self) -> bool {
        match self.stand_in() {
            None => self.reach().may_be_read(),
            Some(_) => self.has_left(),
        }
    }

    /// Whether its person can still answer it: it is sent, or is being sent.
    pub fn is_live(&self) -> bool {
        matches!(self.state, PageState::Queued | PageState::Accepted)
    }

    /// Whether the outbox must still do something with it.
    pub fn is_owed(&self) -> bool {
        matches!(self.state, PageState::Queued | PageState::Withdrawn)
    }
}
