//! War rooms in Slack.

use super::{
    ana, ana_with,
    double::slack::{BOT, FakeSlack, Post, Room},
    post_for_room, slack_at, told,
};
use serde_json::{Value, json};
use stentor::{
    channel::{
        Channel, ContactData, Message, MessageText, Recipient, RoomState,
        contact::EMAIL,
        slack::contact::{BY_EMAIL, MEMBER},
    },
    core::{PagePurpose, PersonName},
};

const UPDATE: fn(u32) -> PagePurpose = |revision| PagePurpose::RoomUpdate { revision, shows: "x".to_owned() };

fn card() -> Message {
    post_for_room(None, PagePurpose::RoomCard)
}

/// A post into the room of a card that was posted.
fn post(room: &str, card: &str, purpose: PagePurpose) -> Message {
    let mut message = post_for_room(Some(room), purpose);
    let Recipient::Room { card: id, .. } = &mut message.to else { unreachable!() };
    *id = Some(card.to_owned());
    message
}

fn state(open: bool, runbook: Option<&str>) -> Option<RoomState> {
    let runbook = runbook.map(str::to_owned);
    Some(RoomState { open, purpose: "the war room of INC-12".to_owned(), runbook, ..RoomState::default() })
}

fn guests(ids: impl IntoIterator<Item = String>) -> Vec<ContactData> {
    let guest = |id: String| ContactData { name: format!("Guest {id}"), ..ana_with([(MEMBER, id)]) };
    ids.into_iter().map(guest).collect()
}

fn invitation(room: &str, card: &str, people: Vec<ContactData>) -> Message {
    let mut message = post(room, card, PagePurpose::RoomInvite { people: vec![PersonName::from("ana")] });
    let Recipient::Room { invite, .. } = &mut message.to else { unreachable!() };
    *invite = people;
    message
}

fn taken(slack: &FakeSlack, names: &[&str]) {
    let mut world = slack.world.lock().unwrap();
    for name in names {
        let id = format!("CTAKEN{name}");
        world.rooms.insert(id, Room { name: (*name).to_owned(), archived: true, ..Room::default() });
    }
}

fn room(slack: &FakeSlack) -> Room {
    slack.world.lock().unwrap().rooms["C0001"].clone()
}

/// A workspace with a room and its card.
async fn opened() -> (FakeSlack, stentor::channel::slack::send::SlackChannel, Post) {
    let slack = FakeSlack::start(&["UANA"]).await;
    let channel = slack_at(slack.api_url());
    channel.send(&card()).await.unwrap();
    let post = slack.posts().pop().unwrap();
    (slack, channel, post)
}

fn has_buttons(body: &Value) -> bool {
    body["blocks"].as_array().is_some_and(|blocks| blocks.iter().any(|block| block["type"] == "actions"))
}

#[tokio::test]
async fn a_room_is_made_and_opened_with_a_card_that_anybody_in_it_can_answer() {
    let slack = FakeSlack::start(&["UANA"]).await;
    let receipt = slack_at(slack.api_url()).send(&card()).await.unwrap();
    let post = slack.posts().pop().unwrap();
    assert_eq!((receipt.id.as_str(), receipt.room.as_deref()), (post.ts.as_str(), Some("C0001")));
    let room = room(&slack);
    assert_eq!((room.name.as_str(), room.private), ("inc-12-flash-crash", true));
    let actions = &post.body["blocks"].as_array().unwrap().last().unwrap()["elements"];
    for button in actions.as_array().unwrap() {
        assert_eq!(button["value"], "INC-12:room", "a room's button must hold nobody's code");
    }
    assert_eq!(actions[0]["action_id"], "answer:wilco");
}

