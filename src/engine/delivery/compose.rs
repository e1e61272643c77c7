//! Composes messages: a page of an incident, rendered for its role and channel, with its own code and link.

use crate::{
    channel::{Message, MessageText, ReplyOptions, RequestNotice, option_button::OptionButton},
    core::{
        ChannelName, FaultKind, Incident, Page, PageId, PageIdentity, PersonName, Timestamp, Zone, event::text_hash,
    },
    engine::{RuntimeConfig, delivery::Delivery, delivery::room, runtime_config::form},
    matrix::{ChannelKind, ChannelSettings, Matrix},
    store::StoreError,
    template::{BriefInput, CODE, LINK, PageReader, PageTemplates, RenderedText},
};
use secrecy::{ExposeSecret, SecretString};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// A message, and what is stored about it.
#[derive(Debug)]
pub struct ComposedMessage {
    /// The message to send.
    pub message: Message,
    /// The channel that sends it.
    pub channel: ChannelName,
    /// The text that is shown, with placeholders in place of codes and links.
    pub shown: String,
    /// The hash of `shown`.
    pub hash: String,
    /// The fault that a drill injects instead of sending it.
    pub fault: Option<FaultKind>,
}

impl Delivery {
    /// Composes a page. The error says why this channel can not reach the person.
    pub(super) fn compose(
        &self,
        config: &RuntimeConfig,
        incident: &Incident,
        page: &Page,
    ) -> Result<ComposedMessage, String> {
        let identity = incident.page_identity(page.n);
        let id = identity.page;
        let active = config.channels.get(&page.channel).ok_or("the channel is not in the matrix any more")?;
        let to = self.inbound.with_account(config, &page.channel, room::recipient(config, incident, page)?)?;
        let following = self.queues().following(PageId { incident: incident.id, n: page.n });
        let rendered = config.render_before(incident, page, active.kind, following);
        if let Some(why) = &rendered.fallback {
            tracing::warn!(incident.id = %incident.id, page.id = %id, why, "the template failed: the raw facts are sent");
        }
        let settings = config.matrix.channel(&page.channel);
        // Whoever else reads it must not be able to answer in this person's name.
        let is_shared = settings.is_some_and(ChannelSettings::is_shared);
        let answerable = if page.purpose.is_brief() { Some(page) } else { incident.hands_back(page) };
        let ask = answerable.filter(|_| !is_shared).map(|brief| self.ask(incident, brief, identity));
        let shown = shown(&rendered);
        let hash = text_hash(&shown);
        let text = fill(rendered, ask.as_ref());
        let (drill, purpose, role) = (incident.drill, page.purpose.clone(), page.role.clone());
        let report = settings.and_then(ChannelSettings::report_hook).map(|hook| self.report_to(hook, page, identity));
        let life = life(incident, page, self.context.store.now());
        let (desk, born_at) = (Some(format!("{}/desk", self.context.public_url)), page.born_at);
        let room = page.person.is_none().then(|| room::state(config, incident));
        let (mark, page_mark) = (incident.identity().mark(), identity.mark());
        let attempted = page.was_attempted();
        let request = RequestNotice::of(incident, &page.purpose);
        let message = Message {
            page: id,
            mark,
            page_mark,
            drill,
            attempted,
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
            request,
        };
        let fault = incident.injected_fault(page, self.context.store.now()).cloned();
        Ok(ComposedMessage { message, channel: page.channel.clone(), shown, hash, fault })
    }

    /// The text of a page as it is spoken in a call: the text that was stored when the call was made, so that the
    /// journal can prove it; rendered anew if nothing is stored yet.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the kept text can not be read.
    pub async fn said(&self, incident: &Incident, page: &Page) -> Result<String, StoreError> {
        let kept = match &page.text {
            Some(hash) => self.context.store.text(hash.clone()).await?,
            None => None,
        };
        let kept = kept.as_deref().and_then(body_of).map(str::to_owned);
        Ok(kept.unwrap_or_else(|| self.context.config.load().render(incident, page, crate::channel::voice::KIND).body))
    }

    fn report_to(&self, hook: &str, page: &Page, identity: PageIdentity) -> SecretString {
        let (id, token) = (identity.page, self.context.keys.report_token(identity));
        let url = format!("{}/hooks/{hook}/{}/report?page={id}", self.context.public_url, page.channel);
        SecretString::from(format!("{url}&token={}", token.expose_secret()))
    }

