//! Signed events for other systems: Standard Webhooks 1.0.0. Small on purpose: what happened to which incident, and its
//! URL; the receiver requests the rest with its own credentials.

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

/// The settings of the channel.
#[derive(Debug, Clone)]
pub struct WebhookSettings {
    /// Its address.
    pub url: SecretString,
    /// The keys that sign events, `whsec_..`: one, or two during a rotation.
    pub keys: Vec<SecretString>,
    /// Which addresses it may have.
    pub guard: AddressGuard,
    /// Distinguishes this installation's events from those of another, or of one before its state was lost.
    pub site: String,
    /// The wall clock: receivers compare timestamps with their own.
    pub clock: fn() -> Timestamp,
}

/// The channel that sends events to one system.
pub struct WebhookChannel {
    client: BoundedClient,
    keys: Vec<SigningKey>,
    site: String,
    clock: fn() -> Timestamp,
}

impl WebhookChannel {
    /// Creates the client; nothing is sent. A process-wide rustls provider must be installed.
    ///
    /// # Errors
    ///
    /// [`SettingError`] if the address or a key is not valid; it shows neither.
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
            return Err(SendError::unreachable("a webhook informs systems; it can not reach a person"));
        };
        let mut body = json!({
            "type": about.name(),
            "timestamp": message.born_at.to_string(),
            "data": {
                "incident": message.page.incident.to_string(),
                "role": message.role.as_ref().map(|role| role.as_str()),
                "drill": message.drill,
            },
        });
        if let Some(request) = &message.request {
            body["data"]["request"] = json!(request);
        }
        let id = self.id(message);
        self.event(&id, body.to_string()).await.map(|()| SendReceipt::of(id))
    }

    /// Sends one event, signed. `id` has no dot, and is the same for each attempt.
    ///
    /// # Errors
    ///
    /// [`SendError`] if the receiver did not take it.
    pub async fn event(&self, id: &str, body: String) -> Result<(), SendError> {
        let answer = self.post(Method::POST, id, body).await?;
        self.judge(&answer)
    }

    /// The event's id: the same for every attempt, unique for every event, and without a dot, because the signature
    /// joins its parts with dots.
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

    /// Interprets a response by its status only, as the standard says.
    fn judge(&self, answer: &ClientResponse) -> Result<(), SendError> {
        let (host, status) = (self.client.host(), answer.status.as_u16());
        match status {
            200..=299 => Ok(()),
            300..=399 => Err(SendError::retry(format!("{host} redirects ({status}); that is not followed"))),
            410 => {
                Err(SendError::broken(format!("{host} does not want events any more (410): remove it from the matrix")))
            }
            429 | 502..=504 => Err(SendError::Retry {
                after: answer.after,
                why: format!("{host} asks to try later ({status})"),
                unknown: matches!(status, 502 | 504),
            }),
            400..=499 => Err(SendError::retry(format!("{host} refuses the event ({status})"))),
            _ => Err(SendError::Retry { after: answer.after, why: format!("{host} failed ({status})"), unknown: true }),
        }
    }

    /// Checks that a receiver with the same key accepts our signature.
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
