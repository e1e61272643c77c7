//! One commit as one statement: an INSERT into a view whose trigger hands each of its columns, a JSON array of rows, to
//! the table that the column is named after. SQLite's thread has one answer to give, whatever the commit holds; with a
//! statement for each table it would wake the writer for each.

use crate::{
    core::{
        ContactProof, DrillRun, IncidentId, IncidentStatus, PersonName, ResultName, SourceName, Timestamp, event::hex,
        judgement::JudgementState,
    },
    store::{
        ChainHead, ChangeSet, RequestKey, WorkingSet,
        body::{self, StoredPlans, StoredRepeats},
        sqlite::failure::{CommitFailure, unkept},
    },
};
use serde::Serialize;
use sqlx::SqliteConnection;
use std::collections::{BTreeMap, HashSet};

/// What the writer's connection must be told before its first commit. Text that may hold any character travels in hex:
/// SQLite ends a JSON string at a NUL. A column that is NULL has no rows.
pub const PREPARE: &str = "
PRAGMA temp_store = MEMORY;
PRAGMA secure_delete = ON;
CREATE TEMP VIEW written AS SELECT NULL AS journal, NULL AS incident, NULL AS plan, NULL AS body, NULL AS page,
    NULL AS chain, NULL AS observed, NULL AS text, NULL AS clock, NULL AS proof, NULL AS quarantine, NULL AS asked,
    NULL AS tally, NULL AS drill_run, NULL AS response, NULL AS request_key, NULL AS judgement;
