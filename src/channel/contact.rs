//! What must be known of a person to reach them: the fields of `[person.NAME]` that channels need. Each kind of channel
//! names its own in its entry, so a new kind brings a new field with it.

use super::mailbox::mailbox;
use crate::{
    template::TextForm,
    toml_kit::{document::TomlItem, faults::MatrixFaults},
};
use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// A field of a person's contacts: a reference to its entry.
#[derive(Clone, Copy)]
pub struct ContactField(&'static ContactSpec);

/// The entry of one field.
pub struct ContactSpec {
    /// The key of `[person.NAME]` that says it.
    pub key: &'static str,
    /// What it is, in words.
    pub what: &'static str,
    /// In which form a text goes there, where a channel leaves that to the field.
    pub form: TextForm,
    /// The value that says that the person links their own by a code, where the channel can learn it so.
    pub linked: Option<&'static str>,
    /// Whether no two people may have this value, because an answer must tell who gave it.
    pub is_unique: fn(&str) -> bool,
    /// Reads a value, given which fields the person has. What can not be read is told.
    pub(crate) read: ContactReader,
}

/// Reads the value of one field.
pub(crate) type ContactReader = fn(&TomlItem<'_>, given: &BTreeSet<ContactField>, &mut MatrixFaults) -> Option<String>;

/// What is known of a person, by field.
pub type ContactValues = BTreeMap<ContactField, String>;

/// The phone number, in E.164: a plus and 8 to 15 digits.
pub const PHONE: ContactField = ContactField::of(&PHONE_SPEC);

static PHONE_SPEC: ContactSpec = ContactSpec {
    key: "phone",
    what: "phone number",
    form: TextForm::Sms,
    linked: None,
    is_unique: |_| true,
    read: |item, _, faults| phone(item, faults),
};

/// The mailbox.
pub const EMAIL: ContactField = ContactField::of(&EMAIL_SPEC);

static EMAIL_SPEC: ContactSpec = ContactSpec {
    key: "email",
    what: "mailbox",
    form: TextForm::Mail,
    linked: None,
    // Several people may read one mailbox; a reply is proved by the page that it names.
    is_unique: |_| false,
    read: |item, _, faults| mailbox(item, faults),
};

impl ContactField {
    /// The field with this entry.
    pub const fn of(spec: &'static ContactSpec) -> Self {
        Self(spec)
    }

    /// Its entry.
    pub fn spec(self) -> &'static ContactSpec {
        self.0
    }

    /// The key of `[person.NAME]` that says it.
    pub fn key(self) -> &'static str {
        self.0.key
    }
}

/// In which form a text goes to what is known of a person: to a wallboard or a program where nothing need be known.
pub(crate) fn form(needs: Option<ContactField>) -> TextForm {
    needs.map_or(TextForm::Board, |field| field.spec().form)
}

/// Whether this is an international phone number: a plus, the country and the number, 8 to 15 digits in all.
pub(crate) fn is_phone_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    (8..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0')
}

fn phone(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<String> {
    let text = item.text(faults)?;
    if is_phone_number(text.value) {
        return Some(text.value.to_owned());
    }
    let message = format!("{:?} is not an international phone number", text.value);
    let help = "write a plus, the country and the number, digits only: \"+447700900001\"";
    faults.refuse("bad-phone", text.at, message, help)
}

impl PartialEq for ContactField {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for ContactField {}

impl PartialOrd for ContactField {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ContactField {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(other.key())
    }
}

impl fmt::Debug for ContactField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}
