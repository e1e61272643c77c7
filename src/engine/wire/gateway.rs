//! Wires the channels whose way is written in the matrix: templated HTTP with its presets, webhooks, programs.

use super::{Built, secret};
use crate::{
    channel::{
        Channel,
        exec::{Exec, ExecSettings},
        guard::{Guard, Network},
        http::{Body, Field, Http, HttpSettings, Login, Need, NumberForm, verdict::Rules},
        webhook::{Webhook, WebhookSettings},
    },
    config,
    core::Timestamp,
    matrix::{BodyWay, Datum, ExecWay, FieldWay, HttpWay, Networks, Place, RulesWay, WebhookWay},
    store::clock::{Sources, System},
};
use secrecy::SecretString;
use std::{collections::BTreeMap, sync::Arc};

/// What of our own environment a program is given.
const ENVIRONMENT: [&str; 2] = ["PATH", "LANG"];

pub(super) fn http(way: &HttpWay) -> Built {
    let settings = HttpSettings {
        url: place(&way.url)?,
        method: way.method.parse().map_err(|_| format!("method: {} is none", way.method))?,
        headers: fields(&way.headers)?,
        login: login(way)?,
        body: match &way.body {
            BodyWay::None => Body::None,
            BodyWay::Json(text) => Body::Json(text.clone()),
            BodyWay::Form(form) => Body::Form(fields(form)?),
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
    Ok(Arc::new(Http::new(settings).map_err(|error| error.to_string())?))
}

pub(super) fn webhook(way: &WebhookWay, site: &str) -> Built {
    let settings = WebhookSettings {
        url: place(&way.url)?,
        keys: way.keys.iter().map(secret).collect::<Result<_, _>>()?,
        guard: guard(&way.allow),
        site: site.to_owned(),
        clock: wall,
    };
    Ok(Arc::new(Webhook::new(settings).map_err(|error| error.to_string())?))
}

pub(super) fn exec(way: &ExecWay) -> Arc<dyn Channel> {
    let given = |name: &str| Some((name.to_owned(), config::variable(name)?));
    Arc::new(Exec::new(ExecSettings {
        program: way.program.clone(),
        arguments: way.arguments.clone(),
        environment: ENVIRONMENT.into_iter().filter_map(given).collect(),
        needs: need(way.needs),
    }))
}

fn login(way: &HttpWay) -> Result<Login, String> {
    Ok(match (&way.account.username, &way.account.password, &way.bearer) {
        (Some(username), Some(password), _) => Login::Basic { username: username.clone(), password: secret(password)? },
        (Some(_), None, _) => return Err("it has no password".to_owned()),
        (None, _, Some(bearer)) => Login::Bearer(secret(bearer)?),
        (None, _, None) => Login::None,
    })
}

fn rules(way: &RulesWay) -> Rules {
    let RulesWay { statuses, begins, says, id, error, unreachable, retry, broken } = way.clone();
    Rules { statuses, begins, says, id, error, unreachable, retry, broken }
}

fn fields(fields: &BTreeMap<String, FieldWay>) -> Result<BTreeMap<String, Field>, String> {
    let field = |(name, field): (&String, &FieldWay)| {
        let field = match field {
            FieldWay::Text(text) => Field::Text(text.clone()),
            FieldWay::Secret(kept) => Field::Secret(secret(kept)?),
        };
        Ok((name.clone(), field))
    };
    fields.iter().map(field).collect()
}

fn place(place: &Place) -> Result<SecretString, String> {
    match place {
        Place::Plain(url) => Ok(SecretString::from(url.as_str())),
        Place::Secret(kept) => secret(kept),
    }
}

fn guard(allow: &Networks) -> Guard {
    Guard::new(allow.iter().map(|(address, bits)| Network::new(*address, *bits)).collect())
}

fn need(datum: Datum) -> Need {
    match datum {
        Datum::Phone => Need::Phone,
        Datum::Email => Need::Email,
        Datum::Nothing | Datum::Slack => Need::Nothing,
    }
}

/// What the clocks of others show; ladders never see it.
fn wall() -> Timestamp {
    System.wall()
}
