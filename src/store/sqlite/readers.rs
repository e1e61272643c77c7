//! The read-only connections.

use super::connection::options;
use sqlx::{SqlitePool, sqlite::SqlitePoolOptions};
use std::{path::Path, time::Duration};
use tokio::time::timeout;

/// The number of connections.
const READERS: u32 = 3;

/// How long a caller may wait for one.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// How long reads may take to end when the store is closed. A read takes milliseconds.
const END_MAX: Duration = Duration::from_secs(2);

/// A pool of connections, opened when needed.
pub fn open(file: &Path) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(WAIT_MAX)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(options(file).read_only(true))
}

/// Closes the connections. A future that holds one but is not polled any more never returns it, and must not keep the
/// writer open.
pub async fn close(readers: &SqlitePool) {
    if timeout(END_MAX, readers.close()).await.is_err() {
        tracing::warn!("a reader of the store did not end in time: the store is closed all the same");
    }
}
