//! Calls: what is said, what the keys mean, and what is no answer.

use super::line::{ANA, BO, DESK, Line, line, line_on, path_of, unescaped};
use super::{
    double::twilio::{Made, TOKEN},
    house::secret,
    wire::Call,
};
use serde_json::{Value, json};

const DORA: &str = "+447700900004";

/// What a document says, line by line.
pub fn said(xml: &str) -> Vec<String> {
    xml.split("<Say>").skip(1).map(|rest| unescaped(rest.split("</Say>").next().unwrap())).collect()
}

/// Where the keys go; none where none is asked for.
pub fn action(xml: &str) -> Option<String> {
    let rest = xml.split("<Gather ").nth(1)?.split("action=\"").nth(1)?;
    Some(unescaped(rest.split('"').next().unwrap()))
}

/// Twilio fetches this address, with these keys.
fn fetch(line: &Line, made: &Made, url: &str, key: Option<&str>) -> String {
    let mut fields =
        vec![("CallSid", made.sid.as_str()), ("CallStatus", "in-progress"), ("To", made.field("To").unwrap())];
    fields.extend(key.map(|key| ("Digits", key)));
    let reply = line.post(&path_of(url), &fields);
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("text/xml; charset=utf-8")), "{reply:?}");
    assert!(reply.body.len() < 64 * 1024 && reply.body.starts_with("<?xml"), "{reply:?}");
    reply.body
}

/// The call is picked up; its first document.
pub fn picked_up(line: &Line, made: &Made) -> String {
    fetch(line, made, made.field("Url").unwrap(), None)
}

/// The call is picked up and these keys are pressed one after the other; the last document.
pub fn press(line: &Line, made: &Made, keys: &[&str]) -> String {
    let mut xml = picked_up(line, made);
    for key in keys {
        let next = action(&xml).unwrap_or_else(|| panic!("no key is asked for: {xml}"));
        xml = fetch(line, made, &next, (!key.is_empty()).then_some(*key));
    }
    xml
}

fn became(line: &Line, made: &Made, fields: &[(&str, &str)]) {
    let path = path_of(made.field("StatusCallback").unwrap());
    let reply = line.post(&path, &[&[("CallSid", made.sid.as_str())], fields].concat());
    assert_eq!(reply.status, 200, "{reply:?}");
}

fn spelled(incident: &str) -> String {
    format!("incident {}", incident.trim_start_matches("INC-").chars().map(String::from).collect::<Vec<_>>().join(" "))
}

#[test]
fn a_call_says_its_text_twice_and_asks_for_a_key() {
    let line = line("call");
    let incident = line.crash("ES");
    let xml = picked_up(&line, &line.brief(&incident, ANA));
    let lines = said(&xml);
    assert_eq!(lines.len(), 3, "{xml}");
    assert_eq!(lines[0], lines[1]);
    let what = "E S fell and b broke b 7.5 percent.";
    let start = format!("LIVE {}: {what} You are asked as trader to take it by ", spelled(&incident));
    assert!(lines[0].starts_with(&start), "{}", lines[0]);
    assert_eq!(lines[0].matches(what).count(), 1, "what happened is said once: {}", lines[0]);
    assert!(!lines[0].contains('<') && !lines[0].contains(&incident), "{}", lines[0]);
    assert!(lines[2].starts_with("Press 2 to take it. Press 1"), "{}", lines[2]);
    assert!(
        xml.contains("numDigits=\"1\"")
            && xml.contains("actionOnEmptyResult=\"true\"")
            && xml.contains("finishOnKey=\"\"")
    );
    let dora = said(&picked_up(&line, &line.brief(&incident, DORA)));
    assert!(dora[2].starts_with("Press 1 to confirm that you received it. Press 2"), "{}", dora[2]);
    // The journal has exactly the words that were heard.
    let page = line.until_page(&incident, "ana", "call", "its text", |page| page["text"].is_string());
    let kept = line.control(&Call::get(&format!("/v1/texts/{}", page["text"].as_str().unwrap()))).json();
    let kept = kept["text"].as_str().unwrap();
    assert!(kept.contains(&lines[0]), "{kept}\n{}", lines[0]);
}

