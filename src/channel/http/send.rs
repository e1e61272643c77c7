//! Any service that accepts messages over HTTP, by templates and rules in the matrix: SMS gateways, chats, in-house
//! services. The details of one service are data, not code; `teams`, `mattermost` and `ntfy` are presets.

use crate::{
    channel::{
        Channel, Message, ProbeCheck, Recipient, SendError, SettingError,
        client::{self, BoundedClient, ClientResponse},
        contact::{ContactField, PHONE},
        guard::AddressGuard,
        http::{
            order::{BodyTemplate, FieldTemplate, FilledRequest, HttpRecipient, RequestTemplate},
            verdict::{self, ResponseRules},
        },
    },
    core::{PagePurpose, SendReceipt},
};
use futures_util::future::BoxFuture;
use reqwest::{Method, RequestBuilder, Url, header};
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;

/// How to reach the service.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Its address; for many services the address itself is the secret.
    pub url: SecretString,
    /// The method; POST by default.
    pub method: Method,
    /// Additional headers.
    pub headers: BTreeMap<String, FieldTemplate>,
    /// How we authenticate.
    pub login: HttpLogin,
    /// The body.
    pub body: BodyTemplate,
    /// Parameters to add to the URL.
    pub query: BTreeMap<String, FieldTemplate>,
    /// The contact data that a person must have.
    pub needs: Option<ContactField>,
    /// The format in which it expects phone numbers.
    pub number: NumberForm,
    /// How its responses are interpreted.
    pub rules: ResponseRules,
    /// Which addresses it may have; `None` allows any.
    pub guard: Option<AddressGuard>,
    /// The URL that a probe requests by GET; without one, the probe sends OPTIONS to the address.
    pub probe: Option<SecretString>,
}

/// How we authenticate.
#[derive(Debug, Clone, Default)]
pub enum HttpLogin {
    /// No login, or one in a header or field.
    #[default]
    None,
    /// Basic authentication.
    Basic {
        /// The user name.
        username: String,
        /// Its password.
        password: SecretString,
    },
    /// A bearer token.
    Bearer(SecretString),
}

/// The format in which a service expects phone numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NumberForm {
    /// `+447700900001`.
    #[default]
    E164,
    /// `447700900001`.
    Digits,
    /// `00447700900001`.
    Zeros,
}

/// The channel that sends to one service over HTTP.
pub struct HttpChannel {
    client: BoundedClient,
    order: RequestTemplate,
    settings: HttpSettings,
}

impl HttpChannel {
    /// Creates the client and parses the templates; nothing is sent. A process-wide rustls provider must be installed.
    ///
    /// # Errors
    ///
    /// [`SettingError`] if the address, a header or a template is not valid.
    pub fn new(settings: HttpSettings) -> Result<Self, SettingError> {
        let client = BoundedClient::new(settings.url.expose_secret(), settings.guard.clone())?;
        let order = RequestTemplate::new(settings.body.clone(), settings.query.clone())?;
        for (name, field) in &settings.headers {
            let text = match field {
                crate::channel::http::order::FieldTemplate::Text(text) => text,
                crate::channel::http::order::FieldTemplate::Secret(secret) => secret.expose_secret(),
            };
            let good =
                header::HeaderName::try_from(name.as_str()).is_ok() && header::HeaderValue::try_from(text).is_ok();
            if !good {
                let why = format!("{name:?} can not be sent as a header");
                return Err(SettingError::Wrong { key: "headers", why });
            }
        }
        Ok(Self { client, order, settings })
    }

    async fn page(&self, message: &Message) -> Result<SendReceipt, SendError> {
        if let Some(known) = nothing_new(message) {
            return Ok(known);
        }
        let address = self.address(message)?;
        let filled = self.order.fill(message, &address).map_err(SendError::unreachable)?;
        let answer = self.client.send(self.request(filled)).await?;
        let receipt = self.judge(message, &answer)?;
        let room = matches!(message.to, Recipient::Room { .. }) && message.purpose == PagePurpose::RoomCard;
        Ok(SendReceipt { room: room.then(|| self.client.host().to_owned()), ..receipt })
    }

