//! The dead-man ping: sent while this daemon works and held back when it does not, so that another service can raise
//! the alarm.

use crate::{
    channel::is_loopback,
    engine::{channel_factory::secret, health::Health},
    matrix::PingSettings,
    toml_kit::secret::SecretAddress,
};
use reqwest::{Client, Response, StatusCode, Url, redirect::Policy};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::{
    error::Error,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// How long the receiver may take to answer.
pub const PING_TIME_MAX: Duration = Duration::from_secs(10);

/// How long the daemon's own port may take to answer.
pub const KNOCK_TIME_MAX: Duration = Duration::from_secs(5);

/// The time between two health checks, so that problems are logged before the next ping is due.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How often every open incident is checked if there is no receiver.
const EXAMINE_EVERY: Duration = Duration::from_secs(60);

/// Sends the dead-man ping.
pub struct DeadManPinger {
    usual: Client,
    /// For receivers on this machine, which a proxy can not reach.
    direct: Client,
    /// The address of the daemon's own port, if it has one.
    own: Option<String>,
    /// Whether the port did not answer the last call: it is called again at the next check.
    is_shut: bool,
    /// The problems at the last check.
    problems: Vec<String>,
}

impl DeadManPinger {
    /// Builds the HTTP clients; sends nothing. A process-wide rustls provider must be installed. `own` is where this
    /// daemon listens: it is called before every ping.
    ///
    /// # Errors
    /// What the TLS library says.
    pub fn new(own: Option<SocketAddr>) -> Result<Self, reqwest::Error> {
        let client = || Client::builder().redirect(Policy::none()).timeout(PING_TIME_MAX);
        let own = own.map(|address| format!("http://{}", from_here(address)));
        Ok(Self {
            usual: client().build()?,
            direct: client().no_proxy().build()?,
            own,
            is_shut: false,
            problems: Vec::new(),
        })
    }

    /// Checks and pings for ever.
    pub async fn run(mut self, health: &Health) {
        let mut due = Instant::now();
        loop {
            let every =
                health.context.config.load().matrix.daemon.ping.as_ref().map_or(EXAMINE_EVERY, |ping| ping.every);
            if due <= Instant::now() {
                due = Instant::now() + every;
                self.tick(health).await;
            } else {
                if self.is_shut {
                    self.knock(health).await;
                }
                self.tell(health.problems());
            }
            sleep(LOOK_EVERY.min(due.saturating_duration_since(Instant::now()))).await;
        }
    }

    /// Runs all checks and calls the own port; if all is well, pings the receiver that the matrix names. Returns
    /// whether a ping was accepted.
    pub async fn tick(&mut self, health: &Health) -> bool {
        self.knock(health).await;
        let problems = health.check().await;
        self.tell(problems.clone());
        let Some(ping) = health.context.config.load().matrix.daemon.ping.clone() else { return false };
        let result = match problems.is_empty() {
            true => self.send(&ping, health).await,
            false => Err(format!("held back: {}", problems.join("; "))),
        };
        let before = health.pinged().last_error;
        match &result {
            Err(error) if before.as_ref() != Some(error) => {
                tracing::error!("the dead-man ping could not be sent: {error}")
            }
            Ok(()) if before.is_some() => tracing::info!("the dead-man ping is sent again"),
            _ => {}
        }
        let taken = result.is_ok();
        health.note_ping(result);
        taken
    }

    /// Calls this daemon's own port, on a new connection.
    async fn knock(&mut self, health: &Health) {
        let Some(own) = &self.own else { return };
        let answered = health.echo(own, KNOCK_TIME_MAX).await;
        self.is_shut = answered.is_err();
        health.note_knock(answered);
    }

    fn tell(&mut self, problems: Vec<String>) {
        match (self.problems.is_empty(), problems.is_empty()) {
            (true, false) => tracing::error!("this daemon does not work: {}", problems.join("; ")),
            (false, true) => tracing::info!("this daemon works again"),
            _ => {}
        }
        self.problems = problems;
    }

    async fn send(&self, ping: &PingSettings, health: &Health) -> Result<(), String> {
        let address = address(ping)?;
        // The address may be a secret, so it is not repeated in errors.
        let url = Url::parse(address.expose_secret()).map_err(|_| "the address of the ping is not a URL".to_owned())?;
        let client = if url.host_str().is_some_and(is_loopback) { &self.direct } else { &self.usual };
        let posted = client.post(url.clone()).json(&state(health)).send().await.map_err(|error| ping_error(&error))?;
        // Some receivers support only GET.
        let refuses_post = matches!(posted.status(), StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED);
        let answer = match refuses_post {
            true => client.get(url).send().await.map_err(|error| ping_error(&error))?,
            false => posted,
        };
        taken(&answer)
    }
}

/// A wildcard address is called as localhost.
fn from_here(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// The body of a ping: no more than the receiver's operators know already.
fn state(health: &Health) -> Value {
    let broken: Vec<String> = health.delivery.breakers().broken().keys().map(ToString::to_string).collect();
    json!({ "status": "ok", "stentor": env!("CARGO_PKG_VERSION"), "broken_channels": broken })
}

fn address(ping: &PingSettings) -> Result<SecretString, String> {
    match &ping.url {
        SecretAddress::Written(url) => Ok(SecretString::from(url.as_str())),
        SecretAddress::Kept(kept) => secret(kept).map_err(|error| format!("the address can not be read: {error}")),
    }
}

fn taken(answer: &Response) -> Result<(), String> {
    match answer.status() {
        status if status.is_success() => Ok(()),
        status => Err(format!("the receiver says {status}")),
    }
}

fn ping_error(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    // The outermost error names the address; the innermost says what is wrong.
    let why = if error.is_timeout() { "it did not answer in time".to_owned() } else { cause.to_string() };
    format!("the receiver was not reached: {why}")
}
