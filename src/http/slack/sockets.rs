//! Slack's sockets: one set of links for each Slack channel that has an `app_token`.

use crate::{
    channel::{
        SettingError,
        inbound::SlackInbound,
        slack::{
            inbound::InboundResult,
            socket::{self, ConnectFailure, SocketListener, SocketSettings, TIMING},
        },
    },
    http::{
        inbound_connection::ConnectionReporter,
        slack::handler::{self, tell},
        state::AppState,
    },
};
use futures_util::future::BoxFuture;
use std::sync::Arc;

/// Keeps the links of one channel open until they must end.
pub(in crate::http) async fn keep(
    app: Arc<AppState>,
    settings: &SocketSettings,
    reporter: ConnectionReporter,
) -> Result<(), SettingError> {
    let stop = reporter.stop.clone();
    let listener = Arc::new(ChannelListener { app, reporter });
    socket::run(settings, TIMING, listener, stop, rand::random()).await
}

/// Handles the events of one channel.
struct ChannelListener {
    app: Arc<AppState>,
    reporter: ConnectionReporter,
}

impl SocketListener for ChannelListener {
    fn hear(&self, heard: SlackInbound) -> BoxFuture<'_, InboundResult> {
        Box::pin(handler::judge(&self.app, heard))
    }

    fn tell<'a>(&'a self, response_url: &'a str, text: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(tell(&self.app, response_url, text))
    }

    fn linked(&self, links: usize) -> BoxFuture<'_, ()> {
        Box::pin(self.reporter.linked(links))
    }

    fn failed<'a>(&'a self, failure: &'a ConnectFailure) -> BoxFuture<'a, ()> {
        Box::pin(self.reporter.failed(&failure.why, failure.is_lasting))
    }
}
