//! A kind that listens over a connection of its own, made up here: nothing outside of its folder has to know it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

use crate::fixture;

use fixture::{Hands, START};
use futures_util::future::BoxFuture;
use secrecy::ExposeSecret;
use std::{sync::Arc, time::Duration};
use stentor::{
    channel::{
        SettingError,
        chat::{ChatAction, ChatButton, ChatCommand, ChatEvent, ChatFate, ChatResult, ChatWords, TypedCommand},
        desk_hub::DeskHub,
        outbox::SandboxOutbox,
        provider_connection::{ConnectionHost, ConnectionSettings, ProviderConnection},
    },
    core::{Alert, PageId},
    drill::runner::drill_runner::DrillRunner,
    engine::{Engine, RuntimeConfig, SharedChannelParts},
    http::{inbound_connections, state::AppState},
    store::{MemoryStore, Store, clock::ClockSources as _},
    template::PageTemplates,
};
use tokio::{
    sync::{Mutex, mpsc},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

const MATRIX: &str = r#"
[channel.radio]
kind = "kannel"
url = "http://127.0.0.1:9/cgi-bin/sendsms"
username = "x"
password = { env = "X" }

[person.ana]
name = "Ana Ruiz"
phone = "+447700900001"

[role.trader]
step = [{ page = ["ana"], by = ["radio"], wait = "10m" }]

[trigger.crash]
on = ["crash"]
roles = ["trader"]

[catch-all]
page = ["ana"]
by = ["radio"]
"#;

const ANA: &str = "+447700900001";

/// The connection of the made-up kind: what a test does there is handed in, and what the host says comes back.
struct Radio {
    settings: ConnectionSettings,
    heard: Mutex<mpsc::UnboundedReceiver<ChatEvent>>,
    said: mpsc::UnboundedSender<ChatResult>,
    fails: bool,
}

impl ProviderConnection for Radio {
    fn settings(&self) -> &ConnectionSettings {
        &self.settings
    }

    fn keep(&self, host: Arc<dyn ConnectionHost>, stop: CancellationToken) -> BoxFuture<'_, Result<(), SettingError>> {
        Box::pin(async move {
            if self.fails {
                return Err(SettingError::Wrong { key: "frequency", why: "nobody sends there".to_owned() });
            }
            let mut heard = self.heard.lock().await;
            host.linked(1).await;
            loop {
                tokio::select! {
                    () = stop.cancelled() => return Ok(()),
                    Some(event) = heard.recv() => self.said.send(host.act(event).await).unwrap(),
                }
            }
        })
    }
}

struct World {
    engine: Arc<Engine>,
    store: Arc<dyn Store>,
    air: mpsc::UnboundedSender<ChatEvent>,
    said: mpsc::UnboundedReceiver<ChatResult>,
    shutdown: CancellationToken,
    kept: JoinHandle<()>,
    _dir: tempfile::TempDir,
}

impl World {
    fn start(fails: bool) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let dir = fixture::state_folder();
        let clock = Hands::new();
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(move || clock.wall()).node());
        let templates = PageTemplates::shipped();
        let matrix = fixture::parsed(MATRIX, START);
        let outbox = SandboxOutbox::open(dir.path(), || START).unwrap();
        let shared =
            SharedChannelParts { hub: DeskHub::new(), outbox: outbox.clone(), site: String::new(), sandbox: true };
        let mut live = RuntimeConfig::wire(matrix, templates, &shared);
        let (air, heard) = mpsc::unbounded_channel();
        let (saying, said) = mpsc::unbounded_channel();
        let settings = ConnectionSettings { secret: "secret".into(), api_url: None };
        let radio = Radio { settings, heard: Mutex::new(heard), said: saying, fails };
        live.channels.get_mut("radio").unwrap().connection = Some(Arc::new(radio));
        let engine = Engine::new(store.clone(), live, "http://127.0.0.1");
        let shutdown = CancellationToken::new();
        let app = AppState {
            estimates: Default::default(),
            unfinished: Default::default(),
            board: Default::default(),
            drills: DrillRunner::new(engine.clone()),
            scenarios: dir.path().to_owned(),
            engine: engine.clone(),
            hub: shared.hub,
            outbox,
            shows_outbox: false,
            started_at: START,
            shutdown: shutdown.clone(),
            client: reqwest::Client::new(),
            test_replies: None,
            reloader: Default::default(),
            answered: Default::default(),
            texts: Default::default(),
            guesses: Default::default(),
        };
        let kept = tokio::spawn(inbound_connections::keep(Arc::new(app), shutdown.clone()));
        Self { engine, store, air, said, shutdown, kept, _dir: dir }
    }

    /// Ana's page, and the code that proves it.
    async fn page_ana(&self) -> (PageId, String) {
        self.engine.admission().admit(vec![Alert::new("monitor", "crash")], START).await.unwrap();
        let page = PageId { incident: self.store.newest().await.unwrap().unwrap(), n: 1 };
        let identity = self.store.page_identity(page).await.unwrap().unwrap();
        (page, self.engine.keys().code(identity).expose_secret().to_owned())
    }

    async fn said(&mut self, event: ChatEvent) -> ChatResult {
        self.air.send(event).unwrap();
        timeout(Duration::from_secs(20), self.said.recv()).await.expect("the host says something").unwrap()
    }

    /// Who has the role.
    async fn holder(&self, page: PageId) -> Option<String> {
        let incident = self.store.view(page.incident).await.unwrap().unwrap();
        incident.engagements["trader"].holder().map(ToString::to_string)
    }

    async fn end(self) {
        self.shutdown.cancel();
        timeout(Duration::from_secs(20), self.kept).await.expect("it ends").unwrap();
    }
}

