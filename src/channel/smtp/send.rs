//! Mail by SMTP: one message for each person and one connection for each message, so that a send dropped half-way
//! leaves no reply that the next mail could read as its own.

use crate::{
    channel::{
        Channel, Message, ProbeCheck, Recipient, SendError, SettingError,
        contact::EMAIL,
        is_loopback,
        smtp::{
            compose,
            reply::{SmtpPhase, judge},
        },
    },
    core::SendReceipt,
};
use futures_util::{FutureExt, future::BoxFuture};
use lettre::{
    Address,
    message::Mailbox,
    transport::smtp::{
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, Certificate, TlsParameters},
        commands::{Data, Mail, Rcpt},
        extension::{ClientId, Extension, MailParameter},
    },
};
use secrecy::{ExposeSecret, SecretString};
use std::{path::PathBuf, time::Duration};

/// The connect timeout.
const CONNECT: Duration = Duration::from_secs(3);

/// How to reach the mail server.
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    /// `smtps://HOST[:465]` for TLS from the first byte; `smtp://HOST[:587]` for STARTTLS, which is required. Plain
    /// text is used for a server on this machine (`smtp://localhost`, `smtp://127.0.0.1`), unless `ca` is set.
    pub url: String,
    /// The user name, if the server requires a login.
    pub username: Option<String>,
    /// The password.
    pub password: Option<SecretString>,
    /// The sender: `Stentor <stentor@desk.example>`. Its domain also names us to the server and in message ids.
    pub from: String,
    /// A root certificate (PEM) to trust in addition to the system's.
    pub ca: Option<PathBuf>,
    /// Part of every message id. Many servers drop a second mail with a known id, and incident numbers start from 1
    /// again if the state is lost: this value must differ then.
    pub site: Option<String>,
}

/// The channel that sends by one mail server.
pub struct SmtpChannel {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: SmtpTls,
    pub(super) hello: ClientId,
    pub(super) from: Mailbox,
    pub(super) credentials: Option<Credentials>,
    pub(super) site: Option<String>,
}

pub(super) enum SmtpTls {
    /// TLS from the first byte.
    Implicit(TlsParameters),
    /// STARTTLS, required.
    Demanded(TlsParameters),
    /// Plain text, on this machine.
    Plain,
}

