//! The words of one page: people, times and events as its reader calls them.

use crate::{
    core::{
        Ask, AskKind, Engagement, Incident, PersonName, RoleName, Timestamp, Zone, plan::RolePlan,
        request::QUESTION_MAX, role_words::RoleReader,
    },
    template::{
        brief::{BriefInput, ShownTimes, TextForm},
        fit,
    },
};
use std::cell::RefCell;

/// The text by which a drill identifies itself.
pub(super) const EXERCISE: &str = "This is an exercise: answer as if it were real.";

/// The longest summary in a headline, in characters.
const SUMMARY_MAX: usize = 140;

/// The longest text of what changed since a question was asked before, in characters.
const CHANGED_MAX: usize = 60;

/// The longest name, in characters.
const NAME_MAX: usize = 32;

/// How many people are named before the rest is counted.
const PEOPLE_MAX: usize = 2;

/// The reader, who is never told their own name.
const YOU: &str = "you";

/// A brief from its reader's point of view.
pub(super) struct BriefWords<'a> {
    pub(super) brief: &'a BriefInput<'a>,
    zone: Zone,
    /// The times that were put into words, for a form that shows each reader their own.
    times: Option<RefCell<ShownTimes>>,
}

impl<'a> BriefWords<'a> {
    pub(super) fn new(brief: &'a BriefInput<'a>) -> Self {
        Self { brief, zone: brief.reader.map_or(brief.shared_zone, |reader| reader.zone).clone(), times: None }
    }

    /// The same for a form, which may need to know the times in its text.
    pub(super) fn of_form(brief: &'a BriefInput<'a>, form: TextForm) -> Self {
        Self { times: (form == TextForm::Slack).then(RefCell::default), ..Self::new(brief) }
    }

    /// The times that were put into words, if the form needs them.
    pub(super) fn into_times(self) -> ShownTimes {
        self.times.map(RefCell::into_inner).unwrap_or_default()
    }

