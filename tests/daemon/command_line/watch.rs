//! `stentor watch`: lines of a log as alerts, also when the daemon is away and answers are lost.

use super::common::{Daemon, Setup};
use crate::{house::eventually, wire::Call};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

const MATRIX: &str = r#"
[channel.desk]
kind = "screen"

[source.log]
token = { env = "LOG_TOKEN" }

[source.reader]
token  = { env = "READER_TOKEN" }
scopes = ["read"]

[person.ana]
name = "Ana Ruiz"

[role.trader]
step = [{ page = ["ana"], by = ["desk"], wait = "45s" }]

[trigger.feed]
on        = ["feed-error"]
when      = 'alert.labels.level == "FATAL"'
key       = 'alert.labels.unit'
threshold = { count = 3, within = "1h" }
roles     = ["trader"]

[catch-all]
page = ["ana"]
by   = ["desk"]
"#;

fn daemon() -> Daemon {
    Setup::new(MATRIX)
        .env("LOG_TOKEN", "log-token-22c1")
        .env("READER_TOKEN", "reader-token-90aa")
        .arg("--sandbox")
        .start()
}

const FATAL: [&str; 5] =
    ["--kind", "feed-error", "--match", r"^(?<level>ERROR|FATAL) (?<unit>\S+): (?<summary>.*)$", "--url"];

fn watch(daemon: &Daemon, arguments: &[&str]) -> Command {
    let mut command = daemon.command(&["watch"]);
    command.args(arguments).env("STENTOR_TOKEN", "log-token-22c1");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn fed(mut child: Child, lines: &str) -> Output {
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn lines_that_match_are_alerts_and_the_end_says_how_many() {
    let daemon = daemon();
    let url = daemon.url("");
    let child = watch(&daemon, &[&FATAL[..], &[&url, "--source", "log"]].concat()).env_remove("STENTOR_TOKEN").spawn();
    let lines =
        "INFO feed-1: up\nFATAL feed-1: no heartbeat\nFATAL feed-1: none\r\nERROR feed-1: x\n\nFATAL feed-1: gone";
    let output = fed(child.unwrap(), lines);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(said(&output), "stentor: 6 lines read, 4 sent as alerts, 2 others\n");
    // Three of them were what the trigger waits for.
    assert_eq!(daemon.incident("INC-1")["summary"], "gone");
}

#[test]
fn json_lines_are_alerts_and_one_that_is_none_is_named() {
    let daemon = daemon();
    let url = daemon.url("");
    let child = watch(&daemon, &["--json-lines", "--url", &url]).spawn().unwrap();
    let line = r#"{"kind":"feed-error","labels":{"level":"FATAL","unit":"a"}}"#;
    let output = fed(child, &format!("{line}\nnonsense\n{line}\n{{\"labels\":1}}\n{line}\n"));
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let told = said(&output);
    assert!(told.contains("line 2 is not sent") && told.contains("nonsense"), "{told}");
    let counts =
        "5 lines read, 3 sent as alerts, 0 others, 1 could not be read as alerts, 1 were refused by the daemon";
    assert!(told.contains(counts), "{told}");
    assert_eq!(daemon.incidents().len(), 1);
}

/// A line may be as long as an alert, and say what `POST /v1/alerts` takes.
#[test]
fn json_lines_are_sent_as_the_daemon_would_take_them() {
    let daemon = daemon();
    let url = daemon.url("");
    let child = watch(&daemon, &["--json-lines", "--url", &url]).spawn().unwrap();
    let long = |length: usize| format!("{{\"kind\":\"raw\",\"evidence\":\"{}\"}}", "x".repeat(length));
    let lines = ["{\"kind\":\"raw\",\"values\":{\"a\":NaN}}".to_owned(), long(70_000), long(1 << 20)];
    let output = fed(child, &lines.join("\n"));
    let told = said(&output);
    assert!(told.contains("line 3 is not sent: it has 1048604 bytes, more than the 1048576"), "{told}");
    assert!(told.contains("3 lines read, 2 sent as alerts, 0 others, 1 could not be read"), "{told}");
}

/// A daemon behind something that says `404` while it starts, and takes no more than one alert at once.
#[test]
fn a_404_passes_and_what_is_too_large_is_divided() {
    let daemon = daemon();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let mut taken = 0;
        for (n, client) in listener.incoming().flatten().enumerate() {
            let body = request_body(&client);
            let alerts = serde_json::from_str::<Vec<serde_json::Value>>(&body).unwrap().len();
            let status = match (n, alerts) {
                (0, _) => "404 Not Found",
                (_, 1) => "202 Accepted",
                _ => "413 Content Too Large",
            };
            taken += usize::from(status.starts_with("202"));
            write!(&client, "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{{}}").unwrap();
            if taken == 3 {
                break;
            }
        }
    });
    let child = watch(&daemon, &[&FATAL[..], &[&url]].concat()).spawn().unwrap();
    let output = fed(child, "FATAL a: one\nFATAL a: two\nFATAL a: three\n");
    server.join().unwrap();
    let told = said(&output);
    assert!(output.status.success() && told.contains("3 lines read, 3 sent as alerts"), "{told}");
    assert!(told.contains("lines wait: the daemon can not take them now (404 Not Found)"), "{told}");
}

