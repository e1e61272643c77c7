//! Approvals with changes: the action is changed within bounds by who approves it, and the machine does that one.

use super::{
    Daemon, accepted, asking,
    form::Page,
    incident, kill, look, matrix, sandboxed_on, text,
    way_back::{KEY, TAKEN},
};
use crate::{
    answers::{slack, sms::ANA},
    double::{self, service::Service},
    house::{eventually, secret, setup},
    wire::Call,
};
use serde_json::{Value, json};

pub fn order() -> Value {
    json!({
        "type": "approval", "question": "Sell 100 ES at market?",
        "action": { "symbol": "ES", "side": "sell", "qty": 100, "note": "<b>" },
        "edit": {
            "type": "object",
            "properties": {
                "qty": { "type": "integer", "minimum": 1, "maximum": 100, "title": "Quantity" },
                "side": { "type": "string", "enum": ["buy", "sell"] },
            },
        },
    })
}

fn open(rules: &str) -> (Daemon, Value) {
    let daemon = sandboxed_on(&matrix(&format!("after = \"5m\", edits = true{rules}")));
    let request = accepted(&daemon, &order());
    assert_eq!(request["edit"], order()["edit"], "{request}");
    (daemon, request)
}

/// The digest of this action, as of one that was asked about.
fn digest_of(daemon: &Daemon, action: &Value) -> Value {
    accepted(daemon, &json!({ "type": "approval", "question": "The same?", "action": action }))["action_digest"].clone()
}

fn claims(daemon: &Daemon, request: &Value) -> Value {
    let path = format!("/v1/requests/{}/receipt", request["id"].as_str().unwrap());
    let receipt = Call::get(&path).bearer(secret("MONITOR_TOKEN")).send(daemon.address);
    serde_json::from_slice(&super::form::base64_url(receipt.body.split('.').nth(1).unwrap())).unwrap()
}

#[test]
fn it_is_changed_on_the_desk_and_the_machine_gets_the_action_to_do() {
    let (daemon, request) = open(", default = \"approve\"");
    let ana = Page::desk(&daemon, "ana", &request);
    let page = ana.shown();
    for said in [
        "<h2>Approve with changes</h2>",
        "Action: note &quot;&lt;b&gt;&quot;, qty 100, side sell, symbol ES",
        "value=\"100\" inputmode=\"numeric\"",
        "value=\"sell\" checked",
        "Approve with these values",
    ] {
        assert!(page.body.contains(said), "{said}: {page:?}");
    }
    let wrong = ana.send(&[("field.qty", "101"), ("field.side", "sell")]);
    assert!(wrong.status == 422 && wrong.body.contains("Quantity takes a whole number from 1 to 100."), "{wrong:?}");
    let empty = ana.send(&[("field.qty", " "), ("field.side", "sell")]);
    assert!(empty.status == 422 && empty.body.contains("Quantity is missing"), "{empty:?}");
    assert_eq!(look(&daemon, &request["id"], "")["state"], "open");
    let sent = ana.send(&[("field.qty", "60"), ("field.side", "sell")]);
    assert_eq!((sent.status, sent.header("location")), (303, Some(ana.path())), "{sent:?}");

    let decided = look(&daemon, &request["id"], "?wait=10s");
    let outcome = &decided["outcome"];
    let action = json!({ "symbol": "ES", "side": "sell", "qty": 60, "note": "<b>" });
    assert_eq!(
        (&decided["state"], &outcome["option"], &outcome["by"]),
        (&json!("decided"), &json!("approve"), &json!(["ana"]))
    );
    assert_eq!((&outcome["action"], &outcome["answer"]), (&action, &Value::Null), "{decided}");
    assert_eq!(outcome["changes"], json!([{ "field": "qty", "from": 100, "to": 60 }]));
    assert_eq!(outcome["action_digest"], digest_of(&daemon, &action), "it is that of one that was asked about");
    assert_ne!(outcome["action_digest"], decided["action_digest"]);
    let claims = claims(&daemon, &request);
    assert_eq!(
        (&claims["action_digest"], &claims["asked_digest"]),
        (&outcome["action_digest"], &decided["action_digest"])
    );
    assert_eq!((&claims["option"], &claims["changes"]), (&json!("approve"), &outcome["changes"]), "{claims}");
    // Who looks, who was asked too, and who is late read what was changed.
    let page = ana.shown();
    assert!(page.body.contains("<dt>Quantity</dt><dd>100 -&gt; 60</dd>") && !page.body.contains("<form"), "{page:?}");
    let shown = daemon.cli(&["show", incident(&request)]);
    let words = "approved with changes: qty 100 -> 60";
    assert!(String::from_utf8_lossy(&shown.stdout).contains(words), "{shown:?}");
    let code = daemon.held(incident(&request), "ana", "sms").code;
    let late = text(&daemon, ANA, &format!("{code} B"));
    assert!(late.body.contains(&format!("too late: ana {words}")), "{late:?}");
    let told = |person: &str| {
        let texts = daemon.outbox();
        texts.iter().any(|entry| entry["person"] == person && entry["body"].as_str().unwrap().contains(words))
    };
    eventually("bo is told", || told("bo").then_some(()));
    let verified = daemon.cli(&["journal", "verify"]);
    assert!(verified.status.success(), "{verified:?}");
}

