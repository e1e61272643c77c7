//! What a node takes up when it opens the store. Nothing that is damaged there keeps it from being opened.

use super::{
    StoreError, failure, read, runs,
    state::{NUMBER_MAX, newest},
    writer::WriterShared,
};
use crate::{
    core::IncidentId,
    store::{
        QuarantinedRow, RowKind, RowName,
        clock::{ClockAnchor, ClockSources, SteadyClock},
    },
};
use sqlx::SqliteConnection;
use std::sync::Arc;

/// Runs of drills that are looked through for such as can not be read.
const RUNS_LOOKED_AT: usize = 1_000;

/// The setting that names the last node which left in order.
const LEFT: &str = "left";

/// Settings that could not be read, and what became of them.
pub type DamagedSettings = Vec<(RowName, String)>;

/// The numbers of nodes.
pub struct NodeEpochs {
    /// This one's.
    pub epoch: u64,
    /// That of the last one which left in order.
    pub left: Option<u64>,
}

/// Takes the next epoch, and the server key, which the first one makes. An epoch that can not be read goes on from the
/// claims of pages; a key that can not be read is replaced, for without one nobody could be paged.
pub async fn begin_epoch(conn: &mut SqliteConnection) -> Result<(NodeEpochs, [u8; 32], DamagedSettings), StoreError> {
    let mut damaged = DamagedSettings::new();
    let before: Option<i64> = setting(conn, "epoch", &mut damaged).await?;
    let claimed =
        "SELECT coalesce(max(epoch), 0) FROM page WHERE owed = 1 AND typeof(epoch) = 'integer' AND epoch <= ?";
    let claimed: i64 = sqlx::query_scalar(claimed).bind(NUMBER_MAX).fetch_one(&mut *conn).await.map_err(failure)?;
    let epoch = 1 + before.filter(|epoch| (0..NUMBER_MAX).contains(epoch)).unwrap_or(0).max(claimed);
    keep(conn, "epoch", epoch).await?;
    let left: Option<i64> = setting(conn, LEFT, &mut damaged).await?;
    let kept: Option<Vec<u8>> = setting(conn, "server_key", &mut damaged).await?;
    if let Some(key) = kept.as_ref().filter(|key| key.len() != 32) {
        put_aside(conn, "server_key", format!("it has {} bytes", key.len()), &mut damaged).await?;
    }
    let key = match kept.and_then(|key| key.try_into().ok()) {
        Some(key) => key,
        None => {
            let mut key = [0_u8; 32];
            rand::fill(&mut key[..]);
            keep(conn, "server_key", key.to_vec()).await?;
            key
        }
    };
    let lost = damaged.iter_mut().filter(|(row, _)| *row == RowName::Other(RowKind::Meta, "server_key".into()));
    lost.for_each(|(_, why)| why.push_str("; a new one was made: codes and links that were sent before do not work"));
    let left = left.and_then(|left| u64::try_from(left).ok());
    Ok((NodeEpochs { epoch: u64::try_from(epoch).unwrap_or(1), left }, key, damaged))
}

/// Keeps that this node left in order.
pub async fn keep_left(conn: &mut SqliteConnection, epoch: u64) -> Result<(), StoreError> {
    keep(conn, LEFT, i64::try_from(epoch).unwrap_or(NUMBER_MAX)).await
}

/// A value of the kind that it should be; none where there is none. One of another kind is damaged, and kept under
/// another name.
async fn setting<T>(
    conn: &mut SqliteConnection,
    name: &str,
    damaged: &mut DamagedSettings,
) -> Result<Option<T>, StoreError>
where
    T: for<'r> sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    let row = sqlx::query("SELECT value FROM meta WHERE name = ?").bind(name.to_owned());
    let Some(row) = row.fetch_optional(&mut *conn).await.map_err(failure)? else { return Ok(None) };
    match read::column::<T>(&row, 0) {
        Ok(value) => Ok(Some(value)),
        Err(error) => put_aside(conn, name, error.to_string(), damaged).await.map(|()| None),
    }
}

