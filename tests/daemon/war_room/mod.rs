//! The war room of a running daemon in a Slack that refuses what the real one is documented to refuse.
#![allow(clippy::disallowed_methods)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::common;
use crate::double;

use common::{Daemon, Setup};
use double::slack::{Call, FakeSlack, Post, Room, TOKEN};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    thread::sleep,
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;

/// How long something may take on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(30);

/// The distance that two edits of one card keep at least, less what a busy machine may blur.
const EDITS_APART: Duration = Duration::from_millis(2500);

const USERS: [&str; 3] = ["U0ANA", "U0BO", "U0CY"];

/// Two roles; the trader's ladder has a second step, so that Bo is paged later.
fn matrix(slack: &str, more: &str) -> String {
    format!(
        r#"
[channel.room]
kind    = "slack"
url     = "{slack}"
token   = {{ env = "SLACK_BOT_TOKEN" }}
private = true
name    = "{{drill}}inc-{{id}}-{{trigger}}-{{date}}"
{more}

[person.ana]
name  = "Ana Ruiz"
slack = "U0ANA"
[person.bo]
name  = "Bo Lind"
email = "bo@desk.example"
slack = "by-email"
[person.cy]
name  = "Cy Wolf"
slack = "U0CY"
unix  = "root"
[person.gus]
name  = "Gus Gone"
slack = "U0GONE"

[role.trader]
step = [
  {{ page = ["ana"], by = ["room"], wait = "3s" }},
  {{ page = ["bo", "gus"], by = ["room"], wait = "10m" }},
]
[role.compliance]
engaged_by = "roger"
step = [{{ page = ["cy"], by = ["room"], wait = "10m" }}]

[catch-all]
page  = ["cy"]
by    = ["room"]

[trigger.halt]
on      = ["halt"]
key     = 'alert.labels.venue'
summary = "{{alert.labels.venue}} halted"
roles   = ["trader", "compliance"]
room    = "room"
"#
    )
}

struct House {
    slack: FakeSlack,
    daemon: Daemon,
    // Dropped last: it carries the double.
    _runtime: Runtime,
}

impl House {
    fn new(more: &str) -> Self {
        let runtime = Runtime::new().unwrap();
        let slack = runtime.block_on(FakeSlack::start(&USERS));
        slack.world.lock().unwrap().emails.insert("bo@desk.example".to_owned(), "U0BO".to_owned());
        let daemon = Setup::new(&matrix(&slack.api_url(), more)).env("SLACK_BOT_TOKEN", TOKEN).start();
        Self { slack, daemon, _runtime: runtime }
    }

    fn fire(&self, more: &[&str]) -> String {
        let fired = self.daemon.json(&[&["fire", "halt", "--label", "venue=XEX"], more].concat());
        fired["alerts"][0]["incidents"][0].as_str().unwrap().to_owned()
    }

    fn room(&self) -> Option<Room> {
        self.slack.world.lock().unwrap().rooms.get("C0001").cloned()
    }

    /// What was posted into the room, the card first.
    fn posts(&self) -> Vec<Post> {
        self.slack.posts().into_iter().filter(|post| post.channel == "C0001").collect()
    }

    /// The card as people see it.
    fn card(&self) -> String {
        self.posts().first().map(|card| text_of(card.shown())).unwrap_or_default()
    }

    fn edits(&self) -> Vec<Call> {
        self.slack.calls("chat.update").into_iter().filter(|call| call.outcome == "ok").collect()
    }

    /// Journal lines about the room's card.
    fn updates_in_journal(&self, incident: &str) -> usize {
        let shown = self.daemon.json(&["show", incident]);
        let pages = shown["incident"]["pages"].as_array().unwrap_or_else(|| panic!("{shown}"));
        pages.iter().filter(|page| page["purpose"] == "room update").count()
    }
}

/// All the text that a message shows.
fn text_of(body: &Value) -> String {
    let blocks = body["blocks"].as_array().cloned().unwrap_or_default();
    let shown: Vec<&str> = blocks.iter().filter_map(|block| block["text"]["text"].as_str()).collect();
    if shown.is_empty() { body["text"].as_str().unwrap_or_default().to_owned() } else { shown.concat() }
}

