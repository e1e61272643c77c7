//! SMS replies, as a gateway hands them over.

use super::common::Daemon;
use super::{
    house::{sandboxed, secret, verdict},
    wire::{Call, Reply, form},
};
use stentor::text::reply::{CODE_DIGITS, Reply as TextMeaning, read};

pub const ANA: &str = "+447700900001";
const GITA: &str = "+447700900007";

fn path(token: &str, fields: &[(&str, &str)]) -> String {
    let fields = [&[("token", token)], fields].concat();
    format!("/hooks/kannel/sms?{}", form(&fields))
}

pub fn text(daemon: &Daemon, from: &str, text: &str) -> Reply {
    let reply = Call::get(&path(secret("KANNEL_REPLY_TOKEN"), &[("from", from), ("text", text)])).send(daemon.address);
    what_it_says_of_digits_is_read(&reply.body);
    reply
}

/// `48213 4 to hand it back`: people copy that.
fn what_it_says_of_digits_is_read(told: &str) {
    for clause in told.split([',', ';', '.']) {
        let words: Vec<&str> = clause.split_whitespace().collect();
        let is_number = |word: &str, digits: usize| word.len() == digits && word.bytes().all(|b| b.is_ascii_digit());
        let at = words.windows(2).position(|pair| is_number(pair[0], CODE_DIGITS) && is_number(pair[1], 1));
        let Some(at) = at else { continue };
        let (typed, digit) = (words[at..].join(" "), words[at + 1].parse::<u8>().unwrap());
        let is_it = matches!(read(&typed), TextMeaning::Answer { code: Some(_), answer } if answer.digit() == digit);
        assert!(is_it, "{typed:?} of {told:?} is not read");
    }
}

/// What somebody reads who has taken it.
fn taken(incident: &str, code: &str) -> String {
    format!("{incident}: you have it. Reply {code} 4 to hand it back.")
}

#[test]
fn a_reply_with_the_pages_code_from_its_persons_number_is_an_answer() {
    let daemon = sandboxed();
    // The forms that gateways write a number in, each with an incident of its own.
    for (n, (from, said, word)) in [
        (ANA, "CODE", "you have it"),
        ("00447700900001", "CODE 2", "you have it"),
        ("447700900001", "wilco CODE", "you have it"),
        (" 447700900001", "ACK CODE", "you have it"),
        (ANA, "CODE 1", "received; the role still needs somebody who takes it"),
        (ANA, "CODE 4", "passed on"),
        (ANA, "standby 3 CODE", "you have until "),
    ]
    .into_iter()
    .enumerate()
    {
        let incident = daemon.crash(&format!("S{n}"));
        let held = daemon.held(&incident, "ana", "sms");
        let reply = text(&daemon, from, &said.replace("CODE", &held.code));
        assert_eq!(reply.status, 200, "{reply:?}");
        let expected = format!("{incident}: {word}");
        assert!(reply.body.starts_with(&expected), "{from} {said}: {:?} is not {expected:?}", reply.body);
    }
}

#[test]
fn a_gateway_may_also_post_the_text() {
    let daemon = sandboxed();
    let incident = daemon.crash("ES");
    let held = daemon.held(&incident, "bo", "sms");
    let call = Call::post(&path(secret("KANNEL_REPLY_TOKEN"), &[("from", "+447700900002")]));
    let reply = call.header("Content-Type", "text/plain; charset=\"UTF-8\"").body(format!("ACK {}", held.code));
    assert_eq!(verdict(&reply.send(daemon.address).body), taken(&incident, &held.code));
    assert_eq!(daemon.role(&incident, "trader")["holder"], "Bo Lind");
}

#[test]
fn what_is_no_answer_of_this_person_changes_nothing() {
    // An address is asked back a few times and no more: each few lines have a daemon of their own.
    for first in (0..UNDERSTOOD_BY_NOBODY).step_by(EXPLAINED) {
        changes_nothing(first);
    }
}

/// Lines of the table below.
const UNDERSTOOD_BY_NOBODY: usize = 17;

/// Times that one address is asked back.
const EXPLAINED: usize = 3;

