//! One contract for all channels, and what each does beyond it.
#![allow(clippy::disallowed_methods)]
#![allow(clippy::unwrap_used)]

mod double;

#[path = "channel/contract.rs"]
mod contract;
#[path = "channel/interaction.rs"]
mod interaction;
#[path = "channel/local.rs"]
mod local;
#[path = "channel/mail.rs"]
mod mail;
#[path = "channel/room.rs"]
mod room;
#[path = "channel/slack.rs"]
mod slack;
#[path = "channel/sms.rs"]
mod sms;

use secrecy::SecretString;
use stentor::{
    channel::{Ask, Contact, Message, Recipient, SendError, Text, kannel, slack as slack_channel, smtp},
    core::{IncidentId, Level, PageId, Purpose, Receipt, RoleName},
};

/// Ana, reachable by every channel.
fn ana() -> Contact {
    Contact {
        person: "ana".to_owned(),
        name: "Ana Ruiz".to_owned(),
        phone: Some("+34600000001".to_owned()),
        email: Some("ana@example.com".to_owned()),
        slack: Some("UANA".to_owned()),
    }
}

/// A page of INC-12 for this person.
fn page_for(contact: Contact) -> Message {
    Message {
        page: PageId { incident: IncidentId(12), n: 3 },
        drill: false,
        purpose: Purpose::Brief { round: 0 },
        role: Some(RoleName::from("trader")),
        to: Recipient::Person(contact),
        text: Text {
            headline: "LIVE INC-12 flash crash ACME: take it within 45s or the head of desk is paged".to_owned(),
            subject: "[INC-12] LIVE flash crash ACME".to_owned(),
            body: "LIVE INC-12 flash crash ACME: take it within 45s.\nDrop 6 % in 10 s. Reply 48213.".to_owned(),
            html: Some("<p>LIVE INC-12</p>".to_owned()),
        },
        ask: Some(Ask {
            code: SecretString::from("48213"),
            link: SecretString::from("https://desk.example/a/link-secret"),
            proof: SecretString::from("mail-proof-secret"),
            level: Level::Wilco,
        }),
        report: None,
    }
}

/// A post into the war room of INC-12.
fn post_for_room(id: Option<&str>, purpose: Purpose) -> Message {
    let to = Recipient::Room {
        id: id.map(str::to_owned),
        card: None,
        name: "inc-12-flash-crash".to_owned(),
        private: true,
        invite: vec!["UANA".to_owned()],
    };
    Message { to, purpose, role: None, ask: None, ..page_for(ana()) }
}

fn slack_at(api_url: String) -> slack_channel::Slack {
    double::install_tls();
    let token = SecretString::from(double::slack::TOKEN);
    slack_channel::Slack::new(slack_channel::SlackSettings { token, api_url: Some(api_url) }).unwrap()
}

fn kannel_at(url: String) -> kannel::Kannel {
    double::install_tls();
    kannel::Kannel::new(kannel::KannelSettings {
        url,
        username: double::gateway::USERNAME.to_owned(),
        password: SecretString::from(double::gateway::PASSWORD),
        from: Some("Stentor".to_owned()),
    })
    .unwrap()
}

fn smtp_at(url: String) -> smtp::Smtp {
    smtp::Smtp::new(smtp::SmtpSettings {
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
fn told(result: &Result<Receipt, SendError>) -> String {
    match result {
        Ok(_) => "accepted".to_owned(),
        Err(SendError::Retry { unknown: true, .. }) => "unknown".to_owned(),
        Err(SendError::Retry { after: Some(after), .. }) => format!("retry in {}s", after.as_secs()),
        Err(SendError::Retry { after: None, .. }) => "retry".to_owned(),
        Err(SendError::Unreachable { .. }) => "unreachable".to_owned(),
        Err(SendError::Broken { .. }) => "broken".to_owned(),
    }
}
