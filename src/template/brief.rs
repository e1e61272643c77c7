//! The input for a text, its form, and the result.

use crate::core::{ChannelName, Incident, Page, PersonName, Timestamp, Zone};
use std::collections::BTreeMap;

/// The placeholder for the page's answer code. It is filled in right before sending, with five digits, and never
/// stored.
pub const CODE: &str = "%CODE%";

/// The placeholder for the link to the confirm page. It is filled in right before sending and never stored.
pub const LINK: &str = "%LINK%";

/// The form in which a channel shows a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextForm {
    /// The desk page, with buttons next to the text.
    Screen,
    /// A Slack message, with buttons under it. The text is plain: the channel escapes `&`, `<` and `>`.
    Slack,
    /// At most two segments: of GSM-7, or of UCS-2 where the text has words in another script.
    Sms,
    /// Plain text, and HTML in addition.
    Mail,
    /// One paragraph to be read aloud, of at most `SPOKEN_MAX` characters.
    Voice,
    /// Plain text with a link, in a place where others may read it too: a chat, a wallboard.
    Board,
}

/// The input for one text.
#[derive(Debug, Clone, Copy)]
pub struct BriefInput<'a> {
    /// The crisis in its current state.
    pub incident: &'a Incident,
    /// The page to be sent.
    pub page: &'a Page,
    /// The person who reads it; `None` for a room.
    pub reader: Option<PageReader<'a>>,
    /// The people's names for display.
    pub names: &'a BTreeMap<PersonName, String>,
    /// How many more briefs of its trigger wait to be sent to the same reader by the same channel.
    pub following: usize,
    /// The time zone of a text that has no reader of its own.
    pub shared_zone: &'a Zone,
    /// The channels of its ladders that are in the sandbox: what is for them is sent to nobody.
    pub sandboxed: &'a [ChannelName],
}

/// From so many on, a brief says how many more of its trigger wait.
pub const FOLLOWING_MIN: usize = 3;

/// The reader of a page.
#[derive(Debug, Clone, Copy)]
pub struct PageReader<'a> {
    /// Their name for display.
    pub name: &'a str,
    /// The time zone of their text.
    pub zone: &'a Zone,
}

/// What a brief asks, in the order in which it is read, each part once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmText {
    /// What happened, without a full stop.
    pub what: String,
    /// What will be done if people agree, in one line; `None` if nothing is to be approved.
    pub action: Option<String>,
    /// Which role is asked for which answer, by when.
    pub ask: String,
    /// What happens if nobody answers, and in a drill that it is one; `None` if there is nothing to say.
    pub otherwise: Option<String>,
}

/// A page's text, before [`CODE`] and [`LINK`] are filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedText {
    /// The first line, at most `HEADLINE_MAX` characters.
    pub headline: String,
    /// The parts of the headline of a brief that still asks something.
    pub alarm: Option<AlarmText>,
    /// The subject of a mail: the same for all pages of an incident, at most `SUBJECT_MAX` characters.
    pub subject: String,
    /// The whole text, headline first: at most `LINES_MAX` lines and `BODY_MAX` characters, `SLACK_MAX` for
    /// Slack, `SMS_SEPTETS` septets for an SMS, `SPOKEN_MAX` characters for a call.
    pub body: String,
    /// The whole text in HTML, only for mail; at most `HTML_MAX` bytes.
    pub html: Option<String>,
    /// The revision of the template that was used.
    pub revision: String,
    /// Why the raw facts replace the template's text; `None` if the template worked.
    pub fallback: Option<String>,
    /// The times in the text, only for Slack, which shows each reader their own.
    pub times: ShownTimes,
}

/// Times as a text shows them, `15:46:13 CET`, and which instants they are.
pub type ShownTimes = BTreeMap<String, Timestamp>;