CREATE TEMP TRIGGER write INSTEAD OF INSERT ON written BEGIN
    INSERT INTO journal (chain, seq, at, hash, body)
        SELECT value->>0, value->>1, value->>2, unhex(value->>3), value->>4 FROM json_each(NEW.journal);
    INSERT INTO incident (id, key, open, deadline, seq, hash, at, alerts, joined, nonce, repeats)
        SELECT value->>0, CAST(unhex(value->>1) AS TEXT), value->>2, value->>3, value->>4, unhex(value->>5), value->>6,
            value->>7, value->>8, unhex(value->>9), value->>10
        FROM json_each(NEW.incident) WHERE true
        ON CONFLICT (id) DO UPDATE SET open = excluded.open, deadline = excluded.deadline, seq = excluded.seq,
            hash = excluded.hash, at = excluded.at, alerts = excluded.alerts, joined = excluded.joined,
            repeats = excluded.repeats;
    INSERT INTO plan (hash, body) SELECT value->>0, value->>1 FROM json_each(NEW.plan) WHERE true
        ON CONFLICT DO NOTHING;
    INSERT INTO body (incident, plan, body)
        SELECT value->>0, value->>1, value->>2 FROM json_each(NEW.body) WHERE true
        ON CONFLICT (incident) DO UPDATE SET body = excluded.body;
    INSERT INTO page (incident, n, owed, epoch, state, body, asks, channel, receipt)
        SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, CAST(unhex(value->>6) AS TEXT),
            CAST(unhex(value->>7) AS TEXT), CAST(unhex(value->>8) AS TEXT) FROM json_each(NEW.page) WHERE true
        ON CONFLICT (incident, n) DO UPDATE SET owed = excluded.owed, epoch = excluded.epoch, state = excluded.state,
            body = excluded.body, receipt = excluded.receipt;
    INSERT INTO asked (person, incident, waits, ended)
        SELECT CAST(unhex(value->>0) AS TEXT), value->>1, value->>2, value->>3 FROM json_each(NEW.asked) WHERE true
        ON CONFLICT (person, incident) DO UPDATE SET waits = excluded.waits, ended = excluded.ended;
    INSERT INTO chain (name, seq, hash)
        SELECT CAST(unhex(value->>0) AS TEXT), value->>1, unhex(value->>2) FROM json_each(NEW.chain) WHERE true
        ON CONFLICT (name) DO UPDATE SET seq = excluded.seq, hash = excluded.hash;
    DELETE FROM observed WHERE name IN (
        SELECT CAST(unhex(value->>0) AS TEXT) FROM json_each(NEW.observed) WHERE value->>2 IS NULL);
    INSERT INTO observed (name, at, body)
        SELECT CAST(unhex(value->>0) AS TEXT), value->>1, value->>2
        FROM json_each(NEW.observed) WHERE value->>2 IS NOT NULL
        ON CONFLICT (name) DO UPDATE SET at = excluded.at, body = excluded.body;
    DELETE FROM judgement WHERE name IN (
        SELECT CAST(unhex(value->>0) AS TEXT) FROM json_each(NEW.judgement) WHERE value->>1 IS NULL);
    INSERT INTO judgement (name, body)
        SELECT CAST(unhex(value->>0) AS TEXT), value->>1 FROM json_each(NEW.judgement) WHERE value->>1 IS NOT NULL
        ON CONFLICT (name) DO UPDATE SET body = excluded.body;
    DELETE FROM tally WHERE (source, name) IN (SELECT CAST(unhex(value->>0) AS TEXT), CAST(unhex(value->>1) AS TEXT)
        FROM json_each(NEW.tally) WHERE value->>2 IS NULL);
    INSERT INTO tally (source, name, body)
        SELECT CAST(unhex(value->>0) AS TEXT), CAST(unhex(value->>1) AS TEXT), value->>2
        FROM json_each(NEW.tally) WHERE value->>2 IS NOT NULL
        ON CONFLICT (source, name) DO UPDATE SET body = excluded.body;
    DELETE FROM response WHERE (source, operation, key) IN (SELECT CAST(unhex(value->>0) AS TEXT),
        CAST(unhex(value->>1) AS TEXT), CAST(unhex(value->>2) AS TEXT)
        FROM json_each(NEW.response) WHERE value->>4 IS NULL);
    INSERT INTO response (source, operation, key, at, body)
        SELECT CAST(unhex(value->>0) AS TEXT), CAST(unhex(value->>1) AS TEXT), CAST(unhex(value->>2) AS TEXT),
            value->>3, value->>4
        FROM json_each(NEW.response) WHERE value->>4 IS NOT NULL
        ON CONFLICT (source, operation, key) DO UPDATE SET at = excluded.at, body = excluded.body;
    INSERT INTO drill_run (id, scenario, hash, started, ended, state, body)
        SELECT value->>0, CAST(unhex(value->>1) AS TEXT), value->>2, value->>3, value->>4, value->>5, value->>6
        FROM json_each(NEW.drill_run) WHERE true
        ON CONFLICT (id) DO UPDATE SET ended = excluded.ended, state = excluded.state, body = excluded.body;
    INSERT INTO text (hash, body)
        SELECT CAST(unhex(value->>0) AS TEXT), CAST(unhex(value->>1) AS TEXT) FROM json_each(NEW.text) WHERE true
        ON CONFLICT DO NOTHING;
    INSERT INTO contact_proof (person, channel, at, how, drill, incident)
        SELECT CAST(unhex(value->>0) AS TEXT), CAST(unhex(value->>1) AS TEXT), value->>2, value->>3, value->>4, value->>5
        FROM json_each(NEW.proof) WHERE true
        ON CONFLICT (person, channel) DO UPDATE SET at = excluded.at, how = excluded.how, drill = excluded.drill,
            incident = excluded.incident WHERE at <= excluded.at;
    INSERT INTO meta (name, value) SELECT 'clock', NEW.clock WHERE NEW.clock IS NOT NULL
        ON CONFLICT (name) DO UPDATE SET value = excluded.value;
    DELETE FROM quarantine WHERE row IN (
        SELECT CAST(unhex(value->>0) AS TEXT) FROM json_each(NEW.quarantine) WHERE value->>1 IS NULL);
    INSERT INTO quarantine (row, body)
        SELECT CAST(unhex(value->>0) AS TEXT), value->>1 FROM json_each(NEW.quarantine) WHERE value->>1 IS NOT NULL
        ON CONFLICT (row) DO UPDATE SET body = excluded.body;
    DELETE FROM request_key WHERE incident IN (
        SELECT value->>0 FROM json_each(NEW.request_key) WHERE value->>1 IS NULL);
    INSERT INTO request_key (incident, key)
        SELECT value->>0, unhex(value->>1) FROM json_each(NEW.request_key) WHERE value->>1 IS NOT NULL
        ON CONFLICT (incident) DO UPDATE SET key = excluded.key;
