//! One run, role by role: the time to engagement, and what that time was spent on. A run is a drill on the live daemon
//! or one in virtual time; both are described by the same events.

pub use crate::drill::analysis::cause::{AnalysisStage, TimeCause};
use crate::{
    core::{
        AnswerVerdict, ChannelName, EngagementOutcome, Event, FaultKind, Incident, IncidentStatus, Page, PageAttempts,
        PagePurpose, PersonName, RoleName, SendOutcome, StandIn, Timestamp, attempts,
    },
    drill::analysis::observation::{AllClear, RoleAnalysis, TimeSlice},
    report::ended::Ended,
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// One incident of a run.
#[derive(Debug, Clone, Copy)]
pub struct IncidentTrace<'a> {
    /// Its final state, with its pages.
    pub incident: &'a Incident,
    /// Its journal, in order.
    pub events: &'a [(Timestamp, Event)],
    /// The end of the observation.
    pub until: Timestamp,
    /// The channels that are screens: if such a channel does not accept a page, its person is away and nothing is
    /// broken.
    pub screens: &'a BTreeSet<ChannelName>,
}

/// What one run showed.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct RunObservation {
    /// The analysis of each role that was called, from the first incident that called it.
    pub roles: BTreeMap<RoleName, RoleAnalysis>,
    /// The all-clear to each person whom a page had reached.
    pub all_clears: Vec<AllClear>,
    /// Some of its pages were kept in the sandbox and sent to nobody: it is a rehearsal of the matrix, and does not
    /// measure channels.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sandboxed: bool,
}

/// The answer that engaged a role.
struct EngagingAnswer<'a> {
    person: &'a PersonName,
    page: Option<u32>,
    /// The one channel that the answer proves to reach them.
    channel: Option<&'a ChannelName>,
}

/// One entry into a step.
struct StepEntry<'a> {
    role: &'a RoleName,
    number: u32,
    step: usize,
    at: Timestamp,
    on_call: &'a [PersonName],
}

impl RunObservation {
    /// What the incidents of one run showed, in the order in which they were opened.
    pub fn of(traces: &[IncidentTrace<'_>]) -> Self {
        let mut observed = Self::default();
        for trace in traces {
            let details = TraceDetails::of(trace);
            for role in trace.incident.engagements.keys() {
                if !observed.roles.contains_key(role) {
                    observed.roles.extend(details.analysis(role).map(|analysis| (role.clone(), analysis)));
                }
            }
            observed.all_clears.extend(details.all_clears());
            observed.sandboxed |= trace.incident.has_sandboxed_page();
        }
        observed
    }
}

/// A role that somebody took and handed back.
struct HandedBackRole<'a> {
    role: &'a RoleName,
    given: EngagingAnswer<'a>,
    from: Timestamp,
    until: Timestamp,
}

/// A trace with data derived from its events.
struct TraceDetails<'a> {
    trace: &'a IncidentTrace<'a>,
    entries: Vec<StepEntry<'a>>,
    handed: BTreeMap<&'a RoleName, (Timestamp, &'a RoleName)>,
    /// The answer that engaged each role.
    answers: BTreeMap<&'a RoleName, EngagingAnswer<'a>>,
    /// The roles that somebody had before and handed back.
    held: Vec<HandedBackRole<'a>>,
    /// Pages that could not reach their person while they were still needed, and since when.
    unreachable: BTreeMap<u32, Timestamp>,
    attempts: BTreeMap<u32, PageAttempts<'a>>,
}

