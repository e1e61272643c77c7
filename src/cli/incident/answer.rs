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
        let (before, fields) = fields(&self.answer)?;
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
///
/// # Errors
/// If what stands there is no field, or a field is there twice: nobody can know which is meant.
fn fields(words: &[String]) -> Result<(String, Option<BTreeMap<String, String>>), String> {
    let first = words.iter().position(|word| word.contains('=')).unwrap_or(words.len());
    let (before, written) = words.split_at(first);
    let mut fields = BTreeMap::new();
    for word in written {
        let Some((name, value)) = word.split_once('=').filter(|(name, _)| !name.trim().is_empty()) else {
            return Err(format!(
                "nothing was sent: {word:?} is no field. Write each with no space around =, behind what you answer: \
                 approve qty=60 note=\"until noon\""
            ));
        };
        if fields.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(format!("nothing was sent: {name} is there twice"));
        }
    }
    Ok((before.join(" "), Some(fields).filter(|fields| !fields.is_empty())))
}

#[cfg(test)]
mod tests {
    use super::fields;

    #[test]
    fn fields_are_read_or_it_is_said_how_to_write_them() {
        let read = |line: &[&str]| fields(&line.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        let of =
            |all: &[(&str, &str)]| Some(all.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect());
        assert_eq!(read(&["approve"]), Ok(("approve".into(), None)));
        assert_eq!(read(&["approve", "qty=60"]), Ok(("approve".into(), of(&[("qty", "60")]))));
        assert_eq!(read(&["a=1=2", "b="]), Ok((String::new(), of(&[("a", "1=2"), ("b", "")]))));
        for (line, wanted) in [
            (&["approve", "qty=60", "qty=70"][..], "qty is there twice"),
            (&["approve", "qty", "=", "60"], "approve qty=60"),
            (&["approve", "qty=", "60"], "\"60\" is no field"),
            (&["approve", "qty", "=60"], "\"=60\" is no field"),
            (&["note=until", "noon"], "note=\"until noon\""),
        ] {
            assert!(read(line).is_err_and(|why| why.contains(wanted)), "{line:?}");
        }
    }
}
