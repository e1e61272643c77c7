//! A batch with an `Idempotency-Key`, sent again after each kill, is kept exactly once.

use super::{TOKEN, journal, matrix, number};
use crate::common::{Daemon, Setup};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    os::unix::net::UnixStream,
    time::Duration,
};

/// Alerts of one batch: several transactions.
const ALERTS: usize = 300;

/// The ladders of all rounds go on meanwhile: more rounds would test them and not this.
const KILLS_MAX: u64 = 2;

fn post(address: SocketAddr, round: u64) -> Option<(u16, bool, Value)> {
    let alert = |n| json!({ "kind": format!("crash-{round}"), "labels": { "id": format!("{round}-{n}") } });
    let body = Value::from((0..ALERTS).map(alert).collect::<Vec<_>>()).to_string();
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    let head = format!(
        "POST /v1/alerts HTTP/1.1\r\nhost: stentor\r\nauthorization: Bearer {TOKEN}\r\nidempotency-key: \"batch-{round}\"\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, head.contains("idempotent-replayed: true"), serde_json::from_str(body).ok()?))
}

/// The incidents that the batch of this round has opened so far.
fn opened(daemon: &Daemon, round: u64) -> usize {
    let of_round =
        |events: &&Vec<Value>| events[0]["key"].as_str().is_some_and(|key| key.starts_with(&format!("crash-{round}/")));
    journal(daemon).values().filter(of_round).count()
}

/// What the daemon says is its newest incident.
fn newest(daemon: &Daemon) -> Option<String> {
    let mut stream = UnixStream::connect(daemon.state().join("stentor.sock")).ok()?;
    stream.write_all(b"GET /v1/incidents/newest HTTP/1.1\r\nhost: stentor\r\nconnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned())
}

#[test]
fn a_batch_that_is_sent_again_after_each_kill_is_kept_once() {
    let kills = number("STENTOR_KILLS", KILLS_MAX).min(KILLS_MAX);
    let mut daemon = Setup::new(&matrix()).env("MONITOR_TOKEN", TOKEN).arg("--sandbox").start();
    let mut cut = 0;
    for round in 0..kills {
        let (address, known) = (daemon.address, newest(&daemon));
        let sender = std::thread::spawn(move || post(address, round));
        // Its first part is there; the others are on their way.
        while newest(&daemon) == known && !sender.is_finished() {}
        daemon.kill();
        let first = sender.join().unwrap();
        daemon.restart();
        let before = opened(&daemon, round);
        cut += usize::from((1..ALERTS).contains(&before));
        let (status, replayed, told) = post(daemon.address, round).expect("an answer");
        assert_eq!((status, replayed), (202, before == ALERTS), "round {round}: {before} were there: {told}");
        if let Some((202, _, first)) = first {
            assert_eq!(first, told, "round {round}: the answer that was given is given again");
        }
        let results = told["alerts"].as_array().unwrap();
        let incidents: BTreeSet<&str> = results.iter().map(|alert| alert["incidents"][0].as_str().unwrap()).collect();
        assert_eq!((results.len(), incidents.len()), (ALERTS, ALERTS), "round {round}");
        assert!(results.iter().all(|alert| alert["results"][0]["result"] == "opened"), "round {round}: {told}");
        assert_eq!(post(daemon.address, round), Some((202, true, told.clone())), "round {round}");
        assert_eq!(opened(&daemon, round), ALERTS, "round {round}");
    }
    let twice = journal(&daemon).into_values().flatten().find(|event| event["event"] == "joined");
    assert_eq!(twice, None, "no alert came to an incident a second time");
    println!("{kills} kills, {cut} of them between two parts of a batch");
    assert!(daemon.stop());
}
