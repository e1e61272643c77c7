//! A Slack workspace: the part of the Web API that Stentor calls. It refuses what Slack is documented to refuse, and
//! every refusal has a comment with the rule.

#[path = "slack_blocks.rs"]
pub mod blocks;
#[path = "slack_views.rs"]
pub mod views;

use super::{Server, fault::Fault};
use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, Response},
    response::IntoResponse,
    routing::post,
};
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// The bot's token.
pub const TOKEN: &str = "xoxb-secret-4711";

/// The bot's user id.
pub const BOT: &str = "UBOT";

/// Every scope that some method asks for.
pub const SCOPES: [&str; 11] = [
    "chat:write",
    "im:write",
    "channels:manage",
    "groups:write",
    "channels:read",
    "groups:read",
    "pins:write",
    "bookmarks:write",
    "users:read",
    "users:read.email",
    "commands",
];

/// One call, whatever its result.
#[derive(Debug, Clone)]
pub struct Call {
    pub method: String,
    pub body: Value,
    /// `ok`, or the error.
    pub outcome: String,
    pub at: Instant,
}

/// A message that was accepted.
#[derive(Debug, Clone)]
pub struct Post {
    pub channel: String,
    pub ts: String,
    /// The message as it was posted.
    pub body: Value,
    /// Its edits, in order.
    pub edits: Vec<Value>,
}

impl Post {
    /// The message as people see it.
    pub fn shown(&self) -> &Value {
        self.edits.last().unwrap_or(&self.body)
    }
}

/// A room.
#[derive(Debug, Clone, Default)]
pub struct Room {
    pub name: String,
    pub private: bool,
    pub members: BTreeSet<String>,
    pub topic: String,
    pub purpose: String,
    pub bookmarks: Vec<String>,
    pub pins: Vec<String>,
    pub archived: bool,
    /// Whether the bot is in it. The creator of a room is in it.
    pub bot_is_in: bool,
    /// The user who created it.
    pub creator: String,
    /// When, in seconds since 1970.
    pub created: i64,
}

/// The workspace's state, open to tests.
#[derive(Debug)]
pub struct World {
    pub users: BTreeSet<String>,
    /// The users who have left.
    pub deactivated: BTreeSet<String>,
    pub emails: BTreeMap<String, String>,
    /// The scopes of the token.
    pub scopes: BTreeSet<&'static str>,
    /// Slack's clock, if it differs from ours.
    pub date: Option<&'static str>,
    /// Whether an invitation with some failures is a success with errors or a failure with errors: Slack does both.
    pub partly_is_yes: bool,
    pub rooms: BTreeMap<String, Room>,
    pub calls: Vec<Call>,
    pub posts: Vec<Post>,
    /// The response to every call of a method, instead of the real one.
    pub faults: BTreeMap<String, Fault>,
    /// The error of every call of a method, as Slack sends it: with a 200.
    pub errors: BTreeMap<String, &'static str>,
    /// What lets us open modals, and those that we opened.
    pub triggers: views::Triggers,
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
        let world = Arc::new(Mutex::new(World { users, ..World::empty() }));
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
    body: Bytes,
) -> Response<Body> {
    let fault = world.lock().unwrap().faults.get(&method).cloned();
    if let Some(fault) = fault {
        return fault.answer().await;
    }
    let mut world = world.lock().unwrap();
    let body = arguments(&method, &headers, &body);
    let result = authorised(&headers).and_then(|()| match (world.errors.get(&method), &body) {
        (Some(error), _) => Err(*error),
        (None, Err(error)) => Err(*error),
        (None, Ok(body)) => world.may(&method, body).and_then(|()| world.act(&method, body)),
    });
    let outcome = result.as_ref().err().copied().unwrap_or("ok").to_owned();
    world.calls.push(Call { method: method.clone(), body: body.unwrap_or_default(), outcome, at: Instant::now() });
    let mut answer = match result {
        // 429 with Retry-After in whole seconds, and the error in the body.
        Err("ratelimited") => {
            let answer = Json(json!({ "ok": false, "error": "ratelimited" }));
            (axum::http::StatusCode::TOO_MANY_REQUESTS, [("retry-after", "2")], answer).into_response()
        }
        // Status 200 even for failures. The missing scope is next to the error.
        Err("missing_scope") => {
            let needed = needed(&method, &Value::Null).join(",");
            Json(json!({ "ok": false, "error": "missing_scope", "needed": needed })).into_response()
        }
        Err("some_invites_failed") => Json(world.part_of_an_invitation()).into_response(),
        Err(error) => Json(json!({ "ok": false, "error": error })).into_response(),
        Ok(mut answer) => {
            answer["ok"] = json!(true);
            Json(answer).into_response()
        }
    };
    let scopes = world.scopes.iter().copied().collect::<Vec<_>>().join(",");
    answer.headers_mut().insert("x-oauth-scopes", HeaderValue::from_str(&scopes).unwrap());
    if let Some(date) = world.date {
        answer.headers_mut().insert("date", HeaderValue::from_static(date));
    }
    answer
}

