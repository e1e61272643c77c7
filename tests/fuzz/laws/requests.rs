//! Requests: what is asked, and what is filled in.

use super::first_line;
use serde_json::Value;
use std::collections::BTreeSet;
use stentor::{
    core::{
        AskKind, Form, FormAnswer, Packet,
        form::{FIELDS_MAX, FieldKind},
        form_answer::FieldFault,
        packet::{LIST_MAX, TRANSCRIPT_CHARS_MAX, TURNS_MAX},
        request::{OPTIONS_MAX, OPTIONS_MIN, QUESTION_MAX},
    },
    http::api::requests::ask_body::read,
};

/// The longest thing that a sender is told about one fault, in characters.
const TOLD_MAX: usize = 1_000;

/// What is asked is whole, within its limits and the same for every reader of the body, or it is refused in a line.
pub fn requests(bytes: &[u8]) {
    let (alert, wish) = match read(bytes) {
        Ok(read) => read,
        Err(problem) => {
            assert!(problem.status().is_client_error(), "{problem:?}");
            return told(problem.detail());
        }
    };
    assert!(alert.id.is_empty() && alert.source.as_str().is_empty() && alert.lease_until.is_none());
    assert!(one_line(&wish.question) && wish.question.chars().count() <= QUESTION_MAX, "{:?}", wish.question);
    let names: BTreeSet<String> = wish.options.iter().map(|option| option.name.to_lowercase()).collect();
    assert_eq!(names.len(), wish.options.len(), "two options have one name");
    let is_right = match wish.kind {
        AskKind::Decision => (OPTIONS_MIN..=OPTIONS_MAX).contains(&names.len()),
        _ => names.is_empty(),
    };
    assert!(is_right, "{:?} with {names:?}", wish.kind);
    assert!(wish.options.iter().all(|option| one_line(&option.name) && one_line(&option.label)));
    assert_eq!(wish.form.is_some(), wish.kind == AskKind::Form);
    assert_eq!(wish.packet.is_some(), wish.kind == AskKind::Handoff);
    wish.packet.as_deref().into_iter().for_each(fits);
    let body: Value = serde_json::from_slice(bytes).expect("what we read is JSON to others, too");
    let (_, again) = read(body.to_string().as_bytes()).unwrap_or_else(|_| panic!("other spaces are refused: {body}"));
    assert_eq!((again.action_digest, again.question), (wish.action_digest, wish.question));
}

/// A packet is cut once.
fn fits(packet: &Packet) {
    assert!(
        packet.transcript.len() <= TURNS_MAX && packet.tried.len() <= LIST_MAX && packet.evidence.len() <= LIST_MAX
    );
    let chars: usize = packet.transcript.iter().map(|turn| turn.text.chars().count()).sum();
    assert!(chars <= TRANSCRIPT_CHARS_MAX, "{chars} characters");
    assert_eq!(&packet.clone().fitted(), packet, "what fits stays as it is");
}

/// The first line is a form, the rest an answer to it. An answer counts only where every reader of it reads the same, whether
/// it is sent or typed.
pub fn forms(bytes: &[u8]) {
    let (schema, given) = first_line(bytes);
    let Ok(schema) = serde_json::from_slice::<Value>(schema) else { return };
    let form = match Form::read(&schema) {
        Ok(form) => form,
        Err(fault) => return told(&fault.to_string()),
    };
    assert!((1..=FIELDS_MAX).contains(&form.fields().len()));
    let labels: BTreeSet<&str> = form.fields().iter().map(|field| field.label()).collect();
    assert!(labels.len() == form.fields().len() && labels.into_iter().all(one_line));
    assert_eq!(Form::read(&Value::from(form.clone())).as_ref(), Ok(&form), "it is kept as its schema");
    if let Some((_, choices)) = form.one_choice() {
        for choice in choices {
            let answer = form.chosen(choice).expect("one of its choices");
            assert!(form.fits(&answer) && form.option_of(&answer) == *choice);
        }
    }
    if let Ok(given) = serde_json::from_slice::<Value>(given) {
        match form.answer(&given) {
            Ok(answer) => taken(&form, &answer),
            Err(faults) => refused(&faults),
        }
    }
    let typed = String::from_utf8_lossy(given);
    let mut lines = typed.lines().map(str::to_owned).collect::<Vec<_>>().into_iter();
    let of_field: Vec<(String, String)> =
        form.fields().iter().map(|field| (field.name.clone(), lines.next().unwrap_or_default())).collect();
    let line = |name: &str| {
        of_field.iter().find(|(field, _)| field == name).map_or_else(String::new, |(_, line)| line.clone())
    };
    match form.typed(line) {
        Ok(answer) => taken(&form, &answer),
        Err(faults) => refused(&faults),
    }
}

fn taken(form: &Form, answer: &FormAnswer) {
    assert!(form.fits(answer), "{answer:?}");
    for field in form.fields() {
        assert!(!field.required || answer.get(&field.name).is_some(), "{} is missing", field.name);
    }
    // A text keeps its spaces where it is sent, and loses those at its ends where it is typed.
    let is_trimmed = |name: &str| {
        let typed = answer.get(name).map_or_else(String::new, |value| value.typed());
        !typed.is_empty() && typed.trim() == typed
    };
    let texts = form.fields().iter().filter(|field| matches!(field.kind, FieldKind::Text { .. }));
    if texts.filter(|field| answer.get(&field.name).is_some()).all(|field| is_trimmed(&field.name)) {
        let typed = |name: &str| answer.get(name).map_or_else(String::new, |value| value.typed());
        assert_eq!(form.typed(typed).as_ref(), Ok(answer), "typed as it is shown");
    }
}

fn refused(faults: &[FieldFault]) {
    assert!(!faults.is_empty());
    faults.iter().for_each(|fault| told(&fault.to_string()));
}

fn one_line(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_control)
}

fn told(text: &str) {
    assert!(!text.is_empty() && text.chars().count() <= TOLD_MAX && !text.contains(char::is_control), "{text:?}");
}
