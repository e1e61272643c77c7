//! A trigger's `handoff`: what is refused with which words, and how the people of an immediate one are asked.

use super::{file, parse};
use std::time::Duration;
use stentor::{
    core::{AskKind, HandoffTier, Priority, Timestamp, read_back::ReadBackField},
    matrix::{Matrix, Severity},
};

/// A matrix with these keys of the trigger.
fn matrix(trigger: &str) -> String {
    format!(
        "[daemon]\ntimezone = \"Europe/London\"\n[channel.desk]\nkind = \"screen\"\n[channel.sms]\nkind = \"kannel\"\n\
         url = \"http://127.0.0.1:9/\"\nusername = \"u\"\npassword = {{ env = \"P\" }}\ntoken = {{ env = \"T\" }}\n\
         [person.ana]\nname = \"A\"\nphone = \"+447700900001\"\n[person.bo]\nname = \"B\"\nphone = \"+447700900002\"\n\
         [person.cy]\nname = \"C\"\n\
         [role.officer]\nengaged_by = \"wilco\"\nstep = [\n  {{ page = [\"ana\"], by = [\"desk\"], wait = \"45s\" }},\n  \
         {{ page = [\"bo\"], by = [\"desk\", \"sms\"], wait = \"2m\" }},\n]\n\
         [role.reader]\nengaged_by = \"roger\"\nstep = [{{ page = [\"ana\"], by = [\"desk\"], wait = \"45s\" }}]\n\
         [source.bot]\ntoken = {{ env = \"B\" }}\nreply_url = \"https://chat.example.com/\"\n\
         [trigger.talk]\non = [\"talk\"]\n{trigger}\n[catch-all]\npage = [\"cy\"]\nby = [\"desk\"]\n"
    )
}

fn errors(trigger: &str) -> Vec<&'static str> {
    let parsed = parse(&[file("m.toml", &matrix(trigger))]);
    let errors = parsed.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    errors.map(|diagnostic| diagnostic.code).collect()
}

fn read(trigger: &str) -> Matrix {
    let parsed = parse(&[file("m.toml", &matrix(trigger))]);
    parsed.matrix.unwrap_or_else(|| panic!("{:#?}", parsed.diagnostics))
}

#[test]
fn the_fact_that_people_repeat_is_a_label_or_a_value() {
    let asking = |fact: &str| format!("roles = [\"officer\"]\nask = {{ after = \"5m\", read_back = {fact} }}");
    let long = format!("\"labels.{}\"", "x".repeat(33));
    for fact in ["\"desk\"", "\"labels.\"", "\"evidence.desk\"", long.as_str()] {
        assert_eq!(errors(&asking(fact)), ["no-such-fact"], "{fact}");
    }
    assert_eq!(errors(&asking("true")), ["wrong-type"]);
    let rules = |fact: &str| read(&asking(fact)).plan(&"talk".into()).unwrap().ask.clone().unwrap();
    assert_eq!(rules("\"labels.desk.name\"").read_back, Some(ReadBackField::Label("desk.name".into())));
    assert_eq!(rules("\"values.orders\"").read_back, Some(ReadBackField::Value("orders".into())));
}

#[test]
fn an_action_is_changed_by_one_alone_and_not_without_a_word() {
    let asking = |keys: &str| format!("roles = [\"officer\"]\nask = {{ after = \"5m\"{keys} }}");
    let edits = |keys: &str| read(&asking(keys)).plan(&"talk".into()).unwrap().ask.clone().unwrap().edits;
    assert_eq!([edits(""), edits(", edits = false"), edits(", edits = true")], [false, false, true]);
    assert_eq!(errors(&asking(", approvals = 2, edits = true")), ["edits-of-many"]);
    assert_eq!(errors(&asking(", approvals = 2, edits = false")), Vec::<&str>::new());
    assert_eq!(errors(&asking(", edits = \"yes\"")), ["wrong-type"]);
}

