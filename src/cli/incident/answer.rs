//! `stentor answer`: an answer from a shell.

use crate::{
    cli::{client::DaemonClient, error::CliError, options::PathOptions, table::say},
    core::IncidentId,
    http::control::commands::CliAnswer,
};
use clap::Args;
use serde_json::Value;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct AnswerArgs {
    /// The incident
    incident: IncidentId,
    /// An option of what is asked, such as approve; or roger (received), wilco (I have it), standby or standby MINUTES (wait, 5 minutes at most), unable (pass it on, or hand it back if you have it)
    #[arg(required = true, num_args = 1..)]
    answer: Vec<String>,
    /// The role; required if you were asked for several
    #[arg(long)]
    role: Option<String>,
    /// Print the verdict as JSON
    #[arg(long)]
    json: bool,
}

impl AnswerArgs {
    pub fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        // The daemon reads it: which options there are to choose from is in the incident.
        let spoken = CliAnswer { answer: self.answer.join(" "), role: self.role };
        let verdict: Value =
            DaemonClient::of(places)?.post(&format!("/v1/incidents/{}/answer", self.incident), &spoken)?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&verdict)?);
        } else {
            say(&format!("{}: {}", self.incident, verdict["text"].as_str().unwrap_or_default()));
            if let Some(then) = verdict["then"].as_str() {
                say(then);
            }
        }
        let refused = [
            "not-asked",
            "not-decider",
            "which-role",
            "closed",
            "too-late",
            "doubted",
            "not-repeated",
            "on-behalf",
            "stale",
            "no-such-option",
        ];
        let kind = verdict["verdict"].as_str().unwrap_or_default();
        Ok(if refused.contains(&kind) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}
