//! The bot's way to the daemon: its HTTP API, with the token of a source, as any bot would call it.

use crate::cli::{demo::cast::DemoCast, error::CliError};
use reqwest::{Method, RequestBuilder, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

/// The kind of its requests, and of its turns.
const KIND: &str = "chat";
const TURN: &str = "chat_turn";

/// A client with the token of the bot.
pub struct BotClient {
    http: reqwest::Client,
    base: String,
    token: SecretString,
}

/// What the conditions of the matrix see of a turn.
#[derive(Debug, Clone)]
pub struct TurnFacts {
    pub labels: Value,
    pub values: Value,
}

impl BotClient {
    pub fn new(cast: &DemoCast) -> Self {
        Self { http: cast.app.client.clone(), base: cast.base.clone(), token: cast.token.clone() }
    }

    /// Who would take the conversation; `None` if no condition of the matrix holds.
    pub async fn availability(&self, facts: &TurnFacts) -> Result<Option<Value>, CliError> {
        let (labels, values) = (facts.labels.to_string(), facts.values.to_string());
        let query = [("kind", KIND), ("labels", &labels), ("values", &values), ("locale", "en")];
        let url = Url::parse_with_params(&format!("{}/v1/availability", self.base), query)?;
        let answer = self.http.get(url).bearer_auth(self.token.expose_secret()).send().await?;
        if answer.status() == StatusCode::UNPROCESSABLE_ENTITY {
            return Ok(None);
        }
        Ok(Some(answer.error_for_status()?.json().await?))
    }

    /// Sends a turn of a conversation, with the turns so far. Returns the request if the matrix says that a person is due.
    pub async fn turn(&self, key: &str, facts: &TurnFacts, packet: Value) -> Result<Option<String>, CliError> {
        let mut labels = facts.labels.clone();
        labels["conversation"] = packet["conversation"]["id"].clone();
        let confidence = &facts.values["confidence"];
        let body = json!({ "kind": TURN, "labels": labels, "confidence": confidence, "packet": packet });
        let call = self.http.post(format!("{}/v1/alerts", self.base)).bearer_auth(self.token.expose_secret());
        let told = sent(call.header("Idempotency-Key", key).json(&body)).await?;
        Ok(told["alerts"][0]["request"]["id"].as_str().map(ToOwned::to_owned))
    }

    /// Hands a conversation over. With the same key it is the same request.
    pub async fn hand_over(&self, key: &str, facts: &TurnFacts, packet: Value) -> Result<Value, CliError> {
        let body = json!({
            "kind": KIND, "labels": facts.labels, "values": facts.values,
            "ask": { "type": "handoff", "packet": packet },
        });
        sent(self.call(Method::POST, "").header("Idempotency-Key", key).json(&body)).await
    }

    /// The request as soon as it changes, at the latest after `wait`.
    pub async fn look(&self, id: &str, wait: &str) -> Result<Value, CliError> {
        sent(self.call(Method::GET, &format!("/{id}?wait={wait}"))).await
    }

    /// The user left.
    pub async fn cancel(&self, id: &str) -> Result<Value, CliError> {
        let body = json!({ "reason": "the user left" });
        sent(self.call(Method::POST, &format!("/{id}/cancel")).json(&body)).await
    }

    fn call(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/v1/requests{path}", self.base);
        self.http.request(method, url).bearer_auth(self.token.expose_secret())
    }
}

async fn sent(request: RequestBuilder) -> Result<Value, CliError> {
    let answer = request.send().await?;
    let (status, body) = (answer.status(), answer.text().await?);
    if !status.is_success() {
        return Err(format!("the daemon refused: {status} {body}").into());
    }
    Ok(serde_json::from_str(&body)?)
}
