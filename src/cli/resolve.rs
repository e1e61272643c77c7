//! `stentor resolve`: the end of an incident.

use super::{Failure, Places, client::Client};
use crate::core::IncidentId;
use clap::Args;
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct Resolve {
    /// Which incident
    incident: IncidentId,
    /// Print what happened as JSON
    #[arg(long)]
    json: bool,
}

impl Resolve {
    pub fn run(self, places: &Places) -> Result<ExitCode, Failure> {
        let path = format!("/v1/incidents/{}/resolve", self.incident);
        let answer: Value = Client::of(places)?.post(&path, &json!({}))?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&answer)?);
        } else if answer["resolved"] == json!(true) {
            println!("{} is resolved; everyone who was paged is told", self.incident);
        } else {
            println!("{} was resolved before", self.incident);
        }
        Ok(ExitCode::SUCCESS)
    }
}
