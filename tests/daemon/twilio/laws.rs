//! The laws, on both channels: nothing stale is sent, a channel that fails is gone round, and no secret is shown.

use super::house::verdict;
use super::line::{ANA, BO, DESK, Line, line, line_on};
use super::{
    double::{
        fault::Fault,
        twilio::{ACCOUNT, Made, NEXT_TOKEN, TOKEN},
    },
    wire::Call,
};
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::Notify;

/// The purpose of the page that a message or a call is about.
fn purpose(line: &Line, incident: &str, made: &Made) -> String {
    let url = made.field("StatusCallback").unwrap();
    let n: u64 = url.split_once(&format!("page={incident}.")).unwrap().1.split('&').next().unwrap().parse().unwrap();
    let shown = line.incident(incident);
    let page = shown["pages"].as_array().unwrap().iter().find(|page| page["n"] == n).unwrap().clone();
    page["purpose"].as_str().unwrap().to_owned()
}

#[test]
fn a_page_that_waits_for_twilio_is_not_sent_once_its_role_is_engaged() {
    for channel in ["sms", "call"] {
        let line = line_on(&DESK.replace("\"BY\"", &format!("\"{channel}\", \"mail\"")));
        line.twilio.set_refusal(Some((429, 20429)));
        let incident = line.crash("ES");
        let held = line.held(&incident, "ana", "mail");
        for person in ["ana", "bo"] {
            line.until_page(&incident, person, channel, "refused", |page| 0 < page["refusals"].as_u64().unwrap());
        }
        // By whichever page: the code is the person's own.
        let taken = format!("{incident}: you have it. Reply {} 4 to hand it back.", held.code);
        assert_eq!(verdict(&line.text(ANA, "SM1", &format!("{} 2", held.code), &[])), taken);
        line.twilio.set_refusal(None);
        line.until_page(&incident, "bo", channel, "told", |page| {
            page["purpose"] == "taken" && page["state"] == "accepted"
        });
        let about_trader = |made: &&Made| [Some(ANA), Some(BO)].contains(&made.field("To"));
        let sent: Vec<String> =
            line.twilio.made().iter().filter(about_trader).map(|made| purpose(&line, &incident, made)).collect();
        assert!(!sent.is_empty() && sent.iter().all(|purpose| purpose == "taken"), "{channel}: {sent:?}");
    }
}

#[test]
fn whatever_twilio_does_everybody_is_reached_by_another_way_and_no_secret_is_shown() {
    let line = line_on(&DESK.replace("BY", "sms").replace("from    =", "accept_timeout = \"1s\"\nfrom    ="));
    let faults = [
        None,
        Some(Fault::Html),
        Some(Fault::Cut),
        Some(Fault::Hang(Arc::new(Notify::new()))),
        Some(Fault::Status(500, vec![], "AC0123456789abcdef0123456789abcdef:auth-token-primary-4711")),
        Some(Fault::Status(429, vec![("retry-after", "600")], "")),
        Some(Fault::Status(
            429,
            vec![("date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("retry-after", "Sun, 06 Nov 1994 09:49:37 GMT")],
            "",
        )),
        Some(Fault::Status(401, vec![], "{\"code\":20003,\"message\":\"auth-token-primary-4711\"}")),
    ];
    for (n, fault) in faults.into_iter().enumerate() {
        let refusal = fault.is_none().then_some((400, 21408));
        line.twilio.set_fault(fault);
        line.twilio.set_refusal(refusal);
        let incident = line.crash(&format!("S{n}"));
        for person in ["ana", "bo", "dora"] {
            let held = line.held(&incident, person, "mail");
            assert_eq!(held.code.len(), 5);
        }
    }
    let journal = Value::from(line.journal("INC-1")).to_string();
    let shown = ["/readyz", "/metrics"].map(|path| line.control(&Call::get(path)).body).concat();
    let incidents = line.incidents().iter().map(Value::to_string).collect::<String>();
    for (place, text) in [("log", line.log()), ("journal", journal), ("readyz", shown), ("incidents", incidents)] {
        for secret in [TOKEN, NEXT_TOKEN, ACCOUNT, ANA, BO, "token="] {
            assert!(!text.contains(secret), "{place} shows {secret}");
        }
    }
}

#[test]
fn an_answer_counts_for_the_person_whose_number_and_code_it_is() {
    let line = line("sms");
    let incident = line.crash("ES");
    let code = super::line::code_of(&line.brief(&incident, ANA));
    // The right code from another's phone, and from a phone that pretends to be hers in another form.
    assert!(line.text(BO, "SM1", &format!("{code} 2"), &[]).starts_with("No page of yours"));
    assert_eq!(line.text("+15005550099", "SM2", &format!("{code} 2"), &[]), "");
    assert_eq!(line.role(&incident, "trader")["state"], "paging");
    let taken = format!("{incident}: you have it. Reply {code} 4 to hand it back.");
    assert_eq!(verdict(&line.text("00447700900001", "SM3", &format!("{code} 2"), &[])), taken);
    line.made(BO, "Ana Ruiz has it for trader; you are released");
    line.made(ANA, "You have it.");
}
