//! A Slack workspace: the part of the Web API that Stentor calls. It refuses what Slack is documented to refuse, and
//! every refusal names the fact that it follows.

use super::{Server, fault::Fault};
use axum::{
    Json, Router,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, Response},
    response::IntoResponse,
    routing::post,
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

/// The bot's token.
pub const TOKEN: &str = "xoxb-secret-4711";

/// One call that was made, whatever became of it.
#[derive(Debug, Clone)]
pub struct Call {
    pub method: String,
    pub body: Value,
    /// `ok`, or the error.
    pub outcome: String,
}

/// A message that was taken.
#[derive(Debug, Clone)]
pub struct Post {
    pub channel: String,
    pub ts: String,
    pub body: Value,
}

/// A room.
#[derive(Debug, Clone, Default)]
pub struct Room {
    pub name: String,
    pub private: bool,
    pub members: BTreeSet<String>,
    pub topic: String,
    pub pins: Vec<String>,
    pub archived: bool,
    /// Whether the bot is in it. Who makes a room is in it.
    pub bot_is_in: bool,
}

/// The workspace's state, open to tests.
#[derive(Debug, Default)]
pub struct World {
    pub users: BTreeSet<String>,
    pub rooms: BTreeMap<String, Room>,
    pub calls: Vec<Call>,
    pub posts: Vec<Post>,
    /// The answer to every call of a method, instead of the real one.
    pub faults: BTreeMap<String, Fault>,
    /// The error of every call of a method, as Slack says it: with a 200.
    pub errors: BTreeMap<String, &'static str>,
}

/// The workspace.
pub struct FakeSlack {
    server: Server,
    pub world: Arc<Mutex<World>>,
}

impl FakeSlack {
    /// A workspace with these users and no room.
    pub async fn start(users: &[&str]) -> Self {
        let users = users.iter().map(|user| (*user).to_owned()).collect();
        let world = Arc::new(Mutex::new(World { users, ..World::default() }));
        let router = Router::new().route("/api/{method}", post(call)).with_state(world.clone());
        Self { server: Server::start(router).await, world }
    }

    /// For `SlackSettings::api_url`.
    pub fn api_url(&self) -> String {
        format!("http://{}/api", self.server.address)
    }

    pub fn set_fault(&self, method: &str, fault: Option<Fault>) {
        let faults = &mut self.world.lock().unwrap().faults;
        match fault {
            Some(fault) => faults.insert(method.to_owned(), fault),
            None => faults.remove(method),
        };
    }

    pub fn set_error(&self, method: &str, error: Option<&'static str>) {
        let errors = &mut self.world.lock().unwrap().errors;
        match error {
            Some(error) => errors.insert(method.to_owned(), error),
            None => errors.remove(method),
        };
    }

    pub fn posts(&self) -> Vec<Post> {
        self.world.lock().unwrap().posts.clone()
    }

    /// The calls of one method.
    pub fn calls(&self, method: &str) -> Vec<Call> {
        self.world.lock().unwrap().calls.iter().filter(|call| call.method == method).cloned().collect()
    }
}

async fn call(
    State(world): State<Arc<Mutex<World>>>,
    Path(method): Path<String>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response<Body> {
    let fault = world.lock().unwrap().faults.get(&method).cloned();
    if let Some(fault) = fault {
        return fault.answer().await;
    }
    let mut world = world.lock().unwrap();
    let result = authorised(&headers).and_then(|()| match world.errors.get(&method) {
        Some(error) => Err(*error),
        None => world.act(&method, &body),
    });
    let outcome = result.as_ref().err().copied().unwrap_or("ok").to_owned();
    world.calls.push(Call { method, body, outcome });
    // Status 200 even for failures.
    match result {
        Ok(mut answer) => {
            answer["ok"] = json!(true);
            Json(answer).into_response()
        }
        Err(error) => Json(json!({ "ok": false, "error": error })).into_response(),
    }
}

type Answer = Result<Value, &'static str>;

fn authorised(headers: &HeaderMap) -> Result<(), &'static str> {
    match headers.get("authorization").and_then(|value| value.to_str().ok()) {
        // No token: not_authed. Another one: invalid_auth.
        None => Err("not_authed"),
        Some(value) if value == format!("Bearer {TOKEN}") => Ok(()),
        Some(_) => Err("invalid_auth"),
    }
}

impl World {
    fn act(&mut self, method: &str, body: &Value) -> Answer {
        match method {
            "auth.test" => Ok(json!({ "user_id": "UBOT", "team": "T1" })),
            "chat.postMessage" => self.post(body),
            "conversations.create" => self.create(body),
            "conversations.setTopic" => self.set_topic(body),
            "conversations.invite" => self.invite(body),
            "pins.add" => self.pin(body),
            _ => Err("unknown_method"),
        }
    }

    fn post(&mut self, body: &Value) -> Answer {
        let to = text(body, "channel");
        match self.rooms.get(to) {
            Some(room) if room.archived => return Err("is_archived"),
            // Into a private room only members post; a public one takes chat:write.public.
            Some(room) if room.private && !room.bot_is_in => return Err("not_in_channel"),
            Some(_) => {}
            None if self.users.contains(to) => {}
            None => return Err("channel_not_found"),
        }
        check_blocks(&body["blocks"])?;
        // Slack itself lets blocks stand alone; then phones show "This content can't be displayed".
        if text(body, "text").is_empty() {
            return Err("no_text");
        }
        // Unfurled links would show a page's link to whoever reads along.
        if body["unfurl_links"] != json!(false) || body["unfurl_media"] != json!(false) {
            return Err("double_wants_no_unfurl");
        }
        let ts = format!("1700000000.{:06}", self.posts.len() + 1);
        // A user id posts a direct message, and the answer names that conversation.
        let channel = if self.users.contains(to) { format!("D{}", &to[1..]) } else { to.to_owned() };
        self.posts.push(Post { channel: channel.clone(), ts: ts.clone(), body: body.clone() });
        Ok(json!({ "channel": channel, "ts": ts, "message": { "text": body["text"], "type": "message" } }))
    }

