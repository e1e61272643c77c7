//! What a node reads when it opens the store. Nothing that is damaged there keeps the store from opening.

use super::{
    column::{NUMBER_MAX, scalar},
    failure::failure,
    read, runs,
    setting::{DamagedSettings, LEFT, keep, put_aside, setting},
    shared::WriterShared,
    state::newest,
};
use crate::{
    core::IncidentId,
    store::{
        QuarantinedRow, RowKind, RowName, StoreError,
        clock::{ClockAnchor, ClockSources, SteadyClock},
    },
};
use sqlx::SqliteConnection;
use std::sync::Arc;

/// How many runs of drills are checked for unreadable ones.
const RUNS_LOOKED_AT: usize = 1_000;

/// The numbers of nodes.
pub struct NodeEpochs {
    /// The number of this node.
    pub epoch: u64,
    /// The number of the last node that ended in order, if there is one.
    pub left: Option<u64>,
}

/// Takes the next epoch and the server key; the first node makes the key. If the epoch can not be read, the claims of
/// pages give it. A key that can not be read is replaced: without one nobody could be paged.
pub async fn begin_epoch(conn: &mut SqliteConnection) -> Result<(NodeEpochs, [u8; 32], DamagedSettings), StoreError> {
    let mut damaged = DamagedSettings::new();
    let epoch = 1 + read_epoch(conn, &mut damaged).await?;
    let left: Option<i64> = setting(conn, LEFT, &mut damaged).await?;
    let key = read_key(conn, &mut damaged).await?;
    for (row, why) in &mut damaged {
        let RowName::Other(RowKind::Meta, name) = &*row else { continue };
        put_aside(conn, name).await?;
        if name == "server_key" {
            why.push_str("; a new one was made: codes and links that were sent before do not work");
        }
    }
    keep(conn, "epoch", i64::try_from(epoch).unwrap_or(NUMBER_MAX)).await?;
    let key = match key {
        Some(key) => key,
        None => {
            let mut key = [0_u8; 32];
            rand::fill(&mut key[..]);
            keep(conn, "server_key", key.to_vec()).await?;
            key
        }
    };
    let left = left.and_then(|left| u64::try_from(left).ok());
    Ok((NodeEpochs { epoch, left }, key, damaged))
}

/// The newest epoch. If it can not be read, the claims of pages give it. Changes nothing.
pub async fn read_epoch(conn: &mut SqliteConnection, damaged: &mut DamagedSettings) -> Result<u64, StoreError> {
    const CLAIMED: &str =
        "SELECT coalesce(max(epoch), 0) FROM page WHERE owed = 1 AND typeof(epoch) = 'integer' AND epoch <= ?";
    let before: Option<i64> = setting(conn, "epoch", damaged).await?;
    let claimed: i64 = sqlx::query_scalar(CLAIMED).bind(NUMBER_MAX).fetch_one(&mut *conn).await.map_err(failure)?;
    let epoch = before.filter(|epoch| (0..NUMBER_MAX).contains(epoch)).unwrap_or(0).max(claimed);
    Ok(u64::try_from(epoch).unwrap_or(0))
}

/// The server key; `None` if there is none that can be read. Changes nothing.
pub async fn read_key(
    conn: &mut SqliteConnection,
    damaged: &mut DamagedSettings,
) -> Result<Option<[u8; 32]>, StoreError> {
    let kept: Option<Vec<u8>> = setting(conn, "server_key", damaged).await?;
    if let Some(key) = kept.as_ref().filter(|key| key.len() != 32) {
        let row = RowName::Other(RowKind::Meta, "server_key".into());
        damaged.push((row, format!("it has {} bytes", key.len())));
    }
    Ok(kept.and_then(|key| key.try_into().ok()))
}

/// The store's clock, which continues where it was. Changes nothing.
pub async fn read_clock(
    conn: &mut SqliteConnection,
    sources: Arc<dyn ClockSources>,
    damaged: &mut DamagedSettings,
) -> Result<SteadyClock, StoreError> {
    let kept: Option<String> =
        scalar(conn, "SELECT (SELECT CAST(value AS TEXT) FROM meta WHERE name = 'clock')").await?;
    let anchor = kept.and_then(|text| match serde_json::from_str::<ClockAnchor>(&text) {
        Ok(anchor) => Some(anchor),
        Err(error) => {
            let why = format!("{error}; the wall clock is used instead");
            damaged.push((RowName::Other(RowKind::Meta, "clock".into()), why));
            None
        }
    });
    Ok(SteadyClock::start(sources, anchor.as_ref(), newest(conn).await?))
}

/// Checks the rows that were set aside before, which may be repaired by now, and the small tables. Changes nothing on
/// the disk.
pub async fn look_through(conn: &mut SqliteConnection, shared: &WriterShared) {
    let waiting: Vec<IncidentId> = shared.quarantine().waiting();
    match read::incidents(conn, &waiting, &shared.plans).await {
        Ok(found) => {
            for (id, _) in found.iter().filter(|(_, kept)| kept.is_ok()) {
                tracing::info!(incident.id = %id, "an incident that was set aside can be read again");
                shared.quarantine().restore(*id);
            }
        }
        Err(error) => tracing::error!(%error, "incidents in quarantine could not be checked"),
    }
    let turns = runs::turns(conn).await.map(|(_, unreadable)| unreadable);
    let proofs = read::proofs(conn).await.map(|(_, unreadable)| unreadable);
    let runs = runs::runs(conn, RUNS_LOOKED_AT, None).await.map(|((_, unreadable), _)| unreadable);
    for unreadable in [turns, proofs, runs] {
        match unreadable {
            Ok(rows) => rows.into_iter().for_each(|(row, why)| {
                shared.set_aside(QuarantinedRow::new(row, shared.clock.now(), why));
            }),
            Err(error) => tracing::error!(%error, "a table of the store could not be checked"),
        }
    }
}

/// If it can not be read whether an open incident waits for a person, it counts as waiting.
pub async fn mend_asked(conn: &mut SqliteConnection) {
    const MEND: &str = "UPDATE asked SET waits = 1 WHERE ended IS NULL AND waits IS NOT 0 AND waits IS NOT 1";
    match sqlx::query(MEND).execute(conn).await.map(|done| done.rows_affected()) {
        Ok(0) => {}
        Ok(mended) => {
            tracing::error!(
                mended,
                "rows that say for whom incidents wait were damaged: all incidents count as waiting"
            )
        }
        Err(error) => tracing::error!(%error, "it could not be checked who was asked in which incident"),
    }
}
