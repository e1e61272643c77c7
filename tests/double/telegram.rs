//! Telegram's Bot API: the part that Stentor calls. It refuses what Telegram is known to refuse, with its very words; each
//! refusal names the fact that it follows (tdlib/telegram-bot-api@01a3679, and the documentation of Bot API 10.x). What a
//! chat may be sent in a second is not counted, because no figure is published: a test orders that refusal.
//! It lives on threads of its own, so that tests with and without a runtime can use it.

use super::{fault::Fault, listen};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, State},
    http::Response,
    routing::post,
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;

/// The bot's token.
pub const TOKEN: &str = "4711:AAbot-secret_0815";
/// A person who wrote /start to the bot.
pub const ANA: i64 = 1_000_001;
/// Another.
pub const BO: i64 = 1_000_002;
/// A group that the bot is in.
pub const GROUP: i64 = -1_001_234_567_890;
/// One who did and whom the matrix does not know.
pub const STRANGER: i64 = 1_000_099;

/// How long tests wait for something.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a chat takes messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chat {
    Open,
    /// They have blocked the bot.
    Blocked,
    /// They never wrote to it.
    NeverStarted,
    /// A group from which the bot was removed.
    Kicked,
    /// It has this id now.
    Migrated(i64),
}

#[derive(Default)]
pub struct World {
    fault: Option<Fault>,
    /// The token is another one now.
    pub revoked: bool,
    /// Polls that would confirm something fail, as while Telegram's server restarts (facts 1.6).
    pub confirms_nothing: bool,
    /// What is put into answers in place of something, so that they can not be read whole.
    pub spoils: Option<(&'static str, &'static str)>,
    /// The bot has a webhook.
    pub webhook: bool,
    pub chats: BTreeMap<i64, Chat>,
    /// Chats that are to wait so many seconds.
    pub throttled: BTreeMap<i64, u64>,
    /// No keyboard is taken.
    pub refuses_keyboards: bool,
    /// What `sendMessage` took, with its `message_id`.
    pub posts: Vec<Value>,
    /// What `editMessageText` took.
    pub edits: Vec<Value>,
    /// Messages that people have deleted.
    pub deleted: BTreeSet<i64>,
    /// What `answerCallbackQuery` took.
    pub answers: Vec<Value>,
    /// What was refused: method and description.
    pub refused: Vec<(String, String)>,
    /// What `getUpdates` was asked.
    pub polls: Vec<Value>,
    updates: Vec<(Instant, Value)>,
    queries: BTreeMap<String, Instant>,
    allowed: Option<BTreeSet<String>>,
    last_update: i64,
}

/// The server.
pub struct FakeTelegram {
    runtime: Option<Runtime>,
    address: SocketAddr,
    world: Arc<Mutex<World>>,
}

impl Drop for FakeTelegram {
    fn drop(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }
}

