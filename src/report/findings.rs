//! What the matrix did, what it could not do, and which questions remain: sentences made from facts alone.

use crate::{
    core::{ChannelName, DeliveryHitch, Event, Page, PageAttempts, PagePurpose, PageState, PersonName},
    report::{
        entries::last_entry,
        incident_timeline::{IncidentTimeline, RoleTimeline, StepStory, seconds, spoke},
        texts::IncidentTexts,
        words::{bound, clock, span},
    },
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// If an alert takes longer than this to reach Stentor, the review asks why. In seconds.
pub const DETECTION_ASKED: f64 = 30.0;

/// Sentences about one incident.
#[derive(Debug, Default, Serialize)]
pub struct IncidentFindings {
    /// What worked.
    pub did: Vec<String>,
    /// The faults that the drill injected: they say nothing about the health of any channel.
    pub injected: Vec<String>,
    /// What did not work.
    pub could_not: Vec<String>,
    /// Open questions.
    pub questions: Vec<String>,
    /// Actions that follow from the facts.
    pub to_do: Vec<String>,
}

/// The attempts with each page.
type AttemptFindings<'a> = BTreeMap<u32, PageAttempts<'a>>;

/// The findings of a story. If it was `broken_off`, the review does not ask why something was missing by then.
pub fn of(
    timeline: &IncidentTimeline,
    roles: &[RoleTimeline],
    broken_off: bool,
    beside: &IncidentTexts,
) -> IncidentFindings {
    let attempts = timeline.attempts();
    let injected = injected(timeline, &attempts);
    let mut findings =
        IncidentFindings { did: did(timeline, roles, &attempts, beside), injected, ..IncidentFindings::default() };
    for role in roles {
        // The review asks nobody about what the drill stopped on purpose or what was kept in the sandbox.
        let asks = !broken_off && may_have_reached(timeline, role);
        about_role(timeline, role, broken_off, asks, beside, &mut findings);
    }
    for (person, pages) in by_person(timeline) {
        about_person(timeline, (person, beside.name(person)), &pages, &attempts, &mut findings);
        if !broken_off {
            about_silence(timeline, (person, beside.name(person)), &pages, &mut findings);
        }
    }
    about_channels(timeline, &attempts, &mut findings);
    about_events(timeline, &mut findings);
    about_monitor(timeline, &mut findings);
    if !timeline.incident.is_open() && timeline.incident.judgement.is_none() && !timeline.asks_nothing() {
        let id = timeline.incident.id;
        let ask = format!("What was it: true, false, benign or a duplicate? stentor resolve {id} --outcome ..");
        findings.questions.push(ask);
    }
    findings
}

fn did(
    timeline: &IncidentTimeline,
    roles: &[RoleTimeline],
    attempts: &AttemptFindings<'_>,
    beside: &IncidentTexts,
) -> Vec<String> {
    let pages = || timeline.incident.pages.values().map(|page| &**page);
    let briefs: Vec<&Page> = pages().filter(|page| page.purpose.is_brief()).collect();
    let mut did = vec![asked(&briefs, roles.len())];
    did.extend(timeline.incident.sandboxed().map(|sandboxed| sandboxed.to_string()));
    for role in roles.iter().filter(|role| !role.steps.is_empty()) {
        let steps: Vec<String> = role.steps.iter().map(|step| step_done(role, step, beside)).collect();
        did.push(format!("{}: {}", role.name, steps.join("; then ")));
    }
    did.extend(failed_over(timeline, &briefs, attempts));
    let words = |is: fn(&PagePurpose) -> bool| -> Vec<&Page> { pages().filter(|page| is(&page.purpose)).collect() };
    let announced = words(|purpose| matches!(purpose, PagePurpose::Announced));
    if !announced.is_empty() {
        did.push(format!("announced it: {}", taken_of(&announced)));
    }
    let holders = words(PagePurpose::tells_who_has_it);
    if !holders.is_empty() {
        did.push(format!("told people who has it: {}", taken_of(&holders)));
    }
    let ends = words(|purpose| matches!(purpose, PagePurpose::Resolved));
    if !ends.is_empty() {
        did.push(format!("told people that it is over: {}", taken_of(&ends)));
    }
    let backs = words(|purpose| matches!(purpose, PagePurpose::HandedBack { .. }));
    for role in roles {
        for back in role.handed_back.iter().filter(|back| back.of.is_none()) {
            did.push(format!(
                "opened {} again at {}: {} handed it back",
                role.name,
                clock(back.at),
                beside.name(&back.person)
            ));
        }
    }
    if !backs.is_empty() {
        let taken = taken_of(&backs);
        did.push(format!("told those who had heard that somebody has it that it was handed back: {taken}"));
    }
    did
}

fn taken_of(pages: &[&Page]) -> String {
    let taken = pages.iter().filter(|page| page.stages.accepted.is_some()).count();
    format!("{taken} of {} message(s) were accepted by a channel", pages.len())
}

/// Who was asked by which channel: only pages that were accepted, or may have been, count.
fn asked(briefs: &[&Page], roles: usize) -> String {
    let read: Vec<&&Page> = briefs.iter().filter(|page| page.may_be_read()).collect();
    let people: BTreeSet<_> = read.iter().filter_map(|page| page.person.as_ref()).collect();
    let channels: BTreeSet<&str> = read.iter().map(|page| page.channel.as_str()).collect();
    let channels: Vec<&str> = channels.into_iter().collect();
    match (briefs.len(), read.len()) {
        (0, _) => "asked nobody for anything".into(),
        (all, 0) => format!("asked nobody: none of {all} page(s) for {roles} role(s) reached anybody"),
        (all, sent) => {
            let (people, channels) = (people.len(), channels.join(", "));
            let rest = if sent < all { format!(" of {all}") } else { String::new() };
            format!("asked {people} person(s) for {roles} role(s) with {sent}{rest} page(s), by {channels}")
        }
    }
}

/// Why pages were sent by another channel of the same person.
fn failed_over(timeline: &IncidentTimeline, briefs: &[&Page], attempts: &AttemptFindings<'_>) -> Vec<String> {
    let mut why: BTreeMap<&str, usize> = BTreeMap::new();
    for first in briefs.iter().filter_map(|page| timeline.incident.pages.get(&page.instead_of?)) {
        let what = match attempts.get(&first.n).and_then(|attempts| attempts.hitch(first)) {
            Some(DeliveryHitch::DeskClosed) => "a desk that was not open",
            Some(DeliveryHitch::OwnPace) => "our own pace, at which a page still waited for its turn",
            Some(DeliveryHitch::Injected(_)) => "what the drill broke on purpose",
            Some(DeliveryHitch::Channel) => "a channel that failed",
            Some(DeliveryHitch::NotKnown) | None => "a page with an unknown cause of delay",
        };
        *why.entry(what).or_default() += 1;
    }
    let told = |(what, count)| format!("bypassed {what}: {count} page(s) by another channel of the same person");
    why.into_iter().map(told).collect()
}

/// The faults that the drill injected, and into how many pages.
fn injected(timeline: &IncidentTimeline, attempts: &AttemptFindings<'_>) -> Vec<String> {
    let mut faults: BTreeMap<String, usize> = BTreeMap::new();
    let to_people = |n: &u32| timeline.incident.pages.get(n).is_some_and(|page| page.person.is_some());
    for (_, attempts) in attempts.iter().filter(|(n, _)| to_people(n)) {
        if let Some(last_error) = attempts.attempts.iter().find_map(|attempt| attempt.injected) {
            *faults.entry(last_error.to_string()).or_default() += 1;
        }
    }
    faults.into_iter().map(|(fault, count)| format!("{fault}: {count} page(s) to people")).collect()
}

fn step_done(role: &RoleTimeline, step: &StepStory, beside: &IncidentTexts) -> String {
    let people: Vec<&str> = step.on_call.iter().map(|person| beside.name(person)).collect();
    let whom = if people.is_empty() { "nobody on call".to_owned() } else { people.join(", ") };
    // Not everybody need be asked each time: who handed it back is not.
    let again = if 1 < step.step_entries.len() {
        format!("; entered {} times", step.step_entries.len())
    } else {
        String::new()
    };
    format!("step {} after {} ({whom}{again})", step.step + 1, span(seconds(role.entered_at, step.entered_at)))
}

/// Whether any brief of a role may have reached somebody, or did not for a reason that we can fix.
fn may_have_reached(timeline: &IncidentTimeline, role: &RoleTimeline) -> bool {
    let attempts = timeline.attempts();
    let ours = |page: &Page| {
        let theirs = attempts.get(&page.n);
        let injected = theirs.is_some_and(|theirs| theirs.injected().is_some());
        !injected && !page.is_sandboxed()
    };
    let mut briefs = timeline.incident.briefs_of(&role.role).peekable();
    briefs.peek().is_none() || briefs.any(ours)
}

fn about_role(
    timeline: &IncidentTimeline,
    role: &RoleTimeline,
    broken_off: bool,
    asks: bool,
    beside: &IncidentTexts,
    findings: &mut IncidentFindings,
) {
    let name = &role.name;
    let until = clock(role.until);
    // Since it was entered last, as in the table of roles.
    let seconds_of_last = last_entry(timeline, role).map_or_else(|| role.seconds(), |entry| entry.seconds());
    match (role.engaged, role.target) {
        (true, Some(target)) if target.within.as_secs_f64() < seconds_of_last => {
            let (took, within) = (span(seconds_of_last), bound(target.within));
            findings.could_not.push(format!("engage {name} within {within}: it took {took}"));
            findings.questions.push(format!("Why did {name} take {took} where {within} is the target?"));
        }
        (true, _) => {}
        (false, _) if role.required && !broken_off => {
            let (took, says) = (span(seconds_of_last), beside.who_has(&timeline.incident, &role.role));
            findings.could_not.push(format!("engage {name} in {took}: {says}"));
            if asks {
                findings.questions.push(match role.handed_back.is_empty() {
                    true => format!("Why did nobody answer for {name} by {until}?"),
                    false => format!("Why did nobody take {name} again by {until}?"),
                });
                findings.to_do.push(format!("Go through the ladder of {name} with those who are on it"));
            }
        }
        (false, _) => {}
    }
    for back in role.handed_back.iter().filter(|back| back.of.is_none()) {
        let (who, held) = (beside.name(&back.person), span(seconds(back.taken_at, back.at)));
        findings.questions.push(format!("What made {who} hand {name} back after {held}?"));
    }
    for step in role.steps.iter().filter(|step| step.on_call.is_empty()) {
        let step = step.step + 1;
        findings.could_not.push(format!("page anybody on step {step} of {name}: nobody was on call"));
        findings.questions.push(format!("Who should be on call for step {step} of {name}?"));
    }
}

fn by_person(timeline: &IncidentTimeline) -> BTreeMap<&PersonName, Vec<&Page>> {
    let mut people: BTreeMap<&PersonName, Vec<&Page>> = BTreeMap::new();
    for page in timeline.incident.pages.values().filter(|page| page.purpose.is_brief()) {
        if let Some(person) = &page.person {
            people.entry(person).or_default().push(page);
        }
    }
    people
}

fn about_person(
    timeline: &IncidentTimeline,
    (person, name): (&PersonName, &str),
    pages: &[&Page],
    attempts: &AttemptFindings<'_>,
    findings: &mut IncidentFindings,
) {
    let mut told: BTreeSet<(&ChannelName, Option<bool>)> = BTreeSet::new();
    for page in pages {
        let channel = &page.channel;
        let hitch = attempts.get(&page.n).and_then(|attempts| attempts.hitch(page));
        match (hitch, page.stages.accepted) {
            (Some(DeliveryHitch::Channel), _)
                if page.state == PageState::Unreachable && told.insert((channel, None)) =>
            {
                let why = page.last_error.as_deref().unwrap_or("no reason given");
                findings.could_not.push(format!("reach {name} by {channel}: {why}"));
                findings.questions.push(format!("Is the contact data of {name} for {channel} right?"));
                findings.to_do.push(format!("Test the way to {name} by {channel}, and fix it"));
            }
            (Some(DeliveryHitch::DeskClosed), accepted) if told.insert((channel, Some(accepted.is_some()))) => {
                findings.could_not.push(match accepted {
                    None => format!("show {name} a page by {channel}: their desk was not open"),
                    Some(at) => {
                        let late = span(seconds(page.born_at, at));
                        format!("show {name} a page by {channel} at once: their desk was opened {late} later")
                    }
                });
                if accepted.is_none() && !spoke(timeline, person) {
                    findings.questions.push(format!("Should the desk page of {name} have been open?"));
                }
            }
            _ => {}
        }
    }
}

/// Only people whom a page has reached can be asked why they did not answer.
fn about_silence(
    timeline: &IncidentTimeline,
    (person, name): (&PersonName, &str),
    pages: &[&Page],
    findings: &mut IncidentFindings,
) {
    let reached = |page: &&&Page| page.stages.accepted.is_some() && page.may_be_read();
    let taken: Vec<&&Page> = pages.iter().filter(reached).collect();
    if !taken.is_empty() && !spoke(timeline, person) {
        let channels: BTreeSet<&str> = taken.iter().map(|page| page.channel.as_str()).collect();
        let channels: Vec<&str> = channels.into_iter().collect();
        let seen = if taken.iter().any(|page| page.stages.seen.is_some()) { "seen" } else { "not seen" };
        findings.questions.push(format!(
            "Why did {name} not answer? {} page(s) were accepted by {}, {seen}",
            taken.len(),
            channels.join(", ")
        ));
    }
}

/// The record of each channel, for pages that it was itself given.
fn about_channels(timeline: &IncidentTimeline, attempts: &AttemptFindings<'_>, findings: &mut IncidentFindings) {
    let mut late: BTreeMap<&str, usize> = BTreeMap::new();
    let mut paced: BTreeMap<&str, usize> = BTreeMap::new();
    let mut refused: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    for (n, attempts) in attempts {
        let Some(page) = timeline.incident.pages.get(n) else { continue };
        match attempts.hitch(page).filter(|_| attempts.is_overdue()) {
            Some(DeliveryHitch::Channel) => *late.entry(page.channel.as_str()).or_default() += 1,
            Some(DeliveryHitch::OwnPace) => *paced.entry(page.channel.as_str()).or_default() += 1,
            _ => {}
        }
        for why in attempts.not_now() {
            let entry = refused.entry(page.channel.as_str()).or_default();
            *entry = (entry.0 + 1, why);
        }
    }
    for (channel, count) in late {
        findings.could_not.push(format!("have {count} page(s) taken by {channel} within its accept timeout"));
        findings.questions.push(format!("Why was {channel} slow or down?"));
        findings.to_do.push(format!("Find out what held up {channel}, and give those steps another channel beside it"));
    }
    for (channel, count) in paced {
        let waited =
            format!("give {count} page(s) to {channel} within its accept timeout: they waited at our own pace");
        findings.could_not.push(waited);
        findings.questions.push(format!("Is the pace of {channel} in the matrix what its provider allows?"));
        findings.to_do.push(format!("Compare the pace of {channel} with how many pages one person got by it"));
    }
    for (channel, (count, why)) in refused {
        findings
            .could_not
            .push(format!("send by {channel} at the first attempt: refused {count} time(s), at last: {why}"));
    }
}

fn about_events(timeline: &IncidentTimeline, findings: &mut IncidentFindings) {
    for record in &timeline.records {
        match &record.event {
            Event::Exhausted { role } => {
                let (at, role) = (clock(record.at), timeline.incident.plan.called(role));
                findings
                    .could_not
                    .push(format!("go further for {role}: its steps were spent at {at}, the last repeats"));
            }
            Event::TakenOver { pages } => {
                let count = pages.len();
                findings.could_not.push(format!("be sure of {count} page(s): a node died, they may be repeated"));
                findings.questions.push(format!("Why did a node of Stentor end at {}?", clock(record.at)));
            }
            _ => {}
        }
    }
}

fn about_monitor(timeline: &IncidentTimeline, findings: &mut IncidentFindings) {
    let incident = &timeline.incident;
    let source = &incident.alert.source;
    for record in &timeline.records {
        if let Event::SourceSilent { lease } = &record.event {
            let at = clock(*lease);
            findings.could_not.push(format!("hear from {source} after {at}: its alert had expired"));
            findings.questions.push(format!("Why did {source} fall silent at {at}?"));
        }
    }
    if let Some(detected) = incident.detected_at {
        let took = seconds(detected, incident.received_at);
        if DETECTION_ASKED < took {
            let took = span(took);
            findings
                .questions
                .push(format!("Why did the alert take {took} from {source}'s detection until Stentor received it?"));
        }
    }
}
