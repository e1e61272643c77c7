//! Thousands of incidents of others are open, and the oldest page can be answered by every way all the same.

use super::{common::Daemon, fixture};
use super::{
    desk::{Line, cookie},
    house::{eventually, sandboxed},
    slack, sms,
    wire::Call,
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::sync::Arc;
use stentor::{
    core::{
        EscalationPlan, IncidentInput, IncidentKey, IncidentOpening, PageId, Roster, SendOutcome, SendReceipt,
        StepTarget,
    },
    engine::keys::DerivedKeys,
    store::{LockSet, Lookup, RequestClass, SqliteStore, Store, Transaction, clock::SystemClock, transact},
};

/// More than a look at the newest ones has ever taken in.
const OTHERS: usize = 2_500;

/// Opens incidents in which Dora alone was asked, in the state of a daemon that is not running; returns the token of
/// reports about this page.
async fn others(daemon: &Daemon, page: PageId) -> String {
    let store = SqliteStore::open(&daemon.state(), Arc::new(SystemClock)).await.unwrap();
    let (mut plan, _): (EscalationPlan, Roster) = fixture::crowd(1);
    let roster = Roster { reach: [("dora".into(), vec!["mail".into()])].into(), ..Roster::default() };
    let row = plan.roles.get_mut("trader").unwrap();
    row.steps[0].page = vec![StepTarget::Person("dora".into())];
    row.steps[0].by = vec!["mail".into()];
    let plan = Arc::new(plan);
    for from in (0..OTHERS).step_by(500) {
        let keys: Vec<String> = (from..from + 500).map(|n| format!("other/{n}")).collect();
        let (plan, roster, received_at) = (plan.clone(), roster.clone(), store.now());
        let needs = LockSet { keys: keys.iter().map(|key| IncidentKey::stored(key)).collect(), ..LockSet::default() };
        let run = move |unit: &mut Transaction<'_>| {
            for key in &keys {
                let opening = fixture::opening_of(key, EscalationPlan::clone(&plan));
                let id = unit.open(IncidentOpening { plan: plan.clone(), received_at, ..opening }, &roster);
                let settlement =
                    SendOutcome::Accepted { receipt: SendReceipt { id: "taken".into(), ..SendReceipt::default() } };
                let taken = IncidentInput::Settled { page: 1, settlement, sent_at: Some(received_at), text: None };
                unit.step(id, taken, &roster);
            }
        };
        transact(&*store, RequestClass::Admission, needs, run).await.unwrap();
    }
    let identity = store.page_identity(page).await.unwrap().unwrap();
    let token = DerivedKeys::new(store.server_key()).report_token(identity);
    store.close().await;
    token.expose_secret().to_owned()
}

