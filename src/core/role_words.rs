//! Who has a role, or who is asked for it, in a few words. Desks, mails, chats, tables and reports all say it so.

use super::{
    display_names::DisplayNames,
    engagement::{Engagement, EngagementOutcome},
    incident::Incident,
    names::{PersonName, RoleName},
};

/// The largest number of names in a sentence; the others are counted.
const NAMED_MAX: usize = 3;

/// The names in a text for one reader.
pub trait RoleReader {
    /// A role as the reader calls it.
    fn role(&self, role: &RoleName) -> String;

    /// A person as the reader calls them: "you" for the reader.
    fn person(&self, person: &PersonName) -> String;

    /// Whether this person is the reader.
    fn is_reader(&self, person: &PersonName) -> bool;
}

/// Whoever reads it: a text for everybody has no reader of its own.
pub struct NamedReader<'a> {
    /// The names that people read.
    pub names: &'a dyn DisplayNames,
    /// The one who reads it, if it is one person.
    pub reader: Option<&'a PersonName>,
}

impl RoleReader for NamedReader<'_> {
    fn role(&self, role: &RoleName) -> String {
        self.names.role(role).to_owned()
    }

    fn person(&self, person: &PersonName) -> String {
        if self.is_reader(person) { "you".to_owned() } else { self.names.person(person).to_owned() }
    }

    fn is_reader(&self, person: &PersonName) -> bool {
        self.reader == Some(person)
    }
}

/// Who has a role of this incident, or else who is asked for it: `Bo Lind has it`, `nobody answered; Gita Rao is asked
/// instead, as Head of desk`. In the past tense once the incident is over.
pub fn who_has(incident: &Incident, engagement: &Engagement, reader: &dyn RoleReader) -> String {
    let has = |person: &PersonName| match (incident.is_open(), reader.is_reader(person)) {
        (true, true) => "you have it".to_owned(),
        (true, false) => format!("{} has it", reader.person(person)),
        (false, _) => format!("{} had it", reader.person(person)),
    };
    match &engagement.outcome {
        Some(EngagementOutcome::Engaged { person, .. }) => has(person),
        Some(EngagementOutcome::Covered { by, person, .. }) => format!("{} as {}", has(person), reader.role(by)),
        Some(EngagementOutcome::StoodDown { .. }) => "not needed any more".to_owned(),
        Some(EngagementOutcome::Closed { .. }) => silence(engagement, reader),
        None => who_is_asked(incident, engagement, reader),
    }
}

fn who_is_asked(incident: &Incident, engagement: &Engagement, reader: &dyn RoleReader) -> String {
    if let Some(next) = &engagement.waits_on {
        return format!("{}; {}", silence(engagement, reader), asked_instead(incident, next, reader));
    }
    let is_silent = engagement.exhausted || !engagement.handed_back.is_empty();
    let before = if is_silent { format!("{}; ", silence(engagement, reader)) } else { String::new() };
    let again = if engagement.exhausted { " again" } else { "" };
    match asked_people(engagement, reader) {
        Some((names, verb)) => format!("{before}{names} {verb} asked{again}"),
        None => format!("{before}nobody is on call"),
    }
}

/// Why nobody has it. Who says "received" or "I can not" has answered.
fn silence(engagement: &Engagement, reader: &dyn RoleReader) -> String {
    let is_heard = !engagement.unable.is_empty() || !engagement.received.is_empty();
    match engagement.handed_back.last() {
        Some(back) => format!("{} handed it back", reader.person(&back.person)),
        None if is_heard => "nobody took it".to_owned(),
        None => "nobody answered".to_owned(),
    }
}

/// Who is asked in the place of a role that waits on `next`: `Gita Rao is asked instead, as Head of desk`.
pub fn asked_instead(incident: &Incident, next: &RoleName, reader: &dyn RoleReader) -> String {
    let asked = incident.asked_for(next);
    let people = incident.engagements.get(asked).and_then(|engagement| asked_people(engagement, reader));
    match people {
        Some((names, verb)) => format!("{names} {verb} asked instead, as {}", reader.role(asked)),
        None => format!("{} is asked instead, but nobody is on call for it", reader.role(asked)),
    }
}

/// Who is asked for a role now, the reader first, and the verb that follows; `None` if nobody is.
pub fn asked_people(engagement: &Engagement, reader: &dyn RoleReader) -> Option<(String, &'static str)> {
    let mut people: Vec<&PersonName> = engagement.on_call.iter().collect();
    // Who passed it on is not asked any more, as long as somebody else is.
    if people.iter().any(|person| !engagement.unable.contains(*person)) {
        people.retain(|person| !engagement.unable.contains(*person));
    }
    people.sort_by_key(|person| !reader.is_reader(person));
    let is_one_other = matches!(people.as_slice(), [one] if !reader.is_reader(one));
    let mut names: Vec<String> = people.iter().take(NAMED_MAX).map(|person| reader.person(person)).collect();
    if let more @ 1.. = people.len().saturating_sub(NAMED_MAX) {
        names.push(format!("{more} more"));
    }
    let last = names.pop()?;
    let listed = if names.is_empty() { last } else { format!("{} and {last}", names.join(", ")) };
    Some((listed, if is_one_other { "is" } else { "are" }))
}
