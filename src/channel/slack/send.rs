//! Slack: direct messages with buttons, and the incident's war room with a card that is kept up to date.

use crate::{
    channel::{
        Channel, ContactData, Message, PersonCheck, ProbeCheck, Recipient, SendError, SettingError,
        chat::ChatForm,
        slack::{blocks::SlackPost, modal, refusal::SlackRefusal, web::WebApi},
    },
    core::{PageId, PagePurpose, SendReceipt},
};
use futures_util::future::BoxFuture;
use secrecy::SecretString;
use serde::{Serialize, de::IgnoredAny};
use slack_morphism::{
    SlackChannelId, SlackMessageContent, SlackTriggerId, SlackTs,
    api::{SlackApiChatPostMessageRequest, SlackApiChatUpdateRequest, SlackApiViewsOpenRequest, SlackChannelTs},
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
    /// Another base URL for the Web API, for tests and proxies; without a slash at the end. Plain HTTP only on this
    /// machine.
    pub api_url: Option<String>,
}

/// The channel that sends to one Slack workspace.
pub struct SlackChannel {
    pub(super) web: WebApi,
    /// Rooms that were created but whose card was not accepted, so that the next attempt does not create a second one.
    pub(super) half_made: Mutex<BTreeMap<PageId, String>>,
    /// The finished steps, of those that must not be repeated, for rooms whose setup is not complete.
    pub(super) half_furnished: Mutex<BTreeMap<PageId, BTreeSet<&'static str>>>,
    /// A cache of member ids that were found by mail address.
    pub(super) found: Mutex<BTreeMap<String, String>>,
}

/// What we read of Slack's response to a message. The library's own type requires the whole message: a response that it
/// could not parse would page somebody twice.
type PostedMessage = SlackChannelTs;

/// An edit with links that are not unfurled, which the library's request does not support.
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
    /// At the end of a conversation.
    End,
    /// In the thread of a message; with `broadcast` also at the end of the conversation, if people must notice it.
    Thread { of: &'a str, broadcast: bool },
    /// Replaces a message.
    Instead { of: &'a str },
}

impl SlackChannel {
    /// Creates the client; nothing is sent. A process-wide rustls provider must be installed.
    ///
    /// # Errors
    ///
    /// [`SettingError`] if the URL is not valid or would send the token in plain text.
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
                    (_, None) => Err(SendError::retry("the war room does not exist yet")),
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

    /// Posts a line, in the thread of the card if there is one.
    async fn line(
        &self,
        message: &Message,
        room: &str,
        card: Option<&str>,
        broadcast: bool,
    ) -> Result<SendReceipt, SendError> {
        let place = card.map_or(SlackTarget::End, |of| SlackTarget::Thread { of, broadcast });
        let posted = match self.post(room, place, crate::channel::slack::blocks::line(message)).await {
            // Somebody deleted the card: the line is posted without a thread.
            Err(refusal) if refusal.is_of_lost_message() => {
                self.post(room, SlackTarget::End, crate::channel::slack::blocks::line(message)).await
            }
            posted => posted,
        };
        let posted = posted.map_err(SlackRefusal::into_send_error)?;
        Ok(SendReceipt::of(posted.ts.0))
    }

    /// Posts or edits; if Slack refuses the blocks, it sends one plain line immediately.
    pub(super) async fn post(
        &self,
        channel: &str,
        place: SlackTarget<'_>,
        post: SlackPost,
    ) -> Result<PostedMessage, SlackRefusal> {
        let Some(blocks) = post.blocks else { return self.put(channel, place, post.plain, None).await };
        match self.put(channel, place, post.text, Some(blocks)).await {
            Err(refusal) if refusal.is_of_form() => {
                tracing::warn!(slack.error = %refusal, "Slack refuses the form of a message: it is sent as one plain line");
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

    fn open_form<'a>(&'a self, opening: &'a str, form: &'a ChatForm) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(async move {
            let request = SlackApiViewsOpenRequest::new(SlackTriggerId(opening.to_owned()), modal::form(form));
            let opened = self.web.call::<IgnoredAny>("views.open", &request).await;
            opened.map(drop).map_err(SlackRefusal::into_send_error)
        })
    }

    fn probe(&self) -> BoxFuture<'_, Vec<ProbeCheck>> {
        Box::pin(self.look())
    }

    fn check_people<'a>(&'a self, people: &'a [ContactData]) -> BoxFuture<'a, Vec<PersonCheck>> {
        Box::pin(self.check_each(people))
    }
}