impl<'a> TraceDetails<'a> {
    fn of(trace: &'a IncidentTrace<'a>) -> Self {
        let mut details = Self {
            trace,
            entries: Vec::new(),
            handed: BTreeMap::new(),
            answers: BTreeMap::new(),
            held: Vec::new(),
            unreachable: BTreeMap::new(),
            attempts: attempts(trace.events.iter().map(|(at, event)| (*at, event))),
        };
        let (mut unwanted, mut injected): (BTreeSet<u32>, BTreeSet<u32>) = Default::default();
        let mut numbers: BTreeMap<&RoleName, u32> = BTreeMap::new();
        let mut taken: BTreeMap<&RoleName, Timestamp> = BTreeMap::new();
        for (at, event) in trace.events {
            match event {
                Event::StepEntered { role, step, on_call, .. } => {
                    let number = numbers.entry(role).or_default();
                    *number += 1;
                    details.entries.push(StepEntry { role, number: *number, step: *step, at: *at, on_call });
                }
                Event::HandedOver { role, next } => drop(details.handed.insert(role, (*at, next))),
                Event::Answered {
                    role: Some(role), person, page, channel, verdict: AnswerVerdict::Engages, ..
                } => {
                    details.answers.insert(role, EngagingAnswer { person, page: *page, channel: channel.as_ref() });
                    taken.insert(role, *at);
                }
                Event::HandedBack { role, person } => {
                    let nothing_told = EngagingAnswer { person, page: None, channel: None };
                    let given =
                        details.answers.remove(role).filter(|given| given.person == person).unwrap_or(nothing_told);
                    let from = taken.get(role).copied().unwrap_or(*at);
                    details.held.push(HandedBackRole { role, given, from, until: *at });
                }
                Event::Withdrawn { pages } => unwanted.extend(pages),
                Event::Injected { page, .. } => drop(injected.insert(*page)),
                Event::Settled { page, settlement, .. } => {
                    let on_purpose = injected.remove(page);
                    let failed = matches!(settlement, SendOutcome::Unreachable { .. });
                    if failed && !on_purpose && !unwanted.contains(page) {
                        details.unreachable.insert(*page, *at);
                    }
                }
                Event::Undelivered { page, .. } if !unwanted.contains(page) => {
                    details.unreachable.insert(*page, *at);
                }
                _ => {}
            }
        }
        details
    }

    fn analysis(&self, role: &RoleName) -> Option<RoleAnalysis> {
        let opened = self.trace.incident.opened_at;
        let engagement = self.trace.incident.engagements.get(role)?;
        let after = |at: Timestamp| at.since(opened);
        let (engaged, covered) = match &engagement.outcome {
            Some(EngagementOutcome::Engaged { at, .. }) => (Some(*at), None),
            Some(EngagementOutcome::Covered { at, .. }) => (None, Some(*at)),
            Some(EngagementOutcome::StoodDown { .. } | EngagementOutcome::Closed { .. }) | None => (None, None),
        };
        let ended = engagement.outcome.as_ref().map(|outcome| outcome.at());
        let end = ended.unwrap_or(self.trace.until).min(self.trace.until.max(opened));
        let mut parts = Vec::new();
        self.spend(role, opened, end, 0, &mut parts);
        Some(RoleAnalysis {
            required: engagement.required,
            engaged: engaged.map(after),
            covered: covered.map(after),
            ended: Ended::of(self.trace.incident, engagement),
            sandboxed: self.trace.incident.is_role_sandboxed(role),
            watched: after(end),
            parts,
        })
    }

    /// What the time of a role's ladder was spent on, from `from` until `end`; after a hand-over, the time of its
    /// `next`.
    fn spend(&self, role: &RoleName, from: Timestamp, end: Timestamp, depth: usize, parts: &mut Vec<TimeSlice>) {
        let handed =
            self.handed.get(role).filter(|(at, _)| *at <= end && depth < self.trace.incident.engagements.len());
        let answered = self.answers.get(role).map(|given| (given, self.page_answered(role, given, end)));
        let own_end = handed.filter(|_| answered.is_none()).map_or(end, |(at, _)| *at);
        // From when it was created, the page that was answered shows where the time went, except while somebody else
        // had the role.
        let open_since = self.held.iter().filter(|held| held.role == role).map(|held| held.until).max();
        let asked_at = |page: &Page| open_since.map_or(page.born_at, |since| since.max(page.born_at));
        let until = answered.as_ref().and_then(|(_, page)| *page).map_or(own_end, |page| asked_at(page).min(own_end));
        let entries: Vec<&StepEntry<'_>> =
            self.entries.iter().filter(|entry| entry.role == role && entry.at <= until).collect();
        for (n, entry) in entries.iter().enumerate() {
            let over = entries.get(n + 1).map_or(until, |next| next.at);
            self.entry(entry, (entry.at.max(from), over), parts);
        }
        let step = entries.last().map_or(0, |entry| entry.step);
        if let Some((given, page)) = answered {
            self.answered(role, step, given, page, (until, own_end), parts);
        } else if let Some((at, next)) = handed {
            self.spend(next, *at, end, depth + 1, parts);
        }
    }

