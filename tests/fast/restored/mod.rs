//! A backup is restored: numbers are given again, and nothing that was sent before fits what has them now.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

use crate::fixture;

use fixture::{Hands, START, opening, roster};
use secrecy::ExposeSecret;
use std::{collections::BTreeSet, path::Path, sync::Arc, time::Duration};
use stentor::{
    channel::{Message, desk_hub::DeskHub, outbox::SandboxOutbox},
    core::{Alert, Event, IncidentId, IncidentIdentity, IncidentInput, IncidentKey, PageId, PageIdentity},
    engine::{Engine, RuntimeConfig, SharedChannelParts, keys::DerivedKeys},
    store::{
        LockSet, Lookup, MemoryStore, RequestClass, SqliteStore, Store, Transaction, clock::ClockSources, sqlite::FILE,
        transact,
    },
    template::PageTemplates,
};

const MATRIX: &str = r#"
[channel.sms]
kind = "kannel"
url = "http://127.0.0.1:9/cgi-bin/sendsms"
username = "x"
password = { env = "X" }

[channel.mail]
kind = "smtp"
url = "smtp://127.0.0.1:9"
from = "stentor@example.com"

[channel.desk]
kind = "screen"

[person.ana]
name = "Ana Ruiz"
phone = "+447700900001"
email = "ana@example.com"

[person.bo]
name = "Bo Lind"
phone = "+447700900002"
email = "bo@example.com"

[role.trader]
step = [{ page = ["ana", "bo"], by = ["sms", "mail", "desk"], wait = "10m" }]

[trigger.crash]
on = ["crash"]
key = 'alert.labels.symbol'
roles = ["trader"]
"#;

/// A daemon's state in one of its lives.
struct Life {
    engine: Arc<Engine>,
    server_key: [u8; 32],
    messages: Vec<Message>,
}

impl Life {
    /// Opens INC-1 and composes its pages.
    async fn new(seed: u64, dir: &Path) -> Self {
        let hands = Hands::new();
        let clock = hands.clone();
        let store = Arc::new(MemoryStore::seeded(move || clock.wall(), seed).node());
        let server_key = store.server_key();
        let templates = PageTemplates::shipped();
        let matrix = fixture::parsed(MATRIX, START);
        let outbox = SandboxOutbox::open(dir, || START).unwrap();
        let shared = SharedChannelParts { hub: DeskHub::new(), outbox, site: "5a5a5a5a".into(), sandbox: true };
        let engine = Engine::new(store, RuntimeConfig::wire(matrix, templates, &shared), "http://127.0.0.1");
        engine.delivery().tick_lease().await.unwrap();
        let mut alert = Alert::new("monitor", "crash");
        alert.labels.insert("symbol".into(), "ES".into());
        engine.admission().admit(vec![alert], START).await.unwrap();
        hands.pass(Duration::from_secs(1));
        let incident = engine.reads().view(IncidentId(1)).await.unwrap().unwrap();
        let mut messages = Vec::new();
        for n in incident.pages.keys() {
            let composed = engine.delivery().prepare(PageId { incident: incident.id, n: *n }).await.unwrap();
            messages.push(composed.expect("it is wanted").message);
        }
        Self { engine, server_key, messages }
    }

    /// Whatever leaves by these messages and names them, besides the number that is for people.
    fn identities(&self) -> BTreeSet<String> {
        let of = |message: &Message| {
            let ask = message.ask.as_ref().unwrap();
            let mut all = vec![message.id(), message.mark.clone()];
            all.extend([&ask.code, &ask.link, &ask.proof].map(|secret| secret.expose_secret().to_owned()));
            all.extend(message.report.iter().map(|report| report.expose_secret().to_owned()));
            all
        };
        self.messages.iter().flat_map(of).collect()
    }
}

#[tokio::test]
async fn two_incidents_of_one_number_under_one_key_share_no_code_link_token_or_id() {
    let dir = fixture::state_folder();
    let (one, two) = (Life::new(1, dir.path()).await, Life::new(2, dir.path()).await);
    assert_eq!(one.server_key, two.server_key);
    let pages = |life: &Life| life.messages.iter().map(|message| message.page).collect::<Vec<_>>();
    assert_eq!((pages(&one), one.messages.len()), (pages(&two), 6), "the same incident and page numbers");
    let (of_one, of_two) = (one.identities(), two.identities());
    // Six codes, links, proofs and ids, the reports of the two texts, the incident's mark.
    assert_eq!(of_one.len(), 4 * 6 + 2 + 1, "{of_one:?}");
    assert_eq!(of_one.intersection(&of_two).collect::<Vec<_>>(), Vec::<&String>::new());
    for message in &one.messages {
        let (page, ask) = (message.page, message.ask.as_ref().unwrap());
        let (code, link) = (ask.code.expose_secret(), ask.link.expose_secret().rsplit('/').next().unwrap());
        for (life, good) in [(&one, true), (&two, false)] {
            let engine = &life.engine;
            let person = message.to.person().unwrap();
            assert_eq!(engine.inbound().page_with_code(&person, code).await.unwrap().is_some(), good, "code of {page}");
            assert_eq!(engine.inbound().is_code(page, code).await.unwrap(), good);
            assert_eq!(engine.inbound().page_of_link(link).await.unwrap(), good.then_some(page));
            assert_eq!(engine.inbound().is_mail_token(page, ask.proof.expose_secret()).await.unwrap(), good);
            assert_eq!(engine.inbound().is_mark(page.incident, &message.mark).await.unwrap(), good);
            let report = message.report.as_ref().map(|report| report.expose_secret());
            let token = report.and_then(|report| report.rsplit_once("token=")).map(|(_, token)| token);
            if let Some(token) = token {
                assert_eq!(engine.inbound().is_report_token(page, token).await.unwrap(), good);
            }
        }
    }
}

