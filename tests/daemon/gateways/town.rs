//! A daemon among the services that its channels lead to.

use super::{
    common::Daemon,
    double::{
        self,
        gateway::Gateway,
        service::{Manners, Received, Service},
    },
    house::{eventually, secret, setup},
    wire::{Call, Reply},
};
use serde_json::{Value, json};
use std::path::PathBuf;
use tokio::runtime::Runtime;

pub const SMS_BEARER: &str = "sms-bearer-secret-20af";
pub const SMS_TOKEN: &str = "sms-token-secret-77b1";
pub const SMS_TOKEN_NEXT: &str = "sms-token-next-secret-03cd";
pub const AUDIT_KEY: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
pub const AUDIT_KEY_NEXT: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The phones, as the gateway writes them.
pub const ANA: &str = "447700900001";
pub const BO: &str = "447700900002";

const GATEWAY: Manners = Manners { yes: (200, r#"{"status":"queued","id":"m-17"}"#), no: (400, ""), unwanted: "" };

/// The daemon is first, so that it ends first.
pub struct Town {
    pub daemon: Daemon,
    pub sms: Service,
    pub kannel: Gateway,
    pub teams: Service,
    pub matter: Service,
    pub audit: Service,
    lamp: PathBuf,
    _runtime: Runtime,
}

/// What a person holds in their hands.
pub struct Held {
    pub code: String,
    pub callback: String,
}

impl Held {
    /// Without the host.
    pub fn callback_path(&self) -> &str {
        path(&self.callback)
    }
}

/// A URL without its host.
pub fn path(url: &str) -> &str {
    &url[url.find("/hooks/").unwrap()..]
}

impl Town {
    pub fn start() -> Self {
        double::install_tls();
        let runtime = Runtime::new().unwrap();
        let answers = |status, body| Manners { yes: (status, body), no: (400, ""), unwanted: "" };
        let (sms, kannel, teams, matter, audit) = runtime.block_on(async {
            (
                Service::start(GATEWAY).await,
                Gateway::start().await,
                Service::start(answers(202, "")).await,
                Service::start(answers(200, "ok")).await,
                Service::start(answers(204, "")).await,
            )
        });
        let draft = setup("");
        let lamp = draft.dir.path().join("lamp");
        let matrix = include_str!("desk.toml").replace("KANNEL_URL", &kannel.url());
        let matrix = matrix.replace("LAMP", &lamp.display().to_string());
        std::fs::create_dir(&lamp).unwrap();
        std::fs::write(lamp.join("script"), "cat >> \"$1/pages\"; echo >> \"$1/pages\"; echo lit\n").unwrap();
        let folder = draft.dir.path().join("matrix");
        for file in std::fs::read_dir(&folder).unwrap() {
            std::fs::remove_file(file.unwrap().path()).unwrap();
        }
        std::fs::write(folder.join("matrix.toml"), matrix).unwrap();
        let daemon = [
            ("SMS_URL", sms.url().as_str()),
            ("SMS_BEARER", SMS_BEARER),
            ("SMS_TOKEN", SMS_TOKEN),
            ("SMS_TOKEN_NEXT", SMS_TOKEN_NEXT),
            ("KANNEL_PASSWORD", double::gateway::PASSWORD),
            ("TEAMS_URL", &teams.url()),
            ("MATTER_URL", &matter.url()),
            ("AUDIT_URL", &audit.url()),
            ("AUDIT_KEY", AUDIT_KEY),
            ("AUDIT_KEY_NEXT", AUDIT_KEY_NEXT),
        ]
        .into_iter()
        .fold(draft, |setup, (name, value)| setup.env(name, value))
        .start();
        Self { daemon, sms, kannel, teams, matter, audit, lamp, _runtime: runtime }
    }

    /// An alert of this kind; its incident.
    pub fn alert(&self, kind: &str, symbol: &str, drill: bool) -> String {
        let alert = json!({ "kind": kind, "labels": { "symbol": symbol }, "drill": drill });
        let reply = Call::post("/v1/alerts").bearer(secret("MONITOR_TOKEN")).json(&alert).send(self.daemon.address);
        assert_eq!(reply.status, 202, "{reply:?}");
        reply.json()["alerts"][0]["incidents"][0].as_str().unwrap().to_owned()
    }

    /// What the gateway has taken for a phone, of one incident.
    pub fn texts(&self, incident: &str, to: &str) -> Vec<Received> {
        let names = |text: &str| text.split_whitespace().any(|word| word.trim_end_matches([':', '.', ',']) == incident);
        let all = self.sms.accepted().into_iter();
        all.filter(|sms| sms.json()["to"] == to && names(sms.json()["text"].as_str().unwrap())).collect()
    }

    /// The brief on a phone.
    pub fn held(&self, incident: &str, to: &str) -> Held {
        let brief = eventually(&format!("a text of {incident} for {to}"), || {
            self.texts(incident, to).into_iter().find(|sms| !sms.json()["callback"].as_str().unwrap().is_empty())
        });
        let sms = brief.json();
        let text = sms["text"].as_str().unwrap();
        let words = text.split(|c: char| !c.is_ascii_digit());
        let code = words.into_iter().find(|word| word.len() == 5).unwrap_or_else(|| panic!("no code in {text}"));
        Held { code: code.to_owned(), callback: sms["callback"].as_str().unwrap().to_owned() }
    }

    /// A reply, as the gateway hands it over.
    pub fn reply(&self, token: &str, from: &str, text: &str) -> Reply {
        let call = Call::post(&format!("/hooks/http/sms?token={token}")).json(&json!({ "from": from, "text": text }));
        call.send(self.daemon.address)
    }

    /// What the lamp was given.
    pub fn lit(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.lamp.join("pages")).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// What the system was told of an incident.
    pub fn told(&self, incident: &str) -> Vec<Received> {
        self.audit.accepted().into_iter().filter(|event| event.json()["data"]["incident"] == incident).collect()
    }

    /// A page of an incident that is so.
    pub fn page(&self, incident: &str, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        eventually(&format!("{incident}: {what}"), || {
            let shown = self.daemon.incident(incident);
            shown["pages"].as_array()?.iter().find(|page| is(page)).cloned()
        })
    }
}
