//! A page as a message of the bot, with the answers as buttons. Plain text: nothing in it is markup.

use super::{api::BotApi, contact::CHAT, refusal::BotRefusal};
use crate::{
    channel::{
        Channel, Message, ProbeCheck, Recipient, ReplyOptions, SendError, SettingError,
        option_button::{OptionButton, PressedOption},
    },
    core::{Answer, PageId, SendReceipt, answer::HAND_BACK},
};
use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

/// What a message may have, in UTF-16 units.
pub const TEXT_UNITS_MAX: usize = 4096;

/// What a button may hold, in bytes.
pub const BUTTON_BYTES_MAX: usize = 64;

/// What every button's data begins with.
pub(super) const BUTTON: &str = "a:";

/// A bot that sends.
pub struct TelegramChannel {
    api: BotApi,
    /// The group that has a message for each incident.
    pub(super) group: Option<i64>,
}

impl TelegramChannel {
    /// Makes the client; nothing is sent. A process-wide rustls provider must be installed.
    ///
    /// # Errors
    ///
    /// [`SettingError`] when the address or the token can not be used.
    pub fn new(url: Option<&str>, token: SecretString) -> Result<Self, SettingError> {
        Ok(Self { api: BotApi::new(url, token)?, group: None })
    }

    /// With a group that is the room of incidents.
    #[must_use]
    pub fn with_group(self, group: Option<i64>) -> Self {
        Self { group, ..self }
    }

    async fn page(&self, message: &Message) -> Result<SendReceipt, SendError> {
        let contact = match &message.to {
            Recipient::Person(contact) => contact,
            Recipient::Room { id, card, .. } => return self.tell_group(message, id.as_deref(), card.as_deref()).await,
        };
        let Ok(chat) = contact.demand(CHAT)?.parse() else {
            return Err(SendError::unreachable("the Telegram chat id is none"));
        };
        let id = self.put(chat, message).await.map_err(BotRefusal::into_send_error)?;
        Ok(SendReceipt::of(self.api.receipt(chat, id)))
    }

    /// Sends it; what Telegram refuses with its buttons goes without them at once.
    async fn put(&self, chat: i64, message: &Message) -> Result<i64, BotRefusal> {
        let Some(ask) = &message.ask else { return self.post(chat, &message.whole_text(), None, false).await };
        let text = with_reply(message, ask);
        match self.post(chat, &text, Some(keyboard(message, ask)), false).await {
            Err(refusal) if refusal.is_of_form() => {
                tracing::warn!("Telegram refuses the form of a message: it goes without buttons; this is a bug");
                self.post(chat, &text, None, false).await
            }
            sent => sent,
        }
    }

    /// Posts a text; the message's number in its chat.
    pub(super) async fn post(
        &self,
        chat: i64,
        text: &str,
        keyboard: Option<Value>,
        is_silent: bool,
    ) -> Result<i64, BotRefusal> {
        let mut body = json!({
            "chat_id": chat,
            "text": cut(text),
            // Or Telegram's servers fetch the links in it.
            "link_preview_options": { "is_disabled": true },
        });
        if let Some(keyboard) = keyboard {
            body["reply_markup"] = json!({ "inline_keyboard": keyboard });
        }
        if is_silent {
            body["disable_notification"] = true.into();
        }
        let answer = self.api.call("sendMessage", &body, None).await?;
        answer.value()["message_id"].as_i64().ok_or_else(|| BotRefusal::unreadable(200))
    }

    /// Puts another text into a message.
    pub(super) async fn edit(&self, chat: i64, message: i64, text: &str) -> Result<(), BotRefusal> {
        let body = json!({
            "chat_id": chat,
            "message_id": message,
            "text": text,
            "link_preview_options": { "is_disabled": true },
        });
        self.api.call("editMessageText", &body, None).await.map(drop)
    }

    async fn look(&self) -> Vec<ProbeCheck> {
        match self.api.call("getMe", &json!({}), None).await {
            Ok(answer) => {
                let result = answer.value();
                let name = result["username"].as_str().unwrap_or("?");
                let clock = answer.date.as_deref().and_then(ProbeCheck::clock);
                [ProbeCheck::fine("login", format!("@{name}"))].into_iter().chain(clock).collect()
            }
            Err(refusal) => {
                let throttled = matches!(refusal, BotRefusal::Throttled(_));
                let detail = refusal.into_send_error().to_string();
                vec![if throttled {
                    ProbeCheck::doubtful("login", detail)
                } else {
                    ProbeCheck::failed("login", detail)
                }]
            }
        }
    }
}

