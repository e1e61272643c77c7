//! SMS by Kannel's `sendsms`: one GET for each message. The password is in the URL, so no URL may get into an error or
//! a log.

use crate::{
    channel::{
        Channel, Message, ProbeCheck, Recipient, SendError, SettingError, contact::PHONE, is_loopback, retry_after,
    },
    core::SendReceipt,
    text::gsm7,
};
use futures_util::future::BoxFuture;
use reqwest::{Response, StatusCode, Url, header, redirect::Policy};
use secrecy::{ExposeSecret, SecretString};
use std::{error::Error, time::Duration};

/// The connect timeout. The caller sets the timeout for the response.
const CONNECT: Duration = Duration::from_secs(3);

/// The largest part of a response that is read, in bytes. Kannel's responses are one line.
const ANSWER_BYTES: usize = 4096;

/// The events that the gateway reports: delivered 1, not delivered 2, queued 4, accepted 8, rejected 16 (Kannel's user
/// guide, "Delivery reports").
const REPORTS: &str = "31";

/// How to reach the gateway.
#[derive(Debug, Clone)]
pub struct KannelSettings {
    /// The URL of its `sendsms`, e.g. `http://127.0.0.1:13013/cgi-bin/sendsms`.
    pub url: String,
    /// The user name of the `sendsms-user` group.
    pub username: String,
    /// The password of the `sendsms-user` group.
    pub password: SecretString,
    /// The sender that people see and reply to; `None` means the gateway's default.
    pub from: Option<String>,
}

/// The channel that sends by one SMS gateway.
pub struct KannelChannel {
    http: reqwest::Client,
    url: Url,
    settings: KannelSettings,
}

impl KannelChannel {
    /// Creates the client; nothing is sent. A process-wide rustls provider must be installed.
    ///
    /// # Errors
    ///
    /// [`SettingError`] if the URL is not valid or not HTTP.
    pub fn new(settings: KannelSettings) -> Result<Self, SettingError> {
        let wrong = |why: &str| SettingError::Wrong { key: "url", why: why.to_owned() };
        let url = Url::parse(&settings.url).map_err(|error| wrong(&error.to_string()))?;
        let host = url.host_str().ok_or_else(|| wrong("write http://HOST:PORT/cgi-bin/sendsms"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("only http:// and https:// are supported"));
        }
        let mut http = reqwest::Client::builder().redirect(Policy::none()).connect_timeout(CONNECT);
        if is_loopback(host) {
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| wrong(&innermost(&error.without_url())))?;
        Ok(Self { http, url, settings })
    }

    async fn page(&self, message: &Message) -> Result<SendReceipt, SendError> {
        let Recipient::Person(contact) = &message.to else {
            return Err(SendError::unreachable("an SMS can not go to a room"));
        };
        let phone = contact.demand(PHONE)?;
        let request = self.http.get(self.request(phone, &message.whole_text(), message.report.as_ref()));
        let mut response = request.send().await.map_err(|error| self.send_error(error))?;
        let after = wished_pause(&response);
        let status = response.status();
        let answer = read(&mut response).await.map_err(|error| self.send_error(error))?;
        judge(status, answer.trim(), after)
    }

    /// Requests a message without a number: the gateway checks the login first, and then refuses the missing number.
    async fn look(&self) -> Vec<ProbeCheck> {
        let mut response = match self.http.get(self.signed_in()).send().await {
            Ok(response) => response,
            Err(error) => return vec![ProbeCheck::failed("connection", self.send_error(error).to_string())],
        };
        let clock =
            response.headers().get(header::DATE).and_then(|date| date.to_str().ok()).and_then(ProbeCheck::clock);
        let status = response.status();
        let answer = read(&mut response).await.unwrap_or_default();
        [login(status, answer.trim())].into_iter().chain(clock).collect()
    }

    fn request(&self, phone: &str, text: &str, report: Option<&SecretString>) -> Url {
        let mut url = self.signed_in();
        let mut query = url.query_pairs_mut();
        query.append_pair("to", phone).append_pair("text", text).append_pair("charset", "UTF-8");
        if let Some(from) = &self.settings.from {
            query.append_pair("from", from);
        }
        if gsm7::septets(text).is_none() {
            query.append_pair("coding", "2");
        }
        if let Some(report) = report {
            // The gateway fills in the event; the placeholder must arrive there unchanged, so it is encoded like the
            // rest.
            let url = format!("{}&status=%d", report.expose_secret());
            query.append_pair("dlr-mask", REPORTS).append_pair("dlr-url", &url);
        }
        drop(query);
        url
    }

    fn signed_in(&self) -> Url {
        let mut url = self.url.clone();
        let mut query = url.query_pairs_mut();
        query.append_pair("username", &self.settings.username);
        query.append_pair("password", self.settings.password.expose_secret());
        drop(query);
        url
    }

    fn send_error(&self, error: reqwest::Error) -> SendError {
        let error = error.without_url();
        let gateway = self.url.host_str().unwrap_or("?");
        if error.is_connect() {
            return SendError::retry(format!("no connection to the SMS gateway {gateway}: {}", innermost(&error)));
        }
        SendError::unknown(format!("the SMS gateway {gateway} did not finish its response: {}", innermost(&error)))
    }
}

impl Channel for KannelChannel {
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<SendReceipt, SendError>> {
        Box::pin(self.page(message))
    }

