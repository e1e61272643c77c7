//! Two referees of the API's document: a validator of OpenAPI, and schemathesis, which makes requests of it and compares
//! the answers.

use crate::{
    common::{Daemon, Setup, root},
    net::Net,
    parts::skipped,
};
use serde_json::{Value, json};
use std::{
    env, fs,
    process::{Command, Output},
};
use stentor::http::api::described_routes;

const MATRIX: &str = r#"
[source.fuzzer]
token               = { env = "FUZZER_TOKEN" }
scopes              = ["alerts", "read"]
drills              = true
openings_per_minute = 100000
# Most of what it invents is of no known kind.
unmatched           = "catch-all"

[channel.desk]
kind = "screen"

[person.ana]
name = "Ana Ruiz"

[role.trader]
engaged_by = "wilco"
step       = [{ page = ["ana"], by = ["desk"], wait = "10m" }]

[trigger.crash]
on    = ["price_velocity"]
roles = ["trader"]

[trigger.kill-switch]
on    = ["order_kill"]
roles = ["trader"]
ask   = { after = "10m" }

[catch-all]
page  = ["ana"]
by    = ["desk"]
every = "2m"
"#;

const TOKEN: &str = "fuzzer-token-61ce2b";

/// Runs a module of the referees' Python; none where it is not here.
fn referee(daemon: &Daemon, module: &str, arguments: &[&str]) -> Option<Output> {
    let python = env::var("STENTOR_PYTHON").unwrap_or_else(|_| "python3".into());
    let found = Command::new(&python).args(["-c", &format!("import {}", module.replace(".cli", ""))]).output();
    if !found.is_ok_and(|found| found.status.success()) {
        skipped(module, "pip install schemathesis openapi-spec-validator, and name that python in STENTOR_PYTHON");
        return None;
    }
    let mut command = Command::new(python);
    command
        .args(["-m", module])
        .args(arguments)
        .env("FUZZER_TOKEN", TOKEN)
        .env("PYTHONPATH", root().join("tests/real/openapi"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(daemon.dir.path());
    Some(command.output().unwrap())
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

/// The id of an open request.
fn asked(daemon: &Daemon) -> String {
    let body = json!({
        "kind": "order_kill",
        "ask": { "type": "approval", "question": "Cancel all open orders?", "deadline": "10m" },
    });
    let request: Value =
        serde_json::from_str(&Net::new().post_json(&daemon.url("/v1/requests"), TOKEN, &body)).unwrap();
    request["id"].as_str().unwrap().to_owned()
}

#[test]
fn the_document_is_openapi_and_every_answer_is_what_it_says() {
    let daemon = Setup::new(MATRIX).env("FUZZER_TOKEN", TOKEN).arg("--sandbox").start();
    daemon.json(&["fire", "price_velocity"]);
    let document = Net::new().get(&daemon.url("/v1/openapi.json")).unwrap();
    fs::write(daemon.dir.path().join("openapi.json"), document).unwrap();
    let Some(output) = referee(&daemon, "openapi_spec_validator", &["--schema", "3.1", "openapi.json"]) else { return };
    assert!(output.status.success(), "{}", said(&output));
    let config = fs::read_to_string(root().join("tests/real/openapi/schemathesis.toml")).unwrap();
    let (open, withdrawn) = (asked(&daemon), asked(&daemon));
    let body = json!({ "reason": "the market has closed" });
    Net::new().post_json(&daemon.url(&format!("/v1/requests/{withdrawn}/cancel")), TOKEN, &body);
    let config = config.replace("REQUEST_ID", &open).replace("WITHDRAWN_ID", &withdrawn);
    fs::write(daemon.dir.path().join("schemathesis.toml"), config).unwrap();
    // From a file: it would leave out the route that it has the document from.
    // What is shown as Alertmanager shows it follows that API, whose document says less than what it refuses: `doors` has
    // tests for it, and `monitors` for its own clients.
    let others = ["--exclude-path-regex", "^/api/v2/"];
    let arguments = ["--config-file", "schemathesis.toml", "run", "openapi.json", "--url", &daemon.url("")];
    let arguments = [&arguments[..], &others].concat();
    let Some(output) = referee(&daemon, "schemathesis.cli", &arguments) else { return };
    let said = said(&output);
    assert!(output.status.success(), "{said}");
    // It had something to look at: every operation, and hundreds of requests.
    let document = described_routes().document();
    let all: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
    let (paths, own) = (all.len(), all.iter().filter(|path| !path.starts_with("/api/v2/")).count());
    assert!(own < paths && said.contains(&format!("{own} selected / {paths} total")), "{said}");
    let cases = said.lines().find_map(|line| line.trim().split_once(" generated")?.0.parse::<usize>().ok());
    assert!(cases.is_some_and(|cases| 300 < cases), "{said}");
    assert!(!daemon.log().contains("panicked"), "{}", daemon.log());
}
