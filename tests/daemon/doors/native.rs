//! `POST /v1/alerts`.

use super::{
    common::Daemon,
    house::{DESK, eventually, sandboxed, sandboxed_on, secret},
    wire::{Call, Reply},
};
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::TcpStream,
};

fn alerts(daemon: &Daemon, body: impl Into<Vec<u8>>) -> Reply {
    Call::post("/v1/alerts").bearer(secret("MONITOR_TOKEN")).body(body).send(daemon.address)
}

fn alert() -> Value {
    json!({ "kind": "price_velocity", "labels": { "symbol": "ES" }, "values": { "drop_pct": 6.2 } })
}

/// RFC 9457: the type of content, and a status, title and detail that agree.
fn check_problem(reply: &Reply, status: u16, detail: &str) {
    assert_eq!(reply.status, status, "{reply:?}");
    assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{reply:?}");
    let problem = reply.json();
    assert_eq!(problem["status"], status, "{problem}");
    assert!(problem["title"].as_str().is_some_and(|title| !title.is_empty()), "{problem}");
    assert!(problem["detail"].as_str().is_some_and(|told| told.contains(detail)), "{detail:?} is not in {problem}");
}

#[test]
fn what_is_accepted_is_told_with_the_ids_of_alert_and_incident() {
    let daemon = sandboxed();
    let reply = alerts(&daemon, alert().to_string());
    assert_eq!(reply.status, 202, "{reply:?}");
    let told = &reply.json()["alerts"][0];
    assert!(told["id"].as_str().unwrap().starts_with("ALT-"), "{told}");
    assert_eq!(told["incidents"], json!(["INC-1"]));
    assert_eq!(told["results"], json!([{ "result": "opened", "incident": "INC-1" }]));
    assert_eq!(told.get("warnings"), None);

    let mut other = alert();
    other["labels"]["symbol"] = json!("NQ");
    let nobodys = json!({ "kind": "weather" });
    let reply = alerts(&daemon, json!([alert(), other, nobodys]).to_string()).json();
    let incidents: Vec<&Value> = reply["alerts"].as_array().unwrap().iter().map(|told| &told["incidents"]).collect();
    assert_eq!(incidents, [&json!(["INC-1"]), &json!(["INC-2"]), &json!([])]);
    assert_eq!(reply["alerts"][2]["results"], json!([{ "result": "unmatched" }]));
    assert_eq!(alerts(&daemon, "[]").json(), json!({ "alerts": [] }));
}

#[test]
fn fields_that_are_not_known_are_kept_and_warned_of() {
    let daemon = sandboxed();
    let mut alert = alert();
    alert["severity"] = json!("sev1");
    alert["confidence"] = json!(7);
    // What only the door may say is not believed.
    alert["source"] = json!("the-chairman");
    alert["id"] = json!("ALT-of-my-own");
    let told = &alerts(&daemon, alert.to_string()).json()["alerts"][0];
    assert_eq!(told["warnings"].as_array().unwrap().len(), 2, "{told}");
    assert!(told["warnings"][0].as_str().unwrap().contains("severity"), "{told}");
    assert!(told["id"].as_str().unwrap() != "ALT-of-my-own");
    let journal = daemon.control(&Call::get("/v1/journal?chain=INC-1")).body;
    assert!(journal.contains("sev1"), "{journal}");
    assert!(!journal.contains("the-chairman") && !journal.contains("ALT-of-my-own"), "{journal}");
}

