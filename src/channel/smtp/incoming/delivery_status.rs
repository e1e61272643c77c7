//! The part of a report that is for machines (RFC 3464): a block of fields for each recipient.

use super::{
    meaning::MailMeaning,
    server_words::{WITHOUT_STATUS, status_in, text},
};
use mail_parser::{Message, MessagePart, MimeHeaders};

/// The largest number of fields that are read.
const FIELDS_MAX: usize = 2_000;

/// What the report says; `None` if there is no such part, or if it says nothing of any recipient.
pub(super) fn read(mail: &Message<'_>) -> Option<MailMeaning> {
    let is_status = |part: &&MessagePart<'_>| {
        part.is_content_type("message", "delivery-status") || part.is_content_type("message", "global-delivery-status")
    };
    let text = text(mail.parts.iter().find(is_status)?);
    let said: Vec<Option<String>> = blocks(&text).iter().filter_map(|block| failure(block)).collect();
    let failed = said.iter().flatten().next().cloned();
    match failed {
        Some(status) => Some(MailMeaning::Bounced(status)),
        None => (!said.is_empty()).then_some(MailMeaning::Nothing),
    }
}

/// What a block says of its recipient: the status of a failure, or `Some(None)` if it did not fail.
fn failure(fields: &[(String, String)]) -> Option<Option<String>> {
    let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let digits = |status: &str| {
        let digits: String = status.chars().take_while(|c| c.is_ascii_digit() || *c == '.').take(12).collect();
        Some(digits).filter(|digits| !digits.is_empty())
    };
    let status = field("status").and_then(digits).or_else(|| status_in(field("diagnostic-code").unwrap_or_default()));
    let action: String = field("action").unwrap_or_default().chars().take_while(|c| c.is_alphabetic()).collect();
    match (&*action.to_lowercase(), &status) {
        ("failed", _) => Some(Some(status.unwrap_or_else(|| WITHOUT_STATUS.to_owned()))),
        ("delayed" | "delivered" | "relayed" | "expanded", _) => Some(None),
        (_, Some(code)) if code.starts_with('5') => Some(status),
        (_, Some(code)) if code.starts_with('2') => Some(None),
        // A temporary status alone does not say whether the server has given up.
        _ => None,
    }
}

/// The fields of each block, unfolded, with their names in lower case.
fn blocks(text: &str) -> Vec<Vec<(String, String)>> {
    let mut blocks: Vec<Vec<(String, String)>> = vec![Vec::new()];
    for line in text.lines().take(FIELDS_MAX) {
        let Some(block) = blocks.last_mut() else { break };
        if line.trim().is_empty() {
            blocks.push(Vec::new());
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = block.last_mut() {
                let gap = if value.is_empty() { "" } else { " " };
                value.push_str(gap);
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            block.push((name.trim().to_lowercase(), value.trim().to_owned()));
        }
    }
    blocks
}
