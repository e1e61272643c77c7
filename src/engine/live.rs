//! What is loaded and may be swapped whole by a reload: the matrix, its texts, its channels.

use crate::{
    channel::{Channel, Contact, kannel::Kannel, outbox::Outbox, screen::Hub, slack::Slack, smtp::Smtp},
    config,
    core::{ChannelName, PersonName, SourceName, retry::Pace},
    matrix::{ChannelKind, ChannelSettings, Matrix, SecretRef},
    template::{Form, Templates},
};
use secrecy::SecretString;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// The matrix with everything that it needs to work.
pub struct Live {
    /// The Crisis Escalation Matrix.
    pub matrix: Matrix,
    /// What each role reads.
    pub templates: Arc<Templates>,
    /// Texts of before, newest first: incidents that opened with them go on with them.
    older: Vec<Arc<Templates>>,
    /// How humans are reached.
    pub channels: BTreeMap<ChannelName, Wired>,
    /// Display names.
    pub names: BTreeMap<PersonName, String>,
    /// Bearer tokens of the sources that have one here.
    pub tokens: Vec<(SourceName, SecretString)>,
}

/// One channel, ready to send.
pub struct Wired {
    /// It.
    pub channel: Arc<dyn Channel>,
    /// What kind the matrix says it is.
    pub kind: ChannelKind,
    /// Why it writes to the outbox of the sandbox instead, where it does.
    pub sandboxed: Option<String>,
    /// How long one attempt may take; the node's lease must outlast it.
    pub timeout: Duration,
    /// How fast one destination may be written to.
    pub pace: Pace,
    /// What authenticates its callbacks (Slack's signing secret, the gateway's token).
    pub inbound: Option<SecretString>,
}

/// The longest time that one attempt may take on any channel.
pub const SEND_TIMEOUT_MAX: Duration = Duration::from_secs(10);

/// Sets of texts of before a reload that are kept for open incidents.
const OLDER_MAX: usize = 8;

/// What channels share over reloads.
#[derive(Clone)]
pub struct Shared {
    /// The desks that are open.
    pub hub: Hub,
    /// Where the sandbox writes.
    pub outbox: Outbox,
    /// Tells this installation's mails from those of another, or of one before its state was lost.
    pub site: String,
    /// Whether every channel but the screen is in the sandbox.
    pub sandbox: bool,
}

impl Live {
    /// Wires a matrix. A channel whose credentials are not there is put in the sandbox and says why; nothing fails.
    pub fn wire(matrix: Matrix, templates: Templates, shared: &Shared) -> Self {
        let channels = matrix
            .channels
            .iter()
            .map(|(name, settings)| (name.clone(), wire_channel(name, settings, shared)))
            .collect();
        let names = matrix.people.iter().map(|(name, person)| (name.clone(), person.name.clone())).collect();
        let mut tokens = Vec::new();
        for (source, settings) in &matrix.sources {
            for token in &settings.tokens {
                match config::secret(&reference(token)) {
                    Ok(secret) => tokens.push((source.clone(), secret)),
                    Err(error) => {
                        tracing::warn!(source = %source, %error, "this token is not here: alerts with it are refused");
                    }
                }
            }
        }
        Self { matrix, templates: Arc::new(templates), older: Vec::new(), channels, names, tokens }
    }

    /// Takes over the texts of the last load, so that a reload changes no crisis under way.
    pub fn succeed(mut self, last: &Self) -> Self {
        let texts = std::iter::once(&last.templates).chain(&last.older);
        self.older =
            texts.filter(|old| old.revisions() != self.templates.revisions()).take(OLDER_MAX).cloned().collect();
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
        let read = |live: &Self, source: &SourceName| live.tokens.iter().filter(|(known, _)| known == source).count();
        let mut sources = self.matrix.sources.iter();
        let lost = |(source, settings): &(&SourceName, &crate::matrix::Source)| {
            read(self, source) < read(last, source).min(settings.tokens.len())
        };
        let (source, _) = sources.find(lost)?;
        Some(format!("the alerts of source {source} would be refused: its token can not be read"))
    }

    /// The texts of this revision of a role's template, or the newest where they are gone (after a restart).
    pub fn texts(&self, template: &str, revision: &str) -> &Templates {
        let mut texts = std::iter::once(&self.templates).chain(&self.older);
        texts.find(|texts| texts.has(template, revision)).unwrap_or(&self.templates)
    }

