//! What people press and write in Telegram, judged. A press or a text is of the person whose chat id it came with.

use crate::{
    channel::{
        SettingError,
        inbound::{ButtonPress, InboundText},
        socket_settings::SocketSettings,
        telegram::{
            self,
            api::receipt,
            contact::CHAT,
            inbound::{TelegramInbound, TelegramUpdate},
            poll::{self, TIMING, UpdateFate, UpdateListener, UpdateResult},
        },
    },
    core::{Answer, PageId, PersonName, RefusedInput},
    engine::{AnswerSource, LinkError},
    http::{
        explanations::TextReply,
        inbound_connection::ConnectionReporter,
        press::{NO_HUMAN, NOT_KEPT, PressRefused, by_page, verdict_words},
        problem::ProblemDetails,
        state::AppState,
        status::status,
        texts::{self, TextWriter},
    },
    text::reply,
};
use axum::http::StatusCode;
use futures_util::future::BoxFuture;
use secrecy::SecretString;
use std::sync::Arc;

/// What can be written beside answers.
const HELP: &str = "Answer a page by its buttons, by a reply to it, or by its 5-digit code: 48213 2\n\
    1 received, 2 I have it, 3 wait, 4 pass on\n\
    /status: which incidents are open, and whether everything works";

/// Fetches the updates of one channel until that is to end.
pub(super) async fn keep(
    app: Arc<AppState>,
    settings: &SocketSettings,
    reporter: ConnectionReporter,
) -> Result<(), SettingError> {
    let stop = reporter.stop.clone();
    let token = settings.secret.clone();
    poll::run(settings, TIMING, Arc::new(ChannelListener { app, reporter, token }), stop).await
}

/// Listens for one channel.
struct ChannelListener {
    app: Arc<AppState>,
    reporter: ConnectionReporter,
    token: SecretString,
}

impl UpdateListener for ChannelListener {
    fn hear(&self, update: TelegramUpdate) -> BoxFuture<'_, UpdateResult> {
        Box::pin(self.judge(update))
    }

    fn linked(&self, is_up: bool) -> BoxFuture<'_, ()> {
        Box::pin(self.reporter.linked(usize::from(is_up)))
    }

    fn failed<'a>(&'a self, why: &'a str, is_lasting: bool) -> BoxFuture<'a, ()> {
        Box::pin(self.reporter.failed(why, is_lasting))
    }
}

impl ChannelListener {
    /// Judges it once. Of an update that is handed over again nothing more is said, but for the first time after a
    /// restart; an answer is known again by its incident even then.
    async fn judge(&self, update: TelegramUpdate) -> UpdateResult {
        // Nothing is kept of what says nothing: the places of what was judged are for answers.
        if matches!(update.what, TelegramInbound::Other) {
            return UpdateResult { fate: UpdateFate::Kept, text: String::new() };
        }
        let key = format!("telegram {} {}", self.reporter.channel, update.id);
        let by =
            AnswerSource { via: telegram::ANSWERS, origin: Some(format!("{} {}", self.reporter.channel, update.id)) };
        let mut is_first = false;
        let judged = self.app.answered.once(key, async || {
            is_first = true;
            self.word(update.what, by).await
        });
        match judged.await {
            Ok(text) => UpdateResult { fate: UpdateFate::Kept, text: if is_first { text } else { String::new() } },
            Err(_) if self.app.engine.reads().health().is_err() => {
                UpdateResult { fate: UpdateFate::NotNow, text: NOT_KEPT.to_owned() }
            }
            Err(_) => UpdateResult { fate: UpdateFate::Unkept, text: NOT_KEPT.to_owned() },
        }
    }

    async fn word(&self, what: TelegramInbound, by: AnswerSource) -> Result<String, ProblemDetails> {
        match what {
            TelegramInbound::Press { press, .. } => match self.press(&press, by).await {
                Ok(word) | Err(PressRefused::Word(word)) => Ok(word),
                Err(PressRefused::NotKept) => Err(ProblemDetails::new(StatusCode::SERVICE_UNAVAILABLE, NOT_KEPT)),
            },
            TelegramInbound::Text { text, about } => self.text(&text, about, by).await,
            TelegramInbound::GroupStart { chat } => {
                Ok(format!("The id of this group is {chat}. To have a message for each incident here: group = {chat}"))
            }
            TelegramInbound::ForeignPress { .. } => Ok("This button is not one of ours.".to_owned()),
            TelegramInbound::Other => Ok(String::new()),
        }
    }

    async fn press(&self, press: &ButtonPress, by: AnswerSource) -> Result<String, PressRefused> {
        if press.is_bot {
            return Err(PressRefused::Word(NO_HUMAN.to_owned()));
        }
        let answer: Answer = press.action.parse().map_err(|error| PressRefused::Word(format!("{error}")))?;
        let Some(person) = self.person(&press.user) else {
            return Err(PressRefused::Word(stranger(&press.user)));
        };
        let (page, code) = press.value.rsplit_once(':').unwrap_or((press.value.as_str(), ""));
        let (incident, said) = by_page(&self.app, (page, code), person.clone(), answer, by).await?;
        let told = verdict_words(&self.app, incident, &person, said).await?;
        self.app.engine.inbound().keep_exchange(&person, telegram::ANSWERS, &press.action, &told).await;
        Ok(told)
    }

