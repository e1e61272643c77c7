//! Twilio: SMS and calls by its REST API (2010-04-01). The account and the handling of errors are shared by both
//! channels.

use crate::{
    channel::{SendError, SettingError, is_loopback, retry_after, twilio::code},
    core::Timestamp,
};
use reqwest::{RequestBuilder, Response, Url, header, redirect::Policy};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::{error::Error, time::Duration};

/// The default base URL of the API.
pub const API: &str = "https://api.twilio.com";

/// The connect timeout. The caller sets the timeout for the response.
const CONNECT: Duration = Duration::from_secs(3);

/// The largest part of a response that is read, in bytes: a message or a call is about a kilobyte.
const ANSWER_BYTES: usize = 64 * 1024;

/// The settings of an account.
#[derive(Debug, Clone)]
pub struct AccountSettings {
    /// Its SID: `AC` and 32 hexadecimal digits.
    pub account: String,
    /// Its auth tokens: one, or two during a rotation. With an API key they are only used to verify incoming requests.
    pub tokens: Vec<SecretString>,
    /// An API key (`SK..`) and its secret, instead of a token.
    pub api_key: Option<(String, SecretString)>,
    /// The base URL of the API, instead of [`API`]: https, or a test double on this machine.
    pub url: Option<String>,
    /// The wall clock, to compare with Twilio's.
    pub wall: fn() -> Timestamp,
}

/// A client for one account.
pub struct TwilioLogin {
    pub(super) http: reqwest::Client,
    pub(super) api: Url,
    pub(super) sid: String,
    /// The logins, in the order in which they are tried.
    pub(super) logins: Vec<(String, SecretString)>,
    pub(super) wall: fn() -> Timestamp,
}

/// Twilio's response when it has created something.
#[derive(Deserialize)]
struct TwilioCreated {
    sid: String,
}

/// Twilio's response to a failed request.
#[derive(Deserialize)]
struct TwilioRefusal {
    code: Option<u32>,
}

/// A response with its body.
pub(super) struct TwilioResponse {
    pub(super) status: u16,
    pub(super) after: Option<Duration>,
    pub(super) date: Option<String>,
    pub(super) body: Vec<u8>,
}

impl TwilioLogin {
    /// Creates the client; nothing is sent. A process-wide rustls provider must be installed.
    ///
    /// # Errors
    ///
    /// [`SettingError`] if the URL is neither https nor on this machine, or if there is no login.
    pub fn new(settings: AccountSettings) -> Result<Self, SettingError> {
        let wrong = |key: &'static str, why: &str| SettingError::Wrong { key, why: why.to_owned() };
        let api =
            Url::parse(settings.url.as_deref().unwrap_or(API)).map_err(|error| wrong("url", &error.to_string()))?;
        let local = api.host_str().is_some_and(is_loopback);
        if api.scheme() != "https" && !(local && api.scheme() == "http") {
            return Err(wrong("url", "write https://.., or http:// of this machine"));
        }
        let mut logins: Vec<(String, SecretString)> = settings.api_key.into_iter().collect();
        if logins.is_empty() {
            logins.extend(settings.tokens.into_iter().map(|token| (settings.account.clone(), token)));
        }
        if logins.is_empty() {
            return Err(wrong("token", "there is no auth token to log in with"));
        }
        let mut http = reqwest::Client::builder().redirect(Policy::none()).connect_timeout(CONNECT);
        if local {
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| wrong("url", &innermost(&error.without_url())))?;
        Ok(Self { http, api, sid: settings.account, logins, wall: settings.wall })
    }

    /// Creates a message or a call and returns its SID.
    pub(crate) async fn make(&self, what: &str, fields: &[(&str, String)]) -> Result<String, SendError> {
        let url = self.url(&format!("{what}.json"));
        let answer = self.ask(|| self.http.post(url.clone()).form(fields)).await?;
        if answer.status != 201 {
            return Err(answer.refusal());
        }
        // An HTML page of a proxy does not prove that anything was created.
        let made: TwilioCreated = serde_json::from_slice(&answer.body)
            .map_err(|_| SendError::unknown("the response has status 201, but is not Twilio's"))?;
        Ok(made.sid)
    }

    /// Sends the request with the first login, and with the next one if it is refused; a refused request was not
    /// processed.
    pub(super) async fn ask(&self, request: impl Fn() -> RequestBuilder) -> Result<TwilioResponse, SendError> {
        let mut refused = None;
        for (user, secret) in &self.logins {
            let request = request().basic_auth(user, Some(secret.expose_secret()));
            let response = request.send().await.map_err(send_error)?;
            let answer = read(response).await?;
            if answer.status != 401 {
                return Ok(answer);
            }
            refused = Some(answer);
        }
        refused.ok_or_else(|| SendError::broken("there is nothing to log in to Twilio with"))
    }

    /// A URL below the account.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}/2010-04-01/Accounts/{}/{path}", self.api.as_str().trim_end_matches('/'), self.sid)
    }

    /// Whether the API is a test double on this machine, which can reach the same addresses as we.
    fn is_local(&self) -> bool {
        self.api.host_str().is_some_and(is_loopback)
    }

    /// Our address if Twilio can reach it; `None` for one that only this machine can reach.
    pub(crate) fn reachable<'a>(&self, url: Option<&'a SecretString>) -> Option<&'a str> {
        let url = url?.expose_secret();
        let host = Url::parse(url).ok()?.host_str().map(str::to_owned)?;
        (self.is_local() || !is_loopback(&host)).then_some(url)
    }
}

impl TwilioResponse {
    pub(super) fn refusal(&self) -> SendError {
        let code = serde_json::from_slice(&self.body).ok().and_then(|refused: TwilioRefusal| refused.code);
        match self.status {
            200..=299 => SendError::unknown(format!("{}, but the answer is not Twilio's", self.status)),
            status => code::refusal(status, code, self.after),
        }
    }
}

async fn read(mut response: Response) -> Result<TwilioResponse, SendError> {
    let status = response.status().as_u16();
    let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let after = text(header::RETRY_AFTER).and_then(|wish| retry_after::parse(wish, text(header::DATE)));
    let date = text(header::DATE).map(str::to_owned);
    let mut body = Vec::new();
    while body.len() < ANSWER_BYTES
        && let Some(chunk) = response.chunk().await.map_err(send_error)?
    {
        body.extend_from_slice(&chunk);
    }
    Ok(TwilioResponse { status, after, date, body })
}

/// Converts an error without its URL, which contains the account's SID, half of the login.
fn send_error(error: reqwest::Error) -> SendError {
    let error = error.without_url();
    if error.is_connect() {
        return SendError::retry(format!("no connection to Twilio: {}", innermost(&error)));
    }
    SendError::unknown(format!("Twilio did not finish its response: {}", innermost(&error)))
}

/// The last cause, which is the informative one ("Connection refused") and contains no URL.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}
