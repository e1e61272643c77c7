//! The link in a mail.

use super::common::Daemon;
use super::{
    house::{Held, eventually, sandboxed},
    wire::{Call, Reply},
};

fn press(daemon: &Daemon, held: &Held, answer: &str) -> Reply {
    let call = Call::post(held.path()).header("Sec-Fetch-Site", "same-origin");
    call.form(&[("answer", answer)]).send(daemon.address)
}

#[test]
fn looking_at_a_link_changes_nothing_however_often_and_by_whatever_method() {
    let daemon = sandboxed();
    let incident = daemon.crash("ES");
    let held = daemon.held(&incident, "ana", "mail");
    // What a look might leave: an answer, or the stage "seen". Other lines come and go with the desks.
    let traces = || {
        let journal = daemon.control(&Call::get(&format!("/v1/journal?chain={incident}"))).body;
        (journal.matches("verdict").count(), journal.matches("seen").count())
    };
    let before = traces();
    for _ in 0..20 {
        let shown = Call::get(held.path()).header("User-Agent", "a mail scanner").send(daemon.address);
        assert_eq!(shown.status, 200, "{shown:?}");
        assert_eq!(shown.header("cache-control"), Some("no-store"));
        assert_eq!(shown.header("referrer-policy"), Some("no-referrer"));
        assert!(shown.header("content-security-policy").unwrap().contains("frame-ancestors 'none'"));
    }
    for (method, status) in [("HEAD", 200), ("OPTIONS", 405), ("PUT", 405), ("DELETE", 405)] {
        assert_eq!(Call::new(method, held.path()).send(daemon.address).status, status, "{method}");
    }
    let by_query = Call::get(&format!("{}?answer=wilco", held.path())).send(daemon.address);
    assert_eq!(by_query.status, 200);
    assert_eq!(traces(), before);
    assert_eq!(daemon.role(&incident, "trader")["state"], "paging");
}

#[test]
fn pressing_the_button_answers_and_the_second_is_told_who_has_it() {
    let daemon = sandboxed();
    let incident = daemon.crash("ES");
    let (ana, bo) = (daemon.held(&incident, "ana", "mail"), daemon.held(&incident, "bo", "mail"));
    assert_eq!(press(&daemon, &ana, "roger").status, 200);
    assert_eq!(daemon.role(&incident, "trader")["state"], "paging", "a roger is not a wilco");
    assert_eq!(press(&daemon, &ana, "wilco").status, 200);
    let trader = daemon.role(&incident, "trader");
    assert_eq!((trader["state"].as_str(), trader["holder"].as_str()), (Some("engaged"), Some("Ana Ruiz")));
    assert_eq!(press(&daemon, &bo, "wilco").status, 200);
    assert_eq!(daemon.role(&incident, "trader")["holder"], "Ana Ruiz");
    assert!(answered(&daemon, &incident, "bo").contains("too-late"));
    assert!(daemon.cli(&["resolve", &incident]).status.success());
    assert_eq!(press(&daemon, &bo, "wilco").status, 200);
    assert!(answered(&daemon, &incident, "bo").contains("closed"));
}

/// A screen reader begins with the title, then reads what has the focus.
#[test]
fn what_a_press_led_to_is_what_is_read_aloud_first() {
    let daemon = sandboxed();
    let incident = daemon.crash("ES");
    let ana = daemon.held(&incident, "ana", "mail");
    let title = |page: &str| page.split_once("<title>").unwrap().1.split_once("</title>").unwrap().0.to_owned();
    let before = Call::get(ana.path()).send(daemon.address).body;
    assert_eq!((title(&before).as_str(), before.contains("autofocus")), ("LIVE: answer", false));
    let pressed = press(&daemon, &ana, "wilco").body;
    assert!(title(&pressed).starts_with("You have it") && title(&pressed).ends_with("- LIVE: answer"), "{pressed}");
    assert_eq!(pressed.matches("autofocus>You have it").count(), 1, "{pressed}");
}

/// The journal's last line about an answer of this person.
fn answered(daemon: &Daemon, incident: &str, person: &str) -> String {
    let lines = daemon.control(&Call::get(&format!("/v1/journal?chain={incident}"))).json();
    let bodies = lines.as_array().unwrap().iter().rev().map(|line| line["body"].as_str().unwrap().to_owned());
    let mine = format!("\"person\":\"{person}\"");
    bodies.into_iter().find(|body| body.contains("\"verdict\"") && body.contains(&mine)).unwrap_or_default()
}

#[test]
fn forged_links_foreign_forms_and_words_that_are_no_answer_are_refused() {
    let daemon = sandboxed();
    let incident = daemon.crash("ES");
    let held = daemon.held(&incident, "ana", "mail");
    let path = held.path().to_owned();
    let own = path.rsplit_once('.').unwrap().1.to_owned();
    let elsewhere = path.replace(&held.page, "INC-1.99");
    let beyond = path.replace(&held.page, "INC-77.1");
    let mut changed = path.clone();
    changed.replace_range(path.len() - 1.., if path.ends_with('0') { "1" } else { "0" });
    let (upper, cut) = (path.replace(&own, &own.to_uppercase()), path[..path.len() - 1].to_owned());
    // Sixteen digits alone have no upper case: then the path is the good one, and is left out.
    let forged = [elsewhere, beyond, changed, upper, cut, format!("{path}0"), "/a/x".into(), "/a/%00".into()];
    for forged in forged.iter().filter(|forged| **forged != path) {
        for call in [Call::get(forged), Call::post(forged).form(&[("answer", "wilco")])] {
            assert_eq!(call.send(daemon.address).status, 404, "{forged}");
        }
    }
    for site in ["cross-site", "same-site", "nonsense"] {
        let call = Call::post(&path).header("Sec-Fetch-Site", site).form(&[("answer", "wilco")]);
        assert_eq!(call.send(daemon.address).status, 403, "{site}");
    }
    assert_eq!(press(&daemon, &held, "maybe").status, 400);
    assert_eq!(press(&daemon, &held, "").status, 400);
    let json = Call::post(&path).json(&serde_json::json!({ "answer": "wilco" })).send(daemon.address);
    assert_eq!(json.status, 415);
    assert!(Call::post(&path).form(&[("other", "1")]).send(daemon.address).status == 422);
    assert_eq!(daemon.role(&incident, "trader")["state"], "paging");
    assert_eq!(answered(&daemon, &incident, "ana"), "");
}

#[test]
fn whoever_was_taken_out_of_the_matrix_has_no_link_any_more() {
    let daemon = sandboxed();
    let incident = daemon.crash("ES");
    let (ana, bo) = (daemon.held(&incident, "ana", "mail"), daemon.held(&incident, "bo", "mail"));
    let file = daemon.dir.path().join("matrix/matrix.toml");
    let matrix = std::fs::read_to_string(&file).unwrap();
    let from = matrix.find("[person.bo]").unwrap();
    let until = from + matrix[from..].find("\n\n").unwrap();
    let without =
        format!("{}{}", &matrix[..from], &matrix[until..]).replace(", \"bo\"", "").replace("\"bo\"", "\"ana\"");
    std::fs::write(&file, without).unwrap();
    daemon.signal("HUP");
    let gone = || Some(()).filter(|()| Call::get(bo.path()).send(daemon.address).status == 404);
    eventually("the reload", gone);
    assert_eq!(press(&daemon, &bo, "wilco").status, 404);
    assert_eq!(answered(&daemon, &incident, "bo"), "");
    assert_eq!(press(&daemon, &ana, "wilco").status, 200, "the others' go on");
}
