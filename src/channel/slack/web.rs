//! Slack's Web API: calls one method once and parses the response. The requests are slack-morphism's types; the client
//! is our own, because that library's client drops headers that we need and reads responses of any length.

use super::refusal::SlackRefusal;
use crate::channel::{SettingError, is_loopback, retry_after};
use reqwest::{Client, Response, StatusCode, Url, header, redirect::Policy};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{error::Error, time::Duration};

/// Where Slack's Web API is.
pub(super) const API_URL: &str = "https://slack.com/api";

/// The connect timeout. The caller sets the timeout for the response.
const CONNECT: Duration = Duration::from_secs(3);

/// The largest part of a response that is read, in bytes. The longest one that we need is a message with its blocks.
const ANSWER_BYTES: usize = 256 * 1024;

/// Slack warns if the charset is missing, and refuses any other.
const JSON: &str = "application/json; charset=utf-8";

/// A workspace's Web API, with the bot's token.
pub(super) struct WebApi {
    http: Client,
    base: String,
    token: SecretString,
}

/// The response of a method, with some of its headers.
#[derive(Debug)]
pub(super) struct ApiResponse<T> {
    pub it: T,
    /// The scopes that the token has.
    pub scopes: Option<String>,
    /// Slack's clock.
    pub date: Option<String>,
}

/// Success or an error code. `ok` is required, because an HTML page must not be read as an empty object.
#[derive(Deserialize)]
struct ApiStatus {
    ok: bool,
    #[serde(default)]
    error: Option<String>,
}

impl WebApi {
    /// Creates the client; nothing is sent. A process-wide rustls provider must be installed.
    ///
    /// # Errors
    ///
    /// [`SettingError`] if the URL is not valid or would send the token in plain text.
    pub(super) fn new(api_url: Option<&str>, token: SecretString) -> Result<Self, SettingError> {
        let base = api_url.unwrap_or(API_URL).trim_end_matches('/').to_owned();
        let wrong = |why: String| SettingError::Wrong { key: "api_url", why };
        let host = check_url(&base)?;
        let mut http = Client::builder().redirect(Policy::none()).connect_timeout(CONNECT);
        if is_loopback(&host) {
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| wrong(innermost(&error.without_url())))?;
        Ok(Self { http, base, token })
    }

    /// Calls a method that writes; arguments are JSON.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        body: &impl Serialize,
    ) -> Result<T, SlackRefusal> {
        let request = self.http.post(self.url(method)).header(header::CONTENT_TYPE, JSON).json(body);
        Ok(self.send(request).await?.it)
    }

    /// Calls a method that reads; several of these accept only form fields.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        method: &str,
        fields: &impl Serialize,
    ) -> Result<ApiResponse<T>, SlackRefusal> {
        self.send(self.http.post(self.url(method)).form(fields)).await
    }

    fn url(&self, method: &str) -> String {
        format!("{}/{method}", self.base)
    }

    async fn send<T: DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<ApiResponse<T>, SlackRefusal> {
        let sent = request.bearer_auth(self.token.expose_secret()).send().await;
        let mut response = sent.map_err(|error| refusal(&error.without_url()))?;
        let status = response.status();
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(SlackRefusal::Throttled(wished_pause(&response)));
        }
        if !status.is_success() {
            return Err(SlackRefusal::Status(status.as_u16()));
        }
        let (scopes, date) = (text(&response, "x-oauth-scopes"), text(&response, header::DATE.as_str()));
        let bytes = read(&mut response).await?;
        let verdict: ApiStatus = serde_json::from_slice(&bytes).map_err(|_| SlackRefusal::unreadable())?;
        match (verdict.ok, verdict.error) {
            (true, _) => {
                let it = serde_json::from_slice(&bytes).map_err(|_| SlackRefusal::unreadable())?;
                Ok(ApiResponse { it, scopes, date })
            }
            // Slack uses both spellings: with a 429, and in the body of a 200.
            (false, Some(code)) if matches!(&*code, "ratelimited" | "rate_limited") => {
                Err(SlackRefusal::Throttled(wished_pause(&response)))
            }
            (false, code) => Err(SlackRefusal::code(&code.unwrap_or_default(), &bytes)),
        }
    }
}

/// Checks that the token may be sent to this address, and returns its host.
pub(super) fn check_url(api_url: &str) -> Result<String, SettingError> {
    let wrong = |why: String| SettingError::Wrong { key: "api_url", why };
    let url = Url::parse(api_url).map_err(|error| wrong(error.to_string()))?;
    match (url.scheme(), url.host_str()) {
        ("https", Some(host)) => Ok(host.to_owned()),
        ("http", Some(host)) if is_loopback(host) => Ok(host.to_owned()),
        ("http", _) => Err(wrong("plain http:// would show the token to the network: use https://".to_owned())),
        _ => Err(wrong("write https://HOST/api".to_owned())),
    }
}

fn text(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name)?.to_str().ok().map(str::to_owned)
}

fn wished_pause(response: &Response) -> Option<Duration> {
    let date = text(response, header::DATE.as_str());
    retry_after::parse(&text(response, header::RETRY_AFTER.as_str())?, date.as_deref())
}

async fn read(response: &mut Response) -> Result<Vec<u8>, SlackRefusal> {
    let mut answer = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| refusal(&error.without_url()))? {
        answer.extend_from_slice(&chunk);
        if ANSWER_BYTES < answer.len() {
            return Err(SlackRefusal::unreadable());
        }
    }
    Ok(answer)
}

fn refusal(error: &reqwest::Error) -> SlackRefusal {
    if error.is_connect() {
        return SlackRefusal::NoConnection(innermost(error));
    }
    SlackRefusal::Unknown("the connection broke before the response was complete".to_owned())
}

fn innermost(error: &dyn Error) -> String {
    let mut last = error;
    while let Some(next) = last.source() {
        last = next;
    }
    last.to_string()
}
