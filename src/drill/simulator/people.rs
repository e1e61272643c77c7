//! People and channels in one run: what is drawn for each of them, and when.

use crate::{
    channel::SendError,
    core::{
        Answer, FaultKind as Injected, Page, PagePurpose, PersonName, RoleName, SendReceipt, Timestamp,
        send_outcome::desk_closed,
    },
    drill::{
        scenario::{
            definition::ScenarioFaultKind,
            response_model::{AT_DESK, IGNORES, UNABLE},
        },
        simulator::{
            random::RandomStream,
            setting::{BehaviourModel, SimulationSetting, VirtualChannel},
        },
    },
};
use std::{collections::BTreeMap, time::Duration};

/// How long a channel that is down takes to report an error.
const REFUSAL: Duration = Duration::from_millis(50);

/// How soon a screen without an open desk page is checked again: the same as in the channel itself.
const LOOK_AGAIN: Duration = Duration::from_secs(5 * 60);

/// One person in one run.
#[derive(Debug, Clone, Copy)]
struct VirtualPerson {
    notices: bool,
    is_able: bool,
    at_desk: bool,
    /// How fast they are, from 0 (the fastest) to 1 (the slowest).
    rank: f64,
}

/// Everybody in one run.
pub(crate) struct VirtualPeople<'a> {
    setting: &'a SimulationSetting<'a>,
    seed: u64,
    run: u64,
    minds: BTreeMap<PersonName, VirtualPerson>,
}

/// The result of an attempt.
pub(crate) struct VirtualAttempt {
    /// How long it takes.
    pub takes: Duration,
    /// How it ends.
    pub result: Result<SendReceipt, SendError>,
    /// How long after that it is on the device; `None` if it never arrives.
    pub arrives: Option<Duration>,
    /// The fault that the scenario injects into it.
    pub injected: Option<Injected>,
}

impl<'a> VirtualPeople<'a> {
    pub(crate) fn new(setting: &'a SimulationSetting<'a>, seed: u64, run: u64) -> Self {
        Self { setting, seed, run, minds: BTreeMap::new() }
    }

    /// When the person answers a page that arrived at `now`, and what; `None` if they do not.
    pub(crate) fn answer(&mut self, page: &Page, role: &RoleName, now: Timestamp) -> Option<(Duration, Answer)> {
        let person = page.person.as_ref()?;
        let absent = |fault: &ScenarioFaultKind| matches!(fault, ScenarioFaultKind::Absent(who) if who == person);
        if self.setting.manner == BehaviourModel::Scripted || self.setting.faults_now(now).any(absent) {
            return None;
        }
        let mind = self.mind(person);
        let (model, virtual_channel) =
            (self.setting.response_models.get(person), self.setting.channels.get(&page.channel)?);
        let looks = model.and_then(|model| model.by.as_ref()).is_none_or(|by| by.contains(&page.channel));
        if !mind.notices || !looks {
            return None;
        }
        let own = model.and_then(|model| model.by_channel.get(&page.channel).or(model.answers.as_ref()));
        let takes = own.unwrap_or(&virtual_channel.reaction).quantile(mind.rank);
        let level = self.setting.matrix.roles.get(role)?.engaged_by;
        Some((takes, if mind.is_able { Answer::of_level(level) } else { Answer::Unable }))
    }

    /// How sending this page now ends.
    pub(crate) fn attempt(&mut self, page: &Page, now: Timestamp) -> VirtualAttempt {
        let Some(virtual_channel) = self.setting.channels.get(&page.channel) else {
            return failed(Duration::ZERO, SendError::unreachable("the channel is not in the matrix"));
        };
        let (mut late, mut injected) = (Duration::ZERO, None);
        for fault in self.setting.faults_now(now) {
            let told = || Some(fault.injected(1)).filter(|_| !self.setting.scenario.is_hindsight);
            match fault {
                ScenarioFaultKind::Down(channel) if *channel == page.channel => {
                    let down = SendError::retry("the channel is down (as the scenario says)");
                    return VirtualAttempt { injected: told(), ..failed(REFUSAL, down) };
                }
                ScenarioFaultKind::Broken(channel) if *channel == page.channel => {
                    let broken = SendError::broken("it refuses everybody (as the scenario says)");
                    return VirtualAttempt { injected: told(), ..failed(REFUSAL, broken) };
                }
                ScenarioFaultKind::Late(channel, delay) if *channel == page.channel => {
                    late += *delay;
                    injected = injected.or_else(told);
                }
                ScenarioFaultKind::Absent(person) if page.person.as_ref() == Some(person) => injected = told(),
                ScenarioFaultKind::Down(_)
                | ScenarioFaultKind::Broken(_)
                | ScenarioFaultKind::Late(..)
                | ScenarioFaultKind::Absent(_) => {}
            }
        }
        if let Some(person) = page.person.as_ref().filter(|_| self.setting.screens.contains(&page.channel))
            && !self.mind(person).at_desk
        {
            let closed = SendError::DeskClosed { after: LOOK_AGAIN, why: desk_closed(person.as_str()) };
            return failed(Duration::ZERO, closed);
        }
        if self.setting.manner == BehaviourModel::Scripted {
            return VirtualAttempt { takes: Duration::ZERO, result: Ok(receipt(page)), arrives: None, injected };
        }
        VirtualAttempt { injected, ..self.carried(page, virtual_channel, late) }
    }

