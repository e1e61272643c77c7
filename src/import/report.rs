//! What became of everything that was exported.

use crate::core::{Timestamp, printable::one_line};
use serde::Serialize;

/// The most differences of one schedule that are shown as text.
const SHOWN_MAX: usize = 5;

/// The report of an import.
#[derive(Debug, Clone, Serialize)]
pub struct ImportReport {
    /// Whose set-up it was.
    pub tool: &'static str,
    /// How much is in the matrix.
    pub carried: Carried,
    /// What needs somebody's look.
    pub findings: Vec<Finding>,
    /// The schedules whose on-call was compared.
    pub compared: Vec<ComparedSchedule>,
}

/// How many of each are in the matrix.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Carried {
    /// People.
    pub people: usize,
    /// Rotations.
    pub rotations: usize,
    /// Roles.
    pub roles: usize,
    /// Triggers.
    pub triggers: usize,
    /// Sources.
    pub sources: usize,
}

/// One thing to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which kind.
    pub kind: FindingKind,
    /// What it is, with its id where it was exported from.
    pub of: String,
    /// What became of it.
    pub why: String,
}

/// Kinds of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// It is not in the matrix.
    NotCarried,
    /// It is there in another way.
    Changed,
    /// Something must be filled in.
    FillIn,
    /// A person who can be reached by too little.
    NoContact,
    /// A secret that was not copied.
    Secret,
    /// Its name in the matrix is another one.
    Renamed,
}

impl FindingKind {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 6] =
        [Self::NotCarried, Self::Changed, Self::FillIn, Self::NoContact, Self::Secret, Self::Renamed];

    /// A heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::NotCarried => "Not carried over",
            Self::Changed => "Carried over in another way",
            Self::FillIn => "To fill in",
            Self::NoContact => "People who can hardly be reached",
            Self::Secret => "Secrets, which were not copied",
            Self::Renamed => "Other names",
        }
    }
}

/// A schedule that was compared.
#[derive(Debug, Clone, Serialize)]
pub struct ComparedSchedule {
    /// Which.
    pub schedule: String,
    /// With what.
    pub with: ComparedWith,
    /// From when.
    pub from: Timestamp,
    /// Up to when.
    pub until: Timestamp,
    /// Where the matrix has somebody else on call.
    pub differences: Vec<OnCallDifference>,
    /// How many more there are.
    pub left_out: usize,
}

/// What the matrix was compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ComparedWith {
    /// The shifts that the export itself lists.
    ListedShifts,
    /// The rules of the export: it lists no shifts, or too few.
    Rules,
}

/// A time in which somebody else is on call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OnCallDifference {
    /// From when.
    pub from: Timestamp,
    /// Up to when.
    pub until: Timestamp,
    /// Who is on call by the export; nobody if it is empty.
    pub export: Vec<String>,
    /// Who is by the matrix.
    pub matrix: Vec<String>,
}

impl ImportReport {
    /// An empty one.
    pub fn of(tool: &'static str) -> Self {
        Self { tool, carried: Carried::default(), findings: Vec::new(), compared: Vec::new() }
    }

    /// Adds a finding.
    pub fn found(&mut self, kind: FindingKind, of: impl Into<String>, why: impl Into<String>) {
        let finding = Finding { kind, of: of.into(), why: why.into() };
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    /// Whether somebody else is on call by the matrix than by the export.
    pub fn differs(&self) -> bool {
        self.compared.iter().any(|compared| !compared.differences.is_empty())
    }

    /// The report as text.
    pub fn text(&self) -> String {
        let Carried { people, rotations, roles, triggers, sources } = self.carried;
        let mut text = format!(
            "From {}: {people} people, {rotations} rotations, {roles} roles, {triggers} triggers, {sources} sources.\n",
            self.tool
        );
        for kind in FindingKind::ALL {
            let of_kind: Vec<&Finding> = self.findings.iter().filter(|finding| finding.kind == kind).collect();
            if !of_kind.is_empty() {
                text += &format!("\n{} ({}):\n", kind.title(), of_kind.len());
                for finding in of_kind {
                    // Words of others begin no line.
                    text += &format!("  {}: {}\n", one_line(&finding.of), one_line(&finding.why));
                }
            }
        }
        if !self.compared.is_empty() {
            text += "\nWho is on call:\n";
        }
        for compared in &self.compared {
            let with = match compared.with {
                ComparedWith::ListedShifts => "the shifts that the export lists",
                ComparedWith::Rules => "the rules of the export",
            };
            let (from, until) = (compared.from, compared.until);
            let verdict = match compared.differences.len() + compared.left_out {
                0 => "the same".to_owned(),
                count => format!("{count} differences"),
            };
            text +=
                &format!("  {}, {from} to {until}, compared with {with}: {verdict}\n", one_line(&compared.schedule));
            for difference in compared.differences.iter().take(SHOWN_MAX) {
                let names = |people: &[String]| if people.is_empty() { "nobody".to_owned() } else { people.join(", ") };
                text += &format!(
                    "    {} to {}: {} by the export, {} by the matrix\n",
                    difference.from,
                    difference.until,
                    names(&difference.export),
                    names(&difference.matrix),
                );
            }
            let more = (compared.differences.len() + compared.left_out).saturating_sub(SHOWN_MAX);
            if more != 0 {
                text += &format!("    and {more} more\n");
            }
        }
        text
    }
}
