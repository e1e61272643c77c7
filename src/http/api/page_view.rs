//! One page of an incident in the form of the API's JSON.

use crate::core::{
    Incident, Page, PagePurpose, Timestamp,
    drill::INJECTED,
    send_outcome::{MAYBE_READ, NODE_DIED},
    standing::NOT_OPEN,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One page.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PageView {
    /// Its number within the incident.
    pub n: u32,
    /// The role it is about.
    pub role: Option<String>,
    /// The recipient; `None` for a room.
    pub person: Option<String>,
    /// The channel.
    pub channel: String,
    /// Its purpose.
    pub purpose: String,
    /// `queued`, `accepted`, `unreachable`, `not open`, `withdrawn`, `unsent`; for a page that was never given to its
    /// channel, what took it instead: `sandbox`, `injected`, `not needed`.
    pub state: String,
    /// The page that it replaces (failover).
    pub instead_of: Option<u32>,
    /// The number of refusals so far.
    pub refusals: u32,
    /// The last error, or why it is on hold.
    pub last_error: Option<String>,
    /// Whether it may have been sent twice.
    pub maybe_repeated: bool,
    /// The provider's id of the message.
    pub receipt: Option<String>,
    /// The content hash of the text that was shown.
    pub text: Option<String>,
    /// When it was created, in milliseconds after the incident was opened.
    pub born: f64,
    /// When its channel accepted it, in milliseconds after the incident was opened.
    pub accepted: Option<f64>,
    /// When something else took it instead of its channel, in milliseconds after the incident was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<f64>,
    /// When it was delivered to the device, if the provider reports that, in milliseconds after the incident was
    /// opened.
    pub delivered: Option<f64>,
    /// When it was shown to a person, in milliseconds after the incident was opened.
    pub seen: Option<f64>,
}

impl PageView {
    pub(super) fn of(incident: &Incident, page: &Page) -> Self {
        let purpose = match &page.purpose {
            PagePurpose::Brief { round: 0 } => "brief",
            PagePurpose::Brief { .. } => "reminder",
            PagePurpose::Taken { .. } => "taken",
            PagePurpose::HandedBack { .. } => "handed back",
            PagePurpose::Announced => "announced",
            PagePurpose::StoodDown => "stood down",
            PagePurpose::Resolved => "resolved",
            PagePurpose::RoomCard => "war room",
            PagePurpose::RoomLine { .. } => "room line",
            PagePurpose::RoomNote { .. } => "room note",
            PagePurpose::RoomUpdate { .. } => "room update",
            PagePurpose::RoomFurnish => "room furnishing",
            PagePurpose::RoomInvite { .. } => "room invitation",
            PagePurpose::RoomSummary => "room summary",
            PagePurpose::RoomArchive => "room archiving",
            PagePurpose::Notice { .. } => "notice",
        };
        PageView {
            n: page.n,
            role: page.role.as_ref().map(ToString::to_string),
            person: page.person.as_ref().map(ToString::to_string),
            channel: page.channel.to_string(),
            purpose: purpose.into(),
            state: page.standing().into(),
            instead_of: page.instead_of,
            refusals: refusals(page),
            last_error: page.remark(),
            maybe_repeated: page.maybe_repeated,
            receipt: page.receipt.as_ref().map(|receipt| receipt.id.clone()),
            text: page.text.clone(),
            born: after(incident, page.born_at),
            accepted: page.stages.accepted.map(|at| after(incident, at)),
            kept: page.stages.kept.map(|at| after(incident, at)),
            delivered: page.stages.delivered.map(|at| after(incident, at)),
            seen: page.stages.seen.map(|at| after(incident, at)),
        }
    }
}

/// How often its channel refused a page, as far as the page itself shows. A desk that is not open, a fault injected by
/// a drill and a withdrawal do not count as refusals.
fn refusals(page: &Page) -> u32 {
    match page.last_error.as_deref() {
        _ if page.standing() == NOT_OPEN => 0,
        Some(last_error) if last_error.starts_with(INJECTED) => 0,
        Some(MAYBE_READ | NODE_DIED) => page.refusals.saturating_sub(1),
        _ => page.refusals,
    }
}

/// Milliseconds after the incident was opened.
pub(super) fn after(incident: &Incident, at: Timestamp) -> f64 {
    at.micros_since(incident.opened_at) as f64 / 1e3
}
