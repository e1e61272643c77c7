//! Disks that are full or can not be written, under the real daemon.
#![allow(clippy::disallowed_methods)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::common;

use common::{Daemon, Setup};
use serde_json::Value;
use std::{
    fs::File,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

const TOKEN: &str = "bad-days-token";

/// One role that pages every second, by a gateway that is there.
fn matrix(gateway: SocketAddr) -> String {
    format!(
        r#"
[source.monitor]
token = {{ env = "MONITOR_TOKEN" }}

[channel.sms]
kind     = "kannel"
url      = "http://{gateway}/cgi-bin/sendsms"
username = "stentor"
password = {{ env = "KANNEL_PASSWORD" }}
pace     = "1000/s burst 1000"

[person.ana]
name  = "Ana Ruiz"
phone = "+447700900001"

[role.it]
step = [{{ page = ["ana"], by = ["sms"], wait = "1s" }}]

[catch-all]
page  = ["ana"]
by    = ["sms"]
every = "1s"

[trigger.host-down]
on       = ["HostDown"]
key      = 'alert.labels.host'
roles    = ["it"]
"#
    )
}

/// A gateway that takes everything and counts.
fn gateway() -> (SocketAddr, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, taken) = (listener.local_addr().unwrap(), Arc::new(AtomicU64::new(0)));
    let count = taken.clone();
    serve(listener, move || {
        count.fetch_add(1, Ordering::Relaxed);
        ("202 Accepted", "0: Accepted for delivery")
    });
    (address, taken)
}

/// Answers each request as `answer` says.
fn serve(listener: TcpListener, answer: impl Fn() -> (&'static str, &'static str) + Send + Sync + 'static) {
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let answer = answer.clone();
            std::thread::spawn(move || answer_all(stream, &*answer));
        }
    });
}