#[test]
fn each_key_is_its_answer_and_is_spoken_back() {
    let line = line("call");
    for (n, (to, role, key, word, state)) in [
        (ANA, "trader", "2", "you have it", "engaged"),
        (ANA, "trader", "1", "received; the role still needs somebody who takes it", "paging"),
        (ANA, "trader", "3", "you have until ", "paging"),
        (ANA, "trader", "4", "passed on", "paging"),
        (DORA, "compliance", "1", "you have it", "engaged"),
    ]
    .into_iter()
    .enumerate()
    {
        let incident = line.crash(&format!("S{n}"));
        let xml = press(&line, &line.brief(&incident, to), &[key]);
        let heard = &said(&xml)[0];
        assert!(heard.starts_with(&format!("LIVE {}: {word}", spelled(&incident))), "{key}: {xml}");
        assert_eq!(line.role(&incident, role)["state"], state, "{key}");
        let answers = line.events(&incident, "answered");
        assert_eq!((answers.len(), &answers[0]["via"]), (1, &json!("voice")));
        let more = state == "engaged" || key == "1";
        assert_eq!(action(&xml).is_some(), more, "who received it may take it, who has it may hand it back: {xml}");
    }
    let incident = line.crash("BOTH");
    let xml = press(&line, &line.brief(&incident, ANA), &["1", "2"]);
    assert!(said(&xml)[0].contains("you have it"), "{xml}");
    assert_eq!(line.role(&incident, "trader")["holder"], "Ana Ruiz");
}

#[test]
fn an_answered_call_silence_a_voicemail_and_other_keys_are_no_answer() {
    let line = line("call");
    let incident = line.crash("ES");
    let made = line.brief(&incident, ANA);
    for keys in [&[][..], &[""], &["", "", "", ""], &["5"], &["9", "#", "*"], &["0", "0"], &["", "7", "0", ""]] {
        let xml = press(&line, &made, keys);
        assert!(action(&xml).is_some(), "{keys:?}: {xml}");
    }
    // A call that goes on without an answer ends by itself.
    let xml = press(&line, &made, &["0", "", "8", "0", ""]);
    assert_eq!((action(&xml), xml.contains("<Hangup/>")), (None, true), "{xml}");
    assert!(said(&xml)[0].starts_with("No answer was heard"), "{xml}");
    // Digits that were never asked for, or more than one, are none.
    for digits in ["2", "22", "2#", "12345"] {
        fetch(&line, &made, made.field("Url").unwrap(), Some(digits));
    }
    fetch(&line, &made, &made.field("Url").unwrap().replace("turn=0", "turn=1"), Some("22"));
    for by in ["human", "unknown"] {
        became(&line, &made, &[("CallStatus", "in-progress"), ("AnsweredBy", by), ("SequenceNumber", "1")]);
    }
    became(&line, &made, &[("CallStatus", "completed"), ("CallDuration", "31"), ("SequenceNumber", "2")]);
    assert_eq!(line.role(&incident, "trader")["state"], "paging");
    assert!(line.events(&incident, "answered").is_empty());
    let stages = line.events(&incident, "reported");
    assert_eq!(stages.iter().map(|event| event["stage"].as_str().unwrap()).collect::<Vec<_>>(), ["delivered"]);
}

