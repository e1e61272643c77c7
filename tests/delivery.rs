//! What is sent into rooms: one thing at a time, and edits of cards at a pace of their own.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{collections::BTreeMap, time::Duration};
use stentor::{
    core::{ChannelName, HeldWhy, IncidentId, Page, PageId, PersonName, Purpose, Timestamp, retry::Pace},
    engine::delivery::Delivery,
};

const START: Timestamp = Timestamp::from_micros(1_000_000_000);
const AT_ONCE: Pace = Pace { every: Duration::from_millis(1), burst: 1000 };

fn after(millis: u64) -> Timestamp {
    START + Duration::from_millis(millis)
}

fn id(incident: i64, n: u32) -> PageId {
    PageId { incident: IncidentId(incident), n }
}

/// A post for the room of an incident, born so many milliseconds after the start.
fn post(delivery: &mut Delivery, incident: i64, n: u32, purpose: Purpose, born: u64) {
    let page: Page = serde_json::from_value(serde_json::json!({
        "n": n, "channel": "room", "purpose": purpose, "born_at": after(born),
    }))
    .unwrap();
    delivery.enqueue(IncidentId(incident), false, &page);
}

fn line() -> Purpose {
    Purpose::RoomLine { line: "x".into() }
}

fn update() -> Purpose {
    Purpose::RoomUpdate { revision: 2, shows: "x".into() }
}

fn started(delivery: &mut Delivery, millis: u64) -> Vec<PageId> {
    delivery.ready(after(millis), |_| AT_ONCE).start
}

#[test]
fn a_room_is_sent_one_thing_at_a_time_in_its_order_and_others_do_not_wait_for_it() {
    let mut delivery = Delivery::default();
    for n in 1..=3 {
        post(&mut delivery, 1, n, line(), n.into());
    }
    post(&mut delivery, 2, 1, line(), 9);
    assert_eq!(started(&mut delivery, 10), [id(1, 1), id(2, 1)]);
    assert_eq!(started(&mut delivery, 11), []);
    // What failed goes before what was said after it, once its time has come.
    delivery.retry(id(1, 1), after(20));
    assert_eq!(started(&mut delivery, 12), [id(1, 2)]);
    delivery.finish(id(1, 2));
    assert_eq!(started(&mut delivery, 30), [id(1, 3)]);
    delivery.finish(id(1, 3));
    assert_eq!(started(&mut delivery, 31), [id(1, 1)]);
    delivery.finish(id(1, 1));
    delivery.finish(id(2, 1));
    assert!(delivery.is_empty());
}

#[test]
fn what_is_withdrawn_while_it_waits_for_its_room_is_reported_at_once_and_frees_nothing() {
    let mut delivery = Delivery::default();
    for n in 1..=3 {
        post(&mut delivery, 1, n, line(), n.into());
    }
    assert_eq!(started(&mut delivery, 10), [id(1, 1)]);
    delivery.withdraw(id(1, 2));
    let ready = delivery.ready(after(11), |_| AT_ONCE);
    assert_eq!((ready.start, ready.unsent), (vec![], vec![id(1, 2)]));
    delivery.finish(id(1, 2));
    assert_eq!(started(&mut delivery, 12), []);
    delivery.finish(id(1, 1));
    assert_eq!(started(&mut delivery, 13), [id(1, 3)]);
}

#[test]
fn cards_are_edited_at_their_own_pace_and_no_room_starves_another() {
    const ROOMS: i64 = 10;
    let mut delivery = Delivery::default();
    let mut edits: BTreeMap<i64, Vec<u64>> = BTreeMap::new();
    for room in 1..=ROOMS {
        post(&mut delivery, room, 1, update(), 0);
    }
    // Each room changes all the time: as soon as its edit is done it wants another one.
    let mut n = 1;
    for millis in (0..60_000).step_by(50) {
        for page in started(&mut delivery, millis) {
            edits.entry(page.incident.0).or_default().push(millis);
            delivery.finish(page);
            n += 1;
            post(&mut delivery, page.incident.0, n, update(), millis);
        }
    }
    let total: usize = edits.values().map(Vec::len).sum();
    assert!((40..50).contains(&total), "{total}");
    for (room, times) in &edits {
        assert!(times.windows(2).all(|pair| 3000 <= pair[1] - pair[0]), "room {room}: {times:?}");
        assert!(3 <= times.len(), "room {room} starves: {times:?}");
    }
    assert_eq!(edits.len(), 10);
}

