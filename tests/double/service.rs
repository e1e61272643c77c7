//! Any service that accepts a POST: an SMS gateway in JSON, a chat's incoming webhook, a receiver of signed events.

use super::{Server, fault::Fault};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, Response},
};
use std::sync::{Arc, Mutex};

/// Its responses to accepted and refused messages.
#[derive(Debug, Clone, Copy)]
pub struct Manners {
    /// Status and body if it accepts.
    pub yes: (u16, &'static str),
    /// Status and body if it refuses.
    pub no: (u16, &'static str),
    /// A body with this text is refused.
    pub unwanted: &'static str,
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Received {
    pub method: String,
    pub path: String,
    pub headers: HeaderMap,
    pub body: String,
}

struct World {
    manners: Manners,
    fault: Option<Fault>,
    /// All requests, including refused ones.
    asked: Vec<Received>,
    accepted: Vec<Received>,
}

/// The service.
pub struct Service {
    server: Server,
    world: Arc<Mutex<World>>,
}

impl Service {
    pub async fn start(manners: Manners) -> Self {
        let world = World { manners, fault: None, asked: Vec::new(), accepted: Vec::new() };
        let world = Arc::new(Mutex::new(world));
        let router = Router::new().fallback(take).with_state(world.clone());
        Self { server: Server::start(router).await, world }
    }

    /// A chat's webhook, whose path is its secret.
    pub fn url(&self) -> String {
        format!("http://{}{SECRET_PATH}", self.server.address)
    }

    /// If set, every response is this one.
    pub fn set_fault(&self, fault: Option<Fault>) {
        self.world.lock().unwrap().fault = fault;
    }

    pub fn accepted(&self) -> Vec<Received> {
        self.world.lock().unwrap().accepted.clone()
    }

    pub fn asked(&self) -> Vec<Received> {
        self.world.lock().unwrap().asked.clone()
    }
}

/// The path of [`Service::url`], which is a secret.
pub const SECRET_PATH: &str = "/hooks/path-secret-8812aa?sig=query-secret-77fe";

impl Received {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

async fn take(State(world): State<Arc<Mutex<World>>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let received = Received {
        method: parts.method.to_string(),
        path: parts.uri.to_string(),
        headers: parts.headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let (fault, manners) = {
        let mut world = world.lock().unwrap();
        world.asked.push(received.clone());
        (world.fault.clone(), world.manners)
    };
    if let Some(fault) = fault {
        return fault.answer().await;
    }
    let unwanted = !manners.unwanted.is_empty() && received.body.contains(manners.unwanted);
    let (status, body) = if unwanted { manners.no } else { manners.yes };
    if received.method != "POST" {
        return Response::builder().status(405).body(Body::empty()).unwrap();
    }
    if !unwanted {
        world.lock().unwrap().accepted.push(received);
    }
    Response::builder().status(status).body(Body::from(body)).unwrap()
}
