//! `stentor doctor` and `stentor people` against the real daemon.

use super::{
    breaker::Gateway,
    common::{Daemon, Setup, binary},
    house::{DESK, eventually, secret, setup},
    wire::{Call, form},
};
use serde_json::Value;
use std::{
    io::{Read, Write},
    net::TcpListener,
};

/// One gateway, one person in two ways, nothing that could be wrong.
fn matrix(gateway: &str) -> String {
    format!(
        r#"
[channel.sms]
kind     = "kannel"
url      = "{gateway}"
username = "stentor"
password = {{ env = "KANNEL_PASSWORD" }}

[person.ana]
name  = "Ana Ruiz"
phone = "+447700900001"

[role.it]
step = [{{ page = ["ana"], by = ["sms"], wait = "10m" }}]

[trigger.host-down]
on    = ["HostDown"]
roles = ["it"]

[catch-all]
page = ["ana"]
by   = ["sms"]
"#
    )
}

fn on(matrix: &str) -> Setup {
    Setup::new(matrix).env("KANNEL_PASSWORD", "gateway-password-61c2")
}

/// What was found, and the exit status.
fn doctor(daemon: &Daemon) -> (Vec<Value>, i32) {
    let output = daemon.cli(&["doctor", "--json"]);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    assert!(!String::from_utf8_lossy(&output.stdout).contains("gateway-password"), "{found}");
    (found.as_array().unwrap().clone(), output.status.code().unwrap())
}

/// How one thing is, and in which words.
fn look<'a>(found: &'a [Value], part: &str, what: &str) -> (&'a str, &'a str) {
    let mut found = found.iter();
    let finding = found.find(|finding| finding["part"] == part && finding["what"] == what);
    let finding = finding.unwrap_or_else(|| panic!("{part} {what}"));
    (finding["outcome"].as_str().unwrap(), finding["detail"].as_str().unwrap())
}

#[test]
fn the_doctor_finds_what_fails_and_pages_nobody() {
    let (gateway, url) = Gateway::start();
    let daemon = on(&matrix(&url)).start();
    let (found, status) = doctor(&daemon);
    assert_eq!(status, 0, "{found:?}");
    for (part, what, outcome) in [
        ("matrix", "lint", "fine"),
        ("daemon", "work", "fine"),
        ("daemon", "clock", "fine"),
        ("ping", "dead-man", "doubtful"),
        ("state", "space", "fine"),
        ("state", "reserve", "fine"),
        ("secrets", "readable", "fine"),
        ("listener", "public_url", "doubtful"),
        ("channel sms", "login", "fine"),
        ("people", "ways", "doubtful"),
        ("people", "proof", "doubtful"),
    ] {
        assert_eq!(look(&found, part, what).0, outcome, "{part} {what}: {found:?}");
    }
    assert!(look(&found, "listener", "public_url").1.contains("points to this machine"));
    assert!(look(&found, "people", "proof").1.contains("ana: never by sms"));

    gateway.set_locked(true);
    let (found, status) = doctor(&daemon);
    assert_eq!((status, look(&found, "channel sms", "login").0), (1, "failed"), "{found:?}");
    let text = String::from_utf8(daemon.cli(&["doctor"]).stdout).unwrap();
    assert!(text.contains("FAIL  channel sms") && text.contains("1 failed,"), "{text}");
    assert!(!text.contains('\x1b'), "no colours where nobody looks: {text}");
    assert_eq!(gateway.asked(), Vec::<String>::new(), "nobody is paged");
}

#[test]
fn refused_credentials_are_counted_and_metrics_that_nobody_can_read_are_named() {
    let (_gateway, url) = Gateway::start();
    let daemon = on(&matrix(&url)).start();
    let (found, _) = doctor(&daemon);
    assert_eq!(look(&found, "credentials", "refused").0, "fine", "{found:?}");
    let (outcome, help) = look(&found, "credentials", "metrics");
    assert!(outcome == "doubtful" && help.contains("scopes = [\"metrics\"]"), "{help}");
    for _ in 0..3 {
        let alert = serde_json::json!({ "kind": "crash" });
        let refused = Call::post("/v1/alerts").bearer("a-token-of-nobody").json(&alert).send(daemon.address);
        assert_eq!(refused.status, 401, "{refused:?}");
    }
    let (found, status) = doctor(&daemon);
    let (outcome, detail) = look(&found, "credentials", "refused");
    assert!(status == 0 && outcome == "doubtful", "{found:?}");
    assert!(detail.contains("3 request(s) for the scope \"alerts\"") && detail.contains("reload"), "{detail}");
}

