//! Loads matrix and templates from their directories, with their diagnostics.

use crate::{
    cli::{error::CliError, options::PathOptions, table, terminal::colours},
    config,
    core::{self, Alert, EscalationPlan, Incident, IncidentId, IncidentKey, IncidentOpening, Page, Timestamp, Zones},
    engine::render,
    matrix::{self, Diagnostic, KnownNames, Matrix, Severity, SourceText},
    template::PageTemplates,
    toml_kit::unread::{UnreadFile, unread},
};
use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The shipped matrix, for users without a directory yet.
const SHIPPED: [(&str, &str); 4] = [
    ("10-channels.toml", include_str!("../../matrix/10-channels.toml")),
    ("20-people.toml", include_str!("../../matrix/20-people.toml")),
    ("30-roles.toml", include_str!("../../matrix/30-roles.toml")),
    ("40-triggers.toml", include_str!("../../matrix/40-triggers.toml")),
];

/// The result of loading.
pub struct LoadedMatrix {
    /// `None` if there is an error.
    pub matrix: Option<Matrix>,
    /// Every fault.
    pub diagnostics: Vec<Diagnostic>,
    /// The files, for showing where the faults are.
    pub files: Vec<SourceText>,
    /// The templates.
    pub templates: PageTemplates,
    /// The time zones that it was read with.
    pub zones: Arc<Zones>,
}

/// Reads everything again, also on SIGHUP.
pub fn load(places: &PathOptions, as_of: Timestamp) -> Result<LoadedMatrix, CliError> {
    let templates = templates(places)?;
    let files = read(&places.matrix)?;
    let mut loaded = parse(files, templates, as_of);
    loaded.diagnostics.extend(unread(&places.matrix).into_iter().map(not_read));
    Ok(loaded)
}

/// The shipped matrix and templates.
pub fn shipped(as_of: Timestamp) -> LoadedMatrix {
    embedded("matrix", &SHIPPED, as_of)
}

/// A matrix of these files, which are in the program, and the shipped templates.
pub fn embedded(folder: &str, files: &[(&str, &str)], as_of: Timestamp) -> LoadedMatrix {
    let file = |(name, text): &(&str, &str)| SourceText { path: Path::new(folder).join(name), text: (*text).into() };
    parse(files.iter().map(file).collect(), PageTemplates::shipped(), as_of)
}

fn parse(files: Vec<SourceText>, templates: PageTemplates, as_of: Timestamp) -> LoadedMatrix {
    let revisions = templates.revisions();
    let zones = Arc::new(config::zoneinfo::zones());
    let mut parsed = Matrix::parse_with(&files, &KnownNames { templates: &revisions }, zones.clone(), as_of);
    parsed.diagnostics.extend(zones.data().problem.as_deref().map(zone_problem));
    parsed.diagnostics.extend(files.iter().filter_map(capital_ending));
    let alike = parsed.matrix.as_ref().map(|matrix| alike(matrix, &templates, as_of)).unwrap_or_default();
    if !alike.is_empty() {
        parsed.matrix = None;
        parsed.diagnostics.extend(alike);
    }
    LoadedMatrix { matrix: parsed.matrix, diagnostics: parsed.diagnostics, files, templates, zones }
}

/// A warning about `30-roles.TOML`: it is read, and that may not have been the intention.
fn capital_ending(file: &SourceText) -> Option<Diagnostic> {
    let is_plain = file.path.extension().is_none_or(|end| end == "toml");
    (!is_plain).then(|| Diagnostic {
        severity: Severity::Warning,
        code: "file-ending",
        message: format!(
            "{} is read as a part of the matrix, although its ending is in capital letters",
            file.path.display()
        ),
        file: file.path.clone(),
        line: 0,
        column: 0,
        span: 0..0,
        help: Some("name it .toml; or, if it is no part of the matrix, give it another ending".into()),
    })
}

/// A warning about what lies in the folder, looks like a part of the matrix, and is none.
fn not_read(file: UnreadFile) -> Diagnostic {
    Diagnostic {
        severity: Severity::Warning,
        code: "not-read",
        message: file.why,
        file: file.path,
        line: 0,
        column: 0,
        span: 0..0,
        help: Some(file.help.into()),
    }
}

/// A warning that the time zones are not the newest; this is not a fault of the matrix.
fn zone_problem(problem: &str) -> Diagnostic {
    Diagnostic {
        severity: Severity::Warning,
        code: "zone-data",
        message: problem.to_owned(),
        file: PathBuf::new(),
        line: 0,
        column: 0,
        span: 0..0,
        help: Some(
            "install or repair the system's time zones (tzdata), then reload; `stentor doctor` shows which are used"
                .into(),
        ),
    }
}

/// Compares each role's drill and live texts by each channel: people must be able to tell them apart.
fn alike(matrix: &Matrix, templates: &PageTemplates, as_of: Timestamp) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    for (name, trigger) in &matrix.triggers {
        let Some(plan) = matrix.plan(name) else { continue };
        let mut alert = Alert::new("check", trigger.on.first().cloned().unwrap_or_default());
        let (live, drill) = (opened(matrix, &plan, &alert, as_of), {
            alert.drill = true;
            opened(matrix, &plan, &alert, as_of)
        });
        for (page, practice) in live.pages.values().zip(drill.pages.values()) {
            let (Some(role), Some(settings)) = (&page.role, matrix.channel(&page.channel)) else { continue };
            let text = |incident: &Incident, page: &Page| {
                render(matrix, templates, &Default::default(), incident, page, settings.kind()).body
            };
            if !tells_apart(&text(&live, page), &text(&drill, practice)) {
                faults.push(alike_fault(role.as_str(), page.channel.as_str()));
            }
        }
    }
    faults.sort_by(|a, b| a.message.cmp(&b.message));
    faults.dedup_by(|a, b| a.message == b.message);
    faults
}

