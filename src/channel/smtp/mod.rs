//! Mail by SMTP.

mod compose;
pub mod incoming;
mod probe;
mod reply;
pub mod send;
pub mod settings;
pub mod without_attachments;

use super::{
    Channel,
    contact::EMAIL,
    kind::{ChannelConfig, ChannelKind, ChannelParts, DelayEstimate, KindSpec, ResponseAssumptions, RoomSupport},
};
use crate::{
    core::{AnswerVia, retry::SendPace},
    template::TextForm,
    toml_kit::secret::SecretRef,
};
use send::{SmtpChannel, SmtpSettings};
use settings::SmtpConfig;
use std::{sync::Arc, time::Duration};

/// Mail by SMTP.
pub const KIND: ChannelKind = ChannelKind::of(&SPEC);

static SPEC: KindSpec = KindSpec {
    name: "smtp",
    keys: settings::KEYS,
    preset: None,
    contact: Some(EMAIL),
    looks_people_up: false,
    pace: SendPace { every: Duration::from_secs(1), burst: 5 },
    accept_timeout: Duration::from_secs(30),
    form: TextForm::Mail,
    reports: false,
    room: RoomSupport::Never,
    // People read mail only now and then.
    response: ResponseAssumptions {
        reaction: DelayEstimate::seconds(480, 2400),
        acceptance: DelayEstimate::millis(400, 2000),
        delivery: DelayEstimate::seconds(8, 60),
        lost: 0.005,
        via: AnswerVia::MailLink,
    },
    read: |_, table, at, faults| Arc::new(settings::read(table, at, faults)),
};

impl ChannelConfig for SmtpConfig {
    fn kind(&self) -> ChannelKind {
        KIND
    }

    fn build(&self, parts: &ChannelParts<'_>) -> Result<Arc<dyn Channel>, String> {
        // A relay on loopback may need no login; one that names a user needs the password.
        let password = match (&self.account.username, &self.account.password) {
            (None, None) => None,
            (_, None) => return Err("it has no password".to_owned()),
            (_, Some(password)) => Some(parts.secret(password)?),
        };
        let settings = SmtpSettings {
            url: self.url.clone(),
            username: self.account.username.clone(),
            password,
            from: self.from.clone(),
            ca: parts.ca.clone(),
            site: Some(parts.site.to_owned()),
        };
        Ok(Arc::new(SmtpChannel::new(settings).map_err(|error| error.to_string())?))
    }

    fn secrets(&self) -> Vec<&SecretRef> {
        self.account.password.iter().collect()
    }

    fn mail_in(&self) -> Option<&str> {
        self.mail_in.as_deref()
    }
}
