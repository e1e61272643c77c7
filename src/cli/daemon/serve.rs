//! `stentor serve`: the daemon.

use crate::{
    cli::{
        daemon::{
            bound::{BoundDaemon, DaemonConfig},
            log::{self, LogFormat},
            record, stop,
        },
        error::CliError,
        load,
        options::PathOptions,
        threads::runtime,
    },
    core::ChannelName,
    engine::{DeadManPinger, Engine},
    http::reloader::ReloadOutcome,
};
use clap::Args;
use std::process::ExitCode;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::spawn_blocking,
};
use tokio_util::sync::CancellationToken;

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Where to listen [default: the matrix's daemon.listen, or 127.0.0.1:7373]
    #[arg(long, env = "STENTOR_LISTEN", value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// Send nothing: every channel but the screen writes to outbox.jsonl in the state folder, and /outbox shows it
    #[arg(long, env = "STENTOR_SANDBOX", value_parser = clap::builder::BoolishValueParser::new())]
    sandbox: bool,
    /// The format of log lines. STENTOR_LOG=debug logs more
    #[arg(long, env = "STENTOR_LOG_FORMAT", default_value = "text")]
    log: LogFormat,
}

impl ServeArgs {
    pub fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        let _flushed = log::start(self.log);
        let is_json = self.log == LogFormat::Json;
        let runtime = runtime(worker_threads())?;
        let served = runtime.block_on(self.start(places));
        stop::let_threads_end(runtime);
        match served {
            // A reader of JSON objects can read nothing else.
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
        tracing::warn!(channels, "these channels send nothing (sandbox); their messages are shown at {outbox}");
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
        let record = async { tokio::join!(record::clock(&engine), record::reloads(&engine)) };
        tokio::join!(watchdog(&engine), record, pinger.run(engine.health()), reloads);
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
    tracing::info!("stopping: new requests are refused, sends in progress may finish");
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
            tracing::warn!(?beats, "a loop of the engine has not run: systemd's watchdog is not notified");
        }
    }
}

fn tell_systemd(states: &[sd_notify::NotifyState<'_>]) {
    // Without systemd there is nobody to notify.
    let _ = sd_notify::notify(states);
}
