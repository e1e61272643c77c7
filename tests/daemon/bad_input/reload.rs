//! SIGHUP: a broken matrix is refused and the last good one stays; a good one leaves open incidents as they are.

use super::{
    common::Daemon,
    house::{DESK, eventually, sandboxed, secret, setup},
    wire::Call,
};
use serde_json::json;

fn reload(daemon: &Daemon, matrix: &str, outcome: &str) {
    std::fs::write(daemon.dir.path().join("matrix/matrix.toml"), matrix).unwrap();
    daemon.signal("HUP");
    let counted = format!("outcome=\"{outcome}\"");
    eventually(outcome, || {
        let metrics = daemon.control(&Call::get("/metrics")).body;
        let of_outcome = |line: &&str| line.starts_with("stentor_reloads_total") && line.contains(&counted);
        metrics.lines().find(of_outcome).is_some_and(|line| !line.ends_with(" 0")).then_some(())
    });
}

#[test]
fn a_broken_matrix_is_refused_with_its_faults_and_the_last_good_one_stays() {
    let daemon = setup(DESK).arg("--sandbox").arg("--log").arg("json").start();
    reload(&daemon, &DESK.replace("drop_pct >= 5.0", "drop_pct >="), "refused");
    let log = eventually("the faults in the log", || Some(daemon.log()).filter(|log| log.contains("drop_pct >=")));
    assert!(log.contains("the last good matrix stays"), "{log}");
    assert!(log.contains("matrix.toml"), "where the fault is: {log}");
    assert!(!log.contains("nothing was started"), "{log}");
    for line in log.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "a line of a JSON log is no JSON: {line}");
    }
    assert_eq!(daemon.crash("ES"), "INC-1");
    std::fs::remove_file(daemon.dir.path().join("matrix/matrix.toml")).unwrap();
    daemon.signal("HUP");
    eventually("the second refusal", || daemon.log().matches("the last good matrix stays").nth(1).map(drop));
    assert_eq!(daemon.crash("NQ"), "INC-2");
}

#[test]
fn a_good_matrix_is_taken_and_open_incidents_keep_their_plans() {
    let daemon = sandboxed();
    let before = daemon.crash("ES");
    let without = DESK.replace("roles    = [\"trader\", \"compliance\"]", "roles    = [\"compliance\"]");
    reload(&daemon, &without, "loaded");
    let after = daemon.crash("NQ");
    let roles = |id: &str| daemon.incident(id)["roles"].as_array().unwrap().len();
    assert_eq!((roles(&before), roles(&after)), (2, 1));
    let held = daemon.held(&before, "ana", "mail");
    assert_eq!(Call::post(held.path()).form(&[("answer", "wilco")]).send(daemon.address).status, 200);
    assert_eq!(daemon.role(&before, "trader")["holder"], "Ana Ruiz");
}

#[test]
fn a_field_that_the_monitor_renamed_pages_the_catch_all_once_for_each_trigger_and_source() {
    let daemon = sandboxed();
    let renamed = json!({ "kind": "price_velocity", "labels": { "symbol": "ES" }, "values": { "drop_percent": 9.0 } });
    let post = |token| Call::post("/v1/alerts").bearer(secret(token)).json(&renamed).send(daemon.address).json();
    let first = post("MONITOR_TOKEN");
    assert_eq!(first["alerts"][0]["results"][0]["result"], "condition-failed");
    for _ in 0..3 {
        assert_eq!(post("MONITOR_TOKEN")["alerts"][0]["incidents"], json!(["INC-1"]));
    }
    assert_eq!(post("PLAIN_TOKEN")["alerts"][0]["incidents"], json!(["INC-2"]));
    assert_eq!(daemon.incidents().len(), 2);
    let held = daemon.held("INC-1", "gita", "sms");
    let pages = daemon.incident("INC-1")["pages"].as_array().unwrap().len();
    assert_eq!(pages, 2, "once by each of her channels");
    assert_eq!(Call::post(held.path()).form(&[("answer", "wilco")]).send(daemon.address).status, 200);
    assert_eq!(daemon.incident("INC-1")["roles"][0]["holder"], "Gita Rao");
}

