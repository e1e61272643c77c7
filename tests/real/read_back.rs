//! A desk in Chromium: the fact without which no option counts is typed beside the buttons.

use crate::{
    browser::{self, Browser},
    common::Setup,
};

const MATRIX: &str = r#"
[channel.desk]
kind = "screen"

[person.eve]
name = "Eve Ito"

[role.trader]
engaged_by = "wilco"
step = [{ page = ["eve"], by = ["desk"], wait = "10m" }]

[trigger.kill]
on    = ["kill"]
roles = ["trader"]
ask   = { after = "10m", from_alerts = true, read_back = "labels.desk" }
"#;

#[test]
fn a_press_decides_only_with_the_fact_and_enter_presses_nothing() {
    if browser::missing() {
        return;
    }
    let daemon = Setup::new(MATRIX).start();
    let mut eve = Browser::open(daemon.json(&["desk-link", "eve"])["link"].as_str().unwrap());
    assert!(daemon.cli(&["fire", "kill", "--label", "desk=EQ-2"]).status.success());
    eve.choose("Approve");
    eve.reads("nothing was counted: repeat EQ-2 (desk) with your choice");
    eve.types("eq 2", "To decide, repeat EQ-2 (desk)");
    assert_eq!(daemon.json(&["show", "INC-1"])["incident"]["status"], "open", "Enter is no press");
    eve.choose("Deny");
    eve.reads("it is decided");
}
