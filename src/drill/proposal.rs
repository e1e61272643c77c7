//! Proposes a change of the matrix that would have helped. It is one of a fixed set of edits, or two of them, searched
//! in the order of their size. It is proposed only if the resulting matrix has no fault, the hypothesis that failed now
//! holds in virtual time, and no hypothesis that held before fails.
//!
//! The edits, in this order: another channel in a step, a shorter wait, one more person in a step, a different `next`.

mod diff;
mod edit;

use crate::{
    core::{RoleName, Timestamp, Zones},
    drill::{
        analysis::score::{HypothesisResult, HypothesisVerdict},
        scenario::{definition::Scenario, hypothesis::RunHypothesis},
        simulator::{
            setting::{SimulationSetting, WhatIf},
            simulate::{SimulationSummary, outlook, play},
        },
    },
    matrix::{KnownNames, Matrix, SourceText},
};
use edit::MatrixEdit;
use serde::Serialize;
use std::sync::{Arc, atomic::AtomicU64};

/// How many runs compare candidates in the first round.
const SCREEN_RUNS: u64 = 250;

/// How many runs a candidate must pass.
pub const PROOF_RUNS: u64 = 2_000;

/// How many of the best single edits are combined with every other one.
const PAIRED: usize = 6;

/// The largest number of candidates in one search.
const CANDIDATES_MAX: usize = 300;

/// The seed of the search: the same matrix and scenario always give the same proposal.
const SEED: u64 = 1;

/// The value, in seconds, that a median counts as if it is beyond the drill.
const NEVER_S: f64 = 1e6;

/// The input of a search.
pub struct ProposalRequest<'a> {
    /// The files of the matrix, as their author wrote them.
    pub files: &'a [SourceText],
    /// The names outside the matrix that it may refer to.
    pub known: &'a KnownNames<'a>,
    /// The time zones that it is read with.
    pub zones: &'a Arc<Zones>,
    /// The scenario that was played.
    pub scenario: &'a Scenario,
    /// The start time; it decides who is on call.
    pub start: Timestamp,
    /// The hypotheses that failed, in a live drill or in virtual time.
    pub failed: &'a [RunHypothesis],
    /// How many runs a candidate must pass; normally [`PROOF_RUNS`].
    pub runs: u64,
    /// The number of threads.
    pub threads: u64,
}

/// A change that helps.
#[derive(Debug, Clone, Serialize)]
pub struct MatrixProposal {
    /// What is changed: one sentence for each edit.
    pub edits: Vec<String>,
    /// Why: what failed, and how the change affects it.
    pub why: String,
    /// A unified diff of the author's own files.
    pub diff: String,
    /// The files after the change.
    #[serde(skip)]
    pub files: Vec<SourceText>,
    /// The result in virtual time without the change.
    pub before: SimulationSummary,
    /// The result in virtual time with the change.
    pub after: SimulationSummary,
}

/// Why there is no proposal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoProposal {
    /// The matrix already has faults.
    #[error("the matrix has faults: fix them first")]
    Faulty,
    /// The failed hypothesis does not fail in virtual time, so nothing could be shown to help.
    #[error(
        "none was found: what failed holds in virtual time, so no change can be shown to help; tell the scenario how \
         people really answer"
    )]
    Holds,
    /// The set has no edit for this matrix.
    #[error("none was found: there is no change of channels, waits, people or `next` to try")]
    NothingToTry,
    /// No edit in the set helps.
    #[error(
        "none was found: none of {tried} changes makes it hold (channels, waits, people, `next`; alone and in pairs{})",
        if *tried < CANDIDATES_MAX { "" } else { "; more were not tried" }
    )]
    NoneHelps {
        /// How many were tried.
        tried: usize,
    },
}

/// A candidate that was simulated.
struct TriedCandidate {
    edits: Vec<MatrixEdit>,
    /// The worst share of those in time among the failed hypotheses, relative to the limit that it must reach.
    share: f64,
    /// The sum of the median times of all roles: it ranks candidates in which nobody is in time.
    medians: f64,
}

/// Searches for a change that makes the failed hypotheses hold.
///
/// # Errors
/// [`NoProposal`] says why there is none.
pub fn propose(question: &ProposalRequest<'_>) -> Result<MatrixProposal, NoProposal> {
    let matrix = question.matrix(question.files).ok_or(NoProposal::Faulty)?;
    let before = question.outlook(&matrix, question.runs);
    let asked =
        |finding: &&HypothesisResult| question.failed.contains(&finding.hypothesis) && finding.share().is_some();
    let failed: Vec<&HypothesisResult> = before.score.not_held().filter(asked).collect();
    if failed.is_empty() {
        return Err(NoProposal::Holds);
    }
    let roles = roles(&failed, &matrix);
    let singles = roles.iter().flat_map(|role| edit::edits(role, &matrix, question.files)).collect::<Vec<_>>();
    let mut tried = Vec::new();
    for edit in singles.into_iter().take(CANDIDATES_MAX) {
        if let Some(found) = question.attempt(vec![edit], &before, &mut tried) {
            return Ok(found);
        }
    }
    if tried.is_empty() {
        return Err(NoProposal::NothingToTry);
    }
    tried.sort_by(|a, b| b.share.total_cmp(&a.share).then(a.medians.total_cmp(&b.medians)));
    let all: Vec<MatrixEdit> = tried.iter().flat_map(|tried| tried.edits.clone()).collect();
    for (n, best) in all.iter().take(PAIRED).enumerate() {
        for other in all.iter().skip(n + 1).filter(|other| !other.touches(best)) {
            if CANDIDATES_MAX <= tried.len() {
                return Err(NoProposal::NoneHelps { tried: tried.len() });
            }
            if let Some(found) = question.attempt(vec![best.clone(), other.clone()], &before, &mut tried) {
                return Ok(found);
            }
        }
    }
    Err(NoProposal::NoneHelps { tried: tried.len() })
}

