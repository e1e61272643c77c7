//! Hand-backs: who has a role can not do it after all. The role is open again, and those that it covered with it; the
//! ladder goes on at once, and whoever had heard that somebody has it hears that nobody has.

use super::Decider;
use crate::core::{
    engagement::EngagementOutcome,
    event::{Event, StepReason},
    incident::Incident,
    names::{ChannelName, PersonName, RoleName},
    page::{Page, PagePurpose, PageState},
};
use std::collections::BTreeSet;

impl Incident {
    /// The brief by which the reader of a word that they have a role can hand it back: their newest, of the same channel
    /// where there is one. None where the word is somebody else's, or is not so any more.
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
        self.line(format!("{role}: {person} handed it back, it is open again"));
        let mut opened = self.reopen_covered_by(role, person);
        opened.insert(role.clone());
        self.withdraw(|page| page.purpose.tells_who_has_it() && page.role.as_ref().is_some_and(|r| opened.contains(r)));
        self.go_on(role, was_spent);
        // Who stood in for it was let go when it was taken, and may be needed again.
        opened.extend(let_go);
        for about in &opened {
            self.tell_handed_back(about, person, role);
        }
    }

    /// The role through which this person has `role`: itself, or the one that covers it.
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

    /// The roles that this person has taken themselves.
    pub(super) fn roles_of(&self, person: &PersonName) -> BTreeSet<RoleName> {
        let own = |outcome: &EngagementOutcome| matches!(outcome, EngagementOutcome::Engaged { person: holder, .. } if holder == person);
        let held = self.incident.engagements.iter().filter(|(_, e)| e.outcome.as_ref().is_some_and(own));
        held.map(|(role, _)| role.clone()).collect()
    }

    /// The word that a role was handed back, for one whose word to the contrary was on its way when it was withdrawn: the
    /// contrary is the last that they read, where what they are asked now was brought before.
    pub(super) fn tell_reopened_late(&mut self, word: &Page) {
        let (Some(about), Some(person)) = (&word.role, &word.person) else { return };
        let last = self.last_word(about, person, &word.channel);
        let overtaken = |last: &Page| word.state == PageState::Accepted && last.was_attempted();
        let misled = last.is_some_and(|last| last.n == word.n || overtaken(last));
        if let Some((by, of)) = self.why_open_again(about).filter(|_| misled && self.incident.is_open()) {
            self.tell_one(about, person.clone(), word.channel.clone(), &by, &of);
        }
    }

    /// What was said last about a role to a person by a channel, or is about to be.
    pub(super) fn last_word(&self, about: &RoleName, person: &PersonName, channel: &ChannelName) -> Option<&Page> {
        let to_them = |page: &&Page| {
            page.role.as_ref() == Some(about) && page.person.as_ref() == Some(person) && page.channel == *channel
        };
        let is_said =
            |page: &&Page| page.was_attempted() || !matches!(page.state, PageState::Withdrawn | PageState::Unsent);
        self.incident.pages.values().rev().map(|page| &**page).filter(to_them).find(is_said)
    }

    /// Those whose outcome rests on this role's, perhaps through others. Their own steps are spent: they wait for their
    /// `next` again.
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
                self.line(format!("{role}: open again, {person} handed {of} back"));
                handed_back.insert(role);
            }
        }
    }

    /// The ladder goes on where it was: its step again, without those who can not; where nobody is left there, or its
    /// steps were spent, as it would have gone on then.
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

    /// Who handed back what, so that this role is open again; none where it is not.
    fn why_open_again(&self, role: &RoleName) -> Option<(PersonName, RoleName)> {
        let engagement = self.incident.engagements.get(role).filter(|e| e.is_open())?;
        let others = engagement.stands_for.iter().filter_map(|r| Some((r, self.incident.engagements.get(r)?)));
        let backs = std::iter::once((role, engagement)).chain(others);
        let last = backs.filter_map(|(role, e)| Some((role, e.handed_back.last()?))).max_by_key(|(_, back)| back.at);
        last.map(|(role, back)| (back.person.clone(), back.of.clone().unwrap_or_else(|| role.clone())))
    }

    /// Tells everyone whose last word was that somebody has this role, or that it needs nobody. Who is asked again reads it
    /// in their brief.
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
