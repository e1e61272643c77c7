//! `stentor store`: rows in the state directory that cannot be read any more.

use crate::{
    cli::{client::DaemonClient, error::CliError, options::PathOptions, reports::journal_source::JournalSource, table},
    core::{Actor, printable::one_line},
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
    /// Rows that can not be read and are kept apart, so that they stop nothing else
    #[command(subcommand)]
    Quarantine(QuarantineAction),
}

#[derive(Debug, Subcommand)]
enum QuarantineAction {
    /// List it: incidents that nobody is paged about any more, and rows of other tables
    List {
        /// Include cleared rows
        #[arg(long)]
        all: bool,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what is left of one row, to handle it manually
    Show {
        /// The row as in the list, e.g. INC-42
        row: RowName,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Mark rows as handled: they are not reported any more; the journal stays unchanged
    Clear {
        /// The rows as in the list
        #[arg(required_unless_present = "all")]
        rows: Vec<RowName>,
        /// All rows
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
        let journal = match &what {
            QuarantineAction::Clear { .. } => JournalSource::to_change(places)?,
            QuarantineAction::List { .. } | QuarantineAction::Show { .. } => JournalSource::of(places)?,
        };
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
        table::say("everything can be read");
    } else {
        let mut rows = table::table(&["row", "found (UTC)", "what it was about", "what is wrong", "now"]);
        for entry in &entries {
            let about = entry.incident.as_ref().and_then(|incident| incident.summary.clone());
            let found = entry.found_at.to_utc().format("%Y-%m-%d %H:%M:%S").to_string();
            let now = standing(entry);
            rows.add_row([
                entry.row.to_string(),
                found,
                one_line(&about.unwrap_or_default()).into_owned(),
                one_line(&entry.why).into_owned(),
                now,
            ]);
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
            let entry = entry.ok_or_else(|| format!("{row} is not in quarantine"))?;
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
    table::say(&format!("  found          {} UTC", entry.found_at.to_utc().format("%Y-%m-%d %H:%M:%S")));
    if let Some(incident) = &entry.incident {
        table::say(&format!("  its key        {}", incident.key));
        table::say(&format!(
            "  it was about   {}",
            incident.summary.as_deref().unwrap_or("(that can not be read either)")
        ));
    }
    table::say("\nWHAT IS LEFT OF IT");
    for place in remains {
        table::say(&format!("  {}\n    {}", place.place, place.content.replace('\n', "\n    ")));
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
            table::say(&format!("{row} was not cleared: it is not in quarantine, or was cleared before"));
        }
    }
    Ok(if done.not_waiting.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn cleared_by_daemon(client: &DaemonClient, rows: Vec<RowName>) -> Result<ClearedRows, CliError> {
    client.post("/v1/quarantine/clear", &ClearRequest { rows })
}

fn cleared_in_folder(journal: &JournalSource, rows: Vec<RowName>) -> Result<ClearedRows, CliError> {
    let JournalSource::Folder { runtime, store } = journal else { return Err("a daemon uses this folder".into()) };
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