fn has_buttons(body: &Value) -> bool {
    body["blocks"].as_array().is_some_and(|blocks| blocks.iter().any(|block| block["type"] == "actions"))
}

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "this did not come: {what}");
        sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_room_lives_with_its_incident_from_the_first_card_to_the_archive() {
    let house = House::new("archive_after = \"4s\"");
    let incident = house.fire(&["--annotation", "runbook_url=https://wiki.example/halt"]);

    // Made, furnished, and filled with those who are on call.
    let room = until("a furnished room", || house.room().filter(|room| !room.pins.is_empty()));
    let day = chrono::Utc::now().format("%Y-%m-%d").to_string();
    assert!(room.name == format!("inc-1-halt-{day}") || room.name.starts_with("inc-1-halt-"), "{}", room.name);
    assert!(room.private && room.topic.starts_with("LIVE INC-1: XEX halted"), "{room:?}");
    assert!(room.purpose.contains("the war room of INC-1"), "{room:?}");
    assert_eq!(room.bookmarks, ["https://wiki.example/halt"]);
    let members = |wanted: &[&str]| {
        let wanted: BTreeSet<String> = wanted.iter().map(|user| (*user).to_owned()).collect();
        house.room().filter(|room| room.members == wanted).map(drop)
    };
    until("the people of the first step", || members(&["U0ANA", "U0CY"]));

    // The second step: Bo, known by his mailbox, comes in; Gus can not, and the room hears so.
    until("Bo", || members(&["U0ANA", "U0BO", "U0CY"]));
    until("who is missing", || house.posts().iter().find(|post| text_of(&post.body).contains("Gus Gone (")).cloned());
    until("the card with the second step", || house.card().contains("Bo Lind and Gus Gone paged until").then_some(()));
    assert!(has_buttons(house.posts()[0].shown()));

    let verdict = house.daemon.json(&["answer", &incident, "roger"]);
    assert_eq!(verdict["verdict"], "engages", "{verdict}");
    until("the card with Cy", || house.card().contains("compliance: Cy Wolf has it since").then_some(()));
    let line = until("the line about Cy", || {
        house.posts().into_iter().find(|post| text_of(&post.body).contains("compliance: Cy Wolf has it"))
    });
    let card = house.posts()[0].clone();
    assert_eq!((&line.body["thread_ts"], &line.body["reply_broadcast"]), (&card.ts.clone().into(), &true.into()));

    // The end: a summary, no buttons, and the room is put away when its time has come.
    house.daemon.json(&["resolve", &incident]);
    let summary = until("the summary", || {
        house.posts().into_iter().find(|post| text_of(&post.body).contains("It is over: resolved by"))
    });
    let said = text_of(&summary.body);
    assert!(said.contains("compliance: Cy Wolf engaged at") && said.contains("trader: nobody engaged"), "{said}");
    assert!(summary.body.get("thread_ts").is_none());
    until("a card without buttons", || (!has_buttons(house.posts()[0].shown())).then_some(()));
    assert!(house.card().contains("Cy Wolf resolved it at"), "{}", house.card());
    assert!(!house.room().unwrap().archived);
    until("the archive", || house.room().filter(|room| room.archived));
    assert_eq!(house.posts().iter().filter(|post| has_buttons(&post.body)).count(), 1, "one card, edited");
    house.edits().windows(2).for_each(|pair| assert!(EDITS_APART < pair[1].at - pair[0].at, "{pair:?}"));
    let log = house.daemon.log();
    assert!(!log.contains(TOKEN), "the token is in the log");
}

#[test]
fn many_changes_make_few_edits_and_the_last_one_shows_the_last_state() {
    let house = House::new("");
    let incident = house.fire(&[]);
    until("a card", || house.posts().into_iter().next());
    // Five changes in less time than two edits take; the trader's second step comes on top.
    for word in ["standby 2", "standby 2", "roger", "roger", "unable"] {
        let words: Vec<&str> = word.split(' ').collect();
        house.daemon.json(&[&["answer", &incident], &words[..]].concat());
    }
    house.daemon.json(&["resolve", &incident]);
    until("the end on the card", || house.card().contains("It is over").then_some(()));
    let edits = house.edits();
    assert!(edits.len() <= 4, "{}", edits.len());
    edits.windows(2).for_each(|pair| assert!(EDITS_APART < pair[1].at - pair[0].at, "{pair:?}"));
    let revisions: Vec<u32> = edits.iter().map(|edit| revision(&text_of(&edit.body))).collect();
    assert!(revisions.is_sorted(), "{revisions:?}");
    assert!(house.updates_in_journal(&incident) <= 1 + edits.len());
}

/// `Revision 4, as of ..`.
fn revision(card: &str) -> u32 {
    let after = card.split("Revision ").nth(1).unwrap();
    after.split(',').next().unwrap().parse().unwrap()
}

