//! What `stentor doctor` looks at: every part on its own, all at once, each bounded in time.

use super::{
    OptOut, RuntimeConfig,
    probe::PROBE_TIME_MAX,
    reach::{ContactCoverage, reach},
    wire::secret,
};
use crate::{
    channel::{CheckOutcome, ProbeCheck, slack::socket},
    core::{
        ContactProof, Timestamp,
        zone::{ZoneData, ZoneSource},
    },
    store::{DiskSpace, StoreError},
};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::time::timeout;

/// People who are named one by one; `stentor people` shows all.
const NAMED_MAX: usize = 20;

/// Free bytes below which the state directory is worth a word: a day of a busy desk.
const FREE_MIN: u64 = 256 << 20;

/// How old the release may be from which time zones come, before that is worth a word: rules change several times a year.
pub const ZONES_AGE_MAX: Duration = Duration::from_secs(365 * 24 * 3600);

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoctorFinding {
    /// What it belongs to: `channel sms`, `door`, `people`.
    pub part: String,
    /// What: `login`, `clock`.
    pub what: String,
    /// How it is.
    pub outcome: CheckOutcome,
    /// In words, without secrets; what to do where it is not fine.
    pub detail: String,
}

/// One part that is looked at, and the look itself.
pub type DoctorPart = (String, BoxFuture<'static, Vec<DoctorFinding>>);

/// A part that is looked at by `look`, for no longer than a channel may take.
pub fn part(name: impl Into<String>, look: impl Future<Output = Vec<ProbeCheck>> + Send + 'static) -> DoctorPart {
    let name = name.into();
    let part = name.clone();
    let looked = async move {
        // A part has a bound of its own that says more; this one is the net below it.
        let checks = timeout(PROBE_TIME_MAX + Duration::from_secs(2), look).await;
        let checks = checks.unwrap_or_else(|_| vec![ProbeCheck::failed("look", "it did not end in time")]);
        checks.into_iter().map(|check| finding(&part, check)).collect()
    };
    (name, Box::pin(looked))
}

/// What a check says of a part.
pub fn finding(part: &str, check: ProbeCheck) -> DoctorFinding {
    DoctorFinding { part: part.to_owned(), what: check.what.to_owned(), outcome: check.outcome, detail: check.detail }
}

/// Every channel of the matrix, without paging anybody.
pub fn channels(live: &Arc<RuntimeConfig>) -> Vec<DoctorPart> {
    let look = |name: &crate::core::ChannelName| {
        let (live, own) = (live.clone(), name.clone());
        part(format!("channel {name}"), async move {
            let Some(wired) = live.channels.get(&own) else { return Vec::new() };
            let listening = async {
                match &wired.socket {
                    Some(socket) => Some(socket::probe(socket).await),
                    None => None,
                }
            };
            let (mut checks, listened) = futures_util::future::join(wired.look(), listening).await;
            if wired.sandboxed.is_none() {
                checks.extend(live.look_at_people(&own).await);
            }
            if checks.is_empty() {
                checks.push(ProbeCheck::doubtful("reach", "only a page can tell: fire a drill"));
            }
            checks.extend(listened);
            checks
        })
    };
    live.channels.keys().map(look).collect()
}

/// Whether every secret that the matrix names can be read.
pub fn secrets(live: &RuntimeConfig) -> Vec<ProbeCheck> {
    let secrets = live.matrix.secrets();
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

/// Who can not be reached twice over, and whose contact was not proven for long.
pub fn people(
    live: &RuntimeConfig,
    proofs: Result<Vec<ContactProof>, StoreError>,
    opt_outs: &[OptOut],
    now: Timestamp,
) -> Vec<ProbeCheck> {
    let (proofs, unread) = match proofs {
        Ok(proofs) => (proofs, None),
        Err(error) => (Vec::new(), Some(ProbeCheck::failed("proofs", error.to_string()))),
    };
    let people = reach(live, &proofs, opt_outs, now);
    if people.is_empty() {
        return unread
            .into_iter()
            .chain([ProbeCheck::failed("ways", "the matrix names nobody: nobody can be reached")])
            .collect();
    }
    let max_age = humantime::format_duration(live.matrix.daemon.proof_max_age()).to_string();
    let mut checks: Vec<ProbeCheck> = alone(&people);
    match unread {
        Some(unread) => checks.push(unread),
        None => checks.extend(unproven(&people, &max_age)),
    }
    checks
}

fn alone(people: &[ContactCoverage]) -> Vec<ProbeCheck> {
    let few: Vec<&ContactCoverage> = people.iter().filter(|person| person.ways < 2).collect();
    let shown = few.iter().take(NAMED_MAX).map(|person| {
        let sandboxed: Vec<&str> =
            person.channels.iter().filter(|way| way.sandbox).map(|way| way.channel.as_str()).collect();
        let detail = match person.ways {
            0 if sandboxed.len() == person.channels.len() => format!("{} can be reached by nothing", person.person),
            0 => format!("{} can be reached at a desk page alone", person.person),
            _ => format!("{} can be reached in one way only, away from the desk", person.person),
        };
        let help = match sandboxed[..] {
            [] => "give them another of phone, email, slack".to_owned(),
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
            let ways = person.channels.iter().filter(|way| way.stale && way.proven_at.is_none() == never);
            ways.map(|way| way.channel.as_str()).collect::<Vec<_>>().join(", ")
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

/// The space under the state directory.
pub fn space(room: Option<DiskSpace>) -> Vec<ProbeCheck> {
    let Some(room) = room else { return Vec::new() };
    let free = format!("{} MiB free", room.free >> 20);
    let space = match room.free {
        free_bytes if free_bytes < room.floor => ProbeCheck::failed("space", format!("{free}: new alerts are refused")),
        free_bytes if free_bytes < FREE_MIN => ProbeCheck::doubtful("space", format!("{free}: make room")),
        _ => ProbeCheck::fine("space", free),
    };
    let reserve = match room.reserve_stands {
        true => ProbeCheck::fine("reserve", "the space for open ladders stands"),
        false => {
            ProbeCheck::failed("reserve", "the space for open ladders is not there: alerts are refused until it is")
        }
    };
    vec![space, reserve]
}

/// Which time zones are used, of which release, and how old that is.
pub fn zones(data: &ZoneData, now: Timestamp) -> Vec<ProbeCheck> {
    let days = data.age(now).as_secs() / (24 * 3600);
    let published = match (&data.source, days) {
        (ZoneSource::Bundled, _) => format!("published {}, {days} days ago", data.released),
        // Of a system's copy no more is known than the year, and when its file was written.
        (ZoneSource::System(_), 0) => format!("published in {}", data.release.year()),
        (ZoneSource::System(_), _) => format!("published at least {days} days ago"),
    };
    let beside = data.beside.as_ref().map_or(String::new(), |beside| format!("; this system has {beside}"));
    let detail = format!("{}, {published}, {}{beside}", data.release, data.source);
    let release = if data.age(now) <= ZONES_AGE_MAX {
        ProbeCheck::fine("release", detail)
    } else {
        let help = "turns and times may be an hour off; bring the system's tzdata up to date and reload, or install a \
                    newer stentor";
        ProbeCheck::doubtful("release", format!("{detail}: {help}"))
    };
    let trouble = data.trouble.as_ref().map(|trouble| ProbeCheck::doubtful("system", trouble));
    std::iter::once(release).chain(trouble).collect()
}

/// How many of each outcome.
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
