//! Contact coverage: by which channels people can be reached, who is on call, and how old the proof of each contact is.

use super::{OptOut, RuntimeConfig, metrics::ChannelProofs};
use crate::{
    core::{ChannelName, ContactProof, IncidentId, PersonName, RoleName, Timestamp, proof::ProofKind, time::StepTime},
    matrix::ContactField,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One person of the matrix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContactCoverage {
    /// The person's name in the matrix.
    pub person: PersonName,
    /// The person's display name.
    pub name: String,
    /// Roles that they would be paged for now, each with the first step that does so.
    pub on_call: Vec<OnCall>,
    /// The number of independent ways to reach them away from their desk: one each for phone, mailbox and account.
    pub ways: usize,
    /// Their channels, in the matrix's order.
    pub channels: Vec<ContactChannel>,
}

/// A role that a person would be paged for now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnCall {
    /// The role.
    pub role: RoleName,
    /// The first step that pages them, from 1.
    pub step: usize,
}

/// A channel of a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContactChannel {
    /// The channel.
    pub channel: ChannelName,
    /// When it was last proven to reach them; `None` if never, as far as is known.
    pub proven_at: Option<Timestamp>,
    /// The age of that proof, in seconds.
    pub age_seconds: Option<u64>,
    /// What proved it.
    pub how: Option<ProofKind>,
    /// Whether that was in a drill.
    pub drill: bool,
    /// The incident in which it was proven.
    pub incident: Option<IncidentId>,
    /// Whether it was never proven, or longer ago than `[daemon] proof_max_age`.
    pub stale: bool,
    /// When they opted out of it.
    pub opted_out: Option<Timestamp>,
    /// Whether the channel is in the sandbox now and reaches nobody.
    #[serde(default)]
    pub sandbox: bool,
    /// Whether they are to link their account there and have not: it does not reach them.
    #[serde(default)]
    pub unlinked: bool,
}

/// The coverage of all people, by name.
pub fn contact_coverage(
    config: &RuntimeConfig,
    proofs: &[ContactProof],
    opt_outs: &[OptOut],
    unlinked: &BTreeSet<(ChannelName, PersonName)>,
    time: impl Into<StepTime>,
) -> Vec<ContactCoverage> {
    let StepTime { now, civil } = time.into();
    let known: BTreeMap<(&PersonName, &ChannelName), &ContactProof> =
        proofs.iter().map(|proof| ((&proof.person, &proof.channel), proof)).collect();
    let person = |(person, settings): (&PersonName, &crate::matrix::Person)| {
        let channels = config.matrix.roster.channels(person);
        let left = |name: &ChannelName| opt_outs.iter().find(|out| out.person == *person && out.channel == *name);
        let is_unlinked = |name: &ChannelName| unlinked.contains(&(name.clone(), person.clone()));
        let reaches = |name: &&ChannelName| left(name).is_none() && !is_unlinked(name) && !is_sandboxed(config, name);
        let open = channels.iter().filter(reaches);
        let data: BTreeSet<ContactField> = open.filter_map(|name| config.matrix.channel(name)?.needs()).collect();
        let contact = |name: &ChannelName| ContactChannel {
            opted_out: left(name).map(|out| out.since),
            unlinked: is_unlinked(name),
            ..contact(config, name, known.get(&(person, name)).copied(), now)
        };
        ContactCoverage {
            person: person.clone(),
            name: settings.name.clone(),
            on_call: on_call(config, person, civil),
            // A page at a desk reaches only the person who sits there.
            ways: data.len(),
            channels: channels.iter().map(contact).collect(),
        }
    };
    config.matrix.people.iter().map(person).collect()
}

/// The proofs by channel, for metrics.
pub fn proven(people: &[ContactCoverage]) -> BTreeMap<ChannelName, ChannelProofs> {
    let mut proven: BTreeMap<ChannelName, ChannelProofs> = BTreeMap::new();
    for contact in people.iter().flat_map(|person| &person.channels) {
        let channel = proven.entry(contact.channel.clone()).or_default();
        match contact.age_seconds {
            Some(age) => channel.oldest_seconds = channel.oldest_seconds.max(Some(age)),
            None => channel.never += 1,
        }
    }
    proven
}

fn contact(
    config: &RuntimeConfig,
    channel: &ChannelName,
    proof: Option<&ContactProof>,
    now: Timestamp,
) -> ContactChannel {
    let age = proof.map(|proof| now.since(proof.at));
    ContactChannel {
        channel: channel.clone(),
        proven_at: proof.map(|proof| proof.at),
        age_seconds: age.map(|age| age.as_secs()),
        how: proof.map(|proof| proof.how),
        drill: proof.is_some_and(|proof| proof.drill),
        incident: proof.map(|proof| proof.incident),
        opted_out: None,
        unlinked: false,
        sandbox: is_sandboxed(config, channel),
        stale: age.is_none_or(|age| config.matrix.daemon.proof_max_age() < age),
    }
}

fn is_sandboxed(config: &RuntimeConfig, channel: &ChannelName) -> bool {
    config.channels.get(channel).is_some_and(|active| active.sandboxed.is_some())
}

fn on_call(config: &RuntimeConfig, person: &PersonName, civil: Timestamp) -> Vec<OnCall> {
    let pages = |steps: &[crate::core::StepPlan]| {
        steps.iter().position(|step| config.matrix.roster.resolve(&step.page, civil).contains(person))
    };
    let roles = config.matrix.roles.iter();
    roles.filter_map(|(role, row)| Some(OnCall { role: role.clone(), step: pages(&row.steps)? + 1 })).collect()
}
