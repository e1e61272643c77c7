//! Requests over kills: each that was accepted ends in exactly one outcome, and its requester learns the same one by
//! waiting, by the stream and by a signed event.

use super::number;
use crate::{
    common::{Daemon, Setup},
    double::{
        self, gateway,
        service::{Manners, Service},
    },
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

const TOKEN: &str = "crash-test-token";
const REPLY_TOKEN: &str = "reply-token-5521fe";
const KEY: &str = "whsec_c3RlbnRvci1yZXF1ZXN0cy1rZXktMzItYnl0ZXMhIQ==";
const PHONES: [&str; 2] = ["+447700900001", "+447700900002"];

/// Each kill takes about two seconds.
const KILLS: u64 = 3;

/// How long outcomes and events may take to come: the deadline of a request is 5 s.
const PATIENCE: Duration = Duration::from_secs(60);

fn matrix(sms: &str, bank: &str) -> String {
    format!(
        r#"
[source.bot]
token = {{ env = "BOT_TOKEN" }}

[channel.sms]
kind     = "kannel"
url      = "{sms}"
username = "{}"
password = {{ env = "KANNEL_PASSWORD" }}
token    = {{ env = "KANNEL_REPLY_TOKEN" }}
pace     = "1000/s burst 1000"

[channel.bank]
kind  = "webhook"
url   = "{bank}"
keys  = [{{ env = "BANK_KEY" }}]
allow = ["127.0.0.0/8"]

[person.ana]
name  = "Ana Ruiz"
phone = "{}"
[person.bo]
name  = "Bo Lind"
phone = "{}"

[role.trader]
step = [{{ page = ["ana", "bo"], by = ["sms"], wait = "10m" }}]

[catch-all]
page  = ["bo"]
by    = ["sms"]
every = "5m"

[trigger.kill-switch]
on       = ["order_kill"]
roles    = ["trader"]
webhooks = ["bank"]
ask      = {{ default = "deny", after = "5s" }}
"#,
        gateway::USERNAME,
        PHONES[0],
        PHONES[1]
    )
}

/// One exchange over a connection of its own; nothing where the line broke.
fn exchange(address: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: stentor\r\nauthorization: Bearer {TOKEN}\r\n{headers}content-length: {}\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    answer.split_once("\r\n\r\n").map(|(_, body)| (status, body.to_owned()))
}

fn ask(address: SocketAddr, key: &str) -> Option<Value> {
    let ask = json!({ "type": "approval", "question": format!("Cancel {key}?") });
    let body = json!({ "kind": "order_kill", "labels": { "key": key }, "ask": ask }).to_string();
    let headers = format!("content-type: application/json\r\nidempotency-key: \"{key}\"\r\n");
    let (status, body) = exchange(address, "POST", "/v1/requests", &headers, &body)?;
    assert_eq!(status, 202, "{body}");
    serde_json::from_str(&body).ok()
}

/// Asks until told to stop; each accepted request by its key.
fn ask_for_ever(address: SocketAddr, round: u64, stop: &AtomicBool, accepted: &Mutex<BTreeMap<String, Value>>) {
    for n in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let key = format!("{round}-{n}");
        if let Some(request) = ask(address, &key) {
            accepted.lock().unwrap().insert(key, request["id"].clone());
        }
    }
}

