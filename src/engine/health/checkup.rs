//! The checks of `stentor doctor`: all parts at once, each with a time limit.

use crate::{
    channel::{CheckOutcome, ProbeCheck, contact::ContactField, kinds::contact_fields},
    core::{
        ChannelName, ContactProof, PersonName, Timestamp,
        time::StepTime,
        zone::{ZoneData, ZoneSource},
    },
    engine::{
        OptOut, RuntimeConfig,
        active_channel::PROBE_TIME_MAX,
        channel_factory::secret,
        contact_coverage::{ContactCoverage, contact_coverage},
    },
    store::{DiskSpace, StoreError},
};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::time::timeout;

/// The most people who are named one by one; `stentor people` shows all.
const NAMED_MAX: usize = 20;

/// How many people whom nothing ever reached are named one by one.
const FEW: usize = 3;

/// Free bytes of the state directory below which the doctor warns: a day of a busy desk.
const FREE_MIN: u64 = 256 << 20;

/// How old the time zone data may be before the doctor warns: rules change several times a year.
pub const ZONES_AGE_MAX: Duration = Duration::from_secs(365 * 24 * 3600);

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoctorFinding {
    /// The part that was checked: `channel sms`, `listener`, `people`.
    pub part: String,
    /// What was checked: `login`, `clock`.
    pub what: String,
    /// The result.
    pub outcome: CheckOutcome,
    /// Details, without secrets; what to do if the result is not fine.
    pub detail: String,
}