END;";

/// The commit. Without a transaction around it it is one.
const WRITE: &str = "INSERT INTO temp.written VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// How many columns the view has.
const COLUMNS: usize = 17;

/// What one commit writes.
#[derive(Default)]
pub struct WriteScript {
    /// The view's columns, in their order; an empty one is NULL.
    rows: [String; COLUMNS],
    /// The deadlines that the touched incidents have now.
    pub deadlines: Vec<(IncidentId, Option<Timestamp>)>,
    /// When the touched states of triggers and keys are due.
    pub judged: Vec<(String, Option<Timestamp>)>,
    /// Hashes of the plans that are stored by it.
    pub plans: Vec<String>,
}

impl WriteScript {
    /// Writes down what `changes` says of `loaded`, with the heads of chains that are no incident's and no source's.
    pub fn write(
        changes: &ChangeSet,
        loaded: &WorkingSet,
        plans: &mut StoredPlans,
        chains: &BTreeMap<String, ChainHead>,
        now: Timestamp,
    ) -> Result<Self, UnwritableValue> {
        let mut script = Self::default();
        let lines = changes.lines.iter();
        let lines = lines.map(|line| (&line.chain, line.seq, line.at.as_micros(), hex(&line.hash), &line.body));
        script.rows[0] = rows(lines)?;
        script.incidents(changes, loaded, plans)?;
        let pages = changes.pages.iter().filter_map(|(id, n)| page_row(loaded, *id, *n));
        script.rows[4] = rows(pages.collect::<Result<Vec<_>, UnwritableValue>>()?)?;
        let sources =
            changes.sources.iter().filter_map(|name| Some((format!("source:{name}"), loaded.sources.get(name)?)));
        let others = chains.iter().map(|(name, head)| (name.clone(), head));
        script.rows[5] = rows(sources.chain(others).map(|(name, head)| (text_hex(&name), head.seq, hex(&head.hash))))?;
        let at = now.as_micros();
        let observed = changes.observed.iter().map(|name| {
            let window = loaded.observed.get(name).map(serde_json::to_string).transpose()?;
            Ok((text_hex(name), at, window))
        });
        script.rows[6] = rows(observed.collect::<serde_json::Result<Vec<_>>>()?)?;
        script.judgements(changes, loaded)?;
        script.rows[7] = rows(changes.texts.iter().map(|(hash, text)| (text_hex(hash), text_hex(text))))?;
        script.rows[9] = rows(changes.proofs.values().map(proof_row))?;
        let quarantine = changes.quarantine.iter();
        let quarantine = quarantine.map(|(row, entry)| {
            let body = entry.as_ref().map(serde_json::to_string).transpose()?;
            Ok((text_hex(&row.to_string()), body))
        });
        script.rows[10] = rows(quarantine.collect::<serde_json::Result<Vec<_>>>()?)?;
        let counts = changes.counts.iter().map(|(source, name)| count_row(loaded, source, name));
        script.rows[12] = rows(counts.collect::<serde_json::Result<Vec<_>>>()?)?;
        script.rows[13] = rows(changes.runs.iter().map(run_row).collect::<serde_json::Result<Vec<_>>>()?)?;
        let responses = changes.responses.iter().map(|key| response_row(loaded, key));
        script.rows[14] = rows(responses.collect::<serde_json::Result<Vec<_>>>()?)?;
        let keys = changes.request_keys.iter();
        script.rows[15] = rows(keys.map(|(id, key)| (id.0, key.as_ref().map(|key| hex(key)))))?;
        script.rows[11] = rows(changes.asked.iter().filter_map(|(id, person)| asked_row(loaded, *id, person)))?;
        Ok(script)
    }

