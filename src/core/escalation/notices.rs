//! What other systems are told: a projection of the events, so that nothing can happen that they do not hear of.

use super::Judge;
use crate::core::{
    event::Event,
    names::RoleName,
    page::{Notice, Purpose},
};

impl Judge<'_> {
    /// Queues a notice for each of the events so far that other systems shall hear of.
    pub(super) fn tell_systems(&mut self) {
        let tell = self.incident.plan.tell.clone();
        if tell.is_empty() {
            return;
        }
        let told: Vec<(Notice, Option<RoleName>)> = self.events.iter().filter_map(notice).collect();
        for (about, role) in told {
            for channel in &tell {
                self.page(role.as_ref(), None, channel.clone(), Purpose::Notice { about }, 0, None);
            }
        }
    }
}

fn notice(event: &Event) -> Option<(Notice, Option<RoleName>)> {
    Some(match event {
        Event::Opened(_) => (Notice::Opened, None),
        Event::RoleEntered { role, .. } => (Notice::RoleEntered, Some(role.clone())),
        Event::Engaged { role, .. } => (Notice::RoleEngaged, Some(role.clone())),
        Event::Covered { role, .. } => (Notice::RoleCovered, Some(role.clone())),
        Event::HandedBack { role, .. } => (Notice::RoleHandedBack, Some(role.clone())),
        Event::Reopened { role, .. } => (Notice::RoleReopened, Some(role.clone())),
        Event::HandedOver { role, .. } => (Notice::RoleHandedOver, Some(role.clone())),
        Event::Exhausted { role } => (Notice::RoleExhausted, Some(role.clone())),
        Event::StoodDown { role } => (Notice::RoleStoodDown, Some(role.clone())),
        Event::AllClear { .. } => (Notice::AllClear, None),
        Event::Resolved { .. } => (Notice::Resolved, None),
        _ => return None,
    })
}
