//! The daemon's own Unix socket, used by the command line.

pub mod commands;
mod credentials;
pub mod drills;
mod erase;
pub mod form;
pub mod health;
pub mod links;
pub mod quarantine;
pub mod reload;
pub mod silences;
pub mod why;

use crate::http::{api, state::AppState};
use axum::{
    Router,
    routing::{get, post},
};
use std::sync::Arc;

/// The routes on the Unix socket.
pub fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .merge(api::shared_routes())
        .route("/v1/reload", post(reload::reload))
        .route("/v1/fire", post(commands::fire))
        .route("/v1/incidents/{id}/answer", post(commands::answer))
        .route("/v1/incidents/{id}/resolve", post(commands::resolve))
        .route("/v1/incidents/{id}/erase", post(erase::erase))
        .route("/v1/silences", get(silences::list).post(silences::make))
        .route("/v1/silences/{id}/extend", post(silences::extend))
        .route("/v1/silences/{id}/end", post(silences::end))
        .route("/v1/alerts/{id}/why", get(why::why))
        .route("/v1/quarantine", get(quarantine::list))
        .route("/v1/quarantine/row", get(quarantine::show))
        .route("/v1/quarantine/clear", post(quarantine::clear))
        .route("/v1/drills", get(drills::list).post(drills::run))
        .route("/v1/drills/schedule", get(drills::schedule))
        .route("/v1/drills/{id}", get(drills::follow))
        .route("/v1/drills/{id}/abort", post(drills::abort))
        .route("/v1/names", get(commands::names))
        .route("/v1/desk-link", post(commands::desk_link))
        .route("/v1/journal", get(commands::journal))
        .route("/v1/journal/key", get(commands::journal_key))
        .route("/v1/journal/record", get(commands::record))
        .route("/v1/people", get(health::people))
        .route("/v1/people/link", post(links::link))
        .route("/v1/people/unlink", post(links::unlink))
        .route("/v1/doctor", get(health::doctor))
        .route("/v1/texts", get(commands::texts))
        .route("/v1/texts/{hash}", get(commands::text))
}
