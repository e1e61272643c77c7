//! The columns by which incidents, pages and people are found, looked at when the store is opened: what is damaged there
//! would leave pages with a node that is gone, or open an incident beside an open one. What does not follow from the
//! incident's state is written anew from it.
//!
//! Not every incident is read, so that a start takes no longer than it must. The columns are compared with each other for
//! what is open or changed within a day of the last event, of the newest [`COMPARED`] each, and the newest open incidents
//! with their state; `journal verify` compares everything.

use super::{
    audit,
    column::{column, rows, shown},
    connection::limit,
    failure::{CommitFailure, failure},
    quarantine_record::{self, JournaledRow, journaled},
    read,
    script::WriteScript,
    shared::WriterShared,
    state::newest,
};
use crate::{
    core::{
        Incident, IncidentId,
        record::{RecordFault, RecordPlace},
    },
    store::{ChangeSet, QuarantinedRow, StoreError, StoredIncident, WorkingSet, body::StoredPlans},
};
use sqlx::SqliteConnection;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// How many incidents are mended at one start. Of more, the next start mends the rest.
const MENDED_MAX: usize = 10_000;

/// How many of the mended rows are named in the log.
const LOGGED_MAX: usize = 100;

/// How many incidents are read and compared at once.
const AT_ONCE: usize = 500;

/// How many of the newest open incidents are compared with their state, whatever their columns say.
const NEWEST: usize = 200;

/// Of how many of the newest open incidents, and of how many of all, the columns are compared with each other.
const COMPARED: usize = 20_000;

/// Pages of incidents that are over are looked at for so long after the last event.
const RECENT: Duration = Duration::from_secs(24 * 3600);

/// Compares and mends. Returns what was wrong. Nothing that is damaged keeps the store from opening.
pub async fn mend_columns(conn: &mut SqliteConnection, shared: &WriterShared) -> Vec<RecordFault> {
    told(mend_incidents(conn, shared).await)
}

/// Takes rows out of the quarantine that the journal did not set aside: they would hide incidents from everybody. What
/// can not be read is found anew.
pub async fn mend_quarantine(conn: &mut SqliteConnection, shared: &WriterShared) -> Vec<RecordFault> {
    told(take_out(conn, shared).await)
}

fn told(found: Result<Vec<RecordFault>, StoreError>) -> Vec<RecordFault> {
    let mended = found.unwrap_or_else(|error| {
        tracing::error!(%error, "the rows of the store could not be compared with its state");
        Vec::new()
    });
    for fault in mended.iter().take(LOGGED_MAX) {
        tracing::error!(%fault, "a row of the store was wrong: it was mended");
    }
    if let Some(more) = mended.len().checked_sub(LOGGED_MAX).filter(|more| 0 < *more) {
        tracing::error!(more, "further rows of the store were wrong: they were mended");
    }
    mended
}

async fn mend_incidents(conn: &mut SqliteConnection, shared: &WriterShared) -> Result<Vec<RecordFault>, StoreError> {
    let mut mended = Vec::new();
    for ids in suspects(conn, shared).await?.chunks(AT_ONCE) {
        let read = read::incidents(conn, ids, &shared.plans).await?;
        // One that can not be read is set aside when it is used.
        let read: BTreeMap<IncidentId, StoredIncident> =
            read.into_iter().filter_map(|(id, kept)| Some((id, kept.ok()?))).collect();
        let states: Vec<(IncidentId, Arc<Incident>)> =
            read.iter().map(|(id, kept)| (*id, kept.incident.clone())).collect();
        let faults = audit::columns(conn, &states).await?;
        let wrong: BTreeSet<IncidentId> = faults.iter().filter_map(|fault| incident_of(&fault.row)).collect();
        let wrong = read.into_iter().filter(|(id, _)| wrong.contains(id)).collect();
        rewrite(conn, wrong, shared).await?;
        mended.extend(faults);
    }
    Ok(mended)
}

/// The incident that a fault is in: its row is `INC-7`, `INC-7.2` or `ana in INC-7`.
fn incident_of(row: &str) -> Option<IncidentId> {
    let name = row.rsplit(' ').next().unwrap_or(row);
    name.split('.').next().unwrap_or(name).parse().ok()
}

