//! The keys of a channel of kind `webhook`.

use crate::{
    matrix::ways::http::{AddressSource, place},
    toml_kit::{
        document::TomlTable,
        faults::{MatrixFaults, SourceSpan},
        network::{Networks, networks},
        secret::{SecretRef, secrets},
    },
};

pub(super) const KEYS: &[&str] = &["url", "keys", "allow"];

/// Signed events for another system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookWay {
    /// Where they go.
    pub url: AddressSource,
    /// What they are signed with (`whsec_..`): one, or two while it is changed.
    pub keys: Vec<SecretRef>,
    /// The networks where it may lie beside the public internet.
    pub allow: Networks,
}

pub(super) fn read(table: &mut TomlTable<'_>, at: SourceSpan, faults: &mut MatrixFaults) -> WebhookWay {
    let url = table.demand("url", at, "url = \"https://audit.example.com/stentor\"", faults);
    let url = url.and_then(|item| place(&item, faults)).unwrap_or(AddressSource::Plain(String::new()));
    let keys = table.demand("keys", at, "keys = [{ env = \"WEBHOOK_KEY\" }]", faults);
    let keys = keys.map(|item| secrets(&item, faults)).unwrap_or_default();
    let allow = table.take("allow").map(|item| networks(&item, faults)).unwrap_or_default();
    WebhookWay { url, keys, allow }
}
