//! `stentor sources`: who sends alerts, when each was last heard, and what became of what they sent.

use crate::{
    cli::{
        client::DaemonClient,
        error::CliError,
        options::PathOptions,
        table::{self, say},
    },
    core::{Timestamp, printable::one_line},
    engine::{KindReport, SourcesReport},
};
use clap::Args;
use std::process::ExitCode;

/// What stands for all kinds without a name of their own.
const OTHERS: &str = "(others)";

#[derive(Debug, Args)]
pub struct SourcesArgs {
    /// Print them as JSON
    #[arg(long)]
    json: bool,
}

impl SourcesArgs {
    pub fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        let report: SourcesReport = DaemonClient::of(places)?.get("/v1/sources")?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&report)?);
        } else {
            print(&report);
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn print(report: &SourcesReport) {
    let since = time(report.since);
    say(&format!("since the start of the daemon at {since}:"));
    let mut rows = table::table(&["source", "last request (UTC)", "status", "last alert (UTC)"]);
    for source in &report.sources {
        let name = name(&source.source);
        let name = if source.in_matrix { name } else { format!("{name} (not in the matrix)") };
        let request = source.last_request.as_ref();
        rows.add_row([
            name,
            request.map_or_else(|| "-".into(), |request| time(request.at)),
            request.map_or_else(|| "-".into(), |request| request.status.to_string()),
            source.last_alert_at.map_or_else(|| "-".into(), time),
        ]);
    }
    println!("{rows}");
    if report.sources.is_empty() {
        say("the matrix has no source, and nobody has sent anything");
    }
    kinds(report);
    stored(report);
}

fn kinds(report: &SourcesReport) {
    let all = || report.sources.iter().flat_map(|source| source.kinds.iter().map(move |kind| (source, kind)));
    if all().next().is_none() {
        return;
    }
    println!();
    let mut rows = table::table(&["source", "kind", "results", "looked at by"]);
    for (source, kind) in all() {
        let triggers = kind.triggers.as_ref().map(|triggers| match triggers.as_slice() {
            [] => "NO TRIGGER".to_owned(),
            names => names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        });
        let kind_name = kind.kind.as_deref().map_or_else(|| OTHERS.to_owned(), name);
        rows.add_row([name(&source.source), kind_name, results(kind), triggers.unwrap_or_else(|| "-".into())]);
    }
    println!("{rows}");
    let is_lost = |kind: &KindReport| kind.triggers.as_ref().is_some_and(Vec::is_empty);
    let lost = all().filter(|(_, kind)| is_lost(kind)).count();
    if 0 < lost {
        say(&format!("{lost} kind(s) that no trigger of the matrix has in `on` for their source"));
    }
}

/// Counts that began before the daemon did: what is younger is in the counts above.
fn stored(report: &SourcesReport) {
    let mut rows = table::table(&["source", "kind", "result", "trigger", "count", "since (UTC)", "last (UTC)"]);
    let all = report.sources.iter().flat_map(|source| source.stored.iter().map(move |count| (source, count)));
    let older: Vec<_> = all.filter(|(_, count)| count.since < report.since).collect();
    for (source, count) in &older {
        rows.add_row([
            name(&source.source),
            count.kind.as_deref().map_or_else(|| OTHERS.to_owned(), name),
            count.result.clone(),
            count.trigger.as_ref().map_or_else(|| "-".into(), ToString::to_string),
            count.count.to_string(),
            time(count.since),
            time(count.last_at),
        ]);
    }
    if !older.is_empty() {
        println!();
        say("counts in the store that began before that start, of alerts that opened nothing:");
        println!("{rows}");
    }
}

fn results(kind: &KindReport) -> String {
    let told = kind.results.iter().map(|own| {
        let layer = own.layer.as_ref().map_or_else(String::new, |layer| format!(" by {layer}"));
        let drill = if own.drill { " (drill)" } else { "" };
        format!("{} {}{layer}{drill}", own.count, own.result)
    });
    told.collect::<Vec<_>>().join(", ")
}

fn name(text: &str) -> String {
    one_line(text).into_owned()
}

fn time(at: Timestamp) -> String {
    at.to_utc().format("%Y-%m-%d %H:%M:%S").to_string()
}
