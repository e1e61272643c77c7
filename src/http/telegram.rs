//! What people press and write in Telegram, judged. A press or a text is of the person whose chat id it came with.

use crate::{
    channel::{
        SettingError,
        inbound::{ButtonPress, InboundText},
        socket_settings::SocketSettings,
        telegram::{
            inbound::{TelegramInbound, TelegramUpdate},
            poll::{self, TIMING, UpdateListener, UpdateResult},
        },
    },
    core::{Answer, AnswerVia, PageId, PersonName},
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
    poll::run(settings, TIMING, Arc::new(ChannelListener { app, reporter }), stop).await
}

/// Listens for one channel.
struct ChannelListener {
    app: Arc<AppState>,
    reporter: ConnectionReporter,
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
    /// Judges it once. Of an update that is handed over again nothing more is said.
    async fn judge(&self, update: TelegramUpdate) -> UpdateResult {
        let key = format!("telegram {} {}", self.reporter.channel, update.id);
        let mut is_first = false;
        let judged = self.app.answered.once(key, async || {
            is_first = true;
            self.word(update.what).await
        });
        match judged.await {
            Ok(text) => UpdateResult { kept: true, text: if is_first { text } else { String::new() } },
            Err(_) => UpdateResult { kept: false, text: NOT_KEPT.to_owned() },
        }
    }

    async fn word(&self, what: TelegramInbound) -> Result<String, ProblemDetails> {
        match what {
            TelegramInbound::Press { press, .. } => match self.press(&press).await {
                Ok(word) | Err(PressRefused::Word(word)) => Ok(word),
                Err(PressRefused::NotKept) => Err(ProblemDetails::new(StatusCode::SERVICE_UNAVAILABLE, NOT_KEPT)),
            },
            TelegramInbound::Text { text, about } => self.text(&text, about.as_deref()).await,
            TelegramInbound::ForeignPress { .. } => Ok("This button is not one of ours.".to_owned()),
            TelegramInbound::Other => Ok(String::new()),
        }
    }

    async fn press(&self, press: &ButtonPress) -> Result<String, PressRefused> {
        if press.is_bot {
            return Err(PressRefused::Word(NO_HUMAN.to_owned()));
        }
        let answer: Answer = press.action.parse().map_err(|error| PressRefused::Word(format!("{error}")))?;
        let Some(person) = self.person(&press.user) else {
            return Err(PressRefused::Word(stranger(&press.user)));
        };
        let (page, code) = press.value.rsplit_once(':').unwrap_or((press.value.as_str(), ""));
        let (incident, said) = by_page(&self.app, (page, code), person.clone(), answer, AnswerVia::Telegram).await?;
        verdict_words(&self.app, incident, &person, said).await
    }

    async fn text(&self, text: &InboundText, about: Option<&str>) -> Result<String, ProblemDetails> {
        let first = text.text.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        let command = first.split('@').next().filter(|word| word.starts_with('/'));
        let Some(person) = self.person(&text.from) else {
            tracing::warn!("somebody whom the matrix does not know wrote to the bot in Telegram");
            // Whoever sets it up asks for their id in this way; anybody else gets no answer.
            let word = if command == Some("/start") { stranger(&text.from) } else { String::new() };
            return Ok(self.explained(text, word));
        };
        match command {
            Some("/status") => return Ok(status(&self.app).await?),
            Some("/start") => return Ok(self.explained(text, format!("Pages for {person} come here.\n{HELP}"))),
            Some(_) => return Ok(self.explained(text, HELP.to_owned())),
            None => {}
        }
        let writer = TextWriter { person, address: format!("telegram {}", text.from), via: AnswerVia::Telegram };
        let read = reply::read(&text.text);
        match self.page(about, &writer.person).await? {
            Some(page) => texts::answer_to_page(&self.app, writer, page, &text.text, read).await,
            None => texts::answer(&self.app, writer, &text.text, read).await,
        }
    }

    /// What is no word about a page is said a few times.
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
        self.app.engine.config().matrix.person_of_telegram(chat.parse().ok()?).cloned()
    }
}

fn stranger(chat: &str) -> String {
    format!("Your chat id is {chat}. The matrix knows nobody with it: ask for telegram = {chat} to be added to you.")
}
