//! Hand-overs of rotations that fall on one instant where the clocks skip an hour: the turn between them has no length
//! on that day.

use crate::{
    core::Timestamp,
    matrix::draft::{MatrixDraft, RotationDraft},
    toml_kit::faults::MatrixFaults,
};

/// Warns of those in the year after `as_of`.
pub(super) fn check(draft: &MatrixDraft, as_of: Timestamp, faults: &mut MatrixFaults) {
    for rotation in draft.rotations.values().filter_map(|rotation| rotation.value.as_ref()) {
        doubled(rotation, as_of, faults);
    }
}

fn doubled(rotation: &RotationDraft, as_of: Timestamp, faults: &mut MatrixFaults) {
    let Some(handoff) = &rotation.handoff else { return };
    let Some(at) = handoff.value.doubled_after(&rotation.zone, as_of) else { return };
    let day = at.to_utc().with_timezone(&rotation.zone).format("%Y-%m-%d");
    let message =
        format!("on {day} the clocks in {} skip an hour, and two hand-overs fall on one moment", rotation.zone.name());
    let help = "whoever has the turn between them is not on call on that day; the order of people stays as it is";
    faults.warning("hand-overs-at-once", handoff.at, message, help);
}
