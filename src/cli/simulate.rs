//! `stentor simulate`: plays a scenario in virtual time, ten thousand times, and what-ifs for comparison. Nothing is
//! sent.

mod figures;
mod history;
mod print;

use crate::{
    cli::{error::CliError, load, options::PathOptions, output, progress::while_working, scenario, table::say},
    core::{ChannelName, PersonName, Timestamp, Zones},
    drill::{
        Scenario,
        analysis::response_history::FittedModel,
        proposal::{MatrixProposal, NoProposal, PROOF_RUNS, ProposalRequest, propose},
        scenario::hypothesis::RunHypothesis,
        simulator::{
            picture,
            setting::{SimulationSetting, WhatIf},
            simulate::{RUNS, RUNS_MAX, SimulationSummary, outlook, play},
            virtual_time::PlayedRun,
        },
    },
    matrix::{KnownNames, Matrix, SourceText},
};
use clap::{Args, ValueHint};
use std::{
    io::{IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// How often the progress is updated.
const TICK: Duration = Duration::from_millis(100);

/// The width of the progress bar.
const BAR: u64 = 40;

#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// The scenario: a file, or a name in the matrix's `drills` folder; - reads standard input
    #[arg(value_name = "SCENARIO", value_hint = ValueHint::FilePath)]
    scenario: PathBuf,
    /// How many runs
    #[arg(long, value_name = "N", default_value_t = RUNS, value_parser = clap::value_parser!(u64).range(1..=RUNS_MAX))]
    runs: u64,
    /// The random seed: the same seed gives the same result
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// When it plays (RFC 3339): who is on call then [default: the scenario's `plays_at`, else now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// What if this channel were down? May be given several times
    #[arg(long, value_name = "CHANNEL")]
    without: Vec<String>,
    /// What if this person were absent? May be given several times
    #[arg(long, value_name = "PERSON")]
    absent: Vec<String>,
    /// What if this were the matrix?
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    against: Option<PathBuf>,
    /// Estimate how people answer and how fast channels are from the incidents and drills in this state folder (also of
    /// a running daemon); where there is little data, the assumptions count more
    #[arg(long, value_name = "STATE_FOLDER", value_hint = ValueHint::DirPath)]
    history: Option<PathBuf>,
    /// If a hypothesis does not hold, search for a change of the matrix that makes it hold, and print it as a diff
    #[arg(long)]
    propose: bool,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
    /// Draw how many are engaged by when; - prints the picture in place of the figures
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    svg: Option<PathBuf>,
    /// Overwrite the picture if it is there already
    #[arg(long, requires = "svg")]
    force: bool,
}

/// One case: what is different, and the matrix.
struct SimulateCase<'a> {
    what_if: String,
    scenario: &'a Scenario,
    matrix: &'a Matrix,
    conditions: WhatIf,
}

impl SimulateArgs {
    pub fn run(self, places: &PathOptions) -> Result<ExitCode, CliError> {
        let (matrix, _) = load::load(places, load::now())?.demand()?;
        let (known, _) = scenario::read(places, &self.scenario, &matrix)?;
        let start = self.start(&known)?;
        // Turns of rotations are counted up to the time that is played, so that look-ups start close to it.
        let loaded = load::load(places, start)?;
        let (files, revisions) = (loaded.files.clone(), loaded.templates.revisions());
        let (matrix, _) = loaded.demand()?;
        let mut other = self.other(places, start)?;
        let history = self.history.as_deref().map(|folder| history::read(places, folder)).transpose()?;
        let (known, fitted) = match &history {
            Some(history) => {
                let (known, fitted) = history.fit(&known, &matrix);
                (known, Some(fitted))
            }
            None => (known, None),
        };
        if let (Some(history), Some((scenario, matrix))) = (&history, &mut other) {
            *scenario = history.fit(scenario, matrix).0;
        }
        let cases = self.cases(&known, &matrix, other.as_ref())?;
        let mut summaries = Vec::new();
        let mut curves = Vec::new();
        for case in &cases {
            let setting = SimulationSetting::new(case.scenario, case.matrix, &case.conditions, start);
            let runs = played(&setting, self.seed, self.runs, &case.what_if);
            summaries.push(outlook(&case.what_if, &case.matrix.revision, &setting, &runs));
            if self.svg.is_some() {
                curves.push(picture::SettingCurves::of(&case.what_if, &setting, &runs));
            }
        }
        if let Some(path) = &self.svg {
            let svg = picture::draw(&known.name, known.ends, &curves);
            output::write_new(path, &svg, self.force)?;
            if output::is_standard(path) {
                return Ok(summaries.first().map_or(ExitCode::SUCCESS, |base| base.score.exit()));
            }
        }
        let known_names = KnownNames { templates: &revisions };
        let proposal =
            self.propose.then(|| self.proposal(&files, &known_names, &matrix.zones, &known, start, &summaries));
        self.tell(&known, start, &summaries, proposal.as_ref(), fitted.as_ref())?;
        Ok(summaries.first().map_or(ExitCode::SUCCESS, |base| base.score.exit()))
    }

