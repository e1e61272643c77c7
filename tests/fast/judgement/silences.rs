//! Silences: what they hold, how long, and what becomes of it.

use super::{World, alert, said};
use crate::fixture::faulty_store::{Faults, FaultyStore};
use std::{sync::Arc, time::Duration};
use stentor::core::{
    Actor,
    silence::{Silence, SilenceId, SilenceMatcher, SilenceState},
};
use tokio::sync::Semaphore;

const TRIGGER: &str = "key = 'alert.labels.key'\nwhen = 'alert.values.v >= 5.0'";

fn silence(world: &World, n: u8, matchers: &[&str], seconds: u64) -> Silence {
    Silence {
        id: SilenceId::random([n; 16]),
        matchers: matchers.iter().map(|text| text.parse().unwrap()).collect(),
        starts_at: world.now(),
        ends_at: world.now() + Duration::from_secs(seconds),
        updated_at: world.now(),
        created_by: "ana".into(),
        reason: "the venue tests its failover".into(),
    }
}

impl World {
    async fn keep(&self, silence: Silence) -> SilenceId {
        self.engine.admission().keep_silence(silence, None, Actor::Person("ana".into())).await.unwrap()
    }

    async fn says(&self, words: &[&str]) -> String {
        said(&self.admit(alert(words)).await)
    }

    async fn at(&self, seconds: u64) {
        self.pass_to(Duration::from_secs(seconds)).await;
    }
}

#[tokio::test]
async fn what_a_silence_holds_is_judged_at_its_end() {
    for mut world in [World::memory(TRIGGER), World::sqlite(TRIGGER).await] {
        world.keep(silence(&world, 1, &["key=~\"x|y\"", "source=a"], 60)).await;
        assert_eq!(world.says(&["a", "x", "v=6"]).await, "held silence 1 until 60");
        assert_eq!(world.says(&["b", "x2", "v=6"]).await, "opened");
        assert_eq!(world.says(&["b", "y", "v=6"]).await, "opened", "another source is not silenced");
        world.restart().await;
        world.engine.inbound().recall_people().await.unwrap();
        world.at(20).await;
        assert_eq!(world.says(&["a", "x", "v=9"]).await, "held silence 1 until 60");
        assert_eq!(world.says(&["a", "xx", "v=9"]).await, "opened", "a pattern is about the whole value");
        world.at(59).await;
        assert_eq!(world.open().await.len(), 3);
        world.at(60).await;
        assert_eq!(world.open().await.len(), 4);
        assert_eq!(world.says(&["a", "x", "v=6"]).await, "joined");
    }
}

#[tokio::test]
async fn what_is_over_before_the_end_opens_nothing() {
    let world = World::memory(TRIGGER);
    world.keep(silence(&world, 1, &["key=x"], 60)).await;
    assert_eq!(world.says(&["a", "x", "v=6"]).await, "held silence 1 until 60");
    assert_eq!(world.says(&["a", "x", "v=1"]).await, "held silence 0");
    assert_eq!(world.says(&["a", "x", "v=1"]).await, "nothing");
    assert_eq!(world.says(&["a", "x", "v=6"]).await, "held silence 1 until 60");
    assert_eq!(world.says(&["a", "x", "resolved"]).await, "held silence 0");
    world.at(61).await;
    assert!(world.open().await.is_empty());
}

#[tokio::test]
async fn a_silence_can_be_extended_and_ended_and_what_it_held_follows() {
    let world = World::memory(TRIGGER);
    let first = silence(&world, 1, &["key=x"], 60);
    world.keep(first.clone()).await;
    assert_eq!(world.says(&["a", "x", "v=6"]).await, "held silence 1 until 60");
    world.keep(Silence { ends_at: world.now() + Duration::from_secs(100), ..first.clone() }).await;
    world.tick().await;
    world.at(99).await;
    assert!(world.open().await.is_empty());
    assert_eq!(world.says(&["a", "x", "v=6"]).await, "held silence 1 until 100");
    let admission = world.engine.admission();
    assert_eq!(admission.silence(first.id).map(|silence| silence.state(world.now())), Some(SilenceState::Active));
    admission.end_silence(first.id, Actor::Operator("ops".into())).await.unwrap();
    world.tick().await;
    assert_eq!(world.open().await, ["t/x it is so"]);
    let again = admission.end_silence(first.id, Actor::Operator("ops".into())).await;
    assert_eq!(again.map(|_| ()).unwrap_err().to_string(), "no silence with this id is in force");
    // Shown for five days, as over.
    assert_eq!(admission.silence(first.id).map(|silence| silence.state(world.now())), Some(SilenceState::Expired));
}

