//! Scheduled drills, and earlier drills.

use crate::cli::{
    client::DaemonClient,
    error::CliError,
    options::PathOptions,
    table::{say, table, warn},
};
use clap::Args;
use serde_json::Value;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct DrillHistoryArgs {
    /// Only runs of this scenario
    #[arg(long, value_name = "NAME")]
    scenario: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl DrillHistoryArgs {
    pub fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        let mut runs: Vec<Value> = DaemonClient::of(places)?.get_all("/v1/drills")?;
        runs.retain(|run| self.scenario.as_ref().is_none_or(|name| run["scenario"] == name.as_str()));
        if self.json {
            println!("{}", serde_json::to_string_pretty(&runs)?);
            return Ok(ExitCode::SUCCESS);
        }
        if runs.is_empty() {
            say("no drill was run yet: `stentor drill run SCENARIO`");
            return Ok(ExitCode::SUCCESS);
        }
        let mut rows = table(&["run", "scenario", "started (UTC)", "state", "held", "by", "why"]);
        for run in &runs {
            let text = |name: &str| run[name].as_str().unwrap_or_default().to_owned();
            let findings = run["score"]["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
            let held = findings.iter().filter(|finding| finding["verdict"] == "held").count();
            let started = text("started_at").get(..19).unwrap_or_default().replace('T', " ");
            let judged = matches!(run["state"].as_str(), Some("held" | "not-held" | "too-few"));
            let held = match findings.len() {
                _ if !judged => "not judged".to_owned(),
                0 => "nothing expected".to_owned(),
                all => format!("{held} of {all}"),
            };
            let sandbox = if run["score"]["sandboxed"] == true { "\nSANDBOX" } else { "" };
            let state = text("state").replace('-', " ") + sandbox;
            rows.add_row([text("id"), text("scenario"), started, state, held, text("by"), text("why")]);
        }
        println!("{rows}");
        Ok(ExitCode::SUCCESS)
    }
}

/// The scheduled scenarios, and when they run next.
pub fn schedule(places: &PathOptions, json: bool) -> Result<ExitCode, CliError> {
    let told: Value = DaemonClient::of(places)?.get("/v1/drills/schedule")?;
    if json {
        println!("{}", serde_json::to_string_pretty(&told)?);
        return Ok(ExitCode::SUCCESS);
    }
    let scheduled = told["scheduled"].as_array().map(Vec::as_slice).unwrap_or_default();
    if scheduled.is_empty() {
        say("no scenario of the matrix's drills folder has a `schedule`");
    } else {
        let mut rows = table(&["scenario", "next (UTC)", "rule", "last"]);
        for one in scheduled {
            let text = |name: &str| one[name].as_str().unwrap_or("-").to_owned();
            rows.add_row([text("scenario"), text("next"), text("rule"), text("last")]);
        }
        println!("{rows}");
    }
    for unreadable in told["unreadable"].as_array().into_iter().flatten() {
        warn(unreadable["faults"].as_str().unwrap_or_default());
    }
    Ok(ExitCode::SUCCESS)
}
