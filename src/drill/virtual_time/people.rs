//! People and channels in one run: what is drawn for each of them, and when.

use super::{Manner, Setting, Way};
use crate::{
    channel::SendError,
    core::{
        Answer, Page, PersonName, Purpose, Receipt, RoleName, Timestamp, Trouble as Injected, settlement::desk_closed,
    },
    drill::{
        dice::Dice,
        habits::{AT_DESK, IGNORES, UNABLE},
        scenario::Trouble,
    },
};
use std::{collections::BTreeMap, time::Duration};

/// How long a channel that is down takes to say so.
const REFUSAL: Duration = Duration::from_millis(50);

/// How soon a screen is looked at again on which no desk is open: that of the channel itself.
const LOOK_AGAIN: Duration = Duration::from_secs(5 * 60);

/// One person in one run.
#[derive(Debug, Clone, Copy)]
struct Mind {
    notices: bool,
    is_able: bool,
    at_desk: bool,
    /// How fast they are, from 0 (never faster) to 1 (never slower).
    rank: f64,
}

/// Everybody in one run.
pub(super) struct People<'a> {
    setting: &'a Setting<'a>,
    seed: u64,
    run: u64,
    minds: BTreeMap<PersonName, Mind>,
}

/// How an attempt will end.
pub(super) struct Attempt {
    /// After this long.
    pub takes: Duration,
    /// So.
    pub result: Result<Receipt, SendError>,
    /// How long after that it is on the device; none when it never is.
    pub arrives: Option<Duration>,
    /// What the scenario does to it on purpose.
    pub injected: Option<Injected>,
}

impl<'a> People<'a> {
    pub(super) fn new(setting: &'a Setting<'a>, seed: u64, run: u64) -> Self {
        Self { setting, seed, run, minds: BTreeMap::new() }
    }

    /// When, after a page arrived at `now`, its person answers it, and what; none when they do not.
    pub(super) fn answer(&mut self, page: &Page, role: &RoleName, now: Timestamp) -> Option<(Duration, Answer)> {
        let person = page.person.as_ref()?;
        let absent = |trouble: &Trouble| matches!(trouble, Trouble::Absent(who) if who == person);
        if self.setting.manner == Manner::Scripted || self.setting.troubles(now).any(absent) {
            return None;
        }
        let mind = self.mind(person);
        let (habits, way) = (self.setting.habits.get(person), self.setting.channels.get(&page.channel)?);
        let looks = habits.and_then(|habits| habits.by.as_ref()).is_none_or(|by| by.contains(&page.channel));
        if !mind.notices || !looks {
            return None;
        }
        let own = habits.and_then(|habits| habits.by_channel.get(&page.channel).or(habits.answers.as_ref()));
        let takes = own.unwrap_or(&way.reaction).quantile(mind.rank);
        let level = self.setting.matrix.roles.get(role)?.engaged_by;
        Some((takes, if mind.is_able { Answer::of_level(level) } else { Answer::Unable }))
    }

    /// How sending this page now ends.
    pub(super) fn attempt(&mut self, page: &Page, now: Timestamp) -> Attempt {
        let Some(way) = self.setting.channels.get(&page.channel) else {
            return failed(Duration::ZERO, SendError::unreachable("the channel is not in the matrix"));
        };
        let (mut late, mut injected) = (Duration::ZERO, None);
        for trouble in self.setting.troubles(now) {
            let told = || Some(trouble.injected(1)).filter(|_| !self.setting.scenario.is_hindsight);
            match trouble {
                Trouble::Down(channel) if *channel == page.channel => {
                    let down = SendError::retry("the channel is down (as the scenario says)");
                    return Attempt { injected: told(), ..failed(REFUSAL, down) };
                }
                Trouble::Broken(channel) if *channel == page.channel => {
                    let broken = SendError::broken("it refuses everybody (as the scenario says)");
                    return Attempt { injected: told(), ..failed(REFUSAL, broken) };
                }
                Trouble::Late(channel, delay) if *channel == page.channel => {
                    late += *delay;
                    injected = injected.or_else(told);
                }
                Trouble::Absent(person) if page.person.as_ref() == Some(person) => injected = told(),
                Trouble::Down(_) | Trouble::Broken(_) | Trouble::Late(..) | Trouble::Absent(_) => {}
            }
        }
        if let Some(person) = page.person.as_ref().filter(|_| self.setting.screens.contains(&page.channel))
            && !self.mind(person).at_desk
        {
            let closed = SendError::DeskClosed { after: LOOK_AGAIN, why: desk_closed(person.as_str()) };
            return failed(Duration::ZERO, closed);
        }
        if self.setting.manner == Manner::Scripted {
            return Attempt { takes: Duration::ZERO, result: Ok(receipt(page)), arrives: None, injected };
        }
        Attempt { injected, ..self.carried(page, way, late) }
    }

