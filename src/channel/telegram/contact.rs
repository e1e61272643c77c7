//! What must be known of a person to reach them by Telegram.

use crate::{
    channel::contact::{ContactField, ContactSpec},
    template::TextForm,
    toml_kit::{document::TomlItem, faults::MatrixFaults},
};
use toml::de::DeValue;

/// The id of a person's private chat with the bot, in decimal.
pub const CHAT: ContactField = ContactField::of(&CHAT_SPEC);

/// The value in place of an id that the person links by a code.
const LINKED: &str = "linked";

static CHAT_SPEC: ContactSpec = ContactSpec {
    key: "telegram",
    what: "Telegram chat id",
    form: TextForm::Board,
    linked: Some(LINKED),
    is_unique: |value| value != LINKED,
    read: |item, _, faults| read(item, faults),
};

/// The id of a private chat is its user's own, which is positive; groups are negative.
fn read(item: &TomlItem<'_>, faults: &mut MatrixFaults) -> Option<String> {
    let chat = match item.value {
        DeValue::String(text) if text == LINKED => return Some(LINKED.to_owned()),
        DeValue::Integer(number) if number.radix() == 10 => number.as_str().replace('_', "").parse::<i64>().ok(),
        _ => None,
    };
    if let Some(chat) = chat.filter(|chat| 0 < *chat) {
        return Some(chat.to_string());
    }
    let help = "write telegram = \"linked\" and give them the link of `stentor people link`; or write the id: the bot answers \
        /start with it";
    faults.error("bad-telegram-id", item.at, "this is not the id of a person's chat in Telegram", help);
    None
}
