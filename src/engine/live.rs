//! What is loaded and may be swapped whole by a reload: the matrix, its texts, its channels.

use super::{people::PeopleLookup, wire};
use crate::{
    channel::{
        Channel, ContactData, desk::hub::DeskHub, kind::ChannelConfig, outbox::SandboxOutbox,
        slack::socket::SocketSettings,
    },
    config,
    core::{ChannelName, PersonName, SourceName, retry::SendPace},
    matrix::{ChannelKind, ChannelSettings, Matrix},
    template::{PageTemplates, TextForm},
};
use secrecy::SecretString;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

/// The matrix with everything that it needs to work.
pub struct RuntimeConfig {
    /// The Crisis Escalation Matrix.
    pub matrix: Matrix,
    /// What each role reads.
    pub templates: Arc<PageTemplates>,
    /// Texts of before, newest first: incidents that opened with them go on with them.
    older: Vec<Arc<PageTemplates>>,
    /// How humans are reached.
    pub channels: BTreeMap<ChannelName, ActiveChannel>,
    /// Display names.
    pub names: BTreeMap<PersonName, String>,
    /// Bearer tokens of the sources that have one here.
    pub tokens: Vec<(SourceName, SecretString)>,
    /// What providers know of the people.
    pub(super) known: Mutex<PeopleLookup>,
}

/// One channel, ready to send.
pub struct ActiveChannel {
    /// It.
    pub channel: Arc<dyn Channel>,
    /// What kind the matrix says it is.
    pub kind: ChannelKind,
    /// Why it writes to the outbox of the sandbox instead, where it does.
    pub sandboxed: Option<String>,
    /// How long one attempt may take; the node's lease must outlast it.
    pub timeout: Duration,
    /// How fast one destination may be written to.
    pub pace: SendPace,
    /// What authenticates its callbacks (Slack's signing secret, the gateway's token): one, or two while it is changed.
    pub inbound: Vec<SecretString>,
    /// The sockets by which its provider hands in, where there are any.
    pub socket: Option<SocketSettings>,
}

/// The longest time that one attempt may take on any channel.
pub const SEND_TIMEOUT_MAX: Duration = Duration::from_secs(10);

/// Sets of texts of before a reload that are kept for open incidents.
const OLDER_MAX: usize = 8;

/// What channels share over reloads.
#[derive(Clone)]
pub struct SharedChannelParts {
    /// The desks that are open.
    pub hub: DeskHub,
    /// Where the sandbox writes.
    pub outbox: SandboxOutbox,
    /// Tells this installation's mails from those of another, or of one before its state was lost.
    pub site: String,
    /// Whether every channel but the screen is in the sandbox.
    pub sandbox: bool,
}

impl RuntimeConfig {
    /// Wires a matrix. A channel whose credentials are not there is put in the sandbox and says why; nothing fails.
    pub fn wire(matrix: Matrix, templates: PageTemplates, shared: &SharedChannelParts) -> Self {
        let channels = matrix
            .channels
            .iter()
            .map(|(name, settings)| (name.clone(), wire::channel(name, settings, shared)))
            .collect();
        let names = matrix.people.iter().map(|(name, person)| (name.clone(), person.name.clone())).collect();
        let mut tokens = Vec::new();
        for (source, settings) in &matrix.sources {
            for token in &settings.tokens {
                match config::secret(token) {
                    Ok(secret) => tokens.push((source.clone(), secret)),
                    Err(error) => {
                        tracing::warn!(source = %source, %error, "this token is not here: alerts with it are refused");
                    }
                }
            }
        }
        let (templates, older, known) = (Arc::new(templates), Vec::new(), Mutex::default());
        Self { matrix, templates, older, channels, names, tokens, known }
    }

    /// Channels that stand in the sandbox, and why: nobody is reached by them.
    pub fn sandboxed(&self) -> BTreeMap<&ChannelName, &str> {
        self.channels.iter().filter_map(|(name, wired)| Some((name, wired.sandboxed.as_deref()?))).collect()
    }

