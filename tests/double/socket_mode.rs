//! Slack's Socket Mode: `apps.connections.open`, and the WebSockets behind its addresses. It refuses what Slack is
//! documented to refuse, sends each envelope to exactly one link, and breaks links in every way that Slack is known to.
//! It runs on its own threads, so that tests with and without a runtime can use it.

use super::{fault::Fault, listen, slack::views::Triggers};
use axum::{
    Json, Router,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, Response, StatusCode},
    response::IntoResponse,
    routing::{any, post},
};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    thread::sleep,
    time::{Duration, Instant},
};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Runtime,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{ErrorResponse, Request, Response as Upgrade},
    },
};

/// The app-level token.
pub const APP_TOKEN: &str = "xapp-1-secret-0815";

/// The largest number of links that one app may have at once.
const LINKS_MAX: usize = 10;

/// How long tests wait for something before they give up.
const PATIENCE: Duration = Duration::from_secs(30);

/// What `apps.connections.open` does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Opening {
    /// Gives an address.
    #[default]
    Address,
    /// Refuses with this code, and a 200.
    Refused(&'static str),
    /// 429 with this `Retry-After`.
    Throttled(u64),
    /// An HTML page of a proxy, with a 200.
    Html,
    /// An address that is not ours.
    Elsewhere(String),
}

/// The first frame of a new link.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Greeting {
    /// Hello.
    #[default]
    Hello,
    /// Nothing, ever.
    Silence,
    /// A disconnect for this reason.
    Disconnect(&'static str),
}

/// An acknowledgement.
#[derive(Debug, Clone)]
pub struct Ack {
    /// The link that it was received on.
    pub link: usize,
    /// The whole frame.
    pub frame: Value,
    /// How long after its envelope was sent.
    pub after: Duration,
}

enum Order {
    Send(Message),
    /// Close frames from both sides.
    Close,
    /// The connection ends without a close frame.
    Cut,
    /// Nothing is read or written any more, but the connection stays open.
    FallSilent,
}

/// One link since it was opened.
pub struct Link {
    orders: UnboundedSender<Order>,
    /// Whether the connection is open.
    pub is_open: bool,
}

#[derive(Default)]
pub struct World {
    pub opening: Opening,
    pub greeting: Greeting,
    /// How often an address was asked for.
    pub opened: usize,
    tickets: BTreeSet<String>,
    pub links: Vec<Link>,
    sent: BTreeMap<String, Instant>,
    pub acks: BTreeMap<String, Ack>,
    /// The violations of the protocol by the client.
    pub faults: Vec<String>,
    /// The arguments of `chat.postMessage`.
    pub posts: Vec<Value>,
    /// What lets the app open modals, and those that it opened.
    pub triggers: Triggers,
    /// The response to every `views.open`, instead of the real one.
    pub view_fault: Option<Fault>,
    /// The private responses to users.
    pub words: Vec<Value>,
    /// The app-level token, if it is not [`APP_TOKEN`] any more.
    pub token: Option<String>,
    envelopes: usize,
    turn: usize,
    sockets: Option<SocketAddr>,
}

/// The app.
pub struct SocketMode {
    runtime: Option<Runtime>,
    world: Arc<Mutex<World>>,
    address: SocketAddr,
}