impl Channel for TelegramChannel {
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<SendReceipt, SendError>> {
        Box::pin(self.page(message))
    }

    fn probe(&self) -> BoxFuture<'_, Vec<ProbeCheck>> {
        Box::pin(self.look())
    }

    /// A person who opens it sends `/start CODE` to the bot.
    fn link_address<'a>(&'a self, code: &'a str) -> BoxFuture<'a, Option<String>> {
        Box::pin(async move {
            let bot = self.api.call("getMe", &json!({}), None).await.ok()?.value();
            Some(format!("https://t.me/{}?start={code}", bot["username"].as_str()?))
        })
    }
}

/// The text, and how to answer it where its buttons are not shown. The way to answer is never cut away.
fn with_reply(message: &Message, ask: &ReplyOptions) -> String {
    let code = ask.code.expose_secret();
    let line = |answer: Answer| format!("{code} {} = {}", answer.digit(), answer.label());
    let how = if message.purpose.is_brief() && !ask.options.is_empty() {
        let (or, what) = match &ask.repeats {
            Some(fact) => ("Write", format!(" and {fact}")),
            None => ("Or write", String::new()),
        };
        let change = if ask.edits { format!("\nTo change it: {}", ask.link.expose_secret()) } else { String::new() };
        format!("\n\n{or}: {code} and a letter{what}; {}{change}", line(Answer::Unable))
    } else if message.purpose.is_brief() && ask.fills_in {
        format!("\n\nFill in the form: {}\nOr write: {}", ask.link.expose_secret(), line(Answer::Unable))
    } else if message.purpose.is_brief() {
        format!("\n\nOr write: {}; {}", line(Answer::of_level(ask.level)), line(Answer::Unable))
    } else {
        format!("\n\nOr write: {code} {} = {HAND_BACK}", Answer::Unable.digit())
    };
    let text = message.whole_text();
    format!("{}{how}", cut_to(&text, TEXT_UNITS_MAX - how.encode_utf16().count()))
}

/// One row for each answer; a button holds `a:wilco:INC-12.3:48213`: its page, and the code that proves it.
fn keyboard(message: &Message, ask: &ReplyOptions) -> Value {
    let row = |answer: Answer, label: &str| {
        let word = match answer {
            Answer::Wilco => "wilco",
            Answer::Roger => "roger",
            Answer::Standby { .. } => "standby",
            Answer::Unable => "unable",
        };
        json!([{ "text": label, "callback_data": button_data(word, ask.page, ask.code.expose_secret()) }])
    };
    if message.purpose.is_brief() && !ask.options.is_empty() {
        let option = |option: &OptionButton| {
            let word = PressedOption::written(option.letter, None);
            let data = button_data(&word, ask.page, ask.code.expose_secret());
            json!([{ "text": format!("{} {}", option.letter, option.label), "callback_data": data }])
        };
        let unable = row(Answer::Unable, Answer::Unable.label());
        // A press alone decides nothing where something must be repeated.
        let pressed = ask.options.iter().filter(|_| ask.repeats.is_none());
        pressed.map(option).chain([unable]).collect()
    } else if message.purpose.is_brief() && ask.fills_in {
        json!([row(Answer::Unable, Answer::Unable.label())])
    } else if message.purpose.is_brief() {
        ask.level.offers().into_iter().map(|answer| row(answer, ask.level.button(answer, message.drill))).collect()
    } else {
        json!([row(Answer::Unable, HAND_BACK)])
    }
}

/// What a button holds, at most [`BUTTON_BYTES_MAX`].
fn button_data(word: &str, page: PageId, code: &str) -> String {
    format!("{BUTTON}{word}:{page}:{code}")
}

/// Within what one message may have.
pub(super) fn cut(text: &str) -> String {
    cut_to(text, TEXT_UNITS_MAX)
}

/// The first `most` UTF-16 units, the last an ellipsis where something is missing.
pub(super) fn cut_to(text: &str, most: usize) -> String {
    if text.encode_utf16().count() <= most {
        return text.to_owned();
    }
    let mut left = most.saturating_sub(1);
    let kept = text.chars().take_while(|c| {
        let fits = c.len_utf16() <= left;
        left = left.saturating_sub(c.len_utf16());
        fits
    });
    kept.collect::<String>().trim_end().to_owned() + "…"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::IncidentId;

    #[test]
    fn the_longest_button_fits() {
        let page = PageId { incident: IncidentId(i64::MAX), n: u32::MAX };
        assert!(button_data("standby", page, "99999").len() <= BUTTON_BYTES_MAX);
    }
}
