//! Compares what is stored with what the journal says, in portions. Each portion is one snapshot, so it may run beside
//! a daemon. It reads the rows themselves: nothing that is in memory, and nothing that was mended while it was read.

mod columns;
mod counts;
mod incident;
mod objects;
mod quarantine;
mod rest;

use super::{
    column::{column, rows, shown, unsigned},
    connection::limit,
    failure::failure,
    read,
};
use crate::{
    core::{
        Incident, IncidentId, Timestamp,
        event::{VERSION, text_hash},
        record::{NamedTexts, RecordCursor, RecordFault, RecordPart, RecordPlace, RecordPortion},
    },
    store::StoreError,
};
use serde::Deserialize;
use sqlx::{SqliteConnection, sqlite::SqliteRow};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Lines or texts of one portion.
const ROWS: usize = 2_000;

/// Incidents of one portion.
const INCIDENTS: usize = 50;

/// Deleted incidents of one portion.
const DELETED: usize = 1_000;

/// Checks one portion. The connection is in a transaction.
pub async fn audit(conn: &mut SqliteConnection, from: RecordCursor) -> Result<RecordPortion, StoreError> {
    let mut audit = Audit { conn, asked: BTreeMap::new(), checked: 0, faults: Vec::new() };
    let last = match from.part {
        RecordPart::Lines => audit.lines(from.after).await?,
        RecordPart::Incidents => audit.incidents(from.after).await?,
        RecordPart::Deleted => audit.deleted(from.after).await?,
        RecordPart::Texts => audit.texts(from.after).await?,
        RecordPart::Proofs => audit.proofs(from.after).await?,
        RecordPart::Rest => audit.rest().await.map(|()| None)?,
    };
    let next = match last {
        Some(after) => Some(RecordCursor { part: from.part, after }),
        None => from.part.next().map(|part| RecordCursor { part, after: 0 }),
    };
    Ok(RecordPortion { checked: audit.checked, faults: audit.faults, next })
}

/// Compares the columns of these incidents with their state: whatever is not as it follows from that.
pub async fn columns(
    conn: &mut SqliteConnection,
    incidents: &[(IncidentId, Arc<Incident>)],
) -> Result<Vec<RecordFault>, StoreError> {
    let ids: Vec<IncidentId> = incidents.iter().map(|(id, _)| *id).collect();
    let mut audit = Audit { conn, asked: BTreeMap::new(), checked: 0, faults: Vec::new() };
    audit.read_asked(&ids).await?;
    for (id, incident) in incidents {
        audit.columns(*id, incident, &BTreeSet::new()).await?;
    }
    Ok(audit.faults)
}

/// A check of one portion.
struct Audit<'a> {
    conn: &'a mut SqliteConnection,
    /// Who was asked in the incidents of this portion.
    asked: BTreeMap<IncidentId, Vec<AskedRow>>,
    checked: u64,
    faults: Vec<RecordFault>,
}

/// Who was asked, as it is stored.
struct AskedRow {
    person: String,
    /// `None` where it can not be read.
    waits: Option<i64>,
    /// The same.
    ended: Option<Option<i64>>,
}

/// What this check needs of a journal line, whatever chain it is in.
#[derive(Deserialize)]
struct LineFields {
    v: u32,
    at: Timestamp,
    #[serde(flatten)]
    texts: NamedTexts,
}

