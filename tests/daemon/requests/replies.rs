//! What people write to a page that asks: what they copy out of it decides, a no or a yes does not, and each of them is told
//! what to write.

use super::{Daemon, accepted, form, incident, kill, look, matrix, sandboxed_on};
use crate::{
    answers::sms::{ANA, text},
    house::secret,
    wire::Call,
};
use serde_json::{Value, json};

/// Where many are paged at once.
fn desk(rules: &str) -> Daemon {
    let pace = "kind     = \"kannel\"\npace     = \"100/s burst 100\"";
    sandboxed_on(&matrix(rules).replace("kind     = \"kannel\"", pace))
}

fn open() -> (Daemon, Value, String) {
    let daemon = desk("after = \"5m\"");
    let request = accepted(&daemon, &kill());
    let code = daemon.held(incident(&request), "ana", "sms").code;
    (daemon, request, code)
}

/// Whether Ana has passed it on.
fn passed(daemon: &Daemon, request: &Value) -> bool {
    let shown = daemon.cli(&["show", incident(request)]).stdout;
    String::from_utf8_lossy(&shown).contains("Ana Ruiz answered \"I can't, pass on\"")
}

#[test]
fn a_no_to_a_question_decides_nothing_and_passes_nothing_on_and_the_reply_says_how() {
    let (daemon, request, code) = open();
    for no in ["CODE no", "no CODE", "CODE can't", "CODE No thanks", "CODE no, sorry"] {
        let reply = text(&daemon, ANA, &no.replace("CODE", &code));
        let how = format!(
            "{}: nothing was decided and nothing passed on: reply {code} A = Approve, {code} B = Deny, or {code} 4 to pass it on.",
            incident(&request)
        );
        assert_eq!(reply.body, how, "{no}");
        // Who is understood now and then is asked back each time.
        let yes = text(&daemon, ANA, &format!("{code} yes {}", "!".repeat(no.len())));
        assert!(
            yes.body.contains(&format!("nothing is decided yet: reply {code} A = Approve, {code} B = Deny")),
            "{yes:?}"
        );
    }
    let now = look(&daemon, &request["id"], "");
    assert_eq!((&now["state"], &now["choices"]), (&json!("open"), &json!([])));
    assert!(!passed(&daemon, &request));
    // The reply itself says what to write.
    let reply = text(&daemon, ANA, &format!("{code} 4 to pass it on"));
    assert!(reply.body.contains("passed on") && passed(&daemon, &request), "{reply:?}");
}

#[test]
fn a_no_to_a_form_and_on_the_command_line_passes_nothing_on() {
    let me = uzers::get_current_username().unwrap().to_string_lossy().into_owned();
    let person = format!("name  = \"Ana Ruiz\"\nunix = \"{me}\"");
    let daemon = sandboxed_on(&matrix("after = \"5m\"").replace("name  = \"Ana Ruiz\"", &person));
    let request = accepted(&daemon, &form::limit());
    let code = daemon.held(incident(&request), "ana", "sms").code;
    let reply = text(&daemon, ANA, &format!("{code} no"));
    assert!(reply.body.contains("nothing was decided and nothing passed on: fill in the form"), "{reply:?}");
    let approval = accepted(&daemon, &kill());
    for (request, how) in [(&request, "fill in the form"), (&approval, "approve or deny; stentor answer")] {
        let said = daemon.cli(&["answer", incident(request), "no"]);
        let told = String::from_utf8_lossy(&said.stderr);
        assert!(!said.status.success() && told.contains("nothing passed on") && told.contains(how), "{said:?}");
        assert!(!passed(&daemon, request));
        assert!(daemon.cli(&["answer", incident(request), "unable"]).status.success());
        assert!(passed(&daemon, request));
    }
}

