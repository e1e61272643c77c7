//! The command line's way to the daemon: HTTP over its Unix socket.

use super::{Failure, Places, runtime};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::{path::PathBuf, time::Duration};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How long the daemon may take to answer.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// A line to the daemon.
pub struct Client {
    runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
    socket: PathBuf,
}

impl Client {
    /// Finds the daemon of these places.
    pub fn of(places: &Places) -> Result<Self, Failure> {
        let socket = places.socket();
        if !socket.exists() {
            return Err(absent(&socket));
        }
        let http = reqwest::Client::builder().unix_socket(socket.clone()).timeout(ANSWER_TIME_MAX).build()?;
        Ok(Self { runtime: runtime(1)?, http, socket })
    }

    /// Reads.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.ask(self.http.get(format!("http://stentor{path}")))
    }

    /// Changes something.
    pub fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Failure> {
        self.ask(self.http.post(format!("http://stentor{path}")).json(body))
    }

    /// Ctrl-C from now on: it does not end the process any more.
    pub fn interrupts(&self) -> Result<Signal, Failure> {
        let _inside = self.runtime.enter();
        Ok(signal(SignalKind::interrupt())?)
    }

    /// Rests; whether Ctrl-C came before the end.
    pub fn rest(&self, span: Duration, interrupts: &mut Signal) -> bool {
        self.runtime.block_on(async {
            tokio::select! {
                pressed = interrupts.recv() => pressed.is_some(),
                () = tokio::time::sleep(span) => false,
            }
        })
    }

    /// Hands over bytes as they are.
    pub fn post_raw<T: DeserializeOwned>(&self, path: &str, body: Vec<u8>) -> Result<T, Failure> {
        self.ask(self.http.post(format!("http://stentor{path}")).body(body))
    }

    fn ask<T: DeserializeOwned>(&self, request: reqwest::RequestBuilder) -> Result<T, Failure> {
        self.runtime.block_on(async {
            let response = request
                .send()
                .await
                .map_err(|error| if error.is_connect() { absent(&self.socket) } else { Failure::from(error) })?;
            let status = response.status();
            let body: Value = response.json().await?;
            if status.is_success() {
                return Ok(serde_json::from_value(body)?);
            }
            let detail = body.get("detail").and_then(Value::as_str).unwrap_or("the daemon did not say why");
            Err(detail.to_owned().into())
        })
    }
}

fn absent(socket: &std::path::Path) -> Failure {
    format!(
        "no daemon answers at {}: start one with `stentor serve`, or name its folder with --state DIR (or its socket \
         with --socket PATH)",
        socket.display()
    )
    .into()
}
