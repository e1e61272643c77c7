//! `stentor scenario check`: all faults of a scenario at once. Also how other commands find and read scenarios.

use crate::{
    cli::{
        error::CliError,
        load,
        options::PathOptions,
        output,
        table::{self, say},
        terminal::colours,
    },
    drill::Scenario,
    matrix::{Matrix, Severity, SourceText},
};
use clap::{Args, Subcommand, ValueHint};
use std::{
    io::{ErrorKind, IsTerminal},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// The directory of scenarios inside the matrix's directory.
const FOLDER: &str = "drills";

#[derive(Debug, Args)]
pub struct ScenarioArgs {
    #[command(subcommand)]
    what: ScenarioCommand,
}

#[derive(Debug, Subcommand)]
enum ScenarioCommand {
    /// Find every mistake in scenarios: exit 1 on errors, 0 on warnings
    Check {
        /// The files, or names in the matrix's `drills` folder; - reads standard input
        #[arg(required = true, value_name = "SCENARIO", value_hint = ValueHint::FilePath)]
        scenarios: Vec<PathBuf>,
        /// Print the faults as JSON
        #[arg(long)]
        json: bool,
    },
}

impl ScenarioArgs {
    pub fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        let ScenarioCommand::Check { scenarios, json } = self.what;
        let (matrix, _) = load::load(places, load::now())?.demand()?;
        let mut all = Vec::new();
        for path in &scenarios {
            let file = text(places, path)?;
            let read = Scenario::read(&file, &matrix);
            if !json {
                let colour = colours(std::io::stdout().is_terminal());
                print!("{}", table::faults("the scenario", &read.diagnostics, std::slice::from_ref(&file), colour));
                if let Some(scenario) = &read.scenario {
                    say(&verdict(scenario, &file));
                }
            }
            all.extend(read.diagnostics);
        }
        if json {
            println!("{}", serde_json::to_string_pretty(&all)?);
        }
        let refused = all.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
        Ok(if refused { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

/// Reads a scenario; if it has faults, prints them to standard error and fails.
pub fn read(places: &PathOptions, path: &Path, matrix: &Matrix) -> Result<(Scenario, SourceText), CliError> {
    let file = text(places, path)?;
    let read = Scenario::read(&file, matrix);
    if !read.diagnostics.is_empty() {
        let colour = colours(std::io::stderr().is_terminal());
        eprint!("{}", table::faults("the scenario", &read.diagnostics, std::slice::from_ref(&file), colour));
    }
    let refused = "the scenario has faults: nothing was played";
    Ok((read.scenario.ok_or(refused)?, file))
}

/// The text of a scenario: a file, `-` for standard input, or the name of one in the matrix's `drills` folder.
pub fn text(places: &PathOptions, path: &Path) -> Result<SourceText, CliError> {
    let named = places.matrix.join(FOLDER).join(path).with_extension("toml");
    if output::is_standard(path) {
        return Ok(SourceText { path: path.to_owned(), text: output::read_text(path)? });
    }
    let bare = path.components().count() == 1;
    let found = if bare && !path.is_file() && named.is_file() { named.clone() } else { path.to_owned() };
    match std::fs::read_to_string(&found) {
        Ok(text) => Ok(SourceText { path: found, text }),
        Err(error) if bare && error.kind() == ErrorKind::NotFound => {
            let (name, named) = (path.display(), named.display());
            Err(format!("there is no scenario {name}: there is neither a file {name} here nor {named}").into())
        }
        Err(error) => Err(format!("the scenario {} can not be read: {error}", found.display()).into()),
    }
}

fn verdict(scenario: &Scenario, file: &SourceText) -> String {
    format!(
        "{}: {} alert(s) in {}, {} hypotheses, {} fault(s): good (revision {})",
        file.path.display(),
        scenario.reports().len(),
        humantime::format_duration(scenario.ends),
        scenario.hypotheses.len(),
        scenario.faults.len(),
        scenario.revision,
    )
}
