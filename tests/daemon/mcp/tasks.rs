//! Clients that follow tasks (SEP-2663), over both transports: what a request is as a task, and who gets none.

use super::{
    ANA, Daemon, Era, Stdio, call,
    client::{self, message, of_tasks, post, tool},
    handoff, held, matrix, outcome, question, sandboxed_on, secret, text,
};
use crate::wire::Call;
use serde_json::{Value, json};

/// How a client reaches the daemon.
enum Way<'d> {
    Http(&'d Daemon),
    Stdio(Stdio),
}

impl Way<'_> {
    fn ask(&mut self, message: &Value) -> Value {
        match self {
            Way::Http(daemon) => post(Era::Modern, message).send(daemon.address).json(),
            Way::Stdio(agent) => agent.ask(message),
        }
    }

    /// What a call about a task of a client that follows them gets.
    fn task(&mut self, method: &str, id: &Value) -> Value {
        let params = match method {
            "tasks/update" => json!({ "taskId": id, "inputResponses": {} }),
            _ => json!({ "taskId": id }),
        };
        self.ask(&of_tasks(message(method, &params)))
    }

    fn get(&mut self, id: &Value) -> Value {
        let answer = self.task("tasks/get", id);
        let task = answer["result"].clone();
        assert_eq!((&task["resultType"], &task["taskId"]), (&json!("complete"), id), "{answer}");
        task
    }
}

fn over_stdio(daemon: &Daemon, token: &str) -> Way<'static> {
    Way::Stdio(Stdio::start(daemon.command(&["mcp"]).env("STENTOR_TOKEN", secret(token))))
}

fn both(daemon: &Daemon) -> [Way<'_>; 2] {
    [Way::Http(daemon), over_stdio(daemon, "MONITOR_TOKEN")]
}

/// The task of a call.
fn task(answer: &Value) -> Value {
    let task = answer["result"].clone();
    assert_eq!((&task["resultType"], &task["status"]), (&json!("task"), &json!("working")), "{answer}");
    assert!(task["content"].is_null() && task["ttlMs"].is_null() && task["pollIntervalMs"].is_u64(), "{answer}");
    task
}

/// A question that says nothing of how long its call waits.
fn asking() -> Value {
    let mut question = question("0s");
    question.as_object_mut().unwrap().remove("wait");
    question
}

#[test]
fn a_task_is_a_request_and_its_outcome_is_its_result() {
    let daemon = sandboxed_on(&matrix("after = \"5m\""));
    for (mut way, (letter, option)) in both(&daemon).into_iter().zip([("A", "approve"), ("B", "deny")]) {
        let asked = task(&way.ask(&of_tasks(tool("ask_human", &asking()))));
        let id = &asked["taskId"];
        assert!(asked["statusMessage"].as_str().unwrap().contains("asked trader"), "{asked}");
        assert_eq!(asked["createdAt"], asked["lastUpdatedAt"], "{asked}");
        let working = way.get(id);
        assert_eq!((&working["status"], &working["result"]), (&json!("working"), &Value::Null), "{working}");
        // Nothing is asked of the client: what it sends changes nothing.
        let updated = way.task("tasks/update", id);
        assert_eq!(updated["result"]["resultType"], "complete", "{updated}");
        let open = outcome(&call(&daemon, Era::Legacy, "get_outcome", &json!({ "id": id, "wait": "0s" })));
        assert_eq!(open["state"], "open", "the id of a task is that of its request: {open}");
        text(&daemon, ANA, &format!("{} {letter}", held(&daemon, &open)));
        let done = way.get(id);
        assert_eq!((&done["status"], &done["result"]["isError"]), (&json!("completed"), &json!(false)), "{done}");
        assert_eq!(done["result"]["structuredContent"]["option"], option, "{done}");
        assert_eq!(outcome(&done), outcome(&call(&daemon, Era::Modern, "get_outcome", &json!({ "id": id }))));
        assert_eq!(done["createdAt"], asked["createdAt"]);
        assert_eq!(done["lastUpdatedAt"], done["result"]["structuredContent"]["ended_at"], "{done}");
        // What has its outcome stays as it is, and a call that finds it so is no task.
        assert_eq!(way.task("tasks/cancel", id)["result"]["resultType"], "complete");
        assert_eq!(way.get(id), done);
    }
}

