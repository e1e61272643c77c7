//! A desk in Chromium: what was taken by a wrong press is handed back, and a lost confirmation stays no longer than it must.

use crate::{
    browser::{self, Browser},
    common::{Daemon, Setup},
};
use serde_json::Value;

const MATRIX: &str = r#"
[channel.desk]
kind = "screen"

[person.eve]
name = "Eve Ito"

[person.bo]
name = "Bo Lind"

[role.it]
engaged_by = "wilco"
step = [{ page = ["eve", "bo"], by = ["desk"], wait = "10m" }]

[trigger.down]
on    = ["down"]
key   = 'alert.labels.host'
roles = ["it"]
"#;

fn desk(daemon: &Daemon, person: &str) -> Browser {
    Browser::open(daemon.json(&["desk-link", person])["link"].as_str().unwrap())
}

fn holder(daemon: &Daemon, incident: &str) -> Value {
    daemon.json(&["show", incident])["incident"]["roles"][0]["holder"].clone()
}

#[test]
fn a_wrong_press_is_handed_back_on_the_desk_and_a_lost_confirmation_goes_with_the_state() {
    if browser::missing() {
        return;
    }
    let daemon = Setup::new(MATRIX).start();
    let (mut eve, mut bo) = (desk(&daemon, "eve"), desk(&daemon, "bo"));
    let fire = |host: &str| assert!(daemon.cli(&["fire", "down", "--label", &format!("host={host}")]).status.success());
    fire("a");
    eve.press_until("I have it", "You have it since");
    bo.reads("Eve Ito has it");
    // One press pages nobody.
    eve.press("Hand it back");
    let armed = eve.reads("Press again: others are paged at once");
    assert!(armed.contains("You have it since"), "{armed}");
    assert_eq!(holder(&daemon, "INC-1"), "Eve Ito");
    let passed = eve.press_until("Press again: others are paged at once", "I have it after all");
    assert!(
        passed.contains("You handed it back at") && passed.contains("you handed it back; Bo Lind is asked"),
        "{passed}"
    );
    let again = bo.reads("Eve Ito took it at");
    assert!(again.contains("I can't, pass on"), "{again}");
    // Bo's answer is heard, and the word of it is lost: what the desk shows of the role says so.
    bo.loses_confirmations();
    bo.press_until("I have it", "Sending: I have it");
    let heard = bo.reads("Your answer was heard.");
    assert!(heard.contains("You have it since") && !heard.contains("NOT CONFIRMED"), "{heard}");
    assert_eq!(holder(&daemon, "INC-1"), "Bo Lind");
    assert!(daemon.cli(&["resolve", "INC-1"]).status.success());
    let over = eve.reads("It is over: resolved by");
    assert!(!over.contains("You have it") && !over.contains("I have it after all"), "{over}");
    // To sign out takes a second press, too; then the screen says that it is deaf.
    bo.may_lose_its_line();
    bo.press("Sign out");
    bo.press_until("Press again: sign out on every screen", "it is not signed in");
    assert!(!eve.reads("line good").contains("not signed in"), "nobody else is signed out");
}
