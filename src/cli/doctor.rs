//! `stentor doctor`: is everything there that a crisis will need, tried without paging anybody.

use super::{Failure, Places, client::Client, colours, load, runtime, table};
use crate::{
    channel::{Check, Outcome, outbox::Outbox, screen::Hub},
    core::Timestamp,
    engine::{
        Live, Shared,
        checkup::{self, Finding, Part, finding, part, tally},
    },
    http::health::{Line, lines},
    store::sqlite::{
        self,
        disk::{self, Limits},
    },
};
use clap::Args;
use futures_util::StreamExt;
use serde_json::Value;
use std::{
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

#[derive(Debug, Args)]
pub struct Doctor {
    /// Print what was found as JSON
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub fn run(self, places: &Places) -> Result<ExitCode, Failure> {
        let mut progress = Progress { shows: !self.json && std::io::stderr().is_terminal(), ..Progress::default() };
        // A socket may lie there without a daemon behind it.
        let reached = Client::of(places).and_then(|client| Ok((client.get_whatever("/readyz")?, client)));
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
        let failed = found.iter().any(|finding| finding.outcome == Outcome::Failed);
        Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

/// The daemon looks at itself: at the very channels that its pages go by.
fn ask(client: &Client, runs: &Value, places: &Places, progress: &mut Progress) -> Result<(), Failure> {
    progress.add("matrix", lint(places, runs["matrix"].as_str()));
    client.lines("/v1/doctor", |line| progress.take(line))
}

/// Without a daemon the matrix is wired here, as a daemon would.
fn alone(places: &Places, absent: &str, progress: &mut Progress) -> Result<(), Failure> {
    let none = format!("{absent}; its loops, door, ping, breakers and opt-outs are not looked at");
    progress.add("daemon", vec![Check::doubtful("work", none)]);
    progress.add("matrix", lint(places, None));
    let loaded = load::load(places, load::now())?;
    let Some(matrix) = loaded.matrix else { return Ok(()) };
    let state = places.state.clone().or_else(|| matrix.daemon.state.clone()).unwrap_or_else(|| places.state());
    let outbox = Outbox::discarding(load::now)?;
    let shared = Shared { hub: Hub::new(), outbox, site: String::new(), sandbox: false };
    let live = Arc::new(Live::wire(matrix, loaded.templates, &shared));
    runtime(1)?.block_on(async {
        let mut lines = std::pin::pin!(lines(parts(&live, state, load::now())));
        while let Some(line) = lines.next().await {
            progress.take(line);
        }
    });
    Ok(())
}

fn parts(live: &Arc<Live>, state: PathBuf, now: Timestamp) -> Vec<Part> {
    let (wired, zoned, folder) = (live.clone(), live.clone(), state.clone());
    let mut parts = vec![
        part("state", async move { space(&folder) }),
        part("secrets", async move { checkup::secrets(&wired) }),
        part("time zones", async move { checkup::zones(zoned.matrix.zones.data(), now) }),
    ];
    parts.extend(checkup::channels(live));
    let live = live.clone();
    parts.push(part("people", async move { checkup::people(&live, sqlite::read_proofs(&state).await, &[], now) }));
    parts
}

fn space(state: &Path) -> Vec<Check> {
    match disk::room(state, Limits::default()) {
        Ok(room) => checkup::space(Some(room)),
        Err(error) => vec![Check::doubtful("space", format!("{}: {error}", state.display()))],
    }
}

/// The faults of the folder, and whether it is what runs.
fn lint(places: &Places, runs: Option<&str>) -> Vec<Check> {
    let loaded = match load::load(places, load::now()) {
        Ok(loaded) => loaded,
        Err(failure) => return vec![Check::doubtful("lint", failure.to_string())],
    };
    let (errors, all) = (loaded.errors(), loaded.diagnostics.len());
    let Some(matrix) = loaded.matrix else {
        return vec![Check::failed("lint", format!("{errors} error(s): `stentor check` shows them"))];
    };
    let lint = match all {
        0 => Check::fine("lint", format!("good (revision {})", matrix.revision)),
        _ => Check::doubtful("lint", format!("{all} warning(s): `stentor check` shows them")),
    };
    let differs = runs.filter(|runs| *runs != matrix.revision).map(|runs| {
        let shown = places.matrix.display();
        Check::doubtful("loaded", format!("the daemon runs {runs}, and {shown} holds {}: reload it", matrix.revision))
    });
    std::iter::once(lint).chain(differs).collect()
}

/// What was found so far, and what is still being looked at.
#[derive(Default)]
struct Progress {
    shows: bool,
    order: Vec<String>,
    waiting: Vec<String>,
    found: Vec<Finding>,
}

impl Progress {
    fn add(&mut self, part: &str, checks: Vec<Check>) {
        self.order.push(part.to_owned());
        self.found.extend(checks.into_iter().map(|check| finding(part, check)));
    }

    fn take(&mut self, line: Line) {
        match line {
            Line::Parts(parts) => {
                self.order.extend(parts.iter().cloned());
                self.waiting = parts;
            }
            Line::Done { part, findings } => {
                self.waiting.retain(|waiting| *waiting != part);
                self.found.extend(findings);
            }
        }
        self.draw();
    }

    /// One line of standard error, written over by the next.
    fn draw(&self) {
        if !self.shows || self.waiting.is_empty() {
            return;
        }
        let done = self.order.len() - self.waiting.len();
        let text = format!("looked at {done} of {}: waiting for {}", self.order.len(), self.waiting.join(", "));
        let width = table::width().unwrap_or(80);
        let shown: String = text.chars().take(width.saturating_sub(1)).collect();
        eprint!("\r\x1b[K{shown}");
        let _ = std::io::stderr().flush();
    }

    /// Everything, part by part in the order in which they were named.
    fn end(mut self) -> Vec<Finding> {
        if self.shows {
            eprint!("\r\x1b[K");
        }
        let place = |part: &str| self.order.iter().position(|known| known == part);
        self.found.sort_by_key(|finding| place(&finding.part));
        self.found
    }
}

fn report(found: &[Finding], colour: bool) -> String {
    let mut rows = table::table(&["", "part", "what", "how it is"]);
    let mut last = "";
    for finding in found {
        // A part is named once: what belongs together is seen together.
        let part = if finding.part == last { "" } else { &finding.part };
        last = &finding.part;
        rows.add_row([mark(finding.outcome), part, &finding.what, &finding.detail]);
    }
    if let Some(width) = table::width() {
        table::fit(&mut rows, width);
    }
    let painted = rows.to_string().lines().map(|line| paint(line, colour) + "\n").collect::<String>();
    let tally = tally(found);
    let count = |outcome| tally.get(&outcome).copied().unwrap_or(0);
    let (failed, doubtful, fine) = (count(Outcome::Failed), count(Outcome::Doubtful), count(Outcome::Fine));
    format!("{painted}\n{failed} failed, {doubtful} to be looked at, {fine} fine\n")
}

fn mark(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Fine => "ok",
        Outcome::Doubtful => "look",
        Outcome::Failed => "FAIL",
    }
}

/// The mark in its colour; it is the first word of its row.
fn paint(line: &str, colour: bool) -> String {
    let line = line.trim_end();
    for (outcome, code) in [(Outcome::Fine, 32), (Outcome::Doubtful, 33), (Outcome::Failed, 31)] {
        let mark = mark(outcome);
        if let Some(rest) = line.trim_start().strip_prefix(mark).filter(|rest| colour && rest.starts_with(' ')) {
            return format!(" \x1b[{code}m{mark}\x1b[0m{rest}");
        }
    }
    line.to_owned()
}