/// An alert that is judged while its silence is changed waits for the silence as it is then.
#[tokio::test]
async fn what_is_judged_while_its_silence_ends_does_not_wait_for_it() {
    let faults = Arc::new(Faults { admits: Some(Semaphore::new(0)), ..Faults::default() });
    let of_store = faults.clone();
    let world = World::memory_behind(TRIGGER, |store| Arc::new(FaultyStore { store, faults: of_store }));
    world.tick().await;
    let id = world.keep(silence(&world, 1, &["key=x"], 60)).await;
    let admission = world.engine.admission();
    let admitted = admission.admit(vec![alert(&["a", "x", "v=6"])], world.now());
    let end = async {
        admission.end_silence(id, Actor::Operator("ops".into())).await.unwrap();
        faults.admits.as_ref().unwrap().add_permits(100);
    };
    let (admitted, ()) = tokio::join!(admitted, end);
    assert_eq!(said(&admitted.unwrap()[0].results), "held silence 1 until 60", "it was judged before");
    world.tick().await;
    assert_eq!(world.open().await, ["t/x it is so"]);
}

/// Both are with the store at the same time.
#[tokio::test]
async fn what_is_kept_while_its_silence_ends_does_not_wait_for_it() {
    let world = World::sqlite(TRIGGER).await;
    world.tick().await;
    let id = world.keep(silence(&world, 1, &["key=x"], 60)).await;
    let admission = world.engine.admission();
    let end = admission.end_silence(id, Actor::Operator("ops".into()));
    let (ended, admitted) = tokio::join!(end, admission.admit(vec![alert(&["a", "x", "v=6"])], world.now()));
    ended.unwrap();
    admitted.unwrap();
    world.tick().await;
    assert_eq!(world.open().await, ["t/x it is so"]);
}

/// Another matrix may silence less: what its maintenance windows held, and what can not be silenced any more, opens at
/// once. What is silent as before waits on, and nothing is journaled of it.
#[tokio::test]
async fn another_matrix_judges_anew_what_silences_hold() {
    let window = "[maintenance.backup]\nmatch = ['key=~\"db.*\"']\nstarts = \"0 9 * * Mon\"\nlasts = \"2m\"\nowner = \"dba\"\nreason = \"the backup\"\n";
    let (windows, never) = (format!("{TRIGGER}\n{window}"), format!("{TRIGGER}\nsilences = false"));
    let mut world = World::sqlite(&windows).await;
    world.keep(silence(&world, 1, &["key=x"], 60)).await;
    assert_eq!(world.says(&["a", "x", "v=6"]).await, "held silence 1 until 60");
    assert_eq!(world.says(&["a", "db1", "v=6"]).await, "held silence 1 until 120");
    let lines = async |world: &World| world.store.lines(None, 0, 100).await.unwrap().len();
    let before = lines(&world).await;
    world.reload(&windows);
    world.tick().await;
    assert_eq!((world.open().await.len(), lines(&world).await), (0, before), "nothing has changed");
    world.reload(TRIGGER);
    world.tick().await;
    assert_eq!(world.open().await, ["t/db1 it is so"]);
    world.trigger = never;
    world.restart().await;
    world.engine.inbound().recall_people().await.unwrap();
    world.tick().await;
    assert_eq!(world.open().await, ["t/db1 it is so", "t/x it is so"]);
}