/// The roles whose ladders may be changed: the ones that failed, and the ones on whose ladder the time was spent.
fn roles(failed: &[&HypothesisResult], matrix: &Matrix) -> Vec<RoleName> {
    let mut roles: Vec<RoleName> = Vec::new();
    for finding in failed {
        let about = matrix.roles.keys().find(|role| finding.hypothesis.about.is_role(role));
        let spent = finding.bottleneck.as_ref().map(|bottleneck| &bottleneck.cause.role);
        for role in spent.into_iter().chain(about) {
            if !roles.contains(role) {
                roles.push(role.clone());
            }
        }
    }
    roles
}

impl ProposalRequest<'_> {
    fn matrix(&self, files: &[SourceText]) -> Option<Matrix> {
        Matrix::parse_with(files, self.known, self.zones.clone(), self.start).matrix
    }

    fn outlook(&self, matrix: &Matrix, runs: u64) -> SimulationSummary {
        let setting = SimulationSetting::new(self.scenario, matrix, &WhatIf::default(), self.start);
        let played = play(&setting, SEED, runs, self.threads, &AtomicU64::new(0));
        outlook("as it is", &matrix.revision, &setting, &played)
    }

    /// Simulates a candidate; returns a proposal if it passes. Records what was tried.
    fn attempt(
        &self,
        edits: Vec<MatrixEdit>,
        before: &SimulationSummary,
        tried: &mut Vec<TriedCandidate>,
    ) -> Option<MatrixProposal> {
        let files = edit::apply(self.files, &edits);
        let matrix = self.matrix(&files)?;
        let screened = self.outlook(&matrix, SCREEN_RUNS.min(self.runs));
        let medians = screened.roles.iter().map(|role| role.quantiles[0].seconds.unwrap_or(NEVER_S)).sum();
        tried.push(TriedCandidate { edits: edits.clone(), share: self.worst(&screened), medians });
        // A few runs show what does not help, but seldom what does.
        if !self.helps(&screened, before, |is| is != HypothesisVerdict::NotHeld) {
            return None;
        }
        let after = if SCREEN_RUNS < self.runs { self.outlook(&matrix, self.runs) } else { screened };
        if !self.helps(&after, before, |is| is == HypothesisVerdict::Held) {
            return None;
        }
        let diff = diff::unified(self.files, &edits);
        let (edits, why) = (edits.into_iter().map(|edit| edit.what).collect(), why(before, &after, self.failed));
        Some(MatrixProposal { edits, why, diff, files, before: before.clone(), after })
    }

    /// Whether all failed hypotheses are good enough now, and all others still hold.
    fn helps(
        &self,
        after: &SimulationSummary,
        before: &SimulationSummary,
        is_enough: fn(HypothesisVerdict) -> bool,
    ) -> bool {
        let mut pairs = before.score.findings.iter().zip(&after.score.findings);
        let mended = |finding: &HypothesisResult| self.failed.contains(&finding.hypothesis);
        pairs.all(|(was, is)| {
            let must = was.verdict == HypothesisVerdict::Held || mended(is);
            !must || is_enough(is.verdict)
        })
    }

    fn worst(&self, outlook: &SimulationSummary) -> f64 {
        let failed = outlook.score.findings.iter().filter(|finding| self.failed.contains(&finding.hypothesis));
        // Relative to the limit that each must reach, so that several can be compared.
        let reached = failed.filter_map(|finding| Some(finding.share()? / (finding.hypothesis.percent / 100.0)));
        reached.fold(f64::INFINITY, f64::min)
    }
}

fn why(before: &SimulationSummary, after: &SimulationSummary, failed: &[RunHypothesis]) -> String {
    let told =
        before.score.findings.iter().zip(&after.score.findings).filter(|(was, _)| failed.contains(&was.hypothesis));
    let percent = |finding: &HypothesisResult| 100.0 * finding.share().unwrap_or(0.0);
    let lines: Vec<String> = told
        .map(|(was, is)| {
            let hangs = was.bottleneck.as_ref().map_or(String::new(), |found| format!("; held up by {}", found.cause));
            format!("{}: {:.1} % in time before, {:.1} % after{hangs}", was.hypothesis, percent(was), percent(is))
        })
        .collect();
    lines.join("\n")
}
