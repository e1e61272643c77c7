//! A group as the room of incidents: one message that tells how each stands.

use super::Rig;
use crate::{
    double::telegram::{ANA, FakeTelegram, GROUP},
    house::{eventually, secret},
    wire::Call,
};
use serde_json::json;

impl Rig {
    fn with_group() -> Self {
        Self::on(|matrix| {
            matrix
                .replace("[source.monitor]", &format!("group = {GROUP}\n\n[source.monitor]"))
                .replace("resolved = \"note\"", "resolved = \"note\"\nroom = \"bot\"")
        })
    }

    /// What stands in the group, message by message.
    fn group(&self) -> Vec<String> {
        in_group(&self.telegram)
    }

    fn until_group(&self, n: usize, says: &[&str]) -> String {
        eventually(&format!("{says:?} in message {n}; {:?}", self.group()), || {
            self.group().get(n).filter(|text| says.iter().all(|part| text.contains(part))).cloned()
        })
    }
}

fn in_group(telegram: &FakeTelegram) -> Vec<String> {
    let world = telegram.world();
    let posts = world.posts.iter().filter(|post| post["chat_id"] == GROUP);
    posts.map(|post| post["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_incident_has_one_message_in_the_group_from_its_opening_to_its_end() {
    let mut rig = Rig::with_group();
    let incident = rig.daemon.crash("ES");
    let card = rig.until_group(0, &["LIVE", &incident, "trader", "compliance"]);
    assert!(card.starts_with("LIVE"), "{card}");
    let ana = rig.kept(&incident, ANA);
    assert!(!card.contains(&ana.code), "whoever reads the group could answer in her name");
    rig.press(ANA, "wilco", &ana.page, &ana.code);
    rig.until_group(0, &["LIVE", "trader: Ana Ruiz has it"]);
    // What people have deleted is there again, and a crash of the daemon makes no second one.
    let first = rig.telegram.world().posts.iter().find(|post| post["chat_id"] == GROUP).unwrap()["message_id"].clone();
    rig.telegram.world().deleted.insert(first.as_i64().unwrap());
    rig.daemon.kill();
    rig.daemon.restart();
    rig.write(ANA, "4", Some(ana.message));
    rig.until_group(1, &["LIVE", &incident, "trader"]);
    let resolved = rig.daemon.cli(&["resolve", &incident]);
    assert!(resolved.status.success(), "{resolved:?}");
    rig.until_group(1, &["LIVE", "esolved"]);
    assert_eq!(rig.group().len(), 2, "{:?}", rig.group());
    // A drill has a message of its own, which says so first.
    let alert =
        json!({ "kind": "price_velocity", "labels": { "symbol": "NQ" }, "values": { "drop_pct": 7.5 }, "drill": true });
    let reply = Call::post("/v1/alerts").bearer(secret("MONITOR_TOKEN")).json(&alert).send(rig.daemon.address);
    assert_eq!(reply.status, 202, "{reply:?}");
    let drill = rig.until_group(2, &["DRILL"]);
    assert!(drill.starts_with("DRILL"), "{drill}");
}

#[test]
fn a_group_is_told_its_id_and_nothing_that_is_said_there_is_an_answer() {
    let rig = Rig::with_group();
    let incident = rig.daemon.crash("ES");
    let ana = rig.held(&incident, ANA);
    let message = |text: &str| {
        json!({ "message": { "message_id": 6000, "date": 1, "text": text,
            "from": { "id": ANA, "is_bot": false }, "chat": { "id": GROUP, "type": "supergroup" } } })
    };
    rig.telegram.hand_in(message(&format!("{} 2", ana.code)));
    rig.telegram.hand_in(message("/start@stentor_desk_bot"));
    eventually("the group's id", || {
        rig.group().iter().any(|text| text.contains(&format!("group = {GROUP}"))).then_some(())
    });
    rig.until_confirmed();
    assert_eq!(rig.state(&incident, "trader"), "paging");
}
