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
    /// Where they go.
    pub url: SecretAddress,
    /// What they are signed with (`whsec_..`): one, or two while it is changed.
    pub keys: Vec<SecretRef>,
    /// The networks where it may lie beside the public internet.
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
