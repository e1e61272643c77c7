//! Reads `[daemon]` and `[source.NAME]`, and secrets, which are named and never written.

use super::{
    diagnostic::PLAIN_SECRET,
    document::{MatrixFaults, SourceSpan, TomlItem, TomlTable},
    settings::{DaemonSettings, PING_EVERY, PingSettings, SecretAddress, SecretRef, SourceSettings},
    ways::networks,
};
use std::path::PathBuf;
use toml::de::DeValue;

pub(super) fn daemon(mut table: TomlTable<'_>, faults: &mut MatrixFaults) -> DaemonSettings {
    let listen = table.take("listen").and_then(|item| item.text(faults)).and_then(|text| {
        let parsed = text.value.parse().ok();
        if parsed.is_none() {
            let message = format!("{:?} is no address to listen on", text.value);
            faults.error("bad-address", text.at, message, "write an IP address and a port: \"127.0.0.1:8600\"");
        }
        parsed
    });
    let public_url = table.take("public_url").and_then(|item| url(&item, &["https://", "http://"], faults));
    let state = table.take("state").and_then(|item| item.text(faults)).map(|text| PathBuf::from(text.value));
    let ping = table.take("ping").and_then(|item| ping(&item, faults));
    let proof_max_age = table.take("proof_max_age").and_then(|item| item.duration(faults)).map(|age| age.value);
    let proxies = table.take("proxies").map(|item| networks(&item, faults)).unwrap_or_default();
    table.finish(&[], &[], faults);
    let public_url = public_url.map(|url| url.trim_end_matches('/').to_owned());
    DaemonSettings { listen, public_url, state, ping, proof_max_age, proxies }
}

/// `{ url = "https://..", every = "60s" }`; the address may be a secret.
fn ping(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<PingSettings> {
    let mut table = item.table("`ping`".into(), faults)?;
    let address = table.demand("url", item.at, "url = \"https://deadman.example/1f6c\"", faults);
    let address = address.and_then(|item| match item.value {
        DeValue::Table(_) => secret(&item, faults).map(SecretAddress::Kept),
        _ => url(&item, &["https://", "http://"], faults).map(SecretAddress::Written),
    });
    let every = table.take("every").and_then(|item| item.duration(faults)).map_or(PING_EVERY, |every| every.value);
    table.finish(&[], &[], faults);
    Some(PingSettings { url: address?, every })
}

pub(super) fn source(mut table: TomlTable<'_>, at: SourceSpan, faults: &mut MatrixFaults) -> SourceSettings {
    let token = table.demand("token", at, "token = { env = \"SOME_VARIABLE\" }", faults);
    let tokens = token.map(|item| secrets(&item, faults)).unwrap_or_default();
    let drills = table.take("drills").and_then(|item| item.flag(faults)).unwrap_or(false);
    table.finish(&["heartbeat", "lease"], &[], faults);
    SourceSettings { tokens, drills }
}

/// One secret, or a list of two while it is being changed.
pub(super) fn secrets(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Vec<SecretRef> {
    if !matches!(item.value, DeValue::Array(_)) {
        return secret(item, faults).into_iter().collect();
    }
    let list = item.list(faults).unwrap_or_default();
    if 2 < list.len() {
        let help = "one, or two while it is being changed";
        faults.error("too-many-tokens", item.at, format!("`{}` has at most two secrets", item.key), help);
    }
    list.iter().filter_map(|item| secret(item, faults)).collect()
}

/// `{ env = ".." }`, `{ file = ".." }` or `{ credential = ".." }`.
pub(super) fn secret(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<SecretRef> {
    let key = item.key;
    let help = format!(
        "keep it elsewhere and say where: {key} = {{ env = \"VARIABLE\" }}, {{ file = \"PATH\" }} or {{ credential = \"NAME\" }}"
    );
    if !matches!(item.value, DeValue::Table(_)) {
        faults.error(PLAIN_SECRET, item.at, format!("`{key}` is a secret and must not be written here"), help);
        return None;
    }
    let mut table = item.table(format!("`{key}`"), faults)?;
    let mut take = |name| table.take(name).and_then(|item| item.text(faults)).map(|text| text.value.to_owned());
    let (env, file, credential) = (take("env"), take("file"), take("credential"));
    let good = match (env, file, credential) {
        (Some(name), None, None) => Some(SecretRef::Env(name)),
        (None, Some(path), None) => Some(SecretRef::File(PathBuf::from(path))),
        (None, None, Some(name)) => Some(SecretRef::Credential(name)),
        _ => None,
    };
    if good.is_none() {
        faults.error("bad-secret", item.at, format!("`{key}` must say one place where the secret is kept"), help);
    }
    table.finish(&[], &[], faults);
    good
}

/// A URL that begins with one of `schemes` and has a host, without a password in it.
pub(super) fn url(item: &TomlItem<'_>, schemes: &[&str], faults: &mut MatrixFaults) -> Option<String> {
    let text = item.text(faults)?;
    let rest = text.value.split_once("://").map_or(text.value, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let query = text.value.split_once('?').map_or("", |(_, query)| query).to_lowercase();
    if host.contains('@') || query.contains("pass") || query.contains("token") {
        let help = "take it out of the address and give username and password as keys of their own";
        faults.error(PLAIN_SECRET, text.at, format!("`{}` holds a secret in the clear", item.key), help);
        return None;
    }
    let fits = schemes.iter().any(|scheme| text.value.starts_with(scheme));
    if !fits || host.is_empty() || text.value.contains(char::is_whitespace) {
        let shown: Vec<String> = schemes.iter().map(|scheme| format!("{scheme}HOST")).collect();
        let message = format!("{:?} is no address that `{}` can have here", text.value, item.key);
        faults.error("bad-url", text.at, message, format!("write {}", shown.join(" or ")));
        return None;
    }
    Some(text.value.to_owned())
}
