//! A user who is played: they read and write by the chat page's own requests, as a browser does.

use crate::cli::error::CliError;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;

/// How long a text may take to come onto the page.
const TEXT_TIME_MAX: Duration = Duration::from_secs(10);

/// A user with an open page.
pub struct PlayedUser {
    http: reqwest::Client,
    base: String,
    id: String,
    state: String,
    /// What the page shows, oldest first: who, and what they said.
    pub page: Vec<(String, String)>,
}

impl PlayedUser {
    /// Opens the page.
    pub async fn open(http: reqwest::Client, base: &str) -> Result<Self, CliError> {
        let begun = http.post(format!("{base}/conversations")).send().await?.error_for_status()?;
        let begun: Value = begun.json().await?;
        let id = begun["id"].as_str().unwrap_or_default().to_owned();
        Ok(Self { http, base: base.to_owned(), id, state: String::new(), page: Vec::new() })
    }

    /// Writes, and reads what is there then.
    pub async fn say(&mut self, text: &str) -> Result<(), CliError> {
        let seen = self.page.len();
        self.post("say", json!({ "text": text })).await?;
        self.read_beyond(seen, text).await
    }

    /// Closes the page.
    pub async fn leave(&self) -> Result<(), CliError> {
        self.post("leave", json!({})).await
    }

    /// Reads until somebody has said this; an error if nobody does in time.
    pub async fn read_until(&mut self, words: &str) -> Result<(), CliError> {
        self.read_beyond(0, words).await
    }

    async fn read_beyond(&mut self, seen: usize, words: &str) -> Result<(), CliError> {
        let read = async {
            while !self.page[seen..].iter().any(|(_, text)| text.contains(words)) {
                self.read().await?;
            }
            Ok::<_, CliError>(())
        };
        timeout(TEXT_TIME_MAX, read).await.map_err(|_| format!("the page of the user never said: {words}"))?
    }

    /// Whether the page shows these words.
    pub fn shows(&self, words: &str) -> bool {
        self.page.iter().any(|(_, text)| text.contains(words))
    }

    /// The newest text of the bot.
    pub fn last_of_bot(&self) -> &str {
        self.page.iter().rev().find(|(who, _)| who == "bot").map_or("", |(_, text)| text)
    }

    async fn read(&mut self) -> Result<(), CliError> {
        let (after, state) = (self.page.len(), &self.state);
        let url = format!("{}/conversations/{}/turns?after={after}&state={state}", self.base, self.id);
        let new: Value = self.http.get(url).send().await?.error_for_status()?.json().await?;
        self.state = new["state"].as_str().unwrap_or_default().to_owned();
        for turn in new["turns"].as_array().into_iter().flatten() {
            let field = |name: &str| turn[name].as_str().unwrap_or_default().to_owned();
            self.page.push((field("who"), field("text")));
        }
        Ok(())
    }

    async fn post(&self, what: &str, body: Value) -> Result<(), CliError> {
        let url = format!("{}/conversations/{}/{what}", self.base, self.id);
        self.http.post(url).json(&body).send().await?.error_for_status()?;
        Ok(())
    }
}
