//! What one request with alerts may cost everybody else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

mod asked;
mod consecutive;
mod growth;
mod keyed;
mod overflow;

use crate::fixture;

use fixture::{Hands, START};
use std::sync::Arc;
use stentor::{
    channel::{desk_hub::DeskHub, outbox::SandboxOutbox},
    core::{Actor, Alert, AlertStatus, Answer, AnswerVia, GivenAnswer, IncidentId, IncidentInput, Timestamp},
    engine::{
        AdmissionResult, AdmittedAlert, Engine, ManualPage, ManualPageResult, RuntimeConfig, SharedChannelParts,
        alert_tally::{AlertTally, CountedResult},
        alert_trace,
        sender_clock::SenderClocks,
    },
    store::{MemoryStore, SqliteStore, Store, clock::ClockSources as _},
    template::PageTemplates,
};

const MATRIX: &str = r#"
[source.quiet]
token = { env = "X" }

[source.loud]
token = { env = "Y" }
unmatched = "catch-all"

[source.narrow]
token = { env = "Z" }
openings_per_minute = 2

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

[trigger.crash]
on = ["crash"]
openings_per_minute = 1000
key = 'has(alert.labels.symbol) ? alert.labels.symbol : ""'
roles = ["trader"]

[trigger.flood]
on = ["flood"]
key = 'alert.labels.symbol'
openings_per_minute = 3
resolved = "resolve"
roles = ["trader"]

[trigger.fall]
on = ["fall"]
when = 'alert.values.drop_pct >= 5.0'
roles = ["trader"]

[trigger.unsure]
on = ["turn"]
when = 'alert.values.confidence < 0.7'
key = 'alert.labels.conversation'
threshold = { count = 2, within = "10m", consecutive = true }
roles = ["trader"]

[trigger.asked]
on = ["asked"]
resolved = "resolve"
roles = ["trader"]
ask = { after = "60s", default = "deny", from_alerts = true }

[trigger.twins]
on = ["twins"]
when = 'alert.annotations.exists(a, alert.annotations.exists(b, a != b && alert.annotations[a] == alert.annotations[b]))'
roles = ["trader"]

[catch-all]
page = ["ana"]
by = ["sms"]
"#;

struct World {
    engine: Arc<Engine>,
    store: Arc<dyn Store>,
    clock: Hands,
    memory: Option<MemoryStore>,
    _dir: tempfile::TempDir,
}

impl World {
    fn over(store: Arc<dyn Store>, clock: Hands, dir: tempfile::TempDir) -> Self {
        let templates = PageTemplates::shipped();
        let matrix = fixture::parsed(MATRIX, START);
        let outbox = SandboxOutbox::open(dir.path(), || START).unwrap();
        let shared = SharedChannelParts { hub: DeskHub::new(), outbox, site: String::new(), sandbox: true };
        let engine = Engine::new(store.clone(), RuntimeConfig::wire(matrix, templates, &shared), "http://127.0.0.1");
        Self { engine, store, clock, memory: None, _dir: dir }
    }

    fn memory() -> Self {
        let clock = Hands::new();
        let of_store = clock.clone();
        let memory = MemoryStore::new(move || of_store.wall());
        let world = Self::over(Arc::new(memory.node()), clock, tempfile::tempdir().unwrap());
        Self { memory: Some(memory), ..world }
    }

    async fn sqlite() -> Self {
        let (clock, dir) = (Hands::new(), tempfile::tempdir().unwrap());
        Self::over(SqliteStore::open(dir.path(), Arc::new(clock.clone())).await.unwrap(), clock, dir)
    }

    async fn admit(&self, alerts: Vec<Alert>) -> Vec<AdmittedAlert> {
        self.engine.admission().admit(alerts, START).await.unwrap()
    }

    async fn newest(&self) -> IncidentId {
        self.store.newest().await.unwrap().unwrap()
    }
}

fn crash(source: &str, symbol: &str) -> Alert {
    let mut alert = Alert::new(source, "crash");
    alert.labels.insert("symbol".into(), symbol.into());
    alert
}

/// So many annotations, which all differ.
fn twins(annotations: usize) -> Alert {
    let mut alert = Alert::new("hostile", "twins");
    alert.annotations = (0..annotations).map(|n| (format!("a{n}"), format!("{n}"))).collect();
    alert
}

