//! A channel that reaches nobody: its pages fail over, its operators are told by another, and it is used again
//! without a page.

use super::{
    common::Daemon,
    house::{DESK, eventually, secret, setup},
    wire::Call,
};
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::{Arc, Mutex},
};

/// An SMS gateway whose account may be locked. It ends with the test's process.
#[derive(Clone, Default)]
pub struct Gateway(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    locked: bool,
    /// Requests with a number, whatever became of them.
    asked: Vec<String>,
    /// Whom what was taken went to, and its text as it was on the wire.
    taken: Vec<(String, String)>,
}

impl Gateway {
    pub fn start() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/cgi-bin/sendsms", listener.local_addr().unwrap());
        let gateway = Self::default();
        let own = gateway.clone();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut buffer = [0; 8192];
                let read = stream.read(&mut buffer).unwrap_or(0);
                let (status, answer) = own.judge(&String::from_utf8_lossy(&buffer[..read]));
                let head = format!("HTTP/1.1 {status} -\r\nConnection: close\r\nContent-Length: {}", answer.len());
                let _ = write!(stream, "{head}\r\n\r\n{answer}");
            }
        });
        (gateway, url)
    }

    fn judge(&self, request: &str) -> (u16, &'static str) {
        let mut state = self.0.lock().unwrap();
        let number = request.split(['?', '&', ' ']).find_map(|field| field.strip_prefix("to=%2B"));
        state.asked.extend(number.map(str::to_owned));
        match number {
            _ if state.locked => (403, "Authorization failed for sendsms"),
            None => (400, "Missing receiver number, rejected"),
            Some(_) => {
                let text = request.split(['?', '&', ' ']).find_map(|field| field.strip_prefix("text="));
                let text = text.unwrap_or_default().to_owned();
                state.taken.extend(number.map(|number| (number.to_owned(), text)));
                (202, "0: Accepted for delivery")
            }
        }
    }

    pub fn set_locked(&self, locked: bool) {
        self.0.lock().unwrap().locked = locked;
    }

    /// The numbers that messages were asked for to.
    pub fn asked(&self) -> Vec<String> {
        self.0.lock().unwrap().asked.clone()
    }

    fn taken(&self) -> usize {
        self.0.lock().unwrap().taken.len()
    }

    /// The answer code of the newest brief that this number holds.
    pub fn code(&self, number: &str, incident: &str) -> Option<String> {
        let state = self.0.lock().unwrap();
        let theirs = state.taken.iter().rev().filter(|(to, text)| to == number && text.contains(incident));
        theirs
            .flat_map(|(_, text)| text.split(|c: char| !c.is_ascii_alphanumeric()))
            .find(|word| is_code(word))
            .map(str::to_owned)
    }
}

fn is_code(word: &str) -> bool {
    word.len() == 5 && word.bytes().all(|byte| byte.is_ascii_digit())
}

fn daemon(url: &str) -> Daemon {
    let like_a_channel =
        "[trigger.channel]\non = [\"link_down\"]\nkey = 'alert.labels.link'\nroles = [\"compliance\"]\n";
    let matrix = format!("{DESK}\n{like_a_channel}")
        .replace("http://127.0.0.1:9/cgi-bin/sendsms", url)
        .replace("[channel.desk]\nkind = \"screen\"\n", "")
        .replace("by = [\"sms\", \"mail\", \"room\", \"desk\"]", "by = [\"sms\"]")
        .replace("by = [\"sms\", \"mail\", \"room\"]", "by = [\"sms\"]")
        .replace("by    = [\"sms\", \"mail\"]", "by    = [\"sms\"]");
    // Slack is in the sandbox because it has no token: what is sent there can be read.
    let matrix = matrix.replace("{ env = \"SLACK_BOT_TOKEN\" }", "{ env = \"NOT_SET\" }");
    setup(&matrix).env("KANNEL_PASSWORD", "gateway-password-61c2").start()
}

impl Daemon {
    fn ready(&self) -> Value {
        self.control(&Call::get("/readyz")).json()
    }

    fn gauge(&self, value: &str) -> bool {
        let text = self.control(&Call::get("/metrics")).body;
        text.lines().any(|line| line == format!("stentor_channel_broken{{channel=\"sms\"}} {value}"))
    }

    /// The incident about the channel, where it is in this state.
    fn about_sms(&self, status: &str) -> Option<Value> {
        self.incidents()
            .into_iter()
            .find(|incident| incident["key"] == "stentor:channel/sms" && incident["status"] == status)
    }
}

#[test]
fn a_gateway_whose_login_is_refused_is_gone_round_told_of_and_taken_up_again_without_a_page() {
    let (gateway, url) = Gateway::start();
    gateway.set_locked(true);
    let mut daemon = daemon(&url);
    let incident = daemon.crash("ES");
    for person in ["ana", "bo", "dora"] {
        daemon.held(&incident, person, "room");
    }
    let about = eventually("the operators' incident", || daemon.about_sms("open"));
    daemon.held(about["id"].as_str().unwrap(), "gita", "room");
    let gita = "447700900007";
    assert!(!gateway.asked().iter().any(|to| to == gita), "by the broken channel first");
    assert!(daemon.ready()["broken_channels"]["sms"].as_str().unwrap().contains("refuses our credentials"));
    assert!(daemon.gauge("1"));

    gateway.set_locked(false);
    eventually("it is taken up", || daemon.ready()["broken_channels"].get("sms").is_none().then_some(()));
    eventually("its incident is over", || daemon.about_sms("resolved"));
    assert!(daemon.gauge("0"));
    assert_eq!(gateway.taken(), 0, "no page was needed");
    daemon.crash("NQ");
    eventually("pages go by it again", || (3 <= gateway.taken()).then_some(()));

    // What a trigger calls by the same words is another matter: nobody takes its crisis for a mended channel.
    let same_words = json!({ "kind": "link_down", "labels": { "link": "sms" } });
    let reply = Call::post("/v1/alerts").bearer(secret("MONITOR_TOKEN")).json(&same_words).send(daemon.address);
    let crisis = reply.json()["alerts"][0]["incidents"][0].as_str().unwrap().to_owned();
    assert_eq!(daemon.incident(&crisis)["key"], "channel/sms");

    // Over a restart nobody else remembers.
    gateway.set_locked(true);
    daemon.crash("YM");
    eventually("it is broken again", || daemon.about_sms("open"));
    daemon.kill();
    gateway.set_locked(false);
    daemon.restart();
    eventually("its second incident is over", || daemon.about_sms("open").is_none().then_some(()));
    assert!(daemon.ready()["broken_channels"].get("sms").is_none());
    assert_eq!(daemon.incident(&crisis)["status"], "open");
}
