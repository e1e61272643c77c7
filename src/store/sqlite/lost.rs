//! What is left of unreadable rows: for messages about them, and for those who repair them by hand.

use super::{
    column::{column, shown},
    failure::failure,
};
use crate::{
    core::{Event, IncidentId, IncidentKey, JournalRecord},
    store::{RowKind, RowName, RowRemains, StoreError, quarantine::LostIncident},
};
use sqlx::{Sqlite, SqliteConnection, query::Query, sqlite::SqliteArguments};

/// The longest content that is shown of one place, in characters.
const SHOWN_MAX: usize = 20_000;

/// The longest summary that is quoted in messages, in characters.
const SUMMARY_MAX: usize = 200;

/// The most places that are shown of one row.
const PLACES_MAX: usize = 1_000;

/// What an incident's head and the first line of its journal say. Without a head it counts as open: people may wait.
pub async fn lost(conn: &mut SqliteConnection, id: IncidentId) -> Option<LostIncident> {
    const HEAD: &str = "SELECT key, open FROM incident WHERE id = ?";
    const FIRST: &str = "SELECT body FROM journal WHERE chain = ? AND seq = 1";
    let head = sqlx::query(HEAD).bind(id.0).fetch_optional(&mut *conn).await.ok().flatten();
    let first = sqlx::query(FIRST).bind(id.to_string()).fetch_optional(conn).await.ok().flatten();
    let first = first.and_then(|row| serde_json::from_str::<JournalRecord>(column::<&str>(&row, 0).ok()?).ok());
    let opening = match first.map(|record| record.event) {
        Some(Event::Opened(opening)) => Some(opening),
        _ => None,
    };
    let key = head.as_ref().and_then(|row| Some(IncidentKey::stored(column(row, 0).ok()?)));
    let key = key.or_else(|| opening.as_ref().map(|opening| opening.key.of_plan(&opening.plan.trigger)));
    let open = head.as_ref().is_none_or(|row| column::<i64>(row, 1).map_or(true, |open| open != 0));
    let key = key.unwrap_or_else(|| IncidentKey::stored(""));
    let summary = opening.map(|opening| opening.summary.chars().take(SUMMARY_MAX).collect());
    Some(LostIncident { key, summary, open })
}

/// What is stored where a row should be.
pub async fn remains(conn: &mut SqliteConnection, row: &RowName) -> Result<Vec<RowRemains>, StoreError> {
    let mut left = Vec::new();
    match row {
        RowName::Incident(id) => {
            let head = "SELECT 'incident', json_array(key, open, deadline, seq, hex(hash), at, alerts, joined)
                FROM incident WHERE id = ?";
            let body = "SELECT 'body', body FROM body WHERE incident = ?";
            let plan = "SELECT 'plan', p.body FROM body b JOIN plan p ON p.hash = b.plan WHERE b.incident = ?";
            let pages = "SELECT 'page ' || n, body FROM page WHERE incident = ? ORDER BY n LIMIT 1000";
            for sql in [head, body, plan, pages] {
                add(conn, sqlx::query(sql).bind(id.0), &mut left).await?;
            }
            let lines = "SELECT 'journal line ' || seq, body FROM journal WHERE chain = ? ORDER BY seq LIMIT 1000";
            add(conn, sqlx::query(lines).bind(id.to_string()), &mut left).await?;
        }
        RowName::Other(kind, name) => {
            let sql = match kind {
                RowKind::Run => "SELECT 'drill_run', body FROM drill_run WHERE 'DR-' || id = ?",
                RowKind::Turn => "SELECT 'drill_turn', body FROM drill_turn WHERE scenario = ?",
                RowKind::Proof => {
                    "SELECT 'contact_proof', json_array(at, how, drill, incident) FROM contact_proof
                        WHERE person || '/' || channel = ?"
                }
                RowKind::Window => "SELECT 'observed', body FROM observed WHERE name = ?",
                RowKind::Judgement => "SELECT 'judgement', body FROM judgement WHERE name = ?",
                RowKind::Head => "SELECT 'chain', json_array(seq, hex(hash)) FROM chain WHERE name = ?",
                // The server key is a secret, even when damaged.
                RowKind::Meta => "SELECT 'meta', length(value) || ' bytes' FROM meta WHERE name = ?",
                RowKind::Line => "SELECT 'journal', body FROM journal WHERE chain || '/' || seq = ?",
            };
            add(conn, sqlx::query(sql).bind(name.clone()), &mut left).await?;
        }
    }
    Ok(left)
}

async fn add(
    conn: &mut SqliteConnection,
    query: Query<'_, Sqlite, SqliteArguments>,
    left: &mut Vec<RowRemains>,
) -> Result<(), StoreError> {
    for row in query.fetch_all(conn).await.map_err(failure)? {
        if left.len() < PLACES_MAX {
            let content = shown(&row, 1).chars().take(SHOWN_MAX).collect();
            left.push(RowRemains { place: shown(&row, 0), content });
        }
    }
    Ok(())
}
