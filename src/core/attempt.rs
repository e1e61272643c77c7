//! How attempts to send ended, according to a journal. All code that judges channels and people reads it here. A fault
//! that a drill injected, a desk page that nobody had open, and a wait for our own rate limit are not the channel's
//! fault.

use crate::core::{
    drill::FaultKind,
    event::Event,
    page::{Page, PageState},
    send_outcome::SendOutcome,
    time::Timestamp,
};
use std::collections::BTreeMap;

/// One attempt, or one reason to wait.
#[derive(Debug, Clone, Copy)]
pub struct PageAttempt<'a> {
    /// When it ended.
    pub at: Timestamp,
    /// When it began; `None` if nothing was tried.
    pub sent_at: Option<Timestamp>,
    /// How it ended.
    pub settlement: &'a SendOutcome,
    /// The fault that its drill injected; if there is one, no channel was asked.
    pub injected: Option<&'a FaultKind>,
}

/// All attempts to send one page.
#[derive(Debug, Clone, Default)]
pub struct PageAttempts<'a> {
    /// The attempts, oldest first.
    pub attempts: Vec<PageAttempt<'a>>,
    /// When the channel's accept timeout expired, and how many attempts had ended by then; `None` if it did not expire.
    overdue: Option<(Timestamp, usize)>,
}

/// Why a page did not arrive, or arrived late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryHitch<'a> {
    /// The channel, or the contact data.
    Channel,
    /// The person had no desk page open.
    DeskClosed,
    /// Our own rate limit: the page had not been given to its channel yet.
    OwnPace,
    /// A fault that its drill injected.
    Injected(&'a FaultKind),
    /// No attempt has ended yet, or the journal does not say why it was held.
    NotKnown,
}

/// The attempts for each page, by page number.
pub fn attempts<'a>(events: impl IntoIterator<Item = (Timestamp, &'a Event)>) -> BTreeMap<u32, PageAttempts<'a>> {
    let mut pages: BTreeMap<u32, PageAttempts<'a>> = BTreeMap::new();
    // A fault that a drill injects is journaled right before the outcome of the page.
    let mut injected: BTreeMap<u32, &FaultKind> = BTreeMap::new();
    for (at, event) in events {
        match event {
            Event::Injected { page, fault } => drop(injected.insert(*page, fault)),
            Event::Settled { page, settlement, sent_at, .. } => {
                let attempt = PageAttempt { at, sent_at: *sent_at, settlement, injected: injected.remove(page) };
                pages.entry(*page).or_default().attempts.push(attempt);
            }
            Event::Overdue { page, .. } => {
                let page = pages.entry(*page).or_default();
                page.overdue = Some((at, page.attempts.len()));
            }
            _ => {}
        }
    }
    pages
}

impl<'a> PageAttempt<'a> {
    /// Whether the channel, or its stand-in, accepted it.
    pub fn is_taken(&self) -> bool {
        matches!(self.settlement, SendOutcome::Accepted { .. })
    }

    /// Whether the channel itself was asked. Only then does the result count for or against the channel.
    pub fn was_given_to_channel(&self) -> bool {
        let tried = match self.settlement {
            SendOutcome::Accepted { receipt } => receipt.stand_in.is_none(),
            SendOutcome::Retry { .. } | SendOutcome::Unreachable { .. } => self.sent_at.is_some(),
            SendOutcome::Held { .. } | SendOutcome::Unsent => false,
        };
        tried && self.injected.is_none() && !self.settlement.is_desk_closed()
    }

    /// What went wrong; `None` if it was accepted or withdrawn.
    fn hitch(&self) -> Option<DeliveryHitch<'a>> {
        match (self.injected, self.settlement) {
            (_, SendOutcome::Accepted { .. } | SendOutcome::Unsent) => None,
            (_, settlement) if settlement.is_withdrawn_in_doubt() => None,
            (Some(fault), _) => Some(DeliveryHitch::Injected(fault)),
            (None, settlement) if settlement.is_desk_closed() => Some(DeliveryHitch::DeskClosed),
            (None, settlement) if settlement.is_held_for_unknown_reason() => None,
            (None, _) => Some(DeliveryHitch::Channel),
        }
    }
}

impl<'a> PageAttempts<'a> {
    /// How often its channel was asked and did not accept it.
    pub fn refusals(&self) -> usize {
        self.attempts.iter().filter(|attempt| attempt.was_given_to_channel() && !attempt.is_taken()).count()
    }

    /// Why its channel did not accept it yet, once for each attempt.
    pub fn not_now(&self) -> impl Iterator<Item = &'a str> {
        self.attempts.iter().filter(|attempt| attempt.was_given_to_channel()).filter_map(|attempt| {
            match attempt.settlement {
                SendOutcome::Retry { why, .. } => Some(why.as_str()),
                _ => None,
            }
        })
    }

    /// The fault that its drill injected into the last attempt.
    pub fn injected(&self) -> Option<&'a FaultKind> {
        let is_attempt =
            |attempt: &&PageAttempt<'_>| !matches!(attempt.settlement, SendOutcome::Held { .. } | SendOutcome::Unsent);
        self.attempts.iter().rev().find(is_attempt)?.injected
    }

    /// Whether its channel's accept timeout expired.
    pub fn is_overdue(&self) -> bool {
        self.overdue.is_some()
    }

    /// Whether an attempt had begun by then, or its channel's state had been checked. Before that, the page only waited
    /// for its turn.
    pub fn had_its_turn_by(&self, at: Timestamp) -> bool {
        self.attempts.iter().any(|attempt| attempt.sent_at.unwrap_or(attempt.at) <= at)
    }

    /// Why this page did not arrive, or arrived late; `None` if it was accepted in time.
    pub fn hitch(&self, page: &Page) -> Option<DeliveryHitch<'a>> {
        if let Some((at, before)) = self.overdue {
            return Some(self.hitch_of_overdue(at, before));
        }
        let last = self.attempts.iter().rev().find_map(PageAttempt::hitch);
        let in_doubt = self.attempts.last().is_some_and(|attempt| attempt.settlement.is_withdrawn_in_doubt());
        match page.state {
            PageState::Accepted => None,
            PageState::Unreachable if in_doubt => last,
            PageState::Unreachable => Some(last.unwrap_or(DeliveryHitch::Channel)),
            // It was still queued, or was withdrawn: what happened to it so far counts.
            PageState::Queued | PageState::Withdrawn | PageState::Unsent => last,
        }
    }

    /// Why it was late: its accept timeout expired at `at`, after `before` of its attempts had ended.
    fn hitch_of_overdue(&self, at: Timestamp, before: usize) -> DeliveryHitch<'a> {
        match (self.attempts.iter().take(before).next_back(), self.attempts.first()) {
            (Some(last), _) => last.hitch().unwrap_or(DeliveryHitch::NotKnown),
            // Its channel had it and was slow.
            (None, Some(first)) if self.had_its_turn_by(at) => first.hitch().unwrap_or(DeliveryHitch::Channel),
            (None, Some(_)) => DeliveryHitch::OwnPace,
            (None, None) => DeliveryHitch::NotKnown,
        }
    }
}
