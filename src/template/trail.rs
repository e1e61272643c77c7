//! The audit trail of a brief: what people did and were asked, in the names and the time of its reader. How each page
//! travelled is in the journal and in the post-mortem.

use super::{fit, words::BriefWords};
use crate::core::{
    Engagement, EngagementOutcome, HandBack, IncidentStatus, Page, PageState, PersonName, RoleName, Timestamp,
    event::Actor, page::PageReach,
};

/// The longest sentence, in characters.
const SENTENCE_MAX: usize = 140;

/// One entry, before it is put into words: a brief shows only the last ones.
enum TrailEntry<'a> {
    Detected,
    Opened,
    Asked { person: &'a PersonName, role: &'a RoleName, pages: Vec<&'a Page> },
    Took { back: &'a HandBack, role: &'a RoleName },
    HandedBack { back: &'a HandBack, role: &'a RoleName },
    Ended { outcome: &'a EngagementOutcome, role: &'a RoleName },
    AllClear,
    Resolved { by: &'a Actor },
}

/// The alarm and the last entries after it, oldest first, at most `max`, each with its time; and how many are left out.
pub(super) fn last(words: &BriefWords<'_>, max: usize) -> (Vec<(Timestamp, String)>, usize) {
    let mut entries = all(words, max);
    entries.sort_by_key(|(at, _)| *at);
    // The calls that were left out are older than those that are here.
    let unread = words.incident().pages.call_count().saturating_sub(max);
    let cut = entries.len().saturating_sub(max);
    let earlier = cut + unread;
    let told = |(at, entry): &(Timestamp, TrailEntry<'_>)| (*at, fit::cut(&sentence(words, entry), SENTENCE_MAX));
    // However much has happened since: what the first entry says is what all of it is about.
    let raised = entries.iter().position(|(_, entry)| matches!(entry, TrailEntry::Opened)).filter(|at| *at < cut);
    let rest = entries.iter().skip(cut + usize::from(raised.is_some()));
    (raised.map(|at| &entries[at]).into_iter().chain(rest).map(told).collect(), earlier)
}

/// The entries, without calls that are no part of the last `max`.
fn all<'a>(words: &BriefWords<'a>, max: usize) -> Vec<(Timestamp, TrailEntry<'a>)> {
    let incident = words.incident();
    let mut entries: Vec<(Timestamp, TrailEntry<'a>)> = Vec::new();
    entries.extend(incident.detected_at.map(|at| (at, TrailEntry::Detected)));
    entries.push((incident.opened_at, TrailEntry::Opened));
    entries.extend(asked(words, max));
    entries.extend(incident.engagements.iter().flat_map(|(role, engagement)| of_role(role, engagement)));
    entries.extend(incident.all_clear_at.map(|at| (at, TrailEntry::AllClear)));
    if let IncidentStatus::Resolved { by, at, .. } = &incident.status {
        entries.push((*at, TrailEntry::Resolved { by }));
    }
    entries
}

/// Who was asked for what last, once for each step, whatever the number of channels; in order.
fn asked<'a>(words: &BriefWords<'a>, max: usize) -> Vec<(Timestamp, TrailEntry<'a>)> {
    let last = words.incident().pages.calls().rev().take(max);
    let entry = |(at, role, person), pages| (at, TrailEntry::Asked { person, role, pages });
    let mut last: Vec<_> =
        last.map(|((at, role, person), pages)| entry((*at, role, person), pages.collect())).collect();
    last.reverse();
    last
}

fn of_role<'a>(role: &'a RoleName, engagement: &'a Engagement) -> impl Iterator<Item = (Timestamp, TrailEntry<'a>)> {
    let backs = engagement.handed_back.iter().flat_map(move |back| {
        [(back.taken_at, TrailEntry::Took { back, role }), (back.at, TrailEntry::HandedBack { back, role })]
    });
    // A role that is stood down is nobody's action.
    let ended = engagement.outcome.iter().filter(|outcome| !matches!(outcome, EngagementOutcome::StoodDown { .. }));
    backs.chain(ended.map(move |outcome| (outcome.at(), TrailEntry::Ended { outcome, role })))
}

