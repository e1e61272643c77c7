//! Journals the credentials that were refused, with the address that they came from.

use crate::{
    engine::inbound::RefusedCredential,
    http::{connection::network, refusal_log, state::AppState},
};
use axum::{
    extract::{ConnectInfo, Request, State},
    middleware::Next,
    response::Response,
};
use std::{net::SocketAddr, sync::Arc};

/// Answers a request, and journals the credential that was refused in it. The first of its kind in an hour waits for the
/// journal.
pub async fn journaled(State(app): State<Arc<AppState>>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip().to_canonical());
    let (response, refused) = refusal_log::watched(next.run(request)).await;
    if let Some((asked, owner)) = refused {
        let address = peer.map_or_else(|| "unknown".to_owned(), |peer| network(peer).to_string());
        app.engine.inbound().note_credential(RefusedCredential { asked: asked.to_owned(), owner, address }).await;
    }
    response
}
