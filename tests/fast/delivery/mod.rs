//! What is sent when: into rooms one thing at a time, edits of cards at a pace of their own, and pages of different
//! triggers in turn.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod shares;

use std::{collections::BTreeMap, time::Duration};
use stentor::{
    core::{
        ChannelName, HeldWhy, IncidentId, Page, PageId, PagePurpose, PersonName, Priority, SendOutcome, Timestamp,
        TriggerName, retry::SendPace,
    },
    engine::{
        again,
        delivery::queues::{DeliveryQueues, PageOrigin, ReadyPages},
    },
};

const START: Timestamp = Timestamp::from_micros(1_000_000_000);
const AT_ONCE: SendPace = SendPace { every: Duration::from_millis(1), burst: 1000 };

fn after(millis: u64) -> Timestamp {
    START + Duration::from_millis(millis)
}

fn id(incident: i64, n: u32) -> PageId {
    PageId { incident: IncidentId(incident), n }
}

fn of(incident: i64, drill: bool, trigger: &TriggerName) -> PageOrigin<'_> {
    PageOrigin { incident: IncidentId(incident), drill, trigger, priority: Priority::default(), ends_at: None }
}

/// A post for the room of an incident, born so many milliseconds after the start.
fn post(delivery: &mut DeliveryQueues, incident: i64, n: u32, purpose: PagePurpose, born: u64) {
    let page: Page = serde_json::from_value(serde_json::json!({
        "n": n, "channel": "room", "purpose": purpose, "born_at": after(born),
    }))
    .unwrap();
    delivery.enqueue(of(incident, false, &"crash".into()), &page);
}

fn line() -> PagePurpose {
    PagePurpose::RoomLine { line: "x".into() }
}

fn update() -> PagePurpose {
    PagePurpose::RoomUpdate { revision: 2, shows: "x".into() }
}

fn started(delivery: &mut DeliveryQueues, millis: u64) -> Vec<PageId> {
    delivery.ready(after(millis), |_| AT_ONCE).start
}

