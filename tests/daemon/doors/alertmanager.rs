//! `POST /api/v2/alerts`, field by field as Alertmanager answers.

use super::{
    common::Daemon,
    house::{DESK, sandboxed, sandboxed_on, secret},
    wire::{Call, Reply},
};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

fn call(body: impl Into<Vec<u8>>) -> Call {
    let call = Call::post("/api/v2/alerts").bearer(secret("MONITOR_TOKEN"));
    call.header("Content-Type", "application/json").body(body)
}

fn post(daemon: &Daemon, alerts: &Value) -> Reply {
    call(alerts.to_string()).send(daemon.address)
}

fn ago(seconds: i64) -> String {
    // The wall clock, as a monitor's own.
    (Utc::now() - TimeDelta::seconds(seconds)).to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// What a refusal looks like: a JSON string for what an alert says, an object for how it says it.
enum Says {
    Nothing,
    Text(&'static str),
    Code(u16, &'static str),
}

fn check(what: &str, reply: &Reply, status: u16, says: &Says) {
    assert_eq!(reply.status, status, "{what}: {reply:?}");
    let kind = reply.header("content-type");
    match says {
        Says::Nothing => {
            assert_eq!((reply.body.as_str(), reply.header("content-length")), ("", Some("0")), "{what}: {reply:?}");
        }
        Says::Text(text) => assert_eq!((reply.json(), kind), (json!(text), Some("application/json")), "{what}"),
        Says::Code(code, message) => {
            let body = reply.json();
            assert_eq!((&body["code"], kind), (&json!(code), Some("application/json")), "{what}: {body}");
            let told = body["message"].as_str().unwrap();
            assert!(told.starts_with(message), "{what}: {told:?} is not {message:?}..");
            assert_eq!(body.as_object().unwrap().len(), 2, "{what}: {body}");
        }
    }
}

#[test]
fn every_answer_is_alertmanagers() {
    use Says::{Code, Nothing, Text};
    const UNPARSABLE: Says = Code(400, "parsing alerts body from \"\" failed, because ");
    let daemon = sandboxed();
    let one = |rest: &str| format!(r#"[{{"labels":{{"alertname":"x"}}{rest}}}]"#);
    let table: Vec<(&str, String, u16, Says)> = vec![
        ("an empty array", "[]".into(), 200, Nothing),
        ("one alert", one(""), 200, Nothing),
        ("unknown fields", one(r#","severity":{"a":[1]}"#), 200, Nothing),
        ("no alertname", r#"[{"labels":{"a":"b"}}]"#.into(), 200, Nothing),
        ("keys in any case", r#"[{"LABELS":{"alertname":"x"},"startsat":null,"ENDSAT":null}]"#.into(), 200, Nothing),
        ("UTF-8 label names, as from 0.27", r#"[{"labels":{"a-b é":"c"}}]"#.into(), 200, Nothing),
        ("an empty value is dropped", r#"[{"labels":{"alertname":"x","a":""}}]"#.into(), 200, Nothing),
        ("an empty generatorURL", one(r#","generatorURL":"""#), 200, Nothing),
        ("a null generatorURL", one(r#","generatorURL":null"#), 200, Nothing),
        ("null annotations", one(r#","annotations":null"#), 200, Nothing),
        ("no labels", "[{}]".into(), 422, Code(602, "0.labels in body is required")),
        (
            "no labels in the second",
            r#"[{"labels":{"a":"b"}},{"annotations":{}}]"#.into(),
            422,
            Code(602, "1.labels in body is required"),
        ),
        ("empty labels", r#"[{"labels":{}}]"#.into(), 400, Text("at least one label pair required")),
        ("only empty values", r#"[{"labels":{"a":""}}]"#.into(), 400, Text("at least one label pair required")),
        ("an empty name", r#"[{"labels":{"":"x"}}]"#.into(), 400, Text("invalid label set: invalid name \"\"")),
        (
            "the end before the start",
            one(r#","startsAt":"2026-01-02T00:00:00Z","endsAt":"2026-01-01T00:00:00Z""#),
            400,
            Text("start time must be before end time"),
        ),
        (
            "a generatorURL that is none",
            one(r#","generatorURL":"not a url""#),
            422,
            Code(601, "0.generatorURL in body must be of type uri: \"not a url\""),
        ),
        ("malformed JSON", "[{".into(), 400, UNPARSABLE),
        ("an object in place of the array", r#"{"labels":{"a":"b"}}"#.into(), 400, UNPARSABLE),
        ("a label that is no text", r#"[{"labels":{"a":1}}]"#.into(), 200, Nothing),
        ("a label that is null", r#"[{"labels":{"alertname":"x","a":null}}]"#.into(), 200, Nothing),
        (
            "only labels that are null",
            r#"[{"labels":{"a":null}}]"#.into(),
            400,
            Text("at least one label pair required"),
        ),
        ("an annotation that is null", one(r#","annotations":{"a":null}"#), 200, Nothing),
        ("half an emoji", one(r#","annotations":{"a":"\ud83d"}"#), 200, Nothing),
        ("what follows the array", one("") + "\n[]", 200, Nothing),
        ("what follows the array and is no JSON", one("") + "}", 200, Nothing),
        ("an array without its end", one("").trim_end_matches(']').to_owned(), 400, UNPARSABLE),
        ("labels that are no object", r#"[{"labels":["a"]}]"#.into(), 400, UNPARSABLE),
        ("annotations that are no object", one(r#","annotations":"x""#), 400, UNPARSABLE),
        ("a time that is none", one(r#","startsAt":"tomorrow""#), 400, UNPARSABLE),
        ("a time that is a number", one(r#","endsAt":7"#), 400, UNPARSABLE),
        ("a generatorURL that is no text", one(r#","generatorURL":7"#), 400, UNPARSABLE),
        ("an element that is no object", "[7]".into(), 400, UNPARSABLE),
        ("what can not be read goes before what is missing", r#"[{},{"labels":1}]"#.into(), 400, UNPARSABLE),
        ("no body", String::new(), 422, Code(602, "alerts in body is required")),
        ("white space", " \n".into(), 422, Code(602, "alerts in body is required")),
    ];
    for (what, body, status, says) in &table {
        check(what, &call(body.as_str()).send(daemon.address), *status, says);
    }
}

#[test]
fn media_types_methods_paths_and_credentials_are_answered_as_alertmanager_does() {
    use Says::{Code, Nothing};
    let daemon = sandboxed();
    let typed = |media: Option<&str>| {
        let call = Call::post("/api/v2/alerts").bearer(secret("MONITOR_TOKEN")).body("[]");
        media.map_or(call.clone(), |media| call.header("Content-Type", media)).send(daemon.address)
    };
    for media in ["application/json", "application/json; charset=utf-8", "Application/JSON"] {
        check(media, &typed(Some(media)), 200, &Nothing);
    }
    check("none", &typed(None), 415, &Code(415, "unsupported media type \"\", only [application/json] are allowed"));
    let text = "unsupported media type \"text/plain\", only [application/json] are allowed";
    check("text", &typed(Some("text/plain")), 415, &Code(415, text));

    for method in ["PATCH", "DELETE", "PUT"] {
        let reply = Call::new(method, "/api/v2/alerts").bearer(secret("MONITOR_TOKEN")).send(daemon.address);
        let message = format!("method {method} is not allowed, but [POST,GET] are");
        assert_eq!((reply.status, reply.header("allow")), (405, Some("POST,GET")), "{reply:?}");
        assert_eq!(reply.json(), json!({ "code": 405, "message": message }));
    }
    let nope = Call::get("/api/v2/nope").send(daemon.address);
    check("an unknown path", &nope, 404, &Code(404, "path /api/v2/nope was not found"));

    let stranger = Call::post("/api/v2/alerts").bearer("not-it").json(&json!([])).send(daemon.address);
    check("a stranger", &stranger, 401, &Code(401, "no source"));
    assert!(stranger.header("www-authenticate").is_some(), "{stranger:?}");
    let basic = call("[]").header("Accept-Encoding", "gzip").send(daemon.address);
    check("a plain client", &basic, 200, &Nothing);
    let big = call(format!("[{}]", " ".repeat(16 * 1024 * 1024))).send(daemon.address);
    check("a body beyond the limit", &big, 413, &Code(413, "the body is larger than"));
    for path in ["/-/healthy", "/-/ready"] {
        assert_eq!((Call::get(path).send(daemon.address).body.as_str()), "OK", "{path}");
        assert_eq!(Call::new("HEAD", path).send(daemon.address).status, 200, "{path}");
    }
}

#[test]
fn the_status_is_one_that_amtool_can_read() {
    let daemon = sandboxed();
    let status = Call::get("/api/v2/status").send(daemon.address).json();
    assert_eq!(status["cluster"], json!({ "status": "disabled", "peers": [] }));
    for field in ["version", "revision", "branch", "buildUser", "buildDate", "goVersion"] {
        assert!(status["versionInfo"][field].is_string(), "{field}: {status}");
    }
    assert!(status["config"]["original"].as_str().unwrap().contains("receiver"), "{status}");
    let uptime = status["uptime"].as_str().unwrap();
    assert!(DateTime::parse_from_rfc3339(uptime).is_ok() && uptime.len() == 24, "{uptime}");
}

#[test]
fn the_good_alerts_of_a_batch_are_kept_though_a_sibling_is_refused() {
    let daemon = sandboxed();
    let batch = json!([
        { "labels": { "alertname": "HostDown", "instance": "a" } },
        { "labels": {} },
        { "labels": { "alertname": "HostDown", "instance": "b" } },
    ]);
    check("a batch", &post(&daemon, &batch), 400, &Says::Text("at least one label pair required"));
    assert_eq!(daemon.incidents().len(), 2);
}

#[test]
fn whatever_one_element_is_its_siblings_are_kept() {
    let daemon = sandboxed();
    let bad: [(&[u8], u16); 12] = [
        (br#"{"labels":7}"#, 400),
        (br#"{"labels":{"alertname":"x"},"startsAt":"tomorrow"}"#, 400),
        (br#"{"annotations":{}}"#, 422),
        (br#"{"labels":{"alertname":"x"},"generatorURL":"not a url"}"#, 422),
        (br#"{"labels":{"alertname" "x"}}"#, 400),
        (b"7", 400),
        (b"nonsense", 400),
        (b"", 200),
        (b"{\"labels\":{\"alertname\":\"weather\",\"instance\":\"caf\xe9\"}}", 200),
        (br#"{"labels":{"alertname":"weather","a":"\udc4d"},"annotations":{"a":null,"b":7,"c":NaN}}"#, 200),
        (b"{\"labels\":{\"alertname\":\"weather\"},\"annotations\":{\"a\":\"two\nlines\"}}", 200),
        (br#"{"labels":{"alertname":"weather"},"annotations":{"a":1e999}}"#, 200),
    ];
    for (n, (bad, status)) in bad.iter().enumerate() {
        let good = |side: &str| host(&format!("{side} {n}"), None)[0].to_string().into_bytes();
        let body = [b"[", &good("before")[..], b",", bad, b",", &good("behind"), b"]"].concat();
        let reply = call(body).send(daemon.address);
        assert_eq!(reply.status, *status, "{}: {reply:?}", String::from_utf8_lossy(bad));
        assert_eq!(daemon.incidents().len(), 2 * (n + 1), "{}", String::from_utf8_lossy(bad));
    }
    // Nor does the end of the body, once they are complete.
    let cut = [b"[", host("cut off", None)[0].to_string().as_bytes(), b",{\"labels\":{\"alert"].concat();
    assert_eq!(call(cut).send(daemon.address).status, 400);
    assert_eq!(daemon.incidents().len(), 2 * bad.len() + 1);
}

#[test]
fn what_is_no_text_is_kept_as_it_was_written() {
    let daemon = sandboxed();
    let body = b"[{\"labels\":{\"alertname\":\"weather\",\"port\":8080,\"up\":false,\"town\":\"M\xfcnchen\"},\
        \"annotations\":{\"half\":\"a\\ud83d\",\"version\":1.10,\"none\":null,\"nan\":NaN}}]";
    assert_eq!(call(&body[..]).send(daemon.address).status, 200);
    let kept = kept(&daemon);
    let labels = json!({ "alertname": "weather", "port": "8080", "up": "false", "town": "M\u{fffd}nchen" });
    assert_eq!(kept["labels"], labels);
    let annotations = json!({ "half": "a\u{fffd}", "version": "1.10", "none": "", "nan": "NaN" });
    assert_eq!((&kept["annotations"], &kept["values"]), (&annotations, &json!({ "version": 1.1 })));
}

#[test]
fn a_number_with_its_unit_is_one_to_the_condition() {
    let daemon = sandboxed();
    // The same rule on four hosts, as `humanize` and its kin write the number.
    for (n, written) in ["6.1%", "6.2k", " 6.3 % ", "6.4Ki"].iter().enumerate() {
        let labels = json!({ "alertname": "price_velocity", "symbol": format!("S{n}") });
        let alert = json!([{ "labels": labels, "annotations": { "drop_pct": written } }]);
        assert_eq!(post(&daemon, &alert).status, 200);
        let kept = kept(&daemon);
        assert_eq!(kept["annotations"]["drop_pct"], *written);
        let number = [6.1, 6200.0, 6.3, 6553.6][n];
        assert_eq!(kept["values"]["drop_pct"], number, "{written}");
        let newest = daemon.incidents()[0].clone();
        assert_eq!(newest["trigger"], daemon.incidents()[n]["trigger"], "none of them is the catch-all's: {newest}");
        assert_eq!(daemon.incidents().len(), n + 1, "each host has an incident of its own");
    }
    let failed = daemon.control(&Call::get("/v1/journal")).body;
    assert!(!failed.contains("can not be evaluated"), "{failed}");
}

/// The newest journal line about an alert, as the alert that was kept.
fn kept(daemon: &Daemon) -> Value {
    let lines = daemon.control(&Call::get("/v1/journal")).json();
    let bodies = lines.as_array().unwrap().iter().filter_map(|line| line["body"].as_str());
    let parsed = bodies.filter_map(|body| serde_json::from_str::<Value>(body).ok());
    parsed.filter_map(|body| alert_in(&body)).next_back().unwrap()
}

fn alert_in(value: &Value) -> Option<Value> {
    let Value::Object(fields) = value else { return None };
    fields.get("alert").cloned().or_else(|| fields.values().find_map(alert_in))
}

#[test]
fn what_is_kept_of_an_alert_is_what_it_says() {
    let daemon = sandboxed();
    let starts_at = ago(30);
    let alert = json!([{
        "labels": { "alertname": "Numbers", "empty": "", "service": "s" },
        "annotations": {
            "summary": "it is full", "drop_pct": " 7.5 ", "negative": "-1e3", "word": "7 of 9", "percent": "7 %", "free_gb": "5G", "free_ratio": "6.1%", "loss_usd": "6.1%", "nan": "NaN", "inf": "inf",
        },
        "startsAt": starts_at,
        "generatorURL": "http://prometheus.example/graph?g0.expr=up",
    }]);
    assert_eq!(post(&daemon, &alert).status, 200);
    let kept = kept(&daemon);
    assert_eq!(kept["source"], "monitor");
    assert_eq!(kept["kind"], "Numbers");
    assert_eq!(kept["summary"], "it is full");
    assert_eq!(kept["labels"], json!({ "alertname": "Numbers", "service": "s" }));
    assert_eq!(
        kept["values"],
        json!({ "drop_pct": 7.5, "negative": -1000.0, "percent": 7.0, "free_gb": 5.0, "free_ratio": 0.061 })
    );
    assert_eq!(kept["annotations"]["drop_pct"], " 7.5 ");
    assert_eq!(kept["evidence"]["generatorURL"], "http://prometheus.example/graph?g0.expr=up");
    assert_eq!(instant(&kept["starts_at"]), instant(&json!(starts_at)));
    assert_eq!(kept.get("lease_until"), None, "no endsAt, no lease");
}

fn instant(value: &Value) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(value.as_str().unwrap()).unwrap().to_utc()
}

#[test]
fn times_are_read_as_leniently_as_alertmanager_reads_them() {
    let daemon = sandboxed();
    for (written, meant) in [
        ("2026-03-01T10:20:30Z", "2026-03-01T10:20:30Z"),
        ("2026-03-01T10:20:30.123456789Z", "2026-03-01T10:20:30.123456Z"),
        ("2026-03-01T10:20:30+02:00", "2026-03-01T08:20:30Z"),
        ("2026-03-01T10:20:30.5+0200", "2026-03-01T08:20:30.5Z"),
        ("2026-03-01T10:20:30", "2026-03-01T10:20:30Z"),
        ("2026-03-01T10:20:30.25", "2026-03-01T10:20:30.25Z"),
        ("2026-03-01T10:20Z", "2026-03-01T10:20:00Z"),
        ("2026-03-01 10:20:30", "2026-03-01T10:20:30Z"),
        ("2026-03-01", "2026-03-01T00:00:00Z"),
        ("", "1970-01-01T00:00:00Z"),
    ] {
        // The first of each kind is in the journal, though no trigger takes it.
        let kind = format!("weather of {written}");
        let alert = json!([{ "labels": { "alertname": kind }, "startsAt": written }]);
        assert_eq!(post(&daemon, &alert).status, 200, "{written}");
        assert_eq!(instant(&kept(&daemon)["starts_at"]), instant(&json!(meant)), "{written}");
    }
    // Year 1 is "not set", whatever its fraction: neither a start long ago nor an end.
    for zero in ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"] {
        let labels = json!({ "alertname": "DiskFull", "service": zero });
        let alert = json!([{ "labels": labels, "startsAt": zero, "endsAt": zero }]);
        assert_eq!(post(&daemon, &alert).status, 200);
        let kept = kept(&daemon);
        assert!((Utc::now() - instant(&kept["starts_at"])).num_seconds() < 60, "{kept}");
        assert_eq!((&kept["status"], kept.get("lease_until")), (&json!("firing"), None));
    }
}

#[test]
fn an_alert_with_a_time_beyond_all_that_can_be_kept_is_taken_in_and_can_be_read_back() {
    let mut daemon = sandboxed();
    let far = [
        "9999-12-31T23:59:59.999999",
        "9999-12-31T23:59:59.999999999Z",
        "9999-12-31T23:59:59-12:00",
        "9999-12-31T23:59:60Z",
        "+292278994-08-17T07:12:55.807Z",
        "10000-01-01T00:00:00+14:00",
    ];
    let early = ["0000-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "-0044-03-15T12:00:00Z", "0001-01-01 00:00:00"];
    let mut sent = 0;
    for time in far.into_iter().chain(early) {
        for (starts_at, ends_at) in
            [(Some(time), None), (None, Some(time)), (Some(time), Some(time)), (Some(time), Some("in 5"))]
        {
            let ends_at = ends_at.map(|text| if text == "in 5" { ago(-300) } else { text.to_owned() });
            let labels = json!({ "alertname": "DiskFull", "service": format!("{sent}") });
            let batch = json!([
                { "labels": labels, "startsAt": starts_at, "endsAt": ends_at },
                { "labels": { "alertname": "DiskFull", "service": format!("beside {sent}") }, "endsAt": ago(-300) },
            ]);
            assert_eq!(post(&daemon, &batch).status, 200, "{batch}");
            let kept = kept_of(&daemon, 2 * sent + 1);
            assert_eq!(kept["status"], "firing", "{batch} became {kept}");
            let began = instant(&kept["starts_at"]);
            assert!((Utc::now() - began).num_seconds().abs() < 60, "a beginning that nobody can know is now: {kept}");
            let lease = kept.get("lease_until").map(|until| until.as_str().unwrap().to_owned());
            match ends_at {
                // By Stentor's clock, which the system's may be beside.
                Some(end) if far.contains(&&*end) => {
                    assert!(lease.as_deref().is_some_and(|until| "9998-12-31T23:59" < until), "{lease:?}");
                }
                Some(end) if early.contains(&&*end) => assert_eq!(lease, None, "not set"),
                Some(_) => assert!(lease.is_some()),
                None => assert_eq!(lease, None),
            }
            sent += 1;
        }
    }
    daemon.kill();
    daemon.restart();
    let listed: Vec<Value> = daemon.json(&["incidents", "--limit", "500"]).as_array().unwrap().clone();
    assert_eq!(listed.len(), 2 * sent, "each is there after a restart");
    assert_eq!(post(&daemon, &json!([{ "labels": { "alertname": "DiskFull", "service": "0" } }])).status, 200);
    assert_eq!(daemon.incident("INC-1")["alerts"], 2, "and joined by the next");
    assert!(daemon.cli(&["resolve", "INC-1"]).status.success());
}

/// The alert that opened this incident, as the journal has it.
fn kept_of(daemon: &Daemon, incident: usize) -> Value {
    let lines = daemon.control(&Call::get(&format!("/v1/journal?chain=INC-{incident}"))).json();
    let body: Value = serde_json::from_str(lines[0]["body"].as_str().unwrap()).unwrap();
    alert_in(&body).unwrap()
}

fn host(instance: &str, ends_at: Option<String>) -> Value {
    let mut alert = json!({ "labels": { "alertname": "HostDown", "instance": instance }, "startsAt": ago(60) });
    if let Some(ends_at) = ends_at {
        alert["endsAt"] = json!(ends_at);
    }
    json!([alert])
}

#[test]
fn repeats_join_an_end_resolves_once_and_firing_again_is_a_new_incident() {
    let daemon = sandboxed();
    let statuses = || -> Vec<(String, String, u64)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let row = |i: &Value| (text(&i["id"]), text(&i["status"]), i["alerts"].as_u64().unwrap());
        daemon.incidents().iter().rev().map(row).collect()
    };
    let row = |id: &str, status: &str, alerts| (id.to_owned(), status.to_owned(), alerts);
    for _ in 0..3 {
        assert_eq!(post(&daemon, &host("a", Some(ago(-240)))).status, 200);
    }
    assert_eq!(statuses(), [row("INC-1", "open", 3)]);
    for _ in 0..2 {
        assert_eq!(post(&daemon, &host("a", Some(ago(1)))).status, 200);
        assert_eq!(statuses(), [row("INC-1", "resolved", 3)], "the second time changes nothing");
    }
    assert_eq!(daemon.incident("INC-1")["resolved_by"], "monitor monitor");
    assert_eq!(post(&daemon, &host("a", None)).status, 200);
    assert_eq!(statuses(), [row("INC-1", "resolved", 3), row("INC-2", "open", 1)]);
    // An end for what never began opens nothing.
    assert_eq!(post(&daemon, &host("b", Some(ago(1)))).status, 200);
    assert_eq!(statuses().len(), 2);
}

#[test]
fn when_a_human_has_closed_it_resends_of_the_same_episode_call_nobody_and_a_new_one_does() {
    let daemon = sandboxed();
    let episode = host("a", None);
    assert_eq!(post(&daemon, &episode).status, 200);
    assert!(daemon.cli(&["resolve", "INC-1"]).status.success());
    for ends_at in [ago(-240), ago(-300)] {
        let mut resend = episode.clone();
        resend[0]["endsAt"] = json!(ends_at);
        assert_eq!(post(&daemon, &resend).status, 200);
    }
    assert_eq!(daemon.incidents().len(), 1, "the same labels and the same start are the same episode");
    let mut again = episode.clone();
    again[0]["startsAt"] = json!(ago(-1));
    assert_eq!(post(&daemon, &again).status, 200);
    assert_eq!(daemon.incidents().len(), 2);
}

#[test]
fn an_end_is_only_noted_where_the_matrix_wants_a_human_to_close() {
    let daemon = sandboxed();
    let incident = daemon.crash("ES");
    let labels = json!({ "alertname": "price_velocity", "symbol": "ES" });
    let over =
        json!([{ "labels": labels, "annotations": { "drop_pct": "7.5" }, "endsAt": ago(1), "startsAt": ago(9) }]);
    for _ in 0..2 {
        assert_eq!(post(&daemon, &over).status, 200);
    }
    let shown = daemon.incident(&incident);
    assert_eq!(shown["status"], "open");
    assert!(shown["all_clear_at"].is_string(), "{shown}");
    let journal = daemon.control(&Call::get(&format!("/v1/journal?chain={incident}"))).body;
    assert_eq!(journal.matches("all-clear").count(), 1, "{journal}");
}

#[test]
fn a_monitor_whose_word_lapses_is_silent_and_the_incident_stays_open() {
    let daemon = sandboxed();
    let soon = (Utc::now() + TimeDelta::milliseconds(700)).to_rfc3339_opts(SecondsFormat::Millis, true);
    assert_eq!(post(&daemon, &host("a", Some(soon))).status, 200);
    let silent = daemon.until("INC-1", "silent", |incident| incident["silent_since"].is_string());
    assert_eq!(silent["status"], "open");
    // It speaks again, and is not silent any more.
    assert_eq!(post(&daemon, &host("a", Some(ago(-600)))).status, 200);
    assert_eq!(daemon.incident("INC-1")["silent_since"], Value::Null);
}

/// A monitor whose clock is ten minutes slow: by our clock, each resend of a firing alert is over when it comes.
#[test]
fn firing_alerts_of_a_slow_clock_are_counted_in_the_log_and_by_the_doctor() {
    let daemon = sandboxed();
    let firing = |instance: &str, late| {
        let mut alert = host(instance, Some(ago(late)));
        alert[0]["startsAt"] = json!("2026-01-01T00:00:00Z");
        alert
    };
    for late in [400, 340, 280] {
        assert_eq!(post(&daemon, &firing("a", late)).status, 200);
    }
    let dated = Utc::now() - TimeDelta::seconds(600);
    let date = dated.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    assert_eq!(call(firing("b", 360).to_string()).header("Date", &date).send(daemon.address).status, 200);
    assert_eq!(daemon.incidents().len(), 0);
    let said = "firing alert(s) of source monitor were over by our clock when they came";
    let log = daemon.log();
    assert_eq!(log.matches(said).count(), 1, "{log}");
    let doctor = daemon.cli(&["doctor", "--json"]);
    let doctor = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(doctor.contains(&format!("3 {said}")) && doctor.contains("its clock is slow by 10m"), "{doctor}");
}

#[test]
fn what_prometheus_and_amtool_really_sent_opens_joins_and_resolves() {
    let daemon = sandboxed_on(&DESK.replace("resolved = \"note\"", "resolved = \"resolve\""));
    for line in include_str!("../../samples/prometheus-and-amtool.jsonl").lines() {
        let sample: Value = serde_json::from_str(line).unwrap();
        let mut body = sample["body"].clone();
        let sent_at = sample["t"].as_f64().unwrap();
        for alert in body.as_array_mut().unwrap() {
            for field in ["startsAt", "endsAt"] {
                moved(&mut alert[field], sent_at);
            }
        }
        assert_eq!(post(&daemon, &body).status, 200, "{body}");
    }
    let rows: Vec<(Value, Value, Value)> = daemon
        .incidents()
        .iter()
        .rev()
        .map(|incident| (incident["key"].clone(), incident["status"].clone(), incident["alerts"].clone()))
        .collect();
    let row = |key: &str, status: &str, alerts: u64| (json!(format!("anything/{key}")), json!(status), json!(alerts));
    let flips = row("searchFlipFlop", "resolved", 1);
    let expected = [row("DiskFull", "open", 1), row("checkoutAlwaysFiring", "open", 2), flips.clone(), flips];
    assert_eq!(rows, expected);
}

/// A recorded time as far from now as it was from when it was sent.
fn moved(time: &mut Value, sent_at: f64) {
    let then = instant(time);
    if then.timestamp() < 0 {
        return;
    }
    let after = TimeDelta::microseconds(then.timestamp_micros() - (sent_at * 1e6) as i64);
    *time = json!((Utc::now() + after).to_rfc3339_opts(SecondsFormat::Millis, true));
}

#[test]
fn a_batch_larger_than_any_prometheus_sends_is_kept_whole() {
    let daemon = sandboxed();
    let batch: Vec<Value> = (0..2500)
        .map(|n| json!({ "labels": { "alertname": "weather", "n": n.to_string(), "pad": "x".repeat(500) } }))
        .collect();
    assert_eq!(post(&daemon, &json!(batch)).status, 200);
    // No trigger takes them: the first few are in the journal, and all of them are counted.
    let lines = daemon.control(&Call::get("/v1/journal?after=0")).json();
    let lines = lines.as_array().unwrap().iter().filter(|line| line["body"].as_str().unwrap().contains("weather"));
    assert_eq!(lines.count(), 3);
    let metrics = daemon.control(&Call::get("/metrics")).body;
    let counted = "stentor_alert_results_total{source=\"monitor\",result=\"unmatched\",drill=\"false\"} 2500";
    assert!(metrics.contains(counted), "{metrics}");
}