fn request_body(client: &TcpStream) -> String {
    let mut reader = BufReader::new(client);
    let (mut line, mut length) = (String::new(), 0);
    while reader.read_line(&mut line).unwrap() != 0 && line != "\r\n" {
        let header = line.to_ascii_lowercase();
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    String::from_utf8(body).unwrap()
}

#[test]
fn what_can_never_be_sent_is_said_at_once() {
    let daemon = daemon();
    let url = daemon.url("");
    for token in ["wrong", "reader-token-90aa"] {
        let child = watch(&daemon, &[&FATAL[..], &[&url]].concat()).env("STENTOR_TOKEN", token).spawn().unwrap();
        let output = fed(child, "FATAL a: x\nFATAL b: x\n");
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(said(&output).contains("2 could NOT be sent"), "{}", said(&output));
        assert!(!said(&output).contains(token), "no secret is said");
    }
    // Nobody listens there.
    let child = watch(&daemon, &[&FATAL[..], &["http://127.0.0.1:9", "--patience", "300ms"]].concat()).spawn().unwrap();
    let output = fed(child, "FATAL a: x\n");
    assert!(output.status.code() == Some(1) && said(&output).contains("1 could NOT be sent"), "{}", said(&output));
    for wrong in [&["--url", &url][..], &["--kind", "k", "--match", "("], &["--kind", "k", "--source", "nobody"]] {
        let output = fed(watch(&daemon, wrong).spawn().unwrap(), "");
        assert_eq!(output.status.code(), Some(2), "{wrong:?}: {}", said(&output));
    }
}

/// Between a client and a daemon: the first connections are closed at once, the answer of the next one is lost.
struct BadLine {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl BadLine {
    const AWAY: usize = 2;

    fn before(daemon: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let n = count.fetch_add(1, Ordering::SeqCst);
                if n < Self::AWAY {
                    continue;
                }
                thread::spawn(move || forward(client, daemon, n == Self::AWAY));
            }
        });
        Self { address, connections }
    }
}

fn forward(client: TcpStream, daemon: SocketAddr, loses_answer: bool) {
    let server = TcpStream::connect(daemon).unwrap();
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || std::io::copy(&mut from, &mut to));
    let (mut from, mut to) = (server, client);
    if loses_answer {
        // The daemon has answered: what it was told is durable.
        let _ = from.read(&mut [0; 1]);
        let _ = to.shutdown(Shutdown::Both);
        return;
    }
    let _ = std::io::copy(&mut from, &mut to);
}

#[test]
fn nothing_is_lost_while_the_daemon_is_away_and_nothing_counts_twice() {
    let daemon = daemon();
    let line = BadLine::before(daemon.address);
    let url = format!("http://{}", line.address);
    let child = watch(&daemon, &[&FATAL[..], &[&url]].concat()).spawn().unwrap();
    // Two of three: counted twice they would open an incident.
    let output = fed(child, "FATAL a: one\nFATAL a: two\n");
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("2 lines read, 2 sent as alerts"), "{}", said(&output));
    assert!(BadLine::AWAY < line.connections.load(Ordering::SeqCst));
    assert!(daemon.incidents().is_empty(), "each counts once");
    let output = fed(watch(&daemon, &[&FATAL[..], &[&url]].concat()).spawn().unwrap(), "FATAL a: three\n");
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(daemon.incidents().len(), 1);
}

#[test]
fn ctrl_c_sends_what_was_read() {
    let daemon = daemon();
    let url = daemon.url("");
    let mut child = watch(&daemon, &[&FATAL[..], &[&url]].concat()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"FATAL a: 1\nFATAL a: 2\nFATAL a: 3\n").unwrap();
    eventually("what was read is sent while the input goes on", || {
        let listed = daemon.control(&Call::get("/v1/incidents"));
        (listed.json().as_array().unwrap().len() == 1).then_some(())
    });
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    drop(input);
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("3 lines read, 3 sent"), "{}", said(&output));
}
