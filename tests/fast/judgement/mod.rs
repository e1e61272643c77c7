//! The layers of triggers, as stories: one line an alert, with what became of it. Each story is played twice: by one daemon,
//! and by one that is started anew after each line.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

mod changed;
mod reference;
mod room;
mod silences;
mod stories;
mod tiers;

use crate::fixture;

use fixture::{Hands, START};
use std::{sync::Arc, time::Duration};
use stentor::{
    channel::{desk_hub::DeskHub, outbox::SandboxOutbox},
    core::{Actor, Alert, AlertStatus, IncidentInput, Timestamp},
    engine::{AdmissionResult, Engine, RuntimeConfig, SharedChannelParts},
    store::{IncidentFilter, MemoryStore, SqliteStore, Store, clock::ClockSources as _},
    template::PageTemplates,
};

/// What every story needs; `TRIGGER` is its own: the keys of `[trigger.t]`, or triggers that begin with their names.
const MATRIX: &str = r#"
[source.a]
token = { env = "X" }

[source.b]
token = { env = "Y" }

[channel.sms]
kind = "kannel"
url = "http://127.0.0.1:9/cgi-bin/sendsms"
username = "x"
password = { env = "X" }

[person.ana]
name = "Ana Ruiz"
phone = "+447700900001"

[role.trader]
step = [{ page = ["ana"], by = ["sms"], wait = "10m" }]

TRIGGER

[catch-all]
page = ["ana"]
by = ["sms"]
"#;

struct World {
    engine: Arc<Engine>,
    store: Arc<dyn Store>,
    sqlite: Option<Arc<SqliteStore>>,
    clock: Hands,
    dir: tempfile::TempDir,
    trigger: String,
}

fn engine(store: &Arc<dyn Store>, trigger: &str, dir: &tempfile::TempDir) -> Arc<Engine> {
    Engine::new(store.clone(), config(trigger, dir), "http://127.0.0.1")
}

fn config(trigger: &str, dir: &tempfile::TempDir) -> RuntimeConfig {
    let begins = "[trigger.t]\non = [\"k\"]\nroles = [\"trader\"]\n";
    let trigger = match trigger.strip_prefix("[trigger.renamed]") {
        Some(keys) => begins.replace(".t]", ".renamed]") + keys,
        None if trigger.starts_with("[trigger.") => {
            trigger.replace("[trigger.renamed]\n", &begins.replace(".t]", ".renamed]"))
        }
        None => begins.to_owned() + trigger,
    };
    let matrix = fixture::parsed(&MATRIX.replace("TRIGGER", &trigger), START);
    let outbox = SandboxOutbox::open(dir.path(), || START).unwrap();
    let shared = SharedChannelParts { hub: DeskHub::new(), outbox, site: String::new(), sandbox: true };
    RuntimeConfig::wire(matrix, PageTemplates::shipped(), &shared)
}

impl World {
    fn memory(trigger: &str) -> Self {
        Self::memory_behind(trigger, |store| store)
    }

    /// What comes to the store goes through `door`.
    fn memory_behind(trigger: &str, door: impl FnOnce(Arc<dyn Store>) -> Arc<dyn Store>) -> Self {
        let (clock, dir) = (Hands::new(), tempfile::tempdir().unwrap());
        let of_store = clock.clone();
        let store = door(Arc::new(MemoryStore::new(move || of_store.wall()).node()));
        let engine = engine(&store, trigger, &dir);
        Self { engine, store, sqlite: None, clock, dir, trigger: trigger.to_owned() }
    }

    async fn sqlite(trigger: &str) -> Self {
        let (clock, dir) = (Hands::new(), tempfile::tempdir().unwrap());
        let sqlite = SqliteStore::open(dir.path(), Arc::new(clock.clone())).await.unwrap();
        let store: Arc<dyn Store> = sqlite.clone();
        let engine = engine(&store, trigger, &dir);
        Self { engine, store, sqlite: Some(sqlite), clock, dir, trigger: trigger.to_owned() }
    }

    /// Another daemon over the same folder.
    async fn restart(&mut self) {
        let Some(before) = self.sqlite.take() else { return };
        before.close().await;
        let sqlite = SqliteStore::open(self.dir.path(), Arc::new(self.clock.clone())).await.unwrap();
        self.store = sqlite.clone();
        self.sqlite = Some(sqlite);
        self.engine = engine(&self.store, &self.trigger, &self.dir);
    }

    fn reload(&self, trigger: &str) {
        self.engine.reload(config(trigger, &self.dir));
    }

    fn now(&self) -> Timestamp {
        self.store.now()
    }

