//! What waits, while other witnesses, other alerts of its key, another matrix or a late loop come in between.

use super::{World, alert, play, said, tell};
use std::time::Duration;
use stentor::core::Timestamp;

const KEY: &str = "key = 'alert.labels.key'\nwhen = 'alert.values.v >= 5.0'";

const VENUES: &str = "corroborate = { count = 2, within = \"4s\", by = 'alert.labels.venue' }";

/// What two witnesses say is not cancelled by a third, who never said it; nor is it by one of three.
#[tokio::test]
async fn a_wait_ends_when_too_few_witnesses_are_left() {
    let trigger = format!("{KEY}\n{VENUES}\nfor = \"10s\"");
    tell(
        &trigger,
        "0 a x v=6 venue:lse => held corroborate 1
         0 a x v=6 venue:six => held for 1 until 10
         1 a x v=1 venue:bme => nothing
         2 a x v=6 venue:bme => held for 1 until 10
         3 a x v=1 venue:bme => nothing
         9 open =>
         10 open => t/x it is so
         11 a x v=6 venue:lse => joined
         12 close x
         20 a x v=6 venue:lse => held corroborate 1
         21 a x v=6 venue:six => held for 1 until 31
         28 a x v=7 venue:lse => held for 1 until 31
         29 a x v=1 venue:six => held for 0
         40 open =>
         40 a y v=6 venue:lse => held corroborate 1
         41 a y v=6 venue:six => held for 1 until 51
         42 a y resolved venue:bme => nothing
         43 a y resolved venue:six => held for 0
         60 open =>",
    )
    .await;
}

/// The alert that opens the incident is the newest, however few say it again.
#[tokio::test]
async fn what_waits_has_the_newest_facts_whatever_its_first_layers_say_now() {
    let trigger = format!("{KEY}\n{VENUES}\nfor = \"10s\"\nsummary = 'v is {{alert.values.v}}'");
    tell(
        &trigger,
        "0 a x v=6 venue:lse => held corroborate 1
         1 a x v=7 venue:six => held for 1 until 11
         9 a x v=8 venue:six => held for 1 until 11
         12 open => t/x v is 8",
    )
    .await;
}

#[tokio::test]
async fn an_all_clear_starts_what_must_follow_each_other_anew() {
    let trigger = format!(
        "{KEY}\nclear_when = 'alert.values.v < 3.0'\nthreshold = {{ count = 3, consecutive = true, within = \"1h\" }}"
    );
    tell(
        &trigger,
        "0 a x v=6 => held threshold 1
         1 a x v=6 => held threshold 2
         2 a x v=1 => held threshold 0
         3 a x v=6 => held threshold 1
         4 a x v=6 => held threshold 2
         5 a x resolved => held threshold 0
         6 a x v=6 => held threshold 1
         7 a x v=6 => held threshold 2
         8 a x v=6 => opened",
    )
    .await;
}

/// A key that only an overflow incident counts has its cool-down, too.
#[tokio::test]
async fn a_key_of_an_overflow_rests_after_its_all_clear() {
    let trigger = format!("{KEY}\ncooldown = \"60s\"\nopenings_per_minute = 1\nresolved = \"resolve\"");
    let told = play(
        World::memory(&trigger),
        "0 a x v=6 => ?
         1 b y v=6 => ?
         1 a z v=6 => ?
         3 a z resolved => ?
         4 a z v=6 => ?",
    )
    .await;
    let told: Vec<&str> = told.lines().map(|line| line.split("=> ").nth(1).unwrap()).collect();
    assert_eq!((told[0], told[4]), ("opened", "held cooldown 1 until 63"), "{told:?}");
    assert!(told[2].starts_with("Overflowed"), "{told:?}");
}

/// What had waited long enough before this alert came is opened, whether or not the loop had its turn.
#[tokio::test]
async fn what_is_overdue_opens_before_the_next_alert_is_judged() {
    for (words, expected) in
        [(&["a", "x", "v=1"][..], "nothing"), (&["a", "x", "v=7"], "joined"), (&["a", "x", "resolved"], "cleared")]
    {
        let world = World::sqlite(&format!("{KEY}\nfor = \"10s\"")).await;
        assert_eq!(said(&world.admit(alert(&["a", "x", "v=6"])).await), "held for 1 until 10");
        world.clock.pass(Duration::from_secs(11));
        assert_eq!(said(&world.admit(alert(words)).await), expected);
        assert_eq!(world.open().await, ["t/x it is so"], "{words:?}");
    }
}