/// The longest of several decides, and what another one still is about waits for that one.
#[tokio::test]
async fn of_two_silences_the_one_that_ends_last_counts() {
    let world = World::memory(TRIGGER);
    world.keep(silence(&world, 1, &["key=x"], 60)).await;
    world.keep(silence(&world, 2, &["kind=k"], 30)).await;
    assert_eq!(world.says(&["a", "x", "v=6"]).await, "held silence 1 until 60");
    assert_eq!(world.says(&["a", "y", "v=6"]).await, "held silence 1 until 30");
    world.engine.admission().end_silence(SilenceId::random([1; 16]), Actor::Operator("ops".into())).await.unwrap();
    world.tick().await;
    assert!(world.open().await.is_empty(), "the other one holds it now");
    world.at(30).await;
    assert_eq!(world.open().await.len(), 2);
}

#[tokio::test]
async fn a_trigger_that_can_not_be_silenced_is_not() {
    let world = World::memory(&format!("{TRIGGER}\nsilences = false"));
    world.keep(silence(&world, 1, &["key=x"], 60)).await;
    assert_eq!(world.says(&["a", "x", "v=6"]).await, "opened");
}

#[tokio::test]
async fn a_question_is_asked_whatever_is_silent() {
    let world = World::memory(&format!("{TRIGGER}\nask = {{ after = \"60s\", from_alerts = true }}"));
    world.keep(silence(&world, 1, &["key=x"], 60)).await;
    assert_eq!(world.says(&["a", "x", "v=6"]).await, "opened");
}

#[tokio::test]
async fn a_wait_and_a_cool_down_come_before_a_silence() {
    let world = World::memory(&format!("{TRIGGER}\nfor = \"10s\"\ncooldown = \"20s\"\nresolved = \"resolve\""));
    world.keep(silence(&world, 1, &["trigger=t"], 15)).await;
    assert_eq!(world.says(&["a", "x", "v=6"]).await, "held for 1 until 10");
    world.at(11).await;
    // Why nothing was opened when it was due.
    let lines = world.store.lines(None, 0, 100).await.unwrap();
    let held = lines.iter().filter(|line| line.body.contains("\"event\":\"held\"")).map(|line| line.body.clone());
    let layers: Vec<_> = held.map(|body| body.contains("\"layer\":\"silence\"")).collect();
    assert_eq!(layers, [false, true]);
    assert_eq!(world.says(&["a", "x", "v=7"]).await, "held silence 1 until 15");
    world.at(15).await;
    assert_eq!(world.open().await, ["t/x it is so"]);
}

/// A key may have alerts that a silence is about, and others: those decide, in whatever order they come.
#[tokio::test]
async fn a_silent_alert_takes_the_place_of_none_that_is_not() {
    for words in [["host:db1", "host:db2"], ["host:db2", "host:db1"]] {
        let world = World::memory(&format!("{TRIGGER}\nfor = \"10s\""));
        world.keep(silence(&world, 1, &["host=db2"], 3600)).await;
        for host in words {
            assert_eq!(world.says(&["a", "x", "v=6", host]).await, "held for 1 until 10");
        }
        world.at(10).await;
        assert_eq!(world.open().await, ["t/x it is so"], "{words:?}");
        // Both are silent: so is the key.
        world.keep(silence(&world, 2, &["host=~db."], 3600)).await;
        for host in words {
            assert_eq!(world.says(&["a", "y", "v=6", host]).await, "held for 1 until 20");
        }
        world.at(30).await;
        assert_eq!(world.open().await.len(), 1);
        // One that is not silent opens it, and it has waited long enough.
        assert_eq!(world.says(&["a", "y", "v=6", "host:db2"]).await, "held silence 1 until 3610");
        assert_eq!(world.says(&["a", "y", "v=6", "host:web"]).await, "opened");
    }
}

/// What waits for a silence has counted, and has the newest facts.
#[tokio::test]
async fn what_a_silence_holds_counts_no_more() {
    let world = World::memory(&format!(
        "{TRIGGER}\nthreshold = {{ count = 2, within = \"5s\" }}\nsummary = 'v is {{alert.values.v}}'"
    ));
    world.keep(silence(&world, 1, &["key=x"], 60)).await;
    assert_eq!(world.says(&["a", "x", "v=6"]).await, "held threshold 1");
    assert_eq!(world.says(&["a", "x", "v=7"]).await, "held silence 1 until 60");
    world.at(20).await;
    assert_eq!(world.says(&["a", "x", "v=8"]).await, "held silence 1 until 60");
    world.at(60).await;
    assert_eq!(world.open().await, ["t/x v is 8"]);
}

