//! A gateway that accepts, behind which nothing is delivered: acceptance is not delivery.

use super::{
    common::Setup,
    double::{
        self,
        gateway::{Gateway, PASSWORD},
    },
    house::eventually,
    town::path,
    wire::Call,
};
use serde_json::Value;

const MATRIX: &str = r#"
[channel.sms]
kind = "kannel"
url = "FIRST"
username = "tester"
password = { env = "GATEWAY_PASSWORD" }
report_timeout = "REPORT"

[channel.other-sms]
kind = "kannel"
url = "SECOND"
username = "tester"
password = { env = "GATEWAY_PASSWORD" }
report_timeout = "never"

[person.ana]
name = "Ana Ruiz"
phone = "+447700900001"

[person.bo]
name = "Bo Lind"
phone = "+447700900002"

[role.trader]
step = [{ page = ["ana"], by = ["sms"], wait = "10m" }, { page = ["bo"], by = ["sms"], wait = "10m" }]

[trigger.crash]
on = ["crash"]
roles = ["trader"]

[catch-all]
page = ["bo"]
by = ["other-sms"]
"#;

#[test]
fn a_text_without_a_delivery_report_goes_by_the_next_channel_too_and_nobody_is_passed() {
    let shown = after_acceptance("1s", |_, _| ());
    let pages = shown["pages"].as_array().unwrap();
    let of = |channel: &str| pages.iter().find(|page| page["channel"] == channel).unwrap();
    let (first, second) = (of("sms"), of("other-sms"));
    assert_eq!(second["instead_of"], first["n"], "{shown}");
    assert_eq!((&first["state"], &first["last_error"]), (&"accepted".into(), &"no delivery report in 1s".into()));
    assert!(pages.iter().all(|page| page["person"] == "ana"), "the ladder waits for her: {shown}");
}

#[test]
fn a_text_whose_report_came_in_time_goes_nowhere_else() {
    let shown = after_acceptance("10m", |gateway, daemon| {
        let sms = gateway.accepted().remove(0);
        let report = path(&sms.fields["dlr-url"]).replace("%d", "1");
        assert_eq!(Call::get(&report).send(daemon).status, 204);
    });
    assert_eq!(shown["pages"].as_array().unwrap().len(), 1, "{shown}");
    assert!(shown["pages"][0]["delivered"].is_number(), "{shown}");
}

/// The incident, once the first gateway has taken Ana's text, `then` was done, and a second text or a report is known.
fn after_acceptance(report: &str, then: impl FnOnce(&Gateway, std::net::SocketAddr)) -> Value {
    double::install_tls();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (first, second) = runtime.block_on(async { (Gateway::start().await, Gateway::start().await) });
    let matrix = MATRIX.replace("FIRST", &first.url()).replace("SECOND", &second.url()).replace("REPORT", report);
    let daemon = Setup::new(&matrix).env("GATEWAY_PASSWORD", PASSWORD).start();
    assert!(daemon.cli(&["fire", "crash"]).status.success());
    eventually("the text", || (!first.accepted().is_empty()).then_some(()));
    daemon.until("INC-1", "it is accepted", |shown| shown["pages"][0]["state"] == "accepted");
    then(&first, daemon.address);
    daemon.until("INC-1", "another text, or a report", |shown| {
        let pages = shown["pages"].as_array().unwrap();
        pages.iter().any(|page| page["delivered"].is_number())
            || pages.iter().any(|page| page["channel"] == "other-sms" && page["state"] == "accepted")
    });
    daemon.incident("INC-1")
}
