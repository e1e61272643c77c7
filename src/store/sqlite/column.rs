//! Reads rows and columns, whatever they contain.

use super::failure::failure;
use crate::{
    core::{IncidentNonce, PageNonce},
    store::{ChainHead, StoreError},
};
use sqlx::{Row, Sqlite, SqliteConnection, sqlite::SqliteRow};

/// The largest possible number of an incident or a run; larger ones are damage, and numbering does not continue from
/// them.
pub const NUMBER_MAX: i64 = 1 << 50;

/// The content of a column of any type, as far as it can be shown.
pub fn shown(row: &SqliteRow, i: usize) -> String {
    let bytes = row.try_get_unchecked::<&[u8], _>(i).unwrap_or_default();
    String::from_utf8_lossy(bytes).into_owned()
}

/// A head: its sequence number and, in the next column, its hash.
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

/// One column, which must have the right type.
pub fn column<'r, T: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite>>(
    row: &'r SqliteRow,
    i: usize,
) -> Result<T, StoreError> {
    row.try_get(i).map_err(|error| unreadable(i, &error))
}

/// An unsigned number; 0 in place of a negative one.
pub fn unsigned(row: &SqliteRow, i: usize) -> Result<u64, StoreError> {
    Ok(u64::try_from(column::<i64>(row, i)?).unwrap_or(0))
}

fn unreadable(i: usize, error: &sqlx::Error) -> StoreError {
    StoreError::Corrupt { what: format!("column {i} of a row"), why: error.to_string() }
}

/// An incident's nonce, if it has one.
pub fn nonce(row: &SqliteRow, i: usize) -> Result<Option<IncidentNonce>, StoreError> {
    let bytes: Option<&[u8]> = column(row, i)?;
    let bad = |bytes: &[u8]| StoreError::Corrupt {
        what: "the nonce of an incident".into(),
        why: format!("it has {} bytes", bytes.len()),
    };
    bytes.map(|bytes| bytes.try_into().map(IncidentNonce::new).map_err(|_| bad(bytes))).transpose()
}

/// A page's nonce, if it has one.
pub fn page_nonce(row: &SqliteRow, i: usize) -> Result<Option<PageNonce>, StoreError> {
    let text: Option<String> = column(row, i)?;
    let bad = |why| StoreError::Corrupt { what: "the nonce of a page".into(), why };
    text.map(|text| text.try_into().map_err(bad)).transpose()
}