type Answer = Result<Value, &'static str>;

/// Methods that read accept only form fields (or the query), methods that write also JSON; other types are refused.
fn arguments(method: &str, headers: &HeaderMap, body: &[u8]) -> Answer {
    const READING: [&str; 4] = ["users.info", "users.lookupByEmail", "users.conversations", "auth.test"];
    let kind = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if kind.starts_with("application/x-www-form-urlencoded") {
        let fields: Vec<(String, String)> =
            reqwest::Url::parse(&format!("http://x/?{}", String::from_utf8_lossy(body)))
                .unwrap()
                .query_pairs()
                .map(|(key, value)| (key.into_owned(), value.into_owned()))
                .collect();
        return Ok(Value::Object(fields.into_iter().map(|(key, value)| (key, json!(value))).collect::<Map<_, _>>()));
    }
    if !kind.starts_with("application/json") || READING.contains(&method) {
        return Err("invalid_post_type");
    }
    if !kind.contains("charset=utf-8") {
        return Err("invalid_charset");
    }
    serde_json::from_slice(body).map_err(|_| "invalid_json")
}

fn authorised(headers: &HeaderMap) -> Result<(), &'static str> {
    match headers.get("authorization").and_then(|value| value.to_str().ok()) {
        // No token: not_authed. Another one: invalid_auth.
        None => Err("not_authed"),
        Some(value) if value == format!("Bearer {TOKEN}") => Ok(()),
        Some(_) => Err("invalid_auth"),
    }
}

/// The scopes of each method, of which any one is enough.
fn needed(method: &str, body: &Value) -> Vec<&'static str> {
    match method {
        "chat.postMessage" | "chat.update" => vec!["chat:write"],
        // channels:manage for public rooms, groups:write for private ones.
        "conversations.create" if body["is_private"] == json!(true) => vec!["groups:write"],
        "conversations.create" => vec!["channels:manage"],
        "conversations.invite" | "conversations.setTopic" | "conversations.setPurpose" | "conversations.archive" => {
            vec!["channels:manage", "groups:write"]
        }
        "bookmarks.add" => vec!["bookmarks:write"],
        "pins.add" => vec!["pins:write"],
        "users.conversations" if body["types"] == "private_channel" => vec!["groups:read"],
        "users.conversations" => vec!["channels:read"],
        "users.info" => vec!["users:read"],
        "users.lookupByEmail" => vec!["users:read.email"],
        _ => Vec::new(),
    }
}

impl World {
    fn empty() -> Self {
        Self {
            users: BTreeSet::new(),
            deactivated: BTreeSet::new(),
            emails: BTreeMap::new(),
            scopes: SCOPES.into(),
            date: None,
            partly_is_yes: true,
            rooms: BTreeMap::new(),
            calls: Vec::new(),
            posts: Vec::new(),
            faults: BTreeMap::new(),
            errors: BTreeMap::new(),
            triggers: views::Triggers::default(),
        }
    }

