//! `stentor journal verify` against real daemons: what their logs prove, and when they anchor.

use super::common::{Daemon, Setup};
use serde_json::Value;
use std::time::{Duration, Instant};

pub const MATRIX: &str = r#"
[channel.desk]
kind = "screen"

[person.ana]
name = "Ana Ruiz"

[role.trader]
step = [{ page = ["ana"], by = ["desk"], wait = "45s" }]

[trigger.flash-crash]
on    = ["price_velocity"]
when  = 'alert.values.drop_pct >= 5.0'
key   = 'alert.labels.symbol'
roles = ["trader"]
"#;

pub fn fire(daemon: &Daemon, symbol: &str) {
    let label = format!("symbol={symbol}");
    daemon.json(&["fire", "price_velocity", "--value", "drop_pct=6.2", "--label", &label]);
}

fn verify(daemon: &Daemon, arguments: &[&str]) -> (Option<i32>, String) {
    let output = daemon.cli(&[&["journal", "verify"], arguments].concat());
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

fn told(daemon: &Daemon, arguments: &[&str]) -> Value {
    let output = daemon.cli(&[&["journal", "verify", "--json"], arguments].concat());
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

pub fn write(daemon: &Daemon, name: &str, text: &str) -> String {
    let path = daemon.dir.path().join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

pub fn log_of(daemon: &Daemon) -> String {
    daemon.dir.path().join("log").to_str().unwrap().to_owned()
}

/// Waits until the log has an anchor after this one, long before a minute has passed.
fn anchored(daemon: &Daemon, log: &str, after: u64) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while told(daemon, &["--anchor", log])["proven_to"] == after {
        assert!(Instant::now() < deadline, "no anchor at the start");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_daemon_that_stops_anchors_its_last_line_and_one_that_crashed_does_so_at_its_next_start() {
    for format in ["text", "json"] {
        let mut daemon = Setup::new(MATRIX).env("STENTOR_LOG_FORMAT", format).start();
        let log = log_of(&daemon);
        fire(&daemon, "A");
        assert!(daemon.stop());
        let report = told(&daemon, &["--anchor", &log]);
        assert_eq!(
            (&report["sound"], &report["conclusion"]),
            (&true.into(), &"whole-up-to-anchor".into()),
            "{report:#}"
        );
        assert_eq!(
            (&report["unproven"]["lines"], &report["unanchored"]["lines"]),
            (&0.into(), &0.into()),
            "{report:#}"
        );

        daemon.restart();
        // The anchor of the start may come after the first of these.
        for symbol in ["B", "C", "D"] {
            fire(&daemon, symbol);
            if told(&daemon, &["--anchor", &log])["unproven"]["lines"] != 0 {
                break;
            }
        }
        daemon.kill();
        let report = told(&daemon, &["--anchor", &log]);
        let lines = report["unproven"]["lines"].as_u64().unwrap();
        assert!(0 < lines, "after a crash no anchor covers the end: {report:#}");
        let last = report["proven_to"].as_u64().unwrap();
        let (status, said) = verify(&daemon, &["--anchor", &log]);
        let words = format!("{lines} line(s) after anchor {last} (since ");
        assert!(status == Some(0) && said.contains(&words) && said.contains("are covered by no anchor"), "{said}");

        daemon.restart();
        anchored(&daemon, &log, last);
        assert!(daemon.stop());
        let report = told(&daemon, &["--anchor", &log]);
        assert!(last < report["proven_to"].as_u64().unwrap(), "{report:#}");
        assert_eq!(
            (&report["unproven"]["lines"], &report["remarks"]),
            (&0.into(), &Value::Array(vec![])),
            "{report:#}"
        );
    }
}

#[test]
fn a_file_without_an_anchor_is_refused_and_a_cut_is_seen_only_with_one() {
    let mut daemon = Setup::new(MATRIX).start();
    let log = log_of(&daemon);
    fire(&daemon, "A");
    assert!(daemon.stop());
    daemon.restart();
    fire(&daemon, "B");
    assert!(daemon.stop());
    let export = daemon.dir.path().join("export.jsonl");
    let export = export.to_str().unwrap();
    assert!(daemon.cli(&["journal", "export", "--out", export]).status.success());
    let whole = std::fs::read_to_string(export).unwrap();
    let lines: Vec<&str> = whole.lines().collect();

    for (name, text) in [("empty", ""), ("other", "INFO listening\n{\"seq\":1}\n")] {
        let file = write(&daemon, name, text);
        let (status, said) = verify(&daemon, &["--anchor", &file]);
        let words = format!("no anchor in {file}: it proves nothing");
        assert!(status == Some(2) && said.contains(&words), "{said}");
        // Beside one that has some it is said, too.
        for arguments in [vec!["--anchor", &log, "--anchor", &file], vec!["--anchor", &log, &file]] {
            let (status, said) = verify(&daemon, &arguments);
            assert!(status == Some(0) && said.contains(&format!("no anchor in {file}")), "{said}");
        }
    }

    // A file without a line proves nothing, and is no success.
    for text in ["", "\n\n"] {
        let empty = write(&daemon, "nothing", text);
        let (status, said) = verify(&daemon, &["--file", &empty]);
        assert!(status == Some(2) && said.contains("nothing has no line in it: there is nothing to verify"), "{said}");
    }

    // The end is gone, to the very line before its anchor: nothing in it tells.
    let first = lines.iter().position(|line| line.contains("\"chain\":\"anchors\"")).unwrap();
    let cut = write(&daemon, "cut", &lines[..=first].join("\n"));
    let (status, said) = verify(&daemon, &["--file", &cut]);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("consistent in itself") && said.contains("neither a cut at the end nor"), "{said}");
    assert!(!said.contains("sound"), "{said}");
    let report = told(&daemon, &["--file", &cut]);
    assert_eq!((&report["conclusion"], &report["proven_to"]), (&"whole-in-itself".into(), &Value::Null), "{report:#}");
    assert!(report["unseen"][0].as_str().unwrap().contains("neither a cut at the end nor"), "{report:#}");
    let (status, said) = verify(&daemon, &["--file", &cut, "--anchor", &log]);
    assert!(status == Some(1) && said.contains("the end was cut off") && said.contains("NOT SOUND"), "{said}");
    // Cut behind an anchor, lines and all.
    let cut = write(&daemon, "cut", &lines[..=first + 1].join("\n"));
    let (_, said) = verify(&daemon, &["--file", &cut]);
    assert!(said.contains("1 line(s) after anchor 1 (since 2"), "{said}");
    // The store says the same of itself.
    let (status, said) = verify(&daemon, &[]);
    assert!(status == Some(0) && said.contains("consistent in itself"), "{said}");
    let (status, said) = verify(&daemon, &["--anchor", export]);
    assert!(status == Some(0) && said.contains("sound, complete up to the kept anchor "), "{said}");
}

#[test]
fn a_state_folder_that_was_set_back_and_written_on_is_found_by_the_log() {
    let mut daemon = Setup::new(MATRIX).start();
    let log = log_of(&daemon);
    fire(&daemon, "A");
    assert!(daemon.stop());
    let copy = daemon.dir.path().join("copy");
    let same = |from: &std::path::Path, to: &std::path::Path| {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
            }
        }
    };
    same(&daemon.state(), &copy);
    daemon.restart();
    fire(&daemon, "B");
    assert!(daemon.stop());
    assert_eq!(verify(&daemon, &["--anchor", &log]).0, Some(0));
    // Somebody puts the old folder back, and the daemon goes on as if nothing had been.
    std::fs::remove_dir_all(daemon.state()).unwrap();
    same(&copy, &daemon.state());
    daemon.restart();
    fire(&daemon, "C");
    assert!(daemon.stop());
    let (status, said) = verify(&daemon, &["--anchor", &log]);
    assert!(status == Some(1) && said.contains("two different hashes were kept for this anchor"), "{said}");
    assert!(said.contains("NOT SOUND after the kept anchor 2"), "{said}");
    // The journal alone knows nothing of it, and says so.
    let (status, said) = verify(&daemon, &[]);
    assert!(status == Some(0) && said.contains("nor a rewritten journal"), "{said}");
}
