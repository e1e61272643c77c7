//! Templates -> the text of one page, within its channel's limits.
//!
//! A page goes out whatever its template does (law 7), and no template can make a drill look live (law 6): the first
//! line, the way to answer and the limits are made here, and the template adds only what stands between them. What a
//! template may say is written down in `templates/README.md`.

mod assemble;
mod context;
pub mod document;
mod facts;
mod fit;
mod functions;
mod headline;
mod html;
mod load;
mod notice;
mod room;
mod sample;
mod sms;
mod voice;
mod words;

pub use fit::{BOARD_MAX, BODY_MAX, HEADLINE_MAX, HTML_MAX, LINES_MAX, SLACK_MAX, SMS_SEPTETS, SUBJECT_MAX};
pub use functions::FUEL;
pub use load::{BrokenTemplate, PageTemplates, TemplateError};
pub use voice::SPOKEN_MAX;

use crate::core::{Incident, Page, PagePurpose, PersonName, Timestamp, Zone};
use std::collections::BTreeMap;
use words::BriefWords;

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
    /// Who reads it; none for a room.
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
    /// Why the raw facts stand where the template's text belongs; none when it could be used.
    pub fallback: Option<String>,
}

impl PageTemplates {
    /// Makes the text of one page. Never fails: where the template does, the alert's raw facts stand in its place and
    /// [`RenderedText::fallback`] says why.
    pub fn render(&self, brief: &BriefInput<'_>, form: TextForm) -> RenderedText {
        let words = BriefWords::new(brief);
        let mut template = self.name_for(words.row().map(|row| row.template.as_str()));
        let (text, fallback) = match &brief.page.purpose {
            PagePurpose::Brief { .. } => assemble::brief(self, template, &words, form),
            PagePurpose::Taken { .. } | PagePurpose::StoodDown | PagePurpose::Resolved => {
                template = load::ALL_CLEAR;
                assemble::all_clear(self, &words, form)
            }
            PagePurpose::HandedBack { .. }
            | PagePurpose::Announced
            | PagePurpose::RoomCard
            | PagePurpose::RoomLine { .. }
            | PagePurpose::RoomNote { .. }
            | PagePurpose::RoomUpdate { .. }
            | PagePurpose::RoomFurnish
            | PagePurpose::RoomInvite { .. }
            | PagePurpose::RoomSummary
            | PagePurpose::RoomArchive
            | PagePurpose::Notice { .. } => (assemble::notice(&words, form, ""), None),
        };
        RenderedText {
            headline: text.headline,
            subject: headline::subject(&words),
            body: text.body,
            html: text.html,
            revision: self.revision(template).to_owned(),
            fallback,
        }
    }
}
