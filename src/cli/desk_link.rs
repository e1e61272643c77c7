//! `stentor desk-link`: the one command that hands out a live link.

use crate::{
    cli::{client::DaemonClient, error::CliError, options::PathOptions, table::say},
    http::control::commands::DeskFor,
};
use clap::Args;
use serde_json::Value;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct DeskLink {
    /// The person's name in the matrix
    person: String,
    /// Print no link: end every desk session and link of this person instead
    #[arg(long)]
    revoke: bool,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

impl DeskLink {
    pub fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        let answer: Value =
            DaemonClient::of(places)?.post("/v1/desk-link", &DeskFor { person: self.person, revoke: self.revoke })?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&answer)?);
        } else if self.revoke {
            say(&format!(
                "every desk session and link of {} was ended",
                answer["revoked"].as_str().unwrap_or_default()
            ));
        } else {
            println!("{}", answer["link"].as_str().unwrap_or_default());
        }
        Ok(ExitCode::SUCCESS)
    }
}
