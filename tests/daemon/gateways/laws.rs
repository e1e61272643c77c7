//! Laws 3, 7 and 9 where the way is data.

use super::{
    double::{fault::Fault, service::SECRET_PATH},
    house::eventually,
    town::{ANA, AUDIT_KEY, BO, SMS_BEARER, SMS_TOKEN, Town},
};
use serde_json::Value;

fn by(page: &Value, channel: &str, purpose: &str) -> bool {
    page["channel"] == channel && page["purpose"] == purpose
}

#[test]
fn what_waits_at_a_service_that_throttles_is_not_sent_once_it_is_stale() {
    let town = Town::start();
    let slow = Fault::Status(429, vec![("retry-after", "1")], "");
    town.sms.set_fault(Some(slow.clone()));
    town.teams.set_fault(Some(slow));
    let incident = town.alert("price_velocity", "ES", false);
    for channel in ["sms", "teams"] {
        town.page(&incident, "throttled", |page| page["channel"] == channel && page["last_error"].is_string());
    }
    assert!(town.daemon.cli(&["resolve", &incident]).status.success());
    town.sms.set_fault(None);
    town.teams.set_fault(None);
    // The system is told of the end, late or not: what happened stays true.
    eventually("the end at the system", || {
        town.told(&incident).iter().any(|event| event.json()["type"] == "incident.resolved").then_some(())
    });
    town.daemon.until(&incident, "nothing is owed any more", |shown| {
        shown["pages"].as_array().unwrap().iter().all(|page| page["state"] != "queued" && page["state"] != "withdrawn")
    });
    let briefs = town.sms.accepted().into_iter().filter(|sms| !sms.json()["callback"].as_str().unwrap().is_empty());
    let said: Vec<String> = briefs.map(|sms| sms.body).filter(|body| !body.contains("it is over")).collect();
    assert!(said.is_empty(), "{said:?}");
    assert!(town.teams.accepted().iter().all(|card| card.body.contains("resolved by")), "no card after the end");
}

#[test]
fn a_service_that_is_broken_holds_up_nobody_whatever_it_says() {
    for (fault, trouble) in [
        (Fault::Html, "not a success"),
        (Fault::Status(401, vec![], ""), "refuses our credentials"),
        (Fault::Status(200, vec![], r#"{"status":"failed"}"#), "refuses the message"),
        (Fault::Hang(Default::default()), "no answer within 2s"),
        (Fault::Trickle(Default::default()), "no answer within 2s"),
    ] {
        let town = Town::start();
        town.sms.set_fault(Some(fault));
        let incident = town.alert("price_velocity", "ES", false);
        for person in ["ana", "bo"] {
            let page = town.page(&incident, "another way", |page| {
                by(page, "kannel", "brief") && page["person"] == person && page["state"] == "accepted"
            });
            assert!(page["instead_of"].is_number(), "{page}");
        }
        let page = town.page(&incident, trouble, |page| page["channel"] == "sms" && page["last_error"].is_string());
        assert!(page["last_error"].as_str().unwrap().contains(trouble), "{page}");
        // The rooms are not asked to stand in for anybody's phone.
        let shown = town.daemon.incident(&incident);
        let stray = |page: &&Value| {
            page["person"].is_string() && ["teams", "matter", "lamp"].contains(&page["channel"].as_str().unwrap())
        };
        assert_eq!(shown["pages"].as_array().unwrap().iter().find(stray), None);
    }
}

#[test]
fn a_system_that_wants_no_more_events_is_left_alone_and_the_operators_hear_of_it() {
    let town = Town::start();
    town.audit.set_fault(Some(Fault::Status(410, vec![], "")));
    let incident = town.alert("price_velocity", "ES", false);
    let page = town.page(&incident, "refused", |page| page["channel"] == "audit" && page["last_error"].is_string());
    assert!(page["last_error"].as_str().unwrap().contains("410"), "{page}");
    eventually("the operators", || {
        town.daemon.incidents().iter().any(|i| i["summary"].as_str().is_some_and(|s| s.contains("audit"))).then_some(())
    });
    // People are reached all the same.
    assert_eq!(town.reply(SMS_TOKEN, ANA, &town.held(&incident, ANA).code).status, 200);
}

#[test]
fn addresses_tokens_and_keys_of_services_are_seen_nowhere() {
    let town = Town::start();
    let secret_parts = ["path-secret-8812aa", "query-secret-77fe", SMS_BEARER, SMS_TOKEN, &AUDIT_KEY[6..]];
    assert!(SECRET_PATH.contains(secret_parts[0]) && SECRET_PATH.contains(secret_parts[1]));
    let echo = r#"{"id":"path-secret-8812aa","error":{"code":"query-secret-77fe"},"status":"sms-bearer-secret-20af"}"#;
    let mut seen = String::new();
    for (n, fault) in [
        Fault::Status(400, vec![], echo),
        Fault::Status(500, vec![], echo),
        Fault::Status(200, vec![], echo),
        Fault::Status(302, vec![("location", "http://127.0.0.1:9/")], echo),
        Fault::Cut,
        Fault::Html,
    ]
    .into_iter()
    .enumerate()
    {
        for service in [&town.sms, &town.teams, &town.matter, &town.audit] {
            service.set_fault(Some(fault.clone()));
        }
        let incident = town.alert("price_velocity", &format!("S{n}"), false);
        for channel in ["sms", "teams", "matter"] {
            town.page(&incident, "trouble or not", |page| {
                page["channel"] == channel && (page["last_error"].is_string() || page["state"] == "accepted")
            });
        }
        seen += &town.daemon.incident(&incident).to_string();
        let shown = town.daemon.cli(&["show", &incident, "--json", "--texts"]);
        seen += &String::from_utf8_lossy(&shown.stdout);
    }
    for _ in 0..2 {
        seen += &town.reply("wrong-token", BO, "1").body;
    }
    let check = town.daemon.cli(&["check", "--json"]);
    seen += &format!("{}{}", String::from_utf8_lossy(&check.stdout), town.daemon.log());
    for secret in secret_parts {
        let at = seen.find(secret).map(|at| &seen[at.saturating_sub(200)..at]);
        assert_eq!(at, None, "{secret} is seen");
    }
}
