//! A check of law 2 from outside: an open engagement must have a deadline, or wait for one that has.

use super::{incident::Incident, names::RoleName};

/// The roles of an open incident that can make no further progress. The ladder never leaves a role like this; we check
/// it anyway before we report that all is well.
pub fn stuck_roles(incident: &Incident) -> Vec<&RoleName> {
    if !incident.is_open() {
        return Vec::new();
    }
    incident.open_roles().filter(|role| !moves(incident, role)).collect()
}

/// Whether the role has a deadline, or waits on one that has.
fn moves(incident: &Incident, role: &RoleName) -> bool {
    let mut role = role;
    // A chain that is longer than the number of roles is a cycle.
    for _ in 0..=incident.engagements.len() {
        let Some(engagement) = incident.engagements.get(role).filter(|engagement| engagement.is_open()) else {
            return false;
        };
        if engagement.deadline.is_some() {
            return true;
        }
        let Some(next) = &engagement.waits_on else { return false };
        role = next;
    }
    false
}