    fn create(&mut self, body: &Value) -> Answer {
        let name = text(body, "name");
        check_name(name)?;
        // Also for archived rooms and for private ones that the bot can not see.
        if self.rooms.values().any(|room| room.name == name) {
            return Err("name_taken");
        }
        let id = format!("C{:04}", self.rooms.len() + 1);
        let private = body["is_private"] == json!(true);
        let room = Room { name: name.to_owned(), private, bot_is_in: true, ..Room::default() };
        self.rooms.insert(id.clone(), room);
        Ok(json!({ "channel": { "id": id, "name": name } }))
    }

    fn set_topic(&mut self, body: &Value) -> Answer {
        let topic = text(body, "topic").to_owned();
        // At most 250 characters.
        if 250 < topic.chars().count() {
            return Err("too_long");
        }
        self.room(body)?.topic = topic;
        Ok(json!({}))
    }

    fn invite(&mut self, body: &Value) -> Answer {
        let known = self.users.clone();
        let users: Vec<&str> = text(body, "users").split(',').collect();
        // Up to 100 ids, as a list with commas.
        if 100 < users.len() {
            return Err("too_many_users");
        }
        let bad = users.iter().any(|user| !known.contains(*user));
        // force=true goes on past bad ids; without it one bad id fails the batch.
        if bad && body["force"] != json!(true) {
            return Err("user_not_found");
        }
        let room = self.room(body)?;
        room.members.extend(users.into_iter().filter(|user| known.contains(*user)).map(str::to_owned));
        Ok(json!({ "channel": { "id": body["channel"] } }))
    }

    fn pin(&mut self, body: &Value) -> Answer {
        let ts = text(body, "timestamp").to_owned();
        if !self.posts.iter().any(|post| post.ts == ts) {
            return Err("message_not_found");
        }
        let room = self.room(body)?;
        if room.pins.contains(&ts) {
            return Err("already_pinned");
        }
        room.pins.push(ts);
        Ok(json!({}))
    }

    fn room(&mut self, body: &Value) -> Result<&mut Room, &'static str> {
        self.rooms.get_mut(text(body, "channel")).ok_or("channel_not_found")
    }
}

/// Lower case letters, digits, hyphen, underscore; 1 to 80 characters; refused rather than mended.
fn check_name(name: &str) -> Result<(), &'static str> {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    match name {
        "" => Err("invalid_name_required"),
        _ if 80 < name.chars().count() => Err("invalid_name_maxlength"),
        _ if !name.chars().all(|c| is_word(c) || matches!(c, '-' | '_')) => Err("invalid_name_specials"),
        _ if !name.chars().any(is_word) => Err("invalid_name_punctuation"),
        _ => Ok(()),
    }
}

fn check_blocks(blocks: &Value) -> Result<(), &'static str> {
    let Some(blocks) = blocks.as_array() else { return Ok(()) };
    // 50 blocks a message.
    if 50 < blocks.len() {
        return Err("invalid_blocks");
    }
    // About 13,200 characters over all blocks: seen by users, documented nowhere.
    if 13_200 < blocks.iter().map(|block| block.to_string().chars().count()).sum::<usize>() {
        return Err("msg_blocks_too_long");
    }
    let ids: Vec<&str> = blocks.iter().map(|block| text(block, "block_id")).filter(|id| !id.is_empty()).collect();
    // A block_id is unique in its message, and has at most 255 characters.
    if ids.iter().collect::<BTreeSet<_>>().len() < ids.len() || ids.iter().any(|id| 255 < id.len()) {
        return Err("invalid_blocks");
    }
    blocks.iter().try_for_each(check_block)
}

fn check_block(block: &Value) -> Result<(), &'static str> {
    let fits = |value: &Value, limit: usize| (1..=limit).contains(&value.as_str().map_or(0, |s| s.chars().count()));
    let elements = block["elements"].as_array().map(Vec::as_slice).unwrap_or_default();
    let good = match text(block, "type") {
        // 1 to 3000 characters.
        "section" => fits(&block["text"]["text"], 3000),
        // 10 elements, of 1 to 3000 characters each.
        "context" => (1..=10).contains(&elements.len()) && elements.iter().all(|e| fits(&e["text"], 3000)),
        "actions" => {
            let ids: BTreeSet<&str> = elements.iter().map(|button| text(button, "action_id")).collect();
            // 25 elements, each with an action_id of its own in this block.
            (1..=25).contains(&elements.len())
                && ids.len() == elements.len()
                && elements.iter().all(|button| {
                    // A label of plain text up to 75 characters, a value up to 2000, primary or danger or no style.
                    text(&button["text"], "type") == "plain_text"
                        && fits(&button["text"]["text"], 75)
                        && fits(&button["value"], 2000)
                        && fits(&button["action_id"], 255)
                        && matches!(button["style"].as_str(), None | Some("primary" | "danger"))
                })
        }
        _ => false,
    };
    if good { Ok(()) } else { Err("invalid_blocks") }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}