#[test]
fn every_outcome_completes_a_task_and_what_is_withdrawn_is_cancelled() {
    for (ask, state) in [("after = \"5s\"", "expired"), ("default = \"deny\", after = \"5s\"", "defaulted")] {
        let daemon = sandboxed_on(&matrix(ask));
        let mut way = Way::Http(&daemon);
        let asked = task(&way.ask(&of_tasks(tool("ask_human", &asking()))));
        let over = call(&daemon, Era::Modern, "get_outcome", &json!({ "id": asked["taskId"], "wait": "20s" }));
        assert_eq!(outcome(&over)["state"], state, "{over}");
        let done = way.get(&asked["taskId"]);
        assert_eq!(done["status"], "completed", "{done}");
        assert_eq!(done["result"]["structuredContent"]["state"], state, "{done}");
    }
    let daemon = sandboxed_on(&matrix("after = \"5m\""));
    for mut way in both(&daemon) {
        let asked = task(&way.ask(&of_tasks(tool("ask_human", &asking()))));
        let id = &asked["taskId"];
        assert_eq!(way.task("tasks/cancel", id)["result"]["resultType"], "complete");
        let gone = way.get(id);
        assert_eq!(
            (&gone["status"], &gone["result"], &gone["error"]),
            (&json!("cancelled"), &Value::Null, &Value::Null)
        );
        let request = outcome(&call(&daemon, Era::Modern, "get_outcome", &json!({ "id": id })));
        assert_eq!(request["state"], "cancelled", "{request}");
    }
}

#[test]
fn a_call_that_is_told_to_wait_waits_first_and_one_that_is_repeated_finds_its_outcome() {
    let daemon = sandboxed_on(&matrix("after = \"5m\""));
    let mut way = Way::Http(&daemon);
    let mut keyed = asking();
    keyed["request_key"] = json!("kill-17");
    keyed["wait"] = json!("100ms");
    let asked = task(&way.ask(&of_tasks(tool("ask_human", &keyed))));
    let open = outcome(&call(&daemon, Era::Modern, "get_outcome", &json!({ "id": asked["taskId"], "wait": "0s" })));
    text(&daemon, ANA, &format!("{} A", held(&daemon, &open)));
    let again = outcome(&way.ask(&of_tasks(tool("ask_human", &keyed))));
    assert_eq!((&again["id"], &again["option"]), (&asked["taskId"], &json!("approve")), "{again}");
    // What is wrong with a call is no task.
    let wrong = way.ask(&of_tasks(tool("ask_human", &json!({}))));
    assert_eq!((&wrong["result"]["resultType"], &wrong["result"]["isError"]), (&json!("complete"), &json!(true)));
}

#[test]
fn who_hands_a_conversation_over_is_told_at_once_what_the_user_may_be_told_and_no_task_hides_it() {
    let daemon = sandboxed_on(&handoff::matrix());
    let mut way = over_stdio(&daemon, "MONITOR_TOKEN");
    let handed = outcome(&way.ask(&of_tasks(tool("hand_over", &handoff::asked()))));
    assert!(handed["handoff"]["message"].as_str().unwrap().starts_with("Ich suche jemanden"), "{handed}");
    text(&daemon, ANA, &format!("{} 2", held(&daemon, &handed)));
    // Whoever wants to can follow it as a task all the same: the ids are one.
    let taken = way.get(&handed["id"]);
    assert!(taken["statusMessage"].as_str().unwrap().contains("Ana Ruiz"), "{taken}");
    handoff::finish(&daemon, handed["incident"].as_str().unwrap());
    let done = way.get(&handed["id"]);
    assert_eq!(
        (&done["status"], &done["result"]["structuredContent"]["state"]),
        (&json!("completed"), &json!("completed"))
    );
}

