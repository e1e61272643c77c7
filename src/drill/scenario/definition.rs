//! Scenario files: a crisis to rehearse, and the expectations. Reads TOML; returns a [`Scenario`], or all faults at
//! once.
//!
//! A scenario is one file; the shipped ones are in `matrix/drills/`. Names are from the matrix that it is played with.
//! Durations are text with a unit; offsets count from the beginning of the drill, and `"0s"` is its beginning.
//!
//! # At the top
//! | key | meaning | default |
//! |---|---|---|
//! | `name` | the drill's name, with the same rules as names in the matrix | must be given |
//! | `summary` | what is rehearsed, in one or two sentences | must be given |
//! | `sources` | the sources of its figures | none |
//! | `ends` | when it is over and the all-clear is sent | must be given |
//! | `plays_at` | the time that it is simulated for: who is on call then | now |
//! | `participants` | who takes part; nobody else is paged by a drill | everybody |
//! | `announced` | whether participants are told in advance | `true` |
//! | `hours` | `{ from, until, days, timezone }`: when it may run live; days by name | at any time |
//! | `compress` | the divisor of every wait of the ladders in a live run (1 to 60); `simulate` does not use it | 1 |
//! | `schedule` | `{ cron, zone }`, or `{ within = "Mon-Fri 09:00-17:00", every = "30d", zone }`: the daemon runs it automatically | never |
//! | `abort` | `{ unanswered, people }`: it is stopped early when a role has waited this long, or when one of these people says so | only a live incident stops it |
//!
//! # `[[inject]]`: an alert through the daemon's own API
//! | key | meaning | default |
//! |---|---|---|
//! | `at` | its offset | must be given |
//! | `kind`, `summary`, `status`, `labels`, `values`, `annotations`, `confidence`, `evidence` | the fields of an alert; its source is the drill | `kind` must be given |
//! | `every`, `count` | repeats of the same alert, evenly spaced | once |
//!
//! # `[[moment]]`: something that waits for nobody, like the opening of the market
//! | key | meaning | default |
//! |---|---|---|
//! | `at`, `what` | its offset; what it is | must be given |
//!
//! # `[hypothesis.ROLE]`, `[all_roles]`, `[all_clear]`: the expectations
//! | key | meaning | default |
//! |---|---|---|
//! | `percent`, `within` | this percentage is engaged within this time, counted from the opening of the incident. `all_roles`: the last required role; `all_clear`: people whom a page had reached have the all-clear, counted from when the incident is resolved | must be given |
//! | `covered` | whether the answer of the role's `next` counts too; not for `all_clear` | `false` |
//!
//! # `[[fault]]`: a fault to inject
//! | key | meaning | default |
//! |---|---|---|
//! | `channel`, `kind` | `kind = "down"`: each attempt fails temporarily; `"broken"`: it refuses everybody immediately, as with a revoked token | one of these three |
//! | `channel`, `delay` | pages that it accepts arrive this much later | |
//! | `absent` | this person's pages arrive and nobody reads them | |
//! | `from`, `until` | offsets | from the beginning to the end |
//!
//! # `[[answer]]`: a scripted answer, for a run whose people follow a script
//! | key | meaning | default |
//! |---|---|---|
//! | `at`, `person`, `says` | the offset; who; `roger`, `wilco`, `standby [MINUTES]` or `unable` | must be given |
//! | `role` | the role, if they were asked for several | the one they were asked for |
//!
//! # `[everyone]`, `[people.PERSON]`: how people answer in virtual time
//! | key | meaning | default |
//! |---|---|---|
//! | `answers` | `{ median, p90 }` (log-normal) or `{ times = [..] }` (these, all equally likely): how long after a page reached them | by kind of channel: [`crate::drill::scenario::response_model`] |
//! | `by` | the channels that they look at | all that reach them |
//! | `unable`, `ignores`, `at_desk` | the probabilities (0 to 1) that they answer unable, that nothing reaches them, that their desk page is open | [`crate::drill::scenario::response_model`] |
//!
//! # `[channels.CHANNEL]`: how channels deliver in virtual time
//! | key | meaning | default |
//! |---|---|---|
//! | `accepts`, `delivers` | a distribution as above: until the provider accepts it, and from then until it is on the device | by kind: [`crate::drill::scenario::response_model`] |
//! | `lost` | the probability that an accepted page never arrives | by kind |