    /// A step without an answer that stood: who had the role for a while, and what had no effect.
    fn entry(&self, entry: &StepEntry<'_>, (from, over): (Timestamp, Timestamp), parts: &mut Vec<TimeSlice>) {
        let mut at = from;
        let within = |held: &&HandedBackRole<'_>| held.role == entry.role && from <= held.from && held.from < over;
        for held in self.held.iter().filter(within) {
            let page = self.page_answered(held.role, &held.given, held.from);
            let born = page.map_or(at, |page| page.born_at.max(at).min(held.from));
            let (cause, said) = self.silence(entry, born);
            self.part(parts, at, born, cause, said);
            self.answered(held.role, entry.step, &held.given, page, (born, held.from), parts);
            let person = Some(held.given.person.clone());
            let (stage, role, step) = (AnalysisStage::HandedBack, entry.role.clone(), entry.step);
            let cause = TimeCause { stage, role, step, channel: None, person, stand_in: None };
            at = held.until.min(over);
            self.part(parts, held.from, at, cause, None);
        }
        let (cause, said) = self.silence(entry, over);
        self.part(parts, at, over, cause, said);
    }

    /// The stages of the page that was answered.
    fn answered(
        &self,
        role: &RoleName,
        step: usize,
        given: &EngagingAnswer<'_>,
        page: Option<&Page>,
        (born, end): (Timestamp, Timestamp),
        parts: &mut Vec<TimeSlice>,
    ) {
        let of_role = || self.trace.incident.is_role_sandboxed(role).then_some(StandIn::Sandbox);
        let of_page = page.map(|page| &page.channel);
        let cause = |stage, channel: Option<&ChannelName>| TimeCause {
            stage,
            role: role.clone(),
            step,
            channel: channel.cloned(),
            person: Some(given.person.clone()),
            stand_in: page.map_or_else(of_role, |page| self.stand_in(page)),
        };
        let mut at = born;
        let stages = page.map(|page| page.stages).unwrap_or_default();
        let ends = [
            (AnalysisStage::Queued, stages.sent),
            (AnalysisStage::Accepting, stages.accepted),
            (AnalysisStage::Delivering, stages.delivered),
        ];
        for (stage, over) in ends {
            let Some(over) = over.map(|over| over.min(end)) else { continue };
            self.part(parts, at, over, cause(stage, of_page), None);
            at = at.max(over);
        }
        // A desk page also shows pages of other channels: the channel of the answer counts.
        self.part(parts, at, end, cause(AnalysisStage::Answering, given.channel), None);
    }

