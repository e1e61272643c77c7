//! What the matrix did, what it could not do, and what must be asked: sentences made from facts alone.

use super::{
    facts::Beside,
    story::{RoleStory, Story, seconds},
    words::{bound, clock, span},
};
use crate::core::{Event, Page, PageState, PersonName, Purpose, Settlement};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A monitor's word that takes longer than this to the door is asked about, in seconds.
pub const DETECTION_ASKED: f64 = 30.0;

/// Sentences about one incident.
#[derive(Debug, Default, Serialize)]
pub struct Findings {
    /// What was done.
    pub did: Vec<String>,
    /// What could not be done.
    pub could_not: Vec<String>,
    /// What the facts leave open.
    pub questions: Vec<String>,
    /// What is to be done, as far as the facts tell.
    pub to_do: Vec<String>,
}

/// What a story shows.
pub fn of(story: &Story, roles: &[RoleStory], beside: &Beside) -> Findings {
    let mut findings = Findings { did: did(story, roles), ..Findings::default() };
    for role in roles {
        about_role(role, beside, &mut findings);
    }
    for (person, pages) in by_person(story) {
        about_person(story, beside.name(person), person, &pages, &mut findings);
    }
    about_events(story, &mut findings);
    about_monitor(story, &mut findings);
    if !story.incident.is_open() && story.incident.judgement.is_none() {
        let id = story.incident.id;
        let ask = format!("What was it: true, false, benign or a duplicate? stentor resolve {id} --outcome ..");
        findings.questions.push(ask);
    }
    findings
}

/// Whether this person said anything in this incident.
pub fn spoke(story: &Story, person: &PersonName) -> bool {
    let by_them = |event: &Event| matches!(event, Event::Answered { person: who, .. } if who == person);
    story.records.iter().any(|record| by_them(&record.event))
}

fn did(story: &Story, roles: &[RoleStory]) -> Vec<String> {
    let pages = story.incident.pages.values().map(|page| &**page);
    let briefs: Vec<&Page> = pages.filter(|page| page.purpose.is_brief()).collect();
    let people: BTreeSet<_> = briefs.iter().filter_map(|page| page.person.as_ref()).collect();
    let channels: BTreeSet<&str> = briefs.iter().map(|page| page.channel.as_str()).collect();
    let channels: Vec<&str> = channels.into_iter().collect();
    let mut did = vec![format!(
        "asked {} person(s) for {} role(s) with {} page(s), by {}",
        people.len(),
        roles.len(),
        briefs.len(),
        if channels.is_empty() { "no channel".into() } else { channels.join(", ") }
    )];
    for role in roles {
        let steps: Vec<String> = role.steps.iter().map(|step| step_done(role, step)).collect();
        did.push(format!("{}: {}", role.role, steps.join("; then ")));
    }
    let round = briefs.iter().filter(|page| page.instead_of.is_some()).count();
    if 0 < round {
        did.push(format!("went round a channel that failed: {round} page(s) by another channel of the same person"));
    }
    let words = || story.incident.pages.values().filter(|page| !page.purpose.is_brief() && page.person.is_some());
    let backs = words().filter(|page| matches!(page.purpose, Purpose::HandedBack { .. })).count();
    let told = words().count() - backs;
    if 0 < told {
        did.push(format!("told those who had been asked how it ended: {told} message(s)"));
    }
    for role in roles {
        for back in role.handed_back.iter().filter(|back| back.of.is_none()) {
            did.push(format!("opened {} again at {}: {} handed it back", role.role, clock(back.at), back.person));
        }
    }
    if 0 < backs {
        did.push(format!("told those who had heard that somebody has it that it was handed back: {backs} message(s)"));
    }
    did
}

fn step_done(role: &RoleStory, step: &super::story::StepStory) -> String {
    let people: Vec<&str> = step.on_call.iter().map(PersonName::as_str).collect();
    let whom = if people.is_empty() { "nobody on call".to_owned() } else { people.join(", ") };
    let again = if 1 < step.rungs.len() { format!(", {} times", step.rungs.len()) } else { String::new() };
    format!("step {} after {} ({whom}{again})", step.step + 1, span(seconds(role.entered_at, step.entered_at)))
}

