//! The few pages that browsers get. Everything they load comes from here; the policy forbids the rest.

use super::snapshot::Offer;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use minijinja::{Environment, Value, value::Serde};
use serde::Serialize;
use std::sync::OnceLock;

const ANSWER: &str = include_str!("assets/answer.html");
const DESK: &str = include_str!("assets/desk.html");
const SIGN_IN: &str = include_str!("assets/signin.html");
const STYLE: &str = include_str!("assets/desk.css");
const SCRIPT: &str = include_str!("assets/desk.js");

/// No script or style but our own, no frame, nothing from elsewhere.
pub const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What the confirm page behind a mail's link shows.
#[derive(Debug, Default, Serialize)]
pub struct Confirm {
    /// An exercise.
    pub drill: bool,
    /// The brief's first line.
    pub headline: String,
    /// The brief.
    pub body: String,
    /// The link's token, to post to.
    pub token: String,
    /// The buttons; none when there is nothing left to say.
    pub offers: Vec<Offer>,
    /// What became of the answer, or why there is none to give.
    pub notice: String,
    /// Whether that is the end of it.
    pub done: bool,
}

/// The confirm page.
pub fn confirm(status: StatusCode, confirm: &Confirm) -> Response {
    static ENVIRONMENT: OnceLock<Environment<'static>> = OnceLock::new();
    let environment = ENVIRONMENT.get_or_init(|| {
        let mut environment = Environment::new();
        // The name ends in .html, so that everything is escaped. It is ours, and a test renders it.
        if let Err(error) = environment.add_template("answer.html", ANSWER) {
            tracing::error!(%error, "the answer page does not parse");
        }
        environment
    });
    match environment.get_template("answer.html").and_then(|template| template.render(Value::from(Serde(confirm)))) {
        Ok(html) => html_page(status, html),
        Err(error) => {
            tracing::error!(%error, "the answer page could not be rendered");
            (StatusCode::INTERNAL_SERVER_ERROR, "answer by SMS or the desk: this page failed").into_response()
        }
    }
}

/// The desk.
pub fn desk() -> Response {
    html_page(StatusCode::OK, DESK.to_owned())
}

/// How to get in.
pub fn sign_in(status: StatusCode) -> Response {
    html_page(status, SIGN_IN.to_owned())
}

/// The desk's style.
pub async fn style() -> Response {
    asset("text/css; charset=utf-8", STYLE)
}

/// The desk's script.
pub async fn script() -> Response {
    asset("text/javascript; charset=utf-8", SCRIPT)
}

fn html_page(status: StatusCode, html: String) -> Response {
    let mut response = (status, Html(html)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")], text).into_response()
}
