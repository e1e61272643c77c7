//! `stentor demo`: shows the main function. The real daemon on loopback, in the sandbox, with the shipped matrix,
//! receives the flash crash of 6 May 2010 through its HTTP API, as a drill.
//!
//! Times and figures: CFTC and SEC, "Findings regarding the market events of May 6, 2010" (30 September 2010).

mod agent;
mod bank;
mod cast;
mod keyboard;
mod screen;
mod script;

use crate::{
    cli::{
        daemon::{
            bound::{BoundDaemon, DaemonConfig},
            stop,
        },
        demo::script::{COMPRESSION, afternoon, on_screen},
        error::CliError,
        incident::show,
        load,
        options::PathOptions,
        threads::runtime,
    },
    core::{ChannelName, EngagementOutcome, IncidentId, SourceName},
    http::api::view,
    journal,
};
use bank::BankDemo;
use cast::DemoCast;
use clap::{Args, Subcommand};
use keyboard::{Keyboard, ViewerKey};
use screen::DemoScreen;
use secrecy::SecretString;
use serde_json::Value;
use std::{io::IsTerminal, process::ExitCode, time::Duration};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::{Instant, sleep, sleep_until, timeout},
};

/// The demo ends after this time, whatever happens.
const LONGEST: Duration = Duration::from_secs(85);

/// The message if the demo is stopped before its end.
const STOPPED: &str = "stopped; nothing was sent to anybody";

/// The monitor that sends the alerts.
const SOURCE: &str = "risk-monitor";

#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Where to listen [default: a free port on 127.0.0.1]
    #[arg(long, global = true, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: String,
    /// Let only the script answer, as without a terminal; exit 0 if everything came out as it must, 1 if not
    #[arg(long, global = true)]
    unattended: bool,
    #[command(subcommand)]
    scene: Option<DemoScene>,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum DemoScene {
    /// An AI agent asks people over MCP before it acts: one denies, two approve, nobody answers
    Agent,
    /// A bank's chatbot hands conversations over to people: a chat page, an officer's desk, the daemon between them
    Bank,
}

impl DemoScene {
    /// The source that the program of this scene is.
    fn source(self) -> &'static str {
        match self {
            Self::Agent => agent::SOURCE,
            Self::Bank => bank::SOURCE,
        }
    }
}

