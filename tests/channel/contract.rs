//! What every channel must make of every condition that it can meet: one table.

use crate::{
    ana,
    double::{self, fault::Fault, gateway::Gateway, slack::FakeSlack, smtp::MailServer, smtp::Trouble},
    kannel_at, page_for, slack_at, smtp_at, told,
};
use std::{sync::Arc, time::Duration};
use stentor::{
    channel::{
        Channel, Contact, Message, Recipient,
        outbox::{FILE, Outbox},
        screen::Desk,
        screen::Hub,
    },
    core::{ChannelName, PersonName, Timestamp},
};
use tokio::sync::Notify;

/// What a channel can meet.
#[derive(Debug, Clone)]
enum Condition {
    AllIsWell,
    RefusesThisPerson,
    KnowsNoWay,
    IsARoom,
    RefusesEverybody,
    ThrottlesBySeconds,
    ThrottlesByDate,
    FailsInside,
    AnswersHtml,
    Hangs(Arc<Notify>),
    NobodyListens,
    BreaksMidAnswer,
}

/// A channel with the service at its other end.
enum Bench {
    Slack(FakeSlack),
    Kannel(Gateway),
    Smtp(MailServer),
    Screen(Hub, Option<Desk>),
    Sandbox(Outbox, tempfile::TempDir),
}

const METHOD: &str = "chat.postMessage";
const DATE: (&str, &str) = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
const BY_DATE: (&str, &str) = ("retry-after", "Sun, 06 Nov 1994 08:51:37 GMT");

impl Bench {
    async fn all() -> Vec<Self> {
        let state = tempfile::tempdir().unwrap();
        let outbox = Outbox::open(state.path(), || Timestamp::from_micros(0)).unwrap();
        vec![
            Self::Slack(FakeSlack::start(&["UANA"]).await),
            Self::Kannel(Gateway::start().await),
            Self::Smtp(MailServer::start().await),
            Self::Screen(Hub::new(), None),
            Self::Sandbox(outbox, state),
        ]
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Slack(_) => "slack",
            Self::Kannel(_) => "kannel",
            Self::Smtp(_) => "smtp",
            Self::Screen(..) => "screen",
            Self::Sandbox(..) => "sandbox",
        }
    }

    /// Brings the condition about; false where this channel can not meet it.
    fn arrange(&mut self, condition: &Condition) -> bool {
        match self {
            Self::Slack(slack) => arrange_slack(slack, condition),
            Self::Kannel(gateway) => arrange_gateway(gateway, condition),
            Self::Smtp(server) => arrange_mail(server, condition),
            Self::Screen(hub, desk) => {
                *desk = match condition {
                    Condition::AllIsWell => Some(hub.connect(PersonName::from("ana"))),
                    Condition::NobodyListens => None,
                    Condition::IsARoom => return true,
                    _ => return false,
                };
                true
            }
            Self::Sandbox(..) => matches!(condition, Condition::AllIsWell),
        }
    }

    async fn channel(&self, condition: &Condition) -> Box<dyn Channel> {
        let gone = matches!(condition, Condition::NobodyListens);
        let nobody = double::nobody().await;
        match self {
            Self::Slack(_) if gone => Box::new(slack_at(format!("http://{nobody}/api"))),
            Self::Slack(slack) => Box::new(slack_at(slack.api_url())),
            Self::Kannel(_) if gone => Box::new(kannel_at(format!("http://{nobody}/cgi-bin/sendsms"))),
            Self::Kannel(gateway) => Box::new(kannel_at(gateway.url())),
            Self::Smtp(_) if gone => Box::new(smtp_at(format!("smtp://{nobody}"))),
            Self::Smtp(server) => Box::new(smtp_at(server.url())),
            Self::Screen(hub, _) => Box::new(hub.clone()),
            Self::Sandbox(outbox, _) => Box::new(outbox.instead_of(ChannelName::from("sms"), "kannel")),
        }
    }

    /// How many messages have arrived.
    fn arrived(&self) -> Option<usize> {
        match self {
            Self::Slack(slack) => Some(slack.posts().len()),
            Self::Kannel(gateway) => Some(gateway.accepted().len()),
            Self::Smtp(server) => Some(server.mails().len()),
            Self::Screen(..) => None,
            Self::Sandbox(_, state) => Some(std::fs::read_to_string(state.path().join(FILE)).unwrap().lines().count()),
        }
    }
}

fn fault_of(condition: &Condition) -> Option<Fault> {
    match condition {
        Condition::AllIsWell
        | Condition::RefusesThisPerson
        | Condition::KnowsNoWay
        | Condition::IsARoom
        | Condition::RefusesEverybody
        | Condition::NobodyListens => None,
        Condition::ThrottlesBySeconds => Some(Fault::Status(429, vec![("retry-after", "7")], "")),
        Condition::ThrottlesByDate => Some(Fault::Status(429, vec![DATE, BY_DATE], "")),
        Condition::FailsInside => Some(Fault::Status(500, vec![], "oops")),
        Condition::AnswersHtml => Some(Fault::Html),
        Condition::Hangs(arrived) => Some(Fault::Hang(arrived.clone())),
        Condition::BreaksMidAnswer => Some(Fault::Cut),
    }
}

fn arrange_slack(slack: &FakeSlack, condition: &Condition) -> bool {
    slack.set_fault(METHOD, fault_of(condition).map(as_slack_says_it));
    let refuses = matches!(condition, Condition::RefusesEverybody);
    slack.set_error(METHOD, refuses.then_some("account_inactive"));
    !matches!(condition, Condition::IsARoom)
}

