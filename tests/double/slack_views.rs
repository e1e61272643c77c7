//! Modals: what lets an app open one, and what Slack publishes about their limits; characters are counted as the
//! strictest reader counts them.

use super::text;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

/// How long a trigger lives.
const TRIGGER_LIFE: Duration = Duration::from_secs(3);

/// What was pressed lately, and lets the app show something to who pressed it.
#[derive(Debug, Default)]
pub struct Triggers {
    given: BTreeMap<String, Instant>,
    used: BTreeSet<String>,
    /// The modals that were opened.
    pub views: Vec<Value>,
}

impl Triggers {
    /// A new one, of a press just now.
    pub fn give(&mut self) -> String {
        self.give_at(Instant::now())
    }

    /// The same for a press at this time.
    pub fn give_at(&mut self, at: Instant) -> String {
        let id = format!("13345224609.738474920.{:x}", self.given.len() + 0xabc);
        self.given.insert(id.clone(), at);
        id
    }

    /// `views.open`.
    pub fn open(&mut self, body: &Value) -> Result<Value, &'static str> {
        let id = text(body, "trigger_id");
        match self.given.get(id) {
            _ if id.is_empty() => return Err("invalid_arguments"),
            None => return Err("invalid_trigger_id"),
            // Each opens one view.
            Some(_) if self.used.contains(id) => return Err("exchanged_trigger_id"),
            Some(at) if TRIGGER_LIFE < at.elapsed() => return Err("expired_trigger_id"),
            Some(_) => {}
        }
        // 250 kB.
        if 250_000 < body["view"].to_string().len() {
            return Err("view_too_large");
        }
        check(&body["view"])?;
        self.used.insert(id.to_owned());
        self.views.push(body["view"].clone());
        Ok(json!({ "view": { "id": format!("V{:04}", self.views.len()), "type": "modal" } }))
    }
}

/// The first limit that a modal breaks.
pub fn check(view: &Value) -> Result<(), &'static str> {
    let none = Vec::new();
    let blocks = view["blocks"].as_array().unwrap_or(&none);
    let ids: Vec<&str> = blocks.iter().filter_map(|block| block["block_id"].as_str()).collect();
    let takes = blocks.iter().any(|block| block["type"] == "input");
    let good = view["type"] == "modal"
        // Title, submit and close: plain text of at most 24 characters. Input needs a submit.
        && is_plain(&view["title"], 24)
        && (view["submit"].is_null() && !takes || is_plain(&view["submit"], 24))
        && (view["close"].is_null() || is_plain(&view["close"], 24))
        && (1..=100).contains(&blocks.len())
        && length(&view["private_metadata"]) <= 3000
        && length(&view["callback_id"]) <= 255
        // A block_id is unique in its view, and has at most 255 characters.
        && ids.iter().collect::<BTreeSet<_>>().len() == ids.len()
        && ids.iter().all(|id| (1..=255).contains(&id.len()))
        && blocks.iter().all(is_block);
    if good { Ok(()) } else { Err("invalid_arguments") }
}

/// Whether Slack would take this for the answer to a modal that was sent: errors stand at blocks that take input.
pub fn check_reply(view: &Value, reply: &Value) -> Result<(), &'static str> {
    let is_input = |id: &String| {
        let mut blocks = view["blocks"].as_array().into_iter().flatten();
        blocks.any(|block| block["type"] == "input" && block["block_id"] == id.as_str())
    };
    match text(reply, "response_action") {
        "errors" => {
            let errors = reply["errors"].as_object().filter(|errors| !errors.is_empty()).ok_or("no errors")?;
            let good = errors.iter().all(|(id, why)| is_input(id) && 0 < length(why));
            if good { Ok(()) } else { Err("errors at no input") }
        }
        "update" => check(&reply["view"]),
        _ => Err("no such action"),
    }
}

fn is_block(block: &Value) -> bool {
    let elements = block["elements"].as_array().map(Vec::as_slice).unwrap_or_default();
    match text(block, "type") {
        "section" => is_plain(&block["text"], 3000),
        "header" => is_plain(&block["text"], 150),
        "context" => (1..=10).contains(&elements.len()) && elements.iter().all(|element| is_plain(element, 3000)),
        "input" => {
            is_plain(&block["label"], 2000)
                && (block["hint"].is_null() || is_plain(&block["hint"], 2000))
                && matches!(block["optional"], Value::Null | Value::Bool(_))
                && is_element(&block["element"])
        }
        _ => false,
    }
}

fn is_element(element: &Value) -> bool {
    let number = |key: &str| element[key].as_str().map(|text| text.parse::<f64>().unwrap_or(f64::NAN));
    let own = match text(element, "type") {
        "plain_text_input" => {
            let max = element["max_length"].as_u64().unwrap_or(3000);
            (1..=3000).contains(&max) && length(&element["initial_value"]) as u64 <= max
        }
        "number_input" => {
            let given = |key: &str| element[key].is_null() || element[key].is_string();
            let (min, max) = (number("min_value").unwrap_or(f64::MIN), number("max_value").unwrap_or(f64::MAX));
            element["is_decimal_allowed"].is_boolean()
                && ["min_value", "max_value", "initial_value"].into_iter().all(given)
                && min <= max
                && number("initial_value").is_none_or(|given| (min..=max).contains(&given))
        }
        "radio_buttons" => {
            let options = element["options"].as_array().map(Vec::as_slice).unwrap_or_default();
            let is_option =
                |option: &Value| is_plain(&option["text"], 75) && (1..=75).contains(&length(&option["value"]));
            // At most ten; the marked one is one of them, as it stands there.
            (1..=10).contains(&options.len())
                && options.iter().all(is_option)
                && (element["initial_option"].is_null() || options.contains(&element["initial_option"]))
        }
        _ => false,
    };
    own && (1..=255).contains(&length(&element["action_id"]))
}

fn is_plain(text: &Value, limit: usize) -> bool {
    text["type"] == "plain_text" && (1..=limit).contains(&length(&text["text"]))
}

fn length(text: &Value) -> usize {
    text.as_str().map_or(0, |text| text.encode_utf16().count())
}