#[test]
fn every_refusal_is_a_problem_that_says_what_to_do() {
    let daemon = sandboxed();
    let nested = format!("{{\"kind\":\"k\",\"evidence\":{}{}}}", "[".repeat(100), "]".repeat(100));
    let deep = format!("{{\"kind\":\"k\",\"evidence\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
    for (body, status, detail) in [
        (&b""[..], 400, "one alert or an array"),
        (b"{", 400, "EOF"),
        (b"nonsense", 400, "one alert or an array"),
        (b"null", 400, "one alert or an array"),
        (b"\"text\"", 400, "one alert or an array"),
        (b"{}", 400, "missing field `kind`"),
        (b"{\"kind\":\"\"}", 400, "an alert needs a kind"),
        (b"{\"kind\":\" \"}", 400, "an alert needs a kind"),
        (nested.as_bytes(), 400, "nested too deep"),
        (b"{\"kind\":7}", 400, "invalid type"),
        (b"{\"kind\":\"k\",\"kind\":\"l\"}", 400, "duplicate field"),
        (b"{\"kind\":\"k\",\"labels\":1}", 400, "invalid type"),
        (b"{\"kind\":\"k\",\"values\":[1]}", 400, "invalid type"),
        (b"{\"kind\":\"k\",\"evidence\":1e999}", 400, "number out of range"),
        (b"[{\"kind\":", 400, "nothing was read, 8 bytes"),
        (b"{\"kind\":\"k\",\"status\":\"burning\"}", 400, "unknown variant"),
        (b"{\"kind\":\"k\",\"starts_at\":\"yesterday\"}", 400, "RFC 3339"),
        (b"{\"kind\":\"k\",\"starts_at\":7}", 400, "invalid type"),
        (b"{\"kind\":\"k\",\"drill\":\"yes\"}", 400, "invalid type"),
        (deep.as_bytes(), 400, "recursion limit"),
    ] {
        check_problem(&alerts(&daemon, body), status, detail);
    }
    assert_eq!(daemon.incidents(), Vec::<Value>::new(), "nothing of that was kept");
}

#[test]
fn a_bad_element_of_an_array_is_refused_alone_and_has_a_status_of_its_own() {
    let daemon = sandboxed();
    let statuses = |reply: &Reply| -> Vec<u64> {
        reply.json()["alerts"].as_array().unwrap().iter().map(|told| told["status"].as_u64().unwrap()).collect()
    };
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let crash = alert().to_string();
    let batch = format!(
        r#"[{crash},{{"kind":1}},{{"kind":"k"}},{{"labels":{{}}}},7,{{"kind":"k","evidence":{deep}}},{{"kind":" "}},
            {{"kind":"k","evidence":1e999}},{{"kind":"k","starts_at":"yesterday"}},{{"kind":"k","kind":"l"}}]"#
    );
    let reply = alerts(&daemon, batch);
    assert_eq!(reply.status, 207, "{reply:?}");
    assert_eq!(statuses(&reply), [202, 400, 202, 400, 400, 400, 400, 400, 400, 400]);
    let told = reply.json();
    assert_eq!(told["alerts"][0]["incidents"], json!(["INC-1"]));
    assert_eq!(told["alerts"][5]["results"][0]["result"], "refused");
    assert!(told["alerts"][5]["results"][0]["why"].as_str().unwrap().contains("nested too deep"), "{told}");
    assert_eq!(daemon.incidents().len(), 1);
    // Where none can be kept the request itself is refused, and each is named by its place.
    let reply = alerts(&daemon, r#"[{"kind":""},{"labels":{}},{"kind":"  "}]"#);
    check_problem(&reply, 400, "nothing was kept");
    let places: Vec<Value> =
        reply.json()["errors"].as_array().unwrap().iter().map(|error| error["index"].clone()).collect();
    assert_eq!(places, [0, 1, 2]);
}

#[test]
fn what_programs_really_send_is_taken_and_told_of() {
    let daemon = sandboxed();
    let crash = alert().to_string();
    let one = |bad: &[u8]| [b"[", bad, b",", crash.as_bytes(), b"]"].concat();
    for (item, warned) in [
        (&b"{\"kind\":\"k\",\"summary\":\"\xff\"}"[..], "UTF-8"),
        (br#"{"kind":"k","summary":"\ud83d"}"#, "UTF-8"),
        (br#"{"kind":"k","values":{"a":NaN}}"#, "a is NaN"),
        (br#"{"kind":"k","values":{"a":-Infinity}}"#, "a is -Infinity"),
        (br#"{"kind":"k","values":{"a":null}}"#, "a is null"),
        (br#"{"kind":"k","values":{"a":1e999}}"#, "a is 1e999"),
        (br#"{"kind":"k","values":{"a":"much"}}"#, "a is much"),
        (br#"{"kind":"k","values":{"a":"6.1%"}}"#, "the number 6.1"),
        (br#"{"kind":"k","values":{"a":+6.1}}"#, "the number 6.1"),
        (br#"{"kind":"k","values":{"a":.5,"b":"+6.1"}}"#, "the number 0.5"),
        (br#"{"kind":"k","confidence":NaN}"#, "confidence is NaN"),
        (br#"{"kind":"k","labels":{"port":8080,"none":null},"annotations":null,"summary":7,"id":1,"source":[]}"#, ""),
    ] {
        let reply = alerts(&daemon, one(item));
        let shown = String::from_utf8_lossy(item);
        assert_eq!(reply.status, 202, "{shown}: {reply:?}");
        let told = reply.json();
        let warnings = &told["alerts"][0]["warnings"];
        assert!(warned.is_empty() && warnings.is_null() || warnings[0].as_str().unwrap().contains(warned), "{told}");
        assert_eq!(told["alerts"][1]["incidents"], json!(["INC-1"]), "{shown}");
    }
    // One after the other, as lines; what follows them and is no alert is refused alone.
    let statuses = |body: String| {
        let reply = alerts(&daemon, body).json();
        reply["alerts"].as_array().unwrap().iter().map(|told| told["status"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(statuses(format!("{crash}\n{crash}\n[{crash}]")), [202, 202, 202]);
    assert_eq!(statuses(format!("[{crash}] and so on")), [202, 400]);
    assert_eq!(statuses(format!("[{crash},{{\"kind\"")), [202, 400]);
}

#[test]
fn a_value_with_its_unit_is_a_number_to_the_condition() {
    let daemon = sandboxed();
    let mut alert = alert();
    alert["values"]["drop_pct"] = json!("6.2 %");
    let told = alerts(&daemon, alert.to_string()).json();
    assert_eq!(told["alerts"][0]["results"], json!([{ "result": "opened", "incident": "INC-1" }]), "{told}");
    // And without it, the catch-all hears.
    alert["values"]["drop_pct"] = json!(null);
    let told = alerts(&daemon, alert.to_string()).json();
    assert_eq!(told["alerts"][0]["results"][0]["result"], "condition-failed", "{told}");
}

#[test]
fn of_more_alerts_than_one_request_may_carry_those_that_fit_are_kept() {
    let daemon = sandboxed();
    let many = format!("[{}]", vec![r#"{"kind":"k"}"#; 10_002].join(","));
    let reply = alerts(&daemon, many);
    assert_eq!(reply.status, 207);
    let told = reply.json();
    let told = told["alerts"].as_array().unwrap();
    assert_eq!(told.iter().filter(|told| told["status"] == 202).count(), 10_000);
    // One word for all that are beyond the limit.
    let [late] = &told[10_000..] else { panic!("{}", told.len()) };
    assert!(late["results"][0]["why"].as_str().unwrap().starts_with("2 more than 10000 alerts"), "{late}");
}

#[test]
fn an_alert_with_a_time_beyond_all_that_can_be_kept_is_kept_without_it() {
    let mut daemon = sandboxed();
    for time in [
        "9999-12-31T23:59:59.999999",
        "9999-12-31T23:59:59-05:00",
        "9999-12-31T23:59:60Z",
        "+292278994-08-17T07:12:55.807Z",
        "0000-01-01T00:00:00Z",
        "-0044-03-15T12:00:00Z",
        "0001-01-01T00:00:00+14:00",
    ] {
        let mut alert = alert();
        (alert["starts_at"], alert["labels"]["symbol"]) = (json!(time), json!(time));
        let reply = alerts(&daemon, json!([alert, { "kind": "weather" }]).to_string());
        assert_eq!(reply.status, 202, "{time}: {reply:?}");
        let told = &reply.json()["alerts"][0];
        assert_eq!(told["results"][0]["result"], "opened", "{time}");
        assert!(told["warnings"][0].as_str().unwrap().contains("starts_at"), "{told}");
    }
    daemon.kill();
    daemon.restart();
    assert_eq!(daemon.json(&["incidents"]).as_array().unwrap().len(), 7);
    for incident in daemon.incidents() {
        assert_eq!(incident.get("detected_at").filter(|at| !at.is_null()), None, "{incident}");
        assert!(daemon.cli(&["resolve", incident["id"].as_str().unwrap()]).status.success());
    }
}

#[test]
fn what_is_fired_by_hand_is_refused_where_it_could_not_be_read_back() {
    let daemon = sandboxed();
    let deep = format!("{}{}", "[".repeat(110), "]".repeat(110));
    let fired = Call::post("/v1/fire").header("Content-Type", "application/json");
    let body = format!(
        r#"{{"kind":"price_velocity","labels":{{"symbol":"ES"}},"values":{{"drop_pct":7}},"evidence":{deep}}}"#
    );
    check_problem(&daemon.control(&fired.body(body)), 400, "nested too deep");
    assert_eq!(daemon.incidents(), Vec::<Value>::new());
    assert_eq!(daemon.crash("ES"), "INC-1");
}

#[test]
fn only_a_token_of_the_matrix_opens_the_door() {
    let daemon = sandboxed();
    let with = |authorization: Option<&str>| {
        let call = Call::post("/v1/alerts").json(&json!({ "kind": "weather" }));
        authorization.map_or(call.clone(), |value| call.header("Authorization", value)).send(daemon.address)
    };
    let token = secret("MONITOR_TOKEN");
    for good in [
        format!("Bearer {token}"),
        format!("bearer  {token}"),
        format!("Bearer {}", secret("MONITOR_TOKEN_NEXT")),
        format!("Bearer {}", secret("PLAIN_TOKEN")),
        // `anyone:` and the monitor's token.
        "Basic YW55b25lOm1vbml0b3ItdG9rZW4tM2Y5YTFj".into(),
    ] {
        assert_eq!(with(Some(&good)).status, 202, "{good}");
    }
    let short = &token[..token.len() - 1];
    let (cut, long) = (format!("Bearer {short}"), format!("Bearer {token}x"));
    let none = [None, Some(""), Some("Bearer"), Some("Bearer "), Some(token), Some("Basic !"), Some("Digest x")];
    for bad in none.into_iter().chain([Some(&*cut), Some(&*long), Some("Bearer \u{fc}\u{20ac}")]) {
        let reply = with(bad);
        check_problem(&reply, 401, "Authorization: Bearer");
        assert_eq!(reply.header("www-authenticate"), Some("Bearer realm=\"stentor\""), "{bad:?}");
    }
}

#[test]
fn a_drill_comes_only_from_a_source_that_may_send_drills() {
    let daemon = sandboxed();
    let mut drill = alert();
    drill["drill"] = json!(true);
    let as_source = |token| Call::post("/v1/alerts").bearer(secret(token)).json(&json!([drill, alert()]));
    check_problem(&as_source("PLAIN_TOKEN").send(daemon.address), 403, "drills = true");
    assert_eq!(daemon.incidents(), Vec::<Value>::new());
    assert_eq!(as_source("MONITOR_TOKEN").send(daemon.address).status, 202);
    let drills: Vec<Value> = daemon.incidents().iter().map(|incident| incident["drill"].clone()).collect();
    assert_eq!(drills, [json!(false), json!(true)], "the real thing never joins a drill");
    daemon.until("INC-1", "the drill to give way", |drill| drill["state"] != "open");
    // And while it is open no drill begins.
    let refused = as_source("MONITOR_TOKEN").send(daemon.address).json();
    assert_eq!(refused["alerts"][0]["results"][0]["result"], "drill-refused", "{refused}");
}

#[test]
fn wrong_methods_and_paths_are_problems_too() {
    let daemon = sandboxed();
    for method in ["GET", "PUT", "DELETE", "PATCH"] {
        let reply = Call::new(method, "/v1/alerts").send(daemon.address);
        check_problem(&reply, 405, "");
        assert_eq!(reply.header("allow"), Some("POST"), "{method}");
    }
    for path in ["/v1", "/v1/alert", "/v1/alerts/", "/v1/fire", "/v1/texts/a", "/%ff", "//"] {
        check_problem(&Call::post(path).send(daemon.address), 404, "POST /v1/alerts");
    }
    check_problem(&Call::post("/").send(daemon.address), 405, "");
    let front = Call::get("/").send(daemon.address);
    assert_eq!((front.status, front.header("location")), (303, Some("/desk")), "who types the address alone");
    let press = Call::post("/desk/answer").body("{").send(daemon.address);
    check_problem(&press, 401, "desk link");
    check_problem(&Call::post("/hooks/kannel/sms").send(daemon.address), 401, "the daemon's log");
}

/// Each step of its incident would read it whole.
#[test]
fn an_alert_that_is_too_large_is_refused_alone() {
    let daemon = sandboxed();
    let large = json!({ "kind": "price_velocity", "summary": "x".repeat(1 << 20) });
    let small = json!({ "kind": "price_velocity", "labels": { "symbol": "ES" }, "values": { "drop_pct": 7 } });
    let reply = alerts(&daemon, json!([large, small]).to_string());
    let said = reply.json().to_string();
    assert!(said.contains("more than the 1048576 that one may have") && said.contains("INC-1"), "{said}");
}

#[test]
fn a_body_beyond_the_limit_is_refused_without_reading_it_all() {
    let daemon = sandboxed();
    let big = format!("{{\"kind\":\"k\",\"summary\":\"{}\"}}", "x".repeat(16 * 1024 * 1024));
    check_problem(&alerts(&daemon, big), 413, "send less");
    // Announced only: the answer does not wait for it.
    let mut stream = TcpStream::connect(daemon.address).unwrap();
    let call = Call::post("/v1/alerts").bearer(secret("MONITOR_TOKEN"));
    let head = call.head(0).replace("Content-Length: 0", "Transfer-Encoding: chunked");
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    for _ in 0..257 {
        stream.write_all(chunk.as_bytes()).unwrap();
    }
    check_problem(&Reply::read(stream), 413, "send less");
    let fits = vec![json!({ "kind": "k", "summary": "x".repeat((1 << 20) - 100) }); 15];
    assert_eq!(alerts(&daemon, json!(fits).to_string()).status, 202);
}

#[test]
fn a_body_that_does_not_arrive_holds_up_nobody_else_and_is_given_up() {
    let daemon = sandboxed();
    let mut slow = TcpStream::connect(daemon.address).unwrap();
    let head = Call::post("/v1/alerts").bearer(secret("MONITOR_TOKEN")).head(100);
    slow.write_all(head.as_bytes()).unwrap();
    slow.write_all(b"{\"kind\":").unwrap();
    assert_eq!(daemon.crash("ES"), "INC-1");
    check_problem(&Reply::read(&mut slow), 408, "10 s");
    // A client that leaves in the middle leaves nothing behind.
    let mut gone = TcpStream::connect(daemon.address).unwrap();
    gone.write_all(head.as_bytes()).unwrap();
    gone.write_all(b"{").unwrap();
    gone.shutdown(std::net::Shutdown::Write).unwrap();
    let _ = gone.read(&mut [0]);
    let metrics = eventually("the refusals are counted", || {
        let text = daemon.control(&Call::get("/metrics")).body;
        text.contains("stentor_alert_requests_total{api=\"native\",outcome=\"refused\"} 2").then_some(text)
    });
    assert!(metrics.contains("stentor_alert_requests_total{api=\"native\",outcome=\"accepted\"} 1"), "{metrics}");
    assert!(!daemon.log().contains("panicked"), "{}", daemon.log());
}

#[test]
fn a_source_beyond_its_quota_waits_at_both_doors_and_no_other_does() {
    let matrix = DESK.replace("[source.plain]\n", "[source.plain]\nopenings_per_minute = 2\n");
    let daemon = sandboxed_on(&matrix);
    let from = |source: &str, symbol: &str| {
        let alert = json!({ "kind": "price_velocity", "labels": { "symbol": symbol }, "values": { "drop_pct": 6.2 } });
        Call::post("/v1/alerts").bearer(secret(source)).json(&alert).send(daemon.address)
    };
    for symbol in ["A", "B"] {
        assert_eq!(from("PLAIN_TOKEN", symbol).status, 202);
    }
    let refused = from("PLAIN_TOKEN", "C");
    check_problem(&refused, 429, "source plain may open 2 in a minute (openings_per_minute of [source.plain])");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{refused:?}");
    let told = refused.json()["alerts"][0].clone();
    assert_eq!((&told["status"], &told["results"][0]["result"]), (&json!(429), &json!("over-quota")), "{told}");
    let news =
        json!([{ "labels": { "alertname": "price_velocity", "symbol": "C" }, "annotations": { "drop_pct": "6.2" } }]);
    let elsewhere = Call::post("/api/v2/alerts").bearer(secret("PLAIN_TOKEN")).json(&news).send(daemon.address);
    assert_eq!((elsewhere.status, elsewhere.header("retry-after").is_some()), (429, true), "{elsewhere:?}");
    // What is open goes on: repeats and all-clears open nothing, and are kept beside one that is refused.
    assert_eq!(from("PLAIN_TOKEN", "A").status, 202);
    let alert = |symbol: &str, status: &str| {
        json!({
            "kind": "price_velocity", "status": status, "labels": { "symbol": symbol }, "values": { "drop_pct": 6.2 }
        })
    };
    let mixed = json!([alert("B", "resolved"), alert("E", "firing")]);
    let mixed = Call::post("/v1/alerts").bearer(secret("PLAIN_TOKEN")).json(&mixed).send(daemon.address);
    check_problem(&mixed, 429, "1 of 2 alerts were refused");
    assert_eq!(mixed.json()["alerts"][0]["results"][0]["result"], "cleared", "{mixed:?}");
    // What one request opens counts within it.
    let within = DESK.replace("[source.plain]\n", "[source.plain]\nopenings_per_minute = 1\n");
    let within = sandboxed_on(&within);
    let three = json!([alert("A", "firing"), alert("B", "firing"), alert("A", "firing")]);
    let told = Call::post("/v1/alerts").bearer(secret("PLAIN_TOKEN")).json(&three).send(within.address);
    check_problem(&told, 429, "1 of 3 alerts were refused");
    let results: Vec<String> = told.json()["alerts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|told| told["results"][0]["result"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(results, ["opened", "over-quota", "joined"], "{told:?}");
    // It is seen by those who may read more than counts.
    let ready = daemon.control(&Call::get("/readyz"));
    assert!(ready.body.contains("[source.plain]"), "{}", ready.body);
    let public = Call::get("/readyz").send(daemon.address);
    assert!(public.status == 200 && !public.body.contains("plain"), "{public:?}");
    let metrics = daemon.control(&Call::get("/metrics")).body;
    assert!(
        metrics.contains("stentor_alert_results_total{source=\"plain\",result=\"over-quota\",drill=\"false\"} 3"),
        "{metrics}"
    );
    assert_eq!(from("MONITOR_TOKEN", "D").status, 202, "another source goes on");
    assert_eq!(daemon.log().matches("openings_per_minute").count(), 1, "{}", daemon.log());
}

/// Who sends may not look at the response: the log says once that elements are refused, with their count.
#[test]
fn elements_that_are_refused_are_one_line_of_the_log_at_each_door() {
    let daemon = sandboxed();
    let good = alert();
    let native = json!([good, { "kind": "" }, { "labels": {} }, good]);
    let peer = json!([{ "labels": { "alertname": "weather" } }, { "labels": {} }, 7, { "labels": { "": "x" } }]);
    for _ in 0..3 {
        assert_eq!(alerts(&daemon, native.to_string()).status, 207);
        let told = Call::post("/api/v2/alerts").bearer(secret("MONITOR_TOKEN")).json(&peer).send(daemon.address);
        assert_eq!(told.status, 400, "{told:?}");
    }
    let log = daemon.log();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("alerts of a request were refused")).collect();
    assert_eq!(lines.len(), 2, "{log}");
    for (api, refused) in [("native", "refused=2"), ("alertmanager", "refused=3")] {
        let is_it = |line: &&&str| line.contains(api) && line.contains(refused) && line.contains("of=4");
        assert_eq!(lines.iter().filter(is_it).count(), 1, "{lines:?}");
    }
}
