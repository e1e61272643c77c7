//! What must be known of a person to reach them by Slack.

use crate::{
    channel::contact::{ContactField, ContactSpec, EMAIL},
    template::TextForm,
    toml_kit::{document::TomlItem, faults::MatrixFaults},
};
use std::collections::BTreeSet;

/// The Slack member id, or [`BY_EMAIL`].
pub const MEMBER: ContactField = ContactField::of(&MEMBER_SPEC);

/// The value in place of a member id if Slack itself must be asked for it.
pub const BY_EMAIL: &str = "by-email";

static MEMBER_SPEC: ContactSpec = ContactSpec {
    key: "slack",
    what: "Slack user id",
    form: TextForm::Board,
    linked: None,
    is_unique: |value| value != BY_EMAIL,
    read,
};

fn read(item: &TomlItem<'_>, given: &BTreeSet<ContactField>, faults: &mut MatrixFaults) -> Option<String> {
    let text = item.text(faults)?;
    if text.value == BY_EMAIL {
        if !given.contains(&EMAIL) {
            let help = "add `email`, or write the member id";
            faults.error("missing-key", item.at, "to be found in Slack by e-mail takes an e-mail address", help);
        }
        return Some(BY_EMAIL.to_owned());
    }
    let tail = text.value.strip_prefix(['U', 'W']).unwrap_or_default();
    if !tail.is_empty() && tail.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()) {
        return Some(text.value.to_owned());
    }
    let message = format!("{:?} is not a Slack member id", text.value);
    let help = "in Slack: profile, three dots, \"Copy member ID\", it looks like U0123ABCD; or write \"by-email\"";
    faults.error("bad-slack-id", text.at, message, help);
    None
}
