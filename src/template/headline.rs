//! The first line of every brief, which is made here and not by a template: drill or live, what happened, what is asked
//! of whom by when, what happens otherwise. Also the notes below it that no template may omit.

use crate::{
    core::{
        Engagement, EngagementOutcome, HandBack, IncidentStatus, Page, PagePurpose, PageState, PersonName, RoleName,
        printable::capitalised,
    },
    template::{
        ask,
        brief::{FOLLOWING_MIN, TextForm},
        fit,
        words::{BriefWords, listed},
    },
};
use std::collections::BTreeSet;

/// The subject of a mail: the same for all pages of an incident, so that mail readers group them.
pub(super) fn subject(words: &BriefWords<'_>) -> String {
    fit::cut(&format!("{} {}: {}", words.word(), words.incident().id, words.summary()), fit::SUBJECT_MAX)
}

/// The first line of a brief.
pub(super) fn first_line(words: &BriefWords<'_>, form: TextForm) -> String {
    let repeated = if words.brief.page.maybe_repeated { " (may be a repeat)" } else { "" };
    if let Some(outcome) = words.engagement().and_then(|engagement| engagement.outcome.as_ref()) {
        let (word, id, summary) = (words.word(), words.incident().id, words.summary());
        let exercise = if words.is_drill() { " (exercise)" } else { "" };
        let (role, why) = (words.role_title(), no_more(words, outcome));
        let line = format!("{word} {id}{repeated}: {} {role}: {why}{exercise}.", fit::ended(&summary));
        return fit::cut(&line, fit::HEADLINE_MAX);
    }
    let start = format!("{} {}{repeated}: {}", words.word(), words.incident().id, fit::ended(&words.summary()));
    let line = format!("{start} {}", ask::sentence(words, form, true));
    // By when and what otherwise are never cut: the labels of many options stand below.
    let line = match words.asked() {
        Some(_) if fit::HEADLINE_MAX < line.chars().count() => {
            format!("{start} {}", ask::sentence(words, form, false))
        }
        _ => line,
    };
    fit::cut(&line, fit::HEADLINE_MAX)
}

/// Why nothing is asked any more, for a reader who was briefed earlier.
fn no_more(words: &BriefWords<'_>, outcome: &EngagementOutcome) -> String {
    if let IncidentStatus::Resolved { at, .. } = &words.incident().status {
        return format!("it is over since {}", words.time(*at));
    }
    let has = |person: &PersonName| words.has(person, "it");
    match outcome {
        EngagementOutcome::Engaged { person, at } => format!("{} since {}", has(person), words.time(*at)),
        EngagementOutcome::Covered { by, person, at } => {
            format!("{} as {} since {}", has(person), words.role_name(by), words.time(*at))
        }
        EngagementOutcome::StoodDown { at } => format!("not needed any more since {}", words.time(*at)),
        EngagementOutcome::Closed { at } => format!("it is over since {}", words.time(*at)),
    }
}

/// The notes below the first line of every brief, if any: who did not answer, which reminder this is, whether the
/// monitor still reports.
pub(super) fn notes(words: &BriefWords<'_>) -> Vec<String> {
    let mut notes: Vec<String> = sandboxed(words).into_iter().collect();
    notes.extend(handed_back(words));
    notes.extend(unanswered(words));
    notes.extend(reminder(words));
    notes.extend(following(words).map(|note| format!("{note} {ALONE}")));
    let incident = words.incident();
    let open = words.engagement().filter(|e| e.is_open());
    // Who then said that they can not has not merely received it.
    let received: Vec<&PersonName> = open.map(|e| e.received.difference(&e.unable).collect()).unwrap_or_default();
    if !received.is_empty() {
        let have = if words.is_one_other(received.iter().copied()) { "has" } else { "have" };
        let people = capitalised(&words.people(received));
        notes.push(format!("{people} received it and {have} not taken it."));
    }
    if let Some(at) = incident.all_clear_at {
        notes.push(format!("The monitor reported all clear at {}; a human must still close it.", words.time(at)));
    }
    if let Some(at) = incident.silent_since {
        notes.push(format!("The monitor has been silent since {}: its values are old.", words.time(at)));
    }
    notes.into_iter().map(|note| fit::guard(&note, words.is_drill())).collect()
}

/// Which channels send nothing, for every text of an incident that uses them.
pub(super) fn sandboxed(words: &BriefWords<'_>) -> Option<String> {
    let names: Vec<String> = words.brief.sandboxed.iter().map(ToString::to_string).collect();
    let verb = if names.len() == 1 { "is" } else { "are" };
    (!names.is_empty()).then(|| format!("SANDBOX: {} {verb} not sent from this machine.", listed(&names)))
}

/// The last messages that asked this person for a role before the step that the reader's page is of: what goes out with
/// that page says nothing about them yet.
fn asked_last<'a>(
    words: &BriefWords<'a>,
    role: &'a RoleName,
    person: &'a PersonName,
) -> impl Iterator<Item = &'a Page> {
    words.incident().pages.last_call_before(role, person, own_step(words, role))
}

