//! Looks people up at their providers after the matrix is loaded, so that a wrong account id is found before a crisis.
//! Nothing waits for it.

use crate::{
    channel::{ContactData, ProbeCheck, contact::ContactField},
    core::{ChannelName, PersonName},
    engine::{RuntimeConfig, health::Health},
};
use std::{collections::BTreeMap, time::Duration};

/// How many people are looked up in one round, and how long a round may take: providers allow some forty lookups a
/// minute.
const ROUND_PEOPLE: usize = 20;
const ROUND: Duration = Duration::from_secs(20);

/// The pause between two rounds: while some people are still to be looked up, and when all have been.
pub(in crate::engine) const REST: Duration = Duration::from_secs(30);
pub(in crate::engine) const REST_WHOLE: Duration = Duration::from_secs(2);

impl Health {
    /// Looks up people who were not looked up yet. Returns whether all have been.
    pub async fn tick_people(&self) -> bool {
        let config = self.context.config.load_full();
        let mut whole = true;
        for name in config.channels.keys() {
            whole &= config.look_up(name).await;
        }
        whole
    }

    /// Why people can not be reached by a channel, as far as they were looked up.
    pub fn holes(&self) -> BTreeMap<(ChannelName, PersonName), String> {
        self.context.config.load().known().holes.clone()
    }
}

impl RuntimeConfig {
    /// The person with this account: as the matrix says, or as the provider itself said.
    pub fn person_of(&self, field: ContactField, account: &str) -> Option<PersonName> {
        let given = self.matrix.person_of(field, account).cloned();
        given.or_else(|| self.known().ids.get(&(field, account.to_owned())).cloned())
    }

    /// Checks of the people whom a channel shall reach; empty for channels that can not look people up.
    pub(in crate::engine) async fn look_at_people(&self, channel: &ChannelName) -> Vec<ProbeCheck> {
        let whole = self.look_up(channel).await;
        let known = self.known();
        let found = known.looked_up.iter().filter(|(by, _)| by == channel).count();
        let holes = known.holes.iter().filter(|((by, _), _)| by == channel);
        let holes: Vec<ProbeCheck> =
            holes.map(|((_, who), why)| ProbeCheck::failed("people", format!("{who}: {why}"))).collect();
        match (whole, found) {
            (true, 0) => holes,
            (true, found) if holes.is_empty() => vec![ProbeCheck::fine("people", format!("all {found} are known"))],
            (false, found) if holes.is_empty() => {
                vec![ProbeCheck::doubtful("people", format!("{found} looked up so far, others not yet"))]
            }
            _ => holes,
        }
    }

    /// Looks up some people who were not looked up yet. Returns whether all have been.
    async fn look_up(&self, channel: &ChannelName) -> bool {
        let Some(active) = self.channels.get(channel) else { return true };
        if !active.kind.spec().looks_people_up || active.sandboxed.is_some() {
            return true;
        }
        let unknown: Vec<ContactData> = {
            let known = self.known();
            let people =
                self.matrix.people.keys().filter(|person| self.matrix.roster.channels(person).contains(channel));
            let unknown = people.filter(|person| !known.looked_up.contains(&(channel.clone(), (*person).clone())));
            unknown.filter_map(|person| self.contact(person)).collect()
        };
        if unknown.is_empty() {
            return true;
        }
        let asked = &unknown[..unknown.len().min(ROUND_PEOPLE)];
        let checks = tokio::time::timeout(ROUND, active.channel.check_people(asked)).await.unwrap_or_default();
        let found = checks.len();
        let mut known = self.known();
        for check in checks {
            let person = PersonName::from(check.person.as_str());
            if let (Some(id), Some(field)) = (check.id, active.kind.spec().contact) {
                known.ids.insert((field, id), person.clone());
            }
            known.looked_up.insert((channel.clone(), person.clone()));
            if let Some(problem) = check.problem {
                tracing::warn!(person = %person, channel = %channel, "{person} can not be reached by {channel}: {problem}");
                known.holes.insert((channel.clone(), person), problem);
            }
        }
        found == unknown.len()
    }
}
