//! The real binary, killed with SIGKILL at random moments and restarted on the same file.
//!
//! `STENTOR_KILLS=50 cargo test --test soak crash` kills it that often; `STENTOR_KILL_SEED=7` repeats a run's choices.
#![allow(clippy::disallowed_methods)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod keyed;
mod requests;

use crate::common;

use common::{Daemon, Setup};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

const TOKEN: &str = "crash-test-token";
const ROLES: [&str; 3] = ["trader", "compliance", "it"];

/// Three roles that answer to nobody, two quick steps each, then the catch-all: ladders move while it is killed.
const MATRIX: &str = r#"
[source.monitor]
token = { env = "MONITOR_TOKEN" }

[channel.sms]
kind     = "kannel"
url      = "http://127.0.0.1:9/cgi-bin/sendsms"
username = "stentor"
password = { env = "KANNEL_PASSWORD" }
pace     = "1000/s burst 1000"

[person.ana]
name  = "Ana Ruiz"
phone = "+447700900001"
[person.bo]
name  = "Bo Lind"
phone = "+447700900002"
[person.cem]
name  = "Cem Aydin"
phone = "+447700900003"

[role.trader]
step = [{ page = ["ana"], by = ["sms"], wait = "1s" }, { page = ["bo"], by = ["sms"], wait = "2s" }]
[role.compliance]
step = [{ page = ["bo"], by = ["sms"], wait = "1s" }, { page = ["cem"], by = ["sms"], wait = "2s" }]
[role.it]
step = [{ page = ["cem"], by = ["sms"], wait = "1s" }, { page = ["ana"], by = ["sms"], wait = "2s" }]

[catch-all]
page  = ["cem"]
by    = ["sms"]
every = "5s"
"#;

/// A trigger opens at most 1000 incidents a minute; here more come.
const TRIGGERS: u64 = 10;

fn matrix() -> String {
    let trigger = |n| {
        format!(
            "[trigger.crash-{n}]\non = [\"crash-{n}\"]\nkey = 'alert.labels.id'\nopenings_per_minute = 1000\n\
             roles = [\"trader\", \"compliance\", \"it\"]\n"
        )
    };
    MATRIX.to_owned() + &(0..TRIGGERS).map(trigger).collect::<String>()
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Posts one alert and returns what the daemon answered, or nothing where the line broke.
fn post(address: std::net::SocketAddr, round: u64, id: &str) -> Option<(u16, Value)> {
    let body = format!(r#"{{"kind":"crash-{}","labels":{{"id":"{id}"}}}}"#, round % TRIGGERS);
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let head = format!(
        "POST /v1/alerts HTTP/1.1\r\nhost: stentor\r\nauthorization: Bearer {TOKEN}\r\ncontent-type: \
         application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    let json = answer.split_once("\r\n\r\n").and_then(|(_, body)| serde_json::from_str(body).ok())?;
    Some((status, json))
}

/// Posts until told to stop; each acknowledged alert is sent on.
fn post_for_ever(
    address: std::net::SocketAddr,
    worker: usize,
    round: u64,
    stop: &AtomicBool,
    acknowledged: &mpsc::Sender<(String, String)>,
) {
    for n in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let id = format!("{round}-{worker}-{n}");
        let Some((202, answer)) = post(address, round, &id) else { continue };
        let incident = answer["alerts"][0]["incidents"][0].as_str().expect("an incident").to_owned();
        if acknowledged.send((id, incident)).is_err() {
            return;
        }
    }
}

/// Lets alerts come in until `enough` were acknowledged, then kills the daemon in the midst of more.
fn rush_and_kill(daemon: &mut Daemon, round: u64, enough: usize) -> Vec<(String, String)> {
    let stop = Arc::new(AtomicBool::new(false));
    let (sender, receiver) = mpsc::channel();
    let address = daemon.address;
    let workers: Vec<_> = (0..2)
        .map(|worker| {
            let (stop, sender) = (stop.clone(), sender.clone());
            std::thread::spawn(move || post_for_ever(address, worker, round, &stop, &sender))
        })
        .collect();
    drop(sender);
    let mut acknowledged: Vec<(String, String)> = receiver.iter().take(enough).collect();
    daemon.kill();
    stop.store(true, Ordering::Relaxed);
    // What was acknowledged between the last look and the kill counts as well.
    acknowledged.extend(receiver.iter());
    workers.into_iter().for_each(|worker| worker.join().unwrap());
    acknowledged
}

/// Every event of the journal, by incident.
fn journal(daemon: &Daemon) -> BTreeMap<String, Vec<Value>> {
    let output = daemon.cli(&["journal", "export"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut chains: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let chain = line["chain"].as_str().unwrap().to_owned();
        chains.entry(chain).or_default().push(serde_json::from_str(line["body"].as_str().unwrap()).unwrap());
    }
    chains
}

/// How often each page was handed to the channel, and whether a later time said that it may be a repeat.
fn outbox(daemon: &Daemon) -> BTreeMap<String, Vec<bool>> {
    let text = std::fs::read_to_string(daemon.state().join("outbox.jsonl")).unwrap();
    let mut pages: BTreeMap<String, Vec<bool>> = BTreeMap::new();
    for line in text.lines() {
        // The last line of a killed daemon may be cut.
        let Ok(entry) = serde_json::from_str::<Value>(line) else { continue };
        let page = entry["page"].to_string();
        let marked = entry["body"].as_str().unwrap().contains("repeat");
        pages.entry(page).or_default().push(marked);
    }
    pages
}

/// Waits until every brief of these incidents' roles was accepted by its channel.
fn await_pages(daemon: &Daemon, incidents: &BTreeSet<String>) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let chains = journal(daemon);
        let missing: Vec<&String> = incidents.iter().filter(|id| !is_paged(chains.get(*id))).collect();
        if missing.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "never paged for all roles: {missing:?}");
    }
}

