//! Forms: asked by a program, filled in by a person, on the desk, behind a mail's link, by text and on the command line.

use super::{Daemon, accepted, asking, incident, kill, look, matrix};
use crate::{
    answers::{
        desk::cookie,
        sms::{ANA, text},
    },
    house::{sandboxed_on, secret},
    wire::{Call, Reply},
};
use serde_json::{Value, json};

pub fn limit() -> Value {
    json!({
        "type": "form", "question": "Which limit may desk EQ-2 trade with until noon?", "action": { "desk": "EQ-2" },
        "form": {
            "type": "object", "title": "New limit", "required": ["limit", "side"],
            "properties": {
                "limit": { "type": "integer", "minimum": 0, "maximum": 10, "title": "Limit", "description": "In millions of USD." },
                "side": { "type": "string", "enum": ["buy", "sell", "both"], "title": "<b>Side</b> & \"way\"" },
                "hedged": { "type": "boolean" },
                "note": { "type": "string", "maxLength": 20 },
            },
        },
    })
}

fn venue() -> Value {
    json!({
        "type": "form", "question": "Where to route EQ-2?",
        "form": {
            "type": "object", "required": ["venue"],
            "properties": { "venue": { "type": "string", "enum": ["XNAS", "XNYS", "nowhere"] } },
        },
    })
}

/// A page with a form, as a browser without scripts has it.
pub(super) struct Page<'a> {
    daemon: &'a Daemon,
    path: String,
    cookie: String,
}

impl<'a> Page<'a> {
    pub(super) fn desk(daemon: &'a Daemon, person: &str, request: &Value) -> Self {
        Self { daemon, path: format!("/desk/forms/{}", incident(request)), cookie: cookie(daemon, person) }
    }