/// The step that the reader's page is of, where it is one of this role: each counts its own.
fn own_step(words: &BriefWords<'_>, role: &RoleName) -> u32 {
    if words.role() == Some(role) { words.brief.page.step_entry } else { u32::MAX }
}

/// Whether the last messages that asked this person for a role were kept in the sandbox: then nobody asked them.
fn is_unsent(words: &BriefWords<'_>, role: &RoleName, person: &PersonName) -> bool {
    let mut last = asked_last(words, role, person).filter(|page| page.state == PageState::Accepted).peekable();
    words.incident().pages.is_sandboxed() && last.peek().is_some() && last.all(Page::is_sandboxed)
}

/// Whether no message that asked this person for a role got through since it is open: the last ones did not, or were not
/// sent, and none of before may have. One that is under way may yet.
fn is_unreached(words: &BriefWords<'_>, role: &RoleName, person: &PersonName) -> bool {
    let incident = words.incident();
    let mut last = asked_last(words, role, person).peekable();
    let since = incident.engagements.get(role).map_or(incident.opened_at, Engagement::open_since);
    let did_not = |page: &Page| page.reach().has_failed() || page.state == PageState::Unsent;
    last.peek().is_some()
        && last.all(did_not)
        && !incident.pages.may_have_reached(role, person, since, own_step(words, role))
}

/// `No answer from Ana Ruiz (trader) since 15:46:13 CET`, and to whom no message got through or was sent at all.
fn silent(words: &BriefWords<'_>, role: &RoleName, people: &[&PersonName], named: &str, since: &str) -> String {
    let (unreached, reached): (Vec<_>, Vec<_>) =
        people.iter().copied().partition(|person| is_unreached(words, role, person));
    if unreached.is_empty() {
        return without_answer(words, role, &reached, named, since);
    }
    let of_unreached = words.people(unreached.iter().copied());
    if reached.is_empty() {
        return format!("No message to {of_unreached}{named} got through");
    }
    let others = without_answer(words, role, &reached, named, since);
    format!("{others}; no message to {of_unreached} got through")
}

fn without_answer(words: &BriefWords<'_>, role: &RoleName, people: &[&PersonName], named: &str, since: &str) -> String {
    let (unsent, asked): (Vec<_>, Vec<_>) = people.iter().copied().partition(|person| is_unsent(words, role, person));
    let (of_unsent, of_asked) = (words.people(unsent.iter().copied()), words.people(asked.iter().copied()));
    match (asked.is_empty(), unsent.is_empty()) {
        (_, true) => format!("No answer from {of_asked}{named} since {since}"),
        (true, false) => format!("SANDBOX: the message to {of_unsent}{named} was not sent (sandbox)"),
        (false, false) => format!(
            "No answer from {of_asked}{named} since {since}; SANDBOX: the message to {of_unsent} was not sent (sandbox)"
        ),
    }
}

/// What an answer does where many more briefs wait.
pub(super) const ALONE: &str = "An answer is about this one alone.";

/// How many more briefs of the same trigger wait at this moment to be sent to its reader by the same channel; `None` where
/// it is a few. While a flood goes on the next page may say more, or less: so it says when that is.
pub(super) fn following(words: &BriefWords<'_>) -> Option<String> {
    let count = words.brief.following;
    (FOLLOWING_MIN <= count)
        .then(|| format!("{count} more messages wait to be sent now, of {}.", words.incident().trigger))
}

/// Who was asked before and has not answered, and since when.
pub(super) fn unanswered(words: &BriefWords<'_>) -> Vec<String> {
    let Some(engagement) = words.engagement().filter(|e| e.is_open()) else { return Vec::new() };
    let others = engagement.stands_for.iter().filter_map(|role| stood_for(words, role));
    let mut notes: Vec<String> = others.filter_map(|(role, other)| in_place_of(words, role, other)).collect();
    let before = asked_before(words, engagement);
    if !before.is_empty() {
        let since = words.time(engagement.open_since());
        let before: Vec<&PersonName> = before.into_iter().collect();
        notes.extend(words.role().map(|role| format!("{}.", silent(words, role, &before, "", &since))));
    }
    notes
}

/// The people who got briefs about a role.
pub(super) fn asked_for<'a>(words: &BriefWords<'a>, role: &'a RoleName) -> BTreeSet<&'a PersonName> {
    words.incident().pages.asked_for(role).collect()
}

/// Who last had the reader's role, or one that it stands in for, and handed it back: the people who are asked must know
/// this.
pub(super) fn handed_back(words: &BriefWords<'_>) -> Vec<String> {
    let Some(own) = words.engagement().filter(|e| e.is_open()) else { return Vec::new() };
    let others = own.stands_for.iter().filter_map(|role| stood_for(words, role));
    let backs = std::iter::once((None, own)).chain(others.map(|(role, other)| (Some(role), other)));
    backs.filter_map(|(other, engagement)| took_and_gave(words, other, engagement.handed_back.last()?)).collect()
}

