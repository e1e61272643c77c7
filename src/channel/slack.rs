//! Slack: direct messages with buttons, and the incident's war room.

mod blocks;
pub mod interaction;
mod refusal;
mod room;

use super::{Channel, Message, Recipient, SendError, SettingError, is_loopback};
use crate::core::{PageId, Purpose, Receipt};
use blocks::Post;
use futures_util::future::BoxFuture;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::connect::HttpConnector;
use refusal::Refusal;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use slack_morphism::prelude::{
    SlackApiChatPostMessageRequest, SlackApiToken, SlackApiTokenValue, SlackChannelId, SlackClient,
    SlackClientHyperConnector, SlackHyperClient, SlackMessageContent,
};
use std::{collections::BTreeMap, sync::Mutex, time::Duration};

/// Where Slack's Web API is.
const API_URL: &str = "https://slack.com/api";

/// How long Slack may take to let us in. Its answer may take longer: the caller bounds that.
const CONNECT: Duration = Duration::from_secs(3);

/// How to reach a Slack workspace.
#[derive(Debug, Clone)]
pub struct SlackSettings {
    /// The bot's token (`xoxb-`).
    pub token: SecretString,
    /// Another base for the Web API, for tests and proxies; no slash at the end. Plain HTTP only on this machine.
    pub api_url: Option<String>,
}

/// A Slack workspace.
pub struct Slack {
    client: SlackHyperClient,
    token: SlackApiToken,
    /// Rooms that were made, but whose card was not accepted: so that the next attempt makes no second one.
    half_made: Mutex<BTreeMap<PageId, String>>,
}

/// Slack's yes. Our own types, and not slack-morphism's: those demand fields that we do not use, and an answer that
/// can not be read would page a person again. `ok` is demanded, because a page of HTML is read as an empty object.
#[derive(Debug, Deserialize)]
struct Agreed<T> {
    ok: bool,
    #[serde(flatten)]
    said: T,
}

#[derive(Debug, Deserialize)]
struct Posted {
    channel: String,
    ts: String,
}

impl Slack {
    /// Makes the client; nothing is sent. A process-wide rustls provider must be installed.
    ///
    /// # Errors
    ///
    /// [`SettingError`] when the URL can not be used or would carry the token in plain text, or when this machine
    /// has no root certificates.
    pub fn new(settings: SlackSettings) -> Result<Self, SettingError> {
        let api_url = settings.api_url.as_deref().unwrap_or(API_URL).trim_end_matches('/');
        check_url(api_url)?;
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_connect_timeout(Some(CONNECT));
        let connector = HttpsConnectorBuilder::new()
            .with_native_roots()
            .map_err(|source| SettingError::File { key: "root certificates of this machine", source })?
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(http);
        let connector = SlackClientHyperConnector::with_connector(connector).with_slack_api_url(api_url);
        Ok(Self {
            client: SlackClient::new(connector),
            token: SlackApiToken::new(SlackApiTokenValue(settings.token.expose_secret().to_owned())),
            half_made: Mutex::default(),
        })
    }

    async fn page(&self, message: &Message) -> Result<Receipt, SendError> {
        match &message.to {
            Recipient::Person(contact) => {
                let Some(user) = contact.slack.as_deref() else {
                    return Err(SendError::unreachable("no Slack user id is known"));
                };
                let posted = self.post(user, blocks::to_person(message)).await.map_err(Refusal::into_send_error)?;
                Ok(Receipt { id: posted.ts, room: None })
            }
            Recipient::Room { id, name, private, invite, .. } if message.purpose == Purpose::RoomCard => {
                let wish = room::Wish { made: id.as_deref(), name, private: *private, invite };
                self.open_room(message, wish).await
            }
            Recipient::Room { id: Some(room), .. } => {
                let posted = self.post(room, blocks::line(message)).await.map_err(Refusal::into_send_error)?;
                Ok(Receipt { id: posted.ts, room: None })
            }
            Recipient::Room { id: None, .. } => Err(SendError::retry("the war room is not made yet")),
        }
    }

    /// Posts; when Slack refuses the form, it posts one plain line at once.
    async fn post(&self, channel: &str, post: Post) -> Result<Posted, Refusal> {
        let rich = SlackMessageContent::new().with_text(post.text).opt_blocks(post.blocks);
        match self.post_content(channel, rich).await {
            Err(refusal) if refusal.is_of_form() => {
                tracing::warn!(slack.error = %refusal, "Slack refuses the form of a message: it goes as one plain line");
                self.post_content(channel, SlackMessageContent::new().with_text(post.plain)).await
            }
            result => result,
        }
    }

    async fn post_content(&self, channel: &str, content: SlackMessageContent) -> Result<Posted, Refusal> {
        let request = SlackApiChatPostMessageRequest::new(SlackChannelId(channel.to_owned()), content)
            .with_unfurl_links(false)
            .with_unfurl_media(false);
        self.call("chat.postMessage", &request).await
    }

    /// Calls one method of the Web API, once.
    async fn call<T: DeserializeOwned + Send>(
        &self,
        method: &str,
        request: &(impl Serialize + Send + Sync),
    ) -> Result<T, Refusal> {
        let session = self.client.open_session(&self.token);
        let agreed: Agreed<T> =
            session.http_session_api.http_post(method, request, None).await.map_err(Refusal::from)?;
        if agreed.ok { Ok(agreed.said) } else { Err(Refusal::unreadable()) }
    }
}

impl Channel for Slack {
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<Receipt, SendError>> {
        Box::pin(self.page(message))
    }
}

fn check_url(api_url: &str) -> Result<(), SettingError> {
    let wrong = |why: String| SettingError::Wrong { key: "api_url", why };
    let url = reqwest::Url::parse(api_url).map_err(|error| wrong(error.to_string()))?;
    match (url.scheme(), url.host_str()) {
        ("https", Some(_)) => Ok(()),
        ("http", Some(host)) if is_loopback(host) => Ok(()),
        ("http", _) => Err(wrong("plain http:// would show the token to the network: use https://".to_owned())),
        _ => Err(wrong("write https://HOST/api".to_owned())),
    }
}
