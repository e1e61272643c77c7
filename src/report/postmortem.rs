//! The post-mortem of one incident: everything that the journal knows, in a document that people continue to edit.

use crate::{
    core::Timestamp,
    report::{
        ReportError,
        actions::ReviewAction,
        after_action::{ReviewProposal, WrittenReview},
        facts::{IncidentReport, facts},
        incident_timeline::IncidentTimeline,
        picture,
        sheet::{self, DocumentPictures},
        texts::IncidentTexts,
    },
    template::document::{DocumentKind, DocumentTemplates},
};
use serde::Serialize;

#[derive(Serialize)]
struct PostmortemContext<'a> {
    incident: IncidentReport,
    actions: Vec<ReviewAction>,
    proposal: &'a ReviewProposal,
}

/// Writes the post-mortem of an incident with its state at `now`.
pub fn postmortem(
    timeline: &IncidentTimeline,
    beside: &IncidentTexts,
    proposal: &ReviewProposal,
    documents: &DocumentTemplates,
    now: Timestamp,
) -> Result<WrittenReview, ReportError> {
    let incident = facts(timeline, beside, timeline.incident.was_broken_off(), now);
    let actions = incident.actions().collect();
    let context = PostmortemContext { incident, actions, proposal };
    let markdown = documents.render(DocumentKind::Postmortem, &context)?;
    let facts = serde_json::to_value(&context).unwrap_or_default();
    let mut pictures = DocumentPictures::default();
    picture::add_to(&mut pictures, timeline, now);
    let word = if timeline.incident.drill { "DRILL " } else { "" };
    let sandbox = if timeline.incident.is_sandboxed() { " (SANDBOX)" } else { "" };
    let title = format!("{word}{}{sandbox}: post-mortem", timeline.incident.id);
    let html = sheet::html(&title, &markdown, &pictures);
    Ok(WrittenReview { markdown, html, facts })
}
