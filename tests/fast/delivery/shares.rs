//! Whose turn it is.

use super::{after, id, of};
use std::{collections::BTreeMap, time::Duration};
use stentor::{
    core::{Page, PagePurpose, Priority, Timestamp, retry::SendPace},
    engine::delivery::queues::{DeliveryQueues, PageOrigin},
};

const SLOW: SendPace = SendPace { every: Duration::from_secs(1), burst: 1 };

/// A brief for Ana by SMS.
fn brief(born: u64) -> Page {
    serde_json::from_value(serde_json::json!({
        "n": 1, "channel": "sms", "person": "ana", "role": "trader", "born_at": after(born),
        "purpose": PagePurpose::Brief { round: 0 },
    }))
    .unwrap()
}

fn ask_ana(delivery: &mut DeliveryQueues, incident: i64, trigger: &str, priority: u8, ends_at: Option<Timestamp>) {
    let trigger = trigger.into();
    let origin = PageOrigin { priority: Priority::from(priority), ends_at, ..of(incident, false, &trigger) };
    delivery.enqueue(origin, &brief(0));
}

/// What goes out within so many seconds, in its order.
fn sent(delivery: &mut DeliveryQueues, seconds: u64) -> Vec<i64> {
    let mut sent = Vec::new();
    for second in 0..seconds {
        for page in delivery.ready(after(second * 1000), |_| SLOW).start {
            sent.push(page.incident.0);
            delivery.finish(page);
        }
    }
    sent
}

#[test]
fn of_one_trigger_the_page_goes_first_whose_step_ends_first() {
    let mut delivery = DeliveryQueues::default();
    for (incident, ends) in [(1, 90), (2, 30), (3, 60)] {
        ask_ana(&mut delivery, incident, "crash", 3, Some(after(ends * 1000)));
    }
    ask_ana(&mut delivery, 4, "crash", 3, None);
    assert_eq!(sent(&mut delivery, 10), [2, 3, 1, 4]);
}

#[test]
fn of_two_triggers_whose_turn_is_the_same_the_one_goes_first_whose_step_ends_first() {
    let mut delivery = DeliveryQueues::default();
    ask_ana(&mut delivery, 1, "crash", 3, Some(after(60_000)));
    ask_ana(&mut delivery, 2, "quake", 3, Some(after(20_000)));
    ask_ana(&mut delivery, 3, "crash", 3, Some(after(60_000)));
    ask_ana(&mut delivery, 4, "quake", 3, Some(after(20_000)));
    assert_eq!(sent(&mut delivery, 10), [2, 1, 4, 3]);
}

#[test]
fn a_kill_switch_goes_first_and_has_more_turns_but_nobody_starves() {
    let mut delivery = DeliveryQueues::default();
    // The step of the flood ends first: priority counts before that.
    (1..=20).for_each(|incident| ask_ana(&mut delivery, incident, "flood", 5, Some(after(5_000))));
    (101..=120).for_each(|incident| ask_ana(&mut delivery, incident, "usual", 3, None));
    (201..=220).for_each(|incident| ask_ana(&mut delivery, incident, "kill-switch", 1, None));
    let sent = sent(&mut delivery, 60);
    assert_eq!((sent.len(), sent[0]), (60, 201));
    let mut turns: BTreeMap<i64, usize> = BTreeMap::new();
    sent[..13].iter().for_each(|incident| *turns.entry(incident / 100).or_default() += 1);
    let turns: Vec<usize> = (0..3).map(|share| turns.get(&share).copied().unwrap_or(0)).collect();
    assert!(turns[0] == 1 && (2..=3).contains(&turns[1]) && (9..=10).contains(&turns[2]), "{turns:?}");
}

/// Sixty incidents of one rule page Ana, and then one of another does, as fast as her pace allows.
#[test]
fn a_flood_of_one_trigger_does_not_delay_the_page_of_another() {
    const SLOW: SendPace = SendPace { every: Duration::from_secs(1), burst: 5 };
    let mut delivery = DeliveryQueues::default();
    let brief = |delivery: &mut DeliveryQueues, incident: i64, trigger: &str, person: &str, born: u64| {
        let page: Page = serde_json::from_value(serde_json::json!({
            "n": 1, "channel": "sms", "person": person, "role": "trader", "born_at": after(born),
            "purpose": PagePurpose::Brief { round: 0 },
        }))
        .unwrap();
        delivery.enqueue(of(incident, false, &trigger.into()), &page);
    };
    for incident in 1..=60 {
        brief(&mut delivery, incident, "flood", "ana", 0);
        brief(&mut delivery, 1000 + incident, "flood", "bo", 0);
    }
    let mut sent: Vec<(u64, i64)> = Vec::new();
    for millis in (0..120_000).step_by(100) {
        if millis == 10_000 {
            (200..205).for_each(|incident| brief(&mut delivery, incident, "quake", "ana", millis));
        }
        for page in delivery.ready(after(millis), |_| SLOW).start {
            sent.push((millis, page.incident.0));
            delivery.finish(page);
        }
    }
    let at = |incident: i64| sent.iter().find(|(_, id)| *id == incident).expect("it is sent").0;
    assert_eq!(sent.len(), 125);
    // In turn with the flood: each is behind one page of it at most, and none of the flood is forgotten.
    let quakes: Vec<u64> = (200..205).map(at).collect();
    assert!(quakes[0] <= 12_000, "{quakes:?}");
    assert!(quakes.windows(2).all(|pair| pair[1] - pair[0] <= 2_000), "{quakes:?}");
    let flood: Vec<u64> = (1..=60).map(at).collect();
    assert!(flood.is_sorted() && *flood.last().unwrap() <= 61_000, "{flood:?}");
}

