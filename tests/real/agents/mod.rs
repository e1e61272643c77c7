//! Agents with the official SDKs of the Model Context Protocol ask, go away, come back, and get their outcome, while a
//! person answers by SMS through a real gateway.

use crate::{
    common::{Daemon, Setup, root},
    kannel::{self, Kannel, Plan, code_in},
    net::Net,
    parts::{self, Part},
};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

const ANA: &str = "447700900001";

const SMS_TOKEN: &str = "reply-secret-4711";

const TOKEN: &str = "agent-token-5b1f7c";

/// A daemon that asks one person by SMS.
fn daemon(plan: &Plan) -> Daemon {
    let toml = format!(
        r#"
[source.agent]
token = {{ env = "AGENT_TOKEN" }}

[channel.sms]
kind     = "kannel"
url      = "{}"
username = "{}"
password = {{ env = "KANNEL_PASSWORD" }}
token    = {{ env = "REPLY_TOKEN" }}

[person.ana]
name  = "Ana Ruiz"
phone = "+{ANA}"

[role.operations]
engaged_by = "wilco"
step = [{{ page = ["ana"], by = ["sms"], wait = "10m" }}]

[trigger.agent-change]
on    = ["agent_change"]
roles = ["operations"]
ask   = {{ after = "10m" }}
"#,
        plan.url(),
        kannel::USER,
    );
    let setup = Setup::new(&toml).env("KANNEL_PASSWORD", kannel::PASSWORD).env("REPLY_TOKEN", SMS_TOKEN);
    setup.env("AGENT_TOKEN", TOKEN).start()
}

