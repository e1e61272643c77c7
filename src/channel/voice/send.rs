//! Calls by Twilio. That Twilio has taken a call means that it will dial; what is said when somebody picks up is fetched
//! from our own door at that moment ([`crate::channel::twilio::twiml`]), so that nobody is asked for what another has taken meanwhile.

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

/// How long a phone rings, in seconds: most voicemails pick up after that.
const RING_S: &str = "25";

/// The longest call, in seconds: the text twice, every question, every repetition.
const CALL_S: &str = "300";

/// The longest inline document that Twilio takes, in characters.
const INLINE_MAX: usize = 4000;

/// Said where Twilio can not ask our door: nobody could press anything.
const NO_KEYS: &str = "This call takes no answer. Answer on the desk page, by text message or by mail.";

/// Calls by an account.
pub struct TwilioVoice {
    account: TwilioLogin,
    from: SmsSender,
    machines: bool,
}

impl TwilioVoice {
    /// Makes the client; nobody is called. With `machines`, Twilio listens for answering machines beside the call.
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
        // The same address again where the first try fails: a daemon that is just restarting is asked once more.
        let script = format!("{report}&turn=0");
        fields.extend([("Url", script.clone()), ("FallbackUrl", script), ("StatusCallback", report.to_owned())]);
        fields.extend(["answered", "completed"].map(|event| ("StatusCallbackEvent", event.to_owned())));
        if self.machines {
            // Beside the call: who picks up must not wait in silence until a machine has judged their voice.
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

/// Who has taken it or handed it back heard so at once, by whichever way they answered: a call to tell them would be
/// noise.
fn did_it_themselves(message: &Message, contact: &ContactData) -> bool {
    match &message.purpose {
        PagePurpose::Taken { by, .. } | PagePurpose::HandedBack { by, .. } => by.as_str() == contact.person,
        _ => false,
    }
}

/// The text twice, within what Twilio takes inline.
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
