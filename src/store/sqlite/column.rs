//! Rows and their columns, whatever stands in them.

use super::failure::failure;
use crate::{
    core::IncidentNonce,
    store::{ChainHead, StoreError},
};
use sqlx::{Row, Sqlite, SqliteConnection, sqlite::SqliteRow};

/// The largest number that an incident or a run can have come to; what is beyond is damage, and no number goes on from
/// there.
pub const NUMBER_MAX: i64 = 1 << 50;

/// What stands in a column of whatever kind, as well as it can be shown.
pub fn shown(row: &SqliteRow, i: usize) -> String {
    let bytes = row.try_get_unchecked::<&[u8], _>(i).unwrap_or_default();
    String::from_utf8_lossy(bytes).into_owned()
}

/// A head: its sequence and, in the next column, its hash.
pub fn head(row: &SqliteRow, i: usize) -> Result<ChainHead, StoreError> {
    let hash: &[u8] = column(row, i + 1)?;
    let hash = hash.try_into().map_err(|_| StoreError::Corrupt {
        what: "the head of a chain".into(),
        why: format!("its hash has {} bytes", hash.len()),
    })?;
    Ok(ChainHead { seq: unsigned(row, i)?, hash })
}

/// Every row of a query.
pub async fn rows(conn: &mut SqliteConnection, sql: &'static str) -> Result<Vec<SqliteRow>, StoreError> {
    sqlx::query(sql).fetch_all(conn).await.map_err(failure)
}

/// The one value of a query.
pub async fn scalar<T>(conn: &mut SqliteConnection, sql: &'static str) -> Result<T, StoreError>
where
    T: for<'r> sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite> + Send + Unpin,
{
    sqlx::query_scalar(sql).fetch_one(conn).await.map_err(failure)
}

/// One column, of the kind that it should be.
pub fn column<'r, T: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite>>(
    row: &'r SqliteRow,
    i: usize,
) -> Result<T, StoreError> {
    row.try_get(i).map_err(|error| unreadable(i, &error))
}

/// A number that is not negative; 0 in place of one that is.
pub fn unsigned(row: &SqliteRow, i: usize) -> Result<u64, StoreError> {
    Ok(u64::try_from(column::<i64>(row, i)?).unwrap_or(0))
}

fn unreadable(i: usize, error: &sqlx::Error) -> StoreError {
    StoreError::Corrupt { what: format!("column {i} of a row"), why: error.to_string() }
}

/// An incident's nonce, where it has one.
pub fn nonce(row: &SqliteRow, i: usize) -> Result<Option<IncidentNonce>, StoreError> {
    let bytes: Option<&[u8]> = column(row, i)?;
    let bad = |bytes: &[u8]| StoreError::Corrupt {
        what: "the nonce of an incident".into(),
        why: format!("it has {} bytes", bytes.len()),
    };
    bytes.map(|bytes| bytes.try_into().map(IncidentNonce::new).map_err(|_| bad(bytes))).transpose()
}
