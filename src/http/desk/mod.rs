//! The pages for browsers: the desk, the page of a mail link, the sandbox's outbox.

pub mod cards;
pub mod changes;
mod conversation;
mod conversation_page;
pub mod drawn_form;
pub mod form_page;
pub mod handlers;
mod idle;
pub mod mail_link;
pub mod outbox;
pub mod page;
pub mod snapshot;
pub mod standing;
pub mod stream;

use crate::http::state::AppState;
use axum::{
    Router,
    routing::{get, post},
};
use std::sync::Arc;

/// The routes on TCP.
pub fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route("/", get(handlers::front))
        .route("/desk", get(handlers::desk))
        .route("/desk/login", get(handlers::login))
        .route("/desk/logout", post(handlers::logout))
        .route("/desk/events", get(stream::events))
        .route("/desk/more", get(handlers::more))
        .route("/desk/answer", post(handlers::answer))
        .route("/desk/seen", post(handlers::seen))
        .route("/desk/conversations", get(conversation::queue))
        .route("/desk/conversations/{id}", get(conversation::show).post(conversation::press))
        .route("/desk/forms/{id}", get(form_page::show).post(form_page::press))
        .route("/assets/form.css", get(page::form_style))
        .route("/assets/desk.css", get(page::style))
        .route("/assets/desk.js", get(page::script))
        .route("/assets/conversations.js", get(page::conversations_script))
        .route("/assets/outbox.js", get(page::outbox_script))
        .route("/favicon.ico", get(page::icon))
        .route("/a/{token}", get(mail_link::show).post(mail_link::press))
        .route("/outbox", get(outbox::show))
}
