//! Checks the `body` and `form` templates when the matrix is read: with a message in which every field is set and
//! contains characters that break manual quoting, and with one in which almost no field is set.

use super::order::{BodyTemplate, FieldTemplate, environment};
use crate::{
    channel::contact::ContactField,
    toml_kit::{
        document::TomlTable,
        faults::{MatrixFaults, SourceSpan},
        secret::{SecretRef, secret},
    },
};
use minijinja::Value;
use std::collections::{BTreeMap, BTreeSet};
use toml::de::DeValue;

/// All variables of a template, each with its meaning.
pub const WORDS: [(&str, &str); 22] = [
    ("to", "the recipient: the number as `number` says, or the mailbox; empty for a room"),
    ("person", "the person's name in the matrix"),
    ("name", "how humans call them"),
    ("phone", "their number, E.164"),
    ("email", "their mailbox"),
    ("text", "the whole text, its first word DRILL or LIVE"),
    ("headline", "its first line"),
    ("lines", "the lines below it, a list"),
    ("html", "the whole text in HTML, if it goes to a mailbox"),
    ("subject", "a mail's subject"),
    ("stamp", "DRILL or LIVE"),
    ("drill", "whether it is a drill"),
    ("incident", "INC-12"),
    ("page", "INC-12.3"),
    ("id", "the message's id, the same for every attempt: for services that drop duplicates"),
    ("role", "the role that it is about"),
    ("purpose", "brief, taken, stood-down, resolved, room-card, room-line"),
    ("asks", "whether an answer is wanted"),
    ("code", "the code to answer with, if only the paged person reads it"),
    ("link", "the link to answer with; a link to the desk if others read it too; empty if nothing is asked"),
    ("level", "what is wanted: roger or wilco"),
    ("report", "the URL for delivery reports; `&name=value` can be appended"),
];

/// The variables that contain the page's text.
const TELLING: [&str; 3] = ["text", "headline", "lines"];

/// Text that breaks templates which quote values by hand.
const HOSTILE: &str = "LIVE \"a\" \\ {b} {{ c }}\n'd' <e> &";

pub(crate) fn read(table: &mut TomlTable<'_>, faults: &mut MatrixFaults) -> BodyTemplate<SecretRef> {
    let body = table.take("body");
    let form = fields("form", table, faults);
    if let (Some(item), false) = (&body, form.is_empty()) {
        let help = "keep one of them: `body` is JSON, `form` are fields";
        faults.error("body-and-form", item.key_at, "a message has `body` or `form`, not both", help);
    }
    if !form.is_empty() {
        return BodyTemplate::Form(form);
    }
    let Some(item) = body else { return BodyTemplate::None };
    let Some(text) = item.lines(faults) else { return BodyTemplate::None };
    if let Err(why) = try_json(text.value) {
        faults.error("bad-body", text.at, format!("`body` does not make valid JSON: {why}"), {
            "every {{ .. }} writes a whole JSON value with its quotes: write \"text\": {{ text }}, and join with ~"
        });
    }
    BodyTemplate::Json(text.value.to_owned())
}

/// Checks that the request contains the page's text and its recipient.
pub(crate) fn check(
    body: &BodyTemplate<SecretRef>,
    query: &BTreeMap<String, FieldTemplate<SecretRef>>,
    needs: Option<ContactField>,
    table: &TomlTable<'_>,
    at: SourceSpan,
    faults: &mut MatrixFaults,
) {
    let mut templates: Vec<&String> = query.values().filter_map(text_of).collect();
    match body {
        BodyTemplate::None => {}
        BodyTemplate::Json(text) => templates.push(text),
        BodyTemplate::Form(fields) => templates.extend(fields.values().filter_map(text_of)),
    }
    let mut used = BTreeSet::new();
    for template in templates {
        match words_of(template) {
            Ok(words) => used.extend(words),
            // The problem in the body has been reported already.
            Err(_) if matches!(body, BodyTemplate::Json(text) if text == template) => return,
            Err(why) => {
                let help = "write {{ word }}; the words are in the documentation of `body`";
                faults.error("bad-template", at, format!("{} has a template that fails: {why}", table.what), help);
                return;
            }
        }
    }
    if !TELLING.iter().any(|word| used.contains(*word)) {
        let message = format!("{} does not contain the text of the page", table.what);
        faults.error("says-nothing", at, message, "use {{ text }}, or {{ headline }} and {{ lines }}");
    }
    if let Some(key) = needs.map(ContactField::key)
        && !(used.contains("to") || used.contains(key))
    {
        let message = format!("{} does not contain the recipient", table.what);
        let help = format!("use {{{{ to }}}} or {{{{ {key} }}}}, or leave `needs` out");
        faults.error("says-nobody", at, message, help);
    }
}

/// `{ name = "template", other = { env = ".." } }`.
pub(crate) fn fields(
    key: &'static str,
    table: &mut TomlTable<'_>,
    faults: &mut MatrixFaults,
) -> BTreeMap<String, FieldTemplate<SecretRef>> {
    let Some(item) = table.take(key) else { return BTreeMap::new() };
    let Some(mut inner) = item.table(format!("`{key}`"), faults) else { return BTreeMap::new() };
    let mut fields = BTreeMap::new();
    for item in inner.take_all() {
        let field = match item.value {
            DeValue::Table(_) => secret(&item, faults).map(FieldTemplate::Secret),
            // A header is one line; a value in a body may have several.
            _ if key == "headers" => item.text(faults).map(|text| FieldTemplate::Text(text.value.to_owned())),
            _ => item.lines(faults).map(|text| FieldTemplate::Text(text.value.to_owned())),
        };
        fields.extend(field.map(|field| (item.key.to_owned(), field)));
    }
    fields
}

fn text_of(field: &FieldTemplate<SecretRef>) -> Option<&String> {
    match field {
        FieldTemplate::Text(text) => Some(text),
        FieldTemplate::Secret(_) => None,
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
    let env = environment(|_| false);
    let template = env.template_from_str(text).map_err(|error| error.to_string())?;
    Ok(template.undeclared_variables(false).into_iter().collect())
}

fn run(text: &str, words: &BTreeMap<&'static str, Value>, is_json: bool) -> Result<String, String> {
    environment(if is_json { |_| true } else { |_| false }).render_str(text, words).map_err(|error| error.to_string())
}

/// The values of a brief with every field set.
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

/// The values of a line for a room: almost no field set.
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
