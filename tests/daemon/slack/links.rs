//! The daemon's links to Slack: what is pressed while they change, what their end means, what is seen of them.

use super::{
    double::{
        socket_mode::{Opening, SocketMode},
        tls,
    },
    house::eventually,
    rig::{ANA, BO, Rig, Way},
    wire::PATIENCE,
};
use rustls::{ServerConnection, StreamOwned};
use serde_json::{Value, json};
use std::{net::TcpListener, thread::JoinHandle};
use tokio_tungstenite::tungstenite::{self, Message};

#[test]
fn a_press_over_a_socket_engages_and_the_links_are_seen() {
    let rig = Rig::start();
    rig.until_up(2);
    assert_eq!(rig.links()["last_error"], Value::Null);
    assert!(rig.links()["since"].is_string(), "{}", rig.links());
    assert_eq!(rig.metric("channel_links"), 2.0);
    assert!(1_700_000_000.0 < rig.metric("channel_linked_since_timestamp_seconds"));
    let incident = rig.crash("ES");
    let button = rig.button(&incident, ANA);
    let (is_kept, word) = rig.press(Way::Socket, ANA, "wilco", &button);
    assert!(is_kept && word.contains(": you have it."), "{word}");
    assert_eq!(rig.role(&incident, "trader")["holder"], "Ana <Ruiz> & Co");
    assert_eq!(rig.journaled(&incident, "\\\"via\\\":\\\"slack\\\""), 1);
}

#[test]
fn a_press_while_a_link_is_recycled_is_not_lost() {
    let rig = Rig::start();
    let incident = rig.crash("ES");
    let (ana, bo) = (rig.button(&incident, ANA), rig.button(&incident, BO));
    rig.slack.world().opening = Opening::Refused("internal_error");
    rig.slack.disconnect(0, "warning");
    let pressed = rig.slack.send_on(0, "interactive", &super::rig::press(ANA, "roger", &ana, ""), false);
    assert_eq!(rig.slack.ack(&pressed).link, 0);
    rig.slack.world().opening = Opening::Address;
    let fresh = rig.slack.until("a successor", |world| world.links.get(2).map(|_| 2));
    let pressed = rig.slack.send_on(fresh, "interactive", &super::rig::press(BO, "wilco", &bo, ""), false);
    assert_eq!(rig.slack.ack(&pressed).link, fresh);
    assert_eq!(rig.role(&incident, "trader")["holder"], "Bo Lind");
    assert_eq!(rig.journaled(&incident, "\\\"event\\\":\\\"answered\\\""), 2);
}

#[test]
fn an_envelope_that_comes_twice_changes_nothing_twice() {
    let rig = Rig::start();
    let incident = rig.crash("ES");
    let payload = super::rig::press(ANA, "wilco", &rig.button(&incident, ANA), &rig.slack.hooks());
    for link in [0, 1, 1] {
        rig.slack.world().acks.clear();
        rig.slack.send_as("twice", link, "interactive", &payload, false);
        assert_eq!(rig.slack.ack("twice").link, link);
    }
    assert_eq!(rig.journaled(&incident, "\\\"engages\\\""), 1);
    assert_eq!(rig.journaled(&incident, "\\\"event\\\":\\\"engaged\\\""), 1);
    rig.slack.until("every word", |world| (world.words.len() == 3).then_some(()));
    let texts: Vec<String> = rig.slack.world().words.iter().map(|word| word["text"].to_string()).collect();
    assert_eq!(texts.iter().filter(|text| text.contains("you said so before")).count(), 2, "{texts:?}");
}

/// A server of `wss://` that lets one client in, hands it a command and returns how it was acknowledged; or why it
/// never was.
fn secure() -> (u16, JoinHandle<Result<Value, String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let tls = StreamOwned::new(ServerConnection::new(tls::server()).unwrap(), stream);
        let mut socket = tungstenite::accept(tls).map_err(|error| error.to_string())?;
        let command = json!({ "command": "/stentor", "user_id": ANA, "text": "list" });
        let envelope = json!({
            "type": "slash_commands", "envelope_id": "e1", "payload": command, "accepts_response_payload": true,
        });
        for frame in [json!({ "type": "hello" }), envelope] {
            socket.send(Message::text(frame.to_string())).map_err(|error| error.to_string())?;
        }
        loop {
            if let Message::Text(text) = socket.read().map_err(|error| error.to_string())? {
                return Ok(serde_json::from_str(&text).unwrap());
            }
        }
    });
    (port, served)
}

#[test]
fn a_link_over_tls_is_trusted_by_its_certificate_alone() {
    let certificate = super::common::root().join("tests/double/tls/localhost.pem").display().to_string();
    for (trusted, host) in [(true, "localhost"), (true, "127.0.0.1"), (false, "localhost")] {
        let (port, served) = secure();
        let slack = SocketMode::start();
        slack.world().opening = Opening::Elsewhere(format!("wss://{host}:{port}/link/?ticket=ticket-9"));
        let daemon = if trusted { Rig::setup(&slack).env("SSL_CERT_FILE", &certificate) } else { Rig::setup(&slack) };
        let rig = Rig { daemon: daemon.start(), slack };
        let outcome = served.join().unwrap();
        if trusted {
            assert_eq!(outcome.unwrap()["payload"]["text"], "No incident is open.", "{host}");
        } else {
            assert!(outcome.is_err());
            // The one that is in by now may be another: nobody listens there any more.
            eventually("the trouble", || rig.daemon.log().contains("certificate").then_some(()));
            assert!(!rig.daemon.log().contains("ticket-9"), "{}", rig.daemon.log());
        }
    }
}

