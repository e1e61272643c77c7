//! Wires the channels whose way is written in the matrix: templated HTTP with its presets, webhooks, programs.

use super::{BuiltChannel, secret};
use crate::{
    channel::{
        Channel,
        exec::{ExecChannel, ExecSettings},
        guard::{AddressGuard, IpNetwork},
        http::{
            BodyTemplate, FieldTemplate, HttpChannel, HttpContact, HttpLogin, HttpSettings, NumberForm,
            verdict::ResponseRules,
        },
        webhook::{WebhookChannel, WebhookSettings},
    },
    config,
    core::Timestamp,
    matrix::{AddressSource, BodyWay, ContactField, ExecWay, FieldWay, HttpWay, RulesWay, WebhookWay},
    store::clock::{ClockSources, SystemClock},
    toml_kit::network::Networks,
};
use secrecy::SecretString;
use std::{collections::BTreeMap, sync::Arc};

/// What of our own environment a program is given.
const ENVIRONMENT: [&str; 2] = ["PATH", "LANG"];

pub(super) fn http(way: &HttpWay) -> BuiltChannel {
    let settings = HttpSettings {
        url: place(&way.url)?,
        method: way.method.parse().map_err(|_| format!("method: {} is none", way.method))?,
        headers: fields(&way.headers)?,
        login: login(way)?,
        body: match &way.body {
            BodyWay::None => BodyTemplate::None,
            BodyWay::Json(text) => BodyTemplate::Json(text.clone()),
            BodyWay::Form(form) => BodyTemplate::Form(fields(form)?),
        },
        query: fields(&way.query)?,
        needs: need(way.needs),
        number: match way.number.as_str() {
            "digits" => NumberForm::Digits,
            "00" => NumberForm::Zeros,
            _ => NumberForm::E164,
        },
        rules: rules(&way.rules),
        guard: way.allow.as_ref().map(guard),
        probe: way.probe.as_ref().map(place).transpose()?,
    };
    Ok(Arc::new(HttpChannel::new(settings).map_err(|error| error.to_string())?))
}

pub(super) fn webhook(way: &WebhookWay, site: &str) -> BuiltChannel {
    let settings = WebhookSettings {
        url: place(&way.url)?,
        keys: way.keys.iter().map(secret).collect::<Result<_, _>>()?,
        guard: guard(&way.allow),
        site: site.to_owned(),
        clock: wall,
    };
    Ok(Arc::new(WebhookChannel::new(settings).map_err(|error| error.to_string())?))
}

pub(super) fn exec(way: &ExecWay) -> Arc<dyn Channel> {
    let given = |name: &str| Some((name.to_owned(), config::variable(name)?));
    Arc::new(ExecChannel::new(ExecSettings {
        program: way.program.clone(),
        arguments: way.arguments.clone(),
        environment: ENVIRONMENT.into_iter().filter_map(given).collect(),
        needs: need(way.needs),
    }))
}

fn login(way: &HttpWay) -> Result<HttpLogin, String> {
    Ok(match (&way.account.username, &way.account.password, &way.bearer) {
        (Some(username), Some(password), _) => {
            HttpLogin::Basic { username: username.clone(), password: secret(password)? }
        }
        (Some(_), None, _) => return Err("it has no password".to_owned()),
        (None, _, Some(bearer)) => HttpLogin::Bearer(secret(bearer)?),
        (None, _, None) => HttpLogin::None,
    })
}

fn rules(way: &RulesWay) -> ResponseRules {
    let RulesWay { statuses, begins, says, id, error, unreachable, retry, broken } = way.clone();
    ResponseRules { statuses, begins, says, id, error, unreachable, retry, broken }
}

fn fields(fields: &BTreeMap<String, FieldWay>) -> Result<BTreeMap<String, FieldTemplate>, String> {
    let field = |(name, field): (&String, &FieldWay)| {
        let field = match field {
            FieldWay::Text(text) => FieldTemplate::Text(text.clone()),
            FieldWay::Secret(kept) => FieldTemplate::Secret(secret(kept)?),
        };
        Ok((name.clone(), field))
    };
    fields.iter().map(field).collect()
}

fn place(place: &AddressSource) -> Result<SecretString, String> {
    match place {
        AddressSource::Plain(url) => Ok(SecretString::from(url.as_str())),
        AddressSource::Secret(kept) => secret(kept),
    }
}

fn guard(allow: &Networks) -> AddressGuard {
    AddressGuard::new(allow.iter().map(|(address, bits)| IpNetwork::new(*address, *bits)).collect())
}

fn need(datum: ContactField) -> HttpContact {
    match datum {
        ContactField::Phone => HttpContact::Phone,
        ContactField::Email => HttpContact::Email,
        ContactField::Nothing | ContactField::Slack => HttpContact::Nothing,
    }
}

/// What the clocks of others show; ladders never see it.
fn wall() -> Timestamp {
    SystemClock.wall()
}