#[tokio::test]
async fn the_same_seed_gives_the_same_life() {
    let dir = fixture::state_folder();
    let (one, again) = (Life::new(7, dir.path()).await, Life::new(7, dir.path()).await);
    assert_eq!(one.identities(), again.identities());
}

async fn opened(dir: &Path, key: &str) -> (IncidentIdentity, [u8; 32]) {
    let store = SqliteStore::open(dir, Arc::new(Hands::new())).await.unwrap();
    let (opening, needs) = (opening(key), LockSet { keys: vec![IncidentKey::stored(key)], ..LockSet::default() });
    let run = move |unit: &mut Transaction<'_>| unit.open(opening.clone(), &roster());
    let (id, committed) = transact(&*store, RequestClass::Admission, needs, run).await.unwrap();
    let Event::Opened(opening) = &committed.events[0].event else { panic!("{committed:?}") };
    let identity = IncidentIdentity { id, nonce: opening.nonce };
    let key = store.server_key();
    store.close().await;
    (identity, key)
}

#[tokio::test]
async fn a_restored_database_gives_numbers_again_and_never_an_identity() {
    let (before, restored) = (fixture::state_folder(), fixture::state_folder());
    opened(before.path(), "A").await;
    std::fs::copy(before.path().join(FILE), restored.path().join(FILE)).unwrap();
    let (lost, key) = opened(before.path(), "B").await;
    let (now, key_now) = opened(restored.path(), "B").await;
    assert_eq!((lost.id, key), (now.id, key_now), "the same number under the same key");
    assert!(lost.nonce.is_some() && now.nonce.is_some() && lost.nonce != now.nonce, "{lost:?} {now:?}");
}

/// Goes on with INC-1 to its next step; what all of its pages are called then.
async fn gone_on(dir: &Path) -> Vec<PageIdentity> {
    let hands = Hands::new();
    let store = SqliteStore::open(dir, Arc::new(hands.clone())).await.unwrap();
    hands.pass(Duration::from_secs(3600));
    let needs = LockSet { incidents: vec![IncidentId(1)], ..LockSet::default() };
    let run = move |unit: &mut Transaction<'_>| {
        unit.step(IncidentId(1), IncidentInput::Tick, &roster());
    };
    transact(&*store, RequestClass::Ladder, needs, run).await.unwrap();
    let incident = store.view(IncidentId(1)).await.unwrap().unwrap();
    let mut all = Vec::new();
    for n in incident.pages.keys() {
        let page = PageId { incident: incident.id, n: *n };
        let identity = store.page_identity(page).await.unwrap().expect("it is there");
        assert_eq!(identity, incident.page_identity(*n), "what the index says");
        all.push(identity);
    }
    store.close().await;
    all
}

#[tokio::test]
async fn an_incident_that_was_open_in_the_backup_gives_page_numbers_again_and_never_an_identity() {
    let (before, restored) = (fixture::state_folder(), fixture::state_folder());
    opened(before.path(), "A").await;
    let born = {
        let store = SqliteStore::open(before.path(), Arc::new(Hands::new())).await.unwrap();
        let incident = store.view(IncidentId(1)).await.unwrap().unwrap();
        store.close().await;
        incident.pages.len()
    };
    std::fs::copy(before.path().join(FILE), restored.path().join(FILE)).unwrap();
    let (lost, now) = (gone_on(before.path()).await, gone_on(restored.path()).await);
    let numbers = |all: &[PageIdentity]| all.iter().map(|identity| identity.page).collect::<Vec<_>>();
    assert_eq!(numbers(&lost), numbers(&now), "the same numbers");
    assert!(0 < born && born < lost.len(), "pages from before and after: {lost:?}");
    assert_eq!(lost[..born], now[..born], "what was in the backup is what it was");
    let keys = DerivedKeys::new([7; 32]);
    for (lost, now) in lost[born..].iter().zip(&now[born..]) {
        assert_ne!(lost.mark(), now.mark());
        assert!(!keys.is_code(*now, keys.code(*lost).expose_secret()), "{lost:?}");
        assert!(!keys.is_link_token(*now, keys.link_token(*lost).expose_secret()), "{lost:?}");
    }
}