/// Silence about a monitor that fell silent is silence, too.
#[tokio::test]
async fn a_monitor_that_falls_silent_during_a_silence_opens_an_incident_after_it() {
    let world = World::memory("key = 'alert.labels.key'\nabsent = { every = \"10s\" }");
    world.keep(silence(&world, 1, &["key=feed"], 60)).await;
    assert_eq!(world.says(&["a", "feed"]).await, "held absent 1 until 10");
    world.at(59).await;
    assert!(world.open().await.is_empty());
    world.at(60).await;
    assert_eq!(world.open().await, ["t/feed feed has not been heard of for 10s"]);
}

#[test]
fn matchers_are_written_as_amtool_writes_them() {
    let table = [
        ("a=b", "a=\"b\""),
        ("a=\"b c\"", "a=\"b c\""),
        ("a != b", "a!=\"b\""),
        ("a=~b.*", "a=~\"b.*\""),
        ("a!~\"x|y\"", "a!~\"x|y\""),
        ("a=", "a=\"\""),
        ("a==b", "a=\"=b\""),
        ("größe=\"1\\\"2\"", "größe=\"1\\\"2\""),
    ];
    for (written, shown) in table {
        let read: SilenceMatcher = written.parse().unwrap();
        assert_eq!(read.to_string(), shown, "{written}");
        assert_eq!(read.to_string().parse::<SilenceMatcher>().unwrap(), read);
    }
    for bad in ["", "a", "a!b", "a=\"b\"c\"", "a~b"] {
        assert!(bad.parse::<SilenceMatcher>().is_err(), "{bad}");
    }
}

#[test]
fn what_is_wrong_with_a_silence_is_said() {
    let world = World::memory(TRIGGER);
    let (good, now) = (silence(&world, 1, &["key=x"], 60), world.now());
    assert_eq!(good.flaw(now), None);
    let matched = |matchers: &[&str]| silence(&world, 1, matchers, 60).flaw(now);
    let flaws = [
        ("no matcher", matched(&[])),
        ("too many", matched(&["key=x"; 21])),
        ("matches everything", matched(&["key=~.*", "other!=x"])),
        ("matches every source", matched(&["source=~.+", "kind!=x", "trigger=~.*", "alertname=~[^x]"])),
        ("a name", matched(&["=x"])),
        ("a pattern", matched(&["key=~(x"])),
        ("a pattern that is large", matched(&["key=~(x{1000}){1000}"])),
        ("patterns that are large together", matched(&["key=~\\w{0,20}"; 20])),
        ("no reason", Silence { reason: " ".into(), ..good.clone() }.flaw(now)),
        ("a long reason", Silence { reason: "x".repeat(1001), ..good.clone() }.flaw(now)),
        ("a hidden letter", Silence { reason: "x\u{202e}y".into(), ..good.clone() }.flaw(now)),
        ("nobody's", Silence { created_by: String::new(), ..good.clone() }.flaw(now)),
        ("over", Silence { ends_at: now, ..good.clone() }.flaw(now)),
        ("backwards", Silence { starts_at: now + Duration::from_secs(61), ..good.clone() }.flaw(now)),
        ("too long", Silence { ends_at: now + Duration::from_secs(32 * 24 * 3600), ..good.clone() }.flaw(now)),
    ];
    for (what, flaw) in flaws {
        assert!(flaw.is_some(), "{what}");
    }
    let id = good.id.to_string();
    assert_eq!(id.parse::<SilenceId>(), Ok(good.id));
    assert_eq!((id.len(), &id[14..15]), (36, "4"));
    for bad in ["", "x", "5b1e7a66-0d4c-4c43-9d51-7f7f6d1c2a1", "5b1e7a66+0d4c-4c43-9d51-7f7f6d1c2a10"] {
        assert!(bad.parse::<SilenceId>().is_err(), "{bad}");
    }
}