use crate::{
    core::{
        Alert, Answer, ChannelName, EscalationPlan, FaultKind as Injected, PersonName, RoleName, Roster, SourceName,
        Timestamp, plan::StepTarget,
    },
    drill::scenario::{
        hypothesis::{HypothesisSubject, RunHypothesis},
        response_model::{ChannelModel, ResponseModel},
        timetable::{AllowedHours, ScenarioTimetable},
    },
    matrix::Diagnostic,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// The source of a drill's alerts.
pub const SOURCE: &str = crate::core::names::DRILLS;

/// The largest number of alerts in one scenario.
pub const INJECTS_MAX: u32 = 10_000;

/// The longest drill.
pub const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// The largest factor of `compress`.
pub const COMPRESS_MAX: u32 = 60;

/// A crisis to rehearse. All its names exist in the matrix that it was read with.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// What is rehearsed.
    pub summary: String,
    /// The sources of its figures.
    pub sources: Vec<String>,
    /// The first twelve hexadecimal digits of the SHA-256 of its text.
    pub revision: String,
    /// When it is over.
    pub ends: Duration,
    /// The time that it is simulated for; `None` means now.
    pub plays_at: Option<Timestamp>,
    /// The participants; `None` means everybody.
    pub participants: Option<BTreeSet<PersonName>>,
    /// Whether participants are told in advance.
    pub announced: bool,
    /// When it may run live; `None` means at any time.
    pub hours: Option<AllowedHours>,
    /// The number by which every wait is divided in a live run; at least 1.
    pub compress: u32,
    /// When the daemon runs it automatically; `None` means never.
    pub schedule: Option<ScenarioTimetable>,
    /// What stops it early, besides a live incident.
    pub abort: AbortRule,
    /// The alerts, in the order in which they are written.
    pub injects: Vec<ScenarioInject>,
    /// Things that wait for nobody, in order of time.
    pub moments: Vec<ScenarioMoment>,
    /// What is expected.
    pub hypotheses: Vec<RunHypothesis>,
    /// Injected faults.
    pub faults: Vec<ScenarioFault>,
    /// Scripted answers, in order of time.
    pub answers: Vec<ScriptedAnswer>,
    /// How people respond who are not listed in `response_models`.
    pub everyone: ResponseModel,
    /// How the listed people respond.
    pub response_models: BTreeMap<PersonName, ResponseModel>,
    /// How channels deliver.
    pub carriage: BTreeMap<ChannelName, ChannelModel>,
    /// It replays a real incident: its faults were real faults of channels and people, not injected by a drill.
    pub is_hindsight: bool,
}

/// An alert, once or evenly spaced.
#[derive(Debug, Clone, PartialEq)]
pub struct ScenarioInject {
    /// The offset of the first.
    pub at: Duration,
    /// The interval; `None` for a single alert.
    pub every: Option<Duration>,
    /// How many alerts; at least 1.
    pub count: u32,
    /// The alert: a drill with the source [`SOURCE`].
    pub alert: Arc<Alert>,
}

/// Something that waits for nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioMoment {
    /// Its offset.
    pub at: Duration,
    /// What it is.
    pub what: String,
}

/// What stops a drill early, besides a live incident.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AbortRule {
    /// How long a role may wait for its answer.
    pub unanswered: Option<Duration>,
    /// People who may stop it; if empty, everyone who takes part may.
    pub people: BTreeSet<PersonName>,
}

/// A fault that lasts for some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioFault {
    /// The offset at which it begins.
    pub from: Duration,
    /// The offset at which it ends (exclusive).
    pub until: Duration,
    /// The fault.
    pub kind: ScenarioFaultKind,
}

/// A kind of fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScenarioFaultKind {
    /// Each attempt by this channel fails temporarily.
    Down(ChannelName),
    /// This channel refuses everybody immediately.
    Broken(ChannelName),
    /// Pages that this channel accepts arrive this much later.
    Late(ChannelName, Duration),
    /// This person's pages arrive and nobody reads them.
    Absent(PersonName),
}

/// A scripted answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptedAnswer {
    /// Its offset.
    pub at: Duration,
    /// The person.
    pub person: PersonName,
    /// The answer.
    pub says: Answer,
    /// The role, if one is given.
    pub role: Option<RoleName>,
}

/// The result of reading a scenario.
#[derive(Debug)]
pub struct ReadScenario {
    /// The scenario; `None` if there is any error.
    pub scenario: Option<Scenario>,
    /// Every fault, in the order of the lines. [`crate::matrix::render_of`] shows them.
    pub diagnostics: Vec<Diagnostic>,
}

