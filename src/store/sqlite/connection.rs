//! Connections to the database file.

use super::{failure::failure, script};
use crate::store::StoreError;
use sqlx::{
    ConnectOptions, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::{path::Path, time::Duration};

/// The name of the database file in the state directory.
pub const FILE: &str = "stentor.db";

/// Opens the writer's connection.
pub async fn connect(file: &Path) -> Result<SqliteConnection, StoreError> {
    let options = options(file).journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    let mut conn = options.connect().await.map_err(failure)?;
    sqlx::raw_sql(script::PREPARE).execute(&mut conn).await.map_err(failure)?;
    Ok(conn)
}

/// The options of every connection.
pub fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(file).busy_timeout(Duration::from_secs(5)).disable_statement_logging()
}

/// A limit, as SQLite takes it.
pub fn limit(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
