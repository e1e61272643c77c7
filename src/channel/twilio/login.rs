//! Twilio: SMS and calls by its REST API (2010-04-01). One account, one way to say no, shared by both channels.

use crate::{
    channel::{SendError, SettingError, is_loopback, retry_after, twilio::code},
    core::Timestamp,
};
use reqwest::{RequestBuilder, Response, Url, header, redirect::Policy};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::{error::Error, time::Duration};

/// Where the API is when nobody says otherwise.
pub const API: &str = "https://api.twilio.com";

/// How long Twilio may take to let us in. Its answer may take longer: the caller bounds that.
const CONNECT: Duration = Duration::from_secs(3);

/// How much of an answer is read: a message or a call is about a kilobyte.
const ANSWER_BYTES: usize = 64 * 1024;

/// How to reach an account.
#[derive(Debug, Clone)]
pub struct AccountSettings {
    /// Its SID: `AC` and 32 hexadecimal digits.
    pub account: String,
    /// Its auth tokens: one, or two while they are being changed. With an API key they only check what comes in.
    pub tokens: Vec<SecretString>,
    /// An API key (`SK..`) and its secret, in place of a token.
    pub api_key: Option<(String, SecretString)>,
    /// Where the API is, in place of [`API`]; https, or a double on this machine.
    pub url: Option<String>,
    /// The clock on our wall, to be compared with Twilio's.
    pub wall: fn() -> Timestamp,
}

/// An account.
pub struct TwilioLogin {
    pub(super) http: reqwest::Client,
    pub(super) api: Url,
    pub(super) sid: String,
    /// Who we are, first choice first.
    pub(super) logins: Vec<(String, SecretString)>,
    pub(super) wall: fn() -> Timestamp,
}

/// What Twilio answers when it has made something.
#[derive(Deserialize)]
struct TwilioCreated {
    sid: String,
}

/// What it answers when it has not.
#[derive(Deserialize)]
struct TwilioRefusal {
    code: Option<u32>,
}

/// An answer, read.
pub(super) struct TwilioResponse {
    pub(super) status: u16,
    pub(super) after: Option<Duration>,
    pub(super) date: Option<String>,
    pub(super) body: Vec<u8>,
}

impl TwilioLogin {
    /// Makes the client; nothing is sent. A process-wide rustls provider must be installed.
    ///
    /// # Errors
    ///
    /// [`SettingError`] when the URL is neither https nor on this machine, or nothing to log in with is there.
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

    /// Makes a message or a call; its SID.
    pub(crate) async fn make(&self, what: &str, fields: &[(&str, String)]) -> Result<String, SendError> {
        let url = self.url(&format!("{what}.json"));
        let answer = self.ask(|| self.http.post(url.clone()).form(fields)).await?;
        if answer.status != 201 {
            return Err(answer.refusal());
        }
        // A proxy's page for humans is no proof that anything was made.
        let made: TwilioCreated = serde_json::from_slice(&answer.body)
            .map_err(|_| SendError::unknown("Twilio answered 201 with something that is not its own"))?;
        Ok(made.sid)
    }

    /// Asks with the first login; with the next where that one is refused, which is no processing.
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

    /// An address under the account.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}/2010-04-01/Accounts/{}/{path}", self.api.as_str().trim_end_matches('/'), self.sid)
    }

    /// Whether the API is a double on this machine, which can reach whatever we can.
    fn is_local(&self) -> bool {
        self.api.host_str().is_some_and(is_loopback)
    }

    /// An address of ours that Twilio can fetch; none for one that only this machine knows.
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

/// No URL is shown: it holds the account's SID, which is half of the login.
fn send_error(error: reqwest::Error) -> SendError {
    let error = error.without_url();
    if error.is_connect() {
        return SendError::retry(format!("no connection to Twilio: {}", innermost(&error)));
    }
    SendError::unknown(format!("Twilio did not finish its answer: {}", innermost(&error)))
}

/// The last cause, which is the one that says something ("Connection refused") and knows no URL.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}
