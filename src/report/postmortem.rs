//! The post-mortem of one incident: everything that the journal knows, in the places where people go on writing.

use super::{
    ReportError,
    after_action::{Action, Proposal, Written},
    facts::{Beside, Facts, facts},
    picture,
    sheet::{self, Pictures},
    story::Story,
};
use crate::{
    core::Timestamp,
    template::document::{Document, Documents},
};
use serde::Serialize;

#[derive(Serialize)]
struct Context<'a> {
    incident: Facts,
    actions: Vec<Action>,
    proposal: &'a Proposal,
}

/// Writes the post-mortem of an incident as it stands at `now`.
pub fn postmortem(
    story: &Story,
    beside: &Beside,
    proposal: &Proposal,
    documents: &Documents,
    now: Timestamp,
) -> Result<Written, ReportError> {
    let incident = facts(story, beside, story.incident.was_broken_off(), now);
    let actions = incident.actions().collect();
    let markdown = documents.render(Document::Postmortem, &Context { incident, actions, proposal })?;
    let mut pictures = Pictures::default();
    picture::add_to(&mut pictures, story, now);
    let word = if story.incident.drill { "DRILL " } else { "" };
    let sandbox = if story.incident.is_sandboxed() { " (SANDBOX)" } else { "" };
    let title = format!("{word}{}{sandbox}: post-mortem", story.incident.id);
    let html = sheet::html(&title, &markdown, &pictures);
    Ok(Written { markdown, html })
}
