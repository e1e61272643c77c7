//! `stentor incidents`: the board.

use crate::{
    cli::{
        client::{DaemonClient, next_portion},
        error::CliError,
        options::PathOptions,
        table,
    },
    core::printable::one_line,
    http::api::{
        incidents::{LIST_MAX, OPEN_COUNT},
        view::{IncidentView, RoleView},
    },
    store::QuarantinedRow,
};
use clap::Args;
use std::{num::NonZeroUsize, process::ExitCode};

/// The default number of incidents in a table; the table says how many more there are.
const SHOWN: usize = 50;

#[derive(Debug, Args)]
pub struct IncidentsArgs {
    /// Include resolved incidents
    #[arg(long)]
    all: bool,
    /// The maximum number, newest first [default: 50 in a table, all of them as JSON]
    #[arg(long)]
    limit: Option<NonZeroUsize>,
    /// Print them as JSON
    #[arg(long)]
    json: bool,
}

impl IncidentsArgs {
    pub fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        let client = DaemonClient::of(places)?;
        let (incidents, left_out) = self.read(&client)?;
        let cut = left_out.map(|left_out| self.cut(&incidents, left_out));
        if self.json {
            println!("{}", serde_json::to_string_pretty(&incidents)?);
            cut.iter().for_each(|cut| table::warn(cut));
        } else if incidents.is_empty() && cut.is_none() {
            table::say(if self.all { "no incident yet" } else { "nothing is open" });
        } else {
            cut.iter().for_each(|cut| table::say(cut));
            println!("{}", board(&incidents));
        }
        // On standard error: if a list leaves something out it says so, even to readers of JSON.
        let set_aside: Vec<QuarantinedRow> = client.get("/v1/quarantine")?;
        match set_aside.iter().filter(|entry| entry.row.incident().is_some()).count() {
            0 => {}
            lost => table::warn(&format!("{lost} more can not be read: see `stentor store quarantine list`")),
        }
        Ok(ExitCode::SUCCESS)
    }

    /// The requested number of incidents, and information about those that are left out; `None` if there are none.
    fn read(&self, client: &DaemonClient) -> Result<(Vec<IncidentView>, Option<LeftOut>), CliError> {
        let most = self.limit.map_or(if self.json { usize::MAX } else { SHOWN }, NonZeroUsize::get);
        let mut incidents: Vec<IncidentView> = Vec::new();
        loop {
            let limit = LIST_MAX.min(most - incidents.len());
            let before = incidents.last().map_or_else(String::new, |last| format!("&before={}", last.id));
            let path = format!("/v1/incidents?all={}&limit={limit}{before}", self.all);
            let (mut more, head) = client.get_with_head::<Vec<IncidentView>>(&path)?;
            let read = more.len();
            incidents.append(&mut more);
            let goes_on = next_portion(&head).is_some();
            if goes_on && incidents.len() < most && read != 0 {
                continue;
            }
            let open = head.get(OPEN_COUNT).and_then(|count| count.to_str().ok()?.parse().ok());
            return Ok((incidents, goes_on.then_some(LeftOut { open })));
        }
    }

    fn cut(&self, incidents: &[IncidentView], left_out: LeftOut) -> String {
        let shown = incidents.len();
        match left_out.open.filter(|_| !self.all) {
            Some(open) => format!("The newest {shown} of {open} open incidents; --limit {open} shows all of them."),
            None => format!("The newest {shown} incidents; there are older ones, --limit {} shows more.", shown * 2),
        }
    }
}

/// The incidents that are not shown.
struct LeftOut {
    /// How many are open in total, shown or not.
    open: Option<usize>,
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
            one_line(&incident.summary).into_owned(),
        ]);
    }
    rows.to_string()
}

/// An incident in the sandbox must not look like a live one.
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
    format!("{}: {}", role.called(), role.says)
}
