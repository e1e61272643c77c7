//! The laws themselves: one check for each thing that a law says, named after it.

use super::{LATE_MAX, Laws, Start};
use std::collections::BTreeSet;
use std::sync::Arc;
use stentor::core::{
    Actor, Answer, AnswerVerdict, Engagement, EngagementOutcome, Event, HeldWhy, Incident, IncidentId, IncidentKey,
    IncidentStatus, Page, PageId, PagePurpose, PageState, PersonName, RoleName, Timestamp,
};

/// What a war room reads last.
const OVERS: [&str; 3] = ["resolved by", "DRILL is over", "DRILL stopped"];

impl Laws {
    pub(super) fn law_1_an_accepted_alert_is_kept(&mut self, alert: &str, counted: bool) {
        let found = counted || self.journaled.contains(alert);
        self.check("law 1", found, || format!("alert {alert} was accepted and is nowhere"));
    }

    pub(super) fn law_1_every_role_is_paged(&mut self, incident: &Incident) {
        // Out of hours a conversation is taken by nobody, and its system is told so.
        let closed = incident.request.as_ref().and_then(|request| request.ask.handoff.as_ref()?.closed);
        for role in incident.plan.required.iter().filter(|_| closed.is_none()) {
            let entered = incident.engagements.get(role).is_some_and(|e| 0 < e.step_entry);
            self.check("law 1", entered, || format!("{}: {role} was never paged", incident.id));
        }
        for (role, engagement) in incident.engagements.iter().filter(|(_, e)| e.is_open()) {
            let reachable = |person: &&PersonName| !self.roster.channels(person).is_empty();
            let paged = |person: &PersonName| incident.step_pages(role).any(|p| p.person.as_ref() == Some(person));
            let missed = engagement.on_call.iter().filter(reachable).find(|person| !paged(person)).cloned();
            self.check("law 1", missed.is_none(), || format!("{}: {role} did not page {missed:?}", incident.id));
        }
    }

    pub(super) fn law_2_nothing_waits_for_nobody(&mut self, incident: &Incident) {
        for role in incident.open_roles() {
            let waits = waits_for_time(incident, role);
            self.check("law 2", waits, || format!("{}: {role} waits for nobody", incident.id));
        }
        let timed = incident.open_roles().next().is_none() || incident.deadline().is_some();
        self.check("law 2", timed, || format!("{} has no deadline", incident.id));
    }

    pub(super) fn law_2_ladders_move_in_time(&mut self, at: Timestamp, able_since: Option<Timestamp>) {
        self.now = at;
        let Some(able_since) = able_since else { return };
        let late = |(_, (due, known)): &(&IncidentId, &(Timestamp, Timestamp))| {
            LATE_MAX < at.micros_since((*due).max(*known).max(able_since))
        };
        if let Some((id, (due, _))) = self.deadlines.iter().find(late) {
            let what = format!("{id} was due at {due} and has not moved at {at}");
            self.fail("law 2", what);
        }
    }

    /// What a layer holds opens by time alone, or waits anew.
    pub(super) fn law_2_waits_end_in_time(&mut self, at: Timestamp, able_since: Option<Timestamp>) {
        let Some((able_since, (due, known))) = able_since.zip(self.first_wait) else { return };
        let is_late = LATE_MAX < at.micros_since(due.max(known).max(able_since));
        self.check("law 2", !is_late, || format!("an alert has waited until {due} and still waits at {at}"));
    }

    pub(super) fn law_2_the_store_knows_the_next_deadline(&mut self, next: Option<Timestamp>) {
        let due = self.deadlines.values().map(|(due, _)| *due).min();
        self.check("law 2", due == next, || format!("the next deadline is {due:?}, the store says {next:?}"));
    }

