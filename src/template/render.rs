//! Makes the text of one page.

use crate::{
    core::PagePurpose,
    template::{
        ask, assemble,
        brief::{BriefInput, RenderedText, TextForm},
        headline,
        load::{self, PageTemplates},
        words::BriefWords,
    },
};

impl PageTemplates {
    /// Makes the text of one page. Never fails: if the template fails, the alert's raw facts replace it and
    /// [`RenderedText::fallback`] says why.
    pub fn render(&self, brief: &BriefInput<'_>, form: TextForm) -> RenderedText {
        let words = BriefWords::of_form(brief, form);
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
            alarm: ask::open_parts(&words, form),
            subject: headline::subject(&words),
            body: text.body,
            html: text.html,
            revision: self.revision(template).to_owned(),
            fallback,
            times: words.into_times(),
        }
    }
}
