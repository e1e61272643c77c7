//! Whatever an incident is, what Slack is sent of it is within Block Kit's limits.

use super::{ana, double::slack::FakeSlack, page_for, slack_at, told};
use crate::template::crisis::{after, brief_of, flash_crash, later, names, opened, roster};
use proptest::{
    prelude::*,
    test_runner::{RngSeed, TestRunner},
};
use stentor::{
    channel::{Channel, Message, MessageText, Recipient, RoomState, slack::send::SlackChannel},
    core::{Actor, Answer, AnswerVia, GivenAnswer, Incident, IncidentInput, Page, PagePurpose, Zone, Zones, step},
    template::{BriefInput, PageTemplates, TextForm},
};

/// What happens to an incident before it is shown.
#[derive(Debug, Clone)]
struct Story {
    summary: String,
    annotation: String,
    drill: bool,
    seconds: u64,
    answers: Vec<(&'static str, Answer)>,
    resolved: bool,
    revision: u32,
}

fn any_story() -> impl Strategy<Value = Story> {
    let text = prop_oneof![
        3 => ".{0,300}",
        1 => "[<>&]{0,4000}",
        1 => "[\u{1f6a8}\u{e9}\n ]{0,4000}",
    ];
    let person = prop::sample::select(vec!["ana", "bo", "cy", "dee", "eli", "fay"]);
    let answer = prop::sample::select(vec![Answer::Roger, Answer::Wilco, Answer::Unable]);
    let answers = prop::collection::vec((person, answer), 0..5);
    let rest = (any::<bool>(), 0u64..700, answers, any::<bool>(), 2u32..);
    (text.clone(), text, rest).prop_map(|(summary, annotation, (drill, seconds, answers, resolved, revision))| Story {
        summary,
        annotation,
        drill,
        seconds,
        answers,
        resolved,
        revision,
    })
}

fn played(story: &Story) -> Incident {
    let mut alert = flash_crash(story.drill);
    alert.summary.clone_from(&story.summary);
    alert.annotations.insert("drivers".into(), story.annotation.clone());
    let mut incident = later(opened(alert), story.seconds);
    for (person, answer) in &story.answers {
        let said = GivenAnswer {
            person: (*person).into(),
            answer: *answer,
            via: AnswerVia::chat("slack"),
            page: None,
            role: None,
            origin: None,
        };
        step(&mut incident, IncidentInput::Answer(said), &roster(), after(story.seconds));
    }
    if story.resolved {
        let by = Actor::Operator(story.annotation.clone());
        step(&mut incident, IncidentInput::Resolve { by, why: None }, &roster(), after(story.seconds + 1));
    }
    incident
}

/// The message about a page, as it is composed for a room, or for Ana.
fn message(incident: &Incident, page: &Page, room: Option<(&str, Option<&str>)>) -> Message {
    message_in(&Zone::utc(), incident, page, room)
}

fn message_in(zone: &Zone, incident: &Incident, page: &Page, room: Option<(&str, Option<&str>)>) -> Message {
    let brief =
        BriefInput { incident, page, reader: None, names: &names(), shared_zone: zone, following: 0, sandboxed: &[] };
    let rendered = PageTemplates::shipped().render(&brief, TextForm::Slack);
    let (headline, subject, body) = (rendered.headline, rendered.subject, rendered.body);
    let text = MessageText { headline, subject, body, html: None, times: rendered.times };
    let purpose = page.purpose.clone();
    let state = RoomState {
        open: incident.is_open(),
        purpose: incident.summary.clone(),
        runbook: None,
        ..RoomState::default()
    };
    let message = Message { drill: incident.drill, text, purpose, ..page_for(ana()) };
    let Some((id, card)) = room else { return message };
    let (id, card) = (Some(id.to_owned()).filter(|id| !id.is_empty()), card.map(str::to_owned));
    let to = Recipient::Room { id, card, name: "inc-12".into(), private: true, invite: vec![] };
    Message { to, role: None, ask: None, room: Some(state), ..message }
}

async fn all_is_taken(slack: &FakeSlack, channel: &SlackChannel, story: &Story) -> Result<(), TestCaseError> {
    let incident = played(story);
    let brief = brief_of(&incident, "trader");
    let post = |purpose| Page { person: None, role: None, purpose, ..brief.clone() };
    let mut sent = vec![message(&incident, brief, None)];
    let card = channel.send(&message(&incident, &post(PagePurpose::RoomCard), Some(("", None)))).await;
    prop_assert_eq!(told(&card), "accepted", "{:?}", story);
    let receipt = card.unwrap();
    let (room, card) = (receipt.room.unwrap(), receipt.id);
    let note = PagePurpose::RoomNote { line: story.annotation.clone() };
    let update = PagePurpose::RoomUpdate { revision: story.revision, shows: String::new() };
    for purpose in [note, update, PagePurpose::RoomSummary, PagePurpose::RoomFurnish] {
        sent.push(message(&incident, &post(purpose), Some((&room, Some(&card)))));
    }
    for message in sent {
        prop_assert_eq!(told(&channel.send(&message).await), "accepted", "{:?}: {:?}", message.purpose, story);
    }
    let refused: Vec<String> = slack.world.lock().unwrap().calls.drain(..).map(|call| call.outcome).collect();
    // A name that is taken is no refusal of a form.
    let refused: Vec<&String> = refused.iter().filter(|outcome| !matches!(&***outcome, "ok" | "name_taken")).collect();
    prop_assert!(refused.is_empty(), "{refused:?}: {story:?}");
    Ok(())
}

#[test]
fn whatever_an_incident_is_slack_takes_all_of_it_in_its_rich_form() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let slack = runtime.block_on(FakeSlack::start(&["UANA"]));
    let channel = runtime.block_on(async { slack_at(slack.api_url()) });
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 60,
        rng_seed: RngSeed::Fixed(3000),
        failure_persistence: None,
        ..Default::default()
    });
    let result = runner.run(&any_story(), |story| {
        // Each in a workspace without rooms: a fourth room of one name would be refused.
        slack.world.lock().unwrap().rooms.clear();
        runtime.block_on(all_is_taken(&slack, &channel, &story))
    });
    result.unwrap();
}

