//! Any service that takes a message over HTTP, by templates and rules of the matrix: SMS gateways, chats, whatever the
//! house has. What one service needs is data; `teams`, `mattermost` and `ntfy` are presets of it.

use crate::{
    channel::{
        Channel, Message, ProbeCheck, Recipient, SendError, SettingError,
        client::{self, BoundedClient, ClientResponse},
        guard::AddressGuard,
        http::{
            order::{BodyTemplate, FieldTemplate, FilledRequest, HttpRecipient, RequestTemplate},
            verdict::{self, ResponseRules},
        },
        kind::ContactField,
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
    /// Its address; of many a service the address is the secret.
    pub url: SecretString,
    /// POST where nothing is said.
    pub method: Method,
    /// Sent along.
    pub headers: BTreeMap<String, FieldTemplate>,
    /// How we sign in.
    pub login: HttpLogin,
    /// What is sent.
    pub body: BodyTemplate,
    /// What is added to the address.
    pub query: BTreeMap<String, FieldTemplate>,
    /// What a person must have to be reached.
    pub needs: ContactField,
    /// How it wants numbers written.
    pub number: NumberForm,
    /// What its answers mean.
    pub rules: ResponseRules,
    /// Where it may lie; anywhere where there is none.
    pub guard: Option<AddressGuard>,
    /// What is asked to see whether it is there, by GET; else the address is asked for its OPTIONS.
    pub probe: Option<SecretString>,
}

/// How we sign in.
#[derive(Debug, Clone, Default)]
pub enum HttpLogin {
    /// Not at all, or by a header or a field.
    #[default]
    None,
    /// Basic authentication.
    Basic {
        /// The account.
        username: String,
        /// Its password.
        password: SecretString,
    },
    /// A bearer token.
    Bearer(SecretString),
}

/// How a service wants numbers written.
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

/// A service over HTTP.
pub struct HttpChannel {
    client: BoundedClient,
    order: RequestTemplate,
    settings: HttpSettings,
}

impl HttpChannel {
    /// Makes the client and reads the templates; nothing is sent. A process-wide rustls provider must be installed.
    ///
    /// # Errors
    ///
    /// [`SettingError`] when the address, a header or a template can not be used.
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
            (_, ContactField::Nothing | ContactField::Slack | ContactField::Telegram) => Some(String::new()),
            (Recipient::Room { .. }, _) => {
                return Err(SendError::unreachable("this channel reaches people alone, and no room"));
            }
            (Recipient::Person(contact), ContactField::Phone) => {
                contact.phone.as_deref().map(|phone| self.settings.number.write(phone))
            }
            (Recipient::Person(contact), ContactField::Email) => contact.email.clone(),
        };
        let to = to.ok_or_else(|| {
            SendError::unreachable(if need == ContactField::Phone {
                "no phone number is known"
            } else {
                "no mailbox is known"
            })
        })?;
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
        // The login is for where the pages go, and for nowhere else.
        if url.origin() != self.client.url().origin() {
            let why = "its probe is at another address than its url: it would be given the login";
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
    /// A number in E.164, as the service wants it.
    pub fn write(self, phone: &str) -> String {
        let digits = phone.trim_start_matches('+');
        match self {
            Self::E164 => format!("+{digits}"),
            Self::Digits => digits.to_owned(),
            Self::Zeros => format!("00{digits}"),
        }
    }
}

/// A card that was posted can not be edited here: what changed since has its own lines.
fn nothing_new(message: &Message) -> Option<SendReceipt> {
    let Recipient::Room { id, card: Some(card), .. } = &message.to else { return None };
    (message.purpose == PagePurpose::RoomCard)
        .then(|| SendReceipt { room: id.clone(), ..SendReceipt::of(card.clone()) })
}