impl SmtpChannel {
    /// Reads the settings and the certificate; nothing is sent.
    ///
    /// # Errors
    ///
    /// [`SettingError`] if the URL, the sender or the certificate is not valid.
    pub fn new(settings: SmtpSettings) -> Result<Self, SettingError> {
        let url = reqwest::Url::parse(&settings.url).map_err(|error| wrong("url", &error.to_string()))?;
        let host = url.host_str().ok_or_else(|| wrong("url", "write smtps://HOST or smtp://HOST"))?.to_owned();
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("url", "write user and password in keys of their own: URLs end up in logs"));
        }
        let from: Mailbox = settings.from.parse().map_err(|_| wrong("from", "write Name <mailbox@domain>"))?;
        let (tls, standard_port) = tls(url.scheme(), &host, settings.ca.as_ref())?;
        Ok(Self {
            port: url.port().unwrap_or(standard_port),
            tls,
            hello: ClientId::Domain(from.email.domain().to_owned()),
            from,
            credentials: credentials(settings.username, settings.password.as_ref())?,
            site: settings.site,
            host,
        })
    }

    async fn mail(&self, message: &Message) -> Result<SendReceipt, SendError> {
        let Recipient::Person(contact) = &message.to else {
            return Err(SendError::unreachable("a mail can not go to a room"));
        };
        let Ok(to) = contact.demand(EMAIL)?.parse::<Address>() else {
            return Err(SendError::unreachable("the mailbox is not valid"));
        };
        // A line break in a name makes the library panic.
        let name = (!contact.name.is_empty()).then(|| compose::on_one_line(&contact.name));
        let (id, mail) = compose::write(message, &self.from, Mailbox::new(name, to.clone()), self.site.as_deref())
            .map_err(|error| SendError::unreachable(format!("the mail can not be composed: {error}")))?;
        let mut server = self.connect().await?;
        self.hand_over(&mut server, &to, &mail).await?;
        // QUIT without waiting for its reply: the mail is accepted, and a slow reply must not undo that.
        let _ = server.quit().now_or_never();
        Ok(SendReceipt::of(id))
    }

    pub(super) async fn connect(&self) -> Result<AsyncSmtpConnection, SendError> {
        let implicit = match &self.tls {
            SmtpTls::Implicit(parameters) => Some(parameters.clone()),
            SmtpTls::Demanded(_) | SmtpTls::Plain => None,
        };
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let mut server =
            AsyncSmtpConnection::connect_tokio1((host, self.port), Some(CONNECT), &self.hello, implicit, None)
                .await
                .map_err(|error| judge(SmtpPhase::Connect, &error))?;
        if let SmtpTls::Demanded(parameters) = &self.tls {
            if !server.can_starttls() {
                return Err(SendError::broken(
                    "the mail server offers no STARTTLS; nothing is sent in plain text: use smtps://, or repair the server",
                ));
            }
            server
                .starttls(parameters.clone(), &self.hello)
                .await
                .map_err(|error| judge(SmtpPhase::Connect, &error))?;
        }
        if let Some(credentials) = &self.credentials {
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            server.auth(&mechanisms, credentials).await.map_err(|error| judge(SmtpPhase::SignIn, &error))?;
        }
        Ok(server)
    }

    /// Sends step by step, not by lettre's own `send`, which waits for the reply to QUIT and does not say which step
    /// failed: whether the mail may have been sent depends on that.
    async fn hand_over(&self, server: &mut AsyncSmtpConnection, to: &Address, mail: &[u8]) -> Result<(), SendError> {
        let mut options = Vec::new();
        if !AsRef::<str>::as_ref(to).is_ascii() {
            if !server.server_info().supports_feature(Extension::SmtpUtfEight) {
                return Err(SendError::unreachable(
                    "the mail server does not accept mailboxes with accents (no SMTPUTF8)",
                ));
            }
            options.push(MailParameter::SmtpUtfEight);
        }
        let from = Some(self.from.email.clone());
        let at = |phase| move |error| judge(phase, &error);
        server.command(Mail::new(from, options)).await.map_err(at(SmtpPhase::Sender))?;
        server.command(Rcpt::new(to.clone(), Vec::new())).await.map_err(at(SmtpPhase::Recipient))?;
        server.command(Data).await.map_err(at(SmtpPhase::Data))?;
        server.message(mail).await.map_err(at(SmtpPhase::Letter))?;
        Ok(())
    }
}

impl Channel for SmtpChannel {
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<SendReceipt, SendError>> {
        Box::pin(self.mail(message))
    }

    fn probe(&self) -> BoxFuture<'_, Vec<ProbeCheck>> {
        Box::pin(self.look())
    }
}

fn tls(scheme: &str, host: &str, ca: Option<&PathBuf>) -> Result<(SmtpTls, u16), SettingError> {
    match scheme {
        "smtps" => Ok((SmtpTls::Implicit(parameters(host, ca)?), 465)),
        "smtp" if is_loopback(host) && ca.is_none() => Ok((SmtpTls::Plain, 25)),
        "smtp" => Ok((SmtpTls::Demanded(parameters(host, ca)?), 587)),
        _ => Err(wrong("url", "only smtp:// and smtps:// are supported")),
    }
}

fn parameters(host: &str, ca: Option<&PathBuf>) -> Result<TlsParameters, SettingError> {
    let mut builder = TlsParameters::builder(host.trim_start_matches('[').trim_end_matches(']').to_owned());
    if let Some(path) = ca {
        let pem = std::fs::read(path).map_err(|source| SettingError::File { key: "ca", source })?;
        let none = || wrong("ca", "the file contains no certificate in PEM");
        let root = Certificate::from_pem(&pem).map_err(|_| none())?;
        // lettre accepts a file without any certificate, and then adds none.
        if !String::from_utf8_lossy(&pem).contains("BEGIN CERTIFICATE") {
            return Err(none());
        }
        builder = builder.add_root_certificate(root);
    }
    builder.build_rustls().map_err(|error| wrong("ca", &error.to_string()))
}

fn credentials(username: Option<String>, password: Option<&SecretString>) -> Result<Option<Credentials>, SettingError> {
    match (username, password) {
        (None, None) => Ok(None),
        (Some(user), Some(password)) => Ok(Some(Credentials::new(user, password.expose_secret().to_owned()))),
        (Some(_), None) => Err(wrong("password", "there is a username, but no password")),
        (None, Some(_)) => Err(wrong("username", "there is a password, but no username")),
    }
}

fn wrong(key: &'static str, why: &str) -> SettingError {
    SettingError::Wrong { key, why: why.to_owned() }
}