/// Everybody in the room sees the same link: it leads to the desk, which knows who asks.
#[tokio::test]
async fn a_card_about_a_form_opens_it_in_slack_and_on_the_desk() {
    let slack = FakeSlack::start(&["UANA"]).await;
    let asked = RoomState { fills_in: true, ..state(true, None).unwrap() };
    let message = Message { room: Some(asked), ..card() };
    assert_eq!(told(&slack_at(slack.api_url()).send(&message).await), "accepted");
    let post = slack.posts().pop().unwrap();
    let actions = &post.body["blocks"].as_array().unwrap().last().unwrap()["elements"];
    let ids: Vec<&str> = actions.as_array().unwrap().iter().filter_map(|button| button["action_id"].as_str()).collect();
    assert_eq!(ids, ["answer:form", "open-form", "answer:unable"]);
    assert_eq!(actions[1]["url"], "https://desk.example/desk/forms/INC-12");
    assert_eq!((&actions[0]["value"], &actions[2]["value"]), (&json!("INC-12:room"), &json!("INC-12:room")));
}

#[tokio::test]
async fn a_card_about_an_action_that_can_be_changed_opens_that_in_slack_and_on_the_desk() {
    let slack = FakeSlack::start(&["UANA"]).await;
    let asked = RoomState { options: super::two_options(), edits: true, ..state(true, None).unwrap() };
    let message = Message { room: Some(asked), ..card() };
    assert_eq!(told(&slack_at(slack.api_url()).send(&message).await), "accepted");
    let post = slack.posts().pop().unwrap();
    let actions = &post.body["blocks"].as_array().unwrap().last().unwrap()["elements"];
    let ids: Vec<&str> = actions.as_array().unwrap().iter().filter_map(|button| button["action_id"].as_str()).collect();
    assert_eq!(ids, ["answer:A", "answer:B", "answer:form", "open-form", "answer:unable"]);
    assert_eq!(actions[3]["url"], "https://desk.example/desk/forms/INC-12");
}

#[tokio::test]
async fn a_room_gets_topic_purpose_runbook_and_a_pinned_card() {
    let (slack, channel, card) = opened().await;
    for (runbook, bookmarks) in
        [(None, &[][..]), (Some("https://wiki.example/runbook"), &["https://wiki.example/runbook"])]
    {
        let message = Message { room: state(true, runbook), ..post("C0001", &card.ts, PagePurpose::RoomFurnish) };
        assert_eq!(told(&channel.send(&message).await), "accepted");
        let room = room(&slack);
        assert!(room.topic.starts_with("LIVE INC-12"), "{}", room.topic);
        assert_eq!(room.purpose, "LIVE the war room of INC-12");
        assert_eq!(room.pins, [card.ts.as_str()]);
        assert_eq!(room.bookmarks, bookmarks);
    }
}

#[tokio::test]
async fn a_room_that_was_throttled_while_it_was_furnished_is_given_nothing_twice() {
    let (slack, channel, card) = opened().await;
    let message = Message {
        room: state(true, Some("https://wiki.example/")),
        ..post("C0001", &card.ts, PagePurpose::RoomFurnish)
    };
    slack.set_error("pins.add", Some("ratelimited"));
    assert_eq!(told(&channel.send(&message).await), "retry in 2s");
    slack.set_error("pins.add", None);
    assert_eq!(told(&channel.send(&message).await), "accepted");
    assert_eq!((room(&slack).bookmarks.len(), room(&slack).pins.len()), (1, 1));
    assert_eq!(slack.calls("conversations.setTopic").len(), 1);
}

#[tokio::test]
async fn a_room_without_topic_purpose_runbook_or_pin_is_still_a_room() {
    let (slack, channel, card) = opened().await;
    slack.world.lock().unwrap().scopes = ["chat:write"].into();
    let message = Message {
        room: state(true, Some("https://wiki.example/")),
        ..post("C0001", &card.ts, PagePurpose::RoomFurnish)
    };
    assert_eq!(told(&channel.send(&message).await), "accepted");
    assert_eq!(slack.calls("bookmarks.add").pop().unwrap().outcome, "missing_scope");
}

