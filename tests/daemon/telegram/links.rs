//! A person links their own chat by a code that works once.

use super::Rig;
use crate::{
    double::telegram::{ANA, STRANGER},
    house::{eventually, verdict},
    wire::Call,
};
use serde_json::Value;

impl Rig {
    /// Ana is `linked`; Bo is known by his id.
    fn linking() -> Self {
        Self::on(|matrix| matrix.replace(&format!("telegram = {ANA}"), "telegram = \"linked\""))
    }

    /// A code for Ana, and the address that hands it in.
    fn offer(&self) -> (String, String) {
        let answer = self.daemon.json(&["people", "link", "ana"]);
        let text = |key: &str| answer[key].as_str().unwrap().to_owned();
        assert_eq!(text("channel"), "bot");
        (text("code"), text("link"))
    }

    fn way_of_ana(&self) -> Value {
        let people = self.daemon.json(&["people"]);
        let ana = people.as_array().unwrap().iter().find(|person| person["person"] == "ana").unwrap();
        ana["channels"].as_array().unwrap().iter().find(|way| way["channel"] == "bot").unwrap().clone()
    }

    fn incident_page(&self, incident: &str, person: &str, channel: &str) -> Value {
        let pages = self.daemon.incident(incident)["pages"].clone();
        let mut pages = pages.as_array().unwrap().iter();
        pages.find(|page| page["person"] == person && page["channel"] == channel).cloned().unwrap_or_default()
    }
}

#[test]
fn a_newcomer_links_their_chat_by_a_code_answers_by_it_and_keeps_it_over_a_crash() {
    let mut rig = Rig::linking();
    assert_eq!(rig.way_of_ana()["unlinked"], true);
    let before = rig.daemon.crash("ES");
    // Who is not linked can not be reached by it, and their page does not wait for that.
    eventually("what hinders her page", || {
        (rig.incident_page(&before, "ana", "bot")["state"] == "unreachable").then_some(())
    });
    let (code, link) = rig.offer();
    assert_eq!(link, format!("https://t.me/stentor_desk_bot?start={code}"));
    assert!((16..=64).contains(&code.len()), "{code}");
    assert!(code.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'), "facts 1.5: {code}");
    assert!(rig.write(ANA, &format!("/start {code}"), None).starts_with("Pages for ana come here."));
    assert_eq!(rig.way_of_ana()["unlinked"], false);
    rig.daemon.kill();
    rig.daemon.restart();
    assert_eq!(rig.way_of_ana()["unlinked"], false);
    let incident = rig.daemon.crash("NQ");
    let page = rig.held(&incident, ANA);
    assert_eq!(verdict(&rig.press(ANA, "wilco", &page.page, &page.code)), format!("{incident}: you have it."));
    assert_eq!(rig.state(&incident, "trader"), "engaged");
    // Neither the code nor the chat stands in the journal, nor in the log.
    let journal = rig.daemon.control(&Call::get("/v1/journal?chain=source:stentor")).body;
    assert_eq!(journal.matches("link-offered").count(), 1);
    assert_eq!(journal.matches("\\\"linked\\\"").count(), 1, "{journal}");
    for text in [journal, rig.daemon.log()] {
        for secret in [&code, &ANA.to_string()] {
            assert!(!text.contains(secret.as_str()), "{secret} is shown");
        }
    }
}

#[test]
fn a_code_is_good_once_for_one_person_until_it_is_replaced_or_revoked() {
    let rig = Rig::linking();
    let good = |word: &str| word.starts_with("Pages for ana come here.");
    let (replaced, _) = rig.offer();
    let (code, _) = rig.offer();
    assert!(!good(&rig.write(STRANGER, &format!("/start {replaced}"), None)), "a newer code replaces it");
    assert!(good(&rig.write(ANA, &format!("/start {code}"), None)));
    let word = rig.write(STRANGER, &format!("/start {code}"), None);
    assert!(word.contains("not good"), "it was used: {word}");
    assert!(rig.daemon.cli(&["people", "unlink", "ana"]).status.success());
    assert_eq!(rig.way_of_ana()["unlinked"], true);
    assert!(rig.write(ANA, "/start", None).contains("matrix knows nobody"), "she is a stranger again");
    let (code, _) = rig.offer();
    assert!(rig.daemon.cli(&["people", "unlink", "ana"]).status.success());
    assert!(!good(&rig.write(ANA, &format!("/start {code}"), None)), "it was revoked");
    assert_eq!(rig.daemon.json(&["people", "unlink", "ana"])["unlinked"], false);
    // Nobody links what the matrix gives.
    let refused = rig.daemon.cli(&["people", "link", "bo", "--channel", "bot"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("telegram = \"linked\""), "{refused:?}");
    for arguments in [["link", "zoe"], ["link", "gita"]] {
        assert!(!rig.daemon.cli(&[&["people"], &arguments[..]].concat()).status.success(), "{arguments:?}");
    }
}

#[test]
fn wrong_codes_of_one_chat_are_counted_and_hold_up_nobody_else() {
    let rig = Rig::linking();
    let (code, _) = rig.offer();
    for _ in 0..10 {
        assert!(rig.write(STRANGER, "/start AAAAAAAAAAAAAAAAAAAAAA", None).contains("not good"));
    }
    let word = rig.write(STRANGER, &format!("/start {code}"), None);
    assert!(word.starts_with("Too many wrong codes"), "{word}");
    assert!(rig.write(ANA, &format!("/start {code}"), None).starts_with("Pages for ana"));
}

#[test]
fn a_link_ends_when_the_matrix_says_it_no_more() {
    let rig = Rig::linking();
    let (code, _) = rig.offer();
    rig.write(ANA, &format!("/start {code}"), None);
    let path = rig.daemon.dir.path().join("matrix/matrix.toml");
    let matrix = std::fs::read_to_string(&path).unwrap();
    let reload = |text: &str| {
        std::fs::write(&path, text).unwrap();
        rig.daemon.signal("HUP");
    };
    reload(&matrix.replace("telegram = \"linked\"", &format!("telegram = {STRANGER}")));
    let unlinked = || {
        let journal = rig.daemon.control(&Call::get("/v1/journal?chain=source:stentor")).body;
        journal.contains("\\\"unlinked\\\"").then_some(())
    };
    eventually("the end of the link", unlinked);
    let incident = rig.daemon.crash("ES");
    rig.held(&incident, STRANGER);
    reload(&matrix);
    eventually("the matrix of before", || (rig.way_of_ana()["unlinked"] == true).then_some(()));
}
