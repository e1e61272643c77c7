//! The fit of each figure: what is measured, what is assumed, and the scenario that results.

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

/// What a figure is based on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EstimateBasis {
    /// The history has no data for it.
    Assumed,
    /// The history has less data than the assumption counts for ([`PRIOR_WEIGHT`]).
    MostlyAssumed,
    /// The history has at least as much data.
    Fitted,
}

/// A probability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct EstimatedShare {
    /// The probability, from 0 to 1.
    pub share: f64,
    /// How often it happened.
    pub hits: usize,
    /// In how many cases.
    pub of: usize,
    /// What it is based on.
    pub basis: EstimateBasis,
}

/// A time for one channel.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TimeFit {
    /// How many times ended while they were observed.
    pub seen: usize,
    /// How many were censored: they were observed only for a while, and count as at least that long.
    pub censored: usize,
    /// The median, in seconds.
    pub median_s: f64,
    /// The 90th percentile, in seconds.
    pub p90_s: f64,
    /// What it is based on.
    pub basis: EstimateBasis,
}

/// How one person responds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PersonFit {
    /// The person.
    pub person: PersonName,
    /// The number of incidents in which a page reached them.
    pub asked: usize,
    /// The number of those in which they answered while somebody waited.
    pub answered: usize,
    /// The probability that nothing reaches them. `hits` counts silences; the silences beyond this probability are
    /// answers that would have come later.
    pub ignores: EstimatedShare,
    /// The probability that they answer unable, among their answers.
    pub unable: EstimatedShare,
    /// The probability that their desk page is open, among incidents in which it was tried; `None` if the matrix has no
    /// screen.
    pub at_desk: Option<EstimatedShare>,
    /// How long they take by each channel that the history knows; for other channels it is assumed.
    pub answers: BTreeMap<ChannelName, TimeFit>,
}

/// How one channel delivers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChannelFit {
    /// The channel.
    pub channel: ChannelName,
    /// The time until its provider accepts a page, for pages that it accepted on the first attempt.
    pub accepts: TimeFit,
    /// The time from then until the page is on the device, for pages with a delivery report.
    pub delivers: TimeFit,
    /// The share that never arrives, among pages with any report from the provider.
    pub lost: EstimatedShare,
}

/// What a history shows about the people and channels of a scenario.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedModel {
    /// How many incidents were read, including drills.
    pub incidents: usize,
    /// How many of them were drills.
    pub drills: usize,
    /// How many of them had pages in the sandbox; those pages are left out.
    pub sandboxed: usize,
    /// How many could not be read.
    pub unreadable: usize,
    /// How many observations the assumption counts for.
    pub prior_weight: f64,
    /// Everybody in the matrix.
    pub people: Vec<PersonFit>,
    /// Every channel in the matrix.
    pub channels: Vec<ChannelFit>,
}

impl ResponseHistory {
    /// The scenario with this history's measurements in place of its assumptions, and a list of them. People and
    /// channels that are not in the matrix are left out.
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
        let model = scenario.response_model_of(person);
        let asked = self.asked.get(person).map_or(&[][..], Vec::as_slice);
        let reaction = |kind: &ChannelKind| model.answers.clone().unwrap_or_else(|| response_model::reaction(*kind));
        let assumed = MixtureBelief {
            never: model.ignores.unwrap_or(response_model::IGNORES),
            times: kinds.iter().map(|(_, kind)| LogNormal::of(&reaction(kind))).collect(),
        };
        let trials: Vec<CompetingTimes> = asked.iter().map(|asked| asked.trial(channels)).collect();
        let belief = fit(&trials, &assumed);
        let answers = kinds.iter().zip(&belief.times).enumerate().filter_map(|(n, ((channel, _), log))| {
            let of_it = || trials.iter().flat_map(|trial| &trial.waits).filter(|wait| wait.of == n);
            let seen = of_it().filter(|wait| wait.happened).count();
            TimeFit::of(seen, of_it().count(), *log).map(|time| (channel.clone(), time))
        });
        let person_fit = PersonFit { answers: answers.collect(), ..shares(person, asked, &model, belief.never, kinds) };
        scenario.response_models.insert(person.clone(), person_fit.model(model));
        person_fit
    }
}

/// How often each person did what.
fn shares(
    person: &PersonName,
    asked: &[AskedPerson],
    model: &ResponseModel,
    never: f64,
    kinds: &[(ChannelName, ChannelKind)],
) -> PersonFit {
    let answered = asked.iter().filter(|asked| asked.answered.is_some()).count();
    let unable = asked.iter().filter(|asked| asked.answered == Some(true)).count();
    let desks = || asked.iter().flat_map(|asked| &asked.at_once).filter(|(name, _)| is_screen(kinds, name));
    let (open, tried) = (desks().filter(|(_, open)| **open).count(), desks().count());
    let at_desk = EstimatedShare::of(open, tried, model.at_desk.unwrap_or(response_model::AT_DESK));
    let silent = EstimatedShare::of(asked.len() - answered, asked.len(), never);
    PersonFit {
        person: person.clone(),
        asked: asked.len(),
        answered,
        ignores: EstimatedShare { share: never, ..silent },
        unable: EstimatedShare::of(unable, answered, model.unable.unwrap_or(response_model::UNABLE)),
        at_desk: kinds.iter().any(|(_, kind)| *kind == ChannelKind::SCREEN).then_some(at_desk),
        answers: BTreeMap::new(),
    }
}

impl PersonFit {
    /// The response model with measured values in place of assumed ones.
    fn model(&self, mut model: ResponseModel) -> ResponseModel {
        for (channel, time) in &self.answers {
            model.by_channel.extend(time.measured().map(|answers| (channel.clone(), answers)));
        }
        model.ignores = self.ignores.measured().or(model.ignores);
        model.unable = self.unable.measured().or(model.unable);
        model.at_desk = self.at_desk.and_then(|desk| desk.measured()).or(model.at_desk);
        model
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
            // A page that was still on its way says nothing about its person.
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

/// A fit of times that all ended.
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
    /// The basis for this many observations, of which `complete` were complete.
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
