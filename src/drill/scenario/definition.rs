//! Scenario files: a crisis to rehearse, and what is expected of it. TOML into a [`Scenario`], or into every fault at once.
//!
//! A scenario is one file; those that ship are in `matrix/drills/`. Names are those of the matrix that it is played with.
//! Durations are text with a unit; offsets count from the beginning of the drill, and `"0s"` is its beginning.
//!
//! # At the top
//! | key | meaning | default |
//! |---|---|---|
//! | `name` | what the drill is called, like the names of the matrix | must be given |
//! | `summary` | what is rehearsed, in one or two sentences | must be given |
//! | `sources` | where its figures are from | none |
//! | `ends` | when it is over and the all-clear is sent | must be given |
//! | `plays_at` | the moment at which it is simulated: who is on call then | now |
//! | `participants` | who takes part; nobody else is paged by a drill | everybody |
//! | `announced` | whether those who take part are told before | `true` |
//! | `hours` | `{ from, until, days, timezone }`: when it may be run live; days by name | at any time |
//! | `compress` | every wait of the ladders is divided by it in a live run (1 to 60); `simulate` leaves them as they are | 1 |
//! | `schedule` | `{ cron, zone }`, or `{ within = "Mon-Fri 09:00-17:00", every = "30d", zone }`: the daemon runs it by itself | never |
//! | `abort` | `{ unanswered, people }`: it is broken off when a role has waited so long, or when one of these says so | a live incident always does |
//!
//! # `[[inject]]`: an alert through the daemon's own door
//! | key | meaning | default |
//! |---|---|---|
//! | `at` | its offset | must be given |
//! | `kind`, `summary`, `status`, `labels`, `values`, `annotations`, `confidence`, `evidence` | those of an alert; its source is the drill | `kind` must be given |
//! | `every`, `count` | the same so often, evenly spaced | once |
//!
//! # `[[moment]]`: something that does not wait for anybody, like the opening of the market
//! | key | meaning | default |
//! |---|---|---|
//! | `at`, `what` | its offset; what it is | must be given |
//!
//! # `[hypothesis.ROLE]`, `[all_roles]`, `[all_clear]`: what is expected
//! | key | meaning | default |
//! |---|---|---|
//! | `percent`, `within` | so many percent are engaged in that time, counted from the incident's opening. `all_roles`: the last required role; `all_clear`: people whom a page had reached have the all-clear, counted from the resolving | must be given |
//! | `covered` | whether the answer of the role's `next` counts too; not for `all_clear` | `false` |
//!
//! # `[[fault]]`: what does not work
//! | key | meaning | default |
//! |---|---|---|
//! | `channel`, `kind` | `kind = "down"`: each attempt fails for now; `"broken"`: it refuses everybody at once, as with a revoked token | one of these three |
//! | `channel`, `delay` | what it takes arrives so much later | |
//! | `absent` | this person's pages arrive and nobody reads them | |
//! | `from`, `until` | offsets | from the beginning to the end |
//!
//! # `[[answer]]`: what somebody says, in a run whose people follow a script
//! | key | meaning | default |
//! |---|---|---|
//! | `at`, `person`, `says` | the offset; who; `roger`, `wilco`, `standby [MINUTES]` or `unable` | must be given |
//! | `role` | for which role, where they were asked for several | the one they were asked for |
//!
//! # `[everyone]`, `[people.PERSON]`: how people answer in virtual time
//! | key | meaning | default |
//! |---|---|---|
//! | `answers` | `{ median, p90 }` (log-normal) or `{ times = [..] }` (these, each as likely): how long after a page reached them | by kind of channel: [`crate::drill::scenario::response_model`] |
//! | `by` | the channels that they look at | all that reach them |
//! | `unable`, `ignores`, `at_desk` | the probabilities (0 to 1) that they say they can not, that nothing reaches them, that their desk page is open | [`crate::drill::scenario::response_model`] |
//!
//! # `[channels.CHANNEL]`: how channels carry in virtual time
//! | key | meaning | default |
//! |---|---|---|
//! | `accepts`, `delivers` | a distribution as above: until the provider took it, and from then until it is on the device | by kind: [`crate::drill::scenario::response_model`] |
//! | `lost` | the probability that an accepted page never arrives | by kind |

