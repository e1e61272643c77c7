//! External classifiers of a daemon: programs and services, quick, slow, broken and gone.
#![allow(clippy::unwrap_used, clippy::panic)]

use crate::{
    double::{
        fault::Fault,
        install_tls,
        service::{Manners, Service},
    },
    fixture::{self, Hands, START},
};
use std::{sync::Arc, time::Duration};
use stentor::{
    channel::{desk_hub::DeskHub, outbox::SandboxOutbox},
    core::{
        Alert, AlertStatus, Incident,
        assessment::{Assessment, AssessmentPart},
    },
    engine::{AdmissionResult, Engine, RuntimeConfig, SharedChannelParts},
    store::{IncidentFilter, MemoryStore, Store, clock::ClockSources as _},
    template::PageTemplates,
};

const MATRIX: &str = r#"
[channel.desk]
kind = "screen"

[person.ana]
name = "Ana Ruiz"

[role.nurse]
step = [{ page = ["ana"], by = ["desk"], wait = "10m" }]

[trigger.plain]
on = ["tick"]
roles = ["nurse"]

[trigger.chat]
on = ["chat"]
when = 'risk.symptoms.level == "high" || risk.symptoms.confidence > 0.8'
summary = '{risk.symptoms.level}'
roles = ["nurse"]

[assessment.symptoms]
levels = { medium = 2, high = 5 }

[assessment.symptoms.words.en]
"chest pain" = 4

[assessment.symptoms.classifier]
CLASSIFIER

[catch-all]
page = ["ana"]
by = ["desk"]
"#;

struct World {
    engine: Arc<Engine>,
    store: Arc<dyn Store>,
    _dir: tempfile::TempDir,
}

impl World {
    fn new(classifier: &str) -> Self {
        let (clock, dir) = (Hands::new(), tempfile::tempdir().unwrap());
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(move || clock.wall()).node());
        let matrix = fixture::parsed(&MATRIX.replace("CLASSIFIER", classifier), START);
        let outbox = SandboxOutbox::open(dir.path(), || START).unwrap();
        let shared = SharedChannelParts { hub: DeskHub::new(), outbox, site: String::new(), sandbox: false };
        let config = RuntimeConfig::wire(matrix, PageTemplates::shipped(), &shared);
        let engine = Engine::new(store.clone(), config, "http://127.0.0.1");
        Self { engine, store, _dir: dir }
    }

    fn program(script: &str, keys: &str) -> Self {
        Self::new(&format!("exec = [\"/bin/sh\", \"-c\", {script:?}]\n{keys}"))
    }

    async fn admit(&self, alerts: Vec<Alert>) -> Vec<AdmissionResult> {
        let admitted = self.engine.admission().admit(alerts, self.store.now()).await.unwrap();
        admitted.into_iter().flat_map(|admitted| admitted.results).collect()
    }

    async fn incident(&self) -> Option<Arc<Incident>> {
        self.store.list(IncidentFilter { open_only: true, limit: 9 }).await.unwrap().into_iter().next()
    }

    async fn assessed(&self, text: &str) -> Option<Assessment> {
        self.admit(vec![chat(text)]).await;
        Some(self.incident().await?.alert.assessed["symptoms"].clone())
    }
}

fn chat(text: &str) -> Alert {
    Alert { summary: text.to_owned(), ..Alert::new("bot", "chat") }
}

fn absent(own: &Assessment) -> &str {
    let why = own.parts.iter().find_map(|part| match part {
        AssessmentPart::ClassifierAbsent { why, .. } => Some(why.as_str()),
        _ => None,
    });
    why.unwrap_or("it is there")
}

const RAISE: &str = "deadline = \"10s\"\nabsent = \"raise\"";
const SAYS: &str = r#"cat >/dev/null; echo '{"score": 3, "confidence": 0.9, "label": "cardiac"}'"#;

#[tokio::test]
async fn what_a_program_says_counts_and_is_kept_with_the_incident() {
    let world = World::program(SAYS, RAISE);
    let own = world.assessed("chest pain").await.unwrap();
    assert_eq!((own.score, own.level.as_str(), own.confidence), (7.0, "high", Some(0.9)));
    let said = AssessmentPart::Classifier { weight: 3.0, level: None, label: Some("cardiac".into()) };
    assert!(own.parts.contains(&said), "{own:?}");
    let incident = world.incident().await.unwrap();
    assert_eq!(incident.summary, "high");
    // It is in the alert, and so in the event that opened the incident: the journal folds without the matrix.
    assert!(serde_json::to_string(&*incident.alert).unwrap().contains("\"cardiac\""));
}

