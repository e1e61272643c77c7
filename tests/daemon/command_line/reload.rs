//! `stentor reload`: an exit status, the diagnostics, what changed, and a refusal that stays visible.

use super::SMALLEST;
use crate::{
    common::{Daemon, Setup},
    wire::Call,
};

fn write(daemon: &Daemon, matrix: &str) {
    std::fs::write(daemon.dir.path().join("matrix/matrix.toml"), matrix).unwrap();
}

fn problems(daemon: &Daemon) -> String {
    daemon.control(&Call::get("/readyz")).json()["problems"].to_string()
}

#[test]
fn a_reload_says_what_changed_and_a_refused_one_where_the_fault_is() {
    let daemon = Setup::new(SMALLEST).start();
    let revision = daemon.json(&["reload"])["revision"].clone();
    write(&daemon, &SMALLEST.replace("wait =", "wiat ="));
    let refused = daemon.cli(&["reload"]);
    let told = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{told}");
    assert!(told.contains("matrix.toml:9") && told.contains("did you mean `wait`?"), "{told}");
    let found = problems(&daemon);
    assert!(found.contains("the last reload was refused"), "{found}");
    for part in ["2 error(s), the first: ", "matrix.toml:9: ", "a step has no `wait`", "`stentor check` shows them"] {
        assert!(found.contains(part), "no {part} in {found}");
    }
    assert_eq!(daemon.control(&Call::get("/readyz")).status, 200, "it pages as before");
    let metrics = daemon.control(&Call::get("/metrics")).body;
    assert!(metrics.contains("stentor_reloads_total{outcome=\"refused\"} 1"), "{metrics}");
    let more = SMALLEST.replace("[trigger.flash-crash]", "[person.bo]\nname = \"Bo\"\n\n[trigger.slow-crash]");
    write(&daemon, &more);
    let loaded = daemon.cli(&["reload"]);
    let told = String::from_utf8_lossy(&loaded.stdout) + String::from_utf8_lossy(&loaded.stderr);
    assert!(loaded.status.success(), "{told}");
    for part in ["trigger gone: flash-crash", "trigger new: slow-crash", "person new: bo", "unused-person"] {
        assert!(told.contains(part), "no {part} in {told}");
    }
    assert!(!problems(&daemon).contains("reload"));
    assert_ne!(daemon.json(&["reload"])["revision"], revision);
}

/// A third person in a rotation changes who is on call in the middle of a turn: the reload says so.
#[test]
fn a_reload_says_whose_turn_it_is_now() {
    let rotation = |people: &str| {
        format!(
            "{}\n[person.bo]\nname = \"Bo\"\n[person.cy]\nname = \"Cy\"\n\
             [rotation.week]\npeople = [{people}]\nhandoff = \"0 8 * * Mon\"\n",
            SMALLEST.replace("page = [\"ana\"]", "page = [\"rotation.week\"]")
        )
    };
    let daemon = Setup::new(&rotation("\"ana\"")).start();
    write(&daemon, &rotation("\"bo\""));
    let told = String::from_utf8(daemon.cli(&["reload"]).stdout).unwrap();
    assert!(told.contains("rotation week: bo is on call now, it was ana"), "{told}");
}

#[test]
fn a_log_of_objects_has_nothing_else_in_it() {
    let warned = format!("{SMALLEST}\n[person.bo]\nname = \"Bo\"\n");
    let daemon = Setup::new(&warned).env("STENTOR_LOG_FORMAT", "json").start();
    let is_json = |line: &str| serde_json::from_str::<serde_json::Value>(line).is_ok();
    let log = daemon.log();
    assert!(log.contains("unused-person") && log.lines().all(is_json), "{log}");
    let broken = Setup::new(&SMALLEST.replace("wait =", "wiat =")).env("STENTOR_LOG_FORMAT", "json").fail();
    let log = String::from_utf8_lossy(&broken.stderr);
    assert_eq!(broken.status.code(), Some(2));
    assert!(log.contains("wiat") && log.lines().all(is_json), "{log}");
}

#[test]
fn a_sandbox_with_a_public_address_names_the_file_and_not_a_page_that_is_not_there() {
    let mail = "\n[channel.mail]\nkind = \"smtp\"\nurl = \"smtp://127.0.0.1:2525\"\nfrom = \"s@desk.example\"\n";
    for (daemon, wanted) in [("[daemon]\npublic_url = \"https://s.example\"\n", "outbox.jsonl"), ("", "/outbox")] {
        let daemon = Setup::new(&format!("{daemon}{SMALLEST}{mail}")).arg("--sandbox").start();
        let log = daemon.log();
        let line = log.lines().find(|line| line.contains("these channels send nothing")).unwrap_or_default();
        assert!(line.contains(wanted), "{log}");
        if wanted == "/outbox" {
            assert_eq!(Call::get("/outbox").send(daemon.address).status, 200);
        }
    }
}

/// A success of which a part waits for the next start says which part, each time, until it is as it was.
#[test]
fn a_reload_says_which_keys_wait_for_the_next_start() {
    let daemon = Setup::new(SMALLEST).start();
    let changed = "[daemon]\nlisten = \"127.0.0.1:7999\"\npublic_url = \"https://s.example\"\n";
    write(&daemon, &format!("{changed}{SMALLEST}"));
    for _ in 0..2 {
        let told = daemon.cli(&["reload"]);
        let told = String::from_utf8(told.stdout).unwrap();
        for key in ["listen", "public_url"] {
            let line = format!("daemon.{key} stays as it was until the next start");
            assert!(told.contains(&line), "no {line} in {told}");
        }
    }
    let told = daemon.json(&["reload"]);
    let keys: Vec<&str> =
        told["at_next_start"].as_array().unwrap().iter().map(|w| w["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["listen", "public_url"], "{told}");
    write(&daemon, SMALLEST);
    assert_eq!(daemon.json(&["reload"])["at_next_start"], serde_json::json!([]));
}
