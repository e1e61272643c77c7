//! Keys that several kinds of channel read in the same way.

use super::contact::{ContactField, EMAIL, PHONE};
use crate::toml_kit::{
    document::{TomlItem, TomlTable},
    faults::MatrixFaults,
    secret::{SecretAddress, SecretRef, secret, url},
};
use toml::de::DeValue;

/// The account at a provider.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProviderAccount {
    /// Its name.
    pub username: Option<String>,
    /// Its password.
    pub password: Option<SecretRef>,
}

/// `username` and `password`.
pub(crate) fn account(table: &mut TomlTable<'_>, faults: &mut MatrixFaults) -> ProviderAccount {
    let username = table.take("username").and_then(|item| item.text(faults));
    let password = table.take("password");
    if let (None, Some(item)) = (&username, &password) {
        let message = format!("{} has a password and no username", table.what);
        faults.error("missing-key", item.key_at, message, "add `username = \"..\"`");
    }
    ProviderAccount {
        username: username.map(|text| text.value.to_owned()),
        password: password.and_then(|item| secret(&item, faults)),
    }
}

/// `needs`: what must be known of a person; none where nothing need be.
pub(crate) fn contact(table: &mut TomlTable<'_>, faults: &mut MatrixFaults) -> Option<ContactField> {
    let needs = table.take("needs").and_then(|item| one_of(&item, &["phone", "email", "nothing"], faults));
    match needs {
        Some("phone") => Some(PHONE),
        Some("email") => Some(EMAIL),
        _ => None,
    }
}

/// Whether the paged person alone reads what is sent. Always so where it goes to a number or mailbox of theirs.
pub(crate) fn personal(needs: Option<ContactField>, table: &mut TomlTable<'_>, faults: &mut MatrixFaults) -> bool {
    let theirs = needs.is_some();
    let Some(item) = table.take("personal") else { return theirs };
    if theirs {
        let message = "`personal` has no effect where a person's own number or mailbox is written to";
        faults.error("key-without-effect", item.key_at, message, "remove it");
    }
    item.flag(faults).unwrap_or(theirs)
}

/// An address in the clear, or where it is kept.
pub(crate) fn address(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<SecretAddress> {
    if matches!(item.value, DeValue::Table(_)) {
        return secret(item, faults).map(SecretAddress::Kept);
    }
    url(item, &["https://", "http://"], faults).map(SecretAddress::Written)
}

/// One of a few words.
pub(crate) fn one_of<'a>(item: &TomlItem<'a>, words: &[&str], faults: &mut MatrixFaults) -> Option<&'a str> {
    let text = item.text(faults)?;
    if words.contains(&text.value) {
        return Some(text.value);
    }
    let known: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    let message = format!("{:?} is nothing that `{}` can be", text.value, item.key);
    faults.error("unknown-word", text.at, message, format!("write {}", known.join(", ")));
    None
}
