//! A simulation of several nodes from a seed: the real engine and core over one memory store, in virtual time, while
//! nodes crash and stall, clocks are set, commits fail, the disk fills, channels hang, throttle and refuse, and humans
//! answer early, late, twice, together or wrongly. The laws are checked after every step.
//!
//! `STENTOR_SIM_INCIDENTS=100000 cargo test --release --test soak simulation` runs for long;
//! `STENTOR_SIM_REQUESTS=10000` does the same for requests alone;
//! `STENTOR_SIM_SEED=123 cargo test --test soak simulation` runs one seed again and tells its timeline.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod dice;
use crate::fixture;
mod flood;
mod laws;
mod mutants;
mod people;
mod requesters;
mod shape;
mod timeline;
mod world;

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};
use world::World;

/// Incidents that are simulated when nobody asks for more.
const INCIDENTS: u64 = 150;

/// After so many seeds that fail there is enough to look at.
const FAILING_MAX: usize = 12;

/// Requests that are simulated beside them, in worlds in which little else happens.
const REQUESTS: u64 = 150;

/// How the world of a seed is made.
type Make = fn(u64) -> World;

fn wanted(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} must be a number")))
}

/// What there was in a run.
#[derive(Default)]
struct Tally {
    incidents: u64,
    /// How many requests ended how.
    outcomes: BTreeMap<&'static str, u64>,
}

/// What there was, and what was wrong.
fn simulate(make: Make, seed: u64) -> (Tally, Option<String>) {
    let run = || {
        let mut world = make(seed);
        let broken = world.run().map(|broken| format!("{}: {}", broken.law, broken.what));
        let mut tally = Tally { incidents: world.laws.incidents().count() as u64, ..Tally::default() };
        for outcome in world.laws.incidents().filter_map(|incident| incident.request.as_ref()?.outcome()) {
            *tally.outcomes.entry(outcome.state()).or_default() += 1;
        }
        (tally, broken)
    };
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| (Tally::default(), Some("it panicked".into())))
}

fn tell(make: Make, seed: u64, test: &str) -> String {
    let mut world = make(seed);
    world.tape = Some(Vec::new());
    // Where the run panics, what was seen until then is still there.
    let broken = catch_unwind(AssertUnwindSafe(|| world.run()));
    let told = timeline::timeline(&world.tape.take().unwrap());
    format!("{told}\n{broken:?}\nreplay: STENTOR_SIM_SEED={seed} cargo test --test soak simulation::{test}")
}

/// Simulates so many incidents, or the one seed that the environment names.
fn the_laws_hold(make: Make, most: u64, test: &str) -> Tally {
    if let Some(seed) = wanted("STENTOR_SIM_SEED") {
        let (tally, broken) = simulate(make, seed);
        println!("seed {seed}: {} incidents", tally.incidents);
        assert!(broken.is_none(), "seed {seed}: {}\n{}", broken.unwrap(), tell(make, seed, test));
        return tally;
    }
    let (next, all, failing) = (AtomicU64::new(0), Mutex::new(Tally::default()), Mutex::new(BTreeMap::new()));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while all.lock().unwrap().incidents < most && failing.lock().unwrap().len() < FAILING_MAX {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let (tally, broken) = simulate(make, seed);
                    let mut all = all.lock().unwrap();
                    all.incidents += tally.incidents;
                    for (outcome, count) in tally.outcomes {
                        *all.outcomes.entry(outcome).or_default() += count;
                    }
                    if let Some(broken) = broken {
                        failing.lock().unwrap().insert(seed, broken);
                    }
                }
            });
        }
    });
    let all = all.into_inner().unwrap();
    let seeds = next.load(Ordering::Relaxed);
    println!("{} incidents of {seeds} seeds, among them requests: {:?}", all.incidents, all.outcomes);
    let failing = failing.into_inner().unwrap();
    if let Some(seed) = failing.keys().next() {
        panic!("{}\n{failing:#?}", tell(make, *seed, test));
    }
    all
}

#[test]
fn the_laws_hold_whatever_happens() {
    the_laws_hold(World::new, wanted("STENTOR_SIM_INCIDENTS").unwrap_or(INCIDENTS), "the_laws_hold_whatever_happens");
}

#[test]
fn the_laws_hold_for_what_is_asked() {
    let most = wanted("STENTOR_SIM_REQUESTS").unwrap_or(REQUESTS);
    let all = the_laws_hold(World::asking, most, "the_laws_hold_for_what_is_asked");
    // Otherwise a law may hold because nothing comes about that it is for.
    let all_come_about = ["decided", "defaulted", "expired", "cancelled", "superseded", "unanswered"]
        .iter()
        .all(|outcome| all.outcomes.contains_key(outcome));
    assert!(wanted("STENTOR_SIM_SEED").is_some() || all_come_about, "{:?}", all.outcomes);
}

#[test]
fn each_check_notices_the_fault_that_it_is_for() {
    mutants::check_all();
}
