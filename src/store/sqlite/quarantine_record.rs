//! What the journal says of rows that were set aside. The table is compared with it: a row that was put there by hand
//! would hide an incident from everybody.

use super::{column::shown, failure::failure};
use crate::{
    core::{JournalRecord, SourceEvent, Timestamp, names::SELF},
    store::{QuarantineStatus, QuarantinedRow, StoreError},
};
use sqlx::SqliteConnection;
use std::collections::BTreeMap;

/// The last thing that the journal says of a row.
pub struct JournaledRow {
    at: Timestamp,
    event: SourceEvent,
}

impl JournaledRow {
    /// Whether it is still set aside.
    pub fn is_aside(&self) -> bool {
        !matches!(self.event, SourceEvent::QuarantineRestored { .. })
    }
}

/// By the names of rows.
pub async fn journaled(conn: &mut SqliteConnection) -> Result<BTreeMap<String, JournaledRow>, StoreError> {
    const LINES: &str =
        "SELECT body FROM journal WHERE chain = ? AND instr(body, '\"event\":\"quarantine') ORDER BY seq";
    let lines = sqlx::query(LINES).bind(format!("source:{SELF}")).fetch_all(conn).await.map_err(failure)?;
    let mut said = BTreeMap::new();
    for line in &lines {
        // A line that can not be read is a fault of its chain.
        let Ok(JournalRecord { at, event, .. }) = serde_json::from_str::<JournalRecord<SourceEvent>>(&shown(line, 0))
        else {
            continue;
        };
        let row = match &event {
            SourceEvent::Quarantined { row, .. }
            | SourceEvent::QuarantineCleared { row, .. }
            | SourceEvent::QuarantineRestored { row } => row.clone(),
            _ => continue,
        };
        said.insert(row, JournaledRow { at, event });
    }
    Ok(said)
}

/// What is wrong with this row.
pub fn fault(entry: &QuarantinedRow, said: Option<&JournaledRow>) -> Option<String> {
    let Some(JournaledRow { at, event }) = said else { return Some("no line of the journal set it aside".to_owned()) };
    let checks = match (event, &entry.standing) {
        (SourceEvent::Quarantined { why, .. }, QuarantineStatus::Told) => vec![
            ("reason", *why == entry.why),
            ("time", entry.found_at <= *at),
            // Only what people may wait for is told.
            ("open", entry.incident.as_ref().is_some_and(|incident| incident.open)),
        ],
        (SourceEvent::QuarantineCleared { by, .. }, QuarantineStatus::Cleared { cleared_at, cleared_by }) => {
            vec![("who looked", *cleared_by == by.to_string()), ("when", cleared_at == at)]
        }
        _ => vec![("whether somebody has looked at it", false)],
    };
    let wrong: Vec<&str> = checks.iter().filter(|(_, same)| !same).map(|(name, _)| *name).collect();
    (!wrong.is_empty()).then(|| format!("not what the journal says: {}", wrong.join(", ")))
}
