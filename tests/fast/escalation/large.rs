//! An incident with thousands of pages: what is asked of its indexes is what a look at every page says, and neither a
//! step nor a text costs more than in a young one.
#![allow(clippy::disallowed_methods)]

use crate::fixture::{START, crowd, opening_of};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};
use stentor::{
    core::{
        self, Incident, IncidentId, IncidentInput, Page, PagePurpose, PageState, PersonName, RoleName, Roster,
        SendOutcome, SendReceipt, Timestamp, Zone,
    },
    template::{BriefInput, PageTemplates, TextForm},
};

/// Rounds of an old incident, each of three pages.
const OLD: u32 = 1_000;

/// Rounds of a young one.
const YOUNG: u32 = 20;

/// How much dearer the old one may be: its trees are deeper, and a busy machine measures badly.
const DEARER: u32 = 4;

/// What the indexes say, compared with the pages.
pub fn assert_indexes_agree(incident: &Incident, why: &dyn Fn() -> String) {
    let pages = || incident.pages.values().map(|page| &**page);
    let queued = |page: &&Page| page.state == PageState::Queued;
    let by_look: BTreeSet<u32> = pages().filter(queued).map(|page| page.n).collect();
    assert_eq!(incident.pages.queued().map(|page| page.n).collect::<BTreeSet<_>>(), by_look, "{}", why());
    let until = pages().filter(queued).filter_map(|page| page.accept_until).min();
    assert_eq!(incident.pages.accept_deadline(), until, "{}", why());
    let sandboxed = pages().any(Page::is_sandboxed);
    assert_eq!(incident.is_sandboxed(), sandboxed, "{}", why());
    let calls: BTreeSet<_> =
        pages().filter_map(|page| Some((page.born_at, page.role.clone()?, page.asks()?.clone()))).collect();
    assert!(incident.pages.calls().map(|(call, _)| call).eq(&calls), "{}", why());
    for room in incident.plan.living.keys() {
        let archived = incident.posts_to(room).any(|page| page.purpose == PagePurpose::RoomArchive);
        let update = incident.posts_to(room).find(|page| matches!(page.purpose, PagePurpose::RoomUpdate { .. }));
        assert_eq!(incident.is_archived(room), archived, "{}", why());
        assert_eq!(incident.pages.room_update(room), update, "{}", why());
    }
    for (role, engagement) in incident.engagements.iter() {
        let entry = engagement.step_entry;
        let by_look: BTreeSet<u32> =
            incident.briefs_of(role).filter(|page| page.step_entry == entry).map(|page| page.n).collect();
        assert_eq!(incident.step_pages(role).map(|page| page.n).collect::<BTreeSet<_>>(), by_look, "{}", why());
        assert_asked_agree(incident, role, entry, why);
    }
}

fn assert_asked_agree(incident: &Incident, role: &RoleName, entry: u32, why: &dyn Fn() -> String) {
    let people = |which: &dyn Fn(&Page) -> bool| -> BTreeSet<&PersonName> {
        incident.briefs_of(role).filter(|page| which(page)).filter_map(|page| page.person.as_ref()).collect()
    };
    assert_eq!(incident.pages.asked_for(role).collect::<BTreeSet<_>>(), people(&|_| true), "{}", why());
    let times: BTreeSet<Timestamp> = incident.briefs_of(role).map(|page| page.born_at).collect();
    for since in times.into_iter().rev().take(3) {
        let asked: BTreeSet<_> = incident.pages.asked_since(role, since).collect();
        assert_eq!(asked, people(&|page| since <= page.born_at), "{}", why());
        for entry in [entry, entry.saturating_sub(1)] {
            let before = incident.pages.asked_before(role, entry, since);
            assert_eq!(before, people(&|page| since <= page.born_at && page.step_entry < entry), "{}", why());
            for person in before {
                let theirs = || incident.briefs_of(role).filter(|page| page.person.as_ref() == Some(person));
                let earlier = || theirs().filter(|page| since <= page.born_at && page.step_entry < entry);
                let may_have = earlier().any(Page::may_be_read);
                assert_eq!(incident.pages.may_have_reached(role, person, since, entry), may_have, "{}", why());
                let last = earlier().map(|page| page.step_entry).max();
                let by_look: BTreeSet<u32> =
                    theirs().filter(|page| Some(page.step_entry) == last).map(|page| page.n).collect();
                let call = incident.pages.last_call_before(role, person, entry);
                assert_eq!(call.map(|page| page.n).collect::<BTreeSet<_>>(), by_look, "{}", why());
            }
        }
    }
}

struct Unanswered {
    incident: Incident,
    roster: Roster,
    rounds: u32,
}

impl Unanswered {
    fn new() -> Self {
        let (plan, roster) = crowd(1);
        let (incident, _) = core::open(IncidentId(1), opening_of("k", plan), &roster, START);
        Self { incident, roster, rounds: 0 }
    }

    /// The ladder moves and its pages are sent, as a store runs it: the state of before is still read by others.
    fn round(&mut self) -> Duration {
        let now = self.incident.deadline().expect("it repeats");
        let begun = Instant::now();
        let read = self.incident.clone();
        core::step(&mut self.incident, IncidentInput::Tick, &self.roster, now);
        let (from, to) = (read.pages.last_number() + 1, self.incident.pages.last_number());
        for page in from..=to {
            let settlement = SendOutcome::Accepted { receipt: SendReceipt::of("provider-7") };
            let input = IncidentInput::Settled { page, settlement, sent_at: Some(now), text: None };
            core::step(&mut self.incident, input, &self.roster, now);
        }
        self.rounds += 1;
        begun.elapsed()
    }

    fn text(&self, templates: &PageTemplates) -> Duration {
        let page = &self.incident.pages[&self.incident.pages.last_number()];
        let names = BTreeMap::new();
        let begun = Instant::now();
        let utc = Zone::utc();
        let brief = BriefInput {
            incident: &self.incident,
            page,
            reader: None,
            names: &names,
            shared_zone: &utc,
            following: 0,
            sandboxed: &[],
        };
        let body = templates.render(&brief, TextForm::Mail).body;
        assert!(body.contains("Reminder"), "{body}");
        begun.elapsed()
    }
}

#[test]
fn after_a_thousand_rounds_a_step_and_a_text_cost_what_they_cost_after_twenty() {
    let (templates, mut unanswered) = (PageTemplates::shipped(), Unanswered::new());
    let mut cost = |until: u32| {
        while unanswered.rounds < until {
            unanswered.round();
        }
        let step = (0..YOUNG).map(|_| unanswered.round()).min().expect("rounds");
        let text = (0..YOUNG).map(|_| unanswered.text(&templates)).min().expect("texts");
        (step, text)
    };
    let (young, old) = (cost(YOUNG), cost(OLD));
    assert!(old.0 < DEARER * young.0, "a round took {:?}, and takes {:?} now", young.0, old.0);
    assert!(old.1 < DEARER * young.1, "a text took {:?}, and takes {:?} now", young.1, old.1);
    assert_indexes_agree(&unanswered.incident, &|| "an old incident".into());
}
