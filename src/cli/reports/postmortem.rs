//! `stentor postmortem`: everything that the journal knows about an incident, in Markdown or as one HTML file.

use crate::{
    cli::{
        error::CliError,
        load,
        options::PathOptions,
        output::OutputOptions,
        reports::{journal_source::JournalSource, proposal},
    },
    core::{IncidentId, Timestamp},
    drill::analysis::incident_replay,
    report::{IncidentTimeline, ReviewProposal, postmortem},
    template::document::DocumentTemplates,
};
use clap::Args;
use std::{collections::BTreeSet, path::Path, process::ExitCode};

#[derive(Debug, Args)]
pub struct PostmortemArgs {
    /// The incident, e.g. INC-42 or 42
    incident: IncidentId,
    /// One HTML file with pictures, for screen and paper, instead of Markdown
    #[arg(long)]
    html: bool,
    /// What the document says, as JSON
    #[arg(long, conflicts_with = "html")]
    json: bool,
    #[command(flatten)]
    output: OutputOptions,
}

impl PostmortemArgs {
    pub fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        let journal = JournalSource::of(places)?;
        let timeline = journal.timeline(self.incident)?;
        let hashes: BTreeSet<String> = timeline.incident.pages.values().filter_map(|page| page.text.clone()).collect();
        let beside = journal.beside(places, hashes.into_iter())?;
        let documents = documents(places)?;
        let proposal = sought(places, &timeline, journal.now());
        let written = postmortem::postmortem(&timeline, &beside, &proposal, &documents, journal.now())?;
        self.output.write_review(written, self.html, self.json)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// A change of the current matrix with which the missed targets would have been met, according to virtual time.
fn sought(places: &PathOptions, timeline: &IncidentTimeline, now: Timestamp) -> ReviewProposal {
    let none = |why: String| ReviewProposal { diff: None, why };
    let opened_at = timeline.incident.opened_at;
    let Ok(loaded) = load::load(places, opened_at) else {
        return none("none was tried: the matrix is not here".into());
    };
    let Some(matrix) = &loaded.matrix else { return none("none was tried: the matrix has faults".into()) };
    match incident_replay::question(timeline, matrix, now) {
        Ok((scenario, failed)) => {
            let found = proposal::sought(&loaded, &scenario, opened_at, &failed);
            incident_replay::left_out(timeline).into_iter().fold(found, ReviewProposal::adding)
        }
        Err(no) => none(no.to_string()),
    }
}

/// The document templates for these paths: the directory's own in place of the shipped ones.
pub fn documents(places: &PathOptions) -> Result<DocumentTemplates, CliError> {
    let folder = places.templates.as_deref().unwrap_or(Path::new("templates"));
    Ok(if folder.is_dir() { DocumentTemplates::load(folder)? } else { DocumentTemplates::shipped()? })
}
