//! The texts of a war room: the card with every role's state, its topic, and the summary at the end.

use super::{
    fit,
    words::{BriefWords, EXERCISE},
};
use crate::core::{
    Engagement, EngagementOutcome, HandBack, Incident, IncidentStatus, RoleName, Timestamp, event::Actor,
    role_words::asked_instead,
};
use std::time::Duration;

/// The revision of a card before any edit.
pub(super) const FIRST: u32 = 1;

/// How many roles a card or a summary lists; it counts the rest.
const ROLES_MAX: usize = 18;

/// The card: what happened, and every role with its state and since when.
pub(super) fn card(words: &BriefWords<'_>, revision: u32) -> Vec<String> {
    let incident = words.incident();
    let mut lines = vec![first_line(words)];
    if words.is_drill() {
        lines.push(EXERCISE.to_owned());
    }
    lines.extend(incident.sandboxed().map(|sandboxed| format!("{sandboxed}.")));
    lines.extend(incident.engagements.iter().take(ROLES_MAX).map(|(role, engagement)| row(words, role, engagement)));
    lines.extend(more_roles(incident));
    if let Some(at) = incident.all_clear_at {
        let closes = if incident.is_open() { "; a human must still close it" } else { "" };
        lines.push(format!("The monitor reported all clear at {}{closes}.", words.time(at)));
    }
    if let Some(at) = incident.silent_since {
        lines.push(format!("The monitor has been silent since {}: its values are old.", words.time(at)));
    }
    lines.push(format!("Revision {revision}, as of {}.", words.time(incident.last_at)));
    lines
}

fn more_roles(incident: &Incident) -> Option<String> {
    let more = incident.engagements.len().checked_sub(ROLES_MAX).filter(|more| 0 < *more)?;
    Some(format!("And {more} more roles: stentor show {}", incident.id))
}

/// One line that identifies the incident of a room.
pub(super) fn topic(words: &BriefWords<'_>) -> String {
    format!("{} {}: {}", words.word(), words.incident().id, words.summary())
}

/// How the incident ended: who, when, how long each role took.
pub(super) fn summary(words: &BriefWords<'_>) -> Vec<String> {
    let incident = words.incident();
    let ended = match &incident.status {
        IncidentStatus::Resolved { by, at, .. } => {
            let took = span(at.since(incident.opened_at));
            format!("resolved by {} at {} after {took}", actor(words, by), words.time(*at))
        }
        IncidentStatus::Open => "still open".to_owned(),
    };
    let mut lines = vec![format!("{}. It is over: {ended}.", topic(words))];
    lines.extend(incident.sandboxed().map(|sandboxed| format!("{sandboxed}.")));
    let took = |(role, e): (&RoleName, &Engagement)| format!("{}: {}", words.role_name(role), how_it_ended(words, e));
    lines.extend(incident.engagements.iter().take(ROLES_MAX).map(took));
    lines.extend(more_roles(incident));
    lines.push(format!(
        "Alerts: {}. Time to engagement counts from {}.",
        incident.alerts,
        words.time(incident.opened_at)
    ));
    let room = incident.plan.living.get(&words.brief.page.channel);
    if let Some(after) = room.and_then(|room| room.archive_after) {
        lines.push(format!("This room is archived {} after the end.", humantime::format_duration(after.0)));
    }
    lines
}

fn first_line(words: &BriefWords<'_>) -> String {
    let incident = words.incident();
    let start = topic(words);
    match &incident.status {
        IncidentStatus::Resolved { by, at, .. } => {
            format!("{start}. It is over: {} resolved it at {}.", actor(words, by), words.time(*at))
        }
        IncidentStatus::Open => {
            let open = incident.open_roles().count();
            let of = incident.engagements.len();
            let state = match (open, of) {
                (_, 0) => "It asks nobody for anything.".to_owned(),
                (0, _) if incident.engagements.values().all(|e| e.holder().is_some()) => {
                    "Every role has somebody.".to_owned()
                }
                (0, _) => "No role is open any more.".to_owned(),
                (open, of) => format!("{open} of {of} roles open."),
            };
            format!("{start}. Opened {}. {state}", words.time(incident.opened_at))
        }
    }
}

