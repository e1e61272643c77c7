//! One commit as one script: every table that changed gets one statement, whose rows travel as one JSON array, so that
//! a commit costs one hop to SQLite's thread whatever its size.

use super::{
    StoreError,
    body::{self, StoredPlans},
    failure,
};
use crate::{
    core::{
        IncidentId, Timestamp,
        event::{hex, hex_of},
    },
    store::{Changes, Head, Loaded},
};
use serde::Serialize;
use sqlx::{AssertSqlSafe, SqliteConnection, sqlite::SqliteArguments};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

/// The statements, in the order of their parameters. Each reads its rows from one JSON array. Text that may hold any
/// character travels in hex: SQLite ends a JSON string at a NUL.
const STATEMENTS: [&str; 9] = [
    "INSERT INTO journal (chain, seq, at, hash, body)
     SELECT value->>0, value->>1, value->>2, unhex(value->>3), value->>4 FROM json_each(?);",
    "INSERT INTO incident (id, key, open, deadline, seq, hash, at)
     SELECT value->>0, CAST(unhex(value->>1) AS TEXT), value->>2, value->>3, value->>4, unhex(value->>5), value->>6
     FROM json_each(?) WHERE true
     ON CONFLICT (id) DO UPDATE SET
         open = excluded.open, deadline = excluded.deadline, seq = excluded.seq, hash = excluded.hash, at = excluded.at;",
    "INSERT INTO plan (hash, body) SELECT value->>0, value->>1 FROM json_each(?) WHERE true ON CONFLICT DO NOTHING;",
    "INSERT INTO body (incident, plan, body) SELECT value->>0, value->>1, value->>2 FROM json_each(?) WHERE true
     ON CONFLICT (incident) DO UPDATE SET body = excluded.body;",
    "INSERT INTO page (incident, n, owed, epoch, state, body)
     SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5 FROM json_each(?) WHERE true
     ON CONFLICT (incident, n) DO UPDATE SET
         owed = excluded.owed, epoch = excluded.epoch, state = excluded.state, body = excluded.body;",
    "INSERT INTO chain (name, seq, hash)
     SELECT CAST(unhex(value->>0) AS TEXT), value->>1, unhex(value->>2) FROM json_each(?) WHERE true
     ON CONFLICT (name) DO UPDATE SET seq = excluded.seq, hash = excluded.hash;",
    "INSERT INTO observed (name, at, body)
     SELECT CAST(unhex(value->>0) AS TEXT), value->>1, value->>2 FROM json_each(?) WHERE true
     ON CONFLICT (name) DO UPDATE SET at = excluded.at, body = excluded.body;",
    "INSERT INTO text (hash, body)
     SELECT CAST(unhex(value->>0) AS TEXT), CAST(unhex(value->>1) AS TEXT) FROM json_each(?) WHERE true
     ON CONFLICT DO NOTHING;",
    "INSERT INTO meta (name, value) VALUES ('clock', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value;",
];

/// How many different scripts there can be: each statement is there or not.
pub const SCRIPTS: usize = 1 << STATEMENTS.len();

/// What one commit writes.
#[derive(Default)]
pub struct Script {
    rows: [String; STATEMENTS.len()],
    /// The deadlines that the touched incidents have now.
    pub deadlines: Vec<(IncidentId, Option<Timestamp>)>,
    /// Hashes of the plans that are stored by it.
    pub plans: Vec<String>,
}

/// The texts of scripts that were made before; SQLite's prepared statements are found by them.
#[derive(Default)]
pub struct Texts(HashMap<u16, Arc<str>>);

impl Script {
    /// Writes down what `changes` says of `loaded`, with the heads of chains that are no incident's and no source's.
    pub fn write(
        changes: &Changes,
        loaded: &Loaded,
        plans: &mut StoredPlans,
        chains: &BTreeMap<String, Head>,
        now: Timestamp,
    ) -> serde_json::Result<Self> {
        let mut script = Self::default();
        let lines = changes.lines.iter();
        let lines = lines.map(|line| (&line.chain, line.seq, line.at.as_micros(), hex(&line.hash), &line.body));
        script.rows[0] = rows(lines)?;
        script.incidents(changes, loaded, plans)?;
        let pages = changes.pages.iter().filter_map(|(id, n)| page_row(loaded, *id, *n));
        script.rows[4] = rows(pages.collect::<serde_json::Result<Vec<_>>>()?)?;
        let sources =
            changes.sources.iter().filter_map(|name| Some((format!("source:{name}"), loaded.sources.get(name)?)));
        let others = chains.iter().map(|(name, head)| (name.clone(), head));
        script.rows[5] = rows(sources.chain(others).map(|(name, head)| (text_hex(&name), head.seq, hex(&head.hash))))?;
        let observed = changes.observed.iter().filter_map(|name| Some((name, loaded.observed.get(name)?)));
        let at = now.as_micros();
        let observed = observed.map(|(name, window)| Ok((text_hex(name), at, serde_json::to_string(window)?)));
        script.rows[6] = rows(observed.collect::<serde_json::Result<Vec<_>>>()?)?;
        script.rows[7] = rows(changes.texts.iter().map(|(hash, text)| (text_hex(hash), text_hex(text))))?;
        Ok(script)
    }