    /// Adds the clock's anchor.
    pub fn keep_clock(&mut self, anchor: String) {
        self.rows[8] = anchor;
    }

    /// Runs it. After an error everything is as it was.
    pub async fn run(self, conn: &mut SqliteConnection) -> Result<(), CommitFailure> {
        let columns = self.rows.into_iter().map(|rows| (!rows.is_empty()).then_some(rows));
        let write = columns.fold(sqlx::query(WRITE), |write, column| write.bind(column));
        write.execute(conn).await.map(drop).map_err(unkept)
    }

    fn judgements(&mut self, changes: &ChangeSet, loaded: &WorkingSet) -> Result<(), UnwritableValue> {
        let mut judged = Vec::with_capacity(changes.judged.len());
        for name in &changes.judged {
            let state = loaded.judged.get(name);
            self.judged.push((name.clone(), state.and_then(JudgementState::deadline)));
            judged.push((text_hex(name), state.map(serde_json::to_string).transpose()?));
        }
        self.rows[16] = rows(judged)?;
        Ok(())
    }

    fn incidents(
        &mut self,
        changes: &ChangeSet,
        loaded: &WorkingSet,
        plans: &mut StoredPlans,
    ) -> Result<(), UnwritableValue> {
        let (mut heads, mut bodies, mut stored) = (Vec::new(), Vec::new(), Vec::new());
        let new: HashSet<&str> = changes.lines.iter().filter(|line| line.seq == 1).map(|line| &*line.chain).collect();
        for id in changes.heads.union(&changes.bodies) {
            let Some(kept) = loaded.incidents.get(id) else { continue };
            let unwritable = |error: serde_json::Error| UnwritableValue { incident: Some(*id), why: error.to_string() };
            let (incident, deadline) = (&kept.incident, kept.incident.deadline());
            self.deadlines.push((*id, deadline));
            let (key, open, at) =
                (text_hex(incident.key.as_str()), u8::from(incident.is_open()), incident.last_at.as_micros());
            let (deadline, hash) = (deadline.map(Timestamp::as_micros), hex(&kept.head.hash));
            let nonce = incident.nonce.map(|nonce| nonce.to_string());
            let repeats = StoredRepeats::write(incident).map_err(unwritable)?;
            let alerts = incident.alerts;
            heads.push((id.0, key, open, deadline, kept.head.seq, hash, at, alerts, kept.joined, nonce, repeats));
            if !changes.bodies.contains(id) {
                continue;
            }
            let mut plan = String::new();
            if new.contains(&*id.to_string()) {
                let (hash, text) = plans.hash(&incident.plan).map_err(unwritable)?;
                plan.clone_from(&hash);
                if let Some(text) = text.filter(|_| !self.plans.contains(&hash)) {
                    self.plans.push(hash.clone());
                    stored.push((hash, text));
                }
            }
            bodies.push((id.0, plan, body::write(incident).map_err(unwritable)?));
        }
        self.rows[1] = rows(heads)?;
        self.rows[2] = rows(stored)?;
        self.rows[3] = rows(bodies)?;
        Ok(())
    }
}

/// What can not be written so that it can be read back.
pub struct UnwritableValue {
    /// Whose it is, where it is an incident's.
    pub incident: Option<IncidentId>,
    /// Why.
    pub why: String,
}

impl From<serde_json::Error> for UnwritableValue {
    fn from(error: serde_json::Error) -> Self {
        Self { incident: None, why: error.to_string() }
    }
}