    /// The ways to answer the message `id`: the code and link of `brief`, which the reader knows.
    fn ask(&self, incident: &Incident, brief: &Page, id: PageIdentity) -> ReplyOptions {
        let row = brief.role.as_ref().and_then(|role| incident.plan.roles.get(role));
        let page = incident.page_identity(brief.n);
        let link = format!("{}/a/{}", self.context.public_url, self.context.keys.link_token(page).expose_secret());
        ReplyOptions {
            page: page.page,
            code: self.context.keys.code(page),
            link: SecretString::from(link),
            proof: self.context.keys.mail_token(id),
            level: row.map_or(crate::core::AnswerLevel::Wilco, |row| row.engaged_by),
            options: OptionButton::of(incident.request.as_deref().filter(|_| incident.decides(brief))),
            fills_in: incident.asks_for_a_form() && incident.decides(brief),
            edits: incident.takes_changes() && incident.decides(brief),
            repeats: incident.repeats().filter(|_| incident.decides(brief)),
        }
    }
}

impl RuntimeConfig {
    /// Renders a page for its reader, with placeholders in place of codes and links.
    pub fn render(&self, incident: &Incident, page: &Page, kind: ChannelKind) -> RenderedText {
        self.render_before(incident, page, kind, 0)
    }

    /// The channels of an incident's ladders that are in the sandbox.
    fn sandboxed_of(&self, incident: &Incident) -> Vec<ChannelName> {
        let sandboxed = self.sandboxed();
        let steps = incident.plan.roles.values().flat_map(|row| &row.steps);
        let used: BTreeSet<&ChannelName> = steps.flat_map(|step| &step.by).collect();
        used.into_iter().filter(|channel| sandboxed.contains_key(channel)).cloned().collect()
    }

    /// The same where so many more briefs of its trigger wait for the same reader by the same channel.
    pub(super) fn render_before(
        &self,
        incident: &Incident,
        page: &Page,
        kind: ChannelKind,
        following: usize,
    ) -> RenderedText {
        let row = page.role.as_ref().and_then(|role| incident.plan.roles.get(role));
        let texts = row.map_or(&*self.templates, |row| self.texts(&row.template, &row.template_revision));
        let shared_zone = &self.matrix.daemon.zone();
        let reader = reader(&self.matrix, page, shared_zone);
        let sandboxed = &self.sandboxed_of(incident);
        let brief = BriefInput { incident, page, reader, names: &self.names, shared_zone, following, sandboxed };
        texts.render(&brief, form(kind, self.matrix.channel(&page.channel)))
    }
}

/// Renders a page from a matrix and its templates; no daemon is needed.
pub fn render(
    matrix: &Matrix,
    templates: &PageTemplates,
    names: &BTreeMap<PersonName, String>,
    incident: &Incident,
    page: &Page,
    kind: ChannelKind,
) -> RenderedText {
    let shared_zone = &matrix.daemon.zone();
    let reader = reader(matrix, page, shared_zone);
    let brief = BriefInput { incident, page, reader, names, shared_zone, following: 0, sandboxed: &[] };
    templates.render(&brief, form(kind, matrix.channel(&page.channel)))
}

/// The person who reads it. What goes to a channel that many read has the times that all of them share.
fn reader<'a>(matrix: &'a Matrix, page: &Page, shared_zone: &'a Zone) -> Option<PageReader<'a>> {
    let is_shared = matrix.channel(&page.channel).is_some_and(ChannelSettings::is_shared);
    let reader = page.person.as_ref().and_then(|person| matrix.people.get(person));
    reader.map(|person| PageReader { name: &person.name, zone: if is_shared { shared_zone } else { &person.zone } })
}

/// The time until the ladder pages the same reader by the same channel again, if it does so next.
fn life(incident: &Incident, page: &Page, now: Timestamp) -> Option<Duration> {
    let role = page.role.as_ref().filter(|_| page.purpose.is_brief())?;
    let engagement = incident.engagements.get(role).filter(|e| e.is_open() && e.step_entry == page.step_entry)?;
    let step = incident.plan.roles.get(role)?.steps.get(engagement.step)?;
    let repeats = engagement.exhausted || engagement.round < step.repeat;
    engagement.deadline.filter(|_| repeats).map(|deadline| deadline.since(now))
}

/// The exact text that is stored: every part that was shown.
fn shown(rendered: &RenderedText) -> String {
    let html = rendered.html.as_deref().unwrap_or_default();
    format!("{}\n\n{}\n\n{html}\n\n[template revision {}]", rendered.subject, rendered.body, rendered.revision)
}

/// The body of a stored text whose subject and body contain no empty line.
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
        times: rendered.times,
    }
}
