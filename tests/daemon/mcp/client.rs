//! A client of the protocol that writes its messages itself.

use super::{Call, Daemon, Reply, secret};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, ChildStdin, ChildStdout, Command},
};

/// Which of the protocol's eras.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// With a handshake: up to 2025-11-25.
    Legacy,
    /// Without one: 2026-07-28.
    Modern,
}

/// A request of the newer era, which the older one reads too.
pub fn message(method: &str, params: &Value) -> Value {
    let mut message = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
    message["params"]["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "0" },
    });
    message
}

/// A call of a tool.
pub fn tool(name: &str, arguments: &Value) -> Value {
    message("tools/call", &json!({ "name": name, "arguments": arguments }))
}

/// The same from a client that follows tasks.
pub fn of_tasks(mut message: Value) -> Value {
    let capabilities = json!({ "extensions": { "io.modelcontextprotocol/tasks": {} } });
    message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = capabilities;
    message
}

/// The HTTP request with a message.
pub fn post(era: Era, message: &Value) -> Call {
    post_as("MONITOR_TOKEN", era, message)
}

/// The same with the token of another source.
pub fn post_as(token: &str, era: Era, message: &Value) -> Call {
    let call = Call::post("/mcp").bearer(secret(token));
    let call = call.header("Accept", "application/json, text/event-stream");
    if era == Era::Legacy {
        let mut message = message.clone();
        message["params"].as_object_mut().unwrap().remove("_meta");
        return call.header("MCP-Protocol-Version", "2025-11-25").json(&message);
    }
    let call =
        call.header("MCP-Protocol-Version", "2026-07-28").header("Mcp-Method", message["method"].as_str().unwrap());
    let params = &message["params"];
    let call = match params["name"].as_str().or_else(|| params["taskId"].as_str()) {
        Some(name) => call.header("Mcp-Name", name),
        None => call,
    };
    call.json(message)
}

/// What a tool answers, over HTTP.
pub fn call(daemon: &Daemon, era: Era, name: &str, arguments: &Value) -> Value {
    let reply = post(era, &tool(name, arguments)).send(daemon.address);
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()
}

/// The request in an answer, which says the same as text.
pub fn outcome(answer: &Value) -> Value {
    let result = &answer["result"];
    assert_eq!(result["isError"], false, "{answer}");
    let text: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(text, result["structuredContent"]);
    text
}

/// The messages of a stream.
pub fn events(reply: &Reply) -> Vec<Value> {
    reply.body.lines().filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok()).collect()
}

/// A connection on which a request was sent.
pub fn open(daemon: &Daemon, call: &Call, message: &Value) -> TcpStream {
    let mut stream = TcpStream::connect(daemon.address).unwrap();
    let body = message.to_string();
    stream.write_all(call.head(body.len()).as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    stream
}

/// The first line of an answer.
pub fn first_line(stream: &mut impl Read) -> String {
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    line
}

/// `stentor mcp` with its standard input and output.
pub struct Stdio {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Stdio {
    pub fn start(command: &mut Command) -> Self {
        let pipe = std::process::Stdio::piped;
        let mut child = command.stdin(pipe()).stdout(pipe()).spawn().unwrap();
        let (input, output) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, input, output }
    }

    pub fn send(&mut self, message: &Value) {
        self.line(&message.to_string());
    }

    pub fn line(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    /// The next message.
    pub fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    pub fn ask(&mut self, message: &Value) -> Value {
        self.send(message);
        self.answer()
    }

    /// Closes its input; returns whether it ended well.
    pub fn end(mut self) -> bool {
        self.input = None;
        self.child.wait().unwrap().success()
    }
}

impl Drop for Stdio {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
