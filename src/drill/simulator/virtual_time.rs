//! The same engine in virtual time: the real core, the matrix's own judgement, plans and roster, and the delivery
//! engine's rules (pace, lanes, accept timeout, breakers, failing over), while channels and people are distributions. Nothing
//! waits, nothing is journaled, and no text is rendered: an hour of crisis takes well below a millisecond.
//!
//! What is modelled, and what is not:
//! - Each person is drawn once a run: whether anything reaches them, whether they can take it, whether their desk page is
//!   open, and one rank (from 0 to 1) of how fast they are. By each channel they answer when the part `rank` of the times
//!   that it takes them by that channel is over, counted from its delivery; the first one counts. So more channels make a
//!   page arrive surely and early, but do not make a slow person quick, and calling again does not wake who sleeps.
//! - They give the answer that the role demands, for each role that they are paged for, and none once it is engaged.
//! - Latencies are drawn for each attempt; none depends on what was drawn for anybody else ([`super::random`]).
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
    /// When the incident opened that first called each role, counted from the beginning of the drill.
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
            for (role, course) in observed.roles {
                if !played.observed.roles.contains_key(&role) {
                    played.opened.insert(role.clone(), opened);
                    played.observed.roles.insert(role, course);
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
