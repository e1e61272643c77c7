//! Acts on what comes over one open connection to a provider, and reports its state to the node's health checks.

use crate::{
    channel::{
        chat::{ChatEvent, ChatHost, ChatResult},
        kind::ChannelKind,
        provider_connection::ConnectionHost,
    },
    core::ChannelName,
    engine::Engine,
    http::{chat::ChannelChat, state::AppState},
};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The host of one channel's connection.
pub(super) struct OpenConnectionHost {
    engine: Arc<Engine>,
    channel: ChannelName,
    chat: ChannelChat,
    /// Ends the connection. After it is cancelled, reports are ignored, because they say nothing about a successor.
    stop: CancellationToken,
}

impl OpenConnectionHost {
    pub(super) fn new(app: Arc<AppState>, channel: ChannelName, kind: ChannelKind, stop: CancellationToken) -> Self {
        Self { engine: app.engine.clone(), chat: ChannelChat::new(app, channel.clone(), kind), channel, stop }
    }
}

impl ChatHost for OpenConnectionHost {
    fn act(&self, event: ChatEvent) -> BoxFuture<'_, ChatResult> {
        self.chat.act(event)
    }

    fn post<'a>(&'a self, url: &'a str, json: String) -> BoxFuture<'a, Result<(), String>> {
        self.chat.post(url, json)
    }

    fn is_test_address(&self, url: &str) -> bool {
        self.chat.is_test_address(url)
    }
}

impl ConnectionHost for OpenConnectionHost {
    fn linked(&self, links: usize) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if !self.stop.is_cancelled() {
                self.engine.health().connections_changed(&self.channel, links).await;
            }
        })
    }

    fn failed<'a>(&'a self, why: &'a str, is_lasting: bool) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if !self.stop.is_cancelled() {
                self.engine.health().connection_failed(&self.channel, why, is_lasting).await;
            }
        })
    }
}
