//! Who can be reached by what, who is on call, and how old the proof of each contact is.

use super::{OptOut, RuntimeConfig, metrics::ChannelProofs};
use crate::{
    core::{ChannelName, ContactProof, IncidentId, PersonName, RoleName, Timestamp, proof::ProofKind},
    matrix::ContactField,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One person of the matrix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContactCoverage {
    /// Their name in the matrix.
    pub person: PersonName,
    /// How humans call them.
    pub name: String,
    /// The roles that they would be paged for now, each with the first step that does.
    pub on_call: Vec<OnCall>,
    /// In how many independent ways a page finds them away from their desk: one for each of phone, mailbox and account.
    pub ways: usize,
    /// By what they can be reached, in the matrix's order.
    pub channels: Vec<ContactChannel>,
}

/// One role that a person would be paged for now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnCall {
    /// The role.
    pub role: RoleName,
    /// The first of its steps that pages them, from 1.
    pub step: usize,
}

/// One channel that reaches a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContactChannel {
    /// The channel.
    pub channel: ChannelName,
    /// When it was last proven; none where it never was, as far as is known.
    pub proven_at: Option<Timestamp>,
    /// How long ago that is.
    pub age_seconds: Option<u64>,
    /// What showed it.
    pub how: Option<ProofKind>,
    /// In a drill.
    pub drill: bool,
    /// In which incident.
    pub incident: Option<IncidentId>,
    /// Never proven, or longer ago than `[daemon] proof_max_age`.
    pub stale: bool,
    /// Since when they want nothing by it any more, by their own word.
    pub opted_out: Option<Timestamp>,
    /// The channel stands in the sandbox now: it reaches nobody.
    #[serde(default)]
    pub sandbox: bool,
}

/// Everybody, by name.
pub fn contact_coverage(
    config: &RuntimeConfig,
    proofs: &[ContactProof],
    opt_outs: &[OptOut],
    now: Timestamp,
) -> Vec<ContactCoverage> {
    let known: BTreeMap<(&PersonName, &ChannelName), &ContactProof> =
        proofs.iter().map(|proof| ((&proof.person, &proof.channel), proof)).collect();
    let person = |(person, settings): (&PersonName, &crate::matrix::Person)| {
        let channels = config.matrix.roster.channels(person);
        let left = |name: &ChannelName| opt_outs.iter().find(|out| out.person == *person && out.channel == *name);
        let open = channels.iter().filter(|name| left(name).is_none() && !is_sandboxed(config, name));
        let data: BTreeSet<ContactField> =
            open.filter_map(|name| config.matrix.channel(name)).map(|channel| channel.needs()).collect();
        let way = |name: &ChannelName| ContactChannel {
            opted_out: left(name).map(|out| out.since),
            ..way(config, name, known.get(&(person, name)).copied(), now)
        };
        ContactCoverage {
            person: person.clone(),
            name: settings.name.clone(),
            on_call: on_call(config, person, now),
            // A desk page reaches only who sits before it.
            ways: data.iter().filter(|datum| **datum != ContactField::Nothing).count(),
            channels: channels.iter().map(way).collect(),
        }
    };
    config.matrix.people.iter().map(person).collect()
}

/// The same by channel, for those who measure.
pub fn proven(people: &[ContactCoverage]) -> BTreeMap<ChannelName, ChannelProofs> {
    let mut proven: BTreeMap<ChannelName, ChannelProofs> = BTreeMap::new();
    for way in people.iter().flat_map(|person| &person.channels) {
        let channel = proven.entry(way.channel.clone()).or_default();
        match way.age_seconds {
            Some(age) => channel.oldest_seconds = channel.oldest_seconds.max(age),
            None => channel.never += 1,
        }
    }
    proven
}

fn way(config: &RuntimeConfig, channel: &ChannelName, proof: Option<&ContactProof>, now: Timestamp) -> ContactChannel {
    let age = proof.map(|proof| now.since(proof.at));
    ContactChannel {
        channel: channel.clone(),
        proven_at: proof.map(|proof| proof.at),
        age_seconds: age.map(|age| age.as_secs()),
        how: proof.map(|proof| proof.how),
        drill: proof.is_some_and(|proof| proof.drill),
        incident: proof.map(|proof| proof.incident),
        opted_out: None,
        sandbox: is_sandboxed(config, channel),
        stale: age.is_none_or(|age| config.matrix.daemon.proof_max_age() < age),
    }
}

fn is_sandboxed(config: &RuntimeConfig, channel: &ChannelName) -> bool {
    config.channels.get(channel).is_some_and(|active| active.sandboxed.is_some())
}

fn on_call(config: &RuntimeConfig, person: &PersonName, now: Timestamp) -> Vec<OnCall> {
    let pages = |steps: &[crate::core::StepPlan]| {
        steps.iter().position(|step| config.matrix.roster.resolve(&step.page, now).contains(person))
    };
    let roles = config.matrix.roles.iter();
    roles.filter_map(|(role, row)| Some(OnCall { role: role.clone(), step: pages(&row.steps)? + 1 })).collect()
}
