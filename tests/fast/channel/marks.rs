//! Ids that go out: the same for every attempt, and never those of another incident that got the same number from a restored
//! backup.

use super::{
    ana,
    double::{
        service::{Manners, Service},
        slack::FakeSlack,
        smtp::MailServer,
    },
    page_for, post_for_room, slack_at, smtp_at, wired,
};
use std::collections::BTreeSet;
use stentor::{
    channel::{Channel, Message, Recipient, smtp::incoming},
    core::{PagePurpose, page::SystemNotice},
};

/// The marks of two incidents that are both INC-12.
const MARKS: [&str; 2] = ["0123456789abcdef", "fedcba9876543210"];

/// All are different, and each is there twice: once an attempt.
fn assert_each_twice(ids: &[String]) {
    let distinct: BTreeSet<&String> = ids.iter().collect();
    assert_eq!((ids.len(), distinct.len()), (2 * MARKS.len(), MARKS.len()), "{ids:?}");
    for mark in MARKS {
        assert_eq!(ids.iter().filter(|id| id.contains(mark)).count(), 2, "{mark}: {ids:?}");
    }
}

fn marked(message: Message) -> impl Iterator<Item = Message> {
    MARKS.into_iter().map(move |mark| Message { mark: mark.to_owned(), page_mark: mark.to_owned(), ..message.clone() })
}

#[test]
fn an_id_has_number_and_mark_and_without_a_mark_it_is_as_it_was() {
    let message = page_for(ana());
    assert_eq!(message.id(), "inc-12-3");
    let message = Message { mark: MARKS[0].into(), page_mark: MARKS[0].into(), ..message };
    assert_eq!(message.id(), "inc-12-3-0123456789abcdef");
}

#[tokio::test]
async fn mails_of_two_incidents_of_one_number_have_other_ids_and_other_threads() {
    let server = MailServer::start().await;
    let channel = smtp_at(server.url());
    let told = Message { purpose: PagePurpose::Resolved, ask: None, ..page_for(ana()) };
    let mut receipts = Vec::new();
    for message in marked(page_for(ana())).chain(marked(told)) {
        for _ in 0..2 {
            receipts.push(channel.send(&message).await.unwrap().id);
        }
    }
    let header = |name: &str| -> Vec<String> {
        let all = server.mails().into_iter();
        let line = |data: &str| data.lines().find_map(|line| Some(line.strip_prefix(name)?.trim().to_owned()));
        all.map(|mail| line(&mail.data).unwrap()).collect()
    };
    for ids in [header("Message-ID:"), header("References:"), header("In-Reply-To:"), receipts] {
        assert_each_twice(&ids[..4]);
        assert_each_twice(&ids[4..]);
    }
    // A reply names its page and the page's own token, as before.
    let id = &header("Message-ID:")[0];
    let reply = format!("From: ana@example.com\r\nReferences: {} {id}\r\n\r\nwilco\r\n", header("References:")[0]);
    let read = incoming::read(reply.as_bytes(), |_| None).unwrap();
    assert_eq!((read.page, read.token.as_str()), (page_for(ana()).page, "mail-proof-secret"));
}

#[tokio::test]
async fn systems_are_told_of_two_incidents_of_one_number_under_other_ids() {
    let service = Service::start(Manners { yes: (204, ""), no: (400, ""), unwanted: "" }).await;
    let channel = wired::at("webhook", &service.url());
    let notice = post_for_room(None, PagePurpose::Notice { about: SystemNotice::Opened });
    for message in marked(notice) {
        for _ in 0..2 {
            channel.send(&message).await.unwrap();
        }
    }
    let ids: Vec<String> = service.accepted().iter().map(|sent| sent.header("webhook-id").to_owned()).collect();
    assert!(ids.iter().all(|id| !id.contains('.') && id.starts_with("5e4d3c2b-inc-12-3-")), "{ids:?}");
    assert_each_twice(&ids);
}

#[tokio::test]
async fn a_template_and_a_program_are_given_an_id_for_services_that_drop_what_they_have_had() {
    let service = Service::start(Manners { yes: (200, "ok"), no: (400, ""), unwanted: "" }).await;
    let body = "body = '{ \"text\": {{ text }}, \"key\": {{ id }} }'\nallow = [\"127.0.0.1\"]";
    let channel = wired::with("http", &service.url(), body);
    let program = wired::Program::new();
    program.arrange(super::bench::Condition::AllIsWell);
    let run = program.channel(false);
    for message in marked(page_for(ana())) {
        for _ in 0..2 {
            channel.send(&message).await.unwrap();
            run.send(&message).await.unwrap();
        }
    }
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    assert_each_twice(&service.accepted().iter().map(|sent| text(&sent.json()["key"])).collect::<Vec<_>>());
    assert_each_twice(&program.pages().iter().map(|page| text(&page["id"])).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_card_of_before_has_no_button_of_the_incident_that_has_its_number_now() {
    let slack = FakeSlack::start(&["UANA"]).await;
    let channel = slack_at(slack.api_url());
    let buttons = || -> Vec<(String, String)> {
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let actions = |post: &serde_json::Value| post["blocks"].as_array().unwrap().last().cloned().unwrap();
        let posts = slack.posts().into_iter().map(|post| actions(&post.body));
        posts.map(|block| (text(&block["block_id"]), text(&block["elements"][0]["value"]))).collect()
    };
    for message in marked(post_for_room(None, PagePurpose::RoomCard)).chain(marked(page_for(ana()))) {
        for _ in 0..2 {
            channel.send(&message).await.unwrap();
        }
    }
    let (blocks, values): (Vec<String>, Vec<String>) = buttons().into_iter().unzip();
    assert_each_twice(&values[..4]);
    assert_each_twice(&blocks[..4]);
    assert_each_twice(&blocks[4..]);
    assert_eq!(values[0], format!("INC-12:room-{}", MARKS[0]));
}

/// The last name that is tried for a room is the incident's own: that of one of the same number is taken for ever.
#[tokio::test]
async fn a_room_is_made_though_one_of_the_same_number_had_all_its_names() {
    let slack = FakeSlack::start(&["UANA"]).await;
    let channel = slack_at(slack.api_url());
    let card = |mark: &str| Message {
        mark: mark.to_owned(),
        page_mark: mark.to_owned(),
        ..post_for_room(None, PagePurpose::RoomCard)
    };
    let mut names = BTreeSet::new();
    for mark in ["", "", "", MARKS[0], MARKS[1]] {
        let message = card(mark);
        let Recipient::Room { name, .. } = &message.to else { unreachable!() };
        let room = channel.send(&message).await.unwrap().room.unwrap();
        let given = slack.world.lock().unwrap().rooms[&room].name.clone();
        assert!(given.starts_with(name.as_str()) && names.insert(given.clone()), "{given}");
    }
    assert!(names.contains("inc-12-flash-crash-inc-12-3-0123456789abcdef"), "{names:?}");
}
