//! The Bot API: one method called once, and what its answer is. The token is a part of every address, so no address may
//! reach an error or a log.

use super::refusal::{self, BotRefusal};
use crate::{
    channel::{SettingError, client::BoundedClient, is_loopback},
    core::hex::hex,
};
use reqwest::{Method, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::{Value, value::RawValue};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// Where Telegram's Bot API is.
const API_URL: &str = "https://api.telegram.org";

/// How much of an answer is read, in bytes: a whole batch of the longest messages.
const ANSWER_MAX: usize = 8 << 20;

/// A bot.
pub struct BotApi {
    client: BoundedClient,
    token: SecretString,
}

/// What a method gave.
#[derive(Debug)]
pub(super) struct BotAnswer {
    /// Its result, as it came.
    pub result: Box<RawValue>,
    /// Telegram's clock.
    pub date: Option<String>,
}

impl BotAnswer {
    /// Its result, read; null where it can not be.
    pub(super) fn value(&self) -> Value {
        serde_json::from_str(self.result.get()).unwrap_or_default()
    }
}

impl BotApi {
    /// Makes the client; nothing is sent. A process-wide rustls provider must be installed.
    ///
    /// # Errors
    ///
    /// [`SettingError`] when the address or the token can not be used. It quotes neither.
    pub fn new(url: Option<&str>, token: SecretString) -> Result<Self, SettingError> {
        let client = BoundedClient::new(url.unwrap_or(API_URL).trim_end_matches('/'), None)?;
        if client.url().scheme() != "https" && !is_loopback(client.host()) {
            let why = "plain http:// would show the token to the network: use https://".to_owned();
            return Err(SettingError::Wrong { key: "url", why });
        }
        if !is_token(token.expose_secret()) {
            let why = "this is no bot's token: it is a number, a colon and a word, as @BotFather gives it".to_owned();
            return Err(SettingError::Wrong { key: "token", why });
        }
        Ok(Self { client, token })
    }

    /// Calls a method. With `within` it may take so long; else the caller bounds the time.
    pub(super) async fn call(
        &self,
        method: &str,
        body: &impl Serialize,
        within: Option<Duration>,
    ) -> Result<BotAnswer, BotRefusal> {
        let request = self.client.request(Method::POST, self.url(method)?).json(body);
        let request = within.into_iter().fold(request, reqwest::RequestBuilder::timeout);
        let response = self.client.send_within(request, ANSWER_MAX).await.map_err(BotRefusal::Unsent)?;
        let result = refusal::result(&response)?;
        Ok(BotAnswer { result, date: response.date })
    }

    /// By what a message in a person's chat is known again when they reply to it.
    pub(super) fn receipt(&self, chat: i64, message: i64) -> String {
        receipt(&self.token, chat, message)
    }

    fn url(&self, method: &str) -> Result<Url, BotRefusal> {
        let base = self.client.url().as_str().trim_end_matches('/');
        let url = Url::parse(&format!("{base}/bot{}/{method}", self.token.expose_secret()));
        url.map_err(|_| BotRefusal::unreadable(0))
    }
}

/// A message's receipt is in the journal, and its chat is a person's own: only with the token can one tell which chat
/// it is.
pub fn receipt(token: &SecretString, chat: i64, message: i64) -> String {
    let text = format!("{}\0{chat}\0{message}", token.expose_secret());
    hex(&Sha256::digest(text.as_bytes())[..12])
}

/// `123456:AbC-d_e`: anything else could lead to another address.
fn is_token(token: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    token.split_once(':').is_some_and(|(bot, word)| {
        !bot.is_empty() && bot.chars().all(|c| c.is_ascii_digit()) && !word.is_empty() && word.chars().all(is_word)
    })
}
