//! People who have told the provider to stop.

use super::line::{ANA, DESK, Line, code_of, line, line_on, path_of};
use super::{
    double::twilio::OPTED_OUT,
    house::{eventually, sandboxed, secret},
    wire::{Call, form},
};
use serde_json::{Value, json};

fn holes(daemon: &super::common::Daemon) -> Vec<(String, String)> {
    let shown = daemon.control(&Call::get("/readyz")).json();
    let name = |value: &Value| value.as_str().unwrap().to_owned();
    shown["opted_out"].as_array().unwrap().iter().map(|out| (name(&out["person"]), name(&out["channel"]))).collect()
}

/// The incidents that tell the operators of it.
fn told(daemon: &super::common::Daemon) -> Vec<Value> {
    let about = |incident: &Value| incident["summary"].as_str().unwrap().contains("opted out");
    daemon.incidents().into_iter().filter(about).collect()
}

/// A new incident's page for Ana goes by another way, and her phone gets no message of it.
fn goes_round(line: &Line, symbol: &str) {
    let incident = line.crash(symbol);
    let page = line.until_page(&incident, "ana", "call", "in place of the SMS", |page| page["instead_of"].is_number());
    assert_eq!(page["purpose"], "brief");
    let gone = line.until_page(&incident, "ana", "sms", "gone round", |page| page["state"] == "unreachable");
    assert!(gone["last_error"].as_str().unwrap().contains("opted out"), "{gone}");
    let texted = |made: &super::double::twilio::Made| !made.is_call && made.field("To") == Some(ANA);
    let texts =
        line.twilio.made().into_iter().filter(texted).filter(|made| made.field("Body").unwrap().contains(&incident));
    assert_eq!(texts.count(), 0);
}

#[test]
fn who_texts_stop_is_gone_round_and_told_of_once_until_they_text_start() {
    let mut line = line("sms");
    for (sid, text, more) in
        [("SM40", "Stop.", &[][..]), ("SM41", "anything", &[("OptOutType", "STOP")]), ("SM42", "STOPALL", &[])]
    {
        assert_eq!(line.text(ANA, sid, text, more), "", "{text}");
        assert_eq!(holes(&line), [("ana".into(), "sms".into())]);
    }
    let [incident] = &told(&line)[..] else { panic!("told once: {:?}", told(&line)) };
    let summary = incident["summary"].as_str().unwrap();
    assert!(
        summary.contains("Ana Ruiz has opted out of sms") && summary.contains("their pages go by call, mail"),
        "{summary}"
    );
    assert_eq!(incident["status"], "open");
    let found: Value = serde_json::from_slice(&line.cli(&["doctor", "--json"]).stdout).unwrap();
    let hole = found.as_array().unwrap().iter().find(|finding| finding["what"] == "opt-out").unwrap();
    assert_eq!((&hole["part"], &hole["outcome"]), (&json!("people"), &json!("doubtful")));
    assert!(hole["detail"].as_str().unwrap().contains("Ana Ruiz has opted out of sms (they texted STOP)"), "{hole}");
    goes_round(&line, "ES");
    // Neither a crash nor a restart forgets it.
    line.daemon.kill();
    line.daemon.restart();
    assert_eq!(holes(&line), [("ana".into(), "sms".into())]);
    goes_round(&line, "NQ");
    assert_eq!(line.text(ANA, "SM43", "START", &[]), "You are paged by SMS again.");
    assert!(holes(&line).is_empty());
    assert_eq!(told(&line)[0]["status"], "resolved");
    let incident = line.crash("YM");
    line.brief(&incident, ANA);
    line.daemon.kill();
    line.daemon.restart();
    assert!(holes(&line).is_empty());
    let verified = line.cli(&["journal", "verify"]);
    assert!(verified.status.success(), "{verified:?}");
}

#[test]
fn an_opt_out_that_only_the_provider_knows_is_seen_at_the_first_page() {
    let matrix = DESK.replace("BY", "sms").replace(ANA, OPTED_OUT);
    let line = line_on(&matrix);
    let incident = line.crash("ES");
    line.until_page(&incident, "ana", "call", "in place of the SMS", |page| page["instead_of"].is_number());
    eventually("the hole", || (holes(&line) == [("ana".to_owned(), "sms".to_owned())]).then_some(()));
    let next = line.crash("NQ");
    for incident in [&incident, &next] {
        line.until_page(incident, "ana", "call", "called instead", |page| page["state"] == "accepted");
    }
    let made = line.twilio.made();
    let hers: Vec<bool> =
        made.iter().filter(|made| made.field("To") == Some(OPTED_OUT)).map(|made| made.is_call).collect();
    assert_eq!(hers, [true, true], "two calls, no message");
    let gone = line.until_page(&next, "ana", "sms", "gone round", |page| page["state"] == "unreachable");
    assert!(
        gone["last_error"].as_str().unwrap().contains("opted out of this channel since"),
        "Twilio was not asked: {gone}"
    );
    // To Twilio YES means to be written to again.
    assert_eq!(line.text(OPTED_OUT, "SM50", "Yes", &[]), "You are paged by SMS again.");
    assert!(holes(&line).is_empty());
}

#[test]
fn a_status_callback_with_21610_is_an_opt_out_too() {
    let line = line("sms");
    let incident = line.crash("ES");
    let made = line.brief(&incident, ANA);
    let path = path_of(made.field("StatusCallback").unwrap());
    let fields = [("MessageSid", made.sid.as_str()), ("MessageStatus", "failed"), ("ErrorCode", "21610")];
    assert_eq!(line.post(&path, &fields).status, 200);
    assert_eq!(holes(&line), [("ana".into(), "sms".into())]);
    line.until_page(&incident, "ana", "call", "in place of the SMS", |page| page["instead_of"].is_number());
}

#[test]
fn a_new_number_ends_the_hole_by_itself() {
    let line = line("sms");
    line.text(ANA, "SM60", "STOP", &[]);
    assert_eq!(holes(&line).len(), 1);
    let path = line.dir.path().join("matrix/matrix.toml");
    let matrix = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, matrix.replace(ANA, "+447700900009")).unwrap();
    line.signal("HUP");
    eventually("the reload", || holes(&line).is_empty().then_some(()));
    let incident = line.crash("ES");
    let made = line.brief(&incident, "+447700900009");
    assert!(!made.is_call && code_of(&made).len() == 5);
}

#[test]
fn kannels_people_opt_out_and_in_by_the_same_words() {
    let daemon = sandboxed();
    let text = |said: &str| {
        let fields = [("token", secret("KANNEL_REPLY_TOKEN")), ("from", ANA), ("text", said)];
        Call::get(&format!("/hooks/kannel/sms?{}", form(&fields))).send(daemon.address).body
    };
    assert_eq!(text("unsubscribe"), "");
    assert_eq!(holes(&daemon), [("ana".into(), "sms".into())]);
    let incident = daemon.crash("ES");
    let gone = daemon.until(&incident, "gone round", |shown| {
        let pages = shown["pages"].as_array().unwrap().iter();
        pages
            .clone()
            .any(|page| page["person"] == "ana" && page["channel"] == "sms" && page["state"] == json!("unreachable"))
    });
    assert_eq!(gone["status"], "open");
    assert_eq!(text("unstop"), "You are paged by SMS again.");
    assert!(holes(&daemon).is_empty());
}
