//! Time that does not jump: the wall clock when the store was opened, plus time that nobody can set.

use crate::core::{Timestamp, oncall::EPOCH, time::StepTime};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The latest time that a clock may go on from, the year 9000: what is later can only be damage, and there must be room
/// for ladders before the end of all times.
const LATEST: Timestamp = Timestamp::from_micros(221_845_392_000_000_000);

/// How far the wall clock may be from this one and still say the same, in microseconds.
const AGREES_US: i64 = 1_000_000;

/// The earliest time that a wall clock can have: a machine that starts without its time says 1970.
const WALL_EARLIEST: Timestamp = EPOCH;

/// Where time comes from. The daemon has [`SystemClock`]; tests and the simulation have clocks that they move themselves.
pub trait ClockSources: Send + Sync + 'static {
    /// The wall clock: may be set forwards and backwards at any time.
    fn wall(&self) -> Timestamp;

    /// Time since the machine started, time asleep included: only ever grows.
    fn boot(&self) -> Duration;

    /// What names this start of the machine; empty when that can not be known.
    fn boot_id(&self) -> String;
}

/// The machine's own clocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl ClockSources for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the wall clock enters here")]
    fn wall(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::default() + since
    }

    fn boot(&self) -> Duration {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
    }

    /// Empty where `/proc` is hidden, as systemd's `ProcSubset=pid` does.
    fn boot_id(&self) -> String {
        fs::read_to_string("/proc/sys/kernel/random/boot_id").map_or_else(|_| String::new(), |id| id.trim().to_owned())
    }
}

/// What is kept so that a restarted daemon goes on with the same time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockAnchor {
    /// The start of the machine for which `boot` counts.
    pub boot_id: String,
    /// Microseconds since that start.
    pub boot_us: u64,
    /// The store's time at that moment.
    pub time: Timestamp,
}

/// The store's clock. Steps of the wall clock do not move it, neither while it runs nor, within one start of the
/// machine, over a restart of the daemon.
pub struct SteadyClock {
    sources: Arc<dyn ClockSources>,
    boot_id: String,
    started: (Duration, Timestamp),
    last: AtomicI64,
}

impl SteadyClock {
    /// Goes on from `anchor` where that was taken since the machine started; begins with the wall clock where not.
    /// Never earlier than `newest`, the newest time in the journal.
    pub fn start(sources: Arc<dyn ClockSources>, anchor: Option<&ClockAnchor>, newest: Option<Timestamp>) -> Self {
        let (boot_id, boot) = (sources.boot_id(), sources.boot());
        let same_start = |anchor: &&ClockAnchor| !boot_id.is_empty() && anchor.boot_id == boot_id;
        let continued = anchor.filter(same_start).and_then(|anchor| {
            let elapsed = boot.checked_sub(Duration::from_micros(anchor.boot_us))?;
            Some(anchor.time + elapsed)
        });
        let credible = |time: &Timestamp| *time <= LATEST;
        let begin = continued.filter(credible).unwrap_or_else(|| sources.wall().min(LATEST));
        let begin = begin.max(newest.filter(credible).unwrap_or_default());
        Self { sources, boot_id, started: (boot, begin), last: AtomicI64::new(begin.as_micros()) }
    }

    /// Now. Never less than it said before.
    pub fn now(&self) -> Timestamp {
        let (boot, begin) = self.started;
        let now = begin + self.sources.boot().saturating_sub(boot);
        let before = self.last.fetch_max(now.as_micros(), Ordering::Relaxed);
        now.max(Timestamp::from_micros(before))
    }

    /// The wall clock's lead over this one in microseconds: negative when it is behind. It changes only when somebody
    /// sets the wall clock.
    pub fn drift_us(&self) -> i64 {
        self.sources.wall().micros_since(self.now())
    }

    /// Civil time when this clock says `now`: the wall clock's, if it can be right. What agrees to a second is the same
    /// time, so that two clocks that are slewed apart need no word in the journal.
    pub fn civil(&self, now: Timestamp) -> Timestamp {
        let wall = self.sources.wall();
        let agrees = wall.micros_since(now).saturating_abs() < AGREES_US;
        if agrees || wall < WALL_EARLIEST || LATEST < wall { now } else { wall }
    }

    /// The times of a step at `now`.
    pub fn step_time(&self, now: Timestamp) -> StepTime {
        StepTime { now, civil: self.civil(now) }
    }