#[test]
fn without_a_daemon_the_matrix_is_wired_and_looked_at_all_the_same() {
    let (gateway, url) = Gateway::start();
    let setup = on(&matrix(&url));
    let run = |password: Option<&str>| {
        let mut command = binary(setup.dir.path());
        command.args(["doctor", "--json"]).envs(password.map(|password| ("KANNEL_PASSWORD", password)));
        let output = command.output().unwrap();
        let found: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
        (found.as_array().unwrap().clone(), output.status.code().unwrap())
    };
    let (found, status) = run(Some("gateway-password-61c2"));
    assert_eq!((status, look(&found, "channel sms", "login").0), (0, "fine"), "{found:?}");
    assert!(look(&found, "daemon", "work").1.contains("no daemon answers"));
    let (found, status) = run(None);
    assert_eq!((status, look(&found, "channel sms", "credentials").0), (1, "failed"), "{found:?}");
    assert!(look(&found, "secrets", "readable").1.contains("KANNEL_PASSWORD"));
    assert_eq!(gateway.asked(), Vec::<String>::new(), "nobody is paged");
    assert!(!setup.dir.path().join("state").exists(), "a look leaves nothing behind");
}

/// A web server that is not this daemon and welcomes everything.
fn stranger() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 7\r\n\r\nwelcome");
        }
    });
    url
}

#[test]
fn a_public_address_that_leads_elsewhere_is_found() {
    let (_gateway, url) = Gateway::start();
    for (address, words) in [(stranger(), "something else answers"), ("http://127.0.0.1:9".to_owned(), "not reached")] {
        let daemon = on(&format!("[daemon]\npublic_url = {address:?}\n{}", matrix(&url))).start();
        let (found, status) = doctor(&daemon);
        let (outcome, detail) = look(&found, "listener", "public_url");
        assert!(status == 1 && outcome == "failed" && detail.contains(words), "{detail}");
    }
}

#[test]
fn the_daemon_answers_nobody_but_itself_there() {
    let (_gateway, url) = Gateway::start();
    let daemon = on(&matrix(&url)).start();
    for signature in ["", "00", &"0".repeat(64)] {
        let call = Call::post("/hooks/self").header("X-Stentor-Signature", signature).body("nonce");
        assert_eq!(call.send(daemon.address).status, 401);
    }
}

#[test]
fn a_matrix_that_was_changed_and_not_loaded_is_found() {
    let (_gateway, url) = Gateway::start();
    let daemon = on(&matrix(&url)).start();
    let path = daemon.dir.path().join("matrix/matrix.toml");
    std::fs::write(&path, matrix(&url).replace("Ana Ruiz", "Ana R.")).unwrap();
    let (found, _) = doctor(&daemon);
    assert!(look(&found, "matrix", "loaded").1.contains("reload"), "{found:?}");
    std::fs::write(&path, "[person.ana]\n").unwrap();
    let (found, status) = doctor(&daemon);
    assert_eq!((status, look(&found, "matrix", "lint").0), (1, "failed"), "{found:?}");
}

// ---- who was reached ------------------------------------------------------------------------------------------------

impl Daemon {
    /// What is known of one person's contact by one channel.
    fn contact(&self, person: &str, channel: &str) -> Value {
        let people = self.json(&["people"]);
        let mut people = people.as_array().unwrap().iter();
        let person = people.find(|known| known["person"] == person).unwrap();
        person["channels"].as_array().unwrap().iter().find(|way| way["channel"] == channel).unwrap().clone()
    }

    fn says(&self, name: &str, value: &str) -> bool {
        let text = self.control(&Call::get("/metrics")).body;
        text.lines().any(|line| line == format!("stentor_{name} {value}"))
    }
}

/// The desk with a real gateway; Slack and mail are in the sandbox because they have no secrets.
fn with_gateway(url: &str, proof_max_age: &str) -> Daemon {
    let matrix = DESK.replace("http://127.0.0.1:9/cgi-bin/sendsms", url);
    let matrix = matrix.replace("{ env = \"SLACK_BOT_TOKEN\" }", "{ env = \"NOT_SET\" }");
    let matrix = format!("[daemon]\nproof_max_age = \"{proof_max_age}\"\n{matrix}");
    setup(&matrix).env("KANNEL_PASSWORD", "gateway-password-61c2").start()
}

/// Somebody sends this code from their telephone.
fn texts(daemon: &Daemon, number: &str, code: &str) -> String {
    let number = format!("+{number}");
    let fields = [("token", secret("KANNEL_REPLY_TOKEN")), ("from", &number), ("text", code)];
    Call::get(&format!("/hooks/kannel/sms?{}", form(&fields))).send(daemon.address).body
}

