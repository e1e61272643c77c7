//! Any service that accepts messages over HTTP, by templates and rules in the matrix. The details of one service are
//! data, not code.

pub mod body;
mod inbound;
pub mod order;
pub mod presets;
pub mod send;
pub mod settings;
pub mod verdict;

use super::{
    Channel,
    contact::{self, ContactField},
    guard::AddressGuard,
    inbound::{InboundRefusal, InboundRequest, NamedPage, RequestHead},
    kind::{ChannelConfig, ChannelKind, ChannelParts, KindSpec, ResponseAssumptions, RoomSupport},
};
use crate::{core::retry::SendPace, template::TextForm, toml_kit::secret::SecretRef};
use order::{BodyTemplate, FieldTemplate};
use send::{HttpChannel, HttpLogin, HttpSettings};
use settings::HttpConfig;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// The kind `http`: any service over HTTP, by templates.
pub const KIND: ChannelKind = ChannelKind::of(&HTTP_SPEC);

static HTTP_SPEC: KindSpec = SPEC;

/// The base of the presets' entries.
const SPEC: KindSpec = KindSpec {
    name: "http",
    keys: settings::KEYS,
    preset: None,
    contact: None,
    looks_people_up: false,
    pace: SendPace { every: Duration::from_secs(1), burst: 5 },
    accept_timeout: Duration::from_secs(15),
    form: TextForm::Board,
    reports: true,
    room: RoomSupport::When("without `needs`"),
    response: ResponseAssumptions::POCKET,
    read: |kind, table, at, faults| Arc::new(settings::read(kind, table, at, faults)),
};

impl ChannelConfig for HttpConfig {
    fn kind(&self) -> ChannelKind {
        self.kind
    }

    fn build(&self, parts: &ChannelParts<'_>) -> Result<Arc<dyn Channel>, String> {
        let settings = HttpSettings {
            url: parts.address(&self.url)?,
            method: self.method.clone(),
            headers: fields(&self.headers, parts)?,
            login: self.login(parts)?,
            body: match &self.body {
                BodyTemplate::None => BodyTemplate::None,
                BodyTemplate::Json(text) => BodyTemplate::Json(text.clone()),
                BodyTemplate::Form(form) => BodyTemplate::Form(fields(form, parts)?),
            },
            query: fields(&self.query, parts)?,
            needs: self.needs,
            number: self.number,
            rules: self.rules.clone(),
            guard: self.allow.as_ref().map(AddressGuard::of),
            probe: self.probe.as_ref().map(|probe| parts.address(probe)).transpose()?,
        };
        Ok(Arc::new(HttpChannel::new(settings).map_err(|error| error.to_string())?))
    }

    fn secrets(&self) -> Vec<&SecretRef> {
        let form = match &self.body {
            BodyTemplate::Form(fields) => Some(fields),
            BodyTemplate::None | BodyTemplate::Json(_) => None,
        };
        let fields =
            self.headers.values().chain(self.query.values()).chain(form.into_iter().flat_map(BTreeMap::values));
        let of_fields = fields.filter_map(|field| match field {
            FieldTemplate::Secret(secret) => Some(secret),
            FieldTemplate::Text(_) => None,
        });
        let places = [Some(&self.url), self.probe.as_ref()].into_iter().flatten().filter_map(|url| url.secret());
        places.chain(of_fields).chain(&self.account.password).chain(&self.bearer).chain(&self.tokens).collect()
    }

    fn inbound_secrets(&self) -> Vec<&SecretRef> {
        self.tokens.iter().collect()
    }

    fn contact(&self) -> Option<ContactField> {
        self.needs
    }

    fn form(&self) -> TextForm {
        contact::form(self.needs)
    }

    fn is_shared(&self) -> bool {
        !self.personal
    }

    fn report_hook(&self) -> Option<&'static str> {
        self.report.as_ref().map(|_| self.hook())
    }

    fn asks_for_reports(&self) -> bool {
        self.report.is_some()
    }

    fn is_room(&self) -> bool {
        self.needs.is_none()
    }

    fn hook(&self) -> &'static str {
        KIND.as_str()
    }

    fn admit(&self, head: &RequestHead<'_>) -> Result<Option<NamedPage>, InboundRefusal> {
        inbound::admit(self, head)
    }

    fn receive(
        &self,
        head: &RequestHead<'_>,
        named: Option<NamedPage>,
        body: &[u8],
    ) -> Result<InboundRequest, InboundRefusal> {
        inbound::receive(self, head, named, body)
    }
}

impl HttpConfig {
    fn login(&self, parts: &ChannelParts<'_>) -> Result<HttpLogin, String> {
        Ok(match (&self.account.username, &self.account.password, &self.bearer) {
            (Some(username), Some(password), _) => {
                HttpLogin::Basic { username: username.clone(), password: parts.secret(password)? }
            }
            (Some(_), None, _) => return Err("it has no password".to_owned()),
            (None, _, Some(bearer)) => HttpLogin::Bearer(parts.secret(bearer)?),
            (None, _, None) => HttpLogin::None,
        })
    }
}

/// The fields with their secrets resolved.
fn fields(
    fields: &BTreeMap<String, FieldTemplate<SecretRef>>,
    parts: &ChannelParts<'_>,
) -> Result<BTreeMap<String, FieldTemplate>, String> {
    let field = |(name, field): (&String, &FieldTemplate<SecretRef>)| {
        let field = match field {
            FieldTemplate::Text(text) => FieldTemplate::Text(text.clone()),
            FieldTemplate::Secret(kept) => FieldTemplate::Secret(parts.secret(kept)?),
        };
        Ok((name.clone(), field))
    };
    fields.iter().map(field).collect()
}
