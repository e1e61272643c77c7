//! The API's document: it has every route under `/v1` on TCP, those that show alerts as Alertmanager does and no other, and
//! all that it points to is there.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use stentor::{
    core::Alert,
    http::{api::described_routes, tcp_routes},
};

fn document() -> Value {
    described_routes().document()
}

/// What axum says of itself: each method that a path is served for. It shows `routes: {RouteId(3): MethodRouter(..), ..}`,
/// and then `paths: {RouteId(3): "/v1/incidents", ..}`.
fn served() -> BTreeSet<String> {
    let told = format!("{:?}", tcp_routes());
    let told = told.split("fallback_router").next().unwrap();
    let (mut methods, mut paths) = (BTreeMap::new(), BTreeMap::new());
    for entry in told.split("RouteId(").skip(1) {
        let (id, entry) = entry.split_once("): ").unwrap();
        if let Some(path) = entry.strip_prefix('"') {
            paths.insert(id, path.split('"').next().unwrap());
        } else if let Some(route) = entry.strip_prefix("MethodRouter(MethodRouter { ") {
            let fields = route.split(", fallback:").next().unwrap().split(", ");
            let fields = fields.map(|field| field.split_once(": ").unwrap());
            methods.insert(id, fields.filter(|(_, handler)| *handler != "None").map(|(method, _)| method).collect());
        }
    }
    assert!(20 < paths.len() && paths.len() == methods.len(), "axum shows its routes in another way: {told}");
    let methods: BTreeMap<&str, Vec<&str>> = methods;
    paths.into_iter().flat_map(|(id, path)| methods[id].iter().map(move |method| format!("{method} {path}"))).collect()
}

/// Each operation of the document with its address.
fn described(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let operations = paths.flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, operation)| (format!("{method} {path}"), operation))
    });
    operations.collect()
}

#[test]
fn it_has_every_route_under_v1_on_tcp_those_that_show_alerts_as_alertmanager_does_and_no_other() {
    let served = served();
    for other in ["get /healthz", "post /api/v2/alerts", "post /desk/answer", "get /a/{token}", "post /a/{token}"] {
        assert!(served.contains(other), "axum shows its routes in another way: {other} is not in {served:?}");
    }
    let shows = ["alerts", "alerts/groups", "receivers", "status"].map(|name| format!("get /api/v2/{name}"));
    let is_told = |route: &String| route.contains(" /v1/") || shows.contains(route);
    let served: BTreeSet<String> = served.into_iter().filter(is_told).collect();
    let document = document();
    let told: BTreeSet<String> = described(&document).into_iter().map(|(address, _)| address).collect();
    assert_eq!(told, served);
    assert!(told.contains("post /v1/alerts") && told.contains("get /v1/openapi.json"), "{told:?}");
}

