//! Block Kit's limits, as Slack publishes them; characters are counted as the strictest reader counts them.

use super::text;
use serde_json::Value;
use std::collections::BTreeSet;

/// The first limit that a message's blocks break.
pub fn check(blocks: &Value) -> Result<(), &'static str> {
    let Some(blocks) = blocks.as_array() else { return Ok(()) };
    // 50 blocks a message.
    if 50 < blocks.len() {
        return Err("invalid_blocks");
    }
    // About 13,200 characters over all blocks: seen by users, documented nowhere.
    if 13_200 < blocks.iter().map(|block| block.to_string().encode_utf16().count()).sum::<usize>() {
        return Err("msg_blocks_too_long");
    }
    let ids: Vec<&str> = blocks.iter().map(|block| text(block, "block_id")).filter(|id| !id.is_empty()).collect();
    // A block_id is unique in its message, and has at most 255 characters.
    if ids.iter().collect::<BTreeSet<_>>().len() < ids.len() || ids.iter().any(|id| 255 < id.len()) {
        return Err("invalid_blocks");
    }
    blocks.iter().try_for_each(check_block)
}

/// Whether each angle bracket begins a date as Slack writes it: `<!date^SECONDS^FORMAT|TEXT>`.
pub fn has_only_dates(text: &str) -> bool {
    text.split('<').skip(1).all(|part| {
        let date = part.split_once('>').and_then(|(date, _)| date.strip_prefix("!date^")?.split_once('^'));
        let shown = date.and_then(|(seconds, shown)| seconds.parse::<i64>().ok().and(shown.split_once('|')));
        shown.is_some_and(|(format, other)| format.contains("{time_secs}") && !other.is_empty())
    })
}

fn check_block(block: &Value) -> Result<(), &'static str> {
    let fits =
        |value: &Value, limit: usize| (1..=limit).contains(&value.as_str().map_or(0, |s| s.encode_utf16().count()));
    let elements = block["elements"].as_array().map(Vec::as_slice).unwrap_or_default();
    let good = match text(block, "type") {
        // 1 to 3000 characters.
        "section" => fits(&block["text"]["text"], 3000) && has_only_dates(text(&block["text"], "text")),
        // 10 elements, of 1 to 3000 characters each.
        "context" => (1..=10).contains(&elements.len()) && elements.iter().all(|e| fits(&e["text"], 3000)),
        "actions" => {
            let ids: BTreeSet<&str> = elements.iter().map(|button| text(button, "action_id")).collect();
            // 25 elements, each with an action_id of its own in this block.
            (1..=25).contains(&elements.len())
                && ids.len() == elements.len()
                && elements.iter().all(|button| {
                    // A label of plain text up to 75 characters, a value up to 2000 and a url up to 3000 where it has
                    // them, primary or danger or no style.
                    text(&button["text"], "type") == "plain_text"
                        && fits(&button["text"]["text"], 75)
                        && (button["value"].is_null() || fits(&button["value"], 2000))
                        && (button["url"].is_null() || fits(&button["url"], 3000))
                        && fits(&button["action_id"], 255)
                        && matches!(button["style"].as_str(), None | Some("primary" | "danger"))
                })
        }
        _ => false,
    };
    if good { Ok(()) } else { Err("invalid_blocks") }
}