    fn may(&self, method: &str, body: &Value) -> Result<(), &'static str> {
        let needed = needed(method, body);
        let may = needed.is_empty() || needed.iter().any(|scope| self.scopes.contains(scope));
        if may { Ok(()) } else { Err("missing_scope") }
    }

    fn act(&mut self, method: &str, body: &Value) -> Answer {
        match method {
            "auth.test" => Ok(json!({ "user_id": BOT, "user": "stentor", "team": "Desk" })),
            "chat.postMessage" => self.post(body),
            "chat.update" => self.update(body),
            "conversations.create" => self.create(body),
            "conversations.setTopic" => self.set(body, "topic"),
            "conversations.setPurpose" => self.set(body, "purpose"),
            "conversations.invite" => self.invite(body),
            "conversations.archive" => self.archive(body),
            "bookmarks.add" => self.bookmark(body),
            "pins.add" => self.pin(body),
            "users.conversations" => Ok(self.rooms_of_bot(body)),
            "views.open" => self.triggers.open(body),
            "users.info" => self.user(text(body, "user")),
            "users.lookupByEmail" => self.lookup(text(body, "email")),
            _ => Err("unknown_method"),
        }
    }

    fn post(&mut self, body: &Value) -> Answer {
        let to = text(body, "channel");
        match self.rooms.get(to) {
            Some(room) if room.archived => return Err("is_archived"),
            // Only members can post into a private room; for a public one chat:write.public is enough.
            Some(room) if room.private && !room.bot_is_in => return Err("not_in_channel"),
            Some(_) => {}
            None if self.deactivated.contains(to) => return Err("user_disabled"),
            None if self.users.contains(to) => {}
            None => return Err("channel_not_found"),
        }
        self.check_thread(body, to)?;
        check_text(body)?;
        blocks::check(&body["blocks"])?;
        let ts = format!("1700000000.{:06}", self.posts.len() + 1);
        // A user id posts a direct message, and the answer names that conversation.
        let channel = if self.users.contains(to) { format!("D{}", &to[1..]) } else { to.to_owned() };
        let post = Post { channel: channel.clone(), ts: ts.clone(), body: body.clone(), edits: Vec::new() };
        self.posts.push(post);
        Ok(json!({ "channel": channel, "ts": ts, "message": { "text": body["text"], "type": "message" } }))
    }

    /// `thread_ts` is the parent's ts, never a reply's, and `reply_broadcast` means nothing without it.
    fn check_thread(&self, body: &Value, to: &str) -> Result<(), &'static str> {
        let thread = text(body, "thread_ts");
        if thread.is_empty() {
            return if body["reply_broadcast"] == json!(true) { Err("invalid_arguments") } else { Ok(()) };
        }
        let parent = self.posts.iter().find(|post| post.ts == thread && post.channel == to);
        match parent {
            None => Err("thread_not_found"),
            Some(parent) if !text(&parent.body, "thread_ts").is_empty() => Err("cannot_reply_to_message"),
            Some(_) => Ok(()),
        }
    }

    fn update(&mut self, body: &Value) -> Answer {
        // 50 edits a minute in a workspace.
        let lately = |call: &&Call| call.method == "chat.update" && call.at.elapsed() < Duration::from_secs(60);
        if 50 <= self.calls.iter().filter(lately).count() {
            return Err("ratelimited");
        }
        let (to, ts) = (text(body, "channel"), text(body, "ts"));
        // An edit in an archived room: is_inactive.
        if self.rooms.get(to).is_some_and(|room| room.archived) {
            return Err("is_inactive");
        }
        // Text of more than 4000 characters: msg_too_long.
        if 4000 < text(body, "text").chars().count() {
            return Err("msg_too_long");
        }
        check_text(body)?;
        blocks::check(&body["blocks"])?;
        // This must be the conversation's id, never a user's.
        let post = self.posts.iter_mut().find(|post| post.ts == ts && post.channel == to);
        post.ok_or("message_not_found")?.edits.push(body.clone());
        Ok(json!({ "channel": to, "ts": ts, "text": body["text"] }))
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
        let created = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
        let (name, creator) = (name.to_owned(), BOT.to_owned());
        let room = Room { name: name.clone(), private, bot_is_in: true, creator, created, ..Room::default() };
        self.rooms.insert(id.clone(), room);
        Ok(json!({ "channel": { "id": id, "name": name } }))
    }

    /// The rooms that the bot is in, in pages of at most 999. A cursor means that there are more.
    fn rooms_of_bot(&self, body: &Value) -> Value {
        let number = |key: &str, other: usize| text(body, key).parse().unwrap_or(other);
        let (from, limit) = (number("cursor", 0), number("limit", 100).clamp(1, 999));
        let private = text(body, "types") == "private_channel";
        let without_archived = text(body, "exclude_archived") == "true";
        let of_bot = |room: &Room| room.bot_is_in && room.private == private && !(without_archived && room.archived);
        let rooms: Vec<Value> = self.rooms.iter().filter(|(_, room)| of_bot(room)).map(as_listed).collect();
        let shown: Vec<Value> = rooms.iter().skip(from).take(limit).cloned().collect();
        let next = from + shown.len();
        let cursor = if next < rooms.len() { next.to_string() } else { String::new() };
        json!({ "channels": shown, "response_metadata": { "next_cursor": cursor } })
    }

    fn set(&mut self, body: &Value, what: &str) -> Answer {
        let given = text(body, what).to_owned();
        // At most 250 characters.
        if 250 < given.chars().count() {
            return Err("too_long");
        }
        let room = self.room(body)?;
        if what == "topic" {
            room.topic = given
        } else {
            room.purpose = given
        }
        Ok(json!({}))
    }

    fn invite(&mut self, body: &Value) -> Answer {
        let (known, left) = (self.users.clone(), self.deactivated.clone());
        let users: Vec<&str> = text(body, "users").split(',').collect();
        // Up to 100 ids, as a list with commas.
        if 100 < users.len() {
            return Err("too_many_users");
        }
        let good = |user: &&str| known.contains(*user) && !left.contains(*user);
        let bad = users.iter().any(|user| !good(user));
        // force=true skips bad ids; without it one bad id fails the batch.
        if bad && body["force"] != json!(true) {
            return Err("user_not_found");
        }
        let room = self.room(body)?;
        if !bad && users.iter().all(|user| room.members.contains(*user)) {
            return Err("already_in_channel");
        }
        room.members.extend(users.iter().filter(|user| good(user)).map(|user| (*user).to_owned()));
        if bad { Err("some_invites_failed") } else { Ok(json!({ "channel": { "id": body["channel"] } })) }
    }

    /// The errors of the last invitation, one for each person who could not be invited.
    fn part_of_an_invitation(&self) -> Value {
        let users = self.calls.last().map(|call| text(&call.body, "users").to_owned()).unwrap_or_default();
        let error = |user: &str| match (self.deactivated.contains(user), self.users.contains(user)) {
            (true, _) => Some("user_disabled"),
            (false, true) => None,
            (false, false) => Some("user_not_found"),
        };
        let each =
            users.split(',').filter_map(|user| Some(json!({ "user": user, "ok": false, "error": error(user)? })));
        let each: Vec<Value> = each.collect();
        let first = each[0]["error"].clone();
        if self.partly_is_yes {
            json!({ "ok": true, "errors": each })
        } else {
            json!({ "ok": false, "error": first, "errors": each })
        }
    }

    fn archive(&mut self, body: &Value) -> Answer {
        let room = self.rooms.get_mut(text(body, "channel")).ok_or("channel_not_found")?;
        if room.archived {
            return Err("already_archived");
        }
        // Archiving removes the bot.
        (room.archived, room.bot_is_in) = (true, false);
        Ok(json!({}))
    }

    fn bookmark(&mut self, body: &Value) -> Answer {
        let (title, link) = (text(body, "title").to_owned(), text(body, "link").to_owned());
        if title.is_empty() || text(body, "type") != "link" {
            return Err("invalid_arguments");
        }
        // http and https only.
        if !link.starts_with("http://") && !link.starts_with("https://") {
            return Err("invalid_link");
        }
        let room = self.rooms.get_mut(text(body, "channel_id")).ok_or("channel_not_found")?;
        room.bookmarks.push(link);
        Ok(json!({ "bookmark": { "id": "Bk1" } }))
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

    fn user(&self, id: &str) -> Answer {
        let deleted = self.deactivated.contains(id);
        if !self.users.contains(id) && !deleted {
            return Err("user_not_found");
        }
        Ok(json!({ "user": { "id": id, "deleted": deleted, "is_bot": false } }))
    }

    /// Also for those who have left: users_not_found.
    fn lookup(&self, email: &str) -> Answer {
        let id = self.emails.get(email).filter(|id| !self.deactivated.contains(*id)).ok_or("users_not_found")?;
        Ok(json!({ "user": { "id": id, "deleted": false, "is_bot": false } }))
    }

    fn room(&mut self, body: &Value) -> Result<&mut Room, &'static str> {
        let room = self.rooms.get_mut(text(body, "channel")).ok_or("channel_not_found")?;
        // Nothing is changed in an archived room.
        if room.archived { Err("is_archived") } else { Ok(room) }
    }
}

fn as_listed((id, room): (&String, &Room)) -> Value {
    json!({
        "id": id, "name": room.name, "is_private": room.private, "is_archived": room.archived, "creator": room.creator,
        "created": room.created, "topic": { "value": room.topic }, "purpose": { "value": room.purpose },
    })
}

fn check_text(body: &Value) -> Result<(), &'static str> {
    // Slack itself lets blocks stand alone; then phones show "This content can't be displayed".
    if text(body, "text").is_empty() {
        return Err("no_text");
    }
    // A name, a channel or a link from somebody's text would be a stray mention; only dates are ours.
    if !blocks::has_only_dates(text(body, "text")) {
        return Err("double_sees_a_stray_mention");
    }
    // Unfurled links would show a page's link to everybody in the room.
    if body["unfurl_links"] != json!(false) || body["unfurl_media"] != json!(false) {
        return Err("double_wants_no_unfurl");
    }
    Ok(())
}

/// Lower-case letters, digits, hyphen, underscore; 1 to 80 characters; other names are refused, not corrected.
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

pub(super) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}