fn about_role(role: &RoleStory, beside: &Beside, findings: &mut Findings) {
    let name = &role.role;
    let until = clock(role.until);
    match (role.engaged, role.target) {
        (true, Some(target)) if target.within.as_secs_f64() < role.seconds() => {
            let (took, within) = (span(role.seconds()), bound(target.within));
            findings.could_not.push(format!("engage {name} within {within}: it took {took}"));
            findings.questions.push(format!("Why did {name} take {took} where {within} is the target?"));
        }
        (true, _) => {}
        (false, _) if role.required => {
            let (took, state) = (span(role.seconds()), role.state);
            findings.could_not.push(format!("engage {name}: {state} after {took}"));
            findings.questions.push(match role.handed_back.is_empty() {
                true => format!("Why did nobody answer for {name} by {until}?"),
                false => format!("Why did nobody take {name} again by {until}?"),
            });
            findings.to_do.push(format!("Go through the ladder of {name} with those who are on it"));
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

fn by_person(story: &Story) -> BTreeMap<&PersonName, Vec<&Page>> {
    let mut people: BTreeMap<&PersonName, Vec<&Page>> = BTreeMap::new();
    for page in story.incident.pages.values().filter(|page| page.purpose.is_brief()) {
        if let Some(person) = &page.person {
            people.entry(person).or_default().push(page);
        }
    }
    people
}

fn about_person(story: &Story, name: &str, person: &PersonName, pages: &[&Page], findings: &mut Findings) {
    let mut asked = BTreeSet::new();
    for page in pages.iter().filter(|page| page.state == PageState::Unreachable) {
        if asked.insert(&page.channel) {
            let (channel, why) = (&page.channel, page.trouble.as_deref().unwrap_or("no reason given"));
            findings.could_not.push(format!("reach {name} by {channel}: {why}"));
            findings.questions.push(format!("Is the contact data of {name} for {channel} right?"));
            findings.to_do.push(format!("Test the way to {name} by {channel}, and mend it"));
        }
    }
    let taken: Vec<&&Page> = pages.iter().filter(|page| page.stages.accepted.is_some()).collect();
    if !taken.is_empty() && !spoke(story, person) {
        let ways: BTreeSet<&str> = taken.iter().map(|page| page.channel.as_str()).collect();
        let ways: Vec<&str> = ways.into_iter().collect();
        let seen = if taken.iter().any(|page| page.stages.seen.is_some()) { "seen" } else { "not seen" };
        findings.questions.push(format!(
            "Why did {name} not answer? {} page(s) were accepted by {}, {seen}",
            taken.len(),
            ways.join(", ")
        ));
    }
}

fn about_events(story: &Story, findings: &mut Findings) {
    let mut late: BTreeMap<&str, usize> = BTreeMap::new();
    let mut refused: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    let channel = |n: &u32| story.incident.pages.get(n).map(|page| page.channel.as_str());
    for record in &story.records {
        match &record.event {
            Event::Overdue { page } => *late.entry(channel(page).unwrap_or("?")).or_default() += 1,
            Event::Settled { page, settlement: Settlement::Retry { why, .. }, .. } => {
                let entry = refused.entry(channel(page).unwrap_or("?")).or_default();
                *entry = (entry.0 + 1, why);
            }
            Event::Exhausted { role } => {
                let at = clock(record.at);
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
    for (channel, count) in late {
        findings.could_not.push(format!("have {count} page(s) taken by {channel} within its patience"));
        findings.questions.push(format!("Why was {channel} slow or down?"));
        findings.to_do.push(format!("Find out what held up {channel}, and give those steps another channel beside it"));
    }
    for (channel, (count, why)) in refused {
        findings
            .could_not
            .push(format!("send by {channel} at the first attempt: refused {count} time(s), at last: {why}"));
    }
}

fn about_monitor(story: &Story, findings: &mut Findings) {
    let incident = &story.incident;
    let source = &incident.alert.source;
    for record in &story.records {
        if let Event::SourceSilent { lease } = &record.event {
            let at = clock(*lease);
            findings.could_not.push(format!("hear from {source} after {at}: its word had lapsed"));
            findings.questions.push(format!("Why did {source} fall silent at {at}?"));
        }
    }
    if let Some(detected) = incident.detected_at {
        let took = seconds(detected, incident.received_at);
        if DETECTION_ASKED < took {
            let took = span(took);
            findings.questions.push(format!("Why did the alert take {took} from {source}'s detection to the door?"));
        }
    }
}
