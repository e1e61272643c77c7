//! What a Telegram user did, as an event for the host, with Telegram's words for them.

use super::inbound::{TelegramInbound, TelegramPress, TelegramUpdate};
use crate::channel::chat::{ChatAction, ChatButton, ChatCommand, ChatEvent, ChatWords, TypedCommand};

/// What can be written beside answers.
const HELP: &str = "Answer a page by its buttons, by a reply to it, or by its 5-digit code: 48213 2\n\
    1 received, 2 I have it, 3 wait, 4 pass on\n\
    /status: which incidents are open, and whether everything works";

/// The event that an update is; none where it says nothing. `receipt` gives the receipt of our message in a chat.
pub(super) fn event(update: &TelegramUpdate, receipt: impl Fn(i64, i64) -> String) -> Option<ChatEvent> {
    let event = match &update.what {
        TelegramInbound::Press { press, .. } => pressed(press),
        TelegramInbound::Text { chat, text, about } => {
            written(*chat, text, about.map(|message| receipt(*chat, message)))
        }
        TelegramInbound::GroupStart { chat } => {
            told(format!("The id of this group is {chat}. To have a message for each incident here: group = {chat}"))
        }
        TelegramInbound::ForeignPress { .. } => told("This button is not one of ours.".to_owned()),
        TelegramInbound::Other => return None,
    };
    Some(ChatEvent { id: Some(update.id.to_string()), ..event })
}

fn pressed(press: &TelegramPress) -> ChatEvent {
    let (page, code) = press.value.rsplit_once(':').unwrap_or((press.value.as_str(), ""));
    let button = ChatButton::Page { page: page.to_owned(), code: code.to_owned() };
    ChatEvent {
        user: press.user.to_string(),
        is_bot: press.is_bot,
        words: words(Some(stranger(press.user))),
        ..plain(ChatAction::Press { answer: press.answer.clone(), button })
    }
}

fn written(chat: i64, text: &str, about: Option<String>) -> ChatEvent {
    let first = text.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
    let action = match first.split('@').next().filter(|word| word.starts_with('/')) {
        Some("/start") => ChatAction::Start { code: text.split_whitespace().nth(1).map(str::to_owned) },
        Some("/status") => {
            let name = "/status".to_owned();
            ChatAction::Command(TypedCommand { name, id: None, place: None, command: Ok(ChatCommand::Status) })
        }
        Some(_) => ChatAction::Unknown,
        None => ChatAction::Text { about },
    };
    // People ask for their id by /start when it is set up; anybody else whom the matrix does not know gets no answer.
    let stranger = matches!(action, ChatAction::Start { .. }).then(|| stranger(chat));
    ChatEvent { user: chat.to_string(), text: text.to_owned(), words: words(stranger), ..plain(action) }
}

fn told(text: String) -> ChatEvent {
    plain(ChatAction::Tell(text))
}

fn plain(action: ChatAction) -> ChatEvent {
    ChatEvent { user: String::new(), is_bot: false, id: None, text: String::new(), action, words: words(None) }
}

fn words(stranger: Option<String>) -> ChatWords {
    ChatWords { help: HELP.to_owned(), stranger }
}

fn stranger(chat: i64) -> String {
    format!("Your chat id is {chat}. The matrix knows nobody with it: ask for telegram = {chat} to be added to you.")
}
