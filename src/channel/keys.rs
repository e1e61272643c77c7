//! Keys that several kinds of channel have in common.

use super::contact::{ContactField, EMAIL, PHONE};
use crate::toml_kit::{
    document::{TomlItem, TomlTable},
    faults::MatrixFaults,
    secret::{SecretRef, secret},
};

/// An account at a provider.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProviderAccount {
    /// The user name.
    pub username: Option<String>,
    /// Where its password is kept.
    pub password: Option<SecretRef>,
}

/// Reads `username` and `password`.
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

/// Reads `needs`: the contact data that a person must have, if any.
pub(crate) fn contact(table: &mut TomlTable<'_>, faults: &mut MatrixFaults) -> Option<ContactField> {
    let needs = table.take("needs").and_then(|item| one_of(&item, &["phone", "email", "nothing"], faults));
    match needs {
        Some("phone") => Some(PHONE),
        Some("email") => Some(EMAIL),
        _ => None,
    }
}

/// Reads `personal`: whether only the paged person reads what is sent. Always true if it is sent to their own number or
/// mailbox.
pub(crate) fn personal(needs: Option<ContactField>, table: &mut TomlTable<'_>, faults: &mut MatrixFaults) -> bool {
    let theirs = needs.is_some();
    let Some(item) = table.take("personal") else { return theirs };
    if theirs {
        let message = "`personal` has no effect if messages go to a person's own number or mailbox";
        faults.error("key-without-effect", item.key_at, message, "remove it");
    }
    item.flag(faults).unwrap_or(theirs)
}

/// Reads a string that must be one of these words.
pub(crate) fn one_of<'a>(item: &TomlItem<'a>, words: &[&str], faults: &mut MatrixFaults) -> Option<&'a str> {
    let text = item.text(faults)?;
    if words.contains(&text.value) {
        return Some(text.value);
    }
    let known: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    let message = format!("{:?} is not allowed for `{}`", text.value, item.key);
    faults.refuse("unknown-word", text.at, message, format!("write {}", known.join(", ")))
}
