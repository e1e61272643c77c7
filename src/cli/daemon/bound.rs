//! The daemon with all its parts: store, engine, listeners, signals.

use crate::{
    channel::{self, desk_hub::DeskHub, guard::IpNetwork, outbox::SandboxOutbox},
    cli::{
        daemon::{
            descriptors::Descriptors,
            record, reload,
            socket::ControlSocket,
            stop::{DaemonStop, STOP_TIME_MAX},
        },
        error::CliError,
        options::PathOptions,
    },
    config,
    core::{ChannelName, SourceName},
    drill::runner::{calendar, drill_runner::DrillRunner},
    engine::{self, Engine, RuntimeConfig, SharedChannelParts},
    http::{
        self,
        connection::{ListenSocket, OpenListener, Tcp, Unix, limits::ConnectionLimits, serve},
        reloader::ReloadOutcome,
        state::AppState,
    },
    matrix::Matrix,
    store::{Store, StoreConfig, clock::SystemClock, open_store},
    template::PageTemplates,
};
use secrecy::SecretString;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    net::{TcpListener, UnixListener},
    task::{JoinHandle, spawn_blocking},
};
use tokio_util::sync::CancellationToken;

/// Where the daemon listens by default.
pub const LISTEN: &str = "127.0.0.1:7373";

/// How long requests in progress may take to finish.
const DRAIN: Duration = Duration::from_secs(5);

/// The configuration of a daemon.
pub struct DaemonConfig {
    /// Where to listen: address and port.
    pub listen: Option<String>,
    /// Whether every channel except the screen writes to the outbox.
    pub sandbox: bool,
    /// Tokens in addition to those in the matrix.
    pub tokens: Vec<(SourceName, SecretString)>,
    /// Callback secrets in addition to those in the matrix.
    pub inbound: Vec<(ChannelName, SecretString)>,
}

/// A daemon with open listeners that does not run yet.
pub struct BoundDaemon {
    /// State for all requests.
    pub app: Arc<AppState>,
    /// Where it listens.
    pub address: SocketAddr,
    /// Where what the sandbox keeps is written.
    pub outbox_file: PathBuf,
    /// Cancel this to stop it.
    pub shutdown: CancellationToken,
    shared: SharedChannelParts,
    store: Arc<dyn Store>,
    tcp: TcpListener,
    unix: UnixListener,
    socket: ControlSocket,
}

impl BoundDaemon {
    /// Opens the store and the listeners. Nothing is sent before [`BoundDaemon::run`].
    pub async fn open(
        plan: DaemonConfig,
        matrix: Matrix,
        templates: PageTemplates,
        places: &PathOptions,
    ) -> Result<Self, CliError> {
        let state = places.state.clone().or_else(|| matrix.daemon.state.clone());
        let state = state.unwrap_or_else(|| places.state());
        let store = open_store(&StoreConfig::in_directory(&state), Arc::new(SystemClock)).await?;
        let listen = plan
            .listen
            .or_else(|| matrix.daemon.listen.map(|address| address.to_string()))
            .unwrap_or_else(|| LISTEN.into());
        let tcp = TcpListener::bind(&listen).await.map_err(|error| {
            format!("can not listen on {listen}: {error}; another address is given with --listen ADDRESS:PORT")
        })?;
        let address = tcp.local_addr()?;
        let socket = places.socket.clone().unwrap_or_else(|| state.join("stentor.sock"));
        let (unix, socket) = ControlSocket::listen(&socket).await?;
        let public_url = matrix.daemon.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
        let clock = store.clone();
        let outbox = SandboxOutbox::open(&state, move || clock.now())?;
        let site = engine::keys::DerivedKeys::new(store.server_key()).site();
        let shared = SharedChannelParts { hub: DeskHub::new(), outbox: outbox.clone(), site, sandbox: plan.sandbox };
        // It reads the files of secrets: one that never ends must not block the signals.
        let wired = spawn_blocking(move || (RuntimeConfig::wire(matrix, templates, &shared), shared));
        let (mut live, shared) = wired.await?;
        live.tokens.extend(plan.tokens);
        for (channel, secret) in plan.inbound {
            if let Some(wired) = live.channels.get_mut(&channel) {
                wired.inbound = vec![secret];
            }
        }
        let shutdown = CancellationToken::new();
        let engine = Engine::new(store.clone(), live, &public_url);
        let drills = DrillRunner::new(engine.clone());
        // Before anything is sent.
        if let Err(error) = drills.close_interrupted().await {
            // A failure in the records of drills must not delay live incidents; each drill ends at its own end time
            // anyway.
            tracing::error!(%error, "the runs of interrupted drills could not be closed in the store");
        }
        engine.inbound().recall_people().await?;
        let app = Arc::new(AppState {
            drills,
            scenarios: places.matrix.clone(),
            started_at: store.now(),
            engine,
            hub: shared.hub.clone(),
            outbox,
            // A public address means that a proxy on this machine forwards requests from strangers.
            shows_outbox: address.ip().is_loopback() && http::desk::outbox::is_here(&public_url),
            shutdown: shutdown.clone(),
            client: reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?,
            test_replies: config::variable("STENTOR_SLACK_HOOKS"),
            reloader: Default::default(),
            answered: Default::default(),
            texts: Default::default(),
            board: Default::default(),
            estimates: Default::default(),
            unfinished: Default::default(),
            guesses: Mutex::default(),
        });
        write_address(&state, address)?;
        let outbox_file = state.join(channel::outbox::FILE);
        Ok(Self { app, address, outbox_file, shutdown, shared, store, tcp, unix, socket })
    }