#[tokio::test]
async fn conditions_that_cost_too_much_fail_and_stop_nobody() {
    let world = World::memory();
    // A condition with two loops, which is allowed, would take 16 million steps over each.
    let costly = world.admit((0..4).map(|_| twins(4_000)).collect());
    tokio::pin!(costly);
    // The runtime has one thread here: work that occupies it stops everything.
    tokio::select! {
        biased;
        _ = &mut costly => panic!("it was evaluated on the runtime's own thread"),
        other = world.admit(vec![crash("monitor", "ACME")]) => {
            assert!(matches!(other[0].results[..], [AdmissionResult::Opened { .. }]), "{other:?}");
        }
    }
    for alert in costly.await {
        let [AdmissionResult::ConditionFailed { why, incident: Some(_), .. }] = &alert.results[..] else {
            panic!("the catch-all must be told: {alert:?}");
        };
        // By its steps, or, on a busy machine, by the time.
        assert!(why.contains("can not be evaluated: ") && why.contains("too large"), "{why}");
    }
    // Beside it, what costs more than most is judged all the same.
    let results = world.admit(vec![twins(50), twins(100), crash("hostile", "B")]).await;
    let kinds: Vec<_> = results.iter().map(|alert| &alert.results[0]).collect();
    assert!(
        matches!(kinds[..], [AdmissionResult::Unmatched, AdmissionResult::Unmatched, AdmissionResult::Opened { .. }]),
        "{kinds:?}"
    );
}

#[tokio::test]
async fn many_alerts_that_each_cost_nearly_too_much_are_refused_beyond_what_a_request_may_cost() {
    let world = World::memory();
    let mut alerts: Vec<Alert> = (0..300).map(|_| twins(280)).collect();
    alerts.push(crash("hostile", "ACME"));
    let results = world.admit(alerts).await;
    let over = results.iter().filter(|alert| alert.results == [AdmissionResult::OverCost]).count();
    // At most one part of the request is judged after the first that are too many.
    assert!((200..300).contains(&over), "{over}");
    assert!(results[0].results != [AdmissionResult::OverCost], "the first ones are judged");
    assert!(results[299].must_come_again() && results[299].refused().is_none(), "{:?}", results[299]);
    assert!(matches!(results[300].results[..], [AdmissionResult::Opened { .. }]), "{:?}", results[300]);
    // The next request has its own.
    let again = world.admit(vec![twins(100)]).await;
    assert_eq!(again[0].results, [AdmissionResult::Unmatched]);
}

#[tokio::test]
async fn what_a_request_opens_counts_within_it_and_all_parts_of_it() {
    let world = World::memory();
    let results = world.admit((0..200).map(|n| crash("narrow", &n.to_string())).collect()).await;
    let opened = results.iter().filter(|alert| matches!(alert.results[..], [AdmissionResult::Opened { .. }])).count();
    assert_eq!((opened, results.iter().filter(|alert| alert.is_over_quota()).count()), (2, 198));
}