impl SocketMode {
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let world = Arc::new(Mutex::new(World::default()));
        let (asked, told) = std::sync::mpsc::channel();
        let state = world.clone();
        runtime.spawn(async move {
            let (sockets, sockets_at) = listen().await;
            let (http, http_at) = listen().await;
            state.lock().unwrap().sockets = Some(sockets_at);
            tokio::spawn(accept(sockets, state.clone()));
            let router = Router::new()
                .route("/api/apps.connections.open", post(open).fallback(insecure))
                .route("/api/{method}", any(call))
                .route("/hooks/{*rest}", post(word))
                .with_state(state);
            asked.send(http_at).unwrap();
            axum::serve(http, router).await.unwrap();
        });
        Self { runtime: Some(runtime), world, address: told.recv().unwrap() }
    }

    /// The base of the Web API.
    pub fn api_url(&self) -> String {
        format!("http://{}/api", self.address)
    }

    /// The prefix of the response URLs.
    pub fn hooks(&self) -> String {
        format!("http://{}/hooks/", self.address)
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// The links that are open, oldest first.
    pub fn open_links(&self) -> Vec<usize> {
        let world = self.world();
        world.links.iter().enumerate().filter(|(_, link)| link.is_open).map(|(n, _)| n).collect()
    }

    /// Waits until the function returns something.
    pub fn until<T>(&self, what: &str, mut look: impl FnMut(&mut World) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look(&mut self.world()) {
                return found;
            }
            assert!(Instant::now() < deadline, "this did not come: {what}; faults: {:?}", self.world().faults);
            sleep(Duration::from_millis(5));
        }
    }

    /// Waits until so many links are open, and returns them.
    pub fn until_links(&self, count: usize) -> Vec<usize> {
        self.until(&format!("{count} links"), |world| {
            let open: Vec<usize> = (0..world.links.len()).filter(|n| world.links[*n].is_open).collect();
            (open.len() == count).then_some(open)
        })
    }

    /// Waits until a link is gone.
    pub fn until_gone(&self, link: usize) {
        self.until(&format!("the end of link {link}"), |world| (!world.links[link].is_open).then_some(()));
    }

    /// Sends an envelope over one of the open links, in turn; returns its id.
    pub fn send(&self, kind: &str, payload: &Value, takes_reply: bool) -> String {
        let open = self.open_links();
        let turn = {
            let mut world = self.world();
            world.turn += 1;
            world.turn
        };
        self.send_on(open[turn % open.len()], kind, payload, takes_reply)
    }

    /// Sends an envelope over this link; returns its id.
    pub fn send_on(&self, link: usize, kind: &str, payload: &Value, takes_reply: bool) -> String {
        let id = {
            let mut world = self.world();
            world.envelopes += 1;
            format!("env-{}", world.envelopes)
        };
        self.send_as(&id, link, kind, payload, takes_reply);
        id
    }

    /// The same with the test's own id, for envelopes that are sent twice.
    pub fn send_as(&self, id: &str, link: usize, kind: &str, payload: &Value, takes_reply: bool) {
        let frame = json!({
            "envelope_id": id, "type": kind, "payload": payload, "accepts_response_payload": takes_reply,
        });
        self.world().sent.insert(id.to_owned(), Instant::now());
        self.frame(link, &frame.to_string());
    }

    /// Sends a raw text frame.
    pub fn frame(&self, link: usize, text: &str) {
        self.order(link, Order::Send(Message::text(text)));
    }

    /// Sends a binary frame.
    pub fn bytes(&self, link: usize, bytes: &[u8]) {
        self.order(link, Order::Send(Message::binary(bytes.to_vec())));
    }

    /// Sends a disconnect.
    pub fn disconnect(&self, link: usize, reason: &str) {
        let frame = json!({ "type": "disconnect", "reason": reason, "debug_info": { "host": "applink-double" } });
        self.frame(link, &frame.to_string());
    }

    /// Closes a link with close frames.
    pub fn close(&self, link: usize) {
        self.order(link, Order::Close);
    }

    /// Closes a link without a close frame.
    pub fn cut(&self, link: usize) {
        self.order(link, Order::Cut);
    }

    /// Silences a link, but keeps its connection open.
    pub fn fall_silent(&self, link: usize) {
        self.order(link, Order::FallSilent);
    }

    /// Waits for the acknowledgement of an envelope.
    pub fn acked(&self, id: &str) -> Ack {
        self.until(&format!("the acknowledgement of {id}"), |world| world.acks.get(id).cloned())
    }

    /// The same, but it must come within Slack's three seconds.
    pub fn ack(&self, id: &str) -> Ack {
        let ack = self.acked(id);
        assert!(ack.after < Duration::from_secs(3), "{id} was acknowledged after {:?}", ack.after);
        ack
    }

    fn order(&self, link: usize, order: Order) {
        // A closed link ignores this; a test that depends on it fails elsewhere.
        let _ = self.world().links[link].orders.send(order);
    }
}

impl Drop for SocketMode {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

type Shared = Arc<Mutex<World>>;

/// POST only, and with an app-level token.
async fn open(State(world): State<Shared>, headers: HeaderMap) -> Response<Body> {
    let token = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let refused = |error: &str| Json(json!({ "ok": false, "error": error })).into_response();
    let mut world = world.lock().unwrap();
    let good = world.token.clone().unwrap_or_else(|| APP_TOKEN.to_owned());
    match token.strip_prefix("Bearer ") {
        None => return refused("not_authed"),
        Some(token) if token.starts_with("xoxb-") => return refused("not_allowed_token_type"),
        Some(token) if token != good => return refused("invalid_auth"),
        Some(_) => {}
    }
    world.opened += 1;
    match world.opening.clone() {
        Opening::Address => {
            let ticket = format!("ticket-{}", world.opened);
            let url = format!("ws://{}/link/?ticket={ticket}&app_id=A1", world.sockets.unwrap());
            world.tickets.insert(ticket);
            Json(json!({ "ok": true, "url": url })).into_response()
        }
        Opening::Refused(error) => refused(error),
        Opening::Throttled(after) => {
            let body = Json(json!({ "ok": false, "error": "ratelimited" }));
            (StatusCode::TOO_MANY_REQUESTS, [("retry-after", after.to_string())], body).into_response()
        }
        Opening::Html => ([("content-type", "text/html")], "<html>sign in</html>").into_response(),
        Opening::Elsewhere(url) => Json(json!({ "ok": true, "url": url })).into_response(),
    }
}

/// Called by GET.
async fn insecure() -> Response<Body> {
    Json(json!({ "ok": false, "error": "insecure_request" })).into_response()
}

/// The other methods that a page needs.
async fn call(State(world): State<Shared>, Path(method): Path<String>, body: axum::body::Bytes) -> Response<Body> {
    let refused = |error: &str| Json(json!({ "ok": false, "error": error })).into_response();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    match method.as_str() {
        "chat.postMessage" => {}
        "views.open" => {
            let fault = world.lock().unwrap().view_fault.clone();
            if let Some(fault) = fault {
                return fault.answer().await;
            }
            let opened = world.lock().unwrap().triggers.open(&body);
            return opened
                .map_or_else(refused, |view| Json(json!({ "ok": true, "view": view["view"] })).into_response());
        }
        _ => return refused("unknown_method"),
    }
    let mut world = world.lock().unwrap();
    let channel = format!("D{}", &body["channel"].as_str().unwrap_or_default()[1..]);
    let ts = format!("1700000000.{:06}", world.posts.len() + 1);
    world.posts.push(body.clone());
    Json(json!({ "ok": true, "channel": channel, "ts": ts, "message": { "text": body["text"] } })).into_response()
}

async fn word(State(world): State<Shared>, Json(word): Json<Value>) -> StatusCode {
    world.lock().unwrap().words.push(word);
    StatusCode::OK
}

async fn accept(listener: TcpListener, world: Shared) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(upgrade(stream, world.clone()));
    }
}

