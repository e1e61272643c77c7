//! An account at Twilio: it accepts messages and calls, refuses what the published API refuses, and sends signed
//! callbacks.

use super::{Server, fault::Fault};
use axum::{
    Router,
    body::Body,
    extract::{Path, Query, RawForm, State},
    http::{HeaderMap, Response, header},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha1::Sha1;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};
use tokio::sync::Semaphore;

/// The only account.
pub const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
/// Its primary auth token.
pub const TOKEN: &str = "auth-token-primary-4711";
/// Its secondary one, during a rotation.
pub const NEXT_TOKEN: &str = "auth-token-secondary-4712";
/// The one number that it owns.
pub const FROM: &str = "+15005550006";
/// Its messaging service.
pub const SERVICE: &str = "MG0123456789abcdef0123456789abcdef";
/// A number that is not valid.
pub const NOBODY: &str = super::gateway::UNROUTABLE;
/// The number of somebody who has opted out.
pub const OPTED_OUT: &str = "+447700900021";

/// Fields of a form, in their order.
pub type Fields = Vec<(String, String)>;

#[derive(Default)]
struct World {
    fault: Option<Fault>,
    refusal: Option<(u16, u32)>,
    refused_tokens: BTreeSet<String>,
    made: Vec<Made>,
    asked: usize,
    gate: Option<Arc<Semaphore>>,
}

/// A message or a call that was accepted.
#[derive(Debug, Clone)]
pub struct Made {
    pub sid: String,
    pub is_call: bool,
    pub fields: Fields,
}

impl Made {
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn all(&self, name: &str) -> Vec<&str> {
        self.fields.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }
}

/// The API.
pub struct FakeTwilio {
    server: Server,
    world: Arc<Mutex<World>>,
}

