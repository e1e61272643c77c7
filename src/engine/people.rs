//! People as their providers know them: looked up when the matrix is loaded, so that a wrong id is found before the
//! crisis. Nothing waits for it.

use super::{Engine, Live};
use crate::{
    channel::Contact,
    core::{ChannelName, PersonName},
    matrix::ChannelKind,
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
pub struct Known {
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
            whole &= self.look_up(&live, name).await;
        }
        whole
    }

    /// Why people of the matrix can not be reached by a channel, as far as that was looked up.
    pub fn holes(&self) -> BTreeMap<(ChannelName, PersonName), String> {
        self.live.load().known().holes.clone()
    }

    async fn look_up(&self, live: &Live, channel: &ChannelName) -> bool {
        let Some(wired) = live.channels.get(channel) else { return true };
        if wired.kind != ChannelKind::Slack || wired.sandboxed.is_some() {
            return true;
        }
        let unknown: Vec<Contact> = {
            let known = live.known();
            let people =
                live.matrix.people.keys().filter(|person| live.matrix.roster.channels(person).contains(channel));
            let unknown = people.filter(|person| !known.looked_up.contains(&(channel.clone(), (*person).clone())));
            unknown.filter_map(|person| live.contact(person)).collect()
        };
        if unknown.is_empty() {
            return true;
        }
        let asked = &unknown[..unknown.len().min(ROUND_PEOPLE)];
        let checks = tokio::time::timeout(ROUND, wired.channel.check_people(asked)).await.unwrap_or_default();
        let found = checks.len();
        let mut known = live.known();
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
}

impl Live {
    /// Whose Slack account this is: by the matrix, or as Slack itself said.
    pub fn person_of_slack(&self, id: &str) -> Option<PersonName> {
        let given = self.matrix.person_of_slack(id).cloned();
        given.or_else(|| self.known().ids.get(id).cloned())
    }

    pub(super) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
