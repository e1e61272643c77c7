//! `stentor doctor`: checks everything that a crisis will need, without paging anybody.

use crate::{
    channel::{CheckOutcome, ProbeCheck, desk_hub::DeskHub, outbox::SandboxOutbox},
    cli::{
        client::DaemonClient, error::CliError, load, options::PathOptions, table, terminal::colours, threads::runtime,
    },
    core::Timestamp,
    engine::{
        RuntimeConfig, SharedChannelParts,
        health::checkup::{self, DoctorFinding, DoctorPart, finding, part, tally},
    },
    http::control::health::{DoctorLine, lines},
    store::StoreConfig,
};
use clap::Args;
use futures_util::StreamExt;
use serde_json::Value;
use std::{
    collections::BTreeSet,
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

impl DoctorArgs {
    pub fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        let mut progress =
            DoctorProgress { shows: !self.json && std::io::stderr().is_terminal(), ..DoctorProgress::default() };
        // The socket file may exist without a daemon.
        let reached = DaemonClient::of(places).and_then(|client| Ok((client.get_whatever("/readyz")?, client)));
        match reached {
            Ok((runs, client)) => ask(&client, &runs, places, &mut progress)?,
            Err(absent) => alone(places, &absent.to_string(), &mut progress)?,
        }
        let found = progress.end();
        if self.json {
            println!("{}", serde_json::to_string_pretty(&found)?);
        } else {
            print!("{}", report(&found, colours(std::io::stdout().is_terminal())));
        }
        let failed = found.iter().any(|finding| finding.outcome == CheckOutcome::Failed);
        Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

/// The daemon checks itself, with the same channels that its pages use.
fn ask(
    client: &DaemonClient,
    runs: &Value,
    places: &PathOptions,
    progress: &mut DoctorProgress,
) -> Result<(), CliError> {
    progress.add("matrix", lint(places, runs["matrix"].as_str()));
    client.lines("/v1/doctor", |line| progress.take(line))
}

/// Without a daemon, sets up the matrix here as a daemon would.
fn alone(places: &PathOptions, absent: &str, progress: &mut DoctorProgress) -> Result<(), CliError> {
    let none = format!("{absent}; its loops, listeners, ping, breakers and opt-outs are not checked");
    progress.add("daemon", vec![ProbeCheck::doubtful("work", none)]);
    progress.add("matrix", lint(places, None));
    let loaded = load::load(places, load::now())?;
    let Some(matrix) = loaded.matrix else { return Ok(()) };
    let state = places.state.clone().or_else(|| matrix.daemon.state.clone()).unwrap_or_else(|| places.state());
    let outbox = SandboxOutbox::discarding(load::now)?;
    let shared = SharedChannelParts { hub: DeskHub::new(), outbox, site: String::new(), sandbox: false };
    let live = Arc::new(RuntimeConfig::wire(matrix, loaded.templates, &shared));
    runtime(1)?.block_on(async {
        let mut lines = std::pin::pin!(lines(parts(&live, state, load::now())));
        while let Some(line) = lines.next().await {
            progress.take(line);
        }
    });
    Ok(())
}

fn parts(live: &Arc<RuntimeConfig>, state: PathBuf, now: Timestamp) -> Vec<DoctorPart> {
    let (wired, zoned, folder) = (live.clone(), live.clone(), state.clone());
    let mut parts = vec![
        part("state", async move { space(&folder) }),
        part("secrets", async move { checkup::secrets(&wired) }),
        part("time zones", async move { checkup::zones(zoned.matrix.zones.data(), now) }),
    ];
    parts.extend(checkup::channels(live));
    let live = live.clone();
    parts.push(part("people", async move {
        checkup::people(&live, StoreConfig::in_directory(&state).read_proofs().await, (&[], &BTreeSet::new()), now)
    }));
    parts
}

fn space(state: &Path) -> Vec<ProbeCheck> {
    match StoreConfig::in_directory(state).space() {
        Ok(room) => checkup::space(room),
        Err(error) => vec![ProbeCheck::doubtful("space", format!("{}: {error}", state.display()))],
    }
}

/// The faults in the directory, and whether it matches the running matrix.
fn lint(places: &PathOptions, runs: Option<&str>) -> Vec<ProbeCheck> {
    let loaded = match load::load(places, load::now()) {
        Ok(loaded) => loaded,
        Err(failure) => return vec![ProbeCheck::doubtful("lint", failure.to_string())],
    };
    let (errors, all) = (loaded.errors(), loaded.diagnostics.len());
    let Some(matrix) = loaded.matrix else {
        return vec![ProbeCheck::failed("lint", format!("{errors} error(s): `stentor check` shows them"))];
    };
    let lint = match all {
        0 => ProbeCheck::fine("lint", format!("good (revision {})", matrix.revision)),
        _ => ProbeCheck::doubtful("lint", format!("{all} warning(s): `stentor check` shows them")),
    };
    let differs = runs.filter(|runs| *runs != matrix.revision).map(|runs| {
        let shown = places.matrix.display();
        ProbeCheck::doubtful(
            "loaded",
            format!("the daemon runs {runs}, and {shown} holds {}: reload it", matrix.revision),
        )
    });
    std::iter::once(lint).chain(differs).collect()
}

/// The results so far, and the checks in progress.
#[derive(Default)]
struct DoctorProgress {
    shows: bool,
    order: Vec<String>,
    waiting: Vec<String>,
    found: Vec<DoctorFinding>,
}

impl DoctorProgress {
    fn add(&mut self, part: &str, checks: Vec<ProbeCheck>) {
        self.order.push(part.to_owned());
        self.found.extend(checks.into_iter().map(|check| finding(part, check)));
    }

    fn take(&mut self, line: DoctorLine) {
        match line {
            DoctorLine::Parts(parts) => {
                self.order.extend(parts.iter().cloned());
                self.waiting = parts;
            }
            DoctorLine::Done { part, findings } => {
                self.waiting.retain(|waiting| *waiting != part);
                self.found.extend(findings);
            }
        }
        self.draw();
    }

    /// One line on standard error, overwritten by the next.
    fn draw(&self) {
        if !self.shows || self.waiting.is_empty() {
            return;
        }
        let done = self.order.len() - self.waiting.len();
        let text = format!("checked {done} of {}: waiting for {}", self.order.len(), self.waiting.join(", "));
        let width = table::width().unwrap_or(80);
        let shown: String = text.chars().take(width.saturating_sub(1)).collect();
        eprint!("\r\x1b[K{shown}");
        let _ = std::io::stderr().flush();
    }

    /// All results, part by part in the order in which they were named.
    fn end(mut self) -> Vec<DoctorFinding> {
        if self.shows {
            eprint!("\r\x1b[K");
        }
        let place = |part: &str| self.order.iter().position(|known| known == part);
        self.found.sort_by_key(|finding| place(&finding.part));
        self.found
    }
}

fn report(found: &[DoctorFinding], colour: bool) -> String {
    let mut rows = table::table(&["", "part", "what", "result"]);
    let mut last = "";
    for finding in found {
        // Each part is named once: findings that belong together are shown together.
        let part = if finding.part == last { "" } else { &finding.part };
        last = &finding.part;
        rows.add_row([mark(finding.outcome), part, &finding.what, &finding.detail]);
    }
    let painted = rows.to_string().lines().map(|line| paint(line, colour) + "\n").collect::<String>();
    let tally = tally(found);
    let count = |outcome| tally.get(&outcome).copied().unwrap_or(0);
    let (failed, doubtful, fine) =
        (count(CheckOutcome::Failed), count(CheckOutcome::Doubtful), count(CheckOutcome::Fine));
    format!("{painted}\n{failed} failed, {doubtful} warning(s), {fine} fine\n")
}

fn mark(outcome: CheckOutcome) -> &'static str {
    match outcome {
        CheckOutcome::Fine => "ok",
        CheckOutcome::Doubtful => "warn",
        CheckOutcome::Failed => "FAIL",
    }
}

/// Colours the mark, which is the first word of its row.
fn paint(line: &str, colour: bool) -> String {
    let line = line.trim_end();
    for (outcome, code) in [(CheckOutcome::Fine, 32), (CheckOutcome::Doubtful, 33), (CheckOutcome::Failed, 31)] {
        let mark = mark(outcome);
        if let Some(rest) = line.trim_start().strip_prefix(mark).filter(|rest| colour && rest.starts_with(' ')) {
            return format!(" \x1b[{code}m{mark}\x1b[0m{rest}");
        }
    }
    line.to_owned()
}