    pub(super) fn law_3_nothing_stale_starts(&mut self, page: PageId) {
        let Some(shadow) = self.shadows.get(&page.incident) else {
            return self.fail("law 3", format!("{page} starts and is of no incident"));
        };
        let Some(row) = shadow.incident.pages.get(&page.n) else {
            return self.fail("law 3", format!("{page} starts and was never born"));
        };
        let engagement = |page: &Page| shadow.incident.engagements.get(page.role.as_ref()?);
        let wanted = match &row.purpose {
            PagePurpose::Brief { .. } => shadow.incident.is_open() && engagement(row).is_some_and(Engagement::is_open),
            PagePurpose::Taken { by, .. } => {
                shadow.incident.is_open() && engagement(row).and_then(Engagement::holder) == Some(by)
            }
            PagePurpose::StoodDown => {
                let outcome = engagement(row).and_then(|e| e.outcome.as_ref());
                shadow.incident.is_open() && matches!(outcome, Some(EngagementOutcome::StoodDown { .. }))
            }
            PagePurpose::HandedBack { .. } => {
                shadow.incident.is_open() && engagement(row).is_some_and(Engagement::is_open)
            }
            PagePurpose::Announced => shadow.incident.is_open(),
            PagePurpose::Resolved => !shadow.incident.is_open(),
            PagePurpose::RoomCard | PagePurpose::RoomInvite { .. } => shadow.incident.is_open(),
            PagePurpose::RoomLine { .. }
            | PagePurpose::RoomNote { .. }
            | PagePurpose::RoomUpdate { .. }
            | PagePurpose::RoomFurnish
            | PagePurpose::Notice { .. } => true,
            PagePurpose::RoomSummary | PagePurpose::RoomArchive => !shadow.incident.is_open(),
        };
        let (holds, state) = (wanted && row.state == PageState::Queued, row.state);
        self.check("law 3", holds, || format!("{page} starts, is {state:?} and not wanted any more"));
    }

    pub(super) fn law_3_reminders_do_not_pile_up(&mut self, incident: &Incident) {
        let mut waiting = BTreeSet::new();
        let mut queued =
            incident.pages.values().filter(|page| page.state == PageState::Queued && page.purpose.is_brief());
        let twice = queued.find(|page| !waiting.insert((&page.role, &page.person, &page.channel)));
        self.check("law 3", twice.is_none(), || format!("{}: twice in the queue: {twice:?}", incident.id));
    }

    pub(super) fn law_17_what_can_not_be_read_is_told_once(&mut self) {
        for (id, is_told) in self.set_aside.clone() {
            let told = self.told.get(&id.to_string()).copied().unwrap_or(0);
            self.check("law 17", told == 1, || format!("that {id} can not be read was told {told} times"));
            let opened = self.opened_about.get(&IncidentKey::of_unreadable(id)).copied().unwrap_or(0);
            let holds = opened == usize::from(is_told);
            self.check("law 17", holds, || format!("{opened} incidents say that {id} can not be read"));
        }
    }

    pub(super) fn law_4_only_who_was_asked_engages(&mut self, id: IncidentId, at: Timestamp, event: &Event) {
        let (Event::Engaged { role, person }, Some(shadow)) = (event, self.shadows.get(&id)) else { return };
        let incident = &shadow.incident;
        let row = incident.plan.roles.get(role);
        let answered = match &shadow.last {
            Event::Answered { role: Some(of), person: by, answer, verdict: AnswerVerdict::Engages, .. } => {
                let enough = row.is_some_and(|row| answer.satisfies(row.engaged_by));
                let said = self.said.contains(&(id, person.clone(), answer.to_string()));
                of == role && by == person && enough && said
            }
            // Who chooses an option has answered for their roles.
            _ => {
                let choice = incident.request.as_ref().and_then(|request| request.choices.get(person));
                choice.is_some_and(|choice| choice.at == at.max(incident.last_at))
            }
        };
        let on_ladder = row.is_some_and(|row| {
            row.steps
                .iter()
                .any(|step_plan| self.roster.resolve(&step_plan.page, at.max(incident.last_at)).contains(person))
        });
        let asked = on_ladder || incident.briefs_of(role).any(|page| page.person.as_ref() == Some(person));
        self.check("law 4", answered, || format!("{id}: {role} is engaged by {person} without a sufficient answer"));
        self.check("law 4", asked, || format!("{id}: {role} is engaged by {person}, who was not asked"));
    }

    /// Nobody gives up what somebody else has, and nobody's role is given up without their word.
    pub(super) fn law_4_only_its_holder_hands_back(&mut self, id: IncidentId, event: &Event) {
        let (Event::HandedBack { role, person }, Some(shadow)) = (event, self.shadows.get(&id)) else { return };
        let outcome = shadow.incident.engagements.get(role).and_then(|e| e.outcome.as_ref());
        let has = matches!(outcome, Some(EngagementOutcome::Engaged { person: holder, .. }) if holder == person);
        let asked_to = match &shadow.last {
            Event::Answered {
                role: Some(of),
                person: by,
                answer: Answer::Unable,
                verdict: AnswerVerdict::HandedBack,
                ..
            } => of == role && by == person && self.said.contains(&(id, person.clone(), Answer::Unable.to_string())),
            _ => false,
        };
        self.check("law 4", has, || format!("{id}: {person} hands {role} back and does not have it"));
        self.check("law 4", asked_to, || format!("{id}: {role} is handed back by {person}, who did not say so"));
    }