    fn proposal(
        &self,
        files: &[SourceText],
        known: &KnownNames<'_>,
        zones: &Arc<Zones>,
        scenario: &Scenario,
        start: Timestamp,
        summaries: &[SimulationSummary],
    ) -> Result<MatrixProposal, NoProposal> {
        let failed: Vec<RunHypothesis> =
            summaries.iter().take(1).flat_map(|base| base.score.not_held()).map(|f| f.hypothesis.clone()).collect();
        let (runs, threads) = (PROOF_RUNS.min(self.runs), threads());
        let request = ProposalRequest { files, known, zones, scenario, start, failed: &failed, runs, threads };
        while_working("looking for a change of the matrix that makes it hold", || propose(&request))
    }

    fn start(&self, scenario: &Scenario) -> Result<Timestamp, CliError> {
        match &self.at {
            Some(text) => Timestamp::parse(text).ok_or("--at takes a time like 2026-11-23T03:00:00Z".into()),
            None => Ok(scenario.plays_at.unwrap_or_else(load::now)),
        }
    }

    /// The matrix to compare with, and the scenario as read with it.
    fn other(&self, places: &PathOptions, start: Timestamp) -> Result<Option<(Scenario, Matrix)>, CliError> {
        let Some(folder) = &self.against else { return Ok(None) };
        let (matrix, _) = load::load(&PathOptions { matrix: folder.clone(), ..places.clone() }, start)?.demand()?;
        let (scenario, _) = scenario::read(places, &self.scenario, &matrix)?;
        Ok(Some((scenario, matrix)))
    }

    fn cases<'a>(
        &self,
        scenario: &'a Scenario,
        matrix: &'a Matrix,
        other: Option<&'a (Scenario, Matrix)>,
    ) -> Result<Vec<SimulateCase<'a>>, CliError> {
        let case = |what_if: String, conditions| SimulateCase { what_if, scenario, matrix, conditions };
        let mut cases = vec![case("as it is".into(), WhatIf::default())];
        for name in &self.without {
            let channel = ChannelName::from(name.as_str());
            matrix.channel(&channel).ok_or_else(|| format!("the matrix has no channel {name:?}"))?;
            let conditions = WhatIf { without: vec![channel], ..WhatIf::default() };
            cases.push(case(format!("without {name}"), conditions));
        }
        for name in &self.absent {
            let person = PersonName::from(name.as_str());
            matrix.people.get(&person).ok_or_else(|| format!("the matrix has no person {name:?}"))?;
            cases.push(case(format!("{name} absent"), WhatIf { absent: vec![person], ..WhatIf::default() }));
        }
        if let (Some((scenario, matrix)), Some(folder)) = (other, &self.against) {
            let what_if =
                folder.file_name().map_or_else(|| folder.display().to_string(), |name| name.to_string_lossy().into());
            cases.push(SimulateCase { what_if, scenario, matrix, conditions: WhatIf::default() });
        }
        Ok(cases)
    }

    fn tell(
        &self,
        scenario: &Scenario,
        start: Timestamp,
        summaries: &[SimulationSummary],
        proposal: Option<&Result<MatrixProposal, NoProposal>>,
        fitted: Option<&FittedModel>,
    ) -> Result<(), CliError> {
        if self.json {
            let all = serde_json::json!({
                "scenario": scenario.name, "revision": scenario.revision, "seed": self.seed, "runs": self.runs,
                "starts_at": start, "what_ifs": summaries, "history": fitted,
                "proposal": proposal.and_then(|found| found.as_ref().ok()),
            });
            println!("{}", serde_json::to_string_pretty(&all)?);
        } else {
            print::print(scenario, self.seed, start, summaries, fitted);
            match proposal {
                Some(Ok(found)) => {
                    println!();
                    found.edits.iter().chain([&found.why]).for_each(|line| say(line));
                    println!("\n{}", found.diff);
                }
                Some(Err(none)) => say(&format!("\nA change of the matrix: {none}.")),
                None => {}
            }
        }
        Ok(())
    }
}

/// Plays every run on all cores, and shows progress if standard error is a terminal.
fn played(setting: &SimulationSetting<'_>, seed: u64, runs: u64, what_if: &str) -> Vec<PlayedRun> {
    let (done, over) = (AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        if std::io::stderr().is_terminal() {
            scope.spawn(|| show_progress(&done, &over, runs, what_if));
        }
        let played = play(setting, seed, runs, threads(), &done);
        over.store(true, Ordering::Relaxed);
        played
    })
}

fn threads() -> u64 {
    thread::available_parallelism().map_or(1, |cores| cores.get() as u64)
}

fn show_progress(done: &AtomicU64, over: &AtomicBool, runs: u64, what_if: &str) {
    let mut to = std::io::stderr();
    while !over.load(Ordering::Relaxed) {
        let done = done.load(Ordering::Relaxed);
        let full = (done * BAR / runs.max(1)) as usize;
        let rest = BAR as usize - full.min(BAR as usize);
        // A failure to show progress does not matter.
        let _ = write!(to, "\r{what_if:16.16} [{}{}] {done}/{runs}", "#".repeat(full), ".".repeat(rest));
        let _ = to.flush();
        thread::sleep(TICK);
    }
    let _ = write!(to, "\r{:80}\r", "");
    let _ = to.flush();
}
