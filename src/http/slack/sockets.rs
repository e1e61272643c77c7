//! Slack's sockets, kept open as the matrix says: one set of links for each Slack channel that has an `app_token`.

use crate::{
    channel::{
        inbound::SlackInbound,
        slack::{
            inbound::InboundResult,
            socket::{self, ConnectFailure, SocketListener, SocketSettings, TIMING},
        },
    },
    core::ChannelName,
    engine::keys::same,
    http::{
        slack::handler::{self, tell},
        state::AppState,
    },
};
use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use secrecy::ExposeSecret;
use std::{collections::BTreeMap, sync::Arc};
use tokio_util::sync::CancellationToken;

/// Keeps them until `shutdown`, and returns once what was heard is judged. A reload opens and closes what it changes;
/// links that Slack had switched off are tried anew by any reload.
pub async fn keep(app: Arc<AppState>, shutdown: CancellationToken) {
    let mut reloads = app.engine.reloads();
    let mut sockets =
        SocketSupervisor { app, shutdown: shutdown.clone(), open: BTreeMap::new(), ending: FuturesUnordered::new() };
    sockets.follow_the_matrix();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            Ok(()) = reloads.changed() => sockets.follow_the_matrix(),
            () = sockets.clear() => {}
        }
    }
    while sockets.ending.next().await.is_some() {}
}

struct SocketSupervisor {
    app: Arc<AppState>,
    shutdown: CancellationToken,
    open: BTreeMap<ChannelName, OpenSocket>,
    ending: FuturesUnordered<BoxFuture<'static, ()>>,
}

struct OpenSocket {
    settings: SocketSettings,
    stop: CancellationToken,
}

impl SocketSupervisor {
    /// Closes what is not wanted any more and opens what is.
    fn follow_the_matrix(&mut self) {
        let live = self.app.engine.config();
        let wanted = |name: &ChannelName| live.channels.get(name).and_then(|wired| wired.socket.as_ref());
        let app = &self.app;
        self.open.retain(|name, open| {
            let stays = !open.stop.is_cancelled() && wanted(name).is_some_and(|now| is_same(now, &open.settings));
            if !stays {
                open.stop.cancel();
            }
            if wanted(name).is_none() {
                app.engine.health().forget_connection(name);
            }
            stays
        });
        for (name, wired) in &live.channels {
            if let Some(settings) = wired.socket.as_ref().filter(|_| !self.open.contains_key(name)) {
                self.start(name, settings.clone());
            }
        }
    }

    fn start(&mut self, name: &ChannelName, settings: SocketSettings) {
        let stop = self.shutdown.child_token();
        let ear = ChannelListener { app: self.app.clone(), channel: name.clone(), stop: stop.clone() };
        self.open.insert(name.clone(), OpenSocket { settings: settings.clone(), stop: stop.clone() });
        self.ending.push(Box::pin(async move {
            let (channel, listener) = (ear.channel.clone(), Arc::new(ear));
            if let Err(error) = socket::run(&settings, TIMING, listener.clone(), stop.clone(), rand::random()).await {
                listener.failed(&ConnectFailure { why: error.to_string(), is_lasting: true }).await;
            }
            tracing::info!(channel = %channel, "Slack's sockets are closed");
            stop.cancel();
        }));
    }

    /// Waits for one that ends; for ever where there is none.
    async fn clear(&mut self) {
        if self.ending.next().await.is_none() {
            std::future::pending().await
        }
    }
}

fn is_same(one: &SocketSettings, other: &SocketSettings) -> bool {
    one.api_url == other.api_url && same(one.app_token.expose_secret(), other.app_token.expose_secret())
}

/// Listens for one channel.
struct ChannelListener {
    app: Arc<AppState>,
    channel: ChannelName,
    stop: CancellationToken,
}

impl SocketListener for ChannelListener {
    fn hear(&self, heard: SlackInbound) -> BoxFuture<'_, InboundResult> {
        Box::pin(handler::judge(&self.app, heard))
    }

    fn tell<'a>(&'a self, response_url: &'a str, text: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(tell(&self.app, response_url, text))
    }

    fn linked(&self, links: usize) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            // Those that a reload has replaced say nothing about their successors.
            if !self.stop.is_cancelled() {
                self.app.engine.health().connections_changed(&self.channel, links).await;
            }
        })
    }

    fn failed<'a>(&'a self, failure: &'a ConnectFailure) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if !self.stop.is_cancelled() {
                self.app.engine.health().connection_failed(&self.channel, &failure.why, failure.is_lasting).await;
            }
        })
    }
}