    fn carried(&self, page: &Page, way: &Way, late: Duration) -> Attempt {
        let mut dice = self.dice_of(page);
        let takes = way.accepts.quantile(dice.unit());
        if way.timeout < takes {
            return failed(way.timeout, SendError::unknown("no answer in time"));
        }
        let delivers = way.delivers.quantile(dice.unit()) + late;
        let arrives = (!dice.happens(way.lost)).then_some(delivers);
        Attempt { takes, result: Ok(receipt(page)), arrives, injected: None }
    }

    /// What is drawn for a page does not hang on its number, which differs between two matrices.
    fn dice_of(&self, page: &Page) -> Dice {
        let purpose = match page.purpose {
            Purpose::Brief { .. } => "brief",
            Purpose::Taken { .. } => "taken",
            Purpose::HandedBack { .. } => "handed-back",
            Purpose::StoodDown => "stood-down",
            Purpose::Announced => "announced",
            Purpose::Resolved => "resolved",
            Purpose::RoomCard => "card",
            Purpose::RoomLine { .. } | Purpose::RoomNote { .. } => "line",
            Purpose::RoomUpdate { .. } => "update",
            Purpose::RoomFurnish => "furnish",
            Purpose::RoomInvite { .. } => "invite",
            Purpose::RoomSummary => "summary",
            Purpose::RoomArchive => "archive",
            Purpose::Notice { about } => about.name(),
        };
        let role = page.role.as_ref().map_or("", RoleName::as_str);
        let person = page.person.as_ref().map_or("", PersonName::as_str);
        let attempt = (u64::from(page.rung) << 32) + u64::from(page.refusals);
        Dice::new(self.seed, self.run, &[purpose, role, person, page.channel.as_str()]).nth(attempt)
    }

    fn mind(&mut self, person: &PersonName) -> Mind {
        if let Some(mind) = self.minds.get(person) {
            return *mind;
        }
        let habits = self.setting.habits.get(person);
        let mut dice = Dice::new(self.seed, self.run, &["person", person.as_str()]);
        let says = |said: Option<f64>, usual: f64| said.unwrap_or(usual);
        // Always drawn in this order: another habit must not shift what else is drawn.
        let (notices, able, desk, rank) = (dice.unit(), dice.unit(), dice.unit(), dice.unit());
        let mind = Mind {
            notices: says(habits.and_then(|habits| habits.ignores), IGNORES) <= notices,
            is_able: says(habits.and_then(|habits| habits.unable), UNABLE) <= able,
            // In a script nothing is left to chance: a desk that is open more often than not is open.
            at_desk: match self.setting.manner {
                Manner::Drawn => desk < says(habits.and_then(|habits| habits.at_desk), AT_DESK),
                Manner::Scripted => 0.5 <= says(habits.and_then(|habits| habits.at_desk), AT_DESK),
            },
            rank,
        };
        self.minds.insert(person.clone(), mind);
        mind
    }
}

fn failed(takes: Duration, error: SendError) -> Attempt {
    Attempt { takes, result: Err(error), arrives: None, injected: None }
}

fn receipt(page: &Page) -> Receipt {
    let room = (page.purpose == Purpose::RoomCard).then(|| page.channel.to_string());
    Receipt { room, ..Receipt::default() }
}
