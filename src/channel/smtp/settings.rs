//! The keys of a channel of kind `smtp`.

use crate::{
    channel::{
        keys::{ProviderAccount, account},
        mailbox::sender,
    },
    toml_kit::{
        document::TomlTable,
        faults::{MatrixFaults, SourceSpan},
        secret::url,
    },
};

pub(crate) const KEYS: &[&str] = &["url", "username", "password", "from", "mail_in"];

/// The settings of a mail relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpConfig {
    /// Its URL: smtps, or smtp with STARTTLS.
    pub url: String,
    /// The login; a relay on this machine may need none.
    pub account: ProviderAccount,
    /// The sender: a mailbox, or `Name <mailbox>`.
    pub from: String,
    /// The Unix user that may deliver incoming mail, beside root and the daemon's own user.
    pub mail_in: Option<String>,
}

pub(crate) fn read(table: &mut TomlTable<'_>, at: SourceSpan, faults: &mut MatrixFaults) -> SmtpConfig {
    let address = table.demand("url", at, "url = \"smtps://mail.example.com:465\"", faults);
    let address = address.and_then(|item| url(&item, &["smtps://", "smtp://"], faults));
    let account = account(table, faults);
    let from = table.demand("from", at, "from = \"stentor@example.com\"", faults);
    let from = from.and_then(|item| sender(&item, faults));
    let mail_in = table.take("mail_in").and_then(|item| item.text(faults)).map(|text| text.value.to_owned());
    SmtpConfig { url: address.unwrap_or_default(), account, from: from.unwrap_or_default(), mail_in }
}