fn answer_all(mut stream: TcpStream, answer: &(impl Fn() -> (&'static str, &'static str) + ?Sized)) {
    let mut buffer = [0; 8192];
    while let Ok(read) = stream.read(&mut buffer)
        && 0 < read
    {
        let (status, body) = answer();
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn post(address: SocketAddr, path: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: stentor\r\nauthorization: Bearer {TOKEN}\r\ncontent-type: \
         application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
}

fn native(address: SocketAddr, host: &str) -> (u16, String) {
    post(address, "/v1/alerts", &format!(r#"{{"kind":"HostDown","labels":{{"host":"{host}"}}}}"#))
}

fn prometheus(address: SocketAddr, host: &str) -> (u16, String) {
    let body = format!(r#"[{{"labels":{{"alertname":"HostDown","host":"{host}"}}}}]"#);
    post(address, "/api/v2/alerts", &body)
}

/// A small file system in memory, gone when it is dropped.
struct Small(PathBuf);

impl Small {
    /// None where this user may not mount.
    fn mount(path: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir(path).unwrap();
        let options = format!("size={size},mode=0700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(path).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(path.to_owned()));
        }
        assert!(std::env::var_os("STENTOR_REAL").is_none(), "a small tmpfs can not be mounted: run as root");
        println!("SKIPPED: a small tmpfs can not be mounted: run as root");
        None
    }

    fn remount(&self, option: &str) {
        let output = Command::new("mount").args(["-o", &format!("remount,{option}")]).arg(&self.0).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Takes every byte that is left.
    fn fill(&self) -> PathBuf {
        let path = self.0.join("filler");
        let mut file = File::create(&path).unwrap();
        let block = vec![0x5a; 64 * 1024];
        while file.write_all(&block).is_ok() {}
        for byte in block.chunks(512) {
            if file.write_all(byte).is_err() {
                break;
            }
        }
        path
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::yield_now();
    }
}

fn start(setup: Setup) -> Daemon {
    setup.env("MONITOR_TOKEN", TOKEN).env("KANNEL_PASSWORD", "x").start()
}

#[test]
fn on_a_full_disk_new_alerts_are_refused_and_open_ladders_go_on() {
    let (gateway, taken) = gateway();
    let setup = Setup::new(&matrix(gateway));
    let Some(small) = Small::mount(&setup.dir.path().join("state"), "48m") else { return };
    let daemon = start(setup);
    assert_eq!(native(daemon.address, "one").0, 202);
    until("the first page went out", || 1 <= taken.load(Ordering::Relaxed));
    let filler = small.fill();
    // The writer looks at the space every half second; until then an alert may still be taken, and is then kept.
    let mut n = 0;
    until("alerts are refused", || {
        n += 1;
        native(daemon.address, &format!("late-{n}")).0 == 503
    });
    let (status, words) = native(daemon.address, "refused");
    assert_eq!(status, 503);
    assert!(words.contains("application/problem+json") && words.contains("full"), "{words}");
    let (status, words) = prometheus(daemon.address, "refused");
    assert_eq!(status, 503, "{words}");
    let before = taken.load(Ordering::Relaxed);
    until("open ladders go on", || before + 5 <= taken.load(Ordering::Relaxed));
    std::fs::remove_file(filler).unwrap();
    until("alerts are taken again", || native(daemon.address, "after").0 == 202);
    assert!(daemon.cli(&["journal", "verify"]).status.success());
    let all: Value = daemon.json(&["incidents", "--all", "--limit", "1000"]);
    let keys: Vec<&str> = all.as_array().unwrap().iter().map(|i| i["key"].as_str().unwrap()).collect();
    assert!(keys.iter().any(|key| key.ends_with("/one")), "{keys:?}");
    assert!(!keys.iter().any(|key| key.ends_with("/refused")), "{keys:?}");
    drop(daemon);
    drop(small);
}

#[test]
fn on_a_disk_that_can_not_be_written_it_says_so_and_nothing_is_lost() {
    let (gateway, _) = gateway();
    let setup = Setup::new(&matrix(gateway));
    let Some(small) = Small::mount(&setup.dir.path().join("state"), "48m") else { return };
    let mut daemon = start(setup);
    assert_eq!(native(daemon.address, "one").0, 202);
    daemon.kill();
    small.remount("ro");
    let output = daemon.cli(&["serve", "--listen", "127.0.0.1:0"]);
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(words.contains("can not be written"), "{words}");
    small.remount("rw");
    daemon.restart();
    assert_eq!(daemon.json(&["incidents"])[0]["key"], "host-down/one");
    drop(daemon);
    drop(small);
}

#[test]
fn a_gateway_that_refuses_the_login_is_gone_round_the_operators_hear_of_it_and_it_is_probed_back() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, lets_in) = (listener.local_addr().unwrap(), Arc::new(AtomicU64::new(0)));
    let door = lets_in.clone();
    serve(listener, move || match door.load(Ordering::Relaxed) {
        0 => ("403 Forbidden", "Authorization failed for sendsms"),
        _ => ("202 Accepted", "0: Accepted for delivery"),
    });
    // Mail has no credentials here: pages that fail over to it are seen in the sandbox.
    let mail = "[channel.mail]\nkind = \"smtp\"\nurl = \"smtp://127.0.0.1:1\"\nfrom = \"stentor@desk.example\"\n\
                username = \"u\"\npassword = { env = \"NOT_SET\" }\n";
    let toml = matrix(address).replace("[person.ana]", &format!("{mail}\n[person.ana]\nemail = \"ana@desk.example\""));
    let daemon = start(Setup::new(&toml));
    assert_eq!(native(daemon.address, "one").0, 202);
    let incident = |key: &str| -> Option<Value> {
        let all = daemon.json(&["incidents", "--all"]);
        all.as_array().unwrap().iter().find(|incident| incident["key"] == key).cloned()
    };
    until("the operators' incident", || incident("stentor:channel/sms").is_some());
    let ready = |word: &str| {
        let mut stream = UnixStream::connect(daemon.state().join("stentor.sock")).unwrap();
        stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: stentor\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.contains(word)
    };
    assert!(ready("\"broken_channels\":{\"sms\":"));
    until("Ana is paged by mail instead", || {
        let pages = incident("host-down/one").unwrap()["pages"].as_array().unwrap().clone();
        pages.iter().any(|page| page["channel"] == "mail" && page["state"] == "sandbox")
    });
    lets_in.store(1, Ordering::Relaxed);
    until("the channel is probed back, and its incident ends by itself", || {
        incident("stentor:channel/sms").unwrap()["status"] == "resolved" && ready("\"broken_channels\":{}")
    });
}