#[test]
fn behind_thousands_of_open_incidents_every_way_to_answer_the_oldest_page_works() {
    let mut daemon = sandboxed();
    let incident = daemon.crash("ES");
    let (ana, bo) = (daemon.held(&incident, "ana", "sms"), daemon.held(&incident, "bo", "sms"));
    let (room, link) = (daemon.held(&incident, "ana", "room"), daemon.held(&incident, "bo", "mail"));
    let of_bo: PageId = bo.page.parse().unwrap();
    daemon.until(&incident, "every page is taken", |incident| {
        let taken = |page: &Value| page["channel"] == "desk" || page["state"] == "sandbox";
        incident["pages"].as_array().unwrap().iter().all(taken)
    });
    assert!(daemon.stop());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let token = runtime.block_on(others(&daemon, of_bo));
    daemon.restart();

    // The desk shows it, and says what it has no room for.
    let mut line = Line::open(&daemon, &cookie(&daemon, "ana"));
    let state = line.state(|_| true);
    let pages = state["pages"].as_array().unwrap();
    assert_eq!((pages.len(), &pages[0]["incident"]), (1, &json!(incident)), "{pages:?}");
    assert_eq!(state["incidents"].as_array().unwrap().len(), 30);
    assert_eq!(state["left_out"], json!({ "waiting": 0, "asked": 0, "open": OTHERS + 1 - 30 }));
    // A person who was asked in all the others sees some of their ends, and how many more there are.
    let state = Line::open(&daemon, &cookie(&daemon, "dora")).state(|_| true);
    let shown: Vec<&str> = state["pages"].as_array().unwrap().iter().filter_map(|p| p["incident"].as_str()).collect();
    let newest = format!("INC-{}", OTHERS + 1);
    assert!(shown.contains(&newest.as_str()) && shown.contains(&incident.as_str()), "{shown:?}");
    assert_eq!((shown.len(), &state["left_out"]["waiting"]), (50, &json!(OTHERS + 1 - 50)));

    // A right code is right, however many come at once, and locks nobody out.
    std::thread::scope(|scope| {
        for _ in 0..24 {
            scope.spawn(|| {
                let said = sms::text(&daemon, sms::ANA, &format!("{} 1", ana.code)).body;
                // The very same text is confirmed a few times.
                assert!(said.is_empty() || said.starts_with(&format!("{incident}: ")), "{said}");
            });
        }
    });
    assert!(sms::text(&daemon, sms::ANA, "wilco").body.starts_with(&format!("{incident} (trader) waits for you.")));
    let report = format!("/hooks/kannel/sms/report?page={of_bo}&status=1&token=");
    assert_eq!(Call::get(&format!("{report}{token}")).send(daemon.address).status, 204);
    assert_eq!(Call::get(&format!("{report}{}", "0".repeat(32))).send(daemon.address).status, 401);
    daemon.until(&incident, "the report", |incident| {
        let pages = incident["pages"].as_array().unwrap();
        pages.iter().any(|page| page["n"] == of_bo.n && page["delivered"].is_number())
    });
    assert_eq!(slack::send(&daemon, slack::ANA, "standby", &slack::button(&room)).status, 200);
    eventually("the standby by Slack", || {
        let told = daemon.json(&["show", &incident])["timeline"].to_string();
        (told.contains("\"via\":\"slack\"") && told.contains("standby-granted")).then_some(())
    });
    let shown = Call::get(link.path()).send(daemon.address);
    assert!(shown.status == 200 && shown.body.contains(&incident), "{shown:?}");
    let pressed = Call::post(link.path()).form(&[("answer", "wilco")]).send(daemon.address);
    assert!(pressed.body.to_lowercase().contains("you have it"), "{pressed:?}");
    let late = sms::text(&daemon, sms::ANA, &ana.code).body;
    assert!(late.starts_with(&format!("{incident}: ")) && late.contains("Bo Lind"), "{late}");

    // Over, and still known.
    assert!(daemon.cli(&["resolve", &incident]).status.success());
    let late = sms::text(&daemon, sms::ANA, &ana.code).body;
    assert!(late.starts_with(&format!("{incident}: ")) && !late.contains("No page of yours"), "{late}");
    lists(&daemon);
}

/// No list is cut without a word.
fn lists(daemon: &Daemon) {
    let status = slack::typed(daemon, slack::ANA, "status");
    let first = format!("Open incidents: {OTHERS}. Roles that nobody has yet in the 1000 newest of them: 1000.");
    assert_eq!(status.lines().next(), Some(first.as_str()));
    let list = slack::typed(daemon, slack::ANA, "list");
    assert_eq!(
        (list.lines().count(), list.lines().last()),
        (21, Some(format!("… and {} older ones", OTHERS - 20).as_str()))
    );
    let table = String::from_utf8(daemon.cli(&["incidents"]).stdout).unwrap();
    let head = table.lines().next().unwrap();
    assert_eq!(head, format!("The newest 50 of {OTHERS} open incidents; --limit {OTHERS} shows all of them."));
    assert_eq!(daemon.json(&["incidents"]).as_array().unwrap().len(), OTHERS, "JSON has all of them");
    assert_eq!(daemon.json(&["incidents", "--all"]).as_array().unwrap().len(), OTHERS + 1);
    assert_eq!(daemon.json(&["incidents", "--limit", "1200"]).as_array().unwrap().len(), 1_200);
    let portion = daemon.control(&Call::get("/v1/incidents?all=true&limit=5000"));
    assert_eq!(portion.json().as_array().unwrap().len(), 1_000);
    assert_eq!(portion.header("stentor-open-incidents"), Some(OTHERS.to_string().as_str()));
    let next = portion.header("link").unwrap();
    assert_eq!(next, format!("</v1/incidents?all=true&limit=1000&before=INC-{}>; rel=\"next\"", OTHERS + 2 - 1_000));
    let last = daemon.control(&Call::get("/v1/incidents?all=true&limit=1000&before=INC-501"));
    assert_eq!((last.json().as_array().unwrap().len(), last.header("link")), (500, None));
    let newest = daemon.control(&Call::get("/v1/incidents/newest")).json();
    assert_eq!(newest["incident"], json!(format!("INC-{}", OTHERS + 1)));
}