#[test]
fn what_is_copied_out_of_the_page_decides_and_what_is_left_over_is_quoted() {
    let (daemon, request, code) = open();
    for (said, quoted) in [
        ("CODE A = Deny", "\"Deny\""),
        ("CODE A please", "\"please\""),
        ("CODE A if the market is closed", "\"if the market is closed\""),
        ("please A CODE", "\"please\""),
        ("CODE maybe", "\"maybe\""),
        ("CODE A = Approve (exercise)", "this is LIVE, no exercise"),
    ] {
        let reply = text(&daemon, ANA, &said.replace("CODE", &code));
        let how = format!("not understood: {quoted}. Reply {code} A = Approve, {code} B = Deny and nothing else.");
        assert_eq!(reply.body, format!("{}: {how}", incident(&request)), "{said}");
        assert_eq!(look(&daemon, &request["id"], "")["choices"], json!([]), "{said}");
    }
    let letter = text(&daemon, ANA, "A");
    assert!(letter.body.ends_with("Reply with the 5-digit code of the page before the letter."), "{letter:?}");
    for said in
        ["CODE A = Approve", "CODE-A", "CODE:A", "CODE A) Approve", "A CODE", "CODE \"A\"", "CODE (A)", "ＣＯＤＥ　Ａ"]
    {
        let request = accepted(&daemon, &kill());
        let code = daemon.held(incident(&request), "ana", "sms").code;
        let wide: String = code.bytes().map(|byte| char::from_u32(0xff10 + u32::from(byte - b'0')).unwrap()).collect();
        let reply = text(&daemon, ANA, &said.replace("CODE", &code).replace("ＣＯＤＥ", &wide));
        assert!(reply.body.ends_with("it is decided"), "{said}: {reply:?}");
        assert_eq!(look(&daemon, &request["id"], "")["outcome"]["option"], "approve", "{said}");
    }
}

#[test]
fn a_fact_of_five_digits_stands_behind_the_letter_and_the_first_number_is_the_code() {
    let daemon = sandboxed_on(&matrix("after = \"5m\", read_back = \"labels.desk\""));
    let ask = |desk: &str| {
        let body = json!({ "kind": "order_kill", "labels": { "desk": desk }, "ask": kill() });
        let reply = Call::post("/v1/requests").bearer(secret("MONITOR_TOKEN")).json(&body).send(daemon.address);
        let request = reply.json();
        let code = daemon.held(incident(&request), "ana", "sms").code;
        (request, code)
    };
    let state = |request: &Value| look(&daemon, &request["id"], "")["state"].clone();
    let fresh = |used: &[&str]| ["77311", "77312", "77313", "77314"].into_iter().find(|n| !used.contains(n)).unwrap();
    let (first, first_code) = ask(fresh(&[]));
    // A fact that is another open code of the same person.
    let (second, second_code) = ask(&first_code);
    let reply = text(&daemon, ANA, &format!("{second_code} A {first_code}"));
    assert!(reply.body.ends_with("it is decided"), "{reply:?}");
    assert_eq!((state(&first), state(&second)), (json!("open"), json!("decided")));
    let wrong = text(&daemon, ANA, &format!("{first_code} A {second_code}"));
    assert!(wrong.body.contains("nothing was counted: repeat 7731"), "{wrong:?}");
    let without = text(&daemon, ANA, &format!("{first_code} {}", fresh(&[&first_code, &second_code])));
    assert!(
        without.body.contains(&format!("Reply {first_code} A = Approve, {first_code} B = Deny, each with 7731")),
        "{without:?}"
    );
    let no_code = fresh(&[&first_code, &second_code]);
    let turned = text(&daemon, ANA, &format!("A {no_code} {first_code}"));
    assert!(turned.body.ends_with("The code comes first."), "{turned:?}");
    assert_eq!(state(&first), "open");
    let reply = text(&daemon, ANA, &format!("A {first_code} {}", fresh(&[])));
    assert!(reply.body.ends_with("it is decided"), "{reply:?}");
    assert_eq!(state(&first), "decided");
}

#[test]
fn a_signature_is_no_part_of_an_answer_and_a_line_that_is_none_is() {
    let daemon = desk("after = \"5m\"");
    let asked = |said: &str| {
        let request = accepted(&daemon, &kill());
        let code = daemon.held(incident(&request), "ana", "sms").code;
        let reply = text(&daemon, ANA, &said.replace("CODE", &code));
        // Who answers is a person.
        text(&daemon, ANA, &format!("{code} B"));
        (reply.body.ends_with("it is decided"), reply.body)
    };
    for said in [
        "CODE A\n-- \nAna",
        "CODE A\r\n-- \r\nAna Ruiz, Desk EQ-2\r\nno. 5 High Street",
        "CODE A\n\nSent from my iPhone",
        "CODE A\n\nGesendet von meinem Samsung Galaxy\n\nSent from my iPhone",
    ] {
        let (decided, told) = asked(said);
        assert!(decided, "{said:?}: {told}");
    }
    for said in [
        "CODE A\n\nAna Ruiz, Desk EQ-2",
        "CODE A\n--\nAna",
        "CODE A\n-- \nAna 👎",
        "CODE A\nnot Sent from my iPhone",
        "Sent from my iPhone\nCODE A",
    ] {
        let (decided, told) = asked(said);
        assert!(!decided && told.contains("not understood"), "{said:?}: {told}");
    }
    let incident = daemon.crash("ES");
    let code = daemon.held(&incident, "ana", "sms").code;
    let reply = text(&daemon, ANA, &format!("{code} 2\n\nSent from my iPhone"));
    assert!(reply.body.contains("you have it"), "{reply:?}");
}