#[tokio::test]
async fn what_no_trigger_takes_is_counted_said_once_and_pages_only_who_asked_for_it() {
    let world = World::memory();
    let strange = |source: &str, kind: &str| Alert::new(source, kind);
    let all = world
        .admit(vec![strange("quiet", "a"), strange("loud", "a"), strange("loud", "b"), strange("quiet", "a")])
        .await;
    let results: Vec<_> = all.iter().map(|alert| &alert.results[0]).collect();
    let [AdmissionResult::Unmatched, AdmissionResult::Opened { incident }, joined, AdmissionResult::Unmatched] =
        results[..]
    else {
        panic!("{results:?}")
    };
    assert_eq!(*joined, AdmissionResult::Joined { incident: *incident });
    let opened = world.store.view(*incident).await.unwrap().unwrap();
    assert_eq!(opened.key.as_str(), "stentor:unmatched/loud");
    assert!(opened.pages.values().any(|page| page.role.as_ref().is_some_and(|role| role.as_str() == "catch-all")));
    // An all-clear for nothing pages nobody, from any source.
    let mut over = strange("loud", "a");
    over.status = AlertStatus::Resolved;
    assert_eq!(world.admit(vec![over]).await[0].results, [AdmissionResult::Unmatched]);

    let metrics = world.engine.metrics().text(None, START);
    for line in [
        "stentor_alert_results_total{source=\"quiet\",result=\"unmatched\",drill=\"false\"} 2",
        "stentor_alert_results_total{source=\"loud\",result=\"opened\",drill=\"false\"} 1",
        "stentor_alert_results_total{source=\"loud\",result=\"nothing-open\",drill=\"false\"} 1",
        // Nothing has happened to these yet: their first time must be a change.
        "stentor_alert_results_total{source=\"quiet\",result=\"joined\",drill=\"false\"} 0",
        "stentor_pages_total{channel=\"sms\",outcome=\"accepted\",drill=\"false\"} 0",
        "stentor_roles_entered_total{role=\"trader\",required=\"true\",drill=\"false\"} 0",
        "stentor_incidents_opened_total{trigger=\"crash\",drill=\"false\"} 0",
        "stentor_alert_requests_total{api=\"native\",outcome=\"accepted\"} 0",
        "stentor_reloads_total{outcome=\"refused\"} 0",
        "stentor_alert_results_total{source=\"quiet\",result=\"opened\",drill=\"true\"} 0",
        "stentor_incidents_judged_total{outcome=\"false\",drill=\"false\"} 0",
        "stentor_incidents_judged_total{outcome=\"benign\",drill=\"true\"} 0",
    ] {
        assert!(metrics.lines().any(|other| other == line), "{line}\n{metrics}");
    }
}

/// What is warned of an alert that no trigger took, or that one took.
fn counted(tally: &AlertTally, alert: &Alert, led_nowhere: bool) -> Option<String> {
    let result = match (led_nowhere, alert.status) {
        (false, _) => "opened",
        (true, AlertStatus::Firing) => "unmatched",
        (true, AlertStatus::Resolved) => "nothing-open",
    };
    let came = tally.came(alert, led_nowhere, START);
    came.or(tally.count(alert, CountedResult { result, layer: None, drill: false }, START).1)
}

#[test]
fn a_tally_of_what_led_nowhere_warns_once_and_names_a_clock_that_is_slow() {
    let tally = AlertTally::new(START);
    let strange = |kind: &str| Alert::new("prom", kind);
    let warned = counted(&tally, &strange("Jane Doe"), true).unwrap();
    assert!(warned.contains("an alert of source prom") && !warned.contains("Jane Doe"), "{warned}");
    assert_eq!(counted(&tally, &strange("Jane Doe"), true), None);
    assert_eq!(counted(&tally, &strange("b"), false), None);
    let shown = tally.led_nowhere();
    assert!(shown.len() == 1 && shown[0].contains("2 alert(s) of kind \"Jane Doe\""), "{shown:?}");

    // Its alerts are over when they come: nothing was open, and nothing was ever reported.
    let over = |source: &str, began: i64| {
        let mut alert = Alert::new(source, "down");
        alert.status = AlertStatus::Resolved;
        alert.starts_at = Some(Timestamp::from_micros(START.as_micros() + began));
        alert
    };
    // What began before the start was perhaps reported to the daemon before.
    assert_eq!(counted(&tally, &over("slow", -1), true), None);
    assert!(counted(&tally, &over("slow", 1), true).unwrap().contains("its clock may be slow"));
    assert_eq!(counted(&tally, &over("slow", 2), true), None);
    assert!(tally.led_nowhere().iter().any(|line| line.contains("slow sent 2 all-clear(s)")));
    // One that also reports what fires has a clock that does.
    assert_eq!(counted(&tally, &over("prom", 1), true), None);
    // However much there is, what is kept of it is bounded.
    (0..1000).for_each(|n| drop(counted(&tally, &strange(&format!("k{n}")), true)));
    assert!(tally.led_nowhere().len() < 110);
}

