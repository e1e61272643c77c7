//! `stentor silence`: for a while, alerts that match open no incidents.

use crate::{
    cli::{
        client::DaemonClient,
        error::CliError,
        options::PathOptions,
        table::{self, say},
    },
    core::{
        Timestamp,
        printable::one_line,
        silence::{SilenceId, SilenceMatcher, SilenceState},
    },
    http::control::silences::{SilenceExtension, SilenceView, SilenceWish},
};
use clap::{Args, Subcommand};
use std::{process::ExitCode, time::Duration};

#[derive(Debug, Args)]
pub struct SilenceArgs {
    #[command(subcommand)]
    what: SilenceAction,
}

#[derive(Debug, Subcommand)]
enum SilenceAction {
    /// Hold alerts that match back until an end: they open no incident before it, and are judged at it
    Add {
        /// What must match, all of it: LABEL=VALUE, !=, =~PATTERN or !~PATTERN; `kind`, `source` and `trigger` are known of
        /// each alert
        #[arg(required = true, value_name = "MATCHER")]
        matchers: Vec<SilenceMatcher>,
        /// How long, up to 31 days: 45m, 2h
        #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
        lasts: Duration,
        /// Why, for those who look for the alert
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// When it begins (RFC 3339) [default: now]
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// List silences that are in force or will be
    List {
        /// Include those that ended within the last five days
        #[arg(long)]
        all: bool,
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Let a silence end later, or earlier: so long from now
    Extend {
        /// The silence: its id, or how it begins
        id: String,
        /// How long from now
        #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
        lasts: Duration,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// End a silence: what it holds back is judged at once
    End {
        /// The silence: its id, or how it begins
        id: String,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
}

impl SilenceArgs {
    pub fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        let client = DaemonClient::of(places)?;
        let (silence, done, json): (SilenceView, _, _) = match self.what {
            SilenceAction::List { all, json } => return list(&client, all, json),
            SilenceAction::Add { matchers, lasts, reason, from, json } => {
                let from =
                    from.map(|text| Timestamp::parse(&text).ok_or("--from takes a time like 2026-11-30T22:00:00Z"));
                let wish = SilenceWish { matchers, starts_at: from.transpose()?, lasts, reason };
                (client.post("/v1/silences", &wish)?, "holds alerts back until", json)
            }
            SilenceAction::Extend { id, lasts, json } => {
                let id = named(&client, &id)?;
                let extended = client.post(&format!("/v1/silences/{id}/extend"), &SilenceExtension { lasts })?;
                (extended, "ends at", json)
            }
            SilenceAction::End { id, json } => {
                let id = named(&client, &id)?;
                let ended = client.post(&format!("/v1/silences/{id}/end"), &serde_json::json!({}))?;
                (ended, "was ended; it would have ended at", json)
            }
        };
        if json {
            println!("{}", serde_json::to_string_pretty(&silence)?);
        } else {
            say(&format!("silence {} {done} {}", short(silence.silence.id), time(silence.silence.ends_at)));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The characters of an id that tables show: enough to tell a thousand silences apart.
const SHOWN: usize = 8;

fn short(id: SilenceId) -> String {
    id.to_string().chars().take(SHOWN).collect()
}

/// The one silence whose id begins so, among those that are not over.
fn named(client: &DaemonClient, start: &str) -> Result<SilenceId, CliError> {
    if let Ok(id) = start.parse() {
        return Ok(id);
    }
    let silences: Vec<SilenceView> = client.get("/v1/silences")?;
    let open = silences.iter().filter(|view| view.state != SilenceState::Expired).map(|view| view.silence.id);
    let named: Vec<SilenceId> = open.filter(|id| !start.is_empty() && id.to_string().starts_with(start)).collect();
    match named[..] {
        [id] => Ok(id),
        [] => Err(format!("no silence in force has an id that begins with {start:?}: stentor silence list").into()),
        _ => Err(format!("several silences have an id that begins with {start:?}: write more of it").into()),
    }
}

fn list(client: &DaemonClient, all: bool, json: bool) -> Result<ExitCode, CliError> {
    let mut silences: Vec<SilenceView> = client.get("/v1/silences")?;
    silences.retain(|view| all || view.state != SilenceState::Expired);
    if json {
        println!("{}", serde_json::to_string_pretty(&silences)?);
    } else if silences.is_empty() {
        say("no silence is in force");
    } else {
        let mut rows = table::table(&["id", "now", "until (UTC)", "alerts", "whose", "why"]);
        for SilenceView { silence, state } in &silences {
            let state = match state {
                SilenceState::Pending => "not yet",
                SilenceState::Active => "in force",
                SilenceState::Expired => "over",
            };
            let matchers: Vec<String> = silence.matchers.iter().map(ToString::to_string).collect();
            rows.add_row([
                short(silence.id),
                state.to_owned(),
                silence.ends_at.to_utc().format("%Y-%m-%d %H:%M").to_string(),
                one_line(&matchers.join(" ")).into_owned(),
                one_line(&silence.created_by).into_owned(),
                one_line(&silence.reason).into_owned(),
            ]);
        }
        println!("{rows}");
    }
    Ok(ExitCode::SUCCESS)
}

fn time(at: Timestamp) -> String {
    at.to_utc().format("%Y-%m-%d %H:%M UTC").to_string()
}
