//! The connections that we open to providers to receive what people do, as the matrix says: one for each channel whose
//! kind works that way.

use crate::{
    channel::{
        kind::ChannelKind,
        provider_connection::{ConnectionHost, ProviderConnection},
    },
    core::ChannelName,
    engine::{ActiveChannel, keys::same},
    http::{inbound_connection::OpenConnectionHost, state::AppState},
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
    kind: ChannelKind,
    connection: Arc<dyn ProviderConnection>,
    stop: CancellationToken,
}

impl ConnectionSupervisor {
    /// Closes connections that the matrix does not have any more, and opens new ones.
    fn follow_the_matrix(&mut self) {
        let live = self.app.engine.config();
        let wanted = |name: &ChannelName| live.channels.get(name).filter(|wired| wired.connection.is_some());
        let app = &self.app;
        self.open.retain(|name, open| {
            let stays = !open.stop.is_cancelled() && wanted(name).is_some_and(|now| open.is_same(now));
            if !stays {
                open.stop.cancel();
            }
            if wanted(name).is_none() {
                app.engine.health().forget_connection(name);
            }
            stays
        });
        for (name, wired) in &live.channels {
            if let Some(connection) = wired.connection.as_ref().filter(|_| !self.open.contains_key(name)) {
                self.start(name, wired.kind, connection.clone());
            }
        }
    }

    fn start(&mut self, name: &ChannelName, kind: ChannelKind, connection: Arc<dyn ProviderConnection>) {
        let stop = self.shutdown.child_token();
        self.open.insert(name.clone(), OpenConnection { kind, connection: connection.clone(), stop: stop.clone() });
        let host = Arc::new(OpenConnectionHost::new(self.app.clone(), name.clone(), kind, stop.clone()));
        let channel = name.clone();
        self.ending.push(Box::pin(async move {
            if let Err(error) = connection.keep(host.clone(), stop.clone()).await {
                host.failed(&error.to_string(), true).await;
            }
            tracing::info!(%channel, "the inbound connection has ended");
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

impl OpenConnection {
    /// Whether this channel would open the same connection.
    fn is_same(&self, now: &ActiveChannel) -> bool {
        let Some(new) = now.connection.as_ref().filter(|_| now.kind == self.kind) else { return false };
        let (new, old) = (new.settings(), self.connection.settings());
        new.api_url == old.api_url && same(new.secret.expose_secret(), old.secret.expose_secret())
    }
}
