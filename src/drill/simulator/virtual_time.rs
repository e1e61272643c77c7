//! The same engine in virtual time. The core, the matrix's conditions, plans and roster are the real ones, and so are
//! the delivery engine's rules (rate limits, lanes, accept timeout, breakers, failover); channels and people are
//! distributions. Nothing waits, nothing is journaled, and no text is rendered: an hour of crisis takes well below a
//! millisecond.
//!
//! What is modelled, and what is not:
//! - Each person is drawn once for each run: whether anything reaches them, whether they can take it, whether their
//!   desk page is open, and one rank (from 0 to 1) of how fast they are. For each channel, their answer comes after the
//!   quantile `rank` of their answer times by that channel, counted from the delivery; the first answer counts. So more
//!   channels make a page arrive reliably and early, but do not make a slow person fast, and another page does not wake
//!   a person who sleeps.
//! - They give the answer that the role requires, for each role that they are paged for, and none once it is engaged.
//! - Latencies are drawn for each attempt; none depends on the draws for anybody else ([`super::random`]).
//! - The daemon's own time (milliseconds), its incident about a broken channel, and restarts are left out.

use crate::{
    core::RoleName,
    drill::{
        analysis::run_analysis::{IncidentTrace, RunObservation},
        simulator::setting::{PlayedIncident, SimulationSetting},
    },
};
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};

/// What one run showed.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct PlayedRun {
    /// How each role went.
    pub observed: RunObservation,
    /// When the incident that first called each role was opened, counted from the beginning of the drill.
    pub opened: BTreeMap<RoleName, Duration>,
}

impl<'a> SimulationSetting<'a> {
    /// Plays one run. The same seed and number give the same run, on every thread.
    pub fn play(&self, seed: u64, run: u64) -> PlayedRun {
        let cases = self.cases(seed, run);
        let until = self.start + self.scenario.ends + self.all_clear.unwrap_or_default();
        let trace = |case: &'_ PlayedIncident| -> RunObservation {
            RunObservation::of(&[IncidentTrace {
                incident: &case.incident,
                events: &case.events,
                until,
                screens: &self.screens,
            }])
        };
        let mut played = PlayedRun::default();
        for case in &cases {
            let observed = trace(case);
            let opened = case.incident.opened_at.since(self.start);
            for (role, analysis) in observed.roles {
                if !played.observed.roles.contains_key(&role) {
                    played.opened.insert(role.clone(), opened);
                    played.observed.roles.insert(role, analysis);
                }
            }
            played.observed.all_clears.extend(observed.all_clears);
        }
        played
    }

    /// The incidents of one run with everything that happened to them.
    pub fn cases(&self, seed: u64, run: u64) -> Vec<PlayedIncident> {
        crate::drill::simulator::world::VirtualWorld::new(self, seed, run).run()
    }
}