#[test]
fn a_restart_opens_the_links_anew_and_old_buttons_still_answer() {
    let mut rig = Rig::start();
    let incident = rig.crash("ES");
    let button = rig.button(&incident, ANA);
    rig.daemon.kill();
    rig.slack.until_links(0);
    rig.daemon.restart();
    rig.slack.until_links(2);
    let (is_kept, word) = rig.press(Way::Socket, ANA, "wilco", &button);
    assert!(is_kept && word.contains(": you have it."), "{word}");
    assert!(rig.daemon.stop(), "an orderly end");
    rig.slack.until_links(0);
}

#[test]
fn socket_mode_switched_off_is_told_to_the_operators_and_a_reload_tries_again() {
    let rig = Rig::start();
    rig.slack.world().opening = Opening::Refused("internal_error");
    rig.slack.disconnect(1, "link_disabled");
    rig.slack.until_links(0);
    rig.until_up(0);
    assert!(rig.links()["last_error"].as_str().unwrap().contains("is disabled"), "{}", rig.links());
    assert_eq!(rig.metric("channel_links"), 0.0);
    assert_eq!(rig.metric("channel_linked_since_timestamp_seconds"), 0.0);
    let incident = eventually("an incident for the operators", || rig.daemon.incidents().into_iter().next());
    assert!(incident["summary"].as_str().unwrap().contains("channel room receives nothing"), "{incident}");
    // By HTTP it is still possible to ask.
    let said = rig.type_in(Way::Http, ANA, "status");
    assert!(said.contains("Channel room has received nothing since"), "{said}");
    rig.slack.world().opening = Opening::Address;
    rig.daemon.signal("HUP");
    rig.slack.until_links(2);
    rig.daemon.until("INC-1", "resolved by itself", |incident| incident["status"] == "resolved");
    assert_eq!(rig.daemon.incidents().len(), 1);
}

#[test]
fn a_token_that_is_refused_is_told_to_the_operators_once_and_pages_go_on() {
    let rig = Rig::start();
    rig.slack.world().opening = Opening::Refused("invalid_auth");
    rig.slack.cut(0);
    rig.slack.cut(1);
    let incident = eventually("an incident for the operators", || rig.daemon.incidents().into_iter().next());
    assert!(incident["summary"].as_str().unwrap().contains("invalid_auth"), "{incident}");
    // The other lane is refused too.
    rig.slack.until("both were refused", |world| (4 <= world.opened).then_some(()));
    let crash = rig.crash("ES");
    assert_eq!((crash.as_str(), rig.daemon.incidents().len()), ("INC-2", 2));
    assert_eq!(rig.links()["up"], 0);
}

/// What the doctor finds, without its passing over what it does not like.
fn finding(rig: &Rig, part: &str, what: &str) -> Value {
    let output = rig.daemon.cli(&["doctor", "--json"]);
    let findings: Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = findings.as_array().unwrap().iter().find(|row| row["part"] == part && row["what"] == what);
    found.cloned().unwrap_or_default()
}

#[test]
fn the_doctor_looks_at_the_links_and_opens_none() {
    let rig = Rig::start();
    assert_eq!(finding(&rig, "channel room", "socket mode")["outcome"], "fine");
    assert_eq!(finding(&rig, "daemon", "links"), Value::Null);
    assert_eq!(rig.slack.world().links.len(), 2);
    rig.slack.world().opening = Opening::Refused("invalid_auth");
    assert_eq!(finding(&rig, "channel room", "socket mode")["outcome"], "failed");
    rig.slack.disconnect(0, "link_disabled");
    rig.until_up(0);
    let links = finding(&rig, "daemon", "links");
    assert!(links["detail"].as_str().unwrap().contains("is disabled"), "{links}");
}

#[test]
fn a_reload_that_changes_the_token_changes_the_links_and_one_that_loses_it_is_refused() {
    let rig = Rig::start();
    let file = rig.daemon.dir.path().join("app-token");
    rig.slack.world().token = Some("xapp-2-new-4712".into());
    std::fs::write(&file, "xapp-2-new-4712").unwrap();
    rig.daemon.signal("HUP");
    rig.slack.until_gone(0);
    rig.slack.until_gone(1);
    assert_eq!(rig.slack.until_links(2), [2, 3]);
    rig.until_up(2);
    std::fs::write(&file, "").unwrap();
    rig.daemon.signal("HUP");
    eventually("the refusal", || rig.daemon.log().contains("the reload was refused").then_some(()));
    assert!(rig.daemon.log().contains("answers by channel room would be refused"), "{}", rig.daemon.log());
    assert_eq!(rig.slack.open_links(), [2, 3]);
    let matrix = rig.daemon.dir.path().join("matrix/matrix.toml");
    let without = std::fs::read_to_string(&matrix).unwrap().replace("app_token      = { file = \"app-token\" }", "");
    std::fs::write(&matrix, without).unwrap();
    rig.daemon.signal("HUP");
    rig.slack.until_links(0);
    eventually("no links in /readyz", || (rig.links() == json!(null)).then_some(()));
    assert!(rig.daemon.incidents().is_empty(), "what the matrix says is no trouble");
}
