//! `stentor drill report`: the after-action review of a run.

use crate::{
    cli::{
        error::CliError,
        load,
        options::PathOptions,
        output::OutputOptions,
        reports::{journal_source::JournalSource, postmortem::documents, proposal},
    },
    core::{ChannelName, DrillRun, RunId},
    drill::{
        Scenario,
        analysis::review::{self, ReviewedRun},
    },
    matrix::{ChannelKind, Matrix, SourceText},
    report::after_action::{EARLIER_MAX, review as written},
};
use clap::Args;
use std::{collections::BTreeSet, process::ExitCode};

#[derive(Debug, Args)]
pub struct DrillReportArgs {
    /// The run, e.g. DR-7
    run: RunId,
    /// One HTML file with pictures, for screen and paper, instead of Markdown
    #[arg(long)]
    html: bool,
    /// What the document says, as JSON
    #[arg(long, conflicts_with = "html")]
    json: bool,
    #[command(flatten)]
    output: OutputOptions,
    /// Only the proposed change of the matrix, as a diff; exit 1 if there is none
    #[arg(long, conflicts_with_all = ["html", "json"])]
    diff: bool,
}

impl DrillReportArgs {
    pub fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        let journal = JournalSource::of(places)?;
        let runs = journal.runs()?;
        let known = |run: &&DrillRun| run.id == self.run;
        let run = runs.iter().find(known).ok_or_else(|| format!("there is no run {}", self.run))?;
        let loaded = load::load(places, run.started_at)?;
        let matrix = loaded.matrix.as_ref().ok_or("the matrix has faults: `stentor check` shows them")?;
        let scenario = scenario(run, matrix)?;
        let reviewed = reviewed(&journal, run)?;
        let before = runs.iter().filter(|other| other.scenario == run.scenario && other.id < run.id);
        let earlier_left = before.clone().count().saturating_sub(EARLIER_MAX);
        let earlier =
            before.take(EARLIER_MAX).map(|run| self::reviewed(&journal, run)).collect::<Result<Vec<_>, _>>()?;
        let now = journal.now();
        let (mut exercise, score) = review::exercise(&reviewed, &scenario, &earlier, &screens(matrix), now);
        exercise.earlier_left = earlier_left;
        let failed = review::failed(&score);
        if !failed.is_empty() {
            exercise.proposal = proposal::sought(&loaded, &scenario, run.started_at, &failed);
        }
        if self.diff {
            return self.diff(exercise.proposal.diff);
        }
        let pages = reviewed.timelines.iter().flat_map(|timeline| timeline.incident.pages.values());
        let hashes: BTreeSet<String> = pages.filter_map(|page| page.text.clone()).collect();
        let beside = journal.beside(places, hashes.into_iter())?;
        let review = written(&exercise, &reviewed.timelines, &beside, &documents(places)?, now)?;
        self.output.write_review(review, self.html, self.json)?;
        Ok(ExitCode::SUCCESS)
    }

    fn diff(&self, diff: Option<String>) -> Result<ExitCode, CliError> {
        let Some(diff) = diff else { return Ok(ExitCode::FAILURE) };
        self.output.write(&diff)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The scenario as it was run, read with the current matrix.
fn scenario(run: &DrillRun, matrix: &Matrix) -> Result<Scenario, CliError> {
    let file = SourceText { path: format!("{}.toml", run.scenario).into(), text: run.text.clone() };
    let read = Scenario::read(&file, matrix);
    let faults = || crate::matrix::render_of("scenario", &read.diagnostics, std::slice::from_ref(&file), false);
    let misfit = || format!("the scenario of {} does not fit the matrix any more\n{}", run.id, faults());
    let scenario = read.scenario.clone();
    Ok(scenario.ok_or_else(misfit)?)
}

fn reviewed(journal: &JournalSource, run: &DrillRun) -> Result<ReviewedRun, CliError> {
    let mut timelines = Vec::new();
    for id in &run.incidents {
        timelines.push(journal.timeline(*id)?);
    }
    Ok(ReviewedRun { run: run.clone(), timelines })
}

fn screens(matrix: &Matrix) -> BTreeSet<ChannelName> {
    let screens = matrix.channels.iter().filter(|(_, settings)| settings.kind() == ChannelKind::SCREEN);
    screens.map(|(name, _)| name.clone()).collect()
}