#[test]
fn a_room_is_sent_one_thing_at_a_time_in_its_order_and_others_do_not_wait_for_it() {
    let mut delivery = DeliveryQueues::default();
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

/// People are brought into a room before they are told what was said there before they came.
#[test]
fn a_card_and_invitations_go_before_lines_that_are_older() {
    let mut delivery = DeliveryQueues::default();
    (1..=3).for_each(|n| post(&mut delivery, 1, n, line(), n.into()));
    post(&mut delivery, 1, 4, PagePurpose::RoomInvite { people: vec!["ana".into()] }, 4);
    post(&mut delivery, 2, 1, PagePurpose::RoomCard, 5);
    let mut order = Vec::new();
    while !delivery.is_empty() {
        for page in started(&mut delivery, 10) {
            order.push(page);
            delivery.finish(page);
        }
    }
    assert_eq!(order, [id(1, 4), id(2, 1), id(1, 1), id(1, 2), id(1, 3)]);
}

#[test]
fn what_is_withdrawn_while_it_waits_for_its_room_is_reported_at_once_and_frees_nothing() {
    let mut delivery = DeliveryQueues::default();
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
    let mut delivery = DeliveryQueues::default();
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
    let mut delivery = DeliveryQueues::default();
    post(&mut delivery, 1, 1, update(), 0);
    post(&mut delivery, 2, 1, update(), 1);
    assert_eq!(started(&mut delivery, 1), [id(1, 1), id(2, 1)]);
    for room in [1, 2] {
        delivery.throttled(id(room, 1), Duration::from_millis(4998), after(2));
        delivery.retry(id(room, 1), after(5000));
    }
    post(&mut delivery, 3, 1, update(), 3);
    post(&mut delivery, 3, 2, line(), 3);
    assert_eq!(started(&mut delivery, 10), [id(3, 2)]);
    delivery.finish(id(3, 2));
    assert_eq!(started(&mut delivery, 4999), []);
    // What was created first goes first.
    assert_eq!(started(&mut delivery, 5001), [id(1, 1), id(2, 1), id(3, 1)]);
}

/// A page for a person by SMS.
fn page(delivery: &mut DeliveryQueues, drill: bool, to: (i64, u32, &str), purpose: PagePurpose, born: u64) {
    let page: Page = serde_json::from_value(serde_json::json!({
        "n": to.1, "channel": "sms", "person": to.2, "role": "trader", "purpose": purpose, "born_at": after(born),
    }))
    .unwrap();
    delivery.enqueue(of(to.0, drill, &"crash".into()), &page);
}

#[test]
fn a_crisis_goes_before_all_words_of_yesterday_that_still_wait() {
    let mut delivery = DeliveryQueues::default();
    for n in 1..=200 {
        page(&mut delivery, false, (1, n, &format!("p{n}")), PagePurpose::Resolved, 0);
    }
    let under_way = started(&mut delivery, 1);
    page(&mut delivery, false, (2, 1, "ana"), PagePurpose::Brief { round: 0 }, 100);
    delivery.finish(under_way[0]);
    assert_eq!(started(&mut delivery, 101), [id(2, 1)], "the first place that is free is the crisis'");
}

#[test]
fn what_a_providers_pause_met_in_a_drill_does_not_hold_the_real_thing() {
    let mut delivery = DeliveryQueues::default();
    page(&mut delivery, true, (1, 1, "ana"), PagePurpose::Brief { round: 0 }, 0);
    assert_eq!(started(&mut delivery, 1), [id(1, 1)]);
    delivery.throttled(id(1, 1), Duration::from_millis(899_998), after(2));
    delivery.retry(id(1, 1), after(900_000));
    page(&mut delivery, false, (2, 1, "ana"), PagePurpose::Brief { round: 0 }, 10);
    assert_eq!(started(&mut delivery, 11), [id(2, 1)]);
    // What the real thing meets is told to its ladder at once, which may know another way.
    delivery.throttled(id(2, 1), Duration::from_millis(899_988), after(12));
    page(&mut delivery, false, (3, 1, "ana"), PagePurpose::Brief { round: 0 }, 20);
    let ready = delivery.ready(after(21), |_| AT_ONCE);
    assert_eq!((ready.start, ready.held), (vec![], vec![(id(3, 1), after(900_000), HeldWhy::Provider)]));
}

#[test]
fn a_closed_desk_holds_its_persons_pages_for_what_it_is_until_it_opens() {
    let mut delivery = DeliveryQueues::default();
    let desk = |delivery: &mut DeliveryQueues, incident: i64, drill: bool| {
        let page: Page = serde_json::from_value(serde_json::json!({
            "n": 1, "channel": "desk", "person": "ana", "role": "trader", "born_at": START,
            "purpose": PagePurpose::Brief { round: 0 },
        }))
        .unwrap();
        delivery.enqueue(of(incident, drill, &"crash".into()), &page);
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

#[test]
fn only_a_brief_waits_for_a_desk_that_is_closed_and_it_is_no_page_that_nobody_was_given() {
    let mut delivery = DeliveryQueues::default();
    let mut n = 0;
    let mut desk = |delivery: &mut DeliveryQueues, purpose: PagePurpose| {
        n += 1;
        let page: Page = serde_json::from_value(serde_json::json!({
            "n": n, "channel": "desk", "person": "ana", "born_at": START, "purpose": purpose,
        }))
        .unwrap();
        delivery.enqueue(of(1, false, &"crash".into()), &page);
        id(1, n)
    };
    let first = desk(&mut delivery, PagePurpose::Brief { round: 0 });
    assert_eq!(started(&mut delivery, 1), [first]);
    delivery.desk_closed(first, after(300_000));
    delivery.retry(first, after(300_000));
    // What asks for nothing hears at once that no desk is open, the first time and every time after.
    for (millis, purpose) in [(2, PagePurpose::Announced), (200, PagePurpose::Resolved), (400, PagePurpose::StoodDown)]
    {
        let word = desk(&mut delivery, purpose);
        assert_eq!(started(&mut delivery, millis), [word]);
        delivery.finish(word);
    }
    let second = desk(&mut delivery, PagePurpose::Brief { round: 1 });
    let ready = delivery.ready(after(600), |_| AT_ONCE);
    assert_eq!((ready.start, ready.held), (vec![], vec![(second, after(300_000), HeldWhy::DeskClosed)]));
    delivery.retry(second, after(300_000));
    assert_eq!(delivery.oldest_unsent(), None, "a desk that nobody opens is no queue that stands");
}

/// As vitals look at it.
const STANDS: Duration = Duration::from_secs(60);

/// What a channel does with what it is given.
type Provider<'a> = dyn FnMut(&mut DeliveryQueues, PageId, Timestamp) + 'a;

/// Lets the loop turn every half second for so long and looks at each turn: no queue may seem to stand.
fn turn(what: &str, delivery: &mut DeliveryQueues, pace: SendPace, span: Duration, provider: &mut Provider<'_>) {
    for half in 0..span.as_secs() * 2 {
        let now = after(half * 500);
        let ReadyPages { start, unsent, held } = delivery.ready(now, |_| pace);
        start.into_iter().for_each(|id| provider(delivery, id, now));
        unsent.into_iter().for_each(|id| delivery.finish(id));
        held.into_iter().for_each(|(id, until, _)| delivery.retry(id, until));
        let standing = delivery.standing(now, STANDS);
        assert!(standing.is_empty(), "{what}, after {} s: {standing:?}", half / 2);
    }
}

fn taken(delivery: &mut DeliveryQueues, id: PageId, _: Timestamp) {
    delivery.took(id);
    delivery.finish(id);
}

#[test]
fn whatever_a_channels_own_pace_holds_back_is_no_queue_that_stands() {
    let hour = Duration::from_secs(3600);
    for kind in stentor::channel::kinds::KINDS {
        for drill in [false, true] {
            let mut delivery = DeliveryQueues::default();
            for n in 1..=40 {
                page(&mut delivery, drill, (n.into(), 1, "ana"), PagePurpose::Brief { round: 0 }, 0);
                page(&mut delivery, drill, (n.into(), 2, "bo"), PagePurpose::Resolved, 0);
            }
            turn(kind.as_str(), &mut delivery, kind.spec().pace, hour, &mut taken);
            assert!(delivery.is_empty(), "{kind}: {} are left", delivery.len());
        }
    }
}

#[test]
fn what_waits_for_a_provider_a_desk_or_a_card_is_no_queue_that_stands() {
    let pace = SendPace { every: Duration::from_secs(1), burst: 3 };
    let twenty_minutes = Duration::from_secs(1200);
    let crowd = |delivery: &mut DeliveryQueues| {
        for n in 1..=300 {
            page(delivery, false, (1, n, &format!("p{n}")), PagePurpose::Brief { round: 0 }, 0);
        }
    };
    // Every page is told to come back, each second one in a second, the others in ten minutes; then it is taken.
    for wait in [1, 30, 600] {
        let (mut delivery, mut refused) = (DeliveryQueues::default(), std::collections::BTreeSet::new());
        crowd(&mut delivery);
        turn(&format!("throttled for {wait} s"), &mut delivery, pace, twenty_minutes, &mut |delivery, id, now| {
            if refused.insert(id) {
                delivery.throttled(id, Duration::from_secs(wait), now);
                delivery.retry(id, now + Duration::from_secs(wait));
            } else {
                taken(delivery, id, now);
            }
        });
    }
    // Nobody's desk is open, and one opens after all.
    let mut delivery = DeliveryQueues::default();
    for n in 1..=20 {
        page(&mut delivery, false, (n.into(), 1, "ana"), PagePurpose::Brief { round: 0 }, 0);
    }
    let five_minutes = Duration::from_secs(300);
    turn("an absent desk", &mut delivery, pace, twenty_minutes, &mut |delivery, id, now| {
        delivery.desk_closed(id, now + five_minutes);
        delivery.retry(id, now + five_minutes);
    });
    delivery.nudge(&"sms".into(), &PersonName::from("ana"), after(1_200_000));
    assert!(delivery.standing(after(1_200_000), STANDS).is_empty());
    // Fifty rooms want their cards edited at once, and each has more to say.
    let mut delivery = DeliveryQueues::default();
    for room in 1..=50 {
        (1..=10).for_each(|n| post(&mut delivery, room, n, line(), n.into()));
        (11..=20).for_each(|n| post(&mut delivery, room, n, update(), n.into()));
    }
    turn("cards", &mut delivery, pace, twenty_minutes, &mut taken);
    assert!(delivery.is_empty());
}

/// All of them are due at once, and their provider takes its time: nobody stands in a queue that moves.
#[test]
fn a_long_queue_of_a_slow_provider_is_none_that_stands() {
    let mut delivery = DeliveryQueues::default();
    for n in 1..=2000 {
        let lane = if n % 2 == 0 { PagePurpose::Brief { round: 0 } } else { PagePurpose::Resolved };
        page(&mut delivery, false, (1, n, &format!("p{n}")), lane, 0);
    }
    let mut under_way: Vec<(u64, PageId)> = Vec::new();
    for millis in (0..400_000).step_by(500) {
        let ended = under_way.extract_if(.., |(since, _)| *since + 10_000 <= millis);
        ended.for_each(|(_, id)| delivery.finish(id));
        under_way.extend(started(&mut delivery, millis).into_iter().map(|id| (millis, id)));
        let standing = delivery.standing(after(millis), STANDS);
        assert!(standing.is_empty(), "after {millis} ms: {standing:?}");
    }
    assert!(delivery.is_empty());
}

#[test]
fn a_queue_stands_whose_turn_has_come_and_which_does_not_move() {
    let minute = Duration::from_secs(61);
    let channels = |delivery: &DeliveryQueues, now| delivery.standing(now, STANDS).into_keys().collect::<Vec<_>>();
    // Nobody takes anything out of it.
    let mut delivery = DeliveryQueues::default();
    page(&mut delivery, false, (1, 1, "ana"), PagePurpose::Brief { round: 0 }, 0);
    assert!(channels(&delivery, after(60_000)).is_empty());
    assert_eq!(channels(&delivery, after(0) + minute), ["sms".into()]);
    // A page that was refused before waits like any other.
    assert_eq!(started(&mut delivery, 61_000), [id(1, 1)]);
    delivery.retry(id(1, 1), after(62_000));
    assert!(channels(&delivery, after(63_000)).is_empty());
    assert_eq!(channels(&delivery, after(62_000) + minute), ["sms".into()]);
    // Every place is taken by sends that do not end.
    let mut delivery = DeliveryQueues::default();
    for n in 1..=100 {
        page(&mut delivery, false, (1, n, &format!("p{n}")), PagePurpose::Brief { round: 0 }, 0);
    }
    assert!(started(&mut delivery, 1).len() < 100);
    for half in 0..120 {
        assert_eq!(started(&mut delivery, half * 500), []);
    }
    assert_eq!(channels(&delivery, after(1) + minute), ["sms".into()]);
    // What is sent into one room does not end; other rooms go on.
    let mut delivery = DeliveryQueues::default();
    post(&mut delivery, 1, 1, line(), 0);
    post(&mut delivery, 1, 2, line(), 1);
    for second in 1..=70_u32 {
        post(&mut delivery, 2, second, line(), u64::from(second) * 1000);
        for page in started(&mut delivery, u64::from(second) * 1000) {
            if page.incident == IncidentId(2) {
                delivery.finish(page);
            }
        }
    }
    assert_eq!(channels(&delivery, after(70_000)), ["room".into()]);
    // Drills hold up nothing real.
    let mut delivery = DeliveryQueues::default();
    page(&mut delivery, true, (1, 1, "ana"), PagePurpose::Brief { round: 0 }, 0);
    assert!(channels(&delivery, after(0) + minute).is_empty());
}

/// What a provider asks for is obeyed, but one that always asks for nothing is not asked without end.
#[test]
fn a_pause_that_a_provider_asks_for_has_a_floor_that_grows() {
    let waits = |after: u64, refusals: u32| {
        let page: Page = serde_json::from_value(serde_json::json!({
            "n": 1, "channel": "sms", "person": "ana", "role": "trader", "born_at": START, "refusals": refusals,
            "purpose": PagePurpose::Brief { round: 0 },
        }))
        .unwrap();
        match again(Some(&page), Some(Duration::from_millis(after)), "busy".into(), false, START) {
            SendOutcome::Retry { at, .. } => at.since(START).as_millis(),
            other => panic!("{other:?}"),
        }
    };
    let asked = |after: u64| [0, 1, 2, 3, 4, 5, 6, 20].map(|refusals| waits(after, refusals));
    // A time in the past is a pause of nothing: our own wait counts.
    assert_eq!(asked(0), [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
    assert_eq!(asked(1000), [1000, 1000, 1000, 1000, 2000, 4000, 7500, 7500]);
    assert_eq!(asked(20_000), [20_000; 8]);
    assert_eq!(asked(3_600_000), [900_000; 8]);
}
