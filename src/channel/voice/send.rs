//! Calls by Twilio. If Twilio accepts a call, it will dial; when somebody picks up, it fetches the text from our HTTP
//! server ([`crate::channel::twilio::twiml`]), so that nobody is asked for a role that another person has taken
//! meanwhile.

use crate::{
    channel::{
        Channel, ContactData, Message, ProbeCheck, Recipient, SendError, SettingError,
        contact::PHONE,
        twilio::{
            login::{AccountSettings, TwilioLogin},
            send::SmsSender,
            twiml,
        },
    },
    core::{PagePurpose, SendReceipt, StandIn},
};
use futures_util::future::BoxFuture;

/// How long a phone rings, in seconds: most voicemails pick up later.
const RING_S: &str = "25";

/// The longest call, in seconds: enough for the text twice, every question and every repetition.
const CALL_S: &str = "300";

/// The longest inline document that Twilio accepts, in characters.
const INLINE_MAX: usize = 4000;

/// Said if Twilio can not reach our HTTP server, so that pressed keys would have no effect.
const NO_KEYS: &str = "This call takes no answer. Answer on the desk page, by text message or by mail.";

/// The channel that calls by one account.
pub struct TwilioVoice {
    account: TwilioLogin,
    from: SmsSender,
    machines: bool,
}

impl TwilioVoice {
    /// Creates the client; nobody is called. With `machines`, Twilio detects answering machines during the call.
    ///
    /// # Errors
    ///
    /// [`SettingError`] as for [`TwilioLogin::new`].
    pub fn new(account: AccountSettings, from: String, machines: bool) -> Result<Self, SettingError> {
        Ok(Self { account: TwilioLogin::new(account)?, from: SmsSender::From(from), machines })
    }

    async fn page(&self, message: &Message) -> Result<SendReceipt, SendError> {
        let Recipient::Person(contact) = &message.to else {
            return Err(SendError::unreachable("a room can not be called"));
        };
        let phone = contact.demand(PHONE)?;
        if did_it_themselves(message, contact) {
            return Ok(SendReceipt::of_stand_in(StandIn::Unneeded, "not called: it is about their own answer"));
        }
        let id = self.account.make("Calls", &self.fields(phone, message)).await?;
        Ok(SendReceipt::of(id))
    }

    fn fields(&self, phone: &str, message: &Message) -> Vec<(&'static str, String)> {
        let (SmsSender::From(from) | SmsSender::Service(from)) = &self.from;
        let mut fields = vec![("To", phone.to_owned()), ("From", from.clone())];
        fields.push(("Timeout", RING_S.to_owned()));
        fields.push(("TimeLimit", CALL_S.to_owned()));
        let Some(report) = self.account.reachable(message.report.as_ref()) else {
            fields.push(("Twiml", inline(&message.whole_text())));
            return fields;
        };
        // If the first request fails, Twilio tries the same address again: the daemon may just be restarting.
        let script = format!("{report}&turn=0");
        fields.extend([("Url", script.clone()), ("FallbackUrl", script), ("StatusCallback", report.to_owned())]);
        fields.extend(["answered", "completed"].map(|event| ("StatusCallbackEvent", event.to_owned())));
        if self.machines {
            // Asynchronous, so that the person who picks up does not wait in silence for the detection.
            fields.extend([("MachineDetection", "Enable".to_owned()), ("AsyncAmd", "true".to_owned())]);
            fields.push(("AsyncAmdStatusCallback", report.to_owned()));
        }
        fields
    }
}

impl Channel for TwilioVoice {
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<SendReceipt, SendError>> {
        Box::pin(self.page(message))
    }

    fn probe(&self) -> BoxFuture<'_, Vec<ProbeCheck>> {
        Box::pin(self.account.probe(&self.from))
    }
}

/// Whether the message is about what this person did themselves: they got an immediate response to their answer, so a
/// call would be noise.
fn did_it_themselves(message: &Message, contact: &ContactData) -> bool {
    match &message.purpose {
        PagePurpose::Taken { by, .. } | PagePurpose::HandedBack { by, .. } => by.as_str() == contact.person,
        _ => false,
    }
}

/// The text twice, within Twilio's limit for inline documents.
fn inline(text: &str) -> String {
    let mut text = text.to_owned();
    loop {
        let document = twiml::tell(&[&text, &text, NO_KEYS]);
        if document.chars().count() <= INLINE_MAX {
            return document;
        }
        text = text.chars().take(text.chars().count() / 2).collect();
    }
}
