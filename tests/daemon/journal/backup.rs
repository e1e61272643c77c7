//! `stentor backup`: whole under load, nobody else's to read, never over a file of somebody's, and it can be restored.

use super::{
    command::{MATRIX, fire, log_of},
    common::{Daemon, Setup, binary},
    untouched::{hashes, said},
};
use std::{
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Output,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

fn backup(daemon: &Daemon, to: &str, more: &[&str]) -> Output {
    daemon.cli(&[&["backup", to], more].concat())
}

/// A state folder with this file as its store.
fn restored(daemon: &Daemon, copy: &Path) -> std::path::PathBuf {
    restored_in(daemon.dir.path(), copy)
}

fn restored_in(folder: &Path, copy: &Path) -> std::path::PathBuf {
    let state = folder.join("restored");
    let _ = std::fs::remove_dir_all(&state);
    std::fs::create_dir(&state).unwrap();
    std::fs::copy(copy, state.join("stentor.db")).unwrap();
    state
}

fn verified(daemon: &Daemon, state: &Path) -> String {
    let mut verify = binary(daemon.dir.path());
    let output = verify.arg("--state").arg(state).args(["journal", "verify", "--json"]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    said(&output)
}

#[test]
fn a_copy_under_load_is_whole_and_has_all_that_was_acknowledged_before_it() {
    let daemon = Setup::new(MATRIX).start();
    let (stop, fired) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                fire(&daemon, &format!("S{}", fired.load(Ordering::Relaxed)));
                fired.fetch_add(1, Ordering::Relaxed);
            }
        });
        for round in 0..3 {
            while fired.load(Ordering::Relaxed) < 3 * (round + 1) {
                std::thread::yield_now();
            }
            let before = fired.load(Ordering::Relaxed);
            let name = format!("copy-{round}.db");
            let output = backup(&daemon, &name, &["--json"]);
            let told: serde_json::Value =
                serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
            assert!(output.status.success() && told["faults"] == 0, "{told:#}");
            let copy = daemon.dir.path().join(&name);
            assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600);
            let state = restored(&daemon, &copy);
            assert!(verified(&daemon, &state).contains("\"sound\": true"));
            let mut export = binary(daemon.dir.path());
            let export = export.arg("--state").arg(&state).args(["journal", "export"]).output().unwrap();
            let opened = said(&export).matches(r#"\"event\":\"opened\""#).count();
            assert!(before <= opened, "{before} were acknowledged, {opened} are in the copy");
        }
        stop.store(true, Ordering::Relaxed);
    });
    // Nothing is left beside the copies.
    let drafts = std::fs::read_dir(daemon.dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(drafts.filter(|name| name.to_string_lossy().starts_with('.')).count(), 0);
}

#[test]
fn a_file_is_replaced_only_by_force_and_a_folder_without_a_daemon_is_only_read() {
    let mut daemon = Setup::new(MATRIX).start();
    fire(&daemon, "A");
    let file = daemon.dir.path().join("copy.db");
    std::fs::write(&file, "somebody's own").unwrap();
    let refused = backup(&daemon, "copy.db", &[]);
    assert!(refused.status.code() == Some(2) && said(&refused).contains("--force"), "{}", said(&refused));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "somebody's own");
    assert!(backup(&daemon, "copy.db", &["--force"]).status.success());
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    for stop in [Daemon::kill as fn(&mut Daemon), |daemon: &mut Daemon| assert!(daemon.stop())] {
        stop(&mut daemon);
        let before = hashes(&daemon.state());
        let output = backup(&daemon, "copy.db", &["--force"]);
        assert!(output.status.success() && said(&output).contains("server key"), "{}", said(&output));
        assert_eq!(hashes(&daemon.state()), before);
        verified(&daemon, &restored(&daemon, &file));
        daemon.restart();
    }
    // The store itself is no place for its copy, by whatever name.
    let own = daemon.state().join("stentor.db");
    std::os::unix::fs::symlink(&own, daemon.dir.path().join("link.db")).unwrap();
    for to in [own.to_str().unwrap(), daemon.state().join("stentor.db-wal").to_str().unwrap(), "link.db"] {
        let output = backup(&daemon, to, &["--force"]);
        assert!(output.status.code() == Some(2) && said(&output).contains("the store itself"), "{}", said(&output));
    }
    fire(&daemon, "B");
    for (to, words) in [("nowhere/copy.db", "can not be written"), ("..", "names no file")] {
        let output = backup(&daemon, to, &["--force"]);
        assert!(output.status.code() == Some(2) && said(&output).contains(words), "{}", said(&output));
    }
}

#[test]
fn an_export_never_replaces_one_that_was_kept_unless_it_is_forced() {
    let daemon = Setup::new(MATRIX).start();
    fire(&daemon, "A");
    let export = |more: &[&str]| daemon.cli(&[&["journal", "export", "--out", "kept.jsonl"], more].concat());
    let kept = daemon.dir.path().join("kept.jsonl");
    assert!(export(&[]).status.success());
    let first = std::fs::read_to_string(&kept).unwrap();
    fire(&daemon, "B");
    let refused = export(&[]);
    assert!(refused.status.code() == Some(2) && said(&refused).contains("--force"), "{}", said(&refused));
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), first);
    assert!(export(&["--force"]).status.success());
    assert_ne!(std::fs::read_to_string(&kept).unwrap(), first);
    let shown = daemon.cli(&["journal", "export", "--out", "-"]);
    assert!(said(&shown).contains("flash-crash/B") && !daemon.dir.path().join("-").exists());
}

