//! The link by which a person goes on with a conversation.

use crate::{
    core::{
        Packet,
        hidden::{described, hidden},
        packet::URL_CHARS_MAX,
    },
    http::problem::ProblemDetails,
};
use axum::http::StatusCode;

/// Refuses a link that the matrix does not allow this source.
///
/// # Errors
/// `422`, with what the matrix allows.
pub fn allowed_link(packet: &Packet, prefix: Option<&str>) -> Result<(), ProblemDetails> {
    let Some(link) = &packet.reply_url else { return Ok(()) };
    let allowed = prefix.ok_or_else(|| {
        unusable("the matrix allows this source no links: set `reply_url` in its [source] to how they begin")
    })?;
    if let Some(c) = hidden(link, false) {
        return Err(unusable(format!("`reply_url` has {}", described(c))));
    }
    if URL_CHARS_MAX < link.chars().count() {
        return Err(unusable(format!("`reply_url` is longer than {URL_CHARS_MAX} characters")));
    }
    // Both as a browser reads them, so that neither user names nor dots lead elsewhere.
    let (link, prefix) = (reqwest::Url::parse(link), reqwest::Url::parse(allowed));
    match (link, prefix) {
        (Ok(link), Ok(prefix)) if link.as_str().starts_with(prefix.as_str()) => Ok(()),
        _ => Err(unusable(format!("`reply_url` does not begin with {allowed}"))),
    }
}

fn unusable(detail: impl Into<String>) -> ProblemDetails {
    ProblemDetails::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
}
