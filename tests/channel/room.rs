//! War rooms in Slack.

use crate::{
    double::slack::{FakeSlack, Room},
    post_for_room, slack_at, told,
};
use stentor::{
    channel::{Channel, Message, Recipient},
    core::Purpose,
};

fn card_inviting(people: Vec<String>) -> Message {
    let mut card = post_for_room(None, Purpose::RoomCard);
    let Recipient::Room { invite, .. } = &mut card.to else { unreachable!() };
    *invite = people;
    card
}

fn taken(slack: &FakeSlack, names: &[&str]) {
    let mut world = slack.world.lock().unwrap();
    for name in names {
        let id = format!("CTAKEN{name}");
        world.rooms.insert(id, Room { name: (*name).to_owned(), archived: true, ..Room::default() });
    }
}

#[tokio::test]
async fn a_room_is_made_filled_and_opened_with_a_pinned_card() {
    let people: Vec<String> = (0..250).map(|n| format!("U{n}")).collect();
    let known: Vec<&str> = people.iter().skip(1).map(String::as_str).collect();
    let slack = FakeSlack::start(&known).await;
    let receipt = slack_at(slack.api_url()).send(&card_inviting(people.clone())).await.unwrap();

    let post = slack.posts().pop().unwrap();
    assert_eq!((receipt.id.as_str(), receipt.room.as_deref()), (post.ts.as_str(), Some("C0001")));
    let room = slack.world.lock().unwrap().rooms["C0001"].clone();
    assert_eq!((room.name.as_str(), room.private), ("inc-12-flash-crash", true));
    // The one whom Slack does not know keeps nobody else out.
    assert_eq!(room.members.len(), 249);
    assert_eq!(slack.calls("conversations.invite").len(), 3);
    assert_eq!(room.pins, [post.ts]);
    assert!(room.topic.starts_with("LIVE INC-12"), "{}", room.topic);
    let actions = &post.body["blocks"].as_array().unwrap().last().unwrap()["elements"];
    for button in actions.as_array().unwrap() {
        assert_eq!(button["value"], "INC-12:room", "a room's button must hold nobody's code");
    }
    assert_eq!(actions[0]["action_id"], "answer:wilco");
}

#[tokio::test]
async fn a_taken_name_gets_a_suffix_and_at_last_the_pages_own() {
    for (names, expected) in [
        (&["inc-12-flash-crash"][..], "inc-12-flash-crash-2"),
        (&["inc-12-flash-crash", "inc-12-flash-crash-2"][..], "inc-12-flash-crash-3"),
        (&["inc-12-flash-crash", "inc-12-flash-crash-2", "inc-12-flash-crash-3"][..], "inc-12-flash-crash-inc-12-3"),
    ] {
        let slack = FakeSlack::start(&["UANA"]).await;
        taken(&slack, names);
        let room = slack_at(slack.api_url()).send(&card_inviting(vec![])).await.unwrap().room.unwrap();
        assert_eq!(slack.world.lock().unwrap().rooms[&room].name, expected);
    }
}

#[tokio::test]
async fn a_drills_room_says_so_and_a_long_name_is_cut_to_make_room() {
    let slack = FakeSlack::start(&["UANA"]).await;
    let mut card = Message { drill: true, ..card_inviting(vec![]) };
    let Recipient::Room { name, .. } = &mut card.to else { unreachable!() };
    *name = "x".repeat(90);
    let long = format!("drill-{}", "x".repeat(74));
    taken(&slack, &[&long]);
    let room = slack_at(slack.api_url()).send(&card).await.unwrap().room.unwrap();
    let name = slack.world.lock().unwrap().rooms[&room].name.clone();
    assert!(name.starts_with("drill-x") && name.ends_with("x-2") && name.len() == 80, "{name}");
}

#[tokio::test]
async fn a_room_without_topic_guests_or_pin_is_still_a_room() {
    let slack = FakeSlack::start(&["UANA"]).await;
    for method in ["conversations.setTopic", "conversations.invite", "pins.add"] {
        slack.set_error(method, Some("missing_scope"));
    }
    let result = slack_at(slack.api_url()).send(&card_inviting(vec!["UANA".to_owned()])).await;
    assert_eq!(told(&result), "accepted");
}

#[tokio::test]
async fn a_workspace_that_forbids_rooms_is_told_apart_from_a_broken_one() {
    let slack = FakeSlack::start(&["UANA"]).await;
    let channel = slack_at(slack.api_url());
    for (error, expected) in [
        ("restricted_action", "unreachable"),
        ("cannot_create_channel", "unreachable"),
        ("invalid_name_specials", "unreachable"),
        ("missing_scope", "broken"),
        ("service_unavailable", "retry"),
    ] {
        slack.set_error("conversations.create", Some(error));
        assert_eq!(told(&channel.send(&card_inviting(vec![])).await), expected, "{error}");
    }
}

#[tokio::test]
async fn a_card_that_failed_is_posted_into_the_room_that_was_made_for_it() {
    let slack = FakeSlack::start(&["UANA"]).await;
    let channel = slack_at(slack.api_url());
    slack.set_error("chat.postMessage", Some("service_unavailable"));
    assert_eq!(told(&channel.send(&card_inviting(vec![])).await), "retry");
    slack.set_error("chat.postMessage", None);
    assert_eq!(channel.send(&card_inviting(vec![])).await.unwrap().room.as_deref(), Some("C0001"));
    assert_eq!(slack.world.lock().unwrap().rooms.len(), 1);
}

#[tokio::test]
async fn a_line_waits_for_its_room_and_then_is_plain_and_stamped() {
    let slack = FakeSlack::start(&["UANA"]).await;
    let channel = slack_at(slack.api_url());
    let line = || Purpose::RoomLine { line: "Ana Ruiz has trader <now>".to_owned() };
    assert_eq!(told(&channel.send(&post_for_room(None, line())).await), "retry");
    let room = channel.send(&card_inviting(vec![])).await.unwrap().room.unwrap();
    let mut message = Message { drill: true, ..post_for_room(Some(&room), line()) };
    message.text = stentor::channel::Text::default();
    assert_eq!(told(&channel.send(&message).await), "accepted");
    let post = slack.posts().pop().unwrap();
    assert_eq!((post.channel, post.body["text"].as_str()), (room, Some("DRILL Ana Ruiz has trader &lt;now&gt;")));
    assert!(post.body.get("blocks").is_none());
}

#[tokio::test]
async fn a_room_that_is_gone_is_unreachable() {
    let slack = FakeSlack::start(&["UANA"]).await;
    let channel = slack_at(slack.api_url());
    let line = Purpose::RoomLine { line: "x".to_owned() };
    let private = Room { private: true, ..Room::default() };
    let archived = Room { archived: true, ..Room::default() };
    slack.world.lock().unwrap().rooms.extend([("CP".to_owned(), private), ("CA".to_owned(), archived)]);
    for room in ["CP", "CA", "CNONE"] {
        assert_eq!(told(&channel.send(&post_for_room(Some(room), line.clone())).await), "unreachable", "{room}");
    }
}
