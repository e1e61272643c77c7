//! The connections that we open to providers to receive what people do, as the matrix says: one set for each channel of
//! this kind.

use crate::{
    channel::socket_settings::{ConnectionProtocol, SocketSettings},
    core::ChannelName,
    engine::keys::same,
    http::{inbound_connection::ConnectionReporter, slack, state::AppState, telegram},
};
use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use secrecy::ExposeSecret;
use std::{collections::BTreeMap, sync::Arc};
use tokio_util::sync::CancellationToken;

/// Keeps them open until `shutdown`, and returns when all received events are handled. A reload opens and closes the
/// connections that it changes; links that a provider had disabled are tried again after each reload.
pub async fn keep(app: Arc<AppState>, shutdown: CancellationToken) {
    let mut reloads = app.engine.reloads();
    let mut connections = ConnectionSupervisor {
        app,
        shutdown: shutdown.clone(),
        open: BTreeMap::new(),
        ending: FuturesUnordered::new(),
    };
    connections.follow_the_matrix();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            Ok(()) = reloads.changed() => connections.follow_the_matrix(),
            () = connections.clear() => {}
        }
    }
    while connections.ending.next().await.is_some() {}
}

struct ConnectionSupervisor {
    app: Arc<AppState>,
    shutdown: CancellationToken,
    open: BTreeMap<ChannelName, OpenConnection>,
    ending: FuturesUnordered<BoxFuture<'static, ()>>,
}

struct OpenConnection {
    settings: SocketSettings,
    stop: CancellationToken,
}

impl ConnectionSupervisor {
    /// Closes connections that the matrix does not have any more, and opens new ones.
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
        self.open.insert(name.clone(), OpenConnection { settings: settings.clone(), stop: stop.clone() });
        let app = self.app.clone();
        let reporter = ConnectionReporter { engine: app.engine.clone(), channel: name.clone(), stop: stop.clone() };
        self.ending.push(Box::pin(async move {
            let kept = match settings.protocol {
                ConnectionProtocol::SocketMode => slack::sockets::keep(app, &settings, reporter.clone()).await,
                ConnectionProtocol::LongPolling => telegram::keep(app, &settings, reporter.clone()).await,
            };
            if let Err(error) = kept {
                reporter.failed(&error.to_string(), true).await;
            }
            tracing::info!(channel = %reporter.channel, "the inbound connection has ended");
            stop.cancel();
        }));
    }

    /// Waits for a connection that ends; for ever if there is none.
    async fn clear(&mut self) {
        if self.ending.next().await.is_none() {
            std::future::pending().await
        }
    }
}

fn is_same(one: &SocketSettings, other: &SocketSettings) -> bool {
    one.protocol == other.protocol
        && one.api_url == other.api_url
        && same(one.secret.expose_secret(), other.secret.expose_secret())
}