/// Answers every second page as it comes, now one way and now another, until told to stop.
fn answer_for_ever(address: SocketAddr, gateway: &gateway::Gateway, stop: &AtomicBool) {
    let mut done = 0;
    while !stop.load(Ordering::Relaxed) {
        let texts = gateway.accepted();
        for sms in &texts[done.min(texts.len())..] {
            let Some((person, code)) = coded(&sms.fields) else { continue };
            if person == PHONES[0] {
                let option = if code.ends_with(['0', '2', '4', '6', '8']) { "A" } else { "B" };
                let path = format!(
                    "/hooks/kannel/sms?token={REPLY_TOKEN}&from={}&text={code}+{option}",
                    person.replace('+', "%2B")
                );
                exchange(address, "GET", &path, "", "");
            }
        }
        done = texts.len();
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// To whom a text goes, and its code: five digits.
fn coded(fields: &BTreeMap<String, String>) -> Option<(&str, &str)> {
    let words = fields.get("text")?.split(|c: char| !c.is_ascii_digit());
    let to = PHONES.into_iter().find(|phone| fields.get("to").is_some_and(|to| to.ends_with(&phone[3..])))?;
    Some((to, words.into_iter().find(|word| word.len() == 5)?))
}

#[test]
fn killed_at_random_moments_each_request_has_one_outcome_that_its_requester_learns() {
    let (kills, seed) = (number("STENTOR_KILLS", KILLS), number("STENTOR_KILL_SEED", rand::random()));
    println!("STENTOR_KILLS={kills} STENTOR_KILL_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    double::install_tls();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let taken = Manners { yes: (200, ""), no: (400, ""), unwanted: "" };
    let (gateway, bank) = runtime.block_on(async { (gateway::Gateway::start().await, Service::start(taken).await) });
    let mut daemon = Setup::new(&matrix(&gateway.url(), &bank.url()))
        .env("BOT_TOKEN", TOKEN)
        .env("KANNEL_PASSWORD", gateway::PASSWORD)
        .env("KANNEL_REPLY_TOKEN", REPLY_TOKEN)
        .env("BANK_KEY", KEY)
        .start();
    let accepted = Arc::new(Mutex::new(BTreeMap::new()));
    for round in 0..kills {
        let (stop, address) = (AtomicBool::new(false), daemon.address);
        let enough = accepted.lock().unwrap().len() + random.random_range(1..20);
        std::thread::scope(|scope| {
            scope.spawn(|| ask_for_ever(address, round, &stop, &accepted));
            scope.spawn(|| answer_for_ever(address, &gateway, &stop));
            let until = Instant::now() + PATIENCE;
            while accepted.lock().unwrap().len() < enough && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(1));
            }
            daemon.kill();
            stop.store(true, Ordering::Relaxed);
        });
        daemon.restart();
    }
    let accepted = accepted.lock().unwrap().clone();
    for (key, id) in &accepted {
        assert_eq!(&ask(daemon.address, key).unwrap()["id"], id, "asked again it is the same request");
    }
    let outcomes: BTreeMap<&str, Value> =
        accepted.values().map(|id| id.as_str().unwrap()).map(|id| (id, waited(&daemon, id))).collect();
    for (id, outcome) in &outcomes {
        assert_eq!(streamed(&daemon, id), *outcome, "{id}: the stream says another thing");
    }
    told(&bank, &outcomes);
    check_journal(&daemon, &outcomes);
    let of = |state: &str| outcomes.values().filter(|outcome| outcome["state"] == state).count();
    println!("{kills} kills, {} requests: {} decided, {} defaulted", outcomes.len(), of("decided"), of("defaulted"));
    assert_eq!(of("decided") + of("defaulted"), outcomes.len(), "{outcomes:?}");
    assert!(daemon.stop());
}

/// The outcome, for who waits.
fn waited(daemon: &Daemon, id: &str) -> Value {
    let until = Instant::now() + PATIENCE;
    loop {
        let path = format!("/v1/requests/{id}?wait=30s");
        let (status, body) = exchange(daemon.address, "GET", &path, "", "").expect("an answer");
        assert_eq!(status, 200, "{body}");
        let request: Value = serde_json::from_str(&body).unwrap();
        if request["state"] != "open" {
            return json!({ "state": request["state"], "outcome": request["outcome"] });
        }
        assert!(Instant::now() < until, "{id} has no outcome");
    }
}

/// The outcome, for who reads the whole stream: it is its last event, and there is one.
fn streamed(daemon: &Daemon, id: &str) -> Value {
    let (status, body) =
        exchange(daemon.address, "GET", &format!("/v1/requests/{id}/events"), "", "").expect("a stream");
    assert_eq!(status, 200, "{body}");
    let names: Vec<&str> = body.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
    assert_eq!(names.first(), Some(&"request.opened"), "{body}");
    assert_eq!(names.iter().filter(|name| **name == "request.ended").count(), 1, "{body}");
    assert_eq!(names.last(), Some(&"request.ended"), "{body}");
    let last = body.lines().filter_map(|line| line.strip_prefix("data: ")).next_back().unwrap();
    let request: Value = serde_json::from_str(last).unwrap();
    json!({ "state": request["state"], "outcome": request["outcome"] })
}

/// Each outcome comes as one event, however often it is sent, and says the same.
fn told(bank: &Service, outcomes: &BTreeMap<&str, Value>) {
    let until = Instant::now() + PATIENCE;
    let ended = || {
        let mut ended: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
        for event in bank.accepted() {
            let said = event.json();
            if said["type"] == "request.ended" {
                let request = &said["data"]["request"];
                let is = (event.header("webhook-id").to_owned(), format!("{} {}", request["state"], request["option"]));
                ended.entry(request["id"].as_str().unwrap().to_owned()).or_default().insert(is);
            }
        }
        ended
    };
    while ended().len() < outcomes.len() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    let ended = ended();
    for (id, outcome) in outcomes {
        let of_it = ended.get(*id).unwrap_or_else(|| panic!("nobody was told of {id}"));
        let said: Vec<&String> = of_it.iter().map(|(_, said)| said).collect();
        assert_eq!(said, [&format!("{} {}", outcome["state"], outcome["outcome"]["option"])], "{id}");
    }
}

/// Each request that was ever opened has exactly one outcome, and those of it that were accepted have theirs.
fn check_journal(daemon: &Daemon, outcomes: &BTreeMap<&str, Value>) {
    let chains = super::journal(daemon);
    let ends = |events: &[Value]| events.iter().filter(|event| event["event"] == "request-ended").count();
    let requests = chains.iter().filter(|(_, events)| events[0]["ask"].is_object());
    let several: Vec<&String> = requests.clone().filter(|(_, events)| 1 < ends(events)).map(|(id, _)| id).collect();
    assert!(several.is_empty(), "more than one outcome: {several:?}");
    assert!(outcomes.len() <= requests.count());
    for id in outcomes.keys() {
        let chain = format!("INC-{}", id.split('_').nth(1).unwrap());
        assert_eq!(ends(&chains[&chain]), 1, "{id}");
    }
    let verified = daemon.cli(&["journal", "verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}
