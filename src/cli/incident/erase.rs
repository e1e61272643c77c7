//! `stentor erase`: destroys the key of a conversation that was handed over.

use crate::{
    cli::{client::DaemonClient, error::CliError, options::PathOptions, table::say},
    core::IncidentId,
};
use clap::Args;
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct EraseArgs {
    /// The incident
    incident: IncidentId,
    /// Print what happened as JSON
    #[arg(long)]
    json: bool,
}

impl EraseArgs {
    pub fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        let path = format!("/v1/incidents/{}/erase", self.incident);
        let answer: Value = DaemonClient::of(places)?.post(&path, &json!({}))?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&answer)?);
        } else if answer["erased"] == json!(true) {
            say(&format!("the conversation of {} is erased: its key is destroyed, nobody can read it", self.incident));
        } else {
            println!("the conversation of {} was erased before", self.incident);
        }
        Ok(ExitCode::SUCCESS)
    }
}
