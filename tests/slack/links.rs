//! The daemon's links to Slack: what is pressed while they change, what their end means, what is seen of them.

use crate::{
    double::socket_mode::Opening,
    house::eventually,
    rig::{ANA, BO, Rig, Way},
};
use serde_json::{Value, json};

#[test]
fn a_press_over_a_socket_engages_and_the_links_are_seen() {
    let rig = Rig::start();
    rig.until_up(2);
    assert_eq!(rig.links()["trouble"], Value::Null);
    assert!(rig.links()["since"].is_string(), "{}", rig.links());
    assert_eq!(rig.metric("channel_links"), 2.0);
    assert!(1_700_000_000.0 < rig.metric("channel_linked_since_timestamp_seconds"));
    let incident = rig.crash("ES");
    let button = rig.button(&incident, ANA);
    assert_eq!(rig.press(Way::Socket, ANA, "wilco", &button), (true, "you have it".into()));
    assert_eq!(rig.role(&incident, "trader")["holder"], "Ana <Ruiz> & Co");
    assert_eq!(rig.journaled(&incident, "\\\"via\\\":\\\"slack\\\""), 1);
}

#[test]
fn a_press_while_a_link_is_recycled_is_not_lost() {
    let rig = Rig::start();
    let incident = rig.crash("ES");
    let (ana, bo) = (rig.button(&incident, ANA), rig.button(&incident, BO));
    rig.slack.world().opening = Opening::Refused("internal_error");
    rig.slack.disconnect(0, "warning");
    let pressed = rig.slack.send_on(0, "interactive", &crate::rig::press(ANA, "roger", &ana, ""), false);
    assert_eq!(rig.slack.ack(&pressed).link, 0);
    rig.slack.world().opening = Opening::Address;
    let fresh = rig.slack.until("a successor", |world| world.links.get(2).map(|_| 2));
    let pressed = rig.slack.send_on(fresh, "interactive", &crate::rig::press(BO, "wilco", &bo, ""), false);
    assert_eq!(rig.slack.ack(&pressed).link, fresh);
    assert_eq!(rig.role(&incident, "trader")["holder"], "Bo Lind");
    assert_eq!(rig.journaled(&incident, "\\\"event\\\":\\\"answered\\\""), 2);
}

#[test]
fn an_envelope_that_comes_twice_changes_nothing_twice() {
    let rig = Rig::start();
    let incident = rig.crash("ES");
    let payload = crate::rig::press(ANA, "wilco", &rig.button(&incident, ANA), &rig.slack.hooks());
    for link in [0, 1, 1] {
        rig.slack.world().acks.clear();
        rig.slack.send_as("twice", link, "interactive", &payload, false);
        assert_eq!(rig.slack.ack("twice").link, link);
    }
    assert_eq!(rig.journaled(&incident, "\\\"engages\\\""), 1);
    assert_eq!(rig.journaled(&incident, "\\\"event\\\":\\\"engaged\\\""), 1);
    rig.slack.until("every word", |world| (world.words.len() == 3).then_some(()));
    let texts: Vec<String> = rig.slack.world().words.iter().map(|word| word["text"].to_string()).collect();
    assert_eq!(texts.iter().filter(|text| text.contains("you said so before")).count(), 2, "{texts:?}");
}

#[test]
fn a_restart_opens_the_links_anew_and_old_buttons_still_answer() {
    let mut rig = Rig::start();
    let incident = rig.crash("ES");
    let button = rig.button(&incident, ANA);
    rig.daemon.kill();
    rig.slack.until_links(0);
    rig.daemon.restart();
    rig.slack.until_links(2);
    assert_eq!(rig.press(Way::Socket, ANA, "wilco", &button), (true, "you have it".into()));
    assert!(rig.daemon.stop(), "an orderly end");
    rig.slack.until_links(0);
}

#[test]
fn socket_mode_switched_off_is_told_to_the_operators_and_a_reload_tries_again() {
    let rig = Rig::start();
    rig.slack.world().opening = Opening::Refused("internal_error");
    rig.slack.disconnect(1, "link_disabled");
    rig.slack.until_links(0);
    rig.until_up(0);
    assert!(rig.links()["trouble"].as_str().unwrap().contains("switched off"), "{}", rig.links());
    assert_eq!(rig.metric("channel_links"), 0.0);
    assert_eq!(rig.metric("channel_linked_since_timestamp_seconds"), 0.0);
    let incident = eventually("an incident for the operators", || rig.daemon.incidents().into_iter().next());
    assert!(incident["summary"].as_str().unwrap().contains("nothing is heard by channel room"), "{incident}");
    // By HTTP it is still possible to ask.
    let said = rig.type_in(Way::Http, ANA, "status");
    assert!(said.contains("Nothing is heard by channel room since"), "{said}");
    rig.slack.world().opening = Opening::Address;
    rig.daemon.signal("HUP");
    rig.slack.until_links(2);
    rig.daemon.until("INC-1", "resolved by itself", |incident| incident["status"] == "resolved");
    assert_eq!(rig.daemon.incidents().len(), 1);
}

#[test]
fn a_token_that_is_refused_is_told_to_the_operators_once_and_pages_go_on() {
    let rig = Rig::start();
    rig.slack.world().opening = Opening::Refused("invalid_auth");
    rig.slack.cut(0);
    rig.slack.cut(1);
    let incident = eventually("an incident for the operators", || rig.daemon.incidents().into_iter().next());
    assert!(incident["summary"].as_str().unwrap().contains("invalid_auth"), "{incident}");
    // The other lane is refused too.
    rig.slack.until("both were refused", |world| (4 <= world.opened).then_some(()));
    let crash = rig.crash("ES");
    assert_eq!((crash.as_str(), rig.daemon.incidents().len()), ("INC-2", 2));
    assert_eq!(rig.links()["up"], 0);
}

#[test]
fn a_reload_that_changes_the_token_changes_the_links_and_one_that_loses_it_is_refused() {
    let rig = Rig::start();
    let file = rig.daemon.dir.path().join("app-token");
    rig.slack.world().token = Some("xapp-2-new-4712".into());
    std::fs::write(&file, "xapp-2-new-4712").unwrap();
    rig.daemon.signal("HUP");
    rig.slack.until_gone(0);
    rig.slack.until_gone(1);
    assert_eq!(rig.slack.until_links(2), [2, 3]);
    rig.until_up(2);
    std::fs::write(&file, "").unwrap();
    rig.daemon.signal("HUP");
    eventually("the refusal", || rig.daemon.log().contains("the reload was refused").then_some(()));
    assert!(rig.daemon.log().contains("what people answer by channel room would be refused"), "{}", rig.daemon.log());
    assert_eq!(rig.slack.open_links(), [2, 3]);
    let matrix = rig.daemon.dir.path().join("matrix/matrix.toml");
    let without = std::fs::read_to_string(&matrix).unwrap().replace("app_token      = { file = \"app-token\" }", "");
    std::fs::write(&matrix, without).unwrap();
    rig.daemon.signal("HUP");
    rig.slack.until_links(0);
    eventually("no links in /readyz", || (rig.links() == json!(null)).then_some(()));
    assert!(rig.daemon.incidents().is_empty(), "what the matrix says is no trouble");
}