impl Scenario {
    /// How long a live run is watched whose waits are divided by `compress`, at most [`Scenario::ends`]. People are not
    /// divided: it goes on until what is expected of them could have happened, counted from the last alert.
    pub fn watched(&self, compress: u32) -> Duration {
        let (compress, ends) = (compress.max(1), self.ends);
        let last = self.reports().last().map_or(Duration::ZERO, |(at, _)| *at);
        let of_roles = self.hypotheses.iter().filter(|about| !matches!(about.about, HypothesisSubject::AllClear));
        let longest = of_roles.map(|hypothesis| hypothesis.within).max();
        let expected = longest.map_or(Duration::ZERO, |longest| last / compress + longest);
        (ends / compress).max(expected.min(ends))
    }

    /// Every alert with its offset, in order of time, each with its own id ("drill-17").
    pub fn reports(&self) -> Vec<(Duration, Arc<Alert>)> {
        let each = self.injects.iter().flat_map(|inject| {
            let every = inject.every.unwrap_or_default();
            (0..inject.count).map(move |n| (inject.at + every.saturating_mul(n), &inject.alert))
        });
        let mut reports: Vec<(Duration, &Arc<Alert>)> = each.collect();
        reports.sort_by_key(|(at, _)| *at);
        let named = reports.into_iter().zip(1..).map(|((at, alert), n): (_, u32)| {
            (at, Arc::new(Alert { id: format!("{SOURCE}-{n}"), ..Alert::clone(alert) }))
        });
        named.collect()
    }

    /// Whether a person takes part.
    pub fn includes(&self, person: &PersonName) -> bool {
        self.participants.as_ref().is_none_or(|people| people.contains(person))
    }

    /// The plan of a run: every wait is divided by `compress` ([`Self::compress`] in a live run, 1 if people are
    /// simulated and not hurried), and only participants are paged. Who of them is on call is looked up once, at `now`.
    /// Otherwise a hand-over during the drill to a person who does not take part would page them.
    pub fn plan(&self, plan: &EscalationPlan, roster: &Roster, now: Timestamp, compress: u32) -> EscalationPlan {
        let mut plan = plan.compressed(compress);
        if self.participants.is_some() {
            plan.raised = plan.raised.map(|raised| Arc::new(self.plan(&raised, roster, now, 1)));
            for step in plan.roles.values_mut().flat_map(|row| &mut row.steps) {
                let people = roster.resolve(&step.page, now);
                step.page = people.into_iter().filter(|person| self.includes(person)).map(StepTarget::Person).collect();
            }
        }
        plan
    }

    /// The faults at this offset.
    pub fn faults_now(&self, at: Duration) -> impl Iterator<Item = &ScenarioFaultKind> {
        self.faults.iter().filter(move |fault| fault.covers(at)).map(|fault| &fault.kind)
    }

    /// How a person responds: by their own habits, or else by everyone's.
    pub fn response_model_of(&self, person: &PersonName) -> ResponseModel {
        let (own, all) = (self.response_models.get(person).cloned().unwrap_or_default(), self.everyone.clone());
        ResponseModel {
            answers: own.answers.or(all.answers),
            by_channel: own.by_channel,
            by: own.by.or(all.by),
            unable: own.unable.or(all.unable),
            ignores: own.ignores.or(all.ignores),
            at_desk: own.at_desk.or(all.at_desk),
        }
    }
}

impl ScenarioFault {
    /// Whether it is active at this offset.
    pub fn covers(&self, at: Duration) -> bool {
        self.from <= at && at < self.until
    }

    /// Whether two faults affect the same thing at the same time.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.kind.about() == other.kind.about() && self.from < other.until && other.from < self.until
    }
}

impl ScenarioFaultKind {
    /// The same fault in the form that is injected into a drill's pages, with durations divided by `compress`.
    pub fn injected(&self, compress: u32) -> Injected {
        match self {
            Self::Down(channel) => Injected::Down { channel: channel.clone() },
            Self::Broken(channel) => Injected::Broken { channel: channel.clone() },
            Self::Late(channel, by) => Injected::Delayed { channel: channel.clone(), by: *by / compress.max(1) },
            Self::Absent(person) => Injected::Absent { person: person.clone() },
        }
    }

    /// The channel or person that it affects.
    pub fn about(&self) -> (Option<&ChannelName>, Option<&PersonName>) {
        match self {
            Self::Down(channel) | Self::Broken(channel) | Self::Late(channel, _) => (Some(channel), None),
            Self::Absent(person) => (None, Some(person)),
        }
    }
}

/// The source in the journal of a drill's alerts.
pub fn source() -> SourceName {
    SourceName::from(SOURCE)
}
