//! Which messages of an incident stayed in the sandbox. This comes from the pages themselves, so that every view of an
//! incident can say so, even years later.

use super::{
    incident::Incident,
    names::{ChannelName, RoleName},
    page::{Page, PageState},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt};

/// Messages that never left this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SandboxedCount {
    /// How many stayed on this machine.
    pub kept: usize,
    /// How many were accepted in total.
    pub of: usize,
    /// The channels that they would have used.
    pub channels: BTreeSet<ChannelName>,
}

/// The common part of their receipts.
const SAYS: &str = "kept on this machine, sent to nobody";

impl Incident {
    /// Its messages that stayed in the sandbox; `None` if there are none.
    pub fn sandboxed(&self) -> Option<SandboxedCount> {
        let by_channel = |page: &&Page| page.state == PageState::Accepted && page.stand_in().is_none();
        let pages = || self.pages.values().map(|page| &**page);
        let kept: Vec<&Page> = pages().filter(|page| page.is_sandboxed()).collect();
        let of = kept.len() + pages().filter(by_channel).count();
        let channels = kept.iter().map(|page| page.channel.clone()).collect();
        (!kept.is_empty()).then_some(SandboxedCount { kept: kept.len(), of, channels })
    }

    /// Whether any of its messages stayed in the sandbox.
    pub fn is_sandboxed(&self) -> bool {
        self.pages.is_sandboxed()
    }

    /// Whether any message to a person stayed in the sandbox. Then the incident measures neither those people nor their
    /// channels. A war room or a notice in the sandbox does not change that.
    pub fn has_sandboxed_page(&self) -> bool {
        self.pages.is_sandboxed_for_people()
    }

    /// Whether a brief of this role stayed in the sandbox. Then its time to engagement says nothing about people who
    /// are really paged.
    pub fn is_role_sandboxed(&self, role: &RoleName) -> bool {
        self.briefs_of(role).any(Page::is_sandboxed)
    }
}

/// `SANDBOX: 4 of 5 messages kept on this machine, sent to nobody (mail, sms)`.
impl fmt::Display for SandboxedCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let channels: Vec<&str> = self.channels.iter().map(ChannelName::as_str).collect();
        write!(f, "SANDBOX: {} of {} messages {SAYS} ({})", self.kept, self.of, channels.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::SAYS;
    use crate::core::StandIn;

    #[test]
    fn a_sandboxed_page_and_a_sandboxed_incident_say_the_same() {
        assert_eq!(StandIn::Sandbox.to_string(), format!("SANDBOX: {SAYS}"));
    }
}
