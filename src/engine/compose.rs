//! A page and its incident become a message: rendered for its role and channel, with its own code and link.

use super::{Engine, Live, live::form};
use crate::{
    channel::{Ask, Message, Recipient, Text},
    core::{ChannelName, Incident, Page, PageId, PersonName, Purpose, Trouble, event::hex, sentence::history},
    matrix::{ChannelKind, Matrix, Way},
    template::{Brief, CODE, LINK, Reader, Rendered, Templates},
};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// A message, and what is kept of it.
#[derive(Debug)]
pub struct Composed {
    /// To be sent.
    pub message: Message,
    /// By which channel.
    pub channel: ChannelName,
    /// What was shown, with placeholders: never a live code.
    pub shown: String,
    /// Its content hash.
    pub hash: String,
    /// What its drill does to it on purpose, instead of sending it.
    pub trouble: Option<Trouble>,
}

impl Engine {
    /// Composes a page. The error says why its person can not be reached by its channel.
    pub(super) fn compose(&self, live: &Live, incident: &Incident, page: &Page) -> Result<Composed, String> {
        let id = PageId { incident: incident.id, n: page.n };
        let wired = live.channels.get(&page.channel).ok_or("the channel is not in the matrix any more")?;
        let to = recipient(live, incident, page)?;
        let rendered = live.render(incident, page, wired.kind);
        if let Some(why) = &rendered.fallback {
            tracing::warn!(incident.id = %incident.id, page.id = %id, why, "the template failed: raw facts go out");
        }
        let ask = page.purpose.is_brief().then(|| self.ask(incident, page, id));
        let shown = shown(&rendered);
        let hash = hex(&Sha256::digest(shown.as_bytes())[..16]);
        let text = fill(rendered, ask.as_ref());
        let (drill, purpose, role) = (incident.drill, page.purpose.clone(), page.role.clone());
        let report = wired.kind.reports().then(|| self.report_to(wired.kind, page, id));
        let message = Message { page: id, drill, purpose, role, to, text, ask, report };
        let trouble = incident.trouble(page, self.store.now()).cloned();
        Ok(Composed { message, channel: page.channel.clone(), shown, hash, trouble })
    }

    fn report_to(&self, kind: ChannelKind, page: &Page, id: PageId) -> SecretString {
        let token = self.keys.report_token(id);
        let url = format!("{}/hooks/{kind}/{}/report?page={id}", self.public_url, page.channel);
        SecretString::from(format!("{url}&token={}", token.expose_secret()))
    }

    fn ask(&self, incident: &Incident, page: &Page, id: PageId) -> Ask {
        let row = page.role.as_ref().and_then(|role| incident.plan.roles.get(role));
        let link = format!("{}/a/{}", self.public_url, self.keys.link_token(id).expose_secret());
        Ask {
            code: self.keys.code(id),
            link: SecretString::from(link),
            proof: self.keys.mail_token(id),
            level: row.map_or(crate::core::Level::Wilco, |row| row.engaged_by),
        }
    }
}

impl Live {
    /// Renders a page for its reader, placeholders in place of codes and links.
    pub fn render(&self, incident: &Incident, page: &Page, kind: ChannelKind) -> Rendered {
        let row = page.role.as_ref().and_then(|role| incident.plan.roles.get(role));
        let texts = row.map_or(&*self.templates, |row| self.texts(&row.template, &row.template_revision));
        render(&self.matrix, texts, &self.names, incident, page, kind)
    }
}

/// Renders a page from a matrix and its texts, whether or not a daemon runs on them.
pub fn render(
    matrix: &Matrix,
    templates: &Templates,
    names: &BTreeMap<PersonName, String>,
    incident: &Incident,
    page: &Page,
    kind: ChannelKind,
) -> Rendered {
    let reader = page.person.as_ref().and_then(|person| matrix.people.get(person));
    let reader = reader.map(|person| Reader { name: &person.name, zone: person.zone });
    let row = page.role.as_ref().and_then(|role| incident.plan.roles.get(role));
    let wanted = templates.wants_history(row.map(|row| row.template.as_str()));
    let history = if wanted { history(incident) } else { Vec::new() };
    let brief = Brief { incident, page, reader, names, history: &history };
    templates.render(&brief, form(kind))
}

/// The exact text that is kept: what every part showed.
fn shown(rendered: &Rendered) -> String {
    let html = rendered.html.as_deref().unwrap_or_default();
    format!("{}\n\n{}\n\n{html}\n\n[template revision {}]", rendered.subject, rendered.body, rendered.revision)
}

fn fill(rendered: Rendered, ask: Option<&Ask>) -> Text {
    let fill = |text: String| match ask {
        Some(ask) => text.replace(CODE, ask.code.expose_secret()).replace(LINK, ask.link.expose_secret()),
        None => text,
    };
    Text {
        headline: fill(rendered.headline),
        subject: rendered.subject,
        body: fill(rendered.body),
        html: rendered.html.map(fill),
    }
}

fn recipient(live: &Live, incident: &Incident, page: &Page) -> Result<Recipient, String> {
    if let Some(person) = &page.person {
        let contact = live.contact(person).ok_or_else(|| format!("{person} is not in the matrix any more"))?;
        return Ok(Recipient::Person(contact));
    }
    let paged = incident.pages.values().filter_map(|page| page.person.as_ref());
    let mut invite: Vec<String> =
        paged.filter_map(|person| live.matrix.people.get(person).and_then(|known| known.slack.clone())).collect();
    invite.sort();
    invite.dedup();
    let room = incident.rooms.get(&page.channel).filter(|_| page.purpose != Purpose::RoomCard);
    let (id, card) = (room.map(|room| room.id.clone()), room.and_then(|room| room.card.clone()));
    let private = matches!(live.matrix.channel(&page.channel).map(|c| &c.way), Some(Way::Slack(way)) if way.private);
    Ok(Recipient::Room { id, card, name: room_name(incident), private, invite })
}

/// `drill-inc-12-flash-crash`: lower case, digits and hyphens, at most 80 characters with room for a suffix.
fn room_name(incident: &Incident) -> String {
    let word = if incident.drill { "drill-" } else { "" };
    let name = format!("{word}{}-{}", incident.id, incident.trigger).to_ascii_lowercase();
    name.chars().take(70).collect()
}
