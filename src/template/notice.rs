//! Texts that ask for nothing: somebody has it, you are not needed, it is over, and the war room's card and lines.

use crate::{
    core::{
        IncidentStatus, PagePurpose, PersonName, Request, RequestOutcome, RoleName, Timestamp,
        display_names::IncidentNames,
        escalation::{OVER, STOPPED},
        event::Actor,
        printable::capitalised,
        role_words::asked_instead,
        sentence::ended_request,
    },
    template::{
        brief::{CODE, LINK, TextForm},
        fit, headline, room,
        words::BriefWords,
    },
};
use chrono::{NaiveTime, TimeDelta};

/// The lines of a notice; the first one can be read alone.
pub(super) fn lines(words: &BriefWords<'_>) -> Vec<String> {
    // A room's card says which messages were kept, so it is for people alone.
    let sandboxed = headline::sandboxed(words).filter(|_| words.brief.page.person.is_some());
    told(words).into_iter().chain(sandboxed).collect()
}

fn told(words: &BriefWords<'_>) -> Vec<String> {
    let repeated = if words.brief.page.maybe_repeated { " (may be a repeat)" } else { "" };
    let start = format!("{} {}{repeated}:", words.word(), words.incident().id);
    let exercise = if words.is_drill() { " (exercise)" } else { "" };
    match &words.brief.page.purpose {
        PagePurpose::Taken { by, covering_as } => {
            let told = format!("{start} {}{exercise}{}", taken(words, by, covering_as.as_ref()), about(words, "is"));
            std::iter::once(told).chain(still_open(words).filter(|_| words.reads(by))).collect()
        }
        PagePurpose::HandedBack { by, of } => {
            vec![format!("{start} {}{exercise}{}", handed_back(words, by, of), about(words, "is"))]
        }
        PagePurpose::StoodDown => vec![format!("{start} {}{exercise}{}", stood_down(words), about(words, "is"))],
        PagePurpose::Announced => vec![format!("{start} {}", announced(words))],
        PagePurpose::Resolved => vec![format!("{start} {}{exercise}{}", resolved(words), about(words, "was"))],
        PagePurpose::RoomCard => room::card(words, room::FIRST),
        PagePurpose::RoomUpdate { revision, .. } => room::card(words, *revision),
        PagePurpose::RoomSummary => room::summary(words),
        PagePurpose::RoomFurnish | PagePurpose::RoomInvite { .. } | PagePurpose::RoomArchive => {
            vec![room::topic(words)]
        }
        PagePurpose::RoomLine { line } | PagePurpose::RoomNote { line } => {
            vec![format!("{start} {}", local_times(words, &fit::clean(line, 300)))]
        }
        PagePurpose::Notice { about } => {
            let role = words.role().map(|role| format!(", {}", words.role_name(role))).unwrap_or_default();
            vec![format!("{start} {}{role}", about.name())]
        }
        PagePurpose::Brief { .. } => vec![format!("{start} {}", words.summary())],
    }
}

/// What it is about, for readers who have more than one and do not know the incident by its number.
fn about(words: &BriefWords<'_>, is: &str) -> String {
    format!(" It {is} about: {}", fit::ended(&fit::cut(&words.summary(), ABOUT_MAX)))
}

/// The longest outcome of a request in a notice, in characters.
const OUTCOME_MAX: usize = 200;

/// The longest summary in a notice, in characters.
const ABOUT_MAX: usize = 70;

/// A line of an event with its times, which are in UTC, as the rest of its room shows them.
fn local_times(words: &BriefWords<'_>, line: &str) -> String {
    let mut told = String::new();
    let mut rest = line;
    while let Some(end) = rest.find(UTC) {
        let start = end.checked_sub(CLOCK).filter(|start| rest.is_char_boundary(*start)).unwrap_or(end);
        let (before, clock) = (&rest[..start], &rest[start..end]);
        let shown = NaiveTime::parse_from_str(clock, "%H:%M:%S").ok().map(|clock| words.time(next(words, clock)));
        told.push_str(before);
        told.push_str(&shown.unwrap_or_else(|| format!("{clock}{UTC}")));
        rest = &rest[end + UTC.len()..];
    }
    told + rest
}

/// The first instant with this time of day in UTC that is not before the line was written.
fn next(words: &BriefWords<'_>, clock: NaiveTime) -> Timestamp {
    let born = words.brief.page.born_at;
    let wait = clock.signed_duration_since(born.to_utc().time());
    let wait = if wait < TimeDelta::zero() { wait + TimeDelta::days(1) } else { wait };
    born + wait.to_std().unwrap_or_default()
}

/// How the time of day ends in the line of an event.
const UTC: &str = " UTC";

/// The length of a time of day: `15:46:13`.
const CLOCK: usize = 8;

fn taken(words: &BriefWords<'_>, by: &PersonName, covering_as: Option<&RoleName>) -> String {
    let role = words.role().map_or_else(|| "this".to_owned(), |role| words.role_name(role));
    let name = words.person(by);
    match (words.reads(by), covering_as.map(|role| words.role_name(role))) {
        (true, None) => format!("You have it. Your role is {}.", role.to_uppercase()),
        (true, Some(own)) => format!("You have it. As {own} you cover {role}."),
        (false, None) => format!("{name} has it for {role}; you are released."),
        (false, Some(own)) => format!("{name} ({own}) covers {role}; you are released."),
    }
}

