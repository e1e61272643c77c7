//! What every channel must make of every condition that it can meet: one table.

use crate::{
    ana,
    bench::{Bench, Condition},
    double, page_for, told,
};
use std::time::Duration;
use stentor::{
    channel::{Channel, Contact, Message, Recipient},
    core::{Purpose, page::Notice},
};

/// A column each: `-` where the channel can not meet the condition.
const CHANNELS: &str = "slack         kannel        smtp          screen        sandbox       http          teams         mattermost    webhook       exec";

const TABLE: [(Condition, &str); 15] = [
    (
        Condition::AllIsWell,
        "accepted      accepted      accepted      accepted      accepted      accepted      accepted      accepted      accepted      accepted",
    ),
    (
        Condition::RefusesThisPerson,
        "unreachable   unreachable   unreachable   -             -             unreachable   -             -             -             unreachable",
    ),
    (
        Condition::KnowsNoWay,
        "unreachable   unreachable   unreachable   -             -             unreachable   -             -             -             -",
    ),
    (
        Condition::IsARoom,
        "-             unreachable   unreachable   unreachable   -             unreachable   accepted      accepted      unreachable   accepted",
    ),
    (
        Condition::RefusesEverybody,
        "broken        broken        broken        -             -             broken        broken        broken        broken        broken",
    ),
    (
        Condition::ThrottlesBySeconds,
        "retry:7s      retry:7s      -             -             -             retry:7s      retry:7s      retry:7s      retry:7s      retry",
    ),
    // Slack sends seconds alone, and its client reads nothing else.
    (
        Condition::ThrottlesByDate,
        "retry         retry:120s    -             -             -             retry:120s    retry:120s    retry:120s    retry:120s    -",
    ),
    (
        Condition::IsBusy,
        "unknown       retry:7s      -             -             -             retry:7s      retry:7s      retry:7s      retry:7s      -",
    ),
    (
        Condition::FailsInside,
        "unknown       unknown       -             -             -             unknown       unknown       unknown       unknown       unreachable",
    ),
    // A webhook's receiver owes nothing but a status.
    (
        Condition::AnswersHtml,
        "unknown       unknown       -             -             -             unknown       unknown       unknown       accepted      -",
    ),
    (
        Condition::Redirects,
        "retry         retry         -             -             -             retry         retry         retry         retry         -",
    ),
    (
        Condition::Hangs,
        "hangs         hangs         hangs         -             -             hangs         hangs         hangs         hangs         hangs",
    ),
    (
        Condition::Trickles,
        "hangs         hangs         -             -             -             hangs         hangs         hangs         hangs         hangs",
    ),
    (
        Condition::NobodyListens,
        "retry         retry         retry         retry:300s    -             retry         retry         retry         retry         broken",
    ),
    (
        Condition::BreaksMidAnswer,
        "unknown       unknown       unknown       -             -             unknown       unknown       unknown       unknown       unreachable",
    ),
];

fn message(condition: Condition, bench: &Bench) -> Message {
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
            message.purpose = Purpose::RoomCard;
        }
        _ if bench.name() == "webhook" => {
            message.to = Recipient::Room { id: None, card: None, name: "x".into(), private: true, invite: vec![] };
            message.purpose = Purpose::Notice { about: Notice::RoleEngaged };
        }
        _ => {}
    }
    message
}

/// Sends under the condition; the outcome in a word or two.
async fn outcome(channel: &dyn Channel, bench: &Bench, condition: Condition) -> String {
    let message = message(condition, bench);
    let send = channel.send(&message);
    if !matches!(condition, Condition::Hangs | Condition::Trickles) {
        let result = tokio::time::timeout(Duration::from_secs(20), send).await.expect("the send ends");
        let seen = format!("{result:?} {}", result.as_ref().err().map(ToString::to_string).unwrap_or_default());
        for secret in bench.secrets().into_iter().chain(["48213", "link-secret", "nobody@"]) {
            assert!(!seen.contains(secret), "{seen} shows {secret}");
        }
        return told(&result).replace(" in ", ":");
    }
    tokio::select! {
        result = send => told(&result),
        () = bench.arrived_once() => "hangs".to_owned(),
    }
}

#[tokio::test]
async fn every_channel_makes_the_same_of_the_same_trouble() {
    let names: Vec<&str> = CHANNELS.split_whitespace().collect();
    let mut wrong = Vec::new();
    for (column, mut bench) in Bench::all().await.into_iter().enumerate() {
        assert_eq!(bench.name(), names[column]);
        for (condition, outcomes) in TABLE {
            let outcomes: Vec<&str> = outcomes.split_whitespace().collect();
            assert_eq!(outcomes.len(), names.len(), "{condition:?}");
            let (name, expected) = (names[column], outcomes[column]);
            if !bench.arrange(condition) {
                assert_eq!(expected, "-", "{name} can not meet {condition:?}");
                continue;
            }
            let channel = bench.channel(condition).await;
            let found = outcome(&*channel, &bench, condition).await;
            if found != expected {
                wrong.push(format!("{name} makes {found} of {condition:?} and not {expected}"));
            }
            if matches!(condition, Condition::NobodyListens) {
                continue;
            }
            // By the same channel: whatever was left behind must not be taken for this one's answer.
            bench.arrange(Condition::AllIsWell);
            let before = bench.arrived();
            assert_eq!(
                outcome(&*channel, &bench, Condition::AllIsWell).await,
                "accepted",
                "{name} after {condition:?}"
            );
            assert_eq!(bench.arrived(), before.map(|count| count + 1), "{name} after {condition:?}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
