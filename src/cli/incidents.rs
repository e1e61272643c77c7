//! `stentor incidents`: the board.

use super::{Failure, Places, client::Client, table};
use crate::http::view::{IncidentView, RoleView};
use clap::Args;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct Incidents {
    /// Resolved ones too
    #[arg(long)]
    all: bool,
    /// At most so many, newest first
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// Print them as JSON
    #[arg(long)]
    json: bool,
}

impl Incidents {
    pub fn run(self, places: &Places) -> Result<ExitCode, Failure> {
        let path = format!("/v1/incidents?all={}&limit={}", self.all, self.limit);
        let incidents: Vec<IncidentView> = Client::of(places)?.get(&path)?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&incidents)?);
        } else if incidents.is_empty() {
            println!("{}", if self.all { "no incident yet" } else { "nothing is open" });
        } else {
            println!("{}", board(&incidents));
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn board(incidents: &[IncidentView]) -> String {
    let mut rows = table::table(&["incident", "", "status", "opened (UTC)", "roles", "what"]);
    for incident in incidents {
        let roles: Vec<String> = incident.roles.iter().map(role).collect();
        rows.add_row([
            incident.id.clone(),
            word(incident),
            status(incident),
            incident.opened_at.to_utc().format("%Y-%m-%d %H:%M:%S").to_string(),
            roles.join("\n"),
            incident.summary.clone(),
        ]);
    }
    rows.to_string()
}

/// What left nobody's machine must not look like the real thing.
fn word(incident: &IncidentView) -> String {
    let word = if incident.drill { "DRILL" } else { "LIVE" };
    if incident.sandbox.is_some() { format!("{word}\nSANDBOX") } else { word.into() }
}

fn status(incident: &IncidentView) -> String {
    match &incident.outcome {
        Some(was) => format!("{} ({})", incident.status, was.finding),
        None => incident.status.clone(),
    }
}

fn role(role: &RoleView) -> String {
    match &role.holder {
        Some(holder) => format!("{}: {} ({holder})", role.role, role.state),
        None => match role.handed_back.last().filter(|_| role.is_open()) {
            Some(back) => format!("{}: {} ({} handed it back)", role.role, role.state, back.person),
            None => format!("{}: {}", role.role, role.state),
        },
    }
}
