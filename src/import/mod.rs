//! The set-up of another tool becomes a matrix: a pure function of what was exported. What can not be said in a matrix is in
//! the report, by its own id; secrets are never copied.

mod alertmanager;
mod cel;
mod comparison;
mod draft;
mod foreign;
mod goalert;
mod ladder;
mod leftovers;
mod matchers;
mod names;
mod oncall;
mod opsgenie;
mod opsgenie_routing;
mod pagerduty;
mod pagerduty_schedules;
mod people;
mod report;
mod rrule;
mod schedule;
mod secrets;
mod sender;
mod settle;
mod slots;
mod targets;
mod toml_text;

pub use report::{Carried, ComparedSchedule, ComparedWith, Finding, FindingKind, ImportReport, OnCallDifference};

use crate::{
    core::{Timestamp, Zones},
    matrix::{KnownNames, Matrix, Severity, SourceText},
};
use draft::MatrixDraft;
use foreign::Foreign;
use serde_json::Value;
use std::{path::PathBuf, sync::Arc};

/// The largest export, in bytes.
pub const EXPORT_MAX: usize = 64 << 20;

/// The file that is written.
pub const FILE: &str = "matrix.toml";

/// Whose set-up it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// PagerDuty: objects of its REST API, as JSON.
    PagerDuty,
    /// Alertmanager: its configuration, as YAML.
    Alertmanager,
    /// Opsgenie: objects of its REST API, as JSON.
    Opsgenie,
    /// GoAlert: answers of its GraphQL API, as JSON.
    GoAlert,
    /// Grafana OnCall: objects of its API, as JSON.
    GrafanaOnCall,
}

impl Tool {
    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::PagerDuty => "PagerDuty",
            Self::Alertmanager => "Alertmanager",
            Self::Opsgenie => "Opsgenie",
            Self::GoAlert => "GoAlert",
            Self::GrafanaOnCall => "Grafana OnCall",
        }
    }
}

/// What is imported.
#[derive(Debug, Clone, Copy)]
pub struct Export<'a> {
    /// Whose.
    pub tool: Tool,
    /// What was exported.
    pub bytes: &'a [u8],
    /// Prometheus' rule files, which have the names of alerts; only Alertmanager needs them.
    pub rules: &'a [Vec<u8>],
}

/// A matrix with the report about it.
#[derive(Debug)]
pub struct Imported {
    /// The matrix, as TOML.
    pub matrix: String,
    /// What became of everything.
    pub report: ImportReport,
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is larger than [`EXPORT_MAX`].
    #[error("the export has more than {EXPORT_MAX} bytes")]
    TooLarge,
    /// It is not what the tool exports.
    #[error("this is no export of {tool}: {why}")]
    NotAnExport {
        /// Whose it should be.
        tool: &'static str,
        /// What is wrong.
        why: String,
    },
    /// The matrix that was made has a mistake, which is a fault of the import.
    #[error("the matrix that was made of it has a mistake, which is a fault of stentor: {0}")]
    Refused(String),
}

/// Makes a matrix of an export.
///
/// # Errors
/// The export can not be read, or it is no export of this tool.
pub fn import(export: Export<'_>, zones: &Arc<Zones>, now: Timestamp) -> Result<Imported, ImportError> {
    if EXPORT_MAX < export.bytes.len() {
        return Err(ImportError::TooLarge);
    }
    let tool = export.tool.title();
    let refused = |why: String| ImportError::NotAnExport { tool, why };
    let mut report = ImportReport::of(tool);
    let mut draft = MatrixDraft::default();
    let (value, foreign) = match reader(export.tool) {
        Some(read) => {
            let value = foreign::json(export.bytes).map_err(refused)?;
            let foreign = read(&value, (zones, now), &mut draft, &mut report).map_err(refused)?;
            (value, foreign)
        }
        None => {
            let value = foreign::yaml(export.bytes).map_err(refused)?;
            let rules: Result<Vec<Value>, String> = export.rules.iter().map(|rules| foreign::yaml(rules)).collect();
            let rules = rules.map_err(|why| refused(format!("rules: {why}")))?;
            alertmanager::read(&value, &rules, &mut draft, &mut report).map_err(refused)?;
            (value, Foreign::default())
        }
    };
    settle::settle(&mut draft, zones, &mut report);
    if draft.has_mail() {
        report.found(FindingKind::FillIn, "channel mail", "your mail server, and the sender");
    }
    if draft.has_phone() {
        report.found(
            FindingKind::FillIn,
            "channel sms",
            "how your SMS gateway takes messages; its address is in SMS_GATEWAY_URL",
        );
    }
    secrets::report(&value, &mut report);
    let matrix = toml_text::written(&draft, tool);
    let parsed = parse(&matrix, zones, now)?;
    for schedule in &foreign.schedules {
        comparison::compare(schedule, &parsed.roster, now, &mut report);
    }
    report.carried = Carried {
        people: draft.people.len(),
        rotations: draft.rotations.len(),
        roles: draft.roles.len(),
        triggers: draft.triggers.len(),
        sources: draft.sources.len(),
    };
    Ok(Imported { matrix, report })
}

/// Reads objects that were exported as JSON.
type Reader = fn(&Value, (&Arc<Zones>, Timestamp), &mut MatrixDraft, &mut ImportReport) -> Result<Foreign, String>;

/// The reader of a tool's objects; Alertmanager has none, but a configuration.
fn reader(tool: Tool) -> Option<Reader> {
    match tool {
        Tool::PagerDuty => Some(pagerduty::read),
        Tool::Opsgenie => Some(opsgenie::read),
        Tool::GoAlert => Some(goalert::read),
        Tool::GrafanaOnCall => Some(oncall::read),
        Tool::Alertmanager => None,
    }
}

fn parse(text: &str, zones: &Arc<Zones>, now: Timestamp) -> Result<Matrix, ImportError> {
    let files = [SourceText { path: PathBuf::from(FILE), text: text.to_owned() }];
    let templates = std::collections::BTreeMap::from([("default".into(), String::new())]);
    let parsed = Matrix::parse_with(&files, &KnownNames { templates: &templates }, zones.clone(), now);
    let errors = parsed.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    let errors: Vec<&str> = errors.map(|diagnostic| diagnostic.message.as_str()).collect();
    parsed.matrix.ok_or_else(|| ImportError::Refused(errors.join("; ")))
}
