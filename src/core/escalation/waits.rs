//! How long a step waits. Its wait is for people, so it does not run out on a person to whom nothing was sent: it counts
//! from the first attempt where that came late, and goes on while the step's pages wait in a queue of ours. In all it is
//! at most twice the wait of the matrix.

use super::Decider;
use crate::core::{
    event::Event,
    names::RoleName,
    page::Page,
    plan::{StepPlan, WAIT_MIN},
    time::Timestamp,
};
use std::time::Duration;

/// A first attempt is late if it took longer than this part of the step's wait.
const LATE_PART: u32 = 4;

impl Decider<'_> {
    /// These pages wait in a queue of ours and no channel was given them: steps that are due and have only such pages go
    /// on waiting.
    pub(super) fn unsent(&mut self, pages: &[u32]) {
        if !self.incident.is_open() {
            return;
        }
        let due: Vec<RoleName> = self.incident.open_roles().filter(|role| self.is_due(role)).cloned().collect();
        for role in due {
            let waits = |page: &Page| page.held.is_none() && !page.was_attempted() && pages.contains(&page.n);
            let live: Vec<&Page> = self.incident.step_pages(&role).filter(|page| page.is_live()).collect();
            if !live.is_empty() && live.into_iter().all(waits) {
                let wait = self.step_wait(&role);
                self.prolong(&role, self.now + (wait / LATE_PART).max(WAIT_MIN));
            }
        }
    }

    /// The step's first attempt came late: it waits as long as the matrix says from then on. Whether it still waits.
    pub(super) fn waits_from_first_attempt(&mut self, role: &RoleName) -> bool {
        let attempts = self.incident.step_pages(role).filter_map(|page| page.stages.sent.or(page.stages.kept));
        let (Some(first), Some(began)) = (attempts.min(), self.step_began(role)) else { return false };
        let wait = self.step_wait(role);
        wait / LATE_PART < first.since(began) && self.prolong(role, first + wait)
    }

    /// Lets the step wait until then, but not for more than twice its wait in all. Whether it waits.
    fn prolong(&mut self, role: &RoleName, until: Timestamp) -> bool {
        let Some(began) = self.step_began(role) else { return false };
        let until = until.min(began + self.step_wait(role).saturating_mul(2));
        let waits = self.now < until;
        if waits {
            self.emit(Event::StepProlonged { role: role.clone(), until });
        }
        waits
    }

    fn step_began(&self, role: &RoleName) -> Option<Timestamp> {
        self.incident.step_pages(role).map(|page| page.born_at).min()
    }

    fn step_wait(&self, role: &RoleName) -> Duration {
        let step = self.incident.engagements.get(role).map_or(0, |engagement| engagement.step);
        let plan: Option<&StepPlan> = self.row(role).and_then(|row| row.steps.get(step));
        plan.map_or(Duration::ZERO, |step| step.wait)
    }
}