const BO: &str = "+447700900002";

#[test]
fn who_takes_a_choice_back_is_not_counted_whoever_has_the_role_and_a_no_says_what_stands() {
    let pace = "kind     = \"kannel\"\npace     = \"100/s burst 100\"";
    let both = "on = [\"order_kill\"]\nroles = [\"trader\", \"compliance\"]";
    let text_of = matrix("after = \"5m\", approvals = 3").replace("kind     = \"kannel\"", pace);
    let daemon = sandboxed_on(&text_of.replace("on = [\"order_kill\"]\nroles = [\"trader\"]", both));
    let request = accepted(&daemon, &kill());
    let code = |person| daemon.held(incident(&request), person, "sms").code;
    let (ana, bo) = (code("ana"), code("bo"));
    for (person, code) in [(ANA, &ana), (BO, &bo)] {
        let reply = text(&daemon, person, &format!("{code} A"));
        assert!(reply.body.contains("it counts"), "{reply:?}");
    }
    let no = text(&daemon, BO, &format!("{bo} no"));
    assert!(no.body.contains("your Approve still counts: reply") && no.body.contains("4 to take it back"), "{no:?}");
    let back = text(&daemon, BO, &format!("{bo} 4"));
    assert!(back.body.contains("your choice is taken back; Ana Ruiz has the role"), "{back:?}");
    let choices = look(&daemon, &request["id"], "")["choices"].clone();
    let who: Vec<&str> = choices.as_array().unwrap().iter().filter_map(|choice| choice["person"].as_str()).collect();
    assert_eq!(who, ["ana"], "{choices}");
    // The second time it is no news to the role, and the choice is theirs to take back all the same.
    assert!(text(&daemon, BO, &format!("{bo} A")).body.contains("it counts"));
    assert!(text(&daemon, BO, &format!("{bo} unable")).body.contains("your choice is taken back"));
    assert_eq!(look(&daemon, &request["id"], "")["choices"].as_array().unwrap().len(), 1);
    let verified = daemon.cli(&["journal", "verify"]);
    assert!(verified.status.success(), "{verified:?}");
}

#[test]
fn a_code_without_a_blank_behind_it_is_told_that_it_needs_one() {
    let (daemon, request, code) = open();
    for said in ["CODEA", "CODE2.", "CODEa!"] {
        let reply = text(&daemon, ANA, &said.replace("CODE", &code));
        assert!(reply.body.contains("Put a blank between the 5-digit code and the letter"), "{said}: {reply:?}");
    }
    assert_eq!(look(&daemon, &request["id"], "")["choices"], json!([]));
}

#[test]
fn the_record_has_words_that_fit_a_question_for_what_changes_nothing() {
    let (daemon, request, code) = open();
    text(&daemon, ANA, &format!("{code} yes"));
    text(&daemon, ANA, &format!("{code} A"));
    for late in ["no", "yes", "4"] {
        let reply = text(&daemon, ANA, &format!("{code} {late}"));
        assert!(reply.body.contains("too late: decided: approve, by Ana Ruiz"), "{late}: {reply:?}");
    }
    let shown = String::from_utf8(daemon.cli(&["show", incident(&request)]).stdout).unwrap();
    for (words, times) in [
        ("Ana Ruiz said yes or wilco for trader by sms: nothing is decided by that", 1),
        ("Ana Ruiz said no or unable by sms: too late, nothing changed", 2),
        ("Ana Ruiz said yes or wilco by sms: too late, nothing changed", 1),
        ("I have it", 0),
        ("pass on", 0),
    ] {
        assert_eq!(shown.matches(words).count(), times, "{words}: {shown}");
    }
    let verified = daemon.cli(&["journal", "verify"]);
    assert!(verified.status.success(), "{verified:?}");
}
