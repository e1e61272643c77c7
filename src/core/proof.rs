//! What proves that a person is reached by a channel: they answered by it, their device has a page, their desk showed
//! one. That a provider took a page proves nothing about its reader.

use super::{
    answer::Via,
    event::Event,
    incident::{Incident, IncidentId},
    names::{ChannelName, PersonName},
    oncall::Roster,
    page::{Page, Stage},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// The last proven contact of one person by one channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Who.
    pub person: PersonName,
    /// By which channel.
    pub channel: ChannelName,
    /// When.
    pub at: Timestamp,
    /// What shows it.
    pub how: How,
    /// Whether it was a drill: a contact that was practised is a contact all the same.
    pub drill: bool,
    /// In which incident.
    pub incident: IncidentId,
}

/// What shows that a person was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// They answered by it, and were authenticated.
    Answered,
    /// The provider reports that their device has it.
    Delivered,
    /// Their desk showed it.
    Shown,
}

impl How {
    /// Its name, as it is written in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Delivered => "delivered",
            Self::Shown => "shown",
        }
    }

    /// What [`How::as_str`] wrote; none for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Answered, Self::Delivered, Self::Shown].into_iter().find(|how| how.as_str() == text)
    }
}

impl Proof {
    /// What an event that has been applied to `incident` at `at` proves; none where it proves nothing.
    pub fn of(event: &Event, incident: &Incident, roster: &Roster, at: Timestamp) -> Option<Self> {
        let (person, channel, how) = match event {
            // An absence note is taken in like this, and shows that nobody reads there.
            Event::Answered { via: Via::AutoReply, .. } => return None,
            Event::Answered { person, via, page, .. } => {
                let own = |page: &&Page| page.person.as_ref() == Some(person);
                let page = page.and_then(|n| incident.pages.get(&n)).map(AsRef::as_ref).filter(own);
                (person.clone(), answered_by(*via, page, person, roster)?, How::Answered)
            }
            Event::Reported { page, stage } => {
                let page = incident.pages.get(page)?;
                let how = shown(*stage, page, roster)?;
                (page.person.clone()?, page.channel.clone(), how)
            }
            _ => return None,
        };
        Some(Self { person, channel, at, how, drill: incident.drill, incident: incident.id })
    }
}

/// By which channel an answer came. A desk shows what went by other channels, too: an answer at a desk proves the desk.
fn answered_by(via: Via, page: Option<&Page>, person: &PersonName, roster: &Roster) -> Option<ChannelName> {
    let is_screen = |channel: &ChannelName| roster.screens.contains(channel);
    let of_page = page.map(|page| &page.channel);
    match via {
        Via::Cli => None,
        Via::Desk => {
            let own = of_page.filter(|channel| is_screen(channel));
            own.or_else(|| roster.channels(person).iter().find(|channel| is_screen(channel))).cloned()
        }
        // A code that stands on a desk and comes back by SMS proves neither.
        _ => of_page.filter(|channel| !is_screen(channel)).cloned(),
    }
}

/// A desk reports what it shows, whatever channel that went by: only a screen's own page proves the screen.
fn shown(stage: Stage, page: &Page, roster: &Roster) -> Option<How> {
    match (stage, roster.screens.contains(&page.channel)) {
        (Stage::Seen, true) => Some(How::Shown),
        (Stage::Delivered, false) => Some(How::Delivered),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_a_contact_is_read_as_it_was_written() {
        for how in [How::Answered, How::Delivered, How::Shown] {
            assert_eq!(How::parse(how.as_str()), Some(how));
        }
        assert_eq!(How::parse("guessed"), None);
    }
}
