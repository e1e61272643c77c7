//! HTTP for tests that are not async themselves, and the runtime that the doubles live on.

use axum::{Router, extract::State, http::StatusCode, routing::get};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};
use stentor::core::event::hex;
use tokio::runtime::Runtime;

use crate::double;

/// A client, and the doubles' runtime.
pub struct Net {
    runtime: Runtime,
    client: reqwest::Client,
}

impl Net {
    pub fn new() -> Self {
        double::install_tls();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap();
        Self { runtime, client }
    }

    /// Runs something async to its end.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// The body of a page, where there is one with status 200.
    pub fn get(&self, url: &str) -> Option<String> {
        self.run(async {
            let answer = self.client.get(url).send().await.ok()?;
            (answer.status() == StatusCode::OK).then_some(answer.text().await.ok()?)
        })
    }

    /// The body of the answer to JSON that is sent with a bearer token.
    pub fn post_json(&self, url: &str, token: &str, body: &serde_json::Value) -> String {
        let request = self.client.post(url).bearer_auth(token).header("content-type", "application/json");
        self.run(async { request.body(body.to_string()).send().await.unwrap().text().await.unwrap() })
    }

    /// The body of the answer to JSON that is put with a bearer token.
    pub fn put_json(&self, url: &str, token: &str, body: &serde_json::Value) -> String {
        let request = self.client.put(url).bearer_auth(token).header("content-type", "application/json");
        self.run(async { request.body(body.to_string()).send().await.unwrap().text().await.unwrap() })
    }

    /// The body of what is read with a bearer token.
    pub fn get_with(&self, url: &str, token: &str) -> String {
        let request = self.client.get(url).bearer_auth(token);
        self.run(async { request.send().await.unwrap().text().await.unwrap() })
    }

    /// Posts a form; the status and the body of the answer.
    pub fn post_form(&self, url: &str, form: String, headers: &[(&str, String)]) -> (u16, String) {
        self.run(async {
            let mut request = self.client.post(url).body(form);
            request = request.header("content-type", "application/x-www-form-urlencoded");
            for (name, value) in headers {
                request = request.header(*name, value);
            }
            let answer = request.send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        })
    }

    /// A host that answers, or does not.
    pub fn host(&self) -> Host {
        let answers = Arc::new(AtomicBool::new(false));
        let router = Router::new().route("/metrics", get(answer)).with_state(answers.clone());
        Host { server: self.run(double::Server::start(router)), answers }
    }
}

/// A trading host that a monitor looks at.
pub struct Host {
    server: double::Server,
    answers: Arc<AtomicBool>,
}

impl Host {
    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        self.server.address.to_string()
    }

    /// From now on it answers.
    pub fn recover(&self) {
        self.answers.store(true, Ordering::Relaxed);
    }
}

async fn answer(State(answers): State<Arc<AtomicBool>>) -> (StatusCode, &'static str) {
    if answers.load(Ordering::Relaxed) { (StatusCode::OK, "orders_open 0\n") } else { (StatusCode::BAD_GATEWAY, "") }
}

/// The form of a pressed button with the headers that Slack would sign it with.
pub fn slack_press(secret: &str, user: &str, action_id: &str, value: &str) -> (String, [(&'static str, String); 2]) {
    let payload = serde_json::json!({
        "type": "block_actions",
        "user": { "id": user },
        "actions": [{ "type": "button", "action_id": action_id, "value": value }],
    });
    let form = reqwest::Url::parse_with_params("form:", [("payload", payload.to_string())]).unwrap();
    let form = form.query().unwrap().to_owned();
    let at = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("v0:{at}:{form}").as_bytes());
    let signature = format!("v0={}", hex(&mac.finalize().into_bytes()));
    (form, [("x-slack-request-timestamp", at.to_string()), ("x-slack-signature", signature)])
}
