//! Who is on call follows the wall clock; waits and the journal follow a clock that nobody can set.

use super::*;
use stentor::core::{EscalationPlan, JournalRecord, Roster, Zones, oncall::Rotation, plan::StepTarget};

const DAY_US: i64 = 24 * 3600 * 1_000_000;

/// Ana and Bo take turns from midnight to midnight.
fn by_days() -> Roster {
    let people = ["ana", "bo"].map(PersonName::from).to_vec();
    let midnight = "0 0 * * *".parse().expect("a line");
    let zone = Zones::bundled().get("UTC").expect("a zone");
    let rotation = Rotation::new(people, midnight, zone, Vec::new(), fixture::START);
    Roster { rotations: [("desk".into(), rotation)].into(), ..roster() }
}

fn rotating() -> EscalationPlan {
    let mut plan = fixture::plan();
    let trader = plan.roles.get_mut("trader").expect("a role");
    trader.steps[0].page = vec![StepTarget::Rotation("desk".into())];
    plan
}

/// Opens an incident, and returns who was on call for the trader, by which civil time, and the time of the event.
async fn on_call(store: &dyn Store, key: &'static str) -> (Vec<PersonName>, Option<Timestamp>, Timestamp) {
    let needs = LockSet { keys: vec![IncidentKey::stored(key)], ..LockSet::default() };
    let work = move |tx: &mut Transaction<'_>| tx.open(fixture::opening_of(key, rotating()), &by_days());
    let (id, _) = transact(store, RequestClass::Admission, needs, work).await.expect("kept");
    let lines = store.lines(Some(id.to_string()), 0, usize::MAX).await.expect("lines");
    let records = lines.iter().map(|line| serde_json::from_str::<JournalRecord>(&line.body).expect("a record"));
    let entered = records.into_iter().find_map(|record| match record.event {
        Event::StepEntered { role, on_call, civil, .. } if role == "trader".into() => Some((on_call, civil, record.at)),
        _ => None,
    });
    assert_eq!(folded(store, id).await, *view(store, id).await);
    entered.expect("a step")
}

#[tokio::test]
async fn a_clock_that_was_once_ahead_says_nothing_about_who_is_on_call() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    let (today, civil, _) = on_call(&*store, "before").await;
    assert_eq!(civil, None, "both clocks agree");
    // Somebody sets the wall clock a day ahead, a daemon starts with it, and it is set right again.
    world.hands.step_wall(DAY_US);
    let store = world.reopen().await;
    let (tomorrow, civil, ahead) = on_call(&*store, "ahead").await;
    assert!(civil.is_none() && tomorrow != today, "{tomorrow:?}");
    world.hands.step_wall(-DAY_US);
    for restart in [false, true] {
        let store = if restart { world.reopen().await } else { store.clone() };
        let key = if restart { "restarted" } else { "set right" };
        let (people, civil, at) = on_call(&*store, key).await;
        assert_eq!(people, today, "{key}");
        assert_eq!(civil, Some(world.hands.wall()), "{key}: by which time is in the journal");
        assert!(ahead <= at, "{key}: the journal's time does not go back");
        assert_eq!(store.clock_ahead_us(), -DAY_US, "{key}");
    }
}

#[tokio::test]
async fn a_wall_clock_that_can_not_be_right_decides_nothing() {
    let mut world = World::sqlite();
    let store = world.reopen().await;
    let (today, ..) = on_call(&*store, "before").await;
    let now = world.hands.wall().as_micros();
    for wrong in [0, stentor::core::Timestamp::MAX.as_micros()] {
        world.hands.step_wall(wrong - world.hands.wall().as_micros());
        let (people, civil, _) = on_call(&*store, if wrong == 0 { "1970" } else { "9999" }).await;
        assert_eq!((people, civil), (today.clone(), None), "{wrong}");
        world.hands.step_wall(now - world.hands.wall().as_micros());
    }
}
