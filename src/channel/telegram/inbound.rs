//! What people do in Telegram: an update read. Only what is needed is looked at, so that no new kind of update stands in
//! the way of the others. Pure.

use super::send::BUTTON;
use serde::Deserialize;
use serde_json::Value;

/// One update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TelegramUpdate {
    /// Its number; none where even that can not be read.
    pub id: i64,
    /// What somebody did.
    pub what: TelegramInbound,
}

/// Something that a user did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TelegramInbound {
    /// A button of ours was pressed.
    Press {
        /// By which the press is answered.
        query: String,
        /// The button.
        press: TelegramPress,
    },
    /// Somebody wrote to the bot in their own chat.
    Text {
        /// The chat, which is the user's own.
        chat: i64,
        /// What they wrote.
        text: String,
        /// Our message in that chat that it replies to.
        about: Option<i64>,
    },
    /// Somebody wrote `/start` in a group, to know its id.
    GroupStart {
        /// The group.
        chat: i64,
    },
    /// A button that is none of ours, to be answered with nothing.
    ForeignPress {
        /// By which the press is answered.
        query: String,
    },
    /// Nothing that counts: what was edited or forwarded, what a bot or a group says, and every other kind.
    Other,
}

/// A press of a button of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TelegramPress {
    /// The presser, by the id of their own chat.
    pub user: i64,
    /// Whether it may be a bot.
    pub is_bot: bool,
    /// The answer's word.
    pub answer: String,
    /// The page and its code: `INC-12.3:48213`.
    pub value: String,
}

/// What of an update can be read whatever else stands in it.
#[derive(Deserialize)]
struct UpdateNumber {
    update_id: i64,
}

impl TelegramUpdate {
    /// Reads one as it came; none where even its number can not be read. One that has a number and can not be read is
    /// nothing that counts, so that it does not stand in the way of those behind it.
    pub fn read(text: &str) -> Option<Self> {
        if let Ok(update) = serde_json::from_str(text) {
            return Self::of(&update);
        }
        let UpdateNumber { update_id: id } = serde_json::from_str(text).ok()?;
        tracing::error!(update = id, "a Telegram update can not be read: it is given up");
        Some(Self { id, what: TelegramInbound::Other })
    }

    /// Reads one; none where it has no number.
    pub fn of(update: &Value) -> Option<Self> {
        let id = update["update_id"].as_i64()?;
        let what = match (&update["callback_query"], &update["message"]) {
            (Value::Object(_), _) => press(&update["callback_query"]),
            (_, Value::Object(_)) => text(&update["message"]),
            _ => TelegramInbound::Other,
        };
        Some(Self { id, what })
    }
}

fn press(query: &Value) -> TelegramInbound {
    let Some(id) = query["id"].as_str().map(str::to_owned) else { return TelegramInbound::Other };
    let user = query["from"]["id"].as_i64();
    let data = query["data"].as_str().and_then(|data| data.strip_prefix(BUTTON)).and_then(|data| data.split_once(':'));
    let (Some(user), Some((answer, value))) = (user, data) else { return TelegramInbound::ForeignPress { query: id } };
    let is_bot = query["from"]["is_bot"] != false;
    let press = TelegramPress { user, is_bot, answer: answer.to_owned(), value: value.to_owned() };
    TelegramInbound::Press { query: id, press }
}

fn text(message: &Value) -> TelegramInbound {
    let (from, chat) = (&message["from"], &message["chat"]);
    let is_group = chat["type"] == "group" || chat["type"] == "supergroup";
    let first = message["text"].as_str().and_then(|text| text.split([' ', '@', '\n']).next());
    if let (true, Some("/start"), Some(chat)) = (is_group, first, chat["id"].as_i64()) {
        return TelegramInbound::GroupStart { chat };
    }
    let own = chat["type"] == "private" && chat["id"].is_i64() && chat["id"] == from["id"];
    let human = from["is_bot"] == false && message["sender_chat"].is_null() && message["via_bot"].is_null();
    // Older servers say it in fields of their own.
    let forwarded = ["forward_origin", "forward_date", "forward_from"].iter().any(|field| !message[*field].is_null());
    let (Some(chat), Some(words), true) = (chat["id"].as_i64(), message["text"].as_str(), own && human && !forwarded)
    else {
        return TelegramInbound::Other;
    };
    let about = message["reply_to_message"]["message_id"].as_i64();
    TelegramInbound::Text { chat, text: words.to_owned(), about }
}
