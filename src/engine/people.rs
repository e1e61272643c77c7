//! People as their providers know them: looked up when the matrix is loaded, so that a wrong id is found before the
//! crisis. Nothing waits for it.

use super::{Engine, RuntimeConfig};
use crate::{
    channel::{ContactData, ProbeCheck},
    core::{ChannelName, PersonName},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{MutexGuard, PoisonError},
    time::Duration,
};

/// How many people are looked up in one round, and how long that may take: providers bound such calls to some forty a
/// minute.
const ROUND_PEOPLE: usize = 20;
const ROUND: Duration = Duration::from_secs(20);

/// How long the rounds rest while somebody is still to be looked up, and when all have been.
pub(super) const REST: Duration = Duration::from_secs(30);
pub(super) const REST_WHOLE: Duration = Duration::from_secs(2);

/// What was found out about people, for one load of the matrix.
#[derive(Debug, Default)]
pub struct PeopleLookup {
    /// Why somebody can not be reached by a channel.
    pub holes: BTreeMap<(ChannelName, PersonName), String>,
    /// Whose ids were found.
    pub ids: BTreeMap<String, PersonName>,
    /// Who was looked up, by which channel.
    looked_up: BTreeSet<(ChannelName, PersonName)>,
}

impl Engine {
    /// Looks up those whom no round has found yet; whether all have been.
    pub async fn tick_people(&self) -> bool {
        let live = self.live.load_full();
        let mut whole = true;
        for name in live.channels.keys() {
            whole &= live.look_up(name).await;
        }
        whole
    }

    /// Why people of the matrix can not be reached by a channel, as far as that was looked up.
    pub fn holes(&self) -> BTreeMap<(ChannelName, PersonName), String> {
        self.live.load().known().holes.clone()
    }
}

impl RuntimeConfig {
    /// Whose Slack account this is: by the matrix, or as Slack itself said.
    pub fn person_of_slack(&self, id: &str) -> Option<PersonName> {
        let given = self.matrix.person_of_slack(id).cloned();
        given.or_else(|| self.known().ids.get(id).cloned())
    }

    /// What a look at the people shows that a channel shall reach; nothing for channels that can not be asked.
    pub(super) async fn look_at_people(&self, channel: &ChannelName) -> Vec<ProbeCheck> {
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

    /// Looks up some of those whom no round has found yet; whether all have been.
    async fn look_up(&self, channel: &ChannelName) -> bool {
        let Some(wired) = self.channels.get(channel) else { return true };
        if wired.kind != crate::channel::slack::KIND || wired.sandboxed.is_some() {
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
        let checks = tokio::time::timeout(ROUND, wired.channel.check_people(asked)).await.unwrap_or_default();
        let found = checks.len();
        let mut known = self.known();
        for check in checks {
            let person = PersonName::from(check.person.as_str());
            if let Some(id) = check.id {
                known.ids.insert(id, person.clone());
            }
            known.looked_up.insert((channel.clone(), person.clone()));
            if let Some(trouble) = check.trouble {
                tracing::warn!(person = %person, channel = %channel, "{person} can not be reached by {channel}: {trouble}");
                known.holes.insert((channel.clone(), person), trouble);
            }
        }
        found == unknown.len()
    }

    pub(super) fn known(&self) -> MutexGuard<'_, PeopleLookup> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