#[tokio::test]
async fn people_are_asked_in_by_hundreds_and_those_who_can_not_come_are_named() {
    for partly_is_yes in [true, false] {
        let (slack, channel, card) = opened().await;
        let ids: Vec<String> = (0..250).map(|n| format!("U{n}")).collect();
        {
            let mut world = slack.world.lock().unwrap();
            world.users.extend(ids.iter().skip(1).cloned());
            world.deactivated.insert("U7".to_owned());
            world.emails.insert("bo@example.com".to_owned(), "UANA".to_owned());
            world.partly_is_yes = partly_is_yes;
        }
        let mut people = guests(ids.clone());
        let by_mail = |email: &str| ContactData {
            name: email.to_owned(),
            ..ana_with([(MEMBER, BY_EMAIL.to_owned()), (EMAIL, email.to_owned())])
        };
        people.extend([by_mail("bo@example.com"), by_mail("nobody@example.com")]);
        assert_eq!(told(&channel.send(&invitation("C0001", &card.ts, people.clone())).await), "accepted");
        assert_eq!(room(&slack).members.len(), 249, "{partly_is_yes}");
        assert_eq!(slack.calls("conversations.invite").len(), 3);
        let line = slack.posts().pop().unwrap().body;
        let said = line["text"].as_str().unwrap();
        for name in ["Guest U0 (user_not_found)", "Guest U7 (user_disabled)", "nobody@example.com"] {
            assert!(said.contains(name), "{said}");
        }
        assert!(!said.contains("Guest U8"), "{said}");
        assert_eq!(line["thread_ts"], card.ts.as_str());
        // Once more: they are there already, and nobody new is missing.
        let posts = slack.posts().len();
        assert_eq!(told(&channel.send(&invitation("C0001", &card.ts, guests(ids[8..20].to_vec()))).await), "accepted");
        assert_eq!(slack.posts().len(), posts);
    }
}

#[tokio::test]
async fn nobody_can_be_asked_in_for_want_of_a_scope_and_the_room_hears_so() {
    let (slack, channel, card) = opened().await;
    slack.world.lock().unwrap().scopes = ["chat:write"].into();
    assert_eq!(told(&channel.send(&invitation("C0001", &card.ts, vec![ana()])).await), "accepted");
    let said = slack.posts().pop().unwrap().body["text"].as_str().unwrap().to_owned();
    assert!(said.contains("Ana Ruiz (missing_scope)"), "{said}");
    slack.set_error("conversations.invite", Some("ratelimited"));
    assert_eq!(told(&channel.send(&invitation("C0001", &card.ts, vec![ana()])).await), "retry in 2s");
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
        let room = slack_at(slack.api_url()).send(&card()).await.unwrap().room.unwrap();
        assert_eq!(slack.world.lock().unwrap().rooms[&room].name, expected);
    }
}

#[tokio::test]
async fn whatever_a_room_is_to_be_called_slack_takes_the_name() {
    for (drill, wanted, expected) in [
        (false, "inc-12", "inc-12"),
        (true, "inc-12", "drill-inc-12"),
        (true, "drill-inc-12", "drill-inc-12"),
        (true, "inc-12-drillbit", "drill-inc-12-drillbit"),
        (false, "Inc 12.Größe!", "inc-12-gr--e-"),
        (false, "---", "incident"),
        (false, "", "incident"),
    ] {
        let slack = FakeSlack::start(&["UANA"]).await;
        let mut message = Message { drill, ..card() };
        let Recipient::Room { name, .. } = &mut message.to else { unreachable!() };
        *name = wanted.to_owned();
        slack_at(slack.api_url()).send(&message).await.unwrap();
        assert_eq!(room(&slack).name, expected);
    }
}

