//! Long polling: Telegram holds a request until somebody does something. What it handed over is confirmed by the offset of
//! the next request, so that it is moved only behind what was judged: until then Telegram hands it over again.

use super::{
    api::BotApi,
    chat,
    inbound::{TelegramInbound, TelegramUpdate},
    refusal::BotRefusal,
    send::{cut, cut_to},
};
use crate::{
    channel::{
        SettingError,
        chat::{ChatFate, ChatResult},
        provider_connection::{ConnectionHost, ConnectionSettings},
    },
    core::retry::backoff,
};
use futures_util::{FutureExt, future::join_all};
use serde_json::{json, value::RawValue};
use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// The most updates of one answer.
const UPDATES_MAX: usize = 25;

/// What an answer to a press may have, in UTF-16 units.
const WORD_UNITS_MAX: usize = 200;

/// How often an update is judged that can not be kept, so that it does not stand in the way of the others for ever.
const TRIES_MAX: u32 = 10;

/// How long a word to somebody may take to be sent.
const WORD_TIME_MAX: Duration = Duration::from_secs(5);

/// The waits of polling.
#[derive(Debug, Clone, Copy)]
pub struct PollTiming {
    /// How long Telegram holds a request; it caps it at 50 s.
    pub hold: Duration,
    /// How much longer its answer may take.
    pub margin: Duration,
    /// The wait after a refusal that only people can mend.
    pub refused: Duration,
    /// The wait after so many batches in a row that could not be kept completely.
    pub kept: fn(u32) -> Duration,
}

/// As they are in production.
pub const TIMING: PollTiming = PollTiming {
    hold: Duration::from_secs(25),
    margin: Duration::from_secs(10),
    refused: Duration::from_secs(60),
    kept: backoff,
};

/// Fetches updates until `stop`.
///
/// # Errors
///
/// [`SettingError`] when the settings can not be used.
pub async fn run(
    settings: &ConnectionSettings,
    timing: PollTiming,
    host: Arc<dyn ConnectionHost>,
    stop: CancellationToken,
) -> Result<(), SettingError> {
    let api = BotApi::new(settings.api_url.as_deref(), settings.secret.clone())?;
    let poller = UpdatePoller { api, timing, host, stop };
    poller.keep().await;
    Ok(())
}

/// The oldest update that could not be kept. Its user was told so each time.
#[derive(Default)]
struct StuckUpdate {
    id: i64,
    tries: u32,
}

impl StuckUpdate {
    /// Counts a try; whether it was the last one.
    fn is_given_up(&mut self, id: i64) -> bool {
        let tries = if self.id == id { self.tries + 1 } else { 1 };
        *self = Self { id, tries };
        let is_last = TRIES_MAX <= tries;
        if is_last {
            tracing::error!(update = id, "what a Telegram user did could not be kept: it is given up");
        }
        is_last
    }
}

struct UpdatePoller {
    api: BotApi,
    timing: PollTiming,
    host: Arc<dyn ConnectionHost>,
    stop: CancellationToken,
}

impl UpdatePoller {
    async fn keep(&self) {
        let (mut offset, mut failures, mut is_up) = (None, 0, false);
        let mut stuck = StuckUpdate::default();
        loop {
            // The first request comes back at once: then it is known that the bot is heard.
            let hold = if is_up { self.timing.hold } else { Duration::ZERO };
            let fetched = tokio::select! {
                () = self.stop.cancelled() => break,
                fetched = self.fetch(offset, hold) => fetched,
            };
            let updates = match fetched {
                Ok(updates) => updates,
                Err(refusal) => {
                    failures += 1;
                    if std::mem::take(&mut is_up) {
                        self.host.linked(0).await;
                    }
                    if self.pause_after(refusal, failures).await.is_none() {
                        break;
                    }
                    continue;
                }
            };
            if !std::mem::replace(&mut is_up, true) {
                self.host.linked(1).await;
            }
            // What was before is confirmed by this request. Without one the next is from the oldest that is not: numbers
            // begin anywhere after a week of silence.
            offset = None;
            let (mut is_kept, mut words) = (true, Vec::new());
            for read in updates.iter().filter_map(|update| TelegramUpdate::read(update.get())) {
                let id = read.id;
                let judged = self.judge(&read).await;
                words.push(self.say(read.what, judged.text));
                // Those behind one that could not be kept are judged all the same: judged again they change nothing.
                let taken = match judged.fate {
                    ChatFate::Kept => true,
                    ChatFate::NotNow => false,
                    ChatFate::Unkept => is_kept && stuck.is_given_up(id),
                };
                is_kept &= taken;
                if is_kept {
                    offset = Some(id + 1);
                }
            }
            // All at once: a slow one holds up nobody else's.
            join_all(words).await;
            // One without a number can not be confirmed either.
            let is_done = is_kept && (offset.is_some() || updates.is_empty());
            failures = if is_done { 0 } else { failures + 1 };
            if !is_done && self.pause((self.timing.kept)(failures)).await.is_none() {
                break;
            }
        }
        if is_up {
            self.host.linked(0).await;
        }
    }

