//! A group as an incident's room: one message for each incident, edited as it changes. What has a line of its own in other
//! rooms is in that message already.

use super::{
    refusal::BotRefusal,
    send::{TelegramChannel, cut},
};
use crate::{
    channel::{Message, SendError},
    core::{PagePurpose, SendReceipt, StandIn},
};

impl TelegramChannel {
    /// Brings the group up to date. `room` and `card` are the group and the message in it, once it is posted.
    pub(super) async fn tell_group(
        &self,
        message: &Message,
        room: Option<&str>,
        card: Option<&str>,
    ) -> Result<SendReceipt, SendError> {
        let Some(configured) = self.group else {
            return Err(SendError::unreachable("this channel has no group: it reaches people alone, and no room"));
        };
        let group = room.and_then(|room| room.parse().ok()).unwrap_or(configured);
        match &message.purpose {
            PagePurpose::RoomCard => self.post_card(message, group, false).await,
            PagePurpose::RoomUpdate { .. } => match card.and_then(|card| card.parse().ok()) {
                Some(card) => self.edit_card(message, group, card).await,
                None => self.post_card(message, group, true).await,
            },
            _ => Ok(SendReceipt::of_stand_in(StandIn::Unneeded, "the group's one message shows it")),
        }
    }

    /// Edits the message. One that people have deleted, or that was left behind when the group became another chat, is
    /// posted again, without a sound.
    async fn edit_card(&self, message: &Message, group: i64, card: i64) -> Result<SendReceipt, SendError> {
        match self.edit(group, card, &cut(&message.whole_text())).await {
            Ok(()) => Ok(SendReceipt::of(card.to_string())),
            Err(refusal) if refusal.is_of_same_text() => Ok(SendReceipt::of(card.to_string())),
            Err(refusal) if refusal.is_of_lost_message() => {
                let incident = message.page.incident;
                tracing::warn!(%incident, "the message of {incident} in its Telegram group can not be edited: a new one is posted");
                self.post_card(message, group, true).await
            }
            Err(BotRefusal::Migrated(_)) => self.post_card(message, group, true).await,
            Err(refusal) => Err(refusal.into_send_error()),
        }
    }

    async fn post_card(&self, message: &Message, group: i64, is_silent: bool) -> Result<SendReceipt, SendError> {
        let text = message.whole_text();
        let (chat, posted) = match self.post(group, &text, None, is_silent).await {
            Err(BotRefusal::Migrated(chat)) => {
                tracing::warn!(chat, "a Telegram group has this new id: write group = {chat} into the matrix");
                (chat, self.post(chat, &text, None, is_silent).await)
            }
            posted => (group, posted),
        };
        let id = posted.map_err(BotRefusal::into_send_error)?;
        Ok(SendReceipt { room: Some(chat.to_string()), ..SendReceipt::of(id.to_string()) })
    }
}
