//! Law 9: secrets are in no log, no error, no journal, no page but their own.
// Tests keep their own time and threads: the laws about clocks and spawning are the daemon's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

use crate::common;
use crate::house;
use crate::wire;

use common::Daemon;
use house::{DESK, SECRETS, eventually, secret, setup};
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::TcpListener,
};
use wire::{Call, form};

const GATEWAY_PASSWORD: &str = "gateway-password-61c2fe";
const MAIL_PASSWORD: &str = "mail-password-0b7d13";

/// A service that gives all its callers this, and writes nobody's words down.
fn service(greeting: &'static str, answer: fn(usize) -> Option<&'static str>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for (n, mut stream) in listener.incoming().flatten().enumerate() {
            let _ = stream.write_all(greeting.as_bytes());
            if let Some(answer) = answer(n) {
                let _ = stream.read(&mut [0; 8192]);
                let _ = stream.write_all(answer.as_bytes());
            } else {
                held.push(stream);
            }
        }
    });
    address
}

/// In turn: a page for humans, a refusal of the credentials, a failure, a break, silence.
fn bad_http(n: usize) -> Option<&'static str> {
    [
        Some("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 6\r\n\r\n<html>"),
        Some("HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
        Some("HTTP/1.1 500 Oops\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
        Some("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
        Some("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"ok\":true"),
        None,
    ][n % 6]
}

/// The desk's matrix with channels that are real, and broken; a mail channel of the sandbox shows codes and links.
fn matrix() -> String {
    let (gateway, slack) = (service("", bad_http), service("", bad_http));
    let relay = service("220 relay\r\n", |_| Some("535 no\r\n"));
    let refused = r#"
[channel.dead]
kind     = "kannel"
url      = "http://127.0.0.1:9/cgi-bin/sendsms"
username = "stentor"
password = { env = "KANNEL_PASSWORD" }

[channel.relay]
kind     = "smtp"
url      = "smtp://RELAY"
username = "stentor"
password = { env = "SMTP_PASSWORD" }
from     = "stentor@desk.example"
accept_timeout = "2s"

[channel.shown]
kind     = "kannel"
url      = "http://127.0.0.1:9/cgi-bin/sendsms"
username = "stentor"
password = { env = "NOT_SET" }
token    = { env = "KANNEL_REPLY_TOKEN" }
"#;
    let signing = "signing_secret = { env = \"SLACK_SIGNING_SECRET\" }";
    DESK.replace(
        "http://127.0.0.1:9/cgi-bin/sendsms\"",
        &format!("http://{gateway}/cgi-bin/sendsms\"\naccept_timeout = \"2s\""),
    )
    .replace(signing, &format!("{signing}\nurl = \"http://{slack}/api\"\naccept_timeout = \"2s\""))
    .replace(
        "by = [\"sms\", \"mail\", \"room\", \"desk\"]",
        "by = [\"sms\", \"room\", \"dead\", \"relay\", \"shown\", \"desk\"]",
    ) + &refused.replace("RELAY", &relay)
}

/// The server key, as it may be written, once the daemon that holds it has ended.
fn server_key(daemon: &Daemon) -> Vec<String> {
    let file = std::fs::read_dir(daemon.state()).unwrap().map(|entry| entry.unwrap().path());
    let file = file.into_iter().find(|path| path.extension().is_some_and(|end| end == "db")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let key: Vec<u8> = runtime.block_on(async {
        use sqlx::{ConnectOptions, Row, sqlite::SqliteConnectOptions};
        let mut conn = SqliteConnectOptions::new().filename(file).connect().await.unwrap();
        let row = sqlx::query("SELECT value FROM meta WHERE name = 'server_key'").fetch_one(&mut conn).await.unwrap();
        row.get(0)
    });
    assert_eq!(key.len(), 32);
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let list: Vec<String> = key[..8].iter().map(u8::to_string).collect();
    vec![hex[..16].to_owned(), hex[..16].to_uppercase(), list.join(", "), list.join(",")]
}

/// Every way in, with something wrong each time: the bodies of all answers, and the secrets that were made on the way.
fn knock(daemon: &Daemon, incident: &str) -> (Vec<String>, Vec<String>) {
    let held = daemon.held(incident, "ana", "shown");
    let token = secret("MONITOR_TOKEN");
    let reply_token = secret("KANNEL_REPLY_TOKEN");
    let inbound =
        |channel: &str, fields: &[(&str, &str)]| Call::get(&format!("/hooks/kannel/{channel}?{}", form(fields)));
    let link = daemon.control(&Call::post("/v1/desk-link").json(&json!({ "person": "ana" })));
    let link = link.json()["link"].as_str().unwrap().to_owned();
    let path = &link[link.find("/desk").unwrap()..];
    let signed_in = Call::get(path).send(daemon.address);
    let cookie = signed_in.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let press = json!({ "page": held.page, "answer": "wilco" });
    let slack = Call::post("/hooks/slack/room").header("X-Slack-Request-Timestamp", "1").body("payload=x");
    let calls = [
        Call::post("/v1/alerts").bearer(token).body("{"),
        Call::post("/v1/alerts").bearer(&token[1..]).body("[]"),
        Call::post("/v1/alerts").bearer(token).body(vec![b' '; 2_000_000]),
        Call::new("PUT", "/v1/alerts").bearer(token),
        Call::post("/api/v2/alerts").bearer(token).json(&json!([{ "labels": { "a": 1 } }])),
        Call::post("/api/v2/nope").bearer(token).body("x"),
        inbound("sms", &[("token", reply_token), ("text", &held.code)]),
        inbound("room", &[("token", reply_token), ("from", "+1"), ("text", &held.code)]),
        inbound("sms", &[("token", &reply_token[1..]), ("from", "+447700900001"), ("text", &held.code)]),
        inbound("sms", &[("token", reply_token), ("from", "+12125550100"), ("text", &held.code)]),
        inbound("sms", &[("token", reply_token), ("from", "+447700900001"), ("text", &format!("{} what", held.code))]),
        slack.clone().header("X-Slack-Signature", "v0=00"),
        slack,
        Call::post(held.path()).form(&[("answer", "maybe")]),
        Call::post(held.path()).header("Sec-Fetch-Site", "cross-site").form(&[("answer", "wilco")]),
        Call::post(held.path()).body("x"),
        Call::get(&held.path()[..held.path().len() - 1]),
        Call::get(&path[..path.len() - 1]),
        Call::post("/desk/answer").header("Cookie", &cookie).json(&press),
        Call::post("/desk/answer").header("Cookie", &cookie).body("x"),
        Call::post("/desk/answer").header("Cookie", &cookie[..cookie.len() - 1]).json(&press),
        Call::get("/outbox").header("Host", "attacker.example"),
        Call::get("/outbox").header("Host", "127.0.0.1").header("Host", "attacker.example"),
        Call::get("/outbox").header("X-Forwarded-For", "203.0.113.7"),
    ];
    let bodies = calls.iter().map(|call| call.send(daemon.address).body).collect();
    over_http_2(&daemon.url("/v1/alerts"), token, &cookie);
    (bodies, [path, &cookie].map(|made| made.rsplit_once('.').unwrap().1.to_owned()).to_vec())
}

/// Headers are packed otherwise there, by a library that logs otherwise.
fn over_http_2(url: &str, token: &str, cookie: &str) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = reqwest::Client::builder().http2_prior_knowledge().no_proxy().build().unwrap();
        for body in ["[]", "{"] {
            let call = client.post(url).bearer_auth(token).header("cookie", cookie).body(body);
            assert!(call.send().await.unwrap().status().as_u16() < 500);
        }
    });
}

