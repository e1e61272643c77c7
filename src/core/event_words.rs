//! Longer parts of the sentences about events: what a page is, how an attempt ended, alerts that were counted, what people
//! said to a question.

use crate::core::{
    answer::{Answer, AnswerVerdict},
    display_names::DisplayNames,
    page::{Page, PagePurpose},
    repeats::CountedChanges,
    send_outcome::{HeldWhy, SendOutcome, StandIn},
    time::Timestamp,
};

/// What was made, for whom.
pub(super) fn paged(page: &Page, names: &dyn DisplayNames) -> String {
    let to = page.person.as_ref().map_or("the war room", |person| names.person(person));
    let role = page.role.as_ref().map_or(String::new(), |role| format!(" for {}", names.role(role)));
    let instead = page.instead_of.map_or(String::new(), |n| format!(" in place of page {n}"));
    let what = match &page.purpose {
        PagePurpose::Brief { round: 0 } => "brief".to_owned(),
        PagePurpose::Brief { round } => format!("reminder {round}"),
        PagePurpose::Taken { by, .. } => format!("message that {} has it", names.person(by)),
        PagePurpose::HandedBack { by, of } => {
            format!("message that {} handed {} back", names.person(by), names.role(of))
        }
        PagePurpose::StoodDown => "message to stand down".to_owned(),
        PagePurpose::Resolved => "message that it is over".to_owned(),
        PagePurpose::Announced => "message that a drill begins".to_owned(),
        PagePurpose::RoomCard => "war room".to_owned(),
        PagePurpose::RoomLine { line } => format!("line {line:?}"),
        PagePurpose::RoomNote { line } => format!("note {line:?}"),
        PagePurpose::RoomUpdate { revision, .. } => format!("revision {revision} of the card"),
        PagePurpose::RoomFurnish => "setup".to_owned(),
        PagePurpose::RoomInvite { people } => format!("invitation of {} people", people.len()),
        PagePurpose::RoomSummary => "summary".to_owned(),
        PagePurpose::RoomArchive => "archiving".to_owned(),
        PagePurpose::Notice { about } => format!("notice {}", about.name()),
    };
    format!("page {}: {what}{role} to {to} by {}{instead}", page.n, page.channel)
}

/// How an attempt ended.
pub(super) fn settled(n: u32, settlement: &SendOutcome) -> String {
    match settlement {
        SendOutcome::Accepted { receipt } => match receipt.stand_in {
            None => format!("page {n} was accepted ({})", receipt.id),
            Some(StandIn::Drill) => format!("page {n} was held back: {}", receipt.id),
            Some(stand_in) => format!("page {n}: {stand_in}"),
        },
        failed if !matches!(failed, SendOutcome::Held { .. }) && failed.is_desk_closed() => {
            format!("page {n} was not shown: {}", HeldWhy::DeskClosed)
        }
        SendOutcome::Retry { why, unknown: false, .. } => format!("page {n} was not accepted: {why}"),
        SendOutcome::Retry { why, unknown: true, .. } => format!("page {n}: outcome unknown: {why}"),
        SendOutcome::Held { why, .. } => format!("page {n} waits: {why}"),
        SendOutcome::Unreachable { why } => format!("page {n} can not be delivered: {why}"),
        SendOutcome::Unsent => format!("page {n} was withdrawn before it was accepted"),
    }
}

/// Alerts that were counted, between these times.
pub(super) fn repeated(
    count: u64,
    (first_at, last_at): (Timestamp, Timestamp),
    changes: Option<&CountedChanges>,
    what: &str,
) -> String {
    let times = if count == 1 { "once" } else { "times" };
    let all_clears = changes.map_or(0, |changes| changes.all_clears);
    let when = match count.saturating_add(all_clears) {
        1 => format!("at {}", clock(last_at)),
        _ => format!("from {} to {}", clock(first_at), clock(last_at)),
    };
    match (changes, count) {
        (None, 1) => format!("again {times}, {when}: {what}"),
        (None, _) => format!("again {count} {times}, {when}: {what}"),
        (Some(changes), _) => {
            let now = now(changes);
            format!("it goes on and off: {count} alert(s) and {all_clears} all-clear(s), {when}, now {now}: {what}")
        }
    }
}

/// What was so after the last of the changes. The keys of an overflow have all-clears of their own.
fn now(changes: &CountedChanges) -> String {
    match (changes.all_clear_at, changes.keys.len()) {
        (Some(at), _) => format!("all clear since {}", clock(at)),
        (None, 0) => "firing".to_owned(),
        (None, all) => {
            let firing = changes.keys.values().filter(|key| !key.is_over()).count();
            format!("{firing} of {all} key(s) firing")
        }
    }
}

/// What somebody said to a question who gave this answer, where the words for a role would say something else: a yes is
/// journaled as a wilco, and once there is an outcome a no as an unable. The record of words has what they wrote.
pub(super) fn said_to_question(answer: Answer, verdict: &AnswerVerdict) -> Option<&'static str> {
    match (answer, verdict) {
        (_, AnswerVerdict::Engages) => None,
        (Answer::Wilco, _) => Some("said yes or wilco"),
        (Answer::Unable, AnswerVerdict::Closed) => Some("said no or unable"),
        _ => None,
    }
}

/// The effect of an answer to a question, where it is not that of one for a role.
pub(super) fn led_to_of_question(verdict: &AnswerVerdict) -> Option<&'static str> {
    match verdict {
        AnswerVerdict::Received => Some("nothing is decided by that"),
        AnswerVerdict::Closed => Some("too late, nothing changed"),
        _ => None,
    }
}

/// The time of day.
pub(super) fn clock(at: Timestamp) -> String {
    at.to_utc().format("%H:%M:%S UTC").to_string()
}
