//! `stentor reload`: the running daemon reads its matrix again; the result is printed.

use crate::{
    cli::{client::DaemonClient, error::CliError, options::PathOptions, table},
    http::reloader::ReloadOutcome,
};
use clap::Args;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct ReloadArgs {
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

impl ReloadArgs {
    pub fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        let outcome: ReloadOutcome = DaemonClient::of(places)?.post("/v1/reload", &())?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&outcome)?);
        } else {
            tell(&outcome);
        }
        Ok(if outcome.refused.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn tell(outcome: &ReloadOutcome) {
    match &outcome.refused {
        Some(why) => {
            eprint!("{}", table::unbroken_excerpts(why.trim_end()));
            table::warn(&format!("the reload was refused: revision {} goes on", outcome.revision));
        }
        None => {
            eprint!("{}", table::unbroken_excerpts(&outcome.warnings));
            outcome.changes.iter().for_each(|change| table::say(change));
            outcome.at_next_start.iter().for_each(|waiting| table::say(&waiting.to_string()));
            table::say(&format!("revision {} is in use; open incidents keep their plans", outcome.revision));
        }
    }
}
