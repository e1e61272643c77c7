//! One source floods while others report: the first page of each of theirs goes out within a bound of virtual time,
//! however long the flood's own pages wait.

use super::{
    laws::{FIRST_MAX, Laws, Seen},
    world::{Job, World},
};
use std::time::Duration;
use stentor::core::{Alert, TriggerName};

/// How many incidents the flood opens, each with a key of its own.
const FLOOD: usize = 60;

/// Within how long.
const POURS: Duration = Duration::from_secs(2);

/// When each of the others reports: while the flood comes, and while its pages wait.
const OTHERS: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(6)];

/// How many seeds: each has another shape of the matrix, so other paces and crowds.
const SEEDS: u64 = 4;

/// The trigger that is flooded.
fn flooded() -> TriggerName {
    "odd".into()
}

fn alert(source: &str, kind: &str, key: String) -> Alert {
    let mut alert = Alert::new(source, kind);
    alert.id = format!("{source}.{key}");
    alert.values.insert("x".into(), 2.0);
    alert.labels.insert("k".into(), key);
    alert
}

/// A world in which nothing goes wrong but the flood.
fn world(seed: u64) -> World {
    let mut world = World::bare(seed);
    world.healed = true;
    world.laws.is_flooded_by(flooded());
    for n in 0..FLOOD {
        let at = world.dice.millis(0, u64::try_from(POURS.as_millis()).expect("short"));
        world.later(at, Job::Arrive(Box::new(alert("noisy", "odd", format!("flood-{n}")))));
    }
    for (n, at) in OTHERS.into_iter().enumerate() {
        world.later(at, Job::Arrive(Box::new(alert("quiet", "boom", format!("quake-{n}")))));
    }
    world.plan_end();
    world
}

#[test]
fn a_flood_of_one_source_delays_nobody_elses_first_page() {
    let (mut pages, mut longest) = (0, Duration::ZERO);
    for seed in 0..SEEDS {
        let mut world = world(seed);
        let broken = world.run();
        assert_eq!(broken, None, "seed {seed}");
        let seen = world.laws.first_pages();
        pages += seen.others;
        longest = longest.max(seen.flood_waited);
        assert!(seen.others_waited <= FIRST_MAX, "seed {seed}: {seen:?}");
    }
    // Otherwise nothing was in anybody's way.
    assert!(10 < pages, "{pages} pages of others");
    assert!(4 * FIRST_MAX < longest, "the flood's own pages waited {longest:?} at most");
}

/// The same run, in which the pages of others do not start.
#[test]
fn a_page_that_waits_behind_a_flood_is_noticed() {
    let noticed = (0..SEEDS).any(|seed| {
        let mut world = world(seed);
        world.tape = Some(Vec::new());
        assert_eq!(world.run(), None, "seed {seed}");
        let tape = world.tape.take().expect("a tape");
        let mut laws = Laws::only(world.live.matrix.roster.clone().into(), "fair");
        laws.is_flooded_by(flooded());
        for seen in tape.iter().filter(|seen| !matches!(seen, Seen::Started { .. })) {
            laws.see(seen);
        }
        laws.broken().is_some()
    });
    assert!(noticed, "nothing starts, and the law holds");
}
