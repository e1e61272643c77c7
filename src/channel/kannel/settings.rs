//! The keys of a channel of kind `kannel`.

use crate::{
    channel::keys::{ProviderAccount, account},
    toml_kit::{
        document::TomlTable,
        faults::{MatrixFaults, SourceSpan},
        secret::{SecretRef, secret, web_url},
    },
};
use std::net::IpAddr;

pub(crate) const KEYS: &[&str] = &["url", "token", "username", "password", "from"];

/// A Kannel gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KannelConfig {
    /// The URL of its smsbox: http or https.
    pub url: String,
    /// The account that sends.
    pub account: ProviderAccount,
    /// The token that authenticates replies; without it none are accepted.
    pub token: Option<SecretRef>,
    /// The sender that phones show: a number or a name.
    pub from: Option<String>,
}

pub(crate) fn read(table: &mut TomlTable<'_>, at: SourceSpan, faults: &mut MatrixFaults) -> KannelConfig {
    let address = table.demand("url", at, "url = \"http://127.0.0.1:13013/cgi-bin/sendsms\"", faults);
    let address = address.and_then(|item| {
        let address = web_url(&item, faults)?;
        if in_the_clear(&address) {
            let message = "the password and every text go to this gateway in plain text";
            let help = "write https://, or reach it by a tunnel that ends on this machine";
            faults.warning("plain-text-gateway", item.at, message, help);
        }
        Some(address)
    });
    let account = account(table, faults);
    let token = table.take("token").and_then(|item| secret(&item, faults));
    let from = table.take("from").and_then(|item| item.text(faults)).map(|text| text.value.to_owned());
    KannelConfig { url: address.unwrap_or_default(), account, token, from }
}

/// Whether messages leave this machine unencrypted (plain HTTP).
fn in_the_clear(address: &str) -> bool {
    let Some(url) = reqwest::Url::parse(address).ok().filter(|url| url.scheme() == "http") else { return false };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let is_here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    !is_here
}