#[test]
fn an_edit_that_is_throttled_holds_all_cards_and_nobody_else() {
    let mut delivery = Delivery::default();
    post(&mut delivery, 1, 1, update(), 0);
    post(&mut delivery, 2, 1, update(), 1);
    assert_eq!(started(&mut delivery, 1), [id(1, 1), id(2, 1)]);
    for room in [1, 2] {
        delivery.throttled(id(room, 1), after(5000), after(2));
        delivery.retry(id(room, 1), after(5000));
    }
    post(&mut delivery, 3, 1, update(), 3);
    post(&mut delivery, 3, 2, line(), 3);
    assert_eq!(started(&mut delivery, 10), [id(3, 2)]);
    delivery.finish(id(3, 2));
    assert_eq!(started(&mut delivery, 4999), []);
    assert_eq!(started(&mut delivery, 5001), [id(1, 1), id(2, 1), id(3, 1)]);
}

/// A page for a person by SMS.
fn page(delivery: &mut Delivery, drill: bool, to: (i64, u32, &str), purpose: Purpose, born: u64) {
    let page: Page = serde_json::from_value(serde_json::json!({
        "n": to.1, "channel": "sms", "person": to.2, "role": "trader", "purpose": purpose, "born_at": after(born),
    }))
    .unwrap();
    delivery.enqueue(IncidentId(to.0), drill, &page);
}

#[test]
fn a_crisis_goes_before_all_words_of_yesterday_that_still_wait() {
    let mut delivery = Delivery::default();
    for n in 1..=200 {
        page(&mut delivery, false, (1, n, &format!("p{n}")), Purpose::Resolved, 0);
    }
    let under_way = started(&mut delivery, 1);
    page(&mut delivery, false, (2, 1, "ana"), Purpose::Brief { round: 0 }, 100);
    delivery.finish(under_way[0]);
    assert_eq!(started(&mut delivery, 101), [id(2, 1)], "the first place that is free is the crisis'");
}

#[test]
fn what_a_providers_pause_met_in_a_drill_does_not_hold_the_real_thing() {
    let mut delivery = Delivery::default();
    page(&mut delivery, true, (1, 1, "ana"), Purpose::Brief { round: 0 }, 0);
    assert_eq!(started(&mut delivery, 1), [id(1, 1)]);
    delivery.throttled(id(1, 1), after(900_000), after(2));
    delivery.retry(id(1, 1), after(900_000));
    page(&mut delivery, false, (2, 1, "ana"), Purpose::Brief { round: 0 }, 10);
    assert_eq!(started(&mut delivery, 11), [id(2, 1)]);
    // What the real thing meets is told to its ladder at once, which may know another way.
    delivery.throttled(id(2, 1), after(900_000), after(12));
    page(&mut delivery, false, (3, 1, "ana"), Purpose::Brief { round: 0 }, 20);
    let ready = delivery.ready(after(21), |_| AT_ONCE);
    assert_eq!((ready.start, ready.held), (vec![], vec![(id(3, 1), after(900_000), HeldWhy::Provider)]));
}

#[test]
fn a_closed_desk_holds_its_persons_pages_for_what_it_is_until_it_opens() {
    let mut delivery = Delivery::default();
    let desk = |delivery: &mut Delivery, incident: i64, drill: bool| {
        let page: Page = serde_json::from_value(serde_json::json!({
            "n": 1, "channel": "desk", "person": "ana", "role": "trader", "born_at": START,
            "purpose": Purpose::Brief { round: 0 },
        }))
        .unwrap();
        delivery.enqueue(IncidentId(incident), drill, &page);
    };
    desk(&mut delivery, 1, false);
    assert_eq!(started(&mut delivery, 1), [id(1, 1)]);
    delivery.desk_closed(id(1, 1), after(300_000));
    delivery.retry(id(1, 1), after(300_000));
    // It is closed for drills too, and for whatever comes next.
    desk(&mut delivery, 2, true);
    let ready = delivery.ready(after(2), |_| AT_ONCE);
    assert_eq!((ready.start, ready.held), (vec![], vec![(id(2, 1), after(300_000), HeldWhy::DeskClosed)]));
    delivery.retry(id(2, 1), after(300_000));
    delivery.nudge(&ChannelName::from("desk"), &PersonName::from("ana"), after(10));
    assert_eq!(started(&mut delivery, 10), [id(1, 1), id(2, 1)]);
}
