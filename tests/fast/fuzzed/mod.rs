//! The laws of the fuzzer on its seeds, whole and damaged: what it found once is found by every `cargo test`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../fuzz/laws/mod.rs"]
mod laws;

use laws::LAWS;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// A seed may be so long: a run reads all of them at its start.
const SEED_MAX: u64 = 8 * 1024;

/// At how many places each seed is cut and changed.
const PLACES: usize = 6;

/// What ships is a seed of these laws, too: the same folders as in `tests/fuzz/run`.
const SHIPPED: [(&str, &str); 3] =
    [("matrix", "matrix"), ("scenario", "matrix/drills"), ("templates", "templates/trader")];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn seeds() -> PathBuf {
    root().join("tests/fuzz/seeds")
}

fn inside(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The seeds of a law.
fn files(law: &str) -> Vec<PathBuf> {
    let shipped = SHIPPED.iter().filter(|(of, _)| *of == law).flat_map(|(_, folder)| inside(&root().join(folder)));
    inside(&seeds().join(law)).into_iter().chain(shipped.filter(|path| path.is_file())).collect()
}

#[test]
fn every_law_has_small_seeds_and_no_seed_is_without_a_law() {
    let laws: BTreeSet<String> = LAWS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let name = |path: PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    assert_eq!(inside(&seeds()).into_iter().map(name).collect::<BTreeSet<_>>(), laws);
    for law in laws {
        let files = files(&law);
        assert!(3 <= files.len(), "{law} has {} seeds", files.len());
        for file in files {
            assert!(file.metadata().unwrap().len() <= SEED_MAX, "{} is too long for a seed", file.display());
        }
    }
}

/// Each seed; then cut, with a byte changed, and with a part of it twice, at places that are the same in every run.
fn keeps_its_law(wanted: &str) {
    let (_, law) = LAWS.iter().find(|(name, _)| *name == wanted).unwrap();
    for file in files(wanted) {
        let seed = fs::read(&file).unwrap();
        law(&seed);
        for place in 0..PLACES.min(seed.len()) {
            let at = (place * 2 + 1) * seed.len() / (2 * PLACES);
            law(&seed[..at]);
            let mut changed = seed.clone();
            changed[at] ^= 1 << (place % 8);
            law(&changed);
            law(&[&seed[..at], &seed[at / 2..]].concat());
        }
    }
}

macro_rules! each {
    ($($law:ident),*) => {
        $(
            #[test]
            fn $law() {
                keeps_its_law(stringify!($law));
            }
        )*

        #[test]
        fn each_law_is_a_test() {
            assert_eq!([$(stringify!($law)),*], LAWS.map(|(name, _)| name));
        }
    };
}

each!(
    alerts,
    alertmanager,
    replies,
    mails,
    callbacks,
    slack,
    frames,
    telegram,
    journal,
    anchors,
    matrix,
    scenario,
    conditions,
    pages,
    templates,
    canonical,
    requests,
    forms,
    pagerduty,
    webhooks,
    cloudevents,
    opsgenie,
    mappings,
    assessments
);