/// Slack throttles in JSON.
fn as_slack_says_it(fault: Fault) -> Fault {
    let Fault::Status(429, mut headers, _) = fault else { return fault };
    headers.push(("content-type", "application/json"));
    Fault::Status(429, headers, r#"{"ok":false,"error":"ratelimited"}"#)
}

fn arrange_gateway(gateway: &Gateway, condition: &Condition) -> bool {
    let refused = Fault::Status(403, vec![], "Authorization failed for sendsms");
    let refuses = matches!(condition, Condition::RefusesEverybody);
    gateway.set_fault(fault_of(condition).or(refuses.then_some(refused)));
    true
}

fn arrange_mail(server: &MailServer, condition: &Condition) -> bool {
    server.set_trouble(match condition {
        Condition::AllIsWell
        | Condition::RefusesThisPerson
        | Condition::KnowsNoWay
        | Condition::IsARoom
        | Condition::NobodyListens => Trouble::None,
        Condition::RefusesEverybody => Trouble::RefusesLogin,
        Condition::Hangs(arrived) => Trouble::HangAfterGreeting(arrived.clone()),
        Condition::BreaksMidAnswer => Trouble::DropAfterDot,
        Condition::ThrottlesBySeconds
        | Condition::ThrottlesByDate
        | Condition::FailsInside
        | Condition::AnswersHtml => return false,
    });
    true
}

fn message(condition: &Condition) -> Message {
    let mut message = page_for(ana());
    match condition {
        Condition::RefusesThisPerson => {
            let (phone, email) = (double::gateway::UNROUTABLE, double::smtp::NOBODY);
            let contact =
                Contact { phone: Some(phone.into()), email: Some(email.into()), slack: Some("UX".into()), ..ana() };
            message.to = Recipient::Person(contact);
        }
        Condition::KnowsNoWay => {
            message.to = Recipient::Person(Contact { phone: None, email: None, slack: None, ..ana() });
        }
        Condition::IsARoom => {
            message.to = Recipient::Room { id: None, card: None, name: "inc-12".into(), private: true, invite: vec![] };
        }
        _ => {}
    }
    message
}

/// Sends under the condition; the outcome in a word or two.
async fn outcome(channel: &dyn Channel, condition: &Condition) -> String {
    let message = message(condition);
    let send = channel.send(&message);
    let Condition::Hangs(arrived) = condition else {
        let result = tokio::time::timeout(Duration::from_secs(20), send).await.expect("the send ends");
        let why = result.as_ref().err().map(ToString::to_string).unwrap_or_default();
        for secret in [double::slack::TOKEN, double::gateway::PASSWORD, double::smtp::PASSWORD, "48213", "nobody@"] {
            assert!(!why.contains(secret), "{why} shows {secret}");
        }
        return told(&result);
    };
    tokio::select! {
        result = send => told(&result),
        () = arrived.notified() => "hangs".to_owned(),
    }
}

#[tokio::test]
async fn every_channel_makes_the_same_of_the_same_trouble() {
    let table = [
        //                            slack          kannel          smtp           screen          sandbox
        (Condition::AllIsWell, ["accepted", "accepted", "accepted", "accepted", "accepted"]),
        (Condition::RefusesThisPerson, ["unreachable", "unreachable", "unreachable", "", ""]),
        (Condition::KnowsNoWay, ["unreachable", "unreachable", "unreachable", "", ""]),
        (Condition::IsARoom, ["", "unreachable", "unreachable", "unreachable", ""]),
        (Condition::RefusesEverybody, ["broken", "broken", "broken", "", ""]),
        (Condition::ThrottlesBySeconds, ["retry in 7s", "retry in 7s", "", "", ""]),
        // Slack sends seconds alone, and its client reads nothing else.
        (Condition::ThrottlesByDate, ["retry", "retry in 120s", "", "", ""]),
        (Condition::FailsInside, ["unknown", "unknown", "", "", ""]),
        (Condition::AnswersHtml, ["unknown", "unknown", "", "", ""]),
        (Condition::Hangs(Arc::default()), ["hangs", "hangs", "hangs", "", ""]),
        (Condition::NobodyListens, ["retry", "retry", "retry", "retry in 300s", ""]),
        (Condition::BreaksMidAnswer, ["unknown", "unknown", "unknown", "", ""]),
    ];
    for (column, mut bench) in Bench::all().await.into_iter().enumerate() {
        for (condition, outcomes) in &table {
            let (name, expected) = (bench.name(), outcomes[column]);
            if !bench.arrange(condition) {
                assert_eq!(expected, "", "{name} can not meet {condition:?}");
                continue;
            }
            let channel = bench.channel(condition).await;
            assert_eq!(outcome(&*channel, condition).await, expected, "{name}: {condition:?}");
            if matches!(condition, Condition::NobodyListens) {
                continue;
            }
            // By the same channel: whatever was left behind must not be taken for this one's answer.
            bench.arrange(&Condition::AllIsWell);
            let before = bench.arrived();
            assert_eq!(outcome(&*channel, &Condition::AllIsWell).await, "accepted", "{name} after {condition:?}");
            assert_eq!(bench.arrived(), before.map(|count| count + 1), "{name} after {condition:?}");
        }
    }
}