#[test]
fn an_answer_to_what_was_kept_in_the_sandbox_proves_no_contact() {
    let daemon = setup(&format!("[daemon]\nproof_max_age = \"30d\"\n{DESK}")).arg("--sandbox").start();
    let incident = daemon.crash("ES");
    let held = daemon.held(&incident, "ana", "sms");
    daemon.until(&incident, "her page is kept", |i| {
        let mut pages = i["pages"].as_array().unwrap().iter();
        pages.any(|page| page["person"] == "ana" && page["channel"] == "sms" && page["state"] == "sandbox")
    });
    let reply = texts(&daemon, "447700900001", &held.code);
    assert!(reply.starts_with(&format!("{incident}: you have it.")), "{reply}");
    for (channel, path) in [("sms", None), ("mail", Some(daemon.held(&incident, "dora", "mail").path().to_owned()))] {
        if let Some(path) = path {
            Call::post(&path).form(&[("answer", "roger")]).send(daemon.address);
        }
        for person in ["ana", "dora"] {
            let way = daemon.contact(person, channel);
            assert!(way["proven_at"].is_null() && way["sandbox"] == true, "{person} {channel}: {way}");
        }
    }
    assert!(daemon.says("contacts_never_proven{channel=\"sms\"}", "4"));
    let people = daemon.json(&["people"]);
    assert_eq!(people[0]["ways"], 0, "nothing reaches her away from her desk: {people:#}");
    let text = String::from_utf8(daemon.cli(&["people"]).stdout).unwrap();
    assert!(text.contains("SANDBOX: reaches nobody") && text.contains("12 contact(s) in the SANDBOX"), "{text}");
    let (found, status) = doctor(&daemon);
    let ways =
        found.iter().filter_map(|finding| finding["detail"].as_str()).find(|detail| detail.starts_with("ana can"));
    assert!(status == 1 && ways.unwrap().contains("SANDBOX: room, sms, mail"), "{ways:?}");
}

#[test]
fn an_answer_proves_its_channel_and_is_known_after_a_restart() {
    let (gateway, url) = Gateway::start();
    let mut daemon = with_gateway(&url, "30d");
    let before = daemon.contact("ana", "sms");
    assert!(before["proven_at"].is_null() && before["stale"] == true, "{before}");
    assert!(daemon.says("contacts_never_proven{channel=\"sms\"}", "4"));
    let incident = daemon.crash("ES");
    daemon.until(&incident, "her page is taken", |i| {
        let mut pages = i["pages"].as_array().unwrap().iter();
        pages.any(|page| page["person"] == "ana" && page["channel"] == "sms" && page["state"] == "accepted")
    });
    let code = gateway.code("447700900001", &incident).unwrap();
    let reply = texts(&daemon, "447700900001", &code);
    assert!(reply.starts_with(&format!("{incident}: you have it.")), "{reply}");
    let known = |daemon: &Daemon| {
        let sms = daemon.contact("ana", "sms");
        assert_eq!((&sms["how"], &sms["drill"], &sms["stale"]), (&"answered".into(), &false.into(), &false.into()));
        assert_eq!(sms["incident"], incident.as_str());
        assert!(daemon.contact("ana", "mail")["proven_at"].is_null(), "an SMS says nothing about a mailbox");
        assert!(daemon.says("contacts_never_proven{channel=\"sms\"}", "3"));
        assert!(daemon.says("contacts_never_proven{channel=\"mail\"}", "4"));
    };
    known(&daemon);
    let people = daemon.json(&["people"]);
    assert_eq!(people[0]["on_call"], serde_json::json!([{ "role": "trader", "step": 1 }]));
    assert_eq!(people[0]["ways"], 2, "phone and mailbox; Slack stands in the sandbox");
    let text = String::from_utf8(daemon.cli(&["people"]).stdout).unwrap();
    assert!(text.contains("ago (answered)") && text.contains("15 contact(s) not proven recently"), "{text}");
    assert!(daemon.stop());
    daemon.restart();
    known(&daemon);
}

#[test]
fn a_proof_that_is_too_old_is_told_and_a_drill_makes_it_new() {
    let (gateway, url) = Gateway::start();
    let daemon = with_gateway(&url, "1s");
    let press = |drill: bool| {
        let alert = serde_json::json!({ "kind": "price_velocity", "drill": drill,
            "labels": { "symbol": if drill { "NQ" } else { "ES" } }, "values": { "drop_pct": 7.5 } });
        let reply = Call::post("/v1/alerts").bearer(secret("MONITOR_TOKEN")).json(&alert).send(daemon.address).json();
        let incident = reply["alerts"][0]["incidents"][0].as_str().unwrap().to_owned();
        daemon.until(&incident, "his page is taken", |i| {
            let mut pages = i["pages"].as_array().unwrap().iter();
            pages.any(|page| page["person"] == "bo" && page["channel"] == "sms" && page["state"] == "accepted")
        });
        let code = gateway.code("447700900002", &incident).unwrap();
        let reply = texts(&daemon, "447700900002", &code);
        assert!(reply.contains(&format!("{incident}: you have it.")), "{reply}");
        // No drill begins beside the real thing.
        assert!(daemon.cli(&["resolve", &incident]).status.success());
    };
    press(false);
    assert_eq!(daemon.contact("bo", "sms")["drill"], false);
    eventually("it is too old", || (daemon.contact("bo", "sms")["stale"] == true).then_some(()));
    let (found, _) = doctor(&daemon);
    let told = found.iter().filter_map(|finding| finding["detail"].as_str()).find(|detail| detail.starts_with("bo: "));
    assert!(told.unwrap().contains("not within 1s by sms"), "{told:?}");
    press(true);
    let sms = daemon.contact("bo", "sms");
    assert_eq!((&sms["how"], &sms["drill"]), (&"answered".into(), &true.into()), "{sms}");
}