    /// What opens again rests on what was handed back.
    pub(super) fn law_4_only_what_was_covered_opens_again(&mut self, id: IncidentId, event: &Event) {
        let (Event::Reopened { role, of, .. }, Some(shadow)) = (event, self.shadows.get(&id)) else { return };
        let outcome = |role: &RoleName| shadow.incident.engagements.get(role)?.outcome.clone();
        let rests = match outcome(role) {
            Some(EngagementOutcome::Covered { by, .. }) => outcome(&by).is_none(),
            _ => false,
        };
        self.check("law 4", rests, || format!("{id}: {role} opens again though it does not rest on {of}"));
    }

    pub(super) fn law_4_only_its_next_covers(&mut self, id: IncidentId, event: &Event) {
        let Some(incident) = self.shadows.get(&id).map(|shadow| &shadow.incident) else { return };
        let holds = match event {
            Event::HandedOver { role, next } => {
                let named = incident.plan.roles.get(role).and_then(|row| row.next.as_ref());
                named.map_or_else(|| next.is_catch_all(), |named| named == next)
            }
            Event::Covered { role, by, person } => {
                let behind =
                    std::iter::successors(Some(role), |role| incident.engagements.get(*role)?.waits_on.as_ref());
                let engaged = incident.engagements.get(by).and_then(|e| e.outcome.as_ref());
                let has =
                    matches!(engaged, Some(EngagementOutcome::Engaged { person: holder, .. }) if holder == person);
                let has_through =
                    matches!(engaged, Some(EngagementOutcome::Covered { person: holder, .. }) if holder == person);
                behind.skip(1).take(16).any(|role| role == by) && (has || has_through)
            }
            _ => true,
        };
        self.check("law 4", holds, || format!("{id}: {event:?} does not follow the chain"));
    }

    pub(super) fn law_5_one_has_it(&mut self, id: IncidentId, event: &Event) {
        let Some(shadow) = self.shadows.get_mut(&id) else { return };
        if let Event::HandedBack { role, .. } | Event::Reopened { role, .. } = event {
            shadow.engaged.remove(role);
            let last = shadow.incident.pages.keys().next_back().copied().unwrap_or_default();
            shadow.opened_again.push((role.clone(), last));
        }
        let (Event::Engaged { role, person } | Event::Covered { role, person, .. }) = event else { return };
        if let Some(first) = shadow.engaged.insert(role.clone(), person.clone()) {
            self.fail("law 5", format!("{id}: {role} was taken by {first} and again by {person}"));
        }
    }

    /// Who reads the question that is asked anew needs no word about the end of this one.
    pub(super) fn law_5_everybody_is_told(&mut self, incident: &Incident, anew: Option<&Incident>) {
        let id = incident.id;
        let begun = |page: &&Arc<Page>| self.starts.contains_key(&PageId { incident: id, n: page.n });
        let briefed: Vec<&Arc<Page>> = incident.pages.values().filter(|p| p.purpose.is_brief()).filter(begun).collect();
        for brief in briefed {
            let Some(role) = &brief.role else { continue };
            let is_asked =
                |anew: &Incident| anew.pages.values().any(|p| p.purpose.is_brief() && p.person == brief.person);
            if anew.is_some_and(is_asked) {
                continue;
            }
            let ended = incident.engagements.get(role).is_some_and(|e| !e.is_open());
            let told: Vec<&Arc<Page>> =
                incident.pages.values().filter(|page| tells(incident, brief, role, page)).collect();
            let said = told.iter().filter(|page| page.state == PageState::Accepted || 0 < page.refusals).count();
            let (who, by, n) = (&brief.person, &brief.channel, brief.n);
            let how =
                || format!("{id}: {who:?} was sent page {n} for {role} by {by} and told {said} times how it ended");
            let once =
                said == 1 || matches!(told.first().map(|page| &page.purpose), Some(PagePurpose::StoodDown)) && 0 < said;
            self.check("law 5", !ended || once, how);
        }
    }

