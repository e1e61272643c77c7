//! The configuration in use: the matrix with its templates and channels. A reload swaps it as a whole.

use crate::{
    channel::{ContactData, kind::ChannelConfig, webhook::send::WebhookChannel},
    config,
    core::{ChannelName, PersonName, SourceName},
    engine::{
        active_channel::{ActiveChannel, SharedChannelParts},
        channel_factory,
        classifiers::{self, Classifiers},
        people_lookup::PeopleLookup,
    },
    matrix::{ChannelKind, ChannelSettings, Matrix, SourceSettings},
    template::{PageTemplates, TextForm},
    toml_kit::secret::SecretRef,
};
use secrecy::SecretString;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The matrix with everything that it needs to run.
pub struct RuntimeConfig {
    /// The Crisis Escalation Matrix.
    pub matrix: Matrix,
    /// The templates.
    pub templates: Arc<PageTemplates>,
    /// Templates of earlier loads, newest first: incidents keep the ones with which they opened.
    older: Vec<Arc<PageTemplates>>,
    /// The channels, ready to send.
    pub channels: BTreeMap<ChannelName, ActiveChannel>,
    /// Display names of the people.
    pub names: BTreeMap<PersonName, String>,
    /// Bearer tokens of the sources, as far as they can be read here.
    pub tokens: Vec<(SourceName, SecretString)>,
    /// Keys with which sources sign, as far as they can be read here.
    pub signing_keys: Vec<(SourceName, SecretString)>,
    /// Where copies of anchors go by HTTP, if the matrix says so; the error says why that is not possible.
    pub(super) anchor_webhook: Option<Result<WebhookChannel, String>>,
    /// The external classifiers of assessments.
    pub(super) classifiers: Classifiers,
    /// What providers know of the people.
    known: Mutex<PeopleLookup>,
}

/// The most earlier sets of templates that are kept for open incidents.
const OLDER_MAX: usize = 8;

impl RuntimeConfig {
    /// Builds the channels of a matrix and reads its secrets. A channel whose credentials are missing goes into the
    /// sandbox and says why; nothing fails.
    pub fn wire(matrix: Matrix, templates: PageTemplates, shared: &SharedChannelParts) -> Self {
        let channels = matrix
            .channels
            .iter()
            .map(|(name, settings)| (name.clone(), channel_factory::channel(name, settings, shared)))
            .collect();
        let names = matrix.people.iter().map(|(name, person)| (name.clone(), person.name.clone())).collect();
        let tokens = secrets_of_sources(&matrix, |settings| &settings.tokens);
        let signing_keys = secrets_of_sources(&matrix, SourceSettings::signing_keys);
        let anchor_webhook = channel_factory::anchor_webhook(matrix.daemon.anchors.as_ref(), shared);
        let classifiers = classifiers::of(&matrix, shared);
        let (templates, older, known) = (Arc::new(templates), Vec::new(), Mutex::default());
        Self { matrix, templates, older, channels, names, tokens, signing_keys, anchor_webhook, classifiers, known }
    }

    /// Channels in the sandbox, and why: they reach nobody.
    pub fn sandboxed(&self) -> BTreeMap<&ChannelName, &str> {
        self.channels.iter().filter_map(|(name, active)| Some((name, active.sandboxed.as_deref()?))).collect()
    }

    pub(super) fn known(&self) -> MutexGuard<'_, PeopleLookup> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over the templates of the last load, so that a reload changes no open incident.
    pub fn succeed(mut self, last: &Self) -> Self {
        let texts = std::iter::once(&last.templates).chain(&last.older);
        self.older =
            texts.filter(|old| old.revisions() != self.templates.revisions()).take(OLDER_MAX).cloned().collect();
        // People who were found by their mail address stay known until they are looked up again.
        self.known().ids.clone_from(&last.known().ids);
        self
    }