#[tokio::test]
async fn it_reads_the_alert_without_what_somebody_says_of_assessments() {
    let script = r#"grep -q '"assessment":"symptoms"' && echo '{"level": "high"}'"#;
    let own = World::program(script, RAISE).assessed("hello").await.unwrap();
    assert_eq!((own.score, own.level.as_str()), (0.0, "high"));
    let script = r#"grep -q assessed || echo '{"level": "high"}'"#;
    let mut forged = chat("hello");
    forged.assessed.insert("symptoms".into(), Assessment { level: "low".into(), ..Assessment::default() });
    let world = World::program(script, RAISE);
    world.admit(vec![forged]).await;
    assert_eq!(world.incident().await.unwrap().alert.assessed["symptoms"].level, "high");
}

#[tokio::test]
async fn one_that_fails_or_is_slow_is_absent_and_says_why() {
    let rows = [
        ("exit 3", RAISE, "exit status: 3"),
        ("echo nonsense", RAISE, "can not be read"),
        ("echo '{\"score\": 1e9}'", RAISE, "`score`"),
        ("echo '{\"level\": \"huge\"}'", RAISE, "huge"),
        ("sleep 60", "deadline = \"50ms\"\nabsent = \"raise\"", "no answer within 50ms"),
        ("head -c 100000 /dev/zero | tr '\\0' '1'", RAISE, "can not be read"),
    ];
    for (script, keys, why) in rows {
        let own = World::program(script, keys).assessed("chest pain").await.unwrap();
        assert_eq!((own.score, own.level.as_str()), (4.0, "high"), "{script}");
        assert!(absent(&own).contains(why), "{script}: {}", absent(&own));
    }
    let ignored = "deadline = \"50ms\"\nabsent = \"ignore\"";
    assert_eq!(World::program("sleep 60", ignored).assessed("chest pain").await, None);
}

#[tokio::test]
async fn a_slow_one_delays_the_alerts_that_use_it_and_no_others() {
    let world = World::program("sleep 60", "deadline = \"5s\"\nabsent = \"raise\"");
    let slow = world.admit(vec![chat("chest pain")]);
    tokio::pin!(slow);
    // The other alert is admitted while the first still waits: what is compared is the order, not a time.
    let quick = world.admit(vec![Alert::new("prom", "tick"), Alert { status: AlertStatus::Resolved, ..chat("x") }]);
    tokio::select! {
        biased;
        said = &mut slow => panic!("{said:?}"),
        said = quick => assert!(matches!(said[0], AdmissionResult::Opened { .. }), "{said:?}"),
    }
}

#[tokio::test]
async fn alerts_of_one_request_wait_together() {
    let world = World::program("sleep 60", "deadline = \"300ms\"\nabsent = \"raise\"");
    let many = (0..40).map(|_| chat("chest pain")).collect();
    // Forty deadlines one after the other would be 12 s.
    let said = tokio::time::timeout(Duration::from_secs(8), world.admit(many)).await.unwrap();
    assert_eq!(said.len(), 40);
}

#[tokio::test]
async fn a_service_is_asked_by_http() {
    let manners =
        Manners { yes: (200, r#"{"score": 1.5, "confidence": 0.95}"#), no: (500, "no"), unwanted: "vomiting" };
    install_tls();
    let service = Service::start(manners).await;
    let classifier = format!("url = {:?}\n{RAISE}", service.url());
    let own = World::new(&classifier).assessed("chest pain").await.unwrap();
    assert_eq!((own.score, own.level.as_str(), own.confidence), (5.5, "high", Some(0.95)));
    let own = World::new(&classifier).assessed("chest pain, vomiting").await.unwrap();
    assert!(absent(&own).contains("answered 500"), "{}", absent(&own));
    service.set_fault(Some(Fault::Hang(Arc::new(tokio::sync::Notify::new()))));
    let short = classifier.replace("10s", "100ms");
    let own = World::new(&short).assessed("chest pain").await.unwrap();
    assert!(absent(&own).contains("no answer within 100ms"), "{}", absent(&own));
}
