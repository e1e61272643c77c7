//! A simulation of several nodes from a seed: the real engine and core over one memory store, in virtual time, while
//! nodes crash and stall, clocks are set, commits fail, the disk fills, channels hang, throttle and refuse, and humans
//! answer early, late, twice, together or wrongly. The laws are checked after every step.
//!
//! `STENTOR_SIM_INCIDENTS=100000 cargo test --release --test soak simulation` runs for long;
//! `STENTOR_SIM_SEED=123 cargo test --test soak simulation` runs one seed again and tells its timeline.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod dice;
use crate::fixture;
mod flood;
mod laws;
mod mutants;
mod people;
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

fn wanted(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} must be a number")))
}

/// How many incidents there were, and what was wrong.
fn simulate(seed: u64) -> (u64, Option<String>) {
    let run = || {
        let mut world = World::new(seed);
        let broken = world.run().map(|broken| format!("{}: {}", broken.law, broken.what));
        (world.laws.incidents().count() as u64, broken)
    };
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| (0, Some("it panicked".into())))
}

fn tell(seed: u64) -> String {
    let mut world = World::new(seed);
    world.tape = Some(Vec::new());
    // Where the run panics, what was seen until then is still there.
    let broken = catch_unwind(AssertUnwindSafe(|| world.run()));
    let told = timeline::timeline(&world.tape.take().unwrap());
    format!("{told}\n{broken:?}\nreplay: STENTOR_SIM_SEED={seed} cargo test --test soak simulation")
}

#[test]
fn the_laws_hold_whatever_happens() {
    if let Some(seed) = wanted("STENTOR_SIM_SEED") {
        let (incidents, broken) = simulate(seed);
        println!("seed {seed}: {incidents} incidents");
        assert!(broken.is_none(), "seed {seed}: {}\n{}", broken.unwrap(), tell(seed));
        return;
    }
    let most = wanted("STENTOR_SIM_INCIDENTS").unwrap_or(INCIDENTS);
    let (next, incidents, failing) = (AtomicU64::new(0), AtomicU64::new(0), Mutex::new(BTreeMap::new()));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while incidents.load(Ordering::Relaxed) < most && failing.lock().unwrap().len() < FAILING_MAX {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let (count, broken) = simulate(seed);
                    incidents.fetch_add(count, Ordering::Relaxed);
                    if let Some(broken) = broken {
                        failing.lock().unwrap().insert(seed, broken);
                    }
                }
            });
        }
    });
    println!("{} incidents of {} seeds", incidents.load(Ordering::Relaxed), next.load(Ordering::Relaxed));
    let failing = failing.into_inner().unwrap();
    if let Some(seed) = failing.keys().next() {
        panic!("{}\n{failing:#?}", tell(*seed));
    }
}

#[test]
fn each_check_notices_the_fault_that_it_is_for() {
    mutants::check_all();
}