fn is_paged(events: Option<&Vec<Value>>) -> bool {
    let Some(events) = events else { return false };
    let page_role = |n: &Value| {
        let born = events.iter().find(|e| e["event"] == "paged" && e["page"]["n"] == *n)?;
        born["page"]["role"].as_str().map(str::to_owned)
    };
    let accepted = events.iter().filter(|e| e["event"] == "settled" && e["settlement"]["outcome"] == "accepted");
    let roles: BTreeSet<String> = accepted.filter_map(|e| page_role(&e["page"])).collect();
    ROLES.iter().all(|role| roles.contains(*role))
}

/// Step after step, each as often as it should be, and only then the next role.
fn check_ladders(id: &str, events: &[Value]) {
    let mut steps: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for event in events {
        let role = event["role"].as_str().unwrap_or_default();
        match event["event"].as_str().unwrap() {
            "step-entered" => steps.entry(role).or_default().push(event["step"].as_u64().unwrap()),
            "handed-over" => {
                assert_eq!(steps[role], [0, 1], "{id}: {role} was handed over before its steps were spent")
            }
            _ => {}
        }
    }
    for (role, steps) in steps.iter().filter(|(role, _)| ROLES.contains(role)) {
        assert!(steps.starts_with(&[0]) && steps.len() <= 2, "{id}: {role} went {steps:?}");
        assert!(steps.windows(2).all(|pair| pair[1] == pair[0] + 1), "{id}: {role} went {steps:?}");
    }
}

/// A ladder that is open has moved lately, or will.
fn check_none_stopped(events: &[Value], id: &str, read_at: chrono::DateTime<chrono::Utc>) {
    let last = events.iter().rev().find(|e| e["event"] == "step-entered").expect("a step");
    let until: chrono::DateTime<chrono::Utc> = last["until"].as_str().unwrap().parse().unwrap();
    let late = read_at - until;
    assert!(late < chrono::Duration::seconds(5), "{id} stopped: its rung was due {late} ago");
}

