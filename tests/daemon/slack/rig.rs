//! A daemon with a double of Slack, and the two ways in.

use super::{
    common::{Daemon, Setup},
    double::socket_mode::{APP_TOKEN, SocketMode},
    house::{eventually, secret, setup},
    wire::{Call, Reply, form},
};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

pub const ANA: &str = "U0000000ANA";
pub const BO: &str = "U00000000BO";
pub const DORA: &str = "U000000DORA";
pub const ZOE: &str = "U0000000ZOE";
pub const STRANGER: &str = "U00STRANGER";

/// The signing secret that is being changed in.
pub const NEXT: &str = "signing-next-5e1f20";

/// Both ways in.
pub const WAYS: [Way; 2] = [Way::Http, Way::Socket];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Http,
    Socket,
}

/// A daemon whose Slack is a double.
pub struct Rig {
    // First, so that it ends first.
    pub daemon: Daemon,
    pub slack: SocketMode,
}

impl Rig {
    pub fn start() -> Self {
        let slack = SocketMode::start();
        let daemon = Self::setup(&slack).start();
        slack.until_links(2);
        Self { daemon, slack }
    }

    /// A daemon that is not started yet.
    pub fn setup(slack: &SocketMode) -> Setup {
        let matrix = include_str!("house.toml").replace("SLACK_URL", &slack.api_url());
        let setup = setup(&matrix).env("STENTOR_SLACK_HOOKS", &slack.hooks()).env("STENTOR_LOG", "debug");
        std::fs::write(setup.dir.path().join("app-token"), APP_TOKEN).unwrap();
        setup.env("SLACK_SIGNING_SECRET_NEXT", NEXT)
    }

    /// An incident; returns once its direct messages are with Slack.
    pub fn crash(&self, symbol: &str) -> String {
        let incident = self.daemon.crash(symbol);
        for user in [ANA, BO, DORA] {
            self.button(&incident, user);
        }
        incident
    }

    /// What the buttons of a person's direct message about an incident hold.
    pub fn button(&self, incident: &str, user: &str) -> String {
        let begins = format!("{incident}.");
        self.slack.until(&format!("{user}'s page of {incident}"), |world| {
            let posts = world.posts.iter().filter(|post| post["channel"] == user);
            let blocks = posts.flat_map(|post| post["blocks"].as_array().into_iter().flatten());
            let buttons = blocks.flat_map(|block| block["elements"].as_array().into_iter().flatten());
            let mut values = buttons.filter_map(|button| button["value"].as_str());
            values.find(|value| value.starts_with(&begins)).map(str::to_owned)
        })
    }

    /// A button pressed; the private word that came of it, and whether Slack was told that it came.
    pub fn press(&self, way: Way, user: &str, action: &str, value: &str) -> (bool, String) {
        let before = self.slack.world().words.len();
        let taken = self.hand_in(way, &press(user, action, value, &self.slack.hooks()));
        let word = self.slack.until("the private word", |world| world.words.get(before).cloned());
        assert_eq!(word["response_type"], "ephemeral");
        (taken, word["text"].as_str().unwrap().to_owned())
    }

    /// A payload of a button handed in; whether Slack was told that it came.
    pub fn hand_in(&self, way: Way, payload: &Value) -> bool {
        match way {
            Way::Http => {
                signed(&form(&[("payload", &payload.to_string())]), now()).send(self.daemon.address).status == 200
            }
            Way::Socket => {
                let id = self.slack.send("interactive", payload, false);
                self.slack.ack(&id).frame == json!({ "envelope_id": id })
            }
        }
    }

    /// A command typed; the words that its user sees. It is always answered with a 200.
    pub fn type_in(&self, way: Way, user: &str, text: &str) -> String {
        self.type_as(way, &typed(user, text))
    }

    pub fn type_as(&self, way: Way, fields: &[(String, String)]) -> String {
        let answer = match way {
            Way::Http => {
                let reply = self.post(fields);
                assert_eq!(reply.status, 200, "{reply:?}");
                reply.json()
            }
            Way::Socket => {
                let object: serde_json::Map<String, Value> =
                    fields.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
                let id = self.slack.send("slash_commands", &object.into(), true);
                self.slack.ack(&id).frame["payload"].clone()
            }
        };
        assert_eq!(answer["response_type"], "ephemeral", "{answer}");
        answer["text"].as_str().unwrap().to_owned()
    }