#[tokio::test]
async fn a_long_name_is_cut_to_make_room_for_its_suffix() {
    let slack = FakeSlack::start(&["UANA"]).await;
    let mut card = Message { drill: true, ..card() };
    let Recipient::Room { name, .. } = &mut card.to else { unreachable!() };
    *name = "x".repeat(90);
    let long = format!("drill-{}", "x".repeat(74));
    taken(&slack, &[&long]);
    let room = slack_at(slack.api_url()).send(&card).await.unwrap().room.unwrap();
    let name = slack.world.lock().unwrap().rooms[&room].name.clone();
    assert!(name.starts_with("drill-x") && name.ends_with("x-2") && name.len() == 80, "{name}");
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
        assert_eq!(told(&channel.send(&card()).await), expected, "{error}");
    }
}

#[tokio::test]
async fn a_card_that_failed_is_posted_into_the_room_that_was_made_for_it() {
    let slack = FakeSlack::start(&["UANA"]).await;
    let channel = slack_at(slack.api_url());
    slack.set_error("chat.postMessage", Some("service_unavailable"));
    assert_eq!(told(&channel.send(&card()).await), "retry");
    slack.set_error("chat.postMessage", None);
    assert_eq!(channel.send(&card()).await.unwrap().room.as_deref(), Some("C0001"));
    assert_eq!(slack.world.lock().unwrap().rooms.len(), 1);
}

#[tokio::test]
async fn the_card_is_edited_and_loses_its_buttons_with_the_end() {
    let (slack, channel, card) = opened().await;
    for (revision, open) in [(2, true), (3, false)] {
        let update = Message { room: state(open, None), ..post("C0001", &card.ts, UPDATE(revision)) };
        let receipt = channel.send(&update).await.unwrap();
        assert_eq!((receipt.id.as_str(), receipt.room), (card.ts.as_str(), None));
        let posts = slack.posts();
        assert_eq!(posts.len(), 1, "the card is edited, not posted again");
        assert_eq!(has_buttons(posts[0].shown()), open);
    }
}

#[tokio::test]
async fn a_card_that_is_gone_is_posted_anew_and_pinned() {
    let (slack, channel, card) = opened().await;
    for error in [None, Some("cant_update_message"), Some("edit_window_closed")] {
        slack.set_error("chat.update", error);
        let gone = if error.is_none() { "1600000000.000001" } else { &card.ts };
        let receipt = channel.send(&post("C0001", gone, UPDATE(2))).await.unwrap();
        let new = slack.posts().pop().unwrap();
        assert_eq!((receipt.id.as_str(), receipt.room.as_deref()), (new.ts.as_str(), Some("C0001")), "{error:?}");
        assert!(room(&slack).pins.contains(&new.ts));
    }
    assert_eq!(slack.posts().len(), 4);
}

#[tokio::test]
async fn an_edit_that_is_refused_for_its_form_goes_as_a_plain_text_at_once() {
    let (slack, channel, card) = opened().await;
    for error in ["invalid_blocks", "msg_too_long", "block_mismatch", "something_that_nobody_knows"] {
        slack.set_error("chat.update", Some(error));
        assert_eq!(told(&channel.send(&post("C0001", &card.ts, UPDATE(2))).await), "retry", "{error}");
        let calls = slack.calls("chat.update");
        let [rich, plain] = &calls[calls.len() - 2..] else { panic!("{calls:?}") };
        assert!(rich.body.get("blocks").is_some() && plain.body.get("blocks").is_none());
        assert!(plain.body["text"].as_str().unwrap().contains("Drop 6 % in 10 s."), "the whole card is there in plain");
    }
}

#[tokio::test]
async fn an_edit_that_comes_too_fast_waits_as_long_as_slack_says() {
    let (_slack, channel, card) = opened().await;
    let update = post("C0001", &card.ts, UPDATE(2));
    for _ in 0..50 {
        assert_eq!(told(&channel.send(&update).await), "accepted");
    }
    assert_eq!(told(&channel.send(&update).await), "retry in 2s");
}