#[test]
fn killed_at_random_moments_it_loses_no_accepted_alert_and_no_ladder() {
    let (kills, seed) = (number("STENTOR_KILLS", 4), number("STENTOR_KILL_SEED", rand::random()));
    println!("STENTOR_KILLS={kills} STENTOR_KILL_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut daemon = Setup::new(&matrix()).env("MONITOR_TOKEN", TOKEN).arg("--sandbox").start();
    let mut acknowledged = Vec::new();
    for round in 0..kills {
        acknowledged.extend(rush_and_kill(&mut daemon, round, random.random_range(1..60)));
        daemon.restart();
    }
    let incidents: BTreeSet<String> = acknowledged.iter().map(|(_, incident)| incident.clone()).collect();
    assert_eq!(incidents.len(), acknowledged.len(), "each alert has a key of its own");
    await_pages(&daemon, &incidents);

    let verified = daemon.cli(&["journal", "verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    // What is read later is at least as new: reading takes its time.
    let read_at = chrono::Utc::now();
    for (id, events) in journal(&daemon).iter().filter(|(chain, _)| chain.starts_with("INC-")) {
        check_ladders(id, events);
        check_none_stopped(events, id, read_at);
    }
    let pages = outbox(&daemon);
    let repeated: Vec<_> = pages.iter().filter(|(_, sent)| 1 < sent.len()).collect();
    for (page, sent) in &repeated {
        assert!(sent.len() as u64 <= 1 + kills, "{page} was sent {} times in {kills} crashes", sent.len());
        assert!(sent[1..].iter().all(|marked| *marked), "{page} was repeated without saying so");
    }
    println!(
        "{kills} kills, {} alerts acknowledged, {} pages sent, {} of them repeated",
        acknowledged.len(),
        pages.len(),
        repeated.len()
    );
    assert!(daemon.stop());
}

/// A killed process does not lose what the kernel holds; this shows that the disk was told before the sender was.
#[test]
fn the_disk_is_synced_before_an_alert_is_acknowledged() {
    if Command::new("strace").arg("-V").stdout(Stdio::null()).status().is_err() {
        assert!(std::env::var_os("STENTOR_REAL").is_none(), "strace is missing: apt-get install strace");
        println!("SKIPPED: strace is missing: apt-get install strace");
        return;
    }
    let daemon = Setup::new(&matrix()).env("MONITOR_TOKEN", TOKEN).arg("--sandbox").start();
    let calls = "trace=fsync,fdatasync,read,recvfrom,write,writev,sendto,sendmsg";
    let mut strace = Command::new("strace")
        .args(["-f", "-q", "-s", "64", "-e", calls, "-p", &daemon.pid().to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = Arc::new(Mutex::new(Vec::new()));
    let (kept, stderr) = (lines.clone(), strace.stderr.take().unwrap());
    let reader = std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            kept.lock().unwrap().push(line);
        }
    });
    // strace has attached once it shows anything of ours: the loops of an idle daemon make calls all the time.
    let deadline = Instant::now() + Duration::from_secs(20);
    while lines.lock().unwrap().is_empty() {
        assert!(Instant::now() < deadline, "strace shows nothing");
        std::thread::yield_now();
    }
    for n in 0..5 {
        let answer = post(daemon.address, 0, &format!("sync-{n}"));
        assert_eq!(answer.map(|(status, _)| status), Some(202));
    }
    Command::new("kill").args(["-INT", &strace.id().to_string()]).status().unwrap();
    strace.wait().unwrap();
    reader.join().unwrap();
    let lines = lines.lock().unwrap();
    let (mut synced, mut acknowledged) = (None, 0);
    for line in lines.iter() {
        if line.contains("POST /v1/alerts") {
            synced = Some(false);
        }
        let is_sync = line.contains("fsync(") || line.contains("fdatasync(") || line.contains("sync resumed>");
        if is_sync && line.ends_with("= 0") && synced.is_some() {
            synced = Some(true);
        }
        if line.contains("HTTP/1.1 202") {
            assert_eq!(synced, Some(true), "acknowledged before the sync came back:\n{}", lines.join("\n"));
            (synced, acknowledged) = (None, acknowledged + 1);
        }
    }
    assert_eq!(acknowledged, 5, "strace saw not all answers:\n{}", lines.join("\n"));
}
