//! Signed events for other systems: Standard Webhooks 1.0.0. Thin on purpose: what happened to which incident, and where
//! to look; the receiver asks for the rest with its own credentials.

use crate::{
    channel::{
        Channel, Message, ProbeCheck, SendError, SettingError,
        client::{self, BoundedClient, ClientResponse},
        guard::AddressGuard,
        webhook::sign::{self, SigningKey},
    },
    core::{PagePurpose, SendReceipt, Timestamp},
};
use futures_util::future::BoxFuture;
use reqwest::{Method, header};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

/// How to reach the system.
#[derive(Debug, Clone)]
pub struct WebhookSettings {
    /// Its address.
    pub url: SecretString,
    /// What events are signed with, `whsec_..`: one, or two while it is changed.
    pub keys: Vec<SecretString>,
    /// Where it may lie.
    pub guard: AddressGuard,
    /// Tells this installation's events from those of another, or of one before its state was lost.
    pub site: String,
    /// The wall clock: receivers compare timestamps with theirs.
    pub clock: fn() -> Timestamp,
}

/// A system that is told what happens.
pub struct WebhookChannel {
    client: BoundedClient,
    keys: Vec<SigningKey>,
    site: String,
    clock: fn() -> Timestamp,
}

impl WebhookChannel {
    /// Makes the client; nothing is sent. A process-wide rustls provider must be installed.
    ///
    /// # Errors
    ///
    /// [`SettingError`] when the address or a key can not be used; it shows neither.
    pub fn new(settings: WebhookSettings) -> Result<Self, SettingError> {
        let client = BoundedClient::new(settings.url.expose_secret(), Some(settings.guard))?;
        let key = |key: &SecretString| {
            SigningKey::parse(key.expose_secret())
                .map_err(|error| SettingError::Wrong { key: "keys", why: error.to_string() })
        };
        let keys = settings.keys.iter().map(key).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err(SettingError::Wrong { key: "keys", why: "at least one is needed".to_owned() });
        }
        Ok(Self { client, keys, site: settings.site, clock: settings.clock })
    }

    async fn tell(&self, message: &Message) -> Result<SendReceipt, SendError> {
        let PagePurpose::Notice { about } = message.purpose else {
            return Err(SendError::unreachable("a webhook tells systems what happened and reaches no person"));
        };
        let body = json!({
            "type": about.name(),
            "timestamp": message.born_at.to_string(),
            "data": {
                "incident": message.page.incident.to_string(),
                "role": message.role.as_ref().map(|role| role.as_str()),
                "drill": message.drill,
            },
        });
        let id = self.id(message);
        let answer = self.post(Method::POST, &id, body.to_string()).await?;
        self.judge(&answer).map(|()| SendReceipt::of(id))
    }

    /// The same for every attempt, another for every event, and without a dot: the signature joins its parts with dots.
    fn id(&self, message: &Message) -> String {
        format!("{}-{}", self.site, message.id())
    }

    async fn post(&self, method: Method, id: &str, body: String) -> Result<ClientResponse, SendError> {
        let timestamp = (self.clock)().as_micros() / 1_000_000;
        let signature = sign::sign(&self.keys, id, timestamp, body.as_bytes());
        let request = self.client.request(method, self.client.url().clone());
        let request = request
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, concat!("stentor/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature);
        self.client.send(request.body(body)).await
    }

    /// By the status alone, as the standard has it.
    fn judge(&self, answer: &ClientResponse) -> Result<(), SendError> {
        let (host, status) = (self.client.host(), answer.status.as_u16());
        match status {
            200..=299 => Ok(()),
            300..=399 => Err(SendError::retry(format!("{host} redirects ({status}); that is not followed"))),
            410 => Err(SendError::broken(format!("{host} wants no events any more (410): take it out of the matrix"))),
            429 | 502..=504 => Err(SendError::Retry {
                after: answer.after,
                why: format!("{host} asks to try later ({status})"),
                unknown: matches!(status, 502 | 504),
            }),
            400..=499 => Err(SendError::retry(format!("{host} refuses the event ({status})"))),
            _ => Err(SendError::Retry { after: answer.after, why: format!("{host} failed ({status})"), unknown: true }),
        }
    }

    /// Whether what we sign is what a receiver with the same key believes.
    fn round_trip(&self) -> ProbeCheck {
        let (id, body, now) = ("probe", b"{}".as_slice(), (self.clock)().as_micros() / 1_000_000);
        let signatures = sign::sign(&self.keys, id, now, body);
        let believed =
            |key: &SigningKey| sign::verify(std::slice::from_ref(key), id, &now.to_string(), &signatures, body, now);
        match self.keys.iter().try_for_each(believed) {
            Ok(()) => ProbeCheck::fine("signature", format!("{} key(s) sign and verify", self.keys.len())),
            Err(error) => ProbeCheck::failed("signature", error.to_string()),
        }
    }

    async fn look(&self) -> Vec<ProbeCheck> {
        let asked = self.client.send(self.client.request(Method::OPTIONS, self.client.url().clone())).await;
        std::iter::once(self.round_trip()).chain(client::reach(&asked)).collect()
    }
}

impl Channel for WebhookChannel {
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<SendReceipt, SendError>> {
        Box::pin(self.tell(message))
    }

    fn probe(&self) -> BoxFuture<'_, Vec<ProbeCheck>> {
        Box::pin(self.look())
    }
}
