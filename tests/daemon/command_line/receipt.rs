//! `stentor receipt verify`, and the keys that it needs.

use super::SMALLEST;
use crate::{
    common::{Daemon, Setup, binary},
    wire::Call,
};
use serde_json::{Value, json};
use std::{
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
    sync::Arc,
};
use stentor::{
    engine::keys::DerivedKeys,
    store::{SqliteStore, Store, clock::SystemClock},
};

fn matrix(key: u32) -> String {
    format!("[daemon]\nreceipt_key = {key}\n{SMALLEST}")
}

fn keys(daemon: &Daemon) -> Value {
    let reply = Call::get("/v1/keys").send(daemon.address);
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/jwk-set+json")), "{reply:?}");
    assert_eq!(reply.header("cache-control"), Some("public, max-age=300"));
    reply.json()
}

/// The keys of the daemon's store, which it must not have open.
fn derived(daemon: &Daemon) -> DerivedKeys {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = SqliteStore::open_read_only(&daemon.state(), Arc::new(SystemClock)).await.unwrap();
        let key = store.server_key();
        store.close().await;
        DerivedKeys::new(key)
    })
}

fn judged(output: &Output) -> (Option<i32>, Value) {
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or_default())
}

/// Without a daemon.
fn offline(dir: &Path, arguments: &[&str]) -> Output {
    let mut command = binary(dir);
    command.args(["receipt", "verify"]).args(arguments).output().unwrap()
}

#[test]
fn a_receipt_is_checked_offline_and_with_the_daemons_keys() {
    let mut daemon = Setup::new(SMALLEST).start();
    let first = keys(&daemon);
    assert_eq!(first["keys"].as_array().map(Vec::len), Some(1));
    assert_eq!(daemon.control(&Call::get("/v1/keys")).json(), first, "on the socket, too");
    assert!(daemon.stop());
    let derived = derived(&daemon);
    let claims = json!({ "request": "req_7", "outcome": "decided", "who": "ana" });
    let receipt = derived.sign_receipt(1, &claims).unwrap();
    daemon.restart();
    assert_eq!(keys(&daemon), first, "the same after a restart");

    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str, text: &str| {
        std::fs::write(dir.path().join(name), text).unwrap();
        dir.path().join(name).to_str().unwrap().to_owned()
    };
    let (good, known) = (at("receipt.jws", &format!("{receipt}\n")), at("keys.json", &first.to_string()));
    let bad = at("changed.jws", &receipt.replacen('.', ".e", 1));
    let kid = &first["keys"][0]["kid"];
    let valid = (Some(0), json!({ "valid": true, "kid": kid, "claims": claims }));
    assert_eq!(judged(&offline(dir.path(), &[&good, "--keys", &known, "--json"])), valid);
    assert_eq!(judged(&daemon.cli(&["receipt", "verify", &good, "--json"])), valid);
    let text = String::from_utf8(offline(dir.path(), &[&good, "--keys", &known]).stdout).unwrap();
    assert!(text.starts_with("valid: signed by key ") && text.contains("\"req_7\""), "{text}");

    let output = offline(dir.path(), &[&bad, "--keys", &known]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!((output.status.code(), text.trim()), (Some(1), "NOT valid: it was changed, or another key signed it"));
    let (code, told) = judged(&offline(dir.path(), &[&bad, "--keys", &known, "--json"]));
    assert_eq!((code, &told["valid"]), (Some(1), &json!(false)));

    // From standard input; and what can not be read is no verdict.
    let mut command = binary(dir.path());
    command.args(["receipt", "verify", "-", "--json", "--keys", &known]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(receipt.as_bytes()).unwrap();
    assert_eq!(judged(&child.wait_with_output().unwrap()), valid);
    for (arguments, why) in [
        (vec!["nowhere.jws", "--keys", &known], "can not be read"),
        (vec![&good, "--keys", &bad], "is no set of keys"),
        (vec![&good], "name the keys with --keys"),
    ] {
        let output = offline(dir.path(), &arguments);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && told.contains(why), "{arguments:?}: {told}");
    }
    example(&known, &good, &bad);
}

/// The example in Python says the same, where its package is.
fn example(keys: &str, good: &str, bad: &str) {
    let python = std::env::var("STENTOR_PYTHON").unwrap_or_else(|_| "python3".into());
    let script = crate::common::root().join("examples/python/verify_receipt.py");
    let knows = Command::new(&python).args(["-c", "import cryptography"]).stderr(Stdio::null()).status();
    if !knows.is_ok_and(|status| status.success()) {
        let line = "SKIPPED: pip install cryptography, and name that python in STENTOR_PYTHON";
        assert!(std::env::var("STENTOR_REAL").unwrap_or_default() != "1", "{line}");
        let _ = writeln!(std::io::stderr(), "{line}");
        return;
    }
    for (receipt, code) in [(good, 0), (bad, 1), ("nowhere.jws", 2)] {
        let output = Command::new(&python).arg(&script).args([keys, receipt]).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{receipt}: {output:?}");
    }
}

#[test]
fn the_key_is_changed_by_a_reload_and_the_one_before_stays_published() {
    let daemon = Setup::new(&matrix(1)).start();
    let first = keys(&daemon);
    std::fs::write(daemon.dir.path().join("matrix/matrix.toml"), matrix(2)).unwrap();
    daemon.json(&["reload"]);
    let second = keys(&daemon);
    assert_eq!((second["keys"].as_array().map(Vec::len), &second["keys"][1]), (Some(2), &first["keys"][0]));
    std::fs::write(daemon.dir.path().join("matrix/matrix.toml"), matrix(3)).unwrap();
    daemon.json(&["reload"]);
    assert_eq!(keys(&daemon)["keys"][1], second["keys"][0]);
    std::fs::write(daemon.dir.path().join("matrix/matrix.toml"), matrix(0)).unwrap();
    assert!(String::from_utf8_lossy(&daemon.cli(&["reload"]).stderr).contains("there is no key 0"));
}
