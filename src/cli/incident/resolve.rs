//! `stentor resolve`: closes an incident.

use crate::{
    cli::{client::DaemonClient, error::CliError, options::PathOptions, table::say},
    core::{ClassificationKind, IncidentId},
    http::control::commands::ResolveRequest,
};
use clap::Args;
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct ResolveArgs {
    /// The incident
    incident: IncidentId,
    /// What it was; can also be set or changed after it was resolved
    #[arg(long, value_name = "true|false|benign|duplicate")]
    outcome: Option<ClassificationKind>,
    /// A note on the outcome in your own words
    #[arg(long, requires = "outcome", value_name = "TEXT")]
    note: Option<String>,
    /// Print what happened as JSON
    #[arg(long)]
    json: bool,
}

impl ResolveArgs {
    pub fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        let closing = ResolveRequest { outcome: self.outcome.map(|finding| finding.to_string()), note: self.note };
        let path = format!("/v1/incidents/{}/resolve", self.incident);
        let client = DaemonClient::of(places)?;
        let answer: Value = client.post(&path, &closing)?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&answer)?);
        } else if answer["resolved"] == json!(true) {
            let sandboxed = client.sandboxed().join(", ");
            let not = if sandboxed.is_empty() { String::new() } else { format!(" (SANDBOX: nobody by {sandboxed})") };
            say(&format!("{} is resolved; everybody who was paged is told{not}", self.incident));
        } else {
            say(&format!("{} was resolved before", self.incident));
        }
        if !self.json
            && let Some(finding) = self.outcome
        {
            say(&format!("its outcome: {finding}"));
        }
        Ok(ExitCode::SUCCESS)
    }
}