fn took_and_gave(words: &BriefWords<'_>, other: Option<&RoleName>, back: &HandBack) -> Option<String> {
    // A role that the reader's own role covered was opened again together with it; the text already says that.
    if other.is_some() && back.of.as_ref() == words.role() {
        return None;
    }
    let who = capitalised(&words.person(&back.person));
    let what = back.of.as_ref().or(other).map_or_else(|| "it".to_owned(), |role| words.role_name(role));
    let (taken, at) = (words.time(back.taken_at), words.time(back.at));
    Some(format!("{who} took {what} at {taken} and handed it back at {at}."))
}

/// A role that waits for the reader's role.
fn stood_for<'a>(words: &BriefWords<'a>, role: &'a RoleName) -> Option<(&'a RoleName, &'a Engagement)> {
    words.incident().engagements.get(role).filter(|e| e.is_open()).map(|engagement| (role, engagement))
}

fn in_place_of(words: &BriefWords<'_>, role: &RoleName, engagement: &Engagement) -> Option<String> {
    let since = engagement.open_since();
    let asked = words.incident().pages.asked_since(role, since);
    // Who says that they received it has answered, though nobody has it by that.
    let (received, asked): (BTreeSet<&PersonName>, BTreeSet<&PersonName>) = asked
        .filter(|person| !engagement.unable.contains(*person))
        .partition(|person| engagement.received.contains(*person));
    let asked_in_vain = asked;
    if asked_in_vain.is_empty() && received.is_empty() && !engagement.handed_back.is_empty() {
        return None;
    }
    let since = words.time(since);
    let id = role;
    let role = words.role_name(role);
    let own = words.role().map_or_else(|| "this".to_owned(), |role| words.role_name(role));
    let others: Vec<&PersonName> = asked_in_vain.iter().copied().filter(|person| !words.reads(person)).collect();
    let unable: Vec<&PersonName> = engagement.unable.iter().filter(|person| !words.reads(person)).collect();
    // Nobody stands in for themselves: a reader who was asked before is told what is asked now.
    Some(if !others.is_empty() {
        format!("{}: you stand in.", silent(words, id, &others, &format!(" ({role})"), &since))
    } else if asked_in_vain.iter().any(|person| is_unsent(words, id, person)) {
        format!("SANDBOX: the message that asks you for {role} was not sent (sandbox). You are asked for {own} now.")
    } else if asked_in_vain.iter().any(|person| is_unreached(words, id, person)) {
        format!("No message that asks you for {role} got through. You are asked for {own} now.")
    } else if !asked_in_vain.is_empty() {
        format!("You were asked for {role}, without an answer since {since}. You are asked for {own} now.")
    } else if received.iter().any(|person| words.reads(person)) {
        format!("You received {role} and have not taken it. You are asked for {own} now.")
    } else if !received.is_empty() {
        let have = if words.is_one_other(received.iter().copied()) { "has" } else { "have" };
        let people = capitalised(&words.people(received.iter().copied()));
        format!("{people} ({role}) received it and {have} not taken it: you stand in.")
    } else if !unable.is_empty() {
        format!("{} ({role}) can not take it: you stand in.", capitalised(&words.people(unable)))
    } else if !engagement.unable.is_empty() {
        format!("You passed {role} on, and nobody else has it. You are asked for {own} now.")
    } else {
        format!("Nobody could be reached for {role} since {since}: you stand in.")
    })
}

fn asked_before<'a>(words: &BriefWords<'a>, engagement: &Engagement) -> BTreeSet<&'a PersonName> {
    let (Some(role), page) = (words.role(), words.brief.page) else { return BTreeSet::new() };
    let since = engagement.open_since();
    let silent = words.incident().pages.asked_before(role, page.step_entry, since).into_iter();
    let has_spoken = |person: &PersonName| engagement.unable.contains(person) || engagement.received.contains(person);
    silent.filter(|person| !words.reads(person) && !has_spoken(person)).collect()
}

/// How often the step of a brief was paged before; `None` if it is asked because somebody has just handed the role
/// back.
pub(super) fn round(words: &BriefWords<'_>) -> Option<u32> {
    let PagePurpose::Brief { round } = words.brief.page.purpose else { return None };
    if words.engagement().is_some_and(|e| !e.is_open()) {
        return None;
    }
    let handed_back = words.engagement().and_then(|e| e.handed_back.last());
    handed_back.is_none_or(|back| back.at != words.brief.page.born_at).then_some(round)
}

fn reminder(words: &BriefWords<'_>) -> Option<String> {
    let round = round(words)?;
    let alerts = words.incident().alerts;
    if round == 0 {
        return (1 < alerts).then(|| format!("{alerts} alerts so far."));
    }
    let since = words.time(words.engagement().map_or(words.incident().opened_at, Engagement::open_since));
    let role = words.role().map_or_else(|| "this".to_owned(), |role| words.role_name(role));
    let alerts = if alerts == 1 { "1 alert".to_owned() } else { format!("{alerts} alerts") };
    let has_spoken = words.engagement().is_some_and(|e| !e.unable.is_empty() || !e.received.is_empty());
    let open = if has_spoken { "nobody has taken" } else { "no answer for" };
    Some(format!("Reminder {round}: {open} {role} since {since}; {alerts} so far, values as of the last."))
}