/// Every value in the document with this name, wherever it is.
fn all<'v>(value: &'v Value, name: &str, found: &mut Vec<&'v Value>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get(name));
            fields.values().for_each(|field| all(field, name, found));
        }
        Value::Array(items) => items.iter().for_each(|item| all(item, name, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_to_a_schema_and_every_schema_is_used() {
    let document = document();
    let mut references = Vec::new();
    all(&document, "$ref", &mut references);
    let references: BTreeSet<&str> = references.into_iter().map(|target| target.as_str().unwrap()).collect();
    for target in &references {
        let place = target.strip_prefix('#').unwrap();
        assert!(document.pointer(place).is_some(), "{target} leads nowhere");
    }
    let schemas = document["components"]["schemas"].as_object().unwrap();
    assert!(20 < schemas.len(), "{schemas:?}");
    let unused = schemas.keys().filter(|name| !references.contains(format!("#/components/schemas/{name}").as_str()));
    assert_eq!(unused.collect::<Vec<_>>(), Vec::<&String>::new(), "nobody refers to these");
}

#[test]
fn every_operation_says_what_it_does_and_what_it_answers() {
    let document = document();
    let mut ids = BTreeSet::new();
    for (address, operation) in described(&document) {
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{address}: its id is not its own");
        for text in ["operationId", "summary", "description"] {
            assert!(operation[text].as_str().is_some_and(|text| !text.is_empty()), "{address} has no {text}");
        }
        let answers = operation["responses"].as_object().unwrap();
        assert!(answers.keys().any(|status| status.starts_with('2')), "{address}: {answers:?}");
        for (status, answer) in answers {
            let media: Vec<&String> = answer["content"].as_object().unwrap().keys().collect();
            let own = match address.as_str() {
                "get /v1/keys" => "application/jwk-set+json",
                "get /v1/requests/{id}/events" => "text/event-stream",
                "get /v1/requests/{id}/receipt" => "application/jose",
                _ => "application/json",
            };
            // A panic is told in our own words everywhere.
            let is_ours = !address.contains("/api/v2/") || status == "500";
            let problem = if is_ours { "application/problem+json" } else { "application/json" };
            let expected = if status.starts_with('2') { own } else { problem };
            assert_eq!(media, [expected], "{address} {status}");
        }
        let is_open = operation["security"].as_array().unwrap().is_empty();
        assert_eq!(answers.contains_key("401"), !is_open, "{address}");
        assert_eq!(answers.contains_key("403"), !is_open, "{address}");
        let has_body = operation.get("requestBody").is_some();
        assert_eq!(answers.contains_key("413"), has_body, "{address}");
        let path = address.split_whitespace().last().unwrap();
        for parameter in operation["parameters"].as_array().unwrap() {
            let name = parameter["name"].as_str().unwrap();
            let is_in_path = path.contains(&format!("{{{name}}}"));
            assert_eq!(parameter["in"], if is_in_path { "path" } else { "query" }, "{address}: {name}");
        }
        let in_path = operation["parameters"].as_array().unwrap().iter().filter(|parameter| parameter["in"] == "path");
        assert_eq!(in_path.count(), path.matches('{').count(), "{address}");
    }
}

#[test]
fn descriptions_are_for_people_who_do_not_read_rust() {
    let document = document();
    let mut texts = Vec::new();
    all(&document, "description", &mut texts);
    for text in texts.into_iter().filter_map(Value::as_str) {
        for mark in ["`None`", "`Some", "[`", "::", "crate"] {
            assert!(!text.contains(mark), "{mark} is in {text:?}");
        }
    }
    let undescribed = document["components"]["schemas"].as_object().unwrap().iter().filter(|(_, schema)| {
        let fields = schema["properties"].as_object().into_iter().flatten();
        fields.into_iter().any(|(_, field)| field.get("description").is_none() && field.get("$ref").is_none())
    });
    assert_eq!(undescribed.map(|(name, _)| name).collect::<Vec<_>>(), Vec::<&String>::new());
}

/// What may be sent is told by a schema of its own, beside the type that is kept.
#[test]
fn an_alert_may_have_each_field_of_the_type_but_those_that_the_api_sets() {
    let document = document();
    let schema = &document["components"]["schemas"]["Alert"];
    let told: BTreeSet<&str> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    let mut alert = serde_json::to_value(Alert {
        id: "ALT-1".into(),
        summary: "s".into(),
        labels: [("a".into(), "b".into())].into(),
        values: [("a".into(), 1.0)].into(),
        annotations: [("a".into(), "b".into())].into(),
        evidence: 1.into(),
        starts_at: Some(Default::default()),
        lease_until: Some(Default::default()),
        ..Alert::new("s", "k")
    })
    .unwrap();
    for own in ["id", "source", "lease_until"] {
        assert!(alert.as_object_mut().unwrap().remove(own).is_some(), "{own}");
    }
    let fields: BTreeSet<&str> = alert.as_object().unwrap().keys().map(String::as_str).collect();
    // A conversation is sent beside the alert, and is no part of it.
    assert_eq!(told, fields.into_iter().chain(["packet"]).collect());
    assert_eq!(schema["required"], serde_json::json!(["kind"]));
}
