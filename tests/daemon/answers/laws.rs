//! Laws 4 and 5: only the right human's right answer engages, the first one wins, and everybody hears who has it.

use super::common::Daemon;
use super::{
    house::{Held, sandboxed, secret, verdict},
    wire::{Call, form},
};
use serde_json::Value;
use std::{collections::BTreeSet, sync::Barrier};

fn text(daemon: &Daemon, from: &str, held: &Held) -> String {
    let token = secret("KANNEL_REPLY_TOKEN");
    let said = format!("{} 2", held.code);
    let path = format!("/hooks/kannel/sms?{}", form(&[("token", token), ("from", from), ("text", &said)]));
    Call::get(&path).send(daemon.address).body
}

/// Person and channel of every page with this purpose about this role.
fn told(incident: &Value, purpose: &[&str], role: &str) -> BTreeSet<(String, String)> {
    let pages = incident["pages"].as_array().unwrap().iter();
    let mine = pages.filter(|page| purpose.contains(&page["purpose"].as_str().unwrap()) && page["role"] == role);
    // A desk that is closed was never sent to.
    let mine = mine.filter(|page| page["channel"] != "desk");
    let name = |value: &Value| value.as_str().unwrap().to_owned();
    mine.map(|page| (name(&page["person"]), name(&page["channel"]))).collect()
}

#[test]
fn two_answers_at_once_engage_one_and_everybody_who_was_asked_is_told() {
    let daemon = sandboxed();
    for round in 0..8 {
        let incident = daemon.crash(&format!("S{round}"));
        let (ana, bo) = (daemon.held(&incident, "ana", "sms"), daemon.held(&incident, "bo", "sms"));
        for (person, channel) in [("ana", "mail"), ("ana", "room"), ("bo", "mail"), ("bo", "room")] {
            daemon.held(&incident, person, channel);
        }
        daemon.until(&incident, "every brief kept", |i| {
            let pages = i["pages"].as_array().unwrap().iter();
            pages.filter(|page| page["channel"] != "desk").all(|page| page["state"] == "sandbox")
        });
        let together = Barrier::new(2);
        let words = std::thread::scope(|scope| {
            let [first, second] = [("+447700900001", &ana), ("+447700900002", &bo)].map(|(from, held)| {
                let (together, daemon) = (&together, &daemon);
                scope.spawn(move || {
                    together.wait();
                    text(daemon, from, held)
                })
            });
            [first.join().unwrap(), second.join().unwrap()]
        });
        let (winner, loser) = if words[0].contains("you have it") { ("Ana Ruiz", 1) } else { ("Bo Lind", 0) };
        assert_eq!(verdict(&words[loser]), format!("{incident}: too late: {winner} has it."));
        let code = if loser == 1 { &ana.code } else { &bo.code };
        assert_eq!(verdict(&words[1 - loser]), format!("{incident}: you have it. Reply {code} 4 to hand it back."));
        assert_eq!(daemon.role(&incident, "trader")["holder"], winner);
        let shown = daemon.incident(&incident);
        let asked = told(&shown, &["brief"], "trader");
        assert_eq!(asked.len(), 6);
        assert_eq!(told(&shown, &["taken"], "trader"), asked);
        let journal = daemon.control(&Call::get(&format!("/v1/journal?chain={incident}"))).body;
        assert_eq!(journal.matches("\\\"engages\\\"").count(), 1, "{journal}");
    }
}

#[test]
fn an_answer_for_another_role_or_of_one_who_was_never_asked_engages_nobody() {
    let daemon = sandboxed();
    let incident = daemon.crash("ES");
    let dora = daemon.held(&incident, "dora", "mail");
    let pressed = Call::post(dora.path()).form(&[("answer", "wilco")]).send(daemon.address);
    assert_eq!(pressed.status, 200);
    assert_eq!(daemon.role(&incident, "compliance")["state"], "engaged");
    assert_eq!(daemon.role(&incident, "trader")["state"], "paging", "another role's answer is not theirs");
    // Gita is only in the catch-all, which has not been entered: she has no page, and no code is hers.
    let ana = daemon.held(&incident, "ana", "sms");
    assert!(text(&daemon, "+447700900007", &ana).starts_with("No page of yours"));
    assert!(text(&daemon, "+447700900004", &ana).starts_with("No page of yours"));
    assert_eq!(daemon.role(&incident, "trader")["holder"], Value::Null);
    assert_eq!(daemon.role(&incident, "trader")["state"], "paging");
}

#[test]
fn nothing_is_engaged_after_the_end_and_those_who_were_asked_hear_of_it() {
    let daemon = sandboxed();
    let incident = daemon.crash("ES");
    let ana = daemon.held(&incident, "ana", "sms");
    daemon.until(&incident, "every brief kept", |i| {
        i["pages"].as_array().unwrap().iter().filter(|p| p["channel"] != "desk").all(|p| p["state"] == "sandbox")
    });
    assert!(daemon.cli(&["resolve", &incident]).status.success());
    assert_eq!(verdict(&text(&daemon, "+447700900001", &ana)), format!("{incident}: the incident is over."));
    assert_eq!(daemon.role(&incident, "trader")["state"], "closed");
    let shown = daemon.incident(&incident);
    let pages = shown["pages"].as_array().unwrap().iter();
    let ends: BTreeSet<&str> =
        pages.filter(|page| page["purpose"] == "resolved").map(|page| page["person"].as_str().unwrap()).collect();
    assert_eq!(ends, BTreeSet::from(["ana", "bo", "dora"]));
}
