//! What proves that a person is reached by a channel: they answered a page that went by it, their device has one, their
//! desk showed one. That a provider took a page proves nothing about its reader; and a page that its channel never had
//! (it was kept in the sandbox, or its drill held it back) proves nothing at all.

use crate::core::{
    answer::{AnswerVia, GivenAnswer},
    event::Event,
    incident::{Incident, IncidentId},
    names::{ChannelName, PersonName},
    oncall::Roster,
    page::{Page, PageStage},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The last proven contact of one person by one channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactProof {
    /// Who.
    pub person: PersonName,
    /// By which channel.
    pub channel: ChannelName,
    /// When.
    pub at: Timestamp,
    /// What shows it.
    pub how: ProofKind,
    /// Whether it was a drill: a contact that was practised is a contact anyway.
    pub drill: bool,
    /// In which incident.
    pub incident: IncidentId,
}

/// What shows that a person was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProofKind {
    /// They answered by it, and were authenticated.
    Answered,
    /// The provider reports that their device has it.
    Delivered,
    /// Their desk showed it.
    Shown,
}

impl ProofKind {
    /// Its name, as it is written in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Delivered => "delivered",
            Self::Shown => "shown",
        }
    }

    /// What [`ProofKind::as_str`] wrote; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Answered, Self::Delivered, Self::Shown].into_iter().find(|how| how.as_str() == text)
    }
}

impl ContactProof {
    /// What an event that has been applied to `incident` at `at` proves; `None` if it proves nothing.
    pub fn of(event: &Event, incident: &Incident, roster: &Roster, at: Timestamp) -> Option<Self> {
        let (person, channel, how) = match event {
            Event::Answered { person, channel, .. } => (person.clone(), channel.clone()?, ProofKind::Answered),
            Event::Reported { page, stage, .. } => {
                let page = incident.pages.get(page)?;
                let how = shown(*stage, page, roster)?;
                (page.person.clone()?, page.channel.clone(), how)
            }
            _ => return None,
        };
        Some(Self { person, channel, at, how, drill: incident.drill, incident: incident.id })
    }
}

/// The one channel that an answer shows to reach its person: that of the page which it answers, where it left this machine
/// by it. A desk shows what went by other channels, too: an answer at a desk shows that the desk does.
pub fn channel_of_answer(said: &GivenAnswer, incident: &Incident, roster: &Roster) -> Option<ChannelName> {
    let is_screen = |channel: &&ChannelName| roster.screens.contains(*channel);
    let theirs = |page: &&Arc<Page>| page.person.as_ref() == Some(&said.person);
    let page = said.page.and_then(|n| incident.pages.get(&n)).filter(theirs);
    match said.via {
        // An absence note shows that nobody reads there.
        AnswerVia::Cli | AnswerVia::AutoReply => None,
        AnswerVia::Desk => {
            let own = page.map(|page| &page.channel).filter(is_screen);
            own.or_else(|| roster.channels(&said.person).iter().find(is_screen)).cloned()
        }
        // A code that stands on a desk and comes back by SMS shows nothing of either.
        AnswerVia::MailLink | AnswerVia::Mail | AnswerVia::Sms | AnswerVia::Slack | AnswerVia::Voice => {
            let left = page.filter(|page| page.has_left()).map(|page| &page.channel);
            left.filter(|channel| !is_screen(channel)).cloned()
        }
    }
}

/// A desk reports what it shows, whatever channel that went by: only a screen's own page proves the screen.
fn shown(stage: PageStage, page: &Page, roster: &Roster) -> Option<ProofKind> {
    match (stage, roster.screens.contains(&page.channel)) {
        (PageStage::Seen, true) => Some(ProofKind::Shown),
        (PageStage::Delivered, false) if !page.is_sandboxed() => Some(ProofKind::Delivered),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_a_contact_is_read_as_it_was_written() {
        for how in [ProofKind::Answered, ProofKind::Delivered, ProofKind::Shown] {
            assert_eq!(ProofKind::parse(how.as_str()), Some(how));
        }
        assert_eq!(ProofKind::parse("guessed"), None);
    }
}
