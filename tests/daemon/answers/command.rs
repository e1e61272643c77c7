//! Answers by the command line: the kernel says who calls.

use super::{
    house::{DESK, sandboxed, sandboxed_on},
    wire::Call,
};
use axum::extract::ConnectInfo;
use serde_json::json;
use std::{path::Path, sync::Arc};
use stentor::{
    channel::{desk_hub::DeskHub, outbox::SandboxOutbox},
    core::Timestamp,
    drill::runner::drill_runner::DrillRunner,
    engine::{Engine, RuntimeConfig, SharedChannelParts},
    http::{self, caller::SocketPeer, state::AppState},
    matrix::{KnownNames, Matrix, SourceText},
    store::{Store, clock::SystemClock, sqlite::SqliteStore},
    template::PageTemplates,
};
use tokio_util::sync::CancellationToken;

fn me() -> String {
    uzers::get_current_username().unwrap().to_string_lossy().into_owned()
}

#[test]
fn a_unix_user_answers_as_the_person_that_the_matrix_says_they_are() {
    let daemon =
        sandboxed_on(&DESK.replace("name  = \"Ana Ruiz\"", &format!("name  = \"Ana Ruiz\"\nunix = \"{}\"", me())));
    let incident = daemon.crash("ES");
    let verdict = daemon.json(&["answer", &incident, "roger"]);
    assert_eq!(verdict["verdict"], "received");
    let other = daemon.cli(&["answer", &incident, "wilco", "--role", "compliance"]);
    let said = String::from_utf8_lossy(&other.stdout);
    assert!(!other.status.success(), "for a role that they were not asked for");
    assert!(said.contains("you were not asked for the role `compliance`; you were asked for: trader"), "{said}");
    let longer = daemon.cli(&["answer", &incident, "standby", "999"]);
    let said = String::from_utf8_lossy(&longer.stdout);
    assert!(said.contains("you have until") && said.contains("5 minutes at most"), "{said}");
    assert_eq!(daemon.role(&incident, "compliance")["state"], "paging");
    for unclear in [
        &["wilco?"][..],
        &["2", "👎"],
        &["wilco", "not"],
        &["2", "4"],
        &["yes"],
        &["I", "have", "not", "it"],
        &["take", "it", "please"],
        &["standby", "584542046090years"],
    ] {
        let output = daemon.cli(&[&["answer", &incident], unclear].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains("is not an answer: say roger (1)"), "{unclear:?}: {said}");
        let spoken = serde_json::json!({ "answer": unclear.join(" "), "role": null });
        let asked = daemon.control(&Call::post(&format!("/v1/incidents/{incident}/answer")).json(&spoken));
        assert_eq!(asked.status, 400, "{unclear:?}: {asked:?}");
    }
    let exercise = daemon.cli(&["answer", &incident, "I have the exercise"]);
    assert!(!exercise.status.success());
    assert!(String::from_utf8_lossy(&exercise.stderr).contains("this is LIVE, no exercise"), "{exercise:?}");
    assert_eq!(daemon.role(&incident, "trader")["state"], "paging");
    assert!(daemon.cli(&["answer", &incident, "I", "have", "it"]).status.success());
    assert_eq!(daemon.role(&incident, "trader")["holder"], "Ana Ruiz");
    // A person gets a link for their own desk, for no other.
    assert!(daemon.cli(&["desk-link", "ana"]).status.success());
    assert!(!daemon.cli(&["desk-link", "bo"]).status.success());
    for (words, told) in [
        (vec!["answer", "INC-1", "perhaps"], "is not an answer"),
        (vec!["answer", "INC-99", "wilco"], "no incident INC-99"),
        (vec!["show", "99"], "no incident INC-99"),
        (vec!["resolve", "99"], "no incident INC-99"),
        (vec!["desk-link", "zoe"], "zoe"),
    ] {
        let output = daemon.cli(&words);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(told), "{words:?}: {said}");
    }
}

#[test]
fn the_help_says_how_long_a_standby_may_be() {
    let help = sandboxed().cli(&["answer", "--help"]);
    let minutes = stentor::core::answer::STANDBY_MAX.as_secs() / 60;
    let said = String::from_utf8(help.stdout).unwrap();
    // Its lines are broken where the terminal ends.
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains(&format!("{minutes} minutes at most")), "{said}");
}

#[test]
fn an_operator_is_nobody_who_answers() {
    let daemon = sandboxed();
    let incident = daemon.crash("ES");
    let output = daemon.cli(&["answer", &incident, "wilco"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("is not a person of the matrix"), "{said}");
    assert_eq!(daemon.role(&incident, "trader")["state"], "paging");
}

/// The control routes with a caller of our choice, in this process.
async fn control(peer: SocketPeer) -> (tempfile::TempDir, std::net::SocketAddr) {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path(), Arc::new(SystemClock)).await.unwrap();
    let app = app_on(DESK, store, dir.path());
    let router = http::control(Arc::new(app)).layer(axum::Extension(ConnectInfo(peer)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (dir, address)
}

/// A daemon's inside on this matrix and store, in this process.
pub fn app_on(matrix: &str, store: Arc<dyn Store>, dir: &Path) -> AppState {
    let templates = PageTemplates::shipped();
    let revisions = templates.revisions();
    let files = [SourceText { path: "matrix.toml".into(), text: matrix.into() }];
    let matrix = Matrix::parse(&files, &KnownNames { templates: &revisions }, Timestamp::default()).matrix.unwrap();
    let outbox = SandboxOutbox::open(dir, Timestamp::default).unwrap();
    let shared = SharedChannelParts { hub: DeskHub::new(), outbox: outbox.clone(), site: String::new(), sandbox: true };
    let live = RuntimeConfig::wire(matrix, templates, &shared);
    let _ = rustls::crypto::ring::default_provider().install_default();
    let engine = Engine::new(store, live, "http://127.0.0.1");
    AppState {
        drills: DrillRunner::new(engine.clone()),
        scenarios: dir.to_owned(),
        engine,
        hub: shared.hub,
        outbox,
        shows_outbox: false,
        started_at: Timestamp::default(),
        shutdown: CancellationToken::new(),
        client: reqwest::Client::new(),
        test_replies: None,
        reloader: Default::default(),
        answered: Default::default(),
        texts: Default::default(),
        estimates: Default::default(),
        unfinished: Default::default(),
        board: Default::default(),
        guesses: Default::default(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_whom_the_matrix_does_not_know_may_not_even_look() {
    let fire = Call::post("/v1/fire").json(&json!({ "kind": "k" }));
    let link = Call::post("/v1/desk-link").json(&json!({ "person": "ana" }));
    let calls = [Call::get("/v1/incidents"), Call::get("/v1/journal"), Call::get("/metrics"), fire, link];
    for (uid, status) in [(Some(4_000_000_001), 403), (None, 403), (Some(rustix::process::geteuid().as_raw()), 200)] {
        let (_dir, address) = control(SocketPeer { uid }).await;
        let calls = calls.clone();
        let told = tokio::task::spawn_blocking(move || calls.map(|call| call.send(address).status)).await.unwrap();
        let told: Vec<bool> = told.iter().map(|told| if status == 403 { *told == 403 } else { *told < 300 }).collect();
        assert_eq!(told, [true; 5], "{uid:?}");
    }
}
