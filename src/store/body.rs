//! The body of an incident as stored: without its plan (many share one) and its pages (rows of their own).

use crate::core::{
    Alert, AlertRepeats, ChannelName, Classification, DrillTerms, Engagement, EscalationPlan, Incident,
    IncidentIdentity, IncidentKey, IncidentPages, IncidentStatus, KnownAlerts, OverflowKeys, Page, Request, RoleName,
    Timestamp, TriggerName, WarRoom,
    event::hex,
    repeats::{AlertChanges, AllClearLines},
    time::known_time,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, PoisonError, Weak},
};

/// How many plans the writer recognizes without hashing them again.
const RECENT: usize = 32;

/// How many plans are remembered as shared or stored before unused ones are forgotten.
const REMEMBERED: usize = 4096;

#[derive(Serialize)]
struct WrittenBody<'a> {
    trigger: &'a TriggerName,
    key: &'a IncidentKey,
    drill: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    terms: Option<&'a DrillTerms>,
    summary: &'a str,
    alert: &'a Alert,
    alerts: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    known: Option<&'a KnownAlerts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<&'a AlertChanges>,
    detected_at: Option<Timestamp>,
    received_at: Timestamp,
    opened_at: Timestamp,
    last_at: Timestamp,
    status: &'a IncidentStatus,
    silent_since: Option<Timestamp>,
    all_clear_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    all_clear_lines: Option<AllClearLines>,
    engagements: &'a BTreeMap<RoleName, Engagement>,
    rooms: &'a BTreeMap<ChannelName, WarRoom>,
    #[serde(skip_serializing_if = "VecDeque::is_empty")]
    origins: &'a VecDeque<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    judgement: Option<&'a Classification>,
    #[serde(skip_serializing_if = "Option::is_none")]
    overflow: Option<&'a OverflowKeys>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<&'a Request>,
}

#[derive(Deserialize)]
struct ReadBody {
    trigger: TriggerName,
    key: IncidentKey,
    drill: bool,
    #[serde(default)]
    terms: Option<DrillTerms>,
    summary: String,
    alert: Arc<Alert>,
    alerts: u64,
    #[serde(default)]
    known: Option<KnownAlerts>,
    #[serde(default)]
    changes: Option<AlertChanges>,
    #[serde(default, deserialize_with = "known_time")]
    detected_at: Option<Timestamp>,
    received_at: Timestamp,
    opened_at: Timestamp,
    last_at: Timestamp,
    status: IncidentStatus,
    silent_since: Option<Timestamp>,
    all_clear_at: Option<Timestamp>,
    #[serde(default)]
    all_clear_lines: Option<AllClearLines>,
    engagements: Arc<BTreeMap<RoleName, Engagement>>,
    #[serde(default)]
    rooms: BTreeMap<ChannelName, WarRoom>,
    /// The one room, in bodies of earlier versions.
    room: Option<String>,
    #[serde(default)]
    origins: VecDeque<String>,
    #[serde(default)]
    judgement: Option<Classification>,
    #[serde(default)]
    overflow: Option<Arc<OverflowKeys>>,
    #[serde(default)]
    request: Option<Arc<Request>>,
}

/// Writes the body. The error says why it could not be read back.
pub fn write(incident: &Incident) -> serde_json::Result<String> {
    // The fields are named one by one, so that a new one can not be forgotten here.
    let Incident {
        id: _,
        // It has a column of its own.
        nonce: _,
        trigger,
        key,
        drill,
        terms,
        summary,
        plan: _,
        alert,
        alerts,
        // They have a column of their own.
        repeats: _,
        known,
        changes,
        detected_at,
        received_at,
        opened_at,
        last_at,
        status,
        silent_since,
        all_clear_at,
        all_clear_lines,
        engagements,
        rooms,
        origins,
        judgement,
        overflow,
        request,
        pages: _,
    } = incident;
    let text = serde_json::to_string(&WrittenBody {
        trigger,
        key,
        drill: *drill,
        terms: terms.as_ref(),
        summary,
        alert,
        alerts: *alerts,
        known: known.as_ref(),
        changes: changes.as_ref(),
        detected_at: *detected_at,
        received_at: *received_at,
        opened_at: *opened_at,
        last_at: *last_at,
        status,
        silent_since: *silent_since,
        all_clear_at: *all_clear_at,
        all_clear_lines: *all_clear_lines,
        engagements,
        rooms,
        origins,
        judgement: judgement.as_ref(),
        overflow: overflow.as_deref(),
        request: request.as_deref(),
    })?;
    serde_json::from_str::<ReadBody>(&text).map(|_| text)
}