    /// Takes over the texts of the last load, so that a reload changes no crisis under way.
    pub fn succeed(mut self, last: &Self) -> Self {
        let texts = std::iter::once(&last.templates).chain(&last.older);
        self.older =
            texts.filter(|old| old.revisions() != self.templates.revisions()).take(OLDER_MAX).cloned().collect();
        // Whoever was known by their mailbox is, until they have been looked up again.
        self.known().ids.clone_from(&last.known().ids);
        self
    }

    /// What worked in `last` and would not any more, because a secret can not be read now: a reload must not turn a
    /// channel that reaches people into one that reaches nobody.
    pub fn lost_since(&self, last: &Self) -> Option<String> {
        let worked = |name: &ChannelName| last.channels.get(name).is_some_and(|wired| wired.sandboxed.is_none());
        let channel = self.channels.iter().find(|(name, wired)| wired.sandboxed.is_some() && worked(name));
        if let Some((name, wired)) = channel {
            return Some(format!("channel {name} would reach nobody: {}", wired.sandboxed.as_deref().unwrap_or("?")));
        }
        if let Some(name) = self.deafer_than(last) {
            return Some(format!(
                "what people answer by channel {name} would be refused: a secret of it can not be read"
            ));
        }
        let read = |live: &Self, source: &SourceName| live.tokens.iter().filter(|(known, _)| known == source).count();
        let mut sources = self.matrix.sources.iter();
        let lost = |(source, settings): &(&SourceName, &crate::matrix::SourceSettings)| {
            read(self, source) < read(last, source).min(settings.tokens.len())
        };
        let (source, _) = sources.find(lost)?;
        Some(format!("the alerts of source {source} would be refused: its token can not be read"))
    }

    /// The channel on which fewer answers would be heard than by `last`, though the matrix names what it takes.
    fn deafer_than(&self, last: &Self) -> Option<&ChannelName> {
        let deafer = |name: &ChannelName, config: &dyn ChannelConfig| {
            let (now, before) = (self.channels.get(name)?, last.channels.get(name)?);
            let keys = now.inbound.len() < before.inbound.len().min(config.inbound_secrets().len());
            let token = config.socket_secret().is_some();
            let socket = token && now.sandboxed.is_none() && now.socket.is_none() && before.socket.is_some();
            Some(keys || socket)
        };
        let mut channels = self.matrix.channels.iter();
        channels.find(|(name, settings)| deafer(name, settings.config.as_ref()) == Some(true)).map(|(name, _)| name)
    }

    /// The texts of this revision of a role's template, or the newest where they are gone (after a restart).
    pub fn texts(&self, template: &str, revision: &str) -> &PageTemplates {
        let mut texts = std::iter::once(&self.templates).chain(&self.older);
        texts.find(|texts| texts.has(template, revision)).unwrap_or(&self.templates)
    }

    /// A person's contact data; none when the matrix does not know them any more.
    pub fn contact(&self, person: &PersonName) -> Option<ContactData> {
        let known = self.matrix.people.get(person)?;
        Some(ContactData {
            person: person.to_string(),
            name: known.name.clone(),
            phone: known.phone.clone(),
            email: known.email.clone(),
            slack: known.slack.clone(),
            slack_by_email: known.slack_by_email,
        })
    }

    /// How humans call a person.
    pub fn name_of<'a>(&'a self, person: &'a PersonName) -> &'a str {
        self.names.get(person).map_or(person.as_str(), String::as_str)
    }
}

/// The form of text that a kind of channel shows. What a templated channel or a program shows depends on whom it reaches.
pub fn form(kind: ChannelKind, settings: Option<&ChannelSettings>) -> TextForm {
    settings.filter(|settings| settings.kind() == kind).map_or(kind.spec().form, ChannelSettings::form)
}