    fn post(&self, fields: &[(String, String)]) -> Reply {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        signed(&form(&fields), now()).send(self.daemon.address)
    }

    pub fn role(&self, incident: &str, role: &str) -> Value {
        self.daemon.role(incident, role)
    }

    /// What `/readyz` says of the links.
    pub fn links(&self) -> Value {
        self.daemon.control(&Call::get("/readyz")).json()["inbound_connections"]["room"].clone()
    }

    /// A number of the metrics.
    pub fn metric(&self, name: &str) -> f64 {
        let text = self.daemon.control(&Call::get("/metrics")).body;
        let line = text.lines().find(|line| line.starts_with(&format!("stentor_{name}{{channel=\"room\"}}")));
        line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(-1.0)
    }

    pub fn until_up(&self, count: u64) {
        eventually(&format!("{count} links in /readyz"), || (self.links()["up"] == count).then_some(()));
    }

    /// How often a word stands in the journal of an incident.
    pub fn journaled(&self, incident: &str, word: &str) -> usize {
        self.daemon.control(&Call::get(&format!("/v1/journal?chain={incident}"))).body.matches(word).count()
    }
}

pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

/// Slack's v0 signature.
pub fn signature(secret: &str, at: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    for part in [b"v0:", at.as_bytes(), b":", body] {
        mac.update(part);
    }
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("v0={hex}")
}

/// What Slack sends when a form is sent: the modal as it was opened, and what was typed into it.
pub fn sent(user: &str, view: &Value, typed: &[(&str, Value)]) -> Value {
    let state = |(field, element): &(&str, Value)| (format!("field:{field}"), json!({ "value": element }));
    let values: serde_json::Map<String, Value> = typed.iter().map(state).collect();
    let mut view = view.clone();
    view["state"] = json!({ "values": values });
    json!({
        "type": "view_submission", "team": null, "enterprise": { "id": "E1" }, "is_enterprise_install": true,
        "user": { "id": user, "username": "x" }, "trigger_id": "1.2.3", "view": view, "response_urls": [],
    })
}

/// A request as Slack sends it.
pub fn signed(body: &str, at: i64) -> Call {
    let at = at.to_string();
    let signature = signature(secret("SLACK_SIGNING_SECRET"), &at, body.as_bytes());
    bare(body.as_bytes()).header("X-Slack-Request-Timestamp", &at).header("X-Slack-Signature", &signature)
}

/// The same without its signature.
pub fn bare(body: &[u8]) -> Call {
    let call = Call::post("/hooks/slack/room").header("Content-Type", "application/x-www-form-urlencoded");
    call.body(body)
}

/// What Slack sends when a button is pressed in an organisation's app: `team` is null.
pub fn press(user: &str, action: &str, value: &str, hooks: &str) -> Value {
    json!({
        "type": "block_actions", "team": null, "enterprise": { "id": "E1" }, "is_enterprise_install": true,
        "user": { "id": user, "username": "x" }, "trigger_id": "1.2.3", "response_url": format!("{hooks}actions/1"),
        "container": { "type": "message", "message_ts": "1700000000.1", "channel_id": "D1" },
        "actions": [{ "type": "button", "action_id": format!("answer:{action}"), "value": value }],
    })
}

/// The fields of a command that was typed just now.
pub fn typed(user: &str, text: &str) -> Vec<(String, String)> {
    static TYPED: AtomicU64 = AtomicU64::new(0);
    let trigger = format!("13345224609.738474920.{:x}", TYPED.fetch_add(1, Ordering::Relaxed));
    let fields = [
        ("token", "legacy"),
        ("team_id", "T1"),
        ("channel_name", "trading <1>"),
        ("user_id", user),
        ("user_name", "somebody"),
        ("command", "/stentor"),
        ("text", text),
        ("trigger_id", &trigger),
    ];
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
