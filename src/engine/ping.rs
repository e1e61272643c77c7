//! The dead-man ping: it goes out while this daemon does its work and stays away when not, so that somebody else can
//! call for help when nobody here can.

use super::{Engine, wire::secret};
use crate::{channel::is_loopback, matrix::PingSettings, toml_kit::secret::SecretAddress};
use reqwest::{Client, Response, StatusCode, Url, redirect::Policy};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::{
    error::Error,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// How long the receiver may take.
pub const PING_TIME_MAX: Duration = Duration::from_secs(10);

/// How long this daemon's own door may take to answer it.
pub const KNOCK_TIME_MAX: Duration = Duration::from_secs(5);

/// How often a look is taken between two pings: what is wrong shall not wait for the next one to be logged.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How often every open incident is looked at where there is nobody to ping.
const EXAMINE_EVERY: Duration = Duration::from_secs(60);

/// Tells the receiver that this daemon does its work.
pub struct DeadManPinger {
    usual: Client,
    /// For receivers on this machine, which no proxy can reach.
    direct: Client,
    /// Where this daemon's own door is, where it has one.
    door: Option<String>,
    /// It did not answer when it was called last: it is called again at the next look.
    is_shut: bool,
    /// What was wrong at the last look.
    problems: Vec<String>,
}

impl DeadManPinger {
    /// Its clients; nothing is sent. A process-wide rustls provider must be installed. `door` is where this daemon
    /// listens: it is called before anybody is told that all is well.
    ///
    /// # Errors
    /// What the TLS library says.
    pub fn new(door: Option<SocketAddr>) -> Result<Self, reqwest::Error> {
        let client = || Client::builder().redirect(Policy::none()).timeout(PING_TIME_MAX);
        let door = door.map(|address| format!("http://{}", from_here(address)));
        Ok(Self {
            usual: client().build()?,
            direct: client().no_proxy().build()?,
            door,
            is_shut: false,
            problems: Vec::new(),
        })
    }

    /// Looks and pings for ever.
    pub async fn run(mut self, engine: &Engine) {
        let mut due = Instant::now();
        loop {
            let every = engine.live.load().matrix.daemon.ping.as_ref().map_or(EXAMINE_EVERY, |ping| ping.every);
            if due <= Instant::now() {
                due = Instant::now() + every;
                self.tick(engine).await;
            } else {
                if self.is_shut {
                    self.knock(engine).await;
                }
                self.tell(engine.signs());
            }
            sleep(LOOK_EVERY.min(due.saturating_duration_since(Instant::now()))).await;
        }
    }

    /// Looks at everything, the own door too, and, where all is well, tells the receiver that the matrix names. Whether a ping was taken.
    pub async fn tick(&mut self, engine: &Engine) -> bool {
        self.knock(engine).await;
        let problems = engine.examine().await;
        self.tell(problems.clone());
        let Some(ping) = engine.live.load().matrix.daemon.ping.clone() else { return false };
        let result = match problems.is_empty() {
            true => self.send(&ping, engine).await,
            false => Err(format!("held back: {}", problems.join("; "))),
        };
        let before = engine.pinged().trouble;
        match &result {
            Err(trouble) if before.as_ref() != Some(trouble) => tracing::error!("no dead-man ping went out: {trouble}"),
            Ok(()) if before.is_some() => tracing::info!("the dead-man ping goes out again"),
            _ => {}
        }
        let taken = result.is_ok();
        engine.note_ping(result);
        taken
    }

    /// Calls this daemon's own door, on a connection like anybody's.
    async fn knock(&mut self, engine: &Engine) {
        let Some(door) = &self.door else { return };
        let answered = engine.echo(door, KNOCK_TIME_MAX).await;
        self.is_shut = answered.is_err();
        engine.note_knock(answered);
    }

    fn tell(&mut self, problems: Vec<String>) {
        match (self.problems.is_empty(), problems.is_empty()) {
            (true, false) => tracing::error!("this daemon does not do its work: {}", problems.join("; ")),
            (false, true) => tracing::info!("this daemon does its work again"),
            _ => {}
        }
        self.problems = problems;
    }

    async fn send(&self, ping: &PingSettings, engine: &Engine) -> Result<(), String> {
        let address = address(ping)?;
        // The address may be a secret: whatever is wrong with it, it is not repeated.
        let url = Url::parse(address.expose_secret()).map_err(|_| "the address of the ping is no URL".to_owned())?;
        let client = if url.host_str().is_some_and(is_loopback) { &self.direct } else { &self.usual };
        let posted = client.post(url.clone()).json(&state(engine)).send().await.map_err(|error| trouble(&error))?;
        // Some receivers know GET alone.
        let refuses_post = matches!(posted.status(), StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED);
        let answer = match refuses_post {
            true => client.get(url).send().await.map_err(|error| trouble(&error))?,
            false => posted,
        };
        taken(&answer)
    }
}

/// An address that listens everywhere is called on this machine.
fn from_here(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// What the receiver is told beside that this daemon lives: what its operators know already.
fn state(engine: &Engine) -> Value {
    let broken: Vec<String> = engine.breakers().broken().keys().map(ToString::to_string).collect();
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

fn trouble(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    // The outermost names the address; the innermost says what is wrong.
    let why = if error.is_timeout() { "it did not answer in time".to_owned() } else { cause.to_string() };
    format!("the receiver was not reached: {why}")
}
