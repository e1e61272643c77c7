//! Settings of the store: the server key, the epoch, who left in order.

use super::{
    column::{NUMBER_MAX, column},
    failure::failure,
};
use crate::store::{RowKind, RowName, StoreError};
use sqlx::SqliteConnection;

/// The setting that names the last node that left in order.
pub const LEFT: &str = "left";

/// Settings that could not be read, and what was done about each.
pub type DamagedSettings = Vec<(RowName, String)>;

/// Records that the node with this epoch left in order.
pub async fn keep_left(conn: &mut SqliteConnection, epoch: u64) -> Result<(), StoreError> {
    keep(conn, LEFT, i64::try_from(epoch).unwrap_or(NUMBER_MAX)).await
}

/// A setting; `None` if there is none. One of the wrong type is damaged. Changes nothing.
pub async fn setting<T>(
    conn: &mut SqliteConnection,
    name: &str,
    damaged: &mut DamagedSettings,
) -> Result<Option<T>, StoreError>
where
    T: for<'r> sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    let row = sqlx::query("SELECT value FROM meta WHERE name = ?").bind(name.to_owned());
    let Some(row) = row.fetch_optional(&mut *conn).await.map_err(failure)? else { return Ok(None) };
    match column::<T>(&row, 0) {
        Ok(value) => Ok(Some(value)),
        Err(error) => {
            damaged.push((RowName::Other(RowKind::Meta, name.to_owned()), error.to_string()));
            Ok(None)
        }
    }
}

/// Keeps a copy of a damaged value under another name.
pub async fn put_aside(conn: &mut SqliteConnection, name: &str) -> Result<(), StoreError> {
    const ASIDE: &str = "INSERT INTO meta (name, value) SELECT name || '_damaged', value FROM meta WHERE name = ?
        ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    sqlx::query(ASIDE).bind(name.to_owned()).execute(conn).await.map(drop).map_err(failure)
}

/// Stores a setting.
pub async fn keep<'q, T>(conn: &mut SqliteConnection, name: &'static str, value: T) -> Result<(), StoreError>
where
    T: sqlx::Encode<'q, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite> + Send + 'q,
{
    const KEEP: &str =
        "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    sqlx::query(KEEP).bind(name).bind(value).execute(conn).await.map(drop).map_err(failure)
}
