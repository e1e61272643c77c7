//! The API's document, and whether real answers are what it says.

use super::{
    common::Daemon,
    house::{DESK, secret, setup},
    wire::{Call, Reply},
};
use jsonschema::Validator;
use serde_json::{Value, json};

/// A source that may read, and may open one incident in a minute.
const MORE: &str = r#"
[source.reader]
token  = { env = "READER_TOKEN" }
scopes = ["alerts", "read"]
openings_per_minute = 1
"#;

const READER: &str = "reader-token-1f0c";

fn daemon() -> Daemon {
    setup(&format!("{DESK}{MORE}")).env("READER_TOKEN", READER).arg("--sandbox").start()
}

/// The document of a daemon, where every field of an answer must be described.
struct Document(Value);

impl Document {
    fn of(daemon: &Daemon) -> Self {
        let reply = Call::get("/v1/openapi.json").send(daemon.address);
        assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")), "{reply:?}");
        let mut document = reply.json();
        close(&mut document["components"]["schemas"]);
        Self(document)
    }

    /// What it says of a status of an operation.
    fn answer(&self, route: &str, status: u16) -> &Value {
        let (method, path) = route.split_once(' ').unwrap();
        let answer = &self.0["paths"][path][method.to_lowercase()]["responses"][status.to_string()];
        assert!(answer.is_object(), "{route} does not say that it answers {status}");
        answer
    }

    fn validator(&self, schema: &Value) -> Validator {
        let mut root = schema.clone();
        root["components"] = self.0["components"].clone();
        jsonschema::options().should_validate_formats(true).build(&root).unwrap()
    }

