//! Secrets, which are named and never written, and addresses, which hold none.

use super::{diagnostic::PLAIN_SECRET, document::TomlItem, faults::MatrixFaults};
use std::{fmt, path::PathBuf};
use toml::de::DeValue;

/// Where a secret is kept. The matrix never holds the secret itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretRef {
    /// In this environment variable.
    Env(String),
    /// In this file.
    File(PathBuf),
    /// In this credential of systemd (`LoadCredential=`).
    Credential(String),
}

/// Stands in for one that could not be read; no matrix is made of that.
impl Default for SecretRef {
    fn default() -> Self {
        Self::Env(String::new())
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "environment variable {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Credential(name) => write!(f, "credential {name}"),
        }
    }
}

/// An address that may be as good as a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretAddress {
    /// Here it is.
    Written(String),
    /// It is kept elsewhere.
    Kept(SecretRef),
}

/// Stands in for one that could not be read; no matrix is made of that.
impl Default for SecretAddress {
    fn default() -> Self {
        Self::Written(String::new())
    }
}

impl SecretAddress {
    /// Where it is kept, where it is a secret.
    pub fn secret(&self) -> Option<&SecretRef> {
        match self {
            Self::Written(_) => None,
            Self::Kept(secret) => Some(secret),
        }
    }
}

/// One secret, or a list of two while it is being changed.
pub(crate) fn secrets(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Vec<SecretRef> {
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
pub(crate) fn secret(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<SecretRef> {
    let key = item.key;
    let help = format!(
        "keep it elsewhere and say where: {key} = {{ env = \"VARIABLE\" }}, {{ file = \"PATH\" }} or {{ credential = \"NAME\" }}"
    );
    if !matches!(item.value, DeValue::Table(_)) {
        return faults.refuse(PLAIN_SECRET, item.at, format!("`{key}` is a secret and must not be written here"), help);
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

/// An address in the clear, or where it is kept.
pub(crate) fn address(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<SecretAddress> {
    match item.value {
        DeValue::Table(_) => secret(item, faults).map(SecretAddress::Kept),
        _ => web_url(item, faults).map(SecretAddress::Written),
    }
}

/// A URL of the web: https or http.
pub(crate) fn web_url(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<String> {
    url(item, &["https://", "http://"], faults)
}

/// A URL that begins with one of `schemes` and has a host, without a password in it.
pub(crate) fn url(item: &TomlItem<'_>, schemes: &[&str], faults: &mut MatrixFaults) -> Option<String> {
    let text = item.text(faults)?;
    let rest = text.value.split_once("://").map_or(text.value, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let query = text.value.split_once('?').map_or("", |(_, query)| query).to_lowercase();
    if host.contains('@') || query.contains("pass") || query.contains("token") {
        let help = "remove it from the address and give username and password as keys of their own";
        return faults.refuse(PLAIN_SECRET, text.at, format!("`{}` contains a secret in plain text", item.key), help);
    }
    let fits = schemes.iter().any(|scheme| text.value.starts_with(scheme));
    if !fits || host.is_empty() || text.value.contains(char::is_whitespace) {
        let shown: Vec<String> = schemes.iter().map(|scheme| format!("{scheme}HOST")).collect();
        let message = format!("{:?} is not a valid address for `{}`", text.value, item.key);
        return faults.refuse("bad-url", text.at, message, format!("write {}", shown.join(" or ")));
    }
    Some(text.value.to_owned())
}