#[test]
fn who_changes_nothing_approves_what_was_asked_and_others_do_it_by_text() {
    let (daemon, first) = open("");
    let bo = Page::mail(&daemon, "bo", &first);
    let page = bo.shown();
    assert!(
        page.body.contains("<details class=\"edit\">") && page.body.contains("<summary>Approve with changes"),
        "{page:?}"
    );
    let wrong = bo.send(&[("answer", "form"), ("field.qty", "0"), ("field.side", "sell")]);
    assert!(wrong.status == 422 && wrong.body.contains("<details class=\"edit\" open>"), "{wrong:?}");
    let sent = bo.send(&[("answer", "form"), ("field.qty", "100"), ("field.side", "sell")]);
    assert_eq!(sent.status, 303, "{sent:?}");
    let decided = look(&daemon, &first["id"], "");
    let outcome = &decided["outcome"];
    assert_eq!((&outcome["option"], &outcome["action"]), (&json!("approve"), &Value::Null), "{decided}");
    assert_eq!((&outcome["changes"], &outcome["action_digest"]), (&Value::Null, &Value::Null), "{decided}");
    assert_eq!(claims(&daemon, &first)["action_digest"], first["action_digest"]);
    // A text approves or denies what was asked, and says where it can be changed.
    let request = accepted(&daemon, &order());
    let ana = daemon.held(incident(&request), "ana", "sms");
    let shown = daemon.outbox().into_iter().find(|entry| entry["code"] == ana.code.as_str()).unwrap();
    assert!(shown["body"].as_str().unwrap().contains("See the desk for the action, or to change it."), "{shown}");
    for said in ["qty 60", "qty=60", "A qty=60", "approve with changes", "Approve, with changes", "A with changes"] {
        text(&daemon, ANA, &format!("{} {said}", ana.code));
        assert_eq!(look(&daemon, &request["id"], "")["state"], "open", "{said}");
    }
    text(&daemon, ANA, &format!("{} A", ana.code));
    assert_eq!(look(&daemon, &request["id"], "")["outcome"]["option"], "approve");
}

#[test]
fn the_page_behind_a_mails_link_changes_it_too_and_an_old_page_does_not() {
    let (daemon, request) = open("");
    let ana = Page::mail(&daemon, "ana", &request);
    let fields = [("answer", "form"), ("field.qty", "7"), ("field.side", "buy")];
    let stale = ana.send(&[&fields[..], &[("digest", "sha256:0")]].concat());
    assert!(stale.status == 409 && stale.body.contains("The question has changed"), "{stale:?}");
    // New facts make another question with the same bounds; an action that does not fit them is refused.
    let path = format!("/v1/requests/{}/facts", request["id"].as_str().unwrap());
    let put = |action: Value| {
        Call::new("PUT", &path).bearer(secret("MONITOR_TOKEN")).json(&json!({ "action": action })).send(daemon.address)
    };
    let unfit = put(json!({ "symbol": "ES", "side": "sell", "qty": 500 }));
    assert!(unfit.status == 422 && unfit.body.contains("/ask/edit/properties/qty: the action has 500"), "{unfit:?}");
    let anew = put(json!({ "symbol": "NQ", "side": "sell", "qty": 50 })).json();
    assert_eq!((&anew["edit"], &anew["state"]), (&order()["edit"], &json!("open")), "{anew}");
    let old = ana.send(&fields);
    assert_eq!(old.status, 409, "{old:?}");
    let new = Page::mail(&daemon, "ana", &anew);
    assert!(new.shown().body.contains("value=\"50\""));
    assert_eq!(new.send(&fields).status, 303);
    let outcome = look(&daemon, &anew["id"], "")["outcome"].clone();
    assert_eq!(outcome["action"], json!({ "symbol": "NQ", "side": "buy", "qty": 7 }), "{outcome}");
    assert_eq!(outcome["changes"].as_array().unwrap().len(), 2);
}