    fn carried(&self, page: &Page, virtual_channel: &VirtualChannel, late: Duration) -> VirtualAttempt {
        let mut dice = self.dice_of(page);
        let takes = virtual_channel.accepts.quantile(dice.unit());
        if virtual_channel.timeout < takes {
            return failed(virtual_channel.timeout, SendError::unknown("no answer in time"));
        }
        let delivers = virtual_channel.delivers.quantile(dice.unit()) + late;
        let arrives = (!dice.happens(virtual_channel.lost)).then_some(delivers);
        VirtualAttempt { takes, result: Ok(receipt(page)), arrives, injected: None }
    }

    /// The random numbers for a page do not depend on its number, because that differs between two matrices.
    fn dice_of(&self, page: &Page) -> RandomStream {
        let purpose = match page.purpose {
            PagePurpose::Brief { .. } => "brief",
            PagePurpose::Taken { .. } => "taken",
            PagePurpose::HandedBack { .. } => "handed-back",
            PagePurpose::StoodDown => "stood-down",
            PagePurpose::Announced => "announced",
            PagePurpose::Resolved => "resolved",
            PagePurpose::RoomCard => "card",
            PagePurpose::RoomLine { .. } | PagePurpose::RoomNote { .. } => "line",
            PagePurpose::RoomUpdate { .. } => "update",
            PagePurpose::RoomFurnish => "furnish",
            PagePurpose::RoomInvite { .. } => "invite",
            PagePurpose::RoomSummary => "summary",
            PagePurpose::RoomArchive => "archive",
            PagePurpose::Notice { about } => about.name(),
        };
        let role = page.role.as_ref().map_or("", RoleName::as_str);
        let person = page.person.as_ref().map_or("", PersonName::as_str);
        let attempt = (u64::from(page.step_entry) << 32) + u64::from(page.refusals);
        RandomStream::new(self.seed, self.run, &[purpose, role, person, page.channel.as_str()]).nth(attempt)
    }

    fn mind(&mut self, person: &PersonName) -> VirtualPerson {
        if let Some(mind) = self.minds.get(person) {
            return *mind;
        }
        let model = self.setting.response_models.get(person);
        let mut dice = RandomStream::new(self.seed, self.run, &["person", person.as_str()]);
        let says = |said: Option<f64>, usual: f64| said.unwrap_or(usual);
        // Always drawn in this order: a different habit must not shift the other draws.
        let (notices, able, desk, rank) = (dice.unit(), dice.unit(), dice.unit(), dice.unit());
        let mind = VirtualPerson {
            notices: says(model.and_then(|model| model.ignores), IGNORES) <= notices,
            is_able: says(model.and_then(|model| model.unable), UNABLE) <= able,
            // In a script nothing is random: a desk page that is open more often than not is open.
            at_desk: match self.setting.manner {
                BehaviourModel::Drawn => desk < says(model.and_then(|model| model.at_desk), AT_DESK),
                BehaviourModel::Scripted => 0.5 <= says(model.and_then(|model| model.at_desk), AT_DESK),
            },
            rank,
        };
        self.minds.insert(person.clone(), mind);
        mind
    }
}

fn failed(takes: Duration, error: SendError) -> VirtualAttempt {
    VirtualAttempt { takes, result: Err(error), arrives: None, injected: None }
}

fn receipt(page: &Page) -> SendReceipt {
    let room = (page.purpose == PagePurpose::RoomCard).then(|| page.channel.to_string());
    SendReceipt { room, ..SendReceipt::default() }
}
