//! One fact is repeated with a choice, on each way that people decide by.

use super::{Daemon, accepted, incident, kill, look, matrix, sandboxed_on};
use crate::{
    answers::{
        desk::{Line as DeskStream, answer, cookie},
        slack::{self, button, send},
        sms::{ANA, text},
    },
    house::secret,
    wire::Call,
};
use serde_json::{Value, json};

const REPEAT: &str = "nothing was counted: repeat EQ-2 (desk) with your choice";

fn open() -> (Daemon, Value) {
    let daemon = sandboxed_on(&matrix("after = \"5m\", read_back = \"labels.desk\""));
    let request = accepted(&daemon, &kill());
    (daemon, request)
}

fn shown(daemon: &Daemon, channel: &str) -> String {
    let entry =
        daemon.outbox().into_iter().find(|entry| entry["person"] == "ana" && entry["channel"] == channel).unwrap();
    entry["body"].as_str().unwrap().to_owned()
}

#[test]
fn by_text_it_stands_behind_the_option_and_nothing_else_decides() {
    let (daemon, request) = open();
    assert_eq!(request["read_back"], "labels.desk");
    let ana = daemon.held(incident(&request), "ana", "sms");
    let page = shown(&daemon, "sms");
    assert!(page.contains(", each with EQ-2 (desk),"), "{page}");
    for said in ["CODE A", "CODE A EQ-3", "A not EQ-2 CODE", "CODE A 2", "CODE approve yes", "CODE Deny"] {
        let reply = text(&daemon, ANA, &said.replace("CODE", &ana.code));
        assert!(reply.body.ends_with(REPEAT), "{said}: {reply:?}");
        let now = look(&daemon, &request["id"], "");
        assert_eq!((&now["state"], &now["choices"]), (&json!("open"), &json!([])), "{said}: {reply:?}");
    }
    let unclear = text(&daemon, ANA, &format!("{} EQ-2", ana.code));
    assert!(unclear.body.contains(", each with EQ-2 (desk) and nothing else"), "{unclear:?}");
    let reply = text(&daemon, ANA, &format!("{} a eq-2", ana.code));
    assert!(reply.body.ends_with("it is decided"), "{reply:?}");
    assert_eq!(look(&daemon, &request["id"], "")["outcome"]["option"], "approve");
}

#[test]
fn on_the_desk_and_behind_a_mails_link_it_is_typed_beside_the_buttons() {
    let (daemon, request) = open();
    let signed_in = cookie(&daemon, "ana");
    let mut stream = DeskStream::open(&daemon, &signed_in);
    let state = stream.state(|state| !state["pages"].as_array().unwrap().is_empty());
    let (card, csrf) = (state["pages"][0].clone(), state["csrf"].as_str());
    assert_eq!(card["repeat"], "EQ-2 (desk)", "{card}");
    let page = card["page"].as_str().unwrap();
    let told = answer(&daemon, &signed_in, csrf, page, "option deny").json();
    assert_eq!((&told["verdict"], &told["text"]), (&json!("not-repeated"), &json!(REPEAT)));
    let press = |repeated: &str| {
        let body = json!({ "page": page, "answer": "option deny", "repeated": repeated });
        let call = Call::post("/desk/answer").header("Cookie", &signed_in).header("X-Stentor-Csrf", csrf.unwrap());
        call.json(&body).send(daemon.address).json()
    };
    assert_eq!(press("EQ-3")["verdict"], "not-repeated");
    let mail = daemon.held(incident(&request), "ana", "mail");
    let shown = Call::get(mail.path()).send(daemon.address).body;
    assert!(shown.contains("To decide, repeat EQ-2 (desk)") && shown.contains("name=\"repeated\""), "{shown}");
    // Enter in the field presses the first button of the form: it is none of the options.
    let first = shown.find("<button").unwrap();
    assert!(shown[first..].starts_with("<button disabled hidden>"), "{shown}");
    let pressed = |fields: &[(&str, &str)]| Call::post(mail.path()).form(fields).send(daemon.address).body;
    let without = pressed(&[("answer", "option approve"), ("repeated", "")]);
    assert!(without.contains("Nothing was counted: repeat EQ-2 (desk)"), "{without}");
    assert_eq!(look(&daemon, &request["id"], "")["state"], "open");
    let decided = pressed(&[("answer", "option approve"), ("repeated", "eq 2")]);
    assert!(decided.contains("It is decided"), "{decided}");
    assert_eq!(look(&daemon, &request["id"], "")["outcome"]["option"], "approve");
    assert!(!Call::get(mail.path()).send(daemon.address).body.contains("name=\"repeated\""), "it is over");
    let late = press("EQ-2");
    assert_eq!(late["verdict"], "too-late", "{late}");
}