#[test]
fn a_firing_alert_that_looks_over_since_its_senders_clock_is_slow_is_counted_and_said() {
    let at = |seconds: i64| Timestamp::from_micros(START.as_micros() + seconds * 1_000_000);
    let (here, minutes) = (at(0), 60);
    let over = |source: &str, host: &str, began: i64| {
        let mut alert = fall(host);
        (alert.source, alert.status, alert.starts_at) = (source.into(), AlertStatus::Resolved, Some(at(began)));
        alert
    };
    let clocks = SenderClocks::default();
    // The request says what time it is there: ten minutes less, and the alert lasts for four more.
    let (there, lasts) = (Some(at(-10 * minutes)), Some(at(-6 * minutes)));
    let said = clocks.look(&over("dated", "a", -900), lasts, here, there).unwrap();
    assert_eq!(
        said,
        "1 firing alert(s) of source dated were over by our clock when they came, so they paged nobody: its clock is \
         slow by 10m"
    );
    assert_eq!(clocks.look(&over("dated", "b", -900), lasts, here, there), None, "said once");
    // It says nothing of the time, but prolongs what looks over; one alert of many is enough.
    let mut firing = over("prom", "other", -60);
    firing.status = AlertStatus::Firing;
    assert_eq!(clocks.look(&firing, Some(at(240)), here, None), None);
    assert_eq!(clocks.look(&over("prom", "a", -900), Some(at(-360)), here, None), None);
    let said = clocks.look(&over("prom", "a", -900), Some(at(-300)), at(60), None).unwrap();
    assert!(said.starts_with("1 firing alert(s) of source prom") && said.ends_with("its clock is slow"), "{said}");
    // What is over stays over: the same end again, an end at the time of each request, and another time of firing.
    for (began, end, now) in [(-900, -300, 0), (-900, -300, 60), (-800, 100, 101), (-800, 160, 161), (-200, -100, 0)] {
        assert_eq!(clocks.look(&over("good", "a", began), Some(at(end)), at(now), Some(at(now))), None);
    }
    let mut early = over("fast", "a", 600);
    early.status = AlertStatus::Firing;
    assert!(clocks.look(&early, Some(at(900)), here, None).unwrap().contains("its clock is fast"));
    assert_eq!(clocks.signs().len(), 3, "{:?}", clocks.signs());
}

/// Drills pass one gate, whichever door they come by.
#[tokio::test]
async fn a_drill_called_by_hand_beside_a_live_incident_is_refused() {
    let world = World::memory();
    let call = |id: &str, drill: bool| ManualPage {
        id: id.into(),
        by: "ana".into(),
        role: "trader".into(),
        words: "come".into(),
        drill,
        place: None,
        received_at: START,
    };
    let page = async |id: &str, drill: bool| world.engine.admission().page_by_hand(call(id, drill)).await.unwrap();
    let ManualPageResult::Opened(live) = page("1", false).await else { panic!("it is opened") };
    assert_eq!(page("2", true).await, ManualPageResult::DrillRefused(live));
    let lines = world.store.lines(Some("source:person:ana".into()), 0, 10).await.unwrap();
    assert!(lines.len() == 1 && lines[0].body.contains("drill-refused"), "{lines:?}");
    assert!(matches!(page("3", false).await, ManualPageResult::Opened(_)));
    for id in [live, world.newest().await] {
        let over = IncidentInput::Resolve { by: Actor::Person("ana".into()), why: None };
        world.engine.step(id, over).await.unwrap();
    }
    assert!(matches!(page("4", true).await, ManualPageResult::Opened(_)));
}

#[tokio::test]
async fn a_request_with_thousands_of_alerts_delays_neither_another_source_nor_an_answer() {
    const MANY: i64 = 950;
    /// What may be opened before somebody else's turn comes: two commits.
    const BETWEEN: i64 = 300;
    let world = World::sqlite().await;
    world.admit(vec![crash("monitor", "FIRST")]).await;
    let first = world.newest().await;
    let flood = world.admit((0..MANY).map(|n| crash("flood", &format!("S{n}"))).collect());
    let others = async {
        while world.newest().await == first {
            tokio::task::yield_now().await;
        }
        for round in 0..3 {
            let before = world.newest().await;
            let other = world.admit(vec![crash("monitor", &format!("ACME{round}"))]).await;
            assert!(matches!(other[0].results[..], [AdmissionResult::Opened { .. }]), "{other:?}");
            let after = world.newest().await;
            assert!(after.0 - before.0 <= BETWEEN, "{} were opened before it", after.0 - before.0);
        }
        let before = world.newest().await;
        let said = GivenAnswer {
            person: "ana".into(),
            answer: Answer::Wilco,
            via: AnswerVia::Desk,
            page: None,
            role: None,
            origin: None,
        };
        let events = world.engine.step(first, IncidentInput::Answer(said)).await.unwrap();
        assert!(!events.is_empty());
        let after = world.newest().await;
        assert!(after.0 - before.0 <= BETWEEN, "{} were opened before an answer", after.0 - before.0);
    };
    let (flood, ()) = tokio::join!(flood, others);
    assert_eq!(flood.len(), MANY as usize);
    assert!(flood.iter().all(|alert| matches!(alert.results[..], [AdmissionResult::Opened { .. }])));
}

