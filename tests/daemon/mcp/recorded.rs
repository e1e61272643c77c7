//! What the official clients sent to another server (Python `mcp` 2.3.0; TypeScript `@modelcontextprotocol/sdk` 1.32.2 and
//! `@modelcontextprotocol/client` 2.4.0), byte for byte but for the token.

use super::{Call, Daemon, Stdio, client, matrix, sandboxed_on, secret};
use serde_json::Value;
use std::collections::BTreeMap;

const RECORDED: &str = include_str!("recorded.jsonl");

/// The lines of each client.
fn clients(transport: &str) -> BTreeMap<String, Vec<Value>> {
    let mut clients: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in RECORDED.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let client = line["client"].as_str().unwrap().to_owned();
        if client.contains(transport) {
            clients.entry(client).or_default().push(line);
        }
    }
    clients
}

/// Whether an answer is what the client needs.
fn fits(client: &str, asked: &Value, answer: &Value) {
    assert_eq!(answer["id"], asked["id"], "{client}: {answer}");
    let result = &answer["result"];
    let modern = asked["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] == "2026-07-28";
    assert_eq!(result["resultType"] == "complete", modern && answer["error"].is_null(), "{client}: {answer}");
    match asked["method"].as_str().unwrap() {
        "server/discover" => {
            let versions = result["supportedVersions"].as_array().unwrap();
            assert!(versions.iter().any(|version| version == "2026-07-28"), "{client}: {answer}");
            assert_eq!(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "stentor", "{client}: {answer}");
        }
        "initialize" => {
            assert_eq!(result["protocolVersion"], asked["params"]["protocolVersion"], "{client}: {answer}");
            assert_eq!(result["serverInfo"]["name"], "stentor", "{client}: {answer}");
        }
        "tools/list" => {
            let names: Vec<&str> =
                result["tools"].as_array().unwrap().iter().filter_map(|t| t["name"].as_str()).collect();
            assert!(
                ["ask_human", "get_outcome", "cancel"].iter().all(|name| names.contains(name)),
                "{client}: {names:?}"
            );
        }
        // Without its arguments, and one that does not exist.
        _ if asked["params"]["name"] == "get_outcome" => {
            assert_eq!(result["isError"], true, "{client}: {answer}");
            assert!(
                result["content"][0]["text"].as_str().unwrap().contains("missing field `id`"),
                "{client}: {answer}"
            );
        }
        _ => assert_eq!(answer["error"]["code"], -32602, "{client}: {answer}"),
    }
}

#[test]
fn the_official_clients_are_served_over_http() {
    let daemon: Daemon = sandboxed_on(&matrix("after = \"5m\""));
    let clients = clients("http");
    assert_eq!(clients.len(), 5);
    for (client, lines) in clients {
        for line in lines {
            let method = line["method"].as_str().unwrap();
            let mut call = Call::new(method, "/mcp").bearer(secret("MONITOR_TOKEN"));
            for (name, value) in line["headers"].as_object().unwrap() {
                call = call.header(name, value.as_str().unwrap());
            }
            let asked = &line["message"];
            if !asked.is_null() {
                call = call.body(asked.to_string());
            }
            let reply = call.send(daemon.address);
            match (method, asked["id"].is_null()) {
                // There are no sessions.
                ("GET" | "DELETE", _) => assert_eq!(reply.status, 405, "{client} {reply:?}"),
                (_, true) => assert_eq!(reply.status, 202, "{client} {reply:?}"),
                (_, false) => fits(&client, asked, &reply.json()),
            }
        }
    }
    let log = daemon.log();
    assert!(!log.contains("clientInfo") && !log.contains("client_info"), "calls are not logged: {log}");
}

#[test]
fn the_official_clients_are_served_over_standard_input_and_output() {
    let daemon = sandboxed_on(&matrix("after = \"5m\""));
    let clients = clients("stdio");
    assert_eq!(clients.len(), 5);
    for (client, lines) in clients {
        let mut agent = Stdio::start(daemon.command(&["mcp"]).env("STENTOR_TOKEN", secret("MONITOR_TOKEN")));
        for line in lines {
            let asked = &line["message"];
            agent.send(asked);
            if !asked["id"].is_null() {
                fits(&client, asked, &agent.answer());
            }
        }
        assert!(agent.end(), "{client}");
    }
}

#[test]
fn the_tools_are_the_same_over_both_and_have_schemas() {
    let daemon = sandboxed_on(&matrix("after = \"5m\""));
    let list = client::message("tools/list", &serde_json::json!({}));
    let over_http = client::post(client::Era::Modern, &list).send(daemon.address).json();
    let mut agent = Stdio::start(daemon.command(&["mcp"]).env("STENTOR_TOKEN", secret("MONITOR_TOKEN")));
    assert_eq!(agent.ask(&list)["result"]["tools"], over_http["result"]["tools"]);
    for tool in over_http["result"]["tools"].as_array().unwrap() {
        for schema in ["inputSchema", "outputSchema"] {
            jsonschema::meta::validate(&tool[schema]).unwrap_or_else(|error| panic!("{}: {error}", tool["name"]));
            assert_eq!(tool[schema]["type"], "object", "{}", tool["name"]);
        }
    }
}