    async fn admit(&self, alert: Alert) -> Vec<AdmissionResult> {
        self.engine.admission().admit(vec![alert], self.now()).await.unwrap().remove(0).results
    }

    /// What is due is done, as the daemon's loop does it.
    async fn tick(&self) {
        let admission = self.engine.admission();
        while admission.has_changed_silences()
            || admission.next_judgement().await.unwrap().is_some_and(|due| due <= self.now())
        {
            self.engine.admission().tick_judgements().await.unwrap();
        }
    }

    /// Up to `at`, with everything that is due on the way at its time.
    async fn pass_to(&self, at: Duration) {
        let end = START + at;
        while let Some(due) = self.engine.admission().next_judgement().await.unwrap().filter(|due| *due <= end) {
            self.clock.pass(due.since(self.now()));
            self.tick().await;
        }
        self.clock.pass(end.since(self.now()));
        self.tick().await;
    }

    async fn open(&self) -> Vec<String> {
        let all = self.store.list(IncidentFilter { open_only: true, limit: 100 }).await.unwrap();
        let mut all: Vec<_> = all.iter().map(|incident| format!("{} {}", incident.key, incident.summary)).collect();
        all.sort();
        all
    }

    async fn close(&self, key: &str) {
        let all = self.store.list(IncidentFilter { open_only: true, limit: 100 }).await.unwrap();
        let incident = all.iter().find(|incident| incident.key.as_str() == format!("t/{key}")).expect("it is open");
        let input = IncidentInput::Resolve { by: Actor::Operator("ops".into()), why: None };
        self.engine.step(incident.id, input).await.unwrap();
    }
}

/// `KEY` from source `SOURCE`, with `name=number` as values, `name:text` as labels, and `resolved`.
fn alert(words: &[&str]) -> Alert {
    let mut alert = Alert::new(words[0], "k");
    alert.summary = "it is so".into();
    for word in &words[1..] {
        match (word.split_once('='), word.split_once(':')) {
            (Some(("at", seconds)), _) => {
                alert.starts_at = Some(START + Duration::from_secs(seconds.parse().unwrap()));
            }
            (Some((name, number)), _) => drop(alert.values.insert(name.into(), number.parse().unwrap())),
            (None, Some((name, text))) => drop(alert.labels.insert(name.into(), text.into())),
            (None, None) if *word == "resolved" => alert.status = AlertStatus::Resolved,
            (None, None) => drop(alert.labels.insert("key".into(), (*word).into())),
        }
    }
    alert
}

fn said(results: &[AdmissionResult]) -> String {
    let words = results.iter().map(|result| match result {
        AdmissionResult::Opened { .. } => "opened".to_owned(),
        AdmissionResult::Joined { .. } => "joined".to_owned(),
        AdmissionResult::Cleared { .. } => "cleared".to_owned(),
        AdmissionResult::Unmatched => "nothing".to_owned(),
        AdmissionResult::Held { count, layer, until, .. } => {
            let until = until.map_or_else(String::new, |until| format!(" until {}", until.since(START).as_secs_f64()));
            format!("held {} {count}{until}", layer.map_or("?", |layer| layer.key()))
        }
        other => format!("{other:?}"),
    });
    words.collect::<Vec<_>>().join(", ")
}

/// Plays a story. Each line: seconds, then an alert and `=> RESULT`, or `open => WHAT`, or `close KEY`.
async fn play(mut world: World, story: &str) -> String {
    let mut told = String::new();
    for line in story.trim().lines().map(str::trim) {
        let does = line.split("=>").next().unwrap().trim();
        let words: Vec<&str> = does.split_whitespace().collect();
        world.pass_to(Duration::from_secs_f64(words[0].parse().unwrap())).await;
        let result = match words[1] {
            "open" => Some(world.open().await.join("; ")),
            "close" => {
                world.close(words[2]).await;
                None
            }
            _ => Some(said(&world.admit(alert(&words[1..])).await)),
        };
        told += &result
            .map_or_else(|| format!("{does}\n"), |result| format!("{does} => {result}").trim_end().to_owned() + "\n");
        world.restart().await;
    }
    told
}

/// Plays a story by one daemon, and by one that is started anew after each line.
async fn tell(trigger: &str, story: &str) {
    let expected: String = story.trim().lines().map(|line| format!("{}\n", line.trim())).collect();
    assert_eq!(play(World::memory(trigger), story).await, expected, "by one daemon: {trigger}");
    assert_eq!(play(World::sqlite(trigger).await, story).await, expected, "started anew each time: {trigger}");
}
