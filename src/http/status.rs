//! The status of the node as a text for a chat.

use crate::{
    http::state::AppState,
    store::{IncidentFilter, StoreError},
};
use std::fmt::Write;

/// The largest number of open incidents (the newest) of which `status` counts the roles; it says so if there are more.
const COUNTED_MAX: usize = 1000;

/// The open incidents, and the current problems.
pub(super) async fn status(app: &AppState) -> Result<String, StoreError> {
    let count = app.engine.reads().open_count().await?;
    let open = app.engine.reads().list(IncidentFilter { open_only: true, limit: COUNTED_MAX }).await?;
    let calling: usize = open.iter().map(|incident| incident.open_roles().count()).sum();
    let of = if COUNTED_MAX < count { format!(" in the {COUNTED_MAX} newest of them") } else { String::new() };
    let mut text = match count {
        0 => "No incident is open.".to_owned(),
        count => format!("Open incidents: {count}. Roles that nobody has yet{of}: {calling}."),
    };
    for (name, why) in app.engine.config().sandboxed() {
        let _ = write!(text, "\nSANDBOX: channel {name} sends to nobody: {why}");
    }
    for (name, broken) in app.engine.delivery().breakers().broken() {
        let _ = write!(text, "\nChannel {name} reaches nobody since {}: {}", broken.since, broken.why);
    }
    for (name, heard) in app.engine.health().inbound_connections().into_iter().filter(|(_, heard)| heard.open == 0) {
        let why = heard.last_error.unwrap_or_default();
        let _ = write!(text, "\nChannel {name} has received nothing since {}: {why}", heard.since);
    }
    if let Err(error) = app.engine.reads().health() {
        let _ = write!(text, "\nNothing can be stored: {error}");
    }
    Ok(text)
}
