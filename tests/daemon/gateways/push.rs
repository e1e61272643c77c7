//! ntfy's own buttons: a press on the phone posts to the person's link, without opening it.

use super::{
    common::Setup,
    double::{
        self,
        service::{Manners, Service},
    },
    house::eventually,
    wire::Call,
};
use serde_json::json;
use tokio::runtime::Runtime;

const TAKEN: Manners = Manners { yes: (200, r#"{"id":"xE73Iyuabi","event":"message"}"#), no: (400, ""), unwanted: "" };

const MATRIX: &str = r#"
daemon.public_url = "https://stentor.example.com"
source.monitor = { token = { env = "MONITOR" }, drills = true }

[person.ana]
name = "Ana Ruiz"
[person.bo]
name = "Bo Lind"

[channel.push-ana]
kind = "ntfy"
url = { env = "TOPIC" }
personal = true

[channel.push-all]
kind = "ntfy"
url = { env = "TOPIC" }

[role.trader]
step = [{ page = ["ana"], by = ["push-ana", "push-all"], wait = "60s" }, { page = ["bo"], by = ["push-all"], wait = "60s" }]

[role.watch]
engaged_by = "roger"
step = [{ page = ["ana"], by = ["push-ana"], wait = "60s" }]

[trigger.crash]
on = ["crash"]
summary = "crash"
roles = ["trader"]

[trigger.look]
on = ["look"]
summary = "look"
roles = ["watch"]
"#;

/// One button in ntfy's short form (<https://docs.ntfy.sh/publish/#using-a-header>): `http, label, url, key=value, ..`.
struct Button {
    action: String,
    label: String,
    url: String,
    rest: Vec<String>,
}

fn buttons(actions: &str) -> Vec<Button> {
    let parsed = actions.split("; ").filter(|one| !one.is_empty()).map(|one| {
        let mut parts = one.split(", ").map(|part| part.trim().to_owned());
        let mut next = || parts.next().unwrap_or_default();
        let (action, label, url) = (next(), next(), next());
        Button { action, label, url, rest: parts.collect() }
    });
    parsed.collect()
}

impl Button {
    fn has(&self, part: &str) -> bool {
        self.rest.iter().any(|known| known == part)
    }

    /// What the app on the phone posts.
    fn press(&self) -> Call {
        assert!(self.has("method=POST") && self.has("clear=true"), "{:?}", self.rest);
        assert!(self.has("headers.Content-Type=application/x-www-form-urlencoded"), "{:?}", self.rest);
        let body = self.rest.iter().find_map(|part| part.strip_prefix("body='")?.strip_suffix('\'')).unwrap();
        let (name, value) = body.split_once('=').unwrap();
        Call::post(&self.url["https://stentor.example.com".len()..]).form(&[(name, value)])
    }
}

#[test]
fn a_button_of_the_push_answers_and_a_topic_of_many_has_none() {
    double::install_tls();
    let runtime = Runtime::new().unwrap();
    let ntfy = runtime.block_on(Service::start(TAKEN));
    let daemon = Setup::new(MATRIX)
        .env("TOPIC", &format!("{}/topic", ntfy.url()))
        .env("MONITOR", "a-token-of-the-monitor")
        .start();
    let fire = |kind: &str, drill: bool| {
        let alert = json!({ "kind": kind, "labels": {}, "drill": drill });
        let reply = Call::post("/v1/alerts").bearer("a-token-of-the-monitor").json(&alert).send(daemon.address);
        reply.json()["alerts"][0]["incidents"][0].as_str().unwrap().to_owned()
    };
    let pushed = |incident: &str| {
        eventually(&format!("the push of {incident}"), || {
            ntfy.accepted().into_iter().find_map(|push| {
                let url = reqwest::Url::parse(&format!("http://ntfy{}", push.path)).ok()?;
                let query: std::collections::BTreeMap<String, String> = url.query_pairs().into_owned().collect();
                let is_ours = query["title"].ends_with(&format!(" {incident}")) && query["priority"] == "5";
                (is_ours && query["actions"].starts_with("http")).then_some(query)
            })
        })
    };
    let incident = fire("crash", false);
    let push = pushed(&incident);
    let offered = buttons(&push["actions"]);
    let labels: Vec<&str> = offered.iter().map(|button| button.label.as_str()).collect();
    assert_eq!(labels, ["I have it", "Pass on", "Open"]);
    assert_eq!((offered[2].action.as_str(), &offered[2].url), ("view", &push["click"]));
    let role = |incident: &str, role: &str| {
        let shown = daemon.incident(incident);
        shown["roles"].as_array().unwrap().iter().find(|row| row["role"] == role).unwrap().clone()
    };
    assert_eq!(role(&incident, "trader")["state"], "paging");
    assert_eq!(offered[1].press().send(daemon.address).status, 200);
    eventually("bo is paged", || {
        let shown = daemon.incident(&incident);
        shown["pages"].as_array()?.iter().any(|page| page["person"] == "bo").then_some(())
    });
    assert_eq!(offered[0].press().send(daemon.address).status, 200);
    let taken = role(&incident, "trader");
    assert_eq!((&taken["state"], &taken["holder"]), (&json!("engaged"), &json!("Ana Ruiz")));
    // A topic that others read too has no button that answers, and no link of hers.
    let shared = ntfy.accepted().into_iter().filter(|push| !push.path.contains("actions=http"));
    let shared: Vec<String> = shared.map(|push| push.path).collect();
    assert!(!shared.is_empty() && shared.iter().all(|path| !path.contains("%2Fa%2F")), "{shared:?}");
    // A role that roger engages is offered that; an exercise says so on every button.
    daemon.cli(&["resolve", &incident]);
    let push = pushed(&fire("look", true));
    let offered = buttons(&push["actions"]);
    let labels: Vec<&str> = offered.iter().map(|button| button.label.as_str()).collect();
    assert_eq!(labels, ["Received (exercise)", "Pass on (exercise)", "Open (exercise)"]);
}
