//! What a war room must know: its name, whom to ask in, its purpose, where the runbook is.

use super::RuntimeConfig;
use crate::{
    channel::{ContactData, Recipient, RoomState},
    core::{Incident, Page, PagePurpose, PersonName, RoleName},
};
use std::collections::BTreeSet;

/// The longest address of a runbook.
const RUNBOOK_CHARS: usize = 2000;

/// Where an alert says where its runbook is, as Prometheus' rules do.
const RUNBOOK: &str = "runbook_url";

/// To whom a page goes. The error says why they can not be reached by its channel.
pub(super) fn recipient(live: &RuntimeConfig, incident: &Incident, page: &Page) -> Result<Recipient, String> {
    if let Some(person) = &page.person {
        let contact = live.contact(person).ok_or_else(|| format!("{person} is not in the matrix any more"))?;
        return Ok(Recipient::Person(contact));
    }
    let room = incident.rooms.get(&page.channel).filter(|_| page.purpose != PagePurpose::RoomCard);
    let (id, card) = (room.map(|room| room.id.clone()), room.and_then(|room| room.card.clone()));
    let (name, private) = match live.matrix.channel(&page.channel).and_then(|channel| channel.config.new_room()) {
        Some((name, private)) => (name.fill(incident), private),
        None => (incident.id.to_string().to_lowercase(), false),
    };
    let invite = match &page.purpose {
        PagePurpose::RoomInvite { people } => people.iter().filter_map(|person| live.contact(person)).collect(),
        PagePurpose::RoomCard => paged(live, incident),
        _ => Vec::new(),
    };
    Ok(Recipient::Room { id, card, name, private, invite })
}

/// What a room needs beside the text.
pub(super) fn state(live: &RuntimeConfig, incident: &Incident) -> RoomState {
    let roles: Vec<&str> = incident.plan.required.iter().map(RoleName::as_str).collect();
    let purpose = format!(
        "the war room of {}, opened by trigger {} for {}. Answer with the card's buttons or in your own message.",
        incident.id,
        incident.trigger,
        roles.join(", ")
    );
    RoomState { open: incident.is_open(), purpose, runbook: runbook(live, incident) }
}

/// The trigger's runbook, else the one that the alert names.
fn runbook(live: &RuntimeConfig, incident: &Incident) -> Option<String> {
    let ours = live.matrix.triggers.get(&incident.trigger).and_then(|trigger| trigger.runbook.as_ref());
    let link = ours.or_else(|| incident.alert.annotations.get(RUNBOOK))?.trim();
    let good = (link.starts_with("https://") || link.starts_with("http://"))
        && !link.contains(|c: char| c.is_whitespace() || c.is_control())
        && link.chars().count() <= RUNBOOK_CHARS;
    good.then(|| link.to_owned())
}

fn paged(live: &RuntimeConfig, incident: &Incident) -> Vec<ContactData> {
    let people: BTreeSet<&PersonName> = incident.pages.values().filter_map(|page| page.person.as_ref()).collect();
    people.into_iter().filter_map(|person| live.contact(person)).collect()
}
