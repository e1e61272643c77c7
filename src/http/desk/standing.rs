//! The state of a role as a text for one of the people who were asked, and how to hand it back.

use crate::{
    core::{
        Actor, AnswerVerdict, AskKind, AskOption, Engagement, EngagementOutcome, Incident, IncidentStatus, PersonName,
        Request, RoleName, Timestamp,
        display_names::IncidentNames,
        form::FILL_IN,
        request_words::chosen_so_far,
        role_words::{NamedReader, asked_instead, asked_people, who_has},
        sentence::{ended_request, judged},
    },
    engine::RuntimeConfig,
    matrix::Person,
};

/// One role of an incident, from the point of view of one person.
#[derive(Clone, Copy)]
pub struct RoleStanding<'a> {
    live: &'a RuntimeConfig,
    incident: &'a Incident,
    role: &'a RoleName,
    engagement: &'a Engagement,
    person: &'a PersonName,
}

impl<'a> RoleStanding<'a> {
    /// The standing of a role; `None` if the incident has no such role.
    pub fn of(
        live: &'a RuntimeConfig,
        incident: &'a Incident,
        role: &RoleName,
        person: &'a PersonName,
    ) -> Option<Self> {
        let (role, engagement) = incident.engagements.get_key_value(role)?;
        Some(Self { live, incident, role, engagement, person })
    }

    /// The standing of the role that this person handed back last.
    pub fn handed_back(live: &'a RuntimeConfig, incident: &'a Incident, person: &'a PersonName) -> Option<Self> {
        let by_them = |engagement: &Engagement| {
            engagement
                .handed_back
                .iter()
                .rev()
                .find(|back| back.person == *person && back.of.is_none())
                .map(|back| back.at)
        };
        let theirs = incident.engagements.iter().filter_map(|(role, engagement)| Some((by_them(engagement)?, role)));
        let (_, role) = theirs.max()?;
        Self::of(live, incident, role, person)
    }

    /// Whether this person has the role and can hand it back.
    pub fn is_theirs(&self) -> bool {
        self.incident.is_open() && self.engagement.holder() == Some(self.person)
    }

    /// Whether the role still needs an answer from anybody.
    pub fn is_open(&self) -> bool {
        self.incident.is_open() && self.engagement.is_open()
    }

    /// Whether this person left its ladder by saying that they are unable.
    pub fn is_passed(&self) -> bool {
        self.is_open() && self.engagement.unable.contains(self.person)
    }

    /// Who has chosen what so far, as this person reads it; empty if nobody has.
    pub fn chosen(&self) -> String {
        let names = self.names();
        let said = |request: &Request| chosen_so_far(request, &self.reader(&names));
        self.incident.request.as_deref().map(said).unwrap_or_default()
    }

    /// The option that this person has chosen, if it counts and the request waits for others.
    pub fn choice(&self) -> Option<&'a str> {
        let request = self.incident.request.as_deref().filter(|request| request.outcome().is_none())?;
        request.choices.get(self.person).map(|choice| choice.option.as_str())
    }

    /// The current state in whole sentences.
    pub fn words(&self) -> String {
        if let Some((outcome, at)) = self.incident.request.as_ref().and_then(|request| request.ended.as_ref()) {
            let names = IncidentNames { plan: &self.incident.plan, people: &self.live.names };
            return format!("It is over since {}: {}.", self.time(*at), ended_request(outcome, &names));
        }
        if let IncidentStatus::Resolved { by, why, at } = &self.incident.status {
            let why = why.as_ref().map_or_else(String::new, |why| format!(" ({why})"));
            let (by, at) = (actor(self.live, by, self.person), time(self.live, *at, self.person));
            return format!("It is over: resolved by {by} at {at}{why}.");
        }
        match &self.engagement.outcome {
            Some(EngagementOutcome::Engaged { person, at }) => {
                format!("{} it since {}.", self.has(person, "You"), self.time(*at))
            }
            Some(EngagementOutcome::Covered { by, person, at }) => {
                format!("{} it as {} since {}.", self.has(person, "You"), self.called(by), self.time(*at))
            }
            Some(EngagementOutcome::StoodDown { .. }) => {
                format!("Nobody is needed as {} any more: those it stood in for have somebody.", self.called(self.role))
            }
            Some(EngagementOutcome::Closed { .. }) => "It is over.".to_owned(),
            None => format!("{}{}", self.given_back(), self.asked()),
        }
    }

    fn given_back(&self) -> String {
        let Some(back) = self.engagement.handed_back.last() else { return String::new() };
        let who = if back.person == *self.person { "You" } else { self.live.name_of(&back.person) };
        let what = back.of.as_ref().map_or("it", |of| self.called(of));
        format!("{who} handed {what} back at {}. ", self.time(back.at))
    }

    fn asked(&self) -> String {
        let names = self.names();
        if let Some(next) = &self.engagement.waits_on {
            let instead = asked_instead(self.incident, next, &self.reader(&names));
            return format!("Nobody has {} now: {instead}.", self.called(self.role));
        }
        let until = self.engagement.deadline.map_or_else(String::new, |at| format!(" until {}", self.time(at)));
        let role = self.called(self.role);
        match asked_people(self.engagement, &self.reader(&names)) {
            None => format!("Nobody has {role} now, and nobody is on call{until}."),
            Some((names, verb)) => format!("Nobody has {role} now: {names} {verb} asked{until}."),
        }
    }

    /// A role as people read it.
    fn called<'r>(&'r self, role: &'r RoleName) -> &'r str {
        self.incident.plan.called(role)
    }

    fn has(&self, person: &PersonName, you: &str) -> String {
        if person == self.person { format!("{you} have") } else { format!("{} has", self.live.name_of(person)) }
    }

    /// The same in a few words, for a board that has a line for each role.
    pub fn short(&self) -> String {
        who_has(self.incident, self.engagement, &self.reader(&self.names()))
    }

    fn names(&self) -> IncidentNames<'a> {
        IncidentNames { plan: &self.incident.plan, people: &self.live.names }
    }

    fn reader<'n>(&'n self, names: &'n IncidentNames<'a>) -> NamedReader<'n> {
        NamedReader { names, reader: Some(self.person) }
    }

    fn time(&self, at: Timestamp) -> String {
        time(self.live, at, self.person)
    }
}

