//! `stentor serve`: the daemon.

use crate::{
    cli::{
        daemon::{
            bound::{BoundDaemon, DaemonConfig},
            stop,
        },
        error::CliError,
        load,
        options::PathOptions,
        terminal::colours,
        threads::runtime,
    },
    config,
    core::ChannelName,
    engine::{DeadManPinger, Engine},
    http::reloader::ReloadOutcome,
};
use clap::{Args, ValueEnum};
use std::{io::IsTerminal, process::ExitCode, time::Duration};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::spawn_blocking,
};
use tokio_util::sync::CancellationToken;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;

/// How often the clock is checked for jumps.
const CLOCK_EVERY: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Where to listen [default: the matrix's daemon.listen, or 127.0.0.1:7373]
    #[arg(long, env = "STENTOR_LISTEN", value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// Send nothing: every channel but the screen writes to outbox.jsonl in the state folder, and /outbox shows it
    #[arg(long, env = "STENTOR_SANDBOX", value_parser = clap::builder::BoolishValueParser::new())]
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

impl ServeArgs {
    pub fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        let _flushed = start_log(self.log);
        let is_json = self.log == LogFormat::Json;
        let runtime = runtime(worker_threads())?;
        let served = runtime.block_on(self.start(places));
        stop::let_threads_end(runtime);
        match served {
            // Whoever reads objects reads nothing else.
            Err(failure) if is_json => {
                tracing::error!(error = &*failure as &dyn std::error::Error, "{failure}");
                Ok(ExitCode::from(2))
            }
            served => served.map(|()| ExitCode::SUCCESS),
        }
    }

    async fn start(self, places: &PathOptions) -> Result<(), CliError> {
        // First of all, before anything that takes time: the user may stop the daemon at any moment.
        let mut signals = Signals::new()?;
        let log = self.log;
        let plan = DaemonConfig { listen: self.listen, sandbox: self.sandbox, tokens: Vec::new(), inbound: Vec::new() };
        let daemon = tokio::select! {
            opened = open(plan, places, log) => opened?,
            () = signals.stop() => {
                tracing::info!("stopped before it was ready");
                return Ok(());
            }
        };
        announce(&daemon);
        serve(daemon, places.clone(), signals).await
    }
}

async fn open(plan: DaemonConfig, places: &PathOptions, log: LogFormat) -> Result<BoundDaemon, CliError> {
    // A file on a network that is down may never be read to its end; it must not block signals.
    let own = places.clone();
    let loaded = spawn_blocking(move || {
        let loaded = load::load(&own, load::now())?;
        // Warnings of the matrix are lines of the log where that is read by programs.
        if log == LogFormat::Json { loaded.accept() } else { loaded.demand() }
    });
    let (matrix, templates) = loaded.await??;
    BoundDaemon::open(plan, matrix, templates, places).await
}

/// Signals from outside.
struct Signals {
    hangup: Signal,
    term: Signal,
    int: Signal,
}

impl Signals {
    fn new() -> Result<Self, CliError> {
        let [hangup, term, int] = [SignalKind::hangup(), SignalKind::terminate(), SignalKind::interrupt()].map(signal);
        Ok(Self { hangup: hangup?, term: term?, int: int? })
    }

    /// Returns when the daemon must stop.
    async fn stop(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }
}

fn worker_threads() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 4)
}

fn announce(daemon: &BoundDaemon) {
    let engine = &daemon.app.engine;
    let live = engine.config();
    let sandboxed: Vec<&str> = live.sandboxed().into_keys().map(ChannelName::as_str).collect();
    if !sandboxed.is_empty() {
        let channels = sandboxed.join(", ");
        // The page is there on loopback alone, and not where something is public.
        let outbox = match daemon.app.shows_outbox {
            true => format!("http://{}/outbox", daemon.address),
            false => daemon.outbox_file.display().to_string(),
        };
        tracing::warn!(channels, "these channels send nothing: look at {outbox}");
    }
    tracing::info!(matrix.revision = live.matrix.revision, "listening on http://{}", daemon.address);
}

