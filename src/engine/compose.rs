//! A page and its incident become a message: rendered for its role and channel, with its own code and link.

use super::{Engine, RuntimeConfig, live::form, room};
use crate::{
    channel::{Message, MessageText, ReplyOptions},
    core::{
        ChannelName, FaultKind, Incident, Page, PageIdentity, PersonName, Timestamp, event::hex, sentence::history,
    },
    matrix::{ChannelKind, ChannelSettings, Matrix},
    store::StoreError,
    template::{BriefInput, CODE, LINK, PageReader, PageTemplates, RenderedText},
};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, time::Duration};

/// A message, and what is kept of it.
#[derive(Debug)]
pub struct ComposedMessage {
    /// To be sent.
    pub message: Message,
    /// By which channel.
    pub channel: ChannelName,
    /// What was shown, with placeholders: never a live code.
    pub shown: String,
    /// Its content hash.
    pub hash: String,
    /// What its drill does to it on purpose, instead of sending it.
    pub trouble: Option<FaultKind>,
}

impl Engine {
    /// Composes a page. The error says why its person can not be reached by its channel.
    pub(super) fn compose(
        &self,
        live: &RuntimeConfig,
        incident: &Incident,
        page: &Page,
    ) -> Result<ComposedMessage, String> {
        let identity = incident.page_identity(page.n);
        let id = identity.page;
        let wired = live.channels.get(&page.channel).ok_or("the channel is not in the matrix any more")?;
        let to = room::recipient(live, incident, page)?;
        let rendered = live.render(incident, page, wired.kind);
        if let Some(why) = &rendered.fallback {
            tracing::warn!(incident.id = %incident.id, page.id = %id, why, "the template failed: raw facts go out");
        }
        let settings = live.matrix.channel(&page.channel);
        // What others read too must not let them answer in this person's name.
        let is_shared = settings.is_some_and(ChannelSettings::is_shared);
        let answerable = if page.purpose.is_brief() { Some(page) } else { incident.hands_back(page) };
        let ask = answerable.filter(|_| !is_shared).map(|brief| self.ask(incident, brief, identity));
        let shown = shown(&rendered);
        let hash = hex(&Sha256::digest(shown.as_bytes())[..16]);
        let text = fill(rendered, ask.as_ref());
        let (drill, purpose, role) = (incident.drill, page.purpose.clone(), page.role.clone());
        let report = settings.and_then(ChannelSettings::report_hook).map(|hook| self.report_to(hook, page, identity));
        let life = life(incident, page, self.store.now());
        let (desk, born_at) = (Some(format!("{}/desk", self.public_url)), page.born_at);
        let room = page.person.is_none().then(|| room::state(live, incident));
        let (mark, page_mark) = (incident.identity().mark(), identity.mark());
        let message = Message {
            page: id,
            mark,
            page_mark,
            drill,
            purpose,
            role,
            to,
            text,
            ask,
            room,
            report,
            desk,
            born_at,
            life,
        };
        let trouble = incident.trouble(page, self.store.now()).cloned();
        Ok(ComposedMessage { message, channel: page.channel.clone(), shown, hash, trouble })
    }

    /// What is said in a call about a page: what was kept of it when the call was made, so that the journal can tell it
    /// to the letter; before that is kept, what would be.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the kept text can not be read.
    pub async fn said(&self, incident: &Incident, page: &Page) -> Result<String, StoreError> {
        let kept = match &page.text {
            Some(hash) => self.store.text(hash.clone()).await?,
            None => None,
        };
        let kept = kept.as_deref().and_then(body_of).map(str::to_owned);
        Ok(kept.unwrap_or_else(|| self.live.load().render(incident, page, crate::channel::voice::KIND).body))
    }

    fn report_to(&self, hook: &str, page: &Page, identity: PageIdentity) -> SecretString {
        let (id, token) = (identity.page, self.keys.report_token(identity));
        let url = format!("{}/hooks/{hook}/{}/report?page={id}", self.public_url, page.channel);
        SecretString::from(format!("{url}&token={}", token.expose_secret()))
    }

    /// How the message `id` can be answered: by the code and link of `brief`, which its reader knows.
    fn ask(&self, incident: &Incident, brief: &Page, id: PageIdentity) -> ReplyOptions {
        let row = brief.role.as_ref().and_then(|role| incident.plan.roles.get(role));
        let page = incident.page_identity(brief.n);
        let link = format!("{}/a/{}", self.public_url, self.keys.link_token(page).expose_secret());
        ReplyOptions {
            page: page.page,
            code: self.keys.code(page),
            link: SecretString::from(link),
            proof: self.keys.mail_token(id),
            level: row.map_or(crate::core::AnswerLevel::Wilco, |row| row.engaged_by),
        }
    }
}

impl RuntimeConfig {
    /// Renders a page for its reader, placeholders in place of codes and links.
    pub fn render(&self, incident: &Incident, page: &Page, kind: ChannelKind) -> RenderedText {
        let row = page.role.as_ref().and_then(|role| incident.plan.roles.get(role));
        let texts = row.map_or(&*self.templates, |row| self.texts(&row.template, &row.template_revision));
        render(&self.matrix, texts, &self.names, incident, page, kind)
    }
}

/// Renders a page from a matrix and its texts, whether or not a daemon runs on them.
pub fn render(
    matrix: &Matrix,
    templates: &PageTemplates,
    names: &BTreeMap<PersonName, String>,
    incident: &Incident,
    page: &Page,
    kind: ChannelKind,
) -> RenderedText {
    let reader = page.person.as_ref().and_then(|person| matrix.people.get(person));
    let reader = reader.map(|person| PageReader { name: &person.name, zone: &person.zone });
    let row = page.role.as_ref().and_then(|role| incident.plan.roles.get(role));
    let wanted = templates.wants_history(row.map(|row| row.template.as_str()));
    let history = if wanted { history(incident) } else { Vec::new() };
    let brief = BriefInput { incident, page, reader, names, history: &history };
    templates.render(&brief, form(kind, matrix.channel(&page.channel)))
}

/// Until its reader is called again by the same way, where the ladder does that next.
fn life(incident: &Incident, page: &Page, now: Timestamp) -> Option<Duration> {
    let role = page.role.as_ref().filter(|_| page.purpose.is_brief())?;
    let engagement = incident.engagements.get(role).filter(|e| e.is_open() && e.rung == page.rung)?;
    let step = incident.plan.roles.get(role)?.steps.get(engagement.step)?;
    let repeats = engagement.exhausted || engagement.round < step.repeat;
    engagement.deadline.filter(|_| repeats).map(|deadline| deadline.since(now))
}

/// The exact text that is kept: what every part showed.
fn shown(rendered: &RenderedText) -> String {
    let html = rendered.html.as_deref().unwrap_or_default();
    format!("{}\n\n{}\n\n{html}\n\n[template revision {}]", rendered.subject, rendered.body, rendered.revision)
}

/// The body of a text that was kept, for those whose subject and body have no empty line.
fn body_of(shown: &str) -> Option<&str> {
    shown.split("\n\n").nth(1)
}

fn fill(rendered: RenderedText, ask: Option<&ReplyOptions>) -> MessageText {
    let fill = |text: String| match ask {
        Some(ask) => text.replace(CODE, ask.code.expose_secret()).replace(LINK, ask.link.expose_secret()),
        None => text,
    };
    MessageText {
        headline: fill(rendered.headline),
        subject: rendered.subject,
        body: fill(rendered.body),
        html: rendered.html.map(fill),
    }
}