/// The name of one part, and its checks.
pub type DoctorPart = (String, BoxFuture<'static, Vec<DoctorFinding>>);

/// A part that `look` checks, for no longer than a channel's probe may take.
pub fn part(name: impl Into<String>, look: impl Future<Output = Vec<ProbeCheck>> + Send + 'static) -> DoctorPart {
    let name = name.into();
    let part = name.clone();
    let looked = async move {
        // Each part has its own, more precise limit; this one is the safety net.
        let checks = timeout(PROBE_TIME_MAX + Duration::from_secs(2), look).await;
        let checks = checks.unwrap_or_else(|_| vec![ProbeCheck::failed("look", "it did not end in time")]);
        checks.into_iter().map(|check| finding(&part, check)).collect()
    };
    (name, Box::pin(looked))
}

/// A check as a finding about a part.
pub fn finding(part: &str, check: ProbeCheck) -> DoctorFinding {
    DoctorFinding { part: part.to_owned(), what: check.what.to_owned(), outcome: check.outcome, detail: check.detail }
}

/// Probes every channel of the matrix, without paging anybody.
pub fn channels(config: &Arc<RuntimeConfig>) -> Vec<DoctorPart> {
    let look = |name: &crate::core::ChannelName| {
        let (config, own) = (config.clone(), name.clone());
        part(format!("channel {name}"), async move {
            let Some(active) = config.channels.get(&own) else { return Vec::new() };
            let listening = async {
                match &active.connection {
                    Some(connection) => connection.probe().await,
                    None => None,
                }
            };
            let (mut checks, listened) = futures_util::future::join(active.look(), listening).await;
            if active.sandboxed.is_none() {
                checks.extend(config.look_at_people(&own).await);
            }
            if checks.is_empty() {
                checks.push(ProbeCheck::doubtful("reach", "only a page can tell: fire a drill"));
            }
            checks.extend(listened);
            checks
        })
    };
    config.channels.keys().map(look).collect()
}

/// Checks whether every secret that the matrix names can be read.
pub fn secrets(config: &RuntimeConfig) -> Vec<ProbeCheck> {
    let secrets = config.matrix.secrets();
    let unread = |kept: &&&crate::toml_kit::secret::SecretRef| secret(kept).is_err();
    let failed = |kept: &&crate::toml_kit::secret::SecretRef| {
        let why = secret(kept).err().unwrap_or_default();
        ProbeCheck::failed("readable", why)
    };
    let lost: Vec<ProbeCheck> = secrets.iter().filter(unread).map(failed).collect();
    if !lost.is_empty() {
        return lost;
    }
    vec![match secrets.len() {
        0 => ProbeCheck::fine("readable", "the matrix names no secret"),
        n => ProbeCheck::fine("readable", format!("all {n} can be read")),
    }]
}

/// Checks who has fewer than two ways to be reached, and whose contact was not proven for too long.
pub fn people(
    config: &RuntimeConfig,
    proofs: Result<Vec<ContactProof>, StoreError>,
    (opt_outs, unlinked): (&[OptOut], &BTreeSet<(ChannelName, PersonName)>),
    time: impl Into<StepTime>,
) -> Vec<ProbeCheck> {
    let (proofs, unread) = match proofs {
        Ok(proofs) => (proofs, None),
        Err(error) => (Vec::new(), Some(ProbeCheck::failed("proofs", error.to_string()))),
    };
    let people = contact_coverage(config, &proofs, opt_outs, unlinked, time);
    if people.is_empty() {
        return unread
            .into_iter()
            .chain([ProbeCheck::failed("ways", "the matrix names nobody: nobody can be reached")])
            .collect();
    }
    let max_age = humantime::format_duration(config.matrix.daemon.proof_max_age()).to_string();
    let mut checks: Vec<ProbeCheck> = alone(&people);
    checks.extend(unlinked.iter().take(NAMED_MAX).map(|(channel, person)| {
        let detail = format!("{person} has not linked their account at {channel}: stentor people link {person}");
        ProbeCheck::doubtful("links", detail)
    }));
    checks.extend(more("links", unlinked.len()));
    match unread {
        Some(unread) => checks.push(unread),
        None => checks.extend(unproven(&people, &max_age)),
    }
    checks
}

fn alone(people: &[ContactCoverage]) -> Vec<ProbeCheck> {
    let few: Vec<&ContactCoverage> = people.iter().filter(|person| person.ways < 2).collect();
    let fields: Vec<&str> = contact_fields().into_iter().map(ContactField::key).collect();
    let shown = few.iter().take(NAMED_MAX).map(|person| {
        let sandboxed: Vec<&str> =
            person.channels.iter().filter(|contact| contact.sandbox).map(|contact| contact.channel.as_str()).collect();
        let detail = match person.ways {
            0 if sandboxed.len() == person.channels.len() => {
                format!("{} can not be reached by any channel", person.person)
            }
            0 => format!("{} can be reached at a desk page only", person.person),
            _ => format!("{} can be reached in one way only, away from the desk", person.person),
        };
        let help = match sandboxed[..] {
            [] => format!("give them another of {}", fields.join(", ")),
            _ => format!("SANDBOX: {} reaches nobody", sandboxed.join(", ")),
        };
        ProbeCheck::doubtful("ways", format!("{detail}: {help}"))
    });
    let fine = few.is_empty().then(|| ProbeCheck::fine("ways", "everybody can be reached in two independent ways"));
    shown.chain(more("ways", few.len())).chain(fine).collect()
}

fn unproven(people: &[ContactCoverage], max_age: &str) -> Vec<ProbeCheck> {
    let stale = |person: &ContactCoverage| {
        let named = |never: bool| {
            let channels =
                person.channels.iter().filter(|contact| contact.stale && contact.proven_at.is_none() == never);
            channels.map(|contact| contact.channel.as_str()).collect::<Vec<_>>().join(", ")
        };
        let (never, long) = (named(true), named(false));
        let never = (!never.is_empty()).then(|| format!("never by {never}"));
        let long = (!long.is_empty()).then(|| format!("not within {max_age} by {long}"));
        let words: Vec<String> = never.into_iter().chain(long).collect();
        (!words.is_empty()).then(|| ProbeCheck::doubtful("proof", format!("{}: {}", person.person, words.join("; "))))
    };
    let mut found: Vec<ProbeCheck> = people.iter().filter_map(stale).collect();
    if people.iter().all(|person| person.channels.is_empty()) {
        return found;
    }
    let unproven = people.iter().filter(|person| person.channels.iter().all(|contact| contact.proven_at.is_none()));
    // Before the first drill this is true of everybody: one line says it.
    let (unproven, all) = (unproven.count(), people.len());
    if FEW < unproven {
        let never_by_any = |person: &ContactCoverage| person.channels.iter().all(|contact| contact.proven_at.is_none());
        let others: Vec<ContactCoverage> = people.iter().filter(|person| !never_by_any(person)).cloned().collect();
        let help = "a drill proves them, and `stentor people` shows who";
        found = others.iter().filter_map(stale).collect();
        found
            .insert(0, ProbeCheck::doubtful("proof", format!("{unproven} of {all} people were never reached: {help}")));
    }
    if found.is_empty() {
        return vec![ProbeCheck::fine("proof", format!("every contact was proven within {max_age}"))];
    }
    let rest = more("proof", found.len());
    found.truncate(NAMED_MAX);
    found.extend(rest);
    found
}

fn more(what: &'static str, found: usize) -> Option<ProbeCheck> {
    let rest = found.checked_sub(NAMED_MAX).filter(|rest| 0 < *rest)?;
    Some(ProbeCheck::doubtful(what, format!("and {rest} more people: `stentor people` shows all")))
}

/// Checks the free space of the state directory.
pub fn space(room: Option<DiskSpace>) -> Vec<ProbeCheck> {
    let Some(room) = room else { return Vec::new() };
    let free = format!("{} MiB free", room.free >> 20);
    let space = match room.free {
        free_bytes if free_bytes < room.floor => ProbeCheck::failed("space", format!("{free}: new alerts are refused")),
        free_bytes if free_bytes < FREE_MIN => ProbeCheck::doubtful("space", format!("{free}: make room")),
        _ => ProbeCheck::fine("space", free),
    };
    let reserve = match room.reserve_stands {
        true => ProbeCheck::fine("reserve", "the reserved space for open ladders exists"),
        false => ProbeCheck::failed(
            "reserve",
            "the reserved space for open ladders is missing: alerts are refused until it exists",
        ),
    };
    vec![space, reserve]
}

/// Checks which release of the time zone data is used, and how old it is.
pub fn zones(data: &ZoneData, now: Timestamp) -> Vec<ProbeCheck> {
    let days = data.age(now).as_secs() / (24 * 3600);
    let published = match (&data.source, days) {
        (ZoneSource::Bundled, _) => format!("published {}, {days} days ago", data.released),
        // For the system's copy only the year is known, and when the file was written.
        (ZoneSource::System(_), 0) => format!("published in {}", data.release.year()),
        (ZoneSource::System(_), _) => format!("published at least {days} days ago"),
    };
    let beside = data.beside.as_ref().map_or(String::new(), |beside| format!("; this system has {beside}"));
    let detail = format!("{}, {published}, {}{beside}", data.release, data.source);
    let release = if data.age(now) <= ZONES_AGE_MAX {
        ProbeCheck::fine("release", detail)
    } else {
        let help = "rotations and times may be an hour off; update the system's tzdata and reload, or install a \
                    newer stentor";
        ProbeCheck::doubtful("release", format!("{detail}: {help}"))
    };
    let problem = data.problem.as_ref().map(|problem| ProbeCheck::doubtful("system", problem));
    std::iter::once(release).chain(problem).collect()
}

/// The number of findings by outcome.
pub fn tally(findings: &[DoctorFinding]) -> BTreeMap<CheckOutcome, usize> {
    let mut tally = BTreeMap::new();
    for finding in findings {
        *tally.entry(finding.outcome).or_default() += 1;
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Zones;

    #[test]
    fn zones_of_more_than_a_year_ago_are_worth_a_word() {
        let data = Zones::bundled().data().clone();
        let day = |text: &str| Timestamp::parse(text).expect("a time");
        let told = |data: &ZoneData, now| zones(data, day(now)).remove(0);
        let fresh = told(&data, "2027-10-28T00:00:00Z");
        assert_eq!(
            (fresh.outcome, fresh.detail.contains("365 days ago")),
            (CheckOutcome::Fine, true),
            "{}",
            fresh.detail
        );
        let old = told(&data, "2027-10-29T00:00:00Z");
        assert_eq!(old.outcome, CheckOutcome::Doubtful);
        assert!(old.detail.contains("366 days ago") && old.detail.contains("tzdata"), "{}", old.detail);
        let system = ZoneData { source: ZoneSource::System("/z".into()), ..data };
        assert!(told(&system, "2026-10-28T12:00:00Z").detail.contains("published in 2026, from /z"));
        assert!(told(&system, "2026-11-29T00:00:00Z").detail.contains("at least 32 days ago"));
    }
}