    /// A reader of "somebody has it" is told when that role is handed back.
    pub(super) fn law_5_everybody_hears_of_a_hand_back(&mut self, incident: &Incident, opened: &[(RoleName, u32)]) {
        let read = |page: &Page| page.state == PageState::Accepted || 0 < page.refusals;
        for (role, then) in opened {
            let about = |page: &&Arc<Page>| page.role.as_ref() == Some(role);
            let words = incident.pages.values().filter(about).filter(|page| page.n <= *then && read(page));
            for word in words.filter(|page| matches!(page.purpose, PagePurpose::Taken { .. })) {
                let to_them = |page: &Page| page.person == word.person && page.channel == word.channel;
                let after = |page: &Page| match &page.purpose {
                    PagePurpose::Resolved => true,
                    PagePurpose::Brief { .. }
                    | PagePurpose::HandedBack { .. }
                    | PagePurpose::Taken { .. }
                    | PagePurpose::StoodDown => page.role.as_ref() == Some(role),
                    _ => false,
                };
                let heard = incident.pages.values().any(|p| word.n < p.n && to_them(p) && after(p) && read(p));
                let (id, n, who, by) = (incident.id, word.n, &word.person, &word.channel);
                self.check("law 5", heard, || {
                    format!("{id}: {who:?} read in page {n} by {by} who has {role}, and not that it was handed back")
                });
            }
        }
    }

    pub(super) fn law_5_the_room_is_told(&mut self, incident: &Incident) {
        let over = |page: &Page| match &page.purpose {
            PagePurpose::RoomLine { line } => OVERS.iter().any(|over| line.starts_with(over)),
            purpose => *purpose == PagePurpose::RoomSummary,
        };
        let untold = incident.rooms.keys().find(|room| !incident.posts_to(room).any(over));
        let told = incident.is_open() || untold.is_none();
        self.check("law 5", told, || format!("{}: {untold:?} was not told that it is over", incident.id));
    }

    /// The last edit of a card was born for what is so now, or none was needed.
    pub(super) fn rooms_the_card_shows_what_is(&mut self, incident: &Incident) {
        // A drill that was broken off says nothing any more, and edits nothing.
        if matches!(incident.status, IncidentStatus::Resolved { by: Actor::Crisis(_), .. }) {
            return;
        }
        for room in incident.rooms.keys().filter(|room| incident.plan.living.contains_key(*room)) {
            let last = incident.posts_to(room).find_map(|page| match &page.purpose {
                PagePurpose::RoomUpdate { shows, .. } => Some((shows.clone(), page.state)),
                _ => None,
            });
            let calm = |e: &Engagement| {
                let words = e.received.len() + e.unable.len();
                e.is_open() && e.step_entry <= 1 && e.waits_on.is_none() && !e.stood_by && words == 0
            };
            let silent = incident.all_clear_at.or(incident.silent_since);
            let untouched = incident.is_open() && silent.is_none() && incident.engagements.values().all(calm);
            let shown = match last {
                Some((shows, state)) => shows == incident.card_digest() || state == PageState::Queued,
                None => untouched,
            };
            self.check("rooms", shown, || format!("{}: the card in {room} is old", incident.id));
        }
    }

    /// No room is sent two things at once: what is said later must not come before what was said earlier.
    pub(super) fn rooms_hear_one_thing_at_a_time(&mut self, node: u64, page: PageId) {
        let Some((channel, None)) = self.page(page).map(|row| (row.channel.clone(), row.person.clone())) else {
            return;
        };
        let under_way = self.under_way.get(&(node, page.incident, channel.clone())).copied().filter(|n| *n != page.n);
        self.check("rooms", under_way.is_none(), || {
            format!("{page} starts while {under_way:?} is under way to {channel}")
        });
        self.under_way.insert((node, page.incident, channel), page.n);
    }

    pub(super) fn law_6_no_drill_opens_beside_the_real_thing(&mut self, id: IncidentId, drill: bool) {
        let live = self.live_open();
        let holds = !drill || live.is_none();
        self.check("law 6", holds, || format!("the drill {id} opens while {live:?} is open"));
    }

    /// A page of a drill starts: nothing live is open, and the drill is not over; or these are its last words.
    pub(super) fn law_6_no_drill_beside_the_real_thing(&mut self, page: PageId) {
        let Some(shadow) = self.shadows.get(&page.incident).filter(|shadow| shadow.incident.drill) else { return };
        let incident = &shadow.incident;
        let last_words = incident.pages.get(&page.n).is_some_and(|row| match &row.purpose {
            // What other systems are told of the past, and the way in which a room is put away, call nobody.
            PagePurpose::Resolved | PagePurpose::Notice { .. } | PagePurpose::RoomArchive => true,
            PagePurpose::RoomLine { line } => line.starts_with("DRILL "),
            _ => false,
        });
        let in_time = incident.drill_ends_at().is_none_or(|until| self.now < until);
        let (open, live) = (incident.is_open(), self.live_open());
        let stopped = matches!(incident.status, IncidentStatus::Resolved { by: Actor::Crisis(_), .. });
        let holds = if open { live.is_none() && in_time } else { last_words || !stopped };
        self.check("law 6", holds, || {
            format!("{page} of a drill starts: open {open}, in time {in_time}, beside {live:?}")
        });
    }

