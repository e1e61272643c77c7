//! The change of the matrix that a review proposes.

use crate::{
    cli::load::Loaded,
    core::Timestamp,
    drill::{Scenario, proposal, score::Hypothesis},
    matrix::Known,
    report::Proposal,
};

/// Looks for one: printed only where the matrix that comes of it has no fault and what failed then holds in virtual
/// time.
pub fn sought(loaded: &Loaded, scenario: &Scenario, start: Timestamp, failed: &[Hypothesis]) -> Proposal {
    let revisions = loaded.templates.revisions();
    let question = proposal::Question {
        files: &loaded.files,
        known: &Known { templates: &revisions },
        zones: &loaded.zones,
        scenario,
        start,
        failed,
        runs: proposal::PROOF_RUNS,
        threads: std::thread::available_parallelism().map_or(2, |n| u64::try_from(n.get()).unwrap_or(2)),
    };
    match proposal::propose(&question) {
        Ok(found) => Proposal { diff: Some(found.diff), why: format!("{}. {}", found.edits.join("; "), found.why) },
        Err(none) => Proposal { diff: None, why: none.to_string() },
    }
}