impl FakeTelegram {
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let world = Arc::<Mutex<World>>::default();
        {
            let mut world = world.lock().unwrap();
            world.last_update = 700_000_000;
            world.chats = [ANA, BO, STRANGER, GROUP].into_iter().map(|chat| (chat, Chat::Open)).collect();
        }
        let router = Router::new().route("/{bot}/{method}", post(call)).with_state(world.clone());
        let (told, address) = std::sync::mpsc::channel();
        runtime.spawn(async move {
            let (listener, address) = listen().await;
            told.send(address).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
        Self { runtime: Some(runtime), address: address.recv().unwrap(), world }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// Every answer is this one, until `None`.
    pub fn set_fault(&self, fault: Option<Fault>) {
        self.world().fault = fault;
    }

    /// Waits until there is something.
    pub fn until<T>(&self, what: &str, look: impl Fn(&World) -> Option<T>) -> T {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look(&self.world()) {
                return found;
            }
            assert!(Instant::now() < until, "this did not come: {what}; refused: {:?}", self.world().refused);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Somebody presses a button of this message; the id of the query. One that the message does not have is refused to
    /// them by Telegram itself only in its own apps: `data` can be forged.
    pub fn press(&self, user: i64, data: &str) -> String {
        let mut world = self.world();
        let query = format!("query-{}", world.last_update + 1);
        world.queries.insert(query.clone(), Instant::now());
        let update = json!({ "callback_query": {
            "id": query, "from": { "id": user, "is_bot": false, "first_name": "x" }, "chat_instance": "1",
            "message": { "message_id": 1, "date": 0, "chat": { "id": user, "type": "private" } }, "data": data,
        } });
        world.hand_in(update);
        query
    }

    /// Somebody writes in their own chat, in reply to one of the bot's messages.
    pub fn write(&self, user: i64, text: &str, reply_to: Option<i64>) -> i64 {
        let mut message = message(user, text);
        if let Some(id) = reply_to {
            message["reply_to_message"] =
                json!({ "message_id": id, "date": 1, "chat": { "id": user, "type": "private" } });
        }
        self.world().hand_in(json!({ "message": message }))
    }

    /// Any update; its number.
    pub fn hand_in(&self, update: Value) -> i64 {
        self.world().hand_in(update)
    }

    /// The same update twice at once.
    pub fn hand_in_twice(&self, update: Value) {
        let mut world = self.world();
        world.hand_in(update);
        let again = world.updates.last().unwrap().clone();
        world.updates.push(again);
    }
}

/// A text in a private chat.
pub fn message(user: i64, text: &str) -> Value {
    json!({
        "message_id": 5000, "date": 1, "text": text, "from": { "id": user, "is_bot": false, "first_name": "x" },
        "chat": { "id": user, "type": "private" },
    })
}

impl World {
    fn hand_in(&mut self, mut update: Value) -> i64 {
        self.last_update += 1;
        update["update_id"] = self.last_update.into();
        self.updates.push((Instant::now(), update));
        self.last_update
    }

    /// Whether all that was handed in is confirmed.
    pub fn is_all_confirmed(&self) -> bool {
        self.updates.is_empty()
    }

    fn post(&mut self, body: &Value) -> Result<Value, Refusal> {
        let (chat, text) = self.put(body)?;
        let id = 100 + self.posts.len() as i64;
        let mut post = body.clone();
        post["message_id"] = id.into();
        self.posts.push(post);
        Ok(json!({ "message_id": id, "date": 1, "text": text, "chat": { "id": chat, "type": "private" } }))
    }

    /// Facts 1.3: what a message may be edited to is what may be sent; nothing but a change is taken, and no message that is
    /// not there. Facts 1.5: messages from before a group became a supergroup are dead.
    fn edit(&mut self, body: &Value) -> Result<Value, Refusal> {
        let (chat, text) = self.put(body)?;
        let id = body["message_id"].as_i64().ok_or(refused(400, "Bad Request: message identifier is not specified"))?;
        let is_it = |post: &&mut Value| post["message_id"] == id && post["chat_id"] == chat;
        let lost = self.deleted.contains(&id);
        let post = self.posts.iter_mut().find(is_it).filter(|_| !lost);
        let post = post.ok_or(refused(400, "Bad Request: message to edit not found"))?;
        if (&post["text"], &post["reply_markup"]) == (&body["text"], &body["reply_markup"]) {
            let why = "Bad Request: message is not modified: specified new message content and reply markup are exactly \
                the same as a current content and reply markup of the message";
            return Err(refused(400, why));
        }
        post["text"] = text.into();
        self.edits.push(body.clone());
        Ok(json!({ "message_id": id, "date": 1, "edit_date": 2, "chat": { "id": chat } }))
    }

    /// Judges what is sent or edited; the chat and the text.
    fn put(&self, body: &Value) -> Result<(i64, String), Refusal> {
        let text = body["text"].as_str().unwrap_or_default();
        // Facts 1.8: chat_id first, then the chat, then the text.
        let chat = body["chat_id"].as_i64().ok_or(refused(400, "Bad Request: chat_id is empty"))?;
        if let Some(seconds) = self.throttled.get(&chat) {
            let parameters = json!({ "retry_after": seconds });
            let why = format!("Too Many Requests: retry after {seconds}");
            return Err(Refusal { code: 429, why, parameters });
        }
        match self.chats.get(&chat) {
            None => return Err(refused(400, "Bad Request: chat not found")),
            Some(Chat::Blocked) => return Err(refused(403, "Forbidden: bot was blocked by the user")),
            Some(Chat::Kicked) => {
                return Err(refused(403, "Forbidden: bot was kicked from the supergroup chat"));
            }
            Some(Chat::NeverStarted) => {
                return Err(refused(403, "Forbidden: bot can't initiate conversation with a user"));
            }
            Some(Chat::Migrated(chat)) => {
                let why = "Bad Request: group chat was upgraded to a supergroup chat".to_owned();
                return Err(Refusal { code: 400, why, parameters: json!({ "migrate_to_chat_id": chat }) });
            }
            Some(Chat::Open) => {}
        }
        // Facts 1.3: 1 to 4096 UTF-16 units after parsing; without a parse_mode nothing is parsed.
        if text.trim().is_empty() {
            return Err(refused(400, "Bad Request: message text is empty"));
        }
        if 4096 < text.encode_utf16().count() {
            return Err(refused(400, "Bad Request: message is too long"));
        }
        if !body["parse_mode"].is_null() {
            return Err(refused(400, "Bad Request: can't parse entities: this double parses none"));
        }
        self.keyboard(&body["reply_markup"])?;
        Ok((chat, text.to_owned()))
    }

    /// Facts 1.4.
    fn keyboard(&self, markup: &Value) -> Result<(), Refusal> {
        if markup.is_null() {
            return Ok(());
        }
        let unreadable = || refused(400, "Bad Request: object expected as reply markup");
        for row in markup["inline_keyboard"].as_array().ok_or_else(unreadable)? {
            for button in row.as_array().ok_or_else(unreadable)? {
                if button["text"].as_str().unwrap_or_default().is_empty() {
                    return Err(refused(
                        400,
                        "Bad Request: can't parse inline keyboard button: field \"text\" must be filled",
                    ));
                }
                let data = button["callback_data"].as_str();
                let data =
                    data.ok_or(refused(400, "Bad Request: text buttons are unallowed in the inline keyboard"))?;
                if self.refuses_keyboards || !(1..=64).contains(&data.len()) {
                    return Err(refused(400, "Bad Request: BUTTON_DATA_INVALID"));
                }
            }
        }
        Ok(())
    }

    /// Facts 1.4: once, and while the query lives.
    fn answer(&mut self, body: &Value) -> Result<Value, Refusal> {
        if 200 < body["text"].as_str().unwrap_or_default().encode_utf16().count() {
            return Err(refused(400, "Bad Request: MESSAGE_TOO_LONG"));
        }
        let known = self.queries.remove(body["callback_query_id"].as_str().unwrap_or_default());
        if known.is_none_or(|since| QUERY_LIFE <= since.elapsed()) {
            let why = "Bad Request: query is too old and response timeout expired or query ID is invalid";
            return Err(refused(400, why));
        }
        self.answers.push(body.clone());
        Ok(true.into())
    }

    /// Facts 1.2: what is below the offset is confirmed and forgotten; presses live 150 s, messages a day.
    fn fetch(&mut self, body: &Value) -> Option<Value> {
        if let Some(offset) = body["offset"].as_i64().filter(|offset| 0 < *offset) {
            self.updates.retain(|(_, update)| offset <= update["update_id"].as_i64().unwrap());
        }
        self.updates.retain(|(since, update)| update["callback_query"].is_null() || since.elapsed() < QUERY_LIFE);
        if let Some(allowed) = body["allowed_updates"].as_array() {
            self.allowed = Some(allowed.iter().filter_map(|kind| kind.as_str().map(str::to_owned)).collect());
        }
        let wanted = |update: &Value| {
            let of = |allowed: &BTreeSet<String>| allowed.iter().any(|kind| !update[kind].is_null());
            self.allowed.as_ref().is_none_or(of)
        };
        let limit = body["limit"].as_u64().unwrap_or(100).clamp(1, 100) as usize;
        let found: Vec<Value> = self
            .updates
            .iter()
            .map(|(_, update)| update)
            .filter(|update| wanted(update))
            .take(limit)
            .cloned()
            .collect();
        (!found.is_empty()).then(|| found.into())
    }
}

const QUERY_LIFE: Duration = Duration::from_secs(150);

struct Refusal {
    code: u16,
    why: String,
    parameters: Value,
}

fn refused(code: u16, why: &str) -> Refusal {
    Refusal { code, why: why.to_owned(), parameters: Value::Null }
}

async fn call(
    State(world): State<Arc<Mutex<World>>>,
    Path((bot, method)): Path<(String, String)>,
    body: Bytes,
) -> Response<Body> {
    let fault = world.lock().unwrap().fault.clone();
    if let Some(fault) = fault {
        return fault.answer().await;
    }
    let result = answer(&world, &bot, &method.to_ascii_lowercase(), &body).await;
    let (code, body) = match result {
        Ok(result) => (200, json!({ "ok": true, "result": result })),
        Err(refusal) => {
            world.lock().unwrap().refused.push((method, refusal.why.clone()));
            let mut body = json!({ "ok": false, "error_code": refusal.code, "description": refusal.why });
            if !refusal.parameters.is_null() {
                body["parameters"] = refusal.parameters;
            }
            (refusal.code, body)
        }
    };
    let spoils = world.lock().unwrap().spoils;
    let body = spoils.map_or(body.to_string(), |(part, other)| body.to_string().replace(part, other));
    let response = Response::builder().status(code).header("content-type", "application/json");
    response.body(Body::from(body)).unwrap()
}

async fn answer(world: &Arc<Mutex<World>>, bot: &str, method: &str, body: &[u8]) -> Result<Value, Refusal> {
    // Facts 1.1 and 1.6: a token of the wrong shape is an unknown address, an unknown one is unauthorized.
    let Some(token) = bot.strip_prefix("bot").filter(|token| token.contains(':')) else {
        return Err(refused(404, "Not Found"));
    };
    if token != TOKEN || world.lock().unwrap().revoked {
        return Err(refused(401, "Unauthorized"));
    }
    let body: Value = serde_json::from_slice(body).map_err(|_| refused(400, "Bad Request: can't parse request"))?;
    match method {
        "getme" => Ok(json!({ "id": 4711, "is_bot": true, "first_name": "Stentor", "username": "stentor_desk_bot" })),
        "sendmessage" => world.lock().unwrap().post(&body),
        "editmessagetext" => world.lock().unwrap().edit(&body),
        "answercallbackquery" => world.lock().unwrap().answer(&body),
        "getupdates" => updates(world, body).await,
        _ => Err(refused(404, "Not Found")),
    }
}

/// Facts 1.2: a second poll ends the one before it; none beside a webhook; at most 50 s.
async fn updates(world: &Arc<Mutex<World>>, body: Value) -> Result<Value, Refusal> {
    let hold = Duration::from_secs(body["timeout"].as_u64().unwrap_or_default().min(50));
    let until = Instant::now() + hold;
    let own = {
        let mut world = world.lock().unwrap();
        if world.webhook {
            let why = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";
            return Err(refused(409, why));
        }
        if world.confirms_nothing && 0 < body["offset"].as_i64().unwrap_or_default() {
            return Err(refused(500, "Internal Server Error: restart"));
        }
        world.polls.push(body.clone());
        world.polls.len()
    };
    loop {
        {
            let mut world = world.lock().unwrap();
            if world.revoked {
                return Err(refused(401, "Unauthorized"));
            }
            if world.polls.len() != own {
                let why =
                    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running";
                return Err(refused(409, why));
            }
            if let Some(found) = world.fetch(&body) {
                return Ok(found);
            }
        }
        if until <= Instant::now() {
            return Ok(json!([]));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
