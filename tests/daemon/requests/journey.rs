//! The journey of a conversation as the program follows it that handed it over: so it falls silent at the right moment.

use super::{
    Daemon,
    handoff::{handed, matrix},
    incident,
    taker::Desk,
    way_back::{EventStream, KEY, TAKEN, checked, get},
};
use crate::{
    double::{self, service::Service},
    house::{eventually, setup},
    wire::Call,
};
use serde_json::{Value, json};

/// The next event of a stream, with the state of the conversation and who speaks to the user.
fn next(stream: &mut EventStream) -> (String, Value, Value) {
    let (_, name, data) = stream.next().expect("another event");
    let handoff = &data["handoff"];
    assert!(handoff["message"].is_string(), "{data}");
    (name, handoff["state"].clone(), handoff["owner"].clone())
}

fn step(name: &str, state: &str, owner: &str) -> (String, Value, Value) {
    (name.into(), json!(state), json!(owner))
}

fn daemon_with(bank: &str) -> Daemon {
    let hook = format!(
        "[channel.bank]\nkind = \"webhook\"\nurl = {bank:?}\nkeys = [{{ env = \"BANK_KEY\" }}]\nallow = [\"127.0.0.0/8\"]\n"
    );
    let toml = matrix("after = \"10m\"")
        .replace("roles = [\"trader\"]\nhandoff", "roles = [\"trader\"]\nwebhooks = [\"bank\"]\nhandoff");
    setup(&(toml + &hook)).env("BANK_KEY", KEY).start()
}

#[test]
fn each_step_of_a_conversation_is_an_event_and_the_receipt_names_who_ended_it() {
    double::install_tls();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let bank = runtime.block_on(Service::start(TAKEN));
    let daemon = daemon_with(&bank.url());
    let request = handed(&daemon);
    let mut stream = EventStream::open(&daemon, &request["id"], "");
    assert_eq!(next(&mut stream), step("request.opened", "offered", "machine"));
    let (ana, bo) = (Desk::of(&daemon, "ana", incident(&request)), Desk::of(&daemon, "bo", incident(&request)));
    ana.press("take", "");
    assert_eq!(next(&mut stream), step("handoff.assigned", "assigned", "machine"));
    ana.press("connect", "");
    assert_eq!(next(&mut stream), step("handoff.connected", "connected", "person"));
    ana.press("pass", "it is about a mortgage");
    assert_eq!(next(&mut stream), step("handoff.passed_on", "offered", "machine"));
    bo.press("take", "");
    assert_eq!(next(&mut stream), step("handoff.assigned", "assigned", "machine"));
    bo.press("return", "it only needed the opening hours");
    assert_eq!(next(&mut stream), step("request.ended", "returned", "machine"));
    assert_eq!(stream.next(), None);
    let told = eventually("all events", || {
        let told = bank.accepted();
        let of = |name: &str| told.iter().filter(|event| event.json()["type"] == name).count();
        let counts = ["handoff.assigned", "handoff.connected", "handoff.passed_on", "request.ended"].map(of);
        (counts == [2, 1, 1, 1]).then_some(told)
    });
    let ended = told.iter().map(|event| event.json()).find(|event| event["type"] == "request.ended").unwrap();
    assert_eq!(ended["data"]["request"]["handoff"], json!({ "state": "returned", "owner": "machine" }), "{ended}");
    let keys = Call::get("/v1/keys").send(daemon.address).body;
    let claims = checked(&keys, &get(&daemon, &request["id"], "/receipt").body).expect("a valid receipt");
    let by = &claims["by"];
    assert_eq!(
        (&by[0]["person"], &by[0]["via"], by.as_array().unwrap().len()),
        (&json!("bo"), &json!("desk"), 1),
        "{by}"
    );
    assert_eq!((&by[0]["at"], by[0].get("option")), (&claims["ended_at"], None), "{claims}");
}
