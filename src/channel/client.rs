//! HTTP client for services that we do not run: it follows no redirects, reads responses up to a limit, and keeps URLs
//! out of errors, because many of them are secrets.

use super::{
    CheckOutcome, ProbeCheck, SendError, SettingError, guard::AddressGuard, guard::RefusedAddress, is_loopback,
    retry_after,
};
use reqwest::{RequestBuilder, Response, StatusCode, Url, header, redirect::Policy};
use std::{error::Error, sync::Arc, time::Duration};

/// The connect timeout. The caller sets the timeout for the response.
pub const CONNECT: Duration = Duration::from_secs(3);

/// The largest part of a response that is read, in bytes.
pub const ANSWER_MAX: usize = 64 * 1024;

/// A client for one address.
#[derive(Clone)]
pub struct BoundedClient {
    http: reqwest::Client,
    guard: Option<AddressGuard>,
    url: Url,
}

/// The response of a service.
#[derive(Debug, Clone)]
pub struct ClientResponse {
    /// The HTTP status.
    pub status: StatusCode,
    /// The part of the body that was read.
    pub body: String,
    /// Whether its content type is HTML.
    pub is_html: bool,
    /// The wait that its `Retry-After` header asks for.
    pub after: Option<Duration>,
    /// Its `Date` header, unparsed.
    pub date: Option<String>,
}

impl BoundedClient {
    /// A client for this address; nothing is sent. A process-wide rustls provider must be installed. With a guard, no
    /// proxy from the environment is used, because the guard could not check where the proxy connects to.
    ///
    /// # Errors
    ///
    /// [`SettingError`] if the URL is not valid, is not HTTP, or is an address that the guard refuses. It never quotes
    /// the URL.
    pub fn new(url: &str, guard: Option<AddressGuard>) -> Result<Self, SettingError> {
        let wrong = |why: String| SettingError::Wrong { key: "url", why };
        let url = Url::parse(url).map_err(|error| wrong(error.to_string()))?;
        let host = url.host_str().ok_or_else(|| wrong("write https://HOST/PATH".to_owned()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("only http:// and https:// are supported".to_owned()));
        }
        let mut http = reqwest::Client::builder().redirect(Policy::none()).connect_timeout(CONNECT).referer(false);
        if let Some(guard) = &guard {
            guard.check_url(&url).map_err(|refused| wrong(refused.to_string()))?;
            http = http.no_proxy().dns_resolver(Arc::new(guard.clone()));
        } else if is_loopback(host) {
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| wrong(innermost(&error.without_url())))?;
        Ok(Self { http, guard, url })
    }

    /// The address.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The host only, which may be shown.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or("?")
    }

    /// A request to this URL, to be completed and passed to [`BoundedClient::send`].
    pub fn request(&self, method: reqwest::Method, url: Url) -> RequestBuilder {
        self.http.request(method, url)
    }

    /// Sends once and reads the response.
    ///
    /// # Errors
    ///
    /// [`SendError`]: broken if the guard refuses the address, retry if there was no connection, unknown if the
    /// connection ended before the response.
    pub async fn send(&self, request: RequestBuilder) -> Result<ClientResponse, SendError> {
        self.send_within(request, ANSWER_MAX).await
    }

    /// Like [`BoundedClient::send`], for a response of up to `most` bytes.
    ///
    /// # Errors
    ///
    /// As [`BoundedClient::send`].
    pub async fn send_within(&self, request: RequestBuilder, most: usize) -> Result<ClientResponse, SendError> {
        let mut response = request.send().await.map_err(|error| self.send_error(error))?;
        let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let date = text(header::DATE);
        let after = text(header::RETRY_AFTER).and_then(|wish| retry_after::parse(&wish, date.as_deref()));
        let is_html = text(header::CONTENT_TYPE).is_some_and(|kind| kind.to_ascii_lowercase().contains("html"));
        let status = response.status();
        let body = read(&mut response, most).await.map_err(|error| self.send_error(error))?;
        Ok(ClientResponse { status, body, is_html, after, date })
    }

    fn send_error(&self, error: reqwest::Error) -> SendError {
        let (error, host) = (error.without_url(), self.host());
        if let Some(refused) = self.guard.as_ref().and_then(|_| refusal(&error)) {
            return SendError::broken(format!("{host} is not an allowed address: {refused}"));
        }
        if error.is_builder() || error.is_request() && error.is_body() {
            return SendError::unreachable(format!("the request to {host} can not be built"));
        }
        if error.is_connect() {
            return SendError::retry(format!("no connection to {host}: {}", innermost(&error)));
        }
        SendError::unknown(format!("{host} did not finish its response: {}", innermost(&error)))
    }
}

async fn read(response: &mut Response, most: usize) -> Result<String, reqwest::Error> {
    let mut answer = Vec::new();
    while answer.len() < most
        && let Some(chunk) = response.chunk().await?
    {
        let room = most - answer.len();
        answer.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// The guard's error, if it is among the causes.
fn refusal<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a RefusedAddress> {
    let mut cause = Some(error);
    while let Some(at) = cause {
        if let Some(refused) = at.downcast_ref::<RefusedAddress>() {
            return Some(refused);
        }
        cause = at.source();
    }
    None
}

/// The last cause, which is the informative one ("Connection refused") and contains no URL.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

/// The checks that an empty request allows: connection, credentials and clock. An address that refuses only the method
/// exists.
pub fn reach(asked: &Result<ClientResponse, SendError>) -> Vec<ProbeCheck> {
    let (outcome, detail) = match asked {
        Err(error @ SendError::Broken { .. }) => (CheckOutcome::Failed, error.to_string()),
        Err(error) => (CheckOutcome::Failed, format!("it can not be reached: {error}")),
        Ok(answer) => match answer.status.as_u16() {
            401 | 403 | 407 => (CheckOutcome::Doubtful, format!("it answers {}: check the credentials", answer.status)),
            410 => (CheckOutcome::Failed, "it answers 410 Gone: this address accepts nothing any more".to_owned()),
            404 => (CheckOutcome::Doubtful, "it answers 404: check the address, or name a `probe`".to_owned()),
            500..=599 => (CheckOutcome::Doubtful, format!("it is reachable but fails: {}", answer.status)),
            _ => (CheckOutcome::Fine, format!("it answers {}", answer.status)),
        },
    };
    let clock = asked.as_ref().ok().and_then(|answer| ProbeCheck::clock(answer.date.as_deref()?));
    std::iter::once(ProbeCheck { what: "reach", outcome, detail }).chain(clock).collect()
}