    async fn fetch(&self, offset: Option<i64>, hold: Duration) -> Result<Vec<Box<RawValue>>, BotRefusal> {
        let mut body = json!({
            "limit": UPDATES_MAX,
            "timeout": hold.as_secs(),
            "allowed_updates": ["message", "callback_query"],
        });
        if let Some(offset) = offset {
            body["offset"] = offset.into();
        }
        let answer = self.api.call("getUpdates", &body, Some(hold + self.timing.margin)).await?;
        // Each is read alone.
        serde_json::from_str(answer.result.get()).map_err(|_| BotRefusal::unreadable(200))
    }

    /// Has it judged. One that makes the judge panic is not kept, and ends nothing.
    async fn judge(&self, update: &TelegramUpdate) -> ChatResult {
        let event = chat::event(update, |chat, message| self.api.receipt(chat, message));
        let Some(event) = event else { return ChatResult::kept("") };
        let judged = AssertUnwindSafe(async { self.host.act(event).await }).catch_unwind().await;
        judged.unwrap_or_else(|_| {
            tracing::error!(update = update.id, "judging a Telegram update panicked; this is a bug");
            ChatResult { fate: ChatFate::Unkept, ..ChatResult::kept("") }
        })
    }

    /// Tells its user. What it is about is kept already.
    async fn say(&self, what: TelegramInbound, word: String) {
        let told = match (&what, word.as_str()) {
            (TelegramInbound::Press { query, press }, word) => self.answer(query, Some(press.user), word).await,
            (TelegramInbound::ForeignPress { query }, word) => self.answer(query, None, word).await,
            (TelegramInbound::Other, _) | (_, "") => Ok(()),
            (TelegramInbound::Text { chat, .. } | TelegramInbound::GroupStart { chat }, word) => {
                self.tell(*chat, word).await
            }
        };
        if let Err(refusal) = told {
            tracing::warn!(error = %refusal.into_send_error(), "a word to a Telegram user could not be sent");
        }
    }

    /// Answers a press; one that Telegram holds for too old is answered by a message.
    async fn answer(&self, query: &str, user: Option<i64>, word: &str) -> Result<(), BotRefusal> {
        let body = json!({
            "callback_query_id": query,
            "text": cut_to(word, WORD_UNITS_MAX),
            "show_alert": !word.is_empty(),
        });
        match (self.api.call("answerCallbackQuery", &body, Some(WORD_TIME_MAX)).await, user) {
            (Err(refusal), Some(chat)) if refusal.is_of_old_query() && !word.is_empty() => self.tell(chat, word).await,
            (answered, _) => answered.map(drop),
        }
    }

    async fn tell(&self, chat: i64, word: &str) -> Result<(), BotRefusal> {
        let body = json!({ "chat_id": chat, "text": cut(word), "link_preview_options": { "is_disabled": true } });
        self.api.call("sendMessage", &body, Some(WORD_TIME_MAX)).await.map(drop)
    }

    async fn pause_after(&self, refusal: BotRefusal, failures: u32) -> Option<()> {
        let (is_lasting, after) = (refusal.is_lasting(), refusal.after());
        let why = refusal.into_send_error().to_string();
        tracing::warn!(why, "Telegram's updates could not be fetched");
        self.host.failed(&why, is_lasting).await;
        let wait = if is_lasting { self.timing.refused } else { after.unwrap_or_default().max(backoff(failures)) };
        self.pause(wait.min(self.timing.refused)).await
    }

    async fn pause(&self, wait: Duration) -> Option<()> {
        tokio::select! {
            () = self.stop.cancelled() => None,
            () = sleep(wait) => Some(()),
        }
    }
}
