//! Channels that need no network: screens and the sandbox.

use super::{ana, page_for, post_for_room, told};
use std::os::unix::fs::PermissionsExt;
use stentor::{
    channel::{
        Channel,
        desk_hub::DeskHub,
        outbox::{FILE, SandboxOutbox},
    },
    core::{ChannelName, PagePurpose, PersonName, StandIn, Timestamp},
};

#[tokio::test]
async fn a_screen_takes_a_page_while_a_desk_of_its_person_is_open() {
    let hub = DeskHub::new();
    let (ana_name, bo) = (PersonName::from("ana"), PersonName::from("bo"));
    let other = hub.connect(bo.clone());
    let closed = hub.send(&page_for(ana())).await;
    assert_eq!(told(&closed), "desk closed, again in 300s");
    assert_eq!(closed.unwrap_err().to_string(), "no desk page of Ana Ruiz is open");

    let one = hub.connect(ana_name.clone());
    assert_eq!(hub.send(&page_for(ana())).await.unwrap().id, "1 desk");
    let two = hub.connect(ana_name.clone());
    assert_eq!(hub.send(&page_for(ana())).await.unwrap().id, "2 desks");
    drop(one);
    assert!(hub.is_connected(&ana_name));
    drop(two);
    assert!(!hub.is_connected(&ana_name) && hub.is_connected(&bo));
    assert_eq!(told(&hub.send(&page_for(ana())).await), "desk closed, again in 300s");
    drop(other);
}

#[tokio::test]
async fn the_sandbox_shows_what_would_have_been_sent_to_its_owner_alone() {
    let state = tempfile::tempdir().unwrap();
    let outbox = SandboxOutbox::open(state.path(), || Timestamp::from_micros(0)).unwrap();
    let sms = outbox.instead_of(ChannelName::from("sms"), "kannel");
    let room = outbox.instead_of(ChannelName::from("room"), "slack");
    let kept = sms.send(&page_for(ana())).await.unwrap();
    assert_eq!((kept.id.as_str(), kept.stand_in), ("sandbox", Some(StandIn::Sandbox)));
    let receipt = room.send(&post_for_room(None, PagePurpose::RoomCard)).await.unwrap();
    assert_eq!(receipt.room.as_deref(), Some("sandbox"));

    let file = state.path().join(FILE);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (key, value) in [
        ("page", "INC-12.3"),
        ("channel", "sms"),
        ("kind", "kannel"),
        ("to", "Ana Ruiz"),
        ("code", "48213"),
        ("link", "https://desk.example/a/link-secret"),
        ("at", "1970-01-01T00:00:00.000000Z"),
    ] {
        assert_eq!(lines[0][key], value, "{key}");
    }
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1]["to"], "inc-12-flash-crash");
}

#[tokio::test]
async fn the_sandbox_remembers_the_last_200_and_its_file_all() {
    let state = tempfile::tempdir().unwrap();
    let outbox = SandboxOutbox::open(state.path(), || Timestamp::from_micros(0)).unwrap();
    let sms = outbox.instead_of(ChannelName::from("sms"), "kannel");
    for n in 1..=205 {
        let mut message = page_for(ana());
        message.page.n = n;
        sms.send(&message).await.unwrap();
    }
    let recent: Vec<u32> = outbox.recent().iter().map(|entry| entry.page.n).collect();
    assert_eq!((recent.len(), recent[0], recent[199]), (200, 6, 205));
    let again = SandboxOutbox::open(state.path(), || Timestamp::from_micros(0)).unwrap();
    again.instead_of(ChannelName::from("sms"), "kannel").send(&page_for(ana())).await.unwrap();
    assert_eq!(std::fs::read_to_string(state.path().join(FILE)).unwrap().lines().count(), 206);
}
