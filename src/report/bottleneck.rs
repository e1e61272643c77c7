//! The bottleneck: the role that was engaged last or not at all, and the stage, step, channel and person that took
//! longest for it.

use crate::{
    core::{ChannelName, DeliveryHitch, Page, PageAttempts, PersonName, RoleName, Timestamp},
    report::{
        incident_timeline::{IncidentTimeline, RoleTimeline, seconds, spoke},
        texts::IncidentTexts,
        words::span,
    },
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The largest delay in an incident.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IncidentBottleneck {
    /// The role that it is about.
    pub role: RoleName,
    /// The stage that took longest, for example `sent to accepted`.
    pub stage: String,
    /// Its duration in seconds.
    pub seconds: f64,
    /// The step of the role at that time, from 1.
    pub step: Option<usize>,
    /// The channel that failed or was slowest; the sentence says if a drill broke it on purpose.
    pub channel: Option<ChannelName>,
    /// The person whose contact data failed, or who did not answer.
    pub person: Option<PersonName>,
    /// The summary of all fields in a sentence.
    pub sentence: String,
}

/// The bottleneck of one incident. `None` if no role was required, or if every required role was engaged within its
/// target (immediately, if it has no target).
pub fn of(timeline: &IncidentTimeline, roles: &[RoleTimeline], beside: &IncidentTexts) -> Option<IncidentBottleneck> {
    let late = |role: &&RoleTimeline| match (role.engaged, role.target) {
        (false, _) => true,
        (true, Some(target)) => target.within.as_secs_f64() < role.seconds(),
        (true, None) => 1 < role.steps.len(),
    };
    let worst = |role: &&RoleTimeline| (!role.engaged, role.until.micros_since(role.entered_at));
    let role = roles.iter().filter(|role| role.required).filter(late).max_by_key(worst)?;
    let (stage, from, took) = longest_stage(role);
    let step = role.steps.iter().rfind(|step| step.entered_at <= from).map(|step| step.step + 1);
    let attempts = timeline.attempts();
    let failing = failing(timeline, role, &attempts);
    let silent = silent(timeline, role);
    let (channel, person) = match &failing {
        Some(failing) => (Some(failing.channel.clone()), failing.only.clone()),
        None => (None, silent.first().map(|person| PersonName::clone(person))),
    };
    let mut sentence = format!("{}: ", role.name);
    sentence.push_str(&match role.engaged {
        true => format!("engaged after {}, of which {} passed from {stage}", span(role.seconds()), span(took)),
        false => format!("not engaged within {}, of which {} passed from {stage}", span(role.seconds()), span(took)),
    });
    let place = if role.engaged { "on step" } else { "from step" };
    sentence.extend(step.map(|step| format!(", {place} {step}{}", if role.engaged { "" } else { " on" })));
    sentence.extend(failing.map(|failing| failing.sentence(beside)));
    let named = |people: &[&PersonName], what: &str| {
        let names: Vec<&str> = people.iter().map(|person| beside.name(person)).collect();
        (!names.is_empty()).then(|| format!("; {} {what}", names.join(", ")))
    };
    let (never, late) = closed_desks(timeline, role, &attempts);
    sentence.extend(named(&never, "had no desk open"));
    sentence.extend(named(&late, "had no desk open at first"));
    sentence.extend(paced(timeline, role, &attempts));
    sentence.extend(named(&silent, "did not answer"));
    sentence.extend(injected(timeline, role, &attempts).into_iter().map(|last_error| format!("; {last_error}")));
    if role.sandboxed {
        sentence.push_str("; SANDBOX: pages were kept on this machine, sent to nobody");
    }
    Some(IncidentBottleneck { role: role.role.clone(), stage, seconds: took, step, channel, person, sentence })
}

/// The longest interval between two known stages: its name, its start and its duration. For a role that is not engaged,
/// the last interval ends when the observation ends.
fn longest_stage(role: &RoleTimeline) -> (String, Timestamp, f64) {
    let stages = [
        ("opened", Some(role.entered_at)),
        ("sent", role.stages.sent),
        ("accepted by a provider", role.stages.accepted),
        ("delivered", role.stages.delivered),
        ("seen", role.stages.seen),
        ("answered", role.stages.answered),
        (if role.engaged { "engaged" } else { "the end" }, Some(role.until)),
    ];
    let mut known: Vec<(&str, Timestamp)> = stages.into_iter().filter_map(|(name, at)| Some((name, at?))).collect();
    let backs = role.handed_back.iter().filter(|back| role.entered_at <= back.taken_at);
    known.extend(backs.flat_map(|back| [("taken", back.taken_at), ("handed back", back.at)]));
    known.sort_by_key(|(_, at)| *at);
    // If stages happened at the same moment, the last one shows what was waited for.
    known.dedup_by(|later, earlier| {
        let same = later.1 == earlier.1 && earlier.0 != "opened";
        if same {
            *earlier = *later;
        }
        same
    });
    let waits = known.windows(2).filter_map(|pair| match pair {
        [(from, began), (to, ended)] => Some((format!("{from} to {to}"), *began, seconds(*began, *ended))),
        _ => None,
    });
    let nothing = ("opened to the end".to_owned(), role.entered_at, role.seconds());
    waits.max_by(|a, b| a.2.total_cmp(&b.2)).unwrap_or(nothing)
}

/// A channel that did not accept what it was given.
struct FailingChannel {
    channel: ChannelName,
    failed: usize,
    of: usize,
    /// The person whom it failed to reach, if it was only one and others were reached by it.
    only: Option<PersonName>,
    last_error: Option<String>,
    /// Whether the drill caused all of it.
    on_purpose: bool,
}

impl FailingChannel {
    fn sentence(&self, beside: &IncidentTexts) -> String {
        let Self { failed, of, channel, .. } = self;
        if self.on_purpose {
            return format!("; {failed} of {of} pages by {channel} were stopped or held up by the drill, on purpose");
        }
        let whom = self.only.as_ref().map_or(String::new(), |person| format!(" to {}", beside.name(person)));
        let why = self.last_error.as_ref().map_or(String::new(), |why| format!(" ({why})"));
        format!("; {failed} of {of} pages by {channel}{whom} did not arrive or came late{why}")
    }
}

/// The attempts with each page.
type AttemptFacts<'a> = BTreeMap<u32, PageAttempts<'a>>;

fn hitch<'a>(page: &Page, attempts: &AttemptFacts<'a>) -> Option<DeliveryHitch<'a>> {
    attempts.get(&page.n).and_then(|attempts| attempts.hitch(page))
}

