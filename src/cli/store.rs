//! `stentor store`: rows in the state directory that cannot be read any more.

use crate::{
    cli::{client::DaemonClient, error::CliError, options::PathOptions, reports::journal_source::JournalSource, table},
    core::Actor,
    http::control::quarantine::{ClearRequest, ClearedRows, QuarantinedView},
    store::{IncidentFilter, QuarantineStatus, QuarantinedRow, RowName, clear_quarantined},
};
use clap::{Args, Subcommand};
use std::{process::ExitCode, sync::Arc};

#[derive(Debug, Args)]
pub struct StoreCommand {
    #[command(subcommand)]
    what: StoreAction,
}

#[derive(Debug, Subcommand)]
enum StoreAction {
    /// What can not be read and was set aside, so that it stops nothing else
    #[command(subcommand)]
    Quarantine(QuarantineAction),
}

#[derive(Debug, Subcommand)]
enum QuarantineAction {
    /// List it: incidents that nobody is paged about any more, and rows of other tables
    List {
        /// Also what was cleared
        #[arg(long)]
        all: bool,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what is left of one row, for those who look after it by hand
    Show {
        /// Which, as the list names it, e.g. INC-42
        row: RowName,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Say that somebody has looked at it: it is no problem any more, and stays in the journal as it was
    Clear {
        /// Which, as the list names them
        #[arg(required_unless_present = "all")]
        rows: Vec<RowName>,
        /// Every one
        #[arg(long, conflicts_with = "rows")]
        all: bool,
        /// Print what happened as JSON
        #[arg(long)]
        json: bool,
    },
}

impl StoreCommand {
    pub fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        let StoreAction::Quarantine(what) = self.what;
        let journal = JournalSource::of(places)?;
        match what {
            QuarantineAction::List { all, json } => list(&journal, all, json),
            QuarantineAction::Show { row, json } => show(&journal, row, json),
            QuarantineAction::Clear { rows, all: _, json } => clear(&journal, rows, json),
        }
    }
}

fn list(journal: &JournalSource, all: bool, json: bool) -> Result<ExitCode, CliError> {
    let entries = entries(journal, all)?;
    if json {
        println!("{}", serde_json::to_string_pretty(&entries)?);
    } else if entries.is_empty() {
        println!("everything can be read");
    } else {
        let mut rows = table::table(&["row", "found (UTC)", "what it was about", "what is wrong", "now"]);
        for entry in &entries {
            let about = entry.incident.as_ref().and_then(|incident| incident.summary.clone());
            let found = entry.found_at.to_utc().format("%Y-%m-%d %H:%M:%S").to_string();
            let now = standing(entry);
            rows.add_row([entry.row.to_string(), found, about.unwrap_or_default(), entry.why.clone(), now]);
        }
        println!("{rows}");
    }
    Ok(ExitCode::SUCCESS)
}

/// Everything that was set aside, after every open incident has been checked.
fn entries(journal: &JournalSource, all: bool) -> Result<Vec<QuarantinedRow>, CliError> {
    match journal {
        JournalSource::Daemon(client) => client.get(&format!("/v1/quarantine?all={all}&look=true")),
        JournalSource::Folder { runtime, store } => {
            runtime.block_on(store.list(IncidentFilter { open_only: true, limit: usize::MAX }))?;
            Ok(store.quarantined().into_iter().filter(|entry| all || entry.is_waiting()).collect())
        }
    }
}

fn standing(entry: &QuarantinedRow) -> String {
    match &entry.standing {
        _ if entry.is_problem() => "nobody is paged about it".to_owned(),
        QuarantineStatus::Found | QuarantineStatus::Told => "left out".to_owned(),
        QuarantineStatus::Cleared { cleared_by, .. } => format!("cleared by {cleared_by}"),
        QuarantineStatus::Restored => "can be read again".to_owned(),
    }
}

fn show(journal: &JournalSource, row: RowName, json: bool) -> Result<ExitCode, CliError> {
    let shown: QuarantinedView = match journal {
        JournalSource::Daemon(client) => client.get(&path_of(&row)?)?,
        JournalSource::Folder { runtime, store } => {
            let entry = entries(journal, true)?.into_iter().find(|entry| entry.row == row);
            let entry = entry.ok_or_else(|| format!("{row} was not set aside"))?;
            QuarantinedView { entry, remains: runtime.block_on(store.remains(row))? }
        }
    };
    if json {
        println!("{}", serde_json::to_string_pretty(&shown)?);
        return Ok(ExitCode::SUCCESS);
    }
    let QuarantinedView { entry, remains } = shown;
    table::say(&format!("{}: {}", entry.row, standing(&entry)));
    table::say(&format!("  what is wrong  {}", entry.why));
    println!("  found          {} UTC", entry.found_at.to_utc().format("%Y-%m-%d %H:%M:%S"));
    if let Some(incident) = &entry.incident {
        table::say(&format!("  its key        {}", incident.key));
        table::say(&format!(
            "  it was about   {}",
            incident.summary.as_deref().unwrap_or("(that can not be read either)")
        ));
    }
    println!("\nWHAT IS LEFT OF IT");
    for place in remains {
        println!("  {}\n    {}", place.place, place.content.replace('\n', "\n    "));
    }
    Ok(ExitCode::SUCCESS)
}

fn path_of(row: &RowName) -> Result<String, CliError> {
    let url = reqwest::Url::parse_with_params("http://stentor/v1/quarantine/row", [("row", row.to_string())])?;
    Ok(format!("{}?{}", url.path(), url.query().unwrap_or_default()))
}

fn clear(journal: &JournalSource, rows: Vec<RowName>, json: bool) -> Result<ExitCode, CliError> {
    let done = match journal {
        JournalSource::Daemon(client) => cleared_by_daemon(client, rows)?,
        JournalSource::Folder { .. } => cleared_in_folder(journal, rows)?,
    };
    if json {
        println!("{}", serde_json::to_string_pretty(&done)?);
    } else {
        for row in &done.cleared {
            table::say(&format!("{row} is cleared; its journal stays as it was"));
        }
        for row in &done.not_waiting {
            table::say(&format!("{row} does not wait for that: it was not set aside, or cleared before"));
        }
    }
    Ok(if done.not_waiting.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn cleared_by_daemon(client: &DaemonClient, rows: Vec<RowName>) -> Result<ClearedRows, CliError> {
    client.post("/v1/quarantine/clear", &ClearRequest { rows })
}

fn cleared_in_folder(journal: &JournalSource, rows: Vec<RowName>) -> Result<ClearedRows, CliError> {
    let JournalSource::Folder { runtime, store } = journal else { return Err("a daemon has this folder".into()) };
    let waiting = entries(journal, false)?.into_iter().map(|entry| entry.row);
    let rows = if rows.is_empty() { waiting.collect() } else { rows };
    let user = uzers::get_current_username()
        .map_or_else(|| uzers::get_current_uid().to_string(), |user| user.to_string_lossy().into_owned());
    let by = Actor::Operator(user);
    let mut done = ClearedRows { cleared: Vec::new(), not_waiting: Vec::new() };
    for row in rows {
        match runtime.block_on(clear_quarantined(&**store, &row, &by, Arc::default()))? {
            true => done.cleared.push(row),
            false => done.not_waiting.push(row),
        }
    }
    runtime.block_on(store.close());
    Ok(done)
}
