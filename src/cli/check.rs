//! `stentor check`: every fault of the matrix at once.

use crate::cli::{
    error::CliError,
    load,
    options::PathOptions,
    table::{self, say},
    terminal::colours,
};
use clap::Args;
use std::{io::IsTerminal, process::ExitCode};

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Print the faults as JSON
    #[arg(long)]
    json: bool,
}

impl CheckArgs {
    pub fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        let loaded = load::load(places, load::now())?;
        let errors = loaded.errors();
        let warnings = loaded.diagnostics.len() - errors;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&loaded.diagnostics)?);
        } else {
            let colour = colours(std::io::stdout().is_terminal());
            print!("{}", table::faults("the matrix", &loaded.diagnostics, &loaded.files, colour));
            say(&verdict(&loaded, errors, warnings));
        }
        Ok(if errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn verdict(loaded: &load::LoadedMatrix, errors: usize, warnings: usize) -> String {
    match &loaded.matrix {
        Some(matrix) => format!(
            "{} file(s): {} trigger(s), {} people, {} channel(s), {warnings} warning(s): good (revision {})",
            loaded.files.len(),
            matrix.triggers.len(),
            matrix.people.len(),
            matrix.channels.len(),
            matrix.revision,
        ),
        None => format!("{} file(s): {errors} error(s), {warnings} warning(s)", loaded.files.len()),
    }
}