    pub(super) fn law_6_drills_give_way_in_time(&mut self, at: Timestamp, able_since: Option<Timestamp>) {
        let drill = self.incidents().find(|incident| incident.drill && incident.is_open()).map(|incident| incident.id);
        let live = self.live_open();
        if drill.is_none() || live.is_none() {
            self.beside = None;
            return;
        }
        let since = *self.beside.get_or_insert(at);
        let late = able_since.is_some_and(|able| LATE_MAX < at.micros_since(since.max(able)));
        self.check("law 6", !late, || format!("{drill:?} has not given way to {live:?} since {since}"));
    }

    fn live_open(&self) -> Option<IncidentId> {
        self.incidents().find(|incident| !incident.drill && incident.is_open()).map(|incident| incident.id)
    }

    pub(super) fn law_10_a_repeat_has_a_crash_and_a_mark(&mut self, page: PageId) {
        let left_no_trace = |start: &Start| start.from_a_desk.is_some_and(|lost| lost < self.lost);
        let unsettled = |starts: &Vec<Start>| starts.iter().filter(|s| !s.settled && !left_no_trace(s)).count();
        let unsettled = self.starts.get(&page).map_or(0, unsettled);
        let taken_over = self.taken_over.get(&page).copied().unwrap_or(0);
        let marked = self.page(page).is_some_and(|row| row.maybe_repeated);
        let holds = self.waited_for_a_desk(page) || unsettled <= taken_over && (unsettled == 0 || marked);
        self.check("law 10", holds, || {
            format!("{page} starts again: {unsettled} unsettled, {taken_over} times taken over, marked: {marked}")
        });
    }

    /// Whether the last that was journaled of it is that no desk was open. A node that dies after a desk has opened leaves
    /// no trace of that; the next desk shows how it stands by itself, so that no mark is needed. Any other page of a desk
    /// is held to the law like all pages.
    pub(super) fn waited_for_a_desk(&self, page: PageId) -> bool {
        let is_desk = |row: &Page| self.roster.screens.contains(&row.channel);
        self.page(page).is_some_and(|row| is_desk(row) && row.held == Some(HeldWhy::DeskClosed))
    }

    pub(super) fn law_10_nothing_is_forgotten(&mut self, incident: &Incident) {
        for page in incident.pages.values() {
            let id = PageId { incident: incident.id, n: page.n };
            let begun = self.starts.contains_key(&id);
            let ended = match page.state {
                PageState::Queued | PageState::Withdrawn => false,
                PageState::Accepted => begun,
                PageState::Unreachable => begun || 0 < page.refusals,
                PageState::Unsent => true,
            };
            self.check("law 10", ended, || format!("{id} is {:?} in the end, begun: {begun}", page.state));
        }
    }
}

/// Whether the role has a deadline, or waits on one that has.
fn waits_for_time(incident: &Incident, role: &RoleName) -> bool {
    let mut at = role;
    for _ in 0..=incident.engagements.len() {
        let Some(engagement) = incident.engagements.get(at).filter(|e| e.is_open()) else { return false };
        match &engagement.waits_on {
            Some(next) => at = next,
            None => return engagement.deadline.is_some(),
        }
    }
    false
}

/// Whether `page` tells the reader of `brief` how it ended: by the end of the incident where that is over, else by who
/// has the role.
fn tells(incident: &Incident, brief: &Page, role: &RoleName, page: &Page) -> bool {
    if page.person != brief.person || page.channel != brief.channel {
        return false;
    }
    if !incident.is_open() {
        return page.purpose == PagePurpose::Resolved;
    }
    let about = page.role.as_ref() == Some(role);
    match incident.engagements.get(role).and_then(|e| e.outcome.as_ref()) {
        // What was told of an engagement before the last one was told then.
        Some(EngagementOutcome::Engaged { person, at } | EngagementOutcome::Covered { person, at, .. }) => {
            about && *at <= page.born_at && matches!(&page.purpose, PagePurpose::Taken { by, .. } if by == person)
        }
        Some(EngagementOutcome::StoodDown { .. }) => about && page.purpose == PagePurpose::StoodDown,
        Some(EngagementOutcome::Closed { .. }) | None => false,
    }
}
