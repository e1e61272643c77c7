//! What is wrong is told to whom it concerns: to the agent what it can mend, to the client what is no call.

use super::{
    Call, Daemon, Era, Stdio, call,
    client::{self, post, tool},
    matrix, question, sandboxed_on, secret,
};
use serde_json::{Value, json};

fn with(change: impl FnOnce(&mut Value)) -> Value {
    let mut arguments = question("0s");
    change(&mut arguments);
    arguments
}

#[test]
fn an_agent_is_told_what_is_wrong_with_its_question_and_nothing_is_kept() {
    let daemon: Daemon = sandboxed_on(&matrix("default = \"deny\", after = \"5m\""));
    let table: [(&str, Value, &str); 12] = [
        ("ask_human", json!({}), "missing field `kind`"),
        ("ask_human", with(|ask| ask["colour"] = json!("red")), "colour"),
        ("ask_human", with(|ask| ask["question"] = json!("a\u{202e}b")), "turns the direction"),
        ("ask_human", with(|ask| ask["question"] = json!("x".repeat(201))), "201 characters"),
        ("ask_human", with(|ask| ask["options"] = json!([{ "name": "a" }])), "2 to 9 options"),
        ("ask_human", with(|ask| ask["default"] = json!("approve")), "the matrix allows deny"),
        ("ask_human", with(|ask| ask["deadline"] = json!("365d")), "the matrix allows 5m"),
        ("ask_human", with(|ask| ask["kind"] = json!("other")), "no trigger of the matrix takes"),
        ("ask_human", with(|ask| ask["request_key"] = json!("a b")), "`request_key`"),
        ("ask_human", with(|ask| ask["wait"] = json!("soon")), "`wait` is a time"),
        ("get_outcome", json!({ "id": "req_1_00000000000000000000000000000000" }), "no request with this id"),
        ("cancel", json!({ "id": "x" }), "no request with this id"),
    ];
    for (name, arguments, says) in &table {
        for era in [Era::Modern, Era::Legacy] {
            let result = call(&daemon, era, name, arguments)["result"].clone();
            assert_eq!(result["isError"], true, "{arguments}: {result}");
            assert!(result["content"][0]["text"].as_str().unwrap().contains(says), "{arguments}: {result}");
        }
    }
    assert_eq!(daemon.incidents().len(), 0);
    for (question, is_error) in [("One?", false), ("Another?", true)] {
        let keyed = with(|ask| {
            ask["question"] = json!(question);
            ask["request_key"] = json!("k");
        });
        let result = call(&daemon, Era::Modern, "ask_human", &keyed)["result"].clone();
        assert_eq!(result["isError"], is_error, "{result}");
        let said = result["content"][0]["text"].as_str().unwrap();
        assert_eq!(said.contains("this request_key was used"), is_error, "{said}");
    }
}

#[test]
fn what_readers_read_differently_is_refused_over_both() {
    let daemon = sandboxed_on(&matrix("after = \"5m\""));
    let mut agent = Stdio::start(daemon.command(&["mcp"]).env("STENTOR_TOKEN", secret("MONITOR_TOKEN")));
    let plain = tool("ask_human", &question("0s")).to_string();
    for (from, to, says) in [
        ("\"desk\":\"EQ-2\"},\"kind\"", "\"desk\":\"EQ-2\",\"desk\":\"EQ-3\"},\"kind\"", "desk"),
        ("\"cancel\":\"all\"", "\"cancel\":9007199254740993", "9007199254740993"),
    ] {
        let odd = plain.replacen(from, to, 1);
        assert_ne!(odd, plain);
        let over_http = post(Era::Modern, &tool("ask_human", &json!({}))).body(odd.clone()).send(daemon.address);
        agent.line(&odd);
        assert_eq!(over_http.status, 400, "{over_http:?}");
        for answer in [over_http.json(), agent.answer()] {
            assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32602), &json!(7)), "{answer}");
            assert!(answer["error"]["message"].as_str().unwrap().contains(says), "{answer}");
        }
    }
    assert_eq!(daemon.incidents().len(), 0);
}

#[test]
fn strangers_browsers_and_large_messages_do_not_get_in() {
    let daemon = sandboxed_on(&matrix("after = \"5m\""));
    let list = client::message("tools/list", &json!({}));
    let stranger = Call::post("/mcp").json(&list).send(daemon.address);
    assert_eq!(stranger.status, 401, "{stranger:?}");
    // A client that is told where to authorize would begin to.
    assert_eq!(stranger.header("www-authenticate"), Some("Bearer realm=\"stentor\""));
    for path in ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"] {
        assert_eq!(Call::get(path).send(daemon.address).status, 404);
    }
    let other_page = post(Era::Modern, &list).header("Origin", "https://evil.example").send(daemon.address);
    assert_eq!(other_page.status, 403, "{other_page:?}");
    let large = tool("ask_human", &json!({ "question": "x".repeat(300 * 1024) }));
    assert_eq!(post(Era::Modern, &large).send(daemon.address).status, 413);
    let wrong = post(Era::Modern, &list).body("{").send(daemon.address);
    assert_eq!((wrong.status, &wrong.json()["error"]["code"]), (400, &json!(-32700)), "{wrong:?}");
    let batch = format!("[{list}]");
    let half = list.to_string().replace("\"id\":7", "\"id\":1.5");
    for message in ["{}", "null", "[]", &batch, &half] {
        let wrong = post(Era::Modern, &list).body(message.to_owned()).send(daemon.address);
        assert_eq!((wrong.status, &wrong.json()["error"]["code"]), (400, &json!(-32600)), "{message}: {wrong:?}");
    }
}

#[test]
fn without_a_daemon_or_a_token_it_says_what_to_do() {
    let daemon = sandboxed_on(&matrix("after = \"5m\""));
    let output = daemon.command(&["mcp"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("STENTOR_TOKEN"), "{said}");
    let mut agent = Stdio::start(daemon.command(&["mcp"]).env("STENTOR_TOKEN", "wrong"));
    let refused = agent.ask(&tool("get_outcome", &json!({ "id": "req_1_0" })));
    assert!(refused.to_string().contains("the token is of no source"), "{refused}");
}