/// One of the SDKs, and how it speaks.
#[derive(Debug, Clone, Copy)]
enum Sdk {
    Python(&'static str),
    /// With the folder of the modules.
    TypeScript(&'static str),
}

const SDKS: [Sdk; 5] = [
    Sdk::Python("auto"),
    Sdk::Python("legacy"),
    Sdk::TypeScript("sdk"),
    Sdk::TypeScript("auto"),
    Sdk::TypeScript("legacy"),
];

/// Where the SDKs are.
struct Sdks {
    python: String,
    modules: PathBuf,
}

impl Sdks {
    /// None if one of the parts is not here, which is said.
    fn here() -> Option<Self> {
        if parts::missing(&[&kannel::PARTS[..], &[Part("node", "nodejs")]].concat()) {
            return None;
        }
        let python = std::env::var("STENTOR_PYTHON").unwrap_or_else(|_| "python3".into());
        let knows = Command::new(&python).args(["-c", "import mcp"]).stderr(Stdio::null()).status();
        if !knows.is_ok_and(|status| status.success()) {
            parts::skipped("mcp", "pip install mcp, and name that python in STENTOR_PYTHON");
            return None;
        }
        let modules = PathBuf::from(std::env::var_os("STENTOR_NODE_MODULES").unwrap_or_default());
        if !["sdk", "client"].iter().all(|name| modules.join("@modelcontextprotocol").join(name).is_dir()) {
            let remedy = "npm install @modelcontextprotocol/sdk @modelcontextprotocol/client, and name its node_modules \
                          folder in STENTOR_NODE_MODULES";
            parts::skipped("@modelcontextprotocol", remedy);
            return None;
        }
        Some(Self { python, modules })
    }

    /// What an agent gets for its calls.
    fn run(&self, dir: &Path, sdk: Sdk, mut to: Value, calls: &Value) -> Value {
        let (mode, mut command) = match sdk {
            Sdk::Python(mode) => {
                let mut command = Command::new(&self.python);
                command.arg(root().join("tests/real/agents/agent.py"));
                (mode, command)
            }
            Sdk::TypeScript(mode) => {
                let script = dir.join("agent.mjs");
                std::fs::copy(root().join("tests/real/agents/agent.mjs"), &script).unwrap();
                let link = dir.join("node_modules");
                if !link.exists() {
                    std::os::unix::fs::symlink(&self.modules, link).unwrap();
                }
                let mut command = parts::command("node");
                command.arg(script);
                (mode, command)
            }
        };
        to["mode"] = json!(mode);
        let output = command.args([to.to_string(), calls.to_string()]).output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        serde_json::from_str(told.trim())
            .unwrap_or_else(|error| panic!("{sdk:?}: {error}: {told}\n{}", String::from_utf8_lossy(&output.stderr)))
    }
}

fn over_http(daemon: &Daemon) -> Value {
    json!({ "url": daemon.url("/mcp"), "token": TOKEN })
}

fn over_stdio(daemon: &Daemon) -> Value {
    let path = std::env::var("PATH").unwrap_or_default();
    let env = json!({ "STENTOR_TOKEN": TOKEN, "STENTOR_STATE": daemon.state(), "PATH": path });
    json!({ "command": env!("CARGO_BIN_EXE_stentor"), "args": ["mcp"], "env": env })
}

fn question(key: &str, wait: &str) -> Value {
    json!({
        "kind": "agent_change", "question": format!("Restart the gateway for {key}?"), "action": { "restart": key },
        "request_key": key, "wait": wait,
    })
}

fn ask(key: &str, wait: &str) -> Value {
    json!({ "tool": "ask_human", "arguments": question(key, wait), "progress": true })
}

#[test]
fn every_sdk_asks_waits_and_gets_the_answer_of_a_phone() {
    let Some(sdks) = Sdks::here() else { return };
    let (net, plan) = (Net::new(), Plan::new());
    let daemon = daemon(&plan);
    let mut kannel = Kannel::start(&net, plan, daemon.address, "sms", SMS_TOKEN);
    let dir = tempfile::tempdir().unwrap();
    for (n, sdk) in SDKS.into_iter().enumerate() {
        for (way, to) in [("http", over_http(&daemon)), ("stdio", over_stdio(&daemon))] {
            let key = format!("{way}{n}");
            let (letter, option) = if way == "http" { ("A", "approve") } else { ("B", "deny") };
            let calls = json!([ask(&key, "45s"), { "tool": "get_outcome", "arguments": { "id": "req_1_0" } }]);
            let told = thread::scope(|scope| {
                let agent = scope.spawn(|| sdks.run(dir.path(), sdk, to.clone(), &calls));
                let code = code_in(&kannel.text_to(ANA, |text| text.contains(&format!("for {key}?")))).to_owned();
                kannel.reply(&net, ANA, &format!("{code} {letter}"));
                agent.join().unwrap()
            });
            let (first, second) = (&told["results"][0], &told["results"][1]);
            assert_eq!(first["structured"]["option"], option, "{sdk:?} {way}: {told}");
            assert_eq!(first["is_error"], false, "{sdk:?} {way}: {told}");
            assert_eq!(told["tools"][0], "ask_human", "{sdk:?} {way}: {told}");
            assert!(!first["progress"].as_array().unwrap().is_empty(), "{sdk:?} {way}: {told}");
            assert!(second["is_error"] == true && second["text"].as_str().unwrap().contains("no request"), "{told}");
            if let Some(version) = told["version"].as_str() {
                let modern = matches!(sdk, Sdk::Python("auto") | Sdk::TypeScript("auto"));
                assert_eq!(version == "2026-07-28", modern, "{sdk:?} {way}: {told}");
            }
        }
    }
}

#[test]
fn an_agent_that_goes_away_gets_its_outcome_later_from_a_daemon_that_was_killed_meanwhile() {
    let Some(sdks) = Sdks::here() else { return };
    let dir = tempfile::tempdir().unwrap();
    for (first, then) in
        [(Sdk::Python("auto"), Sdk::TypeScript("sdk")), (Sdk::TypeScript("auto"), Sdk::Python("legacy"))]
    {
        let (net, plan) = (Net::new(), Plan::new());
        let mut daemon = daemon(&plan);
        let kannel = Kannel::start(&net, plan, daemon.address, "sms", SMS_TOKEN);
        // It hangs up while it waits, and asks what became of it.
        let mut leaving = ask("away", "60s");
        leaving["leave_after"] = json!(2);
        let left = sdks.run(dir.path(), first, over_http(&daemon), &json!([leaving, ask("away", "0s")]));
        assert_eq!(left["results"][0]["left"], true, "{left}");
        let open = &left["results"][1]["structured"];
        assert_eq!(open["state"], "open", "{left}");
        let code = code_in(&kannel.text_to(ANA, |text| text.contains("for away?"))).to_owned();
        daemon.kill();
        drop(kannel);
        daemon.restart();
        let mut kannel = Kannel::start(&net, plan, daemon.address, "sms", SMS_TOKEN);
        kannel.reply(&net, ANA, &format!("{code} A"));
        let look =
            json!([{ "tool": "get_outcome", "arguments": { "id": open["id"] }, "progress": true }, ask("away", "0s")]);
        let back = sdks.run(dir.path(), then, over_stdio(&daemon), &look);
        for result in back["results"].as_array().unwrap() {
            assert_eq!(result["structured"]["id"], open["id"], "{back}");
            assert_eq!(result["structured"]["option"], "approve", "{back}");
        }
        assert_eq!(daemon.json(&["incidents", "--all"]).as_array().unwrap().len(), 1);
    }
}

#[test]
fn an_sdk_that_follows_tasks_gets_the_answer_of_a_phone_as_the_result_of_its_call() {
    let Some(sdks) = Sdks::here() else { return };
    let (net, plan) = (Net::new(), Plan::new());
    let daemon = daemon(&plan);
    let mut kannel = Kannel::start(&net, plan, daemon.address, "sms", SMS_TOKEN);
    let dir = tempfile::tempdir().unwrap();
    for (key, mut to, letter, option) in
        [("http", over_http(&daemon), "A", "approve"), ("stdio", over_stdio(&daemon), "B", "deny")]
    {
        to["tasks"] = json!(true);
        let mut arguments = question(key, "0s");
        arguments.as_object_mut().unwrap().remove("wait");
        let calls = json!([{ "tool": "ask_human", "arguments": arguments }]);
        let told = thread::scope(|scope| {
            let agent = scope.spawn(|| sdks.run(dir.path(), Sdk::Python("auto"), to.clone(), &calls));
            let code = code_in(&kannel.text_to(ANA, |text| text.contains(&format!("for {key}?")))).to_owned();
            kannel.reply(&net, ANA, &format!("{code} {letter}"));
            agent.join().unwrap()
        });
        let (result, tasks) = (&told["results"][0], told["tasks"].as_array().unwrap());
        assert_eq!((&result["is_error"], &result["structured"]["option"]), (&json!(false), &json!(option)), "{told}");
        let (first, last) = (&tasks[0], tasks.last().unwrap());
        assert_eq!((&first["resultType"], &first["status"]), (&json!("task"), &json!("working")), "{told}");
        assert_eq!((&last["taskId"], &last["status"]), (&result["structured"]["id"], &json!("completed")), "{told}");
    }
}