/// Incidents whose columns contradict each other, and the newest open ones.
async fn suspects(conn: &mut SqliteConnection, shared: &WriterShared) -> Result<Vec<IncidentId>, StoreError> {
    const OLDEST: &str = "SELECT
        coalesce((SELECT id FROM incident WHERE open = 1 ORDER BY id DESC LIMIT 1 OFFSET ?1), 0),
        coalesce((SELECT max(id) FROM incident), 0) - ?1";
    const SUSPECTS: &str = "
        SELECT id FROM incident WHERE open IS NOT 0 AND open IS NOT 1
        UNION SELECT id FROM incident WHERE open = 0 AND deadline IS NOT NULL
        UNION SELECT incident FROM asked WHERE ended IS NULL AND ?4 <= incident
            AND NOT EXISTS (SELECT 1 FROM incident i WHERE i.id = asked.incident AND i.open = 1)
        UNION SELECT incident FROM asked WHERE ended IS NOT NULL AND ?4 <= incident
            AND incident IN (SELECT id FROM incident WHERE open = 1 AND ?4 <= id)
        UNION SELECT incident FROM asked WHERE ended IS NULL AND waits IS NOT 0 AND waits IS NOT 1
        UNION SELECT incident FROM page WHERE owed = 1 AND ?4 <= incident AND state NOT IN ('queued', 'withdrawn')
        UNION SELECT incident FROM page p WHERE incident IN (
                SELECT id FROM incident WHERE open = 1 AND ?4 <= id
                UNION ALL SELECT id FROM incident WHERE ?5 <= id AND ?1 < at AND open = 0)
            AND (p.owed IS NOT (p.state IN ('queued', 'withdrawn')) OR typeof(p.owed) <> 'integer'
                OR p.owed = 1 AND typeof(p.epoch) <> 'integer')
        UNION SELECT id FROM (SELECT id FROM incident WHERE open = 1 ORDER BY id DESC LIMIT ?2)
        ORDER BY 1 DESC LIMIT ?3";
    let recent = newest(conn).await?.map_or(0, |at| at.as_micros().saturating_sub(micros(RECENT)));
    let oldest = sqlx::query(OLDEST).bind(limit(COMPARED)).fetch_one(&mut *conn).await.map_err(failure)?;
    let (oldest_open, oldest): (i64, i64) = (column(&oldest, 0)?, column(&oldest, 1)?);
    let found = sqlx::query(SUSPECTS).bind(recent).bind(limit(NEWEST)).bind(limit(MENDED_MAX));
    let found = found.bind(oldest_open).bind(oldest).fetch_all(conn).await.map_err(failure)?;
    let ids = found.iter().filter_map(|row| column(row, 0).map(IncidentId).ok());
    Ok(ids.filter(|id| shared.quarantine().holds(*id).is_none()).collect())
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// Writes the columns of these incidents as a commit would, and what a commit never changes.
async fn rewrite(
    conn: &mut SqliteConnection,
    mut incidents: BTreeMap<IncidentId, StoredIncident>,
    shared: &WriterShared,
) -> Result<(), StoreError> {
    if incidents.is_empty() {
        return Ok(());
    }
    // A page that has lost its claim was the last node's.
    let last = shared.epoch.saturating_sub(1).max(1);
    let mut changes = ChangeSet::default();
    for (id, kept) in &mut incidents {
        for n in kept.incident.pages.values().filter(|page| page.is_owed()).map(|page| page.n) {
            if !kept.claims.contains_key(&n) {
                kept.claims.insert_mut(n, last);
            }
        }
        fixed_columns(conn, *id, &kept.incident).await?;
        changes.heads.insert(*id);
        changes.pages.extend(kept.incident.pages.keys().map(|n| (*id, *n)));
        changes.asked.extend(kept.incident.asked().into_iter().map(|person| (*id, person.clone())));
    }
    let loaded = WorkingSet { incidents, ..WorkingSet::default() };
    let now = shared.clock.now();
    let script = WriteScript::write(&changes, &loaded, &mut StoredPlans::default(), &BTreeMap::new(), now);
    let script = script.map_err(|unwritable| StoreError::Unwritable(unwritable.why))?;
    script.run(conn).await.map_err(|error| match error {
        CommitFailure::Refused(error) | CommitFailure::Failed(error) => error,
    })
}

/// What stays as it was when the row was made; and people who were not asked.
async fn fixed_columns(conn: &mut SqliteConnection, id: IncidentId, incident: &Incident) -> Result<(), StoreError> {
    let key = sqlx::query("UPDATE incident SET key = ? WHERE id = ?").bind(incident.key.as_str().to_owned()).bind(id.0);
    key.execute(&mut *conn).await.map_err(failure)?;
    for page in incident.pages.values() {
        let row = sqlx::query("UPDATE page SET asks = ?, channel = ? WHERE incident = ? AND n = ?");
        let row = row.bind(page.asks().map(ToString::to_string)).bind(page.channel.to_string()).bind(id.0).bind(page.n);
        row.execute(&mut *conn).await.map_err(failure)?;
    }
    let asked: Vec<&str> = incident.asked().into_iter().map(|person| person.as_str()).collect();
    let strangers =
        sqlx::query("DELETE FROM asked WHERE incident = ? AND person NOT IN (SELECT value FROM json_each(?))");
    let strangers = strangers.bind(id.0).bind(serde_json::json!(asked).to_string());
    strangers.execute(&mut *conn).await.map(drop).map_err(failure)
}

async fn take_out(conn: &mut SqliteConnection, shared: &WriterShared) -> Result<Vec<RecordFault>, StoreError> {
    let kept = rows(conn, "SELECT row, body FROM quarantine").await?;
    if kept.is_empty() {
        return Ok(Vec::new());
    }
    let said = journaled(conn).await?;
    let mut faults = Vec::new();
    for row in &kept {
        let (name, entry) = (shown(row, 0), serde_json::from_str::<QuarantinedRow>(&shown(row, 1)).ok());
        let said = said.get(&name);
        let why = match &entry {
            Some(entry) => quarantine_record::fault(entry, said),
            // It holds its row all the same, where the journal says so.
            None if said.is_some_and(JournaledRow::is_aside) => None,
            None => Some("it can not be read".to_owned()),
        };
        let Some(why) = why else { continue };
        let out = sqlx::query("DELETE FROM quarantine WHERE row = ?").bind(name.clone());
        out.execute(&mut *conn).await.map_err(failure)?;
        if let Ok(row) = name.parse() {
            shared.quarantine().keep([(row, None)].into());
        }
        faults.push(RecordFault { place: RecordPlace::Quarantine, row: name, why });
    }
    Ok(faults)
}