/// Who did something, as this person calls them.
fn actor(live: &RuntimeConfig, by: &Actor, reader: &PersonName) -> String {
    match by {
        Actor::Person(person) if person == reader => "you".to_owned(),
        Actor::Person(person) => live.name_of(person).to_owned(),
        Actor::Source(_) | Actor::Operator(_) | Actor::Clock | Actor::Deadline | Actor::Crisis(_) => by.to_string(),
    }
}

/// A time by the clock on this person's wall: `15:46:13 CET`.
fn time(live: &RuntimeConfig, at: Timestamp, reader: &PersonName) -> String {
    let shown = |person: &Person| at.to_utc().with_timezone(&person.zone).format("%H:%M:%S %Z").to_string();
    let utc = || at.to_utc().format("%H:%M:%S UTC").to_string();
    live.matrix.people.get(reader).map_or_else(utc, shown)
}

/// How an incident ended, for one person: by whom and when. `None` while it is open.
pub fn ended(live: &RuntimeConfig, incident: &Incident, reader: &PersonName) -> Option<String> {
    match &incident.status {
        IncidentStatus::Resolved { by, at, .. } => {
            Some(format!("ended by {} at {}", actor(live, by, reader), time(live, *at, reader)))
        }
        IncidentStatus::Open => None,
    }
}

/// The reply to an answer. It tells people who have the role how to hand it back, and people who handed it back who is
/// asked now.
pub fn verdict_text(
    live: &RuntimeConfig,
    incident: Option<&Incident>,
    person: &PersonName,
    verdict: AnswerVerdict,
    hand_back: &str,
) -> String {
    let standing = incident.filter(|_| verdict == AnswerVerdict::HandedBack);
    let standing = standing.and_then(|incident| RoleStanding::handed_back(live, incident, person));
    let holds = matches!(verdict, AnswerVerdict::Engages);
    let question = incident.filter(|incident| incident.asks().is_some_and(|kind| kind != AskKind::Handoff));
    let asks = question.and_then(|incident| incident.request.as_deref());
    if let (AnswerVerdict::Closed, Some(incident), Some(outcome)) =
        (&verdict, question, asks.and_then(|request| request.outcome()))
    {
        let names = IncidentNames { plan: &incident.plan, people: &live.names };
        return format!("too late: {}", ended_request(outcome, &names));
    }
    let asks = asks.filter(|request| request.outcome().is_none());
    if let (AnswerVerdict::Received, Some(request), Some(incident)) = (&verdict, asks, incident) {
        if !incident.has_asked_to_decide(person) {
            return format!("received; only {} can decide this: find them", incident.plan.deciders());
        }
        if request.ask.needs_a_form() {
            return format!("received; nothing is decided yet: {FILL_IN}");
        }
        let option = |(letter, option): (char, &AskOption)| format!("{letter} ({})", option.label);
        let options: Vec<String> = request.ask.lettered().map(option).collect();
        return format!("received; nothing is decided yet: choose {}", options.join(" or "));
    }
    let word = told(live, &verdict, person);
    match standing {
        Some(standing) => format!("{word}. {}", standing.asked_now()),
        None if holds && !hand_back.is_empty() => format!("{word}. {hand_back}"),
        None => word,
    }
}

impl RoleStanding<'_> {
    /// The state without the person who handed it back, for that person.
    fn asked_now(&self) -> String {
        if self.is_open() { self.asked() } else { self.words() }
    }
}

/// A verdict in the words of the one who gave the answer: display names, and the clock on their wall.
pub fn told(live: &RuntimeConfig, verdict: &AnswerVerdict, reader: &PersonName) -> String {
    match verdict {
        AnswerVerdict::TooLate { has } => judged(&AnswerVerdict::TooLate { has: PersonName::from(live.name_of(has)) }),
        AnswerVerdict::TookBack { has: Some(has) } => {
            judged(&AnswerVerdict::TookBack { has: Some(PersonName::from(live.name_of(has))) })
        }
        AnswerVerdict::StandbyGranted { until, .. } => format!("you have until {}", time(live, *until, reader)),
        other => judged(other),
    }
}
