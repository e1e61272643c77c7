//! The record has the very words: those that people were sent before they left, those that their desk showed, those that
//! they said, and those that came back. Codes, numbers and links are in none of them.

use super::{
    common::{Daemon, Setup},
    desk::{Line, cookie},
    house::{DESK, eventually, sandboxed, sandboxed_on},
    sms::{ANA, text},
    wire::Call,
};
use crate::double::{
    self,
    fault::Fault,
    service::{Manners, Service},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};
use stentor::template::{CODE, LINK};
use tokio::sync::Notify;

/// What the whole record has: the lines' records, and the texts by their hashes.
fn record(daemon: &Daemon) -> (Vec<Value>, BTreeMap<String, String>) {
    let export = daemon.cli(&["journal", "export", "--texts"]);
    let (mut records, mut texts) = (Vec::new(), BTreeMap::new());
    for line in String::from_utf8(export.stdout).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let body = line["body"].as_str().unwrap().to_owned();
        match line["text"].as_str() {
            Some(hash) => drop(texts.insert(hash.to_owned(), body)),
            None => records.push(serde_json::from_str(&body).unwrap()),
        }
    }
    (records, texts)
}

fn events<'a>(records: &'a [Value], event: &str) -> Vec<&'a Value> {
    records.iter().filter(|record| record["event"] == event).collect()
}

async fn remove_text(daemon: &Daemon, hash: &str) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(daemon.state().join("stentor.db"));
    let mut conn = sqlx::ConnectOptions::connect(&options).await.unwrap();
    let removed =
        sqlx::query("DELETE FROM text WHERE hash = ?").bind(hash.to_owned()).execute(&mut conn).await.unwrap();
    assert_eq!(removed.rows_affected(), 1);
    sqlx::Connection::close(conn).await.unwrap();
}