/// By another matrix an alert that waits may have no trigger, or nothing to wait for.
#[tokio::test]
async fn what_waits_is_judged_by_the_matrix_of_the_day() {
    let waits = format!("{KEY}\nfor = \"10s\"");
    for (other, expected) in [
        (KEY.to_owned(), "t/x it is so"),
        (waits.clone(), ""),
        (format!("[trigger.renamed]\n{KEY}"), "renamed/x it is so"),
        (format!("[trigger.t]\non = [\"other\"]\nroles = [\"trader\"]\n\n[trigger.renamed]\n{waits}"), "t/x it is so"),
    ] {
        let mut world = World::sqlite(&waits).await;
        assert_eq!(said(&world.admit(alert(&["a", "x", "v=6"])).await), "held for 1 until 10");
        world.reload(&other);
        world.tick().await;
        assert_eq!(world.open().await.join("; "), expected, "{other}");
        // What is on disk is the same.
        world.restart().await;
        world.pass_to(Duration::from_secs(10)).await;
        assert_eq!(world.open().await.len(), 1, "{other}");
        world.pass_to(Duration::from_secs(30)).await;
        assert_eq!(world.open().await.len(), 1, "{other}");
    }
}

/// A key that is expected to speak is no alert that has passed a layer.
#[tokio::test]
async fn a_trigger_that_becomes_another_one_takes_no_expected_key_for_an_alert() {
    let absent = "key = 'alert.labels.key'\nabsent = { every = \"1h\" }";
    let counts = "key = 'alert.labels.key'\nthreshold = { count = 3, within = \"1h\" }\ncooldown = \"10s\"";
    let mut world = World::memory(absent);
    assert_eq!(said(&world.admit(alert(&["a", "x"])).await), "held absent 1 until 3600");
    world.reload(counts);
    world.trigger = counts.into();
    assert_eq!(said(&world.admit(alert(&["a", "x"])).await), "held threshold 1");
    // And an alert that waits is not forgotten because its key is expected now.
    let world = World::memory("key = 'alert.labels.key'\nfor = \"10s\"");
    assert_eq!(said(&world.admit(alert(&["a", "x"])).await), "held for 1 until 10");
    world.reload(absent);
    world.admit(alert(&["a", "x"])).await;
    world.tick().await;
    assert_eq!(world.open().await.len(), 1);
}

/// A long way down in equal steps is seen as a whole, and no noise hides a peak.
#[test]
fn of_many_values_those_stay_that_show_a_change() {
    use stentor::core::judgement::{ChangeDirection, JudgementLayers, JudgementState, LayerEvidence, ValueChange};
    let sees = |by: f64, percent: bool, values: &[f64]| {
        let change = ValueChange { direction: ChangeDirection::Down, by, percent, within: Duration::from_secs(3600) };
        let layers = JudgementLayers { change: Some(change), ..JudgementLayers::default() };
        let mut state = JudgementState::default();
        let alert = alert(&["a", "x"]);
        (0_i64..).zip(values).find_map(|(n, value)| {
            let evidence = LayerEvidence { value: Some(*value), witness: String::new() };
            let at = Timestamp::from_micros(n * 1_000_000);
            state.weigh(&layers, &evidence, &alert, at).is_none().then_some(n)
        })
    };
    let steady: Vec<f64> = (0..900).map(|n| 10_000.0 - f64::from(n)).collect();
    assert_eq!(sees(5.0, true, &steady), Some(500));
    let noise = |n: i32| if n % 2 == 0 { 0.4 } else { 0.0 };
    let mut noisy: Vec<f64> = (0..2000).map(|n| 100.0 + noise(n)).collect();
    noisy[700] = 120.0;
    noisy.push(99.0);
    assert_eq!(sees(20.9, false, &noisy), Some(2000));
    // A hill that nobody would see from one value alone.
    let hill: Vec<f64> = (0..3000).map(|n| 100.0 - (f64::from(n - 1000) / 100.0).powi(2)).collect();
    let seen = sees(50.0, false, &hill).unwrap();
    assert!((1707..=1720).contains(&seen), "{seen}");
}