/// An address is valid for one link.
async fn upgrade(stream: TcpStream, world: Shared) {
    let tickets = world.clone();
    #[allow(clippy::result_large_err, reason = "the library's own type")]
    let check = move |request: &Request, upgrade: Upgrade| {
        let query = request.uri().query().unwrap_or_default();
        let ticket = query.split('&').find_map(|pair| pair.strip_prefix("ticket=")).unwrap_or_default();
        if tickets.lock().unwrap().tickets.remove(ticket) {
            return Ok(upgrade);
        }
        let mut refusal = ErrorResponse::new(None);
        *refusal.status_mut() = tokio_tungstenite::tungstenite::http::StatusCode::FORBIDDEN;
        Err(refusal)
    };
    let Ok(stream) = accept_hdr_async(stream, check).await else { return };
    let (orders, obeyed) = unbounded_channel();
    let (n, greeting) = {
        let mut world = world.lock().unwrap();
        world.links.push(Link { orders, is_open: true });
        let open = world.links.iter().filter(|link| link.is_open).count();
        let crowded = LINKS_MAX < open;
        let greeting = if crowded { Greeting::Disconnect("too_many_websockets") } else { world.greeting.clone() };
        (world.links.len() - 1, (greeting, open))
    };
    serve(stream, &world, n, greeting, obeyed).await;
    world.lock().unwrap().links[n].is_open = false;
}

async fn serve(
    mut stream: WebSocketStream<TcpStream>,
    world: &Shared,
    n: usize,
    (greeting, links): (Greeting, usize),
    mut orders: UnboundedReceiver<Order>,
) {
    let frame = match greeting {
        Greeting::Hello => Some(json!({
            "type": "hello", "num_connections": links, "connection_info": { "app_id": "A1" },
            "debug_info": { "host": "applink-double", "build_number": 1, "approximate_connection_time": 18060 },
        })),
        Greeting::Silence => None,
        Greeting::Disconnect(reason) => Some(json!({ "type": "disconnect", "reason": reason })),
    };
    if let Some(frame) = frame
        && stream.send(Message::text(frame.to_string())).await.is_err()
    {
        return;
    }
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Send(message)) => if stream.send(message).await.is_err() { return },
                Some(Order::Close) => { let _ = stream.close(None).await; }
                Some(Order::FallSilent) => return silent(stream, world, n, orders).await,
                Some(Order::Cut) | None => return,
            },
            message = stream.next() => match message {
                Some(Ok(Message::Text(text))) => world.lock().unwrap().acknowledged(n, text.as_str()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
        }
    }
}

/// Holds the connection without a response until the other side closes it.
async fn silent(stream: WebSocketStream<TcpStream>, world: &Shared, n: usize, mut orders: UnboundedReceiver<Order>) {
    let mut tcp = stream.into_inner();
    let mut bytes = [0; 4096];
    loop {
        tokio::select! {
            order = orders.recv() => if matches!(order, Some(Order::Cut) | None) { break },
            read = tokio::io::AsyncReadExt::read(&mut tcp, &mut bytes) => if matches!(read, Ok(0) | Err(_)) { break },
        }
    }
    world.lock().unwrap().links[n].is_open = false;
}

impl World {
    fn acknowledged(&mut self, link: usize, text: &str) {
        let frame: Value = serde_json::from_str(text).unwrap_or_default();
        let id = frame["envelope_id"].as_str().unwrap_or_default().to_owned();
        let Some(sent) = self.sent.get(&id) else {
            self.faults.push(format!("link {link} acknowledged what was not sent: {text}"));
            return;
        };
        let after = sent.elapsed();
        self.acks.insert(id, Ack { link, frame, after });
    }
}
