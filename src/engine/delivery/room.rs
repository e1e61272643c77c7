//! What a war room needs: its name, its members, its purpose, the runbook.

use crate::{
    channel::{ContactData, Recipient, RoomState, option_button::OptionButton},
    core::{Incident, Page, PagePurpose, PersonName},
    engine::RuntimeConfig,
};
use std::collections::BTreeSet;

/// The longest address of a runbook, in characters.
const RUNBOOK_CHARS: usize = 2000;

/// The annotation in which an alert names its runbook, as Prometheus' rules do.
const RUNBOOK: &str = "runbook_url";

/// The recipient of a page. The error says why the channel can not reach them.
pub(super) fn recipient(config: &RuntimeConfig, incident: &Incident, page: &Page) -> Result<Recipient, String> {
    if let Some(person) = &page.person {
        let contact = config.contact(person).ok_or_else(|| format!("{person} is not in the matrix any more"))?;
        return Ok(Recipient::Person(contact));
    }
    let room = incident.rooms.get(&page.channel).filter(|_| page.purpose != PagePurpose::RoomCard);
    let (id, card) = (room.map(|room| room.id.clone()), room.and_then(|room| room.card.clone()));
    let (name, private) = match config.matrix.channel(&page.channel).and_then(|channel| channel.config.new_room()) {
        Some((name, private)) => (name.fill(incident), private),
        None => (incident.id.to_string().to_lowercase(), false),
    };
    let invite = match &page.purpose {
        PagePurpose::RoomInvite { people } => people.iter().filter_map(|person| config.contact(person)).collect(),
        PagePurpose::RoomCard => paged(config, incident),
        _ => Vec::new(),
    };
    Ok(Recipient::Room { id, card, name, private, invite })
}

/// What a room needs besides the text.
pub(super) fn state(config: &RuntimeConfig, incident: &Incident) -> RoomState {
    let roles: Vec<&str> = incident.plan.required.iter().map(|role| incident.plan.called(role)).collect();
    let purpose = format!(
        "the war room of {}, opened by trigger {} for {}. Answer with the card's buttons or in your own message.",
        incident.id,
        incident.trigger,
        roles.join(", ")
    );
    let request = incident.request.as_deref();
    RoomState {
        open: incident.is_open(),
        purpose,
        runbook: config.runbook(incident),
        options: OptionButton::of(request),
        fills_in: incident.asks_for_a_form(),
        edits: incident.takes_changes(),
        repeats: incident.repeats(),
        digest: request.map(|request| request.ask.action_digest.clone()),
    }
}

impl RuntimeConfig {
    /// The address of an incident's runbook: that of its trigger, else the one that the alert names. Only http and https.
    pub fn runbook(&self, incident: &Incident) -> Option<String> {
        let ours = self.matrix.triggers.get(&incident.trigger).and_then(|trigger| trigger.runbook.as_ref());
        let link = ours.or_else(|| incident.alert.annotations.get(RUNBOOK))?.trim();
        let good = (link.starts_with("https://") || link.starts_with("http://"))
            && !link.contains(|c: char| c.is_whitespace() || c.is_control())
            && link.chars().count() <= RUNBOOK_CHARS;
        good.then(|| link.to_owned())
    }
}

fn paged(config: &RuntimeConfig, incident: &Incident) -> Vec<ContactData> {
    let people: BTreeSet<&PersonName> = incident.pages.values().filter_map(|page| page.person.as_ref()).collect();
    people.into_iter().filter_map(|person| config.contact(person)).collect()
}
