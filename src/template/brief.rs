//! What a text is made from, in what form, and what comes of it.

use crate::core::{Incident, Page, PersonName, Timestamp, Zone};
use std::collections::BTreeMap;

/// Stands where the page's answer code goes; filled in right before sending, with five digits, and never stored.
pub const CODE: &str = "%CODE%";

/// Stands where the link to the confirm page goes; filled in right before sending and never stored.
pub const LINK: &str = "%LINK%";

/// In what form a channel shows a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextForm {
    /// The desk page, with buttons beside the text.
    Screen,
    /// A Slack message, with buttons under it. The text is plain: the channel escapes `&`, `<` and `>`.
    Slack,
    /// At most two segments of GSM-7.
    Sms,
    /// Plain text, and HTML beside it.
    Mail,
    /// One paragraph to be read out, of at most [`SPOKEN_MAX`] characters.
    Voice,
    /// Plain text where others may read it too, beside a link: a chat, a wallboard.
    Board,
}

/// What one text is made from.
#[derive(Debug, Clone, Copy)]
pub struct BriefInput<'a> {
    /// The crisis as it is now.
    pub incident: &'a Incident,
    /// The page to be sent.
    pub page: &'a Page,
    /// Who reads it; `None` for a room.
    pub reader: Option<PageReader<'a>>,
    /// How humans call the people of the matrix.
    pub names: &'a BTreeMap<PersonName, String>,
    /// The audit trail so far, oldest first, one sentence each.
    pub history: &'a [(Timestamp, String)],
}

/// Who reads a page.
#[derive(Debug, Clone, Copy)]
pub struct PageReader<'a> {
    /// How humans call them.
    pub name: &'a str,
    /// The clock on their wall.
    pub zone: &'a Zone,
}

/// A page's text, with [`CODE`] and [`LINK`] still to be filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedText {
    /// The first line, at most [`HEADLINE_MAX`] characters.
    pub headline: String,
    /// A mail's subject: the same for all pages of an incident, at most [`SUBJECT_MAX`] characters.
    pub subject: String,
    /// The whole text, headline first: at most [`LINES_MAX`] lines and [`BODY_MAX`] characters, [`SLACK_MAX`] for
    /// Slack, [`SMS_SEPTETS`] septets for an SMS, [`SPOKEN_MAX`] characters for a call.
    pub body: String,
    /// The whole text in HTML, for mail alone; at most [`HTML_MAX`] bytes.
    pub html: Option<String>,
    /// The revision of the template that was used.
    pub revision: String,
    /// Why the raw facts stand where the template's text belongs; `None` if it could be used.
    pub fallback: Option<String>,
}