/// Everything that must never be seen: what was given to the daemon, and what it made.
fn never_seen(daemon: &Daemon) -> Vec<String> {
    let given = SECRETS.iter().map(|(_, value)| (*value).to_owned());
    let mut secrets: Vec<String> = given.chain([GATEWAY_PASSWORD.into(), MAIL_PASSWORD.into()]).collect();
    for entry in daemon.outbox() {
        let link = entry["link"].as_str().map(|link| link.rsplit_once('.').unwrap().1.to_owned());
        secrets.extend(link);
    }
    secrets
}

fn codes(daemon: &Daemon) -> Vec<String> {
    daemon.outbox().iter().filter_map(|entry| entry["code"].as_str().map(str::to_owned)).collect()
}

/// Digits that stand alone: a code within a longer number is a coincidence.
fn stands_alone(text: &str, code: &str) -> bool {
    text.match_indices(code).any(|(at, _)| {
        let digit = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b':'));
        let bytes = text.as_bytes();
        !digit(at.checked_sub(1).and_then(|before| bytes.get(before))) && !digit(bytes.get(at + code.len()))
    })
}

fn texts(daemon: &Daemon, incident: &str) -> Vec<(&'static str, String)> {
    let run = |arguments: &[&str]| {
        let output = daemon.cli(arguments);
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    };
    let mut journal = String::new();
    let mut after = 0;
    loop {
        let read = daemon.control(&Call::get(&format!("/v1/journal?after={after}"))).json();
        let Some(last) = read.as_array().unwrap().last() else { break };
        after = last["pos"].as_i64().unwrap();
        journal.push_str(&read.to_string());
    }
    vec![
        ("the log", daemon.log()),
        ("the journal", journal),
        ("show --json", run(&["show", incident, "--json", "--texts"])),
        ("show --texts", run(&["show", incident, "--pages", "--texts"])),
        ("incidents", run(&["incidents", "--all", "--json"])),
        ("check", run(&["check", "--json"])),
        ("metrics", daemon.control(&Call::get("/metrics")).body),
        ("readyz", daemon.control(&Call::get("/readyz")).body),
    ]
}