    /// The page that an answer was given to: the one that it names, or else the person's first accepted page.
    fn page_answered(&self, role: &RoleName, given: &EngagingAnswer<'_>, end: Timestamp) -> Option<&'a Page> {
        let incident = self.trace.incident;
        if let Some(page) = given.page {
            return incident.pages.get(&page).map(|page| &**page);
        }
        let theirs = incident.pages.values().map(|page| &**page).filter(|page| {
            page.purpose.is_brief() && page.role.as_ref() == Some(role) && page.person.as_ref() == Some(given.person)
        });
        let taken = theirs.filter(|page| page.stages.accepted.is_some_and(|at| at <= end));
        taken.min_by_key(|page| page.stages.accepted)
    }

    /// Why a step had no answer until `over`. The order is: a channel that accepted nothing, a person with wrong
    /// contact data, a page that waited for its turn, people who did not answer. Those people come last because they
    /// may never have been reached.
    fn silence(&self, entry: &StepEntry<'_>, over: Timestamp) -> (TimeCause, Option<String>) {
        let (role, step) = (entry.role.clone(), entry.step);
        let cause = |stage, channel, person, stand_in| TimeCause { stage, role, step, channel, person, stand_in };
        let only = match entry.on_call {
            [] => return (cause(AnalysisStage::NobodyOnCall, None, None, None), None),
            [person] => Some(person.clone()),
            _ => None,
        };
        let briefs = |page: &&Page| page.purpose.is_brief() && page.role.as_ref() == Some(entry.role);
        let pages = self.trace.incident.pages.values().map(|page| &**page).filter(briefs);
        let pages: Vec<&Page> = pages.filter(|page| page.step_entry == entry.number).collect();
        if pages.is_empty() {
            return (cause(AnalysisStage::Contact, None, only, None), None);
        }
        let kept = |page: &Page| page.stages.kept.is_some_and(|kept| kept <= over);
        let refused =
            |page: &&&Page| !taken_by(page, over) && !kept(page) && !self.trace.screens.contains(&page.channel);
        let mut failed: Vec<&Page> = pages.iter().filter(refused).copied().collect();
        failed.sort_by_key(|page| (self.waited_until(page, over), self.is_persons_own(page, over), page.n));
        match failed.first() {
            Some(page) if self.waited_until(page, over) => {
                (cause(AnalysisStage::Queued, Some(page.channel.clone()), page.person.clone(), None), None)
            }
            Some(page) if self.is_persons_own(page, over) => (
                cause(AnalysisStage::Contact, Some(page.channel.clone()), page.person.clone(), None),
                page.last_error.clone(),
            ),
            Some(page) => {
                let stand_in = self.stand_in(page);
                (cause(AnalysisStage::Channel, Some(page.channel.clone()), None, stand_in), page.last_error.clone())
            }
            // All of them: a person who was really paged was really silent.
            None => {
                let all = |stand_in: &StandIn| pages.iter().all(|page| self.stand_in(page) == Some(*stand_in));
                let stand_in = [StandIn::Sandbox, StandIn::Drill].into_iter().find(all);
                (cause(AnalysisStage::Silence, None, only, stand_in), None)
            }
        }
    }

    /// What stood in for a page's channel, or broke it on purpose.
    fn stand_in(&self, page: &Page) -> Option<StandIn> {
        let sandbox = page.is_sandboxed().then_some(StandIn::Sandbox);
        sandbox.or_else(|| self.injected(page.n).map(|_| StandIn::Drill))
    }

    fn injected(&self, page: u32) -> Option<&'a FaultKind> {
        self.attempts.get(&page).and_then(PageAttempts::injected)
    }

    /// Whether a page waited for its turn until then because of our own rate limit: its channel had not been given it.
    fn waited_until(&self, page: &Page, over: Timestamp) -> bool {
        self.attempts.get(&page.n).is_some_and(|attempts| !attempts.had_its_turn_by(over))
    }

    /// Whether a page failed because of its person: it cannot reach them, while its channel accepts other people's
    /// pages or had none of them.
    fn is_persons_own(&self, page: &Page, over: Timestamp) -> bool {
        if self.unreachable.get(&page.n).is_none_or(|since| over < *since) {
            return false;
        }
        let pages = self.trace.incident.pages.values().map(|page| &**page);
        let mut others = pages
            .filter(|other| other.channel == page.channel && other.person.is_some() && other.person != page.person)
            .peekable();
        others.peek().is_none() || others.any(|other| taken_by(other, over))
    }

    fn part(
        &self,
        parts: &mut Vec<TimeSlice>,
        from: Timestamp,
        until: Timestamp,
        cause: TimeCause,
        said: Option<String>,
    ) {
        let opened = self.trace.incident.opened_at;
        if from < until {
            parts.push(TimeSlice { from: from.since(opened), until: until.since(opened), cause, said });
        }
    }

    fn all_clears(&self) -> Vec<AllClear> {
        let IncidentStatus::Resolved { at: resolved, .. } = self.trace.incident.status else { return Vec::new() };
        let pages = || self.trace.incident.pages.values().map(|page| &**page);
        // A page that its drill delays has reached its person once it is delivered; an absent person is not reached.
        let absent = |page: &Page| matches!(self.injected(page.n), Some(FaultKind::Absent { .. }));
        let reached = |page: &&Page| page.purpose.is_brief() && page.is_taken() && !absent(page);
        let people: BTreeSet<&PersonName> = pages().filter(reached).filter_map(|page| page.person.as_ref()).collect();
        let first = |person: &PersonName| {
            let details =
                pages().filter(|page| page.purpose == PagePurpose::Resolved && page.person.as_ref() == Some(person));
            details.filter_map(|page| page.stages.accepted).min()
        };
        let watched = self.trace.until.since(resolved);
        let all = people.into_iter().map(|person| AllClear {
            person: person.clone(),
            after: first(person).map(|at| at.since(resolved)),
            watched,
        });
        all.collect()
    }
}

fn taken_by(page: &Page, at: Timestamp) -> bool {
    page.stages.accepted.is_some_and(|accepted| accepted <= at)
}