    pub(super) fn mail(daemon: &'a Daemon, person: &str, request: &Value) -> Self {
        let link = daemon.held(incident(request), person, "mail").link;
        let path = link[link.find("/a/").unwrap()..].to_owned();
        Self { daemon, path, cookie: String::new() }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn shown(&self) -> Reply {
        Call::get(&self.path).header("Cookie", &self.cookie).send(self.daemon.address)
    }

    /// What the page sends without anybody's doing.
    fn hidden(&self) -> Vec<(String, String)> {
        let page = self.shown().body;
        let hidden = page.split("<input type=\"hidden\" name=\"").skip(1).filter_map(|rest| {
            let (name, rest) = rest.split_once("\" value=\"")?;
            Some((name.to_owned(), rest.split('"').next()?.to_owned()))
        });
        hidden.collect()
    }

    pub(super) fn send(&self, fields: &[(&str, &str)]) -> Reply {
        let hidden = self.hidden();
        let given = |name: &str| fields.iter().any(|(own, _)| *own == name);
        let mut all: Vec<(&str, &str)> =
            hidden.iter().filter(|(name, _)| !given(name)).map(|(name, value)| (&**name, &**value)).collect();
        all.extend(fields);
        Call::post(&self.path).header("Cookie", &self.cookie).form(&all).send(self.daemon.address)
    }
}

#[test]
fn it_is_filled_in_on_the_desk_and_the_machine_gets_the_values() {
    let daemon = sandboxed_on(&matrix("after = \"5m\", default = \"deny\""));
    let request = accepted(&daemon, &limit());
    assert_eq!((&request["form"], &request["options"]), (&limit()["form"], &json!([])), "{request}");
    assert!(request["default"].is_null(), "a form has none: {request}");
    let (ana, bo) = (Page::desk(&daemon, "ana", &request), Page::desk(&daemon, "bo", &request));
    let page = ana.shown();
    assert_eq!(page.status, 200, "{page:?}");
    for said in ["<html lang=\"en\">", "<label for=\"field.limit\">Limit</label>", "In millions of USD.", "New limit"] {
        assert!(page.body.contains(said), "{said}: {page:?}");
    }
    assert!(page.body.contains("&lt;b&gt;Side&lt;&#x2f;b&gt; &amp; &quot;way&quot;"), "{page:?}");
    assert!(!page.body.contains("<script") && !page.body.contains("<b>"), "{page:?}");
    // What does not fit is said beside its field, and what was typed stays.
    let wrong = ana.send(&[("field.limit", "50"), ("field.note", "until <noon>"), ("field.hedged", "true")]);
    assert_eq!(wrong.status, 422, "{wrong:?}");
    for said in [
        "2 answers do not fit",
        "Limit takes a whole number from 0 to 10.",
        "is missing: it takes one of buy, sell, both.",
        "value=\"50\" inputmode=\"numeric\" required aria-describedby=\"field.limit.about field.limit.fault\" aria-invalid",
        "value=\"until &lt;noon&gt;\"",
        "name=\"field.hedged\" value=\"true\" checked",
    ] {
        assert!(wrong.body.contains(said), "{said}: {wrong:?}");
    }
    assert_eq!(look(&daemon, &request["id"], "")["state"], "open");
    let late = bo.hidden();
    let sent = ana.send(&[("field.limit", "5"), ("field.side", "both"), ("field.note", "until noon")]);
    assert_eq!((sent.status, sent.header("location")), (303, Some(ana.path.as_str())), "{sent:?}");
    let decided = look(&daemon, &request["id"], "?wait=10s");
    assert_eq!((&decided["state"], &decided["outcome"]["by"]), (&json!("decided"), &json!(["ana"])), "{decided}");
    assert_eq!(decided["outcome"]["answer"], json!({ "limit": 5, "side": "both", "note": "until noon" }));
    assert!(decided["outcome"]["option"].is_null(), "{decided}");
    let page = ana.shown();
    assert!(page.body.contains("<dt>Limit</dt><dd>5</dd>") && !page.body.contains("<form"), "{page:?}");
    // Who is late is told so, though they had the page open.
    let mut fields: Vec<(&str, &str)> = late.iter().map(|(name, value)| (&**name, &**value)).collect();
    fields.extend([("field.limit", "7"), ("field.side", "buy")]);
    let reply = Call::post(&bo.path).header("Cookie", &bo.cookie).form(&fields).send(daemon.address);
    assert_eq!(reply.status, 409, "{reply:?}");
    assert!(reply.body.contains("Too late: ana filled in the form."), "{reply:?}");
    let id = request["id"].as_str().unwrap();
    let receipt = Call::get(&format!("/v1/requests/{id}/receipt")).bearer(secret("MONITOR_TOKEN")).send(daemon.address);
    let claims: Value = serde_json::from_slice(&base64_url(receipt.body.split('.').nth(1).unwrap())).unwrap();
    assert_eq!((&claims["type"], &claims["answer"]), (&json!("form"), &decided["outcome"]["answer"]), "{claims}");
    let verified = daemon.cli(&["journal", "verify"]);
    assert!(verified.status.success(), "{verified:?}");
}

pub(super) fn base64_url(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap()
}

#[test]
fn the_page_behind_a_mails_link_has_the_same_form() {
    let daemon = sandboxed_on(&matrix("after = \"5m\""));
    let request = accepted(&daemon, &limit());
    let ana = Page::mail(&daemon, "ana", &request);
    let page = ana.shown();
    assert!(page.body.contains("<label for=\"field.limit\">Limit</label>"), "{page:?}");
    let wrong = ana.send(&[("field.limit", "x"), ("field.side", "sell")]);
    assert_eq!(wrong.status, 422, "{wrong:?}");
    assert!(
        wrong.body.contains("One answer does not fit") && wrong.body.contains("value=\"sell\" checked"),
        "{wrong:?}"
    );
    let sent = ana.send(&[("field.limit", "0"), ("field.side", "sell"), ("field.hedged", "false")]);
    assert_eq!((sent.status, sent.header("location")), (303, Some(ana.path.as_str())), "{sent:?}");
    let decided = look(&daemon, &request["id"], "");
    assert_eq!(decided["outcome"]["answer"], json!({ "limit": 0, "side": "sell", "hedged": false }), "{decided}");
    assert_eq!(decided["choices"][0]["via"], "mail-link", "{decided}");
    let page = ana.shown();
    assert!(page.body.contains("Ana Ruiz filled in the form") && !page.body.contains("name=\"field."), "{page:?}");
}

#[test]
fn nobody_else_fills_it_in_and_only_the_question_that_the_page_showed() {
    let daemon = sandboxed_on(&matrix("after = \"5m\""));
    let request = accepted(&daemon, &limit());
    let fits = [("field.limit", "5"), ("field.side", "buy")];
    let (ana, gita) = (Page::desk(&daemon, "ana", &request), Page::desk(&daemon, "gita", &request));
    assert_eq!(gita.shown().status, 404);
    assert_eq!(Call::get(&ana.path).send(daemon.address).status, 401);
    let with = |name, value| ana.send(&[[(name, value)], [fits[0]], [fits[1]]].concat());
    let old = with("csrf", "forged");
    assert!(old.status == 403 && old.body.contains("value=\"5\"") && old.body.contains("Nothing was sent"), "{old:?}");
    assert_eq!(with("request", "req_1_00000000000000000000000000000000").status, 409);
    let stale = with("digest", "sha256:0");
    assert_eq!(stale.status, 409, "{stale:?}");
    assert!(stale.body.contains("The question has changed since this page: nothing was counted."), "{stale:?}");
    assert!(stale.body.contains("value=\"5\""), "what was typed stays: {stale:?}");
    let now = look(&daemon, &request["id"], "");
    assert_eq!((&now["state"], &now["choices"]), (&json!("open"), &json!([])), "{now}");
    // New facts make another question with the same form; the old page says so.
    let id = request["id"].as_str().unwrap();
    let hidden = ana.hidden();
    let facts = Call::new("PUT", &format!("/v1/requests/{id}/facts")).bearer(secret("MONITOR_TOKEN"));
    let anew = facts.json(&json!({ "action": { "desk": "EQ-3" } })).send(daemon.address);
    assert_eq!((anew.status, &anew.json()["form"]), (202, &limit()["form"]), "{anew:?}");
    assert_ne!(anew.json()["action_digest"], request["action_digest"]);
    let mut fields: Vec<(&str, &str)> = hidden.iter().map(|(name, value)| (&**name, &**value)).collect();
    fields.extend(fits);
    let old = Call::post(&ana.path).header("Cookie", &ana.cookie).form(&fields).send(daemon.address);
    assert_eq!(old.status, 409, "{old:?}");
    assert!(old.body.contains("The facts have changed since this page"), "{old:?}");
}

#[test]
fn where_one_choice_is_all_a_letter_answers_it_and_no_other_form() {
    let daemon = sandboxed_on(&matrix("after = \"5m\""));
    let request = accepted(&daemon, &venue());
    assert_eq!(request["options"][1], json!({ "letter": "B", "name": "XNYS", "label": "XNYS" }), "{request}");
    let code = daemon.held(incident(&request), "ana", "sms").code;
    text(&daemon, ANA, &format!("{code} B"));
    let decided = look(&daemon, &request["id"], "");
    assert_eq!(decided["outcome"]["answer"], json!({ "venue": "XNYS" }), "{decided}");
    assert!(decided["outcome"]["option"].is_null(), "{decided}");

    let request = accepted(&daemon, &limit());
    let code = daemon.held(incident(&request), "ana", "sms").code;
    let texts = daemon.outbox();
    let sms = texts.iter().find(|entry| entry["code"] == code.as_str() && entry["channel"] == "sms").unwrap();
    let sms = sms["body"].as_str().unwrap();
    assert!(sms.contains("fill in the form on your desk or by the link in your mail"), "{sms}");
    assert!(sms.contains(&format!("{code} 4 = pass")) && !sms.contains("I take it"), "{sms}");
    for said in ["A", "5", "limit 5", "1"] {
        let reply = text(&daemon, ANA, &format!("{code} {said}"));
        assert!(reply.body.contains("fill in the form on your desk"), "{said}: {reply:?}");
    }
    assert_eq!(look(&daemon, &request["id"], "")["choices"], json!([]));
}

#[test]
fn it_is_filled_in_on_the_command_line_and_what_does_not_fit_is_named() {
    let me = uzers::get_current_username().unwrap().to_string_lossy().into_owned();
    let person = format!("name  = \"Ana Ruiz\"\nunix = \"{me}\"");
    let daemon = sandboxed_on(&matrix("after = \"5m\"").replace("name  = \"Ana Ruiz\"", &person));
    let first = accepted(&daemon, &limit());
    let told = |arguments: &[&str]| {
        let output = daemon.cli(&[&["answer", incident(&first)], arguments].concat());
        (
            output.status.success(),
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)),
        )
    };
    for (arguments, says) in [
        (
            &["limit=50", "side=buy", "colour=red"][..],
            "limit takes a whole number from 0 to 10; colour is not a field: there are limit, side",
        ),
        (&["--form", r#"{"limit": 5}"#], "side is missing: it takes one of buy, sell, both"),
        (&["--form", r#"{"limit": 5, "limit": 6, "side": "buy"}"#], "nobody can know which one is meant"),
        (&["approve"], "limit=.. side=.. hedged=.. note=.."),
    ] {
        let (success, said) = told(arguments);
        assert!(!success && said.contains(says), "{arguments:?}: {said}");
    }
    assert_eq!(look(&daemon, &first["id"], "")["state"], "open");
    let (success, said) = told(&["limit=5", "side=buy", "note=until noon", "hedged=no"]);
    assert!(success && said.contains("it is decided"), "{said}");
    let answer = json!({ "limit": 5, "side": "buy", "note": "until noon", "hedged": false });
    assert_eq!(look(&daemon, &first["id"], "")["outcome"]["answer"], answer);
    let (success, said) = told(&["--form", r#"{"limit": 5, "side": "sell"}"#]);
    assert!(!success && said.contains("too late: ana filled in the form"), "{said}");
    let plain = accepted(&daemon, &kill());
    let output = daemon.cli(&["answer", incident(&plain), "--form", "{}"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("has no form to fill in"), "{output:?}");
}

#[test]
fn nobody_fills_it_in_and_it_expires() {
    let daemon = sandboxed_on(&matrix("after = \"5m\", default = \"deny\""));
    let mut ask = limit();
    ask["deadline"] = json!("5s");
    let request = accepted(&daemon, &ask);
    let expired = look(&daemon, &request["id"], "?wait=30s");
    assert_eq!((&expired["state"], &expired["outcome"]["answer"]), (&json!("expired"), &Value::Null), "{expired}");
    let late = Page::desk(&daemon, "ana", &request).shown();
    assert!(late.body.contains("nobody decided in time: it expired") && !late.body.contains("<form"), "{late:?}");
}

#[test]
fn what_a_form_can_not_ask_is_refused_with_its_place() {
    let daemon = sandboxed_on(&matrix("after = \"5m\""));
    let with = |change: &dyn Fn(&mut Value)| {
        let mut ask = limit();
        change(&mut ask);
        ask
    };
    let table: [(Value, &str); 8] = [
        (with(&|ask| ask["form"] = Value::Null), "a form has a `form`"),
        (
            with(&|ask| ask["form"]["properties"]["note"]["pattern"] = json!("^a")),
            "/ask/form/properties/note/pattern: is not",
        ),
        (
            with(&|ask| ask["form"]["properties"]["note"]["title"] = json!("a\nb")),
            "/ask/form/properties/note/title: has a control",
        ),
        (with(&|ask| ask["form"]["properties"]["limit"]["maximum"] = json!(-1)), "/ask/form/properties/limit/maximum"),
        (with(&|ask| ask["default"] = json!("answer")), "a form has no `default`"),
        (with(&|ask| ask["options"] = json!([{ "name": "a" }, { "name": "b" }])), "a form has no `options`"),
        (with(&|ask| ask["type"] = json!("decision")), "only a request of type \\\"form\\\" has a `form`"),
        (
            json!({
                "type": "form", "question": "Go?", "form": {
                    "type": "object", "required": ["go"], "properties": { "go": { "type": "string", "enum": ["yes", "no"] } },
                },
            }),
            "reads like an answer",
        ),
    ];
    for (ask, says) in &table {
        let reply = asking(&daemon, ask);
        assert_eq!(reply.status, 422, "{ask}: {reply:?}");
        assert!(reply.body.contains(says), "{says}: {reply:?}");
    }
    assert_eq!(daemon.incidents().len(), 0);
    let two = sandboxed_on(&matrix("approvals = 2, after = \"5m\""));
    let reply = asking(&two, &limit());
    assert_eq!(reply.status, 422, "{reply:?}");
    assert!(reply.body.contains("a form is filled in by one person, and this trigger needs 2"), "{reply:?}");
}
