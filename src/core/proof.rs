//! Proofs that a channel reaches a person: they answered a page that was sent by it, a page is on their device, or
//! their desk page showed one. A provider's acceptance proves nothing about the reader. A page that its channel never
//! had (it stayed in the sandbox, or its drill held it back) proves nothing at all.

use crate::core::{
    answer::GivenAnswer,
    answer_via::AnswerVia,
    event::Event,
    incident::{Incident, IncidentId},
    names::{ChannelName, PersonName},
    oncall::Roster,
    page::{Page, PageStage},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The last proven contact with one person by one channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactProof {
    /// The person.
    pub person: PersonName,
    /// The channel.
    pub channel: ChannelName,
    /// When they were reached.
    pub at: Timestamp,
    /// The kind of proof.
    pub how: ProofKind,
    /// Whether it was a drill. A contact during a drill counts like any other.
    pub drill: bool,
    /// The incident.
    pub incident: IncidentId,
}

/// The kinds of proof that a person was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProofKind {
    /// They answered by it, and were authenticated.
    Answered,
    /// The provider reports that it is on their device.
    Delivered,
    /// Their desk page showed it.
    Shown,
}

impl ProofKind {
    /// Its name in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Delivered => "delivered",
            Self::Shown => "shown",
        }
    }

    /// Parses what [`ProofKind::as_str`] wrote; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Answered, Self::Delivered, Self::Shown].into_iter().find(|how| how.as_str() == text)
    }
}

impl ContactProof {
    /// What an event proves that was applied to `incident` at `at`; `None` if it proves nothing.
    pub fn of(event: &Event, incident: &Incident, roster: &Roster, at: Timestamp) -> Option<Self> {
        let (person, channel, how) = match event {
            Event::Answered { person, channel, .. } | Event::Chosen { person, channel, .. } => {
                (person.clone(), channel.clone()?, ProofKind::Answered)
            }
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

/// The one channel that an answer proves to reach its person: the channel of the page that it answers, if the page was
/// sent by it. A desk page also shows pages of other channels, so an answer at a desk proves the desk.
pub fn channel_of_answer(said: &GivenAnswer, incident: &Incident, roster: &Roster) -> Option<ChannelName> {
    channel_of(said.via, said.page, &said.person, incident, roster)
}

/// The same for anything that a person says to a page.
pub fn channel_of(
    via: AnswerVia,
    page: Option<u32>,
    person: &PersonName,
    incident: &Incident,
    roster: &Roster,
) -> Option<ChannelName> {
    let is_screen = |channel: &&ChannelName| roster.screens.contains(*channel);
    let theirs = |page: &&Arc<Page>| page.person.as_ref() == Some(person);
    let page = page.and_then(|n| incident.pages.get(&n)).filter(theirs);
    match via {
        // An absence reply shows that nobody reads there.
        AnswerVia::Cli | AnswerVia::AutoReply => None,
        AnswerVia::Desk => {
            let own = page.map(|page| &page.channel).filter(is_screen);
            own.or_else(|| roster.channels(person).iter().find(is_screen)).cloned()
        }
        // A code that a desk page shows and that comes back by SMS proves neither channel.
        AnswerVia::MailLink | AnswerVia::Mail | AnswerVia::Sms | AnswerVia::Voice | AnswerVia::Chat(_) => {
            let left = page.filter(|page| page.has_left()).map(|page| &page.channel);
            left.filter(|channel| !is_screen(channel)).cloned()
        }
    }
}

/// A desk reports everything that it shows, from any channel. Only a page that was sent to the screen proves the
/// screen.
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