    pub(super) fn incident(&self) -> &'a Incident {
        self.brief.incident
    }

    pub(super) fn is_drill(&self) -> bool {
        self.incident().drill
    }

    /// The first word of every text.
    pub(super) fn word(&self) -> &'static str {
        if self.is_drill() { "DRILL" } else { "LIVE" }
    }

    /// What happened, without a full stop.
    pub(super) fn summary(&self) -> String {
        summary_of(self.incident())
    }

    /// The question of a machine that waits for a decision. A handoff waits for somebody who takes it, like an alert.
    pub(super) fn asked(&self) -> Option<&'a Ask> {
        let request = self.incident().request.as_deref()?;
        let decides = request.ask.kind != AskKind::Handoff && request.outcome().is_none();
        decides.then_some(&request.ask)
    }

    /// Whether the reader can decide. If not, they are told who can.
    pub(super) fn decides(&self) -> bool {
        self.incident().decides(self.brief.page)
    }

    /// Whether the reader can approve with changes.
    pub(super) fn takes_changes(&self) -> bool {
        self.incident().takes_changes() && self.decides()
    }

    /// Who decides, as people read it.
    pub(super) fn deciders(&self) -> String {
        fit::clean(&self.incident().plan.deciders(), NAME_MAX)
    }

    /// Until when a conversation waits for somebody who takes it.
    pub(super) fn waits_for_taker(&self) -> Option<Timestamp> {
        let request = self.incident().request.as_deref()?;
        request.deadline().filter(|_| request.handoff.is_some())
    }

    /// A template's text without the summary at its start, which the first line has said already.
    pub(super) fn unsaid<'t>(&self, text: &'t str) -> &'t str {
        let rest = text.trim_start().strip_prefix(self.summary().as_str());
        rest.map_or(text, |rest| rest.trim_start_matches(['.', ' ', '\n']))
    }

    pub(super) fn role(&self) -> Option<&'a RoleName> {
        self.brief.page.role.as_ref()
    }

    /// The role's name as a title.
    pub(super) fn role_title(&self) -> String {
        self.role().map_or_else(|| "ON CALL".to_owned(), |role| self.role_name(role).to_uppercase())
    }

    /// What a role is called within a sentence: its name in the plan, or its id.
    pub(super) fn role_name(&self, role: &RoleName) -> String {
        if role.is_catch_all() {
            "catch-all".to_owned()
        } else {
            fit::clean(self.incident().plan.called(role), NAME_MAX)
        }
    }

    pub(super) fn engagement(&self) -> Option<&'a Engagement> {
        self.incident().engagements.get(self.role()?)
    }

    pub(super) fn row(&self) -> Option<&'a RolePlan> {
        self.incident().plan.roles.get(self.role()?)
    }

    /// A person as the reader calls them: "you" for the reader, else their name for display, or the name in the matrix
    /// if that is unknown.
    pub(super) fn person(&self, person: &PersonName) -> String {
        if self.reads(person) {
            return YOU.to_owned();
        }
        let name = self.brief.names.get(person).map_or(person.as_str(), String::as_str);
        fit::clean(name, NAME_MAX)
    }

    /// `you, Bo Lind and 3 more`: the reader first.
    pub(super) fn people<'p>(&self, people: impl IntoIterator<Item = &'p PersonName>) -> String {
        let mut names: Vec<String> = people.into_iter().map(|person| self.person(person)).collect();
        names.sort_by_key(|name| name != YOU);
        listed(&names)
    }

    /// `you have it`, `Bo Lind has it`.
    pub(super) fn has(&self, person: &PersonName, what: &str) -> String {
        format!("{} {} {what}", self.person(person), if self.reads(person) { "have" } else { "has" })
    }

    /// Whether these are one person who is not the reader: a verb after their name has the form of "it is".
    pub(super) fn is_one_other<'p>(&self, people: impl IntoIterator<Item = &'p PersonName>) -> bool {
        let mut people = people.into_iter();
        matches!((people.next(), people.next()), (Some(one), None) if !self.reads(one))
    }

    /// Whether this person is the reader.
    pub(super) fn reads(&self, person: &PersonName) -> bool {
        self.brief.page.person.as_ref() == Some(person)
    }

    /// The time in the reader's zone: `15:46:13 CET`.
    pub(super) fn time(&self, at: Timestamp) -> String {
        self.shown(at, "%H:%M:%S %Z")
    }

    /// The same with the day: `Tue 24 Nov 15:46 CET`.
    pub(super) fn day(&self, at: Timestamp) -> String {
        self.shown(at, "%a %-d %b %H:%M %Z")
    }

    fn shown(&self, at: Timestamp, format: &str) -> String {
        let text = at.to_utc().with_timezone(&self.zone).format(format).to_string();
        if let Some(times) = &self.times {
            times.borrow_mut().insert(text.clone(), at);
        }
        text
    }

    /// For an audit trail that names its zone once: `15:46:13`.
    pub(super) fn seconds(&self, at: Timestamp) -> String {
        at.to_utc().with_timezone(&self.zone).format("%H:%M:%S").to_string()
    }

    /// The abbreviation of the reader's zone at the current time.
    pub(super) fn zone(&self) -> String {
        self.zone.to_string()
    }
}

impl RoleReader for BriefWords<'_> {
    fn role(&self, role: &RoleName) -> String {
        self.role_name(role)
    }

    fn person(&self, person: &PersonName) -> String {
        Self::person(self, person)
    }

    fn is_reader(&self, person: &PersonName) -> bool {
        self.reads(person)
    }
}

/// What happened in an incident, on one line and without a full stop.
pub fn summary_of(incident: &Incident) -> String {
    let ask = incident.request.as_ref().map(|request| &request.ask);
    // A question is never cut: the end of one may say the opposite.
    let told = [
        (incident.about(), QUESTION_MAX.max(SUMMARY_MAX)),
        (incident.alert.headline(), SUMMARY_MAX),
        (incident.trigger.as_str(), SUMMARY_MAX),
    ];
    let told = told.into_iter().map(|(text, max)| fit::clean(text, max)).find(|text| !text.is_empty());
    let told = told.unwrap_or_else(|| "no summary".to_owned());
    // What people have read before is not true any more: what changed comes first.
    let told = match ask.and_then(|ask| ask.supersedes.as_ref()) {
        Some(before) => format!("NEW FACTS ({}): {told}", fit::clean(&before.changed, CHANGED_MAX)),
        None => told,
    };
    fit::guard(told.trim_end_matches(['.', ' ']), incident.drill)
}

/// `a`, `a and b`, `a, b and 3 more`.
pub(super) fn listed(names: &[String]) -> String {
    match names {
        [] => "nobody".to_owned(),
        [one] => one.clone(),
        [one, two] => format!("{one} and {two}"),
        many => format!("{} and {} more", many[..PEOPLE_MAX].join(", "), many.len() - PEOPLE_MAX),
    }
}
