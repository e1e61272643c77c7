//! The first line of every brief, which is made here and not by a template: drill or live, what happened, what is asked
//! of whom by when, what happens otherwise, how to answer. Also the notes below it that no template may omit.

use crate::{
    core::{
        AnswerLevel, Engagement, EngagementOutcome, HandBack, IncidentStatus, PagePurpose, PersonName, RoleName,
        plan::StepTarget,
    },
    template::{
        brief::TextForm,
        fit,
        words::{BriefWords, listed, role_name},
    },
};
use std::collections::BTreeSet;

/// The text by which a drill identifies itself.
pub(super) const EXERCISE: &str = "This is an exercise: answer as if it were real.";

/// The subject of a mail: the same for all pages of an incident, so that mail readers group them.
pub(super) fn subject(words: &BriefWords<'_>) -> String {
    fit::cut(&format!("{} {}: {}", words.word(), words.incident().id, words.summary()), fit::SUBJECT_MAX)
}

/// The first line of a brief.
pub(super) fn first_line(words: &BriefWords<'_>, form: TextForm) -> String {
    let repeated = if words.brief.page.maybe_repeated { " (may be a repeat)" } else { "" };
    let exercise = if words.is_drill() { format!(" {EXERCISE}") } else { String::new() };
    if let Some(outcome) = words.engagement().and_then(|engagement| engagement.outcome.as_ref()) {
        let (word, id, summary) = (words.word(), words.incident().id, words.summary());
        let exercise = if words.is_drill() { " (exercise)" } else { "" };
        let (role, why) = (words.role_title(), no_more(words, outcome));
        let line = format!("{word} {id}{repeated}: {summary}. {role}: {why}{exercise}.");
        return fit::cut(&line, fit::HEADLINE_MAX);
    }
    let line = format!(
        "{} {}{repeated}: {}. {}: answer {}{}.{exercise} {}",
        words.word(),
        words.incident().id,
        words.summary(),
        words.role_title(),
        wanted(words),
        by_when(words),
        how(form),
    );
    fit::cut(&line, fit::HEADLINE_MAX)
}

/// Why nothing is asked any more, for a reader who was briefed earlier.
fn no_more(words: &BriefWords<'_>, outcome: &EngagementOutcome) -> String {
    if let IncidentStatus::Resolved { at, .. } = &words.incident().status {
        return format!("it is over since {}", words.time(*at));
    }
    let has = |person: &PersonName| match words.reads(person) {
        true => "you have it".to_owned(),
        false => format!("{} has it", words.person(person)),
    };
    match outcome {
        EngagementOutcome::Engaged { person, at } => format!("{} since {}", has(person), words.time(*at)),
        EngagementOutcome::Covered { by, person, at } => {
            format!("{} as {} since {}", has(person), role_name(by), words.time(*at))
        }
        EngagementOutcome::StoodDown { at } => format!("not needed any more since {}", words.time(*at)),
        EngagementOutcome::Closed { at } => format!("it is over since {}", words.time(*at)),
    }
}

/// The answer level that the role requires.
pub(super) fn level(words: &BriefWords<'_>) -> AnswerLevel {
    words.row().map_or(AnswerLevel::Wilco, |row| row.engaged_by)
}

/// What happens if nobody answers: a clause without a full stop. `None` once nobody waits for the role any more.
pub(super) fn otherwise(words: &BriefWords<'_>) -> Option<String> {
    let engagement = words.engagement().filter(|e| e.is_open())?;
    let row = words.row()?;
    if let Some(next) = &engagement.waits_on {
        return Some(format!("{} is being asked too", role_name(words.incident().asked_for(next))));
    }
    let step_plan = row.steps.get(engagement.step);
    if engagement.exhausted || step_plan.is_some_and(|step_plan| engagement.round < step_plan.repeat) {
        return Some("you are paged again".to_owned());
    }
    if let Some(step) = row.steps.get(engagement.step + 1) {
        return Some(paged_next(words, &step.page));
    }
    Some(match next_of(words, engagement, row.next.as_ref()) {
        Some(next) => format!("{} takes over", role_name(&next)),
        None => "you are paged again until somebody answers".to_owned(),
    })
}

/// The notes below the first line of every brief, if any: who did not answer, which reminder this is, whether the
/// monitor still reports.
pub(super) fn notes(words: &BriefWords<'_>) -> Vec<String> {
    let mut notes = handed_back(words);
    notes.extend(unanswered(words));
    notes.extend(reminder(words));
    let incident = words.incident();
    let open = words.engagement().filter(|e| e.is_open());
    if let Some(received) = open.map(|e| &e.received).filter(|received| !received.is_empty()) {
        notes.push(format!("{} received it and has not taken it.", words.people(received)));
    }
    if let Some(at) = incident.all_clear_at {
        notes.push(format!("The monitor reported all clear at {}; a human must still close it.", words.time(at)));
    }
    if let Some(at) = incident.silent_since {
        notes.push(format!("The monitor has been silent since {}: its values are old.", words.time(at)));
    }
    notes.into_iter().map(|note| fit::guard(&note, words.is_drill())).collect()
}