/// Puts an incident together. `at` is the time of its last event, which may be later than its body.
pub fn read(
    identity: IncidentIdentity,
    at: Timestamp,
    body: &str,
    plan: Arc<EscalationPlan>,
    pages: IncidentPages,
) -> serde_json::Result<Incident> {
    let mut read: ReadBody = serde_json::from_str(body)?;
    if read.room.is_some() {
        let opened = |page: &Arc<Page>| Some((page.channel.clone(), WarRoom::opened_by(page)?));
        read.rooms.extend(pages.values().filter_map(opened));
    }
    Ok(Incident {
        id: identity.id,
        nonce: identity.nonce,
        key: read.key.of_plan(&read.trigger),
        trigger: read.trigger,
        drill: read.drill,
        terms: read.terms,
        summary: read.summary,
        plan,
        alert: read.alert,
        alerts: read.alerts,
        repeats: None,
        known: read.known,
        changes: read.changes,
        detected_at: read.detected_at,
        received_at: read.received_at,
        opened_at: read.opened_at,
        last_at: read.last_at.max(at),
        status: read.status,
        silent_since: read.silent_since,
        all_clear_at: read.all_clear_at,
        all_clear_lines: read.all_clear_lines,
        engagements: read.engagements,
        rooms: read.rooms,
        origins: read.origins,
        judgement: read.judgement,
        overflow: read.overflow,
        request: read.request,
        pages,
    })
}

/// Repeats that are counted and not journaled yet, with the last of them.
#[derive(Serialize, Deserialize)]
pub struct StoredRepeats {
    /// The count.
    pub repeats: AlertRepeats,
    /// The last repeat.
    pub alert: Arc<Alert>,
}

impl StoredRepeats {
    /// Those of an incident as text; `None` without any. The error says why it could not be read back.
    pub fn write(incident: &Incident) -> serde_json::Result<Option<String>> {
        let Some(repeats) = incident.repeats.clone() else { return Ok(None) };
        let text = serde_json::to_string(&Self { repeats, alert: incident.alert.clone() })?;
        serde_json::from_str::<Self>(&text).map(|_| Some(text))
    }
}

/// Plans that were read, shared by all their incidents.
#[derive(Default)]
pub struct SharedPlans(Mutex<HashMap<String, Weak<EscalationPlan>>>);

impl SharedPlans {
    /// The plan with this hash, parsed from `body` unless an incident in memory has it.
    pub fn get(&self, hash: &str, body: &str) -> serde_json::Result<Arc<EscalationPlan>> {
        let mut plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plan) = plans.get(hash).and_then(Weak::upgrade) {
            return Ok(plan);
        }
        let plan: Arc<EscalationPlan> = serde_json::from_str(body)?;
        if REMEMBERED <= plans.len() {
            plans.retain(|_, plan| 0 < plan.strong_count());
        }
        plans.insert(hash.to_owned(), Arc::downgrade(&plan));
        Ok(plan)
    }
}

/// What the writer knows about plans, so that a common one is hashed and stored once.
#[derive(Default)]
pub struct StoredPlans {
    recent: VecDeque<(Arc<EscalationPlan>, String)>,
    stored: HashSet<String>,
}

impl StoredPlans {
    /// The hash of a plan's content, and its text if it is not stored yet.
    pub fn hash(&mut self, plan: &Arc<EscalationPlan>) -> serde_json::Result<(String, Option<String>)> {
        if let Some((_, hash)) = self.recent.iter().find(|(known, _)| Arc::ptr_eq(known, plan))
            && self.stored.contains(hash)
        {
            return Ok((hash.clone(), None));
        }
        let text = serde_json::to_string(plan)?;
        serde_json::from_str::<EscalationPlan>(&text)?;
        let hash = hex(&Sha256::digest(text.as_bytes()));
        if RECENT <= self.recent.len() {
            self.recent.pop_front();
        }
        self.recent.push_back((plan.clone(), hash.clone()));
        let text = (!self.stored.contains(&hash)).then_some(text);
        Ok((hash, text))
    }

    /// Remembers the plans that a commit stored.
    pub fn committed(&mut self, hashes: Vec<String>) {
        if REMEMBERED <= self.stored.len() {
            self.stored.clear();
        }
        self.stored.extend(hashes);
    }
}