#[tokio::test]
async fn the_cards_thread_is_the_timeline_and_what_people_must_notice_is_shown_in_the_room_too() {
    let (slack, channel, card) = opened().await;
    let line = || "Ana Ruiz has trader <now>".to_owned();
    for (purpose, thread, broadcast) in [
        (PagePurpose::RoomLine { line: line() }, json!(card.ts), json!(true)),
        (PagePurpose::RoomNote { line: line() }, json!(card.ts), Value::Null),
        (PagePurpose::RoomSummary, Value::Null, Value::Null),
    ] {
        let mut message = Message { drill: true, ..post("C0001", &card.ts, purpose.clone()) };
        if purpose != PagePurpose::RoomSummary {
            message.text = MessageText::default();
        }
        assert_eq!(told(&channel.send(&message).await), "accepted", "{purpose:?}");
        let body = slack.posts().pop().unwrap().body;
        assert_eq!((&body["thread_ts"], &body["reply_broadcast"]), (&thread, &broadcast), "{purpose:?}");
        let said = body["text"].as_str().unwrap();
        assert!(purpose == PagePurpose::RoomSummary || said == "DRILL Ana Ruiz has trader &lt;now&gt;", "{said}");
        assert!(body.get("blocks").is_none());
    }
}

#[tokio::test]
async fn a_line_under_a_card_that_is_gone_stands_alone() {
    let (slack, channel, card) = opened().await;
    let line = PagePurpose::RoomLine { line: "x".to_owned() };
    let reply = channel.send(&post("C0001", &card.ts, line.clone())).await.unwrap();
    // Under a reply nothing can be threaded either.
    for parent in ["1600000000.000001", &reply.id] {
        assert_eq!(told(&channel.send(&post("C0001", parent, line.clone())).await), "accepted");
        assert!(slack.posts().pop().unwrap().body.get("thread_ts").is_none());
    }
}

#[tokio::test]
async fn a_line_waits_for_its_room() {
    let slack = FakeSlack::start(&["UANA"]).await;
    let line = PagePurpose::RoomLine { line: "x".to_owned() };
    assert_eq!(told(&slack_at(slack.api_url()).send(&post_for_room(None, line)).await), "retry");
}

#[tokio::test]
async fn a_room_that_is_gone_is_unreachable() {
    let slack = FakeSlack::start(&["UANA"]).await;
    let channel = slack_at(slack.api_url());
    let line = PagePurpose::RoomLine { line: "x".to_owned() };
    let private = Room { private: true, ..Room::default() };
    let archived = Room { archived: true, ..Room::default() };
    slack.world.lock().unwrap().rooms.extend([("CP".to_owned(), private), ("CA".to_owned(), archived)]);
    for room in ["CP", "CA", "CNONE"] {
        assert_eq!(told(&channel.send(&post_for_room(Some(room), line.clone())).await), "unreachable", "{room}");
    }
    assert_eq!(told(&channel.send(&post("CA", "1.1", UPDATE(2))).await), "unreachable");
}

#[tokio::test]
async fn a_room_is_put_away_once_and_one_that_is_away_already_is_as_good() {
    let (slack, channel, card) = opened().await;
    for _ in 0..2 {
        assert_eq!(told(&channel.send(&post("C0001", &card.ts, PagePurpose::RoomArchive)).await), "accepted");
        assert!(room(&slack).archived);
    }
    assert_eq!(slack.calls("conversations.archive").pop().unwrap().outcome, "already_archived");
    slack.set_error("conversations.archive", Some("restricted_action"));
    assert_eq!(told(&channel.send(&post("C0001", &card.ts, PagePurpose::RoomArchive)).await), "unreachable");
}

/// The same card after a restart: nothing is left of the first attempt but that there was one.
fn card_again(private: bool) -> Message {
    let mut message = Message { attempted: true, ..card() };
    let Recipient::Room { private: wanted, .. } = &mut message.to else { unreachable!() };
    *wanted = private;
    message
}

