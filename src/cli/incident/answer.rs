//! `stentor answer`: an answer from a shell.

use crate::{
    cli::{client::DaemonClient, error::CliError, options::PathOptions, table::say},
    core::IncidentId,
    http::control::{commands::CliAnswer, form::CliForm},
};
use clap::Args;
use serde_json::Value;
use std::{collections::BTreeMap, process::ExitCode};

#[derive(Debug, Args)]
pub struct AnswerArgs {
    /// The incident
    incident: IncidentId,
    /// An option of what is asked, such as approve, or approve qty=60 where the action may be changed; or roger (received), wilco (I have it), standby or standby MINUTES (wait, 5 minutes at most), unable (pass it on, or hand it back if you have it)
    #[arg(required_unless_present = "form", conflicts_with = "form", num_args = 1..)]
    answer: Vec<String>,
    /// What you fill in, where a form is asked for: one object of JSON. Or write each field, such as limit=5 note="until noon"
    #[arg(long, value_name = "JSON")]
    form: Option<String>,
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
        let (before, fields) = fields(&self.answer);
        let filled = CliForm { form: self.form, before, fields };
        let spoken = CliAnswer { answer: self.answer.join(" "), role: self.role, filled };
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

/// The fields with which the words end, such as `limit=5`, and what stands before the first of them.
fn fields(words: &[String]) -> (String, Option<BTreeMap<String, String>>) {
    let first = words.iter().position(|word| word.contains('=')).unwrap_or(words.len());
    let (before, fields) = words.split_at(first);
    let field = |word: &String| word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    let fields = fields.iter().map(field).collect::<Option<BTreeMap<_, _>>>().filter(|fields| !fields.is_empty());
    (before.join(" "), fields)
}