// One that loops for every alert is refused when it is loaded; this one loops in the crisis alone.
#[test]
fn a_text_that_loops_does_not_keep_a_page_from_going_out() {
    let setup = setup(DESK).arg("--sandbox");
    let texts = setup.dir.path().join("texts");
    for role in ["default", "trader", "compliance"] {
        std::fs::create_dir_all(texts.join(role)).unwrap();
        for file in ["brief.txt", "sms.txt"] {
            let endless = "{% if fact('symbol') == 'LOOP' %}{% for a in range(9999) %}{% for b in range(9999) %}{{ a }}\
                {% endfor %}{% endfor %}{% endif %}";
            std::fs::write(texts.join(role).join(file), endless).unwrap();
        }
    }
    let folder = texts.display().to_string();
    let daemon = setup.env("STENTOR_TEMPLATES", &folder).start();
    let incident = daemon.crash("LOOP");
    for channel in ["sms", "mail", "room"] {
        let held = daemon.held(&incident, "ana", channel);
        let sent = daemon.outbox().into_iter().find(|entry| entry["page"] == held.page.as_str()).unwrap();
        let body = sent["body"].as_str().unwrap();
        assert!(body.contains(&incident) || body.contains(&held.code), "{channel}: {body}");
        assert!(body.contains("price_velocity") && body.contains("LOOP"), "{channel}: {body}");
    }
    eventually("the log says so", || daemon.log().contains("raw facts").then_some(()));
}

#[test]
fn a_reload_that_would_lose_a_source_because_its_secret_is_gone_is_refused() {
    let setup = setup(DESK);
    let secrets = setup.dir.path().join("monitor-token");
    std::fs::write(&secrets, secret("MONITOR_TOKEN")).unwrap();
    let filed =
        DESK.replace("{ env = \"MONITOR_TOKEN\" }", &format!("{{ file = {:?} }}", secrets.display().to_string()));
    assert_ne!(filed, DESK, "the matrix names its token");
    std::fs::write(setup.dir.path().join("matrix/matrix.toml"), &filed).unwrap();
    let daemon = setup.arg("--sandbox").start();
    assert_eq!(daemon.crash("ES"), "INC-1");
    // What a tool that rotates secrets leaves for a moment.
    std::fs::write(&secrets, "").unwrap();
    reload(&daemon, &filed, "refused");
    assert_eq!(daemon.crash("NQ"), "INC-2", "the last good one goes on");
}

#[test]
fn a_reload_says_what_it_lost_and_what_it_gained() {
    let daemon = sandboxed();
    let matrix = DESK.replace("[trigger.", "[trigger.new-");
    reload(&daemon, &matrix, "loaded");
    let log =
        eventually("both lists", || Some(daemon.log()).filter(|log| log.contains("the new matrix: trigger new: ")));
    let names: Vec<&str> = DESK.lines().filter_map(|line| line.strip_prefix("[trigger.")?.strip_suffix(']')).collect();
    let line = |words: &str| log.lines().find(|line| line.contains(words)).unwrap().to_owned();
    let (lost, gained) = (line("the new matrix: trigger gone: "), line("the new matrix: trigger new: "));
    assert!(!names.is_empty() && names.iter().all(|name| lost.contains(name)), "{lost}");
    assert!(names.iter().all(|name| gained.contains(&format!("new-{name}"))), "{gained}");
    // A link that leads nowhere is no smaller matrix.
    std::os::unix::fs::symlink("nowhere/more.toml", daemon.dir.path().join("matrix/more.toml")).unwrap();
    daemon.signal("HUP");
    eventually("the refusal", || daemon.log().contains("the last good matrix stays").then_some(()));
    assert!(!daemon.cli(&["check"]).status.success());
}
