//! The change of the matrix that a review proposes.

use crate::{
    cli::{load::LoadedMatrix, progress::while_working},
    core::Timestamp,
    drill::{Scenario, proposal, scenario::hypothesis::RunHypothesis},
    matrix::KnownNames,
    report::ReviewProposal,
};

/// Searches for a change. It is printed only if the resulting matrix has no fault and the failed hypotheses then hold
/// in virtual time.
pub fn sought(
    loaded: &LoadedMatrix,
    scenario: &Scenario,
    start: Timestamp,
    failed: &[RunHypothesis],
) -> ReviewProposal {
    let revisions = loaded.templates.revisions();
    let question = proposal::ProposalRequest {
        files: &loaded.files,
        known: &KnownNames { templates: &revisions },
        zones: &loaded.zones,
        scenario,
        start,
        failed,
        runs: proposal::PROOF_RUNS,
        threads: std::thread::available_parallelism().map_or(2, |n| u64::try_from(n.get()).unwrap_or(2)),
    };
    let found =
        while_working("looking for a change of the matrix that would have helped", || proposal::propose(&question));
    match found {
        Ok(found) => {
            ReviewProposal { diff: Some(found.diff), why: format!("{}. {}", found.edits.join("; "), found.why) }
        }
        Err(none) => ReviewProposal { diff: None, why: none.to_string() },
    }
}