#[test]
fn a_call_that_is_picked_up_after_somebody_took_it_says_who() {
    let line = line("call");
    let incident = line.crash("ES");
    let (ana, bo) = (line.brief(&incident, ANA), line.brief(&incident, BO));
    let during = picked_up(&line, &bo);
    press(&line, &ana, &["2"]);
    let who = format!("LIVE {}. Ana Ruiz has it. No answer is needed any more.", spelled(&incident));
    // One that rings still; one that is in the middle of its question, by silence and by a late key.
    for xml in [picked_up(&line, &bo), fetch(&line, &bo, &action(&during).unwrap(), None)] {
        assert_eq!((said(&xml)[0].as_str(), action(&xml)), (who.as_str(), None), "{xml}");
    }
    let late = fetch(&line, &bo, &action(&during).unwrap(), Some("2"));
    assert!(said(&late)[0].ends_with(": too late: Ana Ruiz has it."), "{late}");
    assert_eq!(line.role(&incident, "trader")["holder"], "Ana Ruiz");
    let again = picked_up(&line, &ana);
    assert!(said(&again)[0].ends_with("You have it."), "{again}");
    // Bo is told by the way he was asked; Ana knows it already.
    let told = |to: &str| line.twilio.made().iter().filter(|made| made.field("To") == Some(to)).count();
    super::house::eventually("the word to Bo", || (told(BO) == 2).then_some(()));
    line.until_page(&incident, "ana", "call", "her own word", |page| {
        page["purpose"] == "taken" && page["receipt"].as_str().is_some_and(|receipt| receipt.starts_with("not called"))
    });
    assert_eq!(told(ANA), 1);
    let word = line.twilio.made().into_iter().rev().find(|made| made.field("To") == Some(BO)).unwrap();
    let xml = picked_up(&line, &word);
    assert!(
        said(&xml)[0]
            .starts_with(&format!("LIVE {}: Ana Ruiz has it for trader; you are released", spelled(&incident)))
    );
    assert_eq!(action(&xml), None);
    let resolved = line.cli(&["resolve", &incident]);
    assert!(resolved.status.success());
    assert!(
        said(&picked_up(&line, &line.brief(&incident, DORA)))[0].contains("over"),
        "nobody is asked for what is over"
    );
}

#[test]
fn a_call_that_nobody_picks_up_goes_by_the_persons_next_channel() {
    let line = line("call");
    for (n, fields) in [
        &[("CallStatus", "no-answer")][..],
        &[("CallStatus", "busy")],
        &[("CallStatus", "failed"), ("ErrorCode", "21211")],
        &[("CallStatus", "canceled")],
        &[("CallStatus", "completed"), ("AnsweredBy", "machine_start")],
        &[("AnsweredBy", "machine_end_beep")],
        &[("AnsweredBy", "fax")],
    ]
    .into_iter()
    .enumerate()
    {
        let incident = line.crash(&format!("S{n}"));
        let made = line.brief(&incident, ANA);
        for _ in 0..2 {
            became(&line, &made, &[fields, &[("SequenceNumber", "3")]].concat());
        }
        // Late, and out of order.
        became(&line, &made, &[("CallStatus", "ringing"), ("SequenceNumber", "0")]);
        let next = line.until_page(&incident, "ana", "sms", "in its place", |page| page["state"] == "accepted");
        assert!(next["instead_of"].is_number(), "{next}");
        assert_eq!(line.events(&incident, "undelivered").len(), 1, "{fields:?}");
        assert_eq!(line.role(&incident, "trader")["state"], "paging");
    }
}

#[test]
fn a_call_that_was_picked_up_is_not_undone_by_a_late_failure() {
    let line = line("call");
    let incident = line.crash("ES");
    let made = line.brief(&incident, ANA);
    became(&line, &made, &[("CallStatus", "in-progress"), ("SequenceNumber", "1")]);
    became(&line, &made, &[("CallStatus", "no-answer"), ("SequenceNumber", "0")]);
    assert!(line.events(&incident, "undelivered").is_empty());
    assert_eq!(line.events(&incident, "reported").len(), 1);
}

#[test]
fn where_machines_are_listened_for_a_voicemail_is_gone_round_though_it_picked_up() {
    let line = line_on(&DESK.replace("BY", "call").replace("kind    = \"voice\"", "kind = \"voice\"\nmachines = true"));
    let incident = line.crash("ES");
    let made = line.brief(&incident, ANA);
    assert_eq!(made.field("MachineDetection"), Some("Enable"));
    became(&line, &made, &[("CallStatus", "in-progress"), ("SequenceNumber", "1")]);
    became(&line, &made, &[("AnsweredBy", "machine_start")]);
    line.until_page(&incident, "ana", "sms", "in its place", |page| page["instead_of"].is_number());
    became(&line, &line.brief(&incident, BO), &[("AnsweredBy", "human")]);
    assert_eq!(line.events(&incident, "reported").len(), 1);
}

