//! The command line's client for the daemon: HTTP over its Unix socket.

use crate::cli::{error::CliError, options::PathOptions, threads::runtime};
use reqwest::header::{HeaderMap, LINK};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::{path::PathBuf, time::Duration};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How long the daemon may take to answer.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// A client for the daemon.
pub struct DaemonClient {
    runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
    socket: PathBuf,
}

impl DaemonClient {
    /// The client for the daemon of these paths.
    pub fn of(places: &PathOptions) -> Result<Self, CliError> {
        let socket = places.socket();
        // A path that may not be looked at is no missing daemon: `exists` would say so.
        if let Err(error) = socket.metadata() {
            return Err(unreachable(&socket, &error));
        }
        let http = reqwest::Client::builder().unix_socket(socket.clone()).timeout(ANSWER_TIME_MAX).build()?;
        Ok(Self { runtime: runtime(1)?, http, socket })
    }

    /// Sends a GET request.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, CliError> {
        self.ask(self.http.get(format!("http://stentor{path}")))
    }

    /// Sends a GET request whose answer may take this long.
    pub fn get_within<T: DeserializeOwned>(&self, path: &str, span: Duration) -> Result<T, CliError> {
        self.ask(self.http.get(format!("http://stentor{path}")).timeout(span))
    }

    /// Sends a GET request; also returns the headers of the answer.
    pub fn get_with_head<T: DeserializeOwned>(&self, path: &str) -> Result<(T, HeaderMap), CliError> {
        self.ask_with_head(self.http.get(format!("http://stentor{path}")))
    }

    /// Reads all pages of a list.
    pub fn get_all<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, CliError> {
        let (mut all, mut next) = (Vec::new(), Some(path.to_owned()));
        while let Some(path) = next {
            let (mut portion, head) = self.get_with_head::<Vec<T>>(&path)?;
            all.append(&mut portion);
            next = next_portion(&head);
        }
        Ok(all)
    }

    /// Sends a POST request.
    pub fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, CliError> {
        self.ask(self.http.post(format!("http://stentor{path}")).json(body))
    }

    /// Catches Ctrl-C from now on: it does not end the process any more.
    pub fn interrupts(&self) -> Result<Signal, CliError> {
        let _inside = self.runtime.enter();
        Ok(signal(SignalKind::interrupt())?)
    }

    /// Sleeps; returns whether Ctrl-C came before the end.
    pub fn rest(&self, span: Duration, interrupts: &mut Signal) -> bool {
        self.runtime.block_on(async {
            tokio::select! {
                pressed = interrupts.recv() => pressed.is_some(),
                () = tokio::time::sleep(span) => false,
            }
        })
    }

    /// Sends bytes without changes.
    pub fn post_raw<T: DeserializeOwned>(&self, path: &str, body: Vec<u8>) -> Result<T, CliError> {
        self.ask(self.http.post(format!("http://stentor{path}")).body(body))
    }

    /// Reads an answer that may have an error status: `/readyz` has a body then, too.
    pub fn get_whatever<T: DeserializeOwned>(&self, path: &str) -> Result<T, CliError> {
        let request = self.http.get(format!("http://stentor{path}"));
        self.runtime.block_on(async { Ok(self.send(request).await?.json().await?) })
    }

    /// The daemon's channels in the sandbox: messages by them are sent to nobody.
    pub fn sandboxed(&self) -> Vec<String> {
        let told = self.get_whatever::<serde_json::Value>("/readyz").unwrap_or_default();
        let channels = told["sandboxed_channels"].as_object();
        channels.map(|channels| channels.keys().cloned().collect()).unwrap_or_default()
    }

    /// Reads one JSON object per line, each as soon as it arrives.
    pub fn lines<T: DeserializeOwned>(&self, path: &str, mut each: impl FnMut(T)) -> Result<(), CliError> {
        self.runtime.block_on(async {
            let mut response = self.send(self.http.get(format!("http://stentor{path}"))).await?;
            let is_good = response.status().is_success();
            let mut text = Vec::new();
            while let Some(chunk) = response.chunk().await? {
                text.extend_from_slice(&chunk);
                while let Some(end) = text.iter().position(|byte| is_good && *byte == b'\n') {
                    let line: Vec<u8> = text.drain(..=end).collect();
                    each(serde_json::from_slice(&line)?);
                }
            }
            if is_good { Ok(()) } else { Err(why(&serde_json::from_slice(&text)?)) }
        })
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<reqwest::Response, CliError> {
        let sent = request.send().await;
        sent.map_err(|error| match io_cause(&error) {
            Some(cause) if error.is_connect() => unreachable(&self.socket, cause),
            _ if error.is_connect() => absent(&self.socket),
            _ => CliError::from(error),
        })
    }

    fn ask<T: DeserializeOwned>(&self, request: reqwest::RequestBuilder) -> Result<T, CliError> {
        self.ask_with_head(request).map(|(body, _)| body)
    }

    fn ask_with_head<T: DeserializeOwned>(&self, request: reqwest::RequestBuilder) -> Result<(T, HeaderMap), CliError> {
        self.runtime.block_on(async {
            let response = self.send(request).await?;
            let (status, head) = (response.status(), response.headers().clone());
            let body: Value = response.json().await?;
            if status.is_success() {
                return Ok((serde_json::from_value(body)?, head));
            }
            Err(why(&body))
        })
    }
}

/// The address of the next page of a list: `Link: </v1/..>; rel="next"`.
pub fn next_portion(head: &HeaderMap) -> Option<String> {
    let link = head.get(LINK)?.to_str().ok()?;
    let (path, rest) = link.strip_prefix('<')?.split_once('>')?;
    rest.contains("rel=\"next\"").then(|| path.to_owned())
}

fn why(problem: &Value) -> CliError {
    problem.get("detail").and_then(Value::as_str).unwrap_or("the daemon did not say why").to_owned().into()
}

/// The operating system's own reason below an error of the client.
fn io_cause(error: &reqwest::Error) -> Option<&std::io::Error> {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<std::io::Error>().filter(|io| io.raw_os_error().is_some()) {
            return Some(io);
        }
        source = cause.source();
    }
    None
}

fn unreachable(socket: &std::path::Path, error: &std::io::Error) -> CliError {
    if error.kind() != std::io::ErrorKind::PermissionDenied {
        return absent(socket);
    }
    format!(
        "{}: permission denied: ask the people who run the daemon to let you use its socket (its group may), or use sudo",
        socket.display()
    )
    .into()
}

fn absent(socket: &std::path::Path) -> CliError {
    format!(
        "no daemon answers at {}: start one with `stentor serve`, or name its folder with --state DIR (or its socket \
         with --socket PATH)",
        socket.display()
    )
    .into()
}
