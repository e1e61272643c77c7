//! What is kept of requests with an idempotency key: the rows of the table `response`.

use super::{
    column::{column, rows, shown},
    failure::failure,
};
use crate::{
    core::{SourceName, Timestamp},
    store::{KeptResponse, KeptResponses, RESPONSE_KEPT, RequestKey, StoreError},
};
use sqlx::{SqliteConnection, sqlite::SqliteRow};

/// All of them. One that can not be read is left out: its request is a new one when it comes again.
pub async fn responses(conn: &mut SqliteConnection) -> Result<KeptResponses, StoreError> {
    let mut kept = KeptResponses::default();
    for row in &rows(conn, "SELECT body, source, operation, key FROM response").await? {
        let source = SourceName::from(shown(row, 1));
        let key = RequestKey { source, operation: shown(row, 2), key: shown(row, 3) };
        if let Some(response) = read(row, &key) {
            kept.insert(key, response);
        }
    }
    Ok(kept)
}

/// What is kept of one request, whatever its age.
pub async fn response(conn: &mut SqliteConnection, key: &RequestKey) -> Result<Option<KeptResponse>, StoreError> {
    const ONE: &str = "SELECT body FROM response WHERE source = ? AND operation = ? AND key = ?";
    let one = sqlx::query(ONE).bind(key.source.to_string()).bind(key.operation.clone()).bind(key.key.clone());
    let row = one.fetch_optional(conn).await.map_err(failure)?;
    Ok(row.as_ref().and_then(|row| read(row, key)))
}

/// Deletes those whose time was over before the start, also what can not be read of them.
pub async fn forget_responses(conn: &mut SqliteConnection, now: Timestamp) -> Result<(), StoreError> {
    let kept = i64::try_from(RESPONSE_KEPT.as_micros()).unwrap_or(i64::MAX);
    let oldest = now.as_micros().saturating_sub(kept);
    let delete = sqlx::query("DELETE FROM response WHERE at <= ?").bind(oldest);
    delete.execute(conn).await.map(drop).map_err(failure)
}

fn read(row: &SqliteRow, RequestKey { source, operation, .. }: &RequestKey) -> Option<KeptResponse> {
    let body = column::<&str>(row, 0).map_err(|error| error.to_string());
    match body.and_then(|body| serde_json::from_str(body).map_err(|error| error.to_string())) {
        Ok(response) => Some(response),
        Err(error) => {
            tracing::error!(%source, operation, %error, "what a request with an idempotency key was told can not be read: it is a new one when it comes again");
            None
        }
    }
}
