//! Notices to other systems. They are derived from the events, so nothing can happen without a notice.

use super::Decider;
use crate::core::{
    event::Event,
    names::RoleName,
    page::{PagePurpose, SystemNotice},
    request_notice,
};

impl Decider<'_> {
    /// Queues a notice for each event so far that other systems must be told about.
    pub(super) fn tell_systems(&mut self) {
        let webhooks = self.incident.plan.webhooks.clone();
        if webhooks.is_empty() {
            return;
        }
        let told: Vec<(SystemNotice, Option<RoleName>)> = self
            .events
            .iter()
            .flat_map(|event| {
                notice(event).into_iter().chain(request_notice(event, self.incident).map(|about| (about, None)))
            })
            .collect();
        for (about, role) in told {
            for channel in &webhooks {
                self.page(role.as_ref(), None, channel.clone(), PagePurpose::Notice { about }, 0, None);
            }
        }
    }
}

fn notice(event: &Event) -> Option<(SystemNotice, Option<RoleName>)> {
    Some(match event {
        Event::Opened(_) => (SystemNotice::Opened, None),
        Event::RoleEntered { role, .. } => (SystemNotice::RoleEntered, Some(role.clone())),
        Event::Engaged { role, .. } => (SystemNotice::RoleEngaged, Some(role.clone())),
        Event::Covered { role, .. } => (SystemNotice::RoleCovered, Some(role.clone())),
        Event::HandedBack { role, .. } => (SystemNotice::RoleHandedBack, Some(role.clone())),
        Event::Reopened { role, .. } => (SystemNotice::RoleReopened, Some(role.clone())),
        Event::HandedOver { role, .. } => (SystemNotice::RoleHandedOver, Some(role.clone())),
        Event::Exhausted { role } => (SystemNotice::RoleExhausted, Some(role.clone())),
        Event::StoodDown { role } => (SystemNotice::RoleStoodDown, Some(role.clone())),
        Event::AllClear { .. } => (SystemNotice::AllClear, None),
        Event::Repeated { changes: Some(changes), .. } if changes.all_clear_at.is_some() => {
            (SystemNotice::AllClear, None)
        }
        Event::Resolved { .. } => (SystemNotice::Resolved, None),
        _ => return None,
    })
}
