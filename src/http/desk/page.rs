//! The HTML pages. Everything that they load comes from this server; the policy forbids anything else.

use crate::{
    channel::outbox::OutboxEntry,
    http::desk::{cards::AnswerButton, drawn_form::DrawnForm},
};
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use minijinja::{Environment, Value, value::Serde};
use serde::Serialize;
use std::{collections::BTreeMap, sync::OnceLock};

const ANSWER: &str = include_str!("assets/answer.html");
const DESK: &str = include_str!("assets/desk.html");
const SIGN_IN: &str = include_str!("assets/signin.html");
const OUTBOX: &str = include_str!("assets/outbox.html");
const HEAD: &str = include_str!("assets/head.html");
const FORM: &str = include_str!("assets/form.html");
const FORM_FIELDS: &str = include_str!("assets/form_fields.html");
const FORM_STYLE: &str = include_str!("assets/form.css");
const CONVERSATION: &str = include_str!("assets/conversation.html");
const CONVERSATIONS: &str = include_str!("assets/conversations.html");
const STYLE: &str = include_str!("assets/desk.css");
const CONVERSATIONS_SCRIPT: &str = include_str!("assets/conversations.js");
const OUTBOX_SCRIPT: &str = include_str!("assets/outbox.js");
const SCRIPT: &str = include_str!("assets/desk.js");

/// The Content-Security-Policy: only our own scripts and styles, no frames, nothing from other servers.
pub const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The content of the confirm page behind a mail link.
#[derive(Debug, Default, Serialize)]
pub struct ConfirmPage {
    /// Whether it is a drill.
    pub drill: bool,
    /// Which incident, `INC-42`.
    pub id: String,
    /// What happened.
    pub what: String,
    /// What will be done if people agree, in one line.
    pub action: Option<String>,
    /// The whole of it, where the line does not show all.
    pub action_whole: Option<String>,
    /// Which answer is wanted by when; none where none is.
    pub ask: Option<String>,
    /// What happens if nobody answers.
    pub otherwise: Option<String>,
    /// The brief.
    pub body: String,
    /// What can be filled in.
    pub form: Option<DrawnForm>,
    /// What can be changed of the action by who approves it.
    pub edit: Option<DrawnForm>,
    /// Whether that is shown at once.
    pub edit_open: bool,
    /// What must be repeated with an option.
    pub repeat: Option<String>,
    /// The buttons; empty if there is nothing to answer.
    pub offers: Vec<AnswerButton>,
    /// The result of the answer, or why no answer is possible.
    pub notice: String,
    /// Whether it answers a press: what is read aloud begins with the notice then.
    pub pressed: bool,
    /// Whether nothing more is asked of the person.
    pub done: bool,
    /// Whether the person has the role and can hand it back.
    pub hand_back: bool,
}

impl ConfirmPage {
    /// All its words but those of the buttons, in their order.
    pub fn words(&self) -> String {
        let band = if self.drill { "DRILL" } else { "LIVE" };
        let lines = [format!("{band} {}", self.id), self.notice.clone(), self.what.clone()];
        let asked = [&self.action, &self.action_whole, &self.ask, &self.otherwise].into_iter().flatten().cloned();
        let form = self.form.as_ref().or(self.edit.as_ref()).map(DrawnForm::words);
        let lines = lines.into_iter().chain(asked).chain(form).chain([self.body.clone()]);
        lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
    }
}

/// The confirm page.
pub fn confirm(status: StatusCode, confirm: &ConfirmPage) -> Response {
    let failed = "answer by SMS or the desk: this page failed";
    rendered("answer.html", confirm).map_or_else(|| failure(failed), |html| html_page(status, html))
}

/// The sandbox's outbox, newest first.
pub fn outbox(entries: &[OutboxEntry]) -> Response {
    let newest_first: Vec<&OutboxEntry> = entries.iter().rev().collect();
    let context = BTreeMap::from([("entries", newest_first)]);
    let failed = "this page failed; curl shows the same as JSON";
    rendered("outbox.html", &context).map_or_else(|| failure(failed), |html| html_page(StatusCode::OK, html))
}

/// A page about conversations, or a form: `conversation.html`, `conversations.html` or `form.html`.
pub fn conversation(status: StatusCode, name: &str, context: &impl Serialize) -> Response {
    rendered(name, context)
        .map_or_else(|| failure("this page failed: answer by SMS or the desk"), |html| html_page(status, html))
}

fn failure(words: &'static str) -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, words).into_response()
}

/// Renders a page with its values. The template names end in .html, so that everything is escaped; tests render each of
/// them.
fn rendered(name: &str, context: &impl Serialize) -> Option<String> {
    static ENVIRONMENT: OnceLock<Environment<'static>> = OnceLock::new();
    let environment = ENVIRONMENT.get_or_init(|| {
        let mut environment = Environment::new();
        let pages = [
            ("head.html", HEAD),
            ("answer.html", ANSWER),
            ("outbox.html", OUTBOX),
            ("conversation.html", CONVERSATION),
            ("form.html", FORM),
            ("form_fields.html", FORM_FIELDS),
            ("conversations.html", CONVERSATIONS),
        ];
        for (name, text) in pages {
            if let Err(error) = environment.add_template(name, text) {
                tracing::error!(%error, name, "a page does not parse");
            }
        }
        environment
    });
    let page = environment.get_template(name).and_then(|page| page.render(Value::from(Serde(context))));
    page.map_err(|error| tracing::error!(%error, name, "a page could not be rendered")).ok()
}

/// The desk page.
pub fn desk() -> Response {
    html_page(StatusCode::OK, DESK.to_owned())
}

/// The page that says how to sign in.
pub fn sign_in(status: StatusCode) -> Response {
    html_page(status, SIGN_IN.to_owned())
}

/// The desk's style.
pub async fn style() -> Response {
    asset("text/css; charset=utf-8", STYLE)
}

/// The style of forms that are filled in.
pub async fn form_style() -> Response {
    asset("text/css; charset=utf-8", FORM_STYLE)
}

/// The desk's script.
pub async fn script() -> Response {
    asset("text/javascript; charset=utf-8", SCRIPT)
}

/// The script of the pages about conversations.
pub async fn conversations_script() -> Response {
    asset("text/javascript; charset=utf-8", CONVERSATIONS_SCRIPT)
}

/// The outbox's script.
pub async fn outbox_script() -> Response {
    asset("text/javascript; charset=utf-8", OUTBOX_SCRIPT)
}

/// Browsers request an icon; there is none.
pub async fn icon() -> StatusCode {
    StatusCode::NO_CONTENT
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
