//! Acts on what people do in the chats of one channel: an event is of the person whose account it came with.

use super::{
    commands, forms,
    press::{NO_HUMAN, NOT_KEPT, PressRefused, Pressed, verdict_words},
};
use crate::{
    channel::{
        chat::{ChatAction, ChatButton, ChatEvent, ChatFate, ChatHost, ChatResult, FilledForm, FormReply},
        kind::ChannelKind,
        option_button::PressedOption,
    },
    core::{Answer, ChannelName, PageId, PersonName, RefusedInput},
    engine::{AnswerSource, LinkError},
    http::{
        explanations::TextReply,
        filled_form::SAID,
        problem::ProblemDetails,
        state::AppState,
        texts::{self, TextWriter},
    },
};
use axum::http::{StatusCode, header};
use futures_util::future::BoxFuture;
use std::sync::Arc;

/// The chats of one channel.
pub(in crate::http) struct ChannelChat {
    app: Arc<AppState>,
    channel: ChannelName,
    kind: ChannelKind,
}

impl ChatHost for ChannelChat {
    fn act(&self, event: ChatEvent) -> BoxFuture<'_, ChatResult> {
        Box::pin(self.judge(event))
    }

    fn post<'a>(&'a self, url: &'a str, json: String) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            let request = self.app.client.post(url).header(header::CONTENT_TYPE, "application/json").body(json);
            match request.send().await {
                Ok(response) if response.status().is_success() => Ok(()),
                Ok(response) => Err(format!("HTTP status {}", response.status().as_u16())),
                Err(error) => Err(error.without_url().to_string()),
            }
        })
    }

    fn is_test_address(&self, url: &str) -> bool {
        self.app.test_replies.as_deref().is_some_and(|prefix| url.starts_with(prefix))
    }
}

impl ChannelChat {
    pub(in crate::http) fn new(app: Arc<AppState>, channel: ChannelName, kind: ChannelKind) -> Self {
        Self { app, channel, kind }
    }

    /// Acts on it once. Of an event that is handed over again nothing more is said, but for the first time after a
    /// restart; an answer is known again by its incident even then.
    async fn judge(&self, event: ChatEvent) -> ChatResult {
        if let ChatAction::FillIn(sent) = &event.action {
            return match self.filled_in(&event, sent).await {
                Ok((text, form)) => ChatResult { form, ..ChatResult::kept(text) },
                Err(_) => self.unkept(),
            };
        }
        let key = event.id.as_ref().map(|id| format!("{} {} {id}", self.kind, self.channel)).unwrap_or_default();
        let mut is_first = false;
        let judged = self.app.answered.once(key, async || {
            is_first = true;
            self.said(&event).await
        });
        match judged.await {
            Ok(text) => ChatResult::kept(if is_first { text } else { String::new() }),
            Err(_) => self.unkept(),
        }
    }

    fn unkept(&self) -> ChatResult {
        let fate = if self.app.engine.reads().health().is_err() { ChatFate::NotNow } else { ChatFate::Unkept };
        ChatResult { fate, ..ChatResult::kept(NOT_KEPT) }
    }

    /// Acts on it; what a person said and is told is in the record before they are told.
    async fn said(&self, event: &ChatEvent) -> Result<String, ProblemDetails> {
        if event.is_bot {
            return Ok(NO_HUMAN.to_owned());
        }
        let Some(person) = self.person(&event.user) else { return self.said_by_stranger(event).await };
        let via = self.source(event).via;
        let mut said = event.text.as_str();
        let told = match &event.action {
            ChatAction::Tell(words) => return Ok(words.clone()),
            // What is said in a text is kept where texts of all channels are read.
            ChatAction::Text { about } => return self.text(event, about.as_deref(), person).await,
            ChatAction::Press { answer, button } => {
                said = answer;
                told(self.press(event, answer, button, person.clone()).await)?
            }
            ChatAction::OpenForm { button, opening } => {
                let word = told(self.open_form(&person, button, opening).await)?;
                if word.is_empty() {
                    return Ok(word);
                }
                said = "fill in the form";
                word
            }
            // There is more than words to tell of it: it does not come here.
            ChatAction::FillIn(_) => return Ok(String::new()),
            ChatAction::Start { .. } => self.explained(event, welcome(&person, event)),
            ChatAction::Unknown => self.explained(event, event.words.help.clone()),
            ChatAction::Command(command) => commands::obey(&self.app, event, command, (person.clone(), via)).await?,
        };
        self.app.engine.inbound().keep_exchange(&person, via, said, &told).await;
        Ok(told)
    }

    async fn said_by_stranger(&self, event: &ChatEvent) -> Result<String, ProblemDetails> {
        match &event.action {
            ChatAction::Tell(words) => Ok(words.clone()),
            ChatAction::Start { code: Some(code) } => self.link(event, code).await,
            ChatAction::Start { code: None } => Ok(self.explained(event, self.stranger(event))),
            _ => {
                self.note_refused(RefusedInput::UnknownSender, event).await;
                Ok(self.stranger(event))
            }
        }
    }

    async fn note_refused(&self, what: RefusedInput, event: &ChatEvent) {
        self.app.engine.inbound().note_refused(what, self.source(event).via, &event.user).await;
    }

    async fn press(
        &self,
        event: &ChatEvent,
        answer: &str,
        button: &ChatButton,
        person: PersonName,
    ) -> Result<String, PressRefused> {
        if let Some(option) = PressedOption::read(answer) {
            return Pressed::of(&self.app, button).await?.choose(&self.app, person, option, self.source(event)).await;
        }
        let answer: Answer = answer.parse().map_err(|error| PressRefused::Word(format!("{error}")))?;
        let pressed = Pressed::of(&self.app, button).await?;
        let (incident, said) = pressed.answer(&self.app, person.clone(), answer, self.source(event)).await;
        verdict_words(&self.app, incident, &person, said).await
    }