fn event(user: &str, text: &str, action: ChatAction) -> ChatEvent {
    let words = ChatWords { help: "say answers".to_owned(), stranger: Some("who are you?".to_owned()) };
    ChatEvent { user: user.to_owned(), is_bot: false, id: None, text: text.to_owned(), action, words }
}

fn press(user: &str, page: PageId, code: &str) -> ChatEvent {
    let button = ChatButton::Page { page: page.to_string(), code: code.to_owned() };
    event(user, "", ChatAction::Press { answer: "wilco".to_owned(), button })
}

fn command(user: &str, command: ChatCommand) -> ChatEvent {
    let typed = TypedCommand { name: "over".to_owned(), id: None, place: None, command: Ok(command) };
    event(user, "", ChatAction::Command(typed))
}

#[tokio::test]
async fn what_people_do_over_a_connection_of_any_kind_is_judged_in_one_place() {
    let mut world = World::start(false);
    let (page, code) = world.page_ana().await;
    let status = world.said(command(ANA, ChatCommand::Status)).await;
    assert!(status.text.starts_with("Open incidents: 1."), "{status:?}");
    assert_eq!(world.engine.health().inbound_connections()["radio"].open, 1);
    // Whose account it is decides, not who knows the code.
    let stranger = world.said(press("+447700900009", page, &code)).await;
    assert_eq!(stranger, ChatResult::kept("who are you?"));
    assert_eq!(world.said(press(ANA, page, "00000")).await.text, "This button is not one of ours.");
    let bot = ChatEvent { is_bot: true, ..press(ANA, page, &code) };
    assert_eq!(world.said(bot).await.text, "Only humans answer here.");
    assert_eq!(world.holder(page).await, None);
    let pressed = ChatEvent { id: Some("7".to_owned()), ..press(ANA, page, &code) };
    assert_eq!(world.said(pressed.clone()).await, ChatResult::kept("INC-1: you have it. About: crash"));
    assert_eq!(world.holder(page).await.as_deref(), Some("ana"));
    assert_eq!(world.said(pressed).await, ChatResult::kept(""), "handed over again, it is said once");
    let told = world.said(event("", "", ChatAction::Tell("hello".to_owned()))).await;
    assert_eq!(told, ChatResult::kept("hello"));
    let silent = ChatEvent {
        words: ChatWords { help: String::new(), stranger: None },
        ..event("+447700900009", "hi", ChatAction::Text { about: None })
    };
    assert_eq!(world.said(silent).await, ChatResult::kept(""));
    let started = world.said(event(ANA, "/start", ChatAction::Start { code: None })).await;
    assert_eq!(started.text, "Pages for ana come here.\nsay answers");
    let handed_back = world.said(event(ANA, &format!("{code} 4"), ChatAction::Text { about: None })).await;
    assert_eq!(handed_back.fate, ChatFate::Kept);
    assert_eq!(world.holder(page).await, None);
    let unclear = TypedCommand { name: "over".to_owned(), id: None, place: None, command: Err("say over".to_owned()) };
    assert_eq!(world.said(event(ANA, "", ChatAction::Command(unclear))).await.text, "say over");
    world.end().await;
}

#[tokio::test]
async fn a_connection_that_can_not_be_opened_is_reported_and_ends() {
    let world = World::start(true);
    let lost = async {
        loop {
            let error = world.engine.health().inbound_connections().get("radio").cloned();
            match error.and_then(|connection| connection.last_error) {
                Some(error) => return error,
                None => tokio::task::yield_now().await,
            }
        }
    };
    let error = timeout(Duration::from_secs(20), lost).await.expect("it is reported");
    assert_eq!(error, "frequency: nobody sends there");
    world.end().await;
}