fn row(words: &BriefWords<'_>, role: &RoleName, e: &Engagement) -> String {
    let role = words.role_name(role);
    match &e.outcome {
        Some(EngagementOutcome::Engaged { person, at }) => {
            format!("\u{2705} {role}: {} has it since {}", words.person(person), words.time(*at))
        }
        Some(EngagementOutcome::Covered { by, person, at }) => {
            let (who, by) = (words.person(person), words.role_name(by));
            format!("\u{2705} {role}: covered by {by}, {who} has it since {}", words.time(*at))
        }
        Some(EngagementOutcome::StoodDown { at }) => {
            format!("\u{2b1c} {role}: not needed any more since {}", words.time(*at))
        }
        Some(EngagementOutcome::Closed { at }) => {
            format!("\u{2b1c} {role}: nobody had it when it ended at {}", words.time(*at))
        }
        None => open_row(words, &role, e),
    }
}

fn open_row(words: &BriefWords<'_>, role: &str, e: &Engagement) -> String {
    let since = match e.handed_back.last() {
        Some(back) => {
            let what = back.of.as_ref().map_or_else(|| "it".to_owned(), |role| words.role_name(role));
            let (who, had) = (words.person(&back.person), words.time(back.taken_at));
            format!("again since {} ({who} had {what} since {had} and handed it back)", words.time(back.at))
        }
        None => format!("since {}", words.time(e.entered_at)),
    };
    if let Some(next) = &e.waits_on {
        let is_silent = e.handed_back.is_empty() && e.unable.is_empty() && e.received.is_empty();
        let open = if is_silent { "no answer" } else { "open" };
        let instead = asked_instead(words.incident(), next, words);
        return format!("\u{26a0} {role}: {open} {since}; {instead}");
    }
    let round = if e.round == 0 { String::new() } else { format!(", round {}", e.round + 1) };
    let spent = if e.exhausted { ", every step is spent" } else { "" };
    let until = e.deadline.map_or(String::new(), |at| format!(" until {}", words.time(at)));
    let mut line = format!(
        "\u{23f3} {role}: open {since}, {} paged{until} (step {}{round}{spent})",
        words.people(&e.on_call),
        e.step + 1,
    );
    for (people, what) in [(&e.received, "received by"), (&e.unable, "can not:")] {
        if !people.is_empty() {
            line.push_str(&format!("; {what} {}", words.people(people)));
        }
    }
    line
}

fn how_it_ended(words: &BriefWords<'_>, e: &Engagement) -> String {
    let backs: Vec<String> = e.handed_back.iter().map(|back| handed_back(words, back)).collect();
    let before = if backs.is_empty() { String::new() } else { format!("; before that {}", backs.join(", ")) };
    format!("{}{before}", outcome(words, e))
}

fn handed_back(words: &BriefWords<'_>, back: &HandBack) -> String {
    let as_role = back.of.as_ref().map_or_else(String::new, |of| format!(" as {}", words.role_name(of)));
    let (who, from, to) = (words.person(&back.person), words.time(back.taken_at), words.time(back.at));
    format!("{who}{as_role} had it from {from} to {to} and handed it back")
}

fn outcome(words: &BriefWords<'_>, e: &Engagement) -> String {
    let took = |at: Timestamp| span(at.since(words.incident().opened_at));
    match &e.outcome {
        Some(EngagementOutcome::Engaged { person, at }) => {
            format!("{} engaged at {}, after {}", words.person(person), words.time(*at), took(*at))
        }
        Some(EngagementOutcome::Covered { by, person, at }) => {
            let (by, who) = (words.role_name(by), words.person(person));
            format!("never engaged; covered by {by}, {who}, at {}, after {}", words.time(*at), took(*at))
        }
        Some(EngagementOutcome::StoodDown { .. }) => "stood down".to_owned(),
        Some(EngagementOutcome::Closed { .. }) => "nobody engaged before the end".to_owned(),
        None => "open".to_owned(),
    }
}

fn actor(words: &BriefWords<'_>, by: &Actor) -> String {
    match by {
        Actor::Person(person) => words.person(person),
        Actor::Source(_) | Actor::Operator(_) | Actor::Clock | Actor::Deadline | Actor::Crisis(_) => {
            fit::clean(&by.to_string(), 60)
        }
    }
}

/// `12.3s` below a minute, `12m 3s` above.
fn span(span: Duration) -> String {
    if span < Duration::from_secs(60) {
        return format!("{:.1}s", span.as_secs_f64());
    }
    humantime::format_duration(Duration::from_secs(span.as_secs())).to_string()
}