fn sound(daemon: &Daemon) {
    let output = daemon.cli(&["journal", "verify"]);
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn what_somebody_texts_and_is_told_is_kept_to_the_letter_without_codes() {
    let mut daemon = sandboxed();
    let incident = daemon.crash("A");
    let held = daemon.held(&incident, "ana", "sms");
    let wrong = if held.code == "12345" { "54321" } else { "12345" };
    let said =
        [format!("{} perhaps", held.code), format!("{wrong} 2"), "hello?".to_owned(), format!("{} 2", held.code)];
    let told: Vec<String> = said.iter().map(|said| text(&daemon, ANA, said).body).collect();
    // The letters that stand for a code in texts that are kept.
    let masked = |words: &str| words.replace(&held.code, CODE).replace(wrong, CODE);

    let (records, texts) = record(&daemon);
    let kept: Vec<(String, String)> = events(&records, "exchanged")
        .iter()
        .map(|event| {
            assert_eq!((&event["person"], &event["via"]), (&"ana".into(), &"sms".into()), "{event}");
            let text = |field: &str| texts[event[field].as_str().unwrap()].clone();
            (text("said"), text("told"))
        })
        .collect();
    let expected: Vec<_> = said.iter().zip(&told).map(|(said, told)| (masked(said), masked(told))).collect();
    // A digit right behind a code may be part of it.
    let bare = |text: &str| text.replace(&format!("{CODE} 2"), CODE).replace(&format!("{CODE} 4"), CODE);
    let bare = |pairs: Vec<(String, String)>| pairs.iter().map(|(a, b)| (bare(a), bare(b))).collect::<Vec<_>>();
    let kept = bare(kept);
    assert_eq!(kept, bare(expected));
    assert!(!texts.values().any(|text| text.contains(&held.code) || text.contains(wrong)), "{texts:?}");
    assert!(kept[1].1.starts_with("No page of yours has the code "), "{kept:?}");
    assert!(kept[3].1.starts_with(&format!("{incident}: you have it.")), "{kept:?}");
    sound(&daemon);
    // Over a stop, too, and a text that is taken out is found, here and in an export.
    assert!(daemon.stop());
    sound(&daemon);
    let gone = events(&records, "exchanged")[3]["told"].as_str().unwrap();
    let export = daemon.cli(&["journal", "export", "--texts"]);
    let export = String::from_utf8(export.stdout).unwrap();
    let without: Vec<&str> =
        export.lines().filter(|line| !line.starts_with(&format!("{{\"text\":\"{gone}\""))).collect();
    let file = daemon.dir.path().join("without.jsonl");
    std::fs::write(&file, without.join("\n")).unwrap();
    let found = daemon.cli(&["journal", "verify", "--file", file.to_str().unwrap()]);
    assert!(!found.status.success() && String::from_utf8_lossy(&found.stdout).contains(gone), "{found:?}");
    tokio::runtime::Runtime::new().unwrap().block_on(remove_text(&daemon, gone));
    let found = daemon.cli(&["journal", "verify"]);
    assert!(!found.status.success() && String::from_utf8_lossy(&found.stdout).contains(gone), "{found:?}");
}

#[test]
fn wrong_codes_and_strangers_are_counted_and_named_by_nobodys_number() {
    let mut daemon = sandboxed();
    let incident = daemon.crash("A");
    let held = daemon.held(&incident, "ana", "sms");
    let wrong = if held.code == "12345" { "54321" } else { "12345" };
    for _ in 0..4 {
        text(&daemon, ANA, &format!("{wrong} 2"));
    }
    let stranger = "+447700900999";
    for _ in 0..3 {
        assert_eq!(text(&daemon, stranger, "who is this?").body, "");
    }
    assert!(daemon.stop());
    let (records, _) = record(&daemon);
    let refused: Vec<(&str, u64)> = events(&records, "refused")
        .iter()
        .map(|event| (event["what"].as_str().unwrap(), event["count"].as_u64().unwrap()))
        .collect();
    assert_eq!(refused, [("wrong-code", 1), ("unknown-sender", 1), ("wrong-code", 4), ("unknown-sender", 3)]);
    let all = serde_json::to_string(&events(&records, "refused")).unwrap();
    for secret in [stranger, &stranger[1..], ANA, &ANA[1..], wrong] {
        assert!(!all.contains(secret), "{secret}");
    }
}

#[test]
fn what_a_desk_shows_is_kept_once_for_its_person_before_they_see_it() {
    let daemon = sandboxed();
    let incident = daemon.crash("A");
    let cookie = cookie(&daemon, "ana");
    let shows = |state: &Value| state["pages"].as_array().is_some_and(|pages| !pages.is_empty());
    let state = Line::open(&daemon, &cookie).state(shows);
    let page = &state["pages"][0];
    let (records, texts) = record(&daemon);
    let shown = events(&records, "desk-showed");
    assert!(!shown.is_empty(), "{records:?}");
    let kept = &texts[shown[0]["text"].as_str().unwrap()];
    assert_eq!((&shown[0]["person"], &shown[0]["incident"]), (&"ana".into(), &incident.as_str().into()));
    for words in ["ask", "what", "standing"] {
        let words = page[words].as_str().unwrap();
        assert!(kept.contains(words), "{words:?}: {kept}");
    }
    // The code on the desk is not in it.
    let held = daemon.held(&incident, "ana", "sms");
    assert!(!texts.values().any(|text| text.contains(&held.code)), "{texts:?}");
    // Another look at the same shows nothing new.
    Line::open(&daemon, &cookie).state(shows);
    let (again, _) = record(&daemon);
    let same = events(&again, "desk-showed").iter().filter(|event| event["text"] == shown[0]["text"]).count();
    assert_eq!(same, 1);
    sound(&daemon);
}

#[test]
fn a_pressed_button_and_the_word_for_it_are_kept() {
    let daemon = sandboxed();
    let incident = daemon.crash("A");
    let held = daemon.held(&incident, "ana", "mail");
    let pressed = Call::post(held.path()).form(&[("answer", "wilco")]).send(daemon.address);
    assert_eq!(pressed.status, 200, "{pressed:?}");
    let (records, texts) = record(&daemon);
    let by_link: Vec<_> =
        events(&records, "exchanged").into_iter().filter(|event| event["via"] == "mail-link").collect();
    let [event] = by_link[..] else { panic!("{records:?}") };
    assert_eq!(texts[event["said"].as_str().unwrap()], "I have it");
    let told = &texts[event["told"].as_str().unwrap()];
    // The page writes some signs in another way.
    let plain: String = told.chars().take_while(|c| c.is_alphanumeric() || *c == ' ').collect();
    assert!(3 < plain.len() && pressed.body.contains(&plain), "{told}");
}

/// The page behind a link as a person reads it: without its tags and its buttons.
fn read(page: &str) -> String {
    let main = page.split_once("<main").unwrap().1.split_once('>').unwrap().1.split_once("</main>").unwrap().0;
    let mut words = String::new();
    for (n, piece) in main.split("<form").enumerate() {
        let piece = if n == 0 { piece } else { piece.split_once("</form>").unwrap().1 };
        words += &piece.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect::<String>();
    }
    let plain = [("&#x27;", "'"), ("&quot;", "\""), ("&#x2f;", "/"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
    let words = plain.into_iter().fold(words, |words, (sign, plain)| words.replace(sign, plain));
    words.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_page_behind_a_link_is_kept_as_it_is_read_once_for_each_state() {
    let daemon = sandboxed();
    let incident = daemon.crash("A");
    let held = daemon.held(&incident, "ana", "mail");
    let open = || {
        let opened = Call::get(held.path()).send(daemon.address);
        assert_eq!(opened.status, 200, "{opened:?}");
        read(&opened.body)
    };
    assert_eq!(Call::new("HEAD", held.path()).send(daemon.address).status, 200);
    let (records, _) = record(&daemon);
    assert!(events(&records, "link-showed").is_empty(), "HEAD shows nothing: {records:?}");
    let asked = open();
    assert!((0..5).all(|_| open() == asked));
    assert!(daemon.cli(&["resolve", &incident]).status.success());
    let over = open();
    assert!((0..5).all(|_| open() == over) && over.contains("It is over"), "{over}");
    let unknown = Call::get("/a/not-a-link").send(daemon.address);
    assert_eq!(unknown.status, 404, "it shows nothing of an incident");

    let (records, texts) = record(&daemon);
    let kept: Vec<String> = events(&records, "link-showed")
        .iter()
        .map(|event| {
            assert_eq!((&event["person"], &event["incident"]), (&"ana".into(), &incident.as_str().into()), "{event}");
            assert_eq!(format!("{incident}.{}", event["page"]), held.page, "{event}");
            // Empty lines are not read.
            texts[event["text"].as_str().unwrap()]
                .lines()
                .filter(|line| !line.trim().is_empty())
                .map(str::trim)
                .collect::<Vec<_>>()
                .join("\n")
        })
        .collect();
    let placed = |shown: &str| shown.replace(&held.code, CODE).replace("the buttons here", LINK);
    assert_eq!(kept, [placed(&asked), placed(&over)]);
    assert!(!texts.values().any(|text| text.contains(&held.code)), "{texts:?}");
    sound(&daemon);
}

#[test]
fn what_is_answered_on_the_command_line_and_told_there_is_kept() {
    let me = uzers::get_current_username().unwrap().to_string_lossy().into_owned();
    let mut daemon =
        sandboxed_on(&DESK.replace("name  = \"Ana Ruiz\"", &format!("name  = \"Ana Ruiz\"\nunix = \"{me}\"")));
    let incident = daemon.crash("A");
    let exchanges: Vec<(&str, String)> =
        ["wilco --role compliance", "standby 9", "I have the exercise", "wilco", "unable"]
            .into_iter()
            .map(|said| {
                let words: Vec<&str> = said.split(' ').collect();
                let output = daemon.cli(&[&["answer", &incident], &words[..]].concat());
                let told = [output.stdout, output.stderr].concat();
                (said, String::from_utf8(told).unwrap())
            })
            .collect();
    let (records, texts) = record(&daemon);
    let kept: Vec<(&str, &str)> = events(&records, "exchanged")
        .iter()
        .map(|event| {
            assert_eq!((&event["person"], &event["via"]), (&"ana".into(), &"cli".into()), "{event}");
            let text = |field: &str| texts[event[field].as_str().unwrap()].as_str();
            (text("said"), text("told"))
        })
        .collect();
    assert_eq!(kept.len(), exchanges.len(), "{kept:?}");
    for ((said, told), (kept_said, kept_told)) in exchanges.iter().zip(kept) {
        assert!(*said == kept_said && told.contains(kept_told), "{said}: {told}: {kept_said}: {kept_told}");
    }
    assert!(exchanges[3].1.contains("to hand it back: stentor answer"), "{exchanges:?}");
    assert!(daemon.stop());
    sound(&daemon);
}

#[test]
fn a_unix_user_whom_the_matrix_does_not_know_is_counted() {
    let daemon = sandboxed();
    let incident = daemon.crash("A");
    assert!(!daemon.cli(&["answer", &incident, "wilco"]).status.success());
    let (records, _) = record(&daemon);
    let refused = events(&records, "refused");
    let [refused] = refused[..] else { panic!("{refused:?}") };
    assert_eq!((&refused["what"], &refused["via"]), (&"unknown-sender".into(), &"cli".into()), "{refused}");
}

const PUSH: &str = r#"
daemon.public_url = "https://stentor.example.com"
source.monitor = { token = { env = "MONITOR" } }
[person.ana]
name = "Ana Ruiz"
[channel.push]
kind = "ntfy"
url = { env = "TOPIC" }
personal = true
[role.trader]
step = [{ page = ["ana"], by = ["push"], wait = "60s" }]
[trigger.crash]
on = ["crash"]
summary = "the albatross has landed"
roles = ["trader"]
"#;

#[test]
fn words_that_left_before_a_crash_are_in_the_record() {
    double::install_tls();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let ntfy = runtime.block_on(Service::start(Manners { yes: (200, "{}"), no: (400, ""), unwanted: "" }));
    let arrived = Arc::new(Notify::new());
    ntfy.set_fault(Some(Fault::Hang(arrived.clone())));
    let topic = format!("{}/topic", ntfy.url());
    let mut daemon = Setup::new(PUSH).env("TOPIC", &topic).env("MONITOR", "a-token-of-the-monitor").start();
    let alert = json!({ "kind": "crash", "labels": {} });
    let reply = Call::post("/v1/alerts").bearer("a-token-of-the-monitor").json(&alert).send(daemon.address);
    assert_eq!(reply.status, 202, "{reply:?}");
    eventually("the push", || ntfy.asked().into_iter().next());
    daemon.kill();
    let (records, texts) = record(&daemon);
    assert!(events(&records, "settled").is_empty(), "its outcome was never recorded");
    assert!(texts.values().any(|text| text.contains("the albatross has landed")), "{texts:?}");
}
