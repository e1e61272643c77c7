//! The order of events in one incident, without the parts that depend on the clock. It is used to compare a run in
//! virtual time with a live run of the same script.
//!
//! What is dropped or unified, and why:
//! - Times. A live ladder moves some milliseconds late. Both must agree on the order and on each step's wait, which is
//!   written out (`for 45s`). A standby is written with the extension that was granted.
//! - When a channel reported the result of a page, and what devices reported: concurrent sends end in any order. The
//!   core's reaction (another channel, the next step) keeps its place in the order.
//! - The channel of an answer, who resolved the incident, and the numbers of withdrawn pages.

use crate::{
    core::{
        AlertStatus, AnswerVerdict, Event, Page, PagePurpose, PersonName, Timestamp,
        display_names::Ids,
        handoff_words,
        sentence::{chosen, ended_request},
    },
    drill::{
        scenario::definition::Scenario,
        simulator::setting::{PlayedIncident, SimulationSetting},
    },
    matrix::Matrix,
};

/// The order of events in one incident, one line for each event.
pub fn sequence<'a>(events: impl IntoIterator<Item = (Timestamp, &'a Event)>) -> Vec<String> {
    events.into_iter().filter_map(|(at, event)| line(at, event)).collect()
}

/// The sequences of a scenario's incidents when people follow its script, in the order in which they were opened.
/// Ladders are compressed as in a live run, channels accept pages immediately, and faults are as in the scenario.
pub fn scripted(scenario: &Scenario, matrix: &Matrix, start: Timestamp) -> Vec<Vec<String>> {
    let cases = SimulationSetting::scripted(scenario, matrix, start).cases(0, 0);
    let of = |case: &PlayedIncident| sequence(case.events.iter().map(|(at, event)| (*at, event)));
    cases.iter().map(of).collect()
}

fn line(at: Timestamp, event: &Event) -> Option<String> {
    Some(match event {
        Event::Opened(opening) => format!("opened {} by {}", opening.key, opening.alert.kind),
        Event::Joined { alert } => {
            let firing = if alert.status == AlertStatus::Firing { "again" } else { "over" };
            format!("joined {} {firing}", alert.kind)
        }
        Event::Overflowed { key, alert } => format!("counted {key} of {}", alert.kind),
        Event::OverflowCleared { key, .. } => format!("{key} over"),
        Event::Repeated { count, alert, .. } => format!("joined {} again, {count} more", alert.kind),
        Event::AllClear { source } => format!("all-clear of {source}"),
        Event::SourceSilent { .. } => "source silent".into(),
        Event::Raised { decision } => format!("raised to {}", decision.tier),
        Event::RoleEntered { role, instead_of } => match instead_of {
            Some(other) => format!("{role} entered instead of {other}"),
            None => format!("{role} entered"),
        },
        Event::StepEntered { role, step, round, on_call, until, why, civil: _ } => {
            let (nth, wait) = (step + 1, humantime::format_duration(until.since(at)));
            let people: Vec<&str> = on_call.iter().map(PersonName::as_str).collect();
            format!("{role} step {nth} round {round} ({why:?}): {} for {wait}", people.join(", "))
        }
        Event::StepProlonged { role, until } => {
            format!("{role} waits {} longer", humantime::format_duration(until.since(at)))
        }
        Event::Paged { page } => paged(page),
        // An injected fault shows in the core's reaction, like any other error.
        Event::Injected { .. } => return None,
        Event::Settled { .. } | Event::Reported { .. } | Event::TakenOver { .. } => return None,
        Event::Preempted { .. } => "broken off".into(),
        Event::Overdue { page, .. } => format!("page {page} overdue"),
        Event::Unreported { page, .. } => format!("page {page} unreported"),
        Event::Undelivered { page, .. } => format!("page {page} did not arrive"),
        Event::Withdrawn { pages } => format!("{} withdrawn", pages.len()),
        Event::Answered { role, person, answer, verdict, .. } => {
            let role = role.as_ref().map_or("?", |role| role.as_str());
            let verdict = match verdict {
                AnswerVerdict::StandbyGranted { until, .. } => {
                    format!("granted for {}", humantime::format_duration(until.since(at)))
                }
                other => other.tag().to_owned(),
            };
            format!("{person} says {answer} for {role}: {verdict}")
        }
        Event::Engaged { role, person } => format!("{role} engaged: {person}"),
        Event::Covered { role, by, person } => format!("{role} covered by {by}: {person}"),
        Event::HandedBack { role, person } => format!("{role} handed back: {person}"),
        Event::Reopened { role, of, .. } => format!("{role} open again: {of} handed back"),
        Event::StoodDown { role } => format!("{role} stood down"),
        Event::HandedOver { role, next } => format!("{role} handed over to {next}"),
        Event::Exhausted { role } => format!("{role} exhausted"),
        Event::Chosen { person, option, verdict, .. } => format!("{person} chose {option}: {}", chosen(verdict)),
        Event::HandoffMoved(moved) => handoff_words::told(moved, moved.person.as_str()),
        Event::Erased { .. } => return None,
        Event::RequestEnded { outcome } => ended_request(outcome, &Ids),
        Event::Resolved { .. } => "resolved".into(),
        // What people conclude later is not part of what happened.
        Event::Judged { .. } => return None,
    })
}

fn paged(page: &Page) -> String {
    let to = page.person.as_ref().map_or("the room", |person| person.as_str());
    let instead = if page.instead_of.is_some() { ", another way" } else { "" };
    let what = match &page.purpose {
        PagePurpose::Brief { round: 0 } => "brief".into(),
        PagePurpose::Brief { round } => format!("brief, round {round}"),
        PagePurpose::Taken { by, covering_as: None } => format!("told that {by} has it"),
        PagePurpose::Taken { by, covering_as: Some(role) } => format!("told that {by} has it as {role}"),
        PagePurpose::HandedBack { by, of } => format!("told that {by} handed {of} back"),
        PagePurpose::StoodDown => "told to stand down".into(),
        PagePurpose::Announced => "announced".into(),
        PagePurpose::Resolved => "told that it is over".into(),
        PagePurpose::RoomCard => "card".into(),
        PagePurpose::RoomLine { line } if line.starts_with("resolved by") => "line: resolved".into(),
        PagePurpose::RoomLine { line } | PagePurpose::RoomNote { line } => format!("line: {line}"),
        PagePurpose::RoomUpdate { .. } => "card updated".into(),
        PagePurpose::RoomFurnish => "setup".into(),
        PagePurpose::RoomInvite { people } => {
            let people: Vec<&str> = people.iter().map(PersonName::as_str).collect();
            format!("invitation of {}", people.join(", "))
        }
        PagePurpose::RoomSummary => "summary".into(),
        PagePurpose::RoomArchive => "archiving".into(),
        PagePurpose::Notice { about } => format!("notice {}", about.name()),
    };
    let role = page.role.as_ref().map_or(String::new(), |role| format!(" for {role}"));
    format!("page to {to} by {}{role}: {what}{instead}", page.channel)
}