    /// Runs until the shutdown token is cancelled, then stops in order: no new requests, sends finish, the store is
    /// closed. Stopping takes at most [`STOP_TIME_MAX`].
    #[expect(clippy::disallowed_methods, reason = "the daemon's own tasks are spawned here")]
    pub async fn run(self) -> Result<(), CliError> {
        let Self { app, shutdown, store, tcp, unix, socket, .. } = self;
        record::started(&app.engine).await;
        let mut engine = tokio::spawn(engine::run(app.engine.clone(), shutdown.clone()));
        let (tcp, unix) = listeners(&app, tcp, unix);
        let mut listener = tokio::spawn(serve(tcp, shutdown.clone()));
        let calendar = calendar::keep(app.drills.clone(), app.scenarios.clone(), shutdown.clone());
        let mut calendar = tokio::spawn(calendar);
        let mut sockets = tokio::spawn(http::inbound_connections::keep(app.clone(), shutdown.clone()));
        let mut control = tokio::spawn(serve(unix, shutdown.clone()));
        // A daemon with a part that has ended must not look alive: it exits, and its supervisor starts it again.
        let early: Option<CliError> = tokio::select! {
            // In an orderly stop the parts end too, so the token is checked first.
            biased;
            () = shutdown.cancelled() => None,
            () = app.engine.reads().ended() => Some("the store's writer has ended; this is a bug".into()),
            ended = &mut engine => Some(format!("the engine's loops have ended: {ended:?}; this is a bug").into()),
            ended = &mut listener => Some(format!("the TCP listener has ended: {ended:?}").into()),
            ended = &mut calendar => Some(format!("the calendar of drills has ended: {ended:?}; this is a bug").into()),
            ended = &mut sockets => Some(format!("the task for inbound connections has ended: {ended:?}; this is a bug").into()),
            ended = &mut control => Some(format!("the control socket has ended: {ended:?}").into()),
        };
        shutdown.cancel();
        let stop = DaemonStop::begin(i32::from(early.is_some()));
        tokio::join!(
            stop.wait("the listener", DRAIN, let_end(&mut listener)),
            stop.wait("the control socket", DRAIN, let_end(&mut control)),
            stop.wait("sockets", DRAIN, let_end(&mut sockets)),
            stop.wait("the calendar of drills", DRAIN, let_end(&mut calendar)),
            stop.wait("sends", STOP_TIME_MAX, let_end(&mut engine)),
        );
        stop.wait("the journal's last line", STOP_TIME_MAX, record::stopped(&app.engine)).await;
        stop.wait("the last anchor", STOP_TIME_MAX, engine::anchor_last(&app.engine)).await;
        stop.wait("the store", STOP_TIME_MAX, store.close()).await;
        drop(socket);
        early.map_or(Ok(()), Err)
    }

    /// Reads the matrix again: at SIGHUP and for `stentor reload`.
    pub fn reloader(&self, places: PathOptions) -> impl Fn() -> ReloadOutcome + Clone + Send + Sync + 'static {
        // Weak: the daemon's state has this function in it.
        let (app, shared) = (Arc::downgrade(&self.app), self.shared.clone());
        let started = self.app.engine.config().matrix.daemon.clone();
        move || app.upgrade().map(|app| reload::reload(&app, &shared, &places, &started)).unwrap_or_default()
    }
}

/// Waits for a task that may have ended already; its result was checked before.
async fn let_end<T>(task: &mut JoinHandle<T>) {
    if !task.is_finished() {
        let _ = task.await;
    }
}

/// Both listeners, with as many connections as there are file descriptors for.
fn listeners(
    app: &Arc<AppState>,
    tcp: TcpListener,
    unix: UnixListener,
) -> (OpenListener<impl ListenSocket>, OpenListener<Unix>) {
    let most = Descriptors::claim();
    let live = app.clone();
    let is_proxy = move |address| {
        let live = live.engine.config();
        live.matrix.daemon.proxies.iter().any(|(network, bits)| IpNetwork::new(*network, *bits).has(address))
    };
    let tcp = OpenListener {
        listener: Tcp { listener: tcp, is_proxy },
        router: http::tcp(app.clone()),
        limits: ConnectionLimits::of_tcp(most.tcp),
        entrance: app.engine.health().listeners().open("tcp", most.tcp),
    };
    let unix = OpenListener {
        listener: Unix(unix),
        router: http::control(app.clone()),
        limits: ConnectionLimits::of_unix(most.unix),
        entrance: app.engine.health().listeners().open("unix", most.unix),
    };
    (tcp, unix)
}

/// Writes the address for callers that start it on port 0.
fn write_address(state: &Path, address: SocketAddr) -> Result<(), CliError> {
    let (draft, path) = (state.join("address.new"), state.join("address"));
    std::fs::write(&draft, format!("{address}\n"))?;
    std::fs::rename(draft, path)?;
    Ok(())
}