#[test]
fn no_secret_is_seen_where_it_does_not_belong() {
    let setup = setup(&matrix()).env("STENTOR_LOG", "trace").env("KANNEL_PASSWORD", GATEWAY_PASSWORD);
    let mut daemon = setup.env("SMTP_PASSWORD", MAIL_PASSWORD).arg("--log").arg("json").start();
    let incident = daemon.crash("ES");
    let (replies, made) = knock(&daemon, &incident);
    // Each broken channel has failed in more than one way by now, and those by turns.
    for channel in ["sms", "room", "dead", "relay"] {
        eventually(&format!("trouble on {channel}"), || {
            let shown = daemon.incident(&incident);
            let mut pages = shown["pages"].as_array()?.iter();
            pages.any(|page| page["channel"] == channel && page["last_error"].is_string()).then_some(())
        });
    }
    let held = daemon.held(&incident, "ana", "shown");
    let pressed = Call::post(held.path()).form(&[("answer", "wilco")]).send(daemon.address);
    assert_eq!(pressed.status, 200);
    let (mut secrets, codes) = (never_seen(&daemon), codes(&daemon));
    secrets.extend(made);
    assert!(10 <= secrets.len() && 2 <= codes.len(), "{} {}", secrets.len(), codes.len());
    let mut seen = texts(&daemon, &incident);
    assert!(daemon.stop());
    secrets.extend(server_key(&daemon));
    seen.push(("the log after the end", daemon.log()));
    seen.extend(replies.into_iter().map(|body| ("an answer", body)));
    for (place, text) in &seen {
        let about = ["an answer", "check", "metrics", "readyz"].contains(place) || text.contains(&incident);
        assert!(about && (!text.is_empty() || *place == "an answer"), "{place} says nothing: {text}");
        for secret in &secrets {
            let at = text.find(secret.as_str()).map(|at| &text[at.saturating_sub(200)..at]);
            assert_eq!(at, None, "{secret} is in {place}");
        }
        // A sender's own words come back to them: that is no leak.
        for code in codes.iter().filter(|_| *place != "an answer") {
            assert!(!stands_alone(text, code), "the code {code} is in {place}");
        }
    }
    let log = &seen[0].1;
    assert!(log.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "every line is JSON");
    assert!(log.contains("TRACE") || log.contains("DEBUG"), "the log was not asked for everything");
}
