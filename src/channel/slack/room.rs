//! The war room: made, named, filled with the people on call, and opened with a pinned card.

use super::{Slack, blocks, refusal::Refusal};
use crate::{
    channel::{Message, SendError},
    core::Receipt,
};
use serde::{Deserialize, Serialize};
use std::sync::PoisonError;

/// Slack's limit for a channel's name.
const NAME_CHARS: usize = 80;

/// Slack's limit for a topic.
const TOPIC_CHARS: usize = 250;

/// Slack's limit for one invitation.
const INVITED_AT_ONCE: usize = 100;

/// What the room shall be.
pub(super) struct Wish<'a> {
    /// Its id, where it was made before.
    pub made: Option<&'a str>,
    /// What to call it.
    pub name: &'a str,
    /// Only for those invited.
    pub private: bool,
    /// Whom to invite: Slack ids.
    pub invite: &'a [String],
}

#[derive(Serialize)]
struct Create<'a> {
    name: &'a str,
    is_private: bool,
}

#[derive(Deserialize)]
struct Created {
    channel: CreatedRoom,
}

#[derive(Deserialize)]
struct CreatedRoom {
    id: String,
}

#[derive(Serialize)]
struct SetTopic<'a> {
    channel: &'a str,
    topic: &'a str,
}

/// slack-morphism's own has no `force`, without which one bad id fails the whole batch.
#[derive(Serialize)]
struct Invite<'a> {
    channel: &'a str,
    users: String,
    force: bool,
}

#[derive(Serialize)]
struct Pin<'a> {
    channel: &'a str,
    timestamp: &'a str,
}

#[derive(Deserialize)]
struct Done {}

impl Slack {
    /// Makes the room and posts its card. Topic, invitations and pin are not worth a failure: people who are paged
    /// find the room by its name too.
    pub(super) async fn open_room(&self, message: &Message, wish: Wish<'_>) -> Result<Receipt, SendError> {
        let known = wish.made.map(str::to_owned).or_else(|| self.half_made().get(&message.page).cloned());
        let room = match known {
            Some(room) => room,
            None => {
                let room = self.create(message, &wish).await.map_err(Refusal::into_send_error)?;
                self.half_made().insert(message.page, room.clone());
                room
            }
        };
        let card = self.post(&room, blocks::room_card(message)).await.map_err(Refusal::into_send_error)?;
        self.furnish(message, &wish, &room, &card.ts).await;
        self.half_made().remove(&message.page);
        Ok(Receipt { id: card.ts, room: Some(card.channel) })
    }

    /// A name can be taken by a room of an earlier incident, archived or private and not to be seen: hence suffixes,
    /// the last of which is the page's own.
    async fn create(&self, message: &Message, wish: &Wish<'_>) -> Result<String, Refusal> {
        let base = if message.drill && !wish.name.contains("drill") {
            format!("drill-{}", wish.name)
        } else {
            wish.name.to_owned()
        };
        let own = format!("-{}", message.page).to_lowercase().replace('.', "-");
        for suffix in ["", "-2", "-3"] {
            match self.create_named(&named(&base, suffix), wish.private).await {
                Err(refusal) if refusal.is("name_taken") => {}
                result => return result,
            }
        }
        self.create_named(&named(&base, &own), wish.private).await
    }

    async fn create_named(&self, name: &str, is_private: bool) -> Result<String, Refusal> {
        let created: Created = self.call("conversations.create", &Create { name, is_private }).await?;
        Ok(created.channel.id)
    }

    async fn furnish(&self, message: &Message, wish: &Wish<'_>, room: &str, card: &str) {
        let (incident, page) = (message.page.incident, message.page);
        let topic = blocks::one_line(&message.stamped(&message.text.headline), TOPIC_CHARS);
        let asked = self.call::<Done>("conversations.setTopic", &SetTopic { channel: room, topic: &topic }).await;
        if let Err(refusal) = asked {
            tracing::warn!(%incident, %page, slack.error = %refusal, "the war room of {incident} has no topic");
        }
        for people in wish.invite.chunks(INVITED_AT_ONCE) {
            let invite = Invite { channel: room, users: people.join(","), force: true };
            match self.call::<Done>("conversations.invite", &invite).await {
                Err(refusal) if !refusal.is("already_in_channel") && !refusal.is("cant_invite_self") => {
                    tracing::warn!(%incident, %page, slack.error = %refusal, "not all people are in the war room of {incident}");
                }
                _ => {}
            }
        }
        match self.call::<Done>("pins.add", &Pin { channel: room, timestamp: card }).await {
            Err(refusal) if !refusal.is("already_pinned") => {
                tracing::warn!(%incident, %page, slack.error = %refusal, "the card of {incident} is not pinned");
            }
            _ => {}
        }
    }

    fn half_made(&self) -> std::sync::MutexGuard<'_, std::collections::BTreeMap<crate::core::PageId, String>> {
        self.half_made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name with its suffix, within Slack's limit.
fn named(base: &str, suffix: &str) -> String {
    let room = NAME_CHARS.saturating_sub(suffix.len());
    let base: String = base.chars().take(room).collect();
    format!("{base}{suffix}")
}