fn opened(matrix: &Matrix, plan: &Arc<EscalationPlan>, alert: &Alert, as_of: Timestamp) -> Incident {
    let (plan, alert) = (plan.clone(), Arc::new(alert.clone()));
    let opening = IncidentOpening {
        key: IncidentKey::stored(""),
        summary: "a check".into(),
        plan,
        alert,
        received_at: as_of,
        terms: None,
        ask: None,
        nonce: None,
    };
    core::open(IncidentId(1), opening, &matrix.roster, as_of).0
}

/// Whether the two cannot be confused: each begins with its own word and never contains the other's first word.
fn tells_apart(live: &str, drill: &str) -> bool {
    let begins = |text: &str, word: &str| text.lines().any(|line| line.trim_start().starts_with(word));
    live.starts_with("LIVE") && drill.starts_with("DRILL") && !begins(live, "DRILL") && !begins(drill, "LIVE")
}

fn alike_fault(role: &str, channel: &str) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        code: "drill-like-live",
        message: format!("what {role} reads by {channel} in a drill can be taken for the real thing, or the reverse"),
        file: PathBuf::new(),
        line: 0,
        column: 0,
        span: 0..0,
        help: Some("no line of a template may begin with DRILL or LIVE: the program writes the first line".into()),
    }
}

impl LoadedMatrix {
    /// The matrix; if it has errors, prints them to standard error and returns an error with their number.
    pub fn demand(self) -> Result<(Matrix, PageTemplates), CliError> {
        if !self.diagnostics.is_empty() {
            let colour = colours(std::io::stderr().is_terminal());
            eprint!("{}", table::faults("the matrix", &self.diagnostics, &self.files, colour));
        }
        let errors = self.errors();
        let templates = self.templates;
        self.matrix.map(|matrix| (matrix, templates)).ok_or_else(|| {
            format!("the matrix has {errors} error(s): nothing was started; `stentor check` shows them again").into()
        })
    }

    /// The same for a running daemon: all faults go to its log, in the log's own format.
    pub fn accept(self) -> Result<(Matrix, PageTemplates), CliError> {
        let found = matrix::render(&self.diagnostics, &self.files, false);
        let faults = self.in_one_line();
        let Some(matrix) = self.matrix else {
            return Err(format!("{faults}\n{found}").into());
        };
        if !found.is_empty() {
            tracing::warn!("the matrix has warnings:\n{found}");
        }
        Ok((matrix, self.templates))
    }

    /// Every fault as people read it, without colours; empty if there is none.
    pub fn shown(&self) -> String {
        matrix::render(&self.diagnostics, &self.files, false)
    }

    /// The number of errors and the place of the first, for where there is room for one line.
    fn in_one_line(&self) -> String {
        let count = format!("the matrix has {} error(s)", self.errors());
        let Some(first) = self.diagnostics.iter().find(|diagnostic| diagnostic.severity == Severity::Error) else {
            return count;
        };
        let place = match first.line {
            0 => first.file.display().to_string(),
            line => format!("{}:{line}", first.file.display()),
        };
        let place = if place.is_empty() { place } else { format!("{place}: ") };
        let message = first.message.lines().next().unwrap_or_default();
        format!("{count}, the first: {place}{message}; `stentor check` shows them")
    }

    /// How many of the diagnostics are errors.
    pub fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count()
    }
}

fn read(folder: &Path) -> Result<Vec<SourceText>, CliError> {
    const WHERE: &str = "begin one with `stentor init`, or name its folder with --matrix DIR (STENTOR_MATRIX); `stentor demo` needs none";
    let shown = folder.display();
    let files = matrix::read_folder(folder)
        .map_err(|error| format!("the matrix in {shown} can not be read: {error}\n  {WHERE}"))?;
    if files.is_empty() {
        return Err(format!("there is no *.toml in {shown}, so there is no matrix\n  {WHERE}").into());
    }
    Ok(files)
}

fn templates(places: &PathOptions) -> Result<PageTemplates, CliError> {
    match &places.templates {
        Some(folder) => Ok(PageTemplates::load(folder)?),
        None if Path::new("templates").is_dir() => Ok(PageTemplates::load(Path::new("templates"))?),
        None => Ok(PageTemplates::shipped()),
    }
}

/// The wall clock, for uses outside a crisis: counting rotation turns, printing names.
#[expect(clippy::disallowed_methods, reason = "a command's own `now` enters here")]
pub fn now() -> Timestamp {
    Timestamp::nearest(&chrono::Utc::now())
}

#[cfg(test)]
mod tests {
    use super::tells_apart;

    #[test]
    fn a_drill_that_can_be_taken_for_the_real_thing_is_found() {
        assert!(tells_apart("LIVE INC-1\nfacts", "DRILL INC-1\nfacts"));
        assert!(!tells_apart("LIVE INC-1\nfacts", "LIVE INC-1\nfacts"));
        assert!(!tells_apart("LIVE INC-1\nDRILL over", "DRILL INC-1"));
        assert!(!tells_apart("LIVE INC-1", "DRILL INC-1\n LIVE facts"));
    }
}