#[test]
fn a_fact_to_repeat_and_a_second_look_are_asked_for_as_for_any_approval() {
    let check = ", read_back = \"labels.desk\", check = { option = \"approve\", when = \"alert.values.orders > 1000.0\", reason = \
                 \"more than 1,000 orders\" }";
    let (daemon, request) = open(check);
    let ana = Page::desk(&daemon, "ana", &request);
    assert!(ana.shown().body.contains("To decide, repeat EQ-2 (desk)"), "{:?}", ana.shown());
    let send = |repeated: &str| ana.send(&[("field.qty", "60"), ("field.side", "sell"), ("repeated", repeated)]);
    for (repeated, says) in [
        ("", "Nothing was counted: repeat EQ-2 (desk) with your choice"),
        ("EQ-3", "Nothing was counted: repeat EQ-2 (desk)"),
        ("eq 2", "because it contradicts the facts: more than 1,000 orders"),
    ] {
        let reply = send(repeated);
        assert_eq!(reply.status, 409, "{reply:?}");
        assert!(reply.body.contains(says) && reply.body.contains("value=\"60\""), "{repeated}: {reply:?}");
        assert_eq!(look(&daemon, &request["id"], "")["state"], "open", "{repeated}");
    }
}

#[test]
fn in_slack_the_same_form_takes_it() {
    let (daemon, request) = open("");
    let held = daemon.held(incident(&request), "ana", "room");
    let send = |qty: &str| {
        let fields = json!({ "qty": { "value": qty }, "side": { "selected_option": { "value": "=sell" } } });
        slack::fill_in(&daemon, slack::ANA, &held, &request["action_digest"], &fields)
    };
    assert_eq!(send("500")["errors"], json!({ "field:qty": "Takes a whole number from 1 to 100." }));
    let said = send("60");
    let words = said["view"]["blocks"][0]["text"]["text"].as_str().unwrap();
    assert_eq!(words, format!("{}: it is decided.\nQuantity: 100 -> 60", incident(&request)), "{said}");
    let decided = look(&daemon, &request["id"], "");
    assert_eq!((&decided["outcome"]["action"]["qty"], &decided["choices"][0]["via"]), (&json!(60), &json!("slack")));
}

/// Who only hears of it is told which action it is, too.
#[test]
fn the_stream_and_the_signed_event_say_what_was_changed() {
    double::install_tls();
    let bank = tokio::runtime::Runtime::new().unwrap();
    let service = bank.block_on(Service::start(TAKEN));
    let hook = format!(
        "[channel.bank]\nkind = \"webhook\"\nurl = {:?}\nkeys = [{{ env = \"BANK_KEY\" }}]\nallow = [\"127.0.0.0/8\"]\n",
        service.url()
    );
    let toml = matrix("after = \"5m\", edits = true")
        .replace("roles = [\"trader\"]\nask", "roles = [\"trader\"]\nwebhooks = [\"bank\"]\nask");
    let daemon = setup(&(toml + &hook)).env("BANK_KEY", KEY).start();
    let request = accepted(&daemon, &order());
    let ana = Page::desk(&daemon, "ana", &request);
    assert_eq!(ana.send(&[("field.qty", "60"), ("field.side", "sell")]).status, 303);
    let outcome = look(&daemon, &request["id"], "?wait=10s")["outcome"].clone();
    let told = eventually("the event", || {
        service.accepted().iter().map(|event| event.json()).find(|event| event["type"] == "request.ended")
    });
    let told = &told["data"]["request"];
    assert_eq!((&told["option"], &told["changes"]), (&json!("approve"), &outcome["changes"]), "{told}");
    assert_eq!(told["action_digest"], outcome["action_digest"]);
    let path = format!("/v1/requests/{}/events", request["id"].as_str().unwrap());
    let stream = Call::get(&path).bearer(secret("MONITOR_TOKEN")).send(daemon.address);
    let ended = stream.body.lines().filter_map(|line| line.strip_prefix("data:")).next_back().unwrap();
    let ended: Value = serde_json::from_str(ended).unwrap();
    assert_eq!(ended["outcome"], outcome, "{ended}");
}

