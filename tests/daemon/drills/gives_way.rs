//! Something real begins in the middle of a drill: it is paged as without it, and the drill says one thing more.

use super::{
    fixture::Hands,
    ground::{ANA, Ground, code, scenario},
    house::{DESK, eventually},
};
use futures_util::FutureExt;
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use stentor::{
    channel::{desk_hub::DeskHub, outbox::SandboxOutbox},
    core::{Alert, IncidentId, PageState, Timestamp},
    engine::{AdmissionResult, Engine, RuntimeConfig, SharedChannelParts},
    matrix::{KnownNames, Matrix, SourceText},
    store::{MemoryStore, SteadyClock, Store},
    template::PageTemplates,
};

/// How much later a live page may be beside a drill, in one run on one machine: a commit or two.
const RATIO_MAX: f64 = 3.0;
const SLACK: Duration = Duration::from_millis(250);

#[test]
fn a_live_alert_in_mid_drill_is_paged_as_without_it() {
    let mut ground = Ground::new("\"sms\"");
    ground.silence();
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for n in 0..5 {
        alone.push(paged_within(&ground, &format!("A{n}")));
        let child = ground.begin(&scenario(""));
        let drills = n + 1;
        eventually("the drill's brief", || {
            let briefs =
                ground.texts_to(ANA).into_iter().filter(|text| text.starts_with("DRILL") && code(text).is_some());
            (drills <= briefs.count()).then_some(())
        });
        beside.push(paged_within(&ground, &format!("B{n}")));
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(4), "{said}");
        assert!(said.contains("preempted"), "{said}");
    }
    alone.sort();
    beside.sort();
    let (alone, beside) = (alone[2], beside[2]);
    println!("a live page: {alone:?} alone, {beside:?} in mid-drill (medians of 5)");
    assert!(beside <= alone.mul_f64(RATIO_MAX) + SLACK, "{beside:?} beside a drill, {alone:?} alone");
    // Each drill was stopped with one word, to the one whom it had paged, and nothing came after it.
    let texts = ground.texts_to(ANA);
    let stopped: Vec<usize> =
        (0..texts.len()).filter(|n| texts[*n].contains("DRILL stopped: a real crisis began")).collect();
    assert_eq!(stopped.len(), 5, "{texts:#?}");
    assert!(texts.iter().all(|text| text.starts_with("DRILL") || text.starts_with("LIVE")), "{texts:#?}");
}

/// From the alert's request until the gateway has the SMS.
fn paged_within(ground: &Ground, symbol: &str) -> Duration {
    let began = Instant::now();
    let incident = ground.fire(symbol);
    ground.text_to(ANA, |text| text.starts_with("LIVE") && text.lines().any(|line| line == incident));
    let took = began.elapsed();
    assert!(ground.daemon.cli(&["resolve", &incident]).status.success());
    took
}

/// One node over a memory store that nothing moves but this test.
fn node() -> (Arc<Engine>, Hands, Arc<stentor::store::MemoryNode>) {
    let templates = PageTemplates::shipped();
    let revisions = templates.revisions();
    let files = [SourceText { path: "matrix.toml".into(), text: DESK.into() }];
    let matrix = Matrix::parse(&files, &KnownNames { templates: &revisions }, Timestamp::default()).matrix.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let outbox = SandboxOutbox::open(dir.path(), Timestamp::default).unwrap();
    let shared = SharedChannelParts { hub: DeskHub::new(), outbox, site: String::new(), sandbox: true };
    let hands = Hands::new();
    let clock = Mutex::new(SteadyClock::start(Arc::new(hands.clone()), None, None));
    let store = MemoryStore::new(move || clock.lock().unwrap().now());
    let (node, eye) = (store.node(), Arc::new(store.node()));
    (Engine::new(Arc::new(node), RuntimeConfig::wire(matrix, templates, &shared), "http://127.0.0.1"), hands, eye)
}

fn ready<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("nothing waits over the memory store")
}

fn admit(engine: &Engine, symbol: &str, drill: bool) -> AdmissionResult {
    let mut alert = Alert::new("monitor", "price_velocity");
    alert.labels.insert("symbol".into(), symbol.into());
    alert.values.insert("drop_pct".into(), 7.5);
    alert.drill = drill;
    let admitted = ready(engine.admission().admit(vec![alert], engine.now())).unwrap();
    admitted[0].results[0].clone()
}

fn opened(fate: AdmissionResult) -> IncidentId {
    let AdmissionResult::Opened { incident } = fate else { panic!("{fate:?}") };
    incident
}

#[test]
fn no_page_of_a_drill_starts_once_the_live_open_can_be_seen() {
    let (engine, _, eye) = node();
    ready(engine.delivery().tick_lease()).unwrap();
    let drill = opened(admit(&engine, "ES", true));
    let turn = engine.delivery().tick_delivery();
    assert!(!turn.start.is_empty() && turn.start.iter().all(|page| page.incident == drill));
    // The turn of these had come; then something real is committed, and the drill is not broken off yet.
    let live = opened(admit(&engine, "NQ", false));
    assert!(ready(eye.view(drill)).unwrap().unwrap().is_open());
    for page in turn.start {
        assert!(ready(engine.delivery().prepare(page)).unwrap().is_none(), "{page} of the drill starts beside {live}");
    }
    // The live one's go at once, and waited for nothing.
    let turn = engine.delivery().tick_delivery();
    let live_pages: Vec<_> = turn.start.iter().filter(|page| page.incident == live).collect();
    assert!(!live_pages.is_empty());
    assert!(live_pages.into_iter().all(|page| ready(engine.delivery().prepare(*page)).unwrap().is_some()));
    assert_eq!(ready(engine.delivery().tick_drills()).unwrap(), 1);
    let stopped = ready(eye.view(drill)).unwrap().unwrap();
    assert!(!stopped.is_open() && stopped.pages.values().all(|page| page.state == PageState::Withdrawn));
    assert!(matches!(admit(&engine, "ES", true), AdmissionResult::DrillRefused { live: by, .. } if by == live));
}

#[test]
fn no_page_of_a_drill_starts_past_its_end_though_no_timer_has_run() {
    let (engine, hands, eye) = node();
    let drill = opened(admit(&engine, "ES", true));
    hands.pass(stentor::core::drill::DRILL_LIFE);
    ready(engine.delivery().tick_lease()).unwrap();
    for page in engine.delivery().tick_delivery().start {
        assert!(ready(engine.delivery().prepare(page)).unwrap().is_none(), "{page} starts past the end");
    }
    assert_eq!(ready(engine.tick_timers()).unwrap(), 1);
    assert!(!ready(eye.view(drill)).unwrap().unwrap().is_open());
}