#[tokio::test]
async fn a_room_shows_each_reader_their_own_time_and_its_fallback_names_its_zone() {
    let slack = FakeSlack::start(&["UANA"]).await;
    let channel = slack_at(slack.api_url());
    let incident = opened(flash_crash(false));
    let post = |purpose| Page { person: None, role: None, purpose, ..brief_of(&incident, "trader").clone() };
    let zone = Zones::bundled().get("Europe/London").unwrap();
    channel.send(&message_in(&zone, &incident, &post(PagePurpose::RoomCard), Some(("", None)))).await.unwrap();
    let card = slack.posts().pop().unwrap();
    let shown = card.body["blocks"][0]["text"]["text"].as_str().unwrap().to_owned();
    assert!(shown.contains(&format!("Opened {}.", date(incident.opened_at.as_micros() / 1_000_000, &zone))), "{shown}");
    assert!(!shown.contains("UTC"), "{shown}");
    // What a phone's push says is plain, with the zone's name.
    let push = card.body["text"].as_str().unwrap();
    assert!(!push.contains('<') && push.contains(zone_now(&incident, &zone).as_str()), "{push}");
    // A line of the timeline has its times in UTC, as the journal keeps it.
    let until = incident.engagements.values().find_map(|e| e.deadline).unwrap().to_utc();
    let note = PagePurpose::RoomNote { line: format!("ana answered: granted until {}", until.format("%H:%M:%S UTC")) };
    let (room, card) = (card.channel.clone(), card.ts.clone());
    channel.send(&message_in(&zone, &incident, &post(note), Some((&room, Some(&card))))).await.unwrap();
    let line = slack.posts().pop().unwrap().body["text"].as_str().unwrap().to_owned();
    assert!(line.ends_with(&format!("granted until {}", date(until.timestamp(), &zone))), "{line}");
}

/// Slack's token for a time.
fn date(seconds: i64, zone: &Zone) -> String {
    let at = chrono::DateTime::from_timestamp(seconds, 0).unwrap().with_timezone(zone);
    format!("<!date^{seconds}^{{date_short_pretty}} {{time_secs}}|{}>", at.format("%H:%M:%S %Z"))
}

/// The abbreviation of a zone when an incident was opened.
fn zone_now(incident: &Incident, zone: &Zone) -> String {
    incident.opened_at.to_utc().with_timezone(zone).format("%Z").to_string()
}
