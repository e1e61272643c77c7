//! The table of kinds: what its entries say must fit together, whichever kinds there are.

use std::collections::BTreeSet;
use stentor::{
    channel::{
        kind::RoomSupport,
        kinds::{KINDS, contact_fields, rooms},
    },
    core::{AnswerVia, Timestamp, answer_via::ChatName},
    matrix::{KnownNames, Matrix, SourceText},
    template::PageTemplates,
};

#[test]
fn each_kind_and_each_contact_field_has_a_name_of_its_own() {
    let names: BTreeSet<&str> = KINDS.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(names.len(), KINDS.len());
    let keys: Vec<&str> = contact_fields().into_iter().map(|field| field.key()).collect();
    assert_eq!(
        keys,
        ["email", "phone", "slack", "telegram"],
        "the keys of `[person.NAME]` by which people are reached"
    );
    for other in ["name", "unix", "timezone", "calendar", "quiet"] {
        assert!(!keys.contains(&other), "{other} is a key of every person");
    }
}

#[test]
fn answers_by_a_chat_are_journaled_under_the_name_of_its_kind() {
    let mut chats = Vec::new();
    for kind in KINDS {
        let via = kind.spec().response.via;
        assert_eq!(AnswerVia::parse(via.word()), Some(via), "{kind}");
        if let AnswerVia::Chat(name) = via {
            assert_eq!(ChatName::of(kind.as_str()), Some(name), "{kind}");
            chats.push(kind.as_str());
        }
    }
    assert_eq!(chats, ["slack", "telegram"]);
}

/// A service that sends to numbers.
const TO_PHONES: &str = "needs = 'phone'\nbody = '[{{ to }}, {{ text }}]'";

/// Whether a channel of this kind with these keys beside those that it must have can be a room.
fn is_room(kind: &str, keys: &str) -> bool {
    let needed = match kind {
        "slack" | "telegram" => "token = { env = 'T' }",
        "kannel" => "url = 'http://127.0.0.1:9/'",
        "smtp" => "url = 'smtps://mail.example'\nfrom = 'a@example.com'",
        "twilio" | "voice" => {
            "account = 'AC0123456789abcdef0123456789abcdef'\ntoken = { env = 'T' }\nfrom = '+447700900000'"
        }
        "http" => "url = 'https://gateway.example/'",
        "teams" | "mattermost" | "ntfy" => "url = { env = 'U' }",
        "webhook" => "url = 'https://hook.example/'\nkeys = [{ env = 'K' }]",
        "exec" => "program = '/bin/true'",
        _ => "",
    };
    let text = format!("[channel.it]\nkind = '{kind}'\n{needed}\n{keys}\n");
    let templates = PageTemplates::shipped().revisions();
    let files = [SourceText { path: "matrix.toml".into(), text }];
    let parsed = Matrix::parse(&files, &KnownNames { templates: &templates }, Timestamp::default());
    let matrix = parsed.matrix.unwrap_or_else(|| panic!("{kind}: {:?}", parsed.diagnostics));
    matrix.channel(&"it".into()).unwrap().is_room()
}

#[test]
fn what_can_be_a_room_is_told_by_the_entries_of_the_kinds_and_is_so() {
    let told = "name a channel of kind slack, teams, mattermost or ntfy, one of kind telegram with `group`, \
                one of kind http or exec without `needs`";
    assert_eq!(rooms(), told);
    for kind in KINDS.map(|kind| kind.spec()) {
        let (not, can): (&[&str], &[&str]) = match kind.room {
            RoomSupport::Never => (&[""], &[]),
            RoomSupport::Always => (&[], &[""]),
            RoomSupport::When("with `group`") => (&[""], &["group = -1001"]),
            RoomSupport::When("without `needs`") if kind.name == "exec" => (&["needs = 'phone'"], &[""]),
            RoomSupport::When("without `needs`") => (&[TO_PHONES], &["body = '{{ text }}'"]),
            RoomSupport::When(other) => panic!("{}: {other} is not tried", kind.name),
        };
        for keys in not {
            assert!(!is_room(kind.name, keys), "{} {keys}", kind.name);
        }
        for keys in can {
            assert!(is_room(kind.name, keys), "{} {keys}", kind.name);
        }
    }
}
