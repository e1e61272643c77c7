//! What people read, whatever an alert or a template says.
#![allow(clippy::duplicate_mod, reason = "the fuzzer is a package of its own and has no other way to these files")]

#[allow(dead_code)]
#[path = "../../fast/template/crisis.rs"]
mod crisis;
#[path = "../../fast/template/judge.rs"]
mod judge;

use crisis::{about, flash_crash, later, names, opened};
use judge::judge;
use std::{collections::BTreeMap, sync::LazyLock};
use stentor::{
    core::{Alert, Incident, Page, PagePurpose, Zone},
    http::api::alerts::parse,
    template::{BriefInput, PageReader, PageTemplates, RenderedText, TextForm},
};

const FORMS: [TextForm; 6] =
    [TextForm::Screen, TextForm::Slack, TextForm::Sms, TextForm::Mail, TextForm::Voice, TextForm::Board];

static SHIPPED: LazyLock<PageTemplates> = LazyLock::new(PageTemplates::shipped);

fn rendered(templates: &PageTemplates, incident: &Incident, page: &Page, form: TextForm) -> RenderedText {
    let zone = Zone::utc();
    let reader = page.person.as_ref().map(|_| PageReader { name: "Ana Ruiz", zone: &zone });
    let brief =
        BriefInput { incident, page, reader, names: &names(), shared_zone: &zone, following: 0, sandboxed: &[] };
    templates.render(&brief, form)
}

/// Every text is within its limits, says first whether it is live, and begins no line that others chose.
fn judged(text: &RenderedText, form: TextForm, drill: bool, asks: bool) {
    judge(text, form, drill, asks);
    let moves = text.body.chars().find(|letter| letter.is_control() && *letter != '\n');
    assert_eq!(moves, None, "{:?}", text.body);
}

/// An alert in the shipped templates.
pub fn pages(bytes: &[u8]) {
    let Some(read) = parse(bytes).ok().and_then(|read| read.into_iter().flatten().next()) else { return };
    let alert = Alert { source: "monitor".into(), ..read.alert().clone() };
    if alert.flaw().is_some() {
        return;
    }
    let drill = alert.drill;
    let incident = later(opened(alert), 60 * u64::from(bytes.len().is_multiple_of(4)));
    let Some(page) = incident.pages.values().next_back() else { return };
    let purpose = match bytes.len() % 5 {
        0 => PagePurpose::Resolved,
        1 => PagePurpose::RoomCard,
        _ => page.purpose.clone(),
    };
    let asks = purpose.is_brief();
    let page = about(page, purpose);
    for form in FORMS {
        let text = rendered(&SHIPPED, &incident, &page, form);
        assert!(text.fallback.as_deref().is_none_or(|why| why.contains("too long")), "{:?}", text.fallback);
        judged(&text, form, drill, asks);
    }
}

/// A template of somebody's own: it is refused, or its pages are like all others.
pub fn templates(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let files =
        ["brief.txt", "sms.txt", "mail.html", "voice.txt"].map(|file| (format!("trader/{file}"), text.to_owned()));
    let Ok(templates) = PageTemplates::with(BTreeMap::from(files)) else { return };
    for drill in [false, true] {
        let incident = opened(flash_crash(drill));
        let Some(page) = incident.pages.values().next() else { return };
        for form in FORMS {
            let text = rendered(&templates, &incident, page, form);
            // What HTML a template writes is its author's.
            let text = if form == TextForm::Mail {
                RenderedText { html: rendered(&SHIPPED, &incident, page, form).html, ..text }
            } else {
                text
            };
            judged(&text, form, drill, page.purpose.is_brief());
        }
    }
}