/// A damaged value, before another takes its place.
async fn put_aside(
    conn: &mut SqliteConnection,
    name: &str,
    why: String,
    damaged: &mut DamagedSettings,
) -> Result<(), StoreError> {
    const ASIDE: &str = "INSERT INTO meta (name, value) SELECT name || '_damaged', value FROM meta WHERE name = ?
        ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    damaged.push((RowName::Other(RowKind::Meta, name.to_owned()), why));
    sqlx::query(ASIDE).bind(name.to_owned()).execute(conn).await.map(drop).map_err(failure)
}

async fn keep<'q, T>(conn: &mut SqliteConnection, name: &'static str, value: T) -> Result<(), StoreError>
where
    T: sqlx::Encode<'q, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite> + Send + 'q,
{
    const KEEP: &str =
        "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    sqlx::query(KEEP).bind(name).bind(value).execute(conn).await.map(drop).map_err(failure)
}

/// The store's clock, which goes on where it was.
pub async fn start_clock(
    conn: &mut SqliteConnection,
    sources: Arc<dyn ClockSources>,
    damaged: &mut DamagedSettings,
) -> Result<SteadyClock, StoreError> {
    let kept: Option<String> =
        read::scalar(conn, "SELECT (SELECT CAST(value AS TEXT) FROM meta WHERE name = 'clock')").await?;
    let anchor = kept.and_then(|text| match serde_json::from_str::<ClockAnchor>(&text) {
        Ok(anchor) => Some(anchor),
        Err(error) => {
            let why = format!("{error}; the wall clock counts instead");
            damaged.push((RowName::Other(RowKind::Meta, "clock".into()), why));
            None
        }
    });
    Ok(SteadyClock::start(sources, anchor.as_ref(), newest(conn).await?))
}

/// Looks through what was set aside before, which may be mended by now, and through the small tables.
pub async fn look_through(conn: &mut SqliteConnection, shared: &WriterShared) {
    let waiting: Vec<IncidentId> = shared.quarantine().waiting();
    match read::incidents(conn, &waiting, &shared.plans).await {
        Ok(found) => {
            for (id, _) in found.iter().filter(|(_, kept)| kept.is_ok()) {
                tracing::info!(incident.id = %id, "an incident that was set aside can be read again");
                shared.quarantine().restore(*id);
            }
        }
        Err(error) => tracing::error!(%error, "incidents that were set aside could not be looked at"),
    }
    match mend_asked(conn).await {
        Ok(0) => {}
        Ok(mended) => {
            tracing::error!(mended, "rows that say for whom incidents wait were damaged: all are taken to wait")
        }
        Err(error) => tracing::error!(%error, "who was asked in which incident could not be looked at"),
    }
    let turns = runs::turns(conn).await.map(|(_, unreadable)| unreadable);
    let proofs = read::proofs(conn).await.map(|(_, unreadable)| unreadable);
    let runs = runs::runs(conn, RUNS_LOOKED_AT, None).await.map(|((_, unreadable), _)| unreadable);
    for unreadable in [turns, proofs, runs] {
        match unreadable {
            Ok(rows) => rows.into_iter().for_each(|(row, why)| {
                shared.set_aside(QuarantinedRow::new(row, shared.clock.now(), why));
            }),
            Err(error) => tracing::error!(%error, "a table of the store could not be looked through"),
        }
    }
}

/// Where it can not be read whether an open incident waits for somebody, it is taken to: it hides from nobody. Returns how
/// many rows these were.
async fn mend_asked(conn: &mut SqliteConnection) -> Result<u64, StoreError> {
    const MEND: &str = "UPDATE asked SET waits = 1 WHERE ended IS NULL AND waits IS NOT 0 AND waits IS NOT 1";
    sqlx::query(MEND).execute(conn).await.map(|done| done.rows_affected()).map_err(failure)
}
