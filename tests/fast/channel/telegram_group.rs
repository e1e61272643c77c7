//! A group of Telegram's as a room: one message for each incident, edited as it changes.

use super::{
    ana,
    double::telegram::{Chat, FakeTelegram, GROUP},
    page_for, telegram_at, told,
};
use serde_json::Value;
use stentor::{
    channel::{Channel, Message, Recipient, SendError, telegram::send::TelegramChannel},
    core::{PagePurpose, SendReceipt, StandIn},
};

fn channel(telegram: &FakeTelegram) -> TelegramChannel {
    telegram_at(telegram.url()).with_group(Some(GROUP))
}

fn room(purpose: PagePurpose, card: Option<&SendReceipt>, text: &str) -> Message {
    let mut message = page_for(ana());
    let id = card.map(|card| card.room.clone().unwrap_or(GROUP.to_string()));
    let card = card.map(|card| card.id.clone());
    message.to = Recipient::Room { id, card, name: "inc-12".into(), private: false, invite: vec![] };
    (message.purpose, message.ask) = (purpose, None);
    message.text.body = text.to_owned();
    message
}

fn update(card: &SendReceipt, text: &str) -> Message {
    room(PagePurpose::RoomUpdate { revision: 2, shows: "x".into() }, Some(card), text)
}

async fn posted(channel: &TelegramChannel) -> SendReceipt {
    channel.send(&room(PagePurpose::RoomCard, None, "LIVE INC-12: nobody has it")).await.unwrap()
}

fn shown(telegram: &FakeTelegram) -> Vec<(i64, String)> {
    let world = telegram.world();
    let text = |post: &Value| (post["chat_id"].as_i64().unwrap(), post["text"].as_str().unwrap().to_owned());
    world.posts.iter().map(text).collect()
}

#[tokio::test]
async fn an_incident_has_one_message_that_is_edited_and_everything_else_is_in_it() {
    let telegram = FakeTelegram::start();
    let channel = channel(&telegram);
    let card = posted(&channel).await;
    assert_eq!((card.id.as_str(), card.room.as_deref()), ("100", Some("-1001234567890")));
    let receipt = channel.send(&update(&card, "LIVE INC-12: Ana has it")).await.unwrap();
    assert_eq!((receipt.id.as_str(), receipt.room), ("100", None));
    // The same once more is refused by Telegram, and is no trouble.
    assert_eq!(told(&channel.send(&update(&card, "LIVE INC-12: Ana has it")).await), "accepted");
    assert_eq!(telegram.world().refused.len(), 1);
    for purpose in [
        PagePurpose::RoomFurnish,
        PagePurpose::RoomLine { line: "trader: Ana has it".into() },
        PagePurpose::RoomNote { line: "trader step 2".into() },
        PagePurpose::RoomInvite { people: vec!["ana".into()] },
        PagePurpose::RoomSummary,
    ] {
        let receipt = channel.send(&room(purpose, Some(&card), "LIVE more")).await.unwrap();
        assert_eq!(receipt.stand_in, Some(StandIn::Unneeded));
    }
    assert_eq!(shown(&telegram), [(GROUP, "LIVE INC-12: Ana has it".to_owned())]);
    let edit = telegram.world().edits[0].clone();
    assert_eq!(edit["link_preview_options"]["is_disabled"], true);
}

#[tokio::test]
async fn a_group_can_tell_a_drill_from_the_real_thing_whatever_the_template_says() {
    let telegram = FakeTelegram::start();
    let channel = channel(&telegram);
    let mut messages =
        [room(PagePurpose::RoomCard, None, "flash crash"), room(PagePurpose::RoomCard, None, "LIVE crash")];
    messages[1].drill = true;
    for message in &messages {
        channel.send(message).await.unwrap();
    }
    let texts: Vec<String> = shown(&telegram).into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["LIVE flash crash", "DRILL LIVE crash"]);
    let card = SendReceipt { room: Some(GROUP.to_string()), ..SendReceipt::of("101") };
    let mut over = update(&card, "crash, over");
    over.drill = true;
    channel.send(&over).await.unwrap();
    assert_eq!(shown(&telegram)[1].1, "DRILL crash, over");
}

#[tokio::test]
async fn a_message_that_people_deleted_is_posted_anew_without_a_sound() {
    let telegram = FakeTelegram::start();
    let channel = channel(&telegram);
    let card = posted(&channel).await;
    telegram.world().deleted.insert(100);
    let receipt = channel.send(&update(&card, "LIVE INC-12: Ana has it")).await.unwrap();
    assert_eq!((receipt.id.as_str(), receipt.room.as_deref()), ("101", Some("-1001234567890")));
    assert_eq!(telegram.world().posts[1]["disable_notification"], true);
    assert_eq!(telegram.world().posts[0]["disable_notification"], Value::Null);
    channel.send(&update(&receipt, "LIVE INC-12: over")).await.unwrap();
    assert_eq!(shown(&telegram)[1].1, "LIVE INC-12: over");
}

#[tokio::test]
async fn a_group_that_became_a_supergroup_is_followed_and_its_message_posted_there() {
    let telegram = FakeTelegram::start();
    let channel = channel(&telegram);
    let card = posted(&channel).await;
    telegram.world().chats.extend([(GROUP, Chat::Migrated(-1_009)), (-1_009, Chat::Open)]);
    let moved = channel.send(&update(&card, "LIVE INC-12: Ana has it")).await.unwrap();
    assert_eq!((moved.id.as_str(), moved.room.as_deref()), ("101", Some("-1009")));
    // From now on it is edited there; the next incident finds its way, too.
    channel.send(&update(&moved, "LIVE INC-12: over")).await.unwrap();
    assert_eq!(posted(&channel).await.room.as_deref(), Some("-1009"));
    let expected =
        [(GROUP, "LIVE INC-12: nobody has it"), (-1_009, "LIVE INC-12: over"), (-1_009, "LIVE INC-12: nobody has it")];
    assert_eq!(shown(&telegram), expected.map(|(chat, text)| (chat, text.to_owned())));
}

#[tokio::test]
async fn what_a_group_refuses_is_no_success() {
    let telegram = FakeTelegram::start();
    let channel = channel(&telegram);
    let card = posted(&channel).await;
    telegram.world().throttled.insert(GROUP, 23);
    for message in [update(&card, "LIVE a"), room(PagePurpose::RoomCard, None, "LIVE b")] {
        assert_eq!(told(&channel.send(&message).await), "retry in 23s");
    }
    telegram.world().throttled.clear();
    telegram.world().chats.insert(GROUP, Chat::Kicked);
    let refused = channel.send(&update(&card, "LIVE a")).await.unwrap_err();
    assert!(matches!(refused, SendError::Unreachable { .. }), "{refused:?}");
    telegram.world().chats.insert(GROUP, Chat::Open);
    let long = format!("LIVE {}", "🚨".repeat(4000));
    assert_eq!(told(&channel.send(&update(&card, &long)).await), "accepted");
    assert!(shown(&telegram)[0].1.ends_with("🚨…"));
    let none = telegram_at(telegram.url());
    assert_eq!(told(&none.send(&update(&card, "LIVE a")).await), "unreachable");
}