    /// What to keep for [`SteadyClock::start`].
    pub fn anchor(&self) -> ClockAnchor {
        let boot_us = u64::try_from(self.sources.boot().as_micros()).unwrap_or(u64::MAX);
        ClockAnchor { boot_id: self.boot_id.clone(), boot_us, time: self.now() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[derive(Clone)]
    struct ClockHands(Arc<Mutex<(i64, u64, &'static str)>>);

    impl ClockHands {
        fn new(wall_s: i64, boot_s: u64, boot_id: &'static str) -> Self {
            Self(Arc::new(Mutex::new((wall_s, boot_s, boot_id))))
        }
        fn pass(&self, secs: u64) {
            let mut hands = self.0.lock().expect("a lock");
            hands.0 += i64::try_from(secs).expect("few");
            hands.1 += secs;
        }
        fn set_wall(&self, wall_s: i64) {
            self.0.lock().expect("a lock").0 = wall_s;
        }
        fn reboot(&self, boot_id: &'static str) {
            let mut hands = self.0.lock().expect("a lock");
            (hands.1, hands.2) = (1, boot_id);
        }
        fn clock(&self, anchor: Option<&ClockAnchor>, newest_s: Option<i64>) -> SteadyClock {
            SteadyClock::start(Arc::new(self.clone()), anchor, newest_s.map(at))
        }
    }

    impl ClockSources for ClockHands {
        fn wall(&self) -> Timestamp {
            at(self.0.lock().expect("a lock").0)
        }
        fn boot(&self) -> Duration {
            Duration::from_secs(self.0.lock().expect("a lock").1)
        }
        fn boot_id(&self) -> String {
            self.0.lock().expect("a lock").2.to_owned()
        }
    }

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_micros(secs * 1_000_000)
    }

    #[test]
    fn a_step_of_the_wall_clock_moves_nothing_and_is_reported() {
        let hands = ClockHands::new(10_000, 100, "a");
        let clock = hands.clock(None, None);
        for step in [-3600, 3600] {
            hands.set_wall(10_000 + step);
            assert_eq!((clock.now(), clock.drift_us()), (at(10_000), step * 1_000_000));
        }
        hands.pass(5);
        assert_eq!(clock.now(), at(10_005));
    }

    #[test]
    fn a_restart_goes_on_where_it_was_whatever_the_wall_clock_says_now() {
        let hands = ClockHands::new(10_000, 100, "a");
        let anchor = hands.clock(None, None).anchor();
        hands.pass(7);
        hands.set_wall(3);
        assert_eq!(hands.clock(Some(&anchor), None).now(), at(10_007));
    }

    #[test]
    fn after_a_reboot_or_without_a_boot_id_the_wall_clock_counts() {
        for (before, after) in [("a", "b"), ("", "")] {
            let hands = ClockHands::new(10_000, 100, before);
            let anchor = hands.clock(None, None).anchor();
            hands.pass(7);
            hands.reboot(after);
            hands.set_wall(20_000);
            assert_eq!(hands.clock(Some(&anchor), None).now(), at(20_000), "{before:?} then {after:?}");
        }
    }

    #[test]
    fn time_is_never_before_the_newest_line_and_never_goes_back() {
        let hands = ClockHands::new(10_000, 100, "a");
        let clock = hands.clock(None, Some(10_050));
        assert_eq!(clock.now(), at(10_050));
        hands.reboot("a");
        assert_eq!(clock.now(), at(10_050));
    }

    #[test]
    fn a_time_that_only_damage_can_have_written_stops_no_clock() {
        let hands = ClockHands::new(10_000, 100, "a");
        let anchor = ClockAnchor { time: Timestamp::MAX, ..hands.clock(None, None).anchor() };
        hands.pass(7);
        let clock = SteadyClock::start(Arc::new(hands.clone()), Some(&anchor), Some(Timestamp::MAX));
        assert_eq!(clock.now(), at(10_007));
        hands.set_wall(i64::MAX / 1_000_000);
        let clock = hands.clock(None, None);
        let before = clock.now();
        hands.pass(7);
        assert_eq!(clock.now().since(before), Duration::from_secs(7), "time goes on");
    }

    #[test]
    fn the_machine_has_these_clocks() {
        let clock = SteadyClock::start(Arc::new(SystemClock), None, None);
        let first = clock.now();
        assert!(first <= clock.now());
        assert!(clock.drift_us().abs() < 1_000_000);
    }
}
