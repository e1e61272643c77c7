//! The connections that only read.

use super::connection::options;
use sqlx::{SqlitePool, sqlite::SqlitePoolOptions};
use std::{path::Path, time::Duration};
use tokio::time::timeout;

/// How many there are.
const READERS: u32 = 3;

/// How long one may be waited for.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// How long those who read may take to end when the store is closed. A reading takes milliseconds.
const END_MAX: Duration = Duration::from_secs(2);

/// A pool over the file; each is opened when it is needed first.
pub fn open(file: &Path) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(WAIT_MAX)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(options(file).read_only(true))
}

/// Closes them. Whoever holds one and is not polled any more never gives it back, and must not keep the writer open.
pub async fn close(readers: &SqlitePool) {
    if timeout(END_MAX, readers.close()).await.is_err() {
        tracing::warn!("a reader of the store did not end in time: the store is closed all the same");
    }
}
