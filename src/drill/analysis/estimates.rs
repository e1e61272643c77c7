//! The fit itself, figure by figure: what is measured, what is assumed, and the scenario that has them.

use crate::{
    core::{ChannelName, PersonName},
    drill::{
        Scenario,
        analysis::{
            mixture::{CompetingTimes, LEAST, LogNormal, MixtureBelief, PRIOR_WEIGHT, TimeObservation, fit, share},
            response_history::{AskedPerson, ChannelDelays, ResponseHistory},
        },
        scenario::{
            distribution::DelayDistribution,
            response_model::{self, ResponseModel},
        },
    },
    matrix::{ChannelKind, Matrix},
};
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};

/// What a figure stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EstimateBasis {
    /// The history has nothing on it.
    Assumed,
    /// It has less than the assumption weighs ([`PRIOR_WEIGHT`]).
    MostlyAssumed,
    /// It has as much or more.
    Fitted,
}

/// A probability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct EstimatedShare {
    /// It, from 0 to 1.
    pub share: f64,
    /// How often it was so.
    pub hits: usize,
    /// Of how many.
    pub of: usize,
    /// On what it stands.
    pub basis: EstimateBasis,
}

/// A time by one channel.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TimeFit {
    /// How many were seen to end.
    pub seen: usize,
    /// How many were lost sight of before, and count as at least that long.
    pub censored: usize,
    /// The median, in seconds.
    pub median_s: f64,
    /// Nine of ten, in seconds.
    pub p90_s: f64,
    /// On what it stands.
    pub basis: EstimateBasis,
}

/// How one person answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PersonFit {
    /// Who.
    pub person: PersonName,
    /// In how many incidents a page reached them.
    pub asked: usize,
    /// In how many of those they answered while somebody was waiting.
    pub answered: usize,
    /// Nothing reaches them. Its `hits` are silences, of which the rest are answers that would have come later.
    pub ignores: EstimatedShare,
    /// They cannot, of those who answered.
    pub unable: EstimatedShare,
    /// Their desk page is open, of those incidents in which it was tried; `None` if the matrix has no screen.
    pub at_desk: Option<EstimatedShare>,
    /// How long they take, by each channel that the history knows; by the others it is assumed.
    pub answers: BTreeMap<ChannelName, TimeFit>,
}

/// How one channel carries.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChannelFit {
    /// Which.
    pub channel: ChannelName,
    /// Until its provider accepts; of pages that it took at once.
    pub accepts: TimeFit,
    /// From then on until the device has it; of pages of which the provider said so.
    pub delivers: TimeFit,
    /// The share that never arrives, of those of which the provider said anything.
    pub lost: EstimatedShare,
}

/// What a history says about the people and channels of a scenario.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedModel {
    /// Incidents that were read, drills included.
    pub incidents: usize,
    /// How many of them were drills.
    pub drills: usize,
    /// Of how many of them pages were kept in the sandbox, and are left out.
    pub sandboxed: usize,
    /// Those that could not be read.
    pub unreadable: usize,
    /// How many observations the assumption is worth.
    pub prior_weight: f64,
    /// Everybody in the matrix.
    pub people: Vec<PersonFit>,
    /// Every channel of it.
    pub channels: Vec<ChannelFit>,
}

impl ResponseHistory {
    /// The scenario with what this history shows in place of what is assumed there, and what that is. People and
    /// channels that the matrix does not know are left out.
    pub fn fit(&self, scenario: &Scenario, matrix: &Matrix) -> (Scenario, FittedModel) {
        let mut scenario = scenario.clone();
        let kinds: Vec<(ChannelName, ChannelKind)> =
            matrix.channels.iter().map(|(name, settings)| (name.clone(), settings.kind())).collect();
        let nothing = ChannelDelays::default();
        let channels = kinds.iter().map(|(channel, kind)| {
            let carried = self.carried.get(channel).unwrap_or(&nothing);
            carried.fit(&mut scenario, channel, *kind)
        });
        let channels: Vec<ChannelFit> = channels.collect();
        let people = matrix.people.keys().map(|person| self.person(&mut scenario, person, &kinds, &channels));
        let people = people.collect();
        let (incidents, drills) = (self.incidents, self.drills);
        let (sandboxed, unreadable) = (self.sandboxed, self.unreadable);
        (
            scenario,
            FittedModel { incidents, drills, sandboxed, unreadable, prior_weight: PRIOR_WEIGHT, people, channels },
        )
    }

