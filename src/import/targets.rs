//! What a step may page instead of a person: the rotations of a schedule.

use super::{
    draft::{MatrixDraft, OverrideDraft},
    names::Names,
    report::{FindingKind, ImportReport},
    schedule::ForeignSchedule,
    slots,
};
use crate::core::Timestamp;
use std::collections::BTreeMap;

/// In microseconds.
const SECOND: i64 = 1_000_000;

/// The rotations by the ids of their schedules, as steps name them.
#[derive(Debug, Default)]
pub struct Targets(BTreeMap<String, Vec<String>>);

impl Targets {
    /// Makes the rotations of a schedule. Returns it for the comparison; `None` if it can not be said in a matrix, which is
    /// reported.
    pub fn schedule(
        &mut self,
        id: &str,
        name: &str,
        mut schedule: ForeignSchedule,
        now: Timestamp,
        (names, draft): (&mut Names, &mut MatrixDraft),
        report: &mut ImportReport,
    ) -> Option<ForeignSchedule> {
        schedule.overrides.retain(|over| now < over.until);
        let length = |over: &OverrideDraft| over.until.as_micros() / SECOND - over.from.as_micros() / SECOND;
        if schedule.overrides.iter().any(|over| length(over) < 1) {
            report.found(FindingKind::NotCarried, &schedule.of, "an override that lasts no second");
            schedule.overrides.retain(|over| 0 < length(over));
        }
        let give = |column: usize, report: &mut ImportReport| match column {
            0 => names.give(name, id, report),
            _ => names.give(&format!("{name} {}", column + 1), id, report),
        };
        match slots::rotations(&schedule, now, report, give) {
            Err(why) => {
                report.found(FindingKind::NotCarried, &schedule.of, why);
                None
            }
            Ok(rotations) => {
                schedule.handoff = rotations.first().map(|rotation| rotation.handoff.clone()).unwrap_or_default();
                schedule.rotations = rotations.iter().map(|rotation| rotation.key.clone()).collect();
                let entries = schedule.rotations.iter().map(|key| format!("rotation.{key}")).collect();
                self.0.insert(id.to_owned(), entries);
                draft.rotations.extend(rotations);
                Some(schedule)
            }
        }
    }

    /// The rotations of a schedule.
    pub fn get(&self, id: &str) -> Option<&Vec<String>> {
        self.0.get(id)
    }
}