/// A page's row, its columns in their order.
#[derive(Serialize)]
struct PageRow(i64, u32, u8, Option<u64>, &'static str, String, Option<String>, String, Option<String>);

fn page_row(loaded: &WorkingSet, id: IncidentId, n: u32) -> Option<Result<PageRow, UnwritableValue>> {
    let kept = loaded.incidents.get(&id)?;
    let page = kept.incident.pages.get(&n)?;
    let state = page.state.as_str();
    let (owed, epoch) = (u8::from(page.is_owed()), kept.claims.get(&n).copied());
    let asks = page.asks().map(|person| text_hex(person.as_str()));
    let (channel, receipt) = (text_hex(page.channel.as_str()), page.receipt.as_ref().map(|kept| text_hex(&kept.id)));
    let row = |body| PageRow(id.0, n, owed, epoch, state, body, asks, channel, receipt);
    // Names, texts, whole numbers and times: types of ours that exist only where they can be read back.
    let body =
        serde_json::to_string(page).map_err(|error| UnwritableValue { incident: Some(id), why: error.to_string() });
    Some(body.map(row))
}

/// Source, name, and what is counted; nothing where the count has ended.
type CountRow = (String, String, Option<String>);

fn count_row(loaded: &WorkingSet, source: &SourceName, name: &ResultName) -> serde_json::Result<CountRow> {
    let count = loaded.counts.get(source).and_then(|counts| counts.get(name));
    let body = count.map(serde_json::to_string).transpose()?;
    Ok((text_hex(source.as_str()), text_hex(&serde_json::to_string(name)?), body))
}

/// Source, operation, key, time, and what is kept; nothing where it is forgotten.
type ResponseRow = (String, String, String, i64, Option<String>);

fn response_row(loaded: &WorkingSet, key: &RequestKey) -> serde_json::Result<ResponseRow> {
    let kept = loaded.responses.get(key);
    let body = kept.map(|kept| serde_json::to_string(&**kept)).transpose()?;
    let at = kept.map_or(0, |kept| kept.at.as_micros());
    Ok((text_hex(key.source.as_str()), text_hex(&key.operation), text_hex(&key.key), at, body))
}

/// A run's row, its columns in their order.
#[derive(Serialize)]
struct RunRow(i64, String, String, i64, Option<i64>, &'static str, String);

fn run_row(run: &DrillRun) -> serde_json::Result<RunRow> {
    let (started, ended) = (run.started_at.as_micros(), run.ended_at.map(|at| at.as_micros()));
    let body = serde_json::to_string(run)?;
    Ok(RunRow(run.id.0, text_hex(&run.scenario), run.revision.clone(), started, ended, run.state.as_str(), body))
}

/// Person, incident, whether it waits for them, when it ended.
fn asked_row(loaded: &WorkingSet, id: IncidentId, person: &PersonName) -> Option<(String, i64, u8, Option<i64>)> {
    let incident = &loaded.incidents.get(&id)?.incident;
    let ended = match incident.status {
        IncidentStatus::Open => None,
        IncidentStatus::Resolved { at, .. } => Some(at.as_micros()),
    };
    Some((text_hex(person.as_str()), id.0, u8::from(incident.waits_for(person)), ended))
}

/// Person, channel, time, what shows it, drill, incident.
fn proof_row(proof: &ContactProof) -> (String, String, i64, &'static str, u8, i64) {
    let (person, channel) = (text_hex(proof.person.as_str()), text_hex(proof.channel.as_str()));
    (person, channel, proof.at.as_micros(), proof.how.as_str(), u8::from(proof.drill), proof.incident.0)
}

/// A JSON array of the rows; nothing for no rows.
fn rows<T: Serialize>(rows: impl IntoIterator<Item = T>) -> serde_json::Result<String> {
    let mut json = Vec::new();
    for row in rows {
        json.push(if json.is_empty() { b'[' } else { b',' });
        serde_json::to_writer(&mut json, &row)?;
    }
    if !json.is_empty() {
        json.push(b']');
    }
    // It was written by serde_json, which writes nothing but UTF-8.
    Ok(String::from_utf8(json).unwrap_or_default())
}

fn text_hex(text: &str) -> String {
    hex(text.as_bytes())
}
