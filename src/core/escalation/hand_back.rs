//! Hand-backs: the person who has a role cannot do it after all. The role and the roles that it covered are open again,
//! and the ladder continues immediately. Everyone who was told that somebody has the role is told that it is open
//! again.

use super::Decider;
use crate::core::{
    display_names::DisplayNames,
    engagement::EngagementOutcome,
    event::{Event, StepReason},
    incident::Incident,
    names::{ChannelName, PersonName, RoleName},
    page::{Page, PagePurpose, PageState},
};
use std::collections::BTreeSet;

impl Incident {
    /// The brief through which the reader of a "you have it" message can hand the role back: their newest brief, by the
    /// same channel if there is one. `None` if the message is about somebody else, or is out of date.
    pub fn hands_back<'a>(&'a self, word: &Page) -> Option<&'a Page> {
        let PagePurpose::Taken { by, covering_as: None } = &word.purpose else { return None };
        let role = word.role.as_ref().filter(|_| self.is_open() && word.person.as_ref() == Some(by))?;
        let outcome = self.engagements.get(role)?.outcome.as_ref()?;
        if !matches!(outcome, EngagementOutcome::Engaged { person, .. } if person == by) {
            return None;
        }
        let (role, _) = self.engagements.get_key_value(role)?;
        let theirs = || self.briefs_of(role).filter(|page| page.person.as_ref() == Some(by) && page.was_attempted());
        theirs().filter(|page| page.channel == word.channel).last().or_else(|| theirs().last())
    }
}