#[test]
fn a_button_in_slack_decides_nothing_and_says_where() {
    let (daemon, request) = open();
    let held = daemon.held(incident(&request), "ana", "room");
    let page = shown(&daemon, "room");
    assert!(page.contains("choose on the desk, by the link of a mail or by a text message"), "{page}");
    assert!(page.contains("Repeat EQ-2 (desk) with your choice."), "{page}");
    assert_eq!(send(&daemon, slack::ANA, "A", &button(&held)).status, 200);
    assert_eq!(look(&daemon, &request["id"], "")["choices"], json!([]));
}

#[test]
fn on_the_command_line_it_stands_behind_the_option() {
    let me = uzers::get_current_username().unwrap().to_string_lossy().into_owned();
    let person = format!("name  = \"Ana Ruiz\"\nunix = \"{me}\"");
    let rules = matrix("after = \"5m\", read_back = \"values.orders\"").replace("name  = \"Ana Ruiz\"", &person);
    let daemon = sandboxed_on(&rules);
    let request = accepted(&daemon, &kill());
    let id = incident(&request);
    let without = daemon.cli(&["answer", id, "approve"]);
    let said = String::from_utf8_lossy(&without.stdout);
    assert!(
        said.contains("repeat 1204 (orders)") && said.contains(&format!("stentor answer {id} approve FACT")),
        "{said}"
    );
    assert_eq!(look(&daemon, &request["id"], "")["state"], "open");
    assert!(!without.status.success(), "{without:?}");
    assert!(daemon.cli(&["answer", id, "approve", "1,204"]).status.success());
    assert_eq!(look(&daemon, &request["id"], "")["outcome"]["option"], "approve");
}

#[test]
fn a_request_without_the_fact_is_refused_and_an_alert_without_it_pages_without_asking() {
    let rules =
        "after = \"5m\", from_alerts = true, read_back = \"labels.desk\" }\nkey = 'alert.labels.chat'\nx = { y = 1";
    let daemon = sandboxed_on(&matrix(rules).replace("\nx = { y = 1 }", ""));
    let ask = |labels: Value| {
        let body = json!({ "kind": "order_kill", "labels": labels, "ask": kill() });
        Call::post("/v1/requests").bearer(secret("MONITOR_TOKEN")).json(&body).send(daemon.address)
    };
    let refused = ask(json!({ "chat": "c-1" }));
    assert_eq!(refused.status, 422, "{refused:?}");
    assert!(refused.body.contains("repeat `labels.desk`: the request must have it"), "{refused:?}");
    assert_eq!(daemon.incidents().len(), 0);
    let request = ask(json!({ "chat": "c-1", "desk": "EQ-2" })).json();
    let path = format!("/v1/requests/{}/facts", request["id"].as_str().unwrap());
    let without = json!({ "labels": { "chat": "c-1" } });
    let anew = Call::new("PUT", &path).bearer(secret("MONITOR_TOKEN")).json(&without).send(daemon.address);
    assert_eq!((anew.status, look(&daemon, &request["id"], "")["state"].clone()), (422, json!("open")), "{anew:?}");
    let alert = |labels: Value| {
        let alert = json!({ "kind": "order_kill", "labels": labels });
        Call::post("/v1/alerts").bearer(secret("MONITOR_TOKEN")).json(&alert).send(daemon.address).json()
    };
    let paged = alert(json!({ "chat": "c-1" }));
    assert_eq!(
        (&paged["alerts"][0]["results"][0]["result"], &paged["alerts"][0]["request"]),
        (&json!("opened"), &Value::Null)
    );
    let asked = alert(json!({ "desk": "EQ-2", "chat": "c-2" }));
    assert_eq!(asked["alerts"][0]["request"]["state"], "open", "{asked}");
}
