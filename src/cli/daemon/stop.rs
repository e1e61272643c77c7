//! Stopping a daemon: one deadline for everything. Each part is waited for until then, and a thread that needs no
//! runtime ends the process if something hangs anyway.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};
use tokio::{
    runtime::Runtime,
    time::{Instant, timeout_at},
};

/// How long a stop may take in total. The systemd unit allows 30 s.
pub const STOP_TIME_MAX: Duration = Duration::from_secs(20);

/// How long threads that cannot be interrupted (a directory look-up, a file) may take after the last part.
const THREADS_TIME_MAX: Duration = Duration::from_secs(1);

/// How long after all of this the watchdog ends the process.
const WATCHDOG_AFTER: Duration = Duration::from_secs(2);

/// How long the log may take to write the watchdog's line.
const LAST_LINE_TIME: Duration = Duration::from_millis(200);

/// A stop in progress.
pub struct DaemonStop {
    until: Instant,
    parts: StopParts,
}

/// The parts that the stop waits for.
#[derive(Clone, Default)]
struct StopParts(Arc<Mutex<BTreeSet<&'static str>>>);

impl DaemonStop {
    /// Starts a stop. From now on the process ends within a fixed time, with `code` if the watchdog has to end it.
    /// Committed data are durable, so a forced exit loses nothing.
    pub fn begin(code: i32) -> Self {
        let stop = Self::within(STOP_TIME_MAX);
        let parts = stop.parts.clone();
        let watchdog = move || {
            thread::sleep(STOP_TIME_MAX + THREADS_TIME_MAX + WATCHDOG_AFTER);
            tracing::error!(
                parts = parts.named(),
                "the stop hangs, which is a bug: the process ends without these parts"
            );
            thread::sleep(LAST_LINE_TIME);
            crate::cli::terminal::give_back();
            std::process::exit(code);
        };
        if let Err(error) = thread::Builder::new().name("stop-watchdog".into()).spawn(watchdog) {
            tracing::warn!(%error, "this stop has no time limit: a thread could not be started");
        }
        stop
    }

    fn within(span: Duration) -> Self {
        Self { until: Instant::now() + span, parts: StopParts::default() }
    }

    /// Waits until a part ends, for at most `most` and never beyond the deadline of the whole stop. A part that does
    /// not end in time is logged and dropped.
    pub async fn wait(&self, part: &'static str, most: Duration, end: impl Future<Output = ()>) {
        self.parts.all().insert(part);
        let ended = timeout_at(self.until.min(Instant::now() + most), end).await;
        self.parts.all().remove(part);
        if ended.is_err() {
            tracing::warn!(part, "this part did not end in time: the stop goes on without it");
        }
    }
}

impl StopParts {
    fn named(&self) -> String {
        let parts: Vec<&str> = self.all().iter().copied().collect();
        if parts.is_empty() { "the runtime".to_owned() } else { parts.join(", ") }
    }

    fn all(&self) -> MutexGuard<'_, BTreeSet<&'static str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends a runtime without waiting for threads that hang.
pub fn let_threads_end(runtime: Runtime) {
    runtime.shutdown_timeout(THREADS_TIME_MAX);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn parts_that_hang_take_no_longer_than_the_whole_stop_however_many_there_are() {
        let began = Instant::now();
        let stop = DaemonStop::within(Duration::from_secs(20));
        stop.wait("quick", Duration::from_secs(5), async {}).await;
        assert_eq!(began.elapsed(), Duration::ZERO);
        for _ in 0..10 {
            stop.wait("hangs", Duration::from_secs(5), std::future::pending()).await;
        }
        assert_eq!(began.elapsed(), Duration::from_secs(20));
        // Parts that have already ended are still waited for.
        let mut closed = false;
        stop.wait("the store", Duration::from_secs(5), async { closed = true }).await;
        assert!(closed);
    }

    #[tokio::test]
    async fn the_watchdog_can_name_what_is_waited_for() {
        let stop = DaemonStop::within(Duration::from_secs(20));
        assert_eq!(stop.parts.named(), "the runtime");
        let looked = tokio_util::sync::CancellationToken::new();
        let look = async {
            tokio::task::yield_now().await;
            assert_eq!(stop.parts.named(), "the listener, the store");
            looked.cancel();
        };
        let wait = |part| stop.wait(part, Duration::from_secs(1), looked.cancelled());
        tokio::join!(wait("the store"), wait("the listener"), look);
        assert_eq!(stop.parts.named(), "the runtime");
    }
}