    fn address(&self, message: &Message) -> Result<HttpRecipient, SendError> {
        let need = self.settings.needs;
        let to = match (&message.to, need) {
            (_, None) => String::new(),
            (Recipient::Room { .. }, Some(_)) => {
                return Err(SendError::unreachable("this channel sends to people only, not to rooms"));
            }
            (Recipient::Person(contact), Some(field)) if field == PHONE => {
                self.settings.number.write(contact.demand(PHONE)?)
            }
            (Recipient::Person(contact), Some(field)) => contact.demand(field)?.to_owned(),
        };
        Ok(HttpRecipient { to, need })
    }

    fn request(&self, filled: FilledRequest) -> RequestBuilder {
        let request = self.signed_in(self.settings.method.clone(), self.address_with(&filled.query));
        match (filled.json, filled.form) {
            (Some(json), _) => request.header(header::CONTENT_TYPE, "application/json").body(json),
            (None, Some(form)) => request.form(&form),
            (None, None) => request,
        }
    }

    fn signed_in(&self, method: Method, url: Url) -> RequestBuilder {
        let mut request = self.client.request(method, url);
        for (name, field) in &self.settings.headers {
            request = match field {
                crate::channel::http::order::FieldTemplate::Text(text) => request.header(name, text),
                crate::channel::http::order::FieldTemplate::Secret(secret) => {
                    request.header(name, secret.expose_secret())
                }
            };
        }
        match &self.settings.login {
            HttpLogin::None => request,
            HttpLogin::Basic { username, password } => request.basic_auth(username, Some(password.expose_secret())),
            HttpLogin::Bearer(token) => request.bearer_auth(token.expose_secret()),
        }
    }

    fn address_with(&self, query: &[(String, String)]) -> Url {
        let mut url = self.client.url().clone();
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    async fn look(&self) -> Vec<ProbeCheck> {
        let (method, url) = match self.settings.probe.as_ref().map(|url| Url::parse(url.expose_secret())) {
            Some(Ok(url)) => (Method::GET, url),
            _ => (Method::OPTIONS, self.client.url().clone()),
        };
        // The login is sent only to the server that gets the pages.
        if url.origin() != self.client.url().origin() {
            let why = "its probe is on another server than its url: that server would get the login";
            return vec![ProbeCheck::failed("reach", why)];
        }
        client::reach(&self.client.send(self.signed_in(method, url)).await)
    }

    fn judge(&self, message: &Message, answer: &ClientResponse) -> Result<SendReceipt, SendError> {
        let mut secrets = self.secrets();
        let ask = message.ask.iter().flat_map(|ask| [&ask.code, &ask.link]);
        secrets.extend(ask.chain(&message.report).map(|secret| secret.expose_secret()));
        verdict::judge(&self.settings.rules, self.client.host(), answer, &secrets)
    }

    fn secrets(&self) -> Vec<&str> {
        let (HttpLogin::Basic { password: token, .. } | HttpLogin::Bearer(token)) = &self.settings.login else {
            return self.fields().collect();
        };
        self.fields().chain([token.expose_secret()]).collect()
    }

    fn fields(&self) -> impl Iterator<Item = &str> {
        let form = match &self.settings.body {
            crate::channel::http::order::BodyTemplate::Form(fields) => Some(fields),
            _ => None,
        };
        let fields = self.settings.headers.values().chain(self.settings.query.values());
        let fields = fields.chain(form.into_iter().flat_map(BTreeMap::values));
        fields.filter_map(crate::channel::http::order::FieldTemplate::secret).chain([self.settings.url.expose_secret()])
    }
}

impl Channel for HttpChannel {
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<SendReceipt, SendError>> {
        Box::pin(self.page(message))
    }

    fn probe(&self) -> BoxFuture<'_, Vec<ProbeCheck>> {
        Box::pin(self.look())
    }
}

impl NumberForm {
    /// Converts a number in E.164 to the service's format.
    pub fn write(self, phone: &str) -> String {
        let digits = phone.trim_start_matches('+');
        match self {
            Self::E164 => format!("+{digits}"),
            Self::Digits => digits.to_owned(),
            Self::Zeros => format!("00{digits}"),
        }
    }
}

/// A posted card can not be edited here: later changes are posted as separate lines.
fn nothing_new(message: &Message) -> Option<SendReceipt> {
    let Recipient::Room { id, card: Some(card), .. } = &message.to else { return None };
    (message.purpose == PagePurpose::RoomCard)
        .then(|| SendReceipt { room: id.clone(), ..SendReceipt::of(card.clone()) })
}
