//! What every channel must make of every condition that it can meet: one table.

use super::{
    ana, ana_with,
    bench::{Bench, Condition},
    double, page_for, told,
};
use std::time::Duration;
use stentor::{
    channel::{
        Channel, ContactData, Message, Recipient,
        contact::{ContactValues, EMAIL, PHONE},
        slack::contact::MEMBER,
        telegram::contact::CHAT,
    },
    core::{PagePurpose, page::SystemNotice},
};

/// What the channels make of a condition; one that is not named can not meet it.
type Row = (Condition, &'static [(&'static str, &'static str)]);

const TABLE: [Row; 15] = [
    (
        Condition::AllIsWell,
        &[
            ("accepted", "slack kannel smtp telegram twilio voice screen http teams mattermost ntfy webhook exec"),
            // It takes the page and sends it to nobody: its word says so.
            ("sandbox", "sandbox"),
        ],
    ),
    (Condition::RefusesThisPerson, &[("unreachable", "slack kannel smtp telegram twilio voice http exec")]),
    (Condition::KnowsNoWay, &[("unreachable", "slack kannel smtp telegram twilio voice http")]),
    (
        Condition::IsARoom,
        &[
            ("unreachable", "kannel smtp telegram twilio voice screen http webhook"),
            ("accepted", "teams mattermost ntfy exec"),
        ],
    ),
    (
        Condition::RefusesEverybody,
        &[("broken", "slack kannel smtp telegram twilio voice http teams mattermost ntfy webhook exec")],
    ),
    (
        Condition::ThrottlesBySeconds,
        &[("retry:7s", "slack kannel telegram twilio voice http teams mattermost ntfy webhook"), ("retry", "exec")],
    ),
    (
        Condition::ThrottlesByDate,
        &[("retry:120s", "slack kannel telegram twilio voice http teams mattermost ntfy webhook")],
    ),
    (
        Condition::IsBusy,
        &[("unknown", "slack telegram twilio voice"), ("retry:7s", "kannel http teams mattermost ntfy webhook")],
    ),
    (
        Condition::FailsInside,
        &[
            ("unknown", "slack kannel telegram twilio voice http teams mattermost ntfy webhook"),
            ("unreachable", "exec"),
        ],
    ),
    // The receiver of a webhook owes nothing but a status.
    (
        Condition::AnswersHtml,
        &[("unknown", "slack kannel telegram twilio voice http teams mattermost ntfy"), ("accepted", "webhook")],
    ),
    (Condition::Redirects, &[("retry", "slack kannel telegram twilio voice http teams mattermost ntfy webhook")]),
    (Condition::Hangs, &[("hangs", "slack kannel smtp telegram twilio voice http teams mattermost ntfy webhook exec")]),
    (Condition::Trickles, &[("hangs", "slack kannel telegram twilio voice http teams mattermost ntfy webhook exec")]),
    (
        Condition::NobodyListens,
        &[
            ("retry", "slack kannel smtp telegram twilio voice http teams mattermost ntfy webhook"),
            ("desk closed, again:300s", "screen"),
            ("broken", "exec"),
        ],
    ),
    (
        Condition::BreaksMidAnswer,
        &[
            ("unknown", "slack kannel smtp telegram twilio voice http teams mattermost ntfy webhook"),
            ("unreachable", "exec"),
        ],
    ),
];

fn message(condition: Condition, bench: &Bench) -> Message {
    let mut message = page_for(ana());
    match condition {
        Condition::RefusesThisPerson => {
            let (phone, email) = (double::gateway::UNROUTABLE, double::smtp::NOBODY);
            let other = [(PHONE, phone), (EMAIL, email), (MEMBER, "UX"), (CHAT, "999")];
            message.to = Recipient::Person(ana_with(other.map(|(field, value)| (field, value.to_owned()))));
        }
        Condition::KnowsNoWay => {
            message.to = Recipient::Person(ContactData { contacts: ContactValues::new(), ..ana() });
        }
        Condition::IsARoom => {
            message.to = Recipient::Room { id: None, card: None, name: "inc-12".into(), private: true, invite: vec![] };
            message.purpose = PagePurpose::RoomCard;
        }
        _ if bench.name() == "webhook" => {
            message.to = Recipient::Room { id: None, card: None, name: "x".into(), private: true, invite: vec![] };
            message.purpose = PagePurpose::Notice { about: SystemNotice::RoleEngaged };
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
        for secret in bench.secrets().into_iter().chain(["48213", "link-secret", "nobody@", "+00999"]) {
            assert!(!seen.contains(secret), "{seen} shows {secret}");
        }
        return told(&result).replace(" in ", ":");
    }
    tokio::select! {
        result = send => told(&result),
        () = bench.arrived_once() => "hangs".to_owned(),
    }
}

fn expected(outcomes: &[(&'static str, &str)], name: &str) -> Option<&'static str> {
    outcomes.iter().find(|(_, names)| names.split(' ').any(|one| one == name)).map(|(outcome, _)| *outcome)
}

#[tokio::test]
async fn every_channel_makes_the_same_of_the_same_trouble() {
    let mut wrong = Vec::new();
    for mut bench in Bench::all().await {
        for (condition, outcomes) in TABLE {
            let (name, expected) = (bench.name(), expected(outcomes, bench.name()));
            if !bench.arrange(condition) {
                assert_eq!(expected, None, "{name} can not meet {condition:?}");
                continue;
            }
            let channel = bench.channel(condition).await;
            let found = outcome(&*channel, &bench, condition).await;
            if Some(found.as_str()) != expected {
                wrong.push(format!("{name} makes {found} of {condition:?} and not {expected:?}"));
            }
            if matches!(condition, Condition::NobodyListens) {
                continue;
            }
            // By the same channel: whatever was left behind must not be taken for this one's answer.
            bench.arrange(Condition::AllIsWell);
            let before = bench.arrived();
            let well = if name == "sandbox" { "sandbox" } else { "accepted" };
            assert_eq!(outcome(&*channel, &bench, Condition::AllIsWell).await, well, "{name} after {condition:?}");
            assert_eq!(bench.arrived(), before.map(|count| count + 1), "{name} after {condition:?}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
