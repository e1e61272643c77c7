//! The table of kinds: what its entries say must fit together, whichever kinds there are.

use std::collections::BTreeSet;
use stentor::{
    channel::kinds::{KINDS, contact_fields},
    core::{AnswerVia, answer_via::ChatName},
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
