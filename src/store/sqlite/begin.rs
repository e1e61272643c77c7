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

/// Starts the store's clock, which continues where it was.
pub async fn start_clock(
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

/// Checks the rows that were set aside before, which may be repaired by now, and the small tables.
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
    match mend_asked(conn).await {
        Ok(0) => {}
        Ok(mended) => {
            tracing::error!(
                mended,
                "rows that say for whom incidents wait were damaged: all incidents count as waiting"
            )
        }
        Err(error) => tracing::error!(%error, "it could not be checked who was asked in which incident"),
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

/// If it can not be read whether an open incident waits for a person, it counts as waiting. Returns how many such rows
/// there were.
async fn mend_asked(conn: &mut SqliteConnection) -> Result<u64, StoreError> {
    const MEND: &str = "UPDATE asked SET waits = 1 WHERE ended IS NULL AND waits IS NOT 0 AND waits IS NOT 1";
    sqlx::query(MEND).execute(conn).await.map(|done| done.rows_affected()).map_err(failure)
}
