//! The runtime of the commands.

use crate::cli::error::CliError;

/// A runtime with few threads, because the daemon waits most of the time.
pub fn runtime(threads: usize) -> Result<tokio::runtime::Runtime, CliError> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?)
}
