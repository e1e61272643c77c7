//! `stentor drill`: game days on the live daemon.

mod follow;
mod review;
mod show;

use crate::{
    cli::{
        client::DaemonClient,
        drill::follow::NOT_RUN,
        error::CliError,
        options::PathOptions,
        output,
        table::{say, warn},
    },
    drill::runner::calendar::FOLDER,
    http::control::drills::DrillRequest,
};
use clap::{Args, Subcommand, ValueHint};
use serde_json::Value;
use std::{
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

#[derive(Debug, Args)]
pub struct DrillArgs {
    #[command(subcommand)]
    command: DrillCommand,
}

#[derive(Debug, Subcommand)]
enum DrillCommand {
    /// Run a scenario on the live daemon and wait: exit 0 if its hypotheses held in this run, 1 if not, 3 if there was too
    /// little to see, 4 if it did not run to its end, 2 on errors
    Run(DrillRunArgs),
    /// Abort a drill: everybody who was paged is told that it is over
    Abort {
        /// The run, e.g. DR-7
        run: String,
        /// Print the daemon's answer as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show which scenarios are scheduled, and when each runs next
    Schedule {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Write the after-action review of a run: what was expected, what happened, what it depended on, what to change
    Report(review::DrillReportArgs),
    /// List earlier drills, newest first
    History(show::DrillHistoryArgs),
}

#[derive(Debug, Args)]
struct DrillRunArgs {
    /// A scenario of the matrix's drills folder by its name, or a file; - reads standard input
    #[arg(value_hint = ValueHint::FilePath)]
    scenario: String,
    /// Divide every wait of the ladders and every offset by this
    #[arg(long, value_name = "FACTOR")]
    compress: Option<u32>,
    /// Do not ask before people are paged
    #[arg(long, short)]
    yes: bool,
    /// Show every page and its outcome, not only what changes a role
    #[arg(long, short)]
    verbose: bool,
    /// Print only the result, as JSON
    #[arg(long)]
    json: bool,
}

impl DrillArgs {
    pub fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        match self.command {
            DrillCommand::Run(run) => run.run(places),
            DrillCommand::Abort { run, json } => {
                let answer: Value = DaemonClient::of(places)?.post(&format!("/v1/drills/{run}/abort"), &())?;
                match json {
                    true => println!("{}", serde_json::to_string_pretty(&answer)?),
                    false => say(&format!("{run} is aborted: everybody who was paged is told that it is over")),
                }
                Ok(ExitCode::SUCCESS)
            }
            DrillCommand::Schedule { json } => show::schedule(places, json),
            DrillCommand::Report(report) => report.run(places),
            DrillCommand::History(history) => history.run(places),
        }
    }
}

impl DrillRunArgs {
    fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        let path = find(places, &self.scenario);
        let text = output::read_text(&path)
            .map_err(|error| format!("{error}; a scenario is a file, or the name of one in {FOLDER}/ of the matrix"))?;
        let client = DaemonClient::of(places)?;
        if !self.yes && !agreed(&self.scenario, &client.sandboxed())? {
            return Ok(ExitCode::from(NOT_RUN));
        }
        let wanted = DrillRequest { path: path.display().to_string(), text, compress: self.compress };
        let begun: Value = match client.post("/v1/drills", &wanted) {
            Ok(begun) => begun,
            Err(refusal) => {
                warn(&format!("stentor: {refusal}"));
                return Ok(ExitCode::from(NOT_RUN));
            }
        };
        let run = begun["run"].as_str().unwrap_or_default();
        follow::follow(&client, run, self.json, self.verbose)
    }
}

/// The file with this path, or with this name in the directory of scenarios, or the one whose scenario has this name.
fn find(places: &PathOptions, scenario: &str) -> PathBuf {
    let folder = places.matrix.join(FOLDER);
    if output::is_standard(Path::new(scenario)) {
        return scenario.into();
    }
    let by_file = folder.join(format!("{scenario}.toml"));
    let given = [PathBuf::from(scenario), by_file.clone()].into_iter().find(|path| path.is_file());
    given.or_else(|| called(&folder, scenario)).unwrap_or(by_file)
}

/// The file of the scenario with this name; the first one by file name.
fn called(folder: &Path, scenario: &str) -> Option<PathBuf> {
    let files = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|kind| kind == "toml")).collect();
    files.sort();
    let name = |path: &PathBuf| {
        let table: toml::Table = std::fs::read_to_string(path).ok()?.parse().ok()?;
        table.get("name")?.as_str().map(str::to_owned)
    };
    files.into_iter().find(|path| name(path).as_deref() == Some(scenario))
}

fn agreed(scenario: &str, sandboxed: &[String]) -> Result<bool, CliError> {
    if !std::io::stdin().is_terminal() {
        return Err("a drill pages people: confirm with --yes if there is no terminal".into());
    }
    let not =
        if sandboxed.is_empty() { String::new() } else { format!(" (SANDBOX: nobody by {})", sandboxed.join(", ")) };
    print!("{scenario} pages people for real{not}; every text says DRILL. Continue? [y/N] ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
