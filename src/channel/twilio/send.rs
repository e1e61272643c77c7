//! SMS by Twilio: one POST for each message. If Twilio accepts it, it is only queued, not delivered: the delivery
//! report comes as a status callback.

use crate::{
    channel::{
        Channel, Message, ProbeCheck, Recipient, SendError, SettingError,
        contact::PHONE,
        twilio::login::{AccountSettings, TwilioLogin},
    },
    core::SendReceipt,
};
use futures_util::future::BoxFuture;
use std::time::Duration;

/// The default of how long Twilio keeps a message that it can not send at once.
pub const VALIDITY: Duration = Duration::from_secs(10 * 60);

/// The longest validity that Twilio supports.
pub const VALIDITY_MAX: Duration = Duration::from_secs(10 * 3600);

/// The shortest validity that we ask for, however soon a page is repeated: a carrier needs some time.
pub const VALIDITY_MIN: Duration = Duration::from_secs(60);

/// The sender of an SMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SmsSender {
    /// A number, a short code or a name.
    From(String),
    /// A messaging service: `MG..`.
    Service(String),
}

/// The channel that sends SMS by one account.
pub struct TwilioSms {
    pub(super) account: TwilioLogin,
    pub(super) sender: SmsSender,
    validity: Duration,
}

impl TwilioSms {
    /// Creates the client; nothing is sent.
    ///
    /// # Errors
    ///
    /// [`SettingError`] as for [`TwilioLogin::new`].
    pub fn new(account: AccountSettings, sender: SmsSender, validity: Duration) -> Result<Self, SettingError> {
        Ok(Self { account: TwilioLogin::new(account)?, sender, validity })
    }

    async fn page(&self, message: &Message) -> Result<SendReceipt, SendError> {
        let Recipient::Person(contact) = &message.to else {
            return Err(SendError::unreachable("an SMS can not go to a room"));
        };
        let phone = contact.demand(PHONE)?;
        let id = self.account.make("Messages", &self.fields(phone, message)).await?;
        Ok(SendReceipt::of(id))
    }

    fn fields(&self, phone: &str, message: &Message) -> Vec<(&'static str, String)> {
        let mut fields = vec![("To", phone.to_owned()), ("Body", message.whole_text().into_owned())];
        fields.push(match &self.sender {
            SmsSender::From(from) => ("From", from.clone()),
            SmsSender::Service(service) => ("MessagingServiceSid", service.clone()),
        });
        fields.push(("ValidityPeriod", self.validity_of(message).as_secs().to_string()));
        if let Some(report) = self.account.reachable(message.report.as_ref()) {
            fields.push(("StatusCallback", report.to_owned()));
        }
        fields
    }

    /// The validity of a message. It ends before the page is repeated, so that pages do not pile up behind a carrier
    /// that is down.
    fn validity_of(&self, message: &Message) -> Duration {
        message.life.map_or(self.validity, |life| self.validity.min(life.max(VALIDITY_MIN)))
    }
}

impl Channel for TwilioSms {
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<SendReceipt, SendError>> {
        Box::pin(self.page(message))
    }

    fn probe(&self) -> BoxFuture<'_, Vec<ProbeCheck>> {
        Box::pin(self.account.probe(&self.sender))
    }
}
