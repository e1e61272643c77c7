//! Slack's buttons, forms and commands, handed to the host whichever way they came, and what Slack and the user are told.

use super::{
    blocks::{OPEN_FORM, button_of},
    escape,
    event::{ButtonPress, SentForm, SlackInbound, SlashCommand},
    inbound::{EphemeralReply, InboundResult, ephemeral},
    modal,
    socket::{self, ConnectFailure, SocketListener, TIMING},
};
use crate::channel::{
    ProbeCheck, SettingError,
    chat::{ChatAction, ChatEvent, ChatFate, ChatHost, ChatWords, TypedCommand},
    inbound::{Acknowledgement, ChatRequest, InboundRefusal},
    provider_connection::{ConnectionHost, ConnectionSettings, ProviderConnection},
};
use futures_util::future::BoxFuture;
use serde::Serialize;
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long a command may take before the user is told that it takes longer; Slack waits three seconds in total.
const COMMAND_TIME_MAX: Duration = Duration::from_millis(2500);

/// The timeout for a private response; Slack waits three seconds in total.
const WORD_TIME_MAX: Duration = Duration::from_millis(1500);

/// The response to users who are not in the matrix.
const STRANGER: &str = "The matrix knows nobody with your Slack account: ask for it to be added.";

/// The response to a command that takes too long.
const LATE: &str = "This takes longer than Slack waits: list will show the result.";

/// What Slack sent by HTTP. A user's mistake gets a text with status 200; Slack would show any other status as its own
/// failure.
#[derive(Debug)]
pub(super) struct SlackRequest(pub SlackInbound);

impl ChatRequest for SlackRequest {
    fn answer(self: Box<Self>, host: &dyn ChatHost) -> BoxFuture<'_, Result<Acknowledgement, InboundRefusal>> {
        Box::pin(async move {
            let is_command = matches!(self.0, SlackInbound::Command(_));
            let InboundResult { kept, text, response_url, modal } = act(host, self.0).await;
            let json = |body| Acknowledgement { status: 200, content_type: Some("application/json"), body };
            if is_command {
                return Ok(json(written(&ephemeral(&text))));
            }
            if let Some(url) = response_url.filter(|_| !text.is_empty()) {
                tell(host, &url, &text).await;
            }
            if !kept {
                return Err(InboundRefusal::NotKept);
            }
            let nothing = Acknowledgement { status: 200, ..Acknowledgement::empty() };
            Ok(modal.map_or(nothing, |modal| json(modal.to_string())))
        })
    }
}

/// Slack's sockets (Socket Mode), for a channel with an `app_token`: an app-level token (`xapp-`) with the scope
/// `connections:write`.
pub(super) struct SlackSockets(pub ConnectionSettings);

impl ProviderConnection for SlackSockets {
    fn settings(&self) -> &ConnectionSettings {
        &self.0
    }

    fn keep(&self, host: Arc<dyn ConnectionHost>, stop: CancellationToken) -> BoxFuture<'_, Result<(), SettingError>> {
        Box::pin(socket::run(&self.0, TIMING, Arc::new(SocketEvents(host)), stop, rand::random()))
    }

    fn probe(&self) -> BoxFuture<'_, Option<ProbeCheck>> {
        Box::pin(async { Some(socket::probe(&self.0).await) })
    }
}

/// Handles the events of one channel's sockets.
struct SocketEvents(Arc<dyn ConnectionHost>);

impl SocketListener for SocketEvents {
    fn hear(&self, heard: SlackInbound) -> BoxFuture<'_, InboundResult> {
        Box::pin(act(self.0.as_ref(), heard))
    }

    fn tell<'a>(&'a self, response_url: &'a str, text: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(tell(self.0.as_ref(), response_url, text))
    }

    fn linked(&self, links: usize) -> BoxFuture<'_, ()> {
        self.0.linked(links)
    }

    fn failed<'a>(&'a self, failure: &'a ConnectFailure) -> BoxFuture<'a, ()> {
        self.0.failed(&failure.why, failure.is_lasting)
    }
}

/// Hands in a button, a form or a command. When this returns with `kept`, the action is durable.
async fn act(host: &dyn ChatHost, heard: SlackInbound) -> InboundResult {
    match heard {
        SlackInbound::Press(press) => {
            let response_url = press.response_url.clone();
            let said = host.act(pressed(press)).await;
            InboundResult { kept: said.fate == ChatFate::Kept, text: escape(&said.text), response_url, modal: None }
        }
        SlackInbound::Form(sent) => {
            let said = host.act(filled(&sent)).await;
            let kept = said.fate == ChatFate::Kept;
            let modal = serde_json::to_value(modal::reply(&said)).ok().filter(|_| kept);
            InboundResult { kept, modal, ..InboundResult::silent() }
        }
        SlackInbound::Command(command) => {
            let (response_url, help) = (command.response_url.clone(), command.help());
            let text = match timeout(COMMAND_TIME_MAX, host.act(typed(command, help.clone()))).await {
                // It is in Slack's markup already.
                Ok(said) if said.text == help => help,
                Ok(said) => escape(&said.text),
                Err(_) => escape(LATE),
            };
            // A command always gets a text with status 200: for an error status Slack only shows that it failed.
            InboundResult { kept: true, text, response_url, modal: None }
        }
        SlackInbound::Other => InboundResult::silent(),
    }
}

fn pressed(press: ButtonPress) -> ChatEvent {
    let button = button_of(&press.value);
    let action = match press.action.as_str() {
        OPEN_FORM => ChatAction::OpenForm { button, opening: press.trigger_id.unwrap_or_default() },
        _ => ChatAction::Press { answer: press.action, button },
    };
    wordless(press.user, press.is_bot, action)
}

fn filled(sent: &SentForm) -> ChatEvent {
    wordless(sent.user.clone(), sent.is_bot, ChatAction::FillIn(modal::filled(sent)))
}

fn wordless(user: String, is_bot: bool, action: ChatAction) -> ChatEvent {
    ChatEvent { user, is_bot, id: None, text: String::new(), action, words: words(String::new()) }
}

fn typed(command: SlashCommand, help: String) -> ChatEvent {
    let order = command.order();
    ChatEvent {
        user: command.user,
        is_bot: command.is_bot,
        id: None,
        text: command.text,
        action: ChatAction::Command(TypedCommand {
            name: command.name,
            id: command.trigger_id,
            place: command.channel,
            command: order,
        }),
        words: words(help),
    }
}

fn words(help: String) -> ChatWords {
    ChatWords { help, stranger: Some(STRANGER.to_owned()) }
}

/// Sends a private response to the user. The action is durable already; this may fail.
async fn tell(host: &dyn ChatHost, url: &str, text: &str) {
    if !is_slack(host, url) {
        return;
    }
    match timeout(WORD_TIME_MAX, host.post(url, written(&EphemeralReply::of(text)))).await {
        Ok(Ok(())) => {}
        Ok(Err(why)) => tracing::warn!(why, "Slack did not accept a private response"),
        Err(_) => tracing::warn!("Slack did not accept a private response in time"),
    }
}

/// Checks an address before we call it, even though the request is signed.
fn is_slack(host: &dyn ChatHost, url: &str) -> bool {
    let known = url.starts_with("https://hooks.slack.com/") || url.starts_with("https://hooks.slack-gov.com/");
    known || host.is_test_address(url)
}

fn written(reply: &impl Serialize) -> String {
    serde_json::to_string(reply).unwrap_or_default()
}