fn changes_nothing(first: usize) {
    const HOW: &str = "Reply with the 5-digit code";
    let daemon = sandboxed();
    let incident = daemon.crash("ES");
    let (ana, bo) = (daemon.held(&incident, "ana", "sms"), daemon.held(&incident, "bo", "sms"));
    let dora = daemon.held(&incident, "dora", "sms");
    // One page alone is open, and still its code is asked for: a number can be forged.
    let waits = format!("{incident} (trader) waits for you. {HOW}");
    let unclear = format!("{incident}: I read your code {}, but not what you want: ", ana.code);
    let wrong = if ana.code == "10000" || bo.code == "10000" { "10001" } else { "10000" };
    let table: [(&str, String, &str); UNDERSTOOD_BY_NOBODY] = [
        (ANA, wrong.to_owned(), "No page of yours has the code"),
        (ANA, bo.code.clone(), "No page of yours has the code"),
        (ANA, format!("{} 1", dora.code), "No page of yours has the code"),
        (ANA, "wilco".into(), &waits),
        (ANA, "2".into(), &waits),
        (ANA, String::new(), &waits),
        (ANA, format!("{} {}", ana.code, bo.code), &waits),
        (ANA, "2 👎".into(), &waits),
        (ANA, format!("{} 👎", bo.code), "No page of yours has the code"),
        (ANA, format!("{} what is this", ana.code), &unclear),
        (ANA, format!("I am out of office until Monday {}", ana.code), &unclear),
        (ANA, format!("{} stop", ana.code), &unclear),
        (GITA, "wilco".into(), HOW),
        (ANA, "STOP".into(), ""),
        ("+12125550100", ana.code.clone(), ""),
        ("", ana.code.clone(), ""),
        ("not a number", ana.code.clone(), ""),
    ];
    for (from, said, word) in table.into_iter().skip(first).take(EXPLAINED) {
        let reply = text(&daemon, from, &said);
        assert_eq!(reply.status, 200, "{from} {said}: {reply:?}");
        let right = if word.is_empty() { reply.body.is_empty() } else { reply.body.starts_with(word) };
        assert!(right, "{from} {said:?}: {:?}", reply.body);
    }
    assert_eq!(daemon.role(&incident, "trader")["state"], "paging");
    assert_eq!(daemon.role(&incident, "compliance")["state"], "paging");
}

#[test]
fn only_the_gateway_may_hand_replies_over() {
    let daemon = sandboxed();
    let incident = daemon.crash("ES");
    let held = daemon.held(&incident, "ana", "sms");
    let fields = [("from", ANA), ("text", held.code.as_str())];
    for (path, status) in [
        (path("", &fields), 401),
        (path("wrong", &fields), 401),
        (path(secret("MONITOR_TOKEN"), &fields), 401),
        (format!("/hooks/kannel/sms?{}", form(&fields)), 401),
        (path(secret("KANNEL_REPLY_TOKEN"), &fields).replace("/sms?", "/other?"), 401),
        (path(secret("KANNEL_REPLY_TOKEN"), &fields).replace("/sms?", "/room?"), 401),
        // Who is the gateway is told what is missing.
        (path(secret("KANNEL_REPLY_TOKEN"), &[("text", &held.code)]), 400),
        (path("wrong", &[("text", &held.code)]), 401),
    ] {
        let reply = Call::get(&path).send(daemon.address);
        assert_eq!(reply.status, status, "{path}: {reply:?}");
        assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{path}");
        assert!(!reply.body.contains(secret("KANNEL_REPLY_TOKEN")) && !reply.body.contains(&held.code), "{reply:?}");
    }
    assert_eq!(daemon.role(&incident, "trader")["state"], "paging");
}

#[test]
fn who_guesses_codes_is_stopped_before_the_right_one_comes_up() {
    let daemon = sandboxed();
    let incident = daemon.crash("ES");
    let held = daemon.held(&incident, "ana", "sms");
    let wrong = if held.code == "10000" { "10001" } else { "10000" };
    for n in 0..10 {
        // The same text again is a machine's, and gets no answer; it counts all the same.
        assert_eq!(text(&daemon, ANA, wrong).body.starts_with("No page of yours"), n == 0, "{n}");
    }
    assert!(text(&daemon, "00447700900001", &held.code).body.starts_with("Too many wrong codes"));
    assert_eq!(daemon.role(&incident, "trader")["state"], "paging");
    // Others are not held up by it.
    let bo = daemon.held(&incident, "bo", "sms");
    assert_eq!(verdict(&text(&daemon, "+447700900002", &bo.code).body), taken(&incident, &bo.code));
}

#[test]
fn a_machine_that_texts_is_not_answered_for_ever() {
    let daemon = sandboxed();
    let incident = daemon.crash("ES");
    let answers =
        |said: &dyn Fn(usize) -> String| (0..40).filter(|n| !text(&daemon, ANA, &said(*n)).body.is_empty()).count();
    assert_eq!(answers(&|_| "I am driving".to_owned()), 1, "the same text twice is a machine's");
    assert_eq!(answers(&|n| format!("I am driving, ticket {n}")), 2, "three questions in all");
    // A valid answer still counts, and is confirmed; not forty times.
    let held = daemon.held(&incident, "ana", "sms");
    let first = text(&daemon, ANA, &format!("{} 2", held.code));
    assert_eq!(verdict(&first.body), taken(&incident, &held.code));
    assert_eq!(answers(&|_| format!("{} 2", held.code)), 2);
    let back = text(&daemon, ANA, &format!("{} 4", held.code)).body;
    assert!(back.starts_with(&format!("{incident}: you handed it back")), "{back}");
}
