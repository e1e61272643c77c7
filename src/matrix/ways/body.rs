//! `body` and `form` of a templated channel, tried before a crisis: with a message that has everything and holds what
//! breaks a template that quotes by hand, and with one that has next to nothing.

use super::http::{BodyWay, FieldWay, fields};
use crate::{
    matrix::settings::ContactField,
    toml_kit::{
        document::TomlTable,
        faults::{MatrixFaults, SourceSpan},
    },
};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that a template is given, and what it is.
pub const WORDS: [(&str, &str); 22] = [
    ("to", "to whom: the number as `number` says, or the mailbox; empty for a room"),
    ("person", "the person's name in the matrix"),
    ("name", "how humans call them"),
    ("phone", "their number, E.164"),
    ("email", "their mailbox"),
    ("text", "the whole text, its first word DRILL or LIVE"),
    ("headline", "its first line"),
    ("lines", "the lines below it, a list"),
    ("html", "the whole text in HTML, where a mailbox is written to"),
    ("subject", "a mail's subject"),
    ("stamp", "DRILL or LIVE"),
    ("drill", "whether it is an exercise"),
    ("incident", "INC-12"),
    ("page", "INC-12.3"),
    ("id", "the message's own id, the same at every attempt: for services that drop what they have had"),
    ("role", "the role that it is about"),
    ("purpose", "brief, taken, stood-down, resolved, room-card, room-line"),
    ("asks", "whether an answer is wanted"),
    ("code", "the code to answer with, where the paged person alone reads it"),
    ("link", "the link to answer by; the desk's where others read it too; empty where nothing is asked"),
    ("level", "what is wanted: roger or wilco"),
    ("report", "where the service may report what became of it; `&name=value` can follow"),
];

/// What says something of the page.
const TELLING: [&str; 3] = ["text", "headline", "lines"];

/// Instructions that one template may run.
const FUEL: u64 = 20_000;

/// Text that breaks what quotes by hand.
const HOSTILE: &str = "LIVE \"a\" \\ {b} {{ c }}\n'd' <e> &";

pub(super) fn read(table: &mut TomlTable<'_>, faults: &mut MatrixFaults) -> BodyWay {
    let body = table.take("body");
    let form = fields("form", table, faults);
    if let (Some(item), false) = (&body, form.is_empty()) {
        let help = "keep one of them: `body` is JSON, `form` are fields";
        faults.error("body-and-form", item.key_at, "a message has `body` or `form`, not both", help);
    }
    if !form.is_empty() {
        return BodyWay::Form(form);
    }
    let Some(item) = body else { return BodyWay::None };
    let Some(text) = item.lines(faults) else { return BodyWay::None };
    if let Err(why) = try_json(text.value) {
        faults.error("bad-body", text.at, format!("`body` makes no JSON: {why}"), {
            "every {{ .. }} writes a whole JSON value with its quotes: write \"text\": {{ text }}, and join with ~"
        });
    }
    BodyWay::Json(text.value.to_owned())
}

/// Whether what is sent tells of the page, and to whom it goes.
pub(super) fn check(
    body: &BodyWay,
    query: &BTreeMap<String, FieldWay>,
    needs: ContactField,
    table: &TomlTable<'_>,
    at: SourceSpan,
    faults: &mut MatrixFaults,
) {
    let mut templates: Vec<&String> = query.values().filter_map(text_of).collect();
    match body {
        BodyWay::None => {}
        BodyWay::Json(text) => templates.push(text),
        BodyWay::Form(fields) => templates.extend(fields.values().filter_map(text_of)),
    }
    let mut used = BTreeSet::new();
    for template in templates {
        match words_of(template) {
            Ok(words) => used.extend(words),
            // What is wrong with a body was said where it stands.
            Err(_) if matches!(body, BodyWay::Json(text) if text == template) => return,
            Err(why) => {
                let help = "write {{ word }}; the words are in the documentation of `body`";
                faults.error("bad-template", at, format!("{} has a template that fails: {why}", table.what), help);
                return;
            }
        }
    }
    if !TELLING.iter().any(|word| used.contains(*word)) {
        let message = format!("{} says nothing of what happened", table.what);
        faults.error("says-nothing", at, message, "use {{ text }}, or {{ headline }} and {{ lines }}");
    }
    let (addressed, wanted) = match needs {
        ContactField::Phone => (used.contains("to") || used.contains("phone"), "{{ to }} or {{ phone }}"),
        ContactField::Email => (used.contains("to") || used.contains("email"), "{{ to }} or {{ email }}"),
        ContactField::Nothing | ContactField::Slack => (true, ""),
    };
    if !addressed {
        let message = format!("{} does not say to whom a message goes", table.what);
        faults.error("says-nobody", at, message, format!("use {wanted}, or leave `needs` out"));
    }
}

fn text_of(field: &FieldWay) -> Option<&String> {
    match field {
        FieldWay::Text(text) => Some(text),
        FieldWay::Secret(_) => None,
    }
}

fn try_json(text: &str) -> Result<(), String> {
    for words in [full(), bare()] {
        let made = run(text, &words, true)?;
        serde_json::from_str::<serde_json::Value>(&made).map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn words_of(text: &str) -> Result<BTreeSet<String>, String> {
    for words in [full(), bare()] {
        run(text, &words, false)?;
    }
    let env = environment(false);
    let template = env.template_from_str(text).map_err(|error| error.to_string())?;
    Ok(template.undeclared_variables(false).into_iter().collect())
}

fn run(text: &str, words: &BTreeMap<&'static str, Value>, is_json: bool) -> Result<String, String> {
    environment(is_json).render_str(text, words).map_err(|error| error.to_string())
}

fn environment(is_json: bool) -> Environment<'static> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_fuel(Some(FUEL));
    env.set_recursion_limit(32);
    env.set_auto_escape_callback(move |_| if is_json { AutoEscape::Json } else { AutoEscape::None });
    env.remove_filter("safe");
    env.add_filter("markdown", |text: &str| text.to_owned());
    env
}

/// A brief that says everything.
fn full() -> BTreeMap<&'static str, Value> {
    let word = |(name, _): &(&'static str, &str)| {
        let value = match *name {
            "lines" => Value::from(vec![HOSTILE, HOSTILE]),
            "drill" | "asks" => Value::from(true),
            _ => Value::from(HOSTILE),
        };
        (*name, value)
    };
    WORDS.iter().map(word).collect()
}

/// A line of a room.
fn bare() -> BTreeMap<&'static str, Value> {
    let word = |(name, _): &(&'static str, &str)| {
        let value = match *name {
            "lines" => Value::from(Vec::<&str>::new()),
            "drill" | "asks" => Value::from(false),
            "text" | "headline" | "stamp" => Value::from("LIVE"),
            _ => Value::from(""),
        };
        (*name, value)
    };
    WORDS.iter().map(word).collect()
}
