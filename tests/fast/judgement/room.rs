//! What is kept has a bound, and nothing is lost where it is reached.

use super::World;
use std::time::Duration;
use stentor::{core::Timestamp, store::Judgements};

/// Where no more alerts may wait, incidents are opened at once: rather a page too many than one that is lost.
#[tokio::test]
async fn where_no_more_can_wait_incidents_are_opened_at_once() {
    let world = World::sqlite("key = 'alert.labels.key'\nopenings_per_minute = 5\nfor = \"30s\"").await;
    let alerts = (0..2_503).map(|n| super::alert(&["a", &format!("k{n}")])).collect();
    let told = world.engine.admission().admit(alerts, world.now()).await.unwrap();
    let said: Vec<String> = told.iter().map(|told| super::said(&told.results)).collect();
    assert_eq!(said[2_499], "held for 1 until 30");
    assert!(said[2_500..].iter().all(|said| said == "opened"), "{:?}", &said[2_498..]);
    // What waits already is not put off, and takes in what is new.
    assert_eq!(super::said(&world.admit(super::alert(&["a", "k7"])).await), "held for 1 until 30");
    world.pass_to(Duration::from_secs(31)).await;
    // The trigger's limit counts those, too: the others are in its overflow incident.
    assert_eq!(world.open().await.len(), 6);
}

#[test]
fn states_that_count_nothing_any_more_are_swept_in_portions() {
    use stentor::core::judgement::{ChangeDirection, JudgementLayers, LayerEvidence, ValueChange};
    let mut all = Judgements::default();
    let change =
        ValueChange { direction: ChangeDirection::Up, by: 1.0, percent: false, within: Duration::from_secs(60) };
    let layers = JudgementLayers { change: Some(change), ..JudgementLayers::default() };
    let evidence = LayerEvidence { value: Some(1.0), witness: String::new() };
    let alert = super::alert(&["a", "x"]);
    for n in 0..600_i64 {
        let at = Timestamp::from_micros(n * 1_000_000);
        all.change(&format!("t\u{1f}t/{n}"), |state| state.weigh(&layers, &evidence, &alert, at));
    }
    assert!(all.sweep(Timestamp::from_micros(59_999_999)).is_empty());
    assert_eq!(all.sweep(Timestamp::from_micros(60_000_000)), ["t\u{1f}t/0"]);
    let late = Timestamp::from_micros(10_000_000_000);
    assert_eq!(
        [all.sweep(late).len(), all.sweep(late).len(), all.sweep(late).len(), all.sweep(late).len()],
        [256, 256, 87, 0]
    );
}

/// A sender that must send again finds what counted before, and a limit of flapping counts no opening that was refused.
#[tokio::test]
async fn what_is_refused_for_a_quota_leaves_the_counts_as_they_were() {
    let trigger = "key = 'alert.labels.key'\nthreshold = { count = 2, within = \"10m\" }\ncorroborate = { count = 2, within = \"10m\", by = 'alert.labels.w' }\n\
        flapping = { openings = 2, within = \"1h\" }\nresolved = \"resolve\"\n\n[source.c]\ntoken = { env = \"Z\" }\nopenings_per_minute = 1";
    let story = "0 c x w:1 => held corroborate 1
         0 c x w:2 => held threshold 1
         0 c x w:1 => opened
         1 c y w:1 => held corroborate 1
         1 c y w:2 => held threshold 1
         1 c y w:3 => OverQuota { trigger: \"t\" }
         2 c y w:3 => OverQuota { trigger: \"t\" }
         70 c y w:3 => opened
         71 open => t/x it is so; t/y it is so";
    let expected: String = story.lines().map(|line| format!("{}\n", line.trim())).collect();
    assert_eq!(super::play(World::memory(trigger), story).await, expected);
}
