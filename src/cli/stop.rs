//! The end of a daemon: one deadline for all of it. Each part is waited for within it, and a thread that needs no
//! runtime ends the process where something hangs all the same.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};
use tokio::{
    runtime::Runtime,
    time::{Instant, timeout_at},
};

/// How long a stop may take, from its beginning to the end of its last part. The unit allows 30 s.
pub const STOP_TIME_MAX: Duration = Duration::from_secs(20);

/// How long threads that can not be interrupted (a look-up in a directory, a file) may take after the last part.
const THREADS_TIME_MAX: Duration = Duration::from_secs(1);

/// How much later than all of this the process is ended from outside.
const WATCHDOG_AFTER: Duration = Duration::from_secs(2);

/// How long the log may take to write the watchdog's line.
const LAST_LINE_TIME: Duration = Duration::from_millis(200);

/// A stop under way.
pub struct Stop {
    until: Instant,
    part: Arc<Mutex<&'static str>>,
}

impl Stop {
    /// From now on the process ends in bounded time, with `code` where it has to be ended by the watchdog: what was
    /// committed is durable, so being cut loses nothing.
    pub fn begin(code: i32) -> Self {
        let part = Arc::new(Mutex::new("its runtime"));
        let watched = part.clone();
        let watchdog = move || {
            thread::sleep(STOP_TIME_MAX + THREADS_TIME_MAX + WATCHDOG_AFTER);
            let part = *watched.lock().unwrap_or_else(PoisonError::into_inner);
            tracing::error!(part, "the stop hangs in this part, which is a bug: the process ends without it");
            thread::sleep(LAST_LINE_TIME);
            super::give_terminal_back();
            std::process::exit(code);
        };
        if let Err(error) = thread::Builder::new().name("stop-watchdog".into()).spawn(watchdog) {
            tracing::warn!(%error, "nothing watches over this stop: a thread could not be started");
        }
        Self { until: Instant::now() + STOP_TIME_MAX, part }
    }

    /// Waits for the end of a part, for `most` and never past the end of the whole stop. What did not end in time is
    /// logged and dropped.
    pub async fn wait<T>(&self, part: &'static str, most: Duration, end: impl Future<Output = T>) -> Option<T> {
        *self.part.lock().unwrap_or_else(PoisonError::into_inner) = part;
        let ended = timeout_at(self.until.min(Instant::now() + most), end).await.ok();
        if ended.is_none() {
            tracing::warn!(part, "this part did not end in time: the stop goes on without it");
        }
        *self.part.lock().unwrap_or_else(PoisonError::into_inner) = "its runtime";
        ended
    }
}

/// Ends a runtime without waiting for threads that hang.
pub fn let_threads_end(runtime: Runtime) {
    runtime.shutdown_timeout(THREADS_TIME_MAX);
}