/// START is a Monday, 09:00 UTC.
#[tokio::test]
async fn a_maintenance_window_is_a_silence_that_comes_again() {
    let window = "[maintenance.backup]\nmatch = ['key=~\"db.*\"']\nstarts = \"1 9 * * Mon\"\nlasts = \"2m\"\nowner = \"dba\"\nreason = \"the backup\"\n";
    let world = World::memory(&format!("{TRIGGER}\n{window}"));
    assert_eq!(world.says(&["a", "db1", "v=6"]).await, "opened", "it has not begun");
    let listed = world.engine.admission().silences();
    assert_eq!((listed[0].state(world.now()), listed[0].created_by.as_str()), (SilenceState::Pending, "dba"));
    world.at(60).await;
    assert_eq!(world.says(&["a", "db2", "v=6"]).await, "held silence 1 until 180");
    assert_eq!(world.says(&["a", "web", "v=6"]).await, "opened");
    assert_eq!(world.says(&["a", "db2", "v=1"]).await, "held silence 0");
    assert_eq!(world.says(&["a", "db3", "v=6"]).await, "held silence 1 until 180");
    let listed = world.engine.admission().silences();
    assert_eq!(listed[0].state(world.now()), SilenceState::Active);
    let ended = world.engine.admission().end_silence(listed[0].id, Actor::Operator("ops".into())).await;
    assert!(ended.unwrap_err().to_string().contains("change it there"));
    world.at(180).await;
    assert_eq!(world.open().await.len(), 3, "db1, web and what still held at the end");
    assert_eq!(world.says(&["a", "db4", "v=6"]).await, "opened");
}

#[test]
fn a_window_has_an_id_for_each_time() {
    use stentor::core::{Timestamp, Zone, maintenance::MaintenanceWindow};
    let matchers: Vec<SilenceMatcher> = vec!["key=x".parse().unwrap()];
    let rule = ("0 2 * * *".parse().unwrap(), Zone::utc(), Duration::from_secs(3600));
    let daily = MaintenanceWindow::new("w".into(), matchers, rule, "ana".into(), "why".into());
    let at = |text: &str| daily.at(Timestamp::parse(text).unwrap()).unwrap();
    let next = at("2026-11-30T03:00:00Z");
    let (starts, ends) = (next.starts_at.to_string(), next.ends_at.to_string());
    assert!(starts.starts_with("2026-12-01T02:00") && ends.starts_with("2026-12-01T03:00"), "{starts} {ends}");
    let ids = ["2026-11-30T02:00:00Z", "2026-11-30T02:59:59Z", "2026-12-01T02:10:00Z"].map(|now| at(now).id);
    assert!(ids[0] == ids[1] && ids[1] != ids[2], "each has an id of its own");
}

/// What each source, kind and trigger has is known, whatever labels say.
#[tokio::test]
async fn no_label_hides_who_sends_an_alert() {
    let world = World::memory(TRIGGER);
    world.keep(silence(&world, 1, &["source=a"], 60)).await;
    assert_eq!(world.says(&["a", "x", "v=6", "source:web"]).await, "held silence 1 until 60");
    assert_eq!(world.says(&["b", "y", "v=6", "source:a"]).await, "opened");
}

/// At the bound one silence can still take the place of another.
#[tokio::test]
async fn a_silence_that_replaces_another_needs_no_room() {
    let world = World::memory(TRIGGER);
    for n in 0..1000_u16 {
        let mut id = [0; 16];
        id[..2].copy_from_slice(&n.to_be_bytes());
        world.keep(Silence { id: SilenceId::random(id), ..silence(&world, 1, &["key=x"], 60) }).await;
    }
    let (admission, by) = (world.engine.admission(), || Actor::Operator("ops".into()));
    let more = silence(&world, 255, &["key=y"], 60);
    let full = admission.keep_silence(more.clone(), None, by()).await.unwrap_err().to_string();
    assert!(full.contains("as many silences as there may be"), "{full}");
    let replaced = SilenceId::random([0; 16]);
    admission.keep_silence(more, Some(replaced), by()).await.unwrap();
    assert_eq!(admission.silence(replaced).map(|silence| silence.state(world.now())), Some(SilenceState::Expired));
    assert_eq!(world.says(&["a", "y", "v=6"]).await, "held silence 1 until 60");
}