    /// The media type, the headers and the body are what is said of this answer.
    fn check(&self, route: &str, status: u16, reply: &Reply) -> Value {
        assert_eq!(reply.status, status, "{route}: {reply:?}");
        let answer = self.answer(route, status);
        let media = reply.header("content-type").unwrap_or_default();
        let schema = &answer["content"][media]["schema"];
        assert!(schema.is_object(), "{route} {status} is {media}: {answer}");
        for (name, header) in answer["headers"].as_object().into_iter().flatten() {
            let value = reply.header(&name.to_lowercase());
            assert!(value.is_some() || header["required"] == false, "{route} {status} has no {name}");
            let is_right =
                header["schema"]["type"] != "integer" || value.is_none_or(|text| text.parse::<u64>().is_ok());
            assert!(is_right, "{route} {status}: {name}: {value:?}");
        }
        let body = reply.json();
        let wrong: Vec<String> = self
            .validator(schema)
            .iter_errors(&body)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{route} {status}: {wrong:#?}\n{body:#}");
        body
    }
}

/// A field that is not described is a fault here.
fn close(schema: &mut Value) {
    if let Some(fields) = schema.as_object_mut() {
        fields.values_mut().for_each(close);
        if fields.get("properties").is_some_and(Value::is_object) && !fields.contains_key("additionalProperties") {
            fields.insert("unevaluatedProperties".into(), false.into());
        }
    } else if let Some(items) = schema.as_array_mut() {
        items.iter_mut().for_each(close);
    }
}

fn get(daemon: &Daemon, path: &str) -> Reply {
    Call::get(path).bearer(READER).send(daemon.address)
}

fn crash(symbol: &str) -> Value {
    json!({ "kind": "price_velocity", "labels": { "symbol": symbol }, "values": { "drop_pct": 7.5 } })
}

#[test]
fn alerts_that_are_shown_are_what_the_document_says() {
    let daemon = daemon();
    let document = Document::of(&daemon);
    assert_eq!(daemon.crash("ES"), "INC-1");
    for path in ["/api/v2/alerts", "/api/v2/alerts/groups", "/api/v2/receivers", "/api/v2/status"] {
        let route = format!("GET {path}");
        let told = document.check(&route, 200, &get(&daemon, path));
        assert!(told != json!([]), "{path} shows something");
        if path != "/api/v2/status" {
            document.check(&route, 401, &Call::get(path).send(daemon.address));
        }
    }
    let list = "GET /api/v2/alerts";
    document.check(list, 400, &get(&daemon, "/api/v2/alerts?filter=x"));
    document.check(list, 422, &get(&daemon, "/api/v2/alerts?active=x"));
}

#[test]
fn answers_to_alerts_are_what_the_document_says() {
    let daemon = daemon();
    let document = Document::of(&daemon);
    let post = |body: Value| Call::post("/v1/alerts").bearer(secret("MONITOR_TOKEN")).json(&body).send(daemon.address);
    let route = "POST /v1/alerts";
    let told = document.check(route, 202, &post(json!([crash("ES"), { "kind": "weather", "severity": 1 }])));
    assert_eq!(told["alerts"][0]["results"][0]["result"], "opened");
    assert_eq!(told["alerts"][1]["warnings"].as_array().map(Vec::len), Some(1), "{told}");
    document.check(route, 202, &post(json!([])));
    let told = document.check(route, 207, &post(json!([crash("ES"), { "kind": 7 }])));
    assert_eq!(told["alerts"][0]["results"][0]["result"], "joined");
    let told = document.check(route, 400, &post(json!([{}, 7])));
    assert_eq!(told["errors"].as_array().map(Vec::len), Some(2), "{told}");
    document.check(route, 400, &post(json!("text")));
    document.check(route, 401, &Call::post("/v1/alerts").json(&crash("ES")).send(daemon.address));
    let drill = json!({ "kind": "price_velocity", "drill": true });
    document.check(route, 403, &Call::post("/v1/alerts").bearer(READER).json(&drill).send(daemon.address));
    let from_reader = |symbol| Call::post("/v1/alerts").bearer(READER).json(&crash(symbol)).send(daemon.address);
    document.check(route, 202, &from_reader("NQ"));
    let told = document.check(route, 429, &from_reader("YM"));
    assert_eq!(told["alerts"][0]["results"][0]["result"], "over-quota");
}

#[test]
fn incidents_and_reports_are_what_the_document_says() {
    let daemon = daemon();
    let document = Document::of(&daemon);
    let told = document.check("GET /v1/incidents/newest", 200, &get(&daemon, "/v1/incidents/newest"));
    assert_eq!(told, json!({ "incident": null }));
    let (first, second) = (daemon.crash("ES"), daemon.crash("NQ"));
    daemon.held(&first, "ana", "sms");
    let told = document.check("GET /v1/incidents/newest", 200, &get(&daemon, "/v1/incidents/newest"));
    assert_eq!(told["incident"], json!(second));
    daemon.json(&["resolve", &first, "--outcome", "false", "--note", "a fat finger"]);
    let route = "GET /v1/incidents/{id}";
    let told = document.check(route, 200, &get(&daemon, &format!("/v1/incidents/{first}")));
    assert_eq!((&told["status"], &told["outcome"]["finding"]), (&json!("resolved"), &json!("false")));
    assert!(told["pages"].as_array().is_some_and(|pages| !pages.is_empty()), "{told}");
    document.check(route, 200, &get(&daemon, &format!("/v1/incidents/{second}?pages_after=0")));
    document.check(route, 400, &get(&daemon, "/v1/incidents/+1"));
    document.check(route, 400, &get(&daemon, "/v1/incidents/INC-1?pages_after=x"));
    document.check(route, 404, &get(&daemon, "/v1/incidents/INC-99"));
    let told = document.check("GET /v1/incidents", 200, &get(&daemon, "/v1/incidents?all=true&limit=1"));
    assert_eq!(told.as_array().map(Vec::len), Some(1));
    for limit in ["many", "-1", "4294967296"] {
        document.check("GET /v1/incidents", 400, &get(&daemon, &format!("/v1/incidents?limit={limit}")));
    }
    document.check("GET /v1/incidents", 200, &get(&daemon, "/v1/incidents?limit=4294967295"));
    document.check("GET /v1/incidents", 401, &Call::get("/v1/incidents").send(daemon.address));
    let monitor = Call::get("/v1/incidents").bearer(secret("MONITOR_TOKEN")).send(daemon.address);
    document.check("GET /v1/incidents", 403, &monitor);
    let told = document.check("GET /v1/sources", 200, &get(&daemon, "/v1/sources"));
    assert!(told["sources"].as_array().is_some_and(|sources| !sources.is_empty()), "{told}");
    for by in ["role", "step", "channel", "hour"] {
        let path = format!("/v1/report/tte?sandbox=true&curves=true&since=1d&by={by}");
        document.check("GET /v1/report/tte", 200, &get(&daemon, &path));
    }
    document.check("GET /v1/report/tte", 400, &get(&daemon, "/v1/report/tte?by=luck"));
    let told = document.check("GET /v1/report/triggers", 200, &get(&daemon, "/v1/report/triggers"));
    assert_eq!(told["triggers"][0]["outcomes"], json!({ "false": 1 }));
    document.check("GET /v1/report/triggers", 400, &get(&daemon, "/v1/report/triggers?since=soon"));
}

#[test]
fn an_answer_that_is_not_described_is_found() {
    let daemon = daemon();
    let document = Document::of(&daemon);
    let answer = document.answer("GET /v1/incidents/newest", 200);
    let validator = document.validator(&answer["content"]["application/json"]["schema"]);
    assert!(validator.is_valid(&json!({ "incident": "INC-1" })));
    for wrong in
        [json!({}), json!({ "incident": 1 }), json!({ "incident": "one" }), json!({ "incident": null, "x": 1 })]
    {
        assert!(!validator.is_valid(&wrong), "{wrong}");
    }
    // What clients send is described, too.
    let body = &document.0["paths"]["/v1/alerts"]["post"]["requestBody"]["content"]["application/json"]["schema"];
    let validator = document.validator(body);
    assert!(validator.is_valid(&crash("ES")) && validator.is_valid(&json!([crash("ES"), { "kind": "k", "mine": [] }])));
    for wrong in [json!({}), json!({ "kind": " " }), json!([7]), json!({ "kind": "k", "drill": 1 }), json!("text")] {
        assert!(!validator.is_valid(&wrong), "{wrong}");
    }
}
