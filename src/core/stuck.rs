//! Law 2, looked at from outside: an open engagement that has neither a deadline nor somebody with one to wait for.

use super::{incident::Incident, names::RoleName};

/// The roles of an open incident of which nobody will ever hear again. The ladder never leaves one behind; that is
/// looked at anyway before anybody is told that all is well.
pub fn stuck_roles(incident: &Incident) -> Vec<&RoleName> {
    if !incident.is_open() {
        return Vec::new();
    }
    incident.open_roles().filter(|role| !moves(incident, role)).collect()
}

/// Whether the role has a deadline, or waits on one that has.
fn moves(incident: &Incident, role: &RoleName) -> bool {
    let mut role = role;
    // A chain longer than there are roles runs in a circle.
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
