//! Credentials that were refused are in the journal: once for each kind and address, and with their count.

use super::{
    house::{sandboxed, secret},
    wire::Call,
};
use serde_json::Value;

fn refused(daemon: &super::common::Daemon) -> Vec<Value> {
    let out = daemon.cli(&["journal", "export"]);
    let lines = String::from_utf8(out.stdout).unwrap();
    let lines = lines.lines().filter(|line| line.contains("credential-refused")).map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        line.get("record").cloned().unwrap_or(line)
    });
    lines.collect()
}

#[test]
fn a_wrong_token_is_a_line_at_once_and_its_count_at_the_end_however_often_it_comes() {
    let mut daemon = sandboxed();
    let wrong = || Call::post("/v1/alerts").header("Authorization", "Bearer no-such-token").body("{}");
    for _ in 0..300 {
        assert_eq!(wrong().send(daemon.address).status, 401);
    }
    // A good token for what it does not allow, a channel's address without its token, and nobody's.
    let plain = format!("Bearer {}", secret("PLAIN_TOKEN"));
    assert_eq!(Call::get("/v1/incidents").header("Authorization", &plain).send(daemon.address).status, 403);
    assert_eq!(Call::post("/hooks/kannel/sms?from=%2B447700900001&text=2&token=x").send(daemon.address).status, 401);
    assert_eq!(Call::post("/hooks/kannel/none?token=x").send(daemon.address).status, 401);
    let found = refused(&daemon);
    let body = |line: &Value| line.to_string();
    let all: Vec<String> = found.iter().map(body).collect();
    assert_eq!(all.len(), 4, "{all:?}");
    for (asked, owner) in [("alerts", ""), ("read", "plain"), ("hooks", "sms"), ("hooks", "")] {
        let is_it = |line: &&String| {
            let has_owner = line.contains(r#"\"owner\""#) || line.contains(r#""owner""#);
            line.contains(asked) && has_owner != owner.is_empty() && line.contains(owner) && line.contains("127.0.0.1")
        };
        assert_eq!(all.iter().filter(is_it).count(), 1, "{asked} {owner}: {all:?}");
    }
    assert!(!all.join(" ").contains("no-such-token"));
    assert!(daemon.stop());
    daemon.restart();
    let all: Vec<String> = refused(&daemon).iter().map(body).collect();
    assert_eq!(all.len(), 5, "{all:?}");
    assert!(all[4].contains("300"), "{all:?}");
}
