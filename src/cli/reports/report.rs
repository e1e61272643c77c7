//! `stentor report`: time to engagement, and how often triggers are right.

mod handoffs;
mod tables;

use crate::{
    cli::{
        error::CliError,
        options::PathOptions,
        output,
        progress::while_working,
        reports::journal_source::{JournalSource, each_of_folder},
    },
    config,
    core::{RoleName, Timestamp, Zone},
    http::api::reports::since,
    matrix::zone_named,
    report::{
        TteGrouping, TteQuestion, TteReport, TteTally, gather,
        handoffs::{HandoffGrouping, HandoffTally, HandoffsReport},
        picture,
        triggers::{TriggerTally, TriggersReport},
    },
};
use clap::{Args, Subcommand, ValueHint};
use std::{collections::BTreeMap, path::PathBuf, process::ExitCode, time::Duration};

/// How long a daemon may take to read its whole journal for a report.
const REPORT_TIME_MAX: Duration = Duration::from_secs(30 * 60);

#[derive(Debug, Args)]
pub struct ReportArgs {
    #[command(subcommand)]
    what: ReportCommand,
}

#[derive(Debug, Subcommand)]
enum ReportCommand {
    /// Time to engagement: quantiles with 95 % intervals, targets, stages; roles that were not engaged count too
    Tte(TteArgs),
    /// Conversations that were handed over: how long until a person had them, and who left before
    Handoffs {
        /// Only incidents opened since: a duration before now (30d) or a time (RFC 3339) [default: all]
        #[arg(long, value_name = "SPAN|TIME")]
        since: Option<String>,
        /// Group by reason, tier, role, hour or variant (the wording that users read)
        #[arg(long, default_value_t)]
        by: HandoffGrouping,
        /// The time zone of the hours [default: UTC]
        #[arg(long, value_name = "ZONE", value_parser = zone)]
        zone: Option<Zone>,
        /// Print it as JSON, times in seconds
        #[arg(long)]
        json: bool,
    },
    /// Precision of each trigger, by the outcomes of its incidents
    Triggers {
        /// Only incidents opened since: a duration before now (30d) or a time (RFC 3339) [default: all]
        #[arg(long, value_name = "SPAN|TIME")]
        since: Option<String>,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
struct TteArgs {
    /// Only incidents opened since: a duration before now (30d) or a time (RFC 3339) [default: all]
    #[arg(long, value_name = "SPAN|TIME")]
    since: Option<String>,
    /// Only this role
    #[arg(long)]
    role: Option<String>,
    /// Group by role, step, channel or hour
    #[arg(long, default_value_t)]
    by: TteGrouping,
    /// Drills instead of live incidents: the two are never mixed
    #[arg(long)]
    drills: bool,
    /// Include incidents with pages that were kept in the sandbox and sent to nobody
    #[arg(long)]
    sandbox: bool,
    /// Include incidents that turned out to be duplicates
    #[arg(long)]
    duplicates: bool,
    /// The time zone of the hours [default: UTC]
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    zone: Option<Zone>,
    /// Draw the share engaged by each time into an SVG file; - prints the picture in place of the figures
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    picture: Option<PathBuf>,
    /// Overwrite the picture if it is there already
    #[arg(long, requires = "picture")]
    force: bool,
    /// Print it as JSON, times in seconds
    #[arg(long)]
    json: bool,
}

impl ReportArgs {
    pub fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        match self.what {
            ReportCommand::Tte(tte) => tte.run(places),
            ReportCommand::Handoffs { since, by, zone, json } => handoffs(places, since, by, zone, json),
            ReportCommand::Triggers { since, json } => triggers(places, since, json),
        }
    }
}

impl TteArgs {
    fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        let report = while_working("reading the journal", || self.measured(places))?;
        let people = if self.json { BTreeMap::new() } else { JournalSource::of(places)?.names(places)? };
        let names = tables::ReportNames { roles: &report.called, people: &people };
        if let Some(path) = &self.picture {
            output::write_new(path, &drawn(&report, &names), self.force)?;
            if output::is_standard(path) {
                return Ok(ExitCode::SUCCESS);
            }
        }
        if self.json {
            println!("{}", serde_json::to_string_pretty(&report)?);
        } else {
            println!("{}", tables::tte(&report, &names));
        }
        Ok(ExitCode::SUCCESS)
    }

    fn measured(&self, places: &PathOptions) -> Result<TteReport, CliError> {
        match JournalSource::of(places)? {
            JournalSource::Daemon(client) => client.get_within(&self.path(), REPORT_TIME_MAX),
            JournalSource::Folder { runtime, store } => {
                let now = crate::store::Store::now(&*store);
                let mut tally = TteTally::new(self.question(now)?);
                each_of_folder(&runtime, &*store, gather(&mut tally, now))?;
                Ok(tally.report(now))
            }
        }
    }

