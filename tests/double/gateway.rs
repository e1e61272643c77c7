//! An SMS gateway that speaks Kannel's `sendsms`.

use super::{Server, fault::Fault};
use axum::{
    Router,
    body::Body,
    extract::{Query, RawQuery, State},
    http::Response,
    routing::get,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

/// The only user that it accepts.
pub const USERNAME: &str = "tester";
/// Their password.
pub const PASSWORD: &str = "gateway-secret-4711";
/// A number that no carrier routes.
pub const UNROUTABLE: &str = "+00999";

#[derive(Default)]
struct World {
    fault: Option<Fault>,
    accepted: Vec<Sms>,
}

/// An SMS as it arrived.
#[derive(Debug, Clone)]
pub struct Sms {
    /// The query as it was on the wire.
    pub raw: String,
    /// Its fields, decoded.
    pub fields: BTreeMap<String, String>,
}

/// The gateway.
pub struct Gateway {
    server: Server,
    world: Arc<Mutex<World>>,
}

impl Gateway {
    pub async fn start() -> Self {
        let world = Arc::<Mutex<World>>::default();
        let router = Router::new().route("/cgi-bin/sendsms", get(sendsms)).with_state(world.clone());
        Self { server: Server::start(router).await, world }
    }

    pub fn url(&self) -> String {
        format!("http://{}/cgi-bin/sendsms", self.server.address)
    }

    /// If set, every response is this one.
    pub fn set_fault(&self, fault: Option<Fault>) {
        self.world.lock().unwrap().fault = fault;
    }

    pub fn accepted(&self) -> Vec<Sms> {
        self.world.lock().unwrap().accepted.clone()
    }
}

async fn sendsms(
    State(world): State<Arc<Mutex<World>>>,
    RawQuery(raw): RawQuery,
    Query(fields): Query<BTreeMap<String, String>>,
) -> Response<Body> {
    let fault = world.lock().unwrap().fault.clone();
    if let Some(fault) = fault {
        return fault.answer().await;
    }
    let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    let (status, body) = if (field("username"), field("password")) != (USERNAME, PASSWORD) {
        (403, "Authorization failed for sendsms")
    // A bare plus decodes to a space: the receiver would be empty, and its digits another one.
    } else if field("to").split(' ').any(str::is_empty) {
        (400, "Missing receiver number, rejected")
    } else if field("to") == UNROUTABLE {
        (403, "Not routable. Do not try again.")
    } else {
        let raw = raw.unwrap_or_default();
        world.lock().unwrap().accepted.push(Sms { raw, fields: fields.clone() });
        (202, "0: Accepted for delivery")
    };
    Response::builder().status(status).header("content-type", "text/html").body(Body::from(body)).unwrap()
}
