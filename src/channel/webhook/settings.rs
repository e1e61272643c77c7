//! The keys of a channel of kind `webhook`.

use crate::toml_kit::{
    document::TomlTable,
    faults::{MatrixFaults, SourceSpan},
    network::{Networks, networks},
    secret::{SecretAddress, SecretRef, address, secrets},
};

pub(crate) const KEYS: &[&str] = &["url", "keys", "allow"];

/// Signed events for another system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookConfig {
    /// The URL to which they are sent.
    pub url: SecretAddress,
    /// The keys that sign them (`whsec_..`): one, or two during a rotation.
    pub keys: Vec<SecretRef>,
    /// The networks where it may be, beside the public internet.
    pub allow: Networks,
}

pub(crate) fn read(table: &mut TomlTable<'_>, at: SourceSpan, faults: &mut MatrixFaults) -> WebhookConfig {
    let url = table.demand("url", at, "url = \"https://audit.example.com/stentor\"", faults);
    let url = url.and_then(|item| address(&item, faults)).unwrap_or_default();
    let keys = table.demand("keys", at, "keys = [{ env = \"WEBHOOK_KEY\" }]", faults);
    let keys = keys.map(|item| secrets(&item, faults)).unwrap_or_default();
    let allow = table.take("allow").map(|item| networks(&item, faults)).unwrap_or_default();
    WebhookConfig { url, keys, allow }
}