    fn question(&self, now: Timestamp) -> Result<TteQuestion, CliError> {
        Ok(TteQuestion {
            since: self.since.as_deref().map(|text| moment(text, now)).transpose()?,
            role: self.role.clone().map(RoleName::from),
            by: self.by,
            drills: self.drills,
            duplicates: self.duplicates,
            sandbox: self.sandbox,
            zone: self.zone.clone(),
            curves: self.picture.is_some(),
        })
    }

    fn path(&self) -> String {
        let mut pairs = Vec::new();
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        pairs.push(("since", text(&self.since)));
        pairs.push(("role", text(&self.role)));
        pairs.push(("by", self.by.to_string()));
        pairs.push(("drills", self.drills.to_string()));
        pairs.push(("duplicates", self.duplicates.to_string()));
        pairs.push(("sandbox", self.sandbox.to_string()));
        pairs.push(("zone", self.zone.as_ref().map_or(String::new(), ToString::to_string)));
        pairs.push(("curves", self.picture.is_some().to_string()));
        query("/v1/report/tte", &pairs)
    }
}

/// A zone by its name, as this machine knows them.
fn zone(name: &str) -> Result<Zone, String> {
    zone_named(name, &config::zoneinfo::zones()).map_err(|unknown| format!("{unknown}: {}", unknown.help))
}

fn handoffs(
    places: &PathOptions,
    since: Option<String>,
    by: HandoffGrouping,
    zone: Option<Zone>,
    json: bool,
) -> Result<ExitCode, CliError> {
    let report: HandoffsReport = match JournalSource::of(places)? {
        JournalSource::Daemon(client) => {
            let zone = zone.as_ref().map_or(String::new(), ToString::to_string);
            let pairs = [("since", since.unwrap_or_default()), ("by", by.to_string()), ("zone", zone)];
            client.get_within(&query("/v1/report/handoffs", &pairs), REPORT_TIME_MAX)?
        }
        JournalSource::Folder { runtime, store } => {
            let now = crate::store::Store::now(&*store);
            let since = since.as_deref().map(|text| moment(text, now)).transpose()?;
            let mut tally = HandoffTally::new(since, by, zone);
            each_of_folder(&runtime, &*store, gather(&mut tally, now))?;
            tally.report(now)
        }
    };
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        println!("{}", handoffs::handoffs(&report));
    }
    Ok(ExitCode::SUCCESS)
}

fn triggers(places: &PathOptions, since: Option<String>, json: bool) -> Result<ExitCode, CliError> {
    let report: TriggersReport = match JournalSource::of(places)? {
        JournalSource::Daemon(client) => {
            let path = query("/v1/report/triggers", &[("since", since.unwrap_or_default())]);
            client.get_within(&path, REPORT_TIME_MAX)?
        }
        JournalSource::Folder { runtime, store } => {
            let now = crate::store::Store::now(&*store);
            let mut tally = TriggerTally::new(since.as_deref().map(|text| moment(text, now)).transpose()?);
            each_of_folder(&runtime, &*store, gather(&mut tally, now))?;
            tally.report(now)
        }
    };
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        println!("{}", tables::triggers(&report));
    }
    Ok(ExitCode::SUCCESS)
}

fn moment(text: &str, now: Timestamp) -> Result<Timestamp, CliError> {
    since(text, now).map_err(|problem| problem.detail().to_owned().into())
}

/// A path with the pairs that have a value.
fn query(path: &str, pairs: &[(&str, String)]) -> String {
    let said = pairs.iter().filter(|(_, value)| !value.is_empty());
    let said: Vec<String> = said.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    format!("{path}?{}", said.join("&"))
}

fn encoded(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    value.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// One curve for each group; the target is drawn if there is only one group. Drills with divided waits are labelled.
fn drawn(report: &TteReport, names: &tables::ReportNames<'_>) -> String {
    let called = |group| {
        let line = picture::PlotLine::from(group);
        picture::PlotLine { name: names.group(&line.name, report.by), ..line }
    };
    let compressed = report.compressed.iter().flat_map(|of| {
        let marked = |group| {
            let line = called(group);
            picture::PlotLine { name: format!("{}, waits / {}", line.name, of.compress), ..line }
        };
        of.figures.groups.iter().map(marked)
    });
    let lines: Vec<picture::PlotLine> = report.figures.groups.iter().map(called).chain(compressed).collect();
    let target = match &report.figures.groups[..] {
        [only] if report.compressed.is_empty() => only.target,
        _ => None,
    };
    let target = target.map(|target| (Duration::from_secs_f64(target.within), target.percent / 100.0));
    let word = if report.drills { "drills" } else { "live" };
    let title = format!("Share engaged by each time, by {}, {word}", report.by);
    picture::standalone(&picture::curves(&title, &lines, target))
}