/// An alert of a monitor that sends its value as text.
fn fall(host: &str) -> Alert {
    let mut alert = Alert::new("loud", "fall");
    alert.annotations.insert("drop_pct".into(), "6.1%".into());
    if !host.is_empty() {
        alert.labels.insert("host".into(), host.into());
    }
    alert
}

#[tokio::test]
async fn a_condition_that_can_not_be_evaluated_is_told_for_each_host_and_for_many_hosts_at_once() {
    for world in [World::memory(), World::sqlite().await] {
        let told = |host: String| {
            let world = &world;
            async move {
                let admitted = world.admit(vec![fall(&host)]).await;
                let [AdmissionResult::ConditionFailed { incident: Some(incident), .. }] = admitted[0].results[..]
                else {
                    panic!("{admitted:?}")
                };
                let summary = world.store.view(incident).await.unwrap().unwrap().summary.clone();
                (incident, summary)
            }
        };
        let (first, summary) = told("h0".into()).await;
        let why = "`alert.values.drop_pct >= 5.0` can not be evaluated: the alert has `drop_pct` only as text that is \
                   not a number";
        assert_eq!(summary, format!("trigger fall can not evaluate fall alerts of loud about h0: {why}"));
        assert_eq!(told("h0".into()).await.0, first, "once for each host");
        let mut incidents = vec![first];
        for host in 1..30 {
            let (incident, summary) = told(format!("h{host}")).await;
            match host {
                1..5 => assert!(summary.contains(&format!("about h{host}:")), "{summary}"),
                _ => assert!(summary.contains("about h5 and others:"), "{summary}"),
            }
            incidents.push(incident);
        }
        incidents.dedup();
        assert_eq!(incidents.len(), 6, "five hosts, and one incident for all the others");
        // Each of the others is in the record of the incident that they share.
        let shared = world.store.view(incidents[5]).await.unwrap().unwrap();
        assert_eq!((shared.alerts, shared.alert.labels["host"].as_str()), (25, "h29"));
        // A host that has an incident keeps it; one without a name is among the others.
        assert_eq!(told("h3".into()).await.0, incidents[3]);
        assert_eq!(told(String::new()).await.0, incidents[5]);
    }
}

#[tokio::test]
async fn an_alert_is_found_by_its_id_however_many_lines_came_after_it() {
    let world = World::memory();
    let named = |n: usize| {
        let mut alert = Alert::new("loud", "crash");
        alert.id = format!("ALT-{n:04}");
        alert.labels.insert("symbol".into(), format!("S{n}"));
        alert
    };
    for n in 0..400 {
        world.admit(vec![named(n)]).await;
    }
    let lines = world.store.lines(None, 0, usize::MAX).await.unwrap().len() as u64;
    assert!(1_000 < lines, "more than one portion: {lines}");
    let trace = |id: &'static str| alert_trace::trace(&*world.store, id);
    for id in ["ALT-0000", "ALT-0399"] {
        let found = trace(id).await.unwrap();
        let alert = found.alert.unwrap();
        assert_eq!((alert.id.as_str(), found.results.len()), (id, 1), "{:?}", found.results);
        assert!(found.counted.is_empty());
    }
    let unknown = trace("ALT-04").await.unwrap();
    assert_eq!((unknown.alert, unknown.results, unknown.lines, unknown.since), (None, Vec::new(), lines, None));
}
