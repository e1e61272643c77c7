//! A running daemon in the sandbox, and what its people hold in their hands.

// Each test binary uses what it needs.
#![allow(dead_code)]

use super::{
    common::{Daemon, Setup},
    wire::{Call, PATIENCE, Reply},
};
use serde_json::{Value, json};
use std::{
    thread::sleep,
    time::{Duration, Instant},
};

/// The desk of all these tests.
pub const DESK: &str = include_str!("desk.toml");

/// The secrets of [`DESK`].
pub const SECRETS: [(&str, &str); 6] = [
    ("MONITOR_TOKEN", "monitor-token-3f9a1c"),
    ("MONITOR_TOKEN_NEXT", "monitor-next-77b2e0"),
    ("PLAIN_TOKEN", "plain-token-90d4aa"),
    ("KANNEL_REPLY_TOKEN", "reply-token-5521fe"),
    ("SLACK_SIGNING_SECRET", "signing-secret-ab34cd"),
    ("SLACK_BOT_TOKEN", "xoxb-bot-token-8812ee"),
];

/// Which is which.
pub fn secret(name: &str) -> &'static str {
    SECRETS.iter().find(|(known, _)| *known == name).unwrap().1
}

/// A daemon on [`DESK`] that sends nothing.
pub fn sandboxed() -> Daemon {
    sandboxed_on(DESK)
}

/// The same on another matrix with the same secrets.
pub fn sandboxed_on(matrix: &str) -> Daemon {
    setup(matrix).arg("--sandbox").start()
}

/// The same, not started yet.
pub fn setup(matrix: &str) -> Setup {
    SECRETS.iter().fold(Setup::new(matrix), |setup, (name, value)| setup.env(name, value))
}

/// Looks again and again until there is something; what takes longer than [`PATIENCE`] will not come.
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "this did not come: {what}");
        sleep(Duration::from_millis(10));
    }
}

/// What went back for an answer, without what it says that the incident is about.
pub fn verdict(reply: &str) -> &str {
    let (verdict, about) = reply.split_once(" About: ").unwrap_or_else(|| panic!("no incident is named: {reply}"));
    assert!(!about.is_empty() && reply.chars().count() <= 160, "{reply}");
    verdict
}

/// What one person holds: the newest brief that they were sent by this channel.
#[derive(Debug, Clone)]
pub struct Held {
    pub page: String,
    pub code: String,
    pub link: String,
}

impl Held {
    /// The path of the link.
    pub fn path(&self) -> &str {
        &self.link[self.link.find("/a/").unwrap()..]
    }
}

impl Daemon {
    /// An alert that opens an incident for this symbol; its id.
    pub fn crash(&self, symbol: &str) -> String {
        let alert = json!({ "kind": "price_velocity", "labels": { "symbol": symbol }, "values": { "drop_pct": 7.5 } });
        let reply = Call::post("/v1/alerts").bearer(secret("MONITOR_TOKEN")).json(&alert).send(self.address);
        assert_eq!(reply.status, 202, "{reply:?}");
        reply.json()["alerts"][0]["incidents"][0].as_str().unwrap().to_owned()
    }

    /// A request over the daemon's own socket.
    pub fn control(&self, call: &Call) -> Reply {
        call.send_unix(&self.state().join("stentor.sock"))
    }

    /// An incident as the API shows it.
    pub fn incident(&self, id: &str) -> Value {
        self.control(&Call::get(&format!("/v1/incidents/{id}"))).json()
    }

    /// What the buttons of its card in a room hold.
    pub fn room_button(&self, id: &str) -> String {
        format!("{id}:room-{}", self.incident(id)["mark"].as_str().unwrap())
    }

    /// One role of it.
    pub fn role(&self, id: &str, role: &str) -> Value {
        let incident = self.incident(id);
        let mut roles = incident["roles"].as_array().unwrap().iter();
        roles.find(|row| row["role"] == role).cloned().unwrap_or_default()
    }

    /// Every incident, newest first.
    pub fn incidents(&self) -> Vec<Value> {
        let reply = self.control(&Call::get("/v1/incidents?all=true&limit=1000"));
        reply.json().as_array().unwrap().clone()
    }

    /// What would have been sent so far.
    pub fn outbox(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.state().join("outbox.jsonl")).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The brief of an incident in a person's hands.
    pub fn held(&self, incident: &str, person: &str, channel: &str) -> Held {
        let page_of = format!("{incident}.");
        eventually(&format!("a page of {incident} for {person} by {channel}"), || {
            let entry = self.outbox().into_iter().rev().find(|entry| {
                let page = entry["page"].as_str().unwrap_or_default();
                page.starts_with(&page_of)
                    && entry["person"] == person
                    && entry["channel"] == channel
                    && entry["code"].is_string()
            })?;
            let text = |name: &str| entry[name].as_str().unwrap().to_owned();
            Some(Held { page: text("page"), code: text("code"), link: text("link") })
        })
    }

    /// Waits until an incident looks so.
    pub fn until(&self, id: &str, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        eventually(&format!("{id}: {what}"), || Some(self.incident(id)).filter(|incident| is(incident)))
    }
}

/// Changes the database of a daemon behind its back.
pub fn sql(daemon: &Daemon, words: &'static str) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(daemon.state().join("stentor.db"));
    let options = options.busy_timeout(std::time::Duration::from_secs(10));
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let mut conn = sqlx::ConnectOptions::connect(&options).await.unwrap();
        sqlx::raw_sql(words).execute(&mut conn).await.unwrap();
        sqlx::Connection::close(conn).await.unwrap();
    });
}
