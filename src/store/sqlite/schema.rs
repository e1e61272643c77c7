//! The schema's versions, in order. A released one is never changed; the next is added.

use super::failure::failure;
use crate::store::{SchemaVersion, StoreError};
use sqlx::{Connection, SqliteConnection};

/// Each brings the schema from its place in this list to the next version.
const MIGRATIONS: &[&str] = &[
    include_str!("schema_1.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
    include_str!("schema_4.sql"),
    include_str!("schema_5.sql"),
    include_str!("schema_6.sql"),
    include_str!("schema_7.sql"),
    include_str!("schema_8.sql"),
    include_str!("schema_9.sql"),
    include_str!("schema_10.sql"),
];

/// The version that this program knows.
const KNOWN: i64 = MIGRATIONS.len() as i64;

/// Brings an older or new file to the version that this program knows, each step whole or not at all.
///
/// # Errors
/// [`StoreError::Newer`] for a file from a newer program, which stays untouched.
pub async fn migrate(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    let done = usize::try_from(version(conn).await?).unwrap_or(0);
    for (version, migration) in (1..).zip(MIGRATIONS).skip(done) {
        let mut tx = conn.begin_with("BEGIN IMMEDIATE").await.map_err(failure)?;
        sqlx::raw_sql(*migration).execute(&mut *tx).await.map_err(failure)?;
        let stamp = sqlx::AssertSqlSafe(format!("PRAGMA user_version = {version}"));
        sqlx::raw_sql(stamp).execute(&mut *tx).await.map_err(failure)?;
        tx.commit().await.map_err(failure)?;
    }
    Ok(())
}

/// The version of a file that must be brought up to date; `None` for a new one, and for one that is. Changes nothing.
///
/// # Errors
/// [`StoreError::Newer`] for a file from a newer program.
pub async fn older(conn: &mut SqliteConnection) -> Result<Option<i64>, StoreError> {
    Ok(Some(version(conn).await?).filter(|found| (1..KNOWN).contains(found)))
}

/// The version of the file beside the one that this program knows. Changes nothing.
///
/// # Errors
/// [`StoreError::Newer`] for a file from a newer program.
pub async fn found(conn: &mut SqliteConnection) -> Result<SchemaVersion, StoreError> {
    Ok(SchemaVersion { found: version(conn).await?, known: KNOWN })
}

/// The version of the file.
async fn version(conn: &mut SqliteConnection) -> Result<i64, StoreError> {
    let found: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *conn).await.map_err(failure)?;
    if KNOWN < found { Err(StoreError::Newer { found, known: KNOWN }) } else { Ok(found) }
}