    /// What worked in `last` and would fail now because a secret can not be read: a reload must not turn a channel that
    /// reaches people into one that reaches nobody.
    pub fn lost_since(&self, last: &Self) -> Option<String> {
        let worked = |name: &ChannelName| last.channels.get(name).is_some_and(|active| active.sandboxed.is_none());
        let channel = self.channels.iter().find(|(name, active)| active.sandboxed.is_some() && worked(name));
        if let Some((name, active)) = channel {
            return Some(format!("channel {name} would reach nobody: {}", active.sandboxed.as_deref().unwrap_or("?")));
        }
        if let Some(name) = self.deafer_than(last) {
            return Some(format!("answers by channel {name} would be refused: a secret of it can not be read"));
        }
        let was_asked = |name: &String| last.classifiers.get(name).is_some_and(|own| own.trouble().is_none());
        let mut classifiers = self.classifiers.iter().filter(|(name, _)| was_asked(name));
        if let Some((name, why)) = classifiers.find_map(|(name, own)| Some((name, own.trouble()?))) {
            return Some(format!("the classifier of assessment {name} would be absent: {why}"));
        }
        let of = |secrets: &[(SourceName, SecretString)], source: &SourceName| {
            secrets.iter().filter(|(known, _)| known == source).count()
        };
        let mut sources = self.matrix.sources.iter();
        let lost = |(source, settings): &(&SourceName, &SourceSettings)| {
            of(&self.tokens, source) < of(&last.tokens, source).min(settings.tokens.len())
                || of(&self.signing_keys, source) < of(&last.signing_keys, source).min(settings.signing_keys().len())
        };
        let (source, _) = sources.find(lost)?;
        Some(format!("the alerts of source {source} would be refused: a secret of it can not be read"))
    }

    /// A channel that would receive fewer answers than in `last`, although the matrix has the settings for them.
    fn deafer_than(&self, last: &Self) -> Option<&ChannelName> {
        let deafer = |name: &ChannelName, config: &dyn ChannelConfig| {
            let (now, before) = (self.channels.get(name)?, last.channels.get(name)?);
            let keys = now.inbound.len() < before.inbound.len().min(config.inbound_secrets().len());
            let secret = config.connection_secret().is_some();
            let connection =
                secret && now.sandboxed.is_none() && now.connection.is_none() && before.connection.is_some();
            Some(keys || connection)
        };
        let mut channels = self.matrix.channels.iter();
        channels.find(|(name, settings)| deafer(name, settings.config.as_ref()) == Some(true)).map(|(name, _)| name)
    }

    /// The templates with this revision of a role's template, or the newest if they are gone (after a restart).
    pub fn texts(&self, template: &str, revision: &str) -> &PageTemplates {
        let mut texts = std::iter::once(&self.templates).chain(&self.older);
        texts.find(|texts| texts.has(template, revision)).unwrap_or(&self.templates)
    }

    /// A person's contact data; `None` if the matrix does not name them any more.
    pub fn contact(&self, person: &PersonName) -> Option<ContactData> {
        let known = self.matrix.people.get(person)?;
        Some(ContactData { person: person.to_string(), name: known.name.clone(), contacts: known.contacts.clone() })
    }

    /// A person's display name.
    pub fn name_of<'a>(&'a self, person: &'a PersonName) -> &'a str {
        self.names.get(person).map_or(person.as_str(), String::as_str)
    }
}

/// Secrets of the sources, as far as they can be read here.
fn secrets_of_sources(
    matrix: &Matrix,
    of: impl Fn(&SourceSettings) -> &[SecretRef],
) -> Vec<(SourceName, SecretString)> {
    let mut secrets = Vec::new();
    for (source, settings) in &matrix.sources {
        for kept in of(settings) {
            match config::secret(kept) {
                Ok(secret) => secrets.push((source.clone(), secret)),
                Err(error) => {
                    tracing::warn!(source = %source, %error, "this secret can not be read: what comes with it is refused");
                }
            }
        }
    }
    secrets
}

/// The form of text that a kind of channel shows. For `http` and `exec` it depends on whom they reach.
pub fn form(kind: ChannelKind, settings: Option<&ChannelSettings>) -> TextForm {
    settings.filter(|settings| settings.kind() == kind).map_or(kind.spec().form, ChannelSettings::form)
}
