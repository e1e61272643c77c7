//! `stentor postmortem`: everything that the journal knows of an incident, in Markdown or as one HTML file.

use super::{Failure, Places, evidence::Evidence};
use crate::{
    core::IncidentId,
    report::{Proposal, Story, postmortem},
    template::document::Documents,
};
use clap::{Args, ValueHint};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::ExitCode,
};

#[derive(Debug, Args)]
pub struct Postmortem {
    /// Which incident, e.g. INC-42 or 42
    incident: IncidentId,
    /// One HTML file with pictures, for screen and paper, instead of Markdown
    #[arg(long)]
    html: bool,
    /// Where to [default: standard output]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    out: Option<PathBuf>,
}

impl Postmortem {
    pub fn run(self, places: &Places) -> Result<ExitCode, Failure> {
        let evidence = Evidence::of(places)?;
        let story = Story::read(self.incident, &evidence.chain(self.incident)?)?;
        let hashes: BTreeSet<String> = story.incident.pages.values().filter_map(|page| page.text.clone()).collect();
        let beside = evidence.beside(places, hashes.into_iter())?;
        let documents = documents(places)?;
        // Changes are tried against the hypotheses of drills; a live incident has none.
        let proposal = Proposal::not_sought();
        let written = postmortem::postmortem(&story, &beside, &proposal, &documents, evidence.now())?;
        let text = if self.html { written.html } else { written.markdown };
        match &self.out {
            Some(path) => {
                std::fs::write(path, text)
                    .map_err(|error| format!("{} can not be written: {error}", path.display()))?;
            }
            None => print!("{text}"),
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The documents of these places: the folder's own in place of the shipped ones.
pub fn documents(places: &Places) -> Result<Documents, Failure> {
    let folder = places.templates.as_deref().unwrap_or(Path::new("templates"));
    Ok(if folder.is_dir() { Documents::load(folder)? } else { Documents::shipped()? })
}