    fn person(
        &self,
        scenario: &mut Scenario,
        person: &PersonName,
        kinds: &[(ChannelName, ChannelKind)],
        channels: &[ChannelFit],
    ) -> PersonFit {
        let habits = scenario.habits_of(person);
        let asked = self.asked.get(person).map_or(&[][..], Vec::as_slice);
        let reaction = |kind: &ChannelKind| habits.answers.clone().unwrap_or_else(|| response_model::reaction(*kind));
        let assumed = MixtureBelief {
            never: habits.ignores.unwrap_or(response_model::IGNORES),
            times: kinds.iter().map(|(_, kind)| LogNormal::of(&reaction(kind))).collect(),
        };
        let trials: Vec<CompetingTimes> = asked.iter().map(|asked| asked.trial(channels)).collect();
        let belief = fit(&trials, &assumed);
        let answers = kinds.iter().zip(&belief.times).enumerate().filter_map(|(n, ((channel, _), log))| {
            let of_it = || trials.iter().flat_map(|trial| &trial.waits).filter(|wait| wait.of == n);
            let seen = of_it().filter(|wait| wait.happened).count();
            TimeFit::of(seen, of_it().count(), *log).map(|time| (channel.clone(), time))
        });
        let told = PersonFit { answers: answers.collect(), ..shares(person, asked, &habits, belief.never, kinds) };
        scenario.habits.insert(person.clone(), told.habits(habits));
        told
    }
}

/// How often they did what.
fn shares(
    person: &PersonName,
    asked: &[AskedPerson],
    habits: &ResponseModel,
    never: f64,
    kinds: &[(ChannelName, ChannelKind)],
) -> PersonFit {
    let answered = asked.iter().filter(|asked| asked.answered.is_some()).count();
    let unable = asked.iter().filter(|asked| asked.answered == Some(true)).count();
    let desks = || asked.iter().flat_map(|asked| &asked.at_once).filter(|(name, _)| is_screen(kinds, name));
    let (open, tried) = (desks().filter(|(_, open)| **open).count(), desks().count());
    let at_desk = EstimatedShare::of(open, tried, habits.at_desk.unwrap_or(response_model::AT_DESK));
    let silent = EstimatedShare::of(asked.len() - answered, asked.len(), never);
    PersonFit {
        person: person.clone(),
        asked: asked.len(),
        answered,
        ignores: EstimatedShare { share: never, ..silent },
        unable: EstimatedShare::of(unable, answered, habits.unable.unwrap_or(response_model::UNABLE)),
        at_desk: kinds.iter().any(|(_, kind)| *kind == ChannelKind::SCREEN).then_some(at_desk),
        answers: BTreeMap::new(),
    }
}

impl PersonFit {
    /// What is measured, in place of what was believed.
    fn habits(&self, mut habits: ResponseModel) -> ResponseModel {
        for (channel, time) in &self.answers {
            habits.by_channel.extend(time.measured().map(|answers| (channel.clone(), answers)));
        }
        habits.ignores = self.ignores.measured().or(habits.ignores);
        habits.unable = self.unable.measured().or(habits.unable);
        habits.at_desk = self.at_desk.and_then(|desk| desk.measured()).or(habits.at_desk);
        habits
    }
}

fn is_screen(kinds: &[(ChannelName, ChannelKind)], channel: &ChannelName) -> bool {
    kinds.iter().any(|(name, kind)| name == channel && *kind == ChannelKind::SCREEN)
}

