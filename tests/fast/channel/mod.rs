//! One contract for all channels, and what each does beyond it.
#![allow(clippy::disallowed_methods)]
#![allow(clippy::unwrap_used)]

use crate::double;

mod bench;
mod blocks;
mod contract;
mod gateway;
mod interaction;
mod kinds;
mod local;
mod mail;
mod marks;
mod modal;
mod people;
mod probe;
mod room;
mod signature;
mod slack;
mod sms;
mod socket;
mod telegram;
mod telegram_group;
mod twilio;
mod wired;

use secrecy::SecretString;
use stentor::{
    channel::{
        ContactData, Message, MessageText, Recipient, ReplyOptions, SendError,
        contact::{ContactField, ContactValues, EMAIL, PHONE},
        kannel::send as kannel_channel,
        option_button::OptionButton,
        slack::{contact::MEMBER, send as slack_channel},
        smtp::send as smtp_channel,
        telegram::{contact::CHAT, send as telegram_channel},
        twilio::{login as twilio_channel, send as twilio_sms},
        voice::send as twilio_calls,
    },
    core::{AnswerLevel, IncidentId, PageId, PagePurpose, RoleName, SendReceipt, Timestamp},
};

/// Ana, reachable by every channel.
fn ana() -> ContactData {
    ContactData {
        person: "ana".to_owned(),
        name: "Ana Ruiz".to_owned(),
        contacts: ContactValues::from([
            (PHONE, "+447700900001".to_owned()),
            (EMAIL, "ana@example.com".to_owned()),
            (MEMBER, "UANA".to_owned()),
            (CHAT, double::telegram::ANA.to_string()),
        ]),
    }
}

/// Ana, but for what is said here.
fn ana_with(other: impl IntoIterator<Item = (ContactField, String)>) -> ContactData {
    let mut contact = ana();
    contact.contacts.extend(other);
    contact
}

/// A page of INC-12 for this person.
fn page_for(contact: ContactData) -> Message {
    Message {
        page: PageId { incident: IncidentId(12), n: 3 },
        mark: String::new(),
        page_mark: String::new(),
        drill: false,
        attempted: false,
        purpose: PagePurpose::Brief { round: 0 },
        role: Some(RoleName::from("trader")),
        to: Recipient::Person(contact),
        text: MessageText {
            headline: "LIVE INC-12 flash crash ACME: take it within 45s or the head of desk is paged".to_owned(),
            subject: "[INC-12] LIVE flash crash ACME".to_owned(),
            body: "LIVE INC-12 flash crash ACME: take it within 45s.\nDrop 6 % in 10 s. Reply 48213.".to_owned(),
            html: Some("<p>LIVE INC-12</p>".to_owned()),
            times: Default::default(),
        },
        ask: Some(ReplyOptions {
            page: PageId { incident: IncidentId(12), n: 3 },
            code: SecretString::from("48213"),
            link: SecretString::from("https://desk.example/a/link-secret"),
            proof: SecretString::from("mail-proof-secret"),
            level: AnswerLevel::Wilco,
            options: Vec::new(),
            fills_in: false,
            edits: false,
            repeats: None,
        }),
        room: None,
        report: None,
        desk: Some("https://desk.example/desk".to_owned()),
        born_at: Timestamp::from_micros(1_700_000_000_000_000),
        life: None,
        request: None,
    }
}

/// The options of an approval.
fn two_options() -> Vec<OptionButton> {
    let option = |letter, label: &str| OptionButton { letter, label: label.into(), does: None, refuses: letter == 'B' };
    vec![option('A', "Approve"), option('B', "Deny")]
}

/// A post into the war room of INC-12.
fn post_for_room(id: Option<&str>, purpose: PagePurpose) -> Message {
    let to = Recipient::Room {
        id: id.map(str::to_owned),
        card: None,
        name: "inc-12-flash-crash".to_owned(),
        private: true,
        invite: vec![ana()],
    };
    Message { to, purpose, role: None, ask: None, ..page_for(ana()) }
}

fn slack_at(api_url: String) -> slack_channel::SlackChannel {
    double::install_tls();
    let token = SecretString::from(double::slack::TOKEN);
    slack_channel::SlackChannel::new(slack_channel::SlackSettings { token, api_url: Some(api_url) }).unwrap()
}

fn kannel_at(url: String) -> kannel_channel::KannelChannel {
    double::install_tls();
    kannel_channel::KannelChannel::new(kannel_channel::KannelSettings {
        url,
        username: double::gateway::USERNAME.to_owned(),
        password: SecretString::from(double::gateway::PASSWORD),
        from: Some("Stentor".to_owned()),
    })
    .unwrap()
}

fn telegram_at(url: String) -> telegram_channel::TelegramChannel {
    double::install_tls();
    telegram_channel::TelegramChannel::new(Some(&url), SecretString::from(double::telegram::TOKEN)).unwrap()
}

fn twilio_account(url: String) -> twilio_channel::AccountSettings {
    double::install_tls();
    twilio_channel::AccountSettings {
        account: double::twilio::ACCOUNT.to_owned(),
        tokens: vec![SecretString::from(double::twilio::TOKEN)],
        api_key: None,
        url: Some(url),
        wall: || Timestamp::from_micros(0),
    }
}

fn twilio_at(url: String) -> twilio_sms::TwilioSms {
    let from = twilio_sms::SmsSender::From(double::twilio::FROM.to_owned());
    twilio_sms::TwilioSms::new(twilio_account(url), from, twilio_sms::VALIDITY).unwrap()
}

fn voice_at(url: String) -> twilio_calls::TwilioVoice {
    twilio_calls::TwilioVoice::new(twilio_account(url), double::twilio::FROM.to_owned(), false).unwrap()
}

fn smtp_at(url: String) -> smtp_channel::SmtpChannel {
    smtp_channel::SmtpChannel::new(smtp_channel::SmtpSettings {
        url,
        username: Some(double::smtp::USERNAME.to_owned()),
        password: Some(SecretString::from(double::smtp::PASSWORD)),
        from: "Stentor <stentor@desk.example>".to_owned(),
        ca: None,
        site: None,
    })
    .unwrap()
}

/// An outcome in a word or two.
fn told(result: &Result<SendReceipt, SendError>) -> String {
    match result {
        Ok(SendReceipt { stand_in: None, .. }) => "accepted".to_owned(),
        Ok(SendReceipt { stand_in: Some(stand_in), .. }) => stand_in.as_str().to_owned(),
        Err(SendError::DeskClosed { after, .. }) => format!("desk closed, again in {}s", after.as_secs()),
        Err(SendError::Retry { unknown: true, .. }) => "unknown".to_owned(),
        Err(SendError::Retry { after: Some(after), .. }) => format!("retry in {}s", after.as_secs()),
        Err(SendError::Retry { after: None, .. }) => "retry".to_owned(),
        Err(SendError::Unreachable { opted_out: true, .. }) => "opted out".to_owned(),
        Err(SendError::Unreachable { .. }) => "unreachable".to_owned(),
        Err(SendError::Broken { .. }) => "broken".to_owned(),
    }
}
