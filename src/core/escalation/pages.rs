//! Pages: how they end, failover from a channel that does not work, and who must be told what.

use super::Decider;
use crate::core::{
    engagement::EngagementOutcome,
    event::Event,
    names::{ChannelName, PersonName, RoleName},
    page::{Page, PagePurpose, PageStage, PageState},
    plan::AcceptTimeout,
    send_outcome::{HeldWhy, MAYBE_READ, NODE_DIED, SendOutcome},
    time::Timestamp,
};
use std::{collections::BTreeSet, sync::Arc};

impl Decider<'_> {
    pub(super) fn settled(
        &mut self,
        n: u32,
        settlement: SendOutcome,
        sent_at: Option<Timestamp>,
        text: Option<String>,
    ) {
        let Some(page) = self.incident.pages.get(&n).filter(|page| page.is_owed()).cloned() else { return };
        let withdrawn = page.state == PageState::Withdrawn;
        if withdrawn && settlement.is_desk_closed() {
            // An attempt had begun: the journal says why it showed nothing before it says that nothing was sent.
            self.emit(Event::Settled { page: n, settlement: settlement.clone(), sent_at: None, text: None });
        }
        let settlement = match settlement {
            // A page that was withdrawn does not have to wait.
            SendOutcome::Held { .. } if withdrawn => SendOutcome::Unsent,
            other => other,
        };
        let settlement = match settlement {
            // Only a withdrawn page may end unsent. A queued page must still be sent, whatever one node believes.
            SendOutcome::Unsent if !withdrawn => return,
            // What was refused was not sent: only an attempt whose end nobody knows may have reached its reader.
            SendOutcome::Unsent if page.reach().may_be_read() => SendOutcome::Unreachable { why: MAYBE_READ.into() },
            // A page that was withdrawn is not tried again.
            SendOutcome::Retry { why, .. } if withdrawn => SendOutcome::Unreachable { why },
            other => other,
        };
        let failed = matches!(settlement, SendOutcome::Unreachable { .. });
        let desk_closed = settlement.is_desk_closed();
        let too_late = match settlement {
            SendOutcome::Retry { at, .. } | SendOutcome::Held { until: at, .. } => {
                page.accept_until.is_some_and(|until| until < at)
            }
            SendOutcome::Accepted { .. } | SendOutcome::Unreachable { .. } | SendOutcome::Unsent => false,
        };
        let opens = Some(page.channel.clone()).filter(|_| page.purpose == PagePurpose::RoomCard);
        self.emit(Event::Settled { page: n, settlement, sent_at, text });
        if withdrawn {
            // Its person may have read it after all, and must be told how it ended.
            self.tell_late(n);
        } else if failed {
            self.fail_over(n);
        } else if too_late {
            // The person's next channel is tried now, not only when the accept timeout expires.
            self.emit(Event::Overdue { page: n, early: true, desk_closed });
            self.fail_over(n);
        }
        if let Some(room) = opens.filter(|channel| self.incident.rooms.contains_key(channel)) {
            self.room_made(&room);
        }
    }

    /// A desk page also shows pages that went by other channels. Only pages sent to the desk prove that it works.
    pub(super) fn shown_at_desk(&mut self, n: u32) {
        let of_screen = |page: &Arc<Page>| self.roster.screens.contains(&page.channel);
        let elsewhere = self.incident.pages.get(&n).is_some_and(|page| !of_screen(page));
        self.reported(n, PageStage::Seen, elsewhere);
    }

    pub(super) fn reported(&mut self, n: u32, stage: PageStage, at_desk: bool) {
        let Some(page) = self.incident.pages.get(&n) else { return };
        let known = match stage {
            PageStage::Delivered => page.stages.delivered,
            PageStage::Seen => page.stages.seen,
        };
        if known.is_none() {
            self.emit(Event::Reported { page: n, stage, at_desk });
        }
    }

    /// Only an accepted page can turn out not to have arrived. A repeated report, or one that comes after the person
    /// answered or saw the page, changes nothing.
    pub(super) fn undelivered(&mut self, n: u32, why: String) {
        let Some(page) = self.incident.pages.get(&n) else { return };
        if page.state == PageState::Accepted && page.stages.delivered.is_none() {
            self.emit(Event::Undelivered { page: n, why });
            self.fail_over(n);
        }
    }

    pub(super) fn taken_over(&mut self, pages: Vec<u32>) {
        let pages: Vec<u32> = pages.into_iter().filter(|n| self.may_have_begun(*n)).collect();
        if pages.is_empty() {
            return;
        }
        self.emit(Event::TakenOver { pages: pages.clone() });
        for n in pages {
            if self.incident.pages.get(&n).is_some_and(|page| page.state == PageState::Withdrawn) {
                let settlement = SendOutcome::Unreachable { why: NODE_DIED.into() };
                self.emit(Event::Settled { page: n, settlement, sent_at: None, text: None });
                self.tell_late(n);
            }
        }
    }

    /// Whether a node that died may have begun to send this page since its last outcome. It had not if the page still
    /// had to wait at that time. A desk that was not open was sent nothing: a desk page that opens later shows the
    /// current state once.
    fn may_have_begun(&self, n: u32) -> bool {
        let Some(page) = self.incident.pages.get(&n).filter(|page| page.is_owed()) else { return false };
        match self.roster.screens.contains(&page.channel) {
            true => page.held != Some(HeldWhy::DeskClosed),
            false => page.retry_at.is_none_or(|at| at <= self.now),
        }
    }

    /// Acceptance is not delivery: a brief whose report has not come in time goes by another channel too. The first one may
    /// still arrive, so nobody is passed for it.
    pub(super) fn go_round_unreported(&mut self) {
        let late = self.incident.awaiting_report().filter(|(_, until, _)| *until <= self.now);
        let late: Vec<(u32, AcceptTimeout)> = late.map(|(page, _, within)| (page, within)).collect();
        for (page, within) in late {
            self.emit(Event::Unreported { page, within });
            self.fail_over(page);
        }
    }

    /// A brief that its channel does not accept goes by the person's first channel that this step has not tried. If
    /// there is none, and nobody else on the step can answer, the ladder moves immediately.
    pub(super) fn fail_over(&mut self, n: u32) {
        let Some(page) = self.incident.pages.get(&n).cloned() else { return };
        let (Some(role), Some(person)) = (page.role.clone(), page.person.clone()) else { return };
        let Some(engagement) = self.incident.engagements.get(&role) else { return };
        if !engagement.is_open() || !page.purpose.is_brief() || page.step_entry != engagement.step_entry {
            return;
        }
        let theirs = self.incident.pages.of_step_to(&role, engagement.step_entry, &person);
        let tried: BTreeSet<&ChannelName> = theirs.map(|other| &other.channel).collect();
        let other = self.roster.channels(&person).iter().find(|channel| !tried.contains(channel)).cloned();
        if let Some(channel) = other {
            self.supersede(&role, &[(person.clone(), channel.clone())]);
            self.page(Some(&role), Some(person), channel, page.purpose.clone(), page.step_entry, Some(n));
        } else {
            self.leave_if_nobody_can_answer(&role);
        }
    }

    pub(super) fn page(
        &mut self,
        role: Option<&RoleName>,
        person: Option<PersonName>,
        channel: ChannelName,
        purpose: PagePurpose,
        step_entry: u32,
        instead_of: Option<u32>,
    ) {
        let n = self.incident.pages.last_number() + 1;
        let accept_timeout = self.incident.plan.accept_timeout.get(&channel).filter(|_| purpose.is_brief());
        let page = Page {
            n,
            role: role.cloned(),
            person,
            channel,
            purpose,
            step_entry,
            instead_of,
            nonce: None,
            born_at: self.now,
            accept_until: accept_timeout.map(|accept_timeout| self.now + accept_timeout.0),
            unreported: false,
            state: PageState::Queued,
            refusals: 0,
            retry_at: None,
            held: None,
            maybe_repeated: false,
            stages: Default::default(),
            receipt: None,
            last_error: None,
            text: None,
        };
        self.emit(Event::Paged { page: Arc::new(page) });
    }

    pub(super) fn post(&mut self, channel: ChannelName, purpose: PagePurpose) {
        self.page(None, None, channel, purpose, 0, None);
    }

    /// Pages that still wait for the same person by the same channel are out of date once the person is paged again.
    /// Reminders must not pile up behind a channel that is down.
    pub(super) fn supersede(&mut self, role: &RoleName, calls: &[(PersonName, ChannelName)]) {
        let waiting = |(person, channel): &(PersonName, ChannelName)| {
            let theirs = self.incident.pages.queued_for(Some(person)).filter(|page| page.channel == *channel);
            let briefs = theirs.filter(|page| page.purpose.is_brief() && page.role.as_ref() == Some(role));
            briefs.map(|page| page.n).collect::<Vec<u32>>()
        };
        let pages: BTreeSet<u32> = calls.iter().flat_map(waiting).collect();
        self.withdraw_all(pages);
    }

    pub(super) fn withdraw(&mut self, which: impl Fn(&Page) -> bool) {
        let pages = self.incident.pages.queued().filter(|page| which(page)).map(|page| page.n).collect();
        self.withdraw_all(pages);
    }

    fn withdraw_all(&mut self, pages: BTreeSet<u32>) {
        if !pages.is_empty() {
            self.emit(Event::Withdrawn { pages: pages.into_iter().collect() });
        }
    }

    /// Each pair of person and channel that a page was sent to, or may have been sent to, once.
    pub(super) fn attempted(&self, which: impl Fn(&Page) -> bool) -> BTreeSet<(PersonName, ChannelName)> {
        let sent = self.incident.pages.values().filter(|page| page.was_attempted() && which(page));
        sent.filter_map(|page| Some((page.person.clone()?, page.channel.clone()))).collect()
    }

    /// Tells everyone to whom a brief about `role` was attempted how it ended.
    pub(super) fn tell(&mut self, role: &RoleName, purpose: &PagePurpose) {
        let briefed = self.attempted(|page| page.purpose.is_brief() && page.role.as_ref() == Some(role));
        for (person, channel) in briefed {
            self.page(Some(role), Some(person), channel, purpose.clone(), 0, None);
        }
    }

    /// The same for one page that was being sent when it was withdrawn.
    pub(super) fn tell_late(&mut self, n: u32) {
        let Some(page) = self.incident.pages.get(&n).cloned() else { return };
        if page.was_attempted() && page.purpose.tells_who_has_it() {
            return self.tell_reopened_late(&page);
        }
        if !page.was_attempted() || !page.purpose.needs_an_end() {
            return;
        }
        let Some(person) = page.person.clone() else { return };
        let over = || (!self.incident.is_open()).then_some(PagePurpose::Resolved);
        let Some(purpose) = page.role.as_ref().map_or_else(over, |role| self.ending(role)) else { return };
        let about = page.role.as_ref().filter(|_| purpose != PagePurpose::Resolved);
        let to_them = |other: &Page| other.person.as_ref() == Some(&person) && other.channel == page.channel;
        let told = match about {
            // They may have been told the same before, but it was not true in between.
            Some(role) => self.last_word(role, &person, &page.channel).is_some_and(|last| last.purpose == purpose),
            None => self.incident.pages.values().any(|other| to_them(other) && other.purpose == purpose),
        };
        if !told {
            self.page(about, Some(person), page.channel.clone(), purpose, 0, None);
        }
    }

    pub(super) fn ending(&self, role: &RoleName) -> Option<PagePurpose> {
        if !self.incident.is_open() {
            return Some(PagePurpose::Resolved);
        }
        match self.incident.engagements.get(role)?.outcome.as_ref()? {
            EngagementOutcome::Engaged { person, .. } => {
                Some(PagePurpose::Taken { by: person.clone(), covering_as: None })
            }
            EngagementOutcome::Covered { by, person, .. } => {
                Some(PagePurpose::Taken { by: person.clone(), covering_as: Some(by.clone()) })
            }
            EngagementOutcome::StoodDown { .. } => Some(PagePurpose::StoodDown),
            EngagementOutcome::Closed { .. } => Some(PagePurpose::Resolved),
        }
    }
}