fn sentence(words: &BriefWords<'_>, entry: &TrailEntry<'_>) -> String {
    let incident = words.incident();
    match entry {
        TrailEntry::Detected => format!("{} detected it", fit::clean(incident.alert.source.as_str(), 60)),
        TrailEntry::Opened => format!("the alarm was raised by trigger {}", fit::clean(incident.trigger.as_str(), 60)),
        TrailEntry::Asked { person, role, pages } => asked_by(words, person, role, pages),
        TrailEntry::Took { back, role } => match &back.of {
            None => format!("{} took {}", words.person(&back.person), words.role_name(role)),
            Some(of) => {
                format!("{} took {} as {}", words.person(&back.person), words.role_name(role), words.role_name(of))
            }
        },
        TrailEntry::HandedBack { back, role } => {
            format!("{} handed {} back", words.person(&back.person), words.role_name(back.of.as_ref().unwrap_or(role)))
        }
        TrailEntry::Ended { outcome, role } => match outcome {
            EngagementOutcome::Engaged { person, .. } => {
                format!("{} took {}", words.person(person), words.role_name(role))
            }
            EngagementOutcome::Covered { by, person, .. } => {
                format!("{} took {} as {}", words.person(person), words.role_name(role), words.role_name(by))
            }
            EngagementOutcome::Closed { .. } => format!("nobody had {} when it ended", words.role_name(role)),
            EngagementOutcome::StoodDown { .. } => format!("{} was not needed any more", words.role_name(role)),
        },
        TrailEntry::AllClear => "the monitor reported all clear".to_owned(),
        TrailEntry::Resolved { by: Actor::Person(person) } => format!("{} ended it", words.person(person)),
        TrailEntry::Resolved { by } => format!("{} ended it", fit::clean(&by.to_string(), 60)),
    }
}

/// A message that never left this machine, or that its channel did not take, asked nobody; and of one that was not sent
/// yet nobody knows whether it will leave. What stood in for its channel is in its receipt.
fn asked_by(words: &BriefWords<'_>, person: &PersonName, role: &RoleName, pages: &[&Page]) -> String {
    let is_one = words.is_one_other([person]);
    let is = if is_one { ("was", "is") } else { ("were", "are") };
    let some_asked = pages.iter().any(|page| page.may_be_read());
    let waits = pages.iter().any(|page| page.state == PageState::Queued);
    let failed = pages.iter().all(|page| page.stand_in().is_none() && page.reach().has_failed());
    let asked = match (some_asked, waits, failed) {
        (true, ..) => format!("{} asked", is.0),
        (false, true, _) => format!("{} being asked", is.1),
        (false, false, true) => "could not be asked".to_owned(),
        (false, false, false) => format!("{} to be asked", is.0),
    };
    let by: Vec<String> = pages.iter().map(|page| by_channel(page, some_asked)).collect();
    format!("{} {asked} for {} by {}", words.person(person), words.role_name(role), by.join(", "))
}

/// A channel, and what it did with the page if its person does not have it.
fn by_channel(page: &Page, some_asked: bool) -> String {
    let became = match (page.stand_in(), page.reach()) {
        // Its drill delivered it late.
        (Some(_), _) if page.has_left() => return page.channel.to_string(),
        (Some(stand_in), _) => stand_in.as_str(),
        (None, PageReach::Accepted) => return page.channel.to_string(),
        (None, PageReach::Waiting) if !some_asked => return page.channel.to_string(),
        (None, PageReach::Waiting) => "not sent yet",
        (None, PageReach::Unknown) => "perhaps sent",
        (None, PageReach::DeskClosed) => "not open",
        (None, PageReach::Refused) => "not accepted",
        (None, PageReach::NotArrived) => "did not arrive",
        (None, PageReach::Unsent) => "not sent",
    };
    format!("{} ({became})", page.channel)
}