    async fn open_form(&self, person: &PersonName, button: &ChatButton, opening: &str) -> Result<String, PressRefused> {
        let live = self.app.engine.config();
        let wired = live.channels.get(&self.channel);
        let wired =
            wired.ok_or_else(|| PressRefused::Word("This channel is not in the matrix any more.".to_owned()))?;
        forms::open(&self.app, &wired.channel, person, (button, opening)).await
    }

    /// Takes a form that was sent; what becomes of it, beside the words.
    async fn filled_in(
        &self,
        event: &ChatEvent,
        sent: &FilledForm,
    ) -> Result<(String, Option<FormReply>), ProblemDetails> {
        if event.is_bot {
            return Ok((NO_HUMAN.to_owned(), None));
        }
        let Some(person) = self.person(&event.user) else { return Ok((self.said_by_stranger(event).await?, None)) };
        let by = self.source(event);
        let via = by.via;
        let (text, form) = match forms::fill_in(&self.app, &person, by, sent).await {
            Ok((text, form)) => (text, form),
            refused => (told(refused.map(|(text, _)| text))?, None),
        };
        if !matches!(form, Some(FormReply::Faults(_))) {
            self.app.engine.inbound().keep_exchange(&person, via, SAID, &text).await;
        }
        Ok((text, form))
    }

    async fn text(&self, event: &ChatEvent, about: Option<&str>, person: PersonName) -> Result<String, ProblemDetails> {
        let writer = TextWriter { person, address: self.address(event), by: self.source(event) };
        match self.page(about, &writer.person).await? {
            Some(page) => texts::answer_to_page(&self.app, writer, page, &event.text).await,
            None => texts::answer(&self.app, writer, &event.text).await,
        }
    }

    /// Links a newcomer's account to the person who was given this code; wrong codes of one account are counted.
    async fn link(&self, event: &ChatEvent, code: &str) -> Result<String, ProblemDetails> {
        let guessed = texts::guessed(&self.app, &format!("{} link {}", self.kind, event.user));
        let mut guessed = guessed.lock().await;
        if !guessed.may_try(self.app.engine.now()) {
            tracing::warn!(channel = %self.channel, "too many wrong codes to link an account: it waits");
            return Ok("Too many wrong codes: wait ten minutes.".to_owned());
        }
        match self.app.engine.inbound().link(&self.channel, code, &event.user).await {
            Ok(person) => {
                tracing::info!(person = %person, channel = %self.channel, "their account is linked");
                Ok(welcome(&person, event))
            }
            Err(LinkError::Store(error)) => Err(error.into()),
            Err(LinkError::UnknownCode | LinkError::NotWanted(_) | LinkError::TooLong) => {
                guessed.wrong += 1;
                self.note_refused(RefusedInput::WrongCode, event).await;
                tracing::warn!(channel = %self.channel, "somebody gave a code to link an account that is not good");
                let stranger = event.words.stranger.as_deref().unwrap_or_default();
                let words = "This code is not good: it was used, or is too old. Ask for a new link.";
                Ok(format!("{words} {stranger}").trim_end().to_owned())
            }
        }
    }

    /// Limits how often an explanation is sent.
    fn explained(&self, event: &ChatEvent, words: String) -> String {
        let now = self.app.engine.now();
        self.app.texts.bounded(&self.address(event), &event.text, TextReply::Question(words), now)
    }

    /// What a user is told whom the matrix does not know.
    fn stranger(&self, event: &ChatEvent) -> String {
        event.words.stranger.clone().unwrap_or_else(|| {
            tracing::warn!(channel = %self.channel, "somebody whom the matrix does not know wrote in a chat");
            String::new()
        })
    }

    /// The page that went out as the message with this receipt, where it is the person's own.
    async fn page(&self, receipt: Option<&str>, person: &PersonName) -> Result<Option<PageId>, ProblemDetails> {
        let Some(receipt) = receipt else { return Ok(None) };
        let page = self.app.engine.inbound().page_with_receipt(&self.channel, receipt).await?;
        let Some(page) = page else { return Ok(None) };
        let incident = self.app.engine.reads().view(page.incident).await?;
        let row = incident.as_ref().and_then(|incident| incident.pages.get(&page.n));
        Ok(row.is_some_and(|row| row.person.as_ref() == Some(person)).then_some(page))
    }

    fn person(&self, user: &str) -> Option<PersonName> {
        let live = self.app.engine.config();
        let settings = live.matrix.channel(&self.channel);
        let field = settings.and_then(|settings| settings.needs()).or(self.kind.spec().contact);
        let given = field.and_then(|field| live.person_of(field, user));
        given.or_else(|| self.app.engine.inbound().linked_person(&self.channel, user))
    }

    fn source(&self, event: &ChatEvent) -> AnswerSource {
        let origin = event.id.as_ref().map(|id| format!("{} {id}", self.channel));
        AnswerSource { via: self.kind.spec().response.via, origin }
    }

    /// By what wrong codes and explanations of one user are counted.
    fn address(&self, event: &ChatEvent) -> String {
        format!("{} {}", self.kind, event.user)
    }
}

/// The words for the user, whether it was taken or not.
fn told(result: Result<String, PressRefused>) -> Result<String, ProblemDetails> {
    match result {
        Ok(word) | Err(PressRefused::Word(word)) => Ok(word),
        Err(PressRefused::NotKept) => Err(ProblemDetails::new(StatusCode::SERVICE_UNAVAILABLE, NOT_KEPT)),
    }
}

fn welcome(person: &PersonName, event: &ChatEvent) -> String {
    format!("Pages for {person} come here.\n{}", event.words.help)
}