    /// A person's contact data; none when the matrix does not know them any more.
    pub fn contact(&self, person: &PersonName) -> Option<Contact> {
        let known = self.matrix.people.get(person)?;
        Some(Contact {
            person: person.to_string(),
            name: known.name.clone(),
            phone: known.phone.clone(),
            email: known.email.clone(),
            slack: known.slack.clone(),
        })
    }

    /// How humans call a person.
    pub fn name_of<'a>(&'a self, person: &'a PersonName) -> &'a str {
        self.names.get(person).map_or(person.as_str(), String::as_str)
    }
}

/// The form of text that a kind of channel shows.
pub fn form(kind: ChannelKind) -> Form {
    match kind {
        ChannelKind::Screen => Form::Screen,
        ChannelKind::Slack => Form::Slack,
        ChannelKind::Kannel => Form::Sms,
        ChannelKind::Smtp => Form::Mail,
    }
}

fn reference(secret: &SecretRef) -> config::Secret {
    match secret {
        SecretRef::Env(name) => config::Secret::Env(name.clone()),
        SecretRef::File(path) => config::Secret::File(path.clone()),
        SecretRef::Credential(name) => config::Secret::Credential(name.clone()),
    }
}

fn wire_channel(name: &ChannelName, settings: &ChannelSettings, shared: &Shared) -> Wired {
    let inbound = match settings.kind {
        ChannelKind::Slack => settings.signing_secret.as_ref(),
        ChannelKind::Kannel => settings.token.as_ref(),
        ChannelKind::Screen | ChannelKind::Smtp => None,
    };
    let built = match settings.kind {
        ChannelKind::Screen => Ok(Arc::new(shared.hub.clone()) as Arc<dyn Channel>),
        _ if shared.sandbox => Err("--sandbox".to_owned()),
        ChannelKind::Slack => slack(settings),
        ChannelKind::Kannel => kannel(settings),
        ChannelKind::Smtp => smtp(settings, &shared.site),
    };
    let (channel, sandboxed) = match built {
        Ok(channel) => (channel, None),
        Err(why) => {
            if !shared.sandbox {
                tracing::warn!(channel = %name, why, "this channel writes to the outbox only");
            }
            let sandbox = shared.outbox.instead_of(name.clone(), settings.kind.as_str());
            (Arc::new(sandbox) as Arc<dyn Channel>, Some(why))
        }
    };
    Wired {
        channel,
        kind: settings.kind,
        sandboxed,
        timeout: settings.patience.min(SEND_TIMEOUT_MAX),
        pace: settings.pace,
        inbound: inbound.and_then(|secret| config::secret(&reference(secret)).ok()),
    }
}

type Built = Result<Arc<dyn Channel>, String>;

fn slack(settings: &ChannelSettings) -> Built {
    let token = required(settings.token.as_ref(), "token")?;
    let slack = Slack::new(crate::channel::slack::SlackSettings { token, api_url: settings.url.clone() });
    Ok(Arc::new(slack.map_err(|error| error.to_string())?))
}

fn kannel(settings: &ChannelSettings) -> Built {
    let password = required(settings.password.as_ref(), "password")?;
    let url = settings.url.clone().ok_or("it has no url")?;
    let username = settings.username.clone().ok_or("it has no username")?;
    let kannel =
        Kannel::new(crate::channel::kannel::KannelSettings { url, username, password, from: settings.from.clone() });
    Ok(Arc::new(kannel.map_err(|error| error.to_string())?))
}

fn smtp(settings: &ChannelSettings, site: &str) -> Built {
    let url = settings.url.clone().ok_or("it has no url")?;
    let from = settings.from.clone().ok_or("it has no from")?;
    // A relay on loopback may need no login; one that names a user needs the password.
    let password = match (&settings.username, &settings.password) {
        (None, None) => None,
        (_, password) => Some(required(password.as_ref(), "password")?),
    };
    let smtp = Smtp::new(crate::channel::smtp::SmtpSettings {
        url,
        username: settings.username.clone(),
        password,
        from,
        ca: config::extra_ca(),
        site: Some(site.to_owned()),
    });
    Ok(Arc::new(smtp.map_err(|error| error.to_string())?))
}

fn required(secret: Option<&SecretRef>, what: &str) -> Result<SecretString, String> {
    let secret = secret.ok_or_else(|| format!("it has no {what}"))?;
    config::secret(&reference(secret)).map_err(|error| error.to_string())
}
