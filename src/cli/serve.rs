//! `stentor serve`: the daemon.

use super::{
    Failure, Places, colours,
    daemon::{Daemon, Plan},
    load, runtime,
};
use crate::{
    config,
    core::ChannelName,
    engine::{Engine, Pinger},
};
use clap::{Args, ValueEnum};
use std::{io::IsTerminal, process::ExitCode, sync::Arc, time::Duration};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;

/// How often the clock is looked at for steps.
const CLOCK_EVERY: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
pub struct Serve {
    /// Where to listen [default: the matrix's daemon.listen, or 127.0.0.1:7373]
    #[arg(long, env = "STENTOR_LISTEN", value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// Send nothing: every channel but the screen writes to outbox.jsonl in the state folder, and /outbox shows it
    #[arg(long, env = "STENTOR_SANDBOX")]
    sandbox: bool,
    /// How log lines look; what is logged: STENTOR_LOG=debug
    #[arg(long, env = "STENTOR_LOG_FORMAT", default_value = "text")]
    log: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// For people
    Text,
    /// One object a line
    Json,
}

impl Serve {
    pub fn run(self, places: &Places) -> Result<ExitCode, Failure> {
        let _flushed = start_log(self.log);
        let (matrix, templates) = load::load(places, load::now())?.demand()?;
        let plan = Plan { listen: self.listen, sandbox: self.sandbox, tokens: Vec::new(), inbound: Vec::new() };
        let places = places.clone();
        runtime(worker_threads())?.block_on(async move {
            let daemon = Daemon::open(plan, matrix, templates, &places).await?;
            announce(&daemon);
            serve(daemon, places).await
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

fn worker_threads() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 4)
}

fn announce(daemon: &Daemon) {
    let engine = &daemon.app.engine;
    let live = engine.live.load();
    let sandboxed: Vec<&str> = live.sandboxed().into_keys().map(ChannelName::as_str).collect();
    if !sandboxed.is_empty() {
        let channels = sandboxed.join(", ");
        tracing::warn!(channels, "these channels send nothing: look at http://{}/outbox", daemon.address);
    }
    tracing::info!(matrix.revision = live.matrix.revision, "listening on http://{}", daemon.address);
}

async fn serve(daemon: Daemon, places: Places) -> Result<(), Failure> {
    let reload = daemon.reloader(places);
    let (shutdown, engine) = (daemon.shutdown.clone(), daemon.app.engine.clone());
    let store = engine.store.clone();
    let pinger = Pinger::new()?;
    let running = daemon.run();
    tokio::pin!(running);
    let mut hangup = signal(SignalKind::hangup())?;
    let mut term = signal(SignalKind::terminate())?;
    let mut int = signal(SignalKind::interrupt())?;
    tell_systemd(&[sd_notify::NotifyState::Ready]);
    let watch = watchdog(engine.clone(), shutdown.clone());
    let clock = watch_clock(store);
    let ping = pinger.run(&engine);
    tokio::pin!(watch, clock, ping);
    loop {
        tokio::select! {
            result = &mut running => return result,
            () = &mut watch, if !shutdown.is_cancelled() => {}
            () = &mut clock => {}
            () = &mut ping, if !shutdown.is_cancelled() => {}
            _ = hangup.recv() => {
                tell_systemd(&[sd_notify::NotifyState::Reloading]);
                reload();
                tell_systemd(&[sd_notify::NotifyState::Ready]);
            }
            _ = term.recv() => stop(&shutdown),
            _ = int.recv() => stop(&shutdown),
        }
    }
}

fn stop(shutdown: &CancellationToken) {
    tracing::info!("stopping: no new requests, sends under way are let go");
    tell_systemd(&[sd_notify::NotifyState::Stopping]);
    shutdown.cancel();
}

/// Feeds systemd's watchdog, but only while every loop of the engine turns.
async fn watchdog(engine: Arc<Engine>, shutdown: CancellationToken) {
    let Some(period) = sd_notify::watchdog_enabled() else { return shutdown.cancelled().await };
    let mut last = engine.pulse.beats();
    loop {
        tokio::time::sleep(period / 3).await;
        let beats = engine.pulse.beats();
        let all_turned = beats.iter().zip(last).all(|(now, before)| before < *now);
        if all_turned {
            tell_systemd(&[sd_notify::NotifyState::Watchdog]);
            last = beats;
        } else {
            tracing::warn!(?beats, "a loop of the engine has not turned: the watchdog is not fed");
        }
    }
}

/// A step of the wall clock moves no ladder; it is reported all the same.
async fn watch_clock(store: Arc<dyn crate::store::Store>) {
    let skew = || load::now().micros_since(store.now());
    let mut last = skew();
    loop {
        tokio::time::sleep(CLOCK_EVERY).await;
        let now = skew();
        if 1_000_000 < (now - last).abs() {
            let by = (now - last) as f64 / 1e6;
            tracing::warn!(clock.step_seconds = by, "the wall clock was stepped; ladders keep their own time");
        }
        last = now;
    }
}

fn tell_systemd(states: &[sd_notify::NotifyState<'_>]) {
    // Not under systemd: nobody to tell.
    let _ = sd_notify::notify(states);
}

/// Starts the log. Lines are written by a thread of its own, and dropped rather than waited for: a log that blocks must
/// not hold up a page. What is still unwritten is written when the guard is dropped.
fn start_log(format: LogFormat) -> WorkerGuard {
    let wanted = config::variable("STENTOR_LOG").unwrap_or_else(|| "info".into());
    // These tell of every connection and every statement.
    let filter = EnvFilter::try_new(format!("{wanted},hyper=warn,sqlx=warn"));
    let filter = filter.unwrap_or_else(|_| EnvFilter::new("info"));
    let (writer, guard) = tracing_appender::non_blocking(std::io::stderr());
    // Without that a stderr that fails makes the log panic.
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).log_internal_errors(false);
    let result = match format {
        LogFormat::Text => log.with_ansi(colours(std::io::stderr().is_terminal())).with_target(false).try_init(),
        LogFormat::Json => log.json().flatten_event(true).with_target(false).try_init(),
    };
    // Somebody else logs already: a test.
    let _ = result;
    guard
}