impl AskedPerson {
    fn trial(&self, channels: &[ChannelFit]) -> CompetingTimes {
        let waits = self.waits.iter().filter_map(|seen| {
            let of = channels.iter().position(|fit| fit.channel == seen.channel)?;
            let under_way = channels.get(of).map_or(0.0, |fit| fit.delivers.median_s);
            let seconds = if seen.from_device { seen.seconds } else { seen.seconds - under_way };
            // A page that was still under way says nothing about its person.
            (seen.answered || LEAST < seconds).then(|| TimeObservation {
                of,
                log: seconds.max(LEAST).ln(),
                happened: seen.answered,
            })
        });
        CompetingTimes { came: self.answered.is_some(), waits: waits.collect() }
    }
}

impl ChannelDelays {
    fn fit(&self, scenario: &mut Scenario, channel: &ChannelName, kind: ChannelKind) -> ChannelFit {
        let said = scenario.carriage.entry(channel.clone()).or_default();
        let usual =
            |said: &Option<DelayDistribution>, kind: DelayDistribution| LogNormal::of(said.as_ref().unwrap_or(&kind));
        let accepts = times(&self.accepts, usual(&said.accepts, response_model::acceptance(kind)));
        let delivers = times(&self.delivers, usual(&said.delivers, response_model::delivery(kind)));
        let reported = self.delivers.len() + self.lost;
        let lost = EstimatedShare::of(self.lost, reported, said.lost.unwrap_or_else(|| response_model::lost(kind)));
        said.accepts = accepts.measured().or_else(|| said.accepts.take());
        said.delivers = delivers.measured().or_else(|| said.delivers.take());
        said.lost = lost.measured().or(said.lost);
        ChannelFit { channel: channel.clone(), accepts, delivers, lost }
    }
}

/// Times that all ended.
fn times(seconds: &[f64], assumed: LogNormal) -> TimeFit {
    let wait = |seconds: &f64| TimeObservation { of: 0, log: seconds.max(LEAST).ln(), happened: true };
    let trials: Vec<CompetingTimes> =
        seconds.iter().map(|seconds| CompetingTimes { came: true, waits: vec![wait(seconds)] }).collect();
    let belief = fit(&trials, &MixtureBelief { never: 0.0, times: vec![assumed] });
    let log = belief.times.first().copied().unwrap_or(assumed);
    TimeFit::with(seconds.len(), seconds.len(), log)
}

impl TimeFit {
    fn of(seen: usize, of: usize, log: LogNormal) -> Option<Self> {
        (0 < of).then(|| Self::with(seen, of, log))
    }

    fn with(seen: usize, of: usize, log: LogNormal) -> Self {
        let distribution = log.distribution();
        let [median_s, p90_s] = [0.5, 0.9].map(|part| distribution.quantile(part).as_secs_f64());
        Self { seen, censored: of - seen, median_s, p90_s, basis: EstimateBasis::of(seen, of) }
    }

    fn measured(&self) -> Option<DelayDistribution> {
        let [median, p90] = [self.median_s, self.p90_s].map(Duration::from_secs_f64);
        (self.basis != EstimateBasis::Assumed).then(|| DelayDistribution::log_normal(median, p90))
    }
}

impl EstimatedShare {
    fn of(hits: usize, of: usize, assumed: f64) -> Self {
        Self { share: share(hits, of, assumed), hits, of, basis: EstimateBasis::of(of, of) }
    }

    fn measured(&self) -> Option<f64> {
        (self.basis != EstimateBasis::Assumed).then_some(self.share)
    }
}

impl EstimateBasis {
    /// Of this many observations, of which so many were complete.
    pub fn of(complete: usize, all: usize) -> Self {
        match () {
            () if all == 0 => Self::Assumed,
            () if (complete as f64) < PRIOR_WEIGHT => Self::MostlyAssumed,
            () => Self::Fitted,
        }
    }

    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Assumed => "assumed",
            Self::MostlyAssumed => "mostly assumed",
            Self::Fitted => "fitted",
        }
    }
}
