//! How long a program was ready to go on while others had the processor. Linux counts it for each thread (`schedstat`).

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

/// The waits of all threads of a process whose names begin like this, together; zero where the system counts none. Threads that
/// wait at the same time count each, so this is the most that the process can have lost.
pub fn waited(process: u32, name: &str) -> Duration {
    let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else { return Duration::ZERO };
    let waits = threads.flatten().filter_map(|thread| -> Option<Duration> {
        let read = |file: &str| fs::read_to_string(thread.path().join(file)).ok();
        let wanted = read("comm")?.starts_with(name);
        let nanos = read("schedstat")?.split(' ').nth(1)?.parse().ok()?;
        wanted.then(|| Duration::from_nanos(nanos))
    });
    waits.sum()
}

/// More threads that spin than there are processors: some of them wait.
#[test]
fn a_thread_that_has_to_wait_for_a_processor_is_counted() {
    const SPINNER: &str = "spinner";
    if fs::read_to_string("/proc/self/schedstat").is_err() {
        return;
    }
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..=2 * processors {
            let spin = || {
                while !is_over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            };
            std::thread::Builder::new().name(SPINNER.into()).spawn_scoped(scope, spin).expect("a thread");
        }
        while waited(std::process::id(), SPINNER) < Duration::from_millis(20) {
            std::thread::yield_now();
        }
        is_over.store(true, Ordering::Relaxed);
    });
    assert_eq!(waited(std::process::id(), "no such thread"), Duration::ZERO);
}