    fn probe(&self) -> BoxFuture<'_, Vec<ProbeCheck>> {
        Box::pin(self.look())
    }
}

fn wished_pause(response: &Response) -> Option<Duration> {
    let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    retry_after::parse(text(header::RETRY_AFTER)?, text(header::DATE))
}

async fn read(response: &mut Response) -> Result<String, reqwest::Error> {
    let mut answer = Vec::new();
    while answer.len() < ANSWER_BYTES
        && let Some(chunk) = response.chunk().await?
    {
        answer.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Interprets a response. Bodies are compared, never quoted: an error page could repeat the URL and its password.
fn judge(status: StatusCode, answer: &str, after: Option<Duration>) -> Result<SendReceipt, SendError> {
    let accepted = |id: &str| Ok(SendReceipt::of(id));
    match status.as_u16() {
        200 | 202 if answer.starts_with("0: Accepted") => accepted("0: Accepted for delivery"),
        // The gateway queues the message until a link to an SMS centre is back, and a page can not wait for that. A
        // late answer still counts.
        200 | 202 if answer.starts_with("3: Queued") => {
            Err(SendError::unreachable("no carrier link for this number is up: the SMS gateway has only queued it (3)"))
        }
        200 | 202 if answer.starts_with("Sent.") && answer.contains("Denied receivers") => {
            Err(SendError::unreachable("the SMS gateway denies this receiver"))
        }
        200 | 202 if answer.starts_with("Sent.") => accepted("Sent: the gateway has it"),
        200..=299 => Err(SendError::unknown(format!("{status}, but the answer is not Kannel's"))),
        300..=399 => Err(SendError::retry(format!("the SMS gateway redirects ({status}); that is not followed"))),
        400 => Err(SendError::unreachable(refused_field(answer))),
        403 if answer.starts_with("Not routable") => Err(SendError::unreachable("the number is not routable")),
        401 | 403 | 407 => Err(SendError::broken(format!(
            "the SMS gateway refuses our credentials or address ({status}): check username, password and allowed addresses"
        ))),
        404 => Err(SendError::broken("the SMS gateway has no such path (404): check the url")),
        429 => Err(SendError::throttled(after, "the SMS gateway says: too many requests (429)")),
        503 => Err(SendError::throttled(after, "the SMS gateway has a temporary failure (503)")),
        500..=599 => Err(SendError::Retry { after, why: format!("the SMS gateway failed ({status})"), unknown: true }),
        _ => Err(SendError::throttled(after, format!("the SMS gateway says {status}"))),
    }
}

/// Checks our login by the gateway's response to a message without a number.
fn login(status: StatusCode, answer: &str) -> ProbeCheck {
    match judge(status, answer, None) {
        // It refused the number, so it accepted the login.
        Err(SendError::Unreachable { .. }) if status == StatusCode::BAD_REQUEST => {
            ProbeCheck::fine("login", "the SMS gateway accepts our login")
        }
        Err(SendError::Broken { why }) => ProbeCheck::failed("login", why),
        Err(error) => ProbeCheck::doubtful("login", error.to_string()),
        Ok(_) => {
            ProbeCheck::doubtful("login", "the SMS gateway accepted a message without a number: it checks nothing")
        }
    }
}

fn refused_field(answer: &str) -> &'static str {
    let answer = answer.to_ascii_lowercase();
    let field = ["receiver", "sender", "charset"].into_iter().find(|field| answer.contains(field));
    match field {
        Some("receiver") => "the SMS gateway refuses the number (400)",
        Some("sender") => "the SMS gateway refuses the sender (400): check from",
        Some(_) => "the SMS gateway refuses the text's character set (400)",
        None => "the SMS gateway refuses the message (400)",
    }
}

/// The last cause, which is the informative one ("Connection refused") and contains no URL.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_of_kannel_has_one_meaning() {
        let meaning = |status, answer: &str| match judge(StatusCode::from_u16(status).unwrap_or_default(), answer, None)
        {
            Ok(receipt) => format!("accepted {}", &receipt.id[..2]),
            Err(SendError::Retry { unknown: true, .. }) => "unknown".to_owned(),
            Err(SendError::Retry { .. }) => "retry".to_owned(),
            Err(SendError::Unreachable { .. }) => "unreachable".to_owned(),
            Err(SendError::Broken { .. }) => "broken".to_owned(),
            Err(SendError::DeskClosed { .. }) => "desk closed".to_owned(),
        };
        for (status, answer, expected) in [
            (202, "0: Accepted for delivery", "accepted 0:"),
            (202, "3: Queued for later delivery", "unreachable"),
            (202, "Sent. Message splits: 2", "accepted Se"),
            (202, "Sent. Denied receivers are: +4477", "unreachable"),
            (202, "Thank you", "unknown"),
            (200, "<html>Please sign in</html>", "unknown"),
            (302, "", "retry"),
            (400, "Missing receiver number, rejected", "unreachable"),
            (403, "Not routable. Do not try again.", "unreachable"),
            (403, "Authorization failed for sendsms", "broken"),
            (404, "Unknown request.", "broken"),
            (429, "", "retry"),
            (503, "Temporal failure, try again later.", "retry"),
            (500, "Sending failed.", "unknown"),
            (504, "<html>", "unknown"),
        ] {
            assert_eq!(meaning(status, answer), expected, "{status} {answer}");
        }
    }
}
