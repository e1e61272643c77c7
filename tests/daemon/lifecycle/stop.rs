//! A stop ends within its bound and with exit 0, whenever it comes.
//!
//! `STENTOR_STOPS=200 cargo test --test daemon lifecycle::stop` stops that often; `STENTOR_STOP_SEED=7` repeats a run's moments.

use super::common::{Setup, binary};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{
    io::Write,
    net::TcpStream,
    process::{Child, Command, ExitStatus, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};
use stentor::store::{IncidentFilter, Store, clock::SystemClock, sqlite::SqliteStore};

/// What a stop may take here: nothing is under way that would be waited for longer.
const SOON: Duration = Duration::from_secs(8);

const MATRIX: &str = r#"
[source.monitor]
token = { env = "MONITOR_TOKEN" }

[channel.desk]
kind = "screen"

[channel.sms]
kind     = "kannel"
url      = "http://127.0.0.1:9/cgi-bin/sendsms"
username = "stentor"
password = { env = "KANNEL_PASSWORD" }

[person.ana]
name  = "Ana Ruiz"
phone = "+447700900001"

[role.trader]
step = [{ page = ["ana"], by = ["sms"], wait = "5m" }]

[trigger.crash]
on    = ["crash"]
roles = ["trader"]

[catch-all]
page = ["ana"]
by   = ["sms"]
"#;

/// The same where all are asked at their desks. Nobody has one open.
fn at_desks() -> String {
    MATRIX.replace("[\"sms\"]", "[\"desk\"]")
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Waits for the end, but not for ever: a process that hangs is killed, and there is no status.
fn end(child: &mut Child, most: Duration) -> Option<ExitStatus> {
    let until = Instant::now() + most;
    while Instant::now() < until {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    None
}

fn terminate(pid: u32) {
    assert!(Command::new("kill").args(["-TERM", &pid.to_string()]).status().unwrap().success());
}

#[test]
fn a_stop_right_after_the_start_ends_in_time_and_well() {
    let seed = number("STENTOR_STOP_SEED", 1);
    let mut dice = StdRng::seed_from_u64(seed);
    let alert = "POST /v1/alerts HTTP/1.1\r\nhost: a\r\nauthorization: Bearer t\r\ncontent-type: application/json\r\n\
                 content-length: 16\r\n\r\n{\"kind\":\"crash\"}";
    let requests = [alert, "GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n", "GET /readyz HTTP/1.1\r\nhost: a\r\n\r\n"];
    let setup = || Setup::new(MATRIX).env("MONITOR_TOKEN", "t").env("KANNEL_PASSWORD", "p");
    for round in 0..number("STENTOR_STOPS", 12) as usize {
        let mut daemon = setup().start();
        let mut line = TcpStream::connect(daemon.address).unwrap();
        line.write_all(requests[round % requests.len()].as_bytes()).unwrap();
        // Most of them in the first moments, where everything opens what it needs.
        let most = if round % 2 == 0 { 2_000 } else { 50_000 };
        let wait = Duration::from_micros(dice.random_range(0..most));
        std::thread::sleep(wait);
        daemon.signal("TERM");
        let status = end(daemon.process(), SOON);
        let ended_well = status.is_some_and(|status| status.success());
        assert!(ended_well, "seed {seed}, round {round}, after {wait:?}: {status:?}\n{}", daemon.log());
    }
}

#[test]
fn what_was_never_begun_is_no_repeat_after_a_stop_nor_after_a_crash() {
    let mut daemon =
        Setup::new(&at_desks()).env("MONITOR_TOKEN", "t").env("KANNEL_PASSWORD", "p").arg("--sandbox").start();
    daemon.json(&["fire", "crash"]);
    let waits = |daemon: &super::common::Daemon| {
        let told = String::from_utf8(daemon.cli(&["show", "INC-1", "--pages"]).stdout).unwrap();
        told.contains("their desk was not open").then_some(told)
    };
    crate::house::eventually("a page that waits for a desk", || waits(&daemon));
    for crash in [false, true] {
        if crash {
            daemon.kill();
        } else {
            assert!(daemon.stop(), "{}", daemon.log());
        }
        daemon.restart();
        let told = crate::house::eventually("the page again", || waits(&daemon));
        assert!(!told.contains("may have been sent twice"), "crash: {crash}\n{told}");
        // The queue is taken up within the first look, or not at all.
        std::thread::sleep(Duration::from_millis(500));
        let journal = String::from_utf8(daemon.cli(&["journal", "export"]).stdout).unwrap();
        assert!(!journal.contains("taken-over"), "crash: {crash}\n{journal}");
    }
    assert!(daemon.cli(&["resolve", "INC-1"]).status.success());
    let desk = crate::house::eventually("the end of its pages", || {
        let pages = daemon.json(&["show", "INC-1"])["incident"]["pages"].as_array().unwrap().clone();
        let ended = pages.iter().all(|page| page["state"] != "queued" && page["state"] != "withdrawn");
        ended.then(|| pages.into_iter().filter(|page| page["channel"] == "desk").collect::<Vec<_>>())
    });
    assert!(desk.iter().all(|page| page["state"] == "unsent" && page["refusals"] == 0), "{desk:#?}");
    let written = String::from_utf8(daemon.cli(&["postmortem", "INC-1"]).stdout).unwrap();
    assert!(!written.contains("a node died") && !written.contains("may have reached its reader"), "{written}");
}

#[test]
fn a_stop_while_the_daemon_still_opens_its_store_ends_in_time_and_well() {
    for round in 0..4 {
        let setup = Setup::new(MATRIX);
        let log = std::fs::File::create(setup.dir.path().join("log")).unwrap();
        let mut daemon = binary(setup.dir.path())
            .args(["serve", "--listen", "127.0.0.1:0"])
            .stderr(log)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let lock = setup.dir.path().join("state/lock");
        while !lock.exists() {
            assert!(daemon.try_wait().unwrap().is_none(), "it ended by itself");
        }
        std::thread::sleep(Duration::from_millis(round));
        terminate(daemon.id());
        let status = end(&mut daemon, SOON);
        let log = std::fs::read_to_string(setup.dir.path().join("log")).unwrap();
        assert!(status.is_some_and(|status| status.success()), "round {round}: {status:?}\n{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_is_closed_although_somebody_who_reads_is_not_polled_any_more() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path(), Arc::new(SystemClock)).await.unwrap();
    let mut readings: Vec<_> = (0..3).map(|_| store.list(IncidentFilter { open_only: true, limit: 10 })).collect();
    // Each has asked for a reader and holds it, or waits for it, for as long as it lives.
    for reading in &mut readings {
        let _ = futures_util::poll!(reading.as_mut());
    }
    assert!(tokio::time::timeout(SOON, store.close()).await.is_ok());
    assert!(SqliteStore::open(dir.path(), Arc::new(SystemClock)).await.is_ok(), "the directory is let go");
}

/// What hangs on the outside: a provider that takes a page and says nothing, peers that neither go on nor hang up.
#[test]
fn a_stop_does_not_wait_for_ever_for_those_who_say_nothing() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let matrix = MATRIX.replace("127.0.0.1:9", &silent.local_addr().unwrap().to_string());
    let mut daemon = Setup::new(&matrix).env("MONITOR_TOKEN", "t").env("KANNEL_PASSWORD", "p").start();
    assert!(daemon.cli(&["fire", "crash"]).status.success());
    let (_page, _) = silent.accept().unwrap();
    let half = [
        "",
        "GET / HT",
        "POST /v1/alerts HTTP/1.1\r\nhost: a\r\nauthorization: Bearer t\r\ncontent-length: 9\r\n\r\n{",
    ];
    let lines = half.map(|half| {
        let mut line = TcpStream::connect(daemon.address).unwrap();
        line.write_all(half.as_bytes()).unwrap();
        line
    });
    let began = Instant::now();
    daemon.signal("TERM");
    let status = end(daemon.process(), STOP_TIME_MAX);
    assert!(status.is_some_and(|status| status.success()), "{status:?} {:?}\n{}", began.elapsed(), daemon.log());
    drop(lines);
}

/// The longest that the daemon gives itself, and what a busy machine adds.
const STOP_TIME_MAX: Duration = Duration::from_secs(25);

/// A file that is never read to its end, as on a network that is gone.
fn bottomless(path: &std::path::Path) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn a_stop_does_not_wait_for_files_that_can_not_be_read() {
    // While it starts: the file of a secret.
    let setup = Setup::new(MATRIX);
    let secret = setup.dir.path().join("secrets/token");
    bottomless(&secret);
    let endless =
        MATRIX.replace("{ env = \"MONITOR_TOKEN\" }", &format!("{{ file = {:?} }}", secret.display().to_string()));
    std::fs::write(setup.dir.path().join("matrix/matrix.toml"), &endless).unwrap();
    let mut starting = binary(setup.dir.path()).arg("serve").stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    terminate(starting.id());
    assert!(end(&mut starting, SOON).is_some_and(|status| status.success()));
    // While it reloads.
    let mut daemon = Setup::new(MATRIX).start();
    std::fs::write(daemon.dir.path().join("matrix/matrix.toml"), &endless).unwrap();
    daemon.signal("HUP");
    std::thread::sleep(Duration::from_millis(500));
    assert!(daemon.cli(&["incidents"]).status.success(), "it works meanwhile");
    daemon.signal("TERM");
    let status = end(daemon.process(), SOON);
    assert!(status.is_some_and(|status| status.success()), "{status:?}\n{}", daemon.log());
    // The calendar of drills.
    let setup = Setup::new(MATRIX);
    bottomless(&setup.dir.path().join("matrix/drills/endless.toml"));
    let mut daemon = setup.start();
    daemon.signal("TERM");
    let status = end(daemon.process(), STOP_TIME_MAX);
    assert!(status.is_some_and(|status| status.success()), "{status:?}\n{}", daemon.log());
}