#[test]
fn a_calls_address_is_good_for_its_own_page_and_for_twilio_alone() {
    let line = line("call");
    let incident = line.crash("ES");
    let (ana, bo) = (line.brief(&incident, ANA), line.brief(&incident, BO));
    let path = |made: &Made| path_of(made.field("Url").unwrap());
    let token = |made: &Made| path(made).split("token=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let fields = [("CallSid", ana.sid.as_str()), ("Digits", "2")];
    let turn = path(&ana).replace("turn=0", "turn=1");
    assert_eq!(line.post(&turn.replace(&token(&ana), &token(&bo)), &fields).status, 401);
    assert_eq!(line.post_signed("x", &turn, &fields).status, 401);
    assert_eq!(Call::post(&turn).form(&fields).send(line.address).status, 401);
    assert_eq!(Call::get(&turn).send(line.address).status, 401);
    assert_eq!(line.post(&turn.replace("/voice/call/", "/voice/sms/"), &fields).status, 401);
    assert_eq!(line.role(&incident, "trader")["state"], "paging");
    let log = line.log();
    for secret in [TOKEN, &token(&ana), &token(&bo)] {
        assert!(!log.contains(secret), "the log shows {secret}");
    }
    let journal = Value::from(line.journal(&incident)).to_string();
    assert!(!journal.contains(&token(&ana)) && !journal.contains(ANA), "{journal}");
}

#[test]
fn the_same_key_handed_over_twice_is_one_answer() {
    let line = line("call");
    let incident = line.crash("ES");
    let made = line.brief(&incident, ANA);
    let next = action(&picked_up(&line, &made)).unwrap();
    let answers = [0, 1, 2].map(|_| fetch(&line, &made, &next, Some("3")));
    assert!(answers[0].contains("you have until") && answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(line.events(&incident, "answered").len(), 1);
}

#[test]
fn a_drills_call_says_so_in_every_document() {
    let line = line("call");
    let alert =
        json!({ "kind": "price_velocity", "labels": { "symbol": "ES" }, "values": { "drop_pct": 7.5 }, "drill": true });
    let reply = Call::post("/v1/alerts").bearer(secret("MONITOR_TOKEN")).json(&alert).send(line.address);
    let incident = reply.json()["alerts"][0]["incidents"][0].as_str().unwrap().to_owned();
    let made = line.brief(&incident, ANA);
    let first = said(&picked_up(&line, &made));
    assert!(first[0].starts_with("DRILL incident ") && first[0].contains("exercise"), "{first:?}");
    let done = press(&line, &made, &["2"]);
    let over = picked_up(&line, &made);
    for xml in [done, over] {
        assert!(said(&xml)[0].starts_with("DRILL incident "), "{xml}");
    }
    let shown: Value = line.incident(&incident);
    assert_eq!(shown["drill"], true);
}

#[test]
fn while_the_call_lasts_what_was_taken_is_given_back_by_a_key() {
    let line = line("call");
    let incident = line.crash("ES");
    let made = line.brief(&incident, ANA);
    let taken = press(&line, &made, &["2"]);
    assert_eq!(said(&taken)[1], "Press 4 to hand it back, or hang up to keep it.");
    // Who presses nothing keeps it, and another key is none.
    let kept = fetch(&line, &made, &action(&taken).unwrap(), None);
    assert_eq!((action(&kept), said(&kept)[1].as_str()), (None, "Goodbye."), "{kept}");
    let wrong = fetch(&line, &made, &action(&taken).unwrap(), Some("7"));
    assert!(said(&wrong)[0].ends_with("You have it.") && action(&wrong).is_some(), "{wrong}");
    assert_eq!(line.role(&incident, "trader")["holder"], "Ana Ruiz");

    let back = fetch(&line, &made, &action(&wrong).unwrap(), Some("4"));
    assert!(said(&back)[0].contains("you handed it back. Nobody has trader now: Bo Lind is asked until "), "{back}");
    assert_eq!((action(&back), line.role(&incident, "trader")["holder"].clone()), (None, Value::Null));
    // Bo is called again, and hears why; Ana is not called to hear what she has just done.
    let again = super::house::eventually("a second call of Bo", || {
        let calls = line.twilio.made().into_iter().filter(|made| made.field("To") == Some(BO));
        calls.rev().find(|made| said(&picked_up(&line, made)).join(" ").contains("Ana Ruiz took it at "))
    });
    line.until_page(&incident, "ana", "call", "her own word", |page| {
        let receipt = page["receipt"].as_str().unwrap_or_default();
        page["purpose"] == "handed back" && receipt.starts_with("not called")
    });
    // Picked up later, the same call says how it is, and offers what can be done.
    assert!(said(&press(&line, &again, &["2"]))[0].contains("you have it"));
    let later = picked_up(&line, &again);
    assert!(said(&later)[0].ends_with("You have it.") && action(&later).is_some(), "{later}");
}

/// A key is pressed without reading.
#[test]
fn where_a_fact_must_be_repeated_no_key_decides() {
    let trigger = "[trigger.kill-switch]\non = [\"order_kill\"]\nroles = [\"trader\"]\n\
                   ask = { after = \"5m\", read_back = \"labels.desk\" }\n";
    let line = line_on(&format!("{DESK}\n{trigger}").replace("BY", "call"));
    let body = json!({ "kind": "order_kill", "labels": { "desk": "EQ-2" }, "ask": { "type": "approval", "question": "Cancel?" } });
    let request = Call::post("/v1/requests").bearer(secret("MONITOR_TOKEN")).json(&body).send(line.address).json();
    let made = line.brief(request["incident"].as_str().unwrap(), ANA);
    let lines = said(&picked_up(&line, &made));
    assert!(lines[2].starts_with("This can not be decided by keys: choose on the desk"), "{lines:?}");
    press(&line, &made, &["5"]);
    let path = format!("/v1/requests/{}", request["id"].as_str().unwrap());
    let now = Call::get(&path).bearer(secret("MONITOR_TOKEN")).send(line.address).json();
    assert_eq!((&now["state"], &now["choices"]), (&json!("open"), &json!([])), "{now}");
}

/// Options have keys of their own: those of the answers mean the same in each call.
#[test]
fn the_options_of_a_request_are_read_out_with_keys_of_their_own() {
    let matrix = format!(
        "{}\n[trigger.kill-switch]\non = [\"order_kill\"]\nroles = [\"trader\"]\nask = {{ after = \"5m\" }}\n",
        DESK
    );
    let line = line_on(&matrix.replace("BY", "call"));
    let ask = |options: usize| {
        let options: Vec<Value> = (1..=options)
            .map(|n| {
                json!({ "name": format!("o{n}"), "label": format!("Halt desk {n}"),
            "does": "Cancels its orders." })
            })
            .collect();
        let body = json!({ "kind": "order_kill", "ask": { "type": "decision", "question": "Which desk?", "options": options } });
        let request = Call::post("/v1/requests").bearer(secret("MONITOR_TOKEN")).json(&body).send(line.address).json();
        (request["id"].as_str().unwrap().to_owned(), request["incident"].as_str().unwrap().to_owned())
    };
    let look =
        |id: &str| Call::get(&format!("/v1/requests/{id}")).bearer(secret("MONITOR_TOKEN")).send(line.address).json();
    let (id, incident) = ask(2);
    let made = line.brief(&incident, ANA);
    let lines = said(&picked_up(&line, &made));
    assert!(lines[0].contains("You are asked as trader to decide"), "{lines:?}");
    let keys = "Press 5 for Halt desk 1: Cancels its orders. Press 6 for Halt desk 2: Cancels its orders. Press 3 for";
    assert!(lines[2].starts_with(keys), "{lines:?}");
    press(&line, &made, &["7", "2"]);
    assert_eq!(look(&id)["state"], "open");
    let heard = said(&press(&line, &made, &["6"]));
    assert!(heard[0].ends_with("it is decided."), "{heard:?}");
    assert_eq!((&look(&id)["outcome"]["option"], &look(&id)["choices"][0]["via"]), (&json!("o2"), &json!("voice")));
    let heard = said(&press(&line, &made, &[]));
    assert!(heard[0].contains("decided: o2, by Ana Ruiz"), "{heard:?}");
    let (id, incident) = ask(6);
    let made = line.brief(&incident, ANA);
    let lines = said(&picked_up(&line, &made));
    assert!(lines[2].starts_with("There are more options than keys"), "{lines:?}");
    press(&line, &made, &["5"]);
    assert_eq!(look(&id)["state"], "open");
}
