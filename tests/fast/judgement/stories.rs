use super::{World, play, tell};

const KEY: &str = "key = 'alert.labels.key'";

#[tokio::test]
async fn several_independent_witnesses_must_say_it_within_the_time() {
    let trigger = format!("{KEY}\nwhen = 'alert.values.v >= 5.0'\ncorroborate = {{ count = 2, within = \"30s\" }}");
    tell(
        &trigger,
        "0 a x v=6 => held corroborate 1
         5 a x v=7 => held corroborate 1
         6 b y v=7 => held corroborate 1
         34 b x v=6 => opened
         35 a x v=6 => joined
         40 close x
         41 a x v=6 => held corroborate 1
         71 b x v=6 => held corroborate 1
         72 b x v=1 => held corroborate 0
         73 a x v=6 => held corroborate 1",
    )
    .await;
}

#[tokio::test]
async fn what_counts_as_a_witness_is_an_expression() {
    let trigger = format!("{KEY}\ncorroborate = {{ count = 3, within = \"10s\", by = 'alert.labels.venue' }}");
    tell(
        &trigger,
        "0 a x venue:lse => held corroborate 1
         1 b x venue:lse => held corroborate 1
         2 a x venue:six => held corroborate 2
         3 a x venue:bme => opened",
    )
    .await;
}

#[tokio::test]
async fn a_value_must_have_fallen_by_so_much_within_the_time() {
    let trigger = format!("{KEY}\nchange = {{ of = 'alert.values.p', by = \"-5%\", within = \"60s\" }}");
    tell(
        &trigger,
        "0 a x p=100 => held change 0
         10 a x p=97 => held change 0
         20 a x p=110 => held change 0
         30 a x p=105 => held change 0
         31 a y p=1 => held change 0
         40 a x p=104.5 => opened
         41 a x p=104.5 => joined
         50 close x
         91 a x p=99.5 => held change 0
         92 a x p=99 => opened",
    )
    .await;
}

#[tokio::test]
async fn a_value_is_as_old_as_its_monitor_says() {
    let trigger = format!("{KEY}\nchange = {{ of = 'alert.values.p', by = \"+3\", within = \"60s\" }}");
    tell(
        &trigger,
        "100 a x p=1 at=90 => held change 0
         100 a x p=9 at=90 => held change 0
         100 a x p=5 at=80 => held change 0
         100 a x p=4 at=95 => opened",
    )
    .await;
}

#[tokio::test]
async fn it_must_go_on_for_so_long_and_opens_by_time_alone() {
    let trigger = format!("{KEY}\nwhen = 'alert.values.v >= 5.0'\nfor = \"30s\"");
    tell(
        &trigger,
        "0 a x v=6 => held for 1 until 30
         10 a x v=3 => held for 0
         20 a x v=6 => held for 1 until 50
         25 a y v=6 => held for 1 until 55
         30 a x v=9 => held for 1 until 50
         40 a y resolved => held for 0
         49 open =>
         50 open => t/x it is so
         51 a x v=6 => joined
         60 a y v=3 => nothing",
    )
    .await;
}

#[tokio::test]
async fn what_opens_at_five_closes_under_three() {
    let trigger =
        format!("{KEY}\nwhen = 'alert.values.v >= 5.0'\nclear_when = 'alert.values.v < 3.0'\nresolved = \"resolve\"");
    tell(
        &trigger,
        "0 a x v=4 => nothing
         1 a x v=5 => opened
         2 a x v=4 => joined
         3 a x v=2.9 => cleared
         4 open =>
         5 a x v=4 => nothing
         6 a x v=1 => nothing
         7 a x v=5 => opened",
    )
    .await;
}

/// Between the two conditions nothing is over.
#[tokio::test]
async fn what_waits_goes_on_waiting_between_the_two_conditions() {
    let trigger = format!("{KEY}\nwhen = 'alert.values.v >= 5.0'\nclear_when = 'alert.values.v < 3.0'\nfor = \"10s\"");
    tell(
        &trigger,
        "0 a x v=6 => held for 1 until 10
         5 a x v=4 => nothing
         6 open =>
         10 open => t/x it is so
         11 close x
         20 a x v=6 => held for 1 until 30
         25 a x v=2 => held for 0
         31 open => ",
    )
    .await;
}