async fn serve(daemon: BoundDaemon, places: PathOptions, mut signals: Signals) -> Result<(), CliError> {
    let reload = daemon.reloader(places);
    // Set once: nobody else knows the cell.
    let _ = daemon.app.reloader.set(Box::new(reload.clone()));
    let (shutdown, engine) = (daemon.shutdown.clone(), daemon.app.engine.clone());
    let pinger = DeadManPinger::new(Some(daemon.address))?;
    let running = daemon.run();
    tell_systemd(&[sd_notify::NotifyState::Ready]);
    // Dropped as soon as the stop begins: a future that is not polled any more must not hold a connection of the store.
    let watches = shutdown.run_until_cancelled(async {
        let reloads = reload_on(&mut signals.hangup, reload);
        tokio::join!(watchdog(&engine), watch_clock(&engine), pinger.run(engine.health()), reloads);
    });
    tokio::pin!(running, watches);
    let mut watched = true;
    loop {
        tokio::select! {
            result = &mut running => return result,
            _ = &mut watches, if watched => watched = false,
            _ = signals.term.recv() => begin_stop(&shutdown),
            _ = signals.int.recv() => begin_stop(&shutdown),
        }
    }
}

/// Reloads at each SIGHUP, concurrently with everything else: a file that cannot be read must delay neither a page nor
/// a stop.
async fn reload_on(hangup: &mut Signal, reload: impl Fn() -> ReloadOutcome + Clone + Send + 'static) {
    while hangup.recv().await.is_some() {
        tell_systemd(&[sd_notify::NotifyState::Reloading]);
        if let Err(panic) = spawn_blocking(reload.clone()).await {
            tracing::error!(%panic, "the reload panicked, which is a bug; the last good matrix stays");
        }
        tell_systemd(&[sd_notify::NotifyState::Ready]);
    }
}

fn begin_stop(shutdown: &CancellationToken) {
    tracing::info!("stopping: no new requests, sends under way are let go");
    tell_systemd(&[sd_notify::NotifyState::Stopping]);
    shutdown.cancel();
}

/// Notifies systemd's watchdog, but only while every loop of the engine is running.
async fn watchdog(engine: &Engine) {
    let Some(period) = sd_notify::watchdog_enabled() else { return };
    let mut last = engine.health().heartbeat().beats();
    loop {
        tokio::time::sleep(period / 3).await;
        let beats = engine.health().heartbeat().beats();
        let all_turned = beats.iter().zip(last).all(|(now, before)| before < *now);
        if all_turned {
            tell_systemd(&[sd_notify::NotifyState::Watchdog]);
            last = beats;
        } else {
            tracing::warn!(?beats, "a loop of the engine has not turned: the watchdog is not fed");
        }
    }
}

/// A jump of the wall clock does not affect ladders; it is reported anyway.
async fn watch_clock(engine: &Engine) {
    let skew = || load::now().micros_since(engine.now());
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
    // Without systemd nobody needs to be told.
    let _ = sd_notify::notify(states);
}

/// Starts the log. A separate thread writes the lines. They are dropped rather than waited for: a log that blocks must
/// not delay a page. When the guard is dropped, the remaining lines are written.
fn start_log(format: LogFormat) -> WorkerGuard {
    let wanted = config::variable("STENTOR_LOG").unwrap_or_else(|| "info".into());
    // These log every connection and every statement.
    let filter = EnvFilter::try_new(format!("{wanted},hyper=warn,sqlx=warn"));
    let filter = filter.unwrap_or_else(|_| EnvFilter::new("info"));
    let (writer, guard) = tracing_appender::non_blocking(std::io::stderr());
    // Without this, a failing stderr makes the log panic.
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).log_internal_errors(false);
    let result = match format {
        LogFormat::Text => log.with_ansi(colours(std::io::stderr().is_terminal())).with_target(false).try_init(),
        LogFormat::Json => log.json().flatten_event(true).with_target(false).try_init(),
    };
    // In a test, logging is already set up.
    let _ = result;
    guard
}