#[test]
fn who_does_not_declare_tasks_in_the_request_itself_gets_none() {
    let daemon = sandboxed_on(&matrix("after = \"5m\""));
    let discover = message("server/discover", &json!({}));
    for mut way in both(&daemon) {
        let found = way.ask(&discover);
        assert!(found["result"]["capabilities"]["extensions"]["io.modelcontextprotocol/tasks"].is_object(), "{found}");
        let plain = way.ask(&tool("ask_human", &question("0s")));
        let id = &outcome(&plain)["id"];
        assert_eq!(plain["result"]["resultType"], "complete", "{plain}");
        for method in ["tasks/get", "tasks/cancel"] {
            let refused = way.ask(&message(method, &json!({ "taskId": id })));
            assert_eq!(refused["error"]["code"], -32021, "{refused}");
            let required = &refused["error"]["data"]["requiredCapabilities"]["extensions"];
            assert!(required["io.modelcontextprotocol/tasks"].is_object(), "{refused}");
        }
        assert_eq!(way.get(id)["status"], "working", "nothing was withdrawn");
        // At another revision it counts for nothing.
        let mut older = of_tasks(tool("ask_human", &question("0s")));
        older["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2025-11-25");
        if let Way::Stdio(agent) = &mut way {
            assert_eq!(outcome(&agent.ask(&older))["state"], "open");
        }
    }
    // Nor does what a session declared when it began.
    let Way::Stdio(mut agent) = over_stdio(&daemon, "MONITOR_TOKEN") else { unreachable!() };
    let capabilities = json!({ "extensions": { "io.modelcontextprotocol/tasks": {} } });
    let hello = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": { "name": "test", "version": "0" } } });
    let agreed = agent.ask(&hello);
    assert!(agreed["result"]["capabilities"]["tools"].is_object(), "{agreed}");
    assert!(agreed["result"]["capabilities"]["extensions"].is_null(), "{agreed}");
    agent.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    let call = json!({ "name": "ask_human", "arguments": question("0s") });
    let asked = agent.ask(&json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call }));
    let id = &outcome(&asked)["id"];
    let get = json!({ "jsonrpc": "2.0", "id": 3, "method": "tasks/get", "params": { "taskId": id } });
    assert_eq!(agent.ask(&get)["error"]["code"], -32021);
}

#[test]
fn a_task_of_another_source_is_like_one_that_does_not_exist() {
    let mut daemon = sandboxed_on(&matrix("after = \"5m\""));
    let id = task(&Way::Http(&daemon).ask(&of_tasks(tool("ask_human", &asking()))))["taskId"].clone();
    let get = of_tasks(message("tasks/get", &json!({ "taskId": id })));
    let theirs = client::post_as("PLAIN_TOKEN", Era::Modern, &get).send(daemon.address).json();
    let mut other = over_stdio(&daemon, "PLAIN_TOKEN");
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        assert_eq!(other.task(method, &id)["error"], theirs["error"], "{method}");
    }
    assert_eq!(theirs["error"]["code"], -32602, "{theirs}");
    for unknown in ["req_1_00000000000000000000000000000000", "x"] {
        for mut way in both(&daemon) {
            let answer = way.task("tasks/get", &json!(unknown));
            assert_eq!(answer["error"], theirs["error"], "{unknown}: {answer}");
        }
    }
    // Without the header that names its task a call is refused, as for every other.
    let bare =
        Call::post("/mcp").bearer(secret("MONITOR_TOKEN")).header("Accept", "application/json, text/event-stream");
    let bare = bare.header("MCP-Protocol-Version", "2026-07-28").header("Mcp-Method", "tasks/get").json(&get);
    let bare = bare.send(daemon.address);
    assert_eq!((bare.status, &bare.json()["error"]["code"]), (400, &json!(-32020)), "{bare:?}");
    // A daemon that is not there says nothing about a task.
    let mut way = over_stdio(&daemon, "MONITOR_TOKEN");
    assert_eq!(way.get(&id)["status"], "working");
    daemon.kill();
    assert_eq!(way.task("tasks/get", &id)["error"]["code"], -32603);
    daemon.restart();
    assert_eq!(way.get(&id)["status"], "working", "it outlives the daemon");
}
