//! Rooms and systems hear what happens.

use super::{
    house::eventually,
    town::{ANA, AUDIT_KEY, AUDIT_KEY_NEXT, BO, SMS_TOKEN, Town},
};
use std::collections::BTreeSet;
use stentor::channel::webhook::sign::{SigningKey, verify};

#[test]
fn rooms_of_every_kind_hear_what_happens_and_a_system_gets_signed_events() {
    let town = Town::start();
    let incident = town.alert("price_velocity", "ES", false);
    eventually("a card in each room", || {
        (town.teams.accepted().len() == 1 && town.matter.accepted().len() == 1 && town.lit().len() == 1).then_some(())
    });
    let card = town.teams.accepted()[0].json()["attachments"][0]["content"].clone();
    assert_eq!((&card["type"], &card["version"]), (&"AdaptiveCard".into(), &"1.4".into()));
    assert!(card["fallbackText"].as_str().unwrap().starts_with(&format!("LIVE {incident}")), "{card}");
    let held = town.held(&incident, ANA);
    let reply = town.reply(SMS_TOKEN, "+44 7700 900 001", &held.code);
    assert_eq!(reply.status, 200);
    assert!(reply.body.starts_with(&format!("{incident}: you have it. Reply ")), "{}", reply.body);
    let told = eventually("a line in each room", || {
        let rooms =
            [town.teams.accepted().pop()?.body, town.matter.accepted().pop()?.body, town.lit().pop()?.to_string()];
        rooms.iter().all(|room| room.contains("has it")).then_some(rooms)
    });
    assert!(!told.iter().any(|room| room.contains(&held.code)), "{told:?}");
    // Law 5: everybody who was asked is told who has it.
    eventually("bo hears it", || {
        town.texts(&incident, BO).iter().any(|sms| sms.body.contains("Ana Ruiz has it")).then_some(())
    });
    assert!(town.daemon.cli(&["resolve", &incident]).status.success());
    eventually("the end in each room", || {
        let rooms =
            [town.teams.accepted().pop()?.body, town.matter.accepted().pop()?.body, town.lit().pop()?.to_string()];
        rooms.iter().all(|room| room.contains("resolved by")).then_some(())
    });
    assert_eq!((town.teams.accepted().len(), town.matter.accepted().len(), town.lit().len()), (3, 3, 3));
    check_events(&town, &incident, false);
}

fn check_events(town: &Town, incident: &str, drill: bool) {
    let expected = BTreeSet::from(["incident.opened", "role.entered", "role.engaged", "incident.resolved"]);
    let events = eventually("every event", || {
        let events = town.told(incident);
        let names: BTreeSet<String> =
            events.iter().map(|event| event.json()["type"].as_str().unwrap().to_owned()).collect();
        names.iter().map(String::as_str).eq(expected.iter().copied()).then_some(events)
    });
    let ids: BTreeSet<&str> = events.iter().map(|event| event.header("webhook-id")).collect();
    assert_eq!(ids.len(), events.len(), "each event has an id of its own");
    for event in &events {
        let (id, stamp) = (event.header("webhook-id"), event.header("webhook-timestamp"));
        for key in [AUDIT_KEY, AUDIT_KEY_NEXT] {
            let (key, signature) = ([SigningKey::parse(key).unwrap()], event.header("webhook-signature"));
            verify(&key, id, stamp, signature, event.body.as_bytes(), stamp.parse().unwrap()).unwrap();
        }
        let said = event.json();
        assert_eq!(said["data"]["drill"], drill, "{said}");
        // Thin: neither people nor what happened to the market.
        assert!(["ana", "Ruiz", "ES", "resolved by"].iter().all(|word| !event.body.contains(word)), "{said}");
        let about = said["type"].as_str().unwrap().split('.').next().unwrap();
        assert_eq!(said["data"]["role"].is_string(), about == "role", "{said}");
    }
}

#[test]
fn a_drill_can_not_be_taken_for_the_real_thing_by_any_of_them() {
    let town = Town::start();
    let incident = town.alert("price_velocity", "ES", true);
    let held = town.held(&incident, ANA);
    assert_eq!(town.reply(SMS_TOKEN, ANA, &held.code).status, 200);
    assert!(town.daemon.cli(&["resolve", &incident]).status.success());
    check_events(&town, &incident, true);
    eventually("the end in each room", || {
        (town.teams.accepted().len() == 3 && town.matter.accepted().len() == 3 && town.lit().len() == 3).then_some(())
    });
    let bodies = [town.teams.accepted(), town.matter.accepted(), town.sms.accepted()].concat();
    for body in bodies.into_iter().map(|received| received.body).chain(town.lit().iter().map(ToString::to_string)) {
        assert!(body.contains("DRILL ") && body.contains(&incident) && !body.contains("LIVE"), "{body}");
        assert!(!body.contains("urgent") && !body.contains("attention"), "{body}");
    }
}

#[test]
fn who_is_paged_by_a_chat_that_others_read_answers_at_the_desk() {
    let town = Town::start();
    let incident = town.alert("chat", "ES", false);
    let page = town.page(&incident, "the page in the chat", |page| {
        page["channel"] == "teams" && page["person"] == "ana" && page["state"] == "accepted"
    });
    assert_eq!(page["purpose"], "brief");
    let card = town.teams.accepted()[0].json()["attachments"][0]["content"].clone();
    let action = &card["actions"][0];
    assert_eq!(action["type"], "Action.OpenUrl");
    assert_eq!(action["url"], town.daemon.url("/desk"), "and no link that would answer in Ana's name");
    assert!(!town.teams.accepted()[0].body.contains("/a/"));
}

#[test]
fn what_is_handed_back_is_told_to_rooms_and_systems() {
    let town = Town::start();
    let incident = town.alert("price_velocity", "ES", false);
    let held = town.held(&incident, ANA);
    assert_eq!(town.reply(SMS_TOKEN, ANA, &held.code).status, 200);
    eventually("who has it in each room", || {
        let rooms =
            [town.teams.accepted().pop()?.body, town.matter.accepted().pop()?.body, town.lit().pop()?.to_string()];
        rooms.iter().all(|room| room.contains("Ana Ruiz has it")).then_some(())
    });
    let back = town.reply(SMS_TOKEN, ANA, &format!("{} 4", held.code)).body;
    assert!(back.starts_with(&format!("{incident}: you handed it back.")), "{back}");
    eventually("that it was handed back, in each room", || {
        let rooms = [town.teams.accepted(), town.matter.accepted()].map(|all| all.into_iter().map(|one| one.body));
        let lit = town.lit().iter().map(ToString::to_string).any(|line| line.contains("Ana Ruiz handed it back"));
        let told = rooms.into_iter().all(|mut all| all.any(|line| line.contains("Ana Ruiz handed it back")));
        (told && lit).then_some(())
    });
    let event = eventually("role.handed_back", || {
        town.told(&incident).into_iter().find(|event| event.json()["type"] == "role.handed_back")
    });
    assert_eq!(event.json()["data"]["role"], "trader");
    // Bo is asked again, and takes it.
    let again = eventually("a newer page of Bo", || {
        town.texts(&incident, BO)
            .iter()
            .any(|sms| sms.body.contains("handed it back at"))
            .then(|| town.held(&incident, BO))
    });
    assert_eq!(town.reply(SMS_TOKEN, BO, &again.code).status, 200);
    assert_eq!(town.daemon.role(&incident, "trader")["holder"], "Bo Lind");
}