/// Who was asked before and has not answered, and since when.
pub(super) fn unanswered(words: &BriefWords<'_>) -> Vec<String> {
    let Some(engagement) = words.engagement().filter(|e| e.is_open()) else { return Vec::new() };
    let others = engagement.stands_for.iter().filter_map(|role| stood_for(words, role));
    let mut notes: Vec<String> = others.filter_map(|(role, other)| in_place_of(words, role, other)).collect();
    let before = asked_before(words, engagement);
    if !before.is_empty() {
        let since = words.time(engagement.open_since());
        notes.push(format!("No answer from {} since {since}.", words.people(before)));
    }
    notes
}

/// The people who got briefs about a role.
pub(super) fn asked_for<'a>(words: &BriefWords<'a>, role: &'a RoleName) -> BTreeSet<&'a PersonName> {
    words.incident().briefs_of(role).filter_map(|page| page.person.as_ref()).collect()
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
    let who = if words.reads(&back.person) { "You".to_owned() } else { words.person(&back.person) };
    let what = back.of.as_ref().or(other).map_or_else(|| "it".to_owned(), role_name);
    let (taken, at) = (words.time(back.taken_at), words.time(back.at));
    Some(format!("{who} took {what} at {taken} and handed it back at {at}."))
}

/// A role that waits for the reader's role.
fn stood_for<'a>(words: &BriefWords<'a>, role: &'a RoleName) -> Option<(&'a RoleName, &'a Engagement)> {
    words.incident().engagements.get(role).filter(|e| e.is_open()).map(|engagement| (role, engagement))
}

fn in_place_of(words: &BriefWords<'_>, role: &RoleName, engagement: &Engagement) -> Option<String> {
    let since = engagement.open_since();
    let asked = words.incident().briefs_of(role).filter(|page| since <= page.born_at);
    let asked = asked.filter_map(|page| page.person.as_ref());
    let silent: BTreeSet<&PersonName> = asked.filter(|person| !engagement.unable.contains(*person)).collect();
    if silent.is_empty() && !engagement.handed_back.is_empty() {
        return None;
    }
    let since = words.time(since);
    let role = role_name(role);
    Some(match (silent.is_empty(), engagement.unable.is_empty()) {
        (true, true) => format!("Nobody could be reached for {role} since {since}: you stand in."),
        (true, false) => {
            format!("{} ({role}) can not take it: you stand in.", words.people(&engagement.unable))
        }
        (false, _) => {
            format!("No answer from {} ({role}) since {since}: you stand in.", words.people(silent))
        }
    })
}

fn asked_before<'a>(words: &BriefWords<'a>, engagement: &Engagement) -> BTreeSet<&'a PersonName> {
    let (Some(role), page) = (words.role(), words.brief.page) else { return BTreeSet::new() };
    let since = engagement.open_since();
    let earlier =
        words.incident().briefs_of(role).filter(|other| other.step_entry < page.step_entry && since <= other.born_at);
    let silent = earlier.filter_map(|other| other.person.as_ref());
    silent.filter(|person| !words.reads(person) && !engagement.unable.contains(*person)).collect()
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
    let role = words.role().map_or_else(|| "this".to_owned(), role_name);
    let alerts = if alerts == 1 { "1 alert".to_owned() } else { format!("{alerts} alerts") };
    Some(format!("Reminder {round}: no answer for {role} since {since}; {alerts} so far, values as of the last."))
}

/// `WILCO ("I have it")`; a drill asks for different words.
pub(super) fn wanted(words: &BriefWords<'_>) -> String {
    let level = level(words);
    format!("{} (\"{}\")", level.to_string().to_uppercase(), level.words(words.is_drill()))
}

fn by_when(words: &BriefWords<'_>) -> String {
    let due = words.engagement().filter(|e| e.is_open()).and_then(|e| e.deadline);
    match (due, otherwise(words)) {
        (Some(due), Some(otherwise)) => format!(" by {}, else {otherwise}", words.time(due)),
        (Some(due), None) => format!(" by {}", words.time(due)),
        (None, Some(otherwise)) => format!(" now; {otherwise}"),
        (None, None) => " now".to_owned(),
    }
}

fn how(form: TextForm) -> &'static str {
    match form {
        TextForm::Screen => "Use the buttons on this page.",
        TextForm::Slack => "Use the buttons below.",
        TextForm::Sms => "Reply with the code.",
        TextForm::Mail => "Use the link in this mail.",
        TextForm::Board => "Use the link below.",
        TextForm::Voice => "Press a key.",
    }
}

fn paged_next(words: &BriefWords<'_>, page: &[StepTarget]) -> String {
    if let [StepTarget::Person(person)] = page
        && words.reads(person)
    {
        return "you are paged again".to_owned();
    }
    let names: Vec<String> = page
        .iter()
        .map(|whom| match whom {
            StepTarget::Person(person) => words.person(person),
            StepTarget::Rotation(rotation) => format!("{} on call", fit::clean(rotation.as_str(), 24)),
        })
        .collect();
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!("{} {verb} paged", listed(&names))
}

/// The role that takes over. A role that already waits for this one would wait for nobody, so the ladder repeats.
fn next_of(words: &BriefWords<'_>, engagement: &Engagement, next: Option<&RoleName>) -> Option<RoleName> {
    let catch_all = RoleName::catch_all();
    let plan = &words.incident().plan;
    let last = (words.role() != Some(&catch_all) && plan.roles.contains_key(&catch_all)).then_some(&catch_all);
    let next = next.or(last)?;
    (!engagement.stands_for.contains(next)).then(|| next.clone())
}
