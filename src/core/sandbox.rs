//! What of an incident was kept in the sandbox. It is asked of the pages themselves, so that whatever shows an incident
//! can say so, years later too.

use super::{
    incident::Incident,
    names::{ChannelName, RoleName},
    page::{Page, PageState},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt};

/// Messages that left nobody's machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxedCount {
    /// How many were kept on this machine.
    pub kept: usize,
    /// Of how many that were taken at all.
    pub of: usize,
    /// By which channels they would have gone.
    pub channels: BTreeSet<ChannelName>,
}

/// What all of them have in common.
const SAYS: &str = "kept on this machine, sent to nobody";

impl Incident {
    /// Its messages that were kept in the sandbox; `None` if none was.
    pub fn sandboxed(&self) -> Option<SandboxedCount> {
        let by_channel = |page: &&Page| page.state == PageState::Accepted && page.stand_in().is_none();
        let pages = || self.pages.values().map(|page| &**page);
        let kept: Vec<&Page> = pages().filter(|page| page.is_sandboxed()).collect();
        let of = kept.len() + pages().filter(by_channel).count();
        let channels = kept.iter().map(|page| page.channel.clone()).collect();
        (!kept.is_empty()).then_some(SandboxedCount { kept: kept.len(), of, channels })
    }

    /// Whether any of its messages was kept in the sandbox.
    pub fn is_sandboxed(&self) -> bool {
        self.pages.values().any(|page| page.is_sandboxed())
    }

    /// Whether any message to a person was: then it measures neither those people nor their channels. A war room or a
    /// notice in the sandbox alone changes nothing of that.
    pub fn has_sandboxed_page(&self) -> bool {
        self.pages.values().any(|page| page.person.is_some() && page.is_sandboxed())
    }

    /// Whether a brief of this role was: how fast it was engaged says nothing about people who are really paged.
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