fn tell_ana(delivery: &mut DeliveryQueues, incident: i64, trigger: &str, priority: u8, purpose: &PagePurpose) {
    let (trigger, purpose) = (trigger.into(), purpose.clone());
    let origin = PageOrigin { priority: Priority::from(priority), ..of(incident, false, &trigger) };
    delivery.enqueue(origin, &Page { n: 2, purpose, ..brief(0) });
}

#[test]
fn news_that_spares_work_goes_before_the_briefs_of_a_flood() {
    let taken = PagePurpose::Taken { by: "bo".into(), covering_as: None };
    for news in [taken, PagePurpose::StoodDown, PagePurpose::Resolved] {
        let mut delivery = DeliveryQueues::default();
        (1..=60).for_each(|incident| ask_ana(&mut delivery, incident, "flood", 3, Some(after(45_000))));
        let mut before = sent(&mut delivery, 1);
        tell_ana(&mut delivery, 101, "flood", 3, &news);
        tell_ana(&mut delivery, 102, "other", 3, &news);
        before.extend(sent(&mut delivery, 4));
        assert!(before[1..4].contains(&101) && before[1..4].contains(&102), "{news:?}: {before:?}");
        assert_eq!(before.len(), 4, "the first second was told twice");
    }
}

#[test]
fn where_the_turn_is_the_same_news_goes_first_but_not_before_a_higher_priority() {
    let mut delivery = DeliveryQueues::default();
    ask_ana(&mut delivery, 1, "crash", 3, Some(after(5_000)));
    ask_ana(&mut delivery, 2, "kill-switch", 1, None);
    tell_ana(&mut delivery, 101, "quake", 3, &PagePurpose::Resolved);
    assert_eq!(sent(&mut delivery, 10), [2, 101, 1]);
}

#[test]
fn a_flood_of_news_leaves_every_second_turn_to_the_briefs() {
    let mut delivery = DeliveryQueues::default();
    (101..=160).for_each(|incident| tell_ana(&mut delivery, incident, "flood", 3, &PagePurpose::Resolved));
    (1..=5).for_each(|incident| ask_ana(&mut delivery, incident, "flood", 3, None));
    ask_ana(&mut delivery, 6, "crash", 3, None);
    let sent = sent(&mut delivery, 80);
    let at = |incident: i64| sent.iter().position(|known| *known == incident).unwrap();
    assert_eq!(sent.len(), 66);
    assert!(at(1) <= 2 && at(6) <= 2 && at(5) <= 12, "{sent:?}");
}

/// A trigger that comes again and again does not starve one whose pages wait.
#[test]
fn nobodys_page_starves_behind_a_trigger_that_never_has_many() {
    let mut delivery = DeliveryQueues::default();
    let mut n = 0;
    let mut brief = |delivery: &mut DeliveryQueues, trigger: &str, born: u64| {
        n += 1;
        let page: Page = serde_json::from_value(serde_json::json!({
            "n": 1, "channel": "sms", "person": "ana", "role": "trader", "born_at": after(born),
            "purpose": PagePurpose::Brief { round: 0 },
        }))
        .unwrap();
        delivery.enqueue(of(n, false, &trigger.into()), &page);
        n
    };
    let flood: Vec<i64> = (0..20).map(|_| brief(&mut delivery, "flood", 0)).collect();
    let mut left = 20;
    for millis in (0..60_000).step_by(1000) {
        // As many as the pace allows, all the time.
        brief(&mut delivery, "steady", millis);
        for page in delivery.ready(after(millis), |_| SLOW).start {
            left -= usize::from(flood.contains(&page.incident.0));
            delivery.finish(page);
        }
    }
    assert_eq!(left, 0, "the flood was held up for ever");
}

#[test]
fn a_brief_that_goes_knows_how_many_of_its_trigger_follow_it() {
    let mut delivery = DeliveryQueues::default();
    (1..=5).for_each(|incident| ask_ana(&mut delivery, incident, "flood", 3, None));
    ask_ana(&mut delivery, 6, "quake", 3, None);
    let mut follow = Vec::new();
    delivery.withdraw(id(5, 1));
    for second in 0..10 {
        let ready = delivery.ready(after(second * 1000), |_| SLOW);
        ready.unsent.into_iter().for_each(|page| delivery.finish(page));
        for page in ready.start {
            follow.push((page.incident.0, delivery.following(page)));
            // A refusal does not make it one that follows.
            delivery.retry(page, after(60_000));
        }
    }
    assert_eq!(follow, [(1, 3), (6, 0), (2, 2), (3, 1), (4, 0)]);
}