impl DemoArgs {
    pub fn run(self, _: &PathOptions) -> Result<ExitCode, CliError> {
        let attended = !self.unattended && std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        let runtime = runtime(2)?;
        let engaged = runtime.block_on(async {
            let ended = ended()?;
            tokio::select! {
                engaged = self.play(attended) => engaged,
                () = ended => Err(STOPPED.into()),
            }
        });
        stop::let_threads_end(runtime);
        Ok(if engaged? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    async fn play(self, attended: bool) -> Result<bool, CliError> {
        let state = tempdir()?;
        let places =
            PathOptions { matrix: "matrix".into(), templates: None, state: Some(state.0.clone()), socket: None };
        let secret = || SecretString::from(format!("{:032x}", rand::random::<u128>()));
        let (token, hook) = (secret(), secret());
        let bank = match self.scene {
            Some(DemoScene::Bank) => Some(BankDemo::open().await?),
            _ => None,
        };
        let source = self.scene.map_or(SOURCE, DemoScene::source);
        let plan = DaemonConfig {
            listen: Some(self.listen),
            sandbox: true,
            tokens: vec![(SourceName::from(source), token.clone())],
            inbound: vec![(ChannelName::from("sms"), hook.clone())],
        };
        let (matrix, templates) = match (&bank, self.scene) {
            (Some(bank), _) => bank.matrix().demand()?,
            (None, Some(_)) => agent::matrix().demand()?,
            (None, None) => {
                let (mut matrix, templates) = load::shipped(load::now()).demand()?;
                matrix.compress(COMPRESSION);
                (matrix, templates)
            }
        };
        let daemon = BoundDaemon::open(plan, matrix, templates, &places).await?;
        let (app, shutdown, address) = (daemon.app.clone(), daemon.shutdown.clone(), daemon.address);
        let cast = DemoCast::new(app, format!("http://{address}"), token, hook, attended);
        let script = async {
            let outcome = match (bank, self.scene) {
                (Some(bank), _) => timeout(bank::longest(attended), bank.play(cast)).await,
                (None, Some(_)) => timeout(LONGEST, agent::play(cast)).await,
                (None, None) => timeout(LONGEST, tell(cast)).await,
            };
            shutdown.cancel();
            outcome.unwrap_or_else(|_| Err("the demo took longer than its time limit".into()))
        };
        let (served, told) = tokio::join!(daemon.run(), script);
        served?;
        told
    }
}

/// Returns when the process is told to end. Restore the terminal before.
fn ended() -> Result<impl Future<Output = ()>, CliError> {
    let kinds = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup(), SignalKind::quit()];
    let mut signals = kinds.map(signal).into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(async move {
        let heard = signals.iter_mut().map(|signal| Box::pin(signal.recv()));
        futures_util::future::select_all(heard).await;
    })
}

/// Sends the alerts of the afternoon, shows what happens, and lets people answer; returns whether every role was
/// engaged.
async fn tell(cast: DemoCast) -> Result<bool, CliError> {
    let mut screen = DemoScreen::new();
    let trader = cast.on_call("trader").ok_or("the shipped matrix has nobody on call for trader")?;
    screen.begin(&cast.base, &cast.desk_link(&trader), cast.name(&trader), cast.attended);
    let mut keyboard = Keyboard::open(cast.attended);
    let began = Instant::now();
    let mut incident = None;
    for report in afternoon() {
        wait_until(began + on_screen(report.after), &mut keyboard).await?;
        screen.report(report.clock, report.told);
        let answer = cast.send(&report.alert).await?;
        screen.result(&answer);
        incident = incident.or_else(|| opened(&answer));
    }
    let incident = incident.ok_or("no report opened an incident")?;
    follow(&cast, &mut screen, &mut keyboard, incident).await?;
    drop(keyboard);
    end(&cast, &mut screen, incident).await
}

/// Waits for the next report. There is nobody to answer for yet.
async fn wait_until(due: Instant, keyboard: &mut Keyboard) -> Result<(), CliError> {
    loop {
        tokio::select! {
            () = sleep_until(due) => return Ok(()),
            key = keyboard.next() => if matches!(key, ViewerKey::Quit) {
                return Err(STOPPED.into());
            },
        }
    }
}

/// Shows events as they arrive and plays the people, until every role has its outcome.
async fn follow(
    cast: &DemoCast,
    screen: &mut DemoScreen,
    keyboard: &mut Keyboard,
    id: IncidentId,
) -> Result<(), CliError> {
    let mut changes = cast.app.engine.changes();
    let mut acted = Vec::new();
    loop {
        screen.catch_up(cast, id).await?;
        let incident = cast.app.engine.reads().view(id).await?.ok_or("the incident is gone")?;
        if incident.engagements.values().all(|engagement| !engagement.is_open()) {
            return Ok(());
        }
        let due = cast.act(&incident, &mut acted).await?;
        tokio::select! {
            _ = changes.recv() => {}
            () = sleep(due) => {}
            key = keyboard.next() => match key {
                ViewerKey::Answer(role) => screen.word(&cast.press(&incident, role).await?),
                ViewerKey::Quit => return Err(STOPPED.into()),
            },
        }
    }
}

async fn end(cast: &DemoCast, screen: &mut DemoScreen, id: IncidentId) -> Result<bool, CliError> {
    cast.app.engine.inbound().resolve(id, crate::core::Actor::Operator("demo".into())).await?;
    screen.catch_up(cast, id).await?;
    let incident = cast.app.engine.reads().view(id).await?.ok_or("the incident is gone")?;
    let view = view::incident(&cast.app.engine.config(), &incident, cast.app.engine.now());
    cast.app.engine.tick_anchor().await?;
    let lines = cast.app.engine.reads().lines(None, 0, 100_000).await?;
    let report = journal::verify(lines, journal::KeptAnchors::default());
    screen.finish(&show::roles(&view.roles), &report);
    let has_human = |role| {
        let outcome = incident.engagements.get(role).and_then(|e| e.outcome.as_ref());
        matches!(outcome, Some(EngagementOutcome::Engaged { .. } | EngagementOutcome::Covered { .. }))
    };
    Ok(report.is_sound() && incident.plan.required.iter().all(has_human))
}

fn opened(answer: &Value) -> Option<IncidentId> {
    answer["alerts"][0]["incidents"][0].as_str().and_then(|id| id.parse().ok())
}

/// A directory that is removed when the demo ends.
struct TempFolder(std::path::PathBuf);

fn tempdir() -> Result<TempFolder, CliError> {
    let folder = std::env::temp_dir().join(format!("stentor-demo-{:016x}", rand::random::<u64>()));
    std::fs::create_dir(&folder)?;
    Ok(TempFolder(folder))
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        // If it cannot be removed, the demo's files stay in a temporary directory.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
