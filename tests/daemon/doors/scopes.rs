//! Every route over TCP, and what each kind of credential gets of it.

use super::{
    common::{Daemon, root},
    house::{DESK, secret, setup},
    wire::Call,
};
use crate::answers::desk::cookie;
use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    time::Duration,
};

const MORE: &str = r#"
[source.reader]
token  = { env = "READER_TOKEN" }
scopes = ["read"]

[source.scraper]
token  = { env = "SCRAPER_TOKEN" }
scopes = ["metrics"]
"#;

const READER: &str = "reader-token-1f0c";
const SCRAPER: &str = "scraper-token-8be2";

/// Where the routes over TCP are made.
const ROUTERS: [&str; 5] =
    ["src/http/mod.rs", "src/http/mcp.rs", "src/http/api/mod.rs", "src/http/desk/mod.rs", "src/http/monitors/mod.rs"];

/// The route, a request for it, and the statuses for: nobody, a source with the default scope, one with `read`, one
/// with `metrics`, a person who is signed in.
type Row = (&'static str, &'static str, &'static str, [u16; 5]);

const OPEN: [u16; 5] = [200; 5];
const READ: [u16; 5] = [401, 403, 200, 403, 200];
const PERSON: [u16; 5] = [401, 401, 401, 401, 200];
/// A signed-in person also needs the page's own token.
const PRESS: [u16; 5] = [401, 401, 401, 401, 403];
const ALERTS: [u16; 5] = [401, 400, 403, 403, 401];

/// None of them has the scope.
const SILENCES: [u16; 5] = [401, 403, 403, 403, 401];

/// With `alerts` its own, with `read` all of them.
const SHOWN: [u16; 5] = [401, 200, 200, 403, 401];

const ASK: [u16; 5] = [401, 400, 403, 403, 401];

const TABLE: [Row; 65] = [
    ("/v1/alerts", "POST", "/v1/alerts", ALERTS),
    ("/api/v2/alerts", "POST", "/api/v2/alerts", [401, 422, 403, 403, 401]),
    // Their credential is in the body, and here is none.
    ("/v2/enqueue", "POST", "/v2/enqueue", [400; 5]),
    ("/v2/change/enqueue", "POST", "/v2/change/enqueue", [400; 5]),
    ("/v2/alerts", "POST", "/v2/alerts", [401, 422, 403, 403, 401]),
    ("/v2/alerts/requests/{id}", "GET", "/v2/alerts/requests/x", [401, 404, 403, 403, 401]),
    ("/v2/alerts/{id}/{action}", "POST", "/v2/alerts/x/acknowledge", [401, 202, 403, 403, 401]),
    ("/v2/heartbeats/{name}/ping", "GET", "/v2/heartbeats/x/ping", [401, 202, 403, 403, 401]),
    // An empty body is none; a source has its own address alone.
    ("/monitors/{format}/{source}", "POST", "/monitors/grafana/monitor", [401, 400, 401, 401, 401]),
    ("/api/v2/status", "GET", "/api/v2/status", OPEN),
    ("/api/v2/{*rest}", "GET", "/api/v2/nope", [404; 5]),
    ("/api/v2/alerts", "GET", "/api/v2/alerts", SHOWN),
    ("/api/v2/alerts/groups", "GET", "/api/v2/alerts/groups", SHOWN),
    ("/api/v2/receivers", "GET", "/api/v2/receivers", SHOWN),
    ("/api/v2/silences", "GET", "/api/v2/silences", SILENCES),
    ("/api/v2/silences", "POST", "/api/v2/silences", SILENCES),
    ("/api/v2/silence/{id}", "GET", "/api/v2/silence/x", SILENCES),
    ("/api/v2/silence/{id}", "DELETE", "/api/v2/silence/x", SILENCES),
    ("/-/healthy", "GET", "/-/healthy", OPEN),
    ("/-/ready", "GET", "/-/ready", OPEN),
    ("/healthz", "GET", "/healthz", OPEN),
    ("/v1/sources", "GET", "/v1/sources", READ),
    ("/v1/keys", "GET", "/v1/keys", OPEN),
    ("/readyz", "GET", "/readyz", OPEN),
    ("/metrics", "GET", "/metrics", [401, 403, 403, 200, 200]),
    ("/v1/requests", "POST", "/v1/requests", ASK),
    // Another source's, and one that does not exist.
    ("/v1/requests/{id}", "GET", "/v1/requests/req_1_00000000000000000000000000000000", [401, 404, 403, 403, 401]),
    ("/v1/requests/{id}/cancel", "POST", "/v1/requests/req_1_0/cancel", [401, 404, 403, 403, 401]),
    ("/mcp", "POST", "/mcp", [401, 400, 403, 403, 401]),
    ("/v1/requests/{id}/events", "GET", "/v1/requests/req_1_0/events", [401, 404, 403, 403, 401]),
    ("/v1/requests/{id}/facts", "PUT", "/v1/requests/req_1_0/facts", [401, 404, 403, 403, 401]),
    ("/v1/requests/{id}/receipt", "GET", "/v1/requests/req_1_0/receipt", [401, 404, 403, 403, 401]),
    ("/v1/availability", "GET", "/v1/availability?kind=none", [401, 422, 403, 403, 401]),
    ("/v1/openapi.json", "GET", "/v1/openapi.json", OPEN),
    ("/v1/incidents", "GET", "/v1/incidents?all=true", READ),
    ("/v1/incidents/newest", "GET", "/v1/incidents/newest", READ),
    // Opened by an alert of that source, by one of nobody's, and not at all.
    ("/v1/incidents/{id}", "GET", "/v1/incidents/INC-1", [401, 200, 200, 403, 200]),
    ("/v1/incidents/{id}", "GET", "/v1/incidents/INC-2", READ),
    ("/v1/incidents/{id}", "GET", "/v1/incidents/INC-3", [401, 403, 404, 403, 404]),
    ("/v1/report/tte", "GET", "/v1/report/tte", READ),
    ("/v1/report/triggers", "GET", "/v1/report/triggers", READ),
    ("/v1/report/handoffs", "GET", "/v1/report/handoffs", READ),
    ("/", "GET", "/", [303; 5]),
    ("/desk", "GET", "/desk", PERSON),
    ("/desk/login", "GET", "/desk/login?t=x", [403; 5]),
    ("/desk/logout", "POST", "/desk/logout", PRESS),
    ("/desk/events", "GET", "/desk/events", PERSON),
    ("/desk/more", "GET", "/desk/more", PERSON),
    ("/desk/answer", "POST", "/desk/answer", PRESS),
    ("/desk/seen", "POST", "/desk/seen", PRESS),
    ("/desk/conversations", "GET", "/desk/conversations", PERSON),
    ("/desk/conversations/{id}", "GET", "/desk/conversations/INC-1", [401, 401, 401, 401, 404]),
    ("/desk/conversations/{id}", "POST", "/desk/conversations/INC-1", [401, 401, 401, 401, 415]),
    ("/desk/forms/{id}", "GET", "/desk/forms/INC-1", [401, 401, 401, 401, 404]),
    ("/desk/forms/{id}", "POST", "/desk/forms/INC-1", [401, 401, 401, 401, 415]),
    ("/assets/form.css", "GET", "/assets/form.css", OPEN),
    ("/assets/desk.css", "GET", "/assets/desk.css", OPEN),
    ("/assets/desk.js", "GET", "/assets/desk.js", OPEN),
    ("/assets/conversations.js", "GET", "/assets/conversations.js", OPEN),
    ("/assets/outbox.js", "GET", "/assets/outbox.js", OPEN),
    ("/favicon.ico", "GET", "/favicon.ico", [204; 5]),
    ("/a/{token}", "GET", "/a/INC-1.1.0123456789abcdef", [404; 5]),
    ("/outbox", "GET", "/outbox", OPEN),
    ("/hooks/self", "POST", "/hooks/self", [401; 5]),
    ("/hooks/{kind}/{channel}", "GET", "/hooks/kannel/sms?from=1&text=2", [401; 5]),
];

/// In a row of its own, because it is long.
const REPORT: Row = (
    "/hooks/{kind}/{channel}/report",
    "GET",
    "/hooks/kannel/sms/report?page=INC-1.1&status=1&token=00000000000000000000000000000000",
    [401; 5],
);

fn daemon() -> (Daemon, [Option<(&'static str, String)>; 5]) {
    let setup = setup(&format!("{DESK}{MORE}")).env("READER_TOKEN", READER).env("SCRAPER_TOKEN", SCRAPER);
    let daemon = setup.arg("--sandbox").start();
    let bearer = |token: &str| Some(("Authorization", format!("Bearer {token}")));
    let ana = Some(("Cookie", cookie(&daemon, "ana")));
    (daemon, [None, bearer(secret("MONITOR_TOKEN")), bearer(READER), bearer(SCRAPER), ana])
}

/// The status alone: the desk's events have no end.
fn status(daemon: &Daemon, call: &Call) -> u16 {
    let mut stream = TcpStream::connect(daemon.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(call.head(0).as_bytes()).unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    line.split(' ').nth(1).unwrap().parse().unwrap()
}

fn with(call: Call, credential: &Option<(&str, String)>) -> Call {
    credential.iter().fold(call, |call, (name, value)| call.header(name, value))
}

#[test]
fn each_credential_gets_what_it_is_for_and_nothing_else() {
    let (daemon, credentials) = daemon();
    assert_eq!(daemon.crash("ES"), "INC-1");
    daemon.json(&["fire", "price_velocity", "--value", "drop_pct=6.2", "--label", "symbol=NQ"]);
    let mut wrong = Vec::new();
    for (_, method, path, expected) in TABLE.iter().chain([&REPORT]) {
        let got = credentials.each_ref().map(|credential| status(&daemon, &with(Call::new(method, path), credential)));
        if got != *expected {
            wrong.push(format!("{method} {path}: {got:?}, not {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn refused_credentials_are_logged_once_and_the_answer_names_the_scope() {
    let (daemon, credentials) = daemon();
    for _ in 0..3 {
        let nobody = Call::get("/metrics").bearer("wrong").send(daemon.address);
        assert!(nobody.status == 401 && nobody.json()["detail"].as_str().unwrap().contains("scopes = [\"metrics\"]"));
        let incidents = Call::get("/v1/incidents").send(daemon.address);
        assert!(incidents.json()["detail"].as_str().unwrap().contains("scopes = [\"read\"]"), "{incidents:?}");
        assert_eq!(status(&daemon, &with(Call::get("/metrics"), &credentials[2])), 403);
    }
    // Nothing is refused here: the details are only left out.
    assert_eq!(status(&daemon, &with(Call::get("/readyz"), &credentials[3])), 200);
    let log = daemon.log();
    let lines: Vec<&str> =
        log.lines().filter(|line| line.contains("its credential does not allow this scope")).collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    for (source, scope) in [("unknown", "metrics"), ("unknown", "read"), ("reader", "metrics")] {
        assert!(lines.iter().any(|line| line.contains(source) && line.contains(scope)), "{source} {scope}: {lines:?}");
    }
    assert!(!log.contains("wrong") && !log.contains(READER), "no secret is logged");
}

#[test]
fn every_route_over_tcp_is_in_the_table() {
    let mut routes = BTreeSet::new();
    for file in ROUTERS {
        let text = std::fs::read_to_string(root().join(file)).unwrap();
        let made = text.split(".route(\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
        routes.extend(made);
    }
    // The socket's own.
    routes.remove("/v1/mail");
    let table: BTreeSet<String> = TABLE.iter().chain([&REPORT]).map(|row| row.0.to_owned()).collect();
    assert_eq!(routes, table);
}

#[test]
fn readiness_names_nobody_to_those_who_may_not_read() {
    let (daemon, credentials) = daemon();
    daemon.crash("ES");
    for (n, credential) in credentials.iter().enumerate() {
        let told = with(Call::get("/readyz"), credential).send(daemon.address);
        let body = told.json();
        assert!(body["ready"] == true && body["counts"]["sandboxed_channels"].is_number(), "{told:?}");
        let may_read = [2, 4].contains(&n);
        assert_eq!(body.get("sandboxed_channels").is_some(), may_read, "{told:?}");
        let names = ["ana", "sms", "trader", "room", "KANNEL"];
        assert_eq!(names.iter().any(|name| told.body.contains(name)), may_read, "{told:?}");
    }
    assert!(daemon.control(&Call::get("/readyz")).json()["problems"].is_array());
}