impl Audit<'_> {
    fn fault(&mut self, place: RecordPlace, row: impl ToString, why: impl Into<String>) {
        self.faults.push(RecordFault { place, row: row.to_string(), why: why.into() });
    }

    /// The columns beside each line's text, and whether the text that it names is there.
    async fn lines(&mut self, after: i64) -> Result<Option<i64>, StoreError> {
        const LINES: &str = "SELECT pos, chain, seq, at, body FROM journal WHERE pos > ? ORDER BY pos LIMIT ?";
        let lines = sqlx::query(LINES).bind(after).bind(limit(ROWS)).fetch_all(&mut *self.conn).await;
        let lines = lines.map_err(failure)?;
        for line in &lines {
            self.checked += 1;
            let row = format!("{} line {}", shown(line, 1), unsigned(line, 2).unwrap_or_default());
            // A line that can not be read is a fault of its chain, which is checked elsewhere.
            let Ok(fields) = serde_json::from_str::<LineFields>(column(line, 4).unwrap_or_default()) else { continue };
            if VERSION < fields.v {
                self.fault(RecordPlace::Line, &row, format!("a newer stentor wrote it (version {})", fields.v));
            }
            if column::<i64>(line, 3).ok() != Some(fields.at.as_micros()) {
                self.fault(RecordPlace::Line, &row, "the time in its column is not the time in its text");
            }
            for hash in fields.texts.hashes() {
                self.kept_text(&hash, || format!("{row} says that it was shown, and it is missing")).await?;
            }
        }
        last(&lines, ROWS)
    }

    /// Whether a text is there, and why it should be.
    async fn kept_text(&mut self, hash: &str, why: impl FnOnce() -> String) -> Result<(), StoreError> {
        let there = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM text WHERE hash = ?)").bind(hash.to_owned());
        if !there.fetch_one(&mut *self.conn).await.map_err(failure)? {
            self.fault(RecordPlace::Text, hash, why());
        }
        Ok(())
    }

    async fn incidents(&mut self, after: i64) -> Result<Option<i64>, StoreError> {
        self.numbered("SELECT id FROM incident WHERE id > ? ORDER BY id LIMIT ?", after, INCIDENTS).await
    }

    /// What was deleted from the table of incidents still has its chain. Goes from one chain to the next by the
    /// journal's index: its lines are not read.
    async fn deleted(&mut self, after: i64) -> Result<Option<i64>, StoreError> {
        const NUMBERS: &str = "WITH RECURSIVE known(chain) AS (
                SELECT min(chain) FROM journal WHERE 'INC-' <= chain AND chain < 'INC.'
                UNION ALL
                SELECT (SELECT min(j.chain) FROM journal j WHERE known.chain < j.chain AND j.chain < 'INC.')
                FROM known WHERE known.chain IS NOT NULL),
            numbered(n) AS (SELECT CAST(substr(chain, 5) AS INTEGER) FROM known WHERE chain GLOB 'INC-[0-9]*')
            SELECT DISTINCT n FROM numbered WHERE ? < n AND NOT EXISTS (SELECT 1 FROM incident i WHERE i.id = n)
            ORDER BY n LIMIT ?";
        self.numbered(NUMBERS, after, DELETED).await
    }

    /// Checks the incidents with the numbers that this query finds.
    async fn numbered(&mut self, numbers: &'static str, after: i64, most: usize) -> Result<Option<i64>, StoreError> {
        let numbers = sqlx::query(numbers).bind(after).bind(limit(most)).fetch_all(&mut *self.conn).await;
        let numbers = numbers.map_err(failure)?;
        let ids: Vec<IncidentId> =
            numbers.iter().map(|row| column(row, 0).map(IncidentId)).collect::<Result<_, _>>()?;
        self.read_asked(&ids).await?;
        for id in ids {
            self.checked += 1;
            self.incident(id).await?;
        }
        last(&numbers, most)
    }

    /// Reads who was asked in these incidents, in one go: that table is in the order of people.
    async fn read_asked(&mut self, ids: &[IncidentId]) -> Result<(), StoreError> {
        const ASKED: &str = "SELECT incident, person, waits, ended FROM asked
            WHERE incident IN (SELECT value FROM json_each(?))";
        let wanted: Vec<i64> = ids.iter().map(|id| id.0).collect();
        let rows = sqlx::query(ASKED).bind(serde_json::json!(wanted).to_string()).fetch_all(&mut *self.conn).await;
        for row in &rows.map_err(failure)? {
            let kept = AskedRow { person: shown(row, 1), waits: column(row, 2).ok(), ended: column(row, 3).ok() };
            self.asked.entry(IncidentId(column(row, 0)?)).or_default().push(kept);
        }
        Ok(())
    }

    /// Whether each text is what its hash says.
    async fn texts(&mut self, after: i64) -> Result<Option<i64>, StoreError> {
        const TEXTS: &str = "SELECT rowid, hash, body FROM text WHERE rowid > ? ORDER BY rowid LIMIT ?";
        let texts = sqlx::query(TEXTS).bind(after).bind(limit(ROWS)).fetch_all(&mut *self.conn).await;
        let texts = texts.map_err(failure)?;
        for text in &texts {
            self.checked += 1;
            let (hash, found) = (shown(text, 1), text_hash(&shown(text, 2)));
            if hash != found {
                let why = format!("it was edited, or stored under another name: its content has the hash {found}");
                self.fault(RecordPlace::Text, hash, why);
            }
        }
        last(&texts, ROWS)
    }

    /// The chain's last line.
    async fn chain_end(&mut self, chain: &str) -> Result<Option<(u64, [u8; 32])>, StoreError> {
        Ok(super::state::last_head(self.conn, chain).await?.map(|head| (head.seq, head.hash)))
    }

    async fn chain(&mut self, id: IncidentId) -> Result<Vec<crate::core::StoredLine>, StoreError> {
        read::lines(self.conn, Some(&id.to_string()), 0, i64::MAX).await
    }

    async fn all(&mut self, sql: &'static str) -> Result<Vec<SqliteRow>, StoreError> {
        rows(self.conn, sql).await
    }
}

fn last(found: &[SqliteRow], most: usize) -> Result<Option<i64>, StoreError> {
    found.last().filter(|_| most <= found.len()).map(|row| column(row, 0)).transpose()
}
