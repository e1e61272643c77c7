//! Finds the room that an earlier attempt created, whose id was lost: the process died, or Slack's response did not
//! arrive. Without it, such a room would stay in the workspace with nobody in it.

use crate::{
    channel::{
        Message,
        slack::{refusal::SlackRefusal, send::SlackChannel},
    },
    core::Timestamp,
};
use serde::{Deserialize, Serialize};

/// Rooms per request. Slack recommends at most 200; with their texts, 100 are well below the largest response that we
/// read.
const AT_ONCE: u32 = 100;

/// How many requests are made at most: 4,000 rooms of the bot are looked through. Slack allows 50 a minute.
const REQUESTS_MAX: usize = 40;

/// By how many seconds Slack's clock may be behind ours.
const CLOCKS_SECS: i64 = 5 * 60;

/// The rooms that the bot is in; who creates a room is in it.
#[derive(Serialize)]
struct OwnRoomsRequest<'a> {
    types: &'static str,
    exclude_archived: bool,
    limit: u32,
    #[serde(skip_serializing_if = "str::is_empty")]
    cursor: &'a str,
}

#[derive(Deserialize)]
struct OwnRooms {
    #[serde(default)]
    channels: Vec<OwnRoom>,
    #[serde(default)]
    response_metadata: NextRooms,
}

#[derive(Default, Deserialize)]
struct NextRooms {
    #[serde(default)]
    next_cursor: String,
}

/// A room. A field that is missing has a value with which the room is not taken.
#[derive(Debug, Deserialize)]
pub(super) struct OwnRoom {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    creator: String,
    /// Seconds since 1970.
    #[serde(default)]
    created: i64,
    #[serde(default)]
    is_private: bool,
    #[serde(default)]
    topic: Option<RoomText>,
    #[serde(default)]
    purpose: Option<RoomText>,
}

#[derive(Debug, Deserialize)]
struct RoomText {
    value: String,
}

#[derive(Deserialize)]
struct BotUser {
    user_id: String,
}

impl SlackChannel {
    /// The rooms that an earlier attempt of this message may have created: made by our bot since the message was
    /// created, as private as it should be, and not set up yet, which comes only after the room is known. Empty
    /// if there was no earlier attempt, or if the app may not look.
    ///
    /// # Errors
    ///
    /// [`SlackRefusal`] if the look-up should be tried again later.
    pub(super) async fn lost_rooms(&self, message: &Message, private: bool) -> Result<Vec<OwnRoom>, SlackRefusal> {
        if !message.attempted {
            return Ok(Vec::new());
        }
        match self.rooms_of_bot(private).await {
            Ok((bot, rooms)) => {
                Ok(rooms.into_iter().filter(|room| room.is_lost(&bot, private, message.born_at)).collect())
            }
            Err(refusal @ SlackRefusal::Code { .. }) => {
                let incident = message.page.incident;
                tracing::warn!(%incident, slack.error = %refusal, "a war room that an earlier attempt may have made can not be looked for: {incident} gets another one");
                Ok(Vec::new())
            }
            Err(refusal) => Err(refusal),
        }
    }

    async fn rooms_of_bot(&self, private: bool) -> Result<(String, Vec<OwnRoom>), SlackRefusal> {
        let bot: BotUser = self.web.ask("auth.test", &()).await?.it;
        let (mut rooms, mut cursor) = (Vec::new(), String::new());
        for _ in 0..REQUESTS_MAX {
            let types = if private { "private_channel" } else { "public_channel" };
            let request = OwnRoomsRequest { types, exclude_archived: true, limit: AT_ONCE, cursor: &cursor };
            let page: OwnRooms = self.web.ask("users.conversations", &request).await?.it;
            rooms.extend(page.channels);
            cursor = page.response_metadata.next_cursor;
            if cursor.is_empty() {
                break;
            }
        }
        Ok((bot.user_id, rooms))
    }
}

impl OwnRoom {
    fn is_lost(&self, bot: &str, private: bool, since: Timestamp) -> bool {
        let since = since.as_micros() / 1_000_000 - CLOCKS_SECS;
        let bare =
            [&self.topic, &self.purpose].iter().all(|text| text.as_ref().is_some_and(|text| text.value.is_empty()));
        self.creator == bot && since <= self.created && self.is_private == private && bare
    }

    /// Its id, if it has this name.
    pub(super) fn id_if_named(&self, name: &str) -> Option<&str> {
        (self.name == name).then_some(self.id.as_str())
    }
}