use crate::{
    core::{
        Alert, Answer, ChannelName, EscalationPlan, FaultKind as Injected, PersonName, RoleName, Roster, SourceName,
        Timestamp, plan::StepTarget,
    },
    drill::scenario::{
        hypothesis::RunHypothesis,
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

/// Alerts that one scenario may send.
pub const INJECTS_MAX: u32 = 10_000;

/// The longest drill.
pub const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// The largest factor of `compress`.
pub const COMPRESS_MAX: u32 = 60;

/// A crisis to rehearse. What it names is in the matrix that it was read with.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// What it is called.
    pub name: String,
    /// What is rehearsed.
    pub summary: String,
    /// Where its figures are from.
    pub sources: Vec<String>,
    /// The first twelve hexadecimal digits of the SHA-256 of its text.
    pub revision: String,
    /// When it is over.
    pub ends: Duration,
    /// When it is simulated; none is now.
    pub plays_at: Option<Timestamp>,
    /// Who takes part; none is everybody.
    pub participants: Option<BTreeSet<PersonName>>,
    /// Whether they are told before.
    pub announced: bool,
    /// When it may be run live; none is at any time.
    pub hours: Option<AllowedHours>,
    /// By what every wait is divided in a live run; at least 1.
    pub compress: u32,
    /// When the daemon runs it by itself; none is never.
    pub schedule: Option<ScenarioTimetable>,
    /// What breaks it off, besides a live incident.
    pub abort: AbortRule,
    /// The alerts, in the order in which they are written.
    pub injects: Vec<ScenarioInject>,
    /// What does not wait for anybody, in the order of time.
    pub moments: Vec<ScenarioMoment>,
    /// What is expected.
    pub hypotheses: Vec<RunHypothesis>,
    /// What does not work.
    pub faults: Vec<ScenarioFault>,
    /// What is said, in the order of time.
    pub answers: Vec<ScriptedAnswer>,
    /// How people answer who are not named.
    pub everyone: ResponseModel,
    /// How those answer who are.
    pub habits: BTreeMap<PersonName, ResponseModel>,
    /// How channels carry.
    pub carriage: BTreeMap<ChannelName, ChannelModel>,
    /// It plays again what really happened: its faults were those of channels and people, and no drill's.
    pub is_hindsight: bool,
}

/// An alert, once or evenly spaced.
#[derive(Debug, Clone, PartialEq)]
pub struct ScenarioInject {
    /// The offset of the first.
    pub at: Duration,
    /// The distance; none for a single one.
    pub every: Option<Duration>,
    /// How many; at least 1.
    pub count: u32,
    /// It: a drill of the source [`SOURCE`].
    pub alert: Arc<Alert>,
}

/// Something that does not wait for anybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioMoment {
    /// Its offset.
    pub at: Duration,
    /// What it is.
    pub what: String,
}

/// What breaks a drill off, besides a live incident.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AbortRule {
    /// A role has waited so long for its answer.
    pub unanswered: Option<Duration>,
    /// Whose word is enough; nobody's is everybody's who takes part.
    pub people: BTreeSet<PersonName>,
}

/// Something that does not work for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioFault {
    /// From this offset.
    pub from: Duration,
    /// Up to, not including, this one.
    pub until: Duration,
    /// What.
    pub trouble: ScenarioTrouble,
}

/// What does not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScenarioTrouble {
    /// Each attempt by this channel fails for now.
    Down(ChannelName),
    /// This channel refuses everybody at once.
    Broken(ChannelName),
    /// What this channel takes arrives so much later.
    Late(ChannelName, Duration),
    /// This person's pages arrive and nobody reads them.
    Absent(PersonName),
}

/// What somebody says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptedAnswer {
    /// Its offset.
    pub at: Duration,
    /// Who.
    pub person: PersonName,
    /// What.
    pub says: Answer,
    /// For which role, where it is said.
    pub role: Option<RoleName>,
}

/// What came of reading a scenario.
#[derive(Debug)]
pub struct ReadScenario {
    /// It; none when there is any error.
    pub scenario: Option<Scenario>,
    /// Every fault, in the order of the lines. [`crate::matrix::render_of`] shows them.
    pub diagnostics: Vec<Diagnostic>,
}

impl Scenario {
    /// Every alert with its offset, in the order of time, each with an id of its own ("drill-17").
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

    /// The plan of a run: every wait divided by `compress` ([`Self::compress`] in a live run, 1 where the people are
    /// simulated and not hurried), and only those who take part are paged. Who of them is on call is looked up once, at
    /// `now`: a drill that is handed over to somebody who does not take part would page them.
    pub fn plan(&self, plan: &EscalationPlan, roster: &Roster, now: Timestamp, compress: u32) -> EscalationPlan {
        let mut plan = plan.compressed(compress);
        if self.participants.is_some() {
            for step in plan.roles.values_mut().flat_map(|row| &mut row.steps) {
                let people = roster.resolve(&step.page, now);
                step.page = people.into_iter().filter(|person| self.includes(person)).map(StepTarget::Person).collect();
            }
        }
        plan
    }

    /// What does not work at this offset.
    pub fn troubles(&self, at: Duration) -> impl Iterator<Item = &ScenarioTrouble> {
        self.faults.iter().filter(move |fault| fault.covers(at)).map(|fault| &fault.trouble)
    }

    /// How a person answers: their own habits, then everyone's.
    pub fn habits_of(&self, person: &PersonName) -> ResponseModel {
        let (own, all) = (self.habits.get(person).cloned().unwrap_or_default(), self.everyone.clone());
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
    /// Whether it is there at this offset.
    pub fn covers(&self, at: Duration) -> bool {
        self.from <= at && at < self.until
    }

    /// Whether two of them disturb the same thing at the same time.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.trouble.about() == other.trouble.about() && self.from < other.until && other.from < self.until
    }
}

impl ScenarioTrouble {
    /// The same as it is done to the pages of a drill, spans divided by `compress`.
    pub fn injected(&self, compress: u32) -> Injected {
        match self {
            Self::Down(channel) => Injected::Down { channel: channel.clone() },
            Self::Broken(channel) => Injected::Broken { channel: channel.clone() },
            Self::Late(channel, by) => Injected::Delayed { channel: channel.clone(), by: *by / compress.max(1) },
            Self::Absent(person) => Injected::Absent { person: person.clone() },
        }
    }

    /// Which channel or person it is about.
    pub fn about(&self) -> (Option<&ChannelName>, Option<&PersonName>) {
        match self {
            Self::Down(channel) | Self::Broken(channel) | Self::Late(channel, _) => (Some(channel), None),
            Self::Absent(person) => (None, Some(person)),
        }
    }
}

/// The source under which a drill's alerts are journaled.
pub fn source() -> SourceName {
    SourceName::from(SOURCE)
}