#[test]
fn what_can_not_be_meant_is_refused() {
    let officer = |keys: &str| format!("roles = [\"officer\"]\nhandoff = {{ after = \"10m\"{keys} }}");
    for (trigger, code) in [
        ("roles = [\"officer\"]\nhandoff = {}".to_owned(), "missing-key"),
        ("roles = [\"officer\"]\nhandoff = \"10m\"".to_owned(), "wrong-type"),
        ("roles = [\"officer\"]\nhandoff = { after = \"1s\" }".to_owned(), "duration-out-of-range"),
        (officer(", tier = \"imediate\""), "unknown-word"),
        (officer(", capacity = 0"), "count-out-of-range"),
        (officer(", capacity = 101"), "count-out-of-range"),
        (officer(", hours = \"9-17\""), "bad-hours"),
        (officer(", hours = [\"Mon-Fri 09:00-17:00\", \"Sat 17:00-09:00\"]"), "bad-hours"),
        (officer(", approvals = 2"), "key-without-effect"),
        (officer(", read_back = \"labels.desk\""), "key-without-effect"),
        (officer(", from_alerts = true"), "no-conversation"),
        (officer(", from_alerts = 1"), "wrong-type"),
        (officer(", edits = true"), "key-without-effect"),
        ("roles = [\"reader\"]\nhandoff = { after = \"10m\" }".to_owned(), "nobody-takes-it"),
        ("roles = [\"officer\", \"reader\"]\nhandoff = { after = \"10m\" }".to_owned(), "one-role"),
        (officer("") + "\nask = { after = \"10m\" }", "two-kinds-of-requests"),
    ] {
        let errors = errors(&trigger);
        assert!(errors.contains(&code), "{trigger}: {errors:?}");
    }
    assert!(errors(&(officer(", from_alerts = true") + "\nkey = 'alert.labels.conversation'")).is_empty());
    assert_eq!(
        errors(&officer(", capacity = 3, hours = \"Mon-Fri 09:00-17:00\", variants = true")),
        Vec::<&str>::new()
    );
}

#[test]
fn it_takes_handoffs_alone_within_its_hours() {
    let matrix =
        read("roles = [\"officer\"]\nhandoff = { after = \"10m\", capacity = 3, hours = \"Mon-Fri 09:00-17:00\" }");
    let plan = matrix.plan(&"talk".into()).expect("a plan");
    let rules = plan.ask.as_ref().expect("rules");
    assert_eq!(rules.after, Duration::from_secs(600));
    let takes = [AskKind::Handoff, AskKind::Approval, AskKind::Decision].map(|kind| rules.takes(kind));
    assert_eq!(takes, [true, false, false]);
    assert_eq!(rules.handoff.as_ref().expect("a handoff").capacity, Some(3));
    let hours = matrix.triggers["talk"].hours.as_ref().expect("hours");
    // In summer London is an hour ahead.
    let open = |at: &str| hours.are_open(Timestamp::parse(at).expect("a time"));
    assert_eq!([open("2026-07-06T08:30:00Z"), open("2026-07-06T16:30:00Z")], [true, false]);
    assert_eq!(matrix.sources["bot"].reply_url.as_deref(), Some("https://chat.example.com/"));
}

#[test]
fn an_immediate_one_asks_everybody_at_once_before_all_others() {
    let steps = |tier: &str| {
        let matrix = read(&format!("roles = [\"officer\"]\nhandoff = {{ after = \"10m\", tier = \"{tier}\" }}"));
        let plan = matrix.plan(&"talk".into()).expect("a plan");
        let rules = plan.ask.as_ref().and_then(|rules| rules.handoff.clone()).expect("rules");
        let steps = plan.roles["officer"].steps.iter().map(|step| (step.page.len(), step.by.len()));
        (rules.tier, plan.priority, steps.collect::<Vec<_>>())
    };
    assert_eq!(steps("warm"), (HandoffTier::Warm, Priority::default(), vec![(1, 1), (1, 2)]));
    assert_eq!(steps("immediate"), (HandoffTier::Immediate, Priority::from(Priority::HIGHEST), vec![(2, 2)]));
}
