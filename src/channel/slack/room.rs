//! War rooms: create and name them, post and edit their card, and archive them.

use crate::{
    channel::{
        Message, SendError,
        slack::{
            blocks,
            refusal::SlackRefusal,
            send::{SlackChannel, SlackTarget},
        },
    },
    core::{PageId, SendReceipt},
};
use serde::Deserialize;
use slack_morphism::{
    SlackChannelId, SlackTs,
    api::{SlackApiConversationsArchiveRequest, SlackApiConversationsCreateRequest, SlackApiPinsAddRequest},
};
use std::{
    collections::BTreeMap,
    sync::{MutexGuard, PoisonError},
};

/// Slack's limit for a channel's name, in characters.
const NAME_CHARS: usize = 80;

/// The prefix of a drill's room.
const DRILL: &str = "drill-";

/// The library's own type for this response requires more fields: a response that it could not parse would leave an
/// unknown room behind, and a second one would be created.
#[derive(Deserialize)]
struct CreateRoomResponse {
    channel: CreatedRoom,
}

#[derive(Deserialize)]
struct CreatedRoom {
    id: SlackChannelId,
}

/// A successful response without fields that we need.
#[derive(Deserialize)]
pub(super) struct OkResponse {}

impl SlackChannel {
    /// Creates the room and posts its card; nothing else, so that both are there soon.
    pub(super) async fn open_room(
        &self,
        message: &Message,
        made: Option<&str>,
        name: &str,
        private: bool,
    ) -> Result<SendReceipt, SendError> {
        let known = made.map(str::to_owned).or_else(|| self.half_made().get(&message.page).cloned());
        let room = match known {
            Some(room) => room,
            None => {
                let room = self.create(message, name, private).await.map_err(SlackRefusal::into_send_error)?;
                self.half_made().insert(message.page, room.clone());
                room
            }
        };
        let card = self
            .post(&room, SlackTarget::End, blocks::room_card(message))
            .await
            .map_err(SlackRefusal::into_send_error)?;
        self.half_made().remove(&message.page);
        Ok(SendReceipt { room: Some(card.channel.0), ..SendReceipt::of(card.ts.0) })
    }

    /// Edits the card. If it was deleted or can not be edited any more, a new one is posted and pinned.
    pub(super) async fn renew_card(
        &self,
        message: &Message,
        room: &str,
        card: Option<&str>,
    ) -> Result<SendReceipt, SendError> {
        if let Some(of) = card {
            match self.post(room, SlackTarget::Instead { of }, blocks::room_card(message)).await {
                Ok(posted) => return Ok(SendReceipt::of(posted.ts.0)),
                Err(refusal) if refusal.is_of_lost_message() => {
                    let (incident, page) = (message.page.incident, message.page);
                    tracing::warn!(%incident, %page, slack.error = %refusal, "the card of {incident} can not be edited: a new one is posted");
                }
                Err(refusal) => return Err(refusal.into_send_error()),
            }
        }
        let posted = self
            .post(room, SlackTarget::End, blocks::room_card(message))
            .await
            .map_err(SlackRefusal::into_send_error)?;
        self.pin(message.page, room, &posted.ts.0).await;
        Ok(SendReceipt { room: Some(room.to_owned()), ..SendReceipt::of(posted.ts.0) })
    }

    /// Pins a card. An error is ignored, because the card is the first message of its room.
    pub(super) async fn pin(&self, page: PageId, room: &str, card: &str) {
        let pinned = self.web.call::<OkResponse>("pins.add", &pin(room, card)).await;
        if let Err(refusal) = pinned
            && !refusal.is("already_pinned")
        {
            tracing::warn!(%page, slack.error = %refusal, "the card of {} is not pinned", page.incident);
        }
    }

    pub(super) async fn archive(&self, room: &str) -> Result<SendReceipt, SendError> {
        let request = SlackApiConversationsArchiveRequest::new(SlackChannelId(room.to_owned()));
        match self.web.call::<OkResponse>("conversations.archive", &request).await {
            Err(refusal) if !refusal.is("already_archived") => Err(refusal.into_send_error()),
            _ => Ok(SendReceipt::of("archived")),
        }
    }

    /// A name can be taken by the room that an earlier attempt created, which is used, or by an archived or private
    /// room of an earlier incident: then suffixes are tried; the last one is unique to the page.
    async fn create(&self, message: &Message, name: &str, private: bool) -> Result<String, SlackRefusal> {
        let base = match message.drill && !name.starts_with(DRILL) {
            true => format!("{DRILL}{name}"),
            false => name.to_owned(),
        };
        let own = format!("-{}", message.id());
        let names = ["", "-2", "-3", &own].map(|suffix| named(&base, suffix));
        let (mut lost, mut refused) = (None, SlackRefusal::code("name_taken", b""));
        for name in names {
            match self.create_named(&name, private).await {
                Err(refusal) if refusal.is("name_taken") => refused = refusal,
                result => return result,
            }
            let rooms = match lost.take() {
                Some(rooms) => rooms,
                None => self.lost_rooms(message, private).await?,
            };
            if let Some(id) = rooms.iter().find_map(|room| room.id_if_named(&name)) {
                return Ok(id.to_owned());
            }
            lost = Some(rooms);
        }
        Err(refused)
    }

    async fn create_named(&self, name: &str, is_private: bool) -> Result<String, SlackRefusal> {
        let request = SlackApiConversationsCreateRequest::new(name.to_owned()).with_is_private(is_private);
        let created: CreateRoomResponse = self.web.call("conversations.create", &request).await?;
        Ok(created.channel.id.0)
    }

    fn half_made(&self) -> MutexGuard<'_, BTreeMap<PageId, String>> {
        self.half_made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The request that pins a message of a room.
pub(super) fn pin(room: &str, card: &str) -> SlackApiPinsAddRequest {
    SlackApiPinsAddRequest::new(SlackChannelId(room.to_owned()), SlackTs(card.to_owned()))
}

/// The name with its suffix, changed to follow Slack's rules: lower-case letters, digits, hyphens and underscores, at
/// most [`NAME_CHARS`], and not only punctuation.
fn named(base: &str, suffix: &str) -> String {
    let good = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' { c } else { '-' };
    let room = NAME_CHARS.saturating_sub(suffix.len());
    let base: String = base.to_lowercase().chars().map(good).take(room).collect();
    let base = if base.contains(|c: char| c.is_ascii_alphanumeric()) { base } else { "incident".to_owned() };
    format!("{base}{suffix}")
}