#[tokio::test]
async fn a_room_that_was_made_just_before_a_crash_is_found_again() {
    for private in [true, false] {
        let slack = FakeSlack::start(&["UANA"]).await;
        // An older incident's room has the plain name, and the bot is in many others.
        taken(&slack, &["inc-12-flash-crash"]);
        let other = |n: usize| Room { name: format!("other-{n}"), private, bot_is_in: true, ..Room::default() };
        slack.world.lock().unwrap().rooms.extend((0..250).map(|n| (format!("B{n:04}"), other(n))));
        slack.set_error("chat.postMessage", Some("service_unavailable"));
        assert_eq!(
            told(&slack_at(slack.api_url()).send(&Message { attempted: false, ..card_again(private) }).await),
            "retry"
        );
        slack.set_error("chat.postMessage", None);
        let receipt = slack_at(slack.api_url()).send(&card_again(private)).await.unwrap();
        let world = slack.world.lock().unwrap();
        assert_eq!(world.rooms[&receipt.room.unwrap()].name, "inc-12-flash-crash-2");
        assert_eq!(world.rooms.len(), 252, "one room for the incident");
    }
}

#[tokio::test]
async fn a_room_of_somebody_else_or_of_another_incident_is_never_taken() {
    let ours = Room {
        name: "inc-12-flash-crash".to_owned(),
        private: true,
        bot_is_in: true,
        creator: BOT.to_owned(),
        created: 1_700_000_000,
        ..Room::default()
    };
    type Change = fn(Room) -> Room;
    let others: [(&str, Change); 7] = [
        ("it is ours", |room| room),
        ("somebody else made it", |room| Room { creator: "UANA".to_owned(), ..room }),
        ("it is older than the incident", |room| Room { created: 1_699_999_000, ..room }),
        ("it is public", |room| Room { private: false, ..room }),
        ("it is archived", |room| Room { archived: true, ..room }),
        ("it has a topic", |room| Room { topic: "LIVE INC-12".to_owned(), ..room }),
        ("it has a purpose", |room| Room { purpose: "the war room of INC-12".to_owned(), ..room }),
    ];
    for (why, change) in others {
        let slack = FakeSlack::start(&["UANA"]).await;
        slack.world.lock().unwrap().rooms.insert("CFOUND".to_owned(), change(ours.clone()));
        let receipt = slack_at(slack.api_url()).send(&card_again(true)).await.unwrap();
        let is_taken = receipt.room.as_deref() == Some("CFOUND");
        assert_eq!(is_taken, why == "it is ours", "{why}");
    }
    // On its first attempt a card has no room to look for.
    let slack = FakeSlack::start(&["UANA"]).await;
    slack.world.lock().unwrap().rooms.insert("CFOUND".to_owned(), ours);
    assert_ne!(slack_at(slack.api_url()).send(&card()).await.unwrap().room.as_deref(), Some("CFOUND"));
    assert_eq!(slack.calls("users.conversations").len(), 0);
}

#[tokio::test]
async fn a_room_that_can_not_be_looked_for_is_looked_for_later_or_replaced() {
    for (error, expected, rooms) in [("missing_scope", "accepted", 2), ("ratelimited", "retry in 2s", 1)] {
        let slack = FakeSlack::start(&["UANA"]).await;
        slack.set_error("chat.postMessage", Some("service_unavailable"));
        assert_eq!(told(&slack_at(slack.api_url()).send(&card()).await), "retry");
        slack.set_error("chat.postMessage", None);
        slack.set_error("users.conversations", Some(error));
        assert_eq!(told(&slack_at(slack.api_url()).send(&card_again(true)).await), expected, "{error}");
        assert_eq!(slack.world.lock().unwrap().rooms.len(), rooms, "{error}");
    }
}
