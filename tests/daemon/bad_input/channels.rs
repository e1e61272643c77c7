//! A gateway that is broken delays and fools nobody.

use super::{
    common::Daemon,
    house::{DESK, eventually, setup},
};
use serde_json::Value;
use std::{
    io::{Read, Write},
    net::TcpListener,
};

/// A gateway that gives every request this answer, or none at all; its URL. It ends with the test's process.
fn gateway(answer: Option<&'static str>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/cgi-bin/sendsms", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            match answer {
                Some(answer) => {
                    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n";
                    let _ = write!(stream, "{head}Content-Length: {}\r\n\r\n{answer}", answer.len());
                }
                None => held.push(stream),
            }
        }
    });
    url
}

fn daemon(url: &str) -> Daemon {
    let matrix = DESK
        .replace("http://127.0.0.1:9/cgi-bin/sendsms\"", &format!("{url}\"\naccept_timeout = \"1s\""))
        .replace("by = [\"sms\", \"mail\", \"room\", \"desk\"]", "by = [\"sms\"]")
        .replace("[\"sms\", \"mail\", \"room\"]", "[\"room\"]");
    let bot = "token          = { env = \"SLACK_BOT_TOKEN\" }";
    // Slack is in the sandbox because it has no token; the gateway is real.
    let matrix = matrix.replace(bot, "token          = { env = \"NOT_SET\" }");
    setup(&matrix).env("KANNEL_PASSWORD", "gateway-password-61c2").start()
}

fn page<'a>(incident: &'a Value, person: &str, channel: &str) -> Option<&'a Value> {
    let mut pages = incident["pages"].as_array().unwrap().iter();
    pages.find(|page| page["person"] == person && page["channel"] == channel && page["purpose"] == "brief")
}

fn check(url: &str, trouble: &str) {
    let daemon = daemon(url);
    let incident = daemon.crash("ES");
    // Compliance is paged by another channel, and hears at once.
    let dora =
        daemon.until(&incident, "Dora's page", |i| page(i, "dora", "room").is_some_and(|p| p["state"] == "sandbox"));
    let after = page(&dora, "dora", "room").unwrap()["kept"].as_f64().unwrap();
    assert!(after < 900.0, "the broken gateway held up another channel: {after} ms");
    // The traders' own channel does not take it: the next one does.
    for person in ["ana", "bo"] {
        let shown = daemon.until(&incident, "another way", |i| {
            let pages = i["pages"].as_array().unwrap().iter();
            pages.clone().any(|p| p["person"] == person && p["channel"] != "sms" && p["instead_of"].is_number())
        });
        let sms = page(&shown, person, "sms").unwrap();
        assert_ne!(sms["state"], "accepted", "{sms}");
    }
    let shown = eventually(trouble, || {
        let shown = daemon.incident(&incident);
        page(&shown, "ana", "sms")?["last_error"].as_str()?.contains(trouble).then_some(shown)
    });
    assert_ne!(page(&shown, "ana", "sms").unwrap()["state"], "accepted");
    let room = daemon
        .until(&incident, "kept for the room", |i| page(i, "ana", "room").is_some_and(|p| p["state"] == "sandbox"));
    assert!(page(&room, "ana", "room").unwrap()["instead_of"].is_number());
}

#[test]
fn a_gateway_that_never_answers_delays_only_itself_and_its_people_are_reached_another_way() {
    check(&gateway(None), "no answer within 1s");
}

#[test]
fn a_page_for_humans_with_a_200_is_not_taken_for_acceptance() {
    check(&gateway(Some("<html><body>Please sign in to the guest network.</body></html>")), "not Kannel's");
}