    /// Adds the clock's anchor.
    pub fn keep_clock(&mut self, anchor: String) {
        self.rows[8] = anchor;
    }

    /// Runs it as one transaction. After an error everything is as it was.
    pub async fn run(self, conn: &mut SqliteConnection, texts: &mut Texts) -> Result<(), StoreError> {
        let text = texts.get(self.mask());
        let mut arguments = SqliteArguments::default();
        for rows in self.rows.into_iter().filter(|rows| !rows.is_empty()) {
            sqlx::Arguments::add(&mut arguments, rows).map_err(|error| StoreError::Failed(error.to_string()))?;
        }
        let done = sqlx::query_with(AssertSqlSafe(text), arguments).execute(&mut *conn).await;
        if let Err(error) = done {
            // Some errors have rolled back by themselves, then this one says that there is nothing to roll back.
            let _ = sqlx::raw_sql("ROLLBACK").execute(&mut *conn).await;
            return Err(failure(error));
        }
        Ok(())
    }

    fn incidents(&mut self, changes: &Changes, loaded: &Loaded, plans: &mut StoredPlans) -> serde_json::Result<()> {
        let (mut heads, mut bodies, mut stored) = (Vec::new(), Vec::new(), Vec::new());
        let new: HashSet<&str> = changes.lines.iter().filter(|line| line.seq == 1).map(|line| &*line.chain).collect();
        for id in changes.heads.union(&changes.bodies) {
            let Some(kept) = loaded.incidents.get(id) else { continue };
            let (incident, deadline) = (&kept.incident, kept.incident.deadline());
            self.deadlines.push((*id, deadline));
            let (key, open, at) = (text_hex(&incident.key), u8::from(incident.is_open()), incident.last_at.as_micros());
            let (deadline, hash) = (deadline.map(Timestamp::as_micros), hex(&kept.head.hash));
            heads.push((id.0, key, open, deadline, kept.head.seq, hash, at));
            if !changes.bodies.contains(id) {
                continue;
            }
            let mut plan = String::new();
            if new.contains(&*id.to_string()) {
                let (hash, text) = plans.hash(&incident.plan)?;
                plan.clone_from(&hash);
                if let Some(text) = text.filter(|_| !self.plans.contains(&hash)) {
                    self.plans.push(hash.clone());
                    stored.push((hash, text));
                }
            }
            bodies.push((id.0, plan, body::write(incident)?));
        }
        self.rows[1] = rows(heads)?;
        self.rows[2] = rows(stored)?;
        self.rows[3] = rows(bodies)?;
        Ok(())
    }

    fn mask(&self) -> u16 {
        let bits = self.rows.iter().enumerate().filter(|(_, rows)| !rows.is_empty());
        bits.fold(0, |mask, (i, _)| mask | 1 << i)
    }
}

impl Texts {
    fn get(&mut self, mask: u16) -> Arc<str> {
        let text = self.0.entry(mask).or_insert_with(|| {
            let statements = STATEMENTS.iter().enumerate().filter(|(i, _)| mask & (1 << i) != 0);
            let body: String = statements.map(|(_, statement)| *statement).collect();
            format!("BEGIN IMMEDIATE; {body} COMMIT;").into()
        });
        text.clone()
    }
}

/// Incident, number, owed, epoch, state, body.
type PageRow = (i64, u32, u8, Option<u64>, &'static str, String);

fn page_row(loaded: &Loaded, id: IncidentId, n: u32) -> Option<serde_json::Result<PageRow>> {
    let kept = loaded.incidents.get(&id)?;
    let page = kept.incident.pages.get(&n)?;
    let state = page.state.as_str();
    let (owed, epoch) = (u8::from(page.is_owed()), kept.claims.get(&n).copied());
    Some(serde_json::to_string(page).map(|body| (id.0, n, owed, epoch, state, body)))
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
    hex_of(text.as_bytes())
}