#[test]
fn a_restart_edits_the_same_card_and_forgets_no_archive() {
    let mut house = House::new("archive_after = \"1s\"");
    let incident = house.fire(&[]);
    until("a pinned card", || house.room().filter(|room| !room.pins.is_empty()));
    let card = house.posts()[0].ts.clone();
    house.daemon.kill();
    house.daemon.restart();
    house.daemon.json(&["answer", &incident, "roger"]);
    until("the edit", || house.card().contains("Cy Wolf has it").then_some(()));
    assert_eq!((house.posts()[0].ts.clone(), house.slack.world.lock().unwrap().rooms.len()), (card, 1));
    // Slack is away when the room's time comes, and so is the daemon a moment later.
    let unavailable = double::fault::Fault::Status(503, vec![], "");
    house.slack.set_fault("conversations.archive", Some(unavailable));
    house.daemon.json(&["resolve", &incident]);
    until("the summary", || house.posts().iter().find(|post| text_of(&post.body).contains("It is over")).cloned());
    house.daemon.kill();
    house.slack.set_fault("conversations.archive", None);
    house.daemon.restart();
    until("the archive", || house.room().filter(|room| room.archived));
}

#[test]
fn a_daemon_that_dies_right_after_it_made_a_room_uses_that_room() {
    let mut house = House::new("");
    // Slack makes the room, and the card's request gets no response until the daemon is dead.
    let arrived = std::sync::Arc::new(tokio::sync::Notify::new());
    house.slack.set_fault("chat.postMessage", Some(double::fault::Fault::Hang(arrived)));
    let incident = house.fire(&[]);
    until("a room", || house.room());
    house.daemon.kill();
    house.slack.set_fault("chat.postMessage", None);
    house.daemon.restart();
    until("a furnished room", || house.room().filter(|room| !room.pins.is_empty()));
    assert_eq!(house.slack.world.lock().unwrap().rooms.len(), 1, "an orphan of {incident}");
}

#[test]
fn a_card_that_somebody_deleted_is_posted_anew_and_edited_from_then_on() {
    let house = House::new("");
    let incident = house.fire(&[]);
    until("a pinned card", || house.room().filter(|room| !room.pins.is_empty()));
    {
        let mut world = house.slack.world.lock().unwrap();
        let card = world.posts.iter_mut().find(|post| post.channel == "C0001").unwrap();
        card.channel = "CDELETED".to_owned();
    }
    house.daemon.json(&["answer", &incident, "roger"]);
    let new = until("a new card", || {
        house.posts().into_iter().find(|post| has_buttons(&post.body) && text_of(&post.body).contains("Cy Wolf has it"))
    });
    until("its pin", || house.room().filter(|room| room.pins.contains(&new.ts)));
    house.daemon.json(&["resolve", &incident]);
    until("an edit of the new card", || {
        let card = house.posts().into_iter().find(|post| post.ts == new.ts)?;
        text_of(card.shown()).contains("It is over").then_some(())
    });
    assert_eq!(house.posts().iter().filter(|post| has_buttons(&post.body)).count(), 1);
}

#[test]
fn a_drills_room_can_not_be_taken_for_a_real_one() {
    let house = House::new("");
    house.fire(&["--drill"]);
    let room = until("a pinned card", || house.room().filter(|room| !room.pins.is_empty()));
    assert!(room.name.starts_with("drill-inc-1-halt-"), "{}", room.name);
    for text in [room.topic, room.purpose, house.card()] {
        assert!(text.starts_with("DRILL"), "{text}");
    }
}

#[test]
fn people_whom_slack_does_not_know_are_found_at_the_start_and_told_of_and_delay_nothing() {
    let house = House::new("");
    let holes = |daemon: &Daemon| {
        let ready = ready(daemon);
        ready["unreachable_people"].as_object().cloned().unwrap_or_default()
    };
    let found = until("the hole", || Some(holes(&house.daemon)).filter(|holes| !holes.is_empty()));
    assert_eq!(found.keys().collect::<Vec<_>>(), ["gus by room"]);
    assert!(found["gus by room"].as_str().unwrap().contains("user_not_found"), "{found:?}");
    until("the warning", || house.daemon.log().contains("gus can not be reached by room").then_some(()));
    // Mended and reloaded, it is gone.
    house.slack.world.lock().unwrap().users.insert("U0GONE".to_owned());
    house.daemon.signal("HUP");
    until("no hole", || holes(&house.daemon).is_empty().then_some(()));
}

#[test]
fn a_daemon_starts_while_slack_is_away_and_looks_people_up_later() {
    let runtime = Runtime::new().unwrap();
    let nobody = runtime.block_on(double::nobody());
    let begun = Instant::now();
    let daemon = Setup::new(&matrix(&format!("http://{nobody}/api"), "")).env("SLACK_BOT_TOKEN", TOKEN).start();
    assert!(begun.elapsed() < PATIENCE);
    assert_eq!(ready(&daemon)["unreachable_people"], serde_json::json!({}));
}

fn ready(daemon: &Daemon) -> Value {
    crate::wire::Call::get("/readyz").send_unix(&daemon.state().join("stentor.sock")).json()
}