    async fn text(&self, text: &InboundText, about: Option<i64>, by: AnswerSource) -> Result<String, ProblemDetails> {
        let first = text.text.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        let command = first.split('@').next().filter(|word| word.starts_with('/'));
        let Some(person) = self.person(&text.from) else {
            let code = text.text.split_whitespace().nth(1);
            return match (command, code) {
                (Some("/start"), Some(code)) => self.link(&text.from, code).await,
                // Whoever sets it up asks for their id in this way; anybody else gets no answer.
                (Some("/start"), None) => Ok(self.explained(text, stranger(&text.from))),
                _ => {
                    tracing::warn!("somebody whom the matrix does not know wrote to the bot in Telegram");
                    let inbound = self.app.engine.inbound();
                    inbound.note_refused(RefusedInput::UnknownSender, telegram::ANSWERS, &text.from).await;
                    Ok(String::new())
                }
            };
        };
        let explained = match command {
            Some("/status") => Some(status(&self.app).await?),
            Some("/start") => Some(self.explained(text, welcome(&person))),
            Some(_) => Some(self.explained(text, HELP.to_owned())),
            None => None,
        };
        if let Some(told) = explained {
            self.app.engine.inbound().keep_exchange(&person, telegram::ANSWERS, &first, &told).await;
            return Ok(told);
        }
        let writer = TextWriter { person, address: format!("telegram {}", text.from), by };
        let read = reply::read(&text.text);
        let chat = text.from.parse().unwrap_or_default();
        let about = about.map(|message| receipt(&self.token, chat, message));
        match self.page(about.as_deref(), &writer.person).await? {
            Some(page) => texts::answer_to_page(&self.app, writer, page, &text.text, read).await,
            None => texts::answer(&self.app, writer, &text.text, read).await,
        }
    }

    /// Links a newcomer's chat to whom this code was handed out; wrong ones of one chat are counted.
    async fn link(&self, chat: &str, code: &str) -> Result<String, ProblemDetails> {
        let guessed = texts::guessed(&self.app, &format!("telegram link {chat}"));
        let mut guessed = guessed.lock().await;
        if !guessed.may_try(self.app.engine.now()) {
            tracing::warn!("too many wrong codes to link an account from one Telegram chat: it waits");
            return Ok("Too many wrong codes: wait ten minutes.".to_owned());
        }
        match self.app.engine.inbound().link(&self.reporter.channel, code, chat).await {
            Ok(person) => {
                tracing::info!(person = %person, channel = %self.reporter.channel, "their Telegram chat is linked");
                Ok(welcome(&person))
            }
            Err(LinkError::Store(error)) => Err(error.into()),
            Err(LinkError::UnknownCode | LinkError::NotWanted(_) | LinkError::TooLong) => {
                guessed.wrong += 1;
                self.app.engine.inbound().note_refused(RefusedInput::WrongCode, telegram::ANSWERS, chat).await;
                tracing::warn!("somebody gave a code to link a Telegram chat that is not good");
                Ok(format!("This code is not good: it was used, or is too old. Ask for a new link. {}", stranger(chat)))
            }
        }
    }

    /// Limits how often an explanation is sent.
    fn explained(&self, text: &InboundText, words: String) -> String {
        let address = format!("telegram {}", text.from);
        self.app.texts.bounded(&address, &text.text, TextReply::Question(words), self.app.engine.now())
    }

    /// The page that went out as this message, where it is the person's own.
    async fn page(&self, receipt: Option<&str>, person: &PersonName) -> Result<Option<PageId>, ProblemDetails> {
        let Some(receipt) = receipt else { return Ok(None) };
        let page = self.app.engine.inbound().page_with_receipt(&self.reporter.channel, receipt).await?;
        let Some(page) = page else { return Ok(None) };
        let incident = self.app.engine.reads().view(page.incident).await?;
        let row = incident.as_ref().and_then(|incident| incident.pages.get(&page.n));
        Ok(row.is_some_and(|row| row.person.as_ref() == Some(person)).then_some(page))
    }

    fn person(&self, chat: &str) -> Option<PersonName> {
        let given = self.app.engine.config().person_of(CHAT, chat);
        given.or_else(|| self.app.engine.inbound().linked_person(&self.reporter.channel, chat))
    }
}

fn welcome(person: &PersonName) -> String {
    format!("Pages for {person} come here.\n{HELP}")
}

fn stranger(chat: &str) -> String {
    format!("Your chat id is {chat}. The matrix knows nobody with it: ask for telegram = {chat} to be added to you.")
}