impl FakeTwilio {
    pub async fn start() -> Self {
        let world = Arc::<Mutex<World>>::default();
        let router = Router::new()
            .route("/2010-04-01/Accounts/{account}/{what}", post(make).get(look))
            .route("/2010-04-01/Accounts/{account}", get(account))
            .route("/v1/Services/{service}", get(service))
            .with_state(world.clone());
        Self { server: Server::start(router).await, world }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// If set, every response is this one.
    pub fn set_fault(&self, fault: Option<Fault>) {
        self.world.lock().unwrap().fault = fault;
    }

    /// If set, everything is refused with this status and code.
    pub fn set_refusal(&self, refusal: Option<(u16, u32)>) {
        self.world.lock().unwrap().refusal = refusal;
    }

    /// From now on, responses are sent only after [`Self::release`].
    pub fn hold(&self) {
        self.world.lock().unwrap().gate = Some(Arc::new(Semaphore::new(0)));
    }

    /// Sends all responses that were held.
    pub fn release(&self) {
        if let Some(gate) = self.world.lock().unwrap().gate.take() {
            gate.close();
        }
    }

    /// Revokes this token.
    pub fn revoke(&self, token: &str) {
        self.world.lock().unwrap().refused_tokens.insert(token.to_owned());
    }

    /// What was accepted so far, oldest first.
    pub fn made(&self) -> Vec<Made> {
        self.world.lock().unwrap().made.clone()
    }

    /// The number of requests so far, accepted or not.
    pub fn asked(&self) -> usize {
        self.world.lock().unwrap().asked
    }
}

/// Twilio's signature of a request to `url`: HMAC-SHA1 over the URL and the sorted fields (its security page).
pub fn sign(token: &str, url: &str, fields: &[(&str, &str)]) -> String {
    let mut by_name: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, value) in fields {
        by_name.entry(name).or_default().insert(value);
    }
    let mut text = url.to_owned();
    for (name, values) in by_name {
        for value in values {
            text.push_str(name);
            text.push_str(value);
        }
    }
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

async fn make(
    State(world): State<Arc<Mutex<World>>>,
    Path((account, what)): Path<(String, String)>,
    headers: HeaderMap,
    RawForm(body): RawForm,
) -> Response<Body> {
    let fault = {
        let mut world = world.lock().unwrap();
        world.asked += 1;
        world.fault.clone()
    };
    if let Some(fault) = fault {
        return fault.answer().await;
    }
    let (answer, gate) = {
        let mut world = world.lock().unwrap();
        (taken(&mut world, &account, &what, &headers, &body), world.gate.clone())
    };
    if let Some(gate) = gate {
        // It opens by being closed.
        let _ = gate.acquire().await;
    }
    answer
}

fn taken(world: &mut World, account: &str, what: &str, headers: &HeaderMap, body: &[u8]) -> Response<Body> {
    if !is_let_in(world, headers) {
        return refused(401, 20003);
    }
    if account != ACCOUNT {
        return refused(404, 20404);
    }
    if let Some((status, code)) = world.refusal {
        return refused(status, code);
    }
    let mut url = reqwest::Url::parse("form:").unwrap();
    url.set_query(std::str::from_utf8(body).ok());
    let fields: Fields = url.query_pairs().into_owned().collect();
    let is_call = what == "Calls.json";
    let made = Made { sid: sid(if is_call { "CA" } else { "SM" }, world.made.len()), is_call, fields };
    if let Some(code) = if is_call { wrong_call(&made) } else { wrong_message(&made) } {
        return refused(400, code);
    }
    let body = json!({ "sid": made.sid, "status": "queued", "num_segments": "1", "error_code": null });
    world.made.push(made);
    answer(201, &body)
}

/// The first thing that the API would refuse a message for.
fn wrong_message(made: &Made) -> Option<u32> {
    let validity = made.field("ValidityPeriod").map(|text| text.parse::<u32>().unwrap_or(0));
    let body = made.field("Body").unwrap_or_default();
    match made.field("To") {
        None => return Some(21604),
        Some(NOBODY) => return Some(21211),
        Some(OPTED_OUT) => return Some(21610),
        Some(_) => {}
    }
    match (made.field("From"), made.field("MessagingServiceSid")) {
        (Some(FROM), None) | (None, Some(SERVICE)) => {}
        (None, None) => return Some(21603),
        _ => return Some(21659),
    }
    if body.is_empty() {
        Some(21602)
    } else if 1600 < body.chars().count() {
        Some(21617)
    } else if validity.is_some_and(|seconds| !(1..=36_000).contains(&seconds)) {
        Some(21623)
    } else if made.field("StatusCallback").is_some_and(|url| !url.starts_with("http")) {
        Some(21609)
    } else {
        None
    }
}

/// The first thing that the API would refuse a call for.
fn wrong_call(made: &Made) -> Option<u32> {
    match (made.field("To"), made.field("From")) {
        (None, _) => return Some(21201),
        (Some(NOBODY), _) => return Some(21211),
        (_, Some(FROM)) => {}
        _ => return Some(21210),
    }
    match (made.field("Url"), made.field("Twiml")) {
        (Some(url), _) if url.starts_with("http") => None,
        (None, Some(twiml)) if twiml.chars().count() <= 4000 => None,
        _ => Some(21205),
    }
}

async fn account(
    State(world): State<Arc<Mutex<World>>>,
    Path(account): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    if !is_let_in(&world.lock().unwrap(), &headers) {
        return refused(401, 20003);
    }
    let mine = account.strip_suffix(".json") == Some(ACCOUNT);
    if mine { answer(200, &json!({ "sid": ACCOUNT, "status": "active" })) } else { refused(404, 20404) }
}

async fn look(
    State(world): State<Arc<Mutex<World>>>,
    Path((_, what)): Path<(String, String)>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response<Body> {
    if !is_let_in(&world.lock().unwrap(), &headers) {
        return refused(401, 20003);
    }
    assert_eq!(what, "IncomingPhoneNumbers.json");
    let mine = query.get("PhoneNumber").is_some_and(|number| number == FROM);
    let numbers = if mine { vec![json!({ "phone_number": FROM })] } else { Vec::new() };
    answer(200, &json!({ "incoming_phone_numbers": numbers }))
}

async fn service(
    State(world): State<Arc<Mutex<World>>>,
    Path(service): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    if !is_let_in(&world.lock().unwrap(), &headers) {
        return refused(401, 20003);
    }
    if service == SERVICE { answer(200, &json!({ "sid": SERVICE })) } else { refused(404, 20404) }
}

fn is_let_in(world: &World, headers: &HeaderMap) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    [TOKEN, NEXT_TOKEN].iter().any(|token| {
        let login = format!("Basic {}", STANDARD.encode(format!("{ACCOUNT}:{token}")));
        given == login && !world.refused_tokens.contains(*token)
    })
}

fn sid(prefix: &str, n: usize) -> String {
    format!("{prefix}{:032x}", n + 1)
}

fn refused(status: u16, code: u32) -> Response<Body> {
    // Its error messages repeat what was sent, including numbers: none of that may appear anywhere.
    let message = format!("The number {NOBODY} of {ACCOUNT} is refused, {TOKEN}");
    answer(status, &json!({ "code": code, "message": message, "more_info": "https://x", "status": status }))
}

fn answer(status: u16, body: &Value) -> Response<Body> {
    let response = Response::builder().status(status).header(header::CONTENT_TYPE, "application/json");
    response.body(Body::from(body.to_string())).unwrap()
}
