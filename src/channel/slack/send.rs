//! Slack: direct messages with buttons, and the incident's war room with its one living card.

use crate::{
    channel::{
        Channel, ContactData, Message, PersonCheck, ProbeCheck, Recipient, SendError, SettingError,
        slack::{blocks::SlackPost, refusal::SlackRefusal, web::WebApi},
    },
    core::{PageId, PagePurpose, SendReceipt},
};
use futures_util::future::BoxFuture;
use secrecy::SecretString;
use serde::Serialize;
use slack_morphism::{
    SlackChannelId, SlackMessageContent, SlackTs,
    api::{SlackApiChatPostMessageRequest, SlackApiChatUpdateRequest, SlackChannelTs},
    blocks::SlackBlock,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

/// How to reach a Slack workspace.
#[derive(Debug, Clone)]
pub struct SlackSettings {
    /// The bot's token (`xoxb-`).
    pub token: SecretString,
    /// Another base for the Web API, for tests and proxies; no slash at the end. Plain HTTP only on this machine.
    pub api_url: Option<String>,
}

/// A Slack workspace.
pub struct SlackChannel {
    pub(super) web: WebApi,
    /// Rooms that were made, but whose card was not accepted: so that the next attempt makes no second one.
    pub(super) half_made: Mutex<BTreeMap<PageId, String>>,
    /// What a room that is still being furnished has already, of what can not be given twice.
    pub(super) half_furnished: Mutex<BTreeMap<PageId, BTreeSet<&'static str>>>,
    /// Member ids that were found by mailbox.
    pub(super) found: Mutex<BTreeMap<String, String>>,
}

/// What is read of Slack's answer to a message. The library's own type for it wants the whole message back: an answer
/// that it can not read would page somebody twice.
type PostedMessage = SlackChannelTs;

/// An edit that unfurls no links, which the library's request can not say.
#[derive(Serialize)]
struct MessageEdit {
    #[serde(flatten)]
    request: SlackApiChatUpdateRequest,
    unfurl_links: bool,
    unfurl_media: bool,
}

/// Where a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SlackTarget<'a> {
    /// To the end of a conversation.
    End,
    /// Under a message; also to the end of the conversation, where people must notice it.
    Thread { of: &'a str, broadcast: bool },
    /// In the place of a message.
    Instead { of: &'a str },
}

impl SlackChannel {
    /// Makes the client; nothing is sent. A process-wide rustls provider must be installed.
    ///
    /// # Errors
    ///
    /// [`SettingError`] when the URL can not be used or would carry the token in plain text.
    pub fn new(settings: SlackSettings) -> Result<Self, SettingError> {
        let web = WebApi::new(settings.api_url.as_deref(), settings.token)?;
        Ok(Self { web, half_made: Mutex::default(), half_furnished: Mutex::default(), found: Mutex::default() })
    }

    async fn page(&self, message: &Message) -> Result<SendReceipt, SendError> {
        match &message.to {
            Recipient::Person(contact) => self.direct(message, contact).await,
            Recipient::Room { id, card, name, private, invite } => {
                let card = card.as_deref();
                match (&message.purpose, id.as_deref()) {
                    (PagePurpose::RoomCard, made) => self.open_room(message, made, name, *private).await,
                    (_, None) => Err(SendError::retry("the war room is not made yet")),
                    (PagePurpose::RoomUpdate { .. }, Some(room)) => self.renew_card(message, room, card).await,
                    (PagePurpose::RoomFurnish, Some(room)) => self.set_up_room(message, room, card).await,
                    (PagePurpose::RoomInvite { .. }, Some(room)) => self.invite(room, card, invite).await,
                    (PagePurpose::RoomArchive, Some(room)) => self.archive(room).await,
                    (PagePurpose::RoomSummary, Some(room)) => self.line(message, room, None, false).await,
                    (PagePurpose::RoomNote { .. }, Some(room)) => self.line(message, room, card, false).await,
                    (_, Some(room)) => self.line(message, room, card, true).await,
                }
            }
        }
    }

    async fn direct(&self, message: &Message, contact: &ContactData) -> Result<SendReceipt, SendError> {
        let user = self.user_of(contact).await?;
        let posted = self.post(&user, SlackTarget::End, crate::channel::slack::blocks::to_person(message)).await;
        let posted = posted.map_err(SlackRefusal::into_send_error)?;
        Ok(SendReceipt::of(posted.ts.0))
    }

    /// A line of the story, under the card where there is one.
    async fn line(
        &self,
        message: &Message,
        room: &str,
        card: Option<&str>,
        broadcast: bool,
    ) -> Result<SendReceipt, SendError> {
        let place = card.map_or(SlackTarget::End, |of| SlackTarget::Thread { of, broadcast });
        let posted = match self.post(room, place, crate::channel::slack::blocks::line(message)).await {
            // Somebody deleted the card: the line stands alone.
            Err(refusal) if refusal.is_of_lost_message() => {
                self.post(room, SlackTarget::End, crate::channel::slack::blocks::line(message)).await
            }
            posted => posted,
        };
        let posted = posted.map_err(SlackRefusal::into_send_error)?;
        Ok(SendReceipt::of(posted.ts.0))
    }

    /// Posts or edits; what Slack refuses in its rich form goes as one plain line at once.
    pub(super) async fn post(
        &self,
        channel: &str,
        place: SlackTarget<'_>,
        post: SlackPost,
    ) -> Result<PostedMessage, SlackRefusal> {
        let Some(blocks) = post.blocks else { return self.put(channel, place, post.plain, None).await };
        match self.put(channel, place, post.text, Some(blocks)).await {
            Err(refusal) if refusal.is_of_form() => {
                tracing::warn!(slack.error = %refusal, "Slack refuses the form of a message: it goes as one plain line");
                self.put(channel, place, post.plain, None).await
            }
            result => result,
        }
    }

    async fn put(
        &self,
        channel: &str,
        place: SlackTarget<'_>,
        text: String,
        blocks: Option<Vec<SlackBlock>>,
    ) -> Result<PostedMessage, SlackRefusal> {
        let channel = SlackChannelId(channel.to_owned());
        let content = SlackMessageContent::new().with_text(text).opt_blocks(blocks);
        let (of, broadcast) = match place {
            SlackTarget::Instead { of } => {
                let request = SlackApiChatUpdateRequest::new(channel, content, SlackTs(of.to_owned()));
                let edit = MessageEdit { request, unfurl_links: false, unfurl_media: false };
                return self.web.call("chat.update", &edit).await;
            }
            SlackTarget::End => (None, false),
            SlackTarget::Thread { of, broadcast } => (Some(SlackTs(of.to_owned())), broadcast),
        };
        let request = SlackApiChatPostMessageRequest::new(channel, content)
            .opt_thread_ts(of)
            .opt_reply_broadcast(broadcast.then_some(true))
            .with_unfurl_links(false)
            .with_unfurl_media(false);
        self.web.call("chat.postMessage", &request).await
    }
}

impl Channel for SlackChannel {
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<SendReceipt, SendError>> {
        Box::pin(self.page(message))
    }

    fn probe(&self) -> BoxFuture<'_, Vec<ProbeCheck>> {
        Box::pin(self.look())
    }

    fn check_people<'a>(&'a self, people: &'a [ContactData]) -> BoxFuture<'a, Vec<PersonCheck>> {
        Box::pin(self.check_each(people))
    }
}