/// How the reader of a "you have it" message can hand the role back; `None` for every other text.
pub(super) fn how_to_hand_back(words: &BriefWords<'_>, form: TextForm) -> Option<String> {
    words.incident().hands_back(words.brief.page)?;
    match form {
        TextForm::Sms => Some(format!("Reply {CODE} 4 to hand it back.")),
        TextForm::Mail => Some(format!("To hand it back: {LINK}")),
        TextForm::Slack => Some("To hand it back, use the button below.".to_owned()),
        TextForm::Screen => Some("To hand it back, use its button on this page.".to_owned()),
        TextForm::Board => Some("To hand it back, use your desk page.".to_owned()),
        // Nobody gets a call to say that they have it.
        TextForm::Voice => None,
    }
}

fn handed_back(words: &BriefWords<'_>, by: &PersonName, of: &RoleName) -> String {
    let about = words.role().map_or_else(|| "it".to_owned(), |role| words.role_name(role));
    let back = words.incident().engagements.get(of).and_then(|e| e.handed_back.last());
    let what = back.map_or_else(
        || format!(" handed {} back", words.role_name(of)),
        |back| {
            format!(
                " took {} at {} and handed it back at {}",
                words.role_name(of),
                words.time(back.taken_at),
                words.time(back.at)
            )
        },
    );
    let who = capitalised(&words.person(by));
    let asked = asked_now(words);
    format!("{who}{what}. {about} is open again. {asked}")
}

/// Who is now asked for the role of the page, for a person who was told that nobody is needed.
fn asked_now(words: &BriefWords<'_>) -> String {
    let Some(engagement) = words.engagement() else { return "Nothing is asked of you now.".to_owned() };
    if engagement.on_call.iter().any(|person| words.reads(person)) && engagement.waits_on.is_none() {
        return "You are asked again: look at your page.".to_owned();
    }
    let asked = match &engagement.waits_on {
        Some(next) => format!("{}.", capitalised(&asked_instead(words.incident(), next, words))),
        None if engagement.on_call.is_empty() => "Nobody is on call for it now.".to_owned(),
        None if words.is_one_other(&engagement.on_call) => {
            format!("{} is asked now.", words.people(&engagement.on_call))
        }
        None => format!("{} are asked now.", words.people(&engagement.on_call)),
    };
    format!("{asked} You can still take it: answer the page that you were sent for it.")
}

fn still_open(words: &BriefWords<'_>) -> Option<String> {
    let open: Vec<String> = words
        .incident()
        .open_roles()
        .filter(|role| words.role() != Some(role))
        .map(|role| words.role_name(role))
        .collect();
    (!open.is_empty()).then(|| format!("Nobody has it yet for: {}.", open.join(", ")))
}

fn stood_down(words: &BriefWords<'_>) -> String {
    let role = words.role().map_or_else(|| "this role".to_owned(), |role| words.role_name(role));
    let behind = words.engagement().into_iter().flat_map(|e| &e.stands_for);
    let has = |r: &RoleName| Some(words.has(words.incident().engagements.get(r)?.holder()?, &words.role_name(r)));
    let has: Vec<String> = behind.filter_map(has).collect();
    let because = if has.is_empty() { String::new() } else { format!("{}; ", has.join(", ")) };
    format!("{because}you are not needed as {role} any more.")
}

fn announced(words: &BriefWords<'_>) -> String {
    let until = words.incident().drill_ends_at();
    let until = until.map_or_else(String::new, |at| format!(" until {}", words.time(at)));
    let summary = words.summary();
    format!("an exercise begins{until}: {summary}. Whatever says DRILL is part of it. Nothing is asked of you yet.")
}

fn resolved(words: &BriefWords<'_>) -> String {
    let incident = words.incident();
    // That a user has left is why their conversation is over.
    let has_left = |request: &Request| {
        request.handoff.is_some() && matches!(request.outcome(), Some(RequestOutcome::Cancelled { .. }))
    };
    let request = incident.request.as_deref().filter(|request| !has_left(request));
    let outcome = request.and_then(Request::outcome);
    let is_stopped = matches!(&incident.status, IncidentStatus::Resolved { by: Actor::Crisis(_), .. });
    if let Some(outcome) = outcome.filter(|_| !is_stopped) {
        let over = if words.is_drill() { OVER } else { "it is over" };
        let names = IncidentNames { plan: &incident.plan, people: words.brief.names };
        let outcome = fit::clean(&ended_request(outcome, &names), OUTCOME_MAX);
        return format!("{over}: {outcome}. Nothing more is asked of you.");
    }
    match &words.incident().status {
        IncidentStatus::Resolved { by: Actor::Crisis(_), .. } => {
            format!("{STOPPED}. Nothing more is asked of you here.")
        }
        IncidentStatus::Resolved { by: Actor::Clock, at, .. } => {
            format!("{OVER}: it ended at {}. Nothing more is asked of you.", words.time(*at))
        }
        IncidentStatus::Resolved { by, why, at } => {
            let by = match by {
                Actor::Person(person) => words.person(person),
                Actor::Source(_) | Actor::Operator(_) | Actor::Clock | Actor::Deadline | Actor::Crisis(_) => {
                    fit::clean(&by.to_string(), 60)
                }
            };
            let why = why.as_ref().map_or_else(String::new, |why| format!(" ({})", fit::clean(why, 200)));
            let (over, ended) = if words.is_drill() { (OVER, "ended") } else { ("it is over", "resolved") };
            format!("{over}: {by} {ended} it at {}{why}. Nothing more is asked of you.", words.time(*at))
        }
        IncidentStatus::Open => "it is over. Nothing more is asked of you.".to_owned(),
    }
}