#[tokio::test]
async fn after_the_end_nothing_opens_for_a_while_and_then_what_still_holds() {
    let trigger = format!("{KEY}\nwhen = 'alert.values.v >= 5.0'\ncooldown = \"60s\"\nresolved = \"resolve\"");
    tell(
        &trigger,
        "0 a x v=6 => opened
         10 a x resolved => cleared
         20 a x v=6 => held cooldown 1 until 70
         21 a y v=6 => opened
         30 a x resolved => held cooldown 0
         40 a x v=6 => held cooldown 1 until 70
         50 a x v=8 => held cooldown 1 until 70
         69 open => t/y it is so
         70 open => t/x it is so; t/y it is so
         71 close x
         140 a x v=6 => opened",
    )
    .await;
}

#[tokio::test]
async fn what_goes_on_and_off_becomes_one_incident_that_a_person_ends() {
    let trigger = format!("{KEY}\nflapping = {{ openings = 3, within = \"10m\" }}\nresolved = \"resolve\"");
    tell(
        &trigger,
        "0 a x => opened
         1 a x resolved => cleared
         2 a x => opened
         3 a x resolved => cleared
         4 a x => opened
         5 open => t/x it is so (on and off: 3 times within 10m, so an all-clear does not end this)
         6 a x resolved => cleared
         7 a x => joined
         8 a x resolved => cleared
         9 open => t/x it is so (on and off: 3 times within 10m, so an all-clear does not end this)
         10 close x
         700 a x => opened
         701 open => t/x it is so",
    )
    .await;
}

#[tokio::test]
async fn the_count_comes_before_the_wait() {
    let trigger = format!(
        "{KEY}\nwhen = 'alert.values.v >= 5.0'\nthreshold = {{ count = 2, within = \"10s\" }}\nfor = \"30s\"\ncooldown = \"60s\""
    );
    tell(
        &trigger,
        "0 a x v=6 => held threshold 1
         5 a x v=6 => held for 1 until 35
         20 a x v=7 => held for 1 until 35
         35 open => t/x it is so
         40 close x
         50 a x v=6 => held threshold 1
         51 a x v=6 => held for 1 until 81
         81 a x v=6 => held cooldown 1 until 100
         100 open => t/x it is so",
    )
    .await;
}

const FEED: &str = "key = 'alert.labels.key'\nabsent = { every = \"10s\", grace = \"2500ms\" }\nresolved = \"resolve\"";

#[tokio::test]
async fn a_monitor_that_falls_silent_opens_an_incident_and_its_next_word_ends_it() {
    let story = "0 a feed => held absent 1 until 12.5
         9 a feed => held absent 1 until 21.5
         9.2 a other => held absent 1 until 21.7
         21 a other => held absent 1 until 33.5
         21.4 open =>
         21.5 open => t/feed feed has not been heard of for 12s 500ms
         22 a other => held absent 1 until 34.5
         30 a feed => cleared
         31 open =>
         32 a feed resolved => held absent 0
         32.5 a other resolved => held absent 0
         99 open =>";
    let expected: String = story.lines().map(|line| format!("{}\n", line.trim())).collect();
    assert_eq!(play(World::memory(FEED), story).await, expected);
}

/// While nobody listens nobody is silent: after a start each has its whole time again.
#[tokio::test]
async fn a_restart_makes_no_monitor_silent() {
    let mut world = World::sqlite(FEED).await;
    assert!(play_one(&world, "a").await);
    world.clock.pass(std::time::Duration::from_secs(3600));
    world.restart().await;
    world.tick().await;
    assert!(world.open().await.is_empty());
    world.pass_to(std::time::Duration::from_secs(3612)).await;
    assert!(world.open().await.is_empty());
    world.pass_to(std::time::Duration::from_secs(3613)).await;
    assert_eq!(world.open().await, ["t/feed feed has not been heard of for 12s 500ms"]);
}

async fn play_one(world: &World, source: &str) -> bool {
    super::said(&world.admit(super::alert(&[source, "feed"])).await) == "held absent 1 until 12.5"
}