/// The channel with most failures among the role's briefs, if at least half of its pages failed. A desk that nobody has
/// open is not a failure.
fn failing(timeline: &IncidentTimeline, role: &RoleTimeline, attempts: &AttemptFacts<'_>) -> Option<FailingChannel> {
    let mut channels: BTreeMap<&ChannelName, (usize, Vec<&Page>)> = BTreeMap::new();
    let has_failed =
        |page: &Page| matches!(hitch(page, attempts), Some(DeliveryHitch::Channel | DeliveryHitch::Injected(_)));
    for page in timeline.incident.briefs_of(&role.role) {
        let (all, failed) = channels.entry(&page.channel).or_default();
        *all += 1;
        if has_failed(page) {
            failed.push(page);
        }
    }
    let (channel, (of, failed)) = channels.into_iter().max_by_key(|(_, (_, failed))| failed.len())?;
    let first = failed.first().filter(|_| of <= 2 * failed.len())?;
    let everybody = || timeline.incident.pages.values().filter(|page| page.channel == *channel);
    let works = everybody().any(|page| page.stages.accepted.is_some() && !has_failed(page));
    let one = failed.iter().all(|page| page.person == first.person);
    Some(FailingChannel {
        channel: channel.clone(),
        failed: failed.len(),
        of,
        only: first.person.clone().filter(|_| one && works),
        last_error: failed.iter().rev().find_map(|page| page.last_error.clone()),
        on_purpose: failed.iter().all(|page| matches!(hitch(page, attempts), Some(DeliveryHitch::Injected(_)))),
    })
}

/// The people whose desk was not open, and those whose desk took a page later, in the order of their pages.
fn closed_desks<'a>(
    timeline: &'a IncidentTimeline,
    role: &'a RoleTimeline,
    attempts: &AttemptFacts<'_>,
) -> (Vec<&'a PersonName>, Vec<&'a PersonName>) {
    let briefs = timeline.incident.briefs_of(&role.role);
    let closed = briefs.filter(|page| hitch(page, attempts) == Some(DeliveryHitch::DeskClosed));
    let (late, never): (Vec<&Page>, Vec<&Page>) = closed.partition(|page| page.stages.accepted.is_some());
    let people = |pages: Vec<&'a Page>| each_once(pages.into_iter().filter_map(|page| page.person.as_ref()));
    (people(never), people(late))
}

/// How many of the role's briefs waited because of our own rate limit until their channel's accept timeout expired.
fn paced(timeline: &IncidentTimeline, role: &RoleTimeline, attempts: &AttemptFacts<'_>) -> Option<String> {
    let briefs = || timeline.incident.briefs_of(&role.role);
    let paced = briefs().filter(|page| hitch(page, attempts) == Some(DeliveryHitch::OwnPace)).count();
    (0 < paced).then(|| format!("; {paced} of {} pages waited at our own pace", briefs().count()))
}

/// The faults that the drill injected into the role's briefs.
fn injected(timeline: &IncidentTimeline, role: &RoleTimeline, attempts: &AttemptFacts<'_>) -> BTreeSet<String> {
    let theirs = timeline.incident.briefs_of(&role.role).filter_map(|page| attempts.get(&page.n));
    theirs.filter_map(|attempts| attempts.injected().map(ToString::to_string)).collect()
}

/// The people whom a page may have reached and who did not answer, in the order of their pages.
fn silent<'a>(timeline: &'a IncidentTimeline, role: &'a RoleTimeline) -> Vec<&'a PersonName> {
    let reached = timeline.incident.briefs_of(&role.role).filter(|page| page.may_be_read());
    let people = reached.filter_map(|page| page.person.as_ref());
    each_once(people.filter(|person| !spoke(timeline, person)))
}

fn each_once<'a>(people: impl Iterator<Item = &'a PersonName>) -> Vec<&'a PersonName> {
    let mut once: Vec<&PersonName> = Vec::new();
    for person in people {
        if !once.contains(&person) {
            once.push(person);
        }
    }
    once
}