impl Decider<'_> {
    pub(super) fn hand_back(&mut self, role: &RoleName, person: &PersonName) {
        let let_go = self.stood_down();
        let was_spent = self.incident.engagements.get(role).is_some_and(|e| e.waits_on.is_some());
        self.emit(Event::HandedBack { role: role.clone(), person: person.clone() });
        let names = self.names();
        self.line(format!("{}: {} handed it back, it is open again", names.role(role), names.person(person)));
        let mut opened = self.reopen_covered_by(role, person);
        opened.insert(role.clone());
        self.withdraw(|page| page.purpose.tells_who_has_it() && page.role.as_ref().is_some_and(|r| opened.contains(r)));
        self.go_on(role, was_spent);
        // The role that stood in for it was stood down when it was taken, and may be needed again.
        opened.extend(let_go);
        for about in &opened {
            self.tell_handed_back(about, person, role);
        }
    }

    /// The role through which this person has `role`: the role itself, or the one that covers it.
    pub(super) fn held_through(&self, role: RoleName, person: &PersonName) -> RoleName {
        let mut at = &role;
        for _ in 0..=self.incident.engagements.len() {
            match self.incident.engagements.get(at).and_then(|e| e.outcome.as_ref()) {
                Some(EngagementOutcome::Covered { by, person: holder, .. }) if holder == person => at = by,
                _ => break,
            }
        }
        at.clone()
    }

    /// The roles that this person took themselves.
    pub(super) fn roles_of(&self, person: &PersonName) -> BTreeSet<RoleName> {
        let own = |outcome: &EngagementOutcome| matches!(outcome, EngagementOutcome::Engaged { person: holder, .. } if holder == person);
        let held = self.incident.engagements.iter().filter(|(_, e)| e.outcome.as_ref().is_some_and(own));
        held.map(|(role, _)| role.clone()).collect()
    }

    /// Tells a person that a role was handed back. For a person whose "somebody has it" message was being sent when it
    /// was withdrawn: that message may be the last one they read if their new brief arrived before it.
    pub(super) fn tell_reopened_late(&mut self, word: &Page) {
        let (Some(about), Some(person)) = (&word.role, &word.person) else { return };
        let last = self.last_word(about, person, &word.channel);
        let overtaken = |last: &Page| word.state == PageState::Accepted && last.was_attempted();
        let misled = last.is_some_and(|last| last.n == word.n || overtaken(last));
        if let Some((by, of)) = self.why_open_again(about).filter(|_| misled && self.incident.is_open()) {
            self.tell_one(about, person.clone(), word.channel.clone(), &by, &of);
        }
    }

    /// The last thing that a person was told about a role by a channel, or is about to be told.
    pub(super) fn last_word(&self, about: &RoleName, person: &PersonName, channel: &ChannelName) -> Option<&Page> {
        let to_them = |page: &&Page| {
            page.role.as_ref() == Some(about) && page.person.as_ref() == Some(person) && page.channel == *channel
        };
        let is_said =
            |page: &&Page| page.was_attempted() || !matches!(page.state, PageState::Withdrawn | PageState::Unsent);
        self.incident.pages.values().rev().map(|page| &**page).filter(to_them).find(is_said)
    }

    /// Roles whose outcome depends on this role's, directly or through others. Their own steps are used up: they wait
    /// for their `next` again.
    fn reopen_covered_by(&mut self, of: &RoleName, person: &PersonName) -> BTreeSet<RoleName> {
        let mut handed_back = BTreeSet::from([of.clone()]);
        loop {
            let rests = |outcome: &EngagementOutcome| matches!(outcome, EngagementOutcome::Covered { by, .. } if handed_back.contains(by));
            let covered = self.incident.engagements.iter().filter(|(_, e)| e.outcome.as_ref().is_some_and(rests));
            let covered: Vec<RoleName> = covered.map(|(role, _)| role.clone()).collect();
            if covered.is_empty() {
                handed_back.remove(of);
                return handed_back;
            }
            for role in covered {
                self.emit(Event::Reopened { role: role.clone(), of: of.clone(), person: person.clone() });
                let names = self.names();
                let (opened, back, who) = (names.role(&role), names.role(of), names.person(person));
                self.line(format!("{opened}: open again, {who} handed {back} back"));
                handed_back.insert(role);
            }
        }
    }

    /// Continues the ladder where it was: the same step again, without the people who answered unable. If nobody is
    /// left there, or the steps were used up, it moves on as usual.
    fn go_on(&mut self, role: &RoleName, was_spent: bool) {
        let Some(engagement) = self.incident.engagements.get(role) else { return };
        let (step, round) = (engagement.step, engagement.round);
        if was_spent {
            self.spend(role, StepReason::HandedBack);
        } else if engagement.exhausted || !self.on_call_for(role, step, StepReason::HandedBack).is_empty() {
            self.enter_step(role, step, round, StepReason::HandedBack);
        } else {
            self.advance(role, StepReason::NobodyLeft);
        }
    }

    fn stood_down(&self) -> Vec<RoleName> {
        let let_go = self
            .incident
            .engagements
            .iter()
            .filter(|(_, e)| matches!(e.outcome, Some(EngagementOutcome::StoodDown { .. })));
        let_go.map(|(role, _)| role.clone()).collect()
    }

    /// Who handed back what, so that this role is open again; `None` if it was not handed back.
    fn why_open_again(&self, role: &RoleName) -> Option<(PersonName, RoleName)> {
        let engagement = self.incident.engagements.get(role).filter(|e| e.is_open())?;
        let others = engagement.stands_for.iter().filter_map(|r| Some((r, self.incident.engagements.get(r)?)));
        let backs = std::iter::once((role, engagement)).chain(others);
        let last = backs.filter_map(|(role, e)| Some((role, e.handed_back.last()?))).max_by_key(|(_, back)| back.at);
        last.map(|(role, back)| (back.person.clone(), back.of.clone().unwrap_or_else(|| role.clone())))
    }

    /// Tells everyone who was last told that somebody has this role, or that it needs nobody. People who are asked
    /// again read it in their brief.
    fn tell_handed_back(&mut self, about: &RoleName, by: &PersonName, of: &RoleName) {
        if !self.incident.engagements.get(about).is_some_and(|e| e.is_open()) {
            return;
        }
        let heard = self.attempted(|page| page.role.as_ref() == Some(about) && page.purpose.tells_who_has_it());
        for (person, channel) in heard {
            let last = self.last_word(about, &person, &channel);
            if last.is_some_and(|page| page.purpose.tells_who_has_it()) {
                self.tell_one(about, person, channel, by, of);
            }
        }
    }

    fn tell_one(&mut self, about: &RoleName, person: PersonName, channel: ChannelName, by: &PersonName, of: &RoleName) {
        let purpose = PagePurpose::HandedBack { by: by.clone(), of: of.clone() };
        self.page(Some(about), Some(person), channel, purpose, 0, None);
    }
}