#[test]
fn a_daemon_goes_on_from_a_restored_copy() {
    let mut daemon = Setup::new(MATRIX).start();
    fire(&daemon, "A");
    assert!(backup(&daemon, "copy.db", &[]).status.success());
    fire(&daemon, "B");
    assert!(daemon.stop());
    let (state, log) = (daemon.state(), log_of(&daemon));
    for name in ["stentor.db", "stentor.db-wal", "stentor.db-shm"] {
        let _ = std::fs::remove_file(state.join(name));
    }
    std::fs::copy(daemon.dir.path().join("copy.db"), state.join("stentor.db")).unwrap();
    let kept = std::fs::read_to_string(&log).unwrap();
    daemon.restart();
    let incidents = daemon.json(&["incidents"]);
    assert_eq!(
        (incidents.as_array().unwrap().len(), &incidents[0]["key"]),
        (1, &"flash-crash/A".into()),
        "{incidents}"
    );
    fire(&daemon, "C");
    // Its journal is whole; earlier anchors show that what came after the copy is gone.
    assert!(daemon.cli(&["journal", "verify"]).status.success());
    let anchors = super::command::write(&daemon, "anchors", &kept);
    let output = daemon.cli(&["journal", "verify", "--anchor", &anchors]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
}

/// The version of a database's schema, from its header.
fn schema(file: &Path) -> u32 {
    let header: [u8; 4] = std::fs::read(file).unwrap()[60..64].try_into().unwrap();
    u32::from_be_bytes(header)
}

#[test]
fn a_copy_of_an_older_state_is_one_that_the_older_program_can_use() {
    let daemon = Setup::new(MATRIX);
    let folder = daemon.dir.path();
    let state = folder.join("older");
    std::fs::create_dir(&state).unwrap();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(state.join("stentor.db")).create_if_missing(true);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut conn = runtime.block_on(sqlx::ConnectOptions::connect(&options)).unwrap();
    let dump = sqlx::raw_sql(include_str!("../../fixture/state-v1.sql"));
    runtime.block_on(dump.execute(&mut conn)).unwrap();
    // The dump's one text has a short name that a test gave it: with it the copy would have a fault.
    runtime.block_on(sqlx::raw_sql("DELETE FROM text").execute(&mut conn)).unwrap();
    let backup = |to: &str| {
        let output = binary(folder).arg("--state").arg(&state).args(["backup", to]).output().unwrap();
        assert_eq!(schema(&folder.join(to)), 1, "{}", said(&output));
        assert!(said(&output).contains("its schema is version 1, as in the store"), "{}", said(&output));
    };
    // With a log beside it, as of a daemon that was killed; and without one.
    let logged = "PRAGMA journal_mode = WAL; CREATE TABLE late (a); DROP TABLE late";
    runtime.block_on(sqlx::raw_sql(logged).execute(&mut conn)).unwrap();
    assert!(state.join("stentor.db-wal").metadata().unwrap().len() != 0);
    backup("killed.db");
    runtime.block_on(sqlx::Connection::close(conn)).unwrap();
    backup("stopped.db");
    assert_eq!(schema(&state.join("stentor.db")), 1, "the store is as it was");
    let verified = restored_in(folder, &folder.join("stopped.db"));
    let mut verify = binary(folder);
    let output = verify.arg("--state").arg(verified).args(["journal", "verify"]).output().unwrap();
    assert!(said(&output).contains("consistent in itself"), "{}", said(&output));
}

#[test]
fn a_file_that_is_no_export_is_named_with_what_to_do() {
    let daemon = Setup::new(MATRIX).start();
    assert!(backup(&daemon, "copy.db", &[]).status.success());
    for option in ["--file", "--anchor"] {
        let told = daemon.cli(&["journal", "verify", option, "nosuch"]);
        assert!(said(&told).contains("nosuch can not be read"), "{}", said(&told));
        let told = daemon.cli(&["journal", "verify", option, "copy.db"]);
        assert_eq!(told.status.code(), Some(2));
        assert!(said(&told).contains("copy.db is a database, not an export"), "{}", said(&told));
    }
    assert!(daemon.cli(&["journal", "export", "--out", "export.jsonl"]).status.success());
    let key = super::command::write(&daemon, "key.pem", &said(&daemon.cli(&["journal", "key"])));
    let lines = std::fs::read_to_string(daemon.dir.path().join("export.jsonl")).unwrap();
    let anchor = lines.lines().find(|line| line.contains("\"chain\":\"anchors\"")).map(str::to_owned);
    // A new daemon anchors its first line at its start.
    let Some(anchor) = anchor else { return };
    let export = super::command::write(&daemon, "anchor.jsonl", &anchor);
    let told = daemon.cli(&["journal", "verify", "--anchor", &export, "--key", &key]);
    assert!(said(&told).contains("or leave --key out"), "{}", said(&told));
}