#[test]
fn what_may_not_be_changed_is_refused_whole() {
    let (plain, daemon) =
        (sandboxed_on(&matrix("after = \"5m\"")), sandboxed_on(&matrix("after = \"5m\", edits = true")));
    let reply = asking(&plain, &order());
    assert!(reply.status == 422 && reply.body.contains("`edit` is not allowed"), "{reply:?}");
    let with = |change: &dyn Fn(&mut Value)| {
        let mut ask = order();
        change(&mut ask);
        ask
    };
    for (ask, says) in [
        (
            with(&|ask| ask["action"] = json!({ "side": "sell" })),
            "/ask/edit/properties/qty: is not a member of `action`",
        ),
        (
            with(&|ask| ask["action"]["qty"] = json!(101)),
            "/ask/edit/properties/qty: the action has 101, which does not fit",
        ),
        (with(&|ask| ask["action"] = Value::Null), "/ask/edit/properties/qty: is not a member"),
        (
            with(&|ask| ask["edit"]["properties"]["qty"]["default"] = json!(1)),
            "/ask/edit/properties/qty/default: is not taken",
        ),
        (with(&|ask| ask["edit"] = json!([])), "/ask/edit: must be an object"),
        (
            json!({ "type": "decision", "question": "Which?", "edit": {}, "options": [{ "name": "one" }, { "name": "two" }] }),
            "only a request of type \\\"approval\\\" has an `edit`",
        ),
    ] {
        let reply = asking(&daemon, &ask);
        assert!(reply.status == 422 && reply.body.contains(says), "{says}: {reply:?}");
    }
    assert_eq!((plain.incidents().len(), daemon.incidents().len()), (0, 0));
    // What is not asked can not be sent.
    let request = accepted(&daemon, &kill());
    let page = Call::get(&format!("/desk/forms/{}", incident(&request)))
        .header("Cookie", &crate::answers::desk::cookie(&daemon, "ana"))
        .send(daemon.address);
    assert_eq!(page.status, 404);
}

#[test]
fn it_is_changed_on_the_command_line_and_what_is_not_named_stays() {
    let me = uzers::get_current_username().unwrap().to_string_lossy().into_owned();
    let person = format!("name  = \"Ana Ruiz\"\nunix = \"{me}\"");
    let rules = "after = \"5m\", edits = true, read_back = \"labels.desk\"";
    let daemon = sandboxed_on(&matrix(rules).replace("name  = \"Ana Ruiz\"", &person));
    let request = accepted(&daemon, &order());
    let told = |arguments: &[&str]| {
        let output = daemon.cli(&[&["answer", incident(&request)], arguments].concat());
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.success(), said)
    };
    let how = format!("to approve with changes: stentor answer {} approve FACT qty=.. side=..", incident(&request));
    let deny = format!("deny changes nothing; {how}");
    for (arguments, says) in [
        (
            &["approve", "EQ-2", "qty=101", "side=hold"][..],
            "qty takes a whole number from 1 to 100; side takes one of buy, sell",
        ),
        (&["approve", "EQ-2", "quantity=60"], "quantity is not a field: there are qty, side"),
        (&["A", "EQ-2", "qty= "], "qty is missing: it takes a whole number from 1 to 100"),
        (&["qty=60"], how.as_str()),
        (&["deny", "qty=60"], deny.as_str()),
        (&["wilco", "qty=60"], how.as_str()),
        (&["approve", "EQ-2", "qty=60", "please"], "\"please\" is no field"),
        (&["--form", r#"{"qty": 60}"#], how.as_str()),
        (&["approve", "qty=60"], "approve FACT, and then the changes"),
        (&["approve", "EQ-3", "qty=60"], "repeat EQ-2"),
    ] {
        let (success, said) = told(arguments);
        assert!(!success && said.contains(says), "{arguments:?}: {said}");
    }
    assert_eq!(look(&daemon, &request["id"], "")["state"], "open");
    let (success, said) = told(&["approve", "EQ-2", "qty=60"]);
    assert!(success && said.contains("it is decided"), "{said}");
    let outcome = look(&daemon, &request["id"], "")["outcome"].clone();
    assert_eq!(outcome["action"], json!({ "symbol": "ES", "side": "sell", "qty": 60, "note": "<b>" }), "{outcome}");
    assert_eq!(outcome["changes"], json!([{ "field": "qty", "from": 100, "to": 60 }]), "{outcome}");
    // Who is late is told so, whatever they typed.
    let (success, said) = told(&["approve", "qty=1000"]);
    assert!(!success && said.contains("too late: ana approved with changes: qty 100 -> 60"), "{said}");
    let verified = daemon.cli(&["journal", "verify"]);
    assert!(verified.status.success(), "{verified:?}");
}
